/* A scores table with what a policy needs to decide again, and the parts of it that bands are chosen and checked on. */
#ifndef BF_FIT_ROWS_H
#define BF_FIT_ROWS_H

#include "evaluate/scores.h"

/* What the quality gate said. */
typedef enum bf_row_gate { BF_ROW_GATE_UNKNOWN, BF_ROW_GATE_PASSED, BF_ROW_GATE_FAILED } bf_row_gate;

typedef struct bf_row_cause {
    uint16_t split;  /* number of its name; the one of "" when the row states none */
    uint16_t code;   /* bf_status: why there is no score; BF_OK when no reason is given */
    uint8_t gate;    /* bf_row_gate */
    uint8_t channel; /* bf_channel */
} bf_row_cause;

/* Of a part, only `row`, `cause` and `count` are its own; it must not outlive the table. */
typedef struct bf_rows {
    bf_scores scores;
    bf_row_cause *cause; /* by row */
    size_t capacity;
    bf_names splits;
} bf_rows;

/* Reads a table as bf_scores_read does, every split of it. On success the caller calls bf_rows_done. */
bf_status bf_rows_read(bf_rows *ret, const char *path, bool allow_mixed_stacks,
                       void (*progress)(void *context, uint64_t bytes_read), void *context, bf_error *err);
void bf_rows_done(bf_rows *rows);

#define BF_ROWS_EVERY (-1)

/* The number of a split; BF_ROWS_EVERY when the table has none of that name. */
int bf_rows_split(const bf_rows *rows, const char *name);

/* The rows of a split, and of a channel; BF_ROWS_EVERY: of each. On success the caller calls bf_rows_part_done.
 * OUT_OF_MEMORY. */
bf_status bf_rows_part(bf_rows *ret, const bf_rows *rows, int split, int channel, bf_error *err);
void bf_rows_part_done(bf_rows *part);

/* Leaves of each person's attacks of one species only that with the highest score, of those with a response: whether it
 * is accepted says whether any of them is. OUT_OF_MEMORY. */
bf_status bf_rows_keep_worst(bf_rows *part, bf_error *err);

/* How many persons have rows in both parts of one table. OUT_OF_MEMORY. */
bf_status bf_rows_shared_persons(const bf_rows *one, const bf_rows *other, size_t *ret, bf_error *err);

#endif
