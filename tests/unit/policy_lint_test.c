/* What the linter refuses, with the exact words; and what reading, testing and explaining do with files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "bonafide/policy.h"
#include "policy_test.h"

#define BAD "tests/data/policies/bad/"
#define SMALL "tests/data/policies/small.yaml"

/* expected.txt has one line per broken policy: "file.yaml:LINE: message", or "file.yaml|other/file.yaml:LINE: message"
 * where the fault lies in another file. */
static void every_broken_policy_is_refused_with_its_line(void **state)
{
    (void)state;
    char path[2 * 4096], folder[4096], wanted[2 * 4096];
    bf_bytes table = {0};
    assert_int_equal(bf_bytes_read_file(&table, source_path(BAD "expected.txt", path, sizeof path), 1 << 20, NULL),
                     BF_OK);
    source_path(BAD, folder, sizeof folder);
    int count = 0;
    char *rest = NULL;
    for (char *line = strtok_r((char *)table.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        size_t name = strcspn(line, ":|");
        const char *expected = line[name] == '|' ? line + name + 1 : line;
        bf_error err = {0};
        (void)snprintf(path, sizeof path, "%s%.*s", folder, (int)name, line);
        (void)snprintf(wanted, sizeof wanted, "%s%s", folder, expected);
        assert_int_equal(bf_policy_lint(path, &err), BF_CONFIG_INVALID);
        wanted[BF_ERROR_TEXT_SIZE - 1] = 0; /* where a long path fills the message */
        assert_string_equal(err.message, wanted);
        assert_int_equal(bf_policy_lint(path, NULL), BF_CONFIG_INVALID);
        count++;
    }
    assert_true(count >= 70);
    bf_bytes_done(&table);
}

/* Whatever the linter refuses cannot be loaded either, apart from a rule that merely lacks a test. */
static void what_is_refused_cannot_be_loaded(void **state)
{
    (void)state;
    static const char *const files[] = {
        "approves_uncertain", "approves_everything", "rejects_quality", "no_catch_all",
        "shadowed",           "bands_crossed",       "empty",           "case_unknown_rule"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[256], path[4096];
        bf_policy *policy = NULL;
        (void)snprintf(name, sizeof name, BAD "%s.yaml", files[i]);
        assert_int_equal(bf_policy_read(source_path(name, path, sizeof path), &policy, NULL), BF_CONFIG_INVALID);
        assert_null(policy);
    }
    bf_policy *policy = load_policy("tests/data/policies/bad/untested_rule");
    bf_policy_free(&policy);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_policy *policy = NULL;
    assert_int_equal(bf_policy_read("/no/such/policy.yaml", &policy, &err), BF_IO_ERROR);
    assert_int_equal(bf_policy_read("/", &policy, &err), BF_IO_ERROR);
    assert_int_equal(bf_policy_lint("/no/such/policy.yaml", &err), BF_IO_ERROR);
    assert_int_equal(bf_policy_explain("/no/such/policy.yaml", NULL, NULL, &err), BF_IO_ERROR);
    static const char orphan[] = "flow: x\nversion: 1.0.0\nextends: nowhere.yaml\nrationale: x\n";
    assert_int_equal(bf_policy_parse(orphan, sizeof orphan - 1, "x.yaml", &policy, &err), BF_CONFIG_INVALID);
    assert_string_equal(err.message, "x.yaml:3: this policy extends another file, which was not given.");
    assert_int_equal(bf_bytes_write_file("policy_lint_test.tmp", orphan, sizeof orphan - 1, &err), BF_OK);
    assert_int_equal(bf_policy_read("policy_lint_test.tmp", &policy, &err), BF_IO_ERROR);
    assert_non_null(strstr(err.message, "policy_lint_test.tmp extends another file"));
    assert_non_null(strstr(err.message, "nowhere.yaml"));
    assert_int_equal(remove("policy_lint_test.tmp"), 0);
    assert_null(policy);
}

static void a_base_nobody_asked_for_is_refused(void **state)
{
    (void)state;
    char path[4096];
    bf_bytes bytes = {0};
    bf_error err = {0};
    bf_policy *policy = NULL;
    assert_int_equal(bf_bytes_read_file(&bytes, source_path(SMALL, path, sizeof path), 1 << 20, NULL), BF_OK);
    bf_policy_text own = {bytes.data, bytes.size, "own.yaml"}, base = {"rationale: x\n", 13, "base.yaml"};
    assert_int_equal(bf_policy_parse_extending(&own, &base, &policy, &err), BF_CONFIG_INVALID);
    assert_int_equal(bf_policy_parse_extending(&own, NULL, &policy, &err), BF_OK);
    bf_policy_free(&policy);
    bf_bytes_done(&bytes);
}

/* A base's channels may tighten the picture, not the journey's decisions. */
static void a_base_channel_holds_quality_only(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_policy *policy = NULL;
    static const char text[] = "flow: x\nversion: 1.0.0\nextends: b.yaml\nrationale: x\nrules:\n"
                               "  - {id: all, when: {}, then: {decision: review, reason: NO_RULE}}\n";
    static const char base_text[] =
        "quality: {Sharpness: {min: 1}}\nliveness: {pass: 80, uncertain: 50}\n"
        "match: {required: true, strong: 0.4, weak: 0.3}\nretries: {cap: 1, uncertain_cap: 0, escalate_to: review}\n"
        "device_risk: {other: high}\ndocument: {confidence_min: 0.5}\nprevious_failures: {many: 2}\n"
        "kill_switch: reject\n"
        "capture: {pattern: parallel, steps: {min: 1, max: 4}, steps_at_risk: {min: 4, max: 4}, flash: "
        "none, excuse: any}\nchannels:\n  kiosk:\n    liveness: {pass: 60}\n";
    bf_policy_text own = {text, sizeof text - 1, "own.yaml"}, base = {base_text, sizeof base_text - 1, "b.yaml"};
    assert_int_equal(bf_policy_parse_extending(&own, &base, &policy, &err), BF_CONFIG_INVALID);
    assert_string_equal(err.message, "b.yaml:12: unknown key 'liveness'.");
    assert_null(policy);
}

/* Replaces the first `from` by `to`, which is as long. */
static void overwrite(bf_bytes *bytes, const char *from, const char *to)
{
    char *at = strstr((char *)bytes->data, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    for (size_t i = 0; to[i]; i++)
        at[i] = to[i];
}

static void failing_cases_are_reported(void **state)
{
    (void)state;
    char path[4096];
    bf_bytes bytes = {0};
    bf_policy_test_result result = {0};
    assert_int_equal(bf_bytes_read_file(&bytes, source_path(SMALL, path, sizeof path), 1 << 20, NULL), BF_OK);
    overwrite(&bytes, "given: {score: 5, match: strong}", "given: {score: 9, match: weak}  ");
    overwrite(&bytes, "device: [injected_stream]", "device: [injected_streak]");
    assert_int_equal(bf_bytes_write_file("policy_case_test.tmp", bytes.data, bytes.size, NULL), BF_OK);
    assert_int_equal(bf_policy_test("policy_case_test.tmp", NULL, NULL, &result, NULL), BF_OK);
    /* The misspelt signal is an unknown one: on six channels the case fails, and its rule is reached by no other. */
    assert_int_equal(result.failed, CHANNEL_COUNT + 1);
    assert_int_equal(bf_policy_lint("policy_case_test.tmp", NULL), BF_CONFIG_INVALID);
    assert_int_equal(remove("policy_case_test.tmp"), 0);
    bf_bytes_done(&bytes);
}

/* The worked example of docs/reference/policy.md does what the page says: it loads, and without two of its rules it is
 * refused with the words shown there. */
static void the_documented_example_is_true(void **state)
{
    (void)state;
    char path[4096];
    bf_bytes page = {0}, base_bytes = {0};
    bf_error err = {0};
    bf_policy *policy = NULL;
    source_path("docs/reference/policy.md", path, sizeof path);
    assert_int_equal(bf_bytes_read_file(&page, path, 1 << 20, NULL), BF_OK);
    source_path("policies/base/common.yaml", path, sizeof path);
    assert_int_equal(bf_bytes_read_file(&base_bytes, path, 1 << 20, NULL), BF_OK);
    char *chapter = strstr((char *)page.data, "## Worked example");
    assert_non_null(chapter);
    char *begin = strstr(chapter, "```yaml\n") + 8, *end = strstr(begin, "```");
    bf_policy_text own = {begin, (size_t)(end - begin), "policies/card_limit.yaml"};
    bf_policy_text base = {base_bytes.data, base_bytes.size, "policies/base/common.yaml"};
    assert_int_equal(bf_policy_parse_extending(&own, &base, &policy, &err), BF_OK);
    assert_string_equal(bf_policy_flow(policy), "card_limit");
    bf_policy_free(&policy);
    static const char *const forgotten[] = {"  - {id: device,", "  - {id: high,"};
    for (size_t i = 0; i < 2; i++) {
        char *line = strstr(begin, forgotten[i]), *next = strchr(line, '\n') + 1;
        memmove(line, next, (size_t)(begin + own.size - next));
        own.size -= (size_t)(next - line);
    }
    assert_int_equal(bf_policy_parse_extending(&own, &base, &policy, &err), BF_CONFIG_INVALID);
    char *shown = strstr(chapter, "policies/card_limit.yaml:16: ");
    assert_non_null(shown);
    for (char *c = shown; *c && strncmp(c, "\n```", 4) != 0; c++)
        if (*c == '\n')
            *c = ' ';
    assert_memory_equal(shown, err.message, strlen(err.message));
    bf_bytes_done(&page);
    bf_bytes_done(&base_bytes);
}

typedef struct text_buffer {
    char data[65536];
    size_t size;
} text_buffer;

static void collect(void *context, const char *text)
{
    text_buffer *buffer = context;
    size_t length = strlen(text);
    assert_true(buffer->size + length < sizeof buffer->data);
    memcpy(buffer->data + buffer->size, text, length + 1);
    buffer->size += length;
}

static void explain_shows_thresholds_and_table(void **state)
{
    (void)state;
    char path[4096];
    static text_buffer buffer;
    buffer.size = 0;
    assert_int_equal(bf_policy_explain(source_path(SMALL, path, sizeof path), collect, &buffer, NULL), BF_OK);
    static const char *const lines[] = {
        "small@0.1.0+",
        "  liveness pass                 80             80             80             80             80             "
        "90\n",
        "  retries escalate_to           challenge      challenge      challenge      challenge      challenge      r",
        "  HeadSize                      [0.1, 0.6]\n",
        "  Sharpness                     20+            20+            20+            20+            20+            "
        "off\n",
        "  any other                     medium\n",
        "   8 none                       reject    MATCH_NONE               when band pass and match none\n",
        "  pass       strong              approve                  approve                  review\n",
        "  uncertain  strong              retry>challenge>review   retry>challenge>review   retry>challenge>review\n",
        "  fail       any                 reject                   reject                   reject\n",
        "  hooked_api                    review\n",
        "  capture steps                 2 to 3\n",
        "  pass       followed            approve                  approve                  review\n",
        "  pass       not_followed        review                   review                   review\n",
        "Channel ios_app decides as unspecified does.\n",
        "Decisions on channel kiosk",
        "  pass       not_requested       approve                  review                   review\n",
    };
    assert_non_null(buffer.data);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_non_null(strstr(buffer.data, lines[i]));
    }
}

static void testing_survives_every_allocation_failure(void **state)
{
    (void)state;
    char path[4096];
    source_path(SMALL, path, sizeof path);
    for (size_t nth = 1; nth < 4000; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_policy_test_result result = {7, 7};
        bf_status status = bf_policy_test(path, NULL, NULL, &result, NULL);
        size_t made = bf_alloc_fail_after(0, 0);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            assert_int_equal(result.failed, 0);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
        assert_int_equal(result.passed, 7);
    }
    fail_msg("the parser never stopped allocating");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_policy_is_refused_with_its_line),
        cmocka_unit_test(what_is_refused_cannot_be_loaded),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(a_base_nobody_asked_for_is_refused),
        cmocka_unit_test(a_base_channel_holds_quality_only),
        cmocka_unit_test(failing_cases_are_reported),
        cmocka_unit_test(the_documented_example_is_true),
        cmocka_unit_test(explain_shows_thresholds_and_table),
        cmocka_unit_test(testing_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
