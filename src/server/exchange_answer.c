/* Answers: their headers, and the envelope of errors. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/words.h"
#include "record/parse.h"
#include "server/exchange.h"
#include "server/spec.h"

#define NUMBER_SIZE 16
#define BUSY_RETRY_AFTER_S 1
#define LAST_RESORT                                                                                                    \
    "{\"success\":false,\"status\":\"error\",\"request_id\":\"\",\"error\":{\"code\":\"OUT_OF_MEMORY\","               \
    "\"message\":\"There was not enough memory.\",\"retryable\":true,\"hint\":null}}"
#define INTERRUPT_MS_MAX 1000

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

bool bf_exchange_origin_is_known(const bf_exchange *exchange)
{
    for (int i = 0; exchange->headers.origin && i < exchange->config->cors_origin_count; i++) {
        if (strcmp(exchange->config->cors_origins[i], exchange->headers.origin) == 0)
            return true;
    }
    return false;
}

static void add_cors(const bf_exchange *exchange, struct MHD_Response *response)
{
    const bf_route *route = exchange->found.route;
    if (!route || route->credential != BF_CREDENTIAL_TOKEN || exchange->config->cors_origin_count == 0)
        return;
    add(response, MHD_HTTP_HEADER_VARY, "Origin");
    if (!bf_exchange_origin_is_known(exchange))
        return;
    add(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, exchange->headers.origin);
    add(response, "Access-Control-Expose-Headers", "X-Request-ID, Retry-After");
}

/* The element's script may be used by pages of every origin: it is public, and the routes that it calls have their own
 * list. */
