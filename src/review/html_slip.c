/* One error on the page: its picture, what speaks for which cause, what it resembles, and the form. */
#include <math.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "evaluate/html.h"
#include "review/form.h"
#include "review/write.h"

#define NOTHING 0.005 /* an llr that reads as 0 */

static void picture(bf_page *page, const bf_bytes *webp, const char *alt)
{
    size_t size = sodium_base64_encoded_len(webp->size, sodium_base64_VARIANT_ORIGINAL);
    char *text = bf_malloc(size);
    if (!text) {
        page->failed = true;
        return;
    }
    sodium_bin2base64(text, size, webp->data, webp->size, sodium_base64_VARIANT_ORIGINAL);
    bf_page_put(page, "<img alt=\"%s\" src=\"data:image/webp;base64,%s\">", alt, text);
    bf_free(text);
}

static const bf_small_picture *copy_of(const bf_review_report *r, const bf_review_facts *facts, const bf_scored *row)
{
    return facts->pictures ? &facts->pictures->copy[row - r->table->row] : NULL;
}

static void photo(bf_page *page, const bf_review_report *r, const bf_review_facts *facts, const bf_scored *row)
{
    const bf_small_picture *copy = copy_of(r, facts, row);
    bf_page_put(page, "<div class=\"photo\">");
    if (copy && copy->face.size > 0)
        picture(page, &copy->face, "The face");
    if (copy && copy->large.size > 0)
        picture(page, &copy->large, "The whole capture");
    else
        bf_page_put(page, "<p class=\"nothing\">%s</p>", facts->pictures ? "no picture to show" : "pictures left out");
    bf_page_put(page, "</div>");
}

static void part(bf_page *page, const char *name, const char *value)
{
    if (!value[0])
        return;
    bf_page_put(page, "<span><i>%s</i> ", name);
    bf_page_escape(page, value);
    bf_page_put(page, "</span> ");
}

static void facts_line(bf_page *page, const bf_scored *row)
{
    bf_page_put(page, "<p class=\"line\">");
    if (!isnan(row->score))
        bf_page_put(page, "<span><i>score</i> <b>%.1f</b></span> ", row->score);
    else
        part(page, "status", row->text[BF_TEXT_STATUS]);
    part(page, "code", row->text[BF_TEXT_CODE]);
    part(page, "band", row->text[BF_TEXT_BAND]);
    part(page, "decision", row->text[BF_TEXT_DECISION]);
    part(page, "reason", row->text[BF_TEXT_REASON]);
    part(page, "against", row->text[BF_TEXT_WEIGHED]);
    part(page, "label", row->text[BF_TEXT_LABEL]);
    part(page, "species", row->text[BF_TEXT_SPECIES]);
    part(page, "person", row->text[BF_TEXT_PERSON]);
    part(page, "device", row->text[BF_TEXT_DEVICE]);
    part(page, "source", row->text[BF_TEXT_SOURCE]);
    bf_page_put(page, "</p>");
}

static void clues(bf_page *page, const bf_diagnosis *d)
{
    bf_page_put(page, "<ul class=\"clues\">");
    for (size_t i = 0; i < d->count; i++) {
        bf_page_put(page, "<li%s><b>%s</b><span class=\"tag\">%s</span> ", d->clue[i].strong ? "" : " class=\"hint\"",
                    bf_cause_title(d->clue[i].cause), d->clue[i].strong ? "evidence" : "hint");
        bf_page_escape(page, d->clue[i].text);
        bf_page_put(page, "</li>");
    }
    if (d->count == 0)
        bf_page_put(page, "<li>%s</li>", bf_cause_remedy(BF_CAUSE_UNCLEAR));
    bf_page_put(page, "</ul>");
}

static void detectors(bf_page *page, const bf_review_report *r, const bf_scored *row)
{
    static const char *const states[] = {"", "nothing to judge by", "failed", ""};
    if (r->table->detectors == 0 || row->status != BF_SCORE_OK)
        return;
    bf_page_put(page,
                "<div class=\"wide\"><table class=\"opinions\"><thead><tr><th>Detector</th><th class=\"n\">raw</th>"
                "<th class=\"n\"><a class=\"t\" href=\"#d-llr\">llr</a></th><th>speaks for</th></tr></thead><tbody>");
    for (size_t d = 0; d < r->table->detectors; d++) {
        const bf_opinion *o = &row->opinion[d];
        bool wrong = row->attack ? o->llr >= NOTHING : o->llr <= -NOTHING;
        if (o->state == BF_DETECTOR_ABSENT)
            continue;
        bf_page_put(page, "<tr%s><td>", wrong ? " class=\"wrong\"" : "");
        bf_page_escape(page, r->table->detector[d]);
        if (isnan(o->llr)) {
            bf_page_put(page,
                        "</td><td class=\"n\">&ndash;</td><td class=\"n\">&ndash;</td><td class=\"soft\">%s</td></tr>",
                        o->state == BF_DETECTOR_PRESENT ? "no calibration" : states[o->state]);
            continue;
        }
        if (isnan(o->raw))
            bf_page_put(page, "</td><td class=\"n\">&ndash;</td>");
        else
            bf_page_put(page, "</td><td class=\"n\">%.3g</td>", o->raw);
        bf_page_put(page, "<td class=\"n\">%+.2f</td><td>%s%s</td></tr>", o->llr,
                    fabsf(o->llr) < NOTHING ? "neither"
                    : o->llr < 0            ? "attack"
                                            : "bona fide",
                    wrong ? " <span class=\"tag bad\">wrong</span>" : "");
    }
    bf_page_put(page, "</tbody></table></div>");
}

