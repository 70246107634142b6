/* The portrait that attempts are compared with. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "record/parse.h"
#include "session/internal.h"

typedef struct setting {
    const bf_service *service;
    const bf_call *call;
    bf_once once;
    bf_vault_draft draft;
    bf_status refused; /* BF_OK: set */
    bool repeated, ended, foreign;
    bf_session session;
    bf_answer answer;
} setting;

static void setting_done(setting *set)
{
    bf_session_done(&set->session);
    bf_answer_done(&set->answer);
    sodium_memzero(&set->draft, sizeof set->draft);
}

/* Whether the last attempt found the portrait, not the person, at fault. */
static bf_status is_at_fault(bf_db *db, const bf_session *session, bool *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT record FROM decision WHERE session_id = $1 AND attempt = $2",
                    BF_VALUES(bf_value_text(session->id), bf_value_integer(session->attempt - 1)), &rows, err);
    const char *text = status == BF_OK && bf_rows_next(rows) ? bf_rows_text(rows, 0) : NULL;
    if (status != BF_OK || !text)
        return status;
    BF_CLEANUP(bf_json_release) json_t *record = NULL;
    status = bf_json_parse(text, strlen(text), "record", &record, err);
    *ret = json_is_string(json_object_get(json_object_get(record, "match"), "problem"));
    return status;
}

/* Before the first attempt, and after one that could not use the portrait: else somebody who has seen how an attempt
 * went could try another face's portrait. */
static bf_status may_set(bf_db *db, const setting *set, bf_status *ret, bf_error *err)
{
    const bf_session *session = &set->session;
    *ret = bf_session_admit(session, 0, set->call->now_ms).status;
    if (*ret != BF_OK || session->attempt == 1)
        return BF_OK;
    bool at_fault = false;
    bf_status status = is_at_fault(db, session, &at_fault, err);
    *ret = at_fault ? BF_OK : BF_REFERENCE_FIXED;
    return status;
}

static bf_status append_leaf(bf_db *db, const setting *set, bf_error *err)
{
    json_t *facts = json_pack("{ss ss}", "session", set->session.id, "sha256", set->draft.sha256);
    return bf_call_leaf(db, set->call, BF_AUDIT_REFERENCE_SET, facts, err);
}

static bf_status keep(bf_db *db, setting *set, bf_error *err)
{
    bf_session *session = &set->session;
    int64_t until_ms = bf_session_keep_until(set->service, session, session->ends_ms);
    bf_status status = bf_vault_keep(db, &set->draft, set->call->now_ms, until_ms, err);
    if (status != BF_OK)
        return status;
    (void)snprintf(session->reference_sha256, sizeof session->reference_sha256, "%s", set->draft.sha256);
    /* A claim that has lapsed ends here: whoever comes back with it has compared with another portrait. */
    session->claim[0] = 0;
    session->claimed_until_ms = 0;
    status = bf_session_update(db, session, err);
    if (status == BF_OK)
        status = append_leaf(db, set, err);
    if (status == BF_OK)
        status = bf_session_state_answer(set->service, set->call, db, session, &set->answer, err);
    if (status == BF_OK)
        status = bf_once_finish(set->service, db, &set->once, &set->answer, session->id, err);
    return status;
}

static bf_status write_reference(bf_db *db, void *context, bf_error *err)
{
    setting *set = context;
    bf_session_done(&set->session);
    bf_answer_done(&set->answer);
    set->refused = BF_OK;
    set->ended = false;
    bf_status status = bf_once_begin(set->service, db, &set->once, &set->repeated, &set->answer, err);
    if (status != BF_OK || set->repeated)
        return status;
    status = bf_session_of_call(db, set->call, &set->session, &set->foreign, err);
    if (status == BF_OK)
        status = bf_session_expire_if_due(db, &set->session, set->call->now_ms, &set->ended, err);
    if (status == BF_OK)
        status = may_set(db, set, &set->refused, err);
    if (status != BF_OK)
        return status;
    return set->refused == BF_OK ? keep(db, set, err) : bf_once_release(db, &set->once, err);
}

bf_status bf_service_session_reference(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    if (!call->reference)
        return bf_fail(err, BF_INVALID_REQUEST, "reference is missing.");
    BF_CLEANUP(setting_done) setting set = {.service = service, .call = call};
    bf_once_init(&set.once, call, bf_service_claim_ms(service));
    const bf_service_parts *parts = &service->parts;
    bf_status status = bf_vault_write(parts->vault, parts->store, call->id, "reference", call->reference->data,
                                      call->reference->size, &set.draft, err);
    if (status != BF_OK)
        return status;
    status = bf_store_write(parts->store, write_reference, &set, err);
    bool kept = status == BF_STORE_UNAVAILABLE || (status == BF_OK && !set.repeated && set.refused == BF_OK);
    if (!kept)
        bf_vault_drop(parts->vault, &set.draft);
    if (set.foreign)
        bf_service_signal(service, BF_SECURITY_FOREIGN_SESSION);
    if (status == BF_OK && set.ended)
        bf_session_tell_end(service, &set.session);
    if (status == BF_OK && set.refused != BF_OK)
        status = bf_fail(err, set.refused, "%s", bf_status_text(set.refused));
    if (status != BF_OK)
        return status;
    *ret = set.answer;
    set.answer = (bf_answer){0};
    return BF_OK;
}
