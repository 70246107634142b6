/* Ratios of rows that were held out. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/parallel.h"
#include "fit/calibration.h"
#include "fit/fusion_model.h"

#define LIMIT_LEAST 0.01 /* a calibration's clamp holds 0 */

static void free_flags(bool **flags)
{
    bf_free(*flags);
}

#define TREES_UNCHECKED 16 /* with two folds nobody is left to say how many are enough */

typedef struct flags {
    bool *held, *use, *check;
} flags;

/* The rows that are held out, those that are fitted on, and those of them that say how many trees are enough. */
static void choose(const bf_fusion_cross *c, size_t fold, const flags *f)
{
    const bf_fusion_set *set = c->set;
    size_t checked = (fold + 1) % c->inner->count;
    for (size_t i = 0; i < set->table->scores.count; i++) {
        f->held[i] = c->folds->fold[i] == fold;
        f->use[i] = !f->held[i] && set->fitted[i];
        f->check[i] = f->use[i] && c->inner->fold[i] == checked;
    }
}

/* Calibrations of the detectors that have not seen the rows that a fold holds out, within the limits that the ratios in
 * the table keep. Each is fitted once, for every method. */
typedef struct recalibrating {
    const bf_fusion_set *set;
    const bf_folds *folds;
    bf_calibrating_options limits[BF_DETECTORS_MAX];
    bf_fusion_recalibrated *ret;
} recalibrating;

static void find_limits(recalibrating *w)
{
    const bf_fusion_set *set = w->set;
    for (size_t d = 0; d < set->count; d++)
        w->limits[d] = (bf_calibrating_options){.llr_min = -LIMIT_LEAST, .llr_max = LIMIT_LEAST};
    for (size_t i = 0; i < set->table->scores.count; i++) {
        for (size_t d = 0; d < set->count; d++) {
            w->limits[d].llr_min = fmin(w->limits[d].llr_min, set->llr[i * set->count + d]);
            w->limits[d].llr_max = fmax(w->limits[d].llr_max, set->llr[i * set->count + d]);
        }
    }
}

/* Where there is too little to fit on, ratios stay as they are. */
static bf_status recalibrate_one(void *data, void *state, size_t index, bf_error *err)
{
    (void)state;
    const recalibrating *w = data;
    const bf_fit_table *table = w->set->table;
    size_t fold = index / w->set->count, d = index % w->set->count;
    size_t column = (size_t)bf_fit_detector(table, w->set->detector[d].name);
    BF_CLEANUP(free_flags) bool *use = bf_calloc(table->scores.count + 1, sizeof *use);
    if (!use)
        return bf_fail_memory(err);
    for (size_t i = 0; i < table->scores.count; i++)
        use[i] = w->folds->fold[i] != fold && w->set->fitted[i];
    bf_error little = {0};
    bf_status status =
        bf_calibration_fit(&w->ret->fit[index], table, column, BF_FIT_PLATT, &w->limits[d], use, NULL, &little);
    w->ret->fitted[index] = status == BF_OK;
    return status == BF_OUT_OF_MEMORY ? bf_fail_memory(err) : BF_OK;
}

void bf_fusion_recalibrated_done(bf_fusion_recalibrated *recalibrated)
{
    bf_free(recalibrated->fit);
    bf_free(recalibrated->fitted);
    *recalibrated = (bf_fusion_recalibrated){0};
}

bf_status bf_fusion_recalibrate(bf_fusion_recalibrated *ret, const bf_fusion_set *set, const bf_folds *folds,
                                bf_error *err)
{
    size_t count = folds->count * set->count;
    recalibrating work = {.set = set, .folds = folds, .ret = ret};
    if (set->as_calibrated || count == 0)
        return BF_OK;
    ret->fit = bf_calloc(count, sizeof *ret->fit);
    ret->fitted = bf_calloc(count, sizeof *ret->fitted);
    if (!ret->fit || !ret->fitted)
        return bf_fail_memory(err);
    find_limits(&work);
    const bf_parallel parallel = {.count = count, .jobs = set->jobs, .data = &work, .work = recalibrate_one};
    return bf_parallel_run(&parallel, NULL, err);
}