static void neighbour(bf_page *page, const bf_review_report *r, const bf_review_facts *facts, const bf_near *near,
                      const char *what, const char *unit)
{
    if (!near->row)
        return;
    const bf_small_picture *copy = copy_of(r, facts, near->row);
    bf_page_put(page, "<figure>");
    if (copy && copy->small.size > 0)
        picture(page, &copy->small, "A similar capture");
    bf_page_put(page, "<figcaption>%s: <span class=\"id\">", what);
    bf_page_escape(page, near->row->text[BF_TEXT_SAMPLE_ID]);
    bf_page_put(page, "</span>");
    if (near->row->text[BF_TEXT_SPECIES][0]) {
        bf_page_put(page, ", ");
        bf_page_escape(page, near->row->text[BF_TEXT_SPECIES]);
    }
    if (near->row->status == BF_SCORE_OK)
        bf_page_put(page, ", score %.1f", near->row->score);
    bf_page_put(page, " <span class=\"of\">%.*f %s</span></figcaption></figure>", unit[0] == 'b' ? 0 : 2,
                near->distance, unit);
}

static void neighbours(bf_page *page, const bf_review_report *r, const bf_review_facts *facts, const bf_slip *slip)
{
    const bf_surroundings *a = &slip->around;
    const bf_near copy = {a->copy, 0};
    if (!a->copy && !a->twin.row && !a->evidence[0].row && !a->evidence[1].row && !a->picture[0].row &&
        !a->picture[1].row)
        return;
    bf_page_put(page, "<h4><a class=\"t\" href=\"#d-near\">Closest among those judged rightly</a></h4>"
                      "<div class=\"near\">");
    neighbour(page, r, facts, &copy, "The same file with the other label", "bits");
    if (!a->copy)
        neighbour(page, r, facts, &a->twin, "Nearly the same picture with the other label", "bits");
    neighbour(page, r, facts, &a->evidence[0], "By evidence, the closest bona fide that passed", "sd");
    neighbour(page, r, facts, &a->evidence[1], "By evidence, the closest attack that was stopped", "sd");
    neighbour(page, r, facts, &a->picture[0], "By picture, the closest bona fide that passed", "bits");
    neighbour(page, r, facts, &a->picture[1], "By picture, the closest attack that was stopped", "bits");
    bf_page_put(page, "</div>");
}

static void form(bf_page *page, const bf_review_report *r, const bf_slip *slip)
{
    char value[BF_FORM_VALUE_SIZE];
    bf_page_put(page, "<h4>For the reviewer</h4><dl class=\"form\">");
    for (int f = 0; f < BF_FORM_FIELDS; f++) {
        if (!bf_form_has(slip->kind, (bf_form_field)f))
            continue;
        bf_form_fill(slip, r, (bf_form_field)f, value);
        bf_page_put(page, "<dt>%s</dt><dd%s>", bf_form_label((bf_form_field)f), value[0] ? "" : " class=\"soft\"");
        bf_page_escape(page, value[0] ? value : "not known");
        bf_page_put(page, "</dd>");
    }
    bf_page_put(page,
                "<dt>Verdict</dt><dd class=\"boxes\"><span>&#9744; agreed</span> <span>&#9744; label wrong</span> "
                "<span>&#9744; unclear</span></dd></dl>");
}

void bf_review_html_slip(bf_page *page, const bf_review_report *report, const bf_review_facts *facts, size_t index)
{
    const bf_slip *slip = &report->slip[index];
    bf_page_put(page, "<article class=\"case\" id=\"e-%zu\">", index + 1);
    photo(page, report, facts, slip->row);
    bf_page_put(page, "<div class=\"about\"><h3><span class=\"id\">");
    bf_page_escape(page, slip->row->text[BF_TEXT_SAMPLE_ID]);
    bf_page_put(page, "</span> <span class=\"tag %s\">%s</span>", bf_slip_of_attack(slip->kind) ? "bad" : "few",
                bf_slip_title(slip->kind));
    if (slip->policy)
        bf_page_put(page, "<span class=\"tag bad\">policy %s</span>",
                    bf_slip_of_attack(slip->kind) ? "approved" : "rejected");
    bf_page_put(page, "</h3>");
    facts_line(page, slip->row);
    clues(page, &slip->diagnosis);
    detectors(page, report, slip->row);
    neighbours(page, report, facts, slip);
    form(page, report, slip);
    bf_page_put(page, "</div></article>");
}
