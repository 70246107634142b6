/* Reduces an input to a situation: numbers become words by the thresholds of the input's channel. */
#include <math.h>
#include <string.h>

#include "base/words.h"
#include "policy/rules.h"

bf_match_outcome bf_policy_match_outcome(const bf_policy *policy, bf_channel channel, double similarity)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, channel);
    if (!(fabs(similarity) <= 1.0 + 1e-6)) /* also refuses NaN; rounding may put a cosine a little above 1 */
        return BF_MATCH_NOT_JUDGED;
    if (similarity >= settings->strong)
        return BF_MATCH_STRONG;
    return similarity >= settings->weak ? BF_MATCH_WEAK : BF_MATCH_NONE;
}

static bf_band band_of(const bf_policy_settings *settings, const bf_policy_input *input)
{
    double probability = input->live_probability;
    if (!input->liveness_present || !(probability >= 0.0 && probability <= 1.0))
        return BF_BAND_NOT_JUDGED;
    if (probability >= settings->pass)
        return BF_BAND_PASS;
    return probability >= settings->uncertain ? BF_BAND_UNCERTAIN : BF_BAND_FAIL;
}

/* Could the capture be judged, and if not, whose fault is that? A status that does not belong here is an outage: nobody
 * knows what it means, so an operator has to look. */
static bf_capture capture_of(const bf_policy_input *input, bf_gate_result gate)
{
    switch (input->judging) {
    case BF_OK:
    case BF_NO_LIVENESS_EVIDENCE:
        return input->quality ? gate.capture : BF_CAPTURE_ERROR;
    case BF_NO_FACE:
        return BF_CAPTURE_NO_FACE;
    case BF_MULTIPLE_FACES:
        return BF_CAPTURE_MULTIPLE_FACES;
    case BF_INPUT_QUALITY_TOO_LOW:
        return gate.capture != BF_CAPTURE_OK ? gate.capture : BF_CAPTURE_LOW_QUALITY;
    default:
        if (strcmp(bf_status_family(input->judging), "input") == 0)
            return BF_CAPTURE_INPUT_UNUSABLE;
        return bf_status_retryable(input->judging) ? BF_CAPTURE_ERROR : BF_CAPTURE_OUTAGE;
    }
}

static bf_match_fact match_of(const bf_policy *policy, const bf_policy_input *input, bf_capture capture)
{
    if (!input->match_requested) {
        bool required = bf_policy_settings_of(policy, input->channel)->match_required;
        return required ? BF_MATCH_FACT_MISSING : BF_MATCH_FACT_NOT_REQUESTED;
    }
    if (input->reference_status != BF_OK) {
        bool portrait = strcmp(bf_status_family(input->reference_status), "reference") == 0;
        return portrait ? BF_MATCH_FACT_REFERENCE_UNUSABLE : BF_MATCH_FACT_NOT_COMPARED;
    }
    if (!input->match_present || capture != BF_CAPTURE_OK)
        return BF_MATCH_FACT_NOT_COMPARED;
    bf_match_outcome outcome = bf_policy_match_outcome(policy, input->channel, input->match_similarity);
    return outcome == BF_MATCH_NOT_JUDGED ? BF_MATCH_FACT_NOT_COMPARED : (bf_match_fact)outcome;
}

static bf_effect signal_effect(const bf_policy_settings *settings, const char *name)
{
    for (int i = 0; i < settings->signal_count; i++) {
        if (strncmp(settings->signal[i].name, name, BF_NAME_MAX) == 0)
            return settings->signal[i].effect;
    }
    return settings->other_signal;
}

/* A context that cannot be true was not filled properly; it counts as an error of ours. */
static bool context_valid(const bf_risk_context *risk, const bf_signals *signals)
{
    if (signals && (signals->count < 0 || signals->count > BF_SIGNALS_MAX))
        return false;
    return risk->device_signal_count >= 0 && risk->device_signal_count <= BF_DEVICE_SIGNALS_MAX;
}

