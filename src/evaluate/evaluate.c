#include "evaluate/evaluate.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

const char *bf_kind_name(const bf_evaluation *e, size_t kind)
{
    return kind == 0 ? "Bona fide" : e->scores->species.text[kind - 1];
}

bool bf_kind_counts(const bf_evaluation *e, size_t kind)
{
    return kind > 0 && !e->beside[kind - 1];
}

static bf_status find_beside(bf_evaluation *e, bf_error *err)
{
    for (size_t b = 0; b < e->options.beside_count; b++) {
        size_t s = 0, count = bf_names_count(&e->scores->species);
        while (s < count && strcmp(e->scores->species.text[s], e->options.beside[b]) != 0)
            s++;
        if (s == count) {
            bf_fail(err, BF_INVALID_ARGUMENT, "The table has no attack species '%.60s'.", e->options.beside[b]);
            bf_fail_hint(err, "It has %s%.60s; species are the values of the column attack_type.",
                         count > 1 ? "several, among them " : "only ", count > 0 ? e->scores->species.text[0] : "none");
            return BF_INVALID_ARGUMENT;
        }
        e->beside[s] = true;
    }
    return BF_OK;
}

static bf_status fail_silent(const bf_evaluation *e, bf_error *err)
{
    bool live = e->kind[0].responses == 0;
    bf_fail(err, BF_INVALID_ARGUMENT, "No %s presentation%s has a response, so no error rate can be given.",
            live ? "bona fide" : "attack", live || e->options.beside_count == 0 ? "" : " of the headline");
    bf_fail_hint(err,
                 "Every one of them is could_not_judge or error; the column code says why. Check that the models are "
                 "installed and the pictures show faces, then score again.");
    return BF_INVALID_ARGUMENT;
}

/* The worst species of the headline and its rate, given what each kind accepted. */
static bf_rate worst_of(const bf_evaluation *e, const uint64_t *accepted, uint16_t *ret_kind)
{
    uint16_t worst = 0;
    double highest = -1;
    for (size_t k = 1; k < e->kinds; k++) {
        uint64_t n = e->kind[k].responses;
        double rate = n > 0 ? (double)accepted[k] / (double)n : -1;
        /* Of equal rates the one on fewer presentations is the less certain. */
        if (!bf_kind_counts(e, k) || n == 0 || rate < highest || (rate <= highest && n >= e->kind[worst].responses))
            continue;
        worst = (uint16_t)k;
        highest = rate;
    }
    *ret_kind = worst;
    return bf_rate_of(accepted[worst], e->kind[worst].responses);
}

static bf_rate bpcer_of(const bf_evaluation *e, const uint64_t *accepted)
{
    return bf_rate_of(e->kind[0].responses - accepted[0], e->kind[0].responses);
}

static void measure_neighbours(bf_evaluation *e)
{
    static const double thresholds[BF_NEIGHBOURS] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 95};
    uint64_t accepted[BF_KINDS_MAX];
    for (int i = 0; i < BF_NEIGHBOURS; i++) {
        bf_neighbour *n = &e->neighbour[i];
        n->threshold = thresholds[i];
        bf_rates_accepted(accepted, e->scores, n->threshold);
        n->apcer = worst_of(e, accepted, &n->worst_kind);
        n->bpcer = bpcer_of(e, accepted);
    }
}

static void measure_crossings(bf_evaluation *e)
{
    uint16_t kind;
    uint64_t accepted[BF_KINDS_MAX];
    for (int i = 0; i < BF_TARGETS; i++) {
        bf_rates_accepted(accepted, e->scores, e->figures.bpcer_at[i].threshold);
        e->bpcer_at[i] = bpcer_of(e, accepted);
    }
    bf_rates_accepted(accepted, e->scores, e->figures.apcer_at.threshold);
    e->apcer_at = worst_of(e, accepted, &kind);
}

/* Persons drawn again cannot bring forth an error that never happened: an interval of no width would say that the
 * figure is known exactly. */
static void drop_span_unless(bool errors, bf_span *span)
{
    if (!errors)
        *span = (bf_span){NAN, NAN};
}

static bool has_both(const bf_rate *rate)
{
    return rate->count > 0 && rate->count < rate->total;
}

