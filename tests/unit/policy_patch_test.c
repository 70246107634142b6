/* New bands in policy files of every form, what they cost, and the difference between two texts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fit/diff.h"
#include "fit/policy_patch.h"
#include "fit/proposal.h"
#include "fit/retries.h"
#include "policy_test.h"

#define NEAR(value, expected) assert_true(fabs((value) - (expected)) < 1e-9)

static const bf_policy_band NEW[BF_PATCH_CHANNELS] = {{91.5, 33.25}, {91.5, 33.25}, {91.5, 33.25},
                                                      {93, 33.25},   {94.75, 60.5}, {91.5, 33.25}};

static bf_status patch_file(bf_policy_patch *ret, const char *path, bf_error *err)
{
    return bf_policy_patch_make(ret, path, NEW, "because: of \"this\" # and that.", err);
}

static void check_bands(const bf_policy *policy)
{
    for (int c = 0; c < BF_PATCH_CHANNELS; c++) {
        const bf_policy_bands bands = bf_policy_bands_of(policy, (bf_channel)c);
        NEAR(bands.pass, NEW[c].pass / 100);
        NEAR(bands.uncertain, NEW[c].uncertain / 100);
    }
}

static void test_every_shipped_journey_takes_new_bands(void **state)
{
    char path[4096], name[256];
    (void)state;
    for (size_t i = 0; i < SHIPPED_COUNT; i++) {
        bf_error err = {0};
        bf_policy_patch patch = {0};
        (void)snprintf(name, sizeof name, "policies/%s.yaml", SHIPPED[i]);
        if (patch_file(&patch, source_path(name, path, sizeof path), &err) != BF_OK)
            fail_msg("%s", err.message);
        check_bands(patch.policy);
        assert_string_equal(bf_policy_flow(patch.policy), SHIPPED[i]);
        assert_string_equal(patch.base_name, "base/common.yaml");
        assert_non_null(strstr((const char *)patch.own.data, BF_PATCH_MARK " because: of \"this\" # and that."));
        assert_non_null(strstr((const char *)patch.diff.data, "\n+liveness: {pass: 91.5, uncertain: 33.25}"));
        bf_policy_patch_done(&patch);
    }
}

/* A policy of a form that is not the shipped one. Its rules and cases are as small as the linter lets them be. */
static const char BODY[] =
    "match: {required: false, strong: 0.45, weak: 0.35}\n"
    "retries: {cap: 3, uncertain_cap: 1, escalate_to: review}\n"
    "capture: {pattern: sequence, steps: {min: 2, max: 3}, steps_at_risk: {min: 3, max: 4}, flash: "
    "full, excuse: any}\n"
    "quality: {Sharpness: {min: 20}}\n"
    "device_risk: {other: medium}\n"
    "document: {confidence_min: 0.5}\n"
    "previous_failures: {many: 3}\n"
    "kill_switch: review\n";
static const char RULES[] = "rules:\n"
                            "  - {id: failed, when: {band: fail}, then: {decision: reject, reason: LIVENESS_FAILED}}\n"
                            "  - {id: rest, when: {}, then: {decision: review, reason: NO_RULE}}\n"
                            "tests:\n"
                            "  - name: a\n"
                            "    given: {band: fail}\n"
                            "    expect: {decision: reject, reason: LIVENESS_FAILED}\n"
                            "  - name: b\n"
                            "    given: {band: pass}\n"
                            "    expect: {decision: review, reason: NO_RULE}\n";

static bf_status patch_text(bf_policy_patch *ret, const char *bands, const char *channels, bf_error *err)
{
    char folder[] = "/tmp/policy_patch_XXXXXX", path[64], text[8192];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/small.yaml", folder);
    int size =
        snprintf(text, sizeof text, "flow: small\nversion: 1.9.4 # raised by hand\nrationale: One line.\n%s%s%s%s",
                 bands, BODY, channels, RULES);
    assert_int_equal(bf_bytes_write_file(path, text, (size_t)size, NULL), BF_OK);
    bf_status status = patch_file(ret, path, err);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    return status;
}

