/* The rules that find probable causes. Each states its evidence in words and numbers, so that a reader can disagree. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "review/review.h"

#define CLOSE_POINTS 2.0 /* to the threshold: the score could as well be on the other side */
#define NEAR_POINTS 5.0
#define WRONG_LLR 1.0 /* evidence for the wrong side that counts as an error of its own */
#define FEW_SAMPLES 10
#define SILENT_SHARE 0.5 /* of a species: when no detector speaks against more of it, none knows it */
#define SILENT_SAMPLES 3
#define SLOW_TIMES 5.0 /* the median */
#define SLOW_SAMPLES 20
#define WRONG_SHOWN 4

void bf_diagnosis_add(bf_diagnosis *diagnosis, bf_cause cause, bool strong, const char *format, ...)
{
    if (diagnosis->count == BF_CLUES_MAX)
        return;
    bf_clue *clue = &diagnosis->clue[diagnosis->count++];
    *clue = (bf_clue){.cause = cause, .strong = strong};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(clue->text, sizeof clue->text, format, arguments);
    va_end(arguments);
    bf_utf8_repair(clue->text);
}

static void diagnose_infrastructure(bf_slip *slip, const bf_review_report *report)
{
    const bf_scored *row = slip->row;
    const char *code = row->text[BF_TEXT_CODE];
    bf_diagnosis *d = &slip->diagnosis;
    if (row->status == BF_SCORE_ERROR)
        bf_diagnosis_add(d, BF_CAUSE_INFRASTRUCTURE, true, "Judging failed: %.60s.",
                         code[0] ? code : "no code is stated");
    else if (row->status == BF_SCORE_COULD_NOT_JUDGE && code[0] && !bf_code_of_picture(code))
        bf_diagnosis_add(d, BF_CAUSE_INFRASTRUCTURE, true, "The file could not be judged: %.60s.", code);
    for (size_t i = 0; i < report->table->detectors; i++) {
        if (row->opinion[i].state == BF_DETECTOR_FAILED)
            bf_diagnosis_add(d, BF_CAUSE_INFRASTRUCTURE, true, "The detector %.60s failed and had no say in the score.",
                             report->table->detector[i]);
    }
    double median = report->background.ms_median;
    if (report->background.timed >= SLOW_SAMPLES && row->total_ms > SLOW_TIMES * median)
        bf_diagnosis_add(d, BF_CAUSE_INFRASTRUCTURE, false, "It took %.0f ms, %.0f times the median of %.0f ms.",
                         row->total_ms, row->total_ms / median, median);
}

static const char *label_of(const bf_scored *row)
{
    return row->attack ? "attack" : "bona fide";
}

/* Detectors whose evidence is on the wrong side by at least `least`, and those that gave any. */
static size_t wrong_detectors(const bf_scored *row, size_t detectors, double least, size_t *ret_spoke)
{
    size_t wrong = 0;
    *ret_spoke = 0;
    for (size_t d = 0; d < detectors; d++) {
        double llr = row->opinion[d].llr, toward_error = row->attack ? llr : -llr;
        *ret_spoke += isnan(llr) ? 0 : 1;
        wrong += toward_error >= least;
    }
    return wrong;
}

static void diagnose_label(bf_slip *slip, const bf_review_report *report)
{
    static const char *const words[] = {"confirmed", "uncertain", "disputed", "excluded"};
    const bf_scored *row = slip->row;
    const bf_surroundings *around = &slip->around;
    bf_diagnosis *d = &slip->diagnosis;
    size_t spoke = 0, wrong = wrong_detectors(row, report->table->detectors, WRONG_LLR, &spoke);
    if (row->review != BF_REVIEW_CONFIRMED)
        bf_diagnosis_add(d, BF_CAUSE_DATA, true, "The label is not confirmed: its review status is %s.",
                         words[row->review]);
    if (around->copy)
        bf_diagnosis_add(d, BF_CAUSE_DATA, true, "The same file is sample %.80s, where its label is %s.",
                         around->copy->text[BF_TEXT_SAMPLE_ID], label_of(around->copy));
    else if (around->twin.row)
        bf_diagnosis_add(
            d, BF_CAUSE_DATA, true,
            "Nearly the same picture is sample %.80s, whose label is %s: the prints differ in %.0f of %d bits.",
            around->twin.row->text[BF_TEXT_SAMPLE_ID], label_of(around->twin.row), around->twin.distance,
            BF_PRINT_BITS);
    if (spoke >= 2 && wrong == spoke && around->nearest == BF_NEAREST && around->nearest_agree <= 1)
        bf_diagnosis_add(
            d, BF_CAUSE_DATA, false,
            "All %zu detectors contradict the label %s clearly, and so do %zu of the %d presentations with "
            "the most similar evidence: is the label right?",
            spoke, label_of(row), around->nearest - around->nearest_agree, BF_NEAREST);
}

