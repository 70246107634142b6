/* Every shipped journey in every situation: the promises that no policy may break, checked from outside by numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/words.h"
#include "bonafide/policy.h"
#include "policy_test.h"

/* How the capture came out. */
typedef enum capture { CAPTURE_GOOD, CAPTURE_BLURRED, CAPTURE_UNMEASURED } capture;

static const bf_challenge_outcome CHALLENGES[] = {BF_CHALLENGE_NOT_ASKED, BF_CHALLENGE_FOLLOWED, BF_CHALLENGE_UNCLEAR,
                                                  BF_CHALLENGE_NOT_FOLLOWED};
enum { LIVE_PASS, LIVE_UNCERTAIN, LIVE_FAIL, LIVE_ABSENT };
enum { MATCH_STRONG, MATCH_WEAK, MATCH_NONE, MATCH_NO_PORTRAIT, MATCH_BAD_PORTRAIT, MATCH_LOST, MATCH_WAYS };
static const char *const SIGNALS[] = {"", "vpn", "rooted", "remote_control", "injected_stream", "never_heard_of"};
static const int RETRIES[] = {0, 1, 3, 6};
static const int FAILURES[] = {0, 1, 5};

typedef struct situation {
    const char *flow;
    bf_status judging;
    capture capture;
    int live, match, risk, signal, retry, failures, document;
    bf_challenge_outcome challenge;
    bf_light_outcome light;
    bf_channel channel;
} situation;

static bf_quality good, blurred;

static void make_input(const bf_policy *policy, const situation *at, bf_policy_input *ret)
{
    const double probabilities[] = {1, uncertain_probability(policy, at->channel), 0, -1};
    const double similarities[] = {1, weak_similarity(policy, at->channel), 0};
    *ret = good_input(at->capture == CAPTURE_GOOD ? &good : at->capture == CAPTURE_BLURRED ? &blurred : NULL);
    ret->judging = at->judging;
    ret->liveness_present = at->live != LIVE_ABSENT;
    ret->live_probability = probabilities[at->live];
    ret->match_requested = at->match != MATCH_NO_PORTRAIT;
    ret->reference_status = at->match == MATCH_BAD_PORTRAIT ? BF_REFERENCE_NO_FACE : BF_OK;
    ret->match_present = at->match <= MATCH_NONE;
    ret->match_similarity = at->match <= MATCH_NONE ? similarities[at->match] : 0;
    ret->challenge = at->challenge;
    ret->light = at->light;
    ret->channel = at->channel;
    ret->risk.risk_tier = (bf_risk_tier)at->risk;
    ret->risk.retry_count = RETRIES[at->retry];
    ret->risk.uncertain_count = RETRIES[at->retry] / (1 + at->document % 2); /* all, or half of them */
    ret->risk.previous_failures = FAILURES[at->failures];
    ret->risk.document_confidence = at->document == 0 ? -1 : at->document == 1 ? 0.2 : 0.9;
    if (at->signal > 0) {
        (void)snprintf(ret->risk.device_signals[0], BF_NAME_MAX, "%s", SIGNALS[at->signal]);
        ret->risk.device_signal_count = 1;
    }
}

static bool capture_judged(const situation *at)
{
    return at->judging == BF_OK && at->capture == CAPTURE_GOOD;
}

/* The first promise that an output breaks; NULL when it keeps all. */
static const char *broken_promise(const situation *at, const bf_policy_output *output)
{
    bool judged = capture_judged(at) && at->live != LIVE_ABSENT;
    bool match_optional = strcmp(at->flow, "browser_first") == 0;
    bool matched = at->match == MATCH_STRONG || (at->match == MATCH_NO_PORTRAIT && match_optional);
    if (output->decision == BF_DECISION_APPROVE && !(judged && at->live == LIVE_PASS && matched))
        return "approved without passed liveness and match";
    if (output->decision == BF_DECISION_APPROVE && (at->signal == 3 || at->signal == 4))
        return "approved against a grave device signal";
    bool vague = at->challenge == BF_CHALLENGE_UNCLEAR || at->challenge == BF_CHALLENGE_NOT_FOLLOWED;
    if (output->decision == BF_DECISION_APPROVE && vague)
        return "approved though the steps were not seen to be followed";
    bool wants_light = strcmp(at->flow, "high_value_transaction") == 0 || strcmp(at->flow, "account_recovery") == 0;
    bool steps = at->challenge != BF_CHALLENGE_NOT_ASKED;
    if (output->decision == BF_DECISION_APPROVE && wants_light && steps && at->light != BF_LIGHT_ANSWERED)
        return "approved though the face did not answer the light";
    if (output->decision == BF_DECISION_CHALLENGE && at->challenge == BF_CHALLENGE_FOLLOWED)
        return "asked for a challenge that was followed already";
    if (output->decision == BF_DECISION_REJECT && !judged)
        return "rejected what could not be judged";
    if (!judged && output->decision != BF_DECISION_RETRY && output->decision != BF_DECISION_REVIEW)
        return "did more than retry or review with what could not be judged";
    if (judged && at->live == LIVE_FAIL && output->decision != BF_DECISION_REJECT)
        return "did not reject an attack";
    bool asks = output->decision == BF_DECISION_RETRY || output->decision == BF_DECISION_CHALLENGE;
    if (asks && RETRIES[at->retry] >= 6)
        return "asks without end";
    static const bf_band bands[] = {BF_BAND_PASS, BF_BAND_UNCERTAIN, BF_BAND_FAIL, BF_BAND_NOT_JUDGED};
    if (output->band != (judged ? bands[at->live] : BF_BAND_NOT_JUDGED))
        return "has the wrong band";
    if (output->quality_passed !=
            (at->capture == CAPTURE_GOOD && strcmp(bf_status_family(at->judging), "quality") != 0 &&
             strcmp(bf_status_family(at->judging), "input") != 0) &&
        at->judging != BF_NO_LIVENESS_EVIDENCE)
        return "misjudges quality";
    if (output->reason_count < 1 || output->rule[0] == 0)
        return "gives no reason";
    if ((output->guidance_count == 0) != (output->decision == BF_DECISION_APPROVE))
        return "leaves the person without guidance";
    return NULL;
}

