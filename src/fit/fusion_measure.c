/* How good held-out ratios are, and whether one way of fusing is better than another by more than chance. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/parallel.h"
#include "fit/fusion_model.h"

/* What one person's rows of one class cost. */
typedef struct person_cost {
    double sum[2], count[2]; /* bona fide, attacks of the headline */
} person_cost;

/* Ratios as a table that error rates can be taken from. */
typedef struct measured {
    bf_scores scores;  /* borrows all but its rows */
    person_cost *cost; /* by person: nats that its ratios cost, over the rows that count */
    bf_curve curve;
} measured;

static void measured_done(measured *m)
{
    bf_free(m->scores.row);
    bf_free(m->cost);
    bf_curve_done(&m->curve);
}

static double log_odds(double probability)
{
    return log(probability / (1 - probability));
}

/* Beyond e^700 a threshold of 0 or 100 is infinite, which is what it means. */
static double threshold_llr(const bf_fusion_fit *fit)
{
    return log_odds(fit->options.threshold / BF_SCORE_TOP) - log_odds(fit->live_prior);
}

static bf_status start(measured *m, const bf_fusion_fit *fit, const double *llr, const bool *common, bf_error *err)
{
    const bf_scores *scores = &fit->table->scores;
    m->scores = *scores;
    m->scores.row = bf_malloc((scores->count + 1) * sizeof *m->scores.row);
    m->cost = bf_calloc(scores->persons + 1, sizeof *m->cost);
    if (!m->scores.row || !m->cost)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        m->scores.row[i] = scores->row[i];
        m->scores.row[i].score = llr[i];
        m->scores.row[i].status = common[i] ? BF_SCORE_OK : BF_SCORE_COULD_NOT_JUDGE;
        uint16_t kind = scores->row[i].kind;
        if (!common[i] || (kind > 0 && fit->beside[kind - 1]))
            continue;
        double wrong = kind == 0 ? -llr[i] : llr[i];
        person_cost *cost = &m->cost[scores->row[i].person];
        cost->sum[kind > 0] += fmax(wrong, 0) + log1p(exp(-fabs(wrong)));
        cost->count[kind > 0]++;
    }
    return bf_curve_build(&m->curve, &m->scores, fit->beside, threshold_llr(fit), err);
}

/* What a confident mistake costs, in bits, both classes weighing the same: 0 is perfect, 1 is knowing nothing. After
 * N. Bruemmer and J. du Preez, "Application-independent evaluation of speaker detection" (2006). */
static double cllr_of(const measured *m, const uint32_t *weight)
{
    double sum[2] = {0}, count[2] = {0};
    for (size_t p = 0; p < m->scores.persons; p++) {
        for (int attack = 0; attack < 2; attack++) {
            double times = weight ? weight[p] : 1;
            sum[attack] += times * m->cost[p].sum[attack];
            count[attack] += times * m->cost[p].count[attack];
        }
    }
    return (sum[0] / count[0] + sum[1] / count[1]) / 2 / log(2);
}

static void measure_values(const measured *m, const uint32_t *weight, double ret[BF_MEASURED])
{
    bf_curve_figures figures;
    bool good = bf_curve_measure(&m->curve, weight, true, &figures);
    ret[BF_MEASURED_CLLR] = good ? cllr_of(m, weight) : NAN;
    ret[BF_MEASURED_AUC] = good ? figures.auc : NAN;
    ret[BF_MEASURED_EER] = good ? figures.eer : NAN;
    for (size_t i = 0; i < BF_TARGETS; i++)
        ret[BF_MEASURED_BPCER10 + i] = good ? figures.bpcer_at[i].rate : NAN;
}

