#include "review/form.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
    const char *word, *label;
} FIELDS[BF_FORM_FIELDS] = {
    [BF_FORM_ATTACK_STYLE] = {"attack_style", "Attack style"},
    [BF_FORM_DEVICE] = {"device", "Device"},
    [BF_FORM_MODEL_SCORES] = {"model_scores", "Each detector&rsquo;s score"},
    [BF_FORM_SIGNALS] = {"signals", "Signals that fired"},
    [BF_FORM_KNOWN_OR_NEW] = {"known_or_new", "Known or new attack"},
    [BF_FORM_POLICY] = {"policy_should_have_stopped_it", "Should policy have stopped it"},
    [BF_FORM_LIGHTING] = {"lighting", "Lighting"},
    [BF_FORM_BLUR] = {"blur", "Blur"},
    [BF_FORM_FACE_SIZE] = {"face_size", "Size of the face"},
    [BF_FORM_GATE] = {"gate", "Quality gate"},
    [BF_FORM_RETRIES] = {"retries", "Retries"},
    [BF_FORM_GUIDANCE] = {"better_guidance", "Would better guidance have fixed it"},
};

const char *bf_form_word(bf_form_field field)
{
    return FIELDS[field].word;
}

const char *bf_form_label(bf_form_field field)
{
    return FIELDS[field].label;
}

bool bf_form_has(bf_slip_kind kind, bf_form_field field)
{
    return field == BF_FORM_DEVICE || bf_slip_of_attack(kind) == (field < BF_FORM_LIGHTING);
}

/* A text under construction, cut where it gets too long. */
typedef struct value {
    char *text;
    size_t used;
} value;

static void put(value *v, const char *format, ...) BF_PRINTF(2, 3);
static void put(value *v, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(v->text + v->used, BF_FORM_VALUE_SIZE - v->used, format, arguments);
    va_end(arguments);
    v->used += size > 0 ? (size_t)size : 0;
    if (v->used >= BF_FORM_VALUE_SIZE)
        v->used = BF_FORM_VALUE_SIZE - 1;
}

/* Adds a text with its name, if it is not empty. */
static void put_named(value *v, const char *name, const char *text)
{
    if (text[0])
        put(v, "%s%s%s%.120s", v->used > 0 ? "; " : "", name, name[0] ? " " : "", text);
}

static void put_measure(value *v, const bf_slip *slip, const bf_review_report *report, const char *name)
{
    for (size_t m = 0; m < report->table->measures; m++) {
        if (strcmp(report->table->measure[m], name) == 0 && !isnan(slip->row->quality[m].value))
            put(v, "%s%s %.0f of 100", v->used > 0 ? "; " : "", name, slip->row->quality[m].value);
    }
}

static void fill_scores(value *v, const bf_slip *slip, const bf_review_report *report)
{
    static const char *const states[] = {"", "nothing to judge by", "failed", ""};
    if (!isnan(slip->row->score))
        put(v, "score %.1f", slip->row->score);
    for (size_t d = 0; d < report->table->detectors; d++) {
        const bf_opinion *opinion = &slip->row->opinion[d];
        if (opinion->state == BF_DETECTOR_ABSENT)
            continue;
        put(v, "%s%.60s ", v->used > 0 ? "; " : "", report->table->detector[d]);
        if (opinion->state == BF_DETECTOR_PRESENT && !isnan(opinion->llr))
            put(v, "%+.2f", opinion->llr);
        else
            put(v, "%s", opinion->state == BF_DETECTOR_PRESENT ? "without calibration" : states[opinion->state]);
    }
}

static void fill_known(value *v, const bf_slip *slip, const bf_review_report *report)
{
    const bf_surroundings *around = &slip->around;
    if (report->background.has_train)
        put(v,
            around->species_trained > 0 ? "known: %zu of the species in the split train; "
                                        : "new: %zu of the species in the split train; ",
            around->species_trained);
    put(v, "of %zu of the species in this table, %zu are accepted and %zu without a response", around->species,
        around->species_accepted, around->species_silent);
}

