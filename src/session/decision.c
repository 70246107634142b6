/* One decision: looking at it, and erasing its record. */
#include <stdio.h>
#include <string.h>

#include "access/keys.h"
#include "base/error.h"
#include "session/internal.h"

bf_status bf_read_leaf(bf_db *db, const bf_call *call, const char *key, const char *id, bf_error *err)
{
    json_t *facts = json_pack("{ss ss}", key, id, "role", bf_access_role_name(call->who->role));
    return bf_call_leaf(db, call, BF_AUDIT_RECORD_READ, facts, err);
}

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
    return status == BF_OK ? bf_read_leaf(db, at->call, "request_id", at->call->id, err) : status;
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

static bf_status read_decision(bf_db *db, void *context, bf_error *err)
{
    decision_look *at = context;
    decision_look_done(at);
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    BF_CLEANUP(bf_audit_proof_done) bf_audit_proof proof = {0};
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

/* What is written comes first. Only after its commit is the head signed, and a proof can be made. */
static bf_status write_and_read(bf_service *service, bf_store_fn *write, const bf_call *call, bf_answer *ret,
                                bf_error *err)
{
    BF_CLEANUP(decision_look_done) decision_look at = {.call = call};
    bf_status status = bf_store_write(service->parts.store, write, &at, err);
    if (status == BF_OK)
        status = bf_store_read(service->parts.store, read_decision, &at, err);
    if (status != BF_OK)
        return status;
    *ret = at.answer;
    at.answer = (bf_answer){0};
    return BF_OK;
}

bf_status bf_service_decision_get(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    return write_and_read(service, write_decision_look, call, ret, err);
}

/* ---- erasing ---- */

void bf_decision_owner(const char *client, const char *request_id, char ret[BF_DECISION_OWNER_SIZE])
{
    (void)snprintf(ret, BF_DECISION_OWNER_SIZE, "%s %s", client, request_id);
}

/* *ret_erased: there is nothing left to erase. */
static bf_status check_erasable(bf_db *db, const decision_look *at, bool *ret_erased, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT session_id, record, client_report FROM decision WHERE client = $1 AND request_id = $2",
                    BF_VALUES(bf_value_text(at->client), bf_value_text(at->call->id)), &rows, err);
    if (status != BF_OK)
        return status;
    if (bf_rows_next(rows) && !bf_rows_is_null(rows, 0)) {
        bf_fail(err, BF_INVALID_REQUEST, "The decision belongs to a session.");
        bf_fail_hint(err, "Erase the session: its records and media go together.");
        return BF_INVALID_REQUEST;
    }
    *ret_erased = bf_rows_is_null(rows, 1) && bf_rows_is_null(rows, 2);
    return BF_OK;
}

static bf_status forget_record(bf_db *db, const decision_look *at, bf_error *err)
{
    char owner[BF_DECISION_OWNER_SIZE];
    bf_decision_owner(at->client, at->call->id, owner);
    bf_status status =
        bf_db_run(db, "UPDATE decision SET record = NULL, client_report = NULL WHERE client = $1 AND request_id = $2",
                  BF_VALUES(bf_value_text(at->client), bf_value_text(at->call->id)), NULL, err);
    if (status == BF_OK)
        status = bf_idempotency_erase(db, owner, err);
    if (status != BF_OK)
        return status;
    /* A request's id is one client's own name for it. */
    json_t *facts = json_pack("{ss ss}", "client", at->client, "request_id", at->call->id);
    return bf_call_leaf(db, at->call, BF_AUDIT_ERASED, facts, err);
}

static bf_status write_erasure(bf_db *db, void *context, bf_error *err)
{
    decision_look *at = context;
    bool erased = false;
    bf_status status = find_client(db, at, err);
    if (status == BF_OK)
        status = check_erasable(db, at, &erased, err);
    return status == BF_OK && !erased ? forget_record(db, at, err) : status;
}

bf_status bf_service_decision_erase(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    return write_and_read(service, write_erasure, call, ret, err);
}
