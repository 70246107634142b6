#include "evaluate/curve.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/interval.h"
#include "evaluate/sort.h"

const double BF_TARGET_APCER[BF_TARGETS] = {0.1, 0.05, 0.01};

static void free_items(bf_sort_item **items)
{
    bf_free(*items);
}

/* The rows with a response, by person and kind. */
static bf_status sort_by_person(const bf_scores *scores, bf_sort_item *items, size_t *ret_count, bf_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < scores->count; i++) {
        const bf_score_row *row = &scores->row[i];
        if (row->status == BF_SCORE_OK)
            items[count++] = (bf_sort_item){.key = (uint64_t)row->person << 16 | row->kind, .index = (uint32_t)i};
    }
    *ret_count = count;
    return bf_sort(items, count, err);
}

static bf_status build_cells(bf_curve *curve, const bf_scores *scores, const bf_sort_item *items, size_t count,
                             double threshold, bf_error *err)
{
    size_t cells = 0;
    for (size_t i = 0; i < count; i++)
        cells += i == 0 || items[i].key != items[i - 1].key;
    curve->cell = bf_calloc(cells + 1, sizeof *curve->cell);
    if (!curve->cell)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const bf_score_row *row = &scores->row[items[i].index];
        if (i == 0 || items[i].key != items[i - 1].key)
            curve->cell[curve->cells++] = (bf_curve_cell){.person = row->person, .kind = row->kind};
        curve->cell[curve->cells - 1].responses++;
        curve->cell[curve->cells - 1].accepted += row->score >= threshold;
    }
    return BF_OK;
}

static bf_status build_entries(bf_curve *curve, const bf_scores *scores, bf_sort_item *items, size_t count,
                               bf_error *err)
{
    for (size_t i = 0; i < count; i++)
        items[i].key = ~bf_sort_key(scores->row[items[i].index].score);
    bf_status status = bf_sort(items, count, err);
    if (status != BF_OK)
        return status;
    curve->entry = bf_malloc((count + 1) * sizeof *curve->entry);
    if (!curve->entry)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const bf_score_row *row = &scores->row[items[i].index];
        bf_curve_entry *last = curve->entries > 0 ? &curve->entry[curve->entries - 1] : NULL;
        if (curve->beside[row->kind])
            continue;
        if (last && last->score == row->score && last->person == row->person && last->kind == row->kind)
            last->count++;
        else
            curve->entry[curve->entries++] =
                (bf_curve_entry){.score = row->score, .person = row->person, .count = 1, .kind = row->kind};
    }
    return BF_OK;
}

bf_status bf_curve_build(bf_curve *ret, const bf_scores *scores, const bool *beside, double threshold, bf_error *err)
{
    size_t count = 0;
    bf_curve curve = {.kinds = 1 + bf_names_count(&scores->species), .persons = scores->persons};
    for (size_t k = 1; k < curve.kinds; k++)
        curve.beside[k] = beside && beside[k - 1];
    BF_CLEANUP(free_items) bf_sort_item *items = bf_malloc((scores->count + 1) * sizeof *items);
    if (!items)
        return bf_fail_memory(err);
    bf_status status = sort_by_person(scores, items, &count, err);
    if (status == BF_OK)
        status = build_cells(&curve, scores, items, count, threshold, err);
    if (status == BF_OK)
        status = build_entries(&curve, scores, items, count, err);
    if (status != BF_OK) {
        bf_curve_done(&curve);
        return status;
    }
    *ret = curve;
    return BF_OK;
}

void bf_curve_done(bf_curve *curve)
{
    bf_free(curve->entry);
    bf_free(curve->cell);
    *curve = (bf_curve){0};
}

typedef struct totals {
    uint64_t responses[BF_KINDS_MAX], accepted[BF_KINDS_MAX];
    uint64_t attacks; /* of the headline, pooled */
} totals;

static bool measure_rates(const bf_curve *curve, const uint32_t *weight, totals *t, bf_curve_figures *ret)
{
    memset(t->responses, 0, curve->kinds * sizeof *t->responses);
    memset(t->accepted, 0, curve->kinds * sizeof *t->accepted);
    t->attacks = 0;
    for (size_t i = 0; i < curve->cells; i++) {
        const bf_curve_cell *cell = &curve->cell[i];
        uint64_t times = weight ? weight[cell->person] : 1;
        t->responses[cell->kind] += times * cell->responses;
        t->accepted[cell->kind] += times * cell->accepted;
    }
    ret->max_apcer = 0;
    for (size_t k = 1; k < curve->kinds; k++) {
        ret->apcer[k] = t->responses[k] > 0 ? (double)t->accepted[k] / (double)t->responses[k] : NAN;
        if (curve->beside[k] || t->responses[k] == 0)
            continue;
        t->attacks += t->responses[k];
        ret->max_apcer = fmax(ret->max_apcer, ret->apcer[k]);
    }
    if (t->attacks == 0)
        ret->max_apcer = NAN;
    ret->bpcer = t->responses[0] > 0 ? (double)(t->responses[0] - t->accepted[0]) / (double)t->responses[0] : NAN;
    ret->acer = (ret->max_apcer + ret->bpcer) / 2;
    return t->attacks > 0 && t->responses[0] > 0;
}

/* Going down the scores: what is accepted so far. */
typedef struct sweep {
    uint64_t accepted[BF_KINDS_MAX];
    uint64_t live, attacks; /* accepted */
    double max_apcer;
} sweep;

