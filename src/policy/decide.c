/* From an input to a decision: reduce it to a situation, find the rule, say why and what to do. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy/rules.h"

#define KILL_SWITCH_RULE "kill_switch"
#define NO_RULE "no_rule"

static void add_reason(bf_policy_output *output, bf_reason reason)
{
    for (int i = 0; i < output->reason_count; i++) {
        if (output->reasons[i] == reason)
            return;
    }
    if (output->reason_count < BF_REASONS_MAX)
        output->reasons[output->reason_count++] = reason;
}

/* Everything true that speaks against an approval, after the first reason. */
static void add_other_reasons(bf_policy_output *output, const bf_situation *situation, bool capped)
{
    static const bf_reason against[] = {
        BF_REASON_INPUT_UNUSABLE,
        BF_REASON_NO_FACE,
        BF_REASON_MULTIPLE_FACES,
        BF_REASON_QUALITY_TOO_LOW,
        BF_REASON_INTERNAL_ERROR,
        BF_REASON_LIVENESS_FAILED,
        BF_REASON_LIVENESS_UNCERTAIN,
        BF_REASON_LIVENESS_NOT_JUDGED,
        BF_REASON_CHALLENGE_NOT_FOLLOWED,
        BF_REASON_CHALLENGE_UNCLEAR,
        BF_REASON_LIGHT_NOT_SEEN,
        BF_REASON_MATCH_NONE,
        BF_REASON_MATCH_WEAK,
        BF_REASON_MATCH_MISSING,
        BF_REASON_REFERENCE_UNUSABLE,
        BF_REASON_DEVICE_RISK,
        BF_REASON_DOCUMENT_CONFIDENCE_LOW,
        BF_REASON_PREVIOUS_FAILURES,
        BF_REASON_RISK_HIGH,
        BF_REASON_RISK_MEDIUM,
    };
    if (capped)
        add_reason(output, BF_REASON_RETRY_LIMIT);
    for (size_t i = 0; i < sizeof against / sizeof *against; i++) {
        if (bf_reason_holds(against[i], situation))
            add_reason(output, against[i]);
    }
}

/* As records write it, with four decimals: whoever has only the record comes to the same reasons. */
static long contribution_of(const bf_evidence *evidence)
{
    return lround(evidence->contribution * 1e4);
}

/* The evidence that weighed most against a clear pass, heaviest first; of equals, and of several with one name, the
 * first. */
static void add_evidence_reasons(bf_policy_output *output, const bf_policy_input *input)
{
    bool told[BF_DETECTORS_MAX] = {false};
    int others = output->reason_count;
    while (output->reason_count < others + BF_EVIDENCE_REASONS_MAX) {
        int heaviest = -1;
        for (int i = 0; i < input->evidence_count && i < BF_DETECTORS_MAX; i++) {
            const bf_evidence *evidence = &input->evidence[i];
            if (told[i] || !evidence->fused || contribution_of(evidence) > lround(BF_EVIDENCE_AGAINST * 1e4))
                continue;
            if (heaviest < 0 || contribution_of(evidence) < contribution_of(&input->evidence[heaviest]))
                heaviest = i;
        }
        if (heaviest < 0)
            return;
        told[heaviest] = true;
        add_reason(output, input->evidence[heaviest].against);
    }
}

static bf_guidance input_guidance(bf_status judging)
{
    switch (judging) {
    case BF_EMPTY_INPUT:
    case BF_UNSUPPORTED_FORMAT:
        return BF_GUIDANCE_SEND_PHOTO_FILE;
    case BF_IMAGE_TOO_SMALL:
        return BF_GUIDANCE_USE_BETTER_CAMERA;
    case BF_CORRUPT_IMAGE:
    case BF_IMAGE_TOO_LARGE:
    case BF_DECODER_LIMIT:
    case BF_ANIMATED_IMAGE:
        return BF_GUIDANCE_USE_ORIGINAL_PHOTO;
    default:
        return BF_GUIDANCE_TRY_AGAIN;
    }
}

/* Signals that a person can do something about. Said only where something is asked again, and as advice. */
static void signal_guidance(bf_policy_output *output, const bf_policy_input *input)
{
    static const struct {
        const char *name;
        bf_guidance guidance;
    } help[] = {{"virtual_camera", BF_GUIDANCE_USE_DEVICE_CAMERA},
                {"file_upload", BF_GUIDANCE_USE_ORIGINAL_PHOTO},
                {"page_hidden", BF_GUIDANCE_STAY_ON_PAGE}};
    for (size_t i = 0; i < sizeof help / sizeof *help; i++) {
        if (bf_policy_has_signal(input, help[i].name))
            bf_guidance_add(output, help[i].guidance);
    }
}

/* Said only where the missing light is why something is asked again: most journeys can do without it. */
static void light_guidance(bf_policy_output *output)
{
    if (output->reasons[0] == BF_REASON_LIGHT_NOT_SEEN && output->light == BF_LIGHT_UNANSWERED)
        bf_guidance_add(output, BF_GUIDANCE_LET_LIGHT_REACH_FACE);
}

