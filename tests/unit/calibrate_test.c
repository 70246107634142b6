#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "calibrate/calibrate.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char good[] = "format: 1\n"
                           "detector: passive-x\n"
                           "version: 1.2.0\n"
                           "fitted_on:\n"
                           "  detector_version: 3.0.0\n"
                           "  model_sha256: " HASH "\n"
                           "  dataset: ten photos\n"
                           "  live: 6\n"
                           "  attack: 4\n"
                           "platt:\n"
                           "  slope: 0.5\n"
                           "  intercept: -0.25\n"
                           "  prior_log_odds: 0.4054651081081644\n"
                           "llr:\n"
                           "  min: -6\n"
                           "  max: 4.5\n";

static bf_status parse(const char *text, bf_calibration *ret, bf_error *err)
{
    return bf_calibration_parse(text, strlen(text), "c.yaml", ret, err);
}

static void parses_every_field(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_calibration c;
    assert_int_equal(parse(good, &c, &err), BF_OK);
    assert_string_equal(c.detector, "passive-x");
    assert_string_equal(c.version, "1.2.0");
    assert_string_equal(c.detector_version, "3.0.0");
    assert_string_equal(c.model_sha256, HASH);
    assert_true(c.slope == 0.5 && c.intercept == -0.25 && c.llr_min == -6 && c.llr_max == 4.5);
    assert_memory_equal(c.id, "passive-x@1.2.0+", 16);
    assert_int_equal(strlen(c.id), 16 + 12);
}

/* Golden values by hand: 0.5 * raw - 0.25 - ln(1.5). */
static void maps_raw_to_llr(void **state)
{
    (void)state;
    bf_calibration c;
    assert_int_equal(parse(good, &c, NULL), BF_OK);
    assert_true(fabs(bf_calibration_llr(&c, 0) - -0.6554651081081644) < 1e-12);
    assert_true(fabs(bf_calibration_llr(&c, 3) - 0.8445348918918356) < 1e-12);
    assert_true(bf_calibration_llr(&c, 100) == 4.5);
    assert_true(bf_calibration_llr(&c, -100) == -6);
    assert_true(bf_calibration_llr(&c, INFINITY) == 4.5);
    assert_true(bf_calibration_llr(&c, -INFINITY) == -6);
    assert_true(bf_calibration_llr(&c, NAN) == -6);
}

static void never_falls_when_raw_rises(void **state)
{
    (void)state;
    bf_calibration c;
    assert_int_equal(parse(good, &c, NULL), BF_OK);
    double last = -INFINITY;
    for (double raw = -40; raw < 40; raw += 0.01) {
        double llr = bf_calibration_llr(&c, raw);
        assert_true(llr >= last);
        last = llr;
    }
}

