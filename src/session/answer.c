/* What the API answers about sessions. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/words.h"
#include "session/internal.h"
#include "store/time.h"

void bf_call_actor(const bf_call *call, char ret[BF_ACTOR_SIZE])
{
    if (call->who->role == BF_ACCESS_PERSON)
        (void)snprintf(ret, BF_ACTOR_SIZE, "session:%s", call->who->session_id);
    else
        (void)snprintf(ret, BF_ACTOR_SIZE, "key:%s", call->who->key_id);
}

bf_status bf_call_leaf(bf_db *db, const bf_call *call, bf_audit_kind kind, json_t *facts, bf_error *err)
{
    char actor[BF_ACTOR_SIZE];
    if (!facts)
        return bf_fail_memory(err);
    bf_call_actor(call, actor);
    bf_audit_entry entry = {kind, call->now_ms, actor, facts};
    bf_status status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

int64_t bf_call_time(const bf_call *call, double started_steady_ms)
{
    double elapsed = bf_time_steady_ms() - started_steady_ms;
    return call->now_ms + (elapsed > 0 ? (int64_t)elapsed : 0);
}

json_t *bf_json_time(int64_t ms)
{
    if (ms <= 0)
        return json_null();
    char text[BF_TIME_TEXT_SIZE];
    bf_time_text(ms, text);
    return json_string(text);
}

json_t *bf_json_text_or_null(const char *text)
{
    return text && text[0] ? json_string(text) : json_null();
}

void bf_session_new_id(char ret[BF_SESSION_ID_SIZE])
{
    uint8_t random[16];
    char hex[2 * sizeof random + 1];
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(hex, sizeof hex, random, sizeof random);
    (void)snprintf(ret, BF_SESSION_ID_SIZE, "s_%s", hex);
}

void bf_session_token(const bf_service *service, const bf_session *session, char ret[BF_TOKEN_SIZE])
{
    bf_token token = {.attempt = session->attempt, .expires_ms = session->expires_ms};
    (void)snprintf(token.session_id, sizeof token.session_id, "%s", session->id);
    (void)snprintf(token.client, sizeof token.client, "%s", session->client);
    bf_token_write(service->parts.master, &token, ret);
}

int bf_session_attempts_left(const bf_service *service, const bf_session *session)
{
    bf_flow_facts facts;
    if (!bf_session_is_open(session))
        return 0;
    int most = service->settings.attempts_max;
    bf_channel channel = BF_CHANNEL_UNSPECIFIED;
    (void)bf_channel_from_name(session->channel, &channel);
    if (bf_service_flow(service, session->flow, &facts) && facts.retry_cap[channel] + 1 < most)
        most = facts.retry_cap[channel] + 1;
    int left = most - bf_session_attempts_made(session);
    return left > 1 ? left : 1; /* an open session takes one more, whatever a new policy would say */
}

static void write_outcome(const bf_session *session, bf_text *text)
{
    if (session->state != BF_SESSION_COMPLETED) {
        bf_text_raw(text, "decision", NULL);
        return;
    }
    bf_text_open(text, "decision");
    bf_text_put(text, "decision", json_string(session->decision));
    bf_text_put(text, "reason", json_string(session->reason));
    bf_text_put(text, "request_id", bf_json_text_or_null(session->decided_by));
    bf_text_close(text);
}

/* "days:30" is "days" to the reader. */
static json_t *retain_word(const bf_session *session)
{
    return json_stringn(session->retain, strcspn(session->retain, ":"));
}

void bf_session_write(const bf_service *service, const bf_session *session, bf_text *text, const char *key)
{
    bf_text_open(text, key);
    bf_text_put(text, "id", json_string(session->id));
    bf_text_put(text, "state", json_string(bf_session_state_name(session->state)));
    bf_text_put(text, "flow_type", json_string(session->flow));
    bf_text_put(text, "channel", bf_json_text_or_null(session->channel));
    bf_text_put(text, "mode", json_string(session->mode));
    bf_text_put(text, "created_at", bf_json_time(session->created_ms));
    bf_text_put(text, "expires_at", bf_json_time(session->expires_ms));
    bf_text_put(text, "ends_at", bf_json_time(session->ends_ms));
    bf_text_put(text, "finished_at", bf_json_time(session->finished_ms));
    bf_text_put(text, "erased_at", bf_json_time(session->erased_ms));
    bf_text_put(text, "subject", bf_json_text_or_null(session->subject));
    bf_text_raw(text, "consent", session->consent);
    bf_text_put(text, "has_reference", json_boolean(session->reference_sha256[0]));
    bf_text_put(text, "retain", retain_word(session));
    bf_text_put(text, "attempts_made", json_integer(bf_session_attempts_made(session)));
    bf_text_put(text, "attempts_left", json_integer(bf_session_attempts_left(service, session)));
    bf_text_put(text, "quality_retries", json_integer(session->quality_retries));
    bf_text_put(text, "uncertain_retries", json_integer(session->uncertain_retries));
    bf_text_put(text, "challenges", json_integer(session->challenges));
    bf_text_put(text, "active", json_boolean(session->active));
    bf_text_raw(text, "capture", session->wish);
    bf_text_put(text, "replays", json_integer(session->replays));
    write_outcome(session, text);
    bf_text_close(text);
}

