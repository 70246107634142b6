/* Counting a dataset: how many samples and persons there are of each value of a column. */
#ifndef BF_DATASET_TALLY_H
#define BF_DATASET_TALLY_H

#include "dataset/dataset.h"

#define BF_TALLY_ROWS_MAX 1000

typedef struct bf_tally_row {
    const char *value;           /* "" for samples without one */
    size_t live, spoof, persons; /* persons: different person_ids, the empty one not counted */
} bf_tally_row;

/* Zero-initialise; bf_tally_done frees. */
typedef struct bf_tally {
    bf_tally_row *row; /* by number of samples, the most first; equal numbers by value */
    size_t count;
    size_t more; /* samples whose value came after BF_TALLY_ROWS_MAX others */
} bf_tally;

/* Counts the samples by a column; with `spoof_only` only those with the label spoof. OUT_OF_MEMORY. */
bf_status bf_tally_column(const bf_dataset *dataset, bf_dataset_column column, bool spoof_only, bf_tally *ret,
                          bf_error *err);
void bf_tally_done(bf_tally *tally);

/* How many different values a column has, the empty one not counted. false when memory ran out. */
bool bf_tally_distinct(const bf_dataset *dataset, bf_dataset_column column, size_t *ret);

#endif
