/* Parts of a table that are held out in turn. Nobody stands in two of them: a fit that has seen a person must not be
 * asked about the same person. */
#ifndef BF_FIT_FOLDS_H
#define BF_FIT_FOLDS_H

#include <stddef.h>
#include <stdint.h>

#include "fit/table.h"

#define BF_FOLDS 5 /* by default */
#define BF_FOLDS_MAX 20

typedef struct bf_folds {
    uint16_t *fold; /* by row of the table */
    size_t count;
} bf_folds;

/* Deals persons into `count` (2..BF_FOLDS_MAX) folds, fewer when a class has fewer persons, such that each species and
 * the bona fide rows spread evenly. The same seed and rows give the same folds. On success the caller calls
 * bf_folds_done. INVALID_ARGUMENT: only one person has bona fide presentations, or attacks; OUT_OF_MEMORY. */
bf_status bf_folds_by_person(bf_folds *ret, const bf_fit_table *table, size_t count, uint64_t seed, bf_error *err);

/* A fold for each source that leaves both classes to fit on when it is held out; rows of the other sources are in none
 * (BF_FOLD_NONE) and always fitted on. INVALID_ARGUMENT: there is no such source; OUT_OF_MEMORY. */
#define BF_FOLD_NONE UINT16_MAX
bf_status bf_folds_by_source(bf_folds *ret, const bf_fit_table *table, bf_error *err);

void bf_folds_done(bf_folds *folds);

#endif