static bf_decision check(const bf_policy *policy, const situation *at)
{
    bf_policy_input input;
    bf_policy_output output;
    make_input(policy, at, &input);
    bf_policy_decide(policy, &input, &output);
    const char *broken = broken_promise(at, &output);
    if (broken)
        fail_msg("%s %s: judging %s capture %d live %d match %d challenge %d light %d risk %d signal %s retry %d "
                 "failures %d "
                 "document %d channel %s -> %s by %s",
                 at->flow, broken, bf_status_name(at->judging), (int)at->capture, at->live, at->match,
                 (int)at->challenge, (int)at->light, at->risk, SIGNALS[at->signal], at->retry, at->failures,
                 at->document, bf_channel_name(at->channel), bf_decision_name(output.decision), output.rule);
    return output.decision;
}

/* Light that was not answered, or left out, approves and rejects nobody who would not be otherwise. */
static bf_decision check_lights(const bf_policy *policy, situation at)
{
    at.light = at.challenge == BF_CHALLENGE_NOT_ASKED ? BF_LIGHT_NOT_ASKED : BF_LIGHT_ANSWERED;
    bf_decision best = check(policy, &at);
    for (int light = BF_LIGHT_NOT_ASKED; light <= BF_LIGHT_UNANSWERED && at.challenge == BF_CHALLENGE_FOLLOWED;
         light++) {
        at.light = (bf_light_outcome)light;
        bf_decision decision = check(policy, &at);
        bool worse = decision == BF_DECISION_RETRY || decision == BF_DECISION_REVIEW;
        if (decision != best && !(best == BF_DECISION_APPROVE && worse))
            fail_msg("%s: light %d turned %s into %s", at.flow, light, bf_decision_name(best),
                     bf_decision_name(decision));
    }
    return best;
}

/* Every challenge at one risk tier. Whether nothing was asked or what was asked was followed may lead to approval, and
 * following never does harm. Where nothing was judged, or the document alone differs, one challenge is like any. */
static size_t check_challenges(const bf_policy *policy, situation at, bool ret_approved[4])
{
    size_t count = capture_judged(&at) && at.document == 0 ? 4 : 1;
    for (size_t i = 0; i < count; i++) {
        at.challenge = CHALLENGES[i];
        ret_approved[i] = check_lights(policy, at) == BF_DECISION_APPROVE;
    }
    if (count == 4 && ret_approved[0] && !ret_approved[1])
        fail_msg("%s: following the steps did harm", at.flow);
    return count;
}

/* Everything except risk and challenge. More risk never turns another decision into an approval. */
static size_t check_risks(const bf_policy *policy, situation at)
{
    bool before[4] = {true, true, true, true}, now[4] = {false};
    size_t count = 0;
    for (at.risk = BF_RISK_LOW; at.risk <= BF_RISK_HIGH; at.risk++) {
        count += check_challenges(policy, at, now);
        for (size_t i = 0; i < 4; i++) {
            if (now[i] && !before[i])
                fail_msg("%s: more risk led to approval", at.flow);
            before[i] = now[i];
        }
    }
    return count;
}

static size_t check_context(const bf_policy *policy, situation at)
{
    size_t count = 0;
    for (at.signal = 0; at.signal < (int)(sizeof SIGNALS / sizeof *SIGNALS); at.signal++) {
        for (at.retry = 0; at.retry < 4; at.retry++) {
            for (at.failures = 0; at.failures < 3; at.failures++) {
                for (at.document = 0; at.document < 3; at.document++)
                    count += check_risks(policy, at);
            }
        }
    }
    return count;
}

