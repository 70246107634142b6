/* threshold.html: the top of the page, and its sections in their order. */
#include <math.h>

#include "evaluate/html.h"
#include "fit/proposal_page.h"

/* Of the glossary of evaluation, and what it has no words for. */
static const char *const KEYS[] = {"apcer", "bpcer", "species", "threshold", "clopper-pearson", NULL};
static const bf_html_definition TERMS[] = {
    {"band", "Bands",
     "A score from pass on is passed liveness, from uncertain on it is doubt, below it is failed. What follows from "
     "each "
     "is for the journey&rsquo;s rules; each channel may have bands of its own."},
    {"bound", "Upper bound",
     "The one-sided 95 % upper bound of a rate (Clopper-Pearson): what it does not exceed in 95 of 100 tables, if "
     "presentations are independent. With no error in n it is about 3/n. The two-sided 95 % interval ends a little "
     "higher. The lowest threshold at which the bounds of all species keep to a target keeps to it in truth in at "
     "least "
     "95 of 100 tables, although it was chosen on the table."},
    {"spread", "Other persons",
     "Whole persons are drawn again and again, with everything they presented, and the band is chosen anew: the middle "
     "95 % of the results. &ldquo;Not supported&rdquo; is the share of the draws that would have been refused."},
    {"persons-in-error", "Persons",
     "Persons with at least one such error, of those with a presentation of this class. It holds whatever the "
     "presentations of one person have in common, and errs on the side of caution."},
    {"rejected", "Failing outright",
     "The share of the bona fide presentations below the lower band: they are not asked again, and most journeys "
     "reject "
     "them."},
    {"cost", "Decided again",
     "Each row is given to the policy anew: its channel, whether it could be judged, the quality gate as it was, the "
     "match and the band of its score. Each attempt of a person ends as one of their own presentations would at that "
     "attempt: what is asked again, and how often, follows from the policy. A challenge ends the journey here, since "
     "the "
     "table does not know what would come of it. Persons count alike."},
    {"checked", "Check on other persons",
     "Whoever chooses a threshold picks, among all, one that suits this table. The same rates on other people&rsquo;s "
     "presentations, which had no say, show what is left of it."},
};

static void targets(bf_page *page, const bf_proposal *p)
{
    const bf_targets *t = &p->options.targets;
    bf_page_put(page, "<div><dt>Target</dt><dd>");
    if (!isnan(t->apcer))
        bf_page_put(page, "APCER of the worst species &le; %.4g&nbsp;%%", 100 * t->apcer);
    if (!isnan(t->bpcer))
        bf_page_put(page, "%sBPCER &le; %.4g&nbsp;%%", isnan(t->apcer) ? "" : ", ", 100 * t->bpcer);
    bf_page_put(page, "%s</dd></div><div><dt>Met by</dt><dd>", p->options.by_person ? ", attacks by person" : "");
    if (t->point)
        bf_page_put(page, "the measured rate");
    else
        bf_html_term(page, "bound", "the upper bound");
    bf_page_put(page, "</dd></div>");
}

static void header(bf_page *page, const bf_proposal *p, const bf_proposal_facts *facts)
{
    const bf_scores *s = &p->table->scores;
    bf_html_head(page, "Bands for a stated error rate");
    bf_page_put(page, "<body><header><h1>Bands for ");
    bf_page_escape(page, bf_policy_flow(p->policy));
    bf_page_put(page, "</h1><p class=\"soft\">");
    bf_page_escape(page, facts->program);
    if (facts->made_at) {
        bf_page_put(page, ", ");
        bf_page_escape(page, facts->made_at);
    }
    bf_page_put(page, "</p><dl class=\"facts\">");
    targets(page, p);
    bf_html_fact(page, "Scores table", facts->table);
    bf_html_fact(page, "Chosen on", p->split[0] ? p->split : "every row");
    bf_html_fact(page, "Checked on", p->options.validate_split ? p->options.validate_split : "nothing");
    bf_html_fact(page, "Stack", s->stack);
    bf_html_fact(page, "Policy", bf_policy_version(p->policy));
    bf_page_put(page, "</dl></header><nav aria-label=\"Sections\"><div><a href=\"#bands\">Bands</a><a "
                      "href=\"#curve\">Trade-off</a><a href=\"#errors\">Errors</a><a href=\"#cost\">Cost</a><a "
                      "href=\"#check\">Check</a><a href=\"#patch\">Patch</a><a href=\"#glossary\">Definitions</a></div>"
                      "</nav><main>");
}

