/* One fusion model: its configurations, fitted. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "fit/fusion_model.h"
#include "fit/logistic.h"

/* Penalties on squares of standardised coefficients. Weights shrink towards one common weight rather than to zero: the
 * ratios between detectors are what a small table of few cameras knows least about. */
#define RIDGE_COMMON 3.0
#define RIDGE_DEVIATION 300.0
#define WEIGHT_LEAST 0.01
#define WEIGHT_MOST 4.0
#define COPIES 2 /* of each row for trees: as it is, and with evidence left out at random */

/* Rows and numbers that one configuration is fitted to. */
typedef struct gathered {
    double *x, *target, *weight;
    bool *use;
    size_t rows, columns;
} gathered;

static void gathered_done(gathered *g)
{
    bf_free(g->x);
    bf_free(g->target);
    bf_free(g->weight);
    bf_free(g->use);
}

uint32_t bf_fusion_all(const bf_fusion_set *set)
{
    return (uint32_t)((UINT64_C(1) << set->count) - 1);
}

static bool has(uint32_t bits, size_t detector)
{
    return (bits >> detector & 1) != 0;
}

static size_t count_bits(uint32_t bits)
{
    return (size_t)__builtin_popcount(bits);
}

/* Those that a configuration may need. */
static uint32_t neededs(const bf_fusion_set *set, uint32_t heard)
{
    for (size_t d = 0; d < set->count; d++) {
        if (set->detector[d].against)
            heard &= ~(UINT32_C(1) << d);
    }
    return heard;
}

static uint32_t alones(const bf_fusion_set *set, uint32_t heard)
{
    uint32_t ret = 0;
    for (size_t d = 0; d < set->count; d++) {
        if (has(heard, d) && set->detector[d].alone)
            ret |= UINT32_C(1) << d;
    }
    return ret;
}

bool bf_fusion_can_judge(const bf_fusion_set *set, uint32_t heard)
{
    return alones(set, heard) != 0;
}

/* Chooses the rows of `use` in which everything needed is present, and weighs them; false when a class is missing. */
static bf_status choose_rows(const bf_fusion_set *set, const bool *use, uint32_t needs, gathered *g, bool *ret_both,
                             bf_error *err)
{
    const bf_scores *scores = &set->table->scores;
    size_t classes[2] = {0};
    g->use = bf_calloc(scores->count + 1, sizeof *g->use);
    g->weight = bf_calloc(scores->count + 1, sizeof *g->weight);
    if (!g->use || !g->weight)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        g->use[i] = use[i];
        for (size_t d = 0; d < set->count && g->use[i]; d++)
            g->use[i] = !has(needs, d) || !isnan(set->llr[i * set->count + d]);
        g->rows += g->use[i];
        classes[scores->row[i].kind > 0] += g->use[i];
    }
    *ret_both = classes[0] > 0 && classes[1] > 0;
    return bf_fit_weights(set->table, g->use, g->weight, err);
}

/* The columns of a row: all there is to each method. */
static void fill_columns(bf_fusing method, const double *llr, uint32_t needs, double *x)
{
    double sum = 0, least = INFINITY;
    size_t at = 1;
    for (size_t d = 0; needs >> d != 0; d++) {
        if (!has(needs, d))
            continue;
        sum += llr[d];
        least = fmin(least, llr[d]);
        if (method == BF_FUSING_LOGISTIC)
            x[at++] = llr[d];
    }
    x[0] = method == BF_FUSING_MINIMUM ? least : sum;
}

static bf_status gather(const bf_fusion_task *task, uint32_t needs, gathered *g, bf_error *err)
{
    const bf_fusion_set *set = task->set;
    size_t at = 0;
    g->columns = task->method == BF_FUSING_LOGISTIC ? 1 + count_bits(needs) : 1;
    g->x = bf_malloc((g->rows * g->columns + 1) * sizeof *g->x);
    g->target = bf_malloc((g->rows + 1) * sizeof *g->target);
    if (!g->x || !g->target)
        return bf_fail_memory(err);
    for (size_t i = 0; i < set->table->scores.count; i++) {
        if (!g->use[i])
            continue;
        fill_columns(task->method, set->llr + i * set->count, needs, g->x + at * g->columns);
        g->target[at] = set->table->scores.row[i].kind == 0 ? 1 : 0;
        g->weight[at++] = g->weight[i];
    }
    return BF_OK;
}