static void fill_policy(value *v, const bf_slip *slip)
{
    const char *decision = slip->row->text[BF_TEXT_DECISION];
    if (!decision[0])
        return;
    put(v, slip->policy ? "it did not: " : "it did not approve: ");
    put(v, "%s", decision);
    put_named(v, "because of", slip->row->text[BF_TEXT_REASON]);
    put_named(v, "in the journey", slip->row->text[BF_TEXT_FLOW]);
}

static void fill_guidance(value *v, const bf_slip *slip)
{
    for (size_t i = 0; i < slip->diagnosis.count; i++) {
        const bf_clue *clue = &slip->diagnosis.clue[i];
        if (clue->cause == BF_CAUSE_CAPTURE) {
            put(v, clue->strong ? "probably: " : "perhaps: ");
            put(v, "%s", clue->text);
            return;
        }
    }
    put(v, "nothing in the quality measures says so");
}

static void fill_attack(value *v, const bf_slip *slip, const bf_review_report *report, bf_form_field field)
{
    const bf_scored *row = slip->row;
    switch (field) {
    case BF_FORM_ATTACK_STYLE:
        put_named(v, "", row->text[BF_TEXT_SPECIES]);
        put_named(v, "family", row->text[BF_TEXT_FAMILY]);
        put_named(v, "capture", row->text[BF_TEXT_CAPTURE]);
        break;
    case BF_FORM_DEVICE:
        put_named(v, "", row->text[BF_TEXT_PLATFORM]);
        put_named(v, "class", row->text[BF_TEXT_DEVICE]);
        put_named(v, "channel", row->text[BF_TEXT_CHANNEL]);
        break;
    case BF_FORM_MODEL_SCORES:
        fill_scores(v, slip, report);
        break;
    case BF_FORM_SIGNALS:
        put_named(v, "reason", row->text[BF_TEXT_REASON]);
        put_named(v, "code", row->text[BF_TEXT_CODE]);
        break;
    case BF_FORM_KNOWN_OR_NEW:
        fill_known(v, slip, report);
        break;
    default:
        fill_policy(v, slip);
    }
}

static void fill_live(value *v, const bf_slip *slip, const bf_review_report *report, bf_form_field field)
{
    static const char *const gates[] = {"", "passed", "not passed"};
    const bf_scored *row = slip->row;
    switch (field) {
    case BF_FORM_LIGHTING:
        put_named(v, "", row->text[BF_TEXT_LIGHTING]);
        put_measure(v, slip, report, "LuminanceMean");
        put_measure(v, slip, report, "IlluminationUniformity");
        put_measure(v, slip, report, "BacklightPrevention");
        break;
    case BF_FORM_BLUR:
        put_measure(v, slip, report, "Sharpness");
        put_measure(v, slip, report, "CompressionArtifacts");
        break;
    case BF_FORM_FACE_SIZE:
        if (!isnan(row->iod_px))
            put(v, "eyes %.0f px apart", row->iod_px);
        break;
    case BF_FORM_GATE:
        put_named(v, "", gates[row->gate]);
        put_named(v, "", row->text[BF_TEXT_CODE]);
        break;
    case BF_FORM_RETRIES:
        if (slip->around.session > 0)
            put(v, "%zu presentations in the session %.80s", slip->around.session, row->text[BF_TEXT_SESSION]);
        break;
    default:
        fill_guidance(v, slip);
    }
}

void bf_form_fill(const bf_slip *slip, const bf_review_report *report, bf_form_field field,
                  char ret[BF_FORM_VALUE_SIZE])
{
    value v = {.text = ret};
    ret[0] = '\0';
    if (field < BF_FORM_LIGHTING)
        fill_attack(&v, slip, report, field);
    else
        fill_live(&v, slip, report, field);
    bf_utf8_repair(ret);
}
