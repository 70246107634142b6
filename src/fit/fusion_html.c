/* fusion.html: one page, as self-contained as the report of an evaluation. */
#include <math.h>
#include <stdio.h>

#include "evaluate/html.h"
#include "evaluate/report.h"
#include "fit/fusion_model.h"

/* The terms of an evaluation that stand here, too. */
static const char *const SHARED[] = {"apcer",    "bpcer", "species", "threshold", "by-person",
                                     "bpcer-at", "eer",   "auc",     NULL};

static const bf_html_definition TERMS[] = {
    {"cllr", "Cllr",
     "What the log-likelihood ratios cost, in bits, bona fide and attacks weighing the same: 0 is perfect, 1 is what "
     "saying nothing costs, and confident mistakes cost most. It judges order and meaning of the ratios together."},
    {"held-out", "Persons held out",
     "Persons are dealt into parts. Each part is judged by what was fitted on the others, so that nobody is judged by "
     "something that has seen them. Only such figures choose the method."},
    {"sources", "Sources held out",
     "The same with whole sources (collections, cameras) instead of persons: what to expect of cameras that are not in "
     "the table."},
    {"apparent", "Apparent",
     "On the very rows that were fitted on. It always flatters; how far it lies from the held-out figure shows how "
     "much "
     "was learnt by heart."},
    {"difference", "Difference, with its interval",
     "How much higher the figure is than that of the method or fusion compared with. Both are measured on the same "
     "persons drawn again, so that what is hard for both cancels out. An interval that holds 0 may be chance."},
    {"parameters", "Parameters", "About how many numbers a method takes from the table. Each wants ten persons."},
    {"left-out", "Left out", "Everything fitted and judged again without the detector: what the detector adds."},
    {"failing", "Failing",
     "Everything fitted with the detector, and then it gives no evidence: another configuration of the file takes "
     "over, "
     "or the trees go the way they learnt for its absence."},
};

static void header(bf_page *page, const bf_fusion_fit *fit, const char *table)
{
    const bf_scores *s = &fit->table->scores;
    bf_page_put(page, "<body><header><h1>Fusion ");
    bf_page_escape(page, fit->options.name);
    bf_page_put(page, " ");
    bf_page_escape(page, fit->options.version);
    bf_page_put(page, "</h1><p class=\"soft\">bonafide " BF_VERSION "</p><dl class=\"facts\">");
    bf_html_fact(page, "Scores table", table);
    bf_html_fact(page, "Split", s->split[0] ? s->split : "all rows (the table has no splits)");
    bf_html_fact(page, "Stack", s->stack[0] ? s->stack : "not stated");
    bf_page_put(page,
                "<div><dt>Fitted on</dt><dd>%zu bona fide of %zu persons, %zu attacks of %zu persons</dd></div></dl>"
                "</header><nav aria-label=\"Sections\"><div><a href=\"#methods\">Methods</a><a href=\"#species\">"
                "Species</a><a href=\"#detectors\">Detectors</a><a href=\"#failing\">Failures</a><a href=\"#file\">"
                "File</a><a href=\"#method\">Method</a><a href=\"#glossary\">Definitions</a></div></nav><main>",
                fit->fitted[0], fit->persons[0], fit->fitted[1], fit->persons[1]);
}

/* What would be written as -0.000 is 0. */
static double rounded(double value)
{
    return fabs(value) < 0.0005 ? 0 : value;
}

static void span_text(bf_page *page, bf_span span, bool signs)
{
    if (isnan(span.low) || isnan(span.high))
        bf_page_put(page, "&ndash;");
    else
        bf_page_put(page, signs ? "%+.3f to %+.3f" : "%.3f to %.3f", rounded(span.low), rounded(span.high));
}

/* A figure with its interval below it. */
static void number_cell(bf_page *page, double value, bf_span span, bool sign)
{
    bf_page_put(page, "<td class=\"n\">");
    if (isnan(value)) {
        bf_page_put(page, "&ndash;</td>");
        return;
    }
    bf_page_put(page, sign ? "<b>%+.3f</b><span class=\"of\">" : "<b>%.3f</b><span class=\"of\">", rounded(value));
    span_text(page, span, sign);
    bf_page_put(page, "</span></td>");
}

