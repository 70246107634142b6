#include "compare/contrast.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "compare/bench.h"
#include "dataset/parallel.h"

/* How a person fares with B: pairs that only B has wrong, less those that only A has. */
typedef struct standing {
    int32_t more_wrong;
    bool paired;
} standing;

typedef struct contrasting {
    bf_bench bench;
    const bf_contrast_options *options;
    double *figure[BF_BENCH_TABLES]; /* by metric, of everybody once */
    double *difference;              /* metric x replicate */
    size_t persons, replicates, whole;
    bf_curve_figures figures[BF_BENCH_TABLES]; /* of everybody once */
    standing *standing;                        /* by person; while one metric is looked at */
} contrasting;

static void contrasting_done(contrasting *c)
{
    bf_bench_done(&c->bench);
    for (int t = 0; t < BF_BENCH_TABLES; t++)
        bf_free(c->figure[t]);
    bf_free(c->difference);
    bf_free(c->standing);
}

static bool is_ok(const bf_score_row *row)
{
    return row->status == BF_SCORE_OK;
}

/* Whether the answer was wrong at this threshold. */
static bool is_wrong(const bf_score_row *row, double threshold)
{
    return (row->kind > 0) == (row->score >= threshold);
}

static void count_pair(bf_paired *paired, bool a_wrong, bool b_wrong)
{
    paired->pairs++;
    paired->worse += b_wrong && !a_wrong;
    paired->better += a_wrong && !b_wrong;
}

bf_paired bf_paired_errors(const bf_pairs *pairs, uint16_t kind, const double threshold[2])
{
    bf_paired paired = {0};
    for (size_t i = 0; i < pairs->a.count; i++) {
        const bf_score_row *a = &pairs->a.row[i], *b = &pairs->b.row[i];
        if (a->kind == kind && is_ok(a) && is_ok(b))
            count_pair(&paired, is_wrong(a, threshold[0]), is_wrong(b, threshold[1]));
    }
    return paired;
}

static bf_paired silent_pairs(const bf_pairs *pairs, uint16_t kind)
{
    bf_paired paired = {0};
    for (size_t i = 0; i < pairs->a.count; i++) {
        if (pairs->a.row[i].kind == kind)
            count_pair(&paired, !is_ok(&pairs->a.row[i]), !is_ok(&pairs->b.row[i]));
    }
    return paired;
}

/* The same for persons, each counted once however many pairs there are of them. */
static bf_paired count_heads(const contrasting *c, uint16_t kind, const double threshold[2], bool silent)
{
    const bf_pairs *pairs = c->bench.pairs;
    bf_paired heads = {0};
    memset(c->standing, 0, pairs->a.persons * sizeof *c->standing);
    for (size_t i = 0; i < pairs->a.count; i++) {
        const bf_score_row *a = &pairs->a.row[i], *b = &pairs->b.row[i];
        if (a->kind != kind || (!silent && (!is_ok(a) || !is_ok(b))))
            continue;
        standing *of = &c->standing[a->person];
        of->more_wrong += silent ? !is_ok(b) - !is_ok(a) : is_wrong(b, threshold[1]) - is_wrong(a, threshold[0]);
        of->paired = true;
    }
    for (size_t p = 0; p < pairs->a.persons; p++) {
        heads.pairs += c->standing[p].paired;
        heads.worse += c->standing[p].more_wrong > 0;
        heads.better += c->standing[p].more_wrong < 0;
    }
    return heads;
}

/* The species that B does worst on: most accepted at the threshold, or (`silent`) most without a response. Of equal
 * rates the one on fewer presentations is the less certain. 0 without attacks. */
