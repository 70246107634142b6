#include "support/store_place.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/must.h"

static const char *cluster(void)
{
    return getenv("BONAFIDE_TEST_POSTGRES");
}

bool test_has_postgres(void)
{
    return cluster() != NULL;
}

/* What stands before and after the "%s" of the cluster's URI, with the database's name between. */
static void name_database(char ret[TEST_URL_SIZE], const char *database)
{
    const char *uri = cluster();
    const char *at = strstr(uri, "%s");
    test_must(at != NULL, "BONAFIDE_TEST_POSTGRES has %s for the database");
    int length = snprintf(ret, TEST_URL_SIZE, "%.*s%s%s", (int)(at - uri), uri, database, at + 2);
    test_must(length > 0 && length < TEST_URL_SIZE, "the cluster's URI is short enough");
}

static void run_postgres(const char *url, const char *sql)
{
    PGconn *connection = PQconnectdb(url);
    test_must(PQstatus(connection) == CONNECTION_OK, PQerrorMessage(connection));
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    test_must(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, PQresultErrorMessage(result));
    PQclear(result);
    PQfinish(connection);
}

static void run_sqlite(const char *folder, const char *sql)
{
    char path[TEST_URL_SIZE + 16];
    (void)snprintf(path, sizeof path, "%s/store.db", folder);
    sqlite3 *handle = NULL;
    test_must(sqlite3_open(path, &handle) == SQLITE_OK, "the SQLite file opens");
    (void)sqlite3_busy_timeout(handle, 10000);
    test_must(sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(handle));
    (void)sqlite3_close(handle);
}

void test_store_place_run(const test_store_place *place, const char *sql)
{
    if (place->folder[0])
        run_sqlite(place->folder, sql);
    else
        run_postgres(place->url, sql);
}

static void administrate(const char *what, const char *database, const char *how)
{
    char url[TEST_URL_SIZE], sql[128];
    name_database(url, "postgres");
    (void)snprintf(sql, sizeof sql, "%s DATABASE %s%s", what, database, how);
    run_postgres(url, sql);
}

void test_store_place_new(test_store_place *ret, bool postgres)
{
    static int number;
    *ret = (test_store_place){0};
    number++;
    if (postgres) {
        (void)snprintf(ret->database, sizeof ret->database, "t%d_%d", (int)getpid(), number);
        administrate("CREATE", ret->database, "");
        name_database(ret->url, ret->database);
        return;
    }
    const char *parent = getenv("TMPDIR");
    (void)snprintf(ret->folder, sizeof ret->folder - 16, "%s/bonafide-store-XXXXXX", parent ? parent : "/tmp");
    test_must(mkdtemp(ret->folder) != NULL, "a temporary folder is made");
    test_must(snprintf(ret->url, sizeof ret->url, "sqlite:%s/store.db", ret->folder) < TEST_URL_SIZE, "it fits");
}

void test_store_place_done(test_store_place *place)
{
    if (!place->folder[0]) {
        administrate("DROP", place->database, " (FORCE)");
        return;
    }
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[TEST_URL_SIZE + 16];
        (void)snprintf(path, sizeof path, "%s/%s", place->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(place->folder);
}
