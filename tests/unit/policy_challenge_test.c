/* What a challenge changes, when it is asked, and signals about the capture path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_test.h"

static bf_quality quality;

static bf_policy_output decide(const bf_policy *policy, const bf_policy_input *input)
{
    bf_policy_output output;
    bf_policy_decide(policy, input, &output);
    return output;
}

static bool has_reason(const bf_policy_output *output, bf_reason reason)
{
    for (int i = 0; i < output->reason_count; i++) {
        if (output->reasons[i] == reason)
            return true;
    }
    return false;
}

/* Live and matched at high risk: what each journey makes of it, by what came of the challenge. */
static void high_risk_in_every_journey(void **state)
{
    (void)state;
    static const struct {
        const char *flow;
        bf_decision not_asked, followed, missed, missed_again, missed_last;
    } rows[] = {
        {"account_opening", BF_DECISION_CHALLENGE, BF_DECISION_APPROVE, BF_DECISION_RETRY, BF_DECISION_CHALLENGE,
         BF_DECISION_REVIEW},
        {"login_step_up", BF_DECISION_CHALLENGE, BF_DECISION_APPROVE, BF_DECISION_RETRY, BF_DECISION_CHALLENGE,
         BF_DECISION_REJECT},
        {"high_value_transaction", BF_DECISION_REVIEW, BF_DECISION_REVIEW, BF_DECISION_RETRY, BF_DECISION_REVIEW,
         BF_DECISION_REVIEW},
        {"account_recovery", BF_DECISION_REVIEW, BF_DECISION_REVIEW, BF_DECISION_RETRY, BF_DECISION_REVIEW,
         BF_DECISION_REVIEW},
        {"video_kyc", BF_DECISION_REVIEW, BF_DECISION_REVIEW, BF_DECISION_RETRY, BF_DECISION_REVIEW,
         BF_DECISION_REVIEW},
        {"browser_first", BF_DECISION_CHALLENGE, BF_DECISION_APPROVE, BF_DECISION_RETRY, BF_DECISION_CHALLENGE,
         BF_DECISION_REVIEW},
    };
    assert_int_equal(sizeof rows / sizeof *rows, SHIPPED_COUNT);
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(rows[i].flow);
        const bf_policy_settings *settings = bf_policy_settings_of(policy, BF_CHANNEL_UNSPECIFIED);
        bf_policy_input input = good_input(&quality);
        input.risk.risk_tier = BF_RISK_HIGH;
        assert_int_equal(decide(policy, &input).decision, rows[i].not_asked);
        input.challenge = BF_CHALLENGE_FOLLOWED;
        input.light = BF_LIGHT_ANSWERED;
        assert_int_equal(decide(policy, &input).decision, rows[i].followed);
        input.challenge = BF_CHALLENGE_NOT_FOLLOWED;
        assert_int_equal(decide(policy, &input).decision, rows[i].missed);
        input.risk.retry_count = input.risk.uncertain_count = settings->uncertain_cap;
        assert_int_equal(decide(policy, &input).decision, rows[i].missed_again);
        input.risk.retry_count = settings->retry_cap;
        assert_int_equal(decide(policy, &input).decision, rows[i].missed_last);
        input.challenge = BF_CHALLENGE_UNCLEAR;
        assert_int_equal(decide(policy, &input).decision, BF_DECISION_REVIEW);
        bf_policy_free(&policy);
    }
}

/* Words that are none, and a challenge beside a capture that was not judged. */
static void an_unknown_outcome_counts_as_not_followed(void **state)
{
    (void)state;
    static const int odd[] = {-1, 4, 255, 2147483647};
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(SHIPPED[i]);
        for (size_t o = 0; o < sizeof odd / sizeof *odd; o++) {
            bf_policy_input input = good_input(&quality);
            input.challenge = (bf_challenge_outcome)odd[o];
            bf_policy_output output = decide(policy, &input);
            assert_int_equal(output.decision, BF_DECISION_RETRY);
            assert_int_equal(output.reasons[0], BF_REASON_CHALLENGE_NOT_FOLLOWED);
            assert_int_equal(output.guidance[0], BF_GUIDANCE_FOLLOW_STEPS_SHOWN);
            input.judging = BF_NO_FACE;
            input.quality = NULL;
            output = decide(policy, &input);
            assert_int_equal(output.reasons[0], BF_REASON_NO_FACE);
            assert_false(has_reason(&output, BF_REASON_CHALLENGE_NOT_FOLLOWED));
        }
        bf_policy_free(&policy);
    }
}

