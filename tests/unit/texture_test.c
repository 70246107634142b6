#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "liveness/texture/texture.h"

#define SIDE 160

/* A picture that any language can draw: three fields of whole numbers. */
static void draw(uint8_t pixels[SIDE][SIDE][3])
{
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            pixels[y][x][0] = (uint8_t)(x * 7 + y * 3 + (x * y) % 31);
            pixels[y][x][1] = (uint8_t)(x * 2 + y * 11 + (x * x) % 17);
            pixels[y][x][2] = (uint8_t)(x * 5 + y * 5 + (y * y + x) % 43);
        }
    }
}

static uint8_t drawn[SIDE][SIDE][3];
static bf_image image = {&drawn[0][0][0], SIDE, SIDE, 3, SIDE * 3};

static int set_up(void **state)
{
    (void)state;
    draw(drawn);
    return 0;
}

/* Computed with numpy in double precision from the definitions in texture.h, not from this code. */
static const float golden[BF_TEXTURE_FEATURES] = {
    0.048907f,  0.091831f,  0.073621f,  0.091571f,  0.131374f,  0.109001f,  0.088970f,  0.104579f,
    0.057232f,  0.202914f,  0.018210f,  0.053330f,  0.092092f,  0.147503f,  0.236733f,  0.165193f,
    0.099636f,  0.060874f,  0.023153f,  0.103278f,  45.344277f, -0.018420f, 41.577100f, 0.006610f,
    44.130236f, -0.025021f, 57.188354f, -0.432569f, -0.467041f, -0.240751f, 0.035569f,
};

static void features_are_what_numpy_finds(void **state)
{
    (void)state;
    bf_face face = {.box = {20, 10, 140, 150}};
    bf_subject subject = {&image, &face};
    float features[BF_TEXTURE_FEATURES];
    const char *why = NULL;
    assert_true(bf_texture_measure(&subject, features, &why));
    for (int i = 0; i < BF_TEXTURE_FEATURES; i++) {
        /* A pattern share may differ by a few cells whose neighbours tie to the last bit. */
        float tolerance = i < BF_TEXTURE_MOMENTS ? 0.002f : 0.001f * fmaxf(1, fabsf(golden[i]));
        if (fabsf(features[i] - golden[i]) > tolerance)
            fail_msg("%s: %f, expected %f", bf_texture_feature_name(i), (double)features[i], (double)golden[i]);
    }
}

static void shares_of_each_histogram_sum_to_one(void **state)
{
    (void)state;
    bf_face face = {.box = {-40, -40, 200, 190}};
    bf_subject subject = {&image, &face};
    float features[BF_TEXTURE_FEATURES];
    const char *why = NULL;
    assert_true(bf_texture_measure(&subject, features, &why));
    for (int h = 0; h < 2; h++) {
        float sum = 0;
        for (int i = 0; i < BF_TEXTURE_LBP_BINS; i++)
            sum += features[h * BF_TEXTURE_LBP_BINS + i];
        assert_true(fabsf(sum - 1) < 1e-5f);
    }
}

static void a_flat_face_has_finite_features(void **state)
{
    (void)state;
    static uint8_t flat[SIDE * SIDE * 3];
    bf_image grey = {flat, SIDE, SIDE, 3, SIDE * 3};
    bf_face face = {.box = {0, 0, SIDE, SIDE}};
    bf_subject subject = {&grey, &face};
    float features[BF_TEXTURE_FEATURES];
    const char *why = NULL;
    assert_true(bf_texture_measure(&subject, features, &why));
    for (int i = 0; i < BF_TEXTURE_FEATURES; i++)
        assert_true(isfinite(features[i]));
    assert_true(features[8] == 1 && features[18] == 1); /* every neighbour is as bright */
    assert_true(features[BF_TEXTURE_CORRELATIONS] == 0);
}

static size_t model_text(char *text, size_t size, const char *third_name, double weight)
{
    int at = snprintf(text, size, "format: 1\nname: passive.texture\nversion: 1.0.0\nbias: 0.25\nfeatures:\n");
    for (int i = 0; i < BF_TEXTURE_FEATURES; i++)
        at += snprintf(text + at, size - (size_t)at, " - {name: %s, mean: %d, scale: 2, weight: %g}\n",
                       i == 2 ? third_name : bf_texture_feature_name(i), i == 20 ? 40 : 0, i == 20 ? weight : 0);
    return (size_t)at;
}

