/* The contract of store/store.h, over SQLite and over PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/schema.h"
#include "store/time.h"
#include "store_test.h"

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

static bf_status read_head(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT size, note FROM audit_head", BF_NO_VALUES, &rows, err);
    if (status != BF_OK)
        return status;
    assert_true(bf_rows_next(rows));
    assert_int_equal(bf_rows_integer(rows, 0), 0);
    assert_string_equal(bf_rows_text(rows, 1), "");
    assert_false(bf_rows_next(rows));
    return BF_OK;
}

static void the_new_head_of_the_log_reads_the_same(void **state)
{
    bf_error err = {0};
    OK(bf_store_read(store_of(state), read_head, NULL, &err));
}

static bf_status misuse(bf_db *db, void *context, bf_error *err)
{
    static const char *const sql[] = {
        "INSERT INTO nowhere(a) VALUES(1)",
        "INSERT INTO setting(name, value, changed_ms) VALUES('n', NULL, 1)", /* a constraint */
        "SELECT 1 FROM setting WHERE name = $1",                             /* a parameter is missing */
        "nonsense",
    };
    return bf_db_run(db, sql[*(int *)context], BF_NO_VALUES, NULL, err);
}

static bf_status put_bad_text(bf_db *db, void *context, bf_error *err)
{
    return bf_db_run(db, "INSERT INTO setting(name, value, changed_ms) VALUES($1, 'v', 1)",
                     BF_VALUES(bf_value_text(context)), NULL, err);
}

/* What a function forgot to look at counts all the same. */
static bf_status ignore_an_error(bf_db *db, void *context, bf_error *err)
{
    (void)bf_db_run(db, "INSERT INTO nowhere(b) VALUES(1)", BF_NO_VALUES, NULL, NULL);
    return put(db, context, err);
}

static bf_status put_then_ignore(bf_db *db, void *context, bf_error *err)
{
    bf_status status = put(db, context, err);
    (void)bf_db_run(db, "INSERT INTO nowhere(c) VALUES(1)", BF_NO_VALUES, NULL, NULL);
    return status;
}

static void what_is_wrong_is_refused(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    for (int i = 0; i < 4; i++) {
        bf_status status = bf_store_write(store, misuse, &i, &err);
        assert_true(status == BF_STORE_UNAVAILABLE || status == BF_INTERNAL);
        assert_true(err.status == status);
    }
    static const char *const bad[] = {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%s", bad[i]);
        assert_int_equal(bf_store_write(store, put_bad_text, text, &err), BF_INTERNAL);
    }
    setting it = {.name = "a", .value = "x"};
    assert_int_equal(bf_store_write(store, ignore_an_error, &it, &err), BF_STORE_UNAVAILABLE);
    assert_int_equal(bf_store_write(store, put_then_ignore, &it, &err), BF_STORE_UNAVAILABLE);
    OK(bf_store_read(store, get, &it, &err));
    assert_false(it.found);
    /* And the connection is as good as before. */
    OK(bf_store_write(store, put, &it, &err));
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

static bf_status write_while_reading(bf_db *db, void *context, bf_error *err)
{
    return put(db, context, err);
}

static void a_reader_cannot_write(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    setting it = {.name = "a", .value = "x"};
    assert_int_equal(bf_store_read(store, write_while_reading, &it, &err), BF_STORE_UNAVAILABLE);
    OK(bf_store_read(store, get, &it, &err));
    assert_false(it.found);
}

typedef struct nested {
    bf_store *store;
    bf_status inner;
} nested;

static bf_status write_within_a_write(bf_db *db, void *context, bf_error *err)
{
    (void)db;
    (void)err;
    nested *it = context;
    setting inside = {.name = "inside", .value = "x"};
    it->inner = bf_store_write(it->store, put, &inside, NULL);
    return BF_OK;
}

static void a_write_within_a_write_is_refused(void **state)
{
    bf_error err = {0};
    nested it = {.store = store_of(state)};
    OK(bf_store_write(it.store, write_within_a_write, &it, &err));
    assert_int_equal(it.inner, BF_INTERNAL);
}

static void it_is_there_after_a_restart(void **state)
{
    fixture *with = *state;
    bf_store *store = store_of(state);
    bf_error err = {0};
    setting it = {.name = "a", .value = "kept", .changed_ms = 5};
    OK(bf_store_write(store, put, &it, &err));
    bf_store_free(&with->store);
    with->store = open_store(with);
    setting seen = {.name = "a"};
    OK(bf_store_read(with->store, get, &seen, &err));
    assert_string_equal(seen.value, "kept");
}

static bf_status count_brought_forward(bf_db *db, void *context, bf_error *err)
{
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db,
                                   "SELECT COUNT(*) FROM session WHERE id = 's_old' AND challenges = 1 AND active = 1"
                                   " AND plans_changed = 1 AND attempt = 2",
                                   BF_NO_VALUES, &rows, err);
    if (status == BF_OK && bf_rows_next(rows))
        *(int64_t *)context = bf_rows_integer(rows, 0);
    bf_rows_free(&rows);
    return status;
}

