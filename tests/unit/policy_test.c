/* Deciding: bands, retries, risk, guidance, hostile numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "policy_test.h"

#define SMALL "tests/data/policies/small"

static bf_policy_output decide(const bf_policy *policy, const bf_policy_input *input)
{
    bf_policy_output output;
    memset(&output, 0xA5, sizeof output);
    bf_policy_decide(policy, input, &output);
    return output;
}

static bf_decision decision(const bf_policy *policy, const bf_policy_input *input)
{
    return decide(policy, input).decision;
}

/* The decision table of the journeys, word for word: liveness x match x risk. */
static void decision_table_of_every_journey(void **state)
{
    (void)state;
    bf_quality quality = good_quality();
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(SHIPPED[i]);
        for (size_t c = 0; c < CHANNEL_COUNT; c++) {
            bf_policy_input input = good_input(&quality);
            input.channel = CHANNELS[c];
            assert_int_equal(decision(policy, &input), BF_DECISION_APPROVE); /* strong, strong, low */
            input.match_similarity = weak_similarity(policy, CHANNELS[c]);
            bf_decision weak = decision(policy, &input); /* strong, weak */
            assert_true(weak == BF_DECISION_RETRY || weak == BF_DECISION_REVIEW);
            input = good_input(&quality);
            input.channel = CHANNELS[c];
            input.live_probability = uncertain_probability(policy, CHANNELS[c]);
            input.risk.risk_tier = BF_RISK_HIGH;
            bf_decision uncertain = decision(policy, &input); /* uncertain, strong, high */
            assert_true(uncertain == BF_DECISION_CHALLENGE || uncertain == BF_DECISION_REVIEW);
            input.live_probability = 0;
            for (int risk = BF_RISK_LOW; risk <= BF_RISK_HIGH; risk++) {
                const double similarities[] = {1, weak_similarity(policy, CHANNELS[c]), 0};
                for (size_t s = 0; s < 3; s++) {
                    input.risk.risk_tier = (bf_risk_tier)risk;
                    input.match_similarity = similarities[s];
                    assert_int_equal(decision(policy, &input), BF_DECISION_REJECT); /* weak, any */
                }
            }
        }
        bf_policy_free(&policy);
        assert_null(policy);
    }
}

