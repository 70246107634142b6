#include "server/server.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "server/exchange.h"
#include "server/tls.h"
#include "store/time.h"

static void tell_cut(void *context, const char *request_id, bool while_receiving, const bf_ip *ip)
{
    const bf_server *server = context;
    (void)ip;
    const bf_log_request line = {
        .request_id = request_id,
        .http = while_receiving ? MHD_HTTP_REQUEST_TIMEOUT : 0,
        .code = while_receiving ? "REQUEST_TOO_SLOW" : "ANSWER_NOT_TAKEN",
    };
    bf_log_write(server->parts.log, &line);
    bf_metrics_security(server->parts.metrics, BF_SECURITY_SLOW_CLIENT);
    /* A request whose answer was not taken counts with that answer. */
    if (while_receiving)
        bf_metrics_request(server->parts.metrics, "other", MHD_HTTP_REQUEST_TIMEOUT, 0);
}

static bf_connection_limits limits_of(const bf_config *config)
{
    return (bf_connection_limits){.total = config->limits.connections_max,
                                  .per_address = config->limits.connections_per_address,
                                  .request_s = config->limits.request_s_max,
                                  .idle_s = config->limits.idle_s_max};
}

static bf_status add_generation(bf_server *server, const bf_config *config, bf_error *err)
{
    bf_generation *next = bf_calloc(1, sizeof *next);
    if (!next)
        return bf_fail_memory(err);
    next->config = *config;
    next->older = atomic_load(&server->generation);
    atomic_store(&server->generation, next);
    return BF_OK;
}

static bf_status open_listeners(bf_server *server, const bf_config *config, bf_error *err)
{
    for (int i = 0; i < config->listen_count; i++) {
        bf_status status = bf_listener_open(&server->listener[i], server, &config->listen[i], server->tls, config, err);
        if (status != BF_OK)
            return status;
        server->listener_count = i + 1;
    }
    return BF_OK;
}

bf_status bf_server_new(const bf_config *config, const bf_server_parts *parts, bf_server **ret, bf_error *err)
{
    bf_server *server = bf_calloc(1, sizeof *server);
    if (!server)
        return bf_fail_memory(err);
    server->parts = *parts;
    bf_clock_init(&server->clock, bf_time_now_ms(), bf_time_steady_ms());
    server->tls = config->tls_certificate[0] != '\0';
    bf_master_derive(parts->master, "address", server->address_key);
    const bf_connection_limits limits = limits_of(config);
    bf_status status = add_generation(server, config, err);
    if (status == BF_OK && server->tls)
        status = bf_tls_load(config->tls_certificate, config->tls_key, err);
    if (status == BF_OK)
        status = bf_connections_new(&limits, tell_cut, server, &server->connections, err);
    if (status == BF_OK)
        status = open_listeners(server, config, err);
    if (status == BF_OK)
        *ret = server;
    else
        bf_server_free(&server);
    return status;
}

static bool same_listeners(const bf_config *old, const bf_config *next)
{
    bool same = old->listen_count == next->listen_count;
    for (int i = 0; same && i < old->listen_count; i++)
        same = strcmp(old->listen[i].text, next->listen[i].text) == 0;
    return same;
}

static bool same_workers(const bf_config_workers *old, const bf_config_workers *next)
{
    return old->count == next->count && old->queue == next->queue && old->job_ms == next->job_ms &&
           old->memory_bytes == next->memory_bytes;
}

static bool same_engine(const bf_config *old, const bf_config *next)
{
    return strcmp(old->data, next->data) == 0 && strcmp(old->weights, next->weights) == 0 &&
           strcmp(old->fusion, next->fusion) == 0 && old->mirror == next->mirror;
}

static bool same_store(const bf_config *old, const bf_config *next)
{
    return strcmp(old->store_url, next->store_url) == 0 && old->store_readers == next->store_readers &&
           old->store_wait_ms == next->store_wait_ms;
}