/* What speaks only against gets the mean weight and no part in the bias, so that its silence neither lifts nor
 * lowers. */
static void take_weights(const bf_fusion_set *set, uint32_t heard, const bf_logistic *fitted, bf_fusion_part *part)
{
    double sum = 0;
    size_t at = 1;
    for (size_t d = 0; d < set->count; d++) {
        if (!has(part->needs, d))
            continue;
        part->weight[d] = fitted->coefficient[0] + fitted->coefficient[at++];
        part->weight[d] = fmin(fmax(part->weight[d], WEIGHT_LEAST), WEIGHT_MOST);
        sum += part->weight[d];
    }
    for (size_t d = 0; d < set->count; d++) {
        if (has(heard, d) && set->detector[d].against)
            part->weight[d] = sum / (double)count_bits(part->needs);
    }
    part->bias = fitted->intercept;
}

static bf_status fit_weights(const bf_fusion_task *task, gathered *g, bf_fusion_part *part, bf_error *err)
{
    bf_logistic fitted;
    bf_logistic_options options = bf_logistic_ridge(RIDGE_DEVIATION);
    bf_status status = gather(task, part->needs, g, err);
    if (status != BF_OK)
        return status;
    const bf_logistic_data data = {
        .x = g->x, .target = g->target, .weight = g->weight, .rows = g->rows, .columns = g->columns};
    options.ridge[0] = RIDGE_COMMON;
    status = bf_logistic_fit(&fitted, &data, &options, err);
    if (status == BF_OK)
        take_weights(task->set, task->heard, &fitted, part);
    return status;
}

/* The rows of a configuration as XGBoost takes them. */
typedef struct boost_rows {
    float *x, *target, *weight;
    size_t rows;
} boost_rows;

static void boost_rows_done(boost_rows *b)
{
    bf_free(b->x);
    bf_free(b->target);
    bf_free(b->weight);
}

/* What speaks only against says nothing when it is absent: 0, as much as it ever says for a bona fide presentation. */
static void put_row(const bf_fusion_task *task, uint32_t needs, size_t row, bool leave_out, bf_random *random,
                    float *ret)
{
    const bf_fusion_set *set = task->set;
    for (size_t d = 0; d < set->count; d++) {
        double llr = has(task->heard, d) ? set->llr[row * set->count + d] : NAN;
        bool out = bf_random_below(random, 2) == 0 && leave_out && !has(needs, d);
        bool silent = out || isnan(llr);
        if (set->detector[d].against)
            ret[d] = silent ? 0 : (float)fmin(llr, 0);
        else
            ret[d] = silent ? NAN : (float)llr;
    }
}

/* With `copies`, a second copy of each row lacks each detector that is not needed by the toss of a coin: so trees are
 * also fitted to what they will see when a detector fails. */
static bf_status put_rows(const bf_fusion_task *task, const gathered *g, uint32_t needs, const bool *with, bool wanted,
                          size_t copies, boost_rows *ret, bf_error *err)
{
    const bf_fusion_set *set = task->set;
    bf_random random = {set->seed};
    size_t most = g->rows * copies + 1;
    ret->x = bf_malloc(most * set->count * sizeof *ret->x);
    ret->target = bf_malloc(most * sizeof *ret->target);
    ret->weight = bf_malloc(most * sizeof *ret->weight);
    if (!ret->x || !ret->target || !ret->weight)
        return bf_fail_memory(err);
    for (size_t i = 0; i < set->table->scores.count; i++) {
        if (!g->use[i] || (with && with[i] != wanted))
            continue;
        for (size_t copy = 0; copy < copies; copy++) {
            put_row(task, needs, i, copy > 0, &random, ret->x + ret->rows * set->count);
            ret->target[ret->rows] = set->table->scores.row[i].kind == 0 ? 1 : 0;
            ret->weight[ret->rows++] = (float)(g->weight[i] / (double)copies);
        }
    }
    return BF_OK;
}

