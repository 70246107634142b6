/* The capture page's files, and the demonstration that stands for an integrator's back end. */
#include <string.h>

#include "base/error.h"
#include "server/exchange.h"

#define DEMO_SESSION "/demo/session"
#define DEMO_LOOK DEMO_SESSION "?id="
#define SESSIONS "/v1/sessions"

static const char *const LOCAL_HOSTS[] = {"127.0.0.1", "localhost", "[::1]"};

/* Whether the text is a host of this machine, with or without a port. */
static bool is_local_host(const char *text)
{
    for (size_t i = 0; text && i < sizeof LOCAL_HOSTS / sizeof LOCAL_HOSTS[0]; i++) {
        size_t size = strlen(LOCAL_HOSTS[i]);
        if (strncmp(text, LOCAL_HOSTS[i], size) == 0 && (text[size] == '\0' || text[size] == ':'))
            return true;
    }
    return false;
}

/* Whether the request's page, if it says which, came from the very place that is asked now. */
static bool is_own_origin(const bf_headers *headers)
{
    const char *host = headers->origin ? strstr(headers->origin, "://") : NULL;
    return !headers->origin || (host && headers->host && strcmp(host + 3, headers->host) == 0);
}

/* There is no key here, so everything else has to show that a person at this machine asks through our own page: the
 * address, no proxy in between, a name that no foreign site can have, and a page that is ours. */
static bool is_own_demo(const bf_exchange *exchange)
{
    bf_network local[2];
    return atomic_load(&exchange->server->demo_open) && exchange->config->demo && !exchange->headers.forwarded[0] &&
           bf_network_parse("127.0.0.0/8", &local[0]) && bf_network_parse("::1", &local[1]) &&
           bf_network_holds(local, 2, bf_connection_ip(exchange->connection)) &&
           is_local_host(exchange->headers.host) && is_own_origin(&exchange->headers);
}

/* What the demonstration's target stands for; false for another target. */
static bool translate(const bf_exchange *exchange, char ret[BF_TARGET_BYTES_MAX])
{
    const char *target = exchange->target;
    bool look = strncmp(target, DEMO_LOOK, sizeof DEMO_LOOK - 1) == 0;
    const char *method = look ? MHD_HTTP_METHOD_GET : MHD_HTTP_METHOD_POST;
    if (strcmp(exchange->method, method) != 0)
        return false;
    if (strlen(target) >= BF_TARGET_BYTES_MAX - sizeof SESSIONS || (!look && strcmp(target, DEMO_SESSION) != 0))
        return false;
    memcpy(ret, SESSIONS, sizeof SESSIONS);
    if (look) {
        ret[sizeof SESSIONS - 1] = '/';
        memcpy(ret + sizeof SESSIONS, target + sizeof DEMO_LOOK - 1, strlen(target) - sizeof DEMO_LOOK + 2);
    }
    return true;
}

bf_status bf_exchange_find_demo(bf_exchange *exchange, bool *ret_found, bf_error *err)
{
    char target[BF_TARGET_BYTES_MAX];
    *ret_found = translate(exchange, target);
    if (!*ret_found)
        return BF_OK;
    if (!is_own_demo(exchange))
        return bf_fail(err, BF_NOT_FOUND, "There is nothing under this address.");
    bf_status status = bf_route_find(exchange->method, target, &exchange->found, exchange->allowed, err);
    exchange->found.query = NULL; /* it would point into `target` */
    exchange->demo = status == BF_OK;
    return status;
}

enum MHD_Result bf_exchange_answer_file(bf_exchange *exchange)
{
    const bf_web_file *file = exchange->file;
    bool packed = bf_web_accepts_gzip(exchange->headers.accept_encoding);
    if (bf_web_is_fresh(file, exchange->headers.if_none_match))
        return bf_exchange_answer_static(exchange, MHD_HTTP_NOT_MODIFIED, NULL, "", 0);
    exchange->packed = packed;
    return bf_exchange_answer_static(exchange, MHD_HTTP_OK, file->type, packed ? file->packed : file->bytes,
                                     packed ? file->packed_size : file->size);
}
