#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/bytes.h"
#include "models/store.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A whole manifest, one line per fact, so that a test can replace or drop one. */
static const char *const LIVENESS = "name: mine\n"               /* 1 */
                                    "version: 2\n"               /* 2 */
                                    "task: liveness\n"           /* 3 */
                                    "approved: true\n"           /* 4 */
                                    "licence: MIT\n"             /* 5 */
                                    "source: our own training\n" /* 6 */
                                    "weights:\n"                 /* 7 */
                                    "  file: mine.onnx\n"        /* 8 */
                                    "  sha256: " HASH "\n"       /* 9 */
                                    "input:\n"                   /* 10 */
                                    "  width: 96\n"              /* 11 */
                                    "  height: 64\n"             /* 12 */
                                    "  channels: 3\n"            /* 13 */
                                    "  order: BGR\n"             /* 14 */
                                    "  layout: NHWC\n"           /* 15 */
                                    "  resample: bilinear\n"     /* 16 */
                                    "  scale: 0.5\n"             /* 17 */
                                    "  mean: [1, 2, 3]\n"        /* 18 */
                                    "crop:\n"                    /* 19 */
                                    "  rule: box\n"              /* 20 */
                                    "  factor: 2.7\n"            /* 21 */
                                    "output:\n"                  /* 22 */
                                    "  decoding: class-logits\n" /* 23 */
                                    "  classes: [print, live]\n" /* 24 */
                                    "  mirror_average: true\n";  /* 25 */

static bf_status parse(const char *text, bf_manifest *ret, bf_error *err)
{
    return bf_manifest_parse(text, strlen(text), "m.yaml", ret, err);
}

/* LIVENESS with the first `old` replaced. */
static void replaced(const char *old, const char *new, char *ret, size_t size)
{
    const char *at = strstr(LIVENESS, old);
    assert_non_null(at);
    int length = snprintf(ret, size, "%.*s%s%s", (int)(at - LIVENESS), LIVENESS, new, at + strlen(old));
    assert_true(length > 0 && (size_t)length < size);
}

static void reads_every_field(void **state)
{
    (void)state;
    bf_manifest m;
    bf_error err = {0};
    assert_int_equal(parse(LIVENESS, &m, &err), BF_OK);
    assert_string_equal(m.name, "mine");
    assert_string_equal(m.version, "2");
    assert_int_equal(m.task, BF_TASK_LIVENESS);
    assert_true(m.approved);
    assert_string_equal(m.licence, "MIT");
    assert_string_equal(m.source, "our own training");
    assert_string_equal(m.file, "mine.onnx");
    assert_string_equal(m.sha256, HASH);
    assert_string_equal(m.optimised_sha256, "");
    assert_string_equal(m.input_name, "");
    assert_int_equal(m.input.width, 96);
    assert_int_equal(m.input.height, 64);
    assert_int_equal(m.input.channels, 3);
    assert_int_equal(m.input.order, BF_ORDER_BGR);
    assert_int_equal(m.input.layout, BF_LAYOUT_NHWC);
    assert_true(m.input.scale == 0.5f && m.input.mean[2] == 3 && m.input.std[0] == 1 && m.input.std[2] == 1);
    assert_int_equal(m.crop, BF_CROP_BOX);
    assert_true(m.crop_factor == 2.7f);
    assert_int_equal(m.output_count, 1);
    assert_string_equal(m.outputs[0], "");
    assert_int_equal(m.class_count, 2);
    assert_int_equal(m.positive_class, 1);
    assert_true(m.mirror_average);
    assert_int_equal(m.against, BF_REASON_EVIDENCE_NETWORK);
    char with[2048];
    (void)snprintf(with, sizeof with, "%sagainst: EVIDENCE_MOIRE\n", LIVENESS);
    assert_int_equal(parse(with, &m, &err), BF_OK);
    assert_int_equal(m.against, BF_REASON_EVIDENCE_MOIRE);
}

typedef struct fault {
    const char *old, *new, *message;
} fault;

