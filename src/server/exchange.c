#include "server/exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "bonafide/words.h"
#include "record/parse.h"
#include "store/time.h"

#define FORM_BUFFER_BYTES 8192 /* of the form parser: a part's headers must fit */
#define DISCARD_BYTES_MAX                                                                                              \
    (256u << 10) /* of the body of a refused request that is taken in, so that the answer arrives */

static bf_connection *connection_of(struct MHD_Connection *http)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

void *bf_exchange_open(void *context, const char *target, struct MHD_Connection *http)
{
    bf_listener *listener = context;
    bf_exchange *exchange = bf_calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->listener = listener;
    exchange->server = listener->server;
    exchange->http = http;
    exchange->connection = connection_of(http);
    exchange->config = &atomic_load(&listener->server->generation)->config;
    exchange->began_ms = bf_time_steady_ms();
    memcpy(exchange->target, target, strnlen(target, sizeof exchange->target - 1));
    bf_connection_set_phase(listener->server->connections, exchange->connection, BF_PHASE_RECEIVING);
    return exchange;
}

static enum MHD_Result take_part(void *context, enum MHD_ValueKind kind, const char *key, const char *file,
                                 const char *type, const char *encoding, const char *data, uint64_t offset, size_t size)
{
    bf_exchange *exchange = context;
    (void)kind;
    (void)file;
    (void)type;
    if (encoding && strcmp(encoding, "binary") != 0 && strcmp(encoding, "8bit") != 0 && strcmp(encoding, "7bit") != 0)
        return bf_fail(&exchange->err, BF_INVALID_REQUEST, "Parts of the form may not have a transfer encoding."),
               MHD_NO;
    return bf_body_add_part(exchange->body, key, offset, data, size, &exchange->err) == BF_OK ? MHD_YES : MHD_NO;
}

static bf_status open_body(bf_exchange *exchange, bf_error *err)
{
    if (!exchange->found.route || !exchange->found.route->body)
        return BF_OK;
    (void)crypto_hash_sha256_init(&exchange->hash);
    bf_status status = bf_body_new(exchange->kind, exchange->found.route->body, &exchange->body, err);
    if (status == BF_OK && exchange->kind == BF_BODY_FORM) {
        exchange->form = MHD_create_post_processor(exchange->http, FORM_BUFFER_BYTES, take_part, exchange);
        if (!exchange->form)
            status = bf_fail(err, BF_INVALID_REQUEST, "The form's content type is not well-formed.");
    }
    return status;
}

/* The headers are in. */
static enum MHD_Result begin(bf_exchange *exchange, const char *method, const char *version)
{
    bf_error *err = &exchange->err;
    exchange->begun = true;
    (void)snprintf(exchange->method, sizeof exchange->method, "%s", method);
    bf_status status = bf_exchange_read_headers(exchange, version, err);
    if (status == BF_OK)
        status = bf_exchange_admit(exchange, err);
    if (status == BF_OK)
        status = open_body(exchange, err);
    if (status == BF_OK)
        return MHD_YES;
    exchange->refused = true;
    /* A small body that is perhaps on its way already is taken in and dropped: closing a connection with unread bytes
     * may take the answer away from the client. */
    bool waits = exchange->headers.expect != NULL;
    if (exchange->has_body && (exchange->chunked || waits || exchange->declared > DISCARD_BYTES_MAX))
        return bf_exchange_answer_error(exchange, err);
    return MHD_YES;
}

/* A piece of the body. */
static enum MHD_Result receive(bf_exchange *exchange, const char *data, size_t size)
{
    bf_error *err = &exchange->err;
    exchange->bytes_in += size;
    if (exchange->bytes_in > exchange->config->limits.body_bytes_max) {
        bf_fail(err, BF_BODY_TOO_LARGE, "The body has more than %zu bytes.", exchange->config->limits.body_bytes_max);
        bf_exchange_interrupt(exchange, err);
        return MHD_NO;
    }
    if (exchange->refused || !exchange->body)
        return MHD_YES;
    if (bf_exchange_is_signed(exchange)) /* hashing a large photo takes as long as a good part of judging it */
        (void)crypto_hash_sha256_update(&exchange->hash, (const unsigned char *)data, size);
    if (exchange->kind == BF_BODY_JSON) {
        exchange->refused = bf_body_add_json(exchange->body, data, size, err) != BF_OK;
    } else if (exchange->kind == BF_BODY_RAW) {
        exchange->refused = bf_body_add_raw(exchange->body, data, size, err) != BF_OK;
    } else if (MHD_post_process(exchange->form, data, size) != MHD_YES) {
        exchange->refused = true;
        if (err->status == BF_OK)
            bf_fail(err, BF_INVALID_REQUEST, "The form is not well-formed.");
    }
    /* What was received of a refused body is not kept until its end. */
    if (exchange->refused && exchange->kind != BF_BODY_FORM)
        bf_body_free(&exchange->body);
    return MHD_YES;
}

