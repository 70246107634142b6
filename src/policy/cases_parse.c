/* Parses the test cases of a policy file. */
#include <math.h>
#include <string.h>

#include "base/words.h"
#include "policy/cases.h"

#define TEST_STATUSES_MAX 128
#define COUNT_MAX 1000 /* attempts or failures */

static const char *const GIVEN_KEYS[] = {"judging",
                                         "quality",
                                         "band",
                                         "score",
                                         "match",
                                         "similarity",
                                         "challenge",
                                         "light",
                                         "capture_signals",
                                         "reference",
                                         "risk",
                                         "device",
                                         "document_confidence",
                                         "attempt",
                                         "retry_count",
                                         "uncertain_count",
                                         "previous_failures",
                                         "channel",
                                         "kill_switch",
                                         NULL};

/* Reads map[key] as a word of a fact, when it is there. */
static bf_status take_word(const bf_yaml *doc, const bf_yaml_node *map, const char *key, const char *const words[],
                           int *ret, bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(map, key);
    return node ? bf_policy_word(doc, node, key, words, ret, err) : BF_OK;
}

static bf_status take_status(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bf_status *ret,
                             bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(map, key);
    if (!node)
        return BF_OK;
    const char *words[TEST_STATUSES_MAX + 1];
    bf_status numbers[TEST_STATUSES_MAX];
    int count = 0;
    for (int number = 0; number < TEST_STATUSES_MAX; number++) {
        if (strcmp(bf_status_name((bf_status)number), "UNKNOWN") == 0)
            continue;
        numbers[count] = (bf_status)number;
        words[count++] = bf_status_name((bf_status)number);
    }
    words[count] = NULL;
    int index = 0;
    bf_status status = bf_policy_word(doc, node, "status", words, &index, err);
    if (status == BF_OK)
        *ret = numbers[index];
    return status;
}

/* A number is a value 0..100; a map gives value and native value; 'not_assessed' says what it says. */
static bf_status parse_measure(const bf_yaml *doc, const bf_yaml_node *node, bf_measure *ret, bool *ret_native,
                               bf_error *err)
{
    static const char *const keys[] = {"value", "native", NULL};
    double value = ret->value;
    bf_status status = BF_OK;
    if (node->kind == BF_YAML_SCALAR && strcmp(node->scalar, "not_assessed") == 0) {
        ret->status = BF_MEASURE_NOT_ASSESSED;
    } else if (node->kind == BF_YAML_SCALAR) {
        status = bf_yaml_node_number(doc, node, 0, 100, &value, err);
    } else {
        status = bf_yaml_check_keys(doc, node, keys, err);
        if (status == BF_OK)
            status = bf_yaml_number(doc, node, "value", false, 0, 100, &value, err);
        if (status == BF_OK)
            status = bf_yaml_number(doc, node, "native", false, -1e9, 1e9, &ret->native, err);
        *ret_native = bf_yaml_get(node, "native") != NULL;
    }
    ret->value = (int)lround(value);
    return status;
}

static bf_status parse_quality(const bf_yaml *doc, const bf_yaml_node *map, bf_test_case *test, bf_error *err)
{
    const char *names[BF_MEASURE_COUNT + 1] = {0};
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        names[i] = bf_measure_name((bf_measure_id)i);
    bf_status status = bf_yaml_check_keys(doc, map, names, err);
    for (const bf_yaml_node *node = status == BF_OK ? map->child : NULL; node && status == BF_OK; node = node->next) {
        bf_measure_id id;
        if (bf_measure_from_name(node->key, &id))
            status = parse_measure(doc, node, &test->measure[id], &test->native_given[id], err);
    }
    return status;
}

static bf_status check_signals(const bf_yaml *doc, const bf_yaml_node *list, size_t count_max, bf_error *err)
{
    if (list->kind != BF_YAML_LIST || list->child_count > count_max)
        return bf_yaml_fail(doc, list, err, "'%s' must be a list of at most %zu signals.", list->key, count_max);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        if (node->kind != BF_YAML_SCALAR || strlen(node->scalar) >= BF_NAME_MAX)
            return bf_yaml_fail(doc, node, err, "the name of a signal is expected here.");
    }
    return BF_OK;
}

static bf_status parse_counts(const bf_yaml *doc, const bf_yaml_node *map, bf_test_case *test, bf_error *err)
{
    int64_t retry_count = -1, uncertain_count = -1;
    bf_status status = bf_yaml_integer(doc, map, "retry_count", false, 0, COUNT_MAX, &retry_count, err);
    if (status == BF_OK)
        status = bf_yaml_integer(doc, map, "uncertain_count", false, 0, COUNT_MAX, &uncertain_count, err);
    if (status == BF_OK && retry_count >= 0 && bf_yaml_get(map, "attempt"))
        status = bf_yaml_fail(doc, map, err, "'attempt' and 'retry_count' say the same; give one.");
    if (status == BF_OK && uncertain_count > retry_count)
        status = bf_yaml_fail(doc, map, err, "'uncertain_count' needs a 'retry_count' that is no smaller.");
    test->retry_count = (int)retry_count;
    test->uncertain_count = (int)uncertain_count;
    return status;
}