static void applies_only_to_its_own_detector(void **state)
{
    (void)state;
    bf_calibration c;
    assert_int_equal(parse(good, &c, NULL), BF_OK);
    bf_evidence own = {.detector = "passive-x", .version = "3.0.0", .status = BF_EVIDENCE_PRESENT, .raw = 3};
    bf_calibration_apply(&c, &own);
    assert_true(own.calibrated);
    assert_true(fabs(own.live_llr - 0.8445348918918356) < 1e-12);
    bf_evidence cases[] = {
        {.detector = "passive-y", .version = "3.0.0", .status = BF_EVIDENCE_PRESENT, .raw = 3},
        {.detector = "passive-x", .version = "3.0.1", .status = BF_EVIDENCE_PRESENT, .raw = 3},
        {.detector = "passive-x", .version = "3.0.0", .status = BF_EVIDENCE_NOT_APPLICABLE, .raw = 3},
        {.detector = "passive-x", .version = "3.0.0", .status = BF_EVIDENCE_FAILED, .raw = 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cases[i].calibrated = true;
        cases[i].live_llr = 9;
        bf_calibration_apply(&c, &cases[i]);
        assert_false(cases[i].calibrated);
        assert_true(cases[i].live_llr == 0);
    }
}

static void refuses_other_weights(void **state)
{
    (void)state;
    bf_calibration c;
    bf_error err = {0};
    assert_int_equal(parse(good, &c, NULL), BF_OK);
    assert_int_equal(bf_calibration_check(&c, "passive-x", "3.0.0", HASH, &err), BF_OK);
    assert_int_equal(bf_calibration_check(&c, "passive-y", "3.0.0", HASH, &err), BF_CONFIG_INVALID);
    assert_int_equal(bf_calibration_check(&c, "passive-x", "3.0.1", HASH, &err), BF_CONFIG_INVALID);
    assert_int_equal(bf_calibration_check(&c, "passive-x", "3.0.0", NULL, &err), BF_CONFIG_INVALID);
    assert_int_equal(bf_calibration_check(&c, "passive-x", "3.0.0", "", &err), BF_CONFIG_INVALID);
    assert_int_equal(bf_calibration_check(&c, "passive-x", "3.0.0", "0" HASH, &err), BF_CONFIG_INVALID);
    assert_true(err.hint[0] != 0 && err.detail[0] != 0);
    c.model_sha256[0] = 0;
    assert_int_equal(bf_calibration_check(&c, "passive-x", "3.0.0", NULL, &err), BF_OK);
    assert_int_equal(bf_calibration_check(&c, "passive-x", "3.0.0", HASH, &err), BF_OK);
}

/* One line of the good file replaced by another, and the message that must come of it. */
static void hostile_files_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"format: 1", "format: 2", "c.yaml:1: format 2 is not known; this program reads 1."},
        {"format: 1\n", "", "c.yaml:1: the key 'format' is missing."},
        {"version: 1.2.0", "verison: 1.2.0", "c.yaml:3: unknown key 'verison'; did you mean 'version'?"},
        {"version: 1.2.0", "version: 1 2",
         "c.yaml:3: '1 2' is no name: 1 to 63 letters, digits and ._-+ are expected."},
        {"passive-x", "../x", "c.yaml:2: '../x' is no name: 1 to 63 letters, digits and ._-+ are expected."},
        {"slope: 0.5", "slope: -0.5", "c.yaml:11: slope is outside 0 to 1e+06."},
        {"slope: 0.5", "slope: 0", "c.yaml:11: the slope must be above 0."},
        {"slope: 0.5", "slope: nan", "c.yaml:11: 'slope': a number is expected."},
        {"slope: 0.5", "slope: [1]", "c.yaml:11: 'slope' must be a single value."},
        {"min: -6", "min: 0", "c.yaml:15: 'min' must be below 0 and 'max' above 0."},
        {"max: 4.5", "max: 21", "c.yaml:16: max is outside 0 to 20."},
        {"max: 4.5", "max: 1\n  max: 2", "c.yaml:17: the key 'max' stands twice."},
        {HASH, "ABCD", "c.yaml:6: 64 lower-case hex digits are expected."},
        {"live: 6", "live: 0", "c.yaml:8: live is outside 1 to 1e+09."},
        {"live: 6", "live: 1.5", "c.yaml:8: 'live' must be a whole number."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        const char *at = strstr(good, cases[i].from);
        assert_non_null(at);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, cases[i].to, at + strlen(cases[i].from));
        bf_error err = {0};
        bf_calibration c = {.slope = 7};
        assert_int_equal(parse(text, &c, &err), BF_CONFIG_INVALID);
        assert_string_equal(err.message, cases[i].message);
        assert_true(c.slope == 7);
    }
}

static void missing_parts_are_errors(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "7\n",
                                      "[]\n",
                                      "format: 1\n",
                                      "format: 1\ndetector: x\nversion: 1\n",
                                      "format: 1\ndetector: x\nversion: 1\nfitted_on: {detector_version: 1}\n",
                                      ("format: 1\ndetector: x\nversion: 1\nfitted_on: {detector_version: 1}\n"
                                       "platt: {slope: 1, intercept: 0, prior_log_odds: 0}\n")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bf_error err = {0};
        bf_calibration c;
        assert_int_equal(parse(bad[i], &c, &err), BF_CONFIG_INVALID);
        assert_memory_equal(err.message, "c.yaml:1: ", 10);
    }
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 200; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_calibration c;
        bf_error err = {0};
        bf_status status = parse(good, &c, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    fail_msg("the parser never stopped allocating");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_every_field),         cmocka_unit_test(maps_raw_to_llr),
        cmocka_unit_test(never_falls_when_raw_rises), cmocka_unit_test(applies_only_to_its_own_detector),
        cmocka_unit_test(refuses_other_weights),      cmocka_unit_test(hostile_files_name_the_line),
        cmocka_unit_test(missing_parts_are_errors),   cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
