/* The end of an attempt: decision, session, media, webhook and answer become durable together, or not at all. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/words.h"
#include "session/attempt.h"

/* The session as it is now, if the claim still holds. Where it was cancelled and erased meanwhile, or another upload
 * took over from a claim that had lapsed, nothing of this attempt is kept. */
static bf_status load_claimed(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    char id[BF_SESSION_ID_SIZE];
    int number = attempt->session.attempt;
    (void)snprintf(id, sizeof id, "%s", attempt->session.id);
    bf_session session = {0};
    bf_status status = bf_session_load(db, id, &session, err);
    if (status != BF_OK)
        return status;
    bf_session_done(&attempt->session);
    attempt->session = session;
    if (bf_session_is_open(&session) && strcmp(session.claim, attempt->claim) == 0)
        return BF_OK;
    status = bf_session_admit(&session, number, attempt->decided_ms).status;
    if (status == BF_OK)
        status = BF_ATTEMPT_IN_PROGRESS;
    return bf_fail(err, status, "%s", bf_status_text(status));
}

static bf_status look_back(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    const char *signal = NULL;
    bf_status status = attempt->told ? BF_OK : bf_seen_find(db, attempt, &signal, err);
    attempt->seen_as = attempt->told ? attempt->seen_as : signal;
    attempt->judge_again = status == BF_OK && signal;
    return status;
}

/* Another attempt: its number, its token's time, its plan. */
static bf_status go_on(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    bf_session *session = &attempt->session;
    if (attempt->outcome.uncertain)
        session->uncertain_retries++;
    else if (!attempt->outcome.challenge)
        session->quality_retries++;
    if (attempt->outcome.challenge) {
        session->challenges++;
        session->active = true;
    }
    session->attempt++;
    session->expires_ms = attempt->decided_ms + 1000LL * attempt->service->settings.token_s;
    if (session->expires_ms > session->ends_ms)
        session->expires_ms = session->ends_ms;
    bf_status status = bf_session_make_plan(attempt->service, session, err);
    return status == BF_OK ? bf_session_update(db, session, err) : status;
}

static bf_status move_session(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    bf_session *session = &attempt->session;
    session->claim[0] = 0;
    session->claimed_until_ms = 0;
    if (!attempt->outcome.over)
        return go_on(attempt, db, err);
    bf_ending ending = {BF_SESSION_COMPLETED, attempt->outcome.decision, attempt->outcome.reason, attempt->decision_id,
                        attempt->actor,       attempt->decided_ms};
    return bf_session_end(db, session, &ending, err);
}

/* Guidance is what the person can do better. Where nothing more is asked of them, there is none: a review and a refusal
 * look the same. */
static void write_guidance(const bf_attempt *attempt, bf_text *text)
{
    const json_t *decision = json_object_get(attempt->judgement.parsed, "decision");
    const json_t *codes = attempt->outcome.over ? NULL : json_object_get(decision, "guidance");
    bf_text_open_list(text, "guidance");
    for (size_t i = 0; i < json_array_size(codes); i++)
        bf_text_put(text, NULL, json_incref(json_array_get(codes, i)));
    bf_text_close_list(text);
    bf_text_open_list(text, "messages");
    for (size_t i = 0; i < json_array_size(codes); i++) {
        bf_guidance code;
        const char *name = json_string_value(json_array_get(codes, i));
        bool known = name && bf_guidance_from_name(name, &code);
        bf_text_put(text, NULL, json_string(known ? bf_guidance_text(code) : ""));
    }
    bf_text_close_list(text);
}

static bf_status coarse_answer(bf_attempt *attempt, bf_error *err)
{
    const bf_session *session = &attempt->session;
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    char token[BF_TOKEN_SIZE];
    bool more = !attempt->outcome.over;
    bf_answer_begin(&text, attempt->call);
    bf_text_put(&text, "answer", json_string(attempt->outcome.answer));
    write_guidance(attempt, &text);
    bf_text_put(&text, "attempts_left", json_integer(bf_session_attempts_left(attempt->service, session)));
    if (more)
        bf_session_token(attempt->service, session, token);
    bf_text_put(&text, "client_token", more ? json_string(token) : json_null());
    bf_text_put(&text, "token_expires_at", bf_json_time(more ? session->expires_ms : 0));
    if (more)
        bf_session_write_plan(session, &text, "plan");
    else
        bf_text_raw(&text, "plan", NULL);
    sodium_memzero(token, sizeof token);
    return bf_answer_end(&text, 200, &attempt->answer, err);
}

static bf_status make_answer(bf_attempt *attempt, bf_error *err)
{
    bf_answer_done(&attempt->answer);
    bf_status status = BF_OK;
    if (attempt->request->token_attempt > 0)
        status = coarse_answer(attempt, err);
    else
        status = bf_record_answer(&attempt->judgement, &attempt->answer, err);
    if (status != BF_OK)
        return status;
    attempt->answer.code = attempt->judgement.code;
    attempt->answer.queue_ms = attempt->judgement.queue_ms;
    (void)snprintf(attempt->answer.decision, sizeof attempt->answer.decision, "%s", attempt->judgement.decision);
    return BF_OK;
}

bf_status bf_attempt_finish(bf_db *db, void *context, bf_error *err)
{
    bf_attempt *attempt = context;
    bf_status status = load_claimed(attempt, db, err);
    if (status == BF_OK)
        status = look_back(attempt, db, err);
    if (status != BF_OK || attempt->judge_again)
        return status;
    const bf_session *session = &attempt->session;
    bf_decision_row row = {.client = session->client,
                           .request_id = attempt->decision_id,
                           .kind = "liveness",
                           .session_id = session->id,
                           .attempt = session->attempt,
                           .at_ms = attempt->decided_ms,
                           .actor = attempt->actor,
                           .client_report = attempt->request->client_report,
                           .plan = session->plan,
                           .active = bf_session_plan_is_active(session),
                           .judgement = &attempt->judgement};
    status = bf_decision_store(db, &row, err);
    if (status == BF_OK)
        status = bf_seen_keep(db, attempt, err);
    int64_t until_ms = bf_session_keep_until(attempt->service, session, attempt->decided_ms);
    if (status == BF_OK && attempt->has_draft)
        status = bf_vault_keep(db, &attempt->draft, attempt->decided_ms, until_ms, err);
    if (status == BF_OK && attempt->losses > 0)
        status = bf_quarantine_forgive(db, &attempt->hashes, err);
    if (status == BF_OK)
        status = move_session(attempt, db, err);
    if (status == BF_OK)
        status = make_answer(attempt, err);
    if (status == BF_OK)
        status = bf_once_finish(attempt->service, db, &attempt->once, &attempt->answer, session->id, err);
    return status;
}
