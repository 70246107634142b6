/* errors.html: its top, and the errors by their probable cause. */
#include <math.h>

#include "base/attr.h"
#include "bonafide/words.h"
#include "evaluate/html.h"
#include "review/write.h"

#define TITLE "Errors to review"

static void faces(bf_page *page)
{
    bf_page_put(page,
                "<ul class=\"warn\"><li class=\"serious\"><b>This page shows faces.</b>They are biometric data of "
                "real persons, and whoever has this file has them. Only people who may see these captures for "
                "this review may open it; do not mail it or put it on a shared drive; delete it when the review "
                "is done. Nothing is loaded from elsewhere, and nothing is sent.</li></ul>");
}

/* Errors that the cause leads. */
static size_t count_of(const bf_review_report *r, int cause)
{
    size_t count = 0;
    for (int k = 0; k < BF_SLIP_KINDS; k++)
        count += r->cause[cause][k];
    return count;
}

/* Whether this error is the first of its cause. Sections stand in the order of these: what costs most comes first. */
static bool opens_section(const bf_review_report *r, size_t slip)
{
    for (size_t i = 0; i < slip; i++) {
        if (r->slip[i].diagnosis.cause == r->slip[slip].diagnosis.cause)
            return false;
    }
    return true;
}

static void links(bf_page *page, const bf_review_report *r)
{
    bf_page_put(page, "<nav aria-label=\"Sections\"><div><a href=\"#summary\">Summary</a>");
    for (size_t i = 0; i < r->count; i++) {
        bf_cause cause = r->slip[i].diagnosis.cause;
        if (opens_section(r, i))
            bf_page_put(page, "<a href=\"#c-%s\">%s (%zu)</a>", bf_cause_word(cause), bf_cause_title(cause),
                        count_of(r, (int)cause));
    }
    bf_page_put(page, "<a href=\"#method\">Rules</a><a href=\"#glossary\">Definitions</a></div></nav><main>");
}

static void header(bf_page *page, const bf_review_report *r, const bf_review_facts *facts)
{
    bf_page_put(page, "<body><header><h1>" TITLE "</h1><p class=\"soft\">");
    bf_page_escape(page, facts->program);
    if (facts->made_at) {
        bf_page_put(page, ", ");
        bf_page_escape(page, facts->made_at);
    }
    bf_page_put(page, "</p>");
    if (facts->pictures)
        faces(page);
    bf_page_put(page, "<dl class=\"facts\">");
    bf_html_fact(page, "Scores table", facts->table);
    bf_html_fact(page, "Dataset", facts->dataset);
    bf_html_fact(page, "Split", facts->split ? facts->split : "all rows");
    bf_html_fact(page, "Stack", r->table->row[0].text[BF_TEXT_STACK]);
    bf_html_fact(page, "Journey", r->table->row[0].text[BF_TEXT_FLOW]);
    bf_page_put(page, "<div><dt>");
    bf_html_term(page, "threshold", "Threshold");
    bf_page_put(page, "</dt><dd>%g of 100", r->options.threshold);
    if (!isnan(r->options.proposed))
        bf_page_put(page, ", proposed %g", r->options.proposed);
    bf_page_put(page, "</dd></div></dl></header>");
    links(page, r);
}

static void card(bf_page *page, const bf_review_report *r, bf_slip_kind kind)
{
    size_t of = r->presentations[bf_slip_of_attack(kind)];
    bf_page_put(page, "<div class=\"card\"><p>");
    bf_html_term(page, bf_slip_word(kind), bf_slip_title(kind));
    bf_page_put(page, "</p><div class=\"big\">%zu</div><p class=\"soft\">of %zu %s</p></div>", r->found[kind], of,
                bf_slip_of_attack(kind) ? "attacks" : "bona fide");
}

static void note(bf_page *page, const char *gravity, const char *word, size_t count, const char *text)
{
    if (count > 0)
        bf_page_put(page, "<li class=\"%s\"><b>%s</b>%zu %s</li>", gravity, word, count, text);
}

static void notes(bf_page *page, const bf_review_report *r, const bf_review_facts *facts)
{
    size_t found = 0;
    for (int k = 0; k < BF_SLIP_KINDS; k++)
        found += r->found[k];
    bf_page_put(page,
                "<ul class=\"warn\"><li class=\"caution\"><b>Caution.</b>A cause is what rules found in the table. "
                "It is a place to look first, not a proof, and an error may have several.</li>"
                "<li class=\"caution\"><b>Caution.</b>Labels are looked at here only where the score contradicts "
                "them. Figures get better by that alone: the wrong labels among the rest stay unseen, so review "
                "a random sample of those, too, before rates are compared.</li>");
    note(page, "serious", "Serious.", found - r->count,
         "further errors are not shown or counted below: the limit for each kind was reached. Of each kind, those "
         "furthest on the wrong side of the threshold are shown.");
    note(page, "note", "Note.", r->table->excluded, "samples are left out because their review excludes them.");
    if (facts->pictures) {
        note(page, "caution", "Caution.", facts->pictures->missing,
             "rows of the table are of samples that the dataset does not have.");
        note(page, "caution", "Caution.", facts->pictures->changed,
             "files are not those that were scored; they are not shown.");
        note(page, "note", "Note.", facts->pictures->unreadable, "files could not be shown.");
    }
    bf_page_put(page, "</ul>");
}

