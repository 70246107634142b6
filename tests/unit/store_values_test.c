/* The values that the store takes and gives, over SQLite and over PostgreSQL, and their ceilings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "store_test.h"

#define BIG (5u << 20)

/* Every kind of value, NULL of each, and the ends of what they can hold. */
static bf_status put_kinds(bf_db *db, void *context, bf_error *err)
{
    const char *big = context;
    static const char sql[] = "INSERT INTO idempotency(client, name, request_hash, claimed_until_ms, http_status, body,"
                              " created_ms, session_id) VALUES($1, $2, $3, $4, $5, $6, $7, $8)";
    bf_status status = bf_db_run(db, sql,
                                 BF_VALUES(bf_value_text("c"), bf_value_text("null"), bf_value_blob("", 0),
                                           bf_value_integer(INT64_MIN), bf_value_text(NULL), bf_value_blob(NULL, 9),
                                           bf_value_integer(-1), bf_value_text(NULL)),
                                 NULL, err);
    if (status == BF_OK)
        status = bf_db_run(db, sql,
                           BF_VALUES(bf_value_text("c"), bf_value_text("full"), bf_value_blob("\0\xff\0", 3),
                                     bf_value_integer(0), bf_value_integer(200), bf_value_blob(big, BIG),
                                     bf_value_integer(INT64_MAX), bf_value_text("")),
                           NULL, err);
    return status;
}

static bf_status get_kinds(bf_db *db, void *context, bf_error *err)
{
    return bf_db_query(db,
                       "SELECT name, request_hash, claimed_until_ms, http_status, body, created_ms, session_id"
                       " FROM idempotency WHERE client = $1 ORDER BY name DESC",
                       BF_VALUES(bf_value_text("c")), (bf_rows **)context, err);
}

static void each_kind_of_value_comes_back(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    char *big = bf_malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 2654435761u >> 24);
    OK(bf_store_write(store, put_kinds, big, &err));
    bf_rows *rows = NULL;
    OK(bf_store_read(store, get_kinds, &rows, &err));
    assert_int_equal(bf_rows_count(rows), 2);
    assert_true(bf_rows_is_null(rows, 0)); /* no row yet */
    assert_true(bf_rows_next(rows));
    size_t size = 1;
    assert_string_equal(bf_rows_text(rows, 0), "null");
    assert_false(bf_rows_is_null(rows, 1)); /* an empty blob is not NULL */
    assert_non_null(bf_rows_blob(rows, 1, &size));
    assert_int_equal(size, 0);
    assert_true(bf_rows_integer(rows, 2) == INT64_MIN);
    assert_true(bf_rows_is_null(rows, 3) && bf_rows_is_null(rows, 4) && bf_rows_is_null(rows, 6));
    assert_int_equal(bf_rows_integer(rows, 3), 0);
    assert_null(bf_rows_text(rows, 6));
    assert_null(bf_rows_blob(rows, 4, &size));
    assert_true(bf_rows_integer(rows, 5) == -1);
    assert_true(bf_rows_next(rows));
    assert_memory_equal(bf_rows_blob(rows, 1, &size), "\0\xff\0", 3);
    assert_int_equal(size, 3);
    assert_int_equal(bf_rows_integer(rows, 3), 200);
    assert_memory_equal(bf_rows_blob(rows, 4, &size), big, BIG);
    assert_int_equal(size, BIG);
    assert_true(bf_rows_integer(rows, 5) == INT64_MAX);
    assert_string_equal(bf_rows_text(rows, 6), ""); /* nor is an empty text */
    assert_null(bf_rows_text(rows, 7));             /* no such column */
    assert_null(bf_rows_text(rows, 2));             /* of another type */
    assert_int_equal(bf_rows_integer(rows, 0), 0);
    assert_non_null(bf_rows_blob(rows, 0, &size));
    assert_int_equal(size, 0);
    assert_false(bf_rows_next(rows));
    bf_rows_free(&rows);
    bf_free(big);
}

