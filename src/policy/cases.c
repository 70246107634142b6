/* Runs the test cases of policy files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/words.h"
#include "bonafide/policy.h"
#include "policy/cases.h"

#define MESSAGE_SIZE 512

static void fill_quality(const bf_policy_settings *settings, const bf_test_case *test, bf_quality *ret)
{
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        ret->measure[i] = test->measure[i];
        if (!test->native_given[i])
            ret->measure[i].native = bf_gate_good_native(&settings->gate[i]);
    }
}

/* The number that only just lies in a band, so that the cases also guard the thresholds' edges. */
static double band_edge(const bf_policy_settings *settings, bf_band band)
{
    if (band == BF_BAND_PASS)
        return settings->pass;
    return band == BF_BAND_UNCERTAIN ? settings->uncertain : nextafter(settings->uncertain, 0.0);
}

static double match_edge(const bf_policy_settings *settings, bf_match_fact match)
{
    if (match == BF_MATCH_FACT_STRONG)
        return settings->strong;
    return match == BF_MATCH_FACT_WEAK ? settings->weak : nextafter(settings->weak, -1.0);
}

static int attempt_edge(const bf_policy_settings *settings, bf_attempt attempt)
{
    if (attempt == BF_ATTEMPT_EARLY)
        return 0;
    return attempt == BF_ATTEMPT_LATE ? settings->uncertain_cap : settings->retry_cap;
}

static void fill_risk(const bf_policy_settings *settings, const bf_test_case *test, bf_risk_context *ret)
{
    ret->risk_tier = test->risk;
    ret->document_confidence = test->document_confidence;
    ret->retry_count = test->retry_count >= 0 ? test->retry_count : attempt_edge(settings, test->attempt);
    ret->uncertain_count = test->uncertain_count >= 0 ? test->uncertain_count : ret->retry_count;
    ret->previous_failures = test->previous_failures;
    for (const bf_yaml_node *node = test->device ? test->device->child : NULL; node; node = node->next)
        (void)snprintf(ret->device_signals[ret->device_signal_count++], BF_NAME_MAX, "%s", node->scalar);
}

static void fill_signals(const bf_test_case *test, bf_signals *ret)
{
    for (const bf_yaml_node *node = test->capture ? test->capture->child : NULL; node; node = node->next)
        ret->signal[ret->count++].name = node->scalar;
}

static void fill_input(const bf_policy *policy, const bf_test_case *test, bf_channel channel, const bf_quality *quality,
                       bf_policy_input *ret)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, channel);
    bool scored = test->score >= 0;
    ret->judging = test->judging;
    ret->quality = test->judging == BF_OK || test->judging == BF_NO_LIVENESS_EVIDENCE ? quality : NULL;
    ret->liveness_present = scored || test->band != BF_BAND_NOT_JUDGED;
    ret->live_probability = scored ? test->score / 100 : band_edge(settings, test->band);
    bool compared = test->match == BF_MATCH_FACT_STRONG || test->match == BF_MATCH_FACT_WEAK ||
                    test->match == BF_MATCH_FACT_NONE || test->similarity >= -1;
    ret->match_requested = compared || test->match == BF_MATCH_FACT_NOT_COMPARED || test->reference != BF_OK;
    ret->reference_status = test->reference;
    ret->match_present = compared;
    ret->match_similarity = test->similarity >= -1 ? test->similarity : match_edge(settings, test->match);
    ret->challenge = test->challenge;
    ret->light = test->light >= 0 ? (bf_light_outcome)test->light : bf_light_best(settings, test->challenge);
    ret->channel = channel;
    ret->kill_switch = test->kill_switch;
    fill_risk(settings, test, &ret->risk);
}

static void append(char *text, size_t size, const char *what, const char *got, const char *wanted)
{
    size_t used = strlen(text);
    (void)snprintf(text + used, size - used, "%s%s is %s, expected %s", used ? "; " : "", what, got, wanted);
}

/* The words of a list, or of an output, separated by spaces. */
static void join(char *text, size_t size, const char *word)
{
    size_t used = strlen(text);
    (void)snprintf(text + used, size - used, "%s%s", used ? " " : "", word);
}

static void compare_list(const bf_yaml_node *list, const char *what, const char *got, char *message, size_t size)
{
    if (!list)
        return;
    char wanted[MESSAGE_SIZE] = "";
    for (const bf_yaml_node *node = list->child; node; node = node->next)
        join(wanted, sizeof wanted, node->scalar);
    if (strcmp(got, wanted) != 0)
        append(message, size, what, got[0] ? got : "empty", wanted[0] ? wanted : "empty");
}

static void compare(const bf_test_case *test, const bf_policy_output *output, char *message, size_t size)
{
    message[0] = 0;
    if (output->decision != test->decision)
        append(message, size, "decision", bf_decision_name(output->decision), bf_decision_name(test->decision));
    if (output->reasons[0] != test->reason)
        append(message, size, "reason", bf_reason_name(output->reasons[0]), bf_reason_name(test->reason));
    if (test->rule && strcmp(test->rule, output->rule) != 0)
        append(message, size, "rule", output->rule, test->rule);
    char reasons[MESSAGE_SIZE] = "", guidance[MESSAGE_SIZE] = "";
    for (int i = 0; i < output->reason_count; i++)
        join(reasons, sizeof reasons, bf_reason_name(output->reasons[i]));
    for (int i = 0; i < output->guidance_count; i++)
        join(guidance, sizeof guidance, bf_guidance_name(output->guidance[i]));
    compare_list(test->reasons, "reasons", reasons, message, size);
    compare_list(test->guidance, "guidance", guidance, message, size);
}

