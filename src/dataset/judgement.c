#include "dataset/judgement.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/words.h"
#include "bonafide/words.h"
#include "record/json.h"
#include "record/parse.h"

#define SCORE_DIGITS 9
#define MS_DIGITS 6

static void append(bf_row_text *row, const char *format, ...) BF_PRINTF(2, 3);
static void append(bf_row_text *row, const char *format, ...)
{
    if (row->overflow)
        return;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(row->text + row->used, sizeof row->text - row->used, format, arguments);
    va_end(arguments);
    row->overflow = length < 0 || (size_t)length >= sizeof row->text - row->used;
    row->used += row->overflow ? 0 : (size_t)length;
}

static const char *comma(const bf_row_text *row)
{
    return row->used > 0 ? "," : "";
}

/* Names and codes: nothing in them needs quotes, and what would is no name. */
static void put(bf_row_text *row, const char *word)
{
    append(row, "%s", comma(row));
    size_t from = row->used;
    append(row, "%s", word ? word : "");
    for (size_t i = from; i < row->used; i++) {
        if (strchr(",\"\r\n", row->text[i]))
            row->text[i] = '_';
    }
}

/* The first value must not be empty: the row would begin with a comma that comma() did not see. */
static void put_number(bf_row_text *row, bool given, double value, int digits)
{
    if (given && isfinite(value))
        append(row, "%s%.*g", comma(row), digits, value == 0.0 ? 0.0 : value);
    else
        append(row, "%s", comma(row));
}

json_t *bf_scoring_versions(const bf_engine *engine)
{
    bf_build build = {0};
    json_t *root = bf_record_build_versions(&build, &engine->versions);
    json_t *policies = json_object();
    for (int i = 0; i < engine->policy_count; i++)
        bf_build_put(&build, policies, bf_policy_flow(engine->policy[i]),
                     bf_build_text(bf_policy_version(engine->policy[i])));
    bf_build_put(&build, root, "policies", policies);
    bf_build_put(&build, root, "mirror", json_boolean(engine->mirror));
    /* Of one request, not of the release. */
    (void)json_object_del(root, "policy");
    (void)json_object_del(root, "fusion_configuration");
    if (build.failed) {
        json_decref(root);
        return NULL;
    }
    return root;
}

bf_status bf_scoring_identify(bf_scoring *scoring, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *versions = bf_scoring_versions(scoring->engine);
    char *text = versions ? json_dumps(versions, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (!text)
        return bf_fail_memory(err);
    char hex[BF_SHA256_HEX_SIZE];
    bf_sha256_hex(text, strlen(text), hex);
    free(text);
    memcpy(scoring->stack, hex, sizeof scoring->stack - 1);
    scoring->stack[sizeof scoring->stack - 1] = '\0';
    return BF_OK;
}

void bf_judgement_header(const bf_scoring *scoring, bf_row_text *ret)
{
    const bf_engine *engine = scoring->engine;
    ret->used = 0;
    ret->overflow = false;
    append(ret, "status,code,band,decision,reason,evidence_reasons,score,live_llr,live_probability");
    for (int i = 0; i < engine->detector_count; i++) {
        const char *name = engine->detector[i].name;
        append(ret, ",raw.%s,llr.%s,state.%s,ms.%s", name, name, name, name);
    }
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        append(ret, ",q.%s,n.%s", bf_measure_name((bf_measure_id)i), bf_measure_name((bf_measure_id)i));
    append(ret, ",quality_passed,face_iod_px,face_x0,face_y0,face_x1,face_y1,match_similarity,match_outcome");
    for (int i = 0; i < BF_STAGE_COUNT; i++)
        append(ret, ",ms.%s", bf_stage_name((bf_stage)i));
    append(ret, ",ms.total,flow,channel_asked,stack,policy_version,fusion_version");
    for (int i = 0; i < engine->policy_count; i++)
        append(ret, ",decision.%s", bf_policy_flow(engine->policy[i]));
}

/* "EVIDENCE_BORDER EVIDENCE_NETWORK" */
static void put_evidence_reasons(bf_row_text *row, const bf_record *record)
{
    const bf_policy_output *policy = &record->policy;
    const char *between = "";
    put(row, "");
    for (int i = 0; i < policy->reason_count; i++) {
        if (!bf_reason_is_evidence(policy->reasons[i]))
            continue;
        append(row, "%s%s", between, bf_reason_name(policy->reasons[i]));
        between = " ";
    }
}

static void put_verdict(bf_row_text *row, const bf_record *record)
{
    bf_status outcome = bf_record_outcome(record);
    bool judged = outcome == BF_OK;
    put(row, bf_record_status_name(record));
    put(row, judged ? "" : bf_status_name(outcome));
    put(row, bf_band_name(record->policy.band));
    put(row, bf_decision_name(record->policy.decision));
    put(row, bf_record_reason(record));
    put_evidence_reasons(row, record);
    put_number(row, judged && record->liveness_present, 100.0 * record->live_probability, SCORE_DIGITS);
    put_number(row, judged && record->liveness_present, record->live_llr, SCORE_DIGITS);
    put_number(row, judged && record->liveness_present, record->live_probability, SCORE_DIGITS);
}

static const char *state_of(const bf_evidence *evidence)
{
    if (!evidence)
        return "absent";
    switch (evidence->status) {
    case BF_EVIDENCE_PRESENT:
        return "present";
    case BF_EVIDENCE_NOT_APPLICABLE:
        return "not_applicable";
    case BF_EVIDENCE_FAILED:
        break;
    }
    return "failed";
}

static void put_evidence(bf_row_text *row, const bf_record *record, const char *detector)
{
    const bf_evidence *found = NULL;
    for (int i = 0; i < record->evidence_count; i++) {
        if (strcmp(record->evidence[i].detector, detector) == 0)
            found = &record->evidence[i];
    }
    bool present = found && found->status == BF_EVIDENCE_PRESENT;
    put_number(row, present, present ? found->raw : 0, SCORE_DIGITS);
    put_number(row, present && found->calibrated, present ? found->live_llr : 0, SCORE_DIGITS);
    put(row, state_of(found));
    put_number(row, found && found->ms > 0, found ? found->ms : 0, MS_DIGITS);
}

static void put_quality(bf_row_text *row, const bf_record *record)
{
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        const bf_measure *measure = &record->quality.measure[i];
        bool assessed = record->measured && measure->status == BF_MEASURE_ASSESSED;
        put_number(row, assessed, measure->value, SCORE_DIGITS);
        put_number(row, assessed, measure->native, SCORE_DIGITS);
    }
    put(row, !record->measured ? "" : record->policy.quality_passed ? "true" : "false");
    bool face = record->faces.count > 0 && record->faces.face[0].has_geometry;
    put_number(row, face, face ? (double)record->faces.face[0].inter_eye_px : 0, SCORE_DIGITS);
    /* Of a clip it would be in a frame that nobody finds again. */
    bool still = record->faces.count > 0 && !record->capture.sequence;
    bf_rect box = still ? record->faces.face[0].box : (bf_rect){0};
    const float side[4] = {box.x0, box.y0, box.x1, box.y1};
    for (int i = 0; i < 4; i++)
        put_number(row, still, (double)roundf(side[i]), SCORE_DIGITS);
}

