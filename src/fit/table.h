/* The scores table as fitting needs it: that of an evaluation, and what each detector said of each row. It is read by
 * the same code and as strictly, since a wrong join or a flattering row would end up in a file that judges people. */
#ifndef BF_FIT_TABLE_H
#define BF_FIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"
#include "evaluate/scores.h"

#define BF_FIT_DETECTORS_MAX 64
#define BF_FIT_SPLIT "train"  /* fitted on by default, where the table has splits */
#define BF_FIT_REFUSED "test" /* never fitted on */
#define BF_QUALITY_UNKNOWN UINT8_MAX

/* Rows stand in the order of a hash of their ids, detectors, species and segment values by name: the order of the
 * file's rows and columns makes no difference to any sum over the table. */
typedef struct bf_fit_table {
    bf_scores scores;   /* row[count]: kind (0 bona fide, 1 + species), person, segment[], status, score, ... */
    double *raw, *llr;  /* count x detectors; NaN where the detector's state is not `present`, or nothing is said */
    uint64_t *file_row; /* bf_csv_row() of each row */
    uint8_t *quality_passed; /* 0, 1 or BF_QUALITY_UNKNOWN */
    char *detector[BF_FIT_DETECTORS_MAX];
    size_t detectors;
    size_t classes[2]; /* rows that are bona fide, attacks */
} bf_fit_table;

typedef struct bf_fit_options {
    const char *split;                                    /* NULL: BF_FIT_SPLIT when rows have a split, else all */
    void (*progress)(void *context, uint64_t bytes_read); /* every some thousand rows; may be NULL */
    void *context;
} bf_fit_options;

/* Reads scores.csv. On success the caller calls bf_fit_table_done; scores.split says what is fitted on ("" for every
 * row). INVALID_ARGUMENT names file, row and remedy: what bf_scores_read refuses, the split BF_FIT_REFUSED, an unknown
 * detector state, a value that is no number, one person only. IO_ERROR, OUT_OF_MEMORY. */
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
