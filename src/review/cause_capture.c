/* Whether the picture itself was hard to judge. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "review/review.h"

#define POOR 30.0        /* of 100: a measure that is under this is poor by itself */
#define FINE 70.0        /* a measure at or above this is no reason, however others fare */
#define ENOUGH_LIVE 20   /* accepted bona fide that make a comparison with them mean something */
#define IOD_LEAST_PX 60  /* what field guidance asks for */
#define MEASURES_SHOWN 3 /* the worst of them */

bool bf_code_of_picture(const char *code)
{
    static const char *const codes[] = {"NO_FACE", "MULTIPLE_FACES", "INPUT_QUALITY_TOO_LOW", "NO_LIVENESS_EVIDENCE"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(code, codes[i]) == 0)
            return true;
    }
    return false;
}

/* How far the measure is under what it should be; 0 when it is no reason: what most of the accepted have is none. */
static double shortfall(const bf_slip *slip, const bf_background *b, size_t m, bool *ret_strong)
{
    double value = slip->row->quality[m].value;
    bool compared = b->accepted_live >= ENOUGH_LIVE && !isnan(b->low[m]), poor = value < POOR;
    *ret_strong = compared && poor;
    return (compared ? value < b->low[m] && value < FINE : poor) ? FINE - value : 0;
}

static void diagnose_measure(bf_slip *slip, const bf_review_report *report, size_t m, bool strong)
{
    const bf_background *b = &report->background;
    const bf_quality_value *quality = &slip->row->quality[m];
    char native[40] = "", usual[120] = "";
    if (!isnan(quality->native))
        (void)snprintf(native, sizeof native, " (native %.3g)", quality->native);
    if (b->accepted_live >= ENOUGH_LIVE && !isnan(b->low[m]))
        (void)snprintf(usual, sizeof usual,
                       "; accepted bona fide have %.0f in the middle, and 95 %% of them at least %.0f", b->median[m],
                       b->low[m]);
    bf_diagnosis_add(&slip->diagnosis, BF_CAUSE_CAPTURE, strong && !slip->row->attack, "%.60s is %.0f of 100%s%s.",
                     report->table->measure[m], quality->value, native, usual);
}

static void diagnose_measures(bf_slip *slip, const bf_review_report *report)
{
    bool used[BF_REVIEW_MEASURES_MAX] = {false}, strong, worst_strong = false;
    for (int shown = 0; shown < MEASURES_SHOWN; shown++) {
        size_t worst = BF_REVIEW_MEASURES_MAX;
        double furthest = 0;
        for (size_t m = 0; m < report->table->measures; m++) {
            double missing = shortfall(slip, &report->background, m, &strong);
            if (used[m] || missing <= furthest)
                continue;
            furthest = missing;
            worst = m;
            worst_strong = strong;
        }
        if (worst == BF_REVIEW_MEASURES_MAX)
            return;
        used[worst] = true;
        diagnose_measure(slip, report, worst, worst_strong);
    }
}

void bf_diagnose_capture(bf_slip *slip, const bf_review_report *report)
{
    const bf_scored *row = slip->row;
    bf_diagnosis *d = &slip->diagnosis;
    const char *code = row->text[BF_TEXT_CODE];
    if (row->status == BF_SCORE_COULD_NOT_JUDGE && (code[0] == '\0' || bf_code_of_picture(code)))
        bf_diagnosis_add(d, BF_CAUSE_CAPTURE, true, "There was no response: %.60s.",
                         code[0] ? code : "no code is stated");
    if (row->gate == BF_GATE_FAILED)
        bf_diagnosis_add(d, BF_CAUSE_CAPTURE, !row->attack, "It did not pass the quality gate of the journey %.60s.",
                         row->text[BF_TEXT_FLOW][0] ? row->text[BF_TEXT_FLOW] : "(not stated)");
    if (row->iod_px < IOD_LEAST_PX)
        bf_diagnosis_add(d, BF_CAUSE_CAPTURE, !row->attack,
                         "The face is small: the eyes are %.0f px apart, and %d px are the least to ask for.",
                         row->iod_px, IOD_LEAST_PX);
    diagnose_measures(slip, report);
}
