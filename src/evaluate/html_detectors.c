/* The section about each detector by itself. */
#include <math.h>
#include <string.h>

#include "evaluate/html.h"

#define SPECIES_SHOWN 10 /* the others are in report.json */

static void head(bf_page *page)
{
    bf_page_put(page, "<div class=\"wide\"><table><thead><tr><th>Detector</th><th>value</th><th class=\"n\">");
    bf_html_term(page, "present", "present");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "auc", "AUC");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "eer", "EER");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "bpcer-at", "BPCER10");
    bf_page_put(page, "</th><th class=\"n\">BPCER20</th><th class=\"n\">BPCER100</th><th class=\"n\">");
    bf_html_term(page, "cllr", "Cllr");
    bf_page_put(page, "</th><th class=\"n\">mean ms</th></tr></thead><tbody>");
}

static void number_cell(bf_page *page, double value, int digits)
{
    if (isnan(value))
        bf_page_put(page, "<td class=\"n\">&ndash;</td>");
    else
        bf_page_put(page, "<td class=\"n\">%.*f</td>", digits, value);
}

static void name_cells(bf_page *page, const bf_detector_figures *f)
{
    bf_page_put(page, "<tr><td>");
    bf_page_escape(page, f->column->detector);
    bf_page_put(page, "</td><td>%s</td>", f->column->llr ? "LLR" : "own");
}

static void figures_row(bf_page *page, const bf_detector_figures *f)
{
    name_cells(page, f);
    bf_page_put(page, "<td class=\"n\">");
    bf_html_percent(page, f->present.value);
    bf_page_put(page, "</td>");
    number_cell(page, f->auc, 4);
    bf_page_put(page, "<td class=\"n\">");
    bf_html_percent(page, f->eer);
    bf_page_put(page, "</td>");
    for (int i = 0; i < BF_TARGETS; i++) {
        bf_page_put(page, "<td class=\"n\">");
        bf_html_percent(page, f->bpcer_at[i].rate);
        bf_page_put(page, "</td>");
    }
    number_cell(page, f->cllr, 3);
    number_cell(page, f->ms, 2);
    bf_page_put(page, "</tr>");
}

static void species_row(bf_page *page, const bf_evaluation *e, const bf_detector_figures *f)
{
    int shown = 0;
    name_cells(page, f);
    for (size_t k = 1; k < e->kinds && shown < SPECIES_SHOWN; k++) {
        if (!bf_kind_counts(e, k))
            continue;
        bf_page_put(page, "<td class=\"n\">%s", k == f->worst_kind ? "<b>" : "");
        bf_html_percent(page, f->apcer[k].value);
        bf_page_put(page, "%s</td>", k == f->worst_kind ? "</b>" : "");
        shown++;
    }
    bf_page_put(page, "<td class=\"n\">%.4g</td></tr>", f->threshold);
}

static void species_table(bf_page *page, const bf_evaluation *e)
{
    int shown = 0, all = 0;
    bf_page_put(page, "<h3>");
    bf_html_term(page, "alone", "APCER of each species where BPCER is at most 5&nbsp;%");
    bf_page_put(page, "</h3><div class=\"wide\"><table><thead><tr><th>Detector</th><th>value</th>");
    for (size_t k = 1; k < e->kinds; k++) {
        if (!bf_kind_counts(e, k) || all++ >= SPECIES_SHOWN)
            continue;
        bf_page_put(page, "<th class=\"n\">");
        bf_page_escape(page, bf_kind_name(e, k));
        bf_page_put(page, "</th>");
        shown++;
    }
    bf_page_put(page, "<th class=\"n\">threshold</th></tr></thead><tbody>");
    for (size_t i = 0; i < e->detectors.count; i++) {
        if (!isnan(e->detectors.figures[i].auc))
            species_row(page, e, &e->detectors.figures[i]);
    }
    bf_page_put(page, "</tbody></table></div>");
    if (all > shown)
        bf_page_put(page, "<p class=\"soft\">%d further species are in report.json.</p>", all - shown);
}

/* Detectors that had nothing to judge by, such as those of sequences where there are photos only. */
static void silent(bf_page *page, const bf_detectors *detectors)
{
    const char *last = "";
    for (size_t i = 0; i < detectors->count; i++) {
        const bf_detector_figures *f = &detectors->figures[i];
        if (f->present.count > 0 || strcmp(f->column->detector, last) == 0)
            continue;
        bf_page_put(page, "%s", last[0] ? ", " : "<p class=\"soft\">Said nothing here: ");
        last = f->column->detector;
        bf_page_escape(page, last);
    }
    bf_page_put(page, "%s", last[0] ? ".</p>" : "");
}

void bf_html_detectors(bf_page *page, const bf_evaluation *e)
{
    bf_page_put(page, "<section id=\"detectors\"><h2>Each detector alone</h2>");
    if (e->detectors.count == 0) {
        bf_page_put(page, "<p>The table has no columns raw.NAME or llr.NAME.</p></section>");
        return;
    }
    bf_page_put(page,
                "<p>As if one detector decided by itself, on the presentations with a response of which it said "
                "something: by its own output, and by its calibrated log-likelihood ratio. Larger speaks for bona "
                "fide. What a detector adds to the others does not follow from this table.</p>");
    head(page);
    for (size_t i = 0; i < e->detectors.count; i++) {
        if (e->detectors.figures[i].present.count > 0)
            figures_row(page, &e->detectors.figures[i]);
    }
    bf_page_put(page, "</tbody></table></div>");
    silent(page, &e->detectors);
    species_table(page, e);
    bf_page_put(page, "</section>");
}
