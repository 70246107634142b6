/* A comparison as compare.json, for programs, and compare.html, for people. */
#ifndef BF_COMPARE_REPORT_H
#define BF_COMPARE_REPORT_H

#include "base/bytes.h"
#include "compare/compare.h"
#include "evaluate/page.h"

#define BF_COMPARE_REPORT_VERSION 1 /* of the form of compare.json */

/* What the comparison does not know about the report. */
typedef struct bf_compare_facts {
    const char *table[2]; /* the names of the tables of A and B */
    const char *program;  /* "bonafide 0.1.0" */
    const char *made_at;  /* "2026-11-25T21:00:00Z"; NULL: not stated, so that equal input gives equal bytes */
} bf_compare_facts;

/* The verdict in one sentence. */
const char *bf_verdict_phrase(bf_outcome verdict);

/* As api/compare_report.schema.json describes. The caller gives *ret to bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_compare_json(bf_bytes *ret, const bf_comparison *comparison, const bf_compare_facts *facts, bf_error *err);

/* One self-contained page, in the style of the evaluation's. The caller gives *ret to bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_compare_html(bf_bytes *ret, const bf_comparison *comparison, const bf_compare_facts *facts, bf_error *err);

/* Sections of the page. */
void bf_compare_html_metrics(bf_page *page, const bf_comparison *comparison);
void bf_compare_html_species(bf_page *page, const bf_comparison *comparison);
void bf_compare_html_segments(bf_page *page, const bf_comparison *comparison);
void bf_compare_html_decisions(bf_page *page, const bf_comparison *comparison);
void bf_compare_html_shifts(bf_page *page, const bf_comparison *comparison);
void bf_compare_html_bands(bf_page *page, const bf_comparison *comparison);
void bf_compare_html_flips(bf_page *page, const bf_comparison *comparison);
void bf_compare_html_latency(bf_page *page, const bf_comparison *comparison);
/* "2.5 %", "0.9931" or "12.3 ms": a figure, or (`is_signed`) a difference with its sign, in points of percent. */
void bf_compare_html_figure(bf_page *page, bf_metric_unit unit, double value, bool is_signed);
void bf_compare_html_span(bf_page *page, bf_metric_unit unit, bf_span span);
/* A table cell with an interval on an axis from -reach to reach, with a dashed line at `mark` (NaN: none). */
void bf_compare_html_bar_cell(bf_page *page, double value, bf_span span, double reach, double mark);
/* A metric's name with its definition one click away. */
void bf_compare_html_metric(bf_page *page, const bf_metric *metric);

#endif
