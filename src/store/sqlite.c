#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define WAL_PAGES_CHECKPOINT 1000 /* from here on the log's pages are carried over into the database */

/* Errors after which nothing on this connection can be relied on. */
static bool is_fatal(sqlite3 *handle, int code)
{
    switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        return true;
    case SQLITE_READONLY: /* of a connection that only reads: somebody's mistake */
        return !sqlite3_db_readonly(handle, "main");
    default:
        return false;
    }
}

/* SQLite numbers $1, $2 as it meets them, PostgreSQL as they are written: only text in which both agree is accepted. */
static bool numbered_in_order(sqlite3_stmt *prepared)
{
    int count = sqlite3_bind_parameter_count(prepared);
    for (int i = 1; i <= count; i++) {
        char expected[16];
        (void)snprintf(expected, sizeof expected, "$%d", i);
        const char *name = sqlite3_bind_parameter_name(prepared, i);
        if (!name || strcmp(name, expected) != 0)
            return false;
    }
    return true;
}

static bf_status fail_statement(bf_sqlite *db, int code, bf_error *err)
{
    bf_status status = bf_sqlite_fail(db->handle, code, err, "The store could not be read or written.");
    if (is_fatal(db->handle, code))
        db->base.lost = true;
    return status;
}

static bf_status prepare(bf_sqlite *db, const char *sql, sqlite3_stmt **ret, bf_error *err)
{
    if (db->statements.count >= BF_STATEMENTS_MAX)
        bf_sqlite_forget_statements(db);
    bf_statement *place = bf_statements_find(&db->statements, sql);
    if (!place->sql) {
        sqlite3_stmt *prepared = NULL;
        int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL);
        if (code != SQLITE_OK)
            return fail_statement(db, code, err);
        if (!prepared || !numbered_in_order(prepared)) {
            (void)sqlite3_finalize(prepared);
            return bf_fail(err, BF_INTERNAL, "A statement does not number its parameters $1, $2, ... in order.");
        }
        *place = (bf_statement){.sql = sql, .prepared = prepared};
        db->statements.count++;
    }
    if (strcmp(sqlite3_sql(place->prepared), sql) != 0)
        return bf_fail(err, BF_INTERNAL, "The text of a statement has changed; it must be static.");
    *ret = place->prepared;
    return BF_OK;
}

