/* The quality gate: thresholds, directions of faults, guidance, agreement with deciding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "policy_test.h"

#define SMALL "tests/data/policies/small"

static bf_policy *small;

static int setup(void **state)
{
    (void)state;
    small = load_policy(SMALL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bf_policy_free(&small);
    return 0;
}

/* One measure set to a value, and the only guidance that may follow. */
typedef struct fault_row {
    bf_measure_id id;
    double native;
    int value;
    bool passes;
    bf_guidance guidance;
} fault_row;

static void each_fault_has_the_guidance_of_its_direction(void **state)
{
    (void)state;
    static const fault_row rows[] = {
        {BF_MEASURE_HEAD_SIZE, 0.05, 0, false, BF_GUIDANCE_MOVE_CLOSER},
        {BF_MEASURE_HEAD_SIZE, 0.1, 0, true, 0},
        {BF_MEASURE_HEAD_SIZE, 0.6, 0, true, 0},
        {BF_MEASURE_HEAD_SIZE, 0.7, 0, false, BF_GUIDANCE_MOVE_BACK},
        {BF_MEASURE_LUMINANCE_MEAN, 0.1, 49, false, BF_GUIDANCE_FIND_MORE_LIGHT},
        {BF_MEASURE_LUMINANCE_MEAN, 0.9, 49, false, BF_GUIDANCE_REDUCE_LIGHT},
        {BF_MEASURE_LUMINANCE_MEAN, 0.9, 50, true, 0},
        {BF_MEASURE_INTER_EYE_DISTANCE, 300, 39, false, BF_GUIDANCE_MOVE_CLOSER},
        {BF_MEASURE_SHARPNESS, 0, 19, false, BF_GUIDANCE_HOLD_STILL},
        {BF_MEASURE_SHARPNESS, NAN, 90, false, BF_GUIDANCE_TRY_AGAIN},
        {BF_MEASURE_SINGLE_FACE_PRESENT, 2, 0, false, BF_GUIDANCE_ONE_PERSON_ONLY},
        {BF_MEASURE_SINGLE_FACE_PRESENT, 0, 0, false, BF_GUIDANCE_SHOW_FACE},
        {BF_MEASURE_MOUTH_CLOSED, 9, 0, true, 0}, /* no threshold in this policy */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bf_quality quality = good_quality();
        quality.measure[rows[i].id].native = rows[i].native;
        quality.measure[rows[i].id].value = rows[i].value;
        bf_policy_output output;
        memset(&output, 0xA5, sizeof output);
        assert_int_equal(bf_policy_gate(small, BF_CHANNEL_UNSPECIFIED, &quality, &output), rows[i].passes);
        assert_int_equal(output.quality_passed, rows[i].passes);
        assert_int_equal(output.measure_failed[rows[i].id], !rows[i].passes);
        assert_int_equal(output.guidance_count, rows[i].passes ? 0 : 1);
        assert_true(rows[i].passes || output.guidance[0] == rows[i].guidance);
        assert_int_not_equal(output.decision, BF_DECISION_APPROVE);
    }
}

static void not_assessed_fails_unless_optional(void **state)
{
    (void)state;
    bf_policy_output output;
    bf_quality quality = good_quality();
    quality.measure[BF_MEASURE_EYES_VISIBLE] = (bf_measure){0};
    assert_true(bf_policy_gate(small, BF_CHANNEL_UNSPECIFIED, &quality, &output));
    quality.measure[BF_MEASURE_SHARPNESS] = (bf_measure){0};
    assert_false(bf_policy_gate(small, BF_CHANNEL_UNSPECIFIED, &quality, &output));
    assert_true(output.measure_failed[BF_MEASURE_SHARPNESS]);
    assert_int_equal(output.guidance[0], BF_GUIDANCE_TRY_AGAIN);
    assert_true(bf_policy_gate(small, BF_CHANNEL_KIOSK, &quality, &output)); /* off there */
    assert_false(bf_policy_gate(small, BF_CHANNEL_UNSPECIFIED, NULL, &output));
    assert_int_equal(output.guidance[0], BF_GUIDANCE_SHOW_FACE);
}

