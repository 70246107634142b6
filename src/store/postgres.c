#include "store/postgres.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define INTEGER_TEXT_SIZE 24
#define MIGRATION_LOCK "7310892454371022949" /* a number of our own; replicas that start at once queue for it */

static void name_statement(char ret[24], unsigned number)
{
    (void)snprintf(ret, 24, "s%u", number);
}

static bf_status forget_statements(bf_postgres *db, bf_error *err)
{
    memset(&db->statements, 0, sizeof db->statements);
    return bf_postgres_command(db, "DEALLOCATE ALL", NULL, err);
}

/* Type numbers to prepare with, NULLs with `of_null`. True when there is a NULL. */
static bool choose_types(const bf_value *values, size_t count, Oid of_null, Oid ret[BF_DB_VALUES_MAX])
{
    bool has_null = false;
    for (size_t i = 0; i < count; i++)
        switch (values[i].kind) {
        case BF_VALUE_INTEGER:
            ret[i] = BF_POSTGRES_INT8;
            break;
        case BF_VALUE_TEXT:
            ret[i] = BF_POSTGRES_TEXT;
            break;
        case BF_VALUE_BLOB:
            ret[i] = BF_POSTGRES_BYTEA;
            break;
        case BF_VALUE_NULL:
            ret[i] = of_null;
            has_null = true;
            break;
        }
    return has_null;
}

static bf_status prepare_as(bf_postgres *db, const char *name, const char *sql, size_t count, const Oid *types,
                            bf_error *err)
{
    PGresult *result = NULL;
    int sent = PQsendPrepare(db->connection, name, sql, (int)count, types);
    bf_status status = bf_postgres_finish(db, sent, &result, err);
    PQclear(result);
    return status;
}

/* A NULL says nothing about the type of its parameter, and PostgreSQL finds none in "$1 IS NULL OR name = $1". It is
 * text then. The savepoint is there because a statement that cannot be prepared fails the transaction. */
static bf_status prepare_typed(bf_postgres *db, const char *name, const char *sql, const bf_value *values, size_t count,
                               bf_error *err)
{
    Oid types[BF_DB_VALUES_MAX] = {0};
    if (!choose_types(values, count, 0, types))
        return prepare_as(db, name, sql, count, types, err);
    bf_status status = bf_postgres_command(db, "SAVEPOINT one_prepare", NULL, err);
    if (status != BF_OK)
        return status;
    status = prepare_as(db, name, sql, count, types, err);
    if (status != BF_OK && !db->base.lost) {
        (void)choose_types(values, count, BF_POSTGRES_TEXT, types);
        status = bf_postgres_command(db, "ROLLBACK TO SAVEPOINT one_prepare", NULL, err);
        if (status == BF_OK)
            status = prepare_as(db, name, sql, count, types, err);
    }
    return status == BF_OK ? bf_postgres_command(db, "RELEASE SAVEPOINT one_prepare", NULL, err) : status;
}

static bf_status prepare(bf_postgres *db, const char *sql, const bf_value *values, size_t count, unsigned *ret,
                         bf_error *err)
{
    bf_status status = BF_OK;
    if (db->statements.count >= BF_STATEMENTS_MAX)
        status = forget_statements(db, err);
    if (status != BF_OK)
        return status;
    bf_statement *place = bf_statements_find(&db->statements, sql);
    if (!place->sql) {
        char name[24];
        name_statement(name, ++db->statements_made);
        status = prepare_typed(db, name, sql, values, count, err);
        if (status != BF_OK)
            return status;
        *place = (bf_statement){.sql = sql, .number = db->statements_made};
        db->statements.count++;
    }
    *ret = place->number;
    return BF_OK;
}

/* Integers go as text, which fits whatever integer type PostgreSQL inferred; blobs as they are. */
static int send(bf_postgres *db, unsigned number, const bf_value *values, size_t count)
{
    char name[24], integers[BF_DB_VALUES_MAX][INTEGER_TEXT_SIZE];
    const char *data[BF_DB_VALUES_MAX] = {0};
    int sizes[BF_DB_VALUES_MAX] = {0}, formats[BF_DB_VALUES_MAX] = {0};
    name_statement(name, number);
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind == BF_VALUE_INTEGER) {
            (void)snprintf(integers[i], sizeof integers[i], "%lld", (long long)values[i].integer);
            data[i] = integers[i];
        } else if (values[i].kind != BF_VALUE_NULL) {
            data[i] = values[i].data;
            sizes[i] = (int)values[i].size;
            formats[i] = values[i].kind == BF_VALUE_BLOB;
        }
    }
    return PQsendQueryPrepared(db->connection, name, (int)count, data, sizes, formats, 1);
}

static int64_t changed_rows(PGresult *result)
{
    return strncmp(PQcmdStatus(result), "SELECT", 6) == 0 ? 0 : strtoll(PQcmdTuples(result), NULL, 10);
}