/* A feed that follows the steps: what each journey makes of a face that does not answer the light, by risk. */
static void light_without_an_answer_in_every_journey(void **state)
{
    (void)state;
    static const struct {
        const char *flow;
        int from; /* the risk from which on light is needed */
    } rows[] = {{"account_opening", BF_RISK_HIGH},       {"login_step_up", BF_RISK_HIGH},
                {"high_value_transaction", BF_RISK_LOW}, {"account_recovery", BF_RISK_LOW},
                {"video_kyc", BF_RISK_HIGH + 1}, /* has no light */
                {"browser_first", BF_RISK_HIGH}};
    assert_int_equal(sizeof rows / sizeof *rows, SHIPPED_COUNT);
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(rows[i].flow);
        const bf_policy_settings *settings = bf_policy_settings_of(policy, BF_CHANNEL_UNSPECIFIED);
        for (int risk = BF_RISK_LOW; risk <= BF_RISK_MEDIUM + (rows[i].from == BF_RISK_HIGH); risk++) {
            bool needed = risk >= rows[i].from;
            bf_policy_input input = good_input(&quality);
            input.risk.risk_tier = (bf_risk_tier)risk;
            input.challenge = BF_CHALLENGE_FOLLOWED;
            input.light = BF_LIGHT_ANSWERED;
            assert_int_equal(decide(policy, &input).decision, BF_DECISION_APPROVE);
            input.light = BF_LIGHT_UNANSWERED;
            bf_policy_output output = decide(policy, &input);
            assert_int_equal(output.decision, needed ? BF_DECISION_RETRY : BF_DECISION_APPROVE);
            assert_true(!needed || output.guidance[0] == BF_GUIDANCE_LET_LIGHT_REACH_FACE);
            input.light = (bf_light_outcome)99; /* no word at all */
            assert_int_equal(decide(policy, &input).decision, output.decision);
            input.risk.retry_count = input.risk.uncertain_count = settings->uncertain_cap;
            assert_int_equal(decide(policy, &input).decision, needed ? BF_DECISION_REVIEW : BF_DECISION_APPROVE);
            input.risk.retry_count = input.risk.uncertain_count = 0;
            input.light = BF_LIGHT_NOT_ASKED; /* left out of the plan */
            output = decide(policy, &input);
            assert_int_equal(output.decision, needed ? BF_DECISION_REVIEW : BF_DECISION_APPROVE);
            assert_int_equal(output.light, settings->flash ? BF_LIGHT_EXCUSED : BF_LIGHT_NOT_ASKED);
            assert_true(!needed || output.reasons[0] == BF_REASON_LIGHT_NOT_SEEN);
        }
        bf_policy_free(&policy);
    }
}

/* What is not judged has no light; a policy without light knows none; light alone is no challenge. */
static void light_is_a_fact_only_where_the_policy_asks(void **state)
{
    (void)state;
    bf_policy *policy = load_shipped("high_value_transaction");
    bf_policy_input input = good_input(&quality);
    assert_int_equal(decide(policy, &input).light, BF_LIGHT_NOT_ASKED);
    input.light = BF_LIGHT_UNANSWERED; /* nothing but light was left to ask */
    assert_int_equal(decide(policy, &input).light, BF_LIGHT_UNANSWERED);
    assert_int_equal(decide(policy, &input).decision, BF_DECISION_RETRY);
    input.judging = BF_NO_FACE;
    input.quality = NULL;
    assert_int_equal(decide(policy, &input).light, BF_LIGHT_NOT_ASKED);
    bf_policy_free(&policy);
    policy = load_shipped("video_kyc");
    input = good_input(&quality);
    input.light = BF_LIGHT_UNANSWERED;
    assert_int_equal(decide(policy, &input).light, BF_LIGHT_NOT_ASKED);
    bf_policy_free(&policy);
}

static bf_capture_ask ask(const bf_policy *policy, bf_channel channel, bf_risk_tier tier, bool challenged)
{
    bf_risk_context risk = {.risk_tier = tier, .document_confidence = -1};
    return bf_policy_capture(policy, channel, &risk, challenged);
}