static size_t check_evidence(const bf_policy *policy, situation at)
{
    size_t count = 0;
    for (size_t c = 0; c < CHANNEL_COUNT; c++) {
        at.channel = CHANNELS[c];
        for (at.live = LIVE_PASS; at.live <= LIVE_ABSENT; at.live++) {
            for (at.match = 0; at.match < MATCH_WAYS; at.match++)
                count += check_context(policy, at);
        }
    }
    return count;
}

static void promises_hold_in_every_situation(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(SHIPPED[i]);
        count += check_evidence(policy, (situation){.flow = SHIPPED[i], .judging = BF_OK, .capture = CAPTURE_GOOD});
        count += check_evidence(policy, (situation){.flow = SHIPPED[i], .judging = BF_OK, .capture = CAPTURE_BLURRED});
        count += check_evidence(
            policy, (situation){.flow = SHIPPED[i], .judging = BF_INFERENCE_FAILED, .capture = CAPTURE_GOOD});
        bf_policy_free(&policy);
    }
    print_message("%zu decisions\n", count);
    assert_int_equal(count, 6 * 6 * 4 * 6 * 6 * 4 * 3 * 3 * (3 * 3 + 3));
}

/* Every status there is, with good and bad evidence beside it. */
static void every_status_is_retry_or_review(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(SHIPPED[i]);
        for (int number = 1; number < 128; number++) {
            for (int way = CAPTURE_GOOD; way <= CAPTURE_UNMEASURED; way++) {
                situation at = {.flow = SHIPPED[i], .judging = (bf_status)number, .capture = (capture)way};
                for (at.live = LIVE_PASS; at.live <= LIVE_ABSENT; at.live++) {
                    for (at.match = 0; at.match < MATCH_WAYS; at.match++)
                        (void)check_risks(policy, at);
                }
            }
        }
        bf_policy_free(&policy);
    }
}

static void the_first_reason_names_the_cause(void **state)
{
    (void)state;
    static const struct {
        bf_status judging;
        bf_reason reason;
        bf_guidance guidance; /* wait_for_review: review at once, because asking again is pointless */
    } rows[] = {
        {BF_EMPTY_INPUT, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_SEND_PHOTO_FILE},
        {BF_UNSUPPORTED_FORMAT, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_SEND_PHOTO_FILE},
        {BF_CORRUPT_IMAGE, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_USE_ORIGINAL_PHOTO},
        {BF_IMAGE_TOO_LARGE, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_USE_ORIGINAL_PHOTO},
        {BF_IMAGE_TOO_SMALL, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_USE_BETTER_CAMERA},
        {BF_DECODER_LIMIT, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_USE_ORIGINAL_PHOTO},
        {BF_ANIMATED_IMAGE, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_USE_ORIGINAL_PHOTO},
        {BF_IO_ERROR, BF_REASON_INPUT_UNUSABLE, BF_GUIDANCE_TRY_AGAIN},
        {BF_NO_FACE, BF_REASON_NO_FACE, BF_GUIDANCE_SHOW_FACE},
        {BF_MULTIPLE_FACES, BF_REASON_MULTIPLE_FACES, BF_GUIDANCE_ONE_PERSON_ONLY},
        {BF_INPUT_QUALITY_TOO_LOW, BF_REASON_QUALITY_TOO_LOW, BF_GUIDANCE_TRY_AGAIN},
        {BF_MODEL_UNAVAILABLE, BF_REASON_INTERNAL_ERROR, BF_GUIDANCE_TRY_AGAIN},
        {BF_MODEL_TAMPERED, BF_REASON_INTERNAL_ERROR, BF_GUIDANCE_WAIT_FOR_REVIEW},
        {BF_INFERENCE_FAILED, BF_REASON_INTERNAL_ERROR, BF_GUIDANCE_TRY_AGAIN},
        {BF_OUT_OF_MEMORY, BF_REASON_INTERNAL_ERROR, BF_GUIDANCE_TRY_AGAIN},
        {BF_INTERNAL, BF_REASON_INTERNAL_ERROR, BF_GUIDANCE_TRY_AGAIN},
        {BF_CONFIG_INVALID, BF_REASON_INTERNAL_ERROR, BF_GUIDANCE_WAIT_FOR_REVIEW},
        {BF_REFERENCE_NO_FACE, BF_REASON_INTERNAL_ERROR, BF_GUIDANCE_WAIT_FOR_REVIEW}, /* not a status of the capture */
    };
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(SHIPPED[i]);
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            bf_policy_input input = good_input(NULL);
            bf_policy_output output;
            input.judging = rows[r].judging;
            input.liveness_present = input.match_present = false;
            bf_policy_decide(policy, &input, &output);
            bool pointless = rows[r].guidance == BF_GUIDANCE_WAIT_FOR_REVIEW;
            assert_int_equal(output.decision, pointless ? BF_DECISION_REVIEW : BF_DECISION_RETRY);
            assert_int_equal(output.reasons[0], rows[r].reason);
            assert_int_equal(output.guidance[0], rows[r].guidance);
            input.risk.retry_count = 10;
            bf_policy_decide(policy, &input, &output);
            assert_int_equal(output.decision, BF_DECISION_REVIEW);
            assert_int_equal(output.reasons[0], rows[r].reason);
            assert_true(pointless || output.reasons[1] == BF_REASON_RETRY_LIMIT);
            assert_int_equal(output.guidance[0], BF_GUIDANCE_WAIT_FOR_REVIEW);
        }
        bf_policy_free(&policy);
    }
}