static bf_status parse_risk(const bf_yaml *doc, const bf_yaml_node *map, bf_test_case *test, bf_error *err)
{
    int risk = (int)test->risk, attempt = (int)test->attempt, channel = -1;
    int64_t failures = 0;
    bf_status status = take_word(doc, map, "risk", bf_fact_words(BF_FACT_RISK), &risk, err);
    if (status == BF_OK)
        status = take_word(doc, map, "attempt", bf_fact_words(BF_FACT_ATTEMPT), &attempt, err);
    if (status == BF_OK)
        status = take_word(doc, map, "channel", BF_CHANNEL_WORDS, &channel, err);
    if (status == BF_OK)
        status = parse_counts(doc, map, test, err);
    if (status == BF_OK)
        status = bf_yaml_integer(doc, map, "previous_failures", false, 0, COUNT_MAX, &failures, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "document_confidence", false, 0, 1, &test->document_confidence, err);
    if (status == BF_OK)
        status = bf_yaml_bool(doc, map, "kill_switch", false, &test->kill_switch, err);
    test->device = bf_yaml_get(map, "device");
    if (status == BF_OK && test->device)
        status = check_signals(doc, test->device, BF_DEVICE_SIGNALS_MAX, err);
    test->capture = bf_yaml_get(map, "capture_signals");
    if (status == BF_OK && test->capture)
        status = check_signals(doc, test->capture, BF_SIGNALS_MAX, err);
    test->risk = (bf_risk_tier)risk;
    test->attempt = (bf_attempt)attempt;
    test->channel = channel;
    test->previous_failures = (int)failures;
    return status;
}

static bf_status parse_given(const bf_yaml *doc, const bf_yaml_node *map, bf_test_case *test, bf_error *err)
{
    int band = (int)test->band, match = (int)test->match, challenge = (int)test->challenge, light = test->light;
    bf_status status = bf_yaml_check_keys(doc, map, GIVEN_KEYS, err);
    if (status == BF_OK)
        status = take_status(doc, map, "judging", &test->judging, err);
    if (status == BF_OK)
        status = take_status(doc, map, "reference", &test->reference, err);
    if (status == BF_OK)
        status = take_word(doc, map, "band", bf_fact_words(BF_FACT_BAND), &band, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "score", false, 0, 100, &test->score, err);
    if (status == BF_OK)
        status = take_word(doc, map, "match", bf_fact_words(BF_FACT_MATCH), &match, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "similarity", false, -1, 1, &test->similarity, err);
    if (status == BF_OK)
        status = take_word(doc, map, "challenge", bf_fact_words(BF_FACT_CHALLENGE), &challenge, err);
    if (status == BF_OK)
        status = take_word(doc, map, "light", bf_fact_words(BF_FACT_LIGHT), &light, err);
    const bf_yaml_node *quality = bf_yaml_get(map, "quality");
    if (status == BF_OK && quality)
        status = parse_quality(doc, quality, test, err);
    if (status == BF_OK && test->score >= 0 && bf_yaml_get(map, "band"))
        status = bf_yaml_fail(doc, map, err, "'band' and 'score' say the same; give one.");
    if (status == BF_OK && test->similarity >= -1 && bf_yaml_get(map, "match"))
        status = bf_yaml_fail(doc, map, err, "'match' and 'similarity' say the same; give one.");
    if (status == BF_OK && match == BF_MATCH_FACT_REFERENCE_UNUSABLE)
        status = bf_yaml_fail(doc, map, err, "give 'reference: REFERENCE_NO_FACE' or the like instead.");
    if (status == BF_OK && match == BF_MATCH_FACT_MISSING)
        status = bf_yaml_fail(doc, map, err, "give 'match: not_requested'; whether it is missing is for the policy.");
    if (status == BF_OK && light == BF_LIGHT_EXCUSED && challenge == BF_CHALLENGE_NOT_ASKED)
        status =
            bf_yaml_fail(doc, map, err, "light is left out of a challenge; give 'challenge: followed' or the like.");
    if (status == BF_OK && light == BF_LIGHT_NOT_ASKED && challenge != BF_CHALLENGE_NOT_ASKED)
        status = bf_yaml_fail(doc, map, err, "give 'light: excused'; whether it was to be asked is for the policy.");
    test->band = (bf_band)band;
    test->match = (bf_match_fact)match;
    test->challenge = (bf_challenge_outcome)challenge;
    test->light = light;
    return status == BF_OK ? parse_risk(doc, map, test, err) : status;
}