/* What a person can do about a capture that is asked for again; the gate's guidance is in *output already. */
static void retry_guidance(bf_policy_output *output, const bf_situation *situation, const bf_policy_input *input)
{
    bf_guidance gate[BF_GUIDANCES_MAX];
    int gate_count = output->guidance_count;
    memcpy(gate, output->guidance, sizeof gate);
    output->guidance_count = 0;
    switch ((bf_capture)situation->value[BF_FACT_CAPTURE]) {
    case BF_CAPTURE_INPUT_UNUSABLE:
        bf_guidance_add(output, input_guidance(input->judging));
        break;
    case BF_CAPTURE_NO_FACE:
        bf_guidance_add(output, BF_GUIDANCE_SHOW_FACE);
        break;
    case BF_CAPTURE_MULTIPLE_FACES:
        bf_guidance_add(output, BF_GUIDANCE_ONE_PERSON_ONLY);
        break;
    case BF_CAPTURE_LOW_QUALITY:
        break;
    case BF_CAPTURE_OK:
    case BF_CAPTURE_ERROR:
    case BF_CAPTURE_OUTAGE:
        gate_count = 0;
        break;
    }
    for (int i = 0; i < gate_count; i++)
        bf_guidance_add(output, gate[i]);
    if (situation->value[BF_FACT_MATCH] == BF_MATCH_FACT_REFERENCE_UNUSABLE)
        bf_guidance_add(output, BF_GUIDANCE_NEW_ID_PORTRAIT);
    int challenge = situation->value[BF_FACT_CHALLENGE];
    if (challenge == BF_CHALLENGE_UNCLEAR || challenge == BF_CHALLENGE_NOT_FOLLOWED)
        bf_guidance_add(output, BF_GUIDANCE_FOLLOW_STEPS_SHOWN);
    light_guidance(output);
    signal_guidance(output, input);
    if (output->guidance_count == 0)
        bf_guidance_add(output, BF_GUIDANCE_TRY_AGAIN);
}

static void challenge_guidance(bf_policy_output *output, const bf_situation *situation, const bf_policy_input *input)
{
    bool first = situation->value[BF_FACT_CHALLENGE] == BF_CHALLENGE_NOT_ASKED;
    bf_guidance_add(output, first ? BF_GUIDANCE_FOLLOW_STEPS : BF_GUIDANCE_FOLLOW_STEPS_SHOWN);
    light_guidance(output);
    signal_guidance(output, input);
}

static void fill_guidance(bf_policy_output *output, const bf_situation *situation, const bf_policy_input *input,
                          const bf_rule *rule)
{
    if (rule && rule->guidance_count > 0) {
        output->guidance_count = rule->guidance_count;
        memcpy(output->guidance, rule->guidance, sizeof output->guidance);
        return;
    }
    if (output->decision == BF_DECISION_RETRY) {
        retry_guidance(output, situation, input);
        return;
    }
    output->guidance_count = 0;
    if (output->decision == BF_DECISION_CHALLENGE)
        challenge_guidance(output, situation, input);
    else if (output->decision == BF_DECISION_REVIEW)
        bf_guidance_add(output, BF_GUIDANCE_WAIT_FOR_REVIEW);
    else if (output->decision == BF_DECISION_REJECT)
        bf_guidance_add(output, BF_GUIDANCE_CONTACT_SUPPORT);
}

static bf_match_outcome outcome_of(bf_match_fact match)
{
    switch (match) {
    case BF_MATCH_FACT_STRONG:
        return BF_MATCH_STRONG;
    case BF_MATCH_FACT_WEAK:
        return BF_MATCH_WEAK;
    case BF_MATCH_FACT_NONE:
        return BF_MATCH_NONE;
    case BF_MATCH_FACT_REFERENCE_UNUSABLE:
    case BF_MATCH_FACT_NOT_COMPARED:
        return BF_MATCH_NOT_JUDGED;
    case BF_MATCH_FACT_NOT_REQUESTED:
    case BF_MATCH_FACT_MISSING:
        return BF_MATCH_NOT_REQUESTED;
    }
    return BF_MATCH_NOT_JUDGED;
}

void bf_policy_decide(const bf_policy *policy, const bf_policy_input *input, bf_policy_output *ret)
{
    *ret = (bf_policy_output){0};
    bf_situation situation = bf_policy_observe(policy, input, ret);
    ret->band = (bf_band)situation.value[BF_FACT_BAND];
    ret->light = (bf_light_outcome)situation.value[BF_FACT_LIGHT];
    ret->match = outcome_of((bf_match_fact)situation.value[BF_FACT_MATCH]);
    bf_verdict verdict = bf_policy_apply(policy, &situation);
    const bf_rule *rule = verdict.rule >= 0 ? &policy->rule[verdict.rule] : NULL;
    bf_reason first = rule ? rule->reason : BF_REASON_NO_RULE;
    const char *name = rule ? rule->id : NO_RULE;
    if (input->kill_switch && ret->band != BF_BAND_NOT_JUDGED) {
        verdict = (bf_verdict){.decision = bf_policy_settings_of(policy, input->channel)->kill_switch};
        rule = NULL;
        first = BF_REASON_KILL_SWITCH;
        name = KILL_SWITCH_RULE;
    }
    ret->decision = verdict.decision;
    (void)snprintf(ret->rule, sizeof ret->rule, "%s", name);
    add_reason(ret, first);
    if (ret->decision != BF_DECISION_APPROVE) {
        add_other_reasons(ret, &situation, verdict.capped);
        if (bf_policy_signals_effect(bf_policy_settings_of(policy, input->channel), input->signals) > BF_EFFECT_LOW)
            add_reason(ret, BF_REASON_CAPTURE_PATH_RISK);
    }
    if (ret->band == BF_BAND_UNCERTAIN || ret->band == BF_BAND_FAIL)
        add_evidence_reasons(ret, input);
    fill_guidance(ret, &situation, input, verdict.capped ? NULL : rule);
}
