/* Kinds of errors and causes, as programs and people call them. */
#include "review/review.h"

static const struct {
    const char *word, *title;
} KINDS[BF_SLIP_KINDS] = {
    [BF_SLIP_FALSE_ACCEPT] = {"false_accept", "Attacks accepted at the threshold"},
    [BF_SLIP_APPROVED_ATTACK] = {"approved_attack", "Attacks that only the policy approved"},
    [BF_SLIP_FALSE_REJECT] = {"false_reject", "Bona fide rejected at the threshold"},
    [BF_SLIP_REJECTED_LIVE] = {"rejected_bona_fide", "Bona fide that only the policy rejected"},
    [BF_SLIP_NO_RESPONSE] = {"no_response", "Bona fide without a response"},
};

static const struct {
    const char *word, *title, *remedy;
} CAUSES[BF_CAUSES] = {
    [BF_CAUSE_INFRASTRUCTURE] = {"infrastructure", "Infrastructure",
                                 "Mend what failed and score again before anything else is concluded."},
    [BF_CAUSE_DATA] = {"data", "Data",
                       "Review the label and the file; correct the manifest, or collect more of what is rare."},
    [BF_CAUSE_CAPTURE] = {"capture_ux", "Capture UX",
                          "Better guidance while capturing, or a gate that asks for another capture."},
    [BF_CAUSE_SECURITY] = {"security", "Security",
                           "An attack that nothing here recognises: collect it, train on it, and protect the capture "
                           "path meanwhile."},
    [BF_CAUSE_THRESHOLD] = {"threshold", "Threshold or policy",
                            "Move the band or change the rule, after looking at what that costs on the other side."},
    [BF_CAUSE_MODEL] = {"model", "Model", "Train or calibrate the detectors that erred, or give them less weight."},
    [BF_CAUSE_UNCLEAR] = {"unclear", "Unclear", "Nothing in the table explains it: look at the picture."},
};

const char *bf_slip_word(bf_slip_kind kind)
{
    return KINDS[kind].word;
}

const char *bf_slip_title(bf_slip_kind kind)
{
    return KINDS[kind].title;
}

bool bf_slip_of_attack(bf_slip_kind kind)
{
    return kind == BF_SLIP_FALSE_ACCEPT || kind == BF_SLIP_APPROVED_ATTACK;
}

const char *bf_cause_word(bf_cause cause)
{
    return CAUSES[cause].word;
}

const char *bf_cause_title(bf_cause cause)
{
    return CAUSES[cause].title;
}

const char *bf_cause_remedy(bf_cause cause)
{
    return CAUSES[cause].remedy;
}