static uint16_t worst_species(const bf_pairs *pairs, const bool *beside, double threshold, bool silent)
{
    uint64_t total[BF_KINDS_MAX] = {0}, bad[BF_KINDS_MAX] = {0};
    uint16_t worst = 0;
    double highest = -1;
    for (size_t i = 0; i < pairs->b.count; i++) {
        const bf_score_row *row = &pairs->b.row[i];
        total[row->kind] += silent || is_ok(row);
        bad[row->kind] += silent ? !is_ok(row) : is_ok(row) && row->score >= threshold;
    }
    for (size_t k = 1; k <= bf_names_count(&pairs->a.species); k++) {
        double rate = total[k] > 0 ? (double)bad[k] / (double)total[k] : -1;
        if (beside && beside[k - 1])
            continue;
        if (rate > highest || (rate >= highest && total[k] > 0 && total[k] < total[worst])) {
            worst = (uint16_t)k;
            highest = rate;
        }
    }
    return worst;
}

static double threshold_of(const contrasting *c, bf_metric_kind kind, int t)
{
    switch (kind) {
    case BF_METRIC_MAX_APCER:
    case BF_METRIC_APCER:
    case BF_METRIC_BPCER:
        return c->options->threshold[t];
    case BF_METRIC_BPCER10:
        return c->figures[t].bpcer_at[0].threshold;
    case BF_METRIC_BPCER20:
        return c->figures[t].bpcer_at[1].threshold;
    case BF_METRIC_BPCER100:
        return c->figures[t].bpcer_at[2].threshold;
    case BF_METRIC_APCER_AT:
        return c->figures[t].apcer_at.threshold;
    default:
        return NAN;
    }
}

/* Counts the pairs behind a rate; the others have none. */
static void pair_up(const contrasting *c, const bf_metric *metric, bf_contrast *ret)
{
    const bf_pairs *pairs = c->bench.pairs;
    bool silent = metric->kind == BF_METRIC_APNRR || metric->kind == BF_METRIC_BPNRR;
    for (int t = 0; t < BF_BENCH_TABLES; t++)
        ret->threshold[t] = threshold_of(c, metric->kind, t);
    if (isnan(ret->difference) || (isnan(ret->threshold[0]) && !silent))
        return;
    if (metric->kind == BF_METRIC_APCER)
        ret->kind = metric->species;
    else if (metric->kind == BF_METRIC_MAX_APCER || metric->kind == BF_METRIC_APCER_AT ||
             metric->kind == BF_METRIC_APNRR)
        ret->kind = worst_species(pairs, c->options->beside, ret->threshold[1], silent);
    ret->paired = silent ? silent_pairs(pairs, ret->kind) : bf_paired_errors(pairs, ret->kind, ret->threshold);
    ret->by_head = count_heads(c, ret->kind, ret->threshold, silent);
    ret->by_pair = bf_paired_interval(&ret->paired, c->options->confidence);
    /* A threshold that depends on the scores is uncertain itself, which McNemar's test does not know. */
    if (silent || !bf_bench_needs_whole(metric->kind))
        ret->mcnemar = bf_mcnemar(ret->paired.worse, ret->paired.better);
}

/* Persons with a presentation that counts for the metric, bona fide or attack. */
static size_t persons_with(const contrasting *c, const bf_metric *metric, bool attacks)
{
    bool silent = metric->kind == BF_METRIC_APNRR || metric->kind == BF_METRIC_BPNRR;
    size_t count = 0, last = SIZE_MAX;
    for (size_t i = 0; i < c->bench.cells; i++) {
        const bf_bench_cell *cell = &c->bench.cell[i];
        bool answered = cell->silent[0] < cell->presentations && cell->silent[1] < cell->presentations;
        bool meant = metric->species > 0 ? cell->kind == metric->species : !c->bench.curve[0].beside[cell->kind];
        if (cell->person == last || (cell->kind > 0) != attacks || !meant || (!answered && !silent))
            continue;
        count++;
        last = cell->person;
    }
    return count;
}

static size_t persons_behind(const contrasting *c, const bf_metric *metric)
{
    bool live = bf_metric_of_bona_fide(metric->kind), attacks = bf_metric_of_attacks(metric->kind);
    size_t count = c->persons;
    for (int which = 0; which < 2; which++) {
        size_t with = (which ? attacks : live) ? persons_with(c, metric, which) : count;
        count = with < count ? with : count;
    }
    return count;
}

