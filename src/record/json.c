#include "record/json.h"

#include "base/words.h"

static json_t *build_result(bf_build *build, const bf_record *record)
{
    const char *label = bf_record_label(record);
    if (!label)
        return json_null();
    json_t *object = json_object();
    bf_build_put(build, object, "label", json_string(label));
    bf_build_put(build, object, "score", bf_build_decimals(100.0 * record->live_probability, 2));
    bf_build_put(build, object, "band", json_string(bf_band_name(record->policy.band)));
    return object;
}

static json_t *build_decision(bf_build *build, const bf_record *record)
{
    const bf_policy_output *policy = &record->policy;
    json_t *reasons = json_array();
    for (int i = 0; i < policy->reason_count && i < BF_REASONS_MAX; i++)
        bf_build_add(build, reasons, json_string(bf_reason_name(policy->reasons[i])));
    json_t *guidance = json_array();
    for (int i = 0; i < policy->guidance_count && i < BF_GUIDANCES_MAX; i++)
        bf_build_add(build, guidance, json_string(bf_guidance_name(policy->guidance[i])));

    json_t *object = json_object();
    bf_build_put(build, object, "decision", json_string(bf_decision_name(policy->decision)));
    bf_build_put(build, object, "reason", json_string(bf_record_reason(record)));
    bf_build_put(build, object, "reason_codes", reasons);
    bf_build_put(build, object, "guidance", guidance);
    bf_build_put(build, object, "flow_type", bf_build_text(record->request.flow));
    bf_build_put(build, object, "policy_version", bf_build_text(record->versions.policy));
    return object;
}

static json_t *build_match(bf_build *build, const bf_record *record)
{
    const bf_match_facts *match = &record->match;
    bool problem = record->reference.given && match->reference_status != BF_OK;
    json_t *object = json_object();
    bf_build_put(build, object, "outcome", json_string(bf_match_outcome_name(record->policy.match)));
    bf_build_put(build, object, "similarity", match->present ? bf_build_decimals(match->similarity, 4) : json_null());
    bf_build_put(build, object, "llr",
                 match->present && match->calibrated ? bf_build_decimals(match->same_llr, 4) : json_null());
    bf_build_put(build, object, "problem",
                 problem ? json_string(bf_status_name(match->reference_status)) : json_null());
    return object;
}

static const char *measure_status(const bf_record *record, int id)
{
    if (record->quality.measure[id].status != BF_MEASURE_ASSESSED)
        return "not_assessed";
    return record->policy.measure_failed[id] ? "fail" : "pass";
}

static json_t *build_measure(bf_build *build, const bf_record *record, int id)
{
    const bf_measure *measure = &record->quality.measure[id];
    bool assessed = measure->status == BF_MEASURE_ASSESSED;
    json_t *object = json_object();
    bf_build_put(build, object, "name", json_string(bf_measure_name((bf_measure_id)id)));
    bf_build_put(build, object, "native", assessed ? bf_build_digits(measure->native, 6) : json_null());
    bf_build_put(build, object, "unit", json_string(bf_measure_unit((bf_measure_id)id)));
    bf_build_put(build, object, "value", assessed ? json_integer(measure->value) : json_null());
    bf_build_put(build, object, "status", json_string(measure_status(record, id)));
    return object;
}

static json_t *build_quality(bf_build *build, const bf_record *record)
{
    json_t *measures = json_array();
    for (int id = 0; record->measured && id < BF_MEASURE_COUNT; id++)
        bf_build_add(build, measures, build_measure(build, record, id));
    json_t *object = json_object();
    bf_build_put(build, object, "passed", json_boolean(record->measured && record->policy.quality_passed));
    bf_build_put(build, object, "measures", measures);
    return object;
}

static const char *evidence_status(bf_evidence_status status)
{
    switch (status) {
    case BF_EVIDENCE_PRESENT:
        return "present";
    case BF_EVIDENCE_NOT_APPLICABLE:
        return "not_applicable";
    case BF_EVIDENCE_FAILED:
        break;
    }
    return "failed";
}

static json_t *build_ms(double ms, unsigned flags)
{
    return (flags & BF_JSON_NO_TIMING) != 0 || ms <= 0.0 ? json_null() : bf_build_decimals(ms, 3);
}

