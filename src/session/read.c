/* Looking at sessions and decisions. */
#include <stdio.h>
#include <string.h>

#include "access/keys.h"
#include "base/error.h"
#include "session/internal.h"

/* ---- one session ---- */

typedef struct look {
    const bf_service *service;
    const bf_call *call;
    bool due, ended, foreign;
    bf_session session;
    bf_answer answer;
} look;

static void look_done(look *at)
{
    bf_session_done(&at->session);
    bf_answer_done(&at->answer);
}

static bf_status read_session(bf_db *db, void *context, bf_error *err)
{
    look *at = context;
    look_done(at);
    bf_status status = bf_session_of_call(db, at->call, &at->session, &at->foreign, err);
    at->due = status == BF_OK && bf_session_is_due(&at->session, at->call->now_ms);
    if (status != BF_OK || at->due)
        return status;
    return bf_session_state_answer(at->service, at->call, db, &at->session, &at->answer, err);
}

static bf_status append_read_leaf(bf_db *db, const bf_call *call, const char *key, const char *id, bf_error *err)
{
    char actor[BF_ACTOR_SIZE];
    bf_call_actor(call, actor);
    json_t *facts = json_pack("{ss ss}", key, id, "role", bf_access_role_name(call->who->role));
    if (!facts)
        return bf_fail_memory(err);
    bf_audit_entry entry = {BF_AUDIT_RECORD_READ, call->now_ms, actor, facts};
    bf_status status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

/* The same where something has to be written: the session's end, or who looked at somebody else's client's records. */
static bf_status write_look(bf_db *db, void *context, bf_error *err)
{
    look *at = context;
    look_done(at);
    bf_status status = bf_session_of_call(db, at->call, &at->session, &at->foreign, err);
    if (status == BF_OK)
        status = bf_session_expire_if_due(db, &at->session, at->call->now_ms, &at->ended, err);
    bool records = bf_session_attempts_made(&at->session) > 0 && at->session.erased_ms == 0;
    if (status == BF_OK && records && at->call->who->role != BF_ACCESS_INTEGRATOR)
        status = append_read_leaf(db, at->call, "session", at->session.id, err);
    if (status == BF_OK)
        status = bf_session_state_answer(at->service, at->call, db, &at->session, &at->answer, err);
    return status;
}

bf_status bf_service_session_get(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(look_done) look at = {.service = service, .call = call};
    bool audited = call->who->role != BF_ACCESS_INTEGRATOR;
    bf_status status = BF_OK;
    if (!audited)
        status = bf_store_read(service->parts.store, read_session, &at, err);
    if (status == BF_OK && (audited || at.due))
        status = bf_store_write(service->parts.store, write_look, &at, err);
    if (at.foreign)
        bf_service_signal(service, BF_SECURITY_FOREIGN_SESSION);
    if (status != BF_OK)
        return status;
    if (at.ended)
        bf_session_tell_end(service, &at.session);
    *ret = at.answer;
    at.answer = (bf_answer){0};
    return BF_OK;
}

/* ---- one decision ---- */

typedef struct decision_look {
    const bf_call *call;
    char client[BF_NAME_MAX];
    bf_answer answer;
} decision_look;

static void decision_look_done(decision_look *at)
{
    bf_answer_done(&at->answer);
}

/* Request ids are a client's own. Who sees every client's gets the reader's own client's first, then the newest. */
static bf_status find_client(bf_db *db, decision_look *at, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db,
                                   "SELECT client FROM decision WHERE request_id = $1 AND (client = $2 OR $3 = 1)"
                                   " ORDER BY CASE WHEN client = $2 THEN 0 ELSE 1 END, at_ms DESC LIMIT 1",
                                   BF_VALUES(bf_value_text(at->call->id), bf_value_text(at->call->who->client),
                                             bf_value_integer(bf_principal_sees_all(at->call->who))),
                                   &rows, err);
    if (status != BF_OK)
        return status;
    const char *client = bf_rows_next(rows) ? bf_rows_text(rows, 0) : NULL;
    if (!client)
        return bf_fail(err, BF_NOT_FOUND, "There is no decision of this request id.");
    (void)snprintf(at->client, sizeof at->client, "%s", client);
    return BF_OK;
}

static bf_status write_decision_look(bf_db *db, void *context, bf_error *err)
{
    decision_look *at = context;
    bf_status status = find_client(db, at, err);
    return status == BF_OK ? append_read_leaf(db, at->call, "request_id", at->call->id, err) : status;
}

static void write_decision(const bf_rows *rows, bf_text *text)
{
    bf_text_open(text, "decision");
    bf_text_put(text, "request_id", json_string(bf_rows_text(rows, 0)));
    bf_text_put(text, "kind", json_string(bf_rows_text(rows, 1)));
    bf_text_put(text, "at", bf_json_time(bf_rows_integer(rows, 2)));
    bf_text_put(text, "session_id", bf_json_text_or_null(bf_rows_text(rows, 3)));
    bf_text_put(text, "attempt", bf_rows_is_null(rows, 4) ? json_null() : json_integer(bf_rows_integer(rows, 4)));
    bf_text_put(text, "decision", json_string(bf_rows_text(rows, 5)));
    bf_text_put(text, "reason", json_string(bf_rows_text(rows, 6)));
    bf_text_close(text);
    bf_text_raw(text, "record", bf_rows_text(rows, 7));
    bf_text_put(text, "record_sha256", json_string(bf_rows_text(rows, 8)));
}

static void proof_done(bf_audit_proof *proof)
{
    bf_audit_proof_done(proof);
}

static bf_status read_decision(bf_db *db, void *context, bf_error *err)
{
    decision_look *at = context;
    decision_look_done(at);
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    BF_CLEANUP(proof_done) bf_audit_proof proof = {0};
    bf_status status = bf_db_query(db,
                                   "SELECT request_id, kind, at_ms, session_id, attempt, decision, reason, record,"
                                   " record_sha256, audit_index FROM decision WHERE client = $1 AND request_id = $2",
                                   BF_VALUES(bf_value_text(at->client), bf_value_text(at->call->id)), &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows))
        return bf_fail(err, BF_NOT_FOUND, "There is no decision of this request id.");
    status = bf_audit_prove(db, bf_rows_integer(rows, 9), &proof, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_answer_begin(&text, at->call);
    write_decision(rows, &text);
    bf_text_put(&text, "proof", bf_audit_proof_json(&proof));
    return bf_answer_end(&text, 200, &at->answer, err);
}

bf_status bf_service_decision_get(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(decision_look_done) decision_look at = {.call = call};
    bf_status status = bf_store_write(service->parts.store, write_decision_look, &at, err);
    if (status == BF_OK)
        status = bf_store_read(service->parts.store, read_decision, &at, err);
    if (status != BF_OK)
        return status;
    *ret = at.answer;
    at.answer = (bf_answer){0};
    return BF_OK;
}