static bf_status put_numbers(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    return bf_db_run(db, "INSERT INTO setting(name, value, changed_ms) VALUES('1', 'v', $1), ('2', 'v', $2)",
                     BF_VALUES(bf_value_integer(-1234567890123456), bf_value_integer(-20000)), NULL, err);
}

static bf_status expressions(bf_db *db, void *context, bf_error *err)
{
    return bf_db_query(db,
                       "SELECT COUNT(*), SUM(changed_ms), MAX(changed_ms), COALESCE(SUM(changed_ms), 0),"
                       " (SELECT COUNT(*) FROM setting WHERE $1 IS NULL OR name = $1), 7, 'x', MIN(name),"
                       " CASE WHEN COUNT(*) > $2 THEN 1 ELSE 0 END FROM setting",
                       BF_VALUES(bf_value_text(NULL), bf_value_integer(1)), (bf_rows **)context, err);
}

static void sums_and_counts_are_integers(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    bf_rows *rows = NULL;
    OK(bf_store_read(store, expressions, &rows, &err));
    assert_true(bf_rows_next(rows));
    assert_true(bf_rows_is_null(rows, 1));
    assert_int_equal(bf_rows_integer(rows, 3), 0);
    bf_rows_free(&rows);
    OK(bf_store_write(store, put_numbers, NULL, &err));
    OK(bf_store_read(store, expressions, &rows, &err));
    assert_true(bf_rows_next(rows));
    assert_int_equal(bf_rows_integer(rows, 0), 2);
    assert_true(bf_rows_integer(rows, 1) == -1234567890143456);
    assert_true(bf_rows_integer(rows, 2) == -20000);
    assert_int_equal(bf_rows_integer(rows, 4), 2);
    assert_int_equal(bf_rows_integer(rows, 5), 7);
    assert_string_equal(bf_rows_text(rows, 6), "x");
    assert_string_equal(bf_rows_text(rows, 7), "1");
    assert_int_equal(bf_rows_integer(rows, 8), 1);
    bf_rows_free(&rows);
}

static bf_status count_changes(bf_db *db, void *context, bf_error *err)
{
    int64_t *changed = context;
    bf_status status = bf_db_run(db, "INSERT INTO quarantine(sha256, losses, last_ms) VALUES('a', 0, 0), ('b', 0, 0)",
                                 BF_NO_VALUES, &changed[0], err);
    if (status == BF_OK)
        status =
            bf_db_run(db, "INSERT INTO quarantine(sha256, losses, last_ms) VALUES($1, 0, 0) ON CONFLICT DO NOTHING",
                      BF_VALUES(bf_value_text("a")), &changed[1], err);
    if (status == BF_OK)
        status = bf_db_run(db, "UPDATE quarantine SET losses = losses + 1", BF_NO_VALUES, &changed[2], err);
    if (status == BF_OK)
        status =
            bf_db_run(db, "DELETE FROM quarantine WHERE sha256 = $1", BF_VALUES(bf_value_text("z")), &changed[3], err);
    bf_rows *rows = NULL;
    if (status == BF_OK)
        status = bf_db_query(db, "UPDATE quarantine SET losses = losses + 1 WHERE sha256 = 'b' RETURNING losses",
                             BF_NO_VALUES, &rows, err);
    if (status == BF_OK && bf_rows_next(rows))
        changed[4] = bf_rows_integer(rows, 0);
    bf_rows_free(&rows);
    return status;
}

static void changed_rows_are_counted(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    int64_t changed[5] = {-1, -1, -1, -1, -1};
    OK(bf_store_write(store, count_changes, changed, &err));
    assert_int_equal(changed[0], 2);
    assert_int_equal(changed[1], 0);
    assert_int_equal(changed[2], 2);
    assert_int_equal(changed[3], 0);
    assert_int_equal(changed[4], 2);
}

