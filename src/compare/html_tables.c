/* The sections of tables. */
#include <math.h>

#include "compare/report.h"
#include "evaluate/html.h"
#include "policy/policy.h"

#define SEGMENTS_SHOWN 24 /* the others are in compare.json */
#define FLIPS_SHOWN 25

static void number_cell(bf_page *page, uint64_t number)
{
    bf_page_put(page, "<td class=\"n\">%llu</td>", (unsigned long long)number);
}

static void figure_cell(bf_page *page, bf_metric_unit unit, double value, bool is_signed)
{
    bf_page_put(page, "<td class=\"n\">");
    bf_compare_html_figure(page, unit, value, is_signed);
    bf_page_put(page, "</td>");
}

static void contrast_cells(bf_page *page, bf_metric_unit unit, const bf_contrast *c)
{
    figure_cell(page, unit, c->a, false);
    figure_cell(page, unit, c->b, false);
    bf_page_put(page, "<td class=\"n\"><b>");
    bf_compare_html_figure(page, unit, c->difference, true);
    bf_page_put(page, "</b></td><td class=\"n\">");
    bf_compare_html_span(page, unit, c->interval);
    bf_page_put(page, "</td>");
    if (c->paired.pairs == 0) {
        bf_page_put(page, "<td></td><td></td>");
        return;
    }
    bf_page_put(page, "<td class=\"n\">%llu : %llu <span class=\"of\">of %llu</span></td><td class=\"n\">",
                (unsigned long long)c->paired.worse, (unsigned long long)c->paired.better,
                (unsigned long long)c->paired.pairs);
    if (isnan(c->mcnemar))
        bf_page_put(page, "&ndash;</td>");
    else if (c->mcnemar < 0.0001)
        bf_page_put(page, "&lt;&nbsp;0.0001</td>");
    else
        bf_page_put(page, "%.4f</td>", c->mcnemar);
}

static void contrast_head(bf_page *page, const char *first)
{
    bf_page_put(page,
                "<div class=\"wide\"><table><thead><tr><th>%s</th><th class=\"n\">A</th><th class=\"n\">B</th><th "
                "class=\"n\">",
                first);
    bf_html_term(page, "difference", "B &minus; A");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "interval", "interval");
    bf_page_put(page, "</th><th class=\"n\">only B : only A wrong</th><th class=\"n\">");
    bf_html_term(page, "mcnemar", "McNemar p");
    bf_page_put(page, "</th>");
}

void bf_compare_html_metrics(bf_page *page, const bf_comparison *c)
{
    bf_page_put(page, "<section id=\"metrics\"><h2>Metrics</h2><p>Shares differ in percentage points. More is worse, "
                      "except of AUC.</p>");
    contrast_head(page, "Metric");
    bf_page_put(page, "</tr></thead><tbody>");
    for (size_t m = 0; m < c->experiment.metrics; m++) {
        const bf_metric *metric = &c->experiment.metric[m];
        bf_page_put(page, "<tr class=\"%s\"><td>", m < c->experiment.primary ? "worst" : "");
        bf_compare_html_metric(page, metric);
        bf_page_put(page, "%s</td>", m < c->experiment.primary ? "<span class=\"tag\">primary</span>" : "");
        contrast_cells(page, bf_metric_unit_of(metric->kind), &c->metric[m]);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page,
                "</tbody></table></div><p class=\"soft\">Behind a maximum over species, the pairs are those of the "
                "species that B does worst on.</p></section>");
}

static double reach_of(const bf_contrast *contrasts, size_t count)
{
    double reach = 0;
    for (size_t i = 0; i < count; i++) {
        const bf_contrast *c = &contrasts[i];
        if (!isnan(c->interval.low))
            reach = fmax(reach, fmax(fabs(c->interval.low), fabs(c->interval.high)));
    }
    return reach;
}