static void drop_empty_spans(bf_evaluation *e)
{
    bf_bootstrap *b = &e->bootstrap;
    for (size_t k = 1; k < e->kinds; k++)
        drop_span_unless(has_both(&e->kind[k].error), &b->apcer[k]);
    drop_span_unless(has_both(&e->kind[e->worst_kind].error), &b->max_apcer);
    drop_span_unless(has_both(&e->kind[0].error), &b->bpcer);
    drop_span_unless(e->figures.acer > 0 && e->figures.acer < 1, &b->acer);
    drop_span_unless(e->figures.eer > 0 && e->figures.eer < 1, &b->eer);
    drop_span_unless(e->figures.auc > 0 && e->figures.auc < 1, &b->auc);
    for (int i = 0; i < BF_TARGETS; i++)
        drop_span_unless(has_both(&e->bpcer_at[i]), &b->bpcer_at[i]);
    drop_span_unless(has_both(&e->apcer_at), &b->apcer_at);
}

static bf_status measure_rates(bf_evaluation *e, bf_error *err)
{
    uint64_t accepted[BF_KINDS_MAX];
    e->kind = bf_calloc(e->kinds, sizeof *e->kind);
    if (!e->kind)
        return bf_fail_memory(err);
    bf_rates_measure(e->kind, e->scores, e->options.threshold);
    bf_status status = bf_curve_build(&e->curve, e->scores, e->beside, e->options.threshold, err);
    if (status != BF_OK)
        return status;
    for (size_t i = 0; i < e->curve.cells; i++)
        e->kind[e->curve.cell[i].kind].persons++;
    if (!bf_curve_measure(&e->curve, NULL, true, &e->figures))
        return fail_silent(e, err);
    bf_rates_accepted(accepted, e->scores, e->options.threshold);
    (void)worst_of(e, accepted, &e->worst_kind);
    measure_crossings(e);
    measure_neighbours(e);
    status = bf_bootstrap_run(&e->bootstrap, &e->curve, e->options.replicates, e->options.seed, err);
    if (status == BF_OK)
        drop_empty_spans(e);
    return status;
}

static bf_status measure_rest(bf_evaluation *e, bf_error *err)
{
    static const bf_segment columns[BF_COVERAGES] = {BF_SEGMENT_DEVICE_CLASS, BF_SEGMENT_CHANNEL};
    bf_status status = bf_reliability_measure(&e->reliability, e->scores, e->beside, err);
    if (status == BF_OK)
        status = bf_segments_measure(&e->segments, e->scores, e->beside, e->options.threshold, err);
    for (int i = 0; status == BF_OK && i < BF_COVERAGES; i++)
        status = bf_coverage_measure(&e->coverage[i], e->scores, columns[i], err);
    if (status == BF_OK)
        status = bf_latency_measure(e->latency, e->scores, err);
    if (status == BF_OK && e->options.said)
        status = bf_detectors_measure(&e->detectors, e->scores, e->options.said, e->beside, err);
    for (int i = 0; status == BF_OK && i < 2; i++)
        status = bf_journey_measure(&e->journey[i], e->scores, i == 1, e->beside, err);
    return status;
}

bf_status bf_evaluate(bf_evaluation *ret, const bf_scores *scores, const bf_evaluation_options *options, bf_error *err)
{
    bf_evaluation e = {.scores = scores, .options = *options, .kinds = 1 + bf_names_count(&scores->species)};
    bf_status status = find_beside(&e, err);
    if (status == BF_OK)
        status = measure_rates(&e, err);
    if (status == BF_OK)
        status = measure_rest(&e, err);
    if (status != BF_OK) {
        bf_evaluation_done(&e);
        return status;
    }
    bf_evaluate_levels(&e);
    bf_evaluate_warn(&e);
    *ret = e;
    return BF_OK;
}

void bf_evaluation_done(bf_evaluation *e)
{
    bf_free(e->kind);
    bf_curve_done(&e->curve);
    bf_segments_done(&e->segments);
    bf_detectors_done(&e->detectors);
    for (int i = 0; i < BF_COVERAGES; i++)
        bf_coverage_done(&e->coverage[i]);
    *e = (bf_evaluation){0};
}
