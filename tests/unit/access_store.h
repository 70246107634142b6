/* A real store for each case of the tests of access/: SQLite, and PostgreSQL where there is one. */
#ifndef TESTS_UNIT_ACCESS_STORE_H
#define TESTS_UNIT_ACCESS_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "access/master.h"
#include "store/store.h"
#include "support/store_place.h"

#define NOW 1795635600000

typedef struct access_store {
    test_store_place place;
    bf_store *store;
    bf_master master;
    bool postgres;
} access_store;

static bool access_on_postgres;

static inline bf_store *access_store_open(const access_store *at)
{
    bf_store *store = NULL;
    bf_error err = {0};
    bf_store_options options = {.url = at->place.url, .create = true};
    if (bf_store_open(&options, &store, &err) != BF_OK)
        fail_msg("%s %s", err.message, err.detail);
    return store;
}

static inline int access_store_start(void **state)
{
    static access_store at;
    at = (access_store){.postgres = access_on_postgres};
    test_store_place_new(&at.place, at.postgres);
    at.store = access_store_open(&at);
    assert_int_equal(bf_master_random(&at.master, NULL), BF_OK);
    *state = &at;
    return 0;
}

static inline int access_store_end(void **state)
{
    access_store *at = *state;
    bf_store_free(&at->store);
    test_store_place_done(&at->place);
    return 0;
}

#define ACCESS_CASE(name) cmocka_unit_test_setup_teardown(name, access_store_start, access_store_end)

/* Runs the cases over SQLite, then over PostgreSQL. */
#define ACCESS_RUN(tests) access_run(tests, sizeof(tests) / sizeof *(tests))
static inline int access_run(const struct CMUnitTest *tests, size_t count)
{
    int failed = _cmocka_run_group_tests("sqlite", tests, count, NULL, NULL);
    access_on_postgres = test_has_postgres();
    return failed + (access_on_postgres ? _cmocka_run_group_tests("postgresql", tests, count, NULL, NULL) : 0);
}

/* A number that a query gives. */
typedef struct access_count {
    const char *sql;
    int64_t number;
} access_count;

static inline bf_status access_store_count(bf_db *db, void *context, bf_error *err)
{
    access_count *count = context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, count->sql, BF_NO_VALUES, &rows, err);
    if (status != BF_OK)
        return status;
    count->number = bf_rows_next(rows) ? bf_rows_integer(rows, 0) : -1;
    bf_rows_free(&rows);
    return BF_OK;
}

static inline int64_t access_count_rows(bf_store *store, const char *sql)
{
    access_count count = {.sql = sql};
    assert_int_equal(bf_store_read(store, access_store_count, &count, NULL), BF_OK);
    return count.number;
}

#endif