void bf_compare_html_species(bf_page *page, const bf_comparison *c)
{
    double reach = reach_of(c->kind, c->kinds);
    bf_page_put(page, "<section id=\"species\"><h2>Errors by species</h2><p>");
    bf_html_term(page, "apcer", "APCER");
    bf_page_put(page, " of each ");
    bf_html_term(page, "species", "species");
    bf_page_put(page, ", and ");
    bf_html_term(page, "bpcer", "BPCER");
    bf_page_put(page, ", A at a threshold of %g and B at %g. The axis reaches from &minus;%.3g to +%.3g points.</p>",
                c->experiment.threshold[0], c->experiment.threshold[1], 100 * reach, 100 * reach);
    contrast_head(page, "Class");
    bf_page_put(page, "<th></th></tr></thead><tbody>");
    for (size_t i = 0; i < c->kinds; i++) {
        size_t k = (i + 1) % c->kinds; /* the bona fide last */
        bf_page_put(page, "<tr class=\"%s\"><td>", k == 0 ? "worst" : "");
        bf_page_escape(page, bf_compared_kind(c, k));
        bf_page_put(page, "%s</td>", bf_compared_counts(c, k) ? "" : "<span class=\"tag\">beside</span>");
        contrast_cells(page, BF_UNIT_SHARE, &c->kind[k]);
        bf_compare_html_bar_cell(page, c->kind[k].difference, c->kind[k].interval, reach, NAN);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div></section>");
}

static void segment_cells(bf_page *page, const bf_rate rate[2], const bf_paired *paired, bf_span span)
{
    figure_cell(page, BF_UNIT_SHARE, rate[0].value, false);
    figure_cell(page, BF_UNIT_SHARE, rate[1].value, false);
    bf_page_put(page, "<td class=\"n\"><b>");
    bf_compare_html_figure(page, BF_UNIT_SHARE, rate[1].value - rate[0].value, true);
    bf_page_put(page, "</b> <span class=\"of\">of %llu</span></td><td class=\"n\">", (unsigned long long)paired->pairs);
    bf_compare_html_span(page, BF_UNIT_SHARE, span);
    bf_page_put(page, "</td>");
}

static void segment_row(bf_page *page, const bf_comparison *c, const bf_compared_segment *s)
{
    bf_page_put(page, "<tr class=\"%s\"><td>%s: ", s->small ? "small" : "", bf_segment_title(s->column));
    bf_page_escape(page, s->value[0] ? s->value : "(not stated)");
    bf_page_put(page, "%s%s</td>", s->is_protected ? "<span class=\"tag ok\">protected</span>" : "",
                s->small ? "<span class=\"tag few\">few</span>" : "");
    segment_cells(page, s->bpcer, &s->bona_fide, s->bona_fide_span);
    bf_page_put(page, "<td>");
    bf_page_escape(page, s->worst_kind > 0 ? bf_compared_kind(c, s->worst_kind) : "no attacks");
    bf_page_put(page, "</td>");
    segment_cells(page, s->apcer, &s->attacks, s->attacks_span);
    bf_page_put(page, "</tr>");
}

void bf_compare_html_segments(bf_page *page, const bf_comparison *c)
{
    bf_page_put(page, "<section id=\"segments\"><h2>Segments</h2>");
    if (c->segments == 0) {
        bf_page_put(page, "<p>The tables state neither platform nor device, channel, lighting or any other column to "
                          "tell presentations apart by. What got worse for some is not seen in a mean.</p></section>");
        return;
    }
    bf_page_put(
        page, "<p>Protected ones first, then by how much worse a segment surely is. Intervals are by pair. Rows "
              "marked &ldquo;few&rdquo; stand on few samples. What is not protected is told without a verdict."
              "</p><div class=\"wide\"><table class=\"tight long\"><thead><tr><th>Segment</th><th class=\"n\">BPCER "
              "A</th><th class=\"n\">B</th><th class=\"n\">B &minus; A</th><th class=\"n\">interval</th><th>B&rsquo;s "
              "worst species</th><th class=\"n\">APCER A</th><th class=\"n\">B</th><th class=\"n\">B &minus; A"
              "</th><th class=\"n\">interval</th></tr></thead><tbody>");
    for (size_t i = 0; i < c->segments && i < SEGMENTS_SHOWN; i++)
        segment_row(page, c, &c->segment[i]);
    bf_page_put(page, "</tbody></table></div>");
    if (c->segments > SEGMENTS_SHOWN)
        bf_page_put(page, "<p class=\"soft\">%zu further segments are in compare.json.</p>",
                    c->segments - SEGMENTS_SHOWN);
    bf_page_put(page, "</section>");
}

static const char *decision_name(int place)
{
    return place < BF_DECISIONS ? bf_decision_name((bf_decision)place) : "none";
}

static void decision_table(bf_page *page, const uint64_t count[BF_DECISIONS_AND_NONE][BF_DECISIONS_AND_NONE],
                           const char *who)
{
    static const int order[BF_DECISIONS_AND_NONE] = {BF_DECISION_APPROVE, BF_DECISION_REVIEW, BF_DECISION_CHALLENGE,
                                                     BF_DECISION_RETRY,   BF_DECISION_REJECT, BF_DECISIONS};
    bf_page_put(page, "<div><h3>%s</h3><div class=\"wide\"><table><thead><tr><th>A &darr;&ensp;B &rarr;</th>", who);
    for (int to = 0; to < BF_DECISIONS_AND_NONE; to++)
        bf_page_put(page, "<th class=\"n\">%s</th>", decision_name(order[to]));
    bf_page_put(page, "</tr></thead><tbody>");
    for (int from = 0; from < BF_DECISIONS_AND_NONE; from++) {
        bf_page_put(page, "<tr><td>%s</td>", decision_name(order[from]));
        for (int to = 0; to < BF_DECISIONS_AND_NONE; to++) {
            uint64_t number = count[order[from]][order[to]];
            bf_page_put(page, "<td class=\"n%s\">%llu</td>",
                        from == to   ? " same"
                        : number > 0 ? " moved"
                                     : " soft",
                        (unsigned long long)number);
        }
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div></div>");
}

void bf_compare_html_decisions(bf_page *page, const bf_comparison *c)
{
    bf_page_put(page, "<section id=\"decisions\"><h2>Decisions</h2>");
    if (!c->pairs->a.has_decision || !c->pairs->b.has_decision) {
        bf_page_put(page, "<p>One of the tables has no decisions.</p></section>");
        return;
    }
    bf_page_put(page, "<p>What each release&rsquo;s policy decided about the same sample. On the diagonal nothing "
                      "changed.</p><div class=\"pair\">");
    decision_table(page, c->decision[0], "Bona fide");
    decision_table(page, c->decision[1], "Attacks");
    bf_page_put(page, "</div></section>");
}

void bf_compare_html_shifts(bf_page *page, const bf_comparison *c)
{
    bf_page_put(page,
                "<section id=\"shift\"><h2>How the scores moved</h2><p>B&rsquo;s score minus A&rsquo;s, of the "
                "samples that both judged. Scores run from 0 to 100, higher for bona fide.</p><div class=\"wide\">"
                "<table><thead><tr><th>Class</th><th class=\"n\">samples</th><th class=\"n\">unchanged</th><th "
                "class=\"n\">mean</th><th class=\"n\">least</th><th class=\"n\">5&nbsp;%%</th><th class=\"n\">"
                "25&nbsp;%%</th><th class=\"n\">median</th><th class=\"n\">75&nbsp;%%</th><th class=\"n\">95&nbsp;%%"
                "</th><th class=\"n\">most</th><th class=\"n\">");
    bf_html_term(page, "ks", "KS");
    bf_page_put(page, "</th></tr></thead><tbody>");
    for (size_t k = 0; k < c->kinds; k++) {
        const bf_shift *s = &c->shift[k];
        bf_page_put(page, "<tr><td>");
        bf_page_escape(page, bf_compared_kind(c, k));
        bf_page_put(page, "</td>");
        number_cell(page, s->pairs);
        number_cell(page, s->same);
        if (s->pairs == 0) {
            bf_page_put(page, "<td colspan=\"9\"></td></tr>");
            continue;
        }
        bf_page_put(page, "<td class=\"n\"><b>%+.2f</b></td>", s->mean);
        for (int q = 0; q < BF_SHIFT_QUANTILES; q++)
            bf_page_put(page, "<td class=\"n\">%+.2f</td>", s->quantile[q]);
        bf_page_put(page, "<td class=\"n\">%.3f</td></tr>", s->ks);
    }
    bf_page_put(page, "</tbody></table></div></section>");
}

static void share_of(bf_page *page, uint64_t part, const bf_moves *m)
{
    uint64_t all = m->stay_above + m->stay_below + m->up + m->down;
    bf_page_put(page, "<td class=\"n\">");
    bf_html_percent(page, all > 0 ? (double)part / (double)all : (double)NAN);
    bf_page_put(page, "</td>");
}

static void choice_row(bf_page *page, const char *what, const bf_band_choice *choice)
{
    bf_page_put(page, "<tr><td>%s</td>", what);
    if (isinf(choice->point.threshold))
        bf_page_put(page, "<td class=\"n\">none</td>");
    else
        bf_page_put(page, "<td class=\"n\"><b>%.4g</b></td>", choice->point.threshold);
    figure_cell(page, BF_UNIT_SHARE, choice->point.bpcer, false);
    figure_cell(page, BF_UNIT_SHARE, choice->point.apcer, false);
    share_of(page, choice->bona_fide.up, &choice->bona_fide);
    share_of(page, choice->bona_fide.down, &choice->bona_fide);
    share_of(page, choice->attacks.up, &choice->attacks);
    share_of(page, choice->attacks.down, &choice->attacks);
    bf_page_put(page, "</tr>");
}

void bf_compare_html_bands(bf_page *page, const bf_comparison *c)
{
    bf_page_put(page, "<section id=\"bands\"><h2>What happens to yesterday&rsquo;s ");
    bf_html_term(page, "band", "bands");
    bf_page_put(page,
                "</h2><p>For each threshold of A: what the same number means in B, and which threshold of B rejects "
                "no more bona fide, or accepts no more attacks of any species. The last columns are shares of the "
                "samples that both judged and that end on the other side.</p>");
    for (size_t i = 0; i < c->experiment.bands; i++) {
        const bf_band_migration *band = &c->band[i];
        bf_page_put(page, "<h3>A at %g</h3><p>BPCER ", band->threshold);
        bf_html_percent(page, band->a.bpcer);
        bf_page_put(page, ", highest APCER ");
        bf_html_percent(page, band->a.apcer);
        bf_page_put(page,
                    ".</p><div class=\"wide\"><table><thead><tr><th>In B</th><th class=\"n\">threshold</th><th "
                    "class=\"n\">BPCER</th><th class=\"n\">highest APCER</th><th class=\"n\">bona fide up</th><th "
                    "class=\"n\">down</th><th class=\"n\">attacks up</th><th class=\"n\">down</th></tr></thead>"
                    "<tbody>");
        choice_row(page, "the same threshold", &band->same);
        choice_row(page, "with no higher BPCER", &band->same_bpcer);
        choice_row(page, "with no higher APCER", &band->same_apcer);
        bf_page_put(page, "</tbody></table></div>");
    }
    bf_page_put(page, "</section>");
}

static void flip_row(bf_page *page, const bf_comparison *c, const bf_flip *flip)
{
    const bf_score_row *a = &c->pairs->a.row[flip->row], *b = &c->pairs->b.row[flip->row];
    bf_page_put(page, "<tr><td>");
    bf_page_escape(page, bf_scores_sample_id(&c->pairs->a, flip->row));
    bf_page_put(page, "</td><td>%s</td><td>", bf_flip_phrase(flip->rank));
    bf_page_escape(page, bf_compared_kind(c, a->kind));
    bf_page_put(page, "</td>");
    const double values[] = {a->score, b->score};
    for (int t = 0; t < 2; t++)
        bf_page_put(page, isnan(values[t]) ? "<td class=\"n\">&ndash;</td>" : "<td class=\"n\">%.1f</td>", values[t]);
    bf_page_put(page, "</tr>");
}

void bf_compare_html_flips(bf_page *page, const bf_comparison *c)
{
    uint64_t count[BF_FLIP_RANKS] = {0};
    for (size_t i = 0; i < c->flips; i++)
        count[c->flip[i].rank]++;
    bf_page_put(page, "<section id=\"flips\"><h2>Samples whose answer changed</h2><p>%zu ", c->flips);
    bf_html_term(page, "flip", "flips");
    bf_page_put(page, " among %zu samples.</p>", c->pairs->a.count);
    if (c->flips == 0) {
        bf_page_put(page, "</section>");
        return;
    }
    bf_page_put(page, "<div class=\"wide\"><table><thead><tr><th>Change</th><th class=\"n\">samples</th></tr></thead>"
                      "<tbody>");
    for (uint8_t r = 0; r < BF_FLIP_RANKS; r++)
        bf_page_put(page, "<tr><td>%s</td><td class=\"n\">%llu</td></tr>", bf_flip_phrase(r),
                    (unsigned long long)count[r]);
    bf_page_put(
        page, "</tbody></table></div><h3>The worst</h3><div class=\"wide\"><table class=\"tight long\"><thead><tr><th>"
              "Sample</th><th>change</th><th>class</th><th class=\"n\">score in A</th><th class=\"n\">in B</th>"
              "</tr></thead><tbody>");
    for (size_t i = 0; i < c->flips && i < FLIPS_SHOWN; i++)
        flip_row(page, c, &c->flip[i]);
    bf_page_put(page, "</tbody></table></div>");
    if (c->flips > FLIPS_SHOWN)
        bf_page_put(page, "<p class=\"soft\">All %zu are in flips.csv.</p>", c->flips);
    bf_page_put(page, "</section>");
}

static void latency_cells(bf_page *page, double a, double b)
{
    figure_cell(page, BF_UNIT_MS, a, false);
    figure_cell(page, BF_UNIT_MS, b, false);
    if (a > 0 && !isnan(b))
        bf_page_put(page, "<td class=\"n\"><b>%+.0f&nbsp;%%</b></td>", 100 * (b / a - 1));
    else
        bf_page_put(page, "<td class=\"n\">&ndash;</td>");
}

void bf_compare_html_latency(bf_page *page, const bf_comparison *c)
{
    bf_page_put(page, "<section id=\"latency\"><h2>Latency</h2>");
    if (c->stages == 0) {
        bf_page_put(page, "<p>The tables have no times.</p></section>");
        return;
    }
    bf_page_put(page, "<p>By stage and ");
    bf_html_term(page, "percentile", "percentile");
    bf_page_put(page, ". Times compare only when both tables were scored on the same, idle machine.</p><div "
                      "class=\"wide\"><table><thead><tr><th>Stage</th><th class=\"n\">p50 A</th><th class=\"n\">B</th>"
                      "<th></th><th class=\"n\">p95 A</th><th class=\"n\">B</th><th></th><th class=\"n\">p99 A</th><th "
                      "class=\"n\">B</th><th></th></tr></thead><tbody>");
    for (size_t s = 0; s < c->stages; s++) {
        const bf_stage_change *stage = &c->stage[s];
        if (stage->latency[0].count + stage->latency[1].count == 0)
            continue;
        bf_page_put(page, "<tr><td>");
        bf_page_escape(page, stage->stage);
        bf_page_put(page, "</td>");
        latency_cells(page, stage->latency[0].p50, stage->latency[1].p50);
        latency_cells(page, stage->latency[0].p95, stage->latency[1].p95);
        latency_cells(page, stage->latency[0].p99, stage->latency[1].p99);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div></section>");
}