static void warn(bf_page *page, const char *gravity, const char *word, const char *text)
{
    bf_page_put(page, "<li class=\"%s\"><b>%s</b>%s</li>", gravity, word, text);
}

static void warnings(bf_page *page, const bf_proposal *p)
{
    const bf_scope *journey = &p->scope[0];
    bf_page_put(page, "<ul class=\"warn\">");
    if (p->check == BF_CHECK_NONE)
        warn(page, "caution", "Not checked.",
             "The rates are of the presentations that the bands were chosen on. Give --validate to see them on other "
             "people&rsquo;s.");
    if (p->check == BF_CHECK_COMPATIBLE)
        warn(
            page, "caution", "Not confirmed.",
            "The other split does not contradict the target, but is too small, or lies too near to it, to confirm it.");
    if (p->split_is_fitted)
        warn(
            page, "serious", "Fitted rows.",
            "The bands were chosen on the split that detectors and fusion are fitted on, where scores look better than "
            "they are. Choose on a development split.");
    if (p->options.targets.point)
        warn(page, "serious", "By the measured rate.",
             "The true rate is as likely above the target as below it. A claim needs the upper bound.");
    if (bf_proposal_fewest_persons(p) < BF_PERSONS_FEW && !p->options.by_person)
        warn(page, "serious", "Few persons.",
             "A class stands on fewer than 20 persons. Presentations of one person resemble each other, so the bounds "
             "by "
             "presentation flatter: read the column of persons.");
    if (p->options.beside_count > 0)
        warn(page, "caution", "Species left out.",
             "Nothing is claimed for the species that were kept beside; attackers may use just those.");
    if (journey->choice.uncertain_kept)
        warn(page, "caution", "Lower band kept.",
             "There are too few bona fide presentations for its target, so it stays as it is today.");
    if (p->patch.broken_count > 0)
        warn(page, "caution", "Test cases.",
             "Some test cases of the policy state the old bands; they are listed below and change with it.");
    bf_page_put(page, "</ul>");
}

static void change_cell(bf_page *page, double today, double proposed)
{
    if (today == proposed)
        bf_page_put(page, "<td class=\"n\"><b>%.8g</b></td>", proposed);
    else
        bf_page_put(page, "<td class=\"n\">%.8g &rarr; <b>%.8g</b></td>", today, proposed);
}

static void band_row(bf_page *page, const bf_proposal *p, const bf_scope *s)
{
    bool all = s->channel == BF_CHANNEL_UNSPECIFIED;
    bf_page_put(page, "<tr class=\"%s\"><td>", all ? "worst" : "");
    bf_page_escape(page, all ? "the journey" : bf_channel_name(s->channel));
    bf_page_put(page, "%s</td><td class=\"n\">%zu</td><td class=\"n\">%zu</td>",
                s->own ? "" : "<span class=\"tag few\">follows the journey</span>", s->rows, s->persons);
    change_cell(page, s->today.pass, s->proposed.pass);
    change_cell(page, s->today.uncertain, s->proposed.uncertain);
    bf_page_put(page, "<td class=\"n\">");
    if (s->spread.replicates > 0 && !isnan(s->spread.pass.low))
        bf_page_put(page, "%.6g to %.6g", s->spread.pass.low, s->spread.pass.high);
    else
        bf_page_put(page, "&ndash;");
    bf_page_put(page, "</td><td class=\"n\">");
    if (s->spread.replicates > 0)
        bf_html_percent(page, (double)s->spread.unsupported / (double)s->spread.replicates);
    else
        bf_page_put(page, "&ndash;");
    bf_page_put(page, "</td><td>");
    bf_page_escape(page, s->own && s->choice.bounding > 0 ? bf_proposal_kind(p, s->choice.bounding) : "");
    bf_page_put(page, "</td></tr>");
}

