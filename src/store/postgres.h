/* One PostgreSQL connection. Private to the PostgreSQL driver. */
#ifndef BF_STORE_POSTGRES_H
#define BF_STORE_POSTGRES_H

#include <libpq-fe.h>

#include "store/driver.h"
#include "store/statements.h"

/* Numbers of types, as in PostgreSQL's pg_type, whose values count as integer, text or blob. */
enum {
    BF_POSTGRES_BOOL = 16,
    BF_POSTGRES_BYTEA = 17,
    BF_POSTGRES_NAME = 19,
    BF_POSTGRES_INT8 = 20,
    BF_POSTGRES_INT2 = 21,
    BF_POSTGRES_INT4 = 23,
    BF_POSTGRES_TEXT = 25,
    BF_POSTGRES_VARCHAR = 1043,
    BF_POSTGRES_NUMERIC = 1700
};

typedef struct bf_postgres {
    bf_db base;
    PGconn *connection;
    bf_statements statements;
    unsigned statements_made; /* for their names */
} bf_postgres;

bf_status bf_postgres_open(const bf_connect *connect, bf_db **ret, bf_error *err);
void bf_postgres_close(bf_db *db);

/* Sends what was queued by a PQsend function, which returned `sent`, and waits for the whole answer until the
 * deadline. Of several results *ret is the first error, else the last; the caller clears it. Without an answer the
 * connection is lost. */
bf_status bf_postgres_finish(bf_postgres *db, int sent, PGresult **ret, bf_error *err);

/* One or more statements as text, without parameters. */
bf_status bf_postgres_command(bf_postgres *db, const char *sql, PGresult **ret, bf_error *err);

/* STORE_UNAVAILABLE with the first line of what PostgreSQL says, which has no values in it. */
bf_status bf_postgres_fail(bf_postgres *db, const PGresult *result, bf_error *err);

/* Copies the rows of a binary result. */
bf_status bf_postgres_rows(const PGresult *result, bf_rows *ret, bf_error *err);

#endif
