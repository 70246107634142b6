/* Decisions, and their place in the audit log. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "session/internal.h"

bf_status bf_decision_check_free(bf_db *db, const char *client, const char *request_id, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT 1 FROM decision WHERE client = $1 AND request_id = $2",
                                   BF_VALUES(bf_value_text(client), bf_value_text(request_id)), &rows, err);
    if (status == BF_OK && bf_rows_count(rows) > 0) {
        status = bf_fail(err, BF_REQUEST_ID_TAKEN, "A decision is already stored under this request id.");
        bf_fail_hint(err, "Give each request an id of its own; to get a lost answer again, send the request with the "
                          "Idempotency-Key of the first time.");
    }
    return status;
}

/* Hashes, codes and ids only: the log cannot be erased. No score, either: whoever reads the log must not learn how near
 * to the limit an attack came. */
static json_t *leaf_of(const bf_decision_row *row)
{
    const bf_judgement *judgement = row->judgement;
    char report[BF_SHA256_HEX_SIZE] = "", plan[BF_SHA256_HEX_SIZE] = "";
    if (row->client_report)
        bf_sha256_hex(row->client_report, strlen(row->client_report), report);
    if (row->plan)
        bf_sha256_hex(row->plan, strlen(row->plan), plan);
    json_t *facts = json_pack(
        "{ss ss ss ss? sI ss ss ss ss? ss? ss ss? ss?}", "client", row->client, "request_id", row->request_id,
        "judgement", row->kind, "session", row->session_id, "decided_ms", (json_int_t)row->at_ms, "decision",
        judgement->decision, "reason", judgement->reason, "record_sha256", judgement->sha256, "report_sha256",
        report[0] ? report : NULL, "input_sha256", judgement->input_sha256, "policy", judgement->policy, "plan_sha256",
        plan[0] ? plan : NULL, "asked", row->session_id ? row->active ? "active" : "passive" : NULL);
    if (facts && row->attempt > 0 && json_object_set_new(facts, "attempt", json_integer(row->attempt)) != 0) {
        json_decref(facts);
        return NULL;
    }
    return facts;
}

bf_status bf_decision_store(bf_db *db, const bf_decision_row *row, bf_error *err)
{
    bf_status status = bf_decision_check_free(db, row->client, row->request_id, err);
    if (status != BF_OK)
        return status;
    json_t *facts = leaf_of(row);
    if (!facts)
        return bf_fail_memory(err);
    int64_t index = 0;
    bf_audit_entry entry = {BF_AUDIT_DECISION, row->at_ms, row->actor, facts};
    status = bf_audit_append(db, &entry, &index, err);
    json_decref(facts);
    if (status != BF_OK)
        return status;
    const bf_judgement *judgement = row->judgement;
    return bf_db_run(
        db,
        "INSERT INTO decision(client, request_id, kind, session_id, attempt, at_ms, decision, reason, record,"
        " record_sha256, client_report, audit_index, plan) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
        " $13)",
        BF_VALUES(bf_value_text(row->client), bf_value_text(row->request_id), bf_value_text(row->kind),
                  bf_value_text(row->session_id),
                  row->attempt > 0 ? bf_value_integer(row->attempt) : bf_value_text(NULL), bf_value_integer(row->at_ms),
                  bf_value_text(judgement->decision), bf_value_text(judgement->reason),
                  bf_value_text((const char *)judgement->record.data), bf_value_text(judgement->sha256),
                  bf_value_text(row->client_report), bf_value_integer(index), bf_value_text(row->plan)),
        NULL, err);
}