static void bands(bf_page *page, const bf_proposal *p)
{
    const bf_scope *journey = &p->scope[0];
    bf_page_put(
        page,
        "<section id=\"bands\"><p class=\"lead\">A pass band of <b>%.8g</b> instead of %.8g, and a lower band of "
        "<b>%.8g</b> instead of %.8g. BPCER goes from ",
        journey->proposed.pass, journey->today.pass, journey->proposed.uncertain, journey->today.uncertain);
    bf_html_percent(page, journey->kind[0].today.rate.value);
    bf_page_put(page, " to <b>");
    bf_html_percent(page, journey->kind[0].proposed.rate.value);
    bf_page_put(page, "</b>, the APCER of the worst species, ");
    bf_page_escape(page, bf_proposal_kind(p, p->worst_kind));
    bf_page_put(page, ", from ");
    bf_html_percent(page, journey->kind[p->worst_kind].today.rate.value);
    bf_page_put(page, " to <b>");
    bf_html_percent(page, journey->kind[p->worst_kind].proposed.rate.value);
    bf_page_put(page, "</b>.</p>");
    warnings(page, p);
    bf_page_put(page, "<h2>Bands</h2><div class=\"wide\"><table><thead><tr><th>");
    bf_html_term(page, "band", "Where");
    bf_page_put(page, "</th><th class=\"n\">rows</th><th class=\"n\">persons</th><th class=\"n\">pass</th><th "
                      "class=\"n\">uncertain</th><th class=\"n\">");
    bf_html_term(page, "spread", "pass, other persons");
    bf_page_put(page, "</th><th class=\"n\">not supported</th><th>set by</th></tr></thead><tbody>");
    for (size_t i = 0; i < p->scopes; i++)
        band_row(page, p, &p->scope[i]);
    bf_page_put(
        page, "</tbody></table></div><p class=\"soft\">A channel whose own rows do not support the target follows the "
              "journey, and keeps its own band of today where that is stricter. It is never made laxer than both.</p>"
              "</section>");
}

static void kind_row(bf_page *page, const bf_proposal *p, size_t k, double top)
{
    const bf_scope_kind *kind = &p->scope[0].kind[k];
    bool worst = k == p->worst_kind, aside = k > 0 && !bf_proposal_counts(p, k);
    bf_page_put(page, "<tr class=\"%s\"><td>", worst ? "worst" : aside ? "aside" : "");
    bf_page_escape(page, bf_proposal_kind(p, k));
    bf_page_put(page, "%s%s</td><td class=\"n\">", worst ? "<span class=\"tag bad\">worst</span>" : "",
                aside ? "<span class=\"tag\">left out</span>" : "");
    bf_html_percent(page, kind->today.rate.value);
    bf_page_put(page, "</td>");
    bf_html_rate_cells(page, &kind->proposed.rate);
    bf_page_put(page, "<td class=\"n\"><b>");
    bf_html_percent(page, kind->proposed.bound);
    bf_page_put(page, "</b></td>");
    bf_html_rate_cells(page, &kind->proposed.by_person);
    bf_html_bar_cell(page, &kind->proposed.rate, top);
    bf_page_put(page, "</tr>");
}

static void errors(bf_page *page, const bf_proposal *p)
{
    double top = 0.01;
    for (size_t k = 0; k < p->kinds; k++) {
        const bf_rate *rate = &p->scope[0].kind[k].proposed.rate;
        top = rate->total > 0 ? fmax(top, rate->high) : top;
    }
    top = bf_html_axis_top(top);
    bf_page_put(page, "<section id=\"errors\"><h2>Errors at the pass band</h2><p>");
    bf_html_term(page, "apcer", "APCER");
    bf_page_put(page, " of each species, ");
    bf_html_term(page, "bpcer", "BPCER");
    bf_page_put(page, " of the bona fide presentations, all rows at the journey&rsquo;s own band.</p><div "
                      "class=\"wide\"><table class=\"tight\"><thead><tr><th>");
    bf_html_term(page, "species", "Class");
    bf_page_put(page, "</th><th class=\"n\">today</th><th class=\"n\">proposed</th><th class=\"n\">");
    bf_html_term(page, "clopper-pearson", "95&nbsp;%");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "bound", "upper bound");
    bf_page_put(page, "</th><th class=\"n\">");
    bf_html_term(page, "persons-in-error", "persons");
    bf_page_put(page, "</th><th class=\"n\">95&nbsp;%%</th><th class=\"bar\">0 to %g&nbsp;%%</th></tr></thead><tbody>",
                100 * top);
    for (size_t i = 0; i < p->kinds; i++)
        kind_row(page, p, (i + 1) % p->kinds, top);
    const bf_scope_kind *live = &p->scope[0].kind[0];
    bf_page_put(page, "</tbody></table></div><p>Bona fide presentations that ");
    bf_html_term(page, "rejected", "fail outright");
    bf_page_put(page, ": ");
    bf_html_percent(page, live->rejected_today.rate.value);
    bf_page_put(page, " today, ");
    bf_html_percent(page, live->rejected.rate.value);
    bf_page_put(page, " proposed (%llu of %llu, upper bound ", (unsigned long long)live->rejected.rate.count,
                (unsigned long long)live->rejected.rate.total);
    bf_html_percent(page, live->rejected.bound);
    bf_page_put(page, ").</p></section>");
}

