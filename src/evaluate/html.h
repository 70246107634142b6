/* Parts of report.html. */
#ifndef BF_EVALUATE_HTML_H
#define BF_EVALUATE_HTML_H

#include "evaluate/evaluate.h"
#include "evaluate/page.h"

/* A term with its definition one click away: the glossary must have it under "d-KEY". */
void bf_html_term(bf_page *page, const char *key, const char *label);
/* "2.5 %", with as many digits as a share of that size deserves; a dash for NaN. */
void bf_html_percent(bf_page *page, double value);
/* "0.5 to 7.1 %", or a dash. */
void bf_html_interval(bf_page *page, double low, double high);
/* Two table cells: the figure with its count, and the interval. */
void bf_html_rate_cells(bf_page *page, const bf_rate *rate);
/* A table cell with the interval drawn on an axis from 0 to `top`. */
void bf_html_bar_cell(bf_page *page, const bf_rate *rate, double top);
/* A round number at or above the highest upper bound that is not beyond 1. */
double bf_html_axis_top(double highest);
/* The class of a series' colour: "s0", ... */
int bf_html_series(size_t kind);

/* The head of the document, with the style. */
void bf_html_head(bf_page *page, const char *title);

/* One line of the list of facts at the top of a page; nothing when the value is missing or empty. */
void bf_html_fact(bf_page *page, const char *name, const char *value);
void bf_html_number_fact(bf_page *page, const char *name, size_t value);

/* Pictures, each a figure with its caption. */
void bf_html_det(bf_page *page, const bf_evaluation *evaluation);
void bf_html_distributions(bf_page *page, const bf_evaluation *evaluation);
void bf_html_reliability(bf_page *page, const bf_reliability *reliability, const char *caption);
void bf_html_journey(bf_page *page, const bf_journey *journey, const char *who);

/* Sections. */
void bf_html_species(bf_page *page, const bf_evaluation *evaluation);
void bf_html_thresholds(bf_page *page, const bf_evaluation *evaluation);
void bf_html_full_system(bf_page *page, const bf_evaluation *evaluation);
void bf_html_segments(bf_page *page, const bf_evaluation *evaluation);
void bf_html_coverage(bf_page *page, const bf_evaluation *evaluation);
void bf_html_decisions(bf_page *page, const bf_evaluation *evaluation);
void bf_html_calibration(bf_page *page, const bf_evaluation *evaluation);
void bf_html_detectors(bf_page *page, const bf_evaluation *evaluation);
void bf_html_latency(bf_page *page, const bf_evaluation *evaluation);
void bf_html_levels(bf_page *page, const bf_evaluation *evaluation);

/* A term of the glossary: its place is "d-KEY". Term and text are HTML. */
typedef struct bf_html_definition {
    const char *key, *term, *text;
} bf_html_definition;

/* The evaluation's definitions, only those in `keys` (ends with NULL; NULL: all), and then `more`. */
void bf_html_glossary(bf_page *page, const char *const keys[], const bf_html_definition *more, size_t count);

#endif
