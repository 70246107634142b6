/* compare.html: the top of the page, and the sections in their order. */
#include <math.h>

#include "compare/report.h"
#include "evaluate/html.h"

#define TITLE "Presentation attack detection: two releases compared"

static void header(bf_page *page, const bf_comparison *c, const bf_compare_facts *facts)
{
    const bf_pairs *pairs = c->pairs;
    bf_page_put(page, "<body><header><h1>%s</h1><p class=\"soft\">", TITLE);
    bf_page_escape(page, facts->program);
    if (facts->made_at) {
        bf_page_put(page, ", ");
        bf_page_escape(page, facts->made_at);
    }
    bf_page_put(page, "</p><dl class=\"facts\">");
    bf_html_fact(page, "A, the release so far", facts->table[0]);
    bf_html_fact(page, "B, the candidate", facts->table[1]);
    bf_page_put(page, "<div><dt>Samples in both</dt><dd>%zu</dd></div><div><dt>Persons</dt><dd>%zu</dd></div>",
                pairs->a.count, c->kind[0].drawn);
    bf_html_fact(page, "Split", pairs->a.split[0] ? pairs->a.split : "all rows");
    bf_page_put(page, "<div><dt>");
    bf_html_term(page, "threshold", "Thresholds");
    bf_page_put(page, "</dt><dd>A %g, B %g of 100</dd></div>", c->experiment.threshold[0], c->experiment.threshold[1]);
    bf_html_fact(page, "Experiment", c->experiment.id);
    bf_html_fact(page, "Stack of A", pairs->a.stack);
    bf_html_fact(page, "Stack of B", pairs->b.stack);
    bf_page_put(page, "</dl></header><nav aria-label=\"Sections\"><div><a href=\"#criteria\">Criteria</a><a "
                      "href=\"#metrics\">Metrics</a><a href=\"#species\">Species</a><a href=\"#segments\">Segments</a>"
                      "<a href=\"#flips\">Flips</a><a href=\"#decisions\">Decisions</a><a href=\"#bands\">Bands</a><a "
                      "href=\"#shift\">Scores</a><a href=\"#latency\">Latency</a><a href=\"#method\">Method</a><a "
                      "href=\"#glossary\">Definitions</a></div></nav><main>");
}

static void verdict(bf_page *page, const bf_comparison *c)
{
    static const char *const words[] = {"Pass", "Fail", "Inconclusive"};
    size_t count[3] = {0};
    for (size_t i = 0; i < c->judged_count; i++)
        count[c->judged[i].outcome]++;
    bf_page_put(page, "<section id=\"verdict\"><div class=\"verdict %s\"><p class=\"big\">",
                bf_outcome_word(c->verdict));
    bf_html_term(page, "verdict", words[c->verdict]);
    bf_page_put(page, "</p><p>%s Of %zu criteri%s, %zu hold%s, %zu %s broken and %zu %s open.",
                bf_verdict_phrase(c->verdict), c->judged_count, c->judged_count == 1 ? "on" : "a",
                count[BF_OUTCOME_PASS], count[BF_OUTCOME_PASS] == 1 ? "s" : "", count[BF_OUTCOME_FAIL],
                count[BF_OUTCOME_FAIL] == 1 ? "is" : "are", count[BF_OUTCOME_INCONCLUSIVE],
                count[BF_OUTCOME_INCONCLUSIVE] == 1 ? "is" : "are");
    bf_page_put(page, "%s</p></div>",
                c->verdict == BF_OUTCOME_INCONCLUSIVE
                    ? " That is no pass: more samples, or wider margins for a stated reason, would decide."
                    : "");
    if (c->experiment.objective[0]) {
        bf_page_put(page, "<p><b>Objective.</b> ");
        bf_page_escape(page, c->experiment.objective);
        bf_page_put(page, "</p><p><b>Hypothesis.</b> ");
        bf_page_escape(page, c->experiment.hypothesis);
        bf_page_put(page, "</p>");
    } else {
        bf_page_put(page, "<p>No experiment was given, so the defaults were tested: B is not worse than A by more than "
                          "one percentage point, neither in the highest APCER nor in BPCER.</p>");
    }
    if (c->notes > 0)
        bf_page_put(page, "<h3>Before you use these figures</h3><ul class=\"warn\">");
    for (size_t i = 0; i < c->notes; i++) {
        bf_page_put(page, "<li class=\"caution\">");
        bf_page_escape(page, c->note[i]);
        bf_page_put(page, "</li>");
    }
    bf_page_put(page, "%s</section>", c->notes > 0 ? "</ul>" : "");
}