/* A column for each kind of error that there is, between what is counted and what it means. */
static void kinds_head(bf_page *page, const bf_review_report *r, const char *first, const char *last)
{
    bf_page_put(page, "<thead><tr><th>%s</th>", first);
    for (int k = 0; k < BF_SLIP_KINDS; k++) {
        if (r->found[k] > 0)
            bf_page_put(page, "<th class=\"n wrap\">%s</th>", bf_slip_title((bf_slip_kind)k));
    }
    bf_page_put(page, "<th class=\"helps\">%s</th></tr></thead><tbody>", last);
}

static void kinds_row(bf_page *page, const bf_review_report *r, const size_t counts[BF_SLIP_KINDS])
{
    for (int k = 0; k < BF_SLIP_KINDS; k++) {
        if (r->found[k] > 0 && counts[k] > 0)
            bf_page_put(page, "<td class=\"n\"><b>%zu</b></td>", counts[k]);
        else if (r->found[k] > 0)
            bf_page_put(page, "<td class=\"n soft\">0</td>");
    }
}

static void causes_table(bf_page *page, const bf_review_report *r)
{
    bf_page_put(page, "<h3>By the cause that leads</h3><div class=\"wide\"><table class=\"tight\">");
    kinds_head(page, r, "Probable cause", "What usually helps");
    for (int c = 0; c < BF_CAUSES; c++) {
        bf_page_put(page, "<tr><td><a href=\"#d-%s%s\" class=\"t\">%s</a></td>", bf_cause_word((bf_cause)c),
                    c == BF_CAUSE_THRESHOLD ? "-cause" : "", bf_cause_title((bf_cause)c));
        kinds_row(page, r, r->cause[c]);
        bf_page_put(page, "<td>%s</td></tr>", bf_cause_remedy((bf_cause)c));
    }
    bf_page_put(page, "</tbody></table></div>");
}

/* What weighed against those that were judged; one error may name several. */
static void weighed_table(bf_page *page, const bf_review_report *r)
{
    bool begun = false;
    for (int i = 0; i < BF_REASON_COUNT; i++) {
        size_t all = 0;
        for (int k = 0; k < BF_SLIP_KINDS; k++)
            all += r->weighed[i][k];
        if (all == 0)
            continue;
        if (!begun) {
            bf_page_put(page,
                        "<h3>By the <a class=\"t\" href=\"#d-weighed\">evidence that weighed against them</a></h3>"
                        "<div class=\"wide\"><table class=\"tight\">");
            kinds_head(page, r, "Reason", "Meaning");
        }
        begun = true;
        bf_page_put(page, "<tr><td><code>%s</code></td>", bf_reason_name((bf_reason)i));
        kinds_row(page, r, r->weighed[i]);
        bf_page_put(page, "<td>%s</td></tr>", bf_reason_text((bf_reason)i));
    }
    if (begun)
        bf_page_put(page, "</tbody></table></div>");
}

static void summary(bf_page *page, const bf_review_report *r, const bf_review_facts *facts)
{
    bf_page_put(page, "<section id=\"summary\"><div class=\"cards five\">");
    for (int k = 0; k < BF_SLIP_KINDS; k++)
        card(page, r, (bf_slip_kind)k);
    bf_page_put(page, "</div>");
    notes(page, r, facts);
    if (r->count > 0) {
        causes_table(page, r);
        weighed_table(page, r);
    } else {
        bf_page_put(page, "<p class=\"lead\">There is no error to review.</p>");
    }
    bf_page_put(page, "</section>");
}

static void cause_section(bf_page *page, const bf_review_report *r, const bf_review_facts *facts, bf_cause cause)
{
    bf_page_put(page, "<section id=\"c-%s\"><h2>%s <span class=\"of\">%zu of %zu</span></h2><p>%s</p>",
                bf_cause_word(cause), bf_cause_title(cause), count_of(r, (int)cause), r->count, bf_cause_remedy(cause));
    for (size_t i = 0; i < r->count; i++) {
        if (r->slip[i].diagnosis.cause == cause)
            bf_review_html_slip(page, r, facts, i);
    }
    bf_page_put(page, "</section>");
}

bf_status bf_review_html(bf_bytes *ret, const bf_review_report *report, const bf_review_facts *facts, bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    bf_html_head(&page, TITLE);
    header(&page, report, facts);
    summary(&page, report, facts);
    for (size_t i = 0; i < report->count; i++) {
        if (opens_section(report, i))
            cause_section(&page, report, facts, report->slip[i].diagnosis.cause);
    }
    bf_review_html_end(&page, report);
    return bf_page_take(&page, ret, err);
}