static void guidance_comes_in_order_of_importance(void **state)
{
    (void)state;
    bf_policy_output output;
    bf_quality quality = good_quality();
    quality.measure[BF_MEASURE_SHARPNESS].value = 0;
    quality.measure[BF_MEASURE_LUMINANCE_MEAN] = (bf_measure){BF_MEASURE_ASSESSED, 0.05, 2};
    quality.measure[BF_MEASURE_HEAD_SIZE].native = 0.02;
    quality.measure[BF_MEASURE_SINGLE_FACE_PRESENT].native = 3;
    assert_false(bf_policy_gate(small, BF_CHANNEL_UNSPECIFIED, &quality, &output));
    static const bf_guidance order[] = {BF_GUIDANCE_ONE_PERSON_ONLY, BF_GUIDANCE_MOVE_CLOSER,
                                        BF_GUIDANCE_FIND_MORE_LIGHT, BF_GUIDANCE_HOLD_STILL};
    assert_int_equal(output.guidance_count, 4);
    assert_memory_equal(output.guidance, order, sizeof order);
}

static void contradictory_advice_becomes_helpful(void **state)
{
    (void)state;
    bf_policy_output output;
    bf_quality quality = good_quality();
    quality.measure[BF_MEASURE_HEAD_SIZE].native = 0.8;       /* move_back */
    quality.measure[BF_MEASURE_INTER_EYE_DISTANCE].value = 5; /* move_closer */
    quality.measure[BF_MEASURE_SHARPNESS].value = 0;
    assert_false(bf_policy_gate(small, BF_CHANNEL_UNSPECIFIED, &quality, &output));
    static const bf_guidance helpful[] = {BF_GUIDANCE_USE_BETTER_CAMERA, BF_GUIDANCE_HOLD_STILL};
    assert_int_equal(output.guidance_count, 2);
    assert_memory_equal(output.guidance, helpful, sizeof helpful);
}

/* Random quality: the gate alone and deciding agree, and a fault never makes more than retry or review of it. */
static void gate_and_decision_agree(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int round = 0; round < 20000; round++) {
        bf_quality quality = good_quality();
        for (int i = 0; i < 3; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bf_measure *measure = &quality.measure[(seed >> 33) % BF_MEASURE_COUNT];
            measure->value = (int)(seed >> 40) % 101;
            measure->native = (double)((seed >> 20) % 4000) / 1000.0 - 1.0;
            measure->status = seed >> 63 ? BF_MEASURE_ASSESSED : BF_MEASURE_NOT_ASSESSED;
        }
        bf_channel channel = CHANNELS[(seed >> 50) % CHANNEL_COUNT];
        bf_policy_input input = good_input(&quality);
        input.channel = channel;
        bf_policy_output gate, decided;
        bool passed = bf_policy_gate(small, channel, &quality, &gate);
        bf_policy_decide(small, &input, &decided);
        assert_int_equal(decided.quality_passed, passed);
        assert_memory_equal(decided.measure_failed, gate.measure_failed, sizeof gate.measure_failed);
        if (passed)
            continue;
        assert_int_equal(decided.band, BF_BAND_NOT_JUDGED);
        assert_true(decided.decision == BF_DECISION_RETRY || decided.decision == BF_DECISION_REVIEW);
        if (decided.decision == BF_DECISION_RETRY) {
            assert_int_equal(decided.guidance_count, gate.guidance_count);
            assert_memory_equal(decided.guidance, gate.guidance, sizeof *gate.guidance * (size_t)gate.guidance_count);
        }
    }
}

static void faults_of_the_capture_and_of_the_portrait_are_told_apart(void **state)
{
    (void)state;
    bf_policy *policy = load_shipped("account_opening");
    bf_quality quality = good_quality();
    static const bf_status portraits[] = {BF_REFERENCE_UNREADABLE, BF_REFERENCE_NO_FACE, BF_REFERENCE_MULTIPLE_FACES,
                                          BF_REFERENCE_QUALITY_TOO_LOW};
    for (size_t i = 0; i < sizeof portraits / sizeof *portraits; i++) {
        bf_policy_input input = good_input(&quality);
        input.reference_status = portraits[i];
        input.match_present = false;
        bf_policy_output output;
        bf_policy_decide(policy, &input, &output);
        assert_int_equal(output.decision, BF_DECISION_RETRY);
        assert_int_equal(output.reasons[0], BF_REASON_REFERENCE_UNUSABLE);
        assert_int_equal(output.guidance[0], BF_GUIDANCE_NEW_ID_PORTRAIT);
        assert_int_equal(output.band, BF_BAND_PASS);
        assert_int_equal(output.match, BF_MATCH_NOT_JUDGED);
        assert_true(output.quality_passed);
    }
    bf_policy_free(&policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_the_guidance_of_its_direction),
        cmocka_unit_test(not_assessed_fails_unless_optional),
        cmocka_unit_test(guidance_comes_in_order_of_importance),
        cmocka_unit_test(contradictory_advice_becomes_helpful),
        cmocka_unit_test(gate_and_decision_agree),
        cmocka_unit_test(faults_of_the_capture_and_of_the_portrait_are_told_apart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