static bf_status boost_part(const bf_fusion_task *task, const gathered *g, size_t trees, bool checked,
                            bf_fusion_part *part, bf_error *err)
{
    BF_CLEANUP(boost_rows_done) boost_rows rows = {0}, held = {0};
    bf_status status = put_rows(task, g, part->needs, checked ? task->check : NULL, false, COPIES, &rows, err);
    if (status == BF_OK && checked)
        status = put_rows(task, g, part->needs, task->check, true, COPIES, &held, err);
    if (status != BF_OK)
        return status;
    const bf_boost_data data = {rows.x, rows.target, rows.weight, rows.rows, task->set->count};
    const bf_boost_data check = {held.x, held.target, held.weight, held.rows, task->set->count};
    return bf_boost_fit(part->boost, &data, checked && held.rows > 0 ? &check : NULL, trees, err);
}

/* First with some persons held back, to find how many trees are enough, then with all. */
static bf_status fit_boost(const bf_fusion_task *task, const gathered *g, bf_fusion_part *part, bf_error *err)
{
    size_t trees = task->trees;
    bf_status status = BF_OK;
    part->boost = bf_calloc(1, sizeof *part->boost);
    if (!part->boost)
        return bf_fail_memory(err);
    if (task->check) {
        status = boost_part(task, g, BF_BOOST_ROUNDS_MAX, true, part, err);
        trees = part->boost->trees;
    }
    return status == BF_OK ? boost_part(task, g, trees, false, part, err) : status;
}

static bf_status fit_part(const bf_fusion_task *task, uint32_t needs, bf_fusion_model *model, bf_error *err)
{
    BF_CLEANUP(gathered_done) gathered g = {0};
    bool both = false;
    for (size_t p = 0; p < model->parts; p++) {
        if (model->part[p].needs == needs)
            return BF_OK;
    }
    bf_status status = choose_rows(task->set, task->use, needs, &g, &both, err);
    if (status != BF_OK || !both || model->parts == BF_FUSION_CONFIGURATIONS_MAX)
        return status;
    bf_fusion_part *part = &model->part[model->parts];
    part->needs = needs;
    status = task->method == BF_FUSING_TREES ? fit_boost(task, &g, part, err) : fit_weights(task, &g, part, err);
    if (status != BF_OK)
        return status;
    if (model->parts++ == 0 && part->boost)
        model->trees = part->boost->trees;
    return BF_OK;
}

/* Trees know what to do without what they do not need; weights are fitted anew for each that may be missing. */
static bf_status fit_parts(const bf_fusion_task *task, bf_fusion_model *model, bf_error *err)
{
    const bf_fusion_set *set = task->set;
    uint32_t all = neededs(set, task->heard), alone = alones(set, task->heard);
    bf_status status = BF_OK;
    if (task->method != BF_FUSING_TREES) {
        status = fit_part(task, all, model, err);
        for (size_t d = 0; d < set->count && status == BF_OK; d++) {
            uint32_t rest = all & ~(UINT32_C(1) << d);
            if (has(all, d) && alones(set, rest) != 0)
                status = fit_part(task, rest, model, err);
        }
    }
    for (size_t d = 0; d < set->count && status == BF_OK; d++) {
        if (has(alone, d))
            status = fit_part(task, UINT32_C(1) << d, model, err);
    }
    return status;
}

bf_status bf_fusion_model_fit(bf_fusion_model *ret, const bf_fusion_task *task, bf_error *err)
{
    bf_fusion_model model = {.method = task->method, .heard = task->heard};
    bf_status status = fit_parts(task, &model, err);
    if (status == BF_OK && model.parts == 0)
        status = bf_fail(err, BF_INVALID_ARGUMENT,
                         "No fusion can be fitted: no detector has evidence of both bona fide and attacks.");
    if (status != BF_OK) {
        bf_fusion_model_done(&model);
        return status;
    }
    *ret = model;
    return BF_OK;
}

void bf_fusion_model_done(bf_fusion_model *model)
{
    for (size_t p = 0; p < BF_FUSION_CONFIGURATIONS_MAX; p++)
        bf_free(model->part[p].boost);
    *model = (bf_fusion_model){0};
}