static void report_failure(void *context, const bf_policy_case *result)
{
    (void)context;
    if (!result->passed)
        print_error("%s:%d: %s [%s]: %s\n", result->file, result->line, result->name, result->channel, result->message);
}

static void own_cases_pass_and_cover_every_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        char name[256], path[4096];
        bf_error err = {0};
        bf_policy_test_result result = {0};
        (void)snprintf(name, sizeof name, "policies/%s.yaml", SHIPPED[i]);
        source_path(name, path, sizeof path);
        assert_int_equal(bf_policy_lint(path, &err), BF_OK);
        assert_int_equal(bf_policy_test(path, report_failure, NULL, &result, &err), BF_OK);
        assert_int_equal(result.failed, 0);
        assert_true(result.passed > 300);
    }
}

/* The flow a policy states is the name its file is found under. */
static void the_flow_is_the_name_of_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_policy *policy = load_shipped(SHIPPED[i]);
        assert_string_equal(bf_policy_flow(policy), SHIPPED[i]);
        assert_true(strlen(bf_policy_version(policy)) == strlen(SHIPPED[i]) + strlen("@1.0.0+") + 12);
        bf_policy_free(&policy);
    }
}

static bf_status read_all(const char *data_dir, int *ret_count, bf_error *err)
{
    bf_policy *list[BF_POLICIES_MAX] = {NULL};
    *ret_count = 0;
    bf_status status = bf_policies_read(data_dir, list, ret_count, err);
    bf_policies_free(list, *ret_count);
    return status;
}

static void link_policy(const char *folder, const char *file, const char *as)
{
    char from[512], to[512];
    (void)snprintf(from, sizeof from, "%s/policies/%s", getenv("BONAFIDE_SOURCE_DIR"), file);
    (void)snprintf(to, sizeof to, "%s/policies/%s", folder, as);
    assert_int_equal(symlink(from, to), 0);
}

/* A folder without policies, with one, and with two for one journey. */
static void a_journey_has_one_policy(void **state)
{
    (void)state;
    static const char *const made[] = {"base", "login.yaml", "twin.yaml"};
    char folder[] = "/tmp/bonafide-policies-XXXXXX", path[512];
    bf_error err = {0};
    int count = 0;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(read_all(folder, &count, &err), BF_IO_ERROR);
    (void)snprintf(path, sizeof path, "%s/policies", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    link_policy(folder, "base", made[0]);
    assert_int_equal(read_all(folder, &count, &err), BF_CONFIG_INVALID);
    assert_non_null(strstr(err.message, "holds no policy"));
    link_policy(folder, "login_step_up.yaml", made[1]);
    assert_int_equal(read_all(folder, &count, &err), BF_OK);
    assert_int_equal(count, 1);
    link_policy(folder, "login_step_up.yaml", made[2]);
    assert_int_equal(read_all(folder, &count, &err), BF_CONFIG_INVALID);
    assert_non_null(strstr(err.message, "twin.yaml: another policy is for the journey login_step_up already"));
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        (void)snprintf(path, sizeof path, "%s/policies/%s", folder, made[i]);
        assert_int_equal(unlink(path), 0);
    }
    (void)snprintf(path, sizeof path, "%s/policies", folder);
    assert_int_equal(rmdir(path) | rmdir(folder), 0);
    assert_int_equal(read_all(getenv("BONAFIDE_SOURCE_DIR"), &count, &err), BF_OK);
    assert_int_equal(count, SHIPPED_COUNT);
}

int main(void)
{
    good = good_quality();
    blurred = good_quality();
    blurred.measure[BF_MEASURE_SHARPNESS].value = 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promises_hold_in_every_situation), cmocka_unit_test(every_status_is_retry_or_review),
        cmocka_unit_test(the_first_reason_names_the_cause), cmocka_unit_test(own_cases_pass_and_cover_every_rule),
        cmocka_unit_test(the_flow_is_the_name_of_the_file), cmocka_unit_test(a_journey_has_one_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
