/* errors.csv, and reviews.csv for a reviewer to fill in. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "review/form.h"
#include "review/write.h"

void bf_picture_name(size_t slip, char ret[BF_PICTURE_NAME_SIZE])
{
    (void)snprintf(ret, BF_PICTURE_NAME_SIZE, "pictures/%04zu.webp", slip + 1);
}

/* One line under construction; the first value has no comma before it. */
typedef struct line {
    bf_page *page;
    bool started;
} line;

static void put(line *l, const char *text)
{
    bf_page_put(l->page, "%s", l->started ? "," : "");
    l->started = true;
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        bf_page_put(l->page, "%s", text);
        return;
    }
    bf_page_put(l->page, "\"");
    for (const char *quote; (quote = strchr(text, '"')) != NULL; text = quote + 1)
        bf_page_put(l->page, "%.*s\"\"", (int)(quote - text), text);
    bf_page_put(l->page, "%s\"", text);
}

static void put_number(line *l, double value)
{
    char text[40] = "";
    if (!isnan(value))
        (void)snprintf(text, sizeof text, "%.9g", value);
    put(l, text);
}

static const struct {
    const char *name;
    bf_scored_text text;
} COPIED[] = {
    {"label", BF_TEXT_LABEL},
    {"attack_type", BF_TEXT_SPECIES},
    {"person_id", BF_TEXT_PERSON},
    {"session_id", BF_TEXT_SESSION},
    {"platform", BF_TEXT_PLATFORM},
    {"device_class", BF_TEXT_DEVICE},
    {"channel", BF_TEXT_CHANNEL},
    {"capture_type", BF_TEXT_CAPTURE},
    {"source", BF_TEXT_SOURCE},
    {"split", BF_TEXT_SPLIT},
    {"review_status", BF_TEXT_REVIEW},
    {"status", BF_TEXT_STATUS},
    {"code", BF_TEXT_CODE},
    {"band", BF_TEXT_BAND},
    {"decision", BF_TEXT_DECISION},
    {"reason", BF_TEXT_REASON},
    {"evidence_reasons", BF_TEXT_WEIGHED},
    {"quality_passed", BF_TEXT_GATE},
};
#define COPIES (sizeof COPIED / sizeof *COPIED)

static const char *const NEAR[] = {"evidence_bona_fide", "evidence_attack", "picture_bona_fide", "picture_attack"};
static const char *const REVIEWED[] = {"verdict", "cause", "note", "reviewer"};

static void head(bf_page *page, bool for_review)
{
    line l = {.page = page};
    char name[80];
    put(&l, "sample_id");
    if (for_review)
        put(&l, "picture");
    put(&l, "error");
    for (size_t i = 0; for_review && i < sizeof REVIEWED / sizeof *REVIEWED; i++)
        put(&l, REVIEWED[i]);
    put(&l, "likely_cause");
    put(&l, "evidence");
    put(&l, "policy_erred");
    put(&l, "score");
    put(&l, "live_llr");
    for (size_t i = 0; i < COPIES; i++)
        put(&l, COPIED[i].name);
    for (int f = 0; f < BF_FORM_FIELDS; f++)
        put(&l, bf_form_word((bf_form_field)f));
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "nearest_%s", NEAR[i]);
        put(&l, name);
        (void)snprintf(name, sizeof name, "distance_%s", NEAR[i]);
        put(&l, name);
    }
    bf_page_put(page, "\n");
}

/* "data: ...; model (hint): ..." */
static void put_evidence(line *l, const bf_diagnosis *d)
{
    char text[BF_CLUES_MAX * (BF_CLUE_SIZE + 40)];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < d->count; i++) {
        const bf_clue *clue = &d->clue[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s: %s", i > 0 ? " | " : "",
                                 bf_cause_word(clue->cause), clue->strong ? "" : " (hint)", clue->text);
    }
    put(l, text);
}

static void row(bf_page *page, const bf_review_report *report, const bf_review_facts *facts, size_t index,
                bool for_review)
{
    const bf_slip *slip = &report->slip[index];
    const bf_pictures *pictures = facts->pictures;
    line l = {.page = page};
    char value[BF_FORM_VALUE_SIZE], name[BF_PICTURE_NAME_SIZE];
    bf_picture_name(index, name);
    put(&l, slip->row->text[BF_TEXT_SAMPLE_ID]);
    if (for_review)
        put(&l, pictures && pictures->copy[slip->row - report->table->row].large.size > 0 ? name : "");
    put(&l, bf_slip_word(slip->kind));
    for (size_t i = 0; for_review && i < sizeof REVIEWED / sizeof *REVIEWED; i++)
        put(&l, "");
    put(&l, bf_cause_word(slip->diagnosis.cause));
    put_evidence(&l, &slip->diagnosis);
    put(&l, slip->policy ? "true" : "false");
    put_number(&l, slip->row->score);
    put_number(&l, slip->row->llr);
    for (size_t i = 0; i < COPIES; i++)
        put(&l, slip->row->text[COPIED[i].text]);
    for (int f = 0; f < BF_FORM_FIELDS; f++) {
        value[0] = '\0';
        if (bf_form_has(slip->kind, (bf_form_field)f))
            bf_form_fill(slip, report, (bf_form_field)f, value);
        put(&l, value);
    }
    for (int i = 0; i < 4; i++) {
        const bf_near *near = i < 2 ? &slip->around.evidence[i] : &slip->around.picture[i - 2];
        put(&l, near->row ? near->row->text[BF_TEXT_SAMPLE_ID] : "");
        put_number(&l, near->row ? near->distance : NAN);
    }
    bf_page_put(page, "\n");
}

bf_status bf_review_csv(bf_bytes *ret, const bf_review_report *report, const bf_review_facts *facts, bool for_review,
                        bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    head(&page, for_review);
    for (size_t i = 0; i < report->count; i++)
        row(&page, report, facts, i, for_review);
    return bf_page_take(&page, ret, err);
}
