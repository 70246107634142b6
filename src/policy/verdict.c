/* The decision of a situation, and which reasons are true in it. The linter proves what it proves about this file. */
#include <string.h>

#include "policy/rules.h"

/* Whether the capture and the comparison were judged, so that asking again is asking for a clearer answer. */
static bool judged_but_unclear(const bf_situation *situation)
{
    int match = situation->value[BF_FACT_MATCH];
    return situation->value[BF_FACT_BAND] != BF_BAND_NOT_JUDGED && match != BF_MATCH_FACT_REFERENCE_UNUSABLE &&
           match != BF_MATCH_FACT_NOT_COMPARED;
}

bf_verdict bf_policy_apply(const bf_policy *policy, const bf_situation *situation)
{
    uint64_t applying = UINT64_MAX;
    for (int fact = 0; fact < BF_FACT_COUNT; fact++)
        applying &= policy->allow[fact][situation->value[fact]];
    int first = ffsll((long long)applying) - 1;
    if (first < 0 || first >= policy->rule_count)
        return (bf_verdict){.rule = -1, .decision = BF_DECISION_REVIEW};
    bf_verdict verdict = {.rule = first, .decision = policy->rule[first].decision};
    bool asks_again = verdict.decision == BF_DECISION_RETRY || verdict.decision == BF_DECISION_CHALLENGE;
    int attempt = situation->value[BF_FACT_ATTEMPT];
    if (asks_again && attempt == BF_ATTEMPT_LAST) {
        verdict.decision = BF_DECISION_REVIEW;
        verdict.capped = true;
    } else if (verdict.decision == BF_DECISION_RETRY && attempt == BF_ATTEMPT_LATE && judged_but_unclear(situation)) {
        bool followed = situation->value[BF_FACT_CHALLENGE] == BF_CHALLENGE_FOLLOWED;
        bf_decision next = policy->settings[situation->value[BF_FACT_CHANNEL]].escalate_to;
        verdict.decision = followed ? BF_DECISION_REVIEW : next; /* a challenge has nothing more to say */
        verdict.capped = true;
    }
    return verdict;
}

/* Liveness was judged and did not fail, so nothing but an error can have kept the faces from being compared. */
static bool comparison_lost(const bf_situation *situation)
{
    int band = situation->value[BF_FACT_BAND];
    return situation->value[BF_FACT_MATCH] == BF_MATCH_FACT_NOT_COMPARED &&
           (band == BF_BAND_PASS || band == BF_BAND_UNCERTAIN);
}

bool bf_reason_holds(bf_reason reason, const bf_situation *situation)
{
    const uint8_t *is = situation->value;
    switch (reason) {
    case BF_REASON_LIVE_AND_MATCHED:
        return is[BF_FACT_BAND] == BF_BAND_PASS && is[BF_FACT_MATCH] == BF_MATCH_FACT_STRONG;
    case BF_REASON_LIVE:
        return is[BF_FACT_BAND] == BF_BAND_PASS && is[BF_FACT_MATCH] == BF_MATCH_FACT_NOT_REQUESTED;
    case BF_REASON_QUALITY_TOO_LOW:
        return is[BF_FACT_CAPTURE] == BF_CAPTURE_LOW_QUALITY;
    case BF_REASON_NO_FACE:
        return is[BF_FACT_CAPTURE] == BF_CAPTURE_NO_FACE;
    case BF_REASON_MULTIPLE_FACES:
        return is[BF_FACT_CAPTURE] == BF_CAPTURE_MULTIPLE_FACES;
    case BF_REASON_INPUT_UNUSABLE:
        return is[BF_FACT_CAPTURE] == BF_CAPTURE_INPUT_UNUSABLE;
    case BF_REASON_REFERENCE_UNUSABLE:
        return is[BF_FACT_MATCH] == BF_MATCH_FACT_REFERENCE_UNUSABLE;
    case BF_REASON_LIVENESS_FAILED:
        return is[BF_FACT_BAND] == BF_BAND_FAIL;
    case BF_REASON_LIVENESS_UNCERTAIN:
        return is[BF_FACT_BAND] == BF_BAND_UNCERTAIN;
    case BF_REASON_LIVENESS_NOT_JUDGED:
        return is[BF_FACT_CAPTURE] == BF_CAPTURE_OK && is[BF_FACT_BAND] == BF_BAND_NOT_JUDGED;
    case BF_REASON_MATCH_WEAK:
        return is[BF_FACT_MATCH] == BF_MATCH_FACT_WEAK;
    case BF_REASON_MATCH_NONE:
        return is[BF_FACT_MATCH] == BF_MATCH_FACT_NONE;
    case BF_REASON_MATCH_MISSING:
        return is[BF_FACT_MATCH] == BF_MATCH_FACT_MISSING;
    case BF_REASON_RISK_MEDIUM:
        return is[BF_FACT_RISK] == BF_RISK_MEDIUM;
    case BF_REASON_RISK_HIGH:
        return is[BF_FACT_RISK] == BF_RISK_HIGH;
    case BF_REASON_DEVICE_RISK:
        return is[BF_FACT_DEVICE] != BF_DEVICE_CLEAR;
    case BF_REASON_DOCUMENT_CONFIDENCE_LOW:
        return is[BF_FACT_DOCUMENT] == BF_DOCUMENT_LOW;
    case BF_REASON_RETRY_LIMIT:
        return is[BF_FACT_ATTEMPT] == BF_ATTEMPT_LAST;
    case BF_REASON_PREVIOUS_FAILURES:
        return is[BF_FACT_FAILURES] != BF_FAILURES_NONE;
    case BF_REASON_INTERNAL_ERROR:
        return is[BF_FACT_CAPTURE] == BF_CAPTURE_ERROR || is[BF_FACT_CAPTURE] == BF_CAPTURE_OUTAGE ||
               comparison_lost(situation);
    case BF_REASON_CHALLENGE_NOT_FOLLOWED:
        return is[BF_FACT_CHALLENGE] == BF_CHALLENGE_NOT_FOLLOWED;
    case BF_REASON_CHALLENGE_UNCLEAR:
        return is[BF_FACT_CHALLENGE] == BF_CHALLENGE_UNCLEAR;
    case BF_REASON_LIGHT_NOT_SEEN:
        return is[BF_FACT_LIGHT] == BF_LIGHT_UNANSWERED || is[BF_FACT_LIGHT] == BF_LIGHT_EXCUSED;
    case BF_REASON_NO_RULE:
        return true;
    case BF_REASON_KILL_SWITCH:
    case BF_REASON_CAPTURE_PATH_RISK:     /* of an input, not of a situation */
    case BF_REASON_CHALLENGE_UNAVAILABLE: /* of sessions, not of rules */
    case BF_REASON_EVIDENCE_NETWORK:      /* of contributions, which no rule sees */
    case BF_REASON_EVIDENCE_TEXTURE:
    case BF_REASON_EVIDENCE_MOIRE:
    case BF_REASON_EVIDENCE_BORDER:
    case BF_REASON_EVIDENCE_FLAT_MOTION:
    case BF_REASON_EVIDENCE_STREAM:
    case BF_REASON_EVIDENCE_OTHER_FACE:
    case BF_REASON_EVIDENCE_CHALLENGE:
    case BF_REASON_EVIDENCE_FLASH:
        return false;
    }
    return false;
}
