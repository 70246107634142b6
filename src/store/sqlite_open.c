#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret_file.h"
#include "store/time.h"

#define PATH_SIZE 4096

bf_status bf_sqlite_fail(sqlite3 *handle, int code, bf_error *err, const char *message)
{
    if ((code & 0xff) == SQLITE_NOMEM)
        return bf_fail_memory(err);
    bf_fail(err, BF_STORE_UNAVAILABLE, "%s", message);
    bf_fail_detail(err, "SQLite: %s (%d)", handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code), code);
    return BF_STORE_UNAVAILABLE;
}

bool bf_sqlite_moved(const bf_sqlite *db)
{
    int moved = 0;
    (void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved || !db->wal_pages)
        return moved != 0;
    struct stat log;
    return stat(sqlite3_filename_wal(sqlite3_db_filename(db->handle, "main")), &log) != 0;
}

/* Waits for another process's lock in short steps: SQLite's own handler waits up to 100 ms at a time, in which a busy
 * server takes the lock again and again. */
static int wait_for_lock(void *context, int waits)
{
    const bf_sqlite *db = context;
    int remaining = bf_db_remaining_ms(&db->base);
    if (remaining <= 0)
        return 0;
    int step_ms = waits < 20 ? 1 : waits < 100 ? 2 : 10;
    struct timespec step = {.tv_nsec = (step_ms < remaining ? step_ms : remaining) * 1000000L};
    (void)nanosleep(&step, NULL);
    return 1;
}

static int note_wal_pages(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    ((bf_sqlite *)context)->wal_pages = pages;
    return SQLITE_OK;
}

/* Only the owner may read the file; SQLite gives its log the same mode. The folder is synced, so that the file is still
 * there after a power failure. */
static bf_status create_file(const char *path, bf_error *err)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST)
        return BF_OK;
    if (file < 0) {
        int reason = errno;
        bf_fail(err, BF_STORE_UNAVAILABLE, "The store's file could not be made.");
        bf_fail_detail(err, "%s: %s", path, strerror(reason));
        return BF_STORE_UNAVAILABLE;
    }
    (void)close(file);
    (void)bf_sync_folder_of(path);
    return BF_OK;
}

static int configure(sqlite3 *handle)
{
    static const int on[] = {SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_ENABLE_FKEY};
    static const int off[] = {
        SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
        SQLITE_DBCONFIG_DQS_DML,        SQLITE_DBCONFIG_DQS_DDL,     SQLITE_DBCONFIG_TRUSTED_SCHEMA};
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof on / sizeof on[0] && code == SQLITE_OK; i++)
        code = sqlite3_db_config(handle, on[i], 1, NULL);
    for (size_t i = 0; i < sizeof off / sizeof off[0] && code == SQLITE_OK; i++)
        code = sqlite3_db_config(handle, off[i], 0, NULL);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, (int)BF_DB_VALUE_BYTES_MAX + (1 << 20));
    if (code != SQLITE_OK)
        return code;
    return sqlite3_exec(handle,
                        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                        "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 0",
                        NULL, NULL, NULL);
}

/* The journal mode is kept in the file. That of a file that only may be read is as the writer made it. Of two that
 * change it at once SQLite turns one away without asking its busy handler, so that neither waits for the other. */
static bf_status use_wal(bf_sqlite *db, bf_error *err)
{
    sqlite3_stmt *asked = NULL;
    int code = SQLITE_BUSY;
    for (int waits = 0; (code & 0xff) == SQLITE_BUSY && (waits == 0 || wait_for_lock(db, waits)); waits++) {
        (void)sqlite3_finalize(asked);
        code = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode = WAL", -1, &asked, NULL);
        if (code == SQLITE_OK)
            code = sqlite3_step(asked);
    }
    bool is_wal = code == SQLITE_ROW && sqlite3_stricmp((const char *)sqlite3_column_text(asked, 0), "wal") == 0;
    bf_status status = BF_OK;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        status = bf_sqlite_fail(db->handle, code, err, "The store could not be opened.");
    else if (!is_wal)
        status = bf_fail(err, BF_STORE_UNAVAILABLE, "The store's file system does not allow a write-ahead log.");
    (void)sqlite3_finalize(asked);
    return status;
}

static bf_status set_up(bf_sqlite *db, const bf_connect *connect, const char *path, bf_error *err)
{
    int flags = connect->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int code = sqlite3_open_v2(path, &db->handle,
                               flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_handler(db->handle, wait_for_lock, db);
    if (code == SQLITE_OK)
        code = configure(db->handle);
    if (code != SQLITE_OK) {
        bf_status status = bf_sqlite_fail(db->handle, code, err, "The store could not be opened.");
        if (status == BF_STORE_UNAVAILABLE && (code & 0xff) == SQLITE_CANTOPEN)
            bf_fail_hint(err, "See that the file exists and that this user may read and write it and its folder.");
        if ((code & 0xff) == SQLITE_NOTADB)
            bf_fail_hint(err, "Restore the file from a backup, or name another store.");
        return status;
    }
    if (connect->read_only)
        return BF_OK;
    (void)sqlite3_wal_hook(db->handle, note_wal_pages, db);
    return use_wal(db, err);
}

/* SQLite counts its memory under one lock of the whole process, for nobody. */
static void stop_counting(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bf_status bf_sqlite_open(const bf_connect *connect, bf_db **ret, bf_error *err)
{
    /* A name of SQLite's own (":memory:", "file:...") is a name like any other. */
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof path, "%s%s", connect->target[0] == '/' ? "" : "./", connect->target);
    if (length < 0 || (size_t)length >= sizeof path)
        return bf_fail(err, BF_CONFIG_INVALID, "The path of the store is too long.");
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, stop_counting);
    if (!sqlite3_threadsafe())
        return bf_fail(err, BF_STORE_UNAVAILABLE, "This SQLite library was built for one thread only.");
    if (connect->create && !connect->read_only) {
        bf_status status = create_file(path, err);
        if (status != BF_OK)
            return status;
    }
    bf_sqlite *db = bf_calloc(1, sizeof *db);
    if (!db)
        return bf_fail_memory(err);
    db->base.driver = &BF_SQLITE;
    db->wal_pages_many = BF_WAL_PAGES_MANY;
    db->base.deadline_ms = bf_time_steady_ms() + connect->wait_ms_max;
    bf_status status = set_up(db, connect, path, err);
    if (status != BF_OK) {
        bf_sqlite_close(&db->base);
        return status;
    }
    *ret = &db->base;
    return BF_OK;
}

void bf_sqlite_forget_statements(bf_sqlite *db)
{
    for (size_t i = 0; i < sizeof db->statements.place / sizeof db->statements.place[0]; i++)
        (void)sqlite3_finalize(db->statements.place[i].prepared);
    memset(&db->statements, 0, sizeof db->statements);
}

void bf_sqlite_close(bf_db *base)
{
    bf_sqlite *db = (bf_sqlite *)base;
    bf_sqlite_forget_statements(db);
    /* The last connection deletes the log by its name, which may be that of another database by now. */
    if (db->handle && bf_sqlite_moved(db))
        (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(db->handle);
    bf_free(db);
}