static void patterns_say_when_a_challenge_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *flow;
        bf_channel channel;
        bool low, medium, high;
    } rows[] = {
        {"account_opening", BF_CHANNEL_IOS_APP, false, false, false},   /* sequence */
        {"account_opening", BF_CHANNEL_DESKTOP_WEB, false, true, true}, /* adaptive on this channel */
        {"login_step_up", BF_CHANNEL_MOBILE_WEB, false, true, true},    /* adaptive */
        {"high_value_transaction", BF_CHANNEL_KIOSK, true, true, true}, /* parallel */
        {"account_recovery", BF_CHANNEL_UNSPECIFIED, true, true, true}, /* parallel */
        {"video_kyc", BF_CHANNEL_ANDROID_APP, false, false, false},     /* sequence */
        {"browser_first", (bf_channel)77, false, true, true},           /* no such channel: no overrides */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bf_policy *policy = load_shipped(rows[i].flow);
        assert_int_equal(ask(policy, rows[i].channel, BF_RISK_LOW, false).active, rows[i].low);
        assert_int_equal(ask(policy, rows[i].channel, BF_RISK_MEDIUM, false).active, rows[i].medium);
        assert_int_equal(ask(policy, rows[i].channel, BF_RISK_HIGH, false).active, rows[i].high);
        for (int tier = BF_RISK_LOW; tier <= BF_RISK_HIGH + 1; tier++)
            assert_true(ask(policy, rows[i].channel, (bf_risk_tier)tier, true).active);
        bf_policy_free(&policy);
    }
}

static void more_is_asked_at_high_risk(void **state)
{
    (void)state;
    bf_policy *policy = load_shipped("account_opening");
    bf_capture_ask passive = ask(policy, BF_CHANNEL_IOS_APP, BF_RISK_HIGH, false);
    assert_int_equal(passive.excuse, BF_EXCUSE_ANY);
    assert_true(passive.steps_min == 0 && passive.steps_max == 0 && passive.flash == BF_FLASH_NONE);
    bf_capture_ask low = ask(policy, BF_CHANNEL_IOS_APP, BF_RISK_LOW, true);
    assert_true(low.steps_min == 2 && low.steps_max == 3 && low.flash == BF_FLASH_FULL);
    bf_capture_ask high = ask(policy, BF_CHANNEL_IOS_APP, BF_RISK_HIGH, true);
    assert_true(high.steps_min == 3 && high.steps_max == 4 && high.flash == BF_FLASH_FULL);
    bf_capture_ask strange = ask(policy, BF_CHANNEL_IOS_APP, (bf_risk_tier)9, true);
    assert_int_equal(strange.steps_min, high.steps_min);
    bf_policy_free(&policy);
    policy = load_shipped("video_kyc");
    assert_int_equal(ask(policy, BF_CHANNEL_IOS_APP, BF_RISK_LOW, true).flash, BF_FLASH_NONE);
    bf_policy_free(&policy);
}

/* The caller's signals raise the risk before the first capture; a context that cannot be true is high risk. */
static void signals_of_the_caller_are_known_beforehand(void **state)
{
    (void)state;
    bf_policy *policy = load_shipped("login_step_up");
    bf_risk_context risk = {.risk_tier = BF_RISK_LOW, .device_signal_count = 1};
    (void)snprintf(risk.device_signals[0], BF_NAME_MAX, "vpn");
    assert_false(bf_policy_capture(policy, BF_CHANNEL_MOBILE_WEB, &risk, false).active);
    (void)snprintf(risk.device_signals[0], BF_NAME_MAX, "rooted");
    assert_int_equal(bf_policy_capture(policy, BF_CHANNEL_MOBILE_WEB, &risk, false).steps_max, 2);
    (void)snprintf(risk.device_signals[0], BF_NAME_MAX, "emulator");
    assert_int_equal(bf_policy_capture(policy, BF_CHANNEL_MOBILE_WEB, &risk, false).steps_max, 3);
    risk = (bf_risk_context){.risk_tier = BF_RISK_LOW, .device_signal_count = -5};
    assert_int_equal(bf_policy_capture(policy, BF_CHANNEL_MOBILE_WEB, &risk, false).steps_max, 3);
    bf_policy_free(&policy);
}

static bf_signals signals_of(const char *name, const char *other)
{
    bf_signals signals = {.count = other ? 2 : 1};
    signals.signal[0] = (bf_signal){.name = name, .severity = BF_SIGNAL_NOTE};
    signals.signal[1].name = other;
    return signals;
}