static void measure_rates(const measured *m, bf_fusion_figures *ret)
{
    uint64_t responses[BF_KINDS_MAX] = {0}, accepted[BF_KINDS_MAX] = {0};
    for (size_t i = 0; i < m->curve.cells; i++) {
        responses[m->curve.cell[i].kind] += m->curve.cell[i].responses;
        accepted[m->curve.cell[i].kind] += m->curve.cell[i].accepted;
    }
    ret->worst_kind = 0;
    for (size_t k = 0; k < m->curve.kinds; k++) {
        ret->error[k] = bf_rate_of(k == 0 ? responses[0] - accepted[0] : accepted[k], responses[k]);
        if (k == 0 || m->curve.beside[k] || responses[k] == 0)
            continue;
        if (ret->worst_kind == 0 || ret->error[k].value > ret->error[ret->worst_kind].value)
            ret->worst_kind = (uint16_t)k;
    }
}

/* Runs that are measured together. */
typedef struct comparison {
    const bf_fusion_fit *fit;
    const bf_fusion_run *run;
    size_t runs, reference, replicates, rows;
    bool *common;
    measured *measured;
    double *drawn;     /* run x measure x replicate */
    bf_random *random; /* by replicate: where its draw begins, so that threads draw what one would have */
} comparison;

static void comparison_done(comparison *c)
{
    for (size_t r = 0; c->measured && r < c->runs; r++)
        measured_done(&c->measured[r]);
    bf_free(c->measured);
    bf_free(c->common);
    bf_free(c->drawn);
    bf_free(c->random);
}

static bf_status find_common(comparison *c, bf_error *err)
{
    size_t rows = c->fit->table->scores.count;
    c->common = bf_calloc(rows + 1, sizeof *c->common);
    c->measured = bf_calloc(c->runs, sizeof *c->measured);
    if (!c->common || !c->measured)
        return bf_fail_memory(err);
    for (size_t i = 0; i < rows; i++) {
        c->common[i] = true;
        for (size_t r = 0; r < c->runs; r++) {
            c->run[r].ret->judged += (size_t)!isnan(c->run[r].llr[i]);
            c->common[i] = c->common[i] && !isnan(c->run[r].llr[i]);
        }
        c->rows += c->common[i];
    }
    return BF_OK;
}

static bf_status measure_each(comparison *c, bf_error *err)
{
    bf_status status = BF_OK;
    for (size_t r = 0; r < c->runs && status == BF_OK; r++) {
        status = start(&c->measured[r], c->fit, c->run[r].llr, c->common, err);
        if (status != BF_OK)
            break;
        measure_values(&c->measured[r], NULL, c->run[r].ret->value);
        measure_rates(&c->measured[r], c->run[r].ret);
    }
    return status;
}

static double *drawn_of(const comparison *c, size_t run, size_t measure)
{
    return c->drawn + (run * BF_MEASURED + measure) * c->replicates;
}

static bf_status draw_start(void *data, void **ret_state, bf_error *err)
{
    const comparison *c = data;
    const bf_curve *curve = &c->measured[0].curve;
    bf_draw *persons = bf_calloc(1, sizeof *persons);
    *ret_state = persons;
    if (!persons)
        return bf_fail_memory(err);
    bf_status status = bf_draw_start(persons, curve->persons, c->fit->options.seed, err);
    for (size_t i = 0; status == BF_OK && i < curve->cells; i++) {
        if (i == 0 || curve->cell[i].person != curve->cell[i - 1].person)
            persons->drawn[persons->drawn_count++] = curve->cell[i].person;
    }
    return status;
}

static void draw_stop(void *state)
{
    bf_draw *persons = state;
    if (persons)
        bf_draw_done(persons);
    bf_free(persons);
}

static bf_status draw_once(void *data, void *state, size_t at, bf_error *err)
{
    comparison *c = data;
    bf_draw *persons = state;
    (void)err;
    persons->random = c->random[at];
    bf_draw_next(persons);
    for (size_t r = 0; r < c->runs; r++) {
        double values[BF_MEASURED];
        measure_values(&c->measured[r], persons->weight, values);
        for (size_t m = 0; m < BF_MEASURED; m++)
            drawn_of(c, r, m)[at] = values[m];
    }
    return BF_OK;
}

