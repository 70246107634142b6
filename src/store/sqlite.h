/* One SQLite connection. Private to the SQLite driver. */
#ifndef BF_STORE_SQLITE_H
#define BF_STORE_SQLITE_H

#include <sqlite3.h>

#include "store/driver.h"
#include "store/statements.h"

#define BF_WAL_PAGES_MANY 8000

typedef struct bf_sqlite {
    bf_db base;
    sqlite3 *handle;
    bf_statements statements;
    int wal_pages;      /* in the write-ahead log after the last commit */
    int wal_pages_many; /* how many are worth waiting for readers, so that the log begins anew */
} bf_sqlite;

/* Opens with everything set that the store relies on. */
bf_status bf_sqlite_open(const bf_connect *connect, bf_db **ret, bf_error *err);
void bf_sqlite_close(bf_db *db);

void bf_sqlite_forget_statements(bf_sqlite *db);

/* STORE_UNAVAILABLE (OUT_OF_MEMORY) with SQLite's own words as detail. */
bf_status bf_sqlite_fail(sqlite3 *handle, int code, bf_error *err, const char *message);

/* Whether the database was removed or replaced, or its log removed: what is written then is lost. */
bool bf_sqlite_moved(const bf_sqlite *db);

#endif
