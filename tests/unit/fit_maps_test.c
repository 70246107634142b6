/* Curves from raw values to ratios, against tables worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "evaluate/bootstrap.h"
#include "fit/calibration.h"
#include "fit/pav.h"

#define NEAR(value, expected) assert_true(fabs((value) - (expected)) < 1e-6)

static void test_pooling(void **state)
{
    /* 1 3 2 4 3.5 5, the second 3 times as heavy as the others: 1, (3 x 3 + 2) / 4, (4 + 3.5) / 2, 5. */
    static const double value[] = {1, 3, 2, 4, 3.5, 5}, weight[] = {1, 3, 1, 1, 1, 1};
    static const double level[] = {1, 2.75, 3.75, 5};
    static const size_t first[] = {0, 1, 3, 5};
    bf_pav_block blocks[6];
    (void)state;
    for (size_t i = 0; i < 6; i++)
        blocks[i] = (bf_pav_block){i, 1, weight[i], weight[i] * value[i]};
    assert_int_equal(bf_pav(blocks, 6), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(blocks[i].sum / blocks[i].weight == level[i]);
        assert_int_equal(blocks[i].first, first[i]);
    }
    /* What only falls, or is all the same, is one block. */
    for (size_t i = 0; i < 6; i++)
        blocks[i] = (bf_pav_block){i, 1, 1, 6 - (double)i};
    assert_int_equal(bf_pav(blocks, 6), 1);
    assert_int_equal(blocks[0].count, 6);
    for (size_t i = 0; i < 6; i++)
        blocks[i] = (bf_pav_block){i, 1, 1, 7};
    assert_int_equal(bf_pav(blocks, 6), 1);
    assert_int_equal(bf_pav(blocks, 0), 0);
}

/* `low` attacks at -1 and bona fide at 1, with `mixed` of each class on the other side. */
static size_t two_heaps(bf_fit_sample *ret, size_t each, size_t mixed)
{
    for (size_t i = 0; i < 2 * each; i++) {
        bool right = i >= each, swapped = i % each < mixed;
        ret[i] = (bf_fit_sample){right ? 1 : -1, 1, right != swapped};
    }
    return 2 * each;
}

static void test_two_heaps(void **state)
{
    bf_fit_sample samples[80];
    bf_calibration_map map;
    size_t count = two_heaps(samples, 40, 4);
    (void)state;
    /* 36 of 40 on either side, one more counted for each class: log(37 / 5). */
    static const bf_fit_method pooled[] = {BF_FIT_BANDS, BF_FIT_ISOTONIC};
    for (size_t m = 0; m < 2; m++) {
        assert_int_equal(bf_fit_map(&map, pooled[m], samples, count, count, NULL), BF_OK);
        assert_int_equal(map.knots, 2);
        NEAR(bf_calibration_map_llr(&map, 1), log(37.0 / 5));
        NEAR(bf_calibration_map_llr(&map, -1), -log(37.0 / 5));
        NEAR(bf_calibration_map_llr(&map, 0), 0);
        NEAR(bf_calibration_map_llr(&map, 9), log(37.0 / 5));
    }
    /* By hand, where the likelihood pulls as much as the prior of ten persons: 72 - 80 p = 80 / 10 / 2 x slope. */
    assert_int_equal(bf_fit_map(&map, BF_FIT_PLATT, samples, count, 10, NULL), BF_OK);
    assert_int_equal(map.knots, 0);
    NEAR(72 - 80 / (1 + exp(-map.slope)), 4 * map.slope);
    assert_true(map.slope > 1 && map.slope < log(9));
    NEAR(map.intercept, 0);
    assert_int_equal(bf_fit_map(&map, BF_FIT_Z_SCORE, samples, count, count, NULL), BF_OK);
    NEAR(map.slope, 1);
    NEAR(map.intercept, 0);
    assert_int_equal(bf_fit_map(&map, BF_FIT_MIN_MAX, samples, count, count, NULL), BF_OK);
    NEAR(bf_calibration_map_llr(&map, 0.5), log(3));
}

static void test_what_cannot_be_told_apart(void **state)
{
    bf_fit_sample samples[40];
    bf_calibration_map map;
    (void)state;
    for (int method = 0; method < BF_FIT_METHODS; method++) {
        for (size_t i = 0; i < 40; i++)
            samples[i] = (bf_fit_sample){7, 1, i % 2 == 0};
        assert_int_equal(bf_fit_map(&map, (bf_fit_method)method, samples, 40, 40, NULL), BF_OK);
        assert_true(bf_calibration_map_llr(&map, 7) == 0);
        for (size_t i = 0; i < 40; i++)
            samples[i] = (bf_fit_sample){(double)i, 1, true};
        assert_int_equal(bf_fit_map(&map, (bf_fit_method)method, samples, 40, 40, NULL), BF_INVALID_ARGUMENT);
        /* The wrong way round: no curve may fall. */
        for (size_t i = 0; i < 40; i++)
            samples[i] = (bf_fit_sample){(double)i, 1, i < 20};
        assert_int_equal(bf_fit_map(&map, (bf_fit_method)method, samples, 40, 40, NULL), BF_OK);
        assert_true(bf_calibration_map_llr(&map, 39) >= bf_calibration_map_llr(&map, 0));
    }
}

