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

/* Knots in place of the line, and another curve for one channel. */
static const char knotted[] = "format: 1\n"
                              "detector: passive-x\n"
                              "version: 1.2.0\n"
                              "method: isotonic\n"
                              "fitted_on:\n"
                              "  detector_version: 3.0.0\n"
                              "knots:\n"
                              "  - {raw: -2, llr: -3}\n"
                              "  - {raw: 0, llr: -1}\n"
                              "  - {raw: 1, llr: -1}\n"
                              "  - {raw: 3, llr: 5}\n"
                              "by_channel:\n"
                              "  kiosk:\n"
                              "    platt: {slope: 2, intercept: 0, prior_log_odds: 0}\n"
                              "llr: {min: -2.5, max: 4.5}\n";

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
    assert_true(c.map.slope == 0.5 && c.map.intercept == -0.25 && c.llr_min == -6 && c.llr_max == 4.5);
    assert_memory_equal(c.id, "passive-x@1.2.0+", 16);
    assert_int_equal(strlen(c.id), 16 + 12);
}

/* Golden values by hand: 0.5 * raw - 0.25 - ln(1.5). */
static void maps_raw_to_llr(void **state)
{
    (void)state;
    bf_calibration c;
    assert_int_equal(parse(good, &c, NULL), BF_OK);
    assert_true(fabs(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, 0) - -0.6554651081081644) < 1e-12);
    assert_true(fabs(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, 3) - 0.8445348918918356) < 1e-12);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, 100) == 4.5);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, -100) == -6);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, INFINITY) == 4.5);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, -INFINITY) == -6);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, NAN) == -6);
}

static void never_falls_when_raw_rises(void **state)
{
    (void)state;
    bf_calibration c;
    assert_int_equal(parse(good, &c, NULL), BF_OK);
    double last = -INFINITY;
    for (double raw = -40; raw < 40; raw += 0.01) {
        double llr = bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, raw);
        assert_true(llr >= last);
        last = llr;
    }
}

static void follows_the_knots(void **state)
{
    (void)state;
    static const double cases[][2] = {{-9, -2.5}, {-2, -2.5}, {-1, -2}, {-0.5, -1.5}, {0, -1},
                                      {0.5, -1},  {1, -1},    {2, 2},   {3, 4.5},     {9, 4.5}};
    bf_calibration c;
    assert_int_equal(parse(knotted, &c, NULL), BF_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, cases[i][0]) == cases[i][1]);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, INFINITY) == 4.5);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, -INFINITY) == -2.5);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, NAN) == -2.5);
    assert_true(isnan(bf_calibration_map_llr(&c.map, NAN)));
    double last = -INFINITY;
    for (double raw = -3; raw < 4; raw += 0.001) {
        double llr = bf_calibration_llr(&c, BF_CHANNEL_UNSPECIFIED, raw);
        assert_true(llr >= last);
        last = llr;
    }
}

static void a_channel_has_a_map_of_its_own(void **state)
{
    (void)state;
    bf_calibration c;
    assert_int_equal(parse(knotted, &c, NULL), BF_OK);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_KIOSK, 0.5) == 1);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_KIOSK, 9) == 4.5);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_KIOSK, NAN) == -2.5);
    assert_true(bf_calibration_llr(&c, BF_CHANNEL_IOS_APP, 0.5) == -1);
    assert_true(bf_calibration_llr(&c, (bf_channel)99, 0.5) == -1);
    bf_evidence own = {.detector = "passive-x", .version = "3.0.0", .status = BF_EVIDENCE_PRESENT, .raw = 0.5};
    bf_calibration_apply(&c, BF_CHANNEL_KIOSK, &own);
    assert_true(own.calibrated && own.live_llr == 1);
}

static void applies_only_to_its_own_detector(void **state)
{
    (void)state;
    bf_calibration c;
    assert_int_equal(parse(good, &c, NULL), BF_OK);
    bf_evidence own = {.detector = "passive-x", .version = "3.0.0", .status = BF_EVIDENCE_PRESENT, .raw = 3};
    bf_calibration_apply(&c, BF_CHANNEL_UNSPECIFIED, &own);
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
        bf_calibration_apply(&c, BF_CHANNEL_UNSPECIFIED, &cases[i]);
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
typedef struct replacement {
    const char *from, *to, *message;
} replacement;

static void refuses(const char *file, const replacement *wrong)
{
    char text[2048];
    const char *at = strstr(file, wrong->from);
    assert_non_null(at);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - file), file, wrong->to, at + strlen(wrong->from));
    bf_error err = {0};
    bf_calibration c = {.llr_max = 7};
    assert_int_equal(parse(text, &c, &err), BF_CONFIG_INVALID);
    assert_string_equal(err.message, wrong->message);
    assert_true(c.llr_max == 7);
}

static void hostile_files_name_the_line(void **state)
{
    (void)state;
    static const replacement cases[] = {
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
    static const replacement knots[] = {
        {"isotonic", "guesswork", "c.yaml:4: unknown value of 'method': 'guesswork'."},
        {"raw: 0, llr: -1", "raw: -2, llr: -1", "c.yaml:9: raw must rise from knot to knot."},
        {"raw: 0, llr: -1", "raw: 0, llr: -4", "c.yaml:9: llr must never fall from knot to knot."},
        {"raw: 0, llr: -1", "raw: 0, llr: nan", "c.yaml:9: 'llr': a number is expected."},
        {"raw: 0, llr: -1", "raw: 0, llr: 21", "c.yaml:9: llr is outside -20 to 20."},
        {"raw: 0, llr: -1", "raw: 1e13, llr: 1", "c.yaml:9: raw is outside -1e+12 to 1e+12."},
        {"raw: 0, llr: -1", "raw: 0", "c.yaml:9: the key 'llr' is missing."},
        {"raw: 0, llr: -1", "rw: 0, llr: 1", "c.yaml:9: unknown key 'rw'; did you mean 'raw'?"},
        {"  - {raw: 0, llr: -1}\n  - {raw: 1, llr: -1}\n  - {raw: 3, llr: 5}\n", "",
         "c.yaml:8: a list of 2 to 32 knots {raw, llr} is expected."},
        {"by_channel:\n", "platt: {slope: 1, intercept: 0, prior_log_odds: 0}\nby_channel:\n",
         "c.yaml:8: 'platt' and 'knots' exclude each other."},
        {"kiosk", "fax", "c.yaml:13: unknown key 'fax'."},
        {"kiosk", "unspecified", "c.yaml:13: unknown key 'unspecified'."},
        {"    platt", "    splatt", "c.yaml:14: unknown key 'splatt'; did you mean 'platt'?"},
        {"kiosk:\n    platt: {slope: 2, intercept: 0, prior_log_odds: 0}", "kiosk: {}",
         "c.yaml:13: the key 'platt' or 'knots' is missing."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(good, &cases[i]);
    for (size_t i = 0; i < sizeof knots / sizeof *knots; i++)
        refuses(knotted, &knots[i]);
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
        cmocka_unit_test(parses_every_field),
        cmocka_unit_test(maps_raw_to_llr),
        cmocka_unit_test(never_falls_when_raw_rises),
        cmocka_unit_test(follows_the_knots),
        cmocka_unit_test(a_channel_has_a_map_of_its_own),
        cmocka_unit_test(applies_only_to_its_own_detector),
        cmocka_unit_test(refuses_other_weights),
        cmocka_unit_test(hostile_files_name_the_line),
        cmocka_unit_test(missing_parts_are_errors),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
