#include <string.h>

#include <sodium.h>

#include "base/error.h"
#include "vault/parts.h"

_Static_assert(BF_VAULT_WRAPPED_SIZE <= sizeof((bf_vault_draft *)0)->wrapped, "a draft must hold a wrapped key");

static void name_session(const char *session_id, uint8_t ret[BF_SECRET_SIZE])
{
    (void)crypto_generichash(ret, BF_SECRET_SIZE, (const uint8_t *)session_id, strlen(session_id), NULL, 0);
}

/* The session's hash is sealed with the key, so that somebody who can write to the store cannot give one session the
 * key of another. */
void bf_vault_wrap(const bf_master *master, const char *session_id, const uint8_t key[BF_VAULT_KEY_SIZE],
                   uint8_t ret[BF_VAULT_WRAPPED_SIZE])
{
    uint8_t plain[BF_VAULT_KEY_SIZE + BF_SECRET_SIZE];
    memcpy(plain, key, BF_VAULT_KEY_SIZE);
    name_session(session_id, plain + BF_VAULT_KEY_SIZE);
    bf_master_seal(master, plain, sizeof plain, ret);
    sodium_memzero(plain, sizeof plain);
}

bf_status bf_vault_unwrap(const bf_master *master, const char *session_id, const void *wrapped, size_t size,
                          uint8_t ret[BF_VAULT_KEY_SIZE], bf_error *err)
{
    uint8_t plain[BF_VAULT_KEY_SIZE + BF_SECRET_SIZE];
    uint8_t name[BF_SECRET_SIZE];
    if (size != BF_VAULT_WRAPPED_SIZE) {
        bf_fail(err, BF_VAULT_LOCKED, "A session's key cannot be opened.");
        bf_fail_detail(err, "The wrapped key has %zu bytes instead of %d.", size, (int)BF_VAULT_WRAPPED_SIZE);
        return BF_VAULT_LOCKED;
    }
    bf_status status = bf_master_open(master, wrapped, size, plain, err);
    name_session(session_id, name);
    if (status == BF_OK && sodium_memcmp(plain + BF_VAULT_KEY_SIZE, name, sizeof name) != 0)
        status = bf_fail(err, BF_VAULT_LOCKED, "A session's key belongs to another session.");
    if (status == BF_OK)
        memcpy(ret, plain, BF_VAULT_KEY_SIZE);
    sodium_memzero(plain, sizeof plain);
    return status;
}