static void diagnose_coverage(bf_slip *slip, const bf_review_report *report)
{
    const bf_scored *row = slip->row;
    const bf_surroundings *around = &slip->around;
    bf_diagnosis *d = &slip->diagnosis;
    const char *species = row->text[BF_TEXT_SPECIES];
    if (row->attack && report->background.has_train && around->species_trained == 0)
        bf_diagnosis_add(d, BF_CAUSE_DATA, true, "The split train has no sample of the species %.60s.",
                         species[0] ? species : "(not stated)");
    else if (row->attack && around->species < FEW_SAMPLES)
        bf_diagnosis_add(d, BF_CAUSE_DATA, false, "The table has only %zu of the species %.60s.", around->species,
                         species[0] ? species : "(not stated)");
    if (around->device > 0 && around->device < FEW_SAMPLES)
        bf_diagnosis_add(d, BF_CAUSE_DATA, false, "The table has only %zu from the device class %.60s.", around->device,
                         row->text[BF_TEXT_DEVICE]);
}

static bool mentions(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcasestr(text, *words))
            return true;
    }
    return false;
}

/* The highest share of the species that any detector speaks against, and that detector; false when none spoke. */
static bool best_against(const bf_surroundings *around, size_t detectors, size_t *ret)
{
    bool found = false;
    for (size_t d = 0; d < detectors; d++) {
        if (around->spoke[d] == 0)
            continue;
        if (!found || around->against[d] * around->spoke[*ret] > around->against[*ret] * around->spoke[d])
            *ret = d;
        found = true;
    }
    return found;
}

static void diagnose_security(bf_slip *slip, const bf_review_report *report)
{
    static const char *const injected[] = {"inject", "virtual", "emulat", NULL};
    static const char *const generated[] = {"deepfake", "generated", "synthetic", "swap", "morph", "diffusion", NULL};
    static const char *const signals[] = {"CAPTURE_PATH_RISK", "DEVICE_RISK", NULL};
    const bf_scored *row = slip->row;
    const bf_surroundings *around = &slip->around;
    bf_diagnosis *d = &slip->diagnosis;
    const char *species = row->text[BF_TEXT_SPECIES], *capture = row->text[BF_TEXT_CAPTURE];
    size_t best = 0;
    if (!row->attack)
        return;
    if (mentions(capture, injected))
        bf_diagnosis_add(d, BF_CAUSE_SECURITY, true,
                         "The capture did not come from a camera: its capture type is %.60s.", capture);
    else if (mentions(species, injected) || mentions(row->text[BF_TEXT_FAMILY], injected))
        bf_diagnosis_add(d, BF_CAUSE_SECURITY, true, "The attack is injected behind the camera: %.60s.", species);
    if (mentions(species, generated) || mentions(row->text[BF_TEXT_FAMILY], generated))
        bf_diagnosis_add(d, BF_CAUSE_SECURITY, true, "The face is made by a program: %.60s.",
                         species[0] ? species : row->text[BF_TEXT_FAMILY]);
    if (around->species >= SILENT_SAMPLES && best_against(around, report->table->detectors, &best) &&
        (double)around->against[best] < SILENT_SHARE * (double)around->spoke[best])
        bf_diagnosis_add(d, BF_CAUSE_SECURITY, true,
                         "No detector knows this species: the best, %.60s, speaks against %zu of %zu samples of %.60s.",
                         report->table->detector[best], around->against[best], around->spoke[best],
                         species[0] ? species : "(not stated)");
    if (mentions(row->text[BF_TEXT_REASON], signals))
        bf_diagnosis_add(d, BF_CAUSE_SECURITY, false,
                         "The policy saw a risk (%.60s), which the score does not know of.", row->text[BF_TEXT_REASON]);
    if (slip->policy)
        bf_diagnosis_add(d, BF_CAUSE_SECURITY, false, "It went all the way: the policy approved it.");
}

static void diagnose_other_journeys(bf_slip *slip, const bf_review_report *report)
{
    const bf_scored *row = slip->row;
    char list[200] = "";
    size_t used = 0;
    if (row->status != BF_SCORE_OK || (row->attack && !slip->policy))
        return;
    for (size_t f = 0; f < report->table->flows && used + 80 < sizeof list; f++) {
        bool own = strcmp(report->table->flow[f], row->text[BF_TEXT_FLOW]) == 0;
        bool approved = strcmp(row->flow[f], "approve") == 0;
        if (!own && row->flow[f][0] && approved != row->attack)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.60s", used > 0 ? ", " : "",
                                     report->table->flow[f]);
    }
    if (used > 0)
        bf_diagnosis_add(&slip->diagnosis, BF_CAUSE_THRESHOLD, false, "Other journeys decide rightly: %s.", list);
}

