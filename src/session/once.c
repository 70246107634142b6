/* A repeated request gets the first answer. Answers hold records and client tokens, so what the store keeps of them is
 * sealed: a stolen database gives nobody a token. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "session/internal.h"

void bf_once_init(bf_once *once, const bf_call *call, int64_t claim_ms)
{
    *once = (bf_once){
        .key = {.name = call->idempotency_key, .now_ms = call->now_ms, .claimed_until_ms = call->now_ms + claim_ms}};
    memcpy(once->key.request_hash, call->request_hash, sizeof once->key.request_hash);
    /* No client's name has a colon in it, so a person cannot take a name that the back end is about to use. */
    bool person = call->who->role == BF_ACCESS_PERSON;
    (void)snprintf(once->client, sizeof once->client, "%s%s", person ? "session:" : "",
                   person ? call->who->session_id : call->who->client);
}

/* The key with a pointer to its own client's name, which a copied bf_once could not hold. */
static bf_idempotency key_of(const bf_once *once)
{
    bf_idempotency key = once->key;
    key.client = once->client;
    return key;
}

static bf_status unseal(const bf_service *service, const bf_bytes *sealed, bf_answer *ret, bf_error *err)
{
    if (sealed->size < BF_SEALED_SIZE(0))
        return bf_fail(err, BF_INTERNAL, "The first answer to this request cannot be read.");
    size_t size = sealed->size - BF_SEALED_SIZE(0);
    uint8_t *text = bf_malloc(size + 1);
    if (!text)
        return bf_fail_memory(err);
    bf_status status = bf_master_open(service->parts.master, sealed->data, sealed->size, text, err);
    if (status != BF_OK) {
        bf_free(text);
        return status;
    }
    text[size] = 0;
    ret->body = (bf_bytes){text, size};
    return BF_OK;
}

bf_status bf_once_begin(const bf_service *service, bf_db *db, const bf_once *once, bool *ret_done, bf_answer *ret,
                        bf_error *err)
{
    *ret_done = false;
    if (!once->key.name)
        return BF_OK;
    BF_CLEANUP(bf_bytes_done) bf_bytes sealed = {0};
    bf_idempotency key = key_of(once);
    int http = 0;
    bool done = false;
    bf_status status = bf_idempotency_begin(db, &key, &done, &http, &sealed, err);
    if (status != BF_OK || !done)
        return status;
    bf_answer answer = {.http = http, .code = BF_OK, .repeated = true};
    status = unseal(service, &sealed, &answer, err);
    if (status != BF_OK)
        return status;
    *ret = answer;
    *ret_done = true;
    return BF_OK;
}

bf_status bf_once_finish(const bf_service *service, bf_db *db, const bf_once *once, const bf_answer *answer,
                         const char *session_id, bf_error *err)
{
    if (!once->key.name)
        return BF_OK;
    size_t size = BF_SEALED_SIZE(answer->body.size);
    uint8_t *sealed = bf_malloc(size);
    if (!sealed)
        return bf_fail_memory(err);
    bf_master_seal(service->parts.master, answer->body.data, answer->body.size, sealed);
    bf_idempotency key = key_of(once);
    bf_status status = bf_idempotency_finish(db, &key, answer->http, sealed, size, session_id, err);
    bf_free(sealed);
    return status;
}

bf_status bf_once_release(bf_db *db, const bf_once *once, bf_error *err)
{
    if (!once->key.name)
        return BF_OK;
    bf_idempotency key = key_of(once);
    return bf_idempotency_release(db, &key, err);
}
