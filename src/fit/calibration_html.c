/* calibration.html: the top of the page, and a section for each detector. */
#include "fit/calibration_html.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "evaluate/html.h"
#include "fit/calibration_report.h"

#define TITLE "Calibration of detectors"

static void header(bf_page *page, const bf_calibration_report *r, const bf_report_facts *facts)
{
    const bf_scores *s = &r->table->scores;
    bf_page_put(page, "<body><header><h1>" TITLE "</h1><p class=\"soft\">");
    bf_page_escape(page, facts->program);
    if (facts->made_at) {
        bf_page_put(page, ", ");
        bf_page_escape(page, facts->made_at);
    }
    bf_page_put(page, "</p><dl class=\"facts\">");
    bf_html_fact(page, "Scores table", facts->table);
    bf_html_number_fact(page, "Presentations", s->count);
    bf_html_number_fact(page, "Persons", s->persons);
    bf_html_fact(page, "Split", s->split[0] ? s->split : "all rows");
    if (s->stack[0])
        bf_html_fact(page, "Stack", s->stack);
    for (size_t b = 0; b < r->beside_count; b++)
        bf_html_fact(page, "Species left out", r->beside[b]);
    bf_page_put(page, "</dl></header><nav aria-label=\"Sections\"><div><a href=\"#summary\">Summary</a>");
    for (size_t i = 0; i < r->detectors; i++) {
        bf_page_put(page, "<a href=\"#detector-%zu\">", i);
        bf_page_escape(page, r->detector[i].name);
        bf_page_put(page, "</a>");
    }
    bf_page_put(page, "<a href=\"#method\">Method</a><a href=\"#glossary\">Definitions</a></div></nav><main>");
}

static void number_cell(bf_page *page, double value, const char *format_if_bold)
{
    if (isnan(value))
        bf_page_put(page, "<td class=\"n\">&ndash;</td>");
    else
        bf_page_put(page, "<td class=\"n\">%s%.3f%s</td>", format_if_bold[0] ? "<b>" : "", value,
                    format_if_bold[0] ? "</b>" : "");
}

static void difference(bf_page *page, const bf_difference *d)
{
    bf_page_put(page, "%+.3f", d->value + 0.0);
    if (!isnan(d->span.low))
        bf_page_put(page, " <span class=\"of\">%+.3f to %+.3f</span>", d->span.low + 0.0, d->span.high + 0.0);
}

static void summary_row(bf_page *page, const bf_calibrated *c, size_t index)
{
    const bf_calibration_error *after = &bf_calibrated_after(c)->held_out.balanced;
    const bf_calibration_error *before = &c->before.balanced;
    bf_page_put(page, "<tr><td><a href=\"#detector-%zu\">", index);
    bf_page_escape(page, c->name);
    bf_page_put(page, "</a></td><td>%s%s</td>", bf_fit_method_name(c->chosen), c->channels.llr ? ", by channel" : "");
    number_cell(page, c->has_before ? before->log_loss : (double)NAN, "");
    number_cell(page, after->log_loss, "b");
    bf_page_put(page, "<td class=\"n\">");
    if (c->has_before)
        difference(page, &c->log_loss);
    else
        bf_page_put(page, "&ndash;");
    bf_page_put(page, "</td>");
    number_cell(page, c->has_before ? before->ece : (double)NAN, "");
    number_cell(page, after->ece, "b");
    bf_page_put(page, "<td class=\"n\">%.2f to %.2f</td><td class=\"n\">%zu</td></tr>", c->fit.llr_min, c->fit.llr_max,
                c->warnings);
}