static void bands_begin_at_their_threshold(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality();
    bf_policy_input input = good_input(&quality);
    static const struct {
        double probability;
        bf_band band;
    } rows[] = {{1.0, BF_BAND_PASS},       {0.80, BF_BAND_PASS},      {0.7999999, BF_BAND_UNCERTAIN},
                {0.50, BF_BAND_UNCERTAIN}, {0.4999999, BF_BAND_FAIL}, {0.0, BF_BAND_FAIL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input.live_probability = rows[i].probability;
        assert_int_equal(decide(policy, &input).band, rows[i].band);
    }
    assert_int_equal(bf_policy_match_outcome(policy, BF_CHANNEL_UNSPECIFIED, 0.40), BF_MATCH_STRONG);
    assert_int_equal(bf_policy_match_outcome(policy, BF_CHANNEL_UNSPECIFIED, 0.3999), BF_MATCH_WEAK);
    assert_int_equal(bf_policy_match_outcome(policy, BF_CHANNEL_UNSPECIFIED, 0.32), BF_MATCH_WEAK);
    assert_int_equal(bf_policy_match_outcome(policy, BF_CHANNEL_UNSPECIFIED, 0.3199), BF_MATCH_NONE);
    assert_int_equal(bf_policy_match_outcome(policy, BF_CHANNEL_UNSPECIFIED, -1.0), BF_MATCH_NONE);
    assert_int_equal(bf_policy_match_outcome(policy, BF_CHANNEL_UNSPECIFIED, 1.5), BF_MATCH_NOT_JUDGED);
    assert_int_equal(bf_policy_match_outcome(policy, BF_CHANNEL_UNSPECIFIED, NAN), BF_MATCH_NOT_JUDGED);
    bf_policy_free(&policy);
}

/* Every two-digit threshold has to hold exactly, though 57 / 100 is no binary number. */
static void bands_hold_for_every_whole_threshold(void **state)
{
    (void)state;
    char text[4096], path[4096];
    bf_bytes bytes = {0};
    bf_quality quality = good_quality();
    assert_int_equal(bf_bytes_read_file(&bytes, source_path(SMALL ".yaml", path, sizeof path), 8192, NULL), BF_OK);
    char *at = strstr((char *)bytes.data, "pass: 80");
    assert_non_null(at);
    for (int pass = 51; pass < 100; pass++) {
        bf_policy *policy = NULL;
        (void)snprintf(text, sizeof text, "%d", pass);
        memcpy(at + 6, text, 2);
        assert_int_equal(bf_policy_parse(bytes.data, bytes.size, "x", &policy, NULL), BF_OK);
        bf_policy_input input = good_input(&quality);
        (void)snprintf(text, sizeof text, "0.%d", pass);
        input.live_probability = strtod(text, NULL);
        assert_int_equal(decide(policy, &input).band, BF_BAND_PASS);
        input.live_probability = nextafter(input.live_probability, 0);
        assert_int_equal(decide(policy, &input).band, BF_BAND_UNCERTAIN);
        bf_policy_free(&policy);
    }
    bf_bytes_done(&bytes);
}

static void numbers_that_are_none_never_approve(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality();
    static const double probabilities[] = {NAN, INFINITY, -INFINITY, -0.1, 1.1};
    for (size_t i = 0; i < 5; i++) {
        bf_policy_input input = good_input(&quality);
        input.live_probability = probabilities[i];
        bf_policy_output output = decide(policy, &input);
        assert_int_equal(output.band, BF_BAND_NOT_JUDGED);
        assert_int_not_equal(output.decision, BF_DECISION_APPROVE);
        assert_int_not_equal(output.decision, BF_DECISION_REJECT);
        input = good_input(&quality);
        input.match_similarity = probabilities[i] * 2;
        output = decide(policy, &input);
        assert_int_equal(output.match, i == 3 ? BF_MATCH_NONE : BF_MATCH_NOT_JUDGED); /* -0.2 is a cosine */
        assert_int_equal(output.decision, i == 3 ? BF_DECISION_REJECT : BF_DECISION_REVIEW);
    }
    bf_policy_input input = good_input(&quality);
    input.risk.risk_tier = (bf_risk_tier)99;
    assert_int_not_equal(decision(policy, &input), BF_DECISION_APPROVE);
    input = good_input(&quality);
    input.risk.risk_tier = (bf_risk_tier)-1;
    assert_int_not_equal(decision(policy, &input), BF_DECISION_APPROVE);
    input = good_input(&quality);
    input.judging = (bf_status)12345;
    assert_int_not_equal(decision(policy, &input), BF_DECISION_APPROVE);
    input = good_input(NULL);
    assert_int_not_equal(decision(policy, &input), BF_DECISION_APPROVE);
    static const int counts[] = {-1, BF_DEVICE_SIGNALS_MAX + 1, 1 << 30};
    for (size_t i = 0; i < 3; i++) {
        input = good_input(&quality);
        input.risk.device_signal_count = counts[i];
        bf_policy_output output = decide(policy, &input);
        assert_int_not_equal(output.decision, BF_DECISION_APPROVE);
        assert_int_equal(output.band, BF_BAND_NOT_JUDGED);
    }
    input = good_input(&quality);
    input.channel = (bf_channel)77;
    assert_int_equal(decision(policy, &input), BF_DECISION_APPROVE);
    bf_policy_free(&policy);
}

static void impossible_counts_count_as_the_worst(void **state)
{
    (void)state;
    bf_policy *policy = load_shipped("account_opening");
    bf_quality quality = good_quality();
    static const struct {
        int failures;
        bf_decision decision;
    } rows[] = {{0, BF_DECISION_APPROVE}, {2, BF_DECISION_APPROVE}, {3, BF_DECISION_REVIEW}, {-1, BF_DECISION_REVIEW}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bf_policy_input input = good_input(&quality);
        input.risk.previous_failures = rows[i].failures;
        assert_int_equal(decision(policy, &input), rows[i].decision);
    }
    static const double confidences[] = {NAN, -1, 2, 0.6}; /* unknown three times, then just enough */
    for (size_t i = 0; i < 4; i++) {
        bf_policy_input input = good_input(&quality);
        input.risk.document_confidence = confidences[i];
        assert_int_equal(decision(policy, &input), BF_DECISION_APPROVE);
    }
    bf_policy_free(&policy);
}

static void signals_without_their_nul_stay_inside(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality();
    bf_policy_input *input = malloc(sizeof *input);
    assert_non_null(input);
    *input = good_input(&quality);
    memset(input->risk.device_signals, 'x', sizeof input->risk.device_signals);
    input->risk.device_signal_count = BF_DEVICE_SIGNALS_MAX;
    assert_int_equal(decision(policy, input), BF_DECISION_APPROVE); /* unknown: medium */
    free(input);
    bf_policy_free(&policy);
}

static bf_decision with_signal(const bf_policy *policy, bf_policy_input input, const char *name)
{
    (void)snprintf(input.risk.device_signals[0], BF_NAME_MAX, "%s", name);
    input.risk.device_signal_count = 1;
    return decision(policy, &input);
}

static void device_signals_have_their_effect(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality();
    bf_policy_input input = good_input(&quality);
    assert_int_equal(with_signal(policy, input, "vpn"), BF_DECISION_APPROVE);
    assert_int_equal(with_signal(policy, input, "never_heard_of"), BF_DECISION_APPROVE);
    assert_int_equal(with_signal(policy, input, "emulator"), BF_DECISION_REVIEW);
    assert_int_equal(with_signal(policy, input, "virtual_camera"), BF_DECISION_REVIEW);
    assert_int_equal(with_signal(policy, input, "injected_stream"), BF_DECISION_REJECT);
    input.channel = BF_CHANNEL_KIOSK;
    input.match_requested = false;
    assert_int_equal(with_signal(policy, input, "vpn"), BF_DECISION_APPROVE);
    assert_int_equal(with_signal(policy, input, "never_heard_of"), BF_DECISION_REVIEW);
    bf_policy_free(&policy);
}

static void asking_again_comes_to_an_end(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality(), blurred = good_quality();
    blurred.measure[BF_MEASURE_SHARPNESS].value = 3;
    static const bf_decision expected_quality[] = {BF_DECISION_RETRY, BF_DECISION_RETRY, BF_DECISION_RETRY,
                                                   BF_DECISION_REVIEW, BF_DECISION_REVIEW};
    static const bf_decision expected_uncertain[] = {BF_DECISION_RETRY, BF_DECISION_CHALLENGE, BF_DECISION_CHALLENGE,
                                                     BF_DECISION_REVIEW, BF_DECISION_REVIEW};
    for (int count = 0; count < 5; count++) {
        bf_policy_input input = good_input(&blurred);
        input.risk.retry_count = count;
        bf_policy_output output = decide(policy, &input);
        assert_int_equal(output.decision, expected_quality[count]);
        assert_int_equal(output.reasons[0], BF_REASON_QUALITY_TOO_LOW);
        assert_int_equal(output.reason_count, count < 3 ? 1 : 2);
        assert_true(count < 3 || output.reasons[1] == BF_REASON_RETRY_LIMIT);
        assert_int_equal(output.guidance[0], count < 3 ? BF_GUIDANCE_HOLD_STILL : BF_GUIDANCE_WAIT_FOR_REVIEW);
        input = good_input(&quality);
        input.live_probability = 0.6;
        input.risk.retry_count = input.risk.uncertain_count = count;
        assert_int_equal(decision(policy, &input), expected_uncertain[count]);
    }
    bf_policy_input input = good_input(&blurred);
    input.risk.retry_count = -3;
    assert_int_equal(decision(policy, &input), BF_DECISION_REVIEW);
    input.risk.retry_count = 0;
    input.channel = BF_CHANNEL_KIOSK; /* sharpness is off there */
    assert_int_equal(decide(policy, &input).quality_passed, true);
    input.judging = BF_NO_FACE; /* and no attempts are left */
    assert_int_equal(decision(policy, &input), BF_DECISION_REVIEW);
    bf_policy_free(&policy);
}

static void unclear_attempts_are_counted_apart(void **state)
{
    (void)state;
    static const struct {
        int retries, uncertain;
        bf_decision unclear, blurred;
    } rows[] = {
        {0, 0, BF_DECISION_RETRY, BF_DECISION_RETRY},     {2, 0, BF_DECISION_RETRY, BF_DECISION_RETRY},
        {2, 1, BF_DECISION_CHALLENGE, BF_DECISION_RETRY}, {2, 2, BF_DECISION_CHALLENGE, BF_DECISION_RETRY},
        {3, 0, BF_DECISION_REVIEW, BF_DECISION_REVIEW},   {3, 1, BF_DECISION_REVIEW, BF_DECISION_REVIEW},
        {0, 1, BF_DECISION_CHALLENGE, BF_DECISION_RETRY}, {0, 3, BF_DECISION_REVIEW, BF_DECISION_REVIEW},
        {-1, 0, BF_DECISION_REVIEW, BF_DECISION_REVIEW},  {0, -1, BF_DECISION_REVIEW, BF_DECISION_REVIEW},
    };
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality(), blurred = good_quality();
    blurred.measure[BF_MEASURE_SHARPNESS].value = 3;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bf_policy_input input = good_input(&quality);
        input.live_probability = 0.6;
        input.risk.retry_count = rows[i].retries;
        input.risk.uncertain_count = rows[i].uncertain;
        assert_int_equal(decision(policy, &input), rows[i].unclear);
        input.quality = &blurred;
        assert_int_equal(decision(policy, &input), rows[i].blurred);
    }
    bf_policy_free(&policy);
}

