/* Who is asking, may they, and not too often. */
#include <stdio.h>
#include <string.h>

#include "access/keys.h"
#include "access/signature.h"
#include "access/token.h"
#include "base/error.h"
#include "server/exchange.h"
#include "store/time.h"

#define BUCKET_SIZE 96

/* Addresses are hashed before they go anywhere: into the log or the names of buckets. */
void bf_exchange_hash_address(bf_exchange *exchange)
{
    const bf_config *config = exchange->config;
    uint8_t digest[BF_ADDRESS_HASH_BYTES];
    const bf_ip client = bf_client_ip(config->trusted_proxies, config->trusted_proxy_count,
                                      bf_connection_ip(exchange->connection), exchange->headers.forwarded);
    const bf_ip ip = bf_ip_household(&client);
    (void)crypto_generichash(digest, sizeof digest, ip.byte, sizeof ip.byte, exchange->server->address_key,
                             sizeof exchange->server->address_key);
    sodium_bin2hex(exchange->address, sizeof exchange->address, digest, sizeof digest);
}

static bf_status take(bf_exchange *exchange, const char *kind, const char *name, bf_rate rate, bf_error *err)
{
    char bucket[BUCKET_SIZE];
    if (rate.per_second <= 0)
        return BF_OK;
    (void)snprintf(bucket, sizeof bucket, "%s:%s", kind, name);
    return bf_limiter_take(exchange->server->parts.limiter, bucket, rate, bf_time_now_ms(), &exchange->retry_after_s,
                           err);
}

static bf_status authenticate_key(bf_db *db, void *context, bf_error *err)
{
    bf_exchange *exchange = context;
    return bf_key_authenticate(db, exchange->headers.authorization, bf_time_now_ms(), &exchange->who, err);
}

static bf_status fail_unauthenticated(bf_error *err)
{
    bf_fail(err, BF_UNAUTHENTICATED, "The request carries no valid key or token.");
    bf_fail_hint(err, "Send the header Authorization: Bearer ...");
    return BF_UNAUTHENTICATED;
}

/* A token opens its own session only; whether another session exists is nothing that its holder learns. */
static bf_status authenticate_token(bf_exchange *exchange, bf_error *err)
{
    bf_token token = {0};
    bf_status status =
        bf_token_read(exchange->server->parts.master, exchange->headers.authorization, bf_time_now_ms(), &token, err);
    bf_metrics *metrics = exchange->server->parts.metrics;
    if ((status == BF_OK || status == BF_SESSION_EXPIRED) && strcmp(token.session_id, exchange->found.parameter) != 0) {
        bf_metrics_security(metrics, BF_SECURITY_FOREIGN_SESSION);
        return bf_fail(err, BF_NOT_FOUND, "There is nothing under this address.");
    }
    if (status == BF_SESSION_EXPIRED)
        bf_metrics_security(metrics, BF_SECURITY_STALE_TOKEN);
    if (status != BF_OK)
        return status;
    exchange->who = (bf_principal){.role = BF_ACCESS_PERSON, .attempt = token.attempt};
    memcpy(exchange->who.client, token.client, sizeof exchange->who.client);
    memcpy(exchange->who.session_id, token.session_id, sizeof exchange->who.session_id);
    return BF_OK;
}

static bf_status authenticate(bf_exchange *exchange, bf_credential credential, bf_error *err)
{
    if (credential == BF_CREDENTIAL_NONE)
        return BF_OK;
    if (exchange->demo) {
        exchange->who = exchange->server->demo;
        return BF_OK;
    }
    if (!exchange->headers.authorization)
        return fail_unauthenticated(err);
    if (credential == BF_CREDENTIAL_TOKEN)
        return authenticate_token(exchange, err);
    return bf_store_read(exchange->server->parts.store, authenticate_key, exchange, err);
}

static bf_status check_role(const bf_exchange *exchange, unsigned roles, bf_error *err)
{
    if (((unsigned)exchange->who.role & roles) != 0)
        return BF_OK;
    return bf_fail(err, BF_FORBIDDEN, "A key of the role %s may not do this.", bf_access_role_name(exchange->who.role));
}

/* The probes of those who run the server must not fail because somebody else is busy. */
static bool is_probe(const bf_route *route)
{
    return strcmp(route->operation, "health") == 0 || strcmp(route->operation, "ready") == 0;
}

bf_status bf_exchange_admit(bf_exchange *exchange, bf_error *err)
{
    const bf_route *route = exchange->found.route;
    if (is_probe(route))
        return BF_OK;
    bf_status status = take(exchange, "address", exchange->address, exchange->config->per_address, err);
    if (status != BF_OK || strcmp(exchange->method, MHD_HTTP_METHOD_OPTIONS) == 0)
        return status;
    status = authenticate(exchange, route->credential, err);
    if (status == BF_OK && route->credential != BF_CREDENTIAL_NONE)
        status = check_role(exchange, route->roles, err);
    if (status == BF_OK && exchange->who.key_id[0])
        status = take(exchange, "key", exchange->who.key_id, exchange->config->per_key, err);
    return status;
}

bf_status bf_exchange_admit_metrics(bf_exchange *exchange, bf_error *err)
{
    if (exchange->config->metrics == BF_METRICS_OPEN)
        return BF_OK;
    bf_status status = authenticate(exchange, BF_CREDENTIAL_KEY, err);
    return status == BF_OK ? check_role(exchange, BF_ACCESS_OPERATOR, err) : status;
}

typedef struct signature_check {
    const bf_exchange *exchange;
    bf_signed_request request;
} signature_check;

static bf_status check_signature(bf_db *db, void *context, bf_error *err)
{
    const signature_check *check = context;
    return bf_signature_check(db, check->exchange->server->parts.master, &check->exchange->who, &check->request, err);
}

bool bf_exchange_is_signed(const bf_exchange *exchange)
{
    return exchange->who.key_id[0] && (exchange->who.must_sign || exchange->headers.signature);
}

bf_status bf_exchange_check_signature(bf_exchange *exchange, const uint8_t body_sha256[32], bf_error *err)
{
    if (!bf_exchange_is_signed(exchange))
        return BF_OK;
    signature_check check = {
        .exchange = exchange,
        .request = {.header = exchange->headers.signature,
                    .method = exchange->method,
                    .target = exchange->target,
                    .body_sha256 = body_sha256,
                    .now_ms = bf_time_now_ms()},
    };
    return bf_store_write(exchange->server->parts.store, check_signature, &check, err);
}