static void summary(bf_page *page, const bf_calibration_report *r)
{
    bf_page_put(page, "<section id=\"summary\"><p class=\"lead\">What turns each detector&rsquo;s ");
    bf_html_term(page, "raw", "raw value");
    bf_page_put(page, " into a ");
    bf_html_term(page, "llr", "log-likelihood ratio");
    bf_page_put(page, ", and how well it does on persons who were ");
    bf_html_term(page, "held-out", "held out");
    bf_page_put(page, ".</p><div class=\"wide\"><table><thead><tr><th>Detector</th><th>");
    bf_html_term(page, "chosen", "Method");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "log-loss", "Log loss");
    bf_page_put(page, " before</th><th class=\"n\">after</th><th class=\"n\">");
    bf_html_term(page, "by-person", "difference");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "ece", "ECE");
    bf_page_put(page, " before</th><th class=\"n\">after</th><th class=\"n\">");
    bf_html_term(page, "clamp", "Ratios");
    bf_page_put(page, "</th><th class=\"n\">Warnings</th></tr></thead><tbody>");
    for (size_t i = 0; i < r->detectors; i++)
        summary_row(page, &r->detector[i], i);
    bf_page_put(page,
                "</tbody></table></div><p class=\"soft\">Before: the ratios in the table. They may have been fitted "
                "on these very rows, which flatters them; those after are always of persons held out.</p>");
    if (r->skipped_count > 0)
        bf_page_put(page, "<h3>Left out</h3><ul class=\"warn\">");
    for (size_t i = 0; i < r->skipped_count; i++) {
        bf_page_put(page, "<li>");
        bf_page_escape(page, r->skipped[i].why);
        bf_page_put(page, "</li>");
    }
    bf_page_put(page, "%s</section>", r->skipped_count > 0 ? "</ul>" : "");
}

static void trial_row(bf_page *page, const bf_calibrated *c, const bf_fit_trial *t, bf_fit_method method)
{
    bool chosen = t == bf_calibrated_after(c), baseline = method >= BF_FIT_CANDIDATES;
    bf_page_put(page, "<tr%s><td>", chosen ? " class=\"worst\"" : baseline ? " class=\"aside\"" : "");
    bf_html_term(page, bf_fit_method_name(method), bf_fit_method_name(method));
    bf_page_put(page, "%s%s%s%s</td>", t->by_channel ? ", by channel" : "",
                chosen ? "<span class=\"tag ok\">written</span>" : "",
                baseline ? "<span class=\"tag\">to compare</span>" : "",
                t->worse ? "<span class=\"tag bad\">worse</span>" : "");
    number_cell(page, t->held_out.balanced.log_loss, chosen ? "b" : "");
    bf_page_put(page, "<td class=\"n\">");
    difference(page, &t->over_best);
    bf_page_put(page, "</td>");
    number_cell(page, t->held_out.balanced.log_loss / log(2), "");
    number_cell(page, t->held_out.balanced.brier, "");
    number_cell(page, t->held_out.balanced.ece, "");
    number_cell(page, t->by_source.log_loss, "");
    bf_page_put(page, "</tr>");
}

static void trials(bf_page *page, const bf_calibrated *c)
{
    bf_page_put(page, "<div class=\"wide\"><table><thead><tr><th>Method</th><th class=\"n\">");
    bf_html_term(page, "log-loss", "Log loss");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "by-person", "over the best");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "cllr", "Cllr");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "brier", "Brier");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "ece", "ECE");
    bf_page_put(page, "</th><th class=\"n\">Log loss, ");
    bf_html_term(page, "by-source", "sources held out");
    bf_page_put(page, "</th></tr></thead><tbody>");
    for (int m = 0; m < BF_FIT_METHODS; m++)
        trial_row(page, c, &c->trial[m], (bf_fit_method)m);
    if (c->channels.llr)
        trial_row(page, c, &c->channels, c->chosen);
    bf_page_put(page, "</tbody></table></div>");
    if (c->channels.llr)
        bf_page_put(page, "<p class=\"soft\">The row by channel is compared with one curve for all.</p>");
}

static void channels(bf_page *page, const bf_calibrated *c)
{
    if (!c->channels.llr)
        return;
    bf_page_put(page, "<h3>Channels</h3><div class=\"wide\"><table><thead><tr><th>Channel</th><th class=\"n\">Bona "
                      "fide</th><th class=\"n\">Attacks</th><th class=\"n\">");
    bf_html_term(page, "share", "Share of its own fit");
    bf_page_put(page, "</th></tr></thead><tbody>");
    for (int i = 0; i < BF_CHANNEL_COUNT; i++) {
        const bf_channel_fit *channel = &c->channel[i];
        if (channel->rows[0] + channel->rows[1] == 0)
            continue;
        bf_page_put(page, "<tr><td>%s</td><td class=\"n\">%llu</td><td class=\"n\">%llu</td><td class=\"n\">",
                    i == 0 ? "other, or not said" : bf_channel_name((bf_channel)i),
                    (unsigned long long)channel->rows[0], (unsigned long long)channel->rows[1]);
        if (channel->share > 0)
            bf_page_put(page, "%.0f&nbsp;%%</td></tr>", 100 * channel->share);
        else
            bf_page_put(page, "none: the curve for all</td></tr>");
    }
    bf_page_put(page, "</tbody></table></div>");
}

