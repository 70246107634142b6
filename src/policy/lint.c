/* Proves by visiting every situation that a policy does nothing it must not do, and that each of its rules matters. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/words.h"
#include "policy/rules.h"

static bf_fact_mask everything(void)
{
    bf_fact_mask mask = 0;
    for (int i = 0; i < BF_FACT_COUNT; i++)
        mask |= bf_fact_bits((bf_fact)i);
    return mask;
}

/* What a decision breaks in a situation, as the end of "rule 'x' ..."; NULL when it may stand. */
static const char *forbidden(bf_decision decision, const bf_situation *situation)
{
    const uint8_t *is = situation->value;
    int band = is[BF_FACT_BAND], match = is[BF_FACT_MATCH], device = is[BF_FACT_DEVICE];
    int challenge = is[BF_FACT_CHALLENGE];
    if (decision == BF_DECISION_APPROVE) {
        if (band != BF_BAND_PASS)
            return "approves without passed liveness";
        if (match != BF_MATCH_FACT_STRONG && match != BF_MATCH_FACT_NOT_REQUESTED)
            return "approves without the match that was required or requested";
        if (challenge == BF_CHALLENGE_NOT_FOLLOWED)
            return "approves although the challenge was not followed";
        if (device >= BF_DEVICE_REVIEW || (device == BF_DEVICE_CHALLENGE && challenge != BF_CHALLENGE_FOLLOWED))
            return "approves although a device signal asks for more";
    }
    if (decision == BF_DECISION_REJECT && band == BF_BAND_NOT_JUDGED)
        return "rejects what could not be judged";
    if (decision == BF_DECISION_CHALLENGE && is[BF_FACT_CAPTURE] != BF_CAPTURE_OK)
        return "challenges after a capture that could not be judged, where only retry and review help";
    if (decision == BF_DECISION_CHALLENGE && challenge == BF_CHALLENGE_FOLLOWED)
        return "challenges once more after a challenge that was followed, which has nothing more to say";
    bool asks_again = decision == BF_DECISION_RETRY || decision == BF_DECISION_CHALLENGE;
    if (asks_again && band == BF_BAND_FAIL)
        return "asks again after failed liveness, where only reject and review are safe";
    if (asks_again && band != BF_BAND_NOT_JUDGED && device >= BF_DEVICE_REVIEW)
        return "asks again although a device signal calls for review or reject";
    return NULL;
}

/* What an unclear challenge, or light without an answer, would be made to say; NULL when it counts for nothing, as it
 * must: nobody is approved or rejected who would not be without it. */
static const char *silence_fault(const bf_policy *policy, bf_decision decision, const bf_situation *situation)
{
    if (decision != BF_DECISION_APPROVE && decision != BF_DECISION_REJECT)
        return NULL;
    bool approves = decision == BF_DECISION_APPROVE;
    bf_situation without = *situation;
    if (situation->value[BF_FACT_CHALLENGE] == BF_CHALLENGE_UNCLEAR) {
        without.value[BF_FACT_CHALLENGE] = BF_CHALLENGE_NOT_ASKED;
        if (situation->value[BF_FACT_LIGHT] == BF_LIGHT_EXCUSED) /* from the challenge */
            without.value[BF_FACT_LIGHT] = BF_LIGHT_NOT_ASKED;
        if (bf_policy_apply(policy, &without).decision != decision)
            return approves ? "approves with an unclear challenge what is not approved without one"
                            : "rejects with an unclear challenge what is not rejected without one";
        without = *situation;
    }
    if (situation->value[BF_FACT_LIGHT] == BF_LIGHT_UNANSWERED || situation->value[BF_FACT_LIGHT] == BF_LIGHT_EXCUSED) {
        without.value[BF_FACT_LIGHT] = BF_LIGHT_NOT_ASKED;
        if (bf_policy_apply(policy, &without).decision != decision)
            return approves ? "approves without an answer to the light what is not approved where none was asked"
                            : "rejects without an answer to the light what is not rejected where none was asked";
    }
    return NULL;
}

