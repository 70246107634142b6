/* How scores and times moved. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "compare/compare.h"
#include "evaluate/sort.h"

static void free_items(bf_sort_item **items)
{
    bf_free(*items);
}

static void free_doubles(double **values)
{
    bf_free(*values);
}

/* Room for one kind at a time. */
typedef struct sorting {
    bf_sort_item *item;
    double *value[3]; /* A, B, and B - A: each sorted */
} sorting;

static bf_status sort_values(double *values, size_t count, bf_sort_item *items, double *spare, bf_error *err)
{
    for (size_t i = 0; i < count; i++)
        items[i] = (bf_sort_item){.key = bf_sort_key(values[i]), .index = (uint32_t)i};
    bf_status status = bf_sort(items, count, err);
    for (size_t i = 0; status == BF_OK && i < count; i++)
        spare[i] = values[items[i].index];
    if (status == BF_OK)
        memcpy(values, spare, count * sizeof *values);
    return status;
}

/* Between the sorted values, by a straight line. */
static double quantile(const double *sorted, size_t count, double p)
{
    double at = p * (double)(count - 1), below = floor(at);
    size_t i = (size_t)below, next = i + 1 < count ? i + 1 : i;
    return sorted[i] + (at - below) * (sorted[next] - sorted[i]);
}

/* The greatest distance of two empirical distributions of as many values. */
static double distance_of(const double *a, const double *b, size_t count)
{
    size_t i = 0, k = 0, greatest = 0;
    while (i < count && k < count) {
        double at = fmin(a[i], b[k]);
        while (i < count && a[i] <= at)
            i++;
        while (k < count && b[k] <= at)
            k++;
        size_t apart = i > k ? i - k : k - i;
        greatest = apart > greatest ? apart : greatest;
    }
    return (double)greatest / (double)count;
}

static bf_status measure_shift(bf_shift *ret, const bf_pairs *pairs, size_t kind, sorting *s, double *spare,
                               bf_error *err)
{
    static const double shares[BF_SHIFT_QUANTILES] = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};
    size_t count = 0;
    *ret = (bf_shift){.mean = NAN, .ks = NAN};
    for (size_t i = 0; i < pairs->a.count; i++) {
        const bf_score_row *a = &pairs->a.row[i], *b = &pairs->b.row[i];
        if (a->kind != kind || a->status != BF_SCORE_OK || b->status != BF_SCORE_OK)
            continue;
        s->value[0][count] = a->score;
        s->value[1][count] = b->score;
        s->value[2][count++] = b->score - a->score;
        ret->same += !(a->score < b->score || a->score > b->score);
    }
    ret->pairs = count;
    bf_status status = BF_OK;
    for (int v = 0; status == BF_OK && v < 3; v++)
        status = sort_values(s->value[v], count, s->item, spare, err);
    for (int q = 0; q < BF_SHIFT_QUANTILES; q++)
        ret->quantile[q] = status == BF_OK && count > 0 ? quantile(s->value[2], count, shares[q]) : (double)NAN;
    if (status != BF_OK || count == 0)
        return status;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += s->value[2][i];
    ret->mean = sum / (double)count;
    ret->ks = distance_of(s->value[0], s->value[1], count);
    return BF_OK;
}

bf_status bf_compare_shifts(bf_comparison *c, bf_error *err)
{
    size_t room = c->pairs->a.count + 1;
    bf_status status = BF_OK;
    BF_CLEANUP(free_items) bf_sort_item *items = bf_malloc(room * sizeof *items);
    BF_CLEANUP(free_doubles) double *values = bf_malloc(4 * room * sizeof *values);
    if (!items || !values)
        return bf_fail_memory(err);
    sorting s = {items, {values, values + room, values + 2 * room}};
    for (size_t k = 0; status == BF_OK && k < c->kinds; k++)
        status = measure_shift(&c->shift[k], c->pairs, k, &s, values + 3 * room, err);
    return status;
}

static bf_stage_change *stage_named(bf_comparison *c, const char *name)
{
    static const bf_latency none = {0, NAN, NAN, NAN, NAN, NAN};
    for (size_t s = 0; s < c->stages; s++) {
        if (strcmp(c->stage[s].stage, name) == 0)
            return &c->stage[s];
    }
    c->stage[c->stages] = (bf_stage_change){name, {none, none}};
    return &c->stage[c->stages++];
}

bf_status bf_compare_latency(bf_comparison *c, bf_error *err)
{
    bf_status status = BF_OK;
    for (int t = 0; status == BF_OK && t < 2; t++) {
        bf_latency latency[BF_STAGES_MAX];
        const bf_scores *scores = t == 0 ? &c->pairs->a : &c->pairs->b;
        status = bf_latency_measure(latency, scores, err);
        for (size_t s = 0; status == BF_OK && s < scores->stages; s++)
            stage_named(c, scores->stage[s])->latency[t] = latency[s];
    }
    return status;
}