static int bind(sqlite3_stmt *prepared, int at, const bf_value *value)
{
    switch (value->kind) {
    case BF_VALUE_INTEGER:
        return sqlite3_bind_int64(prepared, at, value->integer);
    case BF_VALUE_TEXT:
        return sqlite3_bind_text(prepared, at, value->data, (int)value->size, SQLITE_STATIC);
    case BF_VALUE_BLOB:
        return sqlite3_bind_blob(prepared, at, value->data, (int)value->size, SQLITE_STATIC);
    case BF_VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(prepared, at);
}

static bf_status keep_row(bf_sqlite *db, sqlite3_stmt *prepared, bf_rows *rows, bf_error *err)
{
    int columns = sqlite3_column_count(prepared);
    bf_rows_columns(rows, columns);
    for (int i = 0; i < columns; i++) {
        bf_value value = {.kind = BF_VALUE_NULL};
        switch (sqlite3_column_type(prepared, i)) {
        case SQLITE_NULL:
            break;
        case SQLITE_INTEGER:
            value = bf_value_integer(sqlite3_column_int64(prepared, i));
            break;
        case SQLITE_TEXT:
            value = (bf_value){.kind = BF_VALUE_TEXT, .data = sqlite3_column_text(prepared, i)};
            break;
        case SQLITE_BLOB:
            value = (bf_value){.kind = BF_VALUE_BLOB, .data = sqlite3_column_blob(prepared, i)};
            break;
        default:
            return bf_fail(err, BF_INTERNAL, "A column is neither an integer nor text nor a blob.");
        }
        if (value.kind == BF_VALUE_TEXT || value.kind == BF_VALUE_BLOB)
            value.size = (size_t)sqlite3_column_bytes(prepared, i);
        if (value.size && !value.data)
            return fail_statement(db, SQLITE_NOMEM, err);
        bf_status status = bf_rows_add(rows, &value, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

static bf_status step_through(bf_sqlite *db, sqlite3_stmt *prepared, bf_rows *rows, bf_error *err)
{
    int code;
    while ((code = sqlite3_step(prepared)) == SQLITE_ROW) {
        bf_status status = rows ? keep_row(db, prepared, rows, err) : BF_OK;
        if (status != BF_OK)
            return status;
    }
    return code == SQLITE_DONE ? BF_OK : fail_statement(db, code, err);
}

static bf_status run(bf_db *base, const char *sql, const bf_value *values, size_t count, int64_t *ret_changed,
                     bf_rows *ret_rows, bf_error *err)
{
    bf_sqlite *db = (bf_sqlite *)base;
    bool in_transaction = !sqlite3_get_autocommit(db->handle);
    sqlite3_stmt *prepared = NULL;
    bf_status status = prepare(db, sql, &prepared, err);
    if (status != BF_OK)
        return status;
    if (sqlite3_bind_parameter_count(prepared) != (int)count)
        return bf_fail(err, BF_INTERNAL, "A statement was given %zu parameters and has %d.", count,
                       sqlite3_bind_parameter_count(prepared));
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = bind(prepared, (int)i + 1, &values[i]);
    int64_t changed_before = sqlite3_total_changes64(db->handle);
    status = code == SQLITE_OK ? step_through(db, prepared, ret_rows, err) : fail_statement(db, code, err);
    (void)sqlite3_reset(prepared);
    (void)sqlite3_clear_bindings(prepared);
    /* Some errors roll the whole transaction back. */
    if (status != BF_OK && in_transaction && sqlite3_get_autocommit(db->handle))
        db->base.lost = true;
    if (status == BF_OK && ret_changed)
        *ret_changed = sqlite3_total_changes64(db->handle) - changed_before;
    return status;
}

static bf_status script(bf_db *base, const char *sql, bf_error *err)
{
    bf_sqlite *db = (bf_sqlite *)base;
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? BF_OK : fail_statement(db, code, err);
}

static bf_status command(bf_db *base, const char *sql, bf_error *err)
{
    return run(base, sql, NULL, 0, NULL, NULL, err);
}

static bf_status begin(bf_db *base, bf_begin kind, bf_error *err)
{
    bf_sqlite *db = (bf_sqlite *)base;
    if (bf_sqlite_moved(db)) {
        db->base.lost = true;
        return bf_fail(err, BF_STORE_UNAVAILABLE, "The store's file was removed or replaced.");
    }
    return command(base, kind == BF_BEGIN_READ ? "BEGIN" : "BEGIN IMMEDIATE", err);
}

static void rollback(bf_db *base)
{
    bf_sqlite *db = (bf_sqlite *)base;
    if (!sqlite3_get_autocommit(db->handle) && command(base, "ROLLBACK", NULL) != BF_OK)
        db->base.lost = true;
}

static bf_status savepoint(bf_db *db, bf_savepoint step, bf_error *err)
{
    bf_status status = BF_OK;
    if (step == BF_SAVEPOINT_UNDO)
        status = command(db, "ROLLBACK TO one_write", err);
    else if (step == BF_SAVEPOINT_NEXT)
        status = command(db, "RELEASE one_write", err);
    if (status == BF_OK && step != BF_SAVEPOINT_UNDO)
        status = command(db, "SAVEPOINT one_write", err);
    return status;
}

/* After an error of the file system the log may already hold the whole transaction. Only a recovery after a crash
 * would find it there, but that is enough not to promise that it is gone. */
static bf_outcome commit(bf_db *base, bf_error *err)
{
    bf_sqlite *db = (bf_sqlite *)base;
    if (command(base, "COMMIT", err) != BF_OK) {
        rollback(base);
        return BF_OUTCOME_UNKNOWN;
    }
    if (!bf_sqlite_moved(db))
        return BF_COMMITTED;
    /* What was written went into a file that nobody will find. */
    db->base.lost = true;
    (void)bf_fail(err, BF_STORE_UNAVAILABLE, "The store's file was removed or replaced.");
    return BF_OUTCOME_UNKNOWN;
}

/* Carrying pages over needs no lock that writers want, but cannot pass a reader's snapshot: under steady load the log
 * would grow for ever. When it is long, the readers of that moment are waited for, shortly, and when they are slow not
 * again before it is a good deal longer. And at rest the log is emptied, so that what was deleted does not stay in
 * it. */
static bool tidy(bf_db *base, bool idle)
{
    bf_sqlite *db = (bf_sqlite *)base;
    if (!db->wal_pages || (!idle && db->wal_pages < WAL_PAGES_CHECKPOINT))
        return !db->wal_pages;
    bool begin_anew = idle || db->wal_pages >= db->wal_pages_many;
    int mode = begin_anew ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, NULL, NULL);
    if (code == SQLITE_OK && begin_anew) {
        db->wal_pages = 0;
        db->wal_pages_many = BF_WAL_PAGES_MANY;
    } else if (begin_anew && !idle) {
        db->wal_pages_many = db->wal_pages + BF_WAL_PAGES_MANY / 4;
    }
    return !db->wal_pages;
}

const bf_driver BF_SQLITE = {
    .kind = "sqlite",
    .has_table_sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
    .open = bf_sqlite_open,
    .close = bf_sqlite_close,
    .run = run,
    .script = script,
    .begin = begin,
    .savepoint = savepoint,
    .commit = commit,
    .rollback = rollback,
    .tidy = tidy,
};