bf_effect bf_policy_signals_effect(const bf_policy_settings *settings, const bf_signals *signals)
{
    bf_effect gravest = BF_EFFECT_LOW;
    for (int i = 0; signals && i < signals->count && i < BF_SIGNALS_MAX; i++) {
        bf_effect effect = signal_effect(settings, signals->signal[i].name);
        gravest = effect > gravest ? effect : gravest;
    }
    return gravest;
}

bool bf_policy_has_signal(const bf_policy_input *input, const char *name)
{
    for (int i = 0; input->signals && i < input->signals->count && i < BF_SIGNALS_MAX; i++) {
        if (strcmp(input->signals->signal[i].name, name) == 0)
            return true;
    }
    for (int i = 0; i < input->risk.device_signal_count && i < BF_DEVICE_SIGNALS_MAX; i++) {
        if (strncmp(input->risk.device_signals[i], name, BF_NAME_MAX) == 0)
            return true;
    }
    return false;
}

static bf_effect caller_effect(const bf_policy_settings *settings, const bf_risk_context *risk)
{
    bf_effect gravest = BF_EFFECT_LOW;
    for (int i = 0; i < risk->device_signal_count; i++) {
        bf_effect effect = signal_effect(settings, risk->device_signals[i]);
        gravest = effect > gravest ? effect : gravest;
    }
    return gravest;
}

/* The gravest effect of all signals, those of the caller and those of the capture path. */
static bf_effect device_effect(const bf_policy_settings *settings, const bf_policy_input *input)
{
    bf_effect caller = caller_effect(settings, &input->risk);
    bf_effect path = bf_policy_signals_effect(settings, input->signals);
    return path > caller ? path : caller;
}

static bf_risk_tier risk_of(bf_risk_tier tier, bf_effect effect)
{
    if (tier != BF_RISK_LOW && tier != BF_RISK_MEDIUM)
        return BF_RISK_HIGH;
    if (effect >= BF_EFFECT_HIGH)
        return BF_RISK_HIGH;
    return effect == BF_EFFECT_MEDIUM ? BF_RISK_MEDIUM : tier;
}

bf_risk_tier bf_policy_context_risk(const bf_policy_settings *settings, const bf_risk_context *risk)
{
    return context_valid(risk, NULL) ? risk_of(risk->risk_tier, caller_effect(settings, risk)) : BF_RISK_HIGH;
}

static bf_device device_of(bf_effect effect)
{
    static const bf_device devices[] = {
        [BF_EFFECT_LOW] = BF_DEVICE_CLEAR,     [BF_EFFECT_MEDIUM] = BF_DEVICE_RISK,
        [BF_EFFECT_HIGH] = BF_DEVICE_RISK,     [BF_EFFECT_CHALLENGE] = BF_DEVICE_CHALLENGE,
        [BF_EFFECT_REVIEW] = BF_DEVICE_REVIEW, [BF_EFFECT_REJECT] = BF_DEVICE_REJECT};
    return devices[effect];
}

/* A word that is none counts as the worst. */
static bf_challenge_outcome challenge_of(bf_challenge_outcome outcome)
{
    bool known =
        outcome == BF_CHALLENGE_NOT_ASKED || outcome == BF_CHALLENGE_FOLLOWED || outcome == BF_CHALLENGE_UNCLEAR;
    return known ? outcome : BF_CHALLENGE_NOT_FOLLOWED;
}

/* Steps without the light that the policy asks for: somebody left the light out. A word that is none counts as no
 * answer. */
