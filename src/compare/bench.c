#include "compare/bench.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/reliability.h"
#include "evaluate/sort.h"

static void free_items(bf_sort_item **items)
{
    bf_free(*items);
}

static const bf_scores *table_of(const bf_pairs *pairs, int table)
{
    return table == 0 ? &pairs->a : &pairs->b;
}

static void add_row(bf_bench_cell *cell, int table, const bf_score_row *row)
{
    cell->silent[table] += row->status != BF_SCORE_OK;
    if (isnan(row->probability))
        return;
    double right = row->kind > 0 ? 1 - row->probability : row->probability;
    cell->stated[table]++;
    cell->square[table] += (1 - right) * (1 - right);
    cell->logarithm[table] -= log(fmax(right, BF_PROBABILITY_LEAST));
}

static bf_status build_cells(bf_bench *bench, bf_error *err)
{
    const bf_scores *a = &bench->pairs->a, *b = &bench->pairs->b;
    BF_CLEANUP(free_items) bf_sort_item *items = bf_malloc((a->count + 1) * sizeof *items);
    if (!items)
        return bf_fail_memory(err);
    for (size_t i = 0; i < a->count; i++)
        items[i] = (bf_sort_item){.key = (uint64_t)a->row[i].person << 16 | a->row[i].kind, .index = (uint32_t)i};
    bf_status status = bf_sort(items, a->count, err);
    if (status != BF_OK)
        return status;
    size_t cells = 0;
    for (size_t i = 0; i < a->count; i++)
        cells += i == 0 || items[i].key != items[i - 1].key;
    bench->cell = bf_calloc(cells + 1, sizeof *bench->cell);
    if (!bench->cell)
        return bf_fail_memory(err);
    for (size_t i = 0; i < a->count; i++) {
        const bf_score_row *row = &a->row[items[i].index];
        if (i == 0 || items[i].key != items[i - 1].key)
            bench->cell[bench->cells++] = (bf_bench_cell){.person = row->person, .kind = row->kind};
        bf_bench_cell *cell = &bench->cell[bench->cells - 1];
        cell->presentations++;
        add_row(cell, 0, row);
        add_row(cell, 1, &b->row[items[i].index]);
    }
    return BF_OK;
}

static bf_status build_times(bf_bench_times *ret, const bf_scores *scores, const char *stage, bf_error *err)
{
    size_t s = 0;
    while (s < scores->stages && strcmp(scores->stage[s], stage) != 0)
        s++;
    if (s == scores->stages)
        return BF_OK;
    BF_CLEANUP(free_items) bf_sort_item *items = bf_malloc((scores->count + 1) * sizeof *items);
    ret->time = bf_malloc((scores->count + 1) * sizeof *ret->time);
    if (!items || !ret->time)
        return bf_fail_memory(err);
    ret->of_person = bf_calloc(scores->persons + 1, sizeof *ret->of_person);
    if (!ret->of_person)
        return bf_fail_memory(err);
    size_t count = 0;
    for (size_t i = 0; i < scores->count; i++) {
        float ms = scores->stage_ms[i * scores->stages + s];
        if (!isnan(ms))
            items[count++] = (bf_sort_item){.key = ~bf_sort_key(ms), .index = (uint32_t)i};
    }
    bf_status status = bf_sort(items, count, err);
    for (size_t i = 0; status == BF_OK && i < count; i++) {
        ret->time[i] = (bf_bench_time){.ms = scores->stage_ms[items[i].index * scores->stages + s],
                                       .person = scores->row[items[i].index].person};
        ret->of_person[ret->time[i].person]++;
    }
    ret->count = count;
    return status;
}

bool bf_bench_needs_whole(bf_metric_kind kind)
{
    switch (kind) {
    case BF_METRIC_MAX_APCER:
    case BF_METRIC_APCER:
    case BF_METRIC_BPCER:
    case BF_METRIC_APNRR:
    case BF_METRIC_BPNRR:
    case BF_METRIC_CLLR:
    case BF_METRIC_BRIER:
        return false;
    default:
        return true;
    }
}

bf_status bf_bench_start(bf_bench *ret, const bf_pairs *pairs, const bf_metric *metrics, size_t count,
                         const double threshold[BF_BENCH_TABLES], const bool *beside, bf_error *err)
{
    bf_bench bench = {.pairs = pairs, .metric = metrics, .metrics = count};
    bf_status status = BF_OK;
    bench.times = bf_calloc(count + 1, sizeof *bench.times);
    if (!bench.times)
        return bf_fail_memory(err);
    for (int t = 0; status == BF_OK && t < BF_BENCH_TABLES; t++)
        status = bf_curve_build(&bench.curve[t], table_of(pairs, t), beside, threshold[t], err);
    if (status == BF_OK)
        status = build_cells(&bench, err);
    for (size_t m = 0; status == BF_OK && m < count; m++) {
        bench.whole = bench.whole || bf_bench_needs_whole(metrics[m].kind);
        for (int t = 0; status == BF_OK && bf_metric_unit_of(metrics[m].kind) == BF_UNIT_MS && t < BF_BENCH_TABLES; t++)
            status = build_times(&bench.times[m][t], table_of(pairs, t), metrics[m].of, err);
    }
    if (status != BF_OK) {
        bf_bench_done(&bench);
        return status;
    }
    *ret = bench;
    return BF_OK;
}

