/* One request and its answer, on their way through the HTTP library. The steps have a fixed order:
 *
 *   target, headers, route -> address limit -> authentication -> role -> key limit -> body -> signature ->
 *   validation -> operation -> answer
 *
 * All before "body" is done when the headers are in, so nobody unknown makes the server take in a body. */
#ifndef BF_SERVER_EXCHANGE_H
#define BF_SERVER_EXCHANGE_H

#include <stdatomic.h>

#include <microhttpd.h>
#include <sodium.h>

#include "server/body.h"
#include "server/clock.h"
#include "server/connections.h"
#include "server/header.h"
#include "server/listener.h"
#include "server/route.h"
#include "server/server.h"
#include "server/web.h"

#define BF_METHOD_SIZE 12
#define BF_ADDRESS_HASH_BYTES 16
#define BF_ADDRESS_HEX_SIZE (2 * BF_ADDRESS_HASH_BYTES + 1)
#define BF_FORWARDED_SIZE 512

/* The configuration in force; older ones are kept until the end, since a request may hold one. */
typedef struct bf_generation {
    struct bf_generation *older;
    bf_config config;
} bf_generation;

struct bf_server {
    bf_server_parts parts;
    _Atomic(bf_generation *) generation;
    bf_connections *connections;
    bf_listener listener[BF_CONFIG_LISTEN_MAX];
    int listener_count;
    uint8_t address_key[BF_SECRET_SIZE];
    atomic_bool draining;
    bf_clock clock;
    bool tls;
    bf_principal demo; /* as whom the demonstration page asks; valid when demo_open */
    atomic_bool demo_open;
};

/* Values of the headers that matter; they live as long as the request. NULL: not sent. */
typedef struct bf_headers {
    const char *authorization, *content_type, *content_length, *transfer_encoding, *expect;
    const char *request_id, *idempotency_key, *signature, *origin, *asked_method;
    const char *accept_encoding, *if_none_match, *host;
    char forwarded[BF_FORWARDED_SIZE]; /* of several X-Forwarded-For, joined; the last characters of them */
} bf_headers;

typedef struct bf_exchange {
    bf_server *server;
    bf_listener *listener;
    bf_connection *connection;
    struct MHD_Connection *http;
    const bf_config *config;
    double began_ms;
    char target[BF_TARGET_BYTES_MAX + 2]; /* as it was sent; one character more than allowed where it was longer */
    char method[BF_METHOD_SIZE];
    char request_id[BF_REQUEST_ID_SIZE];
    char address[BF_ADDRESS_HEX_SIZE]; /* the client's, hashed */
    bf_headers headers;
    bf_target found;         /* route NULL: none */
    const bf_web_file *file; /* what `found` is about, where it is the route of the pages' files */
    bool packed;             /* the file is given as gzip */
    bool demo;               /* asked by the demonstration page, which stands for a back end */
    bf_principal who;
    bool begun;    /* the headers were looked at */
    bool refused;  /* with `err`; what still arrives of the body is dropped */
    bool answered; /* an answer was given to the HTTP library */
    bool has_body, chunked;
    uint64_t declared; /* by Content-Length */
    bf_body_kind kind;
    bf_body *body;
    struct MHD_PostProcessor *form;
    crypto_hash_sha256_state hash;
    bf_error err;
    char allowed[BF_ALLOWED_SIZE];
    int retry_after_s;
    /* For the log. */
    int status;
    bf_status code;
    char decision[16];
    double queue_ms;
    uint64_t bytes_in, bytes_out;
} bf_exchange;

/* Hooks of the HTTP library; their context is the listener. */
void *bf_exchange_open(void *context, const char *target, struct MHD_Connection *http);
enum MHD_Result bf_exchange_handle(void *context, struct MHD_Connection *http, const char *url, const char *method,
                                   const char *version, const char *upload, size_t *upload_size, void **exchange);
void bf_exchange_close(void *context, struct MHD_Connection *http, void **exchange,
                       enum MHD_RequestTerminationCode how);

/* The steps (each file has the one of its name). */
bf_status bf_exchange_read_headers(bf_exchange *exchange, const char *version, bf_error *err);
/* Whether the request has to be signed, or is. The caller has been authenticated. */
bool bf_exchange_is_signed(const bf_exchange *exchange);
/* Fills exchange->address. */
void bf_exchange_hash_address(bf_exchange *exchange);
bf_status bf_exchange_admit(bf_exchange *exchange, bf_error *err);
bf_status bf_exchange_check_signature(bf_exchange *exchange, const uint8_t body_sha256[32], bf_error *err);
bf_status bf_exchange_operate(bf_exchange *exchange, bf_answer *ret, bf_error *err);
/* Whether the caller may read the metrics. */
bf_status bf_exchange_admit_metrics(bf_exchange *exchange, bf_error *err);

/* Gives the HTTP library an answer; `body` is taken over. */
enum MHD_Result bf_exchange_answer(bf_exchange *exchange, int status, const char *type, bf_bytes *body);
/* The same for bytes that are there for good. */
enum MHD_Result bf_exchange_answer_static(bf_exchange *exchange, int status, const char *type, const char *bytes,
                                          size_t size);
/* The same for an error, in the envelope. */
enum MHD_Result bf_exchange_answer_error(bf_exchange *exchange, const bf_error *err);
/* An error that interrupts a body that is too large to be let in; written past the HTTP library, which takes no answer
 * in the middle of a body. The connection has to be closed then. */
void bf_exchange_interrupt(bf_exchange *exchange, const bf_error *err);
/* The answer to a browser that asks whether a page of another origin may send captures. */
enum MHD_Result bf_exchange_answer_preflight(bf_exchange *exchange);
/* Whether the request's origin is one that the configuration names. */
bool bf_exchange_origin_is_known(const bf_exchange *exchange);

/* Gives one of the pages' files. */
enum MHD_Result bf_exchange_answer_file(bf_exchange *exchange);
/* Whether the target is the demonstration's own route, which has no key; `found` is then the operation that it stands
 * for. Errors: NOT_FOUND for whoever may not use it, and those of bf_route_find. */
bf_status bf_exchange_find_demo(bf_exchange *exchange, bool *ret_found, bf_error *err);

/* The routes that need no service: health, ready, metrics, openapi, docs. False when it is none of them. */
bool bf_exchange_page(bf_exchange *exchange, enum MHD_Result *ret);

#endif
