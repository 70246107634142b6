#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "dataset/parallel.h"

#define COUNT 5000

/* What one run saw. */
typedef struct run {
    atomic_int seen[COUNT];
    atomic_int started, stopped;
    size_t fail_at; /* index whose work fails; COUNT: none */
    int fail_start; /* thread whose start fails, counted from 1; 0: none */
    size_t stop_at; /* progress that ends the work; 0: none */
    size_t last;    /* progress told last */
} run;

static bf_status start(void *data, void **ret_state, bf_error *err)
{
    run *r = data;
    int number = atomic_fetch_add(&r->started, 1) + 1;
    *ret_state = r;
    return number == r->fail_start ? bf_fail(err, BF_OUT_OF_MEMORY, "No room.") : BF_OK;
}

static void stop(void *state)
{
    run *r = state;
    (void)atomic_fetch_add(&r->stopped, 1);
}

static bf_status work(void *data, void *state, size_t index, bf_error *err)
{
    run *r = data;
    assert_ptr_equal(state, data);
    (void)atomic_fetch_add(&r->seen[index], 1);
    return index == r->fail_at ? bf_fail(err, BF_IO_ERROR, "Index %zu failed.", index) : BF_OK;
}

static bool progress(void *data, size_t done)
{
    run *r = data;
    assert_true(done >= r->last);
    r->last = done;
    return r->stop_at == 0 || done < r->stop_at;
}

static bf_status go(run *r, size_t count, int jobs, size_t *ret_done, bf_error *err)
{
    const bf_parallel parallel = {
        .count = count, .jobs = jobs, .data = r, .start = start, .stop = stop, .work = work, .progress = progress};
    return bf_parallel_run(&parallel, ret_done, err);
}

static void each_index_is_worked_on_once(void **state)
{
    (void)state;
    for (int jobs = 1; jobs <= 8; jobs *= 2) {
        static run r;
        memset(&r, 0, sizeof r);
        r.fail_at = COUNT;
        size_t done = 0;
        assert_int_equal(go(&r, COUNT, jobs, &done, NULL), BF_OK);
        assert_int_equal(done, COUNT);
        assert_int_equal(r.started, jobs);
        assert_int_equal(r.stopped, jobs);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(r.seen[i], 1);
    }
}

static void nothing_to_do_is_done(void **state)
{
    (void)state;
    static run r;
    size_t done = 1;
    assert_int_equal(go(&r, 0, 4, &done, NULL), BF_OK);
    assert_int_equal(done, 0);
}

static void a_failure_ends_the_work(void **state)
{
    (void)state;
    static run r;
    bf_error err = {0};
    r.fail_at = 100;
    assert_int_equal(go(&r, COUNT, 4, NULL, &err), BF_IO_ERROR);
    assert_string_equal(err.message, "Index 100 failed.");
    assert_int_equal(r.started, r.stopped);
    assert_int_equal(r.seen[COUNT - 1], 0);
}

static void a_thread_that_cannot_start_ends_the_work(void **state)
{
    (void)state;
    static run r;
    r.fail_at = COUNT;
    r.fail_start = 1;
    assert_int_equal(go(&r, COUNT, 1, NULL, NULL), BF_OUT_OF_MEMORY);
    assert_int_equal(r.seen[0], 0);
    assert_int_equal(r.stopped, 1);
}

static void progress_can_end_the_work(void **state)
{
    (void)state;
    static run r;
    size_t done = 0;
    r.fail_at = COUNT;
    r.stop_at = 10;
    assert_int_equal(go(&r, COUNT, 1, &done, NULL), BF_OK);
    assert_in_range(done, 10, COUNT);
    assert_int_equal(r.stopped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_index_is_worked_on_once), cmocka_unit_test(nothing_to_do_is_done),
        cmocka_unit_test(a_failure_ends_the_work),      cmocka_unit_test(a_thread_that_cannot_start_ends_the_work),
        cmocka_unit_test(progress_can_end_the_work),
    };
    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