/* Where the margin lies on the axis of the difference B - A. */
static double limit_of(const bf_criterion *c)
{
    double limit = c->rule == BF_RULE_SUPERIOR ? -c->margin : c->margin;
    return bf_metric_more_is_better(c->metric.kind) ? -limit : limit;
}

static void criterion_row(bf_page *page, const bf_judged *j)
{
    static const char *const tags[] = {"ok", "bad", "few"}, *const words[] = {"holds", "broken", "open"};
    const bf_contrast *contrast = &j->contrast;
    bf_metric_unit unit = bf_metric_unit_of(j->criterion.metric.kind);
    char text[512];
    bf_criterion_text(&j->criterion, text, sizeof text);
    double limit = limit_of(&j->criterion), reach = fmax(fabs(contrast->difference), fabs(limit));
    reach = isnan(contrast->interval.low)
                ? reach
                : fmax(reach, fmax(fabs(contrast->interval.low), fabs(contrast->interval.high)));
    bf_page_put(page, "<tr><td>");
    bf_page_escape(page, text);
    bf_page_put(page, "<div class=\"reason\">");
    bf_page_escape(page, j->reason);
    bf_page_put(page, "</div></td><td><span class=\"tag %s\">%s</span></td><td class=\"n\">", tags[j->outcome],
                words[j->outcome]);
    bf_compare_html_figure(page, unit, contrast->a, false);
    bf_page_put(page, "</td><td class=\"n\">");
    bf_compare_html_figure(page, unit, contrast->b, false);
    bf_page_put(page, "</td><td class=\"n\"><b>");
    bf_compare_html_figure(page, unit, contrast->difference, true);
    bf_page_put(page, "</b></td><td class=\"n\">");
    bf_compare_html_span(page, unit, contrast->interval);
    bf_page_put(page, "</td>");
    bf_compare_html_bar_cell(page, contrast->difference, contrast->interval, 1.1 * reach, limit);
    bf_page_put(page, "</tr>");
}

static void criteria(bf_page *page, const bf_comparison *c)
{
    bf_page_put(page, "<section id=\"criteria\"><h2>Criteria</h2><p>All must hold. One that is broken fails the "
                      "candidate; one that is open leaves the question open. The dashed line is the margin, the solid "
                      "one no difference.</p><div class=\"wide\"><table class=\"long\"><thead><tr><th>Criterion"
                      "</th><th></th><th class=\"n\">A</th><th class=\"n\">B</th><th class=\"n\">");
    bf_html_term(page, "difference", "B &minus; A");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "interval", "interval");
    bf_page_put(page, "</th><th></th></tr></thead><tbody>");
    for (size_t i = 0; i < c->judged_count; i++)
        criterion_row(page, &c->judged[i]);
    bf_page_put(page, "</tbody></table></div></section>");
}