/* Whatever the values, a map has 2 to 32 knots, or a slope above 0, and never falls. */
static void test_any_values_give_a_map_that_rises(void **state)
{
    static bf_fit_sample samples[3000];
    bf_random random = {3};
    (void)state;
    for (int round = 0; round < 60; round++) {
        size_t count = 20 + bf_random_below(&random, 2980);
        double at = -50, step = pow(10, round % 7 - 4);
        for (size_t i = 0; i < count; i++) {
            at += bf_random_below(&random, 3) == 0 ? 0 : step * bf_random_below(&random, 100);
            samples[i] = (bf_fit_sample){at, 1, i < 2 ? i == 0 : bf_random_below(&random, (uint32_t)count) < i};
        }
        for (int method = 0; method < BF_FIT_METHODS; method++) {
            bf_calibration_map map;
            double last = -INFINITY;
            assert_int_equal(bf_fit_map(&map, (bf_fit_method)method, samples, count, count, NULL), BF_OK);
            assert_true(map.knots == 0 ? map.slope > 0 : map.knots >= BF_KNOTS_MIN && map.knots <= BF_KNOTS_MAX);
            for (size_t i = 0; i < count; i++) {
                double llr = bf_calibration_map_llr(&map, samples[i].raw);
                assert_true(llr >= last - 1e-9 && isfinite(llr));
                last = llr;
            }
        }
    }
}

static void test_bending(void **state)
{
    bf_calibration_map line = {.slope = 2, .intercept = 1, .prior_log_odds = 0.5};
    bf_calibration_map knots = {.knots = 2, .knot = {{0, -1}, {1, 3}}};
    (void)state;
    bf_fit_map_bend(&line, 0.5, -1);
    bf_fit_map_bend(&knots, 0.5, -1);
    for (double raw = -1; raw < 2; raw += 0.25) {
        NEAR(bf_calibration_map_llr(&line, raw), 0.5 * (2 * raw + 0.5) - 1);
        NEAR(bf_calibration_map_llr(&knots, raw), 0.5 * (raw < 0 ? -1 : raw > 1 ? 3 : 4 * raw - 1) - 1);
    }
}

/* Sixty persons with three rows each; odd ones are attacks. */
static void make_table(bf_fit_table *ret, const char *path)
{
    static char text[20000];
    bf_random random = {9};
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "sample_id,label,attack_type,person_id,channel,source,status,score,raw.d,llr.d\n");
    for (int i = 0; i < 180; i++) {
        int person = i / 3, attack = person % 2;
        double raw = (double)bf_random_below(&random, 1000) / 250 - (attack ? 3 : 1);
        used += (size_t)snprintf(text + used, sizeof text - used, "s%d,%s,,p%d,%s,%s,ok,50,%.3f,%.3f\n", i,
                                 attack ? "spoof" : "live", person, person % 4 < 2 ? "kiosk" : "ios_app",
                                 person % 3 ? "x" : "y", raw, raw);
    }
    const bf_fit_options options = {0};
    assert_int_equal(bf_bytes_write_file(path, text, used, NULL), BF_OK);
    assert_int_equal(bf_fit_table_read(ret, path, &options, NULL), BF_OK);
}

/* All of it, with each allocation failing in turn; and what is written is what was fitted. */
static void test_calibrating_survives_every_allocation_failure(void **state)
{
    char folder[] = "/tmp/fit_maps_XXXXXX", path[64];
    bf_fit_table table = {0};
    bool use[180];
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/scores.csv", folder);
    make_table(&table, path);
    memset(use, 1, sizeof use);
    const bf_calibrating_options options = {.by_channel = true,
                                            .llr_min = -BF_LLR_LIMIT_MAX,
                                            .llr_max = BF_LLR_LIMIT_MAX,
                                            .use = use,
                                            .folds = 3,
                                            .replicates = 200,
                                            .seed = 1};
    bf_status status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth++) {
        bf_calibrated c = {0};
        bf_bytes file = {0};
        bf_error err = {0};
        (void)bf_alloc_fail_after(nth, 0);
        status = bf_calibrate_detector(&c, &table, 0, &options, &err);
        if (status == BF_OK) {
            (void)snprintf(c.fit.detector, sizeof c.fit.detector, "d");
            (void)snprintf(c.fit.version, sizeof c.fit.version, "1");
            (void)snprintf(c.fit.detector_version, sizeof c.fit.detector_version, "1");
            status = bf_calibration_write(&file, &c, "\"a\\table\"", &err);
        }
        (void)bf_alloc_fail_after(0, 0);
        if (status == BF_OK) {
            bf_calibration read;
            assert_int_equal(bf_calibration_parse(file.data, file.size, "d.yaml", &read, NULL), BF_OK);
            assert_memory_equal(read.has_channel, c.fit.has_channel, sizeof read.has_channel);
            for (double raw = -4; raw < 4; raw += 0.125)
                NEAR(bf_calibration_llr(&read, BF_CHANNEL_KIOSK, raw),
                     bf_calibration_llr(&c.fit, BF_CHANNEL_KIOSK, raw));
        } else {
            assert_int_equal(status, BF_OUT_OF_MEMORY);
        }
        bf_bytes_done(&file);
        bf_calibrated_done(&c);
    }
    bf_fit_table_done(&table);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_two_heaps),
        cmocka_unit_test(test_what_cannot_be_told_apart),
        cmocka_unit_test(test_any_values_give_a_map_that_rises),
        cmocka_unit_test(test_bending),
        cmocka_unit_test(test_calibrating_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
