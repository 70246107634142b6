/* What the headers of a request must be like, and which route it takes. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "server/exchange.h"

typedef struct reading {
    bf_headers *headers;
    const char *twice; /* a header that came again and must not; NULL: none */
} reading;

/* Appends to the list of addresses; of one that is too long, the end counts, since that is what our proxies wrote. */
static void join_forwarded(bf_headers *headers, const char *value)
{
    char joined[2 * BF_FORWARDED_SIZE];
    size_t skip = strlen(value) > BF_FORWARDED_SIZE - 1 ? strlen(value) - (BF_FORWARDED_SIZE - 1) : 0;
    size_t length = (size_t)snprintf(joined, sizeof joined, "%s%s%s", headers->forwarded,
                                     headers->forwarded[0] ? ", " : "", value + skip);
    if (length >= sizeof joined)
        length = sizeof joined - 1;
    size_t cut = length > BF_FORWARDED_SIZE - 1 ? length - (BF_FORWARDED_SIZE - 1) : 0;
    memcpy(headers->forwarded, joined + cut, length - cut + 1);
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    reading *r = context;
    bf_headers *h = r->headers;
    const struct {
        const char *name;
        const char **ret;
    } once[] = {
        {"Authorization", &h->authorization},
        {"Content-Type", &h->content_type},
        {"Content-Length", &h->content_length},
        {"Transfer-Encoding", &h->transfer_encoding},
        {"Expect", &h->expect},
        {"X-Request-ID", &h->request_id},
        {"Idempotency-Key", &h->idempotency_key},
        {"Bonafide-Signature", &h->signature},
        {"Origin", &h->origin},
        {"Host", &h->host},
        {"Access-Control-Request-Method", &h->asked_method},
    };
    (void)kind;
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        if (strcasecmp(name, once[i].name) != 0)
            continue;
        if (*once[i].ret)
            r->twice = once[i].name;
        *once[i].ret = value ? value : "";
    }
    /* Lists that may come in several headers; the first of them is enough for what they are asked. */
    if (strcasecmp(name, "Accept-Encoding") == 0 && !h->accept_encoding)
        h->accept_encoding = value;
    if (strcasecmp(name, "If-None-Match") == 0 && !h->if_none_match)
        h->if_none_match = value;
    if (strcasecmp(name, "X-Forwarded-For") == 0 && value)
        join_forwarded(h, value);
    return MHD_YES;
}

/* How long the body is, and that there are not two answers to that. */
static bf_status check_length(bf_exchange *exchange, bf_error *err)
{
    const bf_headers *h = &exchange->headers;
    size_t max = exchange->config->limits.body_bytes_max;
    if (h->transfer_encoding && h->content_length)
        return bf_fail(err, BF_INVALID_REQUEST, "Content-Length and Transfer-Encoding exclude each other.");
    if (h->transfer_encoding && strcasecmp(h->transfer_encoding, "chunked") != 0)
        return bf_fail(err, BF_INVALID_REQUEST, "The only transfer encoding is chunked.");
    if (h->content_length && !bf_header_content_length(h->content_length, &exchange->declared))
        return bf_fail(err, BF_INVALID_REQUEST, "Content-Length is no number.");
    if (h->expect && strcasecmp(h->expect, "100-continue") != 0)
        return bf_fail(err, BF_INVALID_REQUEST, "The only expectation is 100-continue.");
    exchange->chunked = h->transfer_encoding != NULL;
    exchange->has_body = exchange->chunked || exchange->declared > 0;
    if (exchange->declared > max)
        return bf_fail(err, BF_BODY_TOO_LARGE, "The body may have at most %zu bytes.", max);
    return BF_OK;
}