static void add_file_headers(const bf_exchange *exchange, struct MHD_Response *response)
{
    char tag[64];
    (void)snprintf(tag, sizeof tag, "\"%s\"", exchange->file->tag);
    add(response, MHD_HTTP_HEADER_ETAG, tag);
    add(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    add(response, "Permissions-Policy", "camera=(self), microphone=(), geolocation=()");
    if (exchange->packed)
        add(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    if (!bf_web_is_public(exchange->file))
        return;
    add(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    add(response, "Cross-Origin-Resource-Policy", "cross-origin");
}

static void add_headers(const bf_exchange *exchange, struct MHD_Response *response, const char *type)
{
    char number[NUMBER_SIZE];
    bool page = exchange->found.route && strcmp(exchange->found.route->operation, "docs") == 0;
    bool file = exchange->file && exchange->status < MHD_HTTP_BAD_REQUEST;
    if (type)
        add(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    add(response, "X-Request-ID", exchange->request_id);
    add(response, MHD_HTTP_HEADER_CACHE_CONTROL, file ? "no-cache" : "no-store");
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Content-Security-Policy",
        file                                      ? BF_WEB_POLICY
        : page && exchange->status == MHD_HTTP_OK ? BF_DOCS_POLICY
                                                  : "default-src 'none'; frame-ancestors 'none'");
    add(response, "Referrer-Policy", "no-referrer");
    if (exchange->listener->tls)
        add(response, "Strict-Transport-Security", "max-age=31536000");
    if (exchange->status == MHD_HTTP_UNAUTHORIZED)
        add(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"bonafide\"");
    if (exchange->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        add(response, MHD_HTTP_HEADER_ALLOW, exchange->allowed);
    if (exchange->retry_after_s > 0) {
        (void)snprintf(number, sizeof number, "%d", exchange->retry_after_s);
        add(response, MHD_HTTP_HEADER_RETRY_AFTER, number);
    }
    if (atomic_load(&exchange->server->draining))
        add(response, MHD_HTTP_HEADER_CONNECTION, "close");
    add_cors(exchange, response);
    if (file)
        add_file_headers(exchange, response);
}

/* Without a response, the connection is closed. */
static enum MHD_Result queue(bf_exchange *exchange, struct MHD_Response *response)
{
    if (!response) {
        exchange->status = 0;
        exchange->bytes_out = 0;
        return MHD_NO;
    }
    exchange->answered = true;
    bf_connection_set_phase(exchange->server->connections, exchange->connection, BF_PHASE_ANSWERING);
    enum MHD_Result result = MHD_queue_response(exchange->http, (unsigned)exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* For when there is no memory for any other answer. */
static enum MHD_Result answer_last_resort(bf_exchange *exchange)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof LAST_RESORT - 1, (void *)(uintptr_t)LAST_RESORT, MHD_RESPMEM_PERSISTENT);
    exchange->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    exchange->code = BF_OUT_OF_MEMORY;
    exchange->bytes_out = sizeof LAST_RESORT - 1;
    if (response)
        add_headers(exchange, response, "application/json");
    return queue(exchange, response);
}

/* Answers may hold a record: they are wiped once they were sent. */
static void free_body(void *context)
{
    bf_bytes *body = context;
    bf_bytes_done(body);
    bf_free(body);
}

enum MHD_Result bf_exchange_answer(bf_exchange *exchange, int status, const char *type, bf_bytes *body)
{
    bf_bytes *kept = bf_calloc(1, sizeof *kept);
    if (!kept) {
        bf_bytes_done(body);
        return answer_last_resort(exchange);
    }
    *kept = *body;
    *body = (bf_bytes){0};
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(kept->size, kept->data, free_body, kept);
    if (!response) {
        free_body(kept);
        return answer_last_resort(exchange);
    }
    exchange->status = status;
    exchange->bytes_out = kept->size;
    add_headers(exchange, response, type);
    return queue(exchange, response);
}

enum MHD_Result bf_exchange_answer_static(bf_exchange *exchange, int status, const char *type, const char *bytes,
                                          size_t size)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return answer_last_resort(exchange);
    exchange->status = status;
    exchange->bytes_out = size;
    add_headers(exchange, response, type);
    return queue(exchange, response);
}

/* Errors of our own making are told by their code alone; what they say is for the log. */
static bf_error for_caller(const bf_error *err)
{
    bf_error told = *err;
    const char *family = bf_status_family(err->status);
    if (err->status == BF_IO_ERROR || err->status == BF_CONFIG_INVALID)
        told.status = BF_INTERNAL;
    if (err->status == BF_INVALID_ARGUMENT)
        told.status = BF_INVALID_REQUEST;
    bool own = told.status == BF_INTERNAL || strcmp(family, "internal") == 0 || strcmp(family, "model") == 0 ||
               err->status == BF_STORE_UNAVAILABLE || err->status == BF_STORE_NEWER || err->status == BF_VAULT_LOCKED;
    if (own) {
        told.hint[0] = '\0';
        (void)snprintf(told.message, sizeof told.message, "%s", bf_status_text(told.status));
    }
    return told;
}

static json_t *envelope(const bf_exchange *exchange, const bf_error *err)
{
    return json_pack("{s:b, s:s, s:s, s:{s:s, s:s, s:b, s:s?}}", "success", 0, "status", "error", "request_id",
                     exchange->request_id, "error", "code", bf_status_name(err->status), "message", err->message,
                     "retryable", (int)bf_status_retryable(err->status), "hint", err->hint[0] ? err->hint : NULL);
}

/* The envelope as text; "" without memory. */
static size_t write_envelope(bf_exchange *exchange, const bf_error *err, char *ret, size_t size)
{
    bf_error told = for_caller(err);
    json_t *json = envelope(exchange, &told);
    /* What a message repeats of the request may have been cut within a character. */
    if (!json) {
        (void)snprintf(told.message, sizeof told.message, "%s", bf_status_text(told.status));
        json = envelope(exchange, &told);
    }
    size_t used = json ? json_dumpb(json, ret, size, JSON_COMPACT | JSON_ENSURE_ASCII) : 0;
    json_decref(json);
    exchange->code = told.status;
    exchange->status = bf_status_http(told.status);
    /* Codes that a record may carry with 200 are no success where there is no record. */
    if (exchange->status < MHD_HTTP_BAD_REQUEST)
        exchange->status = MHD_HTTP_UNPROCESSABLE_CONTENT;
    bool busy = told.status == BF_OVERLOADED || told.status == BF_SHUTTING_DOWN || told.status == BF_WORKER_LOST;
    if (busy && exchange->retry_after_s == 0)
        exchange->retry_after_s = BUSY_RETRY_AFTER_S;
    return used <= size ? used : 0;
}

enum MHD_Result bf_exchange_answer_error(bf_exchange *exchange, const bf_error *err)
{
    char text[4096];
    bf_bytes body = {0};
    size_t size = write_envelope(exchange, err, text, sizeof text);
    body.data = size > 0 ? bf_malloc(size) : NULL;
    if (body.data) {
        memcpy(body.data, text, size);
        body.size = size;
        return bf_exchange_answer(exchange, exchange->status, "application/json", &body);
    }
    return answer_last_resort(exchange);
}

enum MHD_Result bf_exchange_answer_preflight(bf_exchange *exchange)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    exchange->status = MHD_HTTP_NO_CONTENT;
    if (response) {
        add_headers(exchange, response, NULL);
        add(response, "Access-Control-Allow-Methods", "POST");
        add(response, "Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-Request-ID");
        add(response, "Access-Control-Max-Age", "600");
    }
    return queue(exchange, response);
}

/* Sends over TLS or without, for a second at most. */
static void send_all(struct MHD_Connection *http, bool tls, const char *text, size_t size)
{
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *session =
        tls ? MHD_get_connection_info(http, MHD_CONNECTION_INFO_GNUTLS_SESSION) : NULL;
    while (size > 0 && fd && (!tls || session)) {
        ssize_t count = tls ? gnutls_record_send((gnutls_session_t)session->tls_session, text, size)
                            : send(fd->connect_fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        bool again = tls ? count == GNUTLS_E_AGAIN || count == GNUTLS_E_INTERRUPTED
                         : count < 0 && (errno == EAGAIN || errno == EINTR);
        struct pollfd ready = {.fd = fd->connect_fd, .events = POLLOUT};
        if (again && poll(&ready, 1, INTERRUPT_MS_MAX) > 0)
            continue;
        if (count <= 0)
            return;
        text += count;
        size -= (size_t)count;
    }
}

void bf_exchange_interrupt(bf_exchange *exchange, const bf_error *err)
{
    char body[4096], head[512];
    size_t size = write_envelope(exchange, err, body, sizeof body);
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 %d Content Too Large\r\nConnection: close\r\nContent-Type: application/json\r\n"
                          "X-Request-ID: %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          exchange->status, exchange->request_id, size);
    send_all(exchange->http, exchange->listener->tls, head, (size_t)length);
    send_all(exchange->http, exchange->listener->tls, body, size);
    exchange->answered = true;
    exchange->bytes_out = size;
}