/* What is in force keeps what needs a restart. */
static void tell_restart(const bf_server *server, const bf_config *old, const bf_config *next)
{
    const struct {
        const char *key;
        bool same;
    } rows[] = {
        {"listen", same_listeners(old, next)},
        {"tls", (old->tls_certificate[0] != '\0') == (next->tls_certificate[0] != '\0')},
        {"store", same_store(old, next)},
        {"master_key", strcmp(old->master_key, next->master_key) == 0},
        {"audit", strcmp(old->audit_key, next->audit_key) == 0 && strcmp(old->audit_origin, next->audit_origin) == 0},
        {"vault_dir", strcmp(old->vault_dir, next->vault_dir) == 0},
        {"engine", same_engine(old, next)},
        {"workers", same_workers(&old->workers, &next->workers)},
        {"sessions", memcmp(&old->sessions, &next->sessions, sizeof old->sessions) == 0},
        {"limits.header_bytes", old->limits.header_bytes_max == next->limits.header_bytes_max},
        {"limits.connections", old->limits.connections_max == next->limits.connections_max},
        {"rates.per_subject", old->per_subject.per_second == next->per_subject.per_second &&
                                  old->per_subject.burst == next->per_subject.burst},
        {"webhooks", old->webhooks_allow_private == next->webhooks_allow_private &&
                         old->webhooks_allow_http == next->webhooks_allow_http},
        {"log.file", strcmp(old->log_file, next->log_file) == 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].same)
            bf_log_event(server->parts.log, BF_LOG_WARNING, "reload", "A change of %s needs a restart.", rows[i].key);
    }
}

bf_status bf_server_reconfigure(bf_server *server, const bf_config *next, bf_error *err)
{
    const bf_config *old = &atomic_load(&server->generation)->config;
    bf_config merged = *old;
    bf_status status = BF_OK;
    if (server->tls && next->tls_certificate[0])
        status = bf_tls_load(next->tls_certificate, next->tls_key, err);
    if (status != BF_OK)
        return status;
    merged.limits = next->limits;
    merged.limits.header_bytes_max = old->limits.header_bytes_max;
    merged.limits.connections_max = old->limits.connections_max; /* the HTTP library was told at the start */
    merged.per_key = next->per_key;
    merged.per_address = next->per_address;
    memcpy(merged.trusted_proxies, next->trusted_proxies, sizeof merged.trusted_proxies);
    merged.trusted_proxy_count = next->trusted_proxy_count;
    memcpy(merged.cors_origins, next->cors_origins, sizeof merged.cors_origins);
    merged.cors_origin_count = next->cors_origin_count;
    merged.demo = next->demo;
    merged.metrics = next->metrics;
    merged.log_level = next->log_level;
    status = add_generation(server, &merged, err);
    if (status != BF_OK)
        return status;
    const bf_connection_limits limits = limits_of(&merged);
    bf_connections_set_limits(server->connections, &limits);
    bf_log_set_level(server->parts.log, merged.log_level);
    tell_restart(server, old, next);
    return BF_OK;
}

void bf_server_open_demo(bf_server *server, const bf_principal *who)
{
    server->demo = *who;
    atomic_store(&server->demo_open, true);
}

void bf_server_drain(bf_server *server)
{
    atomic_store(&server->draining, true);
    for (int i = 0; i < server->listener_count; i++)
        bf_listener_quiesce(&server->listener[i]);
    bf_connections_drain(server->connections);
}

int bf_server_busy(bf_server *server)
{
    return bf_connections_busy(server->connections);
}

void bf_server_free(bf_server **server)
{
    bf_server *one = *server;
    if (!one)
        return;
    for (int i = 0; i < one->listener_count; i++)
        bf_listener_close(&one->listener[i]);
    bf_connections_free(&one->connections);
    bf_tls_unload();
    bf_clock_done(&one->clock);
    for (bf_generation *at = atomic_load(&one->generation); at;) {
        bf_generation *older = at->older;
        bf_free(at);
        at = older;
    }
    sodium_memzero(one, sizeof *one);
    bf_free(one);
    *server = NULL;
}

int bf_server_url_count(const bf_server *server)
{
    return server->listener_count;
}

void bf_server_url(const bf_server *server, int index, char ret[BF_SERVER_URL_SIZE])
{
    const bf_listener *listener = &server->listener[index];
    const char *text = listener->address.text;
    if (listener->address.is_unix) {
        (void)snprintf(ret, BF_SERVER_URL_SIZE, "%s", text);
        return;
    }
    int host = (int)(strrchr(text, ':') - text);
    (void)snprintf(ret, BF_SERVER_URL_SIZE, "http%s://%.*s:%d", listener->tls ? "s" : "", host, text, listener->port);
}
