/* report.html: the top of the page, and the sections in their order. */
#include <math.h>
#include <string.h>

#include "evaluate/html.h"
#include "evaluate/report.h"

#define TITLE_DEFAULT "Presentation attack detection: evaluation"

static void header(bf_page *page, const bf_evaluation *e, const bf_report_facts *facts)
{
    const bf_scores *s = e->scores;
    bf_page_put(page, "<body><header><h1>");
    bf_page_escape(page, e->options.title ? e->options.title : TITLE_DEFAULT);
    bf_page_put(page, "</h1><p class=\"soft\">");
    bf_page_escape(page, facts->program);
    if (facts->made_at) {
        bf_page_put(page, ", ");
        bf_page_escape(page, facts->made_at);
    }
    bf_page_put(page, "</p><dl class=\"facts\">");
    bf_html_fact(page, "Scores table", facts->table);
    bf_html_number_fact(page, "Presentations", s->count);
    bf_html_number_fact(page, "Persons", s->persons);
    bf_html_number_fact(page, "Attack species", e->kinds - 1);
    bf_page_put(page, "<div><dt>");
    bf_html_term(page, "threshold", "Threshold");
    bf_page_put(page, "</dt><dd>%g of 100</dd></div>", e->options.threshold);
    bf_html_fact(page, "Split", s->split[0] ? s->split : "all rows");
    bf_html_fact(page, "Stack", s->stack);
    bf_html_fact(page, "Fusion", s->fusion_version);
    bf_html_fact(page, "Journey", s->flow);
    bf_html_fact(page, "Policy", s->policy_version);
    bf_page_put(page, "</dl></header><nav aria-label=\"Sections\"><div><a href=\"#errors\">Errors</a><a "
                      "href=\"#thresholds\">Thresholds</a><a href=\"#system\">With match</a><a "
                      "href=\"#segments\">Segments</a><a href=\"#coverage\">Coverage</a><a "
                      "href=\"#decisions\">Decisions</a><a href=\"#calibration\">Calibration</a><a "
                      "href=\"#detectors\">Detectors</a><a href=\"#latency\">Latency</a><a "
                      "href=\"#levels\">Levels</a><a href=\"#method\">Method</a><a "
                      "href=\"#glossary\">Definitions</a></div></nav><main>");
}

static void card(bf_page *page, const char *key, const char *label, const bf_rate *rate, const char *note)
{
    bf_page_put(page, "<div class=\"card\"><p>");
    bf_html_term(page, key, label);
    bf_page_put(page, "</p><div class=\"big\">");
    bf_html_percent(page, rate->value);
    bf_page_put(page, "</div><p>");
    bf_html_interval(page, rate->low, rate->high);
    bf_page_put(page, "</p><p class=\"soft\">");
    bf_page_escape(page, note);
    bf_page_put(page, "</p></div>");
}

static size_t most_silent(const bf_evaluation *e)
{
    size_t worst = e->worst_kind;
    for (size_t k = 1; k < e->kinds; k++) {
        if (bf_kind_counts(e, k) && e->kind[k].silent.value > e->kind[worst].silent.value)
            worst = k;
    }
    return worst;
}

static void summary(bf_page *page, const bf_evaluation *e)
{
    const bf_rate *apcer = &e->kind[e->worst_kind].error, *bpcer = &e->kind[0].error;
    size_t silent = most_silent(e);
    bf_page_put(page,
                "<section id=\"summary\"><p class=\"lead\">At a threshold of %g, <b>%llu of %llu</b> attacks of the "
                "worst species, <b>",
                e->options.threshold, (unsigned long long)apcer->count, (unsigned long long)apcer->total);
    bf_page_escape(page, bf_kind_name(e, e->worst_kind));
    bf_page_put(
        page,
        "</b>, were accepted, and <b>%llu of %llu</b> bona fide presentations were rejected. The true rates may "
        "lie anywhere in the intervals below.</p><div class=\"cards\">",
        (unsigned long long)bpcer->count, (unsigned long long)bpcer->total);
    card(page, "apcer", "Highest APCER", apcer, bf_kind_name(e, e->worst_kind));
    card(page, "bpcer", "BPCER", bpcer, "bona fide rejected");
    card(page, "apnrr", "Highest APNRR", &e->kind[silent].silent, bf_kind_name(e, silent));
    card(page, "bpnrr", "BPNRR", &e->kind[0].silent, "bona fide without a response");
    bf_page_put(page, "</div>");
    if (e->warnings > 0)
        bf_page_put(page, "<h3>Before you use these figures</h3><ul class=\"warn\">");
    for (size_t i = 0; i < e->warnings; i++) {
        static const char *const words[] = {"Note.", "Caution.", "Serious."};
        bf_page_put(page, "<li class=\"%s\"><b>%s</b>", bf_gravity_word(e->warning[i].gravity),
                    words[e->warning[i].gravity]);
        bf_page_escape(page, e->warning[i].text);
        bf_page_put(page, "</li>");
    }
    bf_page_put(page, "%s</section>", e->warnings > 0 ? "</ul>" : "");
}

static void method(bf_page *page, const bf_evaluation *e)
{
    const bf_scores *s = e->scores;
    const bf_bootstrap *b = &e->bootstrap;
    bf_page_put(
        page,
        "<section id=\"method\"><h2>How this was measured</h2><ul><li>Accepted: score &ge; %g. Scores run from 0 "
        "to 100, higher for bona fide.</li><li>APCER and BPCER are of the presentations with a response. No "
        "response is counted apart, as APNRR and BPNRR, and never dropped.</li><li>The headline is the highest "
        "APCER over the species, each with its own interval.</li><li>Only rows whose review is confirmed "
        "count: %zu do; %zu are uncertain, %zu disputed, %zu excluded.",
        e->options.threshold, s->count, s->set_aside[BF_REVIEW_UNCERTAIN], s->set_aside[BF_REVIEW_DISPUTED],
        s->set_aside[BF_REVIEW_EXCLUDED]);
    if (s->split[0]) {
        bf_page_put(page, " %zu rows are of other splits than ", s->other_split);
        bf_page_escape(page, s->split);
        bf_page_put(page, ".");
    }
    bf_page_put(page,
                "</li><li>Intervals are two-sided at 95&nbsp;%%: Clopper-Pearson where nothing else is said.</li>");
    if (b->replicates > 0)
        bf_page_put(page,
                    "<li>By person: %zu persons were drawn %zu times (%zu times for the figures over all "
                    "thresholds) with the seed %llu; percentiles of the results.</li>",
                    b->persons, b->replicates, b->whole, (unsigned long long)e->options.seed);
    bf_page_put(page, "<li>Equal input gives equal figures, whatever the order of its rows.</li></ul></section>");
}

bf_status bf_report_html(bf_bytes *ret, const bf_evaluation *e, const bf_report_facts *facts, bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    bf_html_head(&page, e->options.title ? e->options.title : TITLE_DEFAULT);
    header(&page, e, facts);
    summary(&page, e);
    bf_html_species(&page, e);
    bf_html_thresholds(&page, e);
    bf_html_full_system(&page, e);
    bf_html_segments(&page, e);
    bf_html_coverage(&page, e);
    bf_html_decisions(&page, e);
    bf_html_calibration(&page, e);
    bf_html_detectors(&page, e);
    bf_html_latency(&page, e);
    bf_html_levels(&page, e);
    method(&page, e);
    bf_html_glossary(&page, NULL, NULL, 0);
    bf_page_put(&page, "<footer>Every figure is also in report.json beside this page.</footer></main></body></html>\n");
    return bf_page_take(&page, ret, err);
}
