/* Ratios of rows that were held out. */
#include <math.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "fit/fusion_model.h"

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

static bf_status run_fold(const bf_fusion_cross *c, size_t fold, const flags *f, double *ret, size_t *trees,
                          bf_error *err)
{
    BF_CLEANUP(bf_fusion_model_done) bf_fusion_model model = {0};
    choose(c, fold, f);
    const bf_fusion_task task = {.set = c->set,
                                 .method = c->method,
                                 .heard = c->heard,
                                 .use = f->use,
                                 .check = c->inner->count > 2 ? f->check : NULL,
                                 .trees = TREES_UNCHECKED};
    bf_status status = bf_fusion_model_fit(&model, &task, err);
    *trees += model.trees;
    return status == BF_OK ? bf_fusion_model_apply(c->set, &model, c->missing, f->held, ret, err) : status;
}

bf_status bf_fusion_cross_run(const bf_fusion_cross *cross, double *ret, size_t *ret_trees, bf_error *err)
{
    size_t rows = cross->set->table->scores.count, trees = 0;
    BF_CLEANUP(free_flags) bool *all = bf_calloc(3 * rows + 1, sizeof *all);
    if (!all)
        return bf_fail_memory(err);
    const flags f = {all, all + rows, all + 2 * rows};
    bf_status status = BF_OK;
    for (size_t i = 0; i < rows; i++)
        ret[i] = NAN;
    for (size_t fold = 0; fold < cross->folds->count && status == BF_OK; fold++)
        status = run_fold(cross, fold, &f, ret, &trees, err);
    if (ret_trees)
        *ret_trees = (size_t)lround((double)trees / (double)cross->folds->count);
    return status;
}
