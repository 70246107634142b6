/* The policy parser on any bytes. What it accepts has passed the linter, so no input whatever may break the promises
 * that the linter proves: many inputs derived from the same bytes, and the policy's own test cases, are decided and
 * checked. Bytes after a line "=====" are the base. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/cases.h"
#include "policy/rules.h"
#include "promise.h"

#define ROUNDS 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t stream;

static uint32_t next(uint32_t below)
{
    stream = stream * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(stream >> 33) % below;
}

static double next_number(void)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -1, 0, 1, 1e300, -0.0};
    return next(8) == 0 ? odd[next(8)] : (double)next(100001) / 100000;
}

static void fill_quality(const bf_policy_settings *settings, bf_quality *ret)
{
    bool good = next(2) == 0;
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        const bf_measure_gate *gate = &settings->gate[i];
        bf_measure *measure = &ret->measure[i];
        *measure = (bf_measure){.status = BF_MEASURE_ASSESSED, .value = 100, .native = 0};
        if (gate->used && !isinf(gate->native_min))
            measure->native = gate->native_min;
        else if (gate->used && !isinf(gate->native_max))
            measure->native = gate->native_max;
        if (!good && next(8) == 0)
            *measure = (bf_measure){
                .status = (bf_measure_status)next(2), .value = (int)next(101), .native = next_number() * 100};
    }
}

static void fill_risk(const bf_policy_settings *settings, bf_risk_context *ret)
{
    static const int counts[] = {-1, 0, 1, 2, 3, 4, 1000, -2147483647};
    ret->risk_tier = (bf_risk_tier)next(4);
    ret->document_confidence = next_number();
    ret->retry_count = counts[next(8)];
    ret->uncertain_count = next(2) == 0 ? ret->retry_count : counts[next(8)];
    ret->previous_failures = counts[next(8)];
    ret->device_signal_count = next(16) == 0 ? counts[next(8)] : (int)next(3);
    for (int i = 0; i < 2; i++) {
        if (settings->signal_count > 0 && next(4) > 0)
            (void)snprintf(ret->device_signals[i], BF_NAME_MAX, "%s",
                           settings->signal[next((uint32_t)settings->signal_count)].name);
        else
            memset(ret->device_signals[i], (int)next(256), BF_NAME_MAX);
    }
}

static void fill_signals(const bf_policy_settings *settings, bf_signals *ret)
{
    ret->count = (int)next(3);
    for (int i = 0; i < ret->count; i++)
        ret->signal[i].name = settings->signal_count > 0 && next(4) > 0
                                  ? settings->signal[next((uint32_t)settings->signal_count)].name
                                  : "never_heard_of";
}

static void fill_input(const bf_policy *policy, const bf_quality *quality, bf_policy_input *ret)
{
    static const bf_status statuses[] = {BF_NO_FACE,          BF_MULTIPLE_FACES,        BF_CORRUPT_IMAGE,
                                         BF_INFERENCE_FAILED, BF_INPUT_QUALITY_TOO_LOW, BF_NO_LIVENESS_EVIDENCE,
                                         (bf_status)999};
    ret->judging = next(3) > 0 ? BF_OK : statuses[next(7)];
    ret->quality = next(16) > 0 ? quality : NULL;
    ret->liveness_present = next(8) > 0;
    ret->live_probability = next_number();
    ret->match_requested = next(4) > 0;
    ret->reference_status = next(8) > 0 ? BF_OK : (bf_status)next(100);
    ret->match_present = next(8) > 0;
    ret->match_similarity = next_number();
    ret->kill_switch = next(16) == 0;
    ret->challenge = (bf_challenge_outcome)next(6);
    ret->light = (bf_light_outcome)next(6);
    fill_risk(bf_policy_settings_of(policy, ret->channel), &ret->risk);
}

static void check_output(const bf_policy *policy, const bf_policy_input *input, const bf_policy_output *output)
{
    bf_policy_output scratch = {0};
    bf_situation situation = bf_policy_observe(policy, input, &scratch);
    promise(bf_situation_possible(policy, &situation), "every input is a possible situation");
    bool judged = output->band != BF_BAND_NOT_JUDGED;
    if (output->decision == BF_DECISION_APPROVE) {
        promise(input->judging == BF_OK && output->quality_passed, "approval needs a judged, good capture");
        promise(input->liveness_present && input->live_probability >= 0.5, "approval needs liveness");
        promise(output->band == BF_BAND_PASS, "approval needs the pass band");
        promise(output->match == BF_MATCH_STRONG || !input->match_requested, "approval needs the requested match");
        promise(!input->kill_switch, "no approval while the kill switch is on");
        promise(input->challenge >= BF_CHALLENGE_NOT_ASKED && input->challenge < BF_CHALLENGE_NOT_FOLLOWED,
                "no approval when the challenge was not followed");
    }
    promise(output->decision != BF_DECISION_REJECT || judged, "rejection needs a judgement");
    promise(!judged || (input->judging == BF_OK && output->quality_passed), "a judgement needs a good capture");
    if (!output->quality_passed)
        promise(output->decision == BF_DECISION_RETRY || output->decision == BF_DECISION_REVIEW,
                "poor quality is retry or review");
    if (output->band == BF_BAND_FAIL)
        promise(output->decision == BF_DECISION_REJECT || output->decision == BF_DECISION_REVIEW,
                "an attack is rejected or reviewed");
    if (input->risk.retry_count < 0 || input->risk.retry_count >= 1000)
        promise(output->decision != BF_DECISION_RETRY && output->decision != BF_DECISION_CHALLENGE, "asking ends");
    promise(output->reason_count > 0 && output->reason_count <= BF_REASONS_MAX, "there is a reason");
    promise(output->guidance_count >= 0 && output->guidance_count <= BF_GUIDANCES_MAX, "guidance fits");
    promise(output->rule[0] != 0, "a rule decided");
}

static void promise_silence(const bf_policy *policy, const bf_policy_input *silent, const bf_policy_input *without)
{
    bf_policy_output one, other;
    bf_policy_decide(policy, silent, &one);
    bf_policy_decide(policy, without, &other);
    bool final = one.decision == BF_DECISION_APPROVE || one.decision == BF_DECISION_REJECT;
    promise(!final || one.decision == other.decision, "what could not be seen settles nothing");
}

/* A challenge that could not be seen, and light that was not answered, approve and reject nothing by themselves. */
static void check_silence(const bf_policy *policy, bf_policy_input input)
{
    bf_policy_input without = input;
    input.challenge = BF_CHALLENGE_UNCLEAR;
    without.challenge = BF_CHALLENGE_NOT_ASKED;
    promise_silence(policy, &input, &without);
    input.light = BF_LIGHT_UNANSWERED;
    without.light = BF_LIGHT_NOT_ASKED;
    promise_silence(policy, &input, &without);
}