static void detector(bf_page *page, const bf_calibrated *c, size_t index)
{
    bf_page_put(page, "<section id=\"detector-%zu\"><h2>", index);
    bf_page_escape(page, c->name);
    bf_page_put(page, "</h2><p>Version ");
    bf_page_escape(page, c->fit.detector_version);
    bf_page_put(
        page,
        " of the detector, calibration %s. %llu bona fide presentations of %llu persons, %llu attacks of %llu.</p>",
        c->fit.version, (unsigned long long)c->rows[0], (unsigned long long)c->persons[0],
        (unsigned long long)c->rows[1], (unsigned long long)c->persons[1]);
    if (c->warnings > 0)
        bf_page_put(page, "<ul class=\"warn\">");
    for (size_t w = 0; w < c->warnings; w++) {
        bf_page_put(page, "<li class=\"caution\"><b>Caution.</b>");
        bf_page_escape(page, c->warning[w]);
        bf_page_put(page, "</li>");
    }
    bf_page_put(page, "%s", c->warnings > 0 ? "</ul>" : "");
    trials(page, c);
    bf_calibration_html_curve(page, c);
    bf_page_put(page, "<div class=\"pair\">");
    if (c->has_before)
        bf_html_reliability(page, &c->before, " before: the ratios in the table, stated at its own share of attacks");
    bf_html_reliability(page, &bf_calibrated_after(c)->held_out,
                        " after: persons held out, stated at the table&rsquo;s own share of attacks");
    bf_page_put(page, "</div>");
    channels(page, c);
    bf_page_put(page, "</section>");
}

static void method(bf_page *page, const bf_calibration_report *r)
{
    const bf_scores *s = &r->table->scores;
    bf_page_put(
        page,
        "<section id=\"method\"><h2>How this was made</h2><ul><li>Only rows whose review is confirmed count: %zu "
        "do; %zu are uncertain, %zu disputed, %zu excluded; %zu are of other splits. Nothing is fitted on a split "
        "called test.</li><li>A row counts for a detector that was present in it.</li>",
        s->count, s->set_aside[BF_REVIEW_UNCERTAIN], s->set_aside[BF_REVIEW_DISPUTED], s->set_aside[BF_REVIEW_EXCLUDED],
        s->other_split);
    bf_page_put(
        page,
        "<li>Both classes weigh the same in a fit, and within a class a source of n presentations as the square "
        "root of n, so that no data set decides alone. In the figures presentations of a class weigh "
        "alike.</li><li>Persons were dealt into %zu folds with the seed %llu%s.</li><li>Intervals: %zu draws of "
        "persons with the same seed.</li>",
        r->options->folds, (unsigned long long)r->options->seed,
        s->without_person > 0 ? "; rows without a person are persons of their own" : "", r->options->replicates);
    bf_page_put(page,
                "<li>%s</li><li>Equal input gives equal files, whatever the order of its rows.</li></ul></section>",
                r->options->method ? "The method was asked for, not chosen."
                                   : "The method was chosen with the same folds that describe it, which flatters it "
                                     "a little: test it on a split that nothing was fitted on.");
}

bf_status bf_calibration_report_html(bf_bytes *ret, const bf_calibration_report *r, const bf_report_facts *facts,
                                     bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    bf_html_head(&page, TITLE);
    header(&page, r, facts);
    summary(&page, r);
    for (size_t i = 0; i < r->detectors; i++)
        detector(&page, &r->detector[i], i);
    method(&page, r);
    bf_calibration_html_definitions(&page);
    bf_page_put(&page,
                "<footer>Every figure is also in calibration.json beside this page.</footer></main></body></html>\n");
    return bf_page_take(&page, ret, err);
}
