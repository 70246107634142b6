/* The request is whole: signature, validation, and the operation of the service that it names. */
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "record/parse.h"
#include "server/exchange.h"
#include "store/time.h"

static const struct {
    const char *name;
    bf_operation *run;
} OPERATIONS[] = {
    {"liveness", bf_service_liveness},
    {"match", bf_service_match},
    {"session_create", bf_service_session_create},
    {"session_get", bf_service_session_get},
    {"session_erase", bf_service_session_erase},
    {"session_reference", bf_service_session_reference},
    {"session_plan", bf_service_session_plan},
    {"session_attempt", bf_service_session_attempt},
    {"session_media", bf_service_session_media},
    {"decision_get", bf_service_decision_get},
    {"decision_erase", bf_service_decision_erase},
    {"audit_checkpoint", bf_service_audit_checkpoint},
    {"audit_proof", bf_service_audit_proof},
};

static bf_operation *find_operation(const char *name)
{
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (strcmp(OPERATIONS[i].name, name) == 0)
            return OPERATIONS[i].run;
    }
    return NULL;
}

static int add_to_hash(const char *text, size_t size, void *context)
{
    return crypto_generichash_update(context, (const unsigned char *)text, size);
}

static void hash_region(crypto_generichash_state *hash, const bf_region *region)
{
    uint8_t digest[crypto_generichash_BYTES] = {0};
    if (region)
        (void)crypto_generichash(digest, sizeof digest, region->data, region->size, NULL, 0);
    (void)crypto_generichash_update(hash, digest, sizeof digest);
}

/* Of what was asked and not of how it was written: a client that repeats a form chooses a new boundary. BLAKE2b is
 * several times as fast as SHA-256, and nobody else has to compute it. */
static bf_status hash_request(const bf_exchange *exchange, const json_t *body, bf_call *call, bf_error *err)
{
    crypto_generichash_state hash;
    if (!call->idempotency_key)
        return BF_OK;
    (void)crypto_generichash_init(&hash, NULL, 0, sizeof call->request_hash);
    (void)crypto_generichash_update(&hash, (const unsigned char *)exchange->method, strlen(exchange->method) + 1);
    (void)crypto_generichash_update(&hash, (const unsigned char *)exchange->target, strlen(exchange->target) + 1);
    if (body && json_dump_callback(body, add_to_hash, &hash, JSON_COMPACT | JSON_SORT_KEYS) != 0)
        return bf_fail_memory(err);
    hash_region(&hash, call->image);
    hash_region(&hash, call->reference);
    (void)crypto_generichash_final(&hash, call->request_hash, sizeof call->request_hash);
    return BF_OK;
}

static bf_status check_signature(bf_exchange *exchange, bf_error *err)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    if (!exchange->found.route->body)
        (void)crypto_hash_sha256_init(&exchange->hash);
    (void)crypto_hash_sha256_final(&exchange->hash, digest);
    return bf_exchange_check_signature(exchange, digest, err);
}

bf_status bf_exchange_operate(bf_exchange *exchange, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *body = NULL;
    const bf_route *route = exchange->found.route;
    bf_operation *run = find_operation(route->operation);
    bf_call call = {
        .who = &exchange->who,
        .request_id = exchange->request_id,
        .idempotency_key = route->body ? exchange->headers.idempotency_key : NULL,
        .now_ms = bf_time_now_ms(),
        .id = route->parameter ? exchange->found.parameter : NULL,
    };
    if (!run)
        return bf_fail(err, BF_INTERNAL, "The operation %s has no code.", route->operation);
    bf_status status = check_signature(exchange, err);
    if (status == BF_OK)
        status = bf_route_query(&exchange->found, &body, err);
    if (status == BF_OK && route->body)
        status = bf_body_end(exchange->body, &body, &call.image, &call.reference, err);
    if (status == BF_OK)
        status = hash_request(exchange, body, &call, err);
    call.body = body;
    return status == BF_OK ? run(exchange->server->parts.service, &call, ret, err) : status;
}