static void says_what_is_wrong_and_where(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"licence:", "license:", "m.yaml:5: unknown key 'license'; did you mean 'licence'?"},
        {"  scale: 0.5", "  scal: 0.5", "m.yaml:17: unknown key 'scal'; did you mean 'scale'?"},
        {"task: liveness", "task: livenes", "did you mean 'liveness'?"},
        {"approved: true", "approved: yes", "m.yaml:4: 'approved' must be true or false."},
        {"name: mine", "name: ../mine", "m.yaml:1: 'name' may only have"},
        {"mine.onnx", "/etc/passwd", "m.yaml:8: 'file' may only have"},
        {"mine.onnx", "..", "m.yaml:8: 'file' may only have"},
        {"mine.onnx", "''", "m.yaml:8: 'file' must have 1 to 63 characters."},
        {"our own training", "\"two\\nlines\"", "m.yaml:6: 'source' holds more than printable ASCII."},
        {HASH, "ABCDEF", "m.yaml:9: 'sha256' must be 64 digits"},
        {"  sha256: " HASH "\n", "", "the weights need a 'sha256' or 'golden' vectors"},
        {"  sha256: ", "  golden: g.yaml\n  optimised_sha256: ", "m.yaml:10: 'optimised_sha256' needs the 'sha256'"},
        {"width: 96", "width: 0", "m.yaml:11: width is outside 8 to 1024."},
        {"width: 96", "width: 20.5", "m.yaml:11: 'width' must be a whole number."},
        {"width: 96", "width: 5000", "m.yaml:11: width is outside 8 to 1024."},
        {"  height: 64\n", "", "the key 'height' is missing."},
        {"order: BGR", "order: grey", "m.yaml:13: 'channels' is 3, but the colour 'order' has 1."},
        {"order: BGR", "order: RGBA", "m.yaml:14: unknown value of 'order': 'RGBA'; did you mean 'RGB'?"},
        {"scale: 0.5", "scale: 0", "m.yaml:17: scale is outside"},
        {"[1, 2, 3]", "[1, 2]", "m.yaml:18: 'mean' must be a list of 3 numbers."},
        {"mean: [1, 2, 3]", "std: [1, 0, 3]", "is outside"},
        {"rule: box", "rule: eye", "m.yaml:20: the crop rule eye does not go with the task liveness."},
        {"rule: box", "rule: whole", "m.yaml:21: 'factor' does not go with a crop rule that shows"},
        {"  factor: 2.7\n", "", "the key 'factor' is missing."},
        {"factor: 2.7", "factor: nan", "m.yaml:21: 'factor': a number is expected."},
        {"factor: 2.7", "factor: 2.7\n  template: []", "m.yaml:22: 'template' goes with the crop rule aligned-5 only."},
        {"class-logits", "embedding", "m.yaml:23: the task liveness is decoded as class-logits, not embedding."},
        {"[print, live]", "[print, real]", "m.yaml:24: 'classes' lacks 'live'"},
        {"[print, live]", "[live]", "m.yaml:24: 'classes' needs at least two names."},
        {"[print, live]", "[live, live]", "m.yaml:24: 'live' stands twice in 'classes'."},
        {"[print, live]", "[live, [a]]", "a name of 1 to 63 characters is expected."},
        {"[print, live]", "[a, b, c, d, e, f, g, h, live]", "'classes' must be a list of at most 8 names."},
        {"  mirror_average: true", "  points: 68", "m.yaml:25: 'points' does not go with this decoding."},
        {"  mirror_average: true", "  names: [a, b]", "m.yaml:25: 'names' has 2 entries; class-logits has 1 outputs."},
        {"licence: MIT", "licence: MIT\nagainst: RISK_HIGH", "m.yaml:6: 'against' must be one of the reasons"},
        {"task: liveness", "task: pose\nagainst: EVIDENCE_MOIRE", "m.yaml:4: 'against' goes with the task liveness"},
        {"task: liveness", "task: eye-state", "does not go with the task eye-state"},
        {"task: liveness", "task: embedding", "the crop rule box does not go with the task embedding."},
        {"crop:\n  rule: box\n  factor: 2.7\n", "", "the key 'crop' is missing."},
        {"crop:\n  rule: box\n  factor: 2.7\n", "crop: box\n", "m.yaml:19: a map of keys and values is expected here."},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[2048];
        bf_error err = {0};
        bf_manifest m = {.name = "untouched"};
        replaced(faults[i].old, faults[i].new, text, sizeof text);
        assert_int_equal(parse(text, &m, &err), BF_CONFIG_INVALID);
        if (!strstr(err.message, faults[i].message))
            fail_msg("expected \"%s\", got \"%s\"", faults[i].message, err.message);
        assert_string_equal(m.name, "untouched");
    }
}

