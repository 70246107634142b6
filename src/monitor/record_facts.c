/* What a decision's record says, as counts. The record was made by a worker, so nothing is taken for granted: what is
 * missing or has another type is not counted, or counts as "other". */
#include <jansson.h>

#include <string.h>

#include "monitor/families.h"

/* Values that a stage or a measure list could hold; more is not looked at. */
#define LIST_MAX 64

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void count_latency(bf_metrics *metrics, const json_t *record)
{
    const json_t *total = json_object_get(record, "latency_ms");
    if (json_is_number(total))
        bf_metrics_count(metrics, BF_FAMILY_JUDGE_SECONDS, NULL, json_number_value(total) / 1000);
    const bf_values *stages = &metrics->set[BF_SET_STAGE];
    const json_t *latency = json_object_get(record, "latency");
    for (int i = 0; i < stages->count - 1; i++) {
        const json_t *ms = json_object_get(latency, stages->value[i]);
        if (json_is_number(ms))
            bf_metrics_count(metrics, BF_FAMILY_STAGE_SECONDS, (const char *[BF_LABELS_MAX]){stages->value[i]},
                             json_number_value(ms) / 1000);
    }
}

static void count_quality(bf_metrics *metrics, const json_t *record)
{
    const json_t *measures = json_object_get(json_object_get(record, "quality"), "measures");
    for (size_t i = 0; i < json_array_size(measures) && i < LIST_MAX; i++) {
        const json_t *measure = json_array_get(measures, i);
        const char *status = text(measure, "status");
        if (status && strcmp(status, "fail") == 0)
            bf_metrics_count(metrics, BF_FAMILY_MEASURE_FAILURES, (const char *[BF_LABELS_MAX]){text(measure, "name")},
                             1);
    }
}

static void count_result(bf_metrics *metrics, const json_t *record, const char *flow)
{
    const json_t *result = json_object_get(record, "result");
    const char *label = text(result, "label");
    bf_metrics_count(metrics, BF_FAMILY_JUDGEMENTS,
                     (const char *[BF_LABELS_MAX]){flow, label ? label : text(record, "status")}, 1);
    const json_t *score = json_object_get(result, "score");
    if (json_is_number(score))
        bf_metrics_count(metrics, BF_FAMILY_SCORE, (const char *[BF_LABELS_MAX]){flow}, json_number_value(score));
    const json_t *error = json_object_get(record, "error");
    if (json_is_object(error))
        bf_metrics_count(metrics, BF_FAMILY_ERRORS, (const char *[BF_LABELS_MAX]){text(error, "code")}, 1);
}

static void count_match(bf_metrics *metrics, const json_t *record)
{
    const json_t *match = json_object_get(record, "match");
    if (json_is_object(match))
        bf_metrics_count(metrics, BF_FAMILY_MATCHES, (const char *[BF_LABELS_MAX]){text(match, "outcome")}, 1);
    const json_t *similarity = json_object_get(match, "similarity");
    if (json_is_number(similarity))
        bf_metrics_count(metrics, BF_FAMILY_SIMILARITY, NULL, json_number_value(similarity));
}

void bf_metrics_decision(bf_metrics *metrics, const struct json_t *record, double queue_seconds)
{
    if (!metrics)
        return;
    const json_t *decision = json_object_get(record, "decision");
    const char *flow = text(decision, "flow_type");
    const char *channel = text(json_object_get(record, "request"), "channel");
    bf_metrics_count(metrics, BF_FAMILY_DECISIONS,
                     (const char *[BF_LABELS_MAX]){flow, channel ? channel : "unspecified", text(decision, "decision")},
                     1);
    bf_metrics_count(metrics, BF_FAMILY_REASONS, (const char *[BF_LABELS_MAX]){text(decision, "reason")}, 1);
    bf_metrics_count(metrics, BF_FAMILY_QUEUE_SECONDS, NULL, queue_seconds);
    count_result(metrics, record, flow);
    count_match(metrics, record);
    count_latency(metrics, record);
    count_quality(metrics, record);
}
