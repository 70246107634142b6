/* The column that says what was measured and decided. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bonafide/words.h"
#include "cli/draw.h"
#include "cli/scene.h"

#define LLR_FULL 6.0 /* a likelihood ratio that fills its bar */
#define ROW 20.0
#define PAD 16.0

static const draw_font HEADING = {12, true, INK_FAINT};
static const draw_font BODY = {12.5, false, INK_TEXT};
static const draw_font FAINT = {11.5, false, INK_FAINT};

/* A column being filled from above. */
typedef struct column {
    cairo_t *cr;
    double x, y, width;
} column;

/* "LIVENESS_FAILED" and "move_closer" as words. */
static void words_of(const char *code, char *ret, size_t size)
{
    size_t i = 0;
    for (; code[i] && i + 1 < size; i++)
        ret[i] = (char)(code[i] == '_' ? ' ' : tolower((unsigned char)code[i]));
    ret[i] = '\0';
}

static void draw_verdict(column *c, const json_t *record, const char *name)
{
    static const char *const labels[][2] = {{"live", "LIVE"}, {"spoof", "SPOOF"}, {"uncertain", "UNCERTAIN"}};
    draw_ink ink = (draw_ink)scene_verdict_ink(record);
    const char *shown = "NOT JUDGED";
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        if (strcmp(scene_text(record, "result.label"), labels[i][0]) == 0)
            shown = labels[i][1];
    }
    (void)draw_text(c->cr, c->x, c->y + 12, c->width, FAINT, name);
    c->y += 26;
    double used = draw_text(c->cr, c->x, c->y + 26, 0, (draw_font){30, true, ink}, shown);
    double score = scene_number(record, "result.score", -1);
    if (score >= 0) {
        char text[32];
        (void)snprintf(text, sizeof text, "%.1f", score);
        (void)draw_text(c->cr, c->x + used + 12, c->y + 26, 0, (draw_font){30, false, INK_TEXT}, text);
    }
    c->y += 38;
    if (score >= 0)
        draw_bar(c->cr, c->x, c->y, c->width, 7, score / 100.0, ink);
    c->y += score >= 0 ? 34 : 18;
}

static void draw_decision(column *c, const json_t *record)
{
    char words[96];
    bf_reason reason = BF_REASON_NO_RULE;
    bf_guidance guidance;
    draw_font strong = {15, true, INK_TEXT};
    words_of(scene_text(record, "decision.decision"), words, sizeof words);
    words[0] = (char)toupper((unsigned char)words[0]);
    double used = draw_text(c->cr, c->x, c->y, 0, strong, words);
    (void)draw_text(c->cr, c->x + used + 10, c->y, c->width - used - 10, FAINT,
                    scene_text(record, "decision.flow_type"));
    c->y += 21;
    if (bf_reason_from_name(scene_text(record, "decision.reason"), &reason))
        c->y = draw_text_wrapped(c->cr, c->x, c->y, c->width, 2, BODY, bf_reason_text(reason));
    const char *message = scene_text(record, "error.message");
    if (message[0] && strcmp(message, bf_reason_text(reason)) != 0)
        c->y = draw_text_wrapped(c->cr, c->x, c->y, c->width, 3, BODY, message);
    const json_t *list = scene_get(record, "decision.guidance");
    for (size_t i = 0; i < json_array_size(list) && i < 3; i++) {
        const char *code = json_string_value(json_array_get(list, i));
        if (code && bf_guidance_from_name(code, &guidance))
            c->y = draw_text_wrapped(c->cr, c->x, c->y, c->width, 2, (draw_font){12.5, false, INK_UNSURE},
                                     bf_guidance_text(guidance));
    }
    c->y += 10;
}

static void draw_heading(column *c, const char *text)
{
    draw_set_ink(c->cr, INK_LINE, 1.0);
    cairo_rectangle(c->cr, c->x, c->y, c->width, 1);
    cairo_fill(c->cr);
    c->y += 20;
    (void)draw_text(c->cr, c->x, c->y, c->width, HEADING, text);
    c->y += ROW;
}

static void draw_llr(column *c, const char *name, double llr, bool known, const char *absent)
{
    char text[32];
    double bar_x = c->x + 180, bar_width = c->width - 180 - 62;
    (void)draw_text(c->cr, c->x, c->y, 172, BODY, name);
    if (!known) {
        (void)draw_text(c->cr, bar_x, c->y, c->width - 180, FAINT, absent);
        c->y += ROW;
        return;
    }
    draw_balance(c->cr, bar_x, c->y - 8, bar_width, 8, llr / LLR_FULL);
    (void)snprintf(text, sizeof text, "%+.2f", llr);
    (void)draw_text_right(c->cr, c->x + c->width, c->y, 58, BODY, text);
    c->y += ROW;
}

static void draw_evidence(column *c, const json_t *record)
{
    const json_t *list = scene_get(record, "evidence");
    if (json_array_size(list) == 0)
        return;
    const json_t *llr = scene_get(record, "diagnostics.live_llr");
    bool fused = json_is_number(llr);
    draw_heading(c, fused ? "EVIDENCE  (attack \xe2\x86\x90 what it adds \xe2\x86\x92 bona fide)"
                          : "EVIDENCE  (attack \xe2\x86\x90 log-likelihood ratio \xe2\x86\x92 bona fide)");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i), *value = scene_get(one, fused ? "contribution" : "llr");
        const char *why = scene_text(one, "why");
        char absent[160];
        words_of(scene_text(one, "status"), absent, sizeof absent);
        draw_llr(c, scene_text(one, "detector"), json_number_value(value), json_is_number(value),
                 why[0]                           ? why
                 : strcmp(absent, "present") != 0 ? absent
                 : fused                          ? "not fused"
                                                  : "not calibrated");
    }
    if (fused)
        draw_llr(c, "to begin with", scene_number(record, "diagnostics.fusion_bias", 0), true, "");
    draw_llr(c, "all together", json_number_value(llr), fused, "not fused");
    c->y += 8;
}