/* The ratios of all rows as the fold's calibrations give them. */
static void apply(const bf_fusion_cross *c, size_t fold, double *llr)
{
    const bf_fusion_set *set = c->set;
    const bf_fit_table *table = set->table;
    for (size_t d = 0; d < set->count && c->recalibrated->fit; d++) {
        size_t at = fold * set->count + d, column = (size_t)bf_fit_detector(table, set->detector[d].name);
        for (size_t i = 0; i < table->scores.count && c->recalibrated->fitted[at]; i++) {
            double raw = table->raw[i * table->detectors + column], *ratio = &llr[i * set->count + d];
            if (!isnan(*ratio) && !isnan(raw))
                *ratio = bf_calibration_llr(&c->recalibrated->fit[at], BF_CHANNEL_UNSPECIFIED, raw);
        }
    }
}

static void free_numbers(double **numbers)
{
    bf_free(*numbers);
}

/* Fits and judges with the ratios in `set`. */
static bf_status judge_fold(const bf_fusion_cross *c, const bf_fusion_set *set, const flags *f, double *ret,
                            size_t *trees, bf_error *err)
{
    BF_CLEANUP(bf_fusion_model_done) bf_fusion_model model = {0};
    const bf_fusion_task task = {.set = set,
                                 .method = c->method,
                                 .heard = c->heard,
                                 .use = f->use,
                                 .check = c->inner->count > 2 ? f->check : NULL,
                                 .trees = TREES_UNCHECKED};
    bf_status status = bf_fusion_model_fit(&model, &task, err);
    *trees = model.trees;
    for (size_t m = 0; m < c->cases && status == BF_OK; m++)
        status = bf_fusion_model_apply(set, &model, c->missing[m], f->held, ret + m * set->table->scores.count, err);
    return status;
}

/* What the folds share; each writes to rows and a place of its own. */
typedef struct folds_work {
    const bf_fusion_cross *cross;
    double *ret;
    size_t trees[UINT16_MAX + 1]; /* by fold */
} folds_work;

static void free_work(folds_work **work)
{
    bf_free(*work);
}

static bf_status run_fold(void *data, void *state, size_t fold, bf_error *err)
{
    (void)state;
    folds_work *w = data;
    const bf_fusion_cross *c = w->cross;
    bf_fusion_set set = *c->set;
    size_t rows = set.table->scores.count, cells = rows * set.count;
    BF_CLEANUP(free_flags) bool *all = bf_calloc(3 * rows + 1, sizeof *all);
    BF_CLEANUP(free_numbers) double *llr = bf_malloc((cells + 1) * sizeof *llr);
    if (!all || !llr)
        return bf_fail_memory(err);
    const flags f = {all, all + rows, all + 2 * rows};
    choose(c, fold, &f);
    memcpy(llr, set.llr, cells * sizeof *llr);
    apply(c, fold, llr);
    set.llr = llr;
    return judge_fold(c, &set, &f, w->ret, &w->trees[fold], err);
}

bf_status bf_fusion_cross_run(const bf_fusion_cross *cross, double *ret, size_t *ret_trees, bf_error *err)
{
    size_t places = cross->set->table->scores.count * cross->cases, trees = 0;
    BF_CLEANUP(free_work) folds_work *work = bf_calloc(1, sizeof *work);
    if (!work)
        return bf_fail_memory(err);
    *work = (folds_work){.cross = cross, .ret = ret};
    for (size_t i = 0; i < places; i++)
        ret[i] = NAN;
    const bf_parallel parallel = {
        .count = cross->folds->count, .jobs = cross->set->jobs, .data = work, .work = run_fold};
    bf_status status = bf_parallel_run(&parallel, NULL, err);
    for (size_t fold = 0; fold < cross->folds->count; fold++)
        trees += work->trees[fold];
    if (ret_trees)
        *ret_trees = (size_t)lround((double)trees / (double)cross->folds->count);
    return status;
}
