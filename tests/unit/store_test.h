/* What the tests of the store share: a store over either database. */
#ifndef TEST_STORE_TEST_H
#define TEST_STORE_TEST_H

#include <stdio.h>

#include "base/attr.h"
#include "base/error.h"
#include "store/store.h"
#include "support/store_place.h"

#define OK(call) assert_ok((call), #call, &err)

static void assert_ok(bf_status status, const char *call, const bf_error *err)
{
    if (status != BF_OK)
        fail_msg("%s: %s %s (%s)", call, bf_status_name(status), err->message, err->detail);
}

typedef struct fixture {
    bool postgres;
    bool has_place;
    test_store_place place;
    bf_store *store; /* NULL without PostgreSQL */
} fixture;

static bf_store *open_store(const fixture *with)
{
    bf_error err = {0};
    bf_store *store = NULL;
    bf_store_options options = {.url = with->place.url, .create = true};
    OK(bf_store_open(&options, &store, &err));
    return store;
}

static int set_up(void **state)
{
    fixture *with = *state;
    with->has_place = !with->postgres || test_has_postgres();
    if (!with->has_place)
        return 0;
    test_store_place_new(&with->place, with->postgres);
    with->store = open_store(with);
    return 0;
}

static int tear_down(void **state)
{
    fixture *with = *state;
    bf_store_free(&with->store);
    if (with->has_place)
        test_store_place_done(&with->place);
    return 0;
}

/* The store of the case, which is skipped where there is no database for it. */
static bf_store *store_of(void **state)
{
    fixture *with = *state;
    if (!with->store)
        skip();
    return with->store;
}

#define CASE(function)                                                                                                 \
    {                                                                                                                  \
        .name = #function, .test_func = (function), .setup_func = set_up, .teardown_func = tear_down                   \
    }
#define CASES_MAX 32

static int run_over(fixture *with, const char *database, const struct CMUnitTest *cases, size_t count)
{
    static char names[CASES_MAX][128];
    static struct CMUnitTest named[CASES_MAX];
    for (size_t i = 0; i < count; i++) {
        named[i] = cases[i];
        (void)snprintf(names[i], sizeof names[i], "%s: %s", database, cases[i].name);
        named[i].name = names[i];
        named[i].initial_state = with;
    }
    return _cmocka_run_group_tests(database, named, count, NULL, NULL);
}

static int run_over_both(const struct CMUnitTest *cases, size_t count)
{
    fixture sqlite = {.postgres = false}, postgres = {.postgres = true};
    int failed = run_over(&sqlite, "sqlite", cases, count);
    return failed + run_over(&postgres, "postgresql", cases, count);
}

#endif
