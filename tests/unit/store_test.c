/* The contract of store/store.h, over SQLite and over PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/schema.h"
#include "store/store.h"
#include "store/time.h"
#include "support/store_place.h"

#define OK(call) assert_ok((call), #call, &err)

static void assert_ok(bf_status status, const char *call, const bf_error *err)
{
    if (status != BF_OK)
        fail_msg("%s: %s %s (%s)", call, bf_status_name(status), err->message, err->detail);
}

typedef struct fixture {
    bool postgres;
    test_store_place place;
    bf_store *store;
} fixture;

static bf_store *open_store(fixture *with)
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
    if (with->postgres && !test_has_postgres())
        return 0;
    test_store_place_new(&with->place, with->postgres);
    with->store = open_store(with);
    return 0;
}

static int tear_down(void **state)
{
    fixture *with = *state;
    if (with->store) {
        bf_store_free(&with->store);
        test_store_place_done(&with->place);
    }
    return 0;
}

static bf_store *store_of(void **state)
{
    fixture *with = *state;
    if (!with->store)
        skip();
    return with->store;
}

/* A setting to write or read. */
typedef struct setting {
    const char *name;
    char value[64];
    int64_t changed_ms;
    bool found;
    bf_status then; /* what the write returns at its end */
} setting;

static bf_status put(bf_db *db, void *context, bf_error *err)
{
    setting *it = context;
    bf_status status = bf_db_run(
        db,
        "INSERT INTO setting(name, value, changed_ms) VALUES($1, $2, $3)"
        " ON CONFLICT(name) DO UPDATE SET value = excluded.value, changed_ms = $3",
        BF_VALUES(bf_value_text(it->name), bf_value_text(it->value), bf_value_integer(it->changed_ms)), NULL, err);
    if (status == BF_OK && it->then != BF_OK)
        return bf_fail(err, it->then, "Refused.");
    return status;
}

static bf_status get(bf_db *db, void *context, bf_error *err)
{
    setting *it = context;
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT value, changed_ms FROM setting WHERE name = $1",
                                   BF_VALUES(bf_value_text(it->name)), &rows, err);
    if (status != BF_OK)
        return status;
    it->found = bf_rows_next(rows);
    if (it->found) {
        (void)snprintf(it->value, sizeof it->value, "%s", bf_rows_text(rows, 0));
        it->changed_ms = bf_rows_integer(rows, 1);
    }
    return BF_OK;
}

static void what_was_written_is_read(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    setting written = {.name = "a", .value = "Grüße, 世界 🙂", .changed_ms = INT64_MAX};
    OK(bf_store_write(store, put, &written, &err));
    setting seen = {.name = "a"};
    OK(bf_store_read(store, get, &seen, &err));
    assert_true(seen.found);
    assert_string_equal(seen.value, written.value);
    assert_true(seen.changed_ms == INT64_MAX);
    setting missing = {.name = "b"};
    OK(bf_store_read(store, get, &missing, &err));
    assert_false(missing.found);
}

static void a_refused_write_keeps_nothing(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    setting refused = {.name = "a", .value = "x", .then = BF_RATE_LIMITED};
    assert_int_equal(bf_store_write(store, put, &refused, &err), BF_RATE_LIMITED);
    assert_string_equal(err.message, "Refused.");
    setting seen = {.name = "a"};
    OK(bf_store_read(store, get, &seen, &err));
    assert_false(seen.found);
}

#define CASE(function)                                                                                                 \
    {                                                                                                                  \
        .name = #function, .test_func = function, .setup_func = set_up, .teardown_func = tear_down                     \
    }

static const struct CMUnitTest CASES[] = {
    CASE(what_was_written_is_read),
    CASE(a_refused_write_keeps_nothing),
};
#define CASE_COUNT (sizeof CASES / sizeof CASES[0])

static int run_over(fixture *with, const char *name)
{
    static char names[CASE_COUNT][128];
    struct CMUnitTest cases[CASE_COUNT];
    for (size_t i = 0; i < CASE_COUNT; i++) {
        cases[i] = CASES[i];
        (void)snprintf(names[i], sizeof names[i], "%s: %s", name, CASES[i].name);
        cases[i].name = names[i];
        cases[i].initial_state = with;
    }
    return cmocka_run_group_tests_name(name, cases, NULL, NULL);
}

int main(void)
{
    fixture sqlite = {.postgres = false}, postgres = {.postgres = true};
    int failed = run_over(&sqlite, "sqlite");
    return failed + run_over(&postgres, "postgresql");
}