static void test_other_forms_take_new_bands(void **state)
{
    static const char *const bands[] = {"liveness: {pass: 80, uncertain: 50}   # why\n",
                                        "liveness:\n  pass: 80\n  uncertain: 50\n",
                                        "liveness:\n  uncertain: 50\n\n  # the other one\n  pass: 80 # this\n"};
    static const char *const channels[] = {
        "", "channels:\n  desktop_web:\n    liveness: {pass: 85}\n",
        "channels:\n  desktop_web:\n    liveness:\n      pass: 85\n      uncertain: 60\n",
        "channels:\n    # four blanks\n    kiosk: {retries: {cap: 2}}\n    desktop_web: {quality: {Sharpness: off, "
        "Resolution: {min_native: 10}}}\n",
        "channels:\n  kiosk:\n    liveness: {pass: 80, uncertain: 50}\n  ios_app: {liveness: {pass: 95, uncertain: "
        "94}}\n"};
    (void)state;
    for (size_t b = 0; b < sizeof bands / sizeof *bands; b++) {
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
            bf_error err = {0};
            bf_policy_patch patch = {0};
            if (patch_text(&patch, bands[b], channels[c], &err) != BF_OK)
                fail_msg("%s%s%s", bands[b], channels[c], err.message);
            check_bands(patch.policy);
            assert_memory_equal(bf_policy_version(patch.policy), "small@1.10.0+", 13);
            assert_int_equal(patch.broken_count, 0);
            bf_policy_patch_done(&patch);
        }
    }
}

static void test_a_form_that_no_line_can_change_is_refused(void **state)
{
    bf_error err = {0};
    bf_policy_patch patch = {0};
    (void)state;
    assert_int_equal(patch_text(&patch, "liveness: {pass: 80,\n  uncertain: 50}\n", "", &err), BF_CONFIG_INVALID);
    assert_non_null(strstr(err.message, "in this form"));
    assert_int_equal(patch_text(&patch, "liveness: {pass: 80, uncertain: 50}\n",
                                "channels: {kiosk: {liveness: {pass: 81}}, ios_app: {liveness: {pass: 82}}}\n", &err),
                     BF_CONFIG_INVALID);
    assert_null(patch.policy);
}