/* What is wrong with a rule's reason in a situation; NULL when it may be given. */
static const char *reason_fault(const bf_policy *policy, int index, const bf_situation *situation)
{
    const bf_rule *rule = &policy->rule[index];
    bool praises = rule->reason == BF_REASON_LIVE || rule->reason == BF_REASON_LIVE_AND_MATCHED;
    if (praises && rule->decision != BF_DECISION_APPROVE)
        return "which is for approvals only";
    if (!praises && rule->decision == BF_DECISION_APPROVE)
        return "but an approval says LIVE or LIVE_AND_MATCHED";
    if (rule->reason == BF_REASON_NO_RULE && index != policy->rule_count - 1)
        return "which is for the last rule only";
    return bf_reason_holds(rule->reason, situation) ? NULL : "which is not true here";
}

static bf_status check_verdict(const bf_policy_documents *documents, const bf_policy *policy,
                               const bf_situation *situation, bf_verdict verdict, bf_error *err)
{
    const bf_rule *rule = &policy->rule[verdict.rule];
    const char *fault = forbidden(verdict.decision, situation);
    fault = fault ? fault : silence_fault(policy, verdict.decision, situation);
    char where[BF_SITUATION_TEXT_SIZE];
    if (fault) {
        bf_situation_describe(situation, where);
        return bf_rule_fail(documents, rule, err, "%s: %s.", fault, where);
    }
    fault = reason_fault(policy, verdict.rule, situation);
    if (fault) {
        bf_situation_describe(situation, where);
        return bf_rule_fail(documents, rule, err, "gives the reason %s, %s: %s.", bf_reason_name(rule->reason), fault,
                            where);
    }
    return BF_OK;
}

/* Says which earlier rules take every situation of a rule that never applies. */
static bf_status fail_unreachable(const bf_policy_documents *documents, const bf_policy *policy, int index,
                                  bf_error *err)
{
    const bf_rule *rule = &policy->rule[index];
    bool taken[BF_POLICY_RULES_MAX] = {false};
    bool any = false, started = false;
    for (bf_situation situation; bf_situation_next(policy, &situation, &started);) {
        if ((bf_situation_mask(&situation) & ~rule->when) != 0)
            continue;
        taken[bf_policy_apply(policy, &situation).rule] = true;
        any = true;
    }
    if (!any)
        return bf_rule_fail(documents, rule, err, "can never apply: no situation has all of its conditions.");
    char names[160];
    size_t used = 0;
    for (int i = 0; i < index; i++) {
        if (!taken[i] || used >= sizeof names)
            continue;
        int put = snprintf(names + used, sizeof names - used, "%s'%s'", used ? ", " : "", policy->rule[i].id);
        used += put > 0 ? (size_t)put : 0;
    }
    return bf_rule_fail(documents, rule, err, "can never apply: every situation it describes is taken before it by %s.",
                        names);
}

bf_status bf_policy_check(const bf_policy_documents *documents, const bf_policy *policy, bf_error *err)
{
    const bf_rule *last = &policy->rule[policy->rule_count - 1];
    if (last->when != everything())
        return bf_rule_fail(documents, last, err, "is the last and must catch everything else: 'when: {}'.");
    bool applies[BF_POLICY_RULES_MAX] = {false};
    bool started = false;
    for (bf_situation situation; bf_situation_next(policy, &situation, &started);) {
        bf_verdict verdict = bf_policy_apply(policy, &situation);
        bf_status status = check_verdict(documents, policy, &situation, verdict, err);
        if (status != BF_OK)
            return status;
        applies[verdict.rule] = true;
    }
    for (int i = 0; i < policy->rule_count - 1; i++) {
        if (!applies[i])
            return fail_unreachable(documents, policy, i, err);
    }
    return BF_OK;
}
