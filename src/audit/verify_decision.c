/* Rows of decisions against the leaves that tell of them. */
#include <stdio.h>
#include <string.h>

#include "audit/verify_state.h"
#include "base/error.h"
#include "base/hash.h"

/* Which column is told by which fact of the leaf. */
static const struct {
    const char *column, *fact;
    bool always; /* every leaf has the fact; without it the column must be null */
} COLUMNS[] = {
    {"request_id", "request_id", true},       {"kind", "judgement", true},
    {"session_id", "session", true},          {"attempt", "attempt", true},
    {"decision", "decision", true},           {"reason", "reason", true},
    {"record_sha256", "record_sha256", true}, {"client", "client", false},
    {"at_ms", "decided_ms", false},
};

void bf_decision_row_name(const json_t *row, char ret[BF_FINDING_ROW_SIZE])
{
    const char *client = bf_row_text(row, "client"), *id = bf_row_text(row, "request_id");
    (void)snprintf(ret, BF_FINDING_ROW_SIZE, "%s/%s", client ? client : "?", id ? id : "?");
}

static bool is_null(const json_t *value)
{
    return !value || json_is_null(value);
}

static void tell_column(bf_verify *v, int64_t index, const json_t *row, const char *column)
{
    char name[BF_FINDING_ROW_SIZE], text[BF_FINDING_ROW_SIZE + 64];
    bf_decision_row_name(row, name);
    (void)snprintf(text, sizeof text, "%s of %s", column, name);
    bf_verify_tell(v, BF_FOUND_DECISION_COLUMN, index, index + 1, text);
}

/* A text that may have been erased, against the hash that the leaf holds. *ret_gone: it is not there. */
static bool text_agrees(const json_t *text, const json_t *sha256, bool *ret_gone)
{
    char hex[BF_SHA256_HEX_SIZE];
    *ret_gone = is_null(text) && !is_null(sha256);
    if (is_null(text))
        return true;
    if (!json_is_string(text) || !json_is_string(sha256))
        return false;
    bf_sha256_hex(json_string_value(text), json_string_length(text), hex);
    return strcmp(hex, json_string_value(sha256)) == 0;
}

static bf_status remember_erased(bf_verify *v, const bf_pending *leaf, bf_error *err)
{
    char name[BF_FINDING_ROW_SIZE];
    const char *session = bf_row_text(leaf->text, "session");
    bf_decision_row_name(leaf->text, name);
    v->summary.erased++;
    bool kept = bf_erased_add(&v->erased, session ? "session" : "request", session ? session : name, leaf->index);
    return kept ? BF_OK : bf_fail_memory(err);
}

static bf_status compare(bf_verify *v, const bf_pending *leaf, bf_error *err)
{
    const json_t *row = leaf->decision;
    bool gone = false, report_gone = false, plan_gone = false;
    char name[BF_FINDING_ROW_SIZE];
    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++) {
        const json_t *is = json_object_get(row, COLUMNS[i].column), *was = json_object_get(leaf->text, COLUMNS[i].fact);
        bool agrees = is_null(is) ? is_null(was) : json_equal(is, was) != 0;
        if (!agrees && (COLUMNS[i].always || was))
            tell_column(v, leaf->index, row, COLUMNS[i].column);
    }
    bf_decision_row_name(row, name);
    if (!text_agrees(json_object_get(row, "record"), json_object_get(leaf->text, "record_sha256"), &gone))
        bf_verify_tell(v, BF_FOUND_DECISION_RECORD, leaf->index, leaf->index + 1, name);
    const json_t *report = json_object_get(leaf->text, "report_sha256");
    if (report && !text_agrees(json_object_get(row, "client_report"), report, &report_gone))
        tell_column(v, leaf->index, row, "client_report");
    if (!text_agrees(json_object_get(row, "plan"), json_object_get(leaf->text, "plan_sha256"), &plan_gone))
        tell_column(v, leaf->index, row, "plan");
    return gone || report_gone || plan_gone ? remember_erased(v, leaf, err) : BF_OK;
}

bf_status bf_verify_decision(bf_verify *v, const bf_pending *leaf, bf_error *err)
{
    const char *kind = bf_row_text(leaf->text, "kind");
    bool decides = kind && strcmp(kind, "decision") == 0;
    char name[BF_FINDING_ROW_SIZE] = "";
    if (decides && leaf->decision)
        return compare(v, leaf, err);
    if (decides) {
        const char *id = bf_row_text(leaf->text, "request_id");
        bf_verify_tell(v, BF_FOUND_DECISION_MISSING, leaf->index, leaf->index + 1, id ? id : "");
    } else if (leaf->decision) {
        bf_decision_row_name(leaf->decision, name);
        bf_verify_tell(v, BF_FOUND_DECISION_ADDED, leaf->index, leaf->index + 1, name);
    }
    return BF_OK;
}
