/* The scores table as fitting needs it: what each detector said of each row, and to whom the row belongs. Reading is as
 * strict as that of an evaluation, since a wrong join or a flattering row would end up in a file that judges people. */
#ifndef BF_FIT_TABLE_H
#define BF_FIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"
#include "evaluate/names.h"
#include "evaluate/scores.h"

#define BF_FIT_DETECTORS_MAX 64
#define BF_FIT_SPLIT "train"  /* fitted on by default, where the table has splits */
#define BF_FIT_REFUSED "test" /* never fitted on */
#define BF_QUALITY_UNKNOWN UINT8_MAX

/* One presentation that counts (confirmed, and of the split). Names are numbers of the table's bf_names. */
typedef struct bf_fit_row {
    uint64_t order;  /* its place among all rows of the file, from 0 */
    double score;    /* 0..100; NaN unless status is OK and the file has it */
    double live_llr; /* the fused ratio; NaN unless status is OK and the file has it */
    uint32_t person;
    uint16_t kind; /* 0: bona fide; else 1 + number of the species */
    uint16_t segment[BF_SEGMENTS];
    uint8_t status;         /* bf_score_status */
    uint8_t quality_passed; /* 0, 1 or BF_QUALITY_UNKNOWN */
} bf_fit_row;

/* Rows stand in the order of a hash of their ids, detectors, species and segment values by name: the order of the
 * file's rows and columns makes no difference to any sum over the table. */
typedef struct bf_fit_table {
    bf_fit_row *row;
    double *raw, *llr; /* row x detectors; NaN where the detector's state is not `present`, or nothing is said */
    size_t count;
    char *detector[BF_FIT_DETECTORS_MAX];
    size_t detectors;
    bf_names species, segment[BF_SEGMENTS];
    bool has_segment[BF_SEGMENTS];                             /* some row has a value there */
    size_t classes[2];                                         /* rows that are bona fide, attacks */
    size_t persons;                                            /* rows without one are persons of their own */
    size_t without_person;                                     /* those rows */
    size_t set_aside[BF_REVIEWS];                              /* rows that are not confirmed, by review state */
    size_t other_split;                                        /* rows of other splits */
    char split[65];                                            /* what was fitted on; "" for every row */
    char stack[129], fusion_version[129], policy_version[129]; /* "" when absent */
} bf_fit_table;

typedef struct bf_fit_options {
    const char *split; /* NULL: BF_FIT_SPLIT when some row has a split, else every row */
    void (*progress)(void *context, uint64_t bytes_read); /* every some thousand rows; may be NULL */
    void *context;
} bf_fit_options;

/* Reads scores.csv; it is read twice when no split is asked for, so it cannot be standard input. On success the caller
 * calls bf_fit_table_done. INVALID_ARGUMENT names file, row and remedy: the split BF_FIT_REFUSED, an unknown label or
 * state, a number that is none, an id twice, mixed stacks, no row left, one class only, one person only. IO_ERROR,
 * OUT_OF_MEMORY. */
bf_status bf_fit_table_read(bf_fit_table *ret, const char *path, const bf_fit_options *options, bf_error *err);
void bf_fit_table_done(bf_fit_table *table);

/* The number of a detector; -1 when the table has none of that name. */
int bf_fit_detector(const bf_fit_table *table, const char *name);

/* Weights of the rows in `use` (a place for each row; NULL: all), 0 for the others: both classes weigh the same, and
 * within a class a source of n rows weighs sqrt(n), so that no data set decides alone. They sum to the rows in use;
 * all are 0 when a class has none. OUT_OF_MEMORY. */
bf_status bf_fit_weights(const bf_fit_table *table, const bool *use, double *ret, bf_error *err);

/* A column whose values are replaced: its name, and a value for each row of the table (NaN: empty). */
typedef struct bf_fit_column {
    const char *name;
    const double *value;
    size_t stride; /* from one row's value to the next */
} bf_fit_column;

/* Writes the rows of `table` as they stand in the file `from`, which it was read from, to `to`, with the columns
 * replaced, or added where the file has none of that name. Atomic. IO_ERROR, INVALID_ARGUMENT (the file has changed),
 * OUT_OF_MEMORY. */
bf_status bf_fit_table_rewrite(const bf_fit_table *table, const char *from, const char *to,
                               const bf_fit_column *columns, size_t count, bf_error *err);

#endif
