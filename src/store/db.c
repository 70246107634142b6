#include "store/db.h"

#include <string.h>

#include "base/error.h"
#include "store/driver.h"
#include "store/time.h"

bf_status bf_db_open(const bf_driver *driver, const bf_connect *connect, double deadline_ms, bf_db **ret, bf_error *err)
{
    bf_connect bounded = *connect;
    double left = deadline_ms - bf_time_steady_ms();
    bounded.wait_ms_max = left < 1 ? 1 : (int)left;
    bf_db *db = NULL;
    bf_status status = driver->open(&bounded, &db, err);
    if (status != BF_OK)
        return status;
    db->deadline_ms = deadline_ms;
    *ret = db;
    return BF_OK;
}

void bf_db_close(bf_db **db)
{
    if (!db || !*db)
        return;
    (*db)->driver->close(*db);
    *db = NULL;
}

int bf_db_remaining_ms(const bf_db *db)
{
    double left = db->deadline_ms - bf_time_steady_ms();
    return left < 0 ? 0 : (int)left;
}

/* Length of the UTF-8 sequence that begins at `at`, 0 when there is none: overlong forms, surrogates and numbers past
 * the last plane are none (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        return (at[1] & 0xc0) == 0x80 ? 2 : 0;
    unsigned low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[0] < 0xe0 || at[0] > 0xf4 || at[1] < low || at[1] > high || (at[2] & 0xc0) != 0x80)
        return 0;
    if (at[0] < 0xf0)
        return 3;
    return (at[3] & 0xc0) == 0x80 ? 4 : 0;
}

static bool is_utf8(const char *text, size_t *ret_size)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t length = utf8_length(at);
        if (!length)
            return false;
        at += length;
    }
    *ret_size = (size_t)(at - (const unsigned char *)text);
    return true;
}

/* PostgreSQL refuses text that is not UTF-8 and SQLite would keep it; here both refuse. The copy has sizes of texts. */
static bf_status check_values(const bf_value *values, size_t count, bf_value *ret, bf_error *err)
{
    if (count > BF_DB_VALUES_MAX)
        return bf_fail(err, BF_INTERNAL, "A statement has more than %d parameters.", BF_DB_VALUES_MAX);
    for (size_t i = 0; i < count; i++) {
        ret[i] = values[i];
        if (!ret[i].data && (ret[i].kind == BF_VALUE_TEXT || ret[i].kind == BF_VALUE_BLOB))
            ret[i] = (bf_value){.kind = BF_VALUE_NULL};
        if (ret[i].kind == BF_VALUE_TEXT && !is_utf8(ret[i].data, &ret[i].size))
            return bf_fail(err, BF_INTERNAL, "A text for the store is not UTF-8.");
        if (ret[i].size > BF_DB_VALUE_BYTES_MAX)
            return bf_fail(err, BF_INTERNAL, "A value for the store has more than %u bytes.", BF_DB_VALUE_BYTES_MAX);
    }
    return BF_OK;
}

static bf_status run(bf_db *db, const char *sql, const bf_value *values, size_t count, int64_t *ret_changed,
                     bf_rows *ret_rows, bf_error *err)
{
    bf_error here = {0};
    bf_value checked[BF_DB_VALUES_MAX];
    bf_status status = check_values(values, count, checked, &here);
    if (status == BF_OK && db->lost)
        status = bf_fail(&here, BF_STORE_UNAVAILABLE, "The connection to the store is lost.");
    if (status == BF_OK)
        status = db->driver->run(db, sql, checked, count, ret_changed, ret_rows, &here);
    if (status == BF_OK)
        return BF_OK;
    if (!db->failed)
        db->failure = here;
    db->failed = true;
    if (err)
        *err = here;
    return status;
}

bf_status bf_db_run(bf_db *db, const char *sql, const bf_value *values, size_t count, int64_t *ret_changed,
                    bf_error *err)
{
    return run(db, sql, values, count, ret_changed, NULL, err);
}

bf_status bf_db_query(bf_db *db, const char *sql, const bf_value *values, size_t count, bf_rows **ret, bf_error *err)
{
    bf_rows *rows = bf_rows_new();
    if (!rows) {
        db->failed = true;
        db->failure = (bf_error){0};
        (void)bf_fail_memory(&db->failure);
        return bf_fail_memory(err);
    }
    bf_status status = run(db, sql, values, count, NULL, rows, err);
    if (status == BF_OK)
        *ret = rows;
    else
        bf_rows_free(&rows);
    return status;
}

bf_status bf_db_call(bf_db *db, bf_status (*fn)(bf_db *, void *, bf_error *), void *context, bf_error *err)
{
    db->failed = false;
    bf_status status = fn(db, context, err);
    if (status != BF_OK || !db->failed)
        return status;
    if (err)
        *err = db->failure;
    return db->failure.status;
}
