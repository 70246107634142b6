#include "store/db.h"

#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/utf8.h"
#include "store/driver.h"
#include "store/migrate.h"
#include "store/time.h"

bf_status bf_db_open(const bf_driver *driver, const bf_connect *connect, double deadline_ms, bool may_change,
                     bf_db **ret, bf_error *err)
{
    bf_connect bounded = *connect;
    double left = deadline_ms - bf_time_steady_ms();
    bounded.wait_ms_max = left < 1 ? 1 : (int)left;
    BF_CLEANUP(bf_db_close) bf_db *db = NULL;
    bf_status status = driver->open(&bounded, &db, err);
    if (status != BF_OK)
        return status;
    db->deadline_ms = deadline_ms;
    status = bf_migrate(db, may_change, err);
    if (status != BF_OK)
        return status;
    *ret = db;
    db = NULL;
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

/* PostgreSQL refuses text that is not UTF-8 and SQLite would keep it; here both refuse. The copy has sizes of texts. */
static bf_status check_values(const bf_value *values, size_t count, bf_value *ret, bf_error *err)
{
    if (count > BF_DB_VALUES_MAX)
        return bf_fail(err, BF_INTERNAL, "A statement has more than %d parameters.", BF_DB_VALUES_MAX);
    for (size_t i = 0; i < count; i++) {
        ret[i] = values[i];
        if (!ret[i].data && (ret[i].kind == BF_VALUE_TEXT || ret[i].kind == BF_VALUE_BLOB))
            ret[i] = (bf_value){.kind = BF_VALUE_NULL};
        if (ret[i].kind == BF_VALUE_TEXT && !bf_utf8_valid(ret[i].data))
            return bf_fail(err, BF_INTERNAL, "A text for the store is not UTF-8.");
        if (ret[i].kind == BF_VALUE_TEXT)
            ret[i].size = strlen(ret[i].data);
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
