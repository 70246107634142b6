/* Intervals, quantiles, sorting and names of the evaluation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "evaluate/evaluate.h"
#include "evaluate/sort.h"

static void test_intervals_are_those_of_the_tables(void **state)
{
    static const struct {
        uint64_t count, total;
        double low, high;
    } cases[] = {{0, 10, 0, 0.3084971},          {1, 10, 0.0025286, 0.4450161}, {5, 20, 0.0865715, 0.4910459},
                 {10, 10, 0.6915029, 1},         {0, 150, 0, 0.0242926},        {0, 300, 0, 0.0122210},
                 {15, 300, 0.0282512, 0.0811274}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_rate rate = bf_rate_of(cases[i].count, cases[i].total);
        assert_true(fabs(rate.low - cases[i].low) < 2e-7);
        assert_true(fabs(rate.high - cases[i].high) < 2e-7);
    }
}

/* The tails of the binomial distribution at the bounds are what defines them. */
static void test_bounds_leave_the_tails_that_they_should(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 40; n++) {
        for (uint64_t k = 0; k <= n; k++) {
            bf_rate rate = bf_rate_of(k, n);
            double below = 0, above = 0, log_n = lgamma((double)n + 1);
            for (uint64_t i = 0; i <= n; i++) {
                double choose = log_n - lgamma((double)i + 1) - lgamma((double)(n - i) + 1);
                double fi = (double)i, rest = (double)(n - i);
                if (i <= k && rate.high < 1)
                    below += exp(choose + fi * log(rate.high) + rest * log1p(-rate.high));
                if (i >= k && rate.low > 0)
                    above += exp(choose + fi * log(rate.low) + rest * log1p(-rate.low));
            }
            assert_true(k == n || fabs(below - 0.025) < 1e-9);
            assert_true(k == 0 || fabs(above - 0.025) < 1e-9);
        }
    }
}

static void test_intervals_of_millions(void **state)
{
    (void)state;
    bf_rate half = bf_rate_of(500000, 1000000), none = bf_rate_of(0, 1000000), one = bf_rate_of(1, 1000000);
    assert_true(fabs(half.low - 0.4990195) < 1e-6 && fabs(half.high - 0.5009805) < 1e-6);
    assert_true(fabs(none.high - 3.688873e-6) < 1e-10);
    assert_true(fabs(one.high - 5.571632e-6) < 1e-10 && fabs(one.low - 2.531781e-8) < 1e-12);
    assert_true(isnan(bf_rate_of(0, 0).value) && isnan(bf_rate_of(0, 0).high));
}

static void test_cautions_speak_of_small_counts_only(void **state)
{
    char text[300];
    (void)state;
    bf_rate rate = bf_rate_of(0, 150);
    bf_rate_caution(&rate, "attacks", text, sizeof text);
    assert_non_null(strstr(text, "up to 2 %"));
    rate = bf_rate_of(0, 3);
    bf_rate_caution(&rate, "attacks", text, sizeof text);
    assert_non_null(strstr(text, "up to 100 %."));
    rate = bf_rate_of(10000, 10000);
    bf_rate_caution(&rate, "attacks", text, sizeof text);
    assert_non_null(strstr(text, "up to 0.03 % lower."));
    rate = bf_rate_of(29, 400);
    bf_rate_caution(&rate, "attacks", text, sizeof text);
    assert_non_null(strstr(text, "fewer than 30"));
    rate = bf_rate_of(30, 400);
    bf_rate_caution(&rate, "attacks", text, sizeof text);
    assert_string_equal(text, "");
    rate = bf_rate_of(0, 0);
    bf_rate_caution(&rate, "attacks", text, sizeof text);
    assert_non_null(strstr(text, "no attacks"));
}

static void test_normal_quantiles(void **state)
{
    (void)state;
    assert_true(fabs(bf_normal_quantile(0.975) - 1.959963985) < 1e-7);
    assert_true(fabs(bf_normal_quantile(0.001) + 3.090232306) < 1e-7);
    assert_true(fabs(bf_normal_quantile(0.5)) < 1e-12);
}

static void test_sorting_keeps_equal_ones_in_order(void **state)
{
    static const double values[] = {3, -1, 0.5, -0.0, 0.0, 1e-300, -1e300, 3, 1e9};
    bf_sort_item items[9];
    float floats[] = {4.5F, 0, 1e-3F, 4.25F};
    (void)state;
    for (uint32_t i = 0; i < 9; i++)
        items[i] = (bf_sort_item){bf_sort_key(values[i]), i};
    assert_int_equal(bf_sort(items, 9, NULL), BF_OK);
    static const uint32_t expected[] = {6, 1, 3, 4, 5, 2, 0, 7, 8};
    for (int i = 0; i < 9; i++)
        assert_int_equal(items[i].index, expected[i]);
    assert_int_equal(bf_sort_floats(floats, 4, NULL), BF_OK);
    assert_true(floats[0] == 0 && floats[1] == 1e-3F && floats[2] == 4.25F && floats[3] == 4.5F);
}

static void test_names_get_one_number_each(void **state)
{
    bf_names names = {0};
    uint32_t number = 9, renumbered[BF_NAMES_MAX + 1];
    char text[16];
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BF_NAMES_MAX + 10; i++) {
            int size = snprintf(text, sizeof text, "%d", i);
            assert_int_equal(bf_names_add(&names, text, (size_t)size, &number, NULL), BF_OK);
            assert_int_equal(number, i < BF_NAMES_MAX ? i : BF_NAMES_MAX);
        }
    }
    assert_int_equal(bf_names_sort(&names, renumbered, NULL), BF_OK);
    assert_string_equal(names.text[renumbered[1234]], "1234");
    for (size_t i = 1; i < bf_names_count(&names); i++)
        assert_true(strcmp(names.text[i - 1], names.text[i]) < 0);
    bf_names_done(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intervals_are_those_of_the_tables),
        cmocka_unit_test(test_bounds_leave_the_tails_that_they_should),
        cmocka_unit_test(test_intervals_of_millions),
        cmocka_unit_test(test_cautions_speak_of_small_counts_only),
        cmocka_unit_test(test_normal_quantiles),
        cmocka_unit_test(test_sorting_keeps_equal_ones_in_order),
        cmocka_unit_test(test_names_get_one_number_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
