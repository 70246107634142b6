/* The sections of tables: segments, coverage, decisions, calibration, latency, levels. */
#include <math.h>

#include "evaluate/html.h"
#include "evaluate/report.h"
#include "policy/policy.h"

#define CELLS_SHOWN 12 /* of one column; the others are in report.json */
#define VALUES_SHOWN 12

static void segment_row(bf_page *page, const bf_evaluation *e, const bf_segment_cell *cell)
{
    bf_page_put(page, "<tr class=\"%s\"><td>", cell->small ? "small" : "");
    bf_page_escape(page, cell->value[0] ? cell->value : "(not stated)");
    bf_page_put(page, "%s</td>", cell->small ? "<span class=\"tag few\">few</span>" : "");
    bf_html_rate_cells(page, &cell->apcer);
    bf_page_put(page, "<td>");
    bf_page_escape(page, cell->worst_kind > 0 ? bf_kind_name(e, cell->worst_kind) : "no attacks");
    bf_page_put(page, "</td>");
    bf_html_rate_cells(page, &cell->bpcer);
    bf_page_put(page, "<td class=\"n\">");
    bf_html_percent(page, cell->apnrr.value);
    bf_page_put(page, "</td><td class=\"n\">");
    bf_html_percent(page, cell->bpnrr.value);
    bf_page_put(page, "</td></tr>");
}

static void segment_table(bf_page *page, const bf_evaluation *e, size_t first, size_t end)
{
    bf_page_put(page,
                "<h3>%s</h3><div class=\"wide\"><table class=\"tight\"><thead><tr><th>value</th><th "
                "class=\"n\">highest APCER</th>"
                "<th class=\"n\">95&nbsp;%%</th><th>worst species</th><th class=\"n\">BPCER</th><th class=\"n\">"
                "95&nbsp;%%</th><th class=\"n\">APNRR</th><th class=\"n\">BPNRR</th></tr></thead><tbody>",
                bf_segment_title(e->segments.cell[first].column));
    for (size_t i = first; i < end && i < first + CELLS_SHOWN; i++)
        segment_row(page, e, &e->segments.cell[i]);
    bf_page_put(page, "</tbody></table></div>");
    if (end - first > CELLS_SHOWN)
        bf_page_put(page, "<p class=\"soft\">%zu further values are in report.json.</p>", end - first - CELLS_SHOWN);
}

void bf_html_segments(bf_page *page, const bf_evaluation *e)
{
    bf_page_put(page, "<section id=\"segments\"><h2>Segments, worst first</h2>");
    if (e->segments.count == 0) {
        bf_page_put(page,
                    "<p>The table states neither platform nor device, channel, lighting or any other column to tell "
                    "presentations apart by. An average can hide a camera on which nothing works.</p></section>");
        return;
    }
    bf_page_put(page, "<p>Ordered by how bad a segment surely is: the ");
    bf_html_term(page, "segment", "lower bound");
    bf_page_put(page,
                " of the worse of its two rates. Rows marked &ldquo;few&rdquo; stand on fewer than %d presentations "
                "and show hardly anything. Segments overlap, and with many of them some look bad by chance.</p>",
                BF_FEW_SAMPLES);
    for (size_t first = 0; first < e->segments.count;) {
        size_t end = first;
        while (end < e->segments.count && e->segments.cell[end].column == e->segments.cell[first].column)
            end++;
        segment_table(page, e, first, end);
        first = end;
    }
    bf_page_put(page, "</section>");
}

static void coverage_row(bf_page *page, const bf_evaluation *e, const bf_coverage *c, size_t kind, size_t shown)
{
    bf_page_put(page, "<tr><td>");
    bf_page_escape(page, bf_kind_name(e, kind));
    bf_page_put(page, "</td>");
    for (size_t v = 0; v < shown; v++) {
        unsigned long long count = c->count[kind * c->values + v];
        bf_page_put(page, "<td class=\"n%s\">%llu</td>",
                    count == 0               ? " none"
                    : count < BF_FEW_SAMPLES ? " few"
                                             : "",
                    count);
    }
    bf_page_put(page, "</tr>");
}