void bf_bench_done(bf_bench *bench)
{
    for (int t = 0; t < BF_BENCH_TABLES; t++) {
        bf_curve_done(&bench->curve[t]);
        for (size_t m = 0; bench->times && m < bench->metrics; m++) {
            bf_free(bench->times[m][t].time);
            bf_free(bench->times[m][t].of_person);
        }
    }
    bf_free(bench->cell);
    bf_free(bench->times);
    *bench = (bf_bench){0};
}

typedef struct sums {
    double bpnrr, apnrr, cllr, brier;
} sums;

static double ratio(double part, double all)
{
    return all > 0 ? part / all : (double)NAN;
}

static sums add_up(const bf_bench *bench, int t, const uint32_t *weight)
{
    uint64_t presented[BF_KINDS_MAX] = {0}, silent[BF_KINDS_MAX] = {0};
    double stated[2] = {0}, square[2] = {0}, logarithm[2] = {0};
    for (size_t i = 0; i < bench->cells; i++) {
        const bf_bench_cell *cell = &bench->cell[i];
        uint32_t times = weight ? weight[cell->person] : 1;
        if (times == 0 || bench->curve[t].beside[cell->kind])
            continue;
        int attack = cell->kind > 0;
        presented[cell->kind] += (uint64_t)times * cell->presentations;
        silent[cell->kind] += (uint64_t)times * cell->silent[t];
        stated[attack] += (double)times * cell->stated[t];
        square[attack] += times * cell->square[t];
        logarithm[attack] += times * cell->logarithm[t];
    }
    sums sum = {.bpnrr = ratio((double)silent[0], (double)presented[0]), .apnrr = NAN};
    for (size_t k = 1; k < bench->curve[t].kinds; k++)
        sum.apnrr = fmax(sum.apnrr, ratio((double)silent[k], (double)presented[k]));
    sum.brier = (ratio(square[0], stated[0]) + ratio(square[1], stated[1])) / 2;
    sum.cllr = (ratio(logarithm[0], stated[0]) + ratio(logarithm[1], stated[1])) / 2 / log(2);
    return sum;
}

/* By nearest rank, counted from the longest: high percentiles are what is asked for. */
static double percentile(const bf_bench_times *times, size_t persons, const uint32_t *weight, double p)
{
    uint64_t all = 0, longer = 0;
    for (size_t i = 0; times->count > 0 && i < persons; i++)
        all += (uint64_t)(weight ? weight[i] : 1) * times->of_person[i];
    uint64_t beyond = all - (uint64_t)ceil(p * (double)all);
    for (size_t i = 0; i < times->count && all > 0; i++) {
        longer += weight ? weight[times->time[i].person] : 1;
        if (longer > beyond)
            return round((double)times->time[i].ms * 1000) / 1000;
    }
    return NAN;
}

static double figure_of(const bf_bench *bench, size_t m, int t, const uint32_t *weight, const bf_curve_figures *f,
                        const sums *sum)
{
    const bf_metric *metric = &bench->metric[m];
    switch (metric->kind) {
    case BF_METRIC_MAX_APCER:
        return f->max_apcer;
    case BF_METRIC_APCER:
        return f->apcer[metric->species];
    case BF_METRIC_BPCER:
        return f->bpcer;
    case BF_METRIC_BPCER10:
        return f->bpcer_at[0].rate;
    case BF_METRIC_BPCER20:
        return f->bpcer_at[1].rate;
    case BF_METRIC_BPCER100:
        return f->bpcer_at[2].rate;
    case BF_METRIC_APCER_AT:
        return f->apcer_at.rate;
    case BF_METRIC_EER:
        return f->eer;
    case BF_METRIC_AUC:
        return f->auc;
    case BF_METRIC_APNRR:
        return sum->apnrr;
    case BF_METRIC_BPNRR:
        return sum->bpnrr;
    case BF_METRIC_CLLR:
        return sum->cllr;
    case BF_METRIC_BRIER:
        return sum->brier;
    case BF_METRIC_LATENCY_P50:
        return percentile(&bench->times[m][t], bench->pairs->a.persons, weight, 0.5);
    case BF_METRIC_LATENCY_P95:
        return percentile(&bench->times[m][t], bench->pairs->a.persons, weight, 0.95);
    case BF_METRIC_LATENCY_P99:
        return percentile(&bench->times[m][t], bench->pairs->a.persons, weight, 0.99);
    case BF_METRIC_KINDS:
        break;
    }
    return NAN;
}

void bf_bench_measure(const bf_bench *bench, int table, const uint32_t *weight, bool whole, double *ret,
                      bf_curve_figures *ret_figures)
{
    bf_curve_figures figures;
    bool measured = bf_curve_measure(&bench->curve[table], weight, whole && bench->whole, &figures);
    sums sum = add_up(bench, table, weight);
    for (size_t m = 0; m < bench->metrics; m++) {
        bool needs_whole = bf_bench_needs_whole(bench->metric[m].kind);
        bool known = measured || bf_metric_unit_of(bench->metric[m].kind) == BF_UNIT_MS;
        ret[m] = !needs_whole || (whole && known) ? figure_of(bench, m, table, weight, &figures, &sum) : (double)NAN;
    }
    if (ret_figures)
        *ret_figures = figures;
}