static void decide_much(const bf_policy *policy)
{
    for (int round = 0; round < ROUNDS; round++) {
        bf_quality quality;
        bf_signals signals = {0};
        bf_policy_input input = {.channel = (bf_channel)next(8), .signals = next(2) ? &signals : NULL};
        bf_policy_output output, gate;
        fill_quality(bf_policy_settings_of(policy, input.channel), &quality);
        fill_signals(bf_policy_settings_of(policy, input.channel), &signals);
        fill_input(policy, &quality, &input);
        bf_policy_decide(policy, &input, &output);
        check_output(policy, &input, &output);
        check_silence(policy, input);
        bf_capture_ask ask = bf_policy_capture(policy, input.channel, &input.risk, next(2));
        promise(ask.active
                    ? ask.steps_min >= 1 && ask.steps_min <= ask.steps_max && ask.steps_max <= BF_POLICY_STEPS_MAX
                    : ask.steps_max == 0 && ask.flash == BF_FLASH_NONE,
                "a challenge asks for something");
        bool passed = bf_policy_gate(policy, input.channel, input.quality, &gate);
        promise(passed || !output.quality_passed, "gate and decision agree");
    }
}

static void run_cases(const bf_policy *policy, const bf_yaml *doc)
{
    bool hit[BF_POLICY_RULES_MAX] = {false};
    char message[512];
    for (const bf_yaml_node *node = doc ? bf_cases_of(doc) : NULL; node; node = node->next) {
        bf_test_case test;
        promise(bf_case_parse(doc, node, &test, NULL) == BF_OK, "checked cases parse");
        for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++)
            (void)bf_case_run(policy, &test, (bf_channel)channel, hit, message, sizeof message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char line[] = "\n=====\n";
    const uint8_t *cut = size ? memmem(data, size, line, sizeof line - 1) : NULL;
    bf_policy_text own = {data, cut ? (size_t)(cut - data) : size, "own.yaml"}, base = {0};
    if (cut)
        base = (bf_policy_text){cut + sizeof line - 1, size - own.size - (sizeof line - 1), "base.yaml"};
    stream = size;
    for (size_t i = 0; i < size; i++)
        stream = (stream ^ data[i]) * 0x100000001b3u;
    bf_policy_bundle bundle = {0};
    bf_error err = {0};
    if (bf_policy_bundle_parse(&own, cut ? &base : NULL, &bundle, &err) == BF_OK) {
        decide_much(bundle.policy);
        run_cases(bundle.policy, bundle.own);
        run_cases(bundle.policy, bundle.base);
    } else {
        promise(err.status == BF_CONFIG_INVALID && strstr(err.message, ".yaml:"), "a fault has its line");
    }
    bf_policy_bundle_done(&bundle);
    return 0;
}
