/* What differs between two datasets, sample by sample. */
#ifndef BF_DATASET_DIFF_H
#define BF_DATASET_DIFF_H

#include "dataset/dataset.h"

typedef enum bf_change_kind { BF_CHANGE_REMOVED, BF_CHANGE_ADDED, BF_CHANGE_VALUE } bf_change_kind;

typedef struct bf_change {
    bf_change_kind kind;
    const char *sample_id;
    const char *column; /* of a value, which both datasets' samples have; else NULL */
    const char *before, *after;
} bf_change;

typedef void bf_change_take(void *data, const bf_change *change);

/* Finds every change, in order of sample_id. A column that one of them lacks counts as empty. OUT_OF_MEMORY. */
bf_status bf_dataset_diff(const bf_dataset *before, const bf_dataset *after, bf_change_take *take, void *data,
                          bf_error *err);

#endif
