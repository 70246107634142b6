/* The sections about error rates. */
#include <math.h>

#include "evaluate/html.h"

static double highest_bound(const bf_evaluation *e)
{
    double highest = e->kind[0].error.high;
    for (size_t k = 1; k < e->kinds; k++)
        highest = e->kind[k].error.total > 0 ? fmax(highest, e->kind[k].error.high) : highest;
    return isnan(highest) ? 1 : highest;
}

/* Says why where there is no interval, so that nobody looks for it. */
static void span_cell(bf_page *page, const bf_rate *rate, bf_span span)
{
    bf_page_put(page, "<td class=\"n\">");
    if (rate->count == 0 || rate->count == rate->total)
        bf_page_put(page, "<span class=\"soft\">none to draw</span>");
    else
        bf_html_interval(page, span.low, span.high);
    bf_page_put(page, "</td>");
}

static void kind_row(bf_page *page, const bf_evaluation *e, size_t k, double top)
{
    const bf_kind_figures *kind = &e->kind[k];
    bool aside = k > 0 && !bf_kind_counts(e, k);
    bf_page_put(page, "<tr class=\"%s\"><td>", k == e->worst_kind ? "worst" : aside ? "aside" : "");
    bf_page_escape(page, bf_kind_name(e, k));
    bf_page_put(page, "%s%s</td><td class=\"n\">%llu</td><td class=\"n\">%llu</td>",
                k == e->worst_kind ? "<span class=\"tag bad\">worst</span>" : "",
                aside ? "<span class=\"tag\">beside the headline</span>" : "", (unsigned long long)kind->presentations,
                (unsigned long long)kind->persons);
    bf_html_rate_cells(page, &kind->silent);
    bf_html_rate_cells(page, &kind->error);
    span_cell(page, &kind->error, k == 0 ? e->bootstrap.bpcer : e->bootstrap.apcer[k]);
    bf_html_bar_cell(page, &kind->error, top);
    bf_page_put(page, "</tr>");
}

static void kind_table(bf_page *page, const bf_evaluation *e, size_t first, size_t end, const char *what)
{
    double top = bf_html_axis_top(highest_bound(e));
    bf_page_put(page,
                "<div class=\"wide\"><table class=\"tight\"><thead><tr><th>%s</th><th class=\"n\">presented</th>"
                "<th class=\"n\">persons</th><th class=\"n\">",
                first == 0 ? "Class" : "Species");
    bf_html_term(page, first == 0 ? "bpnrr" : "apnrr", first == 0 ? "BPNRR" : "APNRR");
    bf_page_put(page, "</th><th class=\"n\">95&nbsp;%%</th><th class=\"n\">");
    bf_html_term(page, first == 0 ? "bpcer" : "apcer", first == 0 ? "BPCER" : "APCER");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "clopper-pearson", "95&nbsp;%");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "by-person", "by person");
    bf_page_put(page, "</th><th class=\"bar\">0 to %g&nbsp;%%</th></tr></thead><tbody>", 100 * top);
    for (size_t k = first; k < end; k++)
        kind_row(page, e, k, top);
    bf_page_put(page, "</tbody></table></div><p class=\"soft\">%s</p>", what);
}

void bf_html_species(bf_page *page, const bf_evaluation *e)
{
    bf_page_put(page, "<section id=\"errors\"><h2>Errors at threshold %g</h2><h3>Attacks that were accepted</h3>",
                e->options.threshold);
    kind_table(
        page, e, 1, e->kinds,
        "APCER is of the attacks that got a response; APNRR counts the others. The headline is the worst species, "
        "never the mean: an attacker picks what works.");
    bf_page_put(page, "<h3>Bona fide presentations that were rejected</h3>");
    kind_table(page, e, 0, 1, "BPCER is of the bona fide presentations that got a response; BPNRR counts the others.");
    bf_page_put(page, "<h3>How the scores lie</h3>");
    bf_html_distributions(page, e);
    bf_page_put(page, "</section>");
}

static void curve_row(bf_page *page, const char *key, const char *label, double value, bf_span span, double threshold)
{
    bf_page_put(page, "<tr><td>");
    bf_html_term(page, key, label);
    bf_page_put(page, "</td><td class=\"n\"><b>");
    bf_html_percent(page, value);
    bf_page_put(page, "</b></td><td class=\"n\">");
    bf_html_interval(page, span.low, span.high);
    if (isnan(threshold))
        bf_page_put(page, "</td><td></td></tr>");
    else if (isinf(threshold))
        bf_page_put(page, "</td><td>only by rejecting everything</td></tr>");
    else
        bf_page_put(page, "</td><td class=\"n\">%.4g</td></tr>", threshold);
}

