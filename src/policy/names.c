/* The words of policies, records and command lines. */
#include <string.h>

#include "policy/rules.h"

const char *const BF_DECISION_WORDS[] = {
    [BF_DECISION_REVIEW] = "review", [BF_DECISION_RETRY] = "retry",     [BF_DECISION_CHALLENGE] = "challenge",
    [BF_DECISION_REJECT] = "reject", [BF_DECISION_APPROVE] = "approve", NULL};
static const char *const BAND_WORDS[] = {[BF_BAND_NOT_JUDGED] = "not_judged",
                                         [BF_BAND_PASS] = "pass",
                                         [BF_BAND_UNCERTAIN] = "uncertain",
                                         [BF_BAND_FAIL] = "fail",
                                         NULL};
static const char *const OUTCOME_WORDS[] = {[BF_MATCH_NOT_REQUESTED] = "not_requested",
                                            [BF_MATCH_STRONG] = "strong",
                                            [BF_MATCH_WEAK] = "weak",
                                            [BF_MATCH_NONE] = "none",
                                            [BF_MATCH_NOT_JUDGED] = "not_judged",
                                            NULL};
static const char *const RISK_WORDS[] = {
    [BF_RISK_LOW] = "low", [BF_RISK_MEDIUM] = "medium", [BF_RISK_HIGH] = "high", NULL};
const char *const BF_EFFECT_WORDS[] = {[BF_EFFECT_LOW] = "low",
                                       [BF_EFFECT_MEDIUM] = "medium",
                                       [BF_EFFECT_HIGH] = "high",
                                       [BF_EFFECT_CHALLENGE] = "challenge",
                                       [BF_EFFECT_REVIEW] = "review",
                                       [BF_EFFECT_REJECT] = "reject",
                                       NULL};
static const char *const CAPTURE_WORDS[] = {[BF_CAPTURE_OK] = "ok",
                                            [BF_CAPTURE_INPUT_UNUSABLE] = "input_unusable",
                                            [BF_CAPTURE_NO_FACE] = "no_face",
                                            [BF_CAPTURE_MULTIPLE_FACES] = "multiple_faces",
                                            [BF_CAPTURE_LOW_QUALITY] = "low_quality",
                                            [BF_CAPTURE_ERROR] = "error",
                                            [BF_CAPTURE_OUTAGE] = "outage",
                                            NULL};
static const char *const MATCH_WORDS[] = {[BF_MATCH_FACT_NOT_REQUESTED] = "not_requested",
                                          [BF_MATCH_FACT_STRONG] = "strong",
                                          [BF_MATCH_FACT_WEAK] = "weak",
                                          [BF_MATCH_FACT_NONE] = "none",
                                          [BF_MATCH_FACT_REFERENCE_UNUSABLE] = "reference_unusable",
                                          [BF_MATCH_FACT_NOT_COMPARED] = "not_compared",
                                          [BF_MATCH_FACT_MISSING] = "missing",
                                          NULL};
static const char *const CHALLENGE_WORDS[] = {[BF_CHALLENGE_NOT_ASKED] = "not_asked",
                                              [BF_CHALLENGE_FOLLOWED] = "followed",
                                              [BF_CHALLENGE_UNCLEAR] = "unclear",
                                              [BF_CHALLENGE_NOT_FOLLOWED] = "not_followed",
                                              NULL};
static const char *const LIGHT_WORDS[] = {[BF_LIGHT_NOT_ASKED] = "not_asked",
                                          [BF_LIGHT_ANSWERED] = "answered",
                                          [BF_LIGHT_UNANSWERED] = "unanswered",
                                          [BF_LIGHT_EXCUSED] = "excused",
                                          NULL};
static const char *const DEVICE_WORDS[] = {
    [BF_DEVICE_CLEAR] = "clear",   [BF_DEVICE_RISK] = "risk",     [BF_DEVICE_CHALLENGE] = "challenge",
    [BF_DEVICE_REVIEW] = "review", [BF_DEVICE_REJECT] = "reject", NULL};
static const char *const ATTEMPT_WORDS[] = {
    [BF_ATTEMPT_EARLY] = "early", [BF_ATTEMPT_LATE] = "late", [BF_ATTEMPT_LAST] = "last", NULL};
static const char *const FAILURES_WORDS[] = {
    [BF_FAILURES_NONE] = "none", [BF_FAILURES_SOME] = "some", [BF_FAILURES_MANY] = "many", NULL};
static const char *const DOCUMENT_WORDS[] = {
    [BF_DOCUMENT_UNKNOWN] = "unknown", [BF_DOCUMENT_OK] = "ok", [BF_DOCUMENT_LOW] = "low", NULL};

const char *const *bf_fact_words(bf_fact fact)
{
    static const char *const *const words[BF_FACT_COUNT] = {
        [BF_FACT_CAPTURE] = CAPTURE_WORDS,     [BF_FACT_BAND] = BAND_WORDS,          [BF_FACT_MATCH] = MATCH_WORDS,
        [BF_FACT_CHALLENGE] = CHALLENGE_WORDS, [BF_FACT_LIGHT] = LIGHT_WORDS,        [BF_FACT_RISK] = RISK_WORDS,
        [BF_FACT_DEVICE] = DEVICE_WORDS,       [BF_FACT_CHANNEL] = BF_CHANNEL_WORDS, [BF_FACT_ATTEMPT] = ATTEMPT_WORDS,
        [BF_FACT_FAILURES] = FAILURES_WORDS,   [BF_FACT_DOCUMENT] = DOCUMENT_WORDS};
    return words[fact];
}

/* The word at `index`, or "unknown" when there is none. */
static const char *word_at(const char *const words[], int index)
{
    for (int i = 0; words[i]; i++) {
        if (i == index)
            return words[i];
    }
    return "unknown";
}

static bool word_find(const char *const words[], const char *word, int *ret)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

const char *bf_decision_name(bf_decision decision)
{
    return word_at(BF_DECISION_WORDS, (int)decision);
}

const char *bf_band_name(bf_band band)
{
    return word_at(BAND_WORDS, (int)band);
}

const char *bf_match_outcome_name(bf_match_outcome outcome)
{
    return word_at(OUTCOME_WORDS, (int)outcome);
}

const char *bf_light_name(bf_light_outcome light)
{
    return word_at(LIGHT_WORDS, (int)light);
}

const char *bf_risk_tier_name(bf_risk_tier tier)
{
    return word_at(RISK_WORDS, (int)tier);
}

bool bf_risk_tier_from_name(const char *name, bf_risk_tier *ret)
{
    int index = 0;
    if (!word_find(RISK_WORDS, name, &index))
        return false;
    *ret = (bf_risk_tier)index;
    return true;
}
