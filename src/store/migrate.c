#include "store/migrate.h"

#include "base/error.h"
#include "store/schema.h"
#include "store/time.h"

#define MIGRATION_MS_MAX 600000 /* changing large tables takes its time, and so does waiting for who does it */

/* 0 when there are no tables of ours. */
static bf_status read_version(bf_db *db, int64_t *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *found = NULL;
    bf_status status =
        bf_db_query(db, db->driver->has_table_sql, BF_VALUES(bf_value_text(BF_SCHEMA_TABLE)), &found, err);
    int64_t version = 0;
    if (status == BF_OK && bf_rows_count(found)) {
        bf_rows_free(&found);
        status = bf_db_query(db, "SELECT version FROM " BF_SCHEMA_TABLE, BF_NO_VALUES, &found, err);
        if (status == BF_OK && bf_rows_next(found))
            version = bf_rows_integer(found, 0);
    }
    if (status == BF_OK)
        *ret = version;
    return status;
}

static bf_status fail_newer(int64_t version, bf_error *err)
{
    bf_fail(err, BF_STORE_NEWER, "The store was made by a newer version of bonafide.");
    bf_fail_detail(err, "Schema version %lld; this program knows %d.", (long long)version, BF_SCHEMA_VERSION);
    bf_fail_hint(err, "Install the newer version, or restore the backup that was made before it.");
    return BF_STORE_NEWER;
}

/* Called with the lock held, so the version is read again: another replica may have been faster. */
static bf_status bring_forward(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    int64_t version = 0;
    bf_status status = read_version(db, &version, err);
    if (status != BF_OK || version == BF_SCHEMA_VERSION)
        return status;
    if (version > BF_SCHEMA_VERSION)
        return fail_newer(version, err);
    if (version == 0)
        status = db->driver->script(db, BF_SCHEMA_TABLE_SQL, err);
    for (const bf_migration *step = BF_MIGRATIONS; step->version && status == BF_OK; step++)
        if (step->version > version)
            status = db->driver->script(db, step->sql, err);
    if (status != BF_OK)
        return status;
    return bf_db_run(db, "UPDATE " BF_SCHEMA_TABLE " SET version = $1, migrated_ms = $2",
                     BF_VALUES(bf_value_integer(BF_SCHEMA_VERSION), bf_value_integer(bf_time_now_ms())), NULL, err);
}

static bf_status look(bf_db *db, int64_t *ret_version, bf_error *err)
{
    bf_status status = db->driver->begin(db, BF_BEGIN_READ, err);
    if (status != BF_OK)
        return status;
    status = read_version(db, ret_version, err);
    db->driver->rollback(db);
    return status;
}

static bf_status change(bf_db *db, bf_error *err)
{
    bf_status status = db->driver->begin(db, BF_BEGIN_MIGRATE, err);
    if (status != BF_OK)
        return status;
    status = bf_db_call(db, bring_forward, NULL, err);
    if (status != BF_OK) {
        db->driver->rollback(db);
        return status;
    }
    if (db->driver->commit(db, err) == BF_COMMITTED)
        return BF_OK;
    return BF_STORE_UNAVAILABLE;
}

bf_status bf_migrate(bf_db *db, bool may_change, bf_error *err)
{
    int64_t version = 0;
    bf_status status = look(db, &version, err);
    if (status != BF_OK || version == BF_SCHEMA_VERSION)
        return status;
    if (version > BF_SCHEMA_VERSION)
        return fail_newer(version, err);
    if (!may_change)
        return bf_fail(err, BF_STORE_UNAVAILABLE, "The store has not been brought forward to this version yet.");
    double deadline_ms = db->deadline_ms;
    db->deadline_ms = bf_time_steady_ms() + MIGRATION_MS_MAX;
    status = change(db, err);
    db->deadline_ms = deadline_ms;
    return status;
}