static void curve_table(bf_page *page, const bf_evaluation *e)
{
    static const char *const names[BF_TARGETS] = {"BPCER10", "BPCER20", "BPCER100"};
    const bf_curve_figures *f = &e->figures;
    const bf_bootstrap *b = &e->bootstrap;
    bf_page_put(page,
                "<div class=\"wide\"><table><thead><tr><th>Figure</th><th class=\"n\">value</th><th class=\"n\">");
    bf_html_term(page, "by-person", "95&nbsp;% by person");
    bf_page_put(page, "</th><th class=\"n\">at threshold</th></tr></thead><tbody>");
    for (int i = 0; i < BF_TARGETS; i++)
        curve_row(page, "bpcer-at", names[i], f->bpcer_at[i].rate, b->bpcer_at[i], f->bpcer_at[i].threshold);
    curve_row(page, "apcer-at", "APCER at BPCER 1&nbsp;%", f->apcer_at.rate, b->apcer_at, f->apcer_at.threshold);
    curve_row(page, "eer", "EER", f->eer, b->eer, NAN);
    bf_page_put(page, "<tr><td>");
    bf_html_term(page, "auc", "AUC");
    bf_page_put(page, "</td><td class=\"n\"><b>%.4f</b></td><td class=\"n\">", f->auc);
    if (isnan(b->auc.low))
        bf_page_put(page, "&ndash;</td><td></td></tr>");
    else
        bf_page_put(page, "%.4f to %.4f</td><td></td></tr>", b->auc.low, b->auc.high);
    curve_row(page, "acer", "ACER, not an ISO metric", f->acer, b->acer, e->options.threshold);
    bf_page_put(page, "</tbody></table></div>");
}

void bf_html_thresholds(bf_page *page, const bf_evaluation *e)
{
    bf_page_put(page,
                "<section id=\"thresholds\"><h2>All thresholds</h2><p>A presentation is accepted when its score is "
                "at or above the threshold. EER and AUC pool the species and so flatter; BPCER10, 20 and 100 are "
                "read on the curve of the worst species.</p><div class=\"pair\">");
    curve_table(page, e);
    bf_html_det(page, e);
    bf_page_put(page, "</div><h3>If the threshold were another</h3><div class=\"wide\"><table><thead><tr><th "
                      "class=\"n\">threshold</th><th class=\"n\">highest APCER</th><th class=\"n\">95&nbsp;%%</th>"
                      "<th>worst species</th><th class=\"n\">BPCER</th><th class=\"n\">95&nbsp;%%</th></tr></thead>"
                      "<tbody>");
    for (int i = 0; i < BF_NEIGHBOURS; i++) {
        const bf_neighbour *n = &e->neighbour[i];
        bool chosen = fabs(n->threshold - e->options.threshold) < 1e-9;
        bf_page_put(page, "<tr class=\"%s\"><td class=\"n\">%g</td>", chosen ? "worst" : "", n->threshold);
        bf_html_rate_cells(page, &n->apcer);
        bf_page_put(page, "<td>");
        bf_page_escape(page, bf_kind_name(e, n->worst_kind));
        bf_page_put(page, "</td>");
        bf_html_rate_cells(page, &n->bpcer);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div></section>");
}

void bf_html_full_system(bf_page *page, const bf_evaluation *e)
{
    const bf_rate *frr = &e->kind[0].full_system;
    double top = 0.01;
    bf_page_put(page, "<section id=\"system\"><h2>Liveness and match together</h2>");
    if (!e->scores->has_match) {
        bf_page_put(page, "<p>No presentation was compared with a reference portrait, so there is no ");
        bf_html_term(page, "iapar", "IAPAR");
        bf_page_put(page, ". Everything in this report is about liveness alone: a subsystem, not the whole product.</p>"
                          "</section>");
        return;
    }
    for (size_t k = 0; k < e->kinds; k++)
        top = e->kind[k].full_system.total > 0 ? fmax(top, e->kind[k].full_system.high) : top;
    top = bf_html_axis_top(top);
    bf_page_put(page,
                "<p>Of the presentations with a reference: accepted means that liveness reached the threshold and "
                "the match was strong. No response counts as rejected here.</p><div class=\"wide\"><table><thead>"
                "<tr><th>Class</th><th class=\"n\">");
    bf_html_term(page, "iapar", "IAPAR");
    bf_page_put(page, " or ");
    bf_html_term(page, "frr", "FRR");
    bf_page_put(page, "</th><th class=\"n\">95&nbsp;%%</th><th class=\"n\">");
    bf_html_term(page, "riapar", "RIAPAR");
    bf_page_put(page, "</th><th class=\"bar\">0 to %g&nbsp;%%</th></tr></thead><tbody>", 100 * top);
    for (size_t k = 0; k < e->kinds; k++) {
        const bf_rate *rate = &e->kind[k].full_system;
        bf_page_put(page, "<tr><td>");
        bf_page_escape(page, bf_kind_name(e, k));
        bf_page_put(page, "</td>");
        bf_html_rate_cells(page, rate);
        bf_page_put(page, "<td class=\"n\">");
        bf_html_percent(page, k > 0 && rate->total > 0 && frr->total > 0 ? rate->value + frr->value : (double)NAN);
        bf_page_put(page, "</td>");
        bf_html_bar_cell(page, rate, top);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div></section>");
}