static void draw_match(column *c, const json_t *record)
{
    char text[96];
    const char *outcome = scene_text(record, "match.outcome"), *problem = scene_text(record, "match.problem");
    if (!outcome[0] || strcmp(outcome, "not_requested") == 0)
        return;
    draw_heading(c, "MATCH WITH THE REFERENCE");
    double similarity = scene_number(record, "match.similarity", -2);
    words_of(problem[0] ? problem : outcome, text, sizeof text);
    (void)draw_text(c->cr, c->x, c->y, 172, BODY, text);
    if (similarity >= -1) {
        bool strong = strcmp(outcome, "strong") == 0, none = strcmp(outcome, "none") == 0;
        draw_bar(c->cr, c->x + 180, c->y - 8, c->width - 242, 8, similarity,
                 strong ? INK_GOOD
                 : none ? INK_BAD
                        : INK_UNSURE);
        (void)snprintf(text, sizeof text, "%.3f", similarity);
        (void)draw_text_right(c->cr, c->x + c->width, c->y, 58, BODY, text);
    }
    c->y += ROW + 8;
}

/* Native values have very different sizes; four significant digits show each. */
static void native_text(const json_t *measure, char *ret, size_t size)
{
    static const char *const shown[] = {"px", "degree", "bit"};
    const char *unit = scene_text(measure, "unit");
    bool known = false;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        known = known || strcmp(unit, shown[i]) == 0;
    double native = scene_number(measure, "native", 0);
    if (!json_is_number(scene_get(measure, "native")))
        (void)snprintf(ret, size, "-");
    else
        (void)snprintf(ret, size, fabs(native) >= 100 ? "%.0f%s%s" : "%.3g%s%s", native, known ? " " : "",
                       strcmp(unit, "degree") == 0 ? "\xc2\xb0"
                       : known                     ? unit
                                                   : "");
}

static void draw_measure(column *c, const json_t *measure)
{
    char text[64];
    const char *status = scene_text(measure, "status");
    double value = scene_number(measure, "value", -1), bar_x = c->x + 276;
    bool fail = strcmp(status, "fail") == 0;
    /* A low value that no threshold minds is neither good nor bad. */
    draw_ink ink = fail ? INK_BAD : value < 50 ? INK_FAINT : INK_GOOD;
    draw_mark(c->cr, c->x, c->y - 9, 9, status);
    (void)draw_text(c->cr, c->x + 18, c->y, 182, (draw_font){12, false, fail ? INK_BAD : INK_TEXT},
                    scene_text(measure, "name"));
    native_text(measure, text, sizeof text);
    (void)draw_text_right(c->cr, bar_x - 10, c->y, 64, FAINT, text);
    if (value >= 0) {
        draw_bar(c->cr, bar_x, c->y - 7, c->width - 276 - 34, 6, value / 100.0, ink);
        (void)snprintf(text, sizeof text, "%.0f", value);
        (void)draw_text_right(c->cr, c->x + c->width, c->y, 30, FAINT, text);
    }
    c->y += 18;
}

static void draw_quality(column *c, const json_t *record)
{
    const json_t *list = scene_get(record, "quality.measures");
    if (json_array_size(list) == 0)
        return;
    draw_heading(c, json_is_true(scene_get(record, "quality.passed")) ? "QUALITY  (passed)" : "QUALITY  (not passed)");
    for (size_t i = 0; i < json_array_size(list); i++)
        draw_measure(c, json_array_get(list, i));
    c->y += 8;
}

static void draw_footer(column *c, const json_t *record)
{
    char text[400];
    draw_heading(c, "MADE WITH");
    (void)snprintf(text, sizeof text, "policy %s", scene_text(record, "versions.policy"));
    (void)draw_text(c->cr, c->x, c->y, c->width, FAINT, text);
    c->y += 17;
    const char *configuration = scene_text(record, "versions.fusion_configuration");
    (void)snprintf(text, sizeof text, "fusion %s%s%s", scene_text(record, "versions.fusion"),
                   configuration[0] ? ", configuration " : "", configuration);
    (void)draw_text(c->cr, c->x, c->y, c->width, FAINT, text);
    c->y += 17;
    (void)snprintf(text, sizeof text, "bonafide %s, %s", scene_text(record, "versions.code"),
                   scene_text(record, "versions.runtime"));
    (void)draw_text(c->cr, c->x, c->y, c->width, FAINT, text);
    c->y += 17;
    (void)snprintf(text, sizeof text, "input %.0fx%.0f %s, SHA-256 %.16s\xe2\x80\xa6",
                   scene_number(record, "input.width", 0), scene_number(record, "input.height", 0),
                   scene_text(record, "input.format"), scene_text(record, "input.sha256"));
    (void)draw_text(c->cr, c->x, c->y, c->width, FAINT, text);
    c->y += 10;
}

double scene_draw_panel(cairo_t *cr, const json_t *record, const char *name, double x, double y, double width)
{
    column c = {cr, x + PAD, y + PAD, width - 2 * PAD};
    draw_verdict(&c, record, name);
    draw_decision(&c, record);
    draw_evidence(&c, record);
    draw_match(&c, record);
    draw_quality(&c, record);
    draw_footer(&c, record);
    return c.y + PAD;
}