/* Where the two caps are one, LATE does not exist, and no pair of counts makes it. */
static void every_pair_of_counts_is_a_possible_situation(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality();
    for (int cap = 0; cap <= 3; cap++) {
        for (int uncertain_cap = 0; uncertain_cap <= cap; uncertain_cap++) {
            for (int counts = 0; counts < 36; counts++) {
                bf_policy_settings *settings = &policy->settings[BF_CHANNEL_UNSPECIFIED];
                bf_policy_input input = good_input(&quality);
                bf_policy_output output = {0};
                settings->retry_cap = cap;
                settings->uncertain_cap = uncertain_cap;
                input.risk.retry_count = counts / 6 - 1;
                input.risk.uncertain_count = counts % 6 - 1;
                bf_situation situation = bf_policy_observe(policy, &input, &output);
                assert_true(bf_situation_possible(policy, &situation));
            }
        }
    }
    bf_policy_free(&policy);
}

static void the_match_never_moves_the_band(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality();
    for (int percent = 0; percent <= 100; percent++) {
        bf_policy_input input = good_input(&quality);
        input.live_probability = percent / 100.0;
        bf_band band = decide(policy, &input).band;
        static const double similarities[] = {-1, 0, 0.35, 0.9, 1};
        for (size_t i = 0; i < 5; i++) {
            input.match_similarity = similarities[i];
            assert_int_equal(decide(policy, &input).band, band);
        }
        input.match_requested = false;
        assert_int_equal(decide(policy, &input).band, band);
    }
    bf_policy_free(&policy);
}

