/* What a database does for the store. Private to src/store. */
#ifndef BF_STORE_DRIVER_H
#define BF_STORE_DRIVER_H

#include "store/db.h"
#include "store/rows.h"

#define BF_DB_VALUES_MAX 64               /* parameters of one statement */
#define BF_DB_VALUE_BYTES_MAX (64u << 20) /* one text or blob */

typedef struct bf_driver bf_driver;

typedef struct bf_connect {
    const char *target; /* path of the SQLite file, or the PostgreSQL URI */
    int wait_ms_max;
    bool create;    /* make a SQLite file that is not there */
    bool read_only; /* every transaction reads */
} bf_connect;

/* The part of a connection that all drivers have; a driver's own structure begins with it. */
struct bf_db {
    const bf_driver *driver;
    double deadline_ms; /* bf_time_steady_ms() at which whatever runs must have ended; set before each transaction */
    bool failed;        /* a statement failed since the flag was last cleared */
    bool lost;          /* the connection or its transaction is gone: close it, nothing of the transaction is kept */
    bf_error failure;   /* of the statement that set `failed` */
};

typedef enum bf_begin { BF_BEGIN_READ, BF_BEGIN_WRITE, BF_BEGIN_MIGRATE } bf_begin;

/* Before the first write of a batch, between two, and to undo the one that failed. A commit keeps the last. */
typedef enum bf_savepoint { BF_SAVEPOINT_SET, BF_SAVEPOINT_NEXT, BF_SAVEPOINT_UNDO } bf_savepoint;

typedef enum bf_outcome { BF_COMMITTED, BF_NOT_COMMITTED, BF_OUTCOME_UNKNOWN } bf_outcome;

/* All of it may set db->lost. Errors are STORE_UNAVAILABLE, OUT_OF_MEMORY, INTERNAL (a statement that is misused). */
struct bf_driver {
    const char *kind;
    const char *has_table_sql; /* gives a row when there is a table of the name $1 */
    bf_status (*open)(const bf_connect *connect, bf_db **ret, bf_error *err);
    void (*close)(bf_db *db);
    bf_status (*run)(bf_db *db, const char *sql, const bf_value *values, size_t count, int64_t *ret_changed,
                     bf_rows *ret_rows, bf_error *err);             /* ret_rows may be NULL: rows are then dropped */
    bf_status (*script)(bf_db *db, const char *sql, bf_error *err); /* statements of a migration */
    bf_status (*begin)(bf_db *db, bf_begin kind, bf_error *err);    /* a failed begin leaves no transaction */
    bf_status (*savepoint)(bf_db *db, bf_savepoint step, bf_error *err);
    bf_outcome (*commit)(bf_db *db, bf_error *err); /* whatever it returns, the transaction is over */
    void (*rollback)(bf_db *db);
    /* Upkeep after a commit, outside of transactions; `idle`: nothing waits. True when nothing is left to be done. */
    bool (*tidy)(bf_db *db, bool idle);
};

extern const bf_driver BF_SQLITE;
extern const bf_driver BF_POSTGRES;

/* Opens with db->deadline_ms as `deadline_ms`, and checks the schema or brings it forward (bf_migrate). */
bf_status bf_db_open(const bf_driver *driver, const bf_connect *connect, double deadline_ms, bool may_change,
                     bf_db **ret, bf_error *err);
void bf_db_close(bf_db **db); /* accepts NULL */

/* Clears db->failed and runs `fn`; a statement that failed fails it, also when it returns BF_OK all the same, because
 * PostgreSQL would keep nothing that follows such a statement. */
bf_status bf_db_call(bf_db *db, bf_status (*fn)(bf_db *, void *, bf_error *), void *context, bf_error *err);

/* Milliseconds until the deadline, at least 0. */
int bf_db_remaining_ms(const bf_db *db);

#endif