/* Each allocation fails in turn: an error, nothing kept, and then it works as before. */
static void without_memory(void **state)
{
    fixture *with = *state;
    bf_store *store = store_of(state);
    bf_status status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth++) {
        assert_true(nth < 200);
        bf_store *other = NULL;
        bf_error err = {0};
        bf_store_options options = {.url = with->place.url, .readers = 1};
        (void)bf_alloc_fail_after(nth, 0);
        status = bf_store_open(&options, &other, &err);
        (void)bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OK || (status == BF_OUT_OF_MEMORY && !other && err.status == status));
        bf_store_free(&other);
    }
    bf_error err = {0};
    char *big = bf_calloc(1, BIG);
    OK(bf_store_write(store, put_kinds, big, &err));
    bf_free(big);
    status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth++) {
        assert_true(nth < 200);
        bf_rows *rows = NULL;
        (void)bf_alloc_fail_after(nth, 0);
        status = bf_store_read(store, get_kinds, &rows, &err);
        (void)bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OK || (status == BF_OUT_OF_MEMORY && !rows));
        bf_rows_free(&rows);
    }
}

static bf_status fill_quarantine(bf_db *db, void *context, bf_error *err)
{
    int *rows = context;
    bf_status status = BF_OK;
    for (int i = 0; i < *rows && status == BF_OK; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        status = bf_db_run(db, "INSERT INTO quarantine(sha256, losses, last_ms) VALUES($1, $2, 0)",
                           BF_VALUES(bf_value_text(name), bf_value_integer(i)), NULL, err);
    }
    return status;
}

static bf_status multiply_rows(bf_db *db, void *context, bf_error *err)
{
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db,
                                   "SELECT a.losses FROM quarantine AS a, quarantine AS b WHERE a.losses <= $1"
                                   " ORDER BY a.losses, b.losses",
                                   BF_VALUES(bf_value_integer(*(int *)context)), &rows, err);
    if (status == BF_OK)
        *(int *)context = (int)bf_rows_count(rows);
    bf_rows_free(&rows);
    return status;
}

static void an_answer_has_a_ceiling(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    int rows = 400;
    OK(bf_store_write(store, fill_quarantine, &rows, &err));
    int last = BF_ROWS_MAX / 400 - 1;
    OK(bf_store_read(store, multiply_rows, &last, &err));
    assert_int_equal(last, BF_ROWS_MAX);
    last = BF_ROWS_MAX / 400;
    assert_int_equal(bf_store_read(store, multiply_rows, &last, &err), BF_STORE_UNAVAILABLE);
}

/* More statements than a connection keeps prepared. */
static bf_status run_many(bf_db *db, void *context, bf_error *err)
{
    enum { STATEMENTS = 1000, SIZE = 64 };
    static char sql[STATEMENTS][SIZE];
    int64_t *sum = context;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < STATEMENTS; i++) {
            (void)snprintf(sql[i], SIZE, "SELECT %d", i);
            bf_rows *rows = NULL;
            bf_status status = bf_db_query(db, sql[i], BF_NO_VALUES, &rows, err);
            if (status != BF_OK)
                return status;
            *sum += bf_rows_next(rows) ? bf_rows_integer(rows, 0) : 0;
            bf_rows_free(&rows);
        }
    return BF_OK;
}

static void many_statements(void **state)
{
    bf_error err = {0};
    int64_t sum = 0;
    OK(bf_store_read(store_of(state), run_many, &sum, &err));
    assert_int_equal(sum, 999000);
}

static const struct CMUnitTest CASES[] = {
    CASE(each_kind_of_value_comes_back), CASE(sums_and_counts_are_integers),
    CASE(changed_rows_are_counted),      CASE(without_memory),
    CASE(an_answer_has_a_ceiling),       CASE(many_statements),
};

int main(void)
{
    return run_over_both(CASES, sizeof CASES / sizeof CASES[0]);
}