static bf_status run(bf_db *base, const char *sql, const bf_value *values, size_t count, int64_t *ret_changed,
                     bf_rows *ret_rows, bf_error *err)
{
    bf_postgres *db = (bf_postgres *)base;
    unsigned number = 0;
    bf_status status = prepare(db, sql, values, count, &number, err);
    if (status != BF_OK)
        return status;
    PGresult *result = NULL;
    status = bf_postgres_finish(db, send(db, number, values, count), &result, err);
    if (status != BF_OK)
        return status;
    if (ret_rows)
        status = bf_postgres_rows(result, ret_rows, err);
    if (status == BF_OK && ret_changed)
        *ret_changed = changed_rows(result);
    PQclear(result);
    return status;
}

/* "INTEGER" becomes "BIGINT", "BLOB" becomes "BYTEA", where they are whole words. The caller frees. */
static char *to_postgres(const char *sql)
{
    char *text = bf_malloc(strlen(sql) * 2 + 1);
    if (!text)
        return NULL;
    char *to = text;
    while (*sql) {
        size_t word = 0;
        while (isalnum((unsigned char)sql[word]) || sql[word] == '_')
            word++;
        const char *from = sql;
        size_t size = word ? word : 1;
        sql += size;
        if (word == 7 && memcmp(from, "INTEGER", 7) == 0) {
            from = "BIGINT";
            size = 6;
        } else if (word == 4 && memcmp(from, "BLOB", 4) == 0) {
            from = "BYTEA";
            size = 5;
        }
        memcpy(to, from, size);
        to += size;
    }
    *to = 0;
    return text;
}

static bf_status script(bf_db *base, const char *sql, bf_error *err)
{
    BF_CLEANUP(bf_free_string) char *text = to_postgres(sql);
    if (!text)
        return bf_fail_memory(err);
    return bf_postgres_command((bf_postgres *)base, text, NULL, err);
}

static void rollback(bf_db *base)
{
    bf_postgres *db = (bf_postgres *)base;
    if (!base->lost && bf_postgres_command(db, "ROLLBACK", NULL, NULL) != BF_OK)
        base->lost = true;
}

/* The row of audit_head is what writers of all replicas queue for. What they then read is as of after they got it,
 * since each statement sees what was committed before it. */
static const char *const BEGIN[] = {
    [BF_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    [BF_BEGIN_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                       "SELECT one FROM audit_head WHERE one = 1 FOR UPDATE",
    [BF_BEGIN_MIGRATE] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                         "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
                         "SELECT pg_advisory_xact_lock(" MIGRATION_LOCK ")",
};

static bf_status begin(bf_db *base, bf_begin kind, bf_error *err)
{
    bf_postgres *db = (bf_postgres *)base;
    PGresult *result = NULL;
    bf_status status = bf_postgres_command(db, BEGIN[kind], &result, err);
    if (status == BF_OK && kind == BF_BEGIN_WRITE && PQntuples(result) != 1)
        status = bf_fail(err, BF_STORE_UNAVAILABLE, "The store has lost the row that orders its writers.");
    PQclear(result);
    if (status != BF_OK)
        rollback(base);
    return status;
}

static bf_status savepoint(bf_db *base, bf_savepoint step, bf_error *err)
{
    static const char *const commands[] = {
        [BF_SAVEPOINT_SET] = "SAVEPOINT one_write",
        [BF_SAVEPOINT_NEXT] = "RELEASE SAVEPOINT one_write; SAVEPOINT one_write",
        [BF_SAVEPOINT_UNDO] = "ROLLBACK TO SAVEPOINT one_write",
    };
    return bf_postgres_command((bf_postgres *)base, commands[step], NULL, err);
}

/* Only an answer on a connection that lives on says for certain that nothing was committed: a server that ends may
 * commit and not come to say so. */
static bf_outcome commit(bf_db *base, bf_error *err)
{
    bf_postgres *db = (bf_postgres *)base;
    bool reachable = !base->lost && PQstatus(db->connection) == CONNECTION_OK;
    PGresult *result = NULL;
    bf_status status = bf_postgres_command(db, "COMMIT", &result, err);
    bool committed = status == BF_OK && strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    if (committed)
        return BF_COMMITTED;
    if (status == BF_OK)
        (void)bf_fail(err, BF_STORE_UNAVAILABLE, "The store rolled the transaction back.");
    if (!reachable || (!base->lost && PQtransactionStatus(db->connection) == PQTRANS_IDLE))
        return BF_NOT_COMMITTED;
    base->lost = true;
    return BF_OUTCOME_UNKNOWN;
}

static bool tidy(bf_db *db, bool idle)
{
    (void)db;
    (void)idle;
    return true;
}

const bf_driver BF_POSTGRES = {
    .kind = "postgresql",
    .has_table_sql = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass($1)",
    .open = bf_postgres_open,
    .close = bf_postgres_close,
    .run = run,
    .script = script,
    .begin = begin,
    .savepoint = savepoint,
    .commit = commit,
    .rollback = rollback,
    .tidy = tidy,
};