static void aligned_crops_need_five_points_inside(void **state)
{
    (void)state;
    static const char *const head = "name: e\nversion: 1\ntask: embedding\napproved: true\nlicence: MIT\nsource: x\n"
                                    "weights: {file: e.onnx, sha256: " HASH "}\n"
                                    "input: {width: 112, height: 112, order: RGB, layout: NCHW, resample: bilinear, "
                                    "scale: 1}\n"
                                    "output: {decoding: embedding, dimensions: 128}\n";
    static const fault crops[] = {
        {"crop: {rule: aligned-5, template: [[38, 51], [73, 51], [56, 71], [41, 92], [70, 92]]}\n", NULL, NULL},
        {"crop: {rule: aligned-5}\n", NULL, "m.yaml:10: the crop rule aligned-5 needs a 'template' of 5 points"},
        {"crop: {rule: aligned-5, template: [[1, 2], [3, 4], [5, 6], [7, 8]]}\n", NULL, "needs a 'template' of 5"},
        {"crop: {rule: aligned-5, template: [[1, 2], [3, 4], [5, 6], [7, 8], [9]]}\n", NULL, "a list of two numbers"},
        {"crop: {rule: aligned-5, template: [[1, 2], [3, 4], [5, 6], [7, 8], [9, 113]]}\n", NULL, "outside 0 to 112"},
        {"crop: {rule: aligned-5, factor: 2, template: [[1, 2], [3, 4], [5, 6], [7, 8], [9, 9]]}\n", NULL,
         "'factor' does not go with the crop rule aligned-5."},
    };
    for (size_t i = 0; i < sizeof crops / sizeof *crops; i++) {
        char text[2048];
        bf_error err = {0};
        bf_manifest m;
        (void)snprintf(text, sizeof text, "%s%s", head, crops[i].old);
        bf_status status = parse(text, &m, &err);
        if (!crops[i].message) {
            assert_int_equal(status, BF_OK);
            assert_true(m.template_points[2].y == 71);
            continue;
        }
        assert_int_equal(status, BF_CONFIG_INVALID);
        if (!strstr(err.message, crops[i].message))
            fail_msg("expected \"%s\", got \"%s\"", crops[i].message, err.message);
    }
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 500; nth++) {
        bf_manifest m;
        bf_error err = {0};
        bf_alloc_fail_after(nth, 0);
        bf_status status = parse(LIVENESS, &m, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    fail_msg("the parser never stopped allocating");
}

/* Every manifest that ships can be read, and says what its task needs. */
static void shipped_manifests_are_valid(void **state)
{
    (void)state;
    const char *source = getenv("BONAFIDE_SOURCE_DIR");
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s/models", source ? source : ".");
    DIR *dir = opendir(folder);
    if (!dir)
        skip();
    int count = 0, tasks = 0;
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): skip() does not return */
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || strchr(entry->d_name, '.'))
            continue;
        bf_manifest m;
        bf_error err = {0};
        if (bf_model_read_manifest(folder, entry->d_name, &m, &err) != BF_OK)
            fail_msg("%s", err.message);
        assert_true(m.approved);
        count++;
        tasks |= 1 << m.task;
    }
    closedir(dir);
    assert_true(count >= 7);
    assert_int_equal(tasks, (1 << BF_TASK_COUNT) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_field),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(aligned_crops_need_five_points_inside),
        cmocka_unit_test(survives_every_allocation_failure),
        cmocka_unit_test(shipped_manifests_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