static bf_status end_form(bf_exchange *exchange, bf_error *err)
{
    if (!exchange->form)
        return BF_OK;
    enum MHD_Result whole = MHD_destroy_post_processor(exchange->form);
    exchange->form = NULL;
    if (err->status != BF_OK)
        return err->status;
    return whole == MHD_YES ? BF_OK : bf_fail(err, BF_INVALID_REQUEST, "The form ends before its last boundary.");
}

/* The request is complete. */
static enum MHD_Result finish(bf_exchange *exchange)
{
    bf_error *err = &exchange->err;
    enum MHD_Result result = MHD_NO;
    if (exchange->refused)
        return bf_exchange_answer_error(exchange, err);
    if (strcmp(exchange->method, MHD_HTTP_METHOD_OPTIONS) == 0)
        return bf_exchange_answer_preflight(exchange);
    if (exchange->file)
        return bf_exchange_answer_file(exchange);
    bf_connection_set_phase(exchange->server->connections, exchange->connection, BF_PHASE_WORKING);
    if (bf_exchange_page(exchange, &result))
        return result;
    bf_answer answer = {0};
    bf_status status = end_form(exchange, err);
    if (status == BF_OK)
        status = bf_exchange_operate(exchange, &answer, err);
    exchange->retry_after_s = answer.retry_after_s;
    if (status != BF_OK) {
        result = bf_exchange_answer_error(exchange, err);
    } else {
        exchange->code = answer.code;
        exchange->queue_ms = answer.queue_ms;
        memcpy(exchange->decision, answer.decision, sizeof exchange->decision);
        result =
            bf_exchange_answer(exchange, answer.http, answer.type ? answer.type : "application/json", &answer.body);
    }
    bf_answer_done(&answer);
    return result;
}

enum MHD_Result bf_exchange_handle(void *context, struct MHD_Connection *http, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_size, void **exchange)
{
    bf_exchange *one = *exchange;
    (void)context;
    (void)http;
    (void)url;
    if (!one || !one->connection)
        return MHD_NO; /* no memory to answer with */
    if (!one->begun)
        return begin(one, method, version);
    if (*upload_size > 0) {
        size_t size = *upload_size;
        *upload_size = 0;
        return receive(one, upload, size);
    }
    return finish(one);
}

/* What of the outcome is worth a count of its own. */
static void count_security(const bf_exchange *exchange)
{
    static const struct {
        bf_status status;
        bf_security_signal signal;
    } SIGNALS[] = {
        {BF_UNAUTHENTICATED, BF_SECURITY_UNAUTHENTICATED}, {BF_FORBIDDEN, BF_SECURITY_FORBIDDEN},
        {BF_SIGNATURE_INVALID, BF_SECURITY_BAD_SIGNATURE}, {BF_RATE_LIMITED, BF_SECURITY_RATE_LIMITED},
        {BF_INVALID_REQUEST, BF_SECURITY_MALFORMED},       {BF_REQUEST_TOO_SLOW, BF_SECURITY_SLOW_CLIENT},
    };
    for (size_t i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++) {
        if (exchange->code == SIGNALS[i].status)
            bf_metrics_security(exchange->server->parts.metrics, SIGNALS[i].signal);
    }
}

static void report(const bf_exchange *exchange)
{
    const bf_route *route = exchange->found.route;
    double ms = bf_time_steady_ms() - exchange->began_ms;
    bool own_fault = exchange->status >= 500 && exchange->err.status != BF_OK;
    const bf_log_request line = {
        .request_id = exchange->request_id,
        .operation = route ? route->operation : NULL,
        .method = exchange->method,
        .http = exchange->status,
        .code = bf_status_name(exchange->code),
        .decision = exchange->decision,
        .ms = ms,
        .queue_ms = exchange->queue_ms,
        .bytes_in = exchange->bytes_in,
        .bytes_out = exchange->bytes_out,
        .key_id = exchange->who.key_id,
        .address = exchange->address,
        .detail = own_fault ? exchange->err.detail[0] ? exchange->err.detail : exchange->err.message : "",
    };
    bf_log_write(exchange->server->parts.log, &line);
    bf_metrics_request(exchange->server->parts.metrics, route ? route->operation : "other", exchange->status, ms / 1e3);
    count_security(exchange);
}

void bf_exchange_close(void *context, struct MHD_Connection *http, void **exchange, enum MHD_RequestTerminationCode how)
{
    bf_exchange *one = *exchange;
    (void)context;
    (void)http;
    (void)how;
    if (!one)
        return;
    bf_connections *connections = one->server->connections;
    /* The thread that cut a slow client has reported it. */
    bool cut = bf_connection_was_cut(one->connection) && !one->answered;
    if (!cut && one->begun)
        report(one);
    if (one->form)
        (void)MHD_destroy_post_processor(one->form);
    bf_body_free(&one->body);
    bf_connection_set_phase(connections, one->connection, BF_PHASE_IDLE);
    sodium_memzero(one, sizeof *one);
    bf_free(one);
    *exchange = NULL;
}