static void a_newer_schema_is_refused(void **state)
{
    fixture *with = *state;
    bf_error err = {0};
    bf_store_free(&(bf_store *){store_of(state)});
    with->store = NULL;
    test_store_place_run(&with->place, "UPDATE schema_version SET version = 1000");
    bf_store *store = NULL;
    bf_store_options options = {.url = with->place.url};
    assert_int_equal(bf_store_open(&options, &store, &err), BF_STORE_NEWER);
    assert_null(store);
    test_store_place_run(&with->place, "UPDATE schema_version SET version = 2");
    with->store = open_store(with);
}

/* A store of version 1, with a session that is open and one that is over. */
static void an_older_schema_is_brought_forward(void **state)
{
    fixture *with = *state;
    static const char *const back[] = {
        "DROP TABLE capture_seen",
        "ALTER TABLE session DROP COLUMN wish",
        "ALTER TABLE session DROP COLUMN active",
        "ALTER TABLE session DROP COLUMN challenges",
        "ALTER TABLE session DROP COLUMN plans_changed",
        "ALTER TABLE decision DROP COLUMN plan",
        "UPDATE schema_version SET version = 1",
        "INSERT INTO session(id, client, key_id, created_ms, expires_ms, ends_ms, state, flow, channel, mode, retain,"
        " nonce, plan, attempt, claimed_until_ms, quality_retries, uncertain_retries, replays) VALUES('s_old', 'bank',"
        " 'k', 1, 2, 3, 'IN_PROGRESS', 'f', '', 'passive', 'none', '', '{\"steps\":[{\"type\":\"still\"}]}', 2, 0, 1, "
        "0, 0)",
    };
    bf_store_free(&(bf_store *){store_of(state)});
    with->store = NULL;
    for (size_t i = 0; i < sizeof back / sizeof *back; i++)
        test_store_place_run(&with->place, back[i]);
    with->store = open_store(with);
    test_store_place_run(&with->place, "UPDATE session SET wish = '{}', challenges = challenges + 1, active = 1,"
                                       " plans_changed = plans_changed + 1 WHERE id = 's_old' AND plan = ''");
    bf_error err = {0};
    int64_t count = 0;
    OK(bf_store_read(with->store, count_brought_forward, &count, &err));
    assert_int_equal(count, 1);
}

static void a_place_without_tables(void **state)
{
    fixture *with = *state;
    (void)store_of(state);
    test_store_place empty;
    test_store_place_new(&empty, with->postgres);
    bf_error err = {0};
    bf_store *store = NULL;
    bf_store_options options = {.url = empty.url, .read_only = true};
    assert_int_equal(bf_store_open(&options, &store, &err), BF_STORE_UNAVAILABLE);
    if (!with->postgres) { /* there is no file, and none is to be made */
        options.read_only = false;
        assert_int_equal(bf_store_open(&options, &store, &err), BF_STORE_UNAVAILABLE);
        assert_true(err.hint[0] != 0);
    }
    assert_null(store);
    test_store_place_done(&empty);
}

static void reading_only(void **state)
{
    fixture *with = *state;
    bf_error err = {0};
    setting it = {.name = "a", .value = "x"};
    OK(bf_store_write(store_of(state), put, &it, &err));
    bf_store *store = NULL;
    bf_store_options options = {.url = with->place.url, .read_only = true};
    OK(bf_store_open(&options, &store, &err));
    setting seen = {.name = "a"};
    OK(bf_store_read(store, get, &seen, &err));
    assert_string_equal(seen.value, "x");
    assert_int_equal(bf_store_write(store, put, &it, &err), BF_STORE_UNAVAILABLE);
    bf_store_facts facts;
    bf_store_look(store, &facts);
    assert_false(facts.writable);
    bf_store_before_commit(store, put, &it);
    bf_store_free(&store);
}