/* Takes in the entries of one score; returns where the next score begins. */
static size_t take_group(const bf_curve *curve, const uint32_t *weight, const totals *t, size_t at, sweep *s)
{
    double score = curve->entry[at].score;
    for (; at < curve->entries && curve->entry[at].score == score; at++) {
        const bf_curve_entry *entry = &curve->entry[at];
        uint64_t times = (uint64_t)entry->count * (weight ? weight[entry->person] : 1);
        if (times == 0)
            continue;
        if (entry->kind == 0) {
            s->live += times;
            continue;
        }
        s->attacks += times;
        s->accepted[entry->kind] += times;
        double apcer = (double)s->accepted[entry->kind] / (double)t->responses[entry->kind];
        s->max_apcer = apcer > s->max_apcer ? apcer : s->max_apcer;
    }
    return at;
}

static void measure_sweep(const bf_curve *curve, const uint32_t *weight, const totals *t, bf_curve_figures *ret)
{
    sweep s = {0};
    double live = (double)t->responses[0], attacks = (double)t->attacks, wins = 0, apcer = 0, bpcer = 1;
    bool crossed = false, convenient = false;
    int targets = BF_TARGETS; /* those that the curve has not yet passed; they fall */
    for (int i = 0; i < BF_TARGETS; i++)
        ret->bpcer_at[i] = (bf_crossing){1, INFINITY};
    for (size_t at = 0; at < curve->entries;) {
        uint64_t live_before = s.live, attacks_before = s.attacks;
        double threshold = curve->entry[at].score;
        at = take_group(curve, weight, t, at, &s);
        double live_here = (double)(s.live - live_before), attacks_here = (double)(s.attacks - attacks_before);
        wins += live_here * ((double)(t->attacks - s.attacks) + attacks_here / 2);
        double bpcer_before = bpcer, apcer_before = apcer;
        bpcer = (double)(t->responses[0] - s.live) / live;
        apcer = (double)s.attacks / attacks;
        if (!crossed && apcer >= bpcer) {
            double before = bpcer_before - apcer_before, after = apcer - bpcer;
            ret->eer = apcer_before + (apcer - apcer_before) * before / (before + after);
            crossed = true;
        }
        while (targets > 0 && s.max_apcer > BF_TARGET_APCER[targets - 1])
            targets--;
        for (int i = 0; i < targets; i++)
            ret->bpcer_at[i] = (bf_crossing){bpcer, threshold};
        if (!convenient && bpcer <= BF_TARGET_BPCER) {
            ret->apcer_at = (bf_crossing){s.max_apcer, threshold};
            convenient = true;
        }
    }
    ret->auc = wins / (live * attacks);
}

bool bf_curve_measure(const bf_curve *curve, const uint32_t *weight, bool whole, bf_curve_figures *ret)
{
    totals t;
    if (!measure_rates(curve, weight, &t, ret))
        return false;
    if (whole)
        measure_sweep(curve, weight, &t, ret);
    return true;
}

/* Which of the steps on a normal-deviate axis a rate lies in; the two ends are steps of their own. */
static int step_of(double rate)
{
    if (rate <= 0 || rate >= 1)
        return rate <= 0 ? -1000 : 1000;
    return (int)floor(bf_normal_quantile(rate) * 24);
}

size_t bf_curve_points(const bf_curve *curve, uint16_t kind, bf_curve_point ret[BF_POINTS_MAX])
{
    totals t;
    bf_curve_figures figures;
    sweep s = {0};
    size_t count = 0;
    if (!measure_rates(curve, NULL, &t, &figures) || (kind > 0 && (t.responses[kind] == 0 || curve->beside[kind])))
        return 0;
    bf_curve_point point = {INFINITY, 0, 1}, last = point;
    ret[count++] = point;
    for (size_t at = 0; at < curve->entries && count < BF_POINTS_MAX - 1;) {
        point.threshold = curve->entry[at].score;
        at = take_group(curve, NULL, &t, at, &s);
        point.apcer = kind == 0 ? s.max_apcer : (double)s.accepted[kind] / (double)t.responses[kind];
        point.bpcer = (double)(t.responses[0] - s.live) / (double)t.responses[0];
        if (step_of(point.apcer) == step_of(last.apcer) && step_of(point.bpcer) == step_of(last.bpcer))
            continue;
        ret[count++] = last = point;
    }
    if (point.threshold != last.threshold)
        ret[count++] = point;
    return count;
}

typedef struct stop {
    double threshold, apcer, bpcer;
} stop;

/* Goes down the scores until the next point would be under stop.threshold or over stop.apcer, or the present one is at
 * most stop.bpcer. */
static bf_curve_point walk(const bf_curve *curve, stop until)
{
    totals t;
    bf_curve_figures figures;
    sweep s = {0};
    bf_curve_point point = {INFINITY, 0, 1};
    if (!measure_rates(curve, NULL, &t, &figures))
        return (bf_curve_point){NAN, NAN, NAN};
    for (size_t at = 0; at < curve->entries && point.bpcer > until.bpcer;) {
        double threshold = curve->entry[at].score;
        if (threshold < until.threshold)
            break;
        at = take_group(curve, NULL, &t, at, &s);
        if (s.max_apcer > until.apcer)
            break;
        point = (bf_curve_point){threshold, s.max_apcer, (double)(t.responses[0] - s.live) / (double)t.responses[0]};
    }
    return point;
}

bf_curve_point bf_curve_at_bpcer(const bf_curve *curve, double bpcer)
{
    return walk(curve, (stop){.threshold = -INFINITY, .apcer = INFINITY, .bpcer = bpcer});
}

bf_curve_point bf_curve_at_apcer(const bf_curve *curve, double apcer)
{
    return walk(curve, (stop){.threshold = -INFINITY, .apcer = apcer, .bpcer = -1});
}

bf_curve_point bf_curve_at(const bf_curve *curve, double threshold)
{
    return walk(curve, (stop){.threshold = threshold, .apcer = INFINITY, .bpcer = -1});
}
