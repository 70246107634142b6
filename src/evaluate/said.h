/* What each detector said of each row, read beside a scores table. */
#ifndef BF_EVALUATE_SAID_H
#define BF_EVALUATE_SAID_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"
#include "dataset/csv.h"

#define BF_SAID_MAX 128 /* columns */

typedef struct bf_said_column {
    char *detector;   /* "passive-fr" */
    bool llr;         /* its calibrated log-likelihood ratio; else its own output */
    int place, state; /* columns of the table; -1: none */
} bf_said_column;

/* Zero-initialise it, and give it to bf_scores_options.row_context. bf_said_done frees. */
typedef struct bf_said {
    bf_said_column column[BF_SAID_MAX]; /* by name, the detector's own output first */
    size_t columns;
    float *value; /* row x columns; NaN where the detector's state is not `present`, or it says nothing */
    size_t rows, capacity;
    bool ready;
} bf_said;

/* For bf_scores_options.row: takes the columns raw.NAME, llr.NAME and state.NAME. INVALID_ARGUMENT: a value that is no
 * number, or too many columns. OUT_OF_MEMORY. */
bf_status bf_said_take(void *said, const bf_csv_reader *csv, const bf_csv_field *field, bf_error *err);
void bf_said_done(bf_said *said);

#endif