static void percent_cell(bf_page *page, double value, bf_span span)
{
    bf_page_put(page, "<td class=\"n\"><b>");
    bf_html_percent(page, value);
    bf_page_put(page, "</b><span class=\"of\">");
    bf_html_interval(page, span.low, span.high);
    bf_page_put(page, "</span></td>");
}

static void plain_cell(bf_page *page, double value)
{
    if (isnan(value))
        bf_page_put(page, "<td class=\"n\">&ndash;</td>");
    else
        bf_page_put(page, "<td class=\"n\">%.3f</td>", value);
}

static void card(bf_page *page, const char *key, const char *label, const char *big, const char *below)
{
    bf_page_put(page, "<div class=\"card\"><p>");
    bf_html_term(page, key, label);
    bf_page_put(page, "</p><div class=\"big\">%s</div><p class=\"soft\">", big);
    bf_page_escape(page, below);
    bf_page_put(page, "</p></div>");
}

static void rate_card(bf_page *page, const char *key, const char *label, const bf_rate *rate, const char *who)
{
    char big[32], below[160];
    (void)snprintf(big, sizeof big, "%.2f&nbsp;%%", 100 * rate->value);
    (void)snprintf(below, sizeof below, "%.2f to %.2f %%, %.60s", 100 * rate->low, 100 * rate->high, who);
    card(page, key, label, rate->total > 0 ? big : "&ndash;", below);
}

static void summary(bf_page *page, const bf_fusion_fit *fit)
{
    static const char *const words[] = {"Note.", "Caution.", "Serious."};
    const bf_fusion_figures *f = &fit->candidate[fit->chosen].held;
    char big[2][32], below[2][64];
    for (int m = 0; m < 2; m++) {
        (void)snprintf(big[m], sizeof big[m], "%.3f", f->value[m]);
        (void)snprintf(below[m], sizeof below[m], "%.3f to %.3f by person", f->span[m].low, f->span[m].high);
    }
    bf_page_put(page, "<section id=\"summary\"><p class=\"lead\"><b>%s</b> ", bf_fusing_title(fit->chosen));
    if (fit->options.method >= 0)
        bf_page_put(page, "was asked for.");
    else if (fit->chosen == fit->best)
        bf_page_put(page, "is the best, and nothing simpler is as good.");
    else
        bf_page_put(page, "is the simplest method that is not worse than the best, %s, by more than chance.",
                    bf_fusing_title(fit->best));
    bf_page_put(page, " All figures are of persons that the fit has not seen, unless something else is said.</p>"
                      "<div class=\"cards\">");
    card(page, "cllr", "Cllr", big[BF_MEASURED_CLLR], below[BF_MEASURED_CLLR]);
    card(page, "auc", "AUC", big[BF_MEASURED_AUC], below[BF_MEASURED_AUC]);
    rate_card(page, "apcer", "Highest APCER", &f->error[f->worst_kind],
              f->worst_kind > 0 ? bf_fusion_kind_name(fit, f->worst_kind) : "no attacks");
    rate_card(page, "bpcer", "BPCER", &f->error[0], "bona fide rejected");
    bf_page_put(page, "</div>%s", fit->warnings > 0 ? "<h3>Before you use this</h3><ul class=\"warn\">" : "");
    for (size_t i = 0; i < fit->warnings; i++) {
        bf_page_put(page, "<li class=\"%s\"><b>%s</b>", bf_gravity_word(fit->warning[i].gravity),
                    words[fit->warning[i].gravity]);
        bf_page_escape(page, fit->warning[i].text);
        bf_page_put(page, "</li>");
    }
    bf_page_put(page, "%s</section>", fit->warnings > 0 ? "</ul>" : "");
}

static void heading(bf_page *page, const char *key, const char *label)
{
    bf_page_put(page, "<th class=\"n\">");
    bf_html_term(page, key, label);
    bf_page_put(page, "</th>");
}

