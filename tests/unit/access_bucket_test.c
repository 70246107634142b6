/* The arithmetic of rate limits: what may flow, whatever the clock does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/limit.h"
#include "support/images.h"

#define NOW 1795635600000

static void a_full_bucket_gives_its_burst_then_its_rate(void **state)
{
    (void)state;
    bf_rate rate = {.per_second = 2, .burst = 5};
    bf_bucket bucket = bf_bucket_full(rate, NOW);
    int64_t wait_ms = 0;
    for (int i = 0; i < 5; i++)
        assert_int_equal(bf_bucket_take(&bucket, rate, NOW, 1, &wait_ms), 1);
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW, 1, &wait_ms), 0);
    assert_int_equal(wait_ms, 500);
    assert_int_equal(bf_bucket_full_ms(&bucket, rate), NOW + 2500);
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW + 499, 1, &wait_ms), 0);
    assert_int_equal(wait_ms, 1);
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW + 500, 3, &wait_ms), 1);
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW + 100000, 99, &wait_ms), 5);
}

static void a_bucket_holds_at_least_one(void **state)
{
    (void)state;
    bf_rate rate = {.per_second = 0.001, .burst = 0};
    bf_bucket bucket = bf_bucket_full(rate, NOW);
    int64_t wait_ms = 0;
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW, 10, &wait_ms), 1);
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW, 10, &wait_ms), 0);
    assert_int_equal(wait_ms, 1000000);
    rate.per_second = 1e-12;
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW, 10, &wait_ms), 0);
    assert_int_equal(wait_ms, 1000 * BF_LIMIT_RETRY_MAX_S);
    assert_true(bf_bucket_full_ms(&bucket, rate) > NOW + 300000000000);
}

static void a_clock_set_back_neither_fills_nor_locks(void **state)
{
    (void)state;
    bf_rate rate = {.per_second = 1, .burst = 2};
    bf_bucket bucket = bf_bucket_full(rate, NOW);
    int64_t wait_ms = 0;
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW, 2, &wait_ms), 2);
    /* Two replicas whose clocks differ by 20 s get nothing by asking in turn. */
    for (int i = 0; i < 100; i++)
        assert_int_equal(bf_bucket_take(&bucket, rate, NOW - (i % 2) * 20000, 1, &wait_ms), 0);
    /* An hour back: waiting for the old time would take that hour. */
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW - 3600000, 1, &wait_ms), 0);
    assert_int_equal(wait_ms, 1000);
    assert_int_equal(bf_bucket_take(&bucket, rate, NOW - 3600000 + 1000, 1, &wait_ms), 1);
}

static void a_smaller_bucket_keeps_no_more_than_it_holds(void **state)
{
    (void)state;
    bf_rate large = {.per_second = 1, .burst = 1000}, small = {.per_second = 1, .burst = 3};
    bf_bucket bucket = bf_bucket_full(large, NOW);
    int64_t wait_ms = 0;
    assert_int_equal(bf_bucket_take(&bucket, small, NOW, 10, &wait_ms), 3);
    bucket = (bf_bucket){.millitokens = INT64_MIN / 2, .updated_ms = NOW};
    assert_int_equal(bf_bucket_take(&bucket, small, NOW, 10, &wait_ms), 0);
    assert_int_equal(wait_ms, 1000);
}

/* Random rates, askers and clocks that go forward: never more than the burst and what flowed in. */
static void no_more_flows_than_promised(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int round = 0; round < 200; round++) {
        bf_rate rate = {.per_second = (1 + test_random(&random) % 100000) / 100.0,
                        .burst = 1 + test_random(&random) % 50};
        bf_bucket bucket = bf_bucket_full(rate, NOW);
        int64_t now_ms = NOW, taken = 0, wait_ms = 0;
        for (int i = 0; i < 500; i++) {
            now_ms += test_random(&random) % 30;
            int got = bf_bucket_take(&bucket, rate, now_ms, 1 + (int)(test_random(&random) % 5), &wait_ms);
            taken += got;
            assert_true((double)taken <= rate.burst + rate.per_second * (double)(now_ms - NOW) / 1000 + 1e-9);
            if (got == 0) {
                bf_bucket later = bucket;
                int64_t unused = 0;
                assert_int_equal(bf_bucket_take(&later, rate, now_ms + wait_ms, 1, &unused), 1);
            }
        }
    }
}

static void lots_are_a_tenth(void **state)
{
    (void)state;
    assert_int_equal(bf_limiter_lot((bf_rate){.per_second = 1, .burst = 1000}), 1);
    assert_int_equal(bf_limiter_lot((bf_rate){.per_second = 1000, .burst = 10}), 1);
    assert_int_equal(bf_limiter_lot((bf_rate){.per_second = 20, .burst = 1000}), 2);
    assert_int_equal(bf_limiter_lot((bf_rate){.per_second = 1000, .burst = 500}), 50);
    assert_true(bf_limiter_lot((bf_rate){.per_second = 1e300, .burst = 1e300}) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_gives_its_burst_then_its_rate),
        cmocka_unit_test(a_bucket_holds_at_least_one),
        cmocka_unit_test(a_clock_set_back_neither_fills_nor_locks),
        cmocka_unit_test(a_smaller_bucket_keeps_no_more_than_it_holds),
        cmocka_unit_test(no_more_flows_than_promised),
        cmocka_unit_test(lots_are_a_tenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