static bf_light_outcome light_of(const bf_policy_settings *settings, bf_light_outcome outcome,
                                 bf_challenge_outcome challenge)
{
    if (settings->flash == BF_FLASH_NONE)
        return BF_LIGHT_NOT_ASKED;
    if (outcome == BF_LIGHT_NOT_ASKED || outcome == BF_LIGHT_EXCUSED)
        return challenge == BF_CHALLENGE_NOT_ASKED ? BF_LIGHT_NOT_ASKED : BF_LIGHT_EXCUSED;
    return outcome == BF_LIGHT_ANSWERED ? BF_LIGHT_ANSWERED : BF_LIGHT_UNANSWERED;
}

/* Negative counts cannot be true; they count as the worst. An uncertain attempt is an attempt, so LATE cannot arise
 * where uncertain_cap is no lower than cap: the linter leaves it out there. */
static bf_attempt attempt_of(const bf_policy_settings *settings, const bf_risk_context *risk)
{
    int uncertain = risk->uncertain_count;
    int all = uncertain > risk->retry_count ? uncertain : risk->retry_count;
    if (risk->retry_count < 0 || uncertain < 0 || all >= settings->retry_cap)
        return BF_ATTEMPT_LAST;
    return uncertain >= settings->uncertain_cap ? BF_ATTEMPT_LATE : BF_ATTEMPT_EARLY;
}

static bf_failures failures_of(const bf_policy_settings *settings, int failures)
{
    if (failures == 0)
        return BF_FAILURES_NONE;
    return failures < 0 || failures >= settings->failures_many ? BF_FAILURES_MANY : BF_FAILURES_SOME;
}

static bf_document document_of(const bf_policy_settings *settings, double confidence)
{
    if (!(confidence >= 0.0 && confidence <= 1.0))
        return BF_DOCUMENT_UNKNOWN;
    return confidence >= settings->document_confidence_min ? BF_DOCUMENT_OK : BF_DOCUMENT_LOW;
}

bf_situation bf_policy_observe(const bf_policy *policy, const bf_policy_input *input, bf_policy_output *ret)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, input->channel);
    bf_gate_result gate = {.passed = false, .capture = BF_CAPTURE_OK};
    if (input->quality)
        gate = bf_policy_gate_apply(settings, input->quality, ret);
    bool valid = context_valid(&input->risk, input->signals);
    bf_capture capture = valid ? capture_of(input, gate) : BF_CAPTURE_ERROR;
    bool ours = capture == BF_CAPTURE_ERROR || capture == BF_CAPTURE_OUTAGE;
    ret->quality_passed = gate.passed && (capture == BF_CAPTURE_OK || ours);
    bool seen = capture == BF_CAPTURE_OK, judged = seen && input->judging == BF_OK;
    bf_effect effect = valid ? device_effect(settings, input) : BF_EFFECT_LOW;
    bf_situation situation = {{0}};
    uint8_t *value = situation.value;
    value[BF_FACT_CAPTURE] = (uint8_t)capture;
    value[BF_FACT_BAND] = (uint8_t)(judged ? band_of(settings, input) : BF_BAND_NOT_JUDGED);
    value[BF_FACT_MATCH] = (uint8_t)match_of(policy, input, capture);
    bf_challenge_outcome challenge = seen ? challenge_of(input->challenge) : BF_CHALLENGE_NOT_ASKED;
    value[BF_FACT_CHALLENGE] = (uint8_t)challenge;
    value[BF_FACT_LIGHT] = (uint8_t)(seen ? light_of(settings, input->light, challenge) : BF_LIGHT_NOT_ASKED);
    value[BF_FACT_RISK] = (uint8_t)risk_of(input->risk.risk_tier, effect);
    value[BF_FACT_DEVICE] = (uint8_t)device_of(effect);
    value[BF_FACT_CHANNEL] = (uint8_t)(settings - policy->settings);
    value[BF_FACT_ATTEMPT] = (uint8_t)attempt_of(settings, &input->risk);
    value[BF_FACT_FAILURES] = (uint8_t)failures_of(settings, input->risk.previous_failures);
    value[BF_FACT_DOCUMENT] = (uint8_t)document_of(settings, input->risk.document_confidence);
    return situation;
}