static void method_row(bf_page *page, const bf_fusion_fit *fit, bf_fusing method)
{
    const bf_fusion_candidate *c = &fit->candidate[method];
    const bf_fusion_figures *f = &c->held;
    char parameters[48];
    (void)snprintf(parameters, sizeof parameters, "%zu parameters", c->parameters);
    bf_page_put(page, "<tr class=\"%s\"><td>%s%s%s <span class=\"of\">", method == fit->chosen ? "worst" : "",
                bf_fusing_title(method), method == fit->chosen ? "<span class=\"tag ok\">chosen</span>" : "",
                c->scarce  ? "<span class=\"tag few\">few persons</span>"
                : c->worse ? "<span class=\"tag bad\">worse</span>"
                           : "");
    bf_html_term(page, "parameters", parameters);
    bf_page_put(page, "</span></td>");
    if (c->refused[0]) {
        bf_page_put(page, "<td colspan=\"7\">Not fitted. ");
        bf_page_escape(page, c->refused);
        bf_page_put(page, "</td></tr>");
        return;
    }
    number_cell(page, f->value[BF_MEASURED_CLLR], f->span[BF_MEASURED_CLLR], false);
    if (method == fit->best)
        bf_page_put(page, "<td class=\"n\">the best</td>");
    else
        number_cell(page, f->more[BF_MEASURED_CLLR], f->more_span[BF_MEASURED_CLLR], true);
    number_cell(page, f->value[BF_MEASURED_AUC], f->span[BF_MEASURED_AUC], false);
    percent_cell(page, f->value[BF_MEASURED_EER], f->span[BF_MEASURED_EER]);
    percent_cell(page, f->value[BF_MEASURED_BPCER10], f->span[BF_MEASURED_BPCER10]);
    plain_cell(page, c->apparent_cllr);
    plain_cell(page, c->source_cllr);
    bf_page_put(page, "</tr>");
}

static void methods(bf_page *page, const bf_fusion_fit *fit)
{
    bf_page_put(
        page,
        "<section id=\"methods\"><h2>Methods, simplest first</h2><p>Over the %zu presentations that all of them "
        "judge. Below each figure stands its 95&nbsp;%% interval by person. A method is worse when in Cllr or in "
        "AUC the whole interval of the difference from the best is on the worse side.</p><div class=\"wide\">"
        "<table class=\"tight\"><thead><tr><th>method</th>",
        fit->compared);
    heading(page, "cllr", "Cllr");
    heading(page, "difference", "more than the best");
    heading(page, "auc", "AUC");
    heading(page, "eer", "EER");
    heading(page, "bpcer-at", "BPCER10");
    heading(page, "apparent", "apparent Cllr");
    heading(page, "sources", "Cllr by source");
    bf_page_put(page, "</tr></thead><tbody>");
    for (size_t m = 0; m < BF_FUSINGS; m++)
        method_row(page, fit, (bf_fusing)m);
    bf_page_put(page, "</tbody></table></div></section>");
}

static void rate_cell(bf_page *page, const bf_rate *rate)
{
    bf_page_put(page, "<td class=\"n\">");
    if (rate->total == 0) {
        bf_page_put(page, "&ndash;</td>");
        return;
    }
    bf_page_put(page, "<b>");
    bf_html_percent(page, rate->value);
    bf_page_put(page, "</b><span class=\"of\">%llu of %llu</span></td>", (unsigned long long)rate->count,
                (unsigned long long)rate->total);
}

/* One row: the rate of a kind under each of `count` ways of fusing. */
static void kind_row(bf_page *page, const bf_fusion_fit *fit, const bf_fusion_figures *const *of, size_t count,
                     size_t k)
{
    bool beside = k > 0 && fit->beside[k - 1];
    bf_page_put(page, "<tr class=\"%s\"><td>", beside ? "aside" : "");
    bf_page_escape(page, bf_fusion_kind_name(fit, k));
    bf_page_put(page, "%s%s</td>", k == 0 ? " (BPCER)" : "", beside ? "<span class=\"tag\">beside</span>" : "");
    for (size_t i = 0; i < count; i++)
        rate_cell(page, &of[i]->error[k]);
    bf_page_put(page, "</tr>");
}

static void kind_table(bf_page *page, const bf_fusion_fit *fit, const bf_fusion_figures *const *of,
                       const char *const *titles, size_t count)
{
    bf_page_put(page, "<div class=\"wide\"><table class=\"tight\"><thead><tr><th>species</th>");
    for (size_t i = 0; i < count; i++) {
        bf_page_put(page, "<th class=\"n\">");
        bf_page_escape(page, titles[i]);
        bf_page_put(page, "</th>");
    }
    bf_page_put(page, "</tr></thead><tbody>");
    for (size_t k = 1; k <= bf_names_count(&fit->table->scores.species); k++)
        kind_row(page, fit, of, count, k);
    kind_row(page, fit, of, count, 0);
    bf_page_put(page, "</tbody></table></div>");
}

