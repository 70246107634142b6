#include "compare/metric.h"

#include <stdio.h>
#include <string.h>

const char *const BF_METRIC_NAMES[BF_METRIC_KINDS + 1] = {
    [BF_METRIC_MAX_APCER] = "max_apcer",
    [BF_METRIC_APCER] = "apcer",
    [BF_METRIC_BPCER] = "bpcer",
    [BF_METRIC_BPCER10] = "bpcer10",
    [BF_METRIC_BPCER20] = "bpcer20",
    [BF_METRIC_BPCER100] = "bpcer100",
    [BF_METRIC_APCER_AT] = "apcer_at_bpcer_1_percent",
    [BF_METRIC_EER] = "eer",
    [BF_METRIC_AUC] = "auc",
    [BF_METRIC_APNRR] = "apnrr",
    [BF_METRIC_BPNRR] = "bpnrr",
    [BF_METRIC_CLLR] = "cllr",
    [BF_METRIC_BRIER] = "brier",
    [BF_METRIC_LATENCY_P50] = "latency_p50",
    [BF_METRIC_LATENCY_P95] = "latency_p95",
    [BF_METRIC_LATENCY_P99] = "latency_p99",
};

static const struct {
    bf_metric_unit unit;
    bool bona_fide, attacks;
    const char *term;
} KINDS[BF_METRIC_KINDS] = {
    [BF_METRIC_MAX_APCER] = {BF_UNIT_SHARE, false, true, "apcer"},
    [BF_METRIC_APCER] = {BF_UNIT_SHARE, false, true, "apcer"},
    [BF_METRIC_BPCER] = {BF_UNIT_SHARE, true, false, "bpcer"},
    [BF_METRIC_BPCER10] = {BF_UNIT_SHARE, true, true, "bpcer-at"},
    [BF_METRIC_BPCER20] = {BF_UNIT_SHARE, true, true, "bpcer-at"},
    [BF_METRIC_BPCER100] = {BF_UNIT_SHARE, true, true, "bpcer-at"},
    [BF_METRIC_APCER_AT] = {BF_UNIT_SHARE, true, true, "apcer-at"},
    [BF_METRIC_EER] = {BF_UNIT_SHARE, true, true, "eer"},
    [BF_METRIC_AUC] = {BF_UNIT_NUMBER, true, true, "auc"},
    [BF_METRIC_APNRR] = {BF_UNIT_SHARE, false, true, "apnrr"},
    [BF_METRIC_BPNRR] = {BF_UNIT_SHARE, true, false, "bpnrr"},
    [BF_METRIC_CLLR] = {BF_UNIT_NUMBER, true, true, "cllr"},
    [BF_METRIC_BRIER] = {BF_UNIT_NUMBER, true, true, "brier"},
    [BF_METRIC_LATENCY_P50] = {BF_UNIT_MS, false, false, "percentile"},
    [BF_METRIC_LATENCY_P95] = {BF_UNIT_MS, false, false, "percentile"},
    [BF_METRIC_LATENCY_P99] = {BF_UNIT_MS, false, false, "percentile"},
};

static bool takes_species(bf_metric_kind kind)
{
    return kind == BF_METRIC_APCER;
}

static bool takes_stage(bf_metric_kind kind)
{
    return KINDS[kind].unit == BF_UNIT_MS;
}

bool bf_metric_parse(const char *text, bf_metric *ret, const char **ret_problem)
{
    bf_metric metric = {0};
    const char *bracket = strchr(text, '(');
    size_t all = strlen(text), name = bracket ? (size_t)(bracket - text) : all;
    int kind = 0;
    while (kind < BF_METRIC_KINDS &&
           (strlen(BF_METRIC_NAMES[kind]) != name || strncmp(BF_METRIC_NAMES[kind], text, name) != 0))
        kind++;
    if (kind == BF_METRIC_KINDS) {
        *ret_problem = "is no metric";
        return false;
    }
    metric.kind = (bf_metric_kind)kind;
    if (takes_species(metric.kind) != (bracket != NULL) && !takes_stage(metric.kind)) {
        *ret_problem = bracket ? "takes nothing in brackets" : "needs a species in brackets, such as apcer(print)";
        return false;
    }
    if (takes_stage(metric.kind) && !bracket) {
        *ret_problem = "needs a stage in brackets, such as latency_p95(total)";
        return false;
    }
    if (bracket) {
        size_t size = all - name - 2;
        if (text[all - 1] != ')' || all < name + 3 || size >= sizeof metric.of) {
            *ret_problem = "must end with a name of 1 to 95 bytes and a bracket";
            return false;
        }
        memcpy(metric.of, bracket + 1, size);
    }
    *ret = metric;
    return true;
}

void bf_metric_text(const bf_metric *metric, char ret[BF_METRIC_TEXT_MAX])
{
    const char *name = BF_METRIC_NAMES[metric->kind];
    if (metric->of[0])
        (void)snprintf(ret, BF_METRIC_TEXT_MAX, "%s(%s)", name, metric->of);
    else
        (void)snprintf(ret, BF_METRIC_TEXT_MAX, "%s", name);
}

bool bf_metric_equal(const bf_metric *a, const bf_metric *b)
{
    return a->kind == b->kind && strcmp(a->of, b->of) == 0;
}

bf_metric_unit bf_metric_unit_of(bf_metric_kind kind)
{
    return KINDS[kind].unit;
}

bool bf_metric_more_is_better(bf_metric_kind kind)
{
    return kind == BF_METRIC_AUC;
}

bool bf_metric_of_bona_fide(bf_metric_kind kind)
{
    return KINDS[kind].bona_fide;
}

bool bf_metric_of_attacks(bf_metric_kind kind)
{
    return KINDS[kind].attacks;
}

const char *bf_metric_term(bf_metric_kind kind)
{
    return KINDS[kind].term;
}