static void raw_is_the_weighted_sum(void **state)
{
    (void)state;
    char text[8192];
    size_t size = model_text(text, sizeof text, "cb-pattern-2", 3);
    bf_texture_model model;
    bf_error err = {0};
    assert_int_equal(bf_texture_model_parse(text, size, "m.yaml", &model, &err), BF_OK);
    assert_memory_equal(model.version, "1.0.0+", 6);
    assert_int_equal(strlen(model.version), 18);
    bf_face face = {.box = {20, 10, 140, 150}};
    bf_subject subject = {&image, &face};
    bf_evidence evidence;
    bf_texture_detect(&model, &subject, &evidence);
    assert_int_equal(evidence.status, BF_EVIDENCE_PRESENT);
    assert_string_equal(evidence.detector, "passive.texture");
    assert_string_equal(evidence.version, model.version);
    assert_null(evidence.why);
    assert_true(fabs(evidence.raw - (0.25 + 3 * (45.344277 - 40) / 2)) < 0.01);
    model.weight[20] = INFINITY;
    bf_texture_detect(&model, &subject, &evidence);
    assert_int_equal(evidence.status, BF_EVIDENCE_FAILED);
    assert_non_null(evidence.why);
}

static void small_faces_are_not_judged(void **state)
{
    (void)state;
    static const bf_rect boxes[] = {
        {0, 0, 63, 120}, {0, 0, 120, 63}, {10, 10, 10, 10}, {50, 50, 20, 20}, {NAN, 0, 120, 120}};
    bf_texture_model model = {.version = "1"};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        bf_face face = {.box = boxes[i]};
        bf_subject subject = {&image, &face};
        bf_evidence evidence;
        bf_texture_detect(&model, &subject, &evidence);
        assert_int_equal(evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
        assert_non_null(evidence.why);
        assert_true(evidence.raw == 0);
    }
}

static void hostile_models_name_the_line(void **state)
{
    (void)state;
    char good[8192], text[8192];
    size_t size = model_text(good, sizeof good, "cb-pattern-2", 1);
    (void)size;
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"format: 1", "format: 3", "m.yaml:1: format 3 is not known; this program reads 1."},
        {"passive.texture", "passive.other", "m.yaml:2: a model of passive.texture is expected."},
        {"bias: 0.25\n", "", "m.yaml:1: the key 'bias' is missing."},
        {"cb-pattern-2", "cb-pattern-7", "m.yaml:8: the feature 'cb-pattern-2' is expected here."},
        {"scale: 2", "scale: 0", "m.yaml:6: scale is outside 1e-09 to 1e+06."},
        {"scale: 2", "scael: 2", "m.yaml:6: unknown key 'scael'; did you mean 'scale'?"},
        {" - {name: cb-pattern-0, mean: 0, scale: 2, weight: 0}\n", "",
         "m.yaml:6: 'features' must list exactly 31 features."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(good, cases[i].from);
        assert_non_null(at);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, cases[i].to, at + strlen(cases[i].from));
        bf_error err = {0};
        bf_texture_model model = {.bias = 7};
        assert_int_equal(bf_texture_model_parse(text, strlen(text), "m.yaml", &model, &err), BF_CONFIG_INVALID);
        assert_string_equal(err.message, cases[i].message);
        assert_true(model.bias == 7);
    }
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    char text[8192];
    size_t size = model_text(text, sizeof text, "cb-pattern-2", 1);
    for (size_t nth = 1; nth < 2000; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_texture_model model;
        bf_status status = bf_texture_model_parse(text, size, "m.yaml", &model, NULL);
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
        cmocka_unit_test(features_are_what_numpy_finds),     cmocka_unit_test(shares_of_each_histogram_sum_to_one),
        cmocka_unit_test(a_flat_face_has_finite_features),   cmocka_unit_test(raw_is_the_weighted_sum),
        cmocka_unit_test(small_faces_are_not_judged),        cmocka_unit_test(hostile_models_name_the_line),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
