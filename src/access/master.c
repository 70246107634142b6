#include "access/master.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/attr.h"
#include "base/base64.h"
#include "base/error.h"

#define HEADING "bonafide-master-key-v1 "
#define HEADING_LENGTH (sizeof HEADING - 1)
#define BASE64_LENGTH 44 /* of 32 bytes, with padding */

_Static_assert(HEADING_LENGTH + BASE64_LENGTH + 2 <= BF_MASTER_TEXT_SIZE, "a key's line must fit");
_Static_assert(BF_SEALED_SIZE(0) == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES, "what sealing adds");
_Static_assert(crypto_kdf_KEYBYTES == BF_SECRET_SIZE && crypto_secretbox_KEYBYTES == BF_SECRET_SIZE, "size of keys");

void bf_master_done(bf_master *master)
{
    sodium_memzero(master, sizeof *master);
}

void bf_master_derive(const bf_master *master, const char *purpose, uint8_t ret[BF_SECRET_SIZE])
{
    char context[crypto_kdf_CONTEXTBYTES] = {0};
    size_t length = strlen(purpose);
    assert(length > 0 && length <= sizeof context);
    for (size_t i = 0; i < length; i++)
        context[i] = purpose[i];
    (void)crypto_kdf_derive_from_key(ret, BF_SECRET_SIZE, 1, context, master->key);
}

static void find_id(bf_master *master)
{
    uint8_t derived[BF_SECRET_SIZE];
    bf_master_derive(master, "id", derived);
    sodium_bin2hex(master->id, sizeof master->id, derived, (sizeof master->id - 1) / 2);
    sodium_memzero(derived, sizeof derived);
}

static bf_status start_sodium(bf_error *err)
{
    return sodium_init() < 0 ? bf_fail(err, BF_INTERNAL, "The cryptographic library cannot start.") : BF_OK;
}

bf_status bf_master_random(bf_master *ret, bf_error *err)
{
    bf_status status = start_sodium(err);
    if (status != BF_OK)
        return status;
    randombytes_buf(ret->key, sizeof ret->key);
    find_id(ret);
    return BF_OK;
}

void bf_master_write(const bf_master *master, char ret[BF_MASTER_TEXT_SIZE])
{
    char base64[BASE64_LENGTH + 1];
    sodium_bin2base64(base64, sizeof base64, master->key, sizeof master->key, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(ret, BF_MASTER_TEXT_SIZE, HEADING "%s\n", base64);
    sodium_memzero(base64, sizeof base64);
}

static bool read_line(const char *text, size_t size, bf_master *ret)
{
    return size > HEADING_LENGTH && memcmp(text, HEADING, HEADING_LENGTH) == 0 &&
           bf_base64_exact(text + HEADING_LENGTH, size - HEADING_LENGTH, ret->key, sizeof ret->key);
}

bf_status bf_master_parse(const char *text, size_t size, bf_master *ret, bf_error *err)
{
    BF_CLEANUP(bf_master_done) bf_master master = {0};
    bf_status status = start_sodium(err);
    if (status != BF_OK)
        return status;
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (!read_line(text, size, &master)) {
        bf_fail(err, BF_CONFIG_INVALID, "The master key does not have the form \"" HEADING "BASE64\".");
        bf_fail_hint(err, "BASE64 are 32 random bytes: 'openssl rand -base64 32' makes them.");
        return BF_CONFIG_INVALID;
    }
    if (sodium_is_zero(master.key, sizeof master.key))
        return bf_fail(err, BF_CONFIG_INVALID, "The master key is all zeros, which is no secret.");
    find_id(&master);
    *ret = master;
    return BF_OK;
}

void bf_master_seal(const bf_master *master, const void *secret, size_t size, uint8_t *ret_sealed)
{
    uint8_t key[BF_SECRET_SIZE];
    bf_master_derive(master, "seal", key);
    randombytes_buf(ret_sealed, crypto_secretbox_NONCEBYTES);
    (void)crypto_secretbox_easy(ret_sealed + crypto_secretbox_NONCEBYTES, secret, size, ret_sealed, key);
    sodium_memzero(key, sizeof key);
}

bf_status bf_master_open(const bf_master *master, const void *sealed, size_t size, uint8_t *ret_secret, bf_error *err)
{
    const uint8_t *bytes = sealed;
    uint8_t key[BF_SECRET_SIZE];
    bf_master_derive(master, "seal", key);
    bool opened =
        size >= BF_SEALED_SIZE(0) && crypto_secretbox_open_easy(ret_secret, bytes + crypto_secretbox_NONCEBYTES,
                                                                size - crypto_secretbox_NONCEBYTES, bytes, key) == 0;
    sodium_memzero(key, sizeof key);
    if (opened)
        return BF_OK;
    bf_fail(err, BF_VAULT_LOCKED, "A stored secret cannot be opened.");
    bf_fail_detail(err, "It was not sealed by the master key %s, or is damaged.", master->id);
    return BF_VAULT_LOCKED;
}