/* The record as it would be had `policy` asked for it: its gate decides whether the evidence counts. */
static void decide_under(const bf_judge *judge, const bf_policy *policy, const bf_record *record, bf_record *ret)
{
    *ret = *record;
    if (record->measured) {
        bf_fused fused = {0};
        ret->status = bf_judge_gate(policy, record);
        if (ret->status == BF_OK)
            bf_fusion_apply(judge->engine->fusion, record->evidence, record->evidence_count, &fused);
        ret->liveness_present = fused.present;
        ret->live_llr = fused.live_llr;
        ret->live_probability = fused.live_probability;
        if (ret->status == BF_OK && !fused.present)
            ret->status = BF_NO_LIVENESS_EVIDENCE;
    }
    bf_stage_policy(judge, policy, ret);
}

/* An early exit has not taken the evidence that another journey's gate might let through. */
static void put_decisions(const bf_scoring *scoring, const bf_judge *judge, const bf_record *record, bf_record *scratch,
                          bf_row_text *row)
{
    for (int i = 0; i < scoring->engine->policy_count; i++) {
        const bf_policy *policy = scoring->engine->policy[i];
        if (strcmp(bf_policy_flow(policy), record->request.flow) == 0) {
            put(row, bf_decision_name(record->policy.decision));
        } else if (scoring->early_exit) {
            put(row, "");
        } else {
            decide_under(judge, policy, record, scratch);
            put(row, bf_decision_name(scratch->policy.decision));
        }
    }
}

void bf_judgement_row(const bf_scoring *scoring, const bf_judge *judge, const bf_record *record, bf_record *scratch,
                      bf_row_text *ret)
{
    const bf_engine *engine = scoring->engine;
    ret->used = 0;
    ret->overflow = false;
    put_verdict(ret, record);
    for (int i = 0; i < engine->detector_count; i++)
        put_evidence(ret, record, engine->detector[i].name);
    put_quality(ret, record);
    put_number(ret, record->match.present, record->match.similarity, SCORE_DIGITS);
    put(ret, bf_match_outcome_name(record->policy.match));
    for (int i = 0; i < BF_STAGE_COUNT; i++)
        put_number(ret, record->stage_ms[i] > 0, record->stage_ms[i], MS_DIGITS);
    put_number(ret, record->total_ms > 0, record->total_ms, MS_DIGITS);
    put(ret, record->request.flow);
    put(ret, record->request.channel == BF_CHANNEL_UNSPECIFIED ? "" : bf_channel_name(record->request.channel));
    put(ret, scoring->stack);
    put(ret, record->versions.policy);
    put(ret, record->versions.fusion);
    put_decisions(scoring, judge, record, scratch, ret);
}
