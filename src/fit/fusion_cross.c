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

/* Ratios of one detector from a calibration that has not seen the rows that are held out, within the limits that the
 * ratios in the table keep. Where there is too little to fit on, they stay as they are. */
static bf_status recalibrate(const bf_fusion_set *set, size_t d, const bool *use, double *llr, bf_error *err)
{
    const bf_fit_table *table = set->table;
    size_t column = (size_t)bf_fit_detector(table, set->detector[d].name);
    bf_calibration fit;
    bf_error little = {0};
    bf_calibrating_options options = {.llr_min = -LIMIT_LEAST, .llr_max = LIMIT_LEAST};
    for (size_t i = 0; i < table->scores.count; i++) {
        options.llr_min = fmin(options.llr_min, set->llr[i * set->count + d]);
        options.llr_max = fmax(options.llr_max, set->llr[i * set->count + d]);
    }
    bf_status status = bf_calibration_fit(&fit, table, column, BF_FIT_PLATT, &options, use, NULL, &little);
    for (size_t i = 0; status == BF_OK && i < table->scores.count; i++) {
        double raw = table->raw[i * table->detectors + column], *at = &llr[i * set->count + d];
        if (!isnan(*at) && !isnan(raw))
            *at = bf_calibration_llr(&fit, BF_CHANNEL_UNSPECIFIED, raw);
    }
    return status == BF_OUT_OF_MEMORY ? bf_fail_memory(err) : BF_OK;
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
    bf_status status = BF_OK;
    for (size_t d = 0; d < set.count && status == BF_OK && !set.as_calibrated; d++)
        status = recalibrate(c->set, d, f.use, llr, err);
    set.llr = llr;
    return status == BF_OK ? judge_fold(c, &set, &f, w->ret, &w->trees[fold], err) : status;
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
