/* From a request to a record, and what it costs when a worker is lost over it. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/words.h"
#include "record/parse.h"
#include "session/internal.h"

void bf_judgement_done(bf_judgement *judgement)
{
    bf_bytes_done(&judgement->record);
    json_decref(judgement->parsed);
    *judgement = (bf_judgement){0};
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bf_status read_record(bf_judgement *judgement, bf_error *err)
{
    bf_status status = bf_json_parse(judgement->record.data, judgement->record.size, "record", &judgement->parsed, err);
    if (status == BF_OUT_OF_MEMORY)
        return status;
    const json_t *root = judgement->parsed, *decision = json_object_get(root, "decision");
    judgement->decision = text_at(decision, "decision");
    judgement->reason = text_at(decision, "reason");
    judgement->policy = text_at(decision, "policy_version");
    judgement->input_sha256 = text_at(json_object_get(root, "input"), "sha256");
    judgement->challenge = text_at(json_object_get(root, "capture"), "challenge");
    bf_seen_read_clip(root, &judgement->clip);
    const char *light = text_at(json_object_get(root, "capture"), "light");
    judgement->lit = light && strcmp(light, "answered") == 0;
    judgement->judged = json_is_true(json_object_get(root, "success"));
    const json_t *error = json_object_get(root, "error");
    judgement->code = json_is_object(error) ? bf_status_from_name(text_at(error, "code")) : BF_OK;
    if (status != BF_OK || !judgement->decision || !judgement->reason || !judgement->policy)
        return bf_fail(err, BF_WORKER_LOST, "The judging process gave an answer that is no record.");
    bf_sha256_hex(judgement->record.data, judgement->record.size, judgement->sha256);
    return BF_OK;
}

/* A failure of ours that another try may mend. What it cannot mend is decided by the policy, as a review. */
static bool is_failure(const bf_judgement *judgement)
{
    if (judgement->code == BF_OK || strcmp(judgement->decision, "retry") != 0)
        return false;
    const char *family = bf_status_family(judgement->code);
    return strcmp(family, "model") == 0 || strcmp(family, "internal") == 0 || strcmp(family, "configuration") == 0;
}

static bf_status fail_by_record(const bf_judgement *judgement, bf_error *err)
{
    const json_t *error = json_object_get(judgement->parsed, "error");
    const char *message = text_at(error, "message"), *hint = text_at(error, "hint");
    bf_fail(err, judgement->code, "%s", message ? message : bf_status_text(judgement->code));
    if (hint)
        bf_fail_hint(err, "%s", hint);
    return judgement->code;
}

bf_status bf_service_judge(const bf_service *service, const bf_job *job, bf_judgement *ret, bf_error *err)
{
    bf_judgement judgement = {0};
    bf_status status = service->judge(service->judge_data, job, &judgement.record, &judgement.queue_ms, err);
    if (status == BF_INVALID_ARGUMENT) /* the policies changed between our look at them and the worker's */
        status = bf_fail(err, BF_INVALID_REQUEST, "The request cannot be judged as flow_type or channel say.");
    if (status == BF_OK)
        status = read_record(&judgement, err);
    if (status == BF_OK && !job->match_only && is_failure(&judgement))
        status = fail_by_record(&judgement, err);
    if (status != BF_OK) {
        bf_judgement_done(&judgement);
        return status;
    }
    *ret = judgement;
    return BF_OK;
}

/* ---- the quarantine ---- */

void bf_media_hash(bf_media_hashes *hashes, const bf_region *media, const bf_region *reference)
{
    if (hashes->known)
        return;
    if (media)
        bf_sha256_hex(media->data, media->size, hashes->media);
    if (reference)
        bf_sha256_hex(reference->data, reference->size, hashes->reference);
    hashes->known = true;
}

static bf_status look_unknown(bf_db *db, int *ret_losses, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT 1 FROM quarantine LIMIT 1", BF_NO_VALUES, &rows, err);
    if (status == BF_OK)
        *ret_losses = bf_rows_count(rows) > 0 ? BF_LOSSES_UNKNOWN : 0;
    return status;
}

bf_status bf_quarantine_look(bf_db *db, const bf_media_hashes *hashes, int *ret_losses, bf_error *err)
{
    if (!hashes->known)
        return look_unknown(db, ret_losses, err);
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT losses FROM quarantine WHERE sha256 = $1 OR sha256 = $2",
                    BF_VALUES(bf_value_text(hashes->media), bf_value_text(hashes->reference)), &rows, err);
    int losses = 0;
    while (status == BF_OK && bf_rows_next(rows)) {
        int these = (int)bf_rows_integer(rows, 0);
        losses = these > losses ? these : losses;
    }
    if (status == BF_OK)
        *ret_losses = losses;
    return status;
}

static bf_status count_one(bf_db *db, const char *sha256, int64_t now_ms, bf_error *err)
{
    if (!sha256[0])
        return BF_OK;
    return bf_db_run(db,
                     "INSERT INTO quarantine(sha256, losses, last_ms) VALUES($1, 1, $2) ON CONFLICT(sha256)"
                     " DO UPDATE SET losses = quarantine.losses + 1, last_ms = excluded.last_ms",
                     BF_VALUES(bf_value_text(sha256), bf_value_integer(now_ms)), NULL, err);
}

bf_status bf_quarantine_count(bf_db *db, const bf_media_hashes *hashes, int64_t now_ms, bf_error *err)
{
    bf_status status = count_one(db, hashes->media, now_ms, err);
    return status == BF_OK ? count_one(db, hashes->reference, now_ms, err) : status;
}

bf_status bf_quarantine_forgive(bf_db *db, const bf_media_hashes *hashes, bf_error *err)
{
    return bf_db_run(db, "DELETE FROM quarantine WHERE sha256 = $1 OR sha256 = $2",
                     BF_VALUES(bf_value_text(hashes->media), bf_value_text(hashes->reference)), NULL, err);
}

bf_status bf_security_leaf(bf_db *db, const bf_call *call, const char *signal, const char *session_id, int attempt,
                           const char *input_sha256, bf_error *err)
{
    json_t *facts = json_pack("{ss ss? ss?}", "signal", signal, "session", session_id, "input_sha256", input_sha256);
    if (facts && attempt > 0 && json_object_set_new(facts, "attempt", json_integer(attempt)) != 0) {
        json_decref(facts);
        facts = NULL;
    }
    return bf_call_leaf(db, call, BF_AUDIT_SECURITY, facts, err);
}
