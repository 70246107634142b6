/* The public view of a record: what include/bonafide/engine.h promises about it. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/words.h"
#include "record/json.h"

bf_decision bf_record_decision(const bf_record *record)
{
    return record->policy.decision;
}

const char *bf_record_decision_name(const bf_record *record)
{
    return bf_decision_name(record->policy.decision);
}

bf_band bf_record_band(const bf_record *record)
{
    return bf_record_label(record) ? record->policy.band : BF_BAND_NOT_JUDGED;
}

double bf_record_score(const bf_record *record)
{
    return bf_record_label(record) ? 100.0 * record->live_probability : -1.0;
}

bf_match_outcome bf_record_match(const bf_record *record)
{
    return record->policy.match;
}

double bf_record_similarity(const bf_record *record)
{
    return record->match.present ? record->match.similarity : -2.0;
}

bf_status bf_record_match_problem(const bf_record *record)
{
    if (!record->reference.given || record->match.present)
        return BF_OK;
    return record->match.reference_status != BF_OK ? record->match.reference_status : record->status;
}

bf_status bf_record_error(const bf_record *record)
{
    return bf_record_outcome(record);
}

const char *bf_record_error_message(const bf_record *record)
{
    bf_status status = bf_record_outcome(record);
    if (status == BF_OK)
        return "";
    return record->error.message[0] ? record->error.message : bf_status_text(status);
}

const char *bf_record_reason(const bf_record *record)
{
    return bf_reason_name(record->policy.reason_count > 0 ? record->policy.reasons[0] : BF_REASON_NO_RULE);
}

const char *bf_record_reason_at(const bf_record *record, int index)
{
    if (index < 0 || index >= record->policy.reason_count || index >= BF_REASONS_MAX)
        return NULL;
    return bf_reason_name(record->policy.reasons[index]);
}

int bf_record_frames(const bf_record *record)
{
    return record->capture.analysed;
}

double bf_record_duration_ms(const bf_record *record)
{
    return record->capture.end_ms - record->capture.begin_ms;
}

const char *bf_record_finding(const bf_record *record, int index)
{
    for (int i = 0; index >= 0 && i < record->capture.detail_count; i++) {
        const bf_sequence_evidence *of = &record->capture.detail[i];
        if (index < of->finding_count)
            return of->finding[index].code;
        index -= of->finding_count;
    }
    return NULL;
}

const char *bf_record_guidance(const bf_record *record, int index)
{
    if (index < 0 || index >= record->policy.guidance_count || index >= BF_GUIDANCES_MAX)
        return NULL;
    return bf_guidance_name(record->policy.guidance[index]);
}

void bf_record_free(bf_record **record)
{
    if (!record || !*record)
        return;
    /* Landmarks and similarities are personal data. */
    explicit_bzero(*record, sizeof **record);
    bf_free(*record);
    *record = NULL;
}

bf_status bf_record_json(const bf_record *record, unsigned flags, char **ret_json, bf_error *err)
{
    json_t *root = bf_record_build(record, flags);
    if (!root)
        return bf_fail_memory(err);
    size_t layout = (flags & BF_JSON_PRETTY) != 0 ? JSON_INDENT(2) : 0;
    size_t options = layout | JSON_REAL_PRECISION(12);
    size_t size = json_dumpb(root, NULL, 0, options);
    char *text = size > 0 ? bf_malloc(size + 1) : NULL;
    if (text && json_dumpb(root, text, size, options) != size) {
        bf_free(text);
        text = NULL;
    }
    json_decref(root);
    if (!text)
        return bf_fail_memory(err);
    text[size] = '\0';
    *ret_json = text;
    return BF_OK;
}
