/* The routes that tell about the server itself. */
#include <stdio.h>
#include <string.h>

#include "audit/log.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "bonafide/words.h"
#include "record/parse.h"
#include "server/exchange.h"
#include "server/spec.h"
#include "server/tls.h"
#include "store/time.h"

static enum MHD_Result answer_text(bf_exchange *exchange, int status, const char *type, const char *text)
{
    bf_bytes body = {.data = bf_malloc(strlen(text) + 1), .size = strlen(text)};
    if (!body.data) {
        (void)bf_fail_memory(&exchange->err);
        return bf_exchange_answer_error(exchange, &exchange->err);
    }
    memcpy(body.data, text, body.size + 1);
    return bf_exchange_answer(exchange, status, type, &body);
}

static enum MHD_Result answer_json(bf_exchange *exchange, int status, const json_t *json)
{
    char text[2048];
    size_t size = json ? json_dumpb(json, text, sizeof text - 1, JSON_COMPACT) : 0;
    if (size == 0 || size >= sizeof text) {
        (void)bf_fail_memory(&exchange->err);
        return bf_exchange_answer_error(exchange, &exchange->err);
    }
    text[size] = '\0';
    return answer_text(exchange, status, "application/json", text);
}

static enum MHD_Result health(bf_exchange *exchange)
{
    BF_CLEANUP(bf_json_release) json_t *json = json_pack("{s:s, s:s}", "status", "alive", "version", bf_version());
    return answer_json(exchange, MHD_HTTP_OK, json);
}

/* What the store tells beside the service: the newest entry of the audit log and the kill switch. */
typedef struct store_facts {
    int64_t audit_size, audit_ms;
    bool kill_switch;
} store_facts;

static bf_status read_facts(bf_db *db, void *context, bf_error *err)
{
    store_facts *facts = context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT size, at_ms FROM audit_head WHERE one = 1", BF_NO_VALUES, &rows, err);
    if (status != BF_OK)
        return status;
    if (bf_rows_next(rows)) {
        facts->audit_size = bf_rows_integer(rows, 0);
        facts->audit_ms = bf_rows_integer(rows, 1);
    }
    bf_rows_free(&rows);
    return bf_kill_switch_read(db, &facts->kill_switch, err);
}

static const char *check_clock(bf_server *server, const store_facts *facts)
{
    bool jumped = false;
    double jump_ms = 0;
    const char *told =
        bf_clock_check(&server->clock, bf_time_now_ms(), bf_time_steady_ms(), facts->audit_ms, &jumped, &jump_ms);
    if (jumped)
        bf_log_event(server->parts.log, BF_LOG_WARNING, "clock", "The clock was set by %.1f s.", jump_ms / 1e3);
    return told;
}

static const char *check_certificate(const bf_server *server)
{
    int64_t now_s = bf_time_now_ms() / 1000;
    if (!server->tls)
        return "ok";
    return now_s >= bf_tls_expires_s() ? "the certificate has expired"
           : now_s < bf_tls_begins_s() ? "the certificate is not valid yet"
                                       : "ok";
}

static bool is_ready(bf_server *server, store_facts *facts, json_t **ret_checks)
{
    bf_pool_facts pool = {0};
    bf_store_facts store = {0};
    bf_error none = {0};
    bf_pool_look(server->parts.pool, &pool);
    bf_store_look(server->parts.store, &store);
    bool readable = bf_store_read(server->parts.store, read_facts, facts, &none) == BF_OK;
    const char *told[] = {
        pool.ready ? "ok" : "no worker takes jobs",
        !readable        ? "the store cannot be read"
        : store.writable ? "ok"
                         : "the store cannot be written",
        check_clock(server, facts),
        check_certificate(server),
        atomic_load(&server->draining) ? "the server is ending" : "ok",
    };
    if (ret_checks)
        *ret_checks = json_pack("{s:s, s:s, s:s, s:s, s:s}", "workers", told[0], "store", told[1], "clock", told[2],
                                "certificate", told[3], "running", told[4]);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        if (strcmp(told[i], "ok") != 0)
            return false;
    }
    return true;
}

static enum MHD_Result ready(bf_exchange *exchange)
{
    store_facts facts = {0};
    json_t *checks = NULL;
    bool good = is_ready(exchange->server, &facts, &checks);
    BF_CLEANUP(bf_json_release)
    json_t *json = json_pack("{s:s, s:o}", "status", good ? "ready" : "not_ready", "checks", checks);
    return answer_json(exchange, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, json);
}

static void fill_gauges(bf_server *server, bf_metrics_gauges *ret)
{
    bf_pool_facts pool = {0};
    bf_store_facts store = {0};
    store_facts facts = {0};
    ret->ready = is_ready(server, &facts, NULL);
    bf_pool_look(server->parts.pool, &pool);
    bf_store_look(server->parts.store, &store);
    ret->workers = pool.workers;
    ret->workers_busy = pool.busy;
    ret->queue_depth = pool.queued;
    ret->queue_max = pool.queue_max;
    ret->worker_restarts = pool.restarts;
    ret->jobs_lost = pool.lost;
    ret->jobs_refused = pool.refused;
    ret->store_commits = store.commits;
    ret->store_writes = store.writes;
    ret->store_failures = store.failures;
    ret->store_commit_seconds = store.commit_ms_sum / 1e3;
    ret->audit_size = facts.audit_size;
    ret->kill_switch = facts.kill_switch;
    ret->connections = bf_connections_count(server->connections);
    ret->certificate_expires_s = server->tls ? (double)bf_tls_expires_s() : 0;
}

static enum MHD_Result metrics(bf_exchange *exchange)
{
    bf_metrics_gauges gauges = {0};
    bf_bytes text = {0};
    bf_status status = bf_exchange_admit_metrics(exchange, &exchange->err);
    if (status == BF_OK) {
        fill_gauges(exchange->server, &gauges);
        status = bf_metrics_write(exchange->server->parts.metrics, &gauges, &text, &exchange->err);
    }
    if (status != BF_OK)
        return bf_exchange_answer_error(exchange, &exchange->err);
    return bf_exchange_answer(exchange, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &text);
}

static enum MHD_Result openapi(bf_exchange *exchange)
{
    return answer_text(exchange, MHD_HTTP_OK, "application/json", BF_OPENAPI_JSON);
}

static enum MHD_Result docs(bf_exchange *exchange)
{
    return answer_text(exchange, MHD_HTTP_OK, "text/html; charset=utf-8", BF_DOCS_HTML);
}

bool bf_exchange_page(bf_exchange *exchange, enum MHD_Result *ret)
{
    static const struct {
        const char *name;
        enum MHD_Result (*answer)(bf_exchange *);
    } PAGES[] = {{"health", health}, {"ready", ready}, {"metrics", metrics}, {"openapi", openapi}, {"docs", docs}};
    for (size_t i = 0; i < sizeof PAGES / sizeof PAGES[0]; i++) {
        if (strcmp(exchange->found.route->operation, PAGES[i].name) != 0)
            continue;
        json_t *query = NULL;
        bf_status status = bf_route_query(&exchange->found, &query, &exchange->err);
        json_decref(query);
        *ret = status == BF_OK ? PAGES[i].answer(exchange) : bf_exchange_answer_error(exchange, &exchange->err);
        return true;
    }
    return false;
}
