/* What is wrong with a dataset: a list of findings, each about a row or about the whole. */
#ifndef BF_DATASET_PROBLEMS_H
#define BF_DATASET_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "bonafide/status.h"

#define BF_PROBLEMS_KEPT_MAX 10000 /* of errors, and of warnings; more are counted only */

typedef struct bf_problem {
    bool error;   /* the dataset cannot be used as it is; else a warning */
    uint64_t row; /* of the manifest, the header being row 1; 0: the whole */
    char *text;   /* one sentence with the remedy */
} bf_problem;

/* Zero-initialise; bf_problems_done frees. */
typedef struct bf_problems {
    bf_problem *problem;
    size_t count, capacity;
    size_t errors, warnings; /* also those that were not kept */
    bool incomplete;         /* memory ran out: one is missing */
} bf_problems;

void bf_problems_error(bf_problems *problems, uint64_t row, const char *format, ...) BF_PRINTF(3, 4);
void bf_problems_warn(bf_problems *problems, uint64_t row, const char *format, ...) BF_PRINTF(3, 4);
/* By row, the whole first; findings about the same row stay in order. */
void bf_problems_sort(bf_problems *problems);
void bf_problems_done(bf_problems *problems);

/* BF_OK when there is no error, else INVALID_ARGUMENT with the first one and how many more there are. */
bf_status bf_problems_status(const bf_problems *problems, const char *name, bf_error *err);

#endif