/* What the figure stands on: presentations that both answered, or for the rates without a response all. */
static void count_basis(const bf_pairs *pairs, const bool *beside, const bf_metric *metric, bf_contrast *ret)
{
    uint64_t presented[BF_KINDS_MAX] = {0}, counted[BF_KINDS_MAX] = {0};
    bool silent = metric->kind == BF_METRIC_APNRR || metric->kind == BF_METRIC_BPNRR;
    uint16_t only = metric->species;
    for (size_t i = 0; i < pairs->a.count; i++) {
        uint16_t kind = pairs->a.row[i].kind;
        presented[kind]++;
        counted[kind] += silent || (is_ok(&pairs->a.row[i]) && is_ok(&pairs->b.row[i]));
    }
    ret->bona_fide = counted[0];
    for (size_t k = 1; k <= bf_names_count(&pairs->a.species); k++) {
        if (presented[k] == 0 || (only > 0 ? k != only : beside && beside[k - 1]) ||
            (ret->least_kind > 0 && counted[k] >= counted[ret->least_kind]))
            continue;
        ret->least_kind = (uint16_t)k;
        ret->attacks_least = counted[k];
    }
}

static bool is_new_person(const bf_bench *bench, size_t cell)
{
    return cell == 0 || bench->cell[cell].person != bench->cell[cell - 1].person;
}

static bf_status start(contrasting *c, bf_error *err)
{
    const bf_bench *bench = &c->bench;
    size_t metrics = bench->metrics, entries = bench->curve[0].entries + bench->curve[1].entries;
    size_t cells = bench->curve[0].cells + bench->curve[1].cells + 2 * bench->cells + bench->pairs->a.persons;
    for (size_t m = 0; m < metrics; m++)
        entries += (bench->times[m][0].count + bench->times[m][1].count) / BF_BENCH_TIMES_SEEN;
    c->replicates = bf_replicates_affordable(c->options->replicates, BF_RATES_WORK, cells, BF_RATES_MIN);
    c->whole = bench->whole ? bf_replicates_affordable(c->replicates, BF_WHOLE_WORK, entries, BF_WHOLE_MIN) : 0;
    c->difference = bf_malloc((metrics * c->replicates + 1) * sizeof *c->difference);
    for (int t = 0; t < BF_BENCH_TABLES; t++)
        c->figure[t] = bf_malloc((metrics + 1) * sizeof *c->figure[t]);
    c->standing = bf_malloc((bench->pairs->a.persons + 1) * sizeof *c->standing);
    for (size_t i = 0; i < bench->cells; i++)
        c->persons += is_new_person(bench, i);
    return c->standing && c->difference && c->figure[0] && c->figure[1] ? BF_OK : bf_fail_memory(err);
}

/* What one thread draws with. */
typedef struct drawing {
    bf_draw draw;
    double *figure[BF_BENCH_TABLES]; /* by metric */
} drawing;

static void drawing_free(void *state)
{
    drawing *d = state;
    bf_draw_done(&d->draw);
    for (int t = 0; t < BF_BENCH_TABLES; t++)
        bf_free(d->figure[t]);
    bf_free(d);
}

static bf_status drawing_start(void *data, void **ret_state, bf_error *err)
{
    const contrasting *c = data;
    const bf_bench *bench = &c->bench;
    drawing *d = bf_calloc(1, sizeof *d);
    *ret_state = d;
    if (!d)
        return bf_fail_memory(err);
    for (int t = 0; t < BF_BENCH_TABLES; t++) {
        if (!(d->figure[t] = bf_malloc((bench->metrics + 1) * sizeof *d->figure[t])))
            return bf_fail_memory(err);
    }
    bf_status status = bf_draw_start(&d->draw, bench->pairs->a.persons, 0, err);
    for (size_t i = 0; status == BF_OK && i < bench->cells; i++) {
        if (is_new_person(bench, i))
            d->draw.drawn[d->draw.drawn_count++] = bench->cell[i].person;
    }
    return status;
}