/* Where a signal comes from makes no difference to the decision, only to the reasons. */
static void signals_of_the_capture_count_like_the_callers(void **state)
{
    (void)state;
    static const char *const names[] = {"vpn",        "rooted",          "emulator",      "virtual_camera",
                                        "hooked_api", "injected_stream", "never_heard_of"};
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(SHIPPED[i]);
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            bf_policy_input caller = good_input(&quality), path = good_input(&quality);
            bf_signals signals = signals_of("vpn", names[n]);
            caller.risk.device_signal_count = 1;
            (void)snprintf(caller.risk.device_signals[0], BF_NAME_MAX, "%s", names[n]);
            path.signals = &signals;
            bf_policy_output one = decide(policy, &caller), other = decide(policy, &path);
            assert_int_equal(one.decision, other.decision);
            assert_string_equal(one.rule, other.rule);
            assert_int_equal(one.reasons[0], other.reasons[0]);
            assert_false(has_reason(&one, BF_REASON_CAPTURE_PATH_RISK));
            bool told = other.decision != BF_DECISION_APPROVE && n > 0;
            assert_int_equal(has_reason(&other, BF_REASON_CAPTURE_PATH_RISK), told);
        }
        bf_policy_free(&policy);
    }
}

static void a_count_of_signals_that_cannot_be_is_an_error_of_ours(void **state)
{
    (void)state;
    bf_policy *policy = load_shipped("account_opening");
    static const int counts[] = {-1, BF_SIGNALS_MAX + 1, 2147483647};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        bf_signals signals = {.count = counts[i]};
        for (int s = 0; s < BF_SIGNALS_MAX; s++)
            signals.signal[s].name = "vpn";
        bf_policy_input input = good_input(&quality);
        input.signals = &signals;
        bf_policy_output output = decide(policy, &input);
        assert_int_equal(output.decision, BF_DECISION_RETRY);
        assert_int_equal(output.reasons[0], BF_REASON_INTERNAL_ERROR);
    }
    bf_policy_free(&policy);
}

/* Advice about a signal is given where something is asked again, and nowhere else. */
static void advice_follows_the_signal(void **state)
{
    (void)state;
    bf_policy *policy = load_shipped("account_opening");
    bf_signals signals = signals_of("virtual_camera", "page_hidden");
    bf_policy_input input = good_input(&quality);
    input.signals = &signals;
    bf_policy_output output = decide(policy, &input);
    assert_int_equal(output.decision, BF_DECISION_CHALLENGE);
    assert_int_equal(output.guidance_count, 3);
    assert_int_equal(output.guidance[0], BF_GUIDANCE_FOLLOW_STEPS);
    assert_int_equal(output.guidance[1], BF_GUIDANCE_USE_DEVICE_CAMERA);
    assert_int_equal(output.guidance[2], BF_GUIDANCE_STAY_ON_PAGE);
    input.challenge = BF_CHALLENGE_FOLLOWED;
    output = decide(policy, &input);
    assert_int_equal(output.decision, BF_DECISION_REVIEW);
    assert_int_equal(output.guidance_count, 1);
    assert_int_equal(output.guidance[0], BF_GUIDANCE_WAIT_FOR_REVIEW);
    input.challenge = BF_CHALLENGE_UNCLEAR;
    output = decide(policy, &input);
    assert_int_equal(output.decision, BF_DECISION_RETRY);
    assert_int_equal(output.guidance[0], BF_GUIDANCE_FOLLOW_STEPS_SHOWN);
    bf_policy_free(&policy);
}

int main(void)
{
    quality = good_quality();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(high_risk_in_every_journey),
        cmocka_unit_test(an_unknown_outcome_counts_as_not_followed),
        cmocka_unit_test(light_without_an_answer_in_every_journey),
        cmocka_unit_test(light_is_a_fact_only_where_the_policy_asks),
        cmocka_unit_test(patterns_say_when_a_challenge_is_asked),
        cmocka_unit_test(more_is_asked_at_high_risk),
        cmocka_unit_test(signals_of_the_caller_are_known_beforehand),
        cmocka_unit_test(signals_of_the_capture_count_like_the_callers),
        cmocka_unit_test(a_count_of_signals_that_cannot_be_is_an_error_of_ours),
        cmocka_unit_test(advice_follows_the_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