static void test_a_second_patch_takes_the_place_of_the_first(void **state)
{
    char folder[] = "/tmp/policy_patch_XXXXXX", path[64], text[8192];
    bf_policy_patch first = {0}, second = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/small.yaml", folder);
    int size = snprintf(text, sizeof text,
                        "flow: small\nversion: 1.0.0\nrationale: >-\n  Two\n  lines.\nliveness: {pass: "
                        "80, uncertain: 50}\n%s%s",
                        BODY, RULES);
    assert_int_equal(bf_bytes_write_file(path, text, (size_t)size, NULL), BF_OK);
    assert_int_equal(patch_file(&first, path, NULL), BF_OK);
    assert_int_equal(bf_bytes_write_file(path, first.own.data, first.own.size, NULL), BF_OK);
    assert_int_equal(bf_policy_patch_make(&second, path, NEW, "because: of \"this\" # and that.", NULL), BF_OK);
    assert_memory_equal(bf_policy_version(second.policy), "small@1.2.0+", 12);
    assert_null(strstr(strstr((const char *)second.own.data, BF_PATCH_MARK) + 1, BF_PATCH_MARK));
    bf_policy_patch_done(&first);
    bf_policy_patch_done(&second);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void test_patches_survive_memory_that_is_out(void **state)
{
    char path[4096];
    bool done = false;
    (void)state;
    (void)source_path("policies/video_kyc.yaml", path, sizeof path);
    for (size_t i = 1; !done && i < 100000; i = i * 5 / 4 + 1) {
        bf_policy_patch patch = {0};
        (void)bf_alloc_fail_after(i, 0);
        bf_status status = patch_file(&patch, path, NULL);
        (void)bf_alloc_fail_after(0, 0);
        done = status == BF_OK;
        if (!done)
            assert_int_equal(status, BF_OUT_OF_MEMORY);
        bf_policy_patch_done(&patch);
    }
    assert_true(done);
}

static void check_diff(const char *before, const char *after, const char *expected)
{
    bf_bytes text = {0};
    bf_page page = {0};
    assert_int_equal(bf_diff(&page, "f", before, after, NULL), BF_OK);
    bf_page_put(&page, "%s", ""); /* nothing at all is no text yet */
    assert_int_equal(bf_page_take(&page, &text, NULL), BF_OK);
    assert_string_equal((const char *)text.data, expected);
    bf_bytes_done(&text);
}

static void test_differences(void **state)
{
    (void)state;
    check_diff("a\nb\n", "a\nb\n", "");
    check_diff("a\nb\nc\n", "a\nB\nc\n", "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    check_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n5\n6\n7\n8\n9\n",
               "--- a/f\n+++ b/f\n@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+x\n 5\n 6\n 7\n");
    check_diff("a", "a\n", "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
    check_diff("", "a\n", "--- a/f\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n");
}

/* A table of rows that are made up one by one. */
typedef struct made {
    bf_rows rows;
    bf_row_cause cause[16];
} made;

static void add(made *m, uint32_t person, double score, bf_row_gate gate, bf_match_outcome match)
{
    bf_score_row row = {.score = score, .probability = NAN, .person = person, .match = (uint8_t)match};
    row.status = (uint8_t)(isnan(score) ? BF_SCORE_COULD_NOT_JUDGE : BF_SCORE_OK);
    m->cause[m->rows.scores.count] = (bf_row_cause){.gate = (uint8_t)gate};
    assert_int_equal(bf_scores_add(&m->rows.scores, &row, NULL, NULL), BF_OK);
    m->rows.cause = m->cause;
    m->rows.scores.persons = person + 1;
}

static bf_retries measure(made *m)
{
    bf_retries retries = {0};
    bf_policy *policy =
        load_shipped("account_opening"); /* pass 82, uncertain 38; cap 3, uncertain_cap 1, then a challenge */
    assert_int_equal(bf_retries_measure(&retries, &m->rows, policy, 0, NULL), BF_OK);
    bf_policy_free(&policy);
    bf_scores_done(&m->rows.scores);
    return retries;
}

static void test_retries_follow_the_caps_of_the_policy(void **state)
{
    (void)state;
    made uncertain = {0}, poor = {0}, failed = {0}, other = {0};
    add(&uncertain, 0, 60, BF_ROW_GATE_PASSED, BF_MATCH_STRONG);
    bf_retries r = measure(&uncertain);
    NEAR(r.after[0].waiting, 1); /* asked once more, then challenged */
    NEAR(r.after[1].challenged, 1);
    NEAR(r.captures, 2);
    add(&poor, 0, NAN, BF_ROW_GATE_FAILED, BF_MATCH_NOT_JUDGED);
    r = measure(&poor);
    NEAR(r.after[2].waiting, 1); /* three times more, then reviewed */
    NEAR(r.after[3].reviewed, 1);
    NEAR(r.captures, 4);
    add(&failed, 0, 37.99, BF_ROW_GATE_PASSED, BF_MATCH_STRONG);
    r = measure(&failed);
    NEAR(r.after[0].rejected, 1);
    NEAR(r.captures, 1);
    add(&other, 0, 99, BF_ROW_GATE_PASSED, BF_MATCH_NONE);
    NEAR(measure(&other).after[0].rejected, 1);
}

static void test_chances_of_one_person_mix(void **state)
{
    made m = {0};
    (void)state;
    add(&m, 0, 82, BF_ROW_GATE_PASSED, BF_MATCH_NOT_REQUESTED);
    add(&m, 0, 81.99, BF_ROW_GATE_PASSED, BF_MATCH_NOT_REQUESTED);
    add(&m, 1, 99, BF_ROW_GATE_UNKNOWN, BF_MATCH_NOT_REQUESTED);
    bf_retries r = measure(&m);
    assert_int_equal(r.persons, 2);
    assert_int_equal(r.assumed, 3);
    NEAR(r.after[0].approved, 0.75);
    NEAR(r.after[0].waiting, 0.25);
    NEAR(r.after[1].approved, 0.875);
    NEAR(r.after[1].challenged, 0.125);
    NEAR(r.after[4].approved + r.after[4].challenged, 1);
    NEAR(r.captures, 1.25);
}

/* A table in a file: enough for a target of 10 %, on two channels and in two splits. */
static void write_table(const char *path)
{
    bf_page page = {0};
    bf_bytes text = {0};
    bf_page_put(&page, "sample_id,label,status,score,attack_type,person_id,split,channel,flow\n");
    for (int i = 0; i < 320; i++)
        bf_page_put(&page, "s%d,%s,ok,%d,%s,p%d,%s,%s,account_opening\n", i, i % 2 ? "live" : "spoof",
                    i % 2 ? 60 + i % 40 : i % 50,
                    i % 2   ? ""
                    : i % 4 ? "print"
                            : "mask",
                    i, i < 160 ? "dev" : "test", i % 3 ? "kiosk" : "ios_app");
    assert_int_equal(bf_page_take(&page, &text, NULL), BF_OK);
    assert_int_equal(bf_bytes_write_file(path, text.data, text.size, NULL), BF_OK);
    bf_bytes_done(&text);
}

static bf_status propose(const char *table, const char *policy, bf_proposal **ret)
{
    bf_rows rows = {0};
    bf_bytes json = {0}, html = {0};
    const bf_proposal_facts facts = {"t", "p", NULL};
    const bf_proposal_options options = {.targets = {0.1, NAN, 0.1, false},
                                         .by_person = true,
                                         .validate_split = "test",
                                         .replicates = 100,
                                         .policy_path = policy};
    bf_status status = bf_rows_read(&rows, table, false, NULL, NULL, NULL);
    if (status == BF_OK)
        status = bf_propose(ret, &rows, &options, NULL);
    if (status == BF_OK)
        status = bf_proposal_json(&json, *ret, &facts, NULL);
    if (status == BF_OK)
        status = bf_proposal_html(&html, *ret, &facts, NULL);
    bf_bytes_done(&json);
    bf_bytes_done(&html);
    if (status == BF_OK)
        assert_false((*ret)->refused);
    bf_proposal_free(ret);
    bf_rows_done(&rows);
    return status;
}

static void test_proposals_survive_memory_that_is_out(void **state)
{
    char folder[] = "/tmp/policy_patch_XXXXXX", table[64], policy[4096];
    bool done = false;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(table, sizeof table, "%s/scores.csv", folder);
    (void)source_path("policies/account_opening.yaml", policy, sizeof policy);
    write_table(table);
    for (size_t i = 1; !done && i < 1000000; i = i * 9 / 8 + 1) {
        bf_proposal *proposal = NULL;
        (void)bf_alloc_fail_after(i, 0);
        bf_status status = propose(table, policy, &proposal);
        size_t asked = bf_alloc_fail_after(0, 0);
        done = asked < i;
        assert_int_equal(status, done ? BF_OK : BF_OUT_OF_MEMORY);
    }
    assert_true(done);
    (void)unlink(table);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shipped_journey_takes_new_bands),
        cmocka_unit_test(test_other_forms_take_new_bands),
        cmocka_unit_test(test_a_form_that_no_line_can_change_is_refused),
        cmocka_unit_test(test_a_second_patch_takes_the_place_of_the_first),
        cmocka_unit_test(test_patches_survive_memory_that_is_out),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_retries_follow_the_caps_of_the_policy),
        cmocka_unit_test(test_chances_of_one_person_mix),
        cmocka_unit_test(test_proposals_survive_memory_that_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
