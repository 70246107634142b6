/* An evaluation as report.json, for programs, and report.html, for people. */
#ifndef BF_EVALUATE_REPORT_H
#define BF_EVALUATE_REPORT_H

#include "base/bytes.h"
#include "evaluate/evaluate.h"

#define BF_REPORT_VERSION 1 /* of the form of report.json */

/* What the figures do not know about the report. */
typedef struct bf_report_facts {
    const char *table;   /* the name of the scores table */
    const char *program; /* "bonafide 0.1.0" */
    const char *made_at; /* "2026-11-25T21:00:00Z"; NULL: not stated, so that equal input gives equal bytes */
} bf_report_facts;

/* The caution that goes with every comparison with a level. */
extern const char BF_LEVELS_CAUTION[];
/* "within", ...: for programs, and for people. */
const char *bf_level_word(bf_level_result result);
const char *bf_level_phrase(bf_level_result result);
const char *bf_gravity_word(bf_gravity gravity);

/* As api/eval_report.schema.json describes. The caller gives *ret to bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_report_json(bf_bytes *ret, const bf_evaluation *evaluation, const bf_report_facts *facts, bf_error *err);

/* One self-contained page: style and pictures are in it, it has no script and loads nothing. The caller gives *ret to
 * bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_report_html(bf_bytes *ret, const bf_evaluation *evaluation, const bf_report_facts *facts, bf_error *err);

#endif