static void check_row(bf_page *page, const bf_proposal *p, size_t k)
{
    bf_page_put(page, "<tr><td>");
    bf_page_escape(page, bf_proposal_kind(p, k));
    bf_page_put(page, "</td>");
    bf_html_rate_cells(page, &p->checked[k].proposed.rate);
    bf_page_put(page, "<td class=\"n\">");
    bf_html_percent(page, p->checked[k].proposed.bound);
    bf_page_put(page, "</td><td class=\"n\">%llu</td></tr>", (unsigned long long)p->checked[k].persons);
}

static void check(bf_page *page, const bf_proposal *p)
{
    static const char *const words[] = {"", "The upper bounds keep to the target there too.",
                                        "Nothing there contradicts the target; there is too little to confirm it.",
                                        "The target is missed there."};
    bf_page_put(page, "<section id=\"check\"><h2>On other persons</h2>");
    if (!p->checked) {
        bf_page_put(page, "<p>No split was given to check on.</p></section>");
        return;
    }
    bf_page_put(page, "<p>The split <b>");
    bf_page_escape(page, p->options.validate_split);
    bf_page_put(page, "</b> had no say in the bands, and shares ");
    bf_html_term(page, "checked", "no person");
    bf_page_put(page,
                " with what they were chosen on. Each row met the bands of its channel. %s</p><div class=\"wide\">"
                "<table><thead><tr><th>Class</th><th class=\"n\">error rate</th><th class=\"n\">95&nbsp;%%</th><th "
                "class=\"n\">upper bound</th><th class=\"n\">persons</th></tr></thead><tbody>",
                words[p->check]);
    for (size_t i = 0; i < p->kinds; i++)
        check_row(page, p, (i + 1) % p->kinds);
    bf_page_put(page, "</tbody></table></div></section>");
}

static void patch(bf_page *page, const bf_proposal *p)
{
    bf_page_put(page,
                "<section id=\"patch\"><h2>The patch</h2><p>The new policy was checked by the linter before it was "
                "written. It is ");
    bf_page_escape(page, bf_policy_version(p->patch.policy));
    bf_page_put(page, ".</p><pre style=\"white-space:pre-wrap;font-size:.8rem\">");
    bf_page_escape(page, (const char *)p->patch.diff.data);
    bf_page_put(page, "</pre>");
    if (p->patch.broken_count > 0)
        bf_page_put(page, "<h3>Test cases that state the old bands</h3><ul>");
    for (size_t i = 0; i < p->patch.broken_count && i < BF_PATCH_CASES_MAX; i++) {
        bf_page_put(page, "<li>");
        bf_page_escape(page, p->patch.broken[i] ? p->patch.broken[i] : "");
        bf_page_put(page, "</li>");
    }
    bf_page_put(page, "%s</section>", p->patch.broken_count > 0 ? "</ul>" : "");
}

bf_status bf_proposal_html(bf_bytes *ret, const bf_proposal *p, const bf_proposal_facts *facts, bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    header(&page, p, facts);
    bands(&page, p);
    bf_proposal_html_curve(&page, p);
    errors(&page, p);
    bf_proposal_html_cost(&page, p);
    check(&page, p);
    patch(&page, p);
    bf_html_glossary(&page, KEYS, TERMS, sizeof TERMS / sizeof *TERMS);
    bf_page_put(&page,
                "<footer>Every figure is also in threshold.json beside this page.</footer></main></body></html>\n");
    return bf_page_take(&page, ret, err);
}