static void method(bf_page *page, const bf_comparison *c)
{
    const bf_experiment *e = &c->experiment;
    double percent = 100 * e->confidence, tail = (100 - percent) / 2;
    bf_page_put(
        page,
        "<section id=\"method\"><h2>How this was compared</h2><ul><li>Samples were matched by sample_id; label, "
        "species, person, split and, where both tables have one, sha256 are the same. Persons and segments are "
        "those of A.</li><li>Accepted: score &ge; threshold. APCER and BPCER are of the presentations with a "
        "response from the release in question.</li><li>Intervals of the difference are two-sided at "
        "%.4g&nbsp;%%: the wider of a draw of persons and, for rates at a threshold, of Tango&rsquo;s for "
        "pairs.</li><li>%zu persons were drawn %zu times with the seed %llu, each with everything that both "
        "releases made of it; fewer times for figures over all thresholds of a large table.</li>",
        percent, c->kind[0].drawn, c->kind[0].replicates, (unsigned long long)c->drawing.seed);
    bf_page_put(
        page,
        "<li>Every criterion must hold, so no correction for their number is needed for a pass: if B is in truth "
        "beyond one of the margins, it passes at most about %.3g times in 100. Each criterion by itself fails a "
        "candidate that just keeps to it as often; with many criteria one of them fails by chance more "
        "often.</li><li>Segments overlap, and those that are not protected are told without a verdict: among "
        "many some look worse by chance.</li><li>Equal input gives equal figures, whatever the order of its "
        "rows.</li></ul></section>",
        tail);
}

static void glossary(bf_page *page)
{
    static const char *const shared[] = {"apcer",     "bpcer",     "species",    "apnrr",    "bpnrr",
                                         "threshold", "by-person", "bpcer-at",   "apcer-at", "eer",
                                         "auc",       "brier",     "percentile", "cllr",     NULL};
    static const bf_html_definition own[] = {
        {"verdict", "Verdict",
         "Pass: every criterion holds. Fail: at least one is broken. Inconclusive: none is broken, but for at least "
         "one "
         "there are too few samples to tell. The exit status of the command is 0, 1 and 2."},
        {"difference", "B &minus; A",
         "The figure of B minus that of A on the same samples; of shares in percentage points. For error rates, "
         "times, Cllr and Brier score above zero is worse, for AUC better."},
        {"interval", "Interval of the difference",
         "Where the true difference may lie. It is the wider of two: persons drawn again and again, each with what "
         "both "
         "releases made of their presentations; and, for rates at a threshold, Tango&rsquo;s score interval for pairs, "
         "which has a width also when no answer differs but takes presentations for independent."},
        {"mcnemar", "McNemar&rsquo;s test",
         "Of the pairs in which exactly one release is wrong, how surprising their split is if both are wrong equally "
         "often: an exact, two-sided binomial test. A second opinion, which takes presentations for independent; the "
         "verdict does not go by it."},
        {"ks", "KS",
         "The greatest distance between the distributions of A&rsquo;s and of B&rsquo;s scores (Kolmogorov and "
         "Smirnov), "
         "0 to 1. Without a p-value: the scores are pairs and not independent."},
        {"band", "Bands",
         "What lies between the thresholds of a policy. A threshold of A stands for a rate of errors; in B another "
         "threshold may stand for the same."},
        {"flip", "Flips", "Samples of which the answer is another one: accepted, rejected or no response."},
    };
    bf_html_glossary(page, shared, own, sizeof own / sizeof *own);
}

bf_status bf_compare_html(bf_bytes *ret, const bf_comparison *c, const bf_compare_facts *facts, bf_error *err)
{
    bf_page page = {0};
    bf_html_head(&page, TITLE);
    header(&page, c, facts);
    verdict(&page, c);
    criteria(&page, c);
    bf_compare_html_metrics(&page, c);
    bf_compare_html_species(&page, c);
    bf_compare_html_segments(&page, c);
    bf_compare_html_flips(&page, c);
    bf_compare_html_decisions(&page, c);
    bf_compare_html_bands(&page, c);
    bf_compare_html_shifts(&page, c);
    bf_compare_html_latency(&page, c);
    method(&page, c);
    glossary(&page);
    bf_page_put(&page, "<footer>Every figure is also in compare.json, and every changed answer in flips.csv, beside "
                       "this page.</footer></main></body></html>\n");
    bf_status status = bf_page_take(&page, ret, err);
    bf_page_done(&page);
    return status;
}
