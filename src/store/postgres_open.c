#include "store/postgres.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/time.h"

/* Waits for the socket; false when the deadline has come. */
static bool wait_for_socket(const bf_postgres *db, short events)
{
    struct pollfd watched = {.fd = PQsocket(db->connection), .events = events};
    for (;;) {
        int left_ms = bf_db_remaining_ms(&db->base);
        int ready = poll(&watched, 1, left_ms);
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

static bf_status fail_lost(bf_postgres *db, const char *why, bf_error *err)
{
    db->base.lost = true;
    bf_fail(err, BF_STORE_UNAVAILABLE, "The connection to the store is lost.");
    bf_fail_detail(err, "PostgreSQL: %.*s", (int)strcspn(why, "\n"), why);
    return BF_STORE_UNAVAILABLE;
}

bf_status bf_postgres_fail(bf_postgres *db, const PGresult *result, bf_error *err)
{
    const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (PQstatus(db->connection) != CONNECTION_OK)
        return fail_lost(db, said ? said : PQerrorMessage(db->connection), err);
    /* The tables are others than when the statement was prepared: a new connection prepares anew. */
    if (code && (strcmp(code, "0A000") == 0 || strcmp(code, "26000") == 0))
        db->base.lost = true;
    bf_fail(err, BF_STORE_UNAVAILABLE, "The store could not be read or written.");
    bf_fail_detail(err, "PostgreSQL: %s (%s)", said ? said : "no reason", code ? code : "-");
    return BF_STORE_UNAVAILABLE;
}

/* Sends all that libpq has queued, reading what comes meanwhile so that neither side waits for the other. */
static bool flush(const bf_postgres *db)
{
    int left;
    while ((left = PQflush(db->connection)) == 1)
        if (!wait_for_socket(db, POLLIN | POLLOUT) || !PQconsumeInput(db->connection))
            return false;
    return left == 0;
}

static bool read_until_idle(const bf_postgres *db)
{
    while (PQisBusy(db->connection))
        if (!wait_for_socket(db, POLLIN) || !PQconsumeInput(db->connection))
            return !PQisBusy(db->connection);
    return true;
}

static bool is_error(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

bf_status bf_postgres_finish(bf_postgres *db, int sent, PGresult **ret, bf_error *err)
{
    /* A connection that broke while sending may still hold the server's parting words. */
    if (!sent)
        return fail_lost(db, PQerrorMessage(db->connection), err);
    (void)flush(db);
    PGresult *kept = NULL;
    for (;;) {
        if (!read_until_idle(db)) {
            PQclear(kept);
            return fail_lost(db, "no answer in time", err);
        }
        PGresult *next = PQgetResult(db->connection);
        if (!next)
            break;
        if (kept && is_error(kept)) {
            PQclear(next);
            continue;
        }
        PQclear(kept);
        kept = next;
    }
    if (!kept || is_error(kept)) {
        bf_status status = kept ? bf_postgres_fail(db, kept, err) : fail_lost(db, "no answer", err);
        PQclear(kept);
        return status;
    }
    *ret = kept;
    return BF_OK;
}

bf_status bf_postgres_command(bf_postgres *db, const char *sql, PGresult **ret, bf_error *err)
{
    PGresult *result = NULL;
    bf_status status = bf_postgres_finish(db, PQsendQuery(db->connection, sql), &result, err);
    if (status != BF_OK)
        return status;
    if (ret)
        *ret = result;
    else
        PQclear(result);
    return BF_OK;
}

static void discard_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* libpq resolves names before the first poll, for as long as the system's resolver takes. */
static bf_status connect_in_time(bf_postgres *db, const bf_connect *connect, bf_error *err)
{
    char wait_ms[16];
    (void)snprintf(wait_ms, sizeof wait_ms, "%d", connect->wait_ms_max);
    const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", "tcp_user_timeout", NULL};
    const char *const values[] = {connect->target, "bonafide", "UTF8", wait_ms, NULL};
    db->connection = PQconnectStartParams(names, values, 1);
    if (!db->connection)
        return bf_fail_memory(err);
    (void)PQsetNoticeReceiver(db->connection, discard_notice, NULL);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (PQstatus(db->connection) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
        if (!wait_for_socket(db, next == PGRES_POLLING_READING ? POLLIN : POLLOUT))
            return fail_lost(db, "no connection in time", err);
        next = PQconnectPoll(db->connection);
    }
    if (PQstatus(db->connection) != CONNECTION_OK)
        return fail_lost(db, PQerrorMessage(db->connection), err);
    if (PQsetnonblocking(db->connection, 1) != 0)
        return bf_fail_memory(err);
    return BF_OK;
}

/* The server's own limits are there for when this process or the network between is gone: a lock that nobody will
 * release is released. */
static bf_status configure(bf_postgres *db, const bf_connect *connect, bf_error *err)
{
    const char *encoding = PQparameterStatus(db->connection, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        bf_fail(err, BF_STORE_UNAVAILABLE, "The PostgreSQL database does not store text as UTF-8.");
        bf_fail_hint(err, "Create it with ENCODING 'UTF8'.");
        return BF_STORE_UNAVAILABLE;
    }
    char sql[512];
    int wait_ms = connect->wait_ms_max;
    (void)snprintf(sql, sizeof sql,
                   "SET synchronous_commit = on; SET statement_timeout = %d; SET lock_timeout = %d;"
                   "SET idle_in_transaction_session_timeout = %d; SET standard_conforming_strings = on;"
                   "SET client_min_messages = warning",
                   wait_ms, wait_ms / 2 + 1, wait_ms < 1000 ? 1000 : wait_ms);
    return bf_postgres_command(db, sql, NULL, err);
}

static bf_status check_uri(const char *uri, bf_error *err)
{
    char *said = NULL;
    PQconninfoOption *parsed = PQconninfoParse(uri, &said);
    bool valid = parsed != NULL;
    PQconninfoFree(parsed);
    PQfreemem(said); /* it may repeat a password */
    return valid ? BF_OK : bf_fail(err, BF_CONFIG_INVALID, "The address of the store is not a PostgreSQL URI.");
}

bf_status bf_postgres_open(const bf_connect *connect, bf_db **ret, bf_error *err)
{
    bf_status status = check_uri(connect->target, err);
    if (status != BF_OK)
        return status;
    bf_postgres *db = bf_calloc(1, sizeof *db);
    if (!db)
        return bf_fail_memory(err);
    db->base.driver = &BF_POSTGRES;
    db->base.deadline_ms = bf_time_steady_ms() + connect->wait_ms_max;
    status = connect_in_time(db, connect, err);
    if (status == BF_OK)
        status = configure(db, connect, err);
    if (status != BF_OK) {
        bf_postgres_close(&db->base);
        return status;
    }
    *ret = &db->base;
    return BF_OK;
}

void bf_postgres_close(bf_db *base)
{
    bf_postgres *db = (bf_postgres *)base;
    PQfinish(db->connection);
    bf_free(db);
}