void bf_answer_begin(bf_text *text, const bf_call *call)
{
    bf_text_open(text, NULL);
    bf_text_put(text, "success", json_true());
    bf_text_put(text, "request_id", json_string(call->request_id));
}

bf_status bf_answer_end(bf_text *text, int http, bf_answer *ret, bf_error *err)
{
    bf_text_close(text);
    bf_answer answer = {.http = http, .code = BF_OK};
    bf_status status = bf_text_take(text, &answer.body, err);
    if (status == BF_OK)
        *ret = answer;
    return status;
}

bf_status bf_record_answer(const bf_judgement *judgement, bf_answer *ret, bf_error *err)
{
    bf_bytes copy = {bf_malloc(judgement->record.size + 1), judgement->record.size};
    if (!copy.data)
        return bf_fail_memory(err);
    memcpy(copy.data, judgement->record.data, copy.size);
    copy.data[copy.size] = 0;
    bool unusable = strcmp(bf_status_family(judgement->code), "input") == 0;
    *ret = (bf_answer){.http = unusable ? bf_status_http(judgement->code) : 200, .body = copy, .code = judgement->code};
    ret->queue_ms = judgement->queue_ms;
    (void)snprintf(ret->decision, sizeof ret->decision, "%s", judgement->decision);
    return BF_OK;
}

static void write_attempt(const bf_rows *rows, bf_text *text)
{
    bf_text_open(text, NULL);
    bf_text_put(text, "attempt", json_integer(bf_rows_integer(rows, 0)));
    bf_text_put(text, "request_id", json_string(bf_rows_text(rows, 1)));
    bf_text_put(text, "at", bf_json_time(bf_rows_integer(rows, 2)));
    bf_text_put(text, "decision", json_string(bf_rows_text(rows, 3)));
    bf_text_raw(text, "asked", bf_rows_text(rows, 6));
    bf_text_raw(text, "record", bf_rows_text(rows, 4));
    bf_text_raw(text, "client", bf_rows_text(rows, 5));
    bf_text_close(text);
}

bf_status bf_session_state_answer(const bf_service *service, const bf_call *call, bf_db *db, const bf_session *session,
                                  bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db,
                                   "SELECT attempt, request_id, at_ms, decision, record, client_report, plan FROM"
                                   " decision WHERE session_id = $1 ORDER BY attempt",
                                   BF_VALUES(bf_value_text(session->id)), &rows, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_answer_begin(&text, call);
    bf_session_write(service, session, &text, "session");
    if (bf_session_is_open(session) && call->who->role == BF_ACCESS_INTEGRATOR)
        bf_session_write_plan(session, &text, "plan");
    else
        bf_text_raw(&text, "plan", NULL);
    bf_text_open_list(&text, "attempts");
    while (bf_rows_next(rows))
        write_attempt(rows, &text);
    bf_text_close_list(&text);
    status = bf_session_write_media(db, session, &text, err);
    return status == BF_OK ? bf_answer_end(&text, 200, ret, err) : status;
}

bf_status bf_session_of_call(bf_db *db, const bf_call *call, bf_session *ret, bool *ret_foreign, bf_error *err)
{
    bf_status status = bf_session_load(db, call->id, ret, err);
    bool foreign = status == BF_OK && !bf_principal_sees_all(call->who) && strcmp(ret->client, call->who->client) != 0;
    if (ret_foreign)
        *ret_foreign = foreign;
    if (!foreign)
        return status;
    bf_session_done(ret);
    return bf_fail(err, BF_NOT_FOUND, "There is no such session.");
}