static void coverage_table(bf_page *page, const bf_evaluation *e, const bf_coverage *c)
{
    size_t shown = c->values < VALUES_SHOWN ? c->values : VALUES_SHOWN;
    bf_page_put(page, "<h3>Species by %s</h3>", c->column == BF_SEGMENT_CHANNEL ? "channel" : "device class");
    if (!e->scores->has_segment[c->column]) {
        bf_page_put(page,
                    "<p>The table has no values in the column %s, so nobody can tell where each attack was tried.</p>",
                    bf_segment_column(c->column));
        return;
    }
    bf_page_put(page,
                "<p>%zu cells have no presentation at all, %zu have fewer than %d.</p><div class=\"wide\"><table>"
                "<thead><tr><th></th>",
                c->none, c->few, BF_FEW_SAMPLES);
    for (size_t v = 0; v < shown; v++) {
        const char *name = e->scores->segment[c->column].text[v];
        bf_page_put(page, "<th class=\"n\">");
        bf_page_escape(page, name[0] ? name : "(not stated)");
        bf_page_put(page, "</th>");
    }
    bf_page_put(page, "</tr></thead><tbody>");
    for (size_t k = 0; k < c->kinds; k++)
        coverage_row(page, e, c, k, shown);
    bf_page_put(page, "</tbody></table></div>");
    if (shown < c->values)
        bf_page_put(page, "<p class=\"soft\">%zu further values are in report.json.</p>", c->values - shown);
}

void bf_html_coverage(bf_page *page, const bf_evaluation *e)
{
    bf_page_put(page, "<section id=\"coverage\"><h2>What was never tried</h2><p>A rate says nothing about a ");
    bf_html_term(page, "coverage", "combination");
    bf_page_put(page, " that no presentation stands for. Numbers are presentations.</p>");
    for (int i = 0; i < BF_COVERAGES; i++)
        coverage_table(page, e, &e->coverage[i]);
    bf_page_put(page, "</section>");
}