static void species(bf_page *page, const bf_fusion_fit *fit)
{
    const bf_fusion_figures *of[BF_FUSINGS];
    const char *titles[BF_FUSINGS];
    size_t count = 0;
    for (size_t m = 0; m < BF_FUSINGS; m++) {
        if (fit->candidate[m].refused[0])
            continue;
        of[count] = &fit->candidate[m].held;
        titles[count++] = bf_fusing_title((bf_fusing)m);
    }
    bf_page_put(page, "<section id=\"species\"><h2>Errors at threshold %g</h2><p>The ", fit->options.threshold);
    bf_html_term(page, "apcer", "APCER");
    bf_page_put(page, " of each species, and below it the ");
    bf_html_term(page, "bpcer", "BPCER");
    bf_page_put(page, ". Presentations count whether or not the quality gate lets them pass: for figures of operation "
                      "evaluate the table of held-out scores (--out-of-fold) with bonafide eval.</p>");
    kind_table(page, fit, of, titles, count);
    bf_page_put(page, "</section>");
}

static void detector_row(bf_page *page, const bf_fusion_detector *one)
{
    const bf_fusion_figures *f = &one->without;
    bf_page_put(page, "<tr><td>");
    bf_page_escape(page, one->name);
    bf_page_put(page, "%s</td><td class=\"n\">%zu<span class=\"of\">%zu attacks</span></td>",
                one->against ? "<span class=\"tag\">only against</span>" : "", one->rows[0], one->rows[1]);
    plain_cell(page, one->single.value[BF_MEASURED_CLLR]);
    plain_cell(page, one->single.value[BF_MEASURED_AUC]);
    if (one->can_do_without) {
        number_cell(page, f->more[BF_MEASURED_CLLR], f->more_span[BF_MEASURED_CLLR], true);
        number_cell(page, f->more[BF_MEASURED_AUC], f->more_span[BF_MEASURED_AUC], true);
        number_cell(
            page, 100 * f->more[BF_MEASURED_BPCER10],
            (bf_span){100 * f->more_span[BF_MEASURED_BPCER10].low, 100 * f->more_span[BF_MEASURED_BPCER10].high}, true);
    } else {
        bf_page_put(page, "<td colspan=\"3\">without it nothing could be judged</td>");
    }
    if (isnan(one->ms))
        bf_page_put(page, "<td class=\"n\">&ndash;</td></tr>");
    else
        bf_page_put(page, "<td class=\"n\">%.1f</td></tr>", one->ms);
}

/* APCER and BPCER with everything, and with each detector left out. */
static void left_out_table(bf_page *page, const bf_fusion_fit *fit)
{
    const bf_fusion_figures *of[1 + BF_DETECTORS_MAX] = {&fit->candidate[fit->chosen].held};
    char text[BF_DETECTORS_MAX][BF_NAME_MAX + 16];
    const char *titles[1 + BF_DETECTORS_MAX] = {"with all"};
    size_t count = 1;
    for (size_t d = 0; d < fit->detectors; d++) {
        if (!fit->detector[d].can_do_without)
            continue;
        (void)snprintf(text[d], sizeof text[d], "without %s", fit->detector[d].name);
        of[count] = &fit->detector[d].without;
        titles[count++] = text[d];
    }
    bf_page_put(page, "<h3>Errors at threshold %g with each left out</h3>", fit->options.threshold);
    kind_table(page, fit, of, titles, count);
}

static void detectors(bf_page *page, const bf_fusion_fit *fit)
{
    bf_page_put(page, "<section id=\"detectors\"><h2>What each detector adds</h2><p>How much worse it becomes when a "
                      "detector is ");
    bf_html_term(page, "left-out", "left out");
    bf_page_put(page,
                ". A Cllr that rises and an AUC that falls by more than chance say that it earns its time. Its own "
                "Cllr and AUC are of its calibrated ratio as it stands in the table.</p><div class=\"wide\">"
                "<table class=\"tight\"><thead><tr><th>detector</th><th class=\"n\">bona fide</th>");
    heading(page, "cllr", "own Cllr");
    heading(page, "auc", "own AUC");
    heading(page, "difference", "Cllr without it");
    heading(page, "difference", "AUC without it");
    heading(page, "difference", "BPCER10 without it, points");
    bf_page_put(page, "<th class=\"n\">ms, median</th></tr></thead><tbody>");
    for (size_t d = 0; d < fit->detectors; d++)
        detector_row(page, &fit->detector[d]);
    bf_page_put(page, "</tbody></table></div>");
    left_out_table(page, fit);
    bf_page_put(page, "</section>");
}