/* Checks that a list holds known codes only. */
static bf_status check_codes(const bf_yaml *doc, const bf_yaml_node *list, const char *what, const char *const words[],
                             bf_error *err)
{
    if (list->kind != BF_YAML_LIST)
        return bf_yaml_fail(doc, list, err, "'%s' must be a list of codes.", list->key);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        int index = 0;
        bf_status status = bf_policy_word(doc, node, what, words, &index, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

static bf_status parse_expect(const bf_yaml *doc, const bf_yaml_node *map, bf_test_case *test, bf_error *err)
{
    static const char *const keys[] = {"decision", "reason", "reasons", "guidance", "rule", NULL};
    const char *reasons[BF_REASON_COUNT + 1] = {0}, *guidance[BF_GUIDANCE_COUNT + 1] = {0};
    for (int i = 0; i < BF_REASON_COUNT; i++)
        reasons[i] = bf_reason_name((bf_reason)i);
    for (int i = 0; i < BF_GUIDANCE_COUNT; i++)
        guidance[i] = bf_guidance_name((bf_guidance)i);
    int decision = 0, reason = 0;
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK && (!bf_yaml_get(map, "decision") || !bf_yaml_get(map, "reason")))
        status = bf_yaml_fail(doc, map, err, "a case must expect a decision and a reason.");
    if (status == BF_OK)
        status = take_word(doc, map, "decision", BF_DECISION_WORDS, &decision, err);
    if (status == BF_OK)
        status = take_word(doc, map, "reason", reasons, &reason, err);
    if (status == BF_OK)
        status = bf_yaml_string(doc, map, "rule", false, &test->rule, err);
    test->reasons = bf_yaml_get(map, "reasons");
    test->guidance = bf_yaml_get(map, "guidance");
    if (status == BF_OK && test->reasons)
        status = check_codes(doc, test->reasons, "reason", reasons, err);
    if (status == BF_OK && test->guidance)
        status = check_codes(doc, test->guidance, "guidance", guidance, err);
    test->decision = (bf_decision)decision;
    test->reason = (bf_reason)reason;
    return status;
}

bf_status bf_case_parse(const bf_yaml *doc, const bf_yaml_node *node, bf_test_case *ret, bf_error *err)
{
    static const char *const keys[] = {"name", "given", "expect", NULL};
    bf_test_case test = {.line = node->line,
                         .band = BF_BAND_PASS,
                         .score = -1,
                         .similarity = -2,
                         .light = -1,
                         .document_confidence = -1};
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        test.measure[i] = (bf_measure){.status = BF_MEASURE_ASSESSED, .value = 100};
    bf_status status = bf_yaml_check_keys(doc, node, keys, err);
    if (status == BF_OK)
        status = bf_yaml_string(doc, node, "name", true, &test.name, err);
    const bf_yaml_node *given = bf_yaml_get(node, "given"), *expect = bf_yaml_get(node, "expect");
    if (status == BF_OK && (!given || !expect))
        status = bf_yaml_fail(doc, node, err, "the key '%s' is missing.", given ? "expect" : "given");
    if (status == BF_OK)
        status = parse_given(doc, given, &test, err);
    if (status == BF_OK)
        status = parse_expect(doc, expect, &test, err);
    if (status == BF_OK)
        *ret = test;
    return status;
}

const bf_yaml_node *bf_cases_of(const bf_yaml *doc)
{
    const bf_yaml_node *list = bf_yaml_get(bf_yaml_root(doc), "tests");
    return list ? list->child : NULL;
}

/* Whether a rule of that name decides in this policy; an expected rule that does not exist is a slip of the pen. */
static bool rule_exists(const bf_policy *policy, const char *id)
{
    for (int i = 0; i < policy->rule_count; i++) {
        if (strcmp(policy->rule[i].id, id) == 0)
            return true;
    }
    return strcmp(id, "kill_switch") == 0;
}

bf_status bf_cases_check(const bf_yaml *doc, const bf_policy *policy, bf_error *err)
{
    const bf_yaml_node *list = bf_yaml_get(bf_yaml_root(doc), "tests");
    if (list && list->kind != BF_YAML_LIST)
        return bf_yaml_fail(doc, list, err, "'tests' must be a list of cases.");
    for (const bf_yaml_node *node = bf_cases_of(doc); node; node = node->next) {
        bf_test_case test;
        bf_status status = bf_case_parse(doc, node, &test, err);
        if (status != BF_OK)
            return status;
        if (test.rule && !rule_exists(policy, test.rule))
            return bf_yaml_fail(doc, node, err, "there is no rule '%.60s'.", test.rule);
    }
    return BF_OK;
}