static bf_status draw_once(void *data, void *state, size_t at, bf_error *err)
{
    const contrasting *c = data;
    drawing *d = state;
    (void)err;
    bf_draw_number(&d->draw, c->options->seed, at);
    for (int t = 0; t < BF_BENCH_TABLES; t++)
        bf_bench_measure(&c->bench, t, d->draw.weight, at < c->whole, d->figure[t], NULL);
    for (size_t m = 0; m < c->bench.metrics; m++)
        c->difference[m * c->replicates + at] = d->figure[1][m] - d->figure[0][m];
    return BF_OK;
}

static bool show_draws(void *data, size_t done)
{
    const contrasting *c = data;
    if (c->options->progress)
        c->options->progress(c->options->context, done, c->replicates);
    return true;
}

static bf_status draw_all(contrasting *c, bf_error *err)
{
    const bf_parallel parallel = {.count = c->replicates,
                                  .jobs = c->options->jobs,
                                  .data = c,
                                  .start = drawing_start,
                                  .stop = drawing_free,
                                  .work = draw_once,
                                  .progress = show_draws};
    return c->persons >= 2 ? bf_parallel_run(&parallel, NULL, err) : BF_OK;
}

/* An interval without a width says that no draw could show a difference, not that there is none. Times are measured
 * in steps, so there it is one. */
static bf_span by_person(const contrasting *c, size_t m)
{
    bf_metric_unit unit = bf_metric_unit_of(c->bench.metric[m].kind);
    bf_span span = bf_span_of(c->difference + m * c->replicates, c->replicates, c->options->confidence);
    return span.low < span.high || unit == BF_UNIT_MS ? span : (bf_span){NAN, NAN};
}

static void conclude(contrasting *c, size_t m, bf_contrast *ret)
{
    const bf_metric *metric = &c->bench.metric[m];
    bf_contrast contrast = {.a = c->figure[0][m],
                            .b = c->figure[1][m],
                            .by_pair = {NAN, NAN},
                            .by_person = {NAN, NAN},
                            .mcnemar = NAN,
                            .persons = persons_behind(c, metric),
                            .drawn = c->persons};
    contrast.difference = contrast.b - contrast.a;
    pair_up(c, metric, &contrast);
    count_basis(c->bench.pairs, c->options->beside, metric, &contrast);
    *ret = contrast;
}

bf_status bf_contrast_run(bf_contrast *ret, const bf_pairs *pairs, const bf_metric *metrics, size_t count,
                          const bf_contrast_options *options, bf_error *err)
{
    BF_CLEANUP(contrasting_done) contrasting c = {.options = options};
    bf_status status = bf_bench_start(&c.bench, pairs, metrics, count, options->threshold, options->beside, err);
    if (status == BF_OK)
        status = start(&c, err);
    if (status != BF_OK)
        return status;
    for (int t = 0; t < BF_BENCH_TABLES; t++)
        bf_bench_measure(&c.bench, t, NULL, true, c.figure[t], &c.figures[t]);
    for (size_t m = 0; m < count; m++)
        conclude(&c, m, &ret[m]);
    status = draw_all(&c, err);
    for (size_t m = 0; status == BF_OK && m < count; m++) {
        bf_contrast *contrast = &ret[m];
        if (c.persons >= 2 && !isnan(contrast->difference)) {
            contrast->by_person = by_person(&c, m);
            contrast->replicates = bf_bench_needs_whole(metrics[m].kind) ? c.whole : c.replicates;
        }
        /* fmin and fmax take the other one where one is NaN. */
        contrast->interval.low = fmin(contrast->by_person.low, contrast->by_pair.low);
        contrast->interval.high = fmax(contrast->by_person.high, contrast->by_pair.high);
    }
    return status;
}