static void addresses_that_are_none(void **state)
{
    (void)state;
    static const char *const urls[] = {NULL, "", "sqlite:", "mysql://x", "/tmp/file", "postgresql://u:secret@[::1/d"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        bf_error err = {0};
        bf_store *store = NULL;
        bf_store_options options = {.url = urls[i], .create = true};
        assert_int_equal(bf_store_open(&options, &store, &err), BF_CONFIG_INVALID);
        assert_null(strstr(err.message, "secret"));
    }
    bf_store_free(NULL);
}

static void facts_are_told(void **state)
{
    fixture *with = *state;
    bf_store *store = store_of(state);
    bf_store_facts facts;
    bf_store_look(store, &facts);
    assert_string_equal(facts.kind, with->postgres ? "postgresql" : "sqlite");
    assert_true(facts.writable);
    bf_error err = {0};
    setting it = {.name = "a", .value = "x"}, refused = {.name = "b", .value = "x", .then = BF_FORBIDDEN};
    bf_store_facts before = facts;
    OK(bf_store_write(store, put, &it, &err));
    assert_int_equal(bf_store_write(store, put, &refused, &err), BF_FORBIDDEN);
    bf_store_look(store, &facts);
    assert_int_equal(facts.writes - before.writes, 2);
    assert_int_equal(facts.commits - before.commits, 1);
    assert_int_equal(facts.failures - before.failures, 1);
    assert_true(facts.writable);
    assert_true(facts.commit_ms_last > 0 && facts.commit_ms_sum > before.commit_ms_sum);
}

static bf_status delete_all(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    return bf_db_run(db, "DELETE FROM setting", BF_NO_VALUES, NULL, err);
}

static bool file_holds(const test_store_place *place, const char *name, const char *text)
{
    char path[TEST_URL_SIZE + 16];
    (void)snprintf(path, sizeof path, "%s/%s", place->folder, name);
    BF_CLEANUP(bf_bytes_done) bf_bytes file = {0};
    bf_error err = {0};
    bf_status status = bf_bytes_read_file(&file, path, 16u << 20, &err);
    assert_true(status == BF_OK || status == BF_EMPTY_INPUT || status == BF_IO_ERROR);
    return file.data && memmem(file.data, file.size, text, strlen(text)) != NULL;
}

/* Neither free pages nor the log keep what was deleted, once the store was at rest for a while. */
static void what_was_deleted_leaves_the_disk(void **state)
{
    fixture *with = *state;
    bf_store *store = store_of(state);
    if (with->postgres)
        return; /* vacuuming is the server's affair */
    bf_error err = {0};
    setting it = {.name = "secret", .value = "5up3r-s3cr3t-v4lu3"};
    OK(bf_store_write(store, put, &it, &err));
    assert_true(file_holds(&with->place, "store.db-wal", it.value));
    OK(bf_store_write(store, delete_all, NULL, &err));
    double until_ms = bf_time_steady_ms() + 20000;
    bool held = true;
    while (held && bf_time_steady_ms() < until_ms) {
        struct timespec pause = {.tv_nsec = 100000000};
        (void)nanosleep(&pause, NULL);
        held = file_holds(&with->place, "store.db", it.value) || file_holds(&with->place, "store.db-wal", it.value);
    }
    assert_false(held);
}

static void times_as_text(void **state)
{
    (void)state;
    char text[BF_TIME_TEXT_SIZE];
    bf_time_text(1764099717123, text);
    assert_string_equal(text, "2025-11-25T19:41:57.123Z");
    bf_time_text(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    bf_time_text(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    assert_true(bf_time_now_ms() > 1764099717123);
    double before = bf_time_steady_ms();
    assert_true(bf_time_steady_ms() >= before);
}

static const struct CMUnitTest CASES[] = {
    CASE(what_was_written_is_read),
    CASE(the_new_head_of_the_log_reads_the_same),
    CASE(what_is_wrong_is_refused),
    CASE(a_refused_write_keeps_nothing),
    CASE(a_reader_cannot_write),
    CASE(a_write_within_a_write_is_refused),
    CASE(it_is_there_after_a_restart),
    CASE(a_newer_schema_is_refused),
    CASE(an_older_schema_is_brought_forward),
    CASE(a_place_without_tables),
    CASE(reading_only),
    CASE(facts_are_told),
    CASE(what_was_deleted_leaves_the_disk),
    CASE(addresses_that_are_none),
    CASE(times_as_text),
};

int main(void)
{
    return run_over_both(CASES, sizeof CASES / sizeof CASES[0]);
}