static bf_status draw(comparison *c, bf_error *err)
{
    void *state = NULL;
    c->random = bf_malloc((c->replicates + 1) * sizeof *c->random);
    bf_status status = c->random ? draw_start(c, &state, err) : bf_fail_memory(err);
    bf_draw *persons = state;
    size_t from = status == BF_OK ? persons->drawn_count : 0;
    for (size_t at = 0; from > 1 && at < c->replicates; at++) {
        c->random[at] = persons->random;
        bf_draw_next(persons);
    }
    draw_stop(state);
    const bf_parallel parallel = {.count = c->replicates,
                                  .jobs = c->fit->options.jobs,
                                  .data = c,
                                  .start = draw_start,
                                  .stop = draw_stop,
                                  .work = draw_once};
    return status == BF_OK && from > 1 ? bf_parallel_run(&parallel, NULL, err) : status;
}

/* Differences first, because finding a span reorders the values. */
static void take_spans(comparison *c)
{
    const bf_fusion_figures *of = c->run[c->reference].ret;
    for (size_t r = 0; r < c->runs; r++) {
        for (size_t m = 0; m < BF_MEASURED; m++) {
            double *more = drawn_of(c, c->runs, 0), *own = drawn_of(c, r, m), *other = drawn_of(c, c->reference, m);
            for (size_t i = 0; i < c->replicates; i++)
                more[i] = own[i] - other[i];
            c->run[r].ret->more[m] = c->run[r].ret->value[m] - of->value[m];
            c->run[r].ret->more_span[m] = bf_span_of(more, c->replicates, BF_CONFIDENCE);
        }
    }
    for (size_t r = 0; r < c->runs; r++) {
        for (size_t m = 0; m < BF_MEASURED; m++)
            c->run[r].ret->span[m] = bf_span_of(drawn_of(c, r, m), c->replicates, BF_CONFIDENCE);
    }
}

bf_status bf_fusion_measure_runs(const bf_fusion_fit *fit, const bf_fusion_run *run, size_t runs, size_t reference,
                                 size_t *ret_rows, size_t *ret_replicates, bf_error *err)
{
    BF_CLEANUP(comparison_done) comparison c = {.fit = fit, .run = run, .runs = runs, .reference = reference};
    for (size_t r = 0; r < runs; r++)
        *run[r].ret = (bf_fusion_figures){0};
    bf_status status = find_common(&c, err);
    if (status == BF_OK)
        status = measure_each(&c, err);
    if (ret_rows)
        *ret_rows = c.rows;
    if (status != BF_OK || reference >= runs)
        return status;
    c.replicates = bf_replicates_affordable(fit->options.replicates, BF_WHOLE_WORK, 2 * runs * c.rows, BF_WHOLE_MIN);
    c.drawn = bf_malloc((runs + 1) * BF_MEASURED * c.replicates * sizeof *c.drawn);
    if (!c.drawn)
        return bf_fail_memory(err);
    for (size_t i = 0; i < (runs + 1) * BF_MEASURED * c.replicates; i++)
        c.drawn[i] = NAN;
    status = draw(&c, err);
    if (status != BF_OK)
        return status;
    take_spans(&c);
    if (ret_replicates)
        *ret_replicates = c.replicates;
    return BF_OK;
}

bf_status bf_fusion_measure_plain(const bf_fusion_fit *fit, const double *llr, double *ret_cllr, double *ret_auc,
                                  bf_error *err)
{
    bf_fusion_figures figures = {0};
    const bf_fusion_run run = {llr, &figures};
    BF_CLEANUP(comparison_done) comparison c = {.fit = fit, .run = &run, .runs = 1};
    bf_status status = find_common(&c, err);
    if (status == BF_OK)
        status = measure_each(&c, err);
    *ret_cllr = figures.value[BF_MEASURED_CLLR];
    *ret_auc = figures.value[BF_MEASURED_AUC];
    return status;
}