static bf_status check_body_kind(bf_exchange *exchange, bf_error *err)
{
    bool takes = exchange->found.route && exchange->found.route->body;
    const char *type = exchange->headers.content_type;
    if (!takes)
        return exchange->has_body ? bf_fail(err, BF_INVALID_REQUEST, "This request takes no body.") : BF_OK;
    if (!type || !bf_header_content_type(type, &exchange->kind) ||
        (exchange->kind == BF_BODY_RAW && !exchange->found.route->raw)) {
        bf_fail(err, BF_MEDIA_TYPE_UNSUPPORTED, "The body must be application/json or multipart/form-data%s.",
                exchange->found.route->raw ? ", or a capture as application/octet-stream" : "");
        bf_fail_hint(err, "Name its type in Content-Type.");
        return BF_MEDIA_TYPE_UNSUPPORTED;
    }
    if (!exchange->has_body)
        return bf_fail(err, BF_INVALID_REQUEST, "The body is missing.");
    return BF_OK;
}

/* A browser asks before its page sends something to another origin: it may, where the configuration says so, to the
 * operations that a person's device calls. */
static bool is_preflight(bf_exchange *exchange)
{
    bf_error none = {0};
    char allowed[BF_ALLOWED_SIZE];
    const char *asked = exchange->headers.asked_method;
    return strcmp(exchange->method, MHD_HTTP_METHOD_OPTIONS) == 0 && asked && bf_exchange_origin_is_known(exchange) &&
           bf_route_find(asked, exchange->target, &exchange->found, allowed, &none) == BF_OK &&
           exchange->found.route->credential == BF_CREDENTIAL_TOKEN && !exchange->has_body;
}

static bf_status check_form(bf_exchange *exchange, const reading *r, const char *version, bf_error *err)
{
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(exchange->http, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (r->twice)
        return bf_fail(err, BF_INVALID_REQUEST, "The header %s is there twice.", r->twice);
    if (strcmp(version, MHD_HTTP_VERSION_1_1) != 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        return bf_fail(err, BF_INVALID_REQUEST, "The version of HTTP must be 1.1 or 1.0.");
    if (size && size->header_size > exchange->config->limits.header_bytes_max)
        return bf_fail(err, BF_BODY_TOO_LARGE, "The headers have more than %zu bytes.",
                       exchange->config->limits.header_bytes_max);
    return check_length(exchange, err);
}

static bf_status find_route(bf_exchange *exchange, bf_error *err)
{
    bool demo = false;
    exchange->file = bf_web_find(exchange->target, exchange->config->demo);
    if (exchange->file) {
        exchange->found = (bf_target){.route = &BF_WEB_ROUTE};
        (void)snprintf(exchange->allowed, sizeof exchange->allowed, "%s", MHD_HTTP_METHOD_GET);
        if (strcmp(exchange->method, MHD_HTTP_METHOD_GET) == 0)
            return BF_OK;
        return bf_fail(err, BF_METHOD_NOT_ALLOWED, "This address answers GET only.");
    }
    bf_status status = bf_exchange_find_demo(exchange, &demo, err);
    if (status != BF_OK || demo)
        return status;
    return bf_route_find(exchange->method, exchange->target, &exchange->found, exchange->allowed, err);
}

bf_status bf_exchange_read_headers(bf_exchange *exchange, const char *version, bf_error *err)
{
    reading r = {.headers = &exchange->headers};
    (void)MHD_get_connection_values(exchange->http, MHD_HEADER_KIND, read_header, &r);
    const bf_headers *h = &exchange->headers;
    if (h->request_id && bf_header_is_request_id(h->request_id))
        memcpy(exchange->request_id, h->request_id, strlen(h->request_id) + 1);
    else
        bf_header_make_request_id(exchange->request_id);
    bf_exchange_hash_address(exchange);
    bf_status status = check_form(exchange, &r, version, err);
    /* A body of a length that is in doubt is read by nobody. */
    if (status != BF_OK)
        exchange->has_body = exchange->chunked = true;
    if (status == BF_OK && is_preflight(exchange))
        return BF_OK;
    if (status == BF_OK)
        status = find_route(exchange, err);
    if (status == BF_OK)
        status = check_body_kind(exchange, err);
    if (status == BF_OK && h->idempotency_key && !bf_header_is_idempotency_key(h->idempotency_key))
        status = bf_fail(err, BF_INVALID_REQUEST, "Idempotency-Key must have 1 to %d of A-Z a-z 0-9 . _ : -.",
                         BF_IDEMPOTENCY_NAME_MAX);
    return status;
}