static void kill_switch_stops_automatic_decisions(void **state)
{
    (void)state;
    bf_policy *policy = load_policy(SMALL);
    bf_quality quality = good_quality();
    bf_policy_input input = good_input(&quality);
    input.kill_switch = true;
    bf_policy_output output = decide(policy, &input);
    assert_int_equal(output.decision, BF_DECISION_REVIEW);
    assert_int_equal(output.reasons[0], BF_REASON_KILL_SWITCH);
    assert_string_equal(output.rule, "kill_switch");
    assert_int_equal(output.band, BF_BAND_PASS);
    input.live_probability = 0.01;
    assert_int_equal(decision(policy, &input), BF_DECISION_REVIEW);
    input.judging = BF_NO_FACE;
    assert_int_equal(decision(policy, &input), BF_DECISION_RETRY);
    bf_policy_free(&policy);
}

static void version_names_the_bytes(void **state)
{
    (void)state;
    char path[4096], hex[BF_SHA256_HEX_SIZE], expected[256];
    bf_bytes bytes = {0}, base = {0};
    bf_policy *policy = load_policy(SMALL);
    assert_int_equal(bf_bytes_read_file(&bytes, source_path(SMALL ".yaml", path, sizeof path), 1 << 20, NULL), BF_OK);
    bf_sha256_hex(bytes.data, bytes.size, hex);
    (void)snprintf(expected, sizeof expected, "small@0.1.0+%.12s", hex);
    assert_string_equal(bf_policy_version(policy), expected);
    assert_string_equal(bf_policy_flow(policy), "small");
    bf_policy_free(&policy);
    bf_bytes_done(&bytes);
    policy = load_shipped("account_opening");
    assert_int_equal(
        bf_bytes_read_file(&bytes, source_path("policies/account_opening.yaml", path, sizeof path), 1 << 20, NULL),
        BF_OK);
    assert_int_equal(
        bf_bytes_read_file(&base, source_path("policies/base/common.yaml", path, sizeof path), 1 << 20, NULL), BF_OK);
    uint8_t *both = malloc(bytes.size + base.size);
    assert_non_null(both);
    memcpy(both, bytes.data, bytes.size);
    memcpy(both + bytes.size, base.data, base.size);
    bf_sha256_hex(both, bytes.size + base.size, hex);
    assert_non_null(strstr(bf_policy_version(policy), "account_opening@"));
    assert_memory_equal(strchr(bf_policy_version(policy), '+') + 1, hex, 12);
    free(both);
    bf_bytes_done(&bytes);
    bf_bytes_done(&base);
    bf_policy_free(&policy);
}