static void failing(bf_page *page, const bf_fusion_fit *fit)
{
    bf_page_put(page,
                "<section id=\"failing\"><h2>When a detector fails</h2><p>The same file, with one detector giving "
                "no evidence (");
    bf_html_term(page, "failing", "failing");
    bf_page_put(page, ").</p><div class=\"wide\"><table class=\"tight\"><thead><tr><th>detector</th><th class=\"n\">"
                      "still judged</th>");
    heading(page, "cllr", "Cllr");
    heading(page, "difference", "more than with it");
    heading(page, "auc", "AUC");
    heading(page, "apcer", "highest APCER");
    heading(page, "bpcer", "BPCER");
    bf_page_put(page, "</tr></thead><tbody>");
    for (size_t d = 0; d < fit->detectors; d++) {
        const bf_fusion_detector *one = &fit->detector[d];
        const bf_fusion_figures *f = &one->missing;
        bf_page_put(page, "<tr><td>");
        bf_page_escape(page, one->name);
        if (!one->can_do_without) {
            bf_page_put(page, "</td><td colspan=\"6\">Nothing is judged.</td></tr>");
            continue;
        }
        bf_page_put(page, "</td><td class=\"n\">%zu</td>", f->judged);
        number_cell(page, f->value[BF_MEASURED_CLLR], f->span[BF_MEASURED_CLLR], false);
        number_cell(page, f->more[BF_MEASURED_CLLR], f->more_span[BF_MEASURED_CLLR], true);
        number_cell(page, f->value[BF_MEASURED_AUC], f->span[BF_MEASURED_AUC], false);
        rate_cell(page, &f->error[f->worst_kind]);
        rate_cell(page, &f->error[0]);
        bf_page_put(page, "</tr>");
    }
    bf_page_put(page, "</tbody></table></div></section>");
}

static void file(bf_page *page, const bf_fusion_fit *fit)
{
    bf_page_put(page, "<section id=\"file\"><h2>The file</h2><p>Fitted on all rows. ");
    if (fit->kept > 0)
        bf_page_put(page,
                    "%zu of its configurations were taken over from the file that is kept, because the table has no "
                    "evidence of a detector that they need. ",
                    fit->kept);
    bf_page_put(page, "The first configuration whose needs are all present is used.</p><div class=\"wide\"><pre>");
    bf_page_escape(page, (const char *)fit->yaml.data);
    bf_page_put(page, "</pre></div></section>");
}

static void method(bf_page *page, const bf_fusion_fit *fit)
{
    bf_page_put(
        page,
        "<section id=\"method\"><h2>How this was fitted</h2><ul><li>Bona fide and attacks weigh the same, and "
        "within a class a source of n presentations weighs as the root of n.</li><li>Persons were dealt into "
        "%zu folds with the seed %llu; %zu sources were held out in turn.%s</li><li>Weights shrink towards one "
        "common weight. What speaks only against gets their mean and no part in the bias.</li><li>Trees have "
        "at most %d splits, rise in every ratio, see half of the rows once more with evidence left out at "
        "random, and are as many as judged other persons best.</li><li>Persons were drawn %zu times for the "
        "intervals.</li><li>Equal tables give equal files, whatever the order of their rows.</li></ul>"
        "</section>",
        fit->folds, (unsigned long long)fit->options.seed, fit->sources,
        fit->options.as_calibrated
            ? " Calibrations were taken as they stand, because they are of other data."
            : " Each time calibrations were fitted anew, too, since those of the table may have seen its persons.",
        BF_BOOST_DEPTH, fit->replicates);
}

bf_status bf_fusion_html(bf_bytes *ret, const bf_fusion_fit *fit, const char *table, bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    bf_html_head(&page, "Fusion");
    header(&page, fit, table);
    summary(&page, fit);
    methods(&page, fit);
    species(&page, fit);
    detectors(&page, fit);
    failing(&page, fit);
    file(&page, fit);
    method(&page, fit);
    bf_html_glossary(&page, SHARED, TERMS, sizeof TERMS / sizeof *TERMS);
    bf_page_put(&page, "<footer>Every figure is also in fusion.json beside this page.</footer></main></body></html>\n");
    return bf_page_take(&page, ret, err);
}