void bf_html_decisions(bf_page *page, const bf_evaluation *e)
{
    static const bf_decision order[] = {BF_DECISION_APPROVE, BF_DECISION_REVIEW, BF_DECISION_CHALLENGE,
                                        BF_DECISION_RETRY, BF_DECISION_REJECT};
    bf_page_put(page, "<section id=\"decisions\"><h2>Decisions and retries</h2>");
    if (!e->scores->has_decision) {
        bf_page_put(page, "<p>The table has no decisions.</p></section>");
        return;
    }
    bf_page_put(page, "<p>What the policy decided on each presentation by itself, of those with a decision.</p><div "
                      "class=\"wide\"><table><thead><tr><th>Decision</th><th class=\"n\">bona fide</th><th class=\"n\">"
                      "95&nbsp;%%</th><th class=\"n\">attacks</th><th class=\"n\">95&nbsp;%%</th></tr></thead><tbody>");
    for (int d = 0; d < BF_DECISIONS; d++) {
        bf_page_put(page, "<tr><td>%s</td>", bf_decision_name(order[d]));
        bf_html_rate_cells(page, &e->journey[0].decision[order[d]]);
        bf_html_rate_cells(page, &e->journey[1].decision[order[d]]);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div><h3>With retries</h3><p>");
    bf_html_term(page, "journey", "Simulated");
    bf_page_put(page,
                " from the decisions above: whoever is told to retry does so, and each attempt ends as one of the same "
                "person&rsquo;s own presentations did. Guidance helps real people, and real attackers learn; both may "
                "do better than here.</p><div class=\"pair\">");
    bf_html_journey(page, &e->journey[0], "Bona fide persons");
    bf_html_journey(page, &e->journey[1], "Attackers");
    bf_page_put(page, "</div></section>");
}

static void calibration_row(bf_page *page, const char *key, const char *label, double as_is, double balanced)
{
    bf_page_put(page, "<tr><td>");
    bf_html_term(page, key, label);
    bf_page_put(page, "</td><td class=\"n\">%.4f</td><td class=\"n\">%.4f</td></tr>", as_is, balanced);
}

void bf_html_calibration(bf_page *page, const bf_evaluation *e)
{
    const bf_reliability *r = &e->reliability;
    bf_page_put(page, "<section id=\"calibration\"><h2>Do the probabilities mean what they say?</h2>");
    if (r->live == 0 || r->attacks == 0) {
        bf_page_put(page, "<p>The table has no live_probability for both classes.</p></section>");
        return;
    }
    bf_page_put(page, "<div class=\"pair\">");
    bf_html_reliability(page, r, ", at this table&rsquo;s own share of attacks");
    bf_page_put(page,
                "<div><table><thead><tr><th></th><th class=\"n\">as it is</th><th class=\"n\">classes alike</th></tr>"
                "</thead><tbody>");
    calibration_row(page, "brier", "Brier score", r->as_is.brier, r->balanced.brier);
    calibration_row(page, "log-loss", "Log loss", r->as_is.log_loss, r->balanced.log_loss);
    calibration_row(page, "ece", "ECE", r->as_is.ece, r->balanced.ece);
    bf_page_put(page,
                "</tbody></table><p class=\"soft\">Lower is better. %llu bona fide and %llu attacks have a "
                "probability. Where probabilities are stated for attacks as frequent as bona fide presentations, the "
                "right column is the fair one: it weights both classes alike, whatever their numbers here.</p></div>"
                "</div></section>",
                (unsigned long long)r->live, (unsigned long long)r->attacks);
}

static void ms_cell(bf_page *page, double ms)
{
    if (isnan(ms))
        bf_page_put(page, "<td class=\"n\">&ndash;</td>");
    else
        bf_page_put(page, "<td class=\"n\">%.*f</td>", ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
}

void bf_html_latency(bf_page *page, const bf_evaluation *e)
{
    bf_page_put(page, "<section id=\"latency\"><h2>Latency by stage</h2>");
    if (e->scores->stages == 0) {
        bf_page_put(page, "<p>The table has no times.</p></section>");
        return;
    }
    bf_page_put(page, "<p>Milliseconds on the machine that scored, which need not be like yours. ");
    bf_html_term(page, "percentile", "Percentiles");
    bf_page_put(page,
                " are of the presentations in which the stage ran; those of stages do not add up.</p><div "
                "class=\"wide\"><table><thead><tr><th>Stage</th><th class=\"n\">ran</th><th class=\"n\">p50</th><th "
                "class=\"n\">p90</th><th class=\"n\">p95</th><th class=\"n\">p99</th><th class=\"n\">longest</th>"
                "</tr></thead><tbody>");
    size_t idle = 0;
    for (size_t s = 0; s < e->scores->stages; s++) {
        const bf_latency *l = &e->latency[s];
        idle += l->count == 0;
        if (l->count == 0)
            continue;
        bf_page_put(page, "<tr><td>");
        bf_page_escape(page, e->scores->stage[s]);
        bf_page_put(page, "</td><td class=\"n\">%llu</td>", (unsigned long long)l->count);
        ms_cell(page, l->p50);
        ms_cell(page, l->p90);
        ms_cell(page, l->p95);
        ms_cell(page, l->p99);
        ms_cell(page, l->max);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div>");
    if (idle > 0)
        bf_page_put(page, "<p class=\"soft\">%zu further stages never ran.</p>", idle);
    bf_page_put(page, "</section>");
}

void bf_html_levels(bf_page *page, const bf_evaluation *e)
{
    static const char *const tags[] = {"", "", " bad", " few", " ok"};
    bf_page_put(page,
                "<section id=\"levels\"><h2>Beside commonly cited levels</h2><ul class=\"warn\"><li class=\"caution\">"
                "<b>Not a certificate.</b>%s</li></ul><div class=\"wide\"><table><thead><tr><th>Level</th><th>What is "
                "cited</th><th>Here</th><th>Reading</th></tr></thead><tbody>",
                BF_LEVELS_CAUTION);
    for (int i = 0; i < BF_LEVELS; i++) {
        const bf_level *l = &e->level[i];
        bf_page_put(page, "<tr><td>%s</td><td>%s</td><td>%s</td><td><span class=\"tag%s\">%s</span></td></tr>", l->name,
                    l->criterion, l->measured, tags[l->result], bf_level_phrase(l->result));
    }
    bf_page_put(page, "</tbody></table></div></section>");
}