bool bf_case_run(const bf_policy *policy, const bf_test_case *test, bf_channel channel, bool hit[BF_POLICY_RULES_MAX],
                 char *message, size_t message_size)
{
    bf_quality quality = {0};
    bf_signals signals = {0};
    bf_policy_input input = {.signals = &signals};
    bf_policy_output output;
    fill_signals(test, &signals);
    fill_quality(bf_policy_settings_of(policy, channel), test, &quality);
    fill_input(policy, test, channel, &quality, &input);
    bf_policy_decide(policy, &input, &output);
    for (int i = 0; i < policy->rule_count; i++)
        hit[i] = hit[i] || strcmp(policy->rule[i].id, output.rule) == 0;
    compare(test, &output, message, message_size);
    return message[0] == 0;
}

typedef struct case_runner {
    const bf_policy *policy;
    bf_policy_report report;
    void *context;
    bool hit[BF_POLICY_RULES_MAX];
    bf_policy_test_result result;
} case_runner;

static void tell(case_runner *runner, const char *file, int line, const char *name, const char *channel,
                 const char *message)
{
    bf_policy_case result = {.struct_size = sizeof result,
                             .file = file,
                             .line = line,
                             .name = name,
                             .channel = channel,
                             .passed = message[0] == 0,
                             .message = message};
    if (result.passed)
        runner->result.passed++;
    else
        runner->result.failed++;
    if (runner->report)
        runner->report(runner->context, &result);
}

static bf_status run_document(case_runner *runner, const bf_yaml *doc, bf_error *err)
{
    for (const bf_yaml_node *node = bf_cases_of(doc); node; node = node->next) {
        bf_test_case test;
        bf_status status = bf_case_parse(doc, node, &test, err);
        if (status != BF_OK)
            return status;
        int first = test.channel >= 0 ? test.channel : 0;
        int last = test.channel >= 0 ? test.channel : BF_CHANNEL_COUNT - 1;
        for (int channel = first; channel <= last; channel++) {
            char message[MESSAGE_SIZE];
            (void)bf_case_run(runner->policy, &test, (bf_channel)channel, runner->hit, message, sizeof message);
            tell(runner, bf_yaml_name(doc), test.line, test.name, bf_channel_name((bf_channel)channel), message);
        }
    }
    return BF_OK;
}

/* Whether some situation reaches the last rule; a safety net that nothing falls into needs no case. */
static bool last_rule_applies(const bf_policy *policy)
{
    bool started = false;
    for (bf_situation situation; bf_situation_next(policy, &situation, &started);) {
        if (bf_policy_apply(policy, &situation).rule == policy->rule_count - 1)
            return true;
    }
    return false;
}

/* Runs every case; the runner then knows which rules were hit. */
static bf_status run_bundle(const bf_policy_bundle *bundle, case_runner *runner, bf_error *err)
{
    runner->policy = bundle->policy;
    bf_status status = bundle->base ? run_document(runner, bundle->base, err) : BF_OK;
    if (status == BF_OK)
        status = run_document(runner, bundle->own, err);
    int last = bundle->policy->rule_count - 1;
    if (!runner->hit[last])
        runner->hit[last] = !last_rule_applies(bundle->policy);
    return status;
}

bf_status bf_policy_test(const char *path, bf_policy_report report, void *context, bf_policy_test_result *ret,
                         bf_error *err)
{
    BF_CLEANUP(bf_policy_bundle_done) bf_policy_bundle bundle = {0};
    case_runner runner = {.report = report, .context = context};
    bf_status status = bf_policy_bundle_read(path, &bundle, err);
    if (status == BF_OK)
        status = run_bundle(&bundle, &runner, err);
    if (status != BF_OK)
        return status;
    for (int i = 0; i < bundle.policy->rule_count; i++) {
        const bf_rule *rule = &bundle.policy->rule[i];
        if (!runner.hit[i])
            tell(&runner, bf_yaml_name(rule->from_base ? bundle.base : bundle.own), rule->line, rule->id, "all",
                 "no test case reaches this rule");
    }
    *ret = runner.result;
    return BF_OK;
}

/* Lints what was parsed already; the cases are told to the runner's report. */
static bf_status lint_bundle(const bf_policy_bundle *bundle, case_runner *runner, bf_error *err)
{
    bf_status status = run_bundle(bundle, runner, err);
    if (status != BF_OK)
        return status;
    bf_policy_documents documents = {bundle->own, bundle->base};
    for (int i = 0; i < bundle->policy->rule_count; i++) {
        if (!runner->hit[i])
            return bf_rule_fail(&documents, &bundle->policy->rule[i], err, "is reached by no test case.");
    }
    return BF_OK;
}

bf_status bf_policy_lint(const char *path, bf_error *err)
{
    BF_CLEANUP(bf_policy_bundle_done) bf_policy_bundle bundle = {0};
    case_runner runner = {0};
    bf_status status = bf_policy_bundle_read(path, &bundle, err);
    return status == BF_OK ? lint_bundle(&bundle, &runner, err) : status;
}

bf_status bf_policy_lint_text(const bf_policy_text *own, const bf_policy_text *base, bf_policy_report report,
                              void *context, bf_error *err)
{
    BF_CLEANUP(bf_policy_bundle_done) bf_policy_bundle bundle = {0};
    case_runner runner = {.report = report, .context = context};
    bf_status status = bf_policy_bundle_parse(own, base, &bundle, err);
    return status == BF_OK ? lint_bundle(&bundle, &runner, err) : status;
}