static json_t *build_evidence(bf_build *build, const bf_record *record, unsigned flags)
{
    json_t *list = json_array();
    for (int i = 0; i < record->evidence_count && i < BF_DETECTORS_MAX; i++) {
        const bf_evidence *evidence = &record->evidence[i];
        bool present = evidence->status == BF_EVIDENCE_PRESENT;
        json_t *object = json_object();
        bf_build_put(build, object, "detector", bf_build_text(evidence->detector));
        bf_build_put(build, object, "status", json_string(evidence_status(evidence->status)));
        bf_build_put(build, object, "raw", present ? bf_build_digits(evidence->raw, 6) : json_null());
        bf_build_put(build, object, "llr",
                     present && evidence->calibrated ? bf_build_decimals(evidence->live_llr, 4) : json_null());
        bf_build_put(build, object, "contribution",
                     evidence->fused ? bf_build_decimals(evidence->contribution, 4) : json_null());
        bf_build_put(build, object, "version", bf_build_text(evidence->version));
        bf_build_put(build, object, "ms", build_ms(evidence->ms, flags));
        if (evidence->why)
            bf_build_put(build, object, "why", bf_build_text(evidence->why));
        bf_build_add(build, list, object);
    }
    return list;
}

static json_t *build_latency(bf_build *build, const bf_record *record, unsigned flags)
{
    json_t *object = json_object();
    for (int stage = 0; stage < BF_STAGE_COUNT && (flags & BF_JSON_NO_TIMING) == 0; stage++) {
        if (record->stage_ms[stage] > 0.0)
            bf_build_put(build, object, bf_stage_name((bf_stage)stage), build_ms(record->stage_ms[stage], flags));
    }
    return object;
}

static json_t *build_error(bf_build *build, const bf_record *record)
{
    bf_status status = bf_record_outcome(record);
    if (status == BF_OK)
        return json_null();
    json_t *object = json_object();
    bf_build_put(build, object, "code", json_string(bf_status_name(status)));
    bf_build_put(build, object, "message", bf_build_text(bf_record_error_message(record)));
    bf_build_put(build, object, "retryable", json_boolean(bf_status_retryable(status)));
    bf_build_put(build, object, "hint", bf_build_text_or_null(record->error.hint));
    return object;
}

static json_t *build_media(bf_build *build, const bf_record *record)
{
    bf_container container = record->capture.sequence ? record->capture.clip.container : record->input.media.container;
    return bf_record_build_input(build, &record->input, bf_record_media_kind(record), container);
}

static json_t *build_reference(bf_build *build, const bf_record *record)
{
    const bf_record_input *reference = &record->reference;
    if (!reference->given)
        return json_null();
    return bf_record_build_input(build, reference, "still", reference->media.container);
}

json_t *bf_record_build(const bf_record *record, unsigned flags)
{
    bf_build build = {0};
    json_t *root = json_object();
    bf_build_put(&build, root, "success", json_boolean(bf_record_outcome(record) == BF_OK));
    bf_build_put(&build, root, "status", json_string(bf_record_status_name(record)));
    bf_build_put(&build, root, "request_id", bf_build_text_or_null(record->request_id));
    bf_build_put(&build, root, "result", build_result(&build, record));
    bf_build_put(&build, root, "decision", build_decision(&build, record));
    bf_build_put(&build, root, "match", build_match(&build, record));
    bf_build_put(&build, root, "quality", build_quality(&build, record));
    bf_build_put(&build, root, "evidence", build_evidence(&build, record, flags));
    bf_build_put(&build, root, "integrity", bf_record_build_integrity(&build, &record->input.media));
    bf_build_put(&build, root, "capture", bf_record_build_capture(&build, record));
    bf_build_put(&build, root, "versions", bf_record_build_versions(&build, &record->versions));
    bf_build_put(&build, root, "latency_ms", build_ms(record->total_ms, flags));
    bf_build_put(&build, root, "latency", build_latency(&build, record, flags));
    bf_build_put(&build, root, "error", build_error(&build, record));
    bf_build_put(&build, root, "input", build_media(&build, record));
    bf_build_put(&build, root, "reference", build_reference(&build, record));
    bf_build_put(&build, root, "request", bf_record_build_request(&build, &record->request));
    bf_build_put(&build, root, "diagnostics", bf_record_build_diagnostics(&build, record, flags));
    if (build.failed) {
        json_decref(root);
        return NULL;
    }
    return root;
}
