/* One judgement as one row of scores.csv: the columns that follow from the picture and the installed release. */
#ifndef BF_DATASET_JUDGEMENT_H
#define BF_DATASET_JUDGEMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "pipeline/judge.h"

#define BF_STACK_SIZE 17 /* digits of the hash over all versions, with the NUL */
#define BF_JUDGEMENT_TEXT_SIZE 32768

/* What is judged with, and how. Borrowed: outlives everything made from it. */
typedef struct bf_scoring {
    const bf_engine *engine;
    const char *flow; /* the journey of the columns band, decision and reason */
    bool early_exit;  /* stop where the outcome is settled, as in operation; else every detector runs */
    char stack[BF_STACK_SIZE];
} bf_scoring;

/* Text of one CSV row under construction. Zero-initialise `used` and `overflow`. */
typedef struct bf_row_text {
    size_t used;
    bool overflow; /* it does not fit; nothing that was written may be used */
    char text[BF_JUDGEMENT_TEXT_SIZE];
} bf_row_text;

/* Every version that a score depends on: code, build, runtime, models, calibrations, fusion, each journey's policy. The
 * caller releases it with json_decref; NULL when memory ran out. */
json_t *bf_scoring_versions(const bf_engine *engine);

/* Fills scoring->stack, the hash of these versions. OUT_OF_MEMORY. */
bf_status bf_scoring_identify(bf_scoring *scoring, bf_error *err);

/* The names of the columns, separated by commas. */
void bf_judgement_header(const bf_scoring *scoring, bf_row_text *ret);

/* The values of one record. `scratch` has room for a record; the decisions under the other journeys are made in it. */
void bf_judgement_row(const bf_scoring *scoring, const bf_judge *judge, const bf_record *record, bf_record *scratch,
                      bf_row_text *ret);

#endif
