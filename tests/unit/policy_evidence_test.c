/* Reasons that name the evidence which weighed against a clear pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/words.h"
#include "pipeline/detectors.h"
#include "policy_test.h"

static void set(bf_evidence *evidence, double contribution, bf_reason against)
{
    *evidence =
        (bf_evidence){.status = BF_EVIDENCE_PRESENT, .fused = true, .contribution = contribution, .against = against};
}

/* The reasons of evidence in order, "MOIRE BORDER"; it is checked that they come last. */
static const char *told(const bf_policy_input *input, bf_decision decision, char ret[256])
{
    bf_policy *policy = load_shipped("account_opening");
    bf_policy_output output;
    bf_policy_decide(policy, input, &output);
    assert_int_equal(output.decision, decision);
    ret[0] = '\0';
    for (int i = 0; i < output.reason_count; i++) {
        if (!bf_reason_is_evidence(output.reasons[i])) {
            assert_string_equal(ret, "");
            continue;
        }
        (void)snprintf(ret + strlen(ret), 256 - strlen(ret), "%s%s", ret[0] ? " " : "",
                       bf_reason_name(output.reasons[i]) + strlen("EVIDENCE_"));
    }
    assert_false(bf_reason_is_evidence(output.reasons[0]));
    bf_policy_free(&policy);
    return ret;
}

static void the_heaviest_three_are_told_in_order(void **state)
{
    (void)state;
    char text[256];
    bf_quality quality = good_quality();
    bf_evidence evidence[6];
    bf_policy_input input = good_input(&quality);
    input.evidence = evidence;
    input.evidence_count = 6;
    set(&evidence[0], -0.3, BF_REASON_EVIDENCE_NETWORK);
    set(&evidence[1], 1.5, BF_REASON_EVIDENCE_TEXTURE);
    set(&evidence[2], -2, BF_REASON_EVIDENCE_BORDER);
    set(&evidence[3], -0.4, BF_REASON_EVIDENCE_STREAM);
    set(&evidence[4], -0.4, BF_REASON_EVIDENCE_FLASH);
    set(&evidence[5], -9, BF_REASON_EVIDENCE_MOIRE);
    evidence[5].fused = false; /* it had no say */
    input.live_probability = 0.01;
    assert_string_equal(told(&input, BF_DECISION_REJECT, text), "BORDER STREAM FLASH"); /* of equals the first */
    evidence[4].against = BF_REASON_EVIDENCE_STREAM; /* two of a kind are told once */
    assert_string_equal(told(&input, BF_DECISION_REJECT, text), "BORDER STREAM NETWORK");
    input.live_probability = 0.6;
    assert_string_equal(told(&input, BF_DECISION_RETRY, text), "BORDER STREAM NETWORK");
    input.kill_switch = true;
    assert_string_equal(told(&input, BF_DECISION_REVIEW, text), "BORDER STREAM NETWORK");
}

static void a_clear_pass_and_what_was_not_judged_name_none(void **state)
{
    (void)state;
    char text[256];
    bf_quality quality = good_quality();
    bf_evidence evidence;
    bf_policy_input input = good_input(&quality);
    input.evidence = &evidence;
    input.evidence_count = 1;
    set(&evidence, -3, BF_REASON_EVIDENCE_BORDER);
    assert_string_equal(told(&input, BF_DECISION_APPROVE, text), "");
    input.match_similarity = -1; /* rejected, but not by liveness */
    assert_string_equal(told(&input, BF_DECISION_REJECT, text), "");
    input.live_probability = 0.01;
    input.judging = BF_NO_FACE;
    assert_string_equal(told(&input, BF_DECISION_RETRY, text), "");
}

/* The limit is asked of the contribution as a record writes it. */
static void little_weight_is_not_told(void **state)
{
    (void)state;
    static const struct {
        double contribution;
        const char *told;
    } cases[] = {{-0.25004, "BORDER"}, {-0.25, "BORDER"}, {-0.24996, "BORDER"}, {-0.24994, ""}, {0.25, ""}};
    char text[256];
    bf_quality quality = good_quality();
    bf_evidence evidence;
    bf_policy_input input = good_input(&quality);
    input.evidence = &evidence;
    input.evidence_count = 1;
    input.live_probability = 0.01;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(&evidence, cases[i].contribution, BF_REASON_EVIDENCE_BORDER);
        assert_string_equal(told(&input, BF_DECISION_REJECT, text), cases[i].told);
    }
}

/* Whoever adds a detector says what a decision calls it. */
static void every_detector_of_ours_has_a_word(void **state)
{
    (void)state;
    for (int i = 0; i < bf_own_detector_count(); i++)
        assert_true(bf_reason_is_evidence(bf_own_detector_at(i)->against));
    for (int i = 0; i < bf_clip_detector_count(); i++)
        assert_true(bf_reason_is_evidence(bf_clip_detector_at(i)->against));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heaviest_three_are_told_in_order),
        cmocka_unit_test(a_clear_pass_and_what_was_not_judged_name_none),
        cmocka_unit_test(little_weight_is_not_told),
        cmocka_unit_test(every_detector_of_ours_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