static void words_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHANNEL_COUNT; i++) {
        bf_channel channel = BF_CHANNEL_KIOSK;
        assert_true(bf_channel_from_name(bf_channel_name(CHANNELS[i]), &channel));
        assert_int_equal(channel, CHANNELS[i]);
    }
    for (int i = BF_RISK_LOW; i <= BF_RISK_HIGH; i++) {
        bf_risk_tier tier = BF_RISK_LOW;
        assert_true(bf_risk_tier_from_name(bf_risk_tier_name((bf_risk_tier)i), &tier));
        assert_int_equal(tier, i);
    }
    bf_channel channel = BF_CHANNEL_KIOSK;
    assert_false(bf_channel_from_name("fax", &channel));
    assert_int_equal(channel, BF_CHANNEL_KIOSK);
    assert_string_equal(bf_decision_name(BF_DECISION_APPROVE), "approve");
    assert_string_equal(bf_decision_name(BF_DECISION_REVIEW), "review");
    assert_string_equal(bf_decision_name((bf_decision)17), "unknown");
    assert_string_equal(bf_band_name(BF_BAND_UNCERTAIN), "uncertain");
    assert_string_equal(bf_band_name((bf_band)-1), "unknown");
    assert_string_equal(bf_match_outcome_name(BF_MATCH_NOT_JUDGED), "not_judged");
    assert_int_equal(BF_DECISION_REVIEW, 0); /* an output nobody filled must not approve */
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    char path[4096];
    source_path(SMALL ".yaml", path, sizeof path);
    for (size_t nth = 1; nth < 4000; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_error err = {0};
        bf_policy *policy = NULL;
        bf_status status = bf_policy_read(path, &policy, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            bf_policy_free(&policy);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
        assert_null(policy);
    }
    fail_msg("the parser never stopped allocating");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decision_table_of_every_journey),
        cmocka_unit_test(bands_begin_at_their_threshold),
        cmocka_unit_test(bands_hold_for_every_whole_threshold),
        cmocka_unit_test(numbers_that_are_none_never_approve),
        cmocka_unit_test(impossible_counts_count_as_the_worst),
        cmocka_unit_test(signals_without_their_nul_stay_inside),
        cmocka_unit_test(device_signals_have_their_effect),
        cmocka_unit_test(asking_again_comes_to_an_end),
        cmocka_unit_test(unclear_attempts_are_counted_apart),
        cmocka_unit_test(every_pair_of_counts_is_a_possible_situation),
        cmocka_unit_test(the_match_never_moves_the_band),
        cmocka_unit_test(kill_switch_stops_automatic_decisions),
        cmocka_unit_test(version_names_the_bytes),
        cmocka_unit_test(words_and_back),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