static void diagnose_threshold(bf_slip *slip, const bf_review_report *report)
{
    const bf_scored *row = slip->row;
    bf_diagnosis *d = &slip->diagnosis;
    double threshold = report->options.threshold, proposed = report->options.proposed;
    double past = fabs(row->score - threshold);
    bool erred = slip->kind == BF_SLIP_FALSE_ACCEPT || slip->kind == BF_SLIP_FALSE_REJECT;
    if (slip->kind == BF_SLIP_APPROVED_ATTACK && row->status == BF_SCORE_OK)
        bf_diagnosis_add(d, BF_CAUSE_THRESHOLD, true,
                         "The score, %.1f, is under the threshold of %g; the policy approved it all the same (%.60s).",
                         row->score, threshold, row->text[BF_TEXT_REASON]);
    if (slip->kind == BF_SLIP_APPROVED_ATTACK && row->status != BF_SCORE_OK)
        bf_diagnosis_add(d, BF_CAUSE_THRESHOLD, true,
                         "There is no score, and the policy approved it all the same (%.60s).",
                         row->text[BF_TEXT_REASON]);
    if (slip->kind == BF_SLIP_REJECTED_LIVE)
        bf_diagnosis_add(d, BF_CAUSE_THRESHOLD, true,
                         "The score, %.1f, reaches the threshold of %g; the policy rejected it all the same (%.60s).",
                         row->score, threshold, row->text[BF_TEXT_REASON]);
    if (erred && past <= NEAR_POINTS)
        bf_diagnosis_add(d, BF_CAUSE_THRESHOLD, past <= CLOSE_POINTS,
                         "The score, %.1f, is %.1f points %s the threshold.", row->score, past,
                         row->attack ? "past" : "short of");
    if (erred && !isnan(proposed) && (row->score >= proposed) != row->attack)
        bf_diagnosis_add(d, BF_CAUSE_THRESHOLD, true, "At the proposed threshold of %g it is judged rightly.",
                         proposed);
    diagnose_other_journeys(slip, report);
}

/* The detectors that erred, the furthest first. */
static void diagnose_model(bf_slip *slip, const bf_review_report *report)
{
    const bf_scored *row = slip->row;
    char text[BF_CLUE_SIZE];
    bool used[BF_REVIEW_DETECTORS_MAX] = {false};
    size_t length = 0, spoke = 0;
    if (slip->kind != BF_SLIP_FALSE_ACCEPT && slip->kind != BF_SLIP_FALSE_REJECT)
        return;
    size_t wrong = wrong_detectors(row, report->table->detectors, 1e-9, &spoke);
    bool clearly = wrong_detectors(row, report->table->detectors, WRONG_LLR, &spoke) > 0;
    for (size_t n = 0; n < wrong && n < WRONG_SHOWN; n++) {
        size_t worst = BF_REVIEW_DETECTORS_MAX;
        for (size_t d = 0; d < report->table->detectors; d++) {
            double llr = row->opinion[d].llr, furthest = worst < BF_REVIEW_DETECTORS_MAX ? row->opinion[worst].llr : 0;
            if (!used[d] && !isnan(llr) && (row->attack ? llr > furthest : llr < furthest))
                worst = d;
        }
        used[worst] = true;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%.60s %+.2f", n > 0 ? ", " : "",
                                   report->table->detector[worst], row->opinion[worst].llr);
    }
    if (wrong > 0)
        bf_diagnosis_add(&slip->diagnosis, BF_CAUSE_MODEL, clearly, "%zu of %zu detectors speak for %s (llr): %s.",
                         wrong, spoke, row->attack ? "a bona fide" : "an attack", text);
    else if (spoke > 0)
        bf_diagnosis_add(&slip->diagnosis, BF_CAUSE_MODEL, false,
                         "No detector errs alone; what they say together is too weak (llr %+.2f).", row->llr);
}

/* Strong clues before hints, each in the order of the causes; clues of one cause stay as they are. */
static void order(bf_diagnosis *d)
{
    for (size_t i = 1; i < d->count; i++) {
        bf_clue clue = d->clue[i];
        size_t at = i;
        for (; at > 0; at--) {
            const bf_clue *before = &d->clue[at - 1];
            if (before->strong > clue.strong || (before->strong == clue.strong && before->cause <= clue.cause))
                break;
            d->clue[at] = *before;
        }
        d->clue[at] = clue;
    }
    d->cause = d->count > 0 ? d->clue[0].cause : BF_CAUSE_UNCLEAR;
}

void bf_diagnose(bf_slip *slip, const bf_review_report *report)
{
    slip->diagnosis = (bf_diagnosis){0};
    diagnose_infrastructure(slip, report);
    diagnose_label(slip, report);
    diagnose_coverage(slip, report);
    bf_diagnose_capture(slip, report);
    diagnose_security(slip, report);
    diagnose_threshold(slip, report);
    diagnose_model(slip, report);
    order(&slip->diagnosis);
}
