#include "access/key_text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#define KEY_PREFIX "bf_"
#define KEY_LENGTH (sizeof KEY_PREFIX - 1 + BF_KEY_ID_DIGITS + 1 + 2 * (size_t)BF_SECRET_SIZE)
#define SIGNING_PREFIX "bfs_"
#define SIGNING_LENGTH (sizeof SIGNING_PREFIX - 1 + 2 * (size_t)BF_SECRET_SIZE)

_Static_assert(BF_KEY_ID_DIGITS < BF_KEY_ID_SIZE, "an id must fit");
_Static_assert(KEY_LENGTH < BF_API_KEY_SIZE && SIGNING_LENGTH < BF_API_KEY_SIZE, "a key must fit");

const char *bf_bearer(const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    return authorization + sizeof scheme - 1;
}

/* libsodium's reader takes capitals too, which would be a second form. */
static bool all_hex(const char *text, size_t digits)
{
    for (size_t i = 0; i < digits; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    }
    return true;
}

bool bf_hex_read(const char *text, size_t size, uint8_t *ret)
{
    size_t read = 0;
    return all_hex(text, size * 2) && sodium_hex2bin(ret, size, text, size * 2, NULL, &read, NULL) == 0 && read == size;
}

bool bf_key_text_read(const char *text, bf_key_text *ret)
{
    if (!text || strlen(text) != KEY_LENGTH || strncmp(text, KEY_PREFIX, sizeof KEY_PREFIX - 1) != 0)
        return false;
    const char *id = text + sizeof KEY_PREFIX - 1;
    const char *secret = id + BF_KEY_ID_DIGITS + 1;
    if (!all_hex(id, BF_KEY_ID_DIGITS) || secret[-1] != '_' || !bf_hex_read(secret, BF_SECRET_SIZE, ret->secret))
        return false;
    memcpy(ret->id, id, BF_KEY_ID_DIGITS);
    ret->id[BF_KEY_ID_DIGITS] = '\0';
    return true;
}

void bf_key_text_write(const bf_key_text *key, char ret[BF_API_KEY_SIZE])
{
    char secret[2 * BF_SECRET_SIZE + 1];
    assert(strlen(key->id) == BF_KEY_ID_DIGITS);
    sodium_bin2hex(secret, sizeof secret, key->secret, BF_SECRET_SIZE);
    (void)snprintf(ret, BF_API_KEY_SIZE, KEY_PREFIX "%s_%s", key->id, secret);
    sodium_memzero(secret, sizeof secret);
}

void bf_key_text_done(bf_key_text *key)
{
    sodium_memzero(key, sizeof *key);
}

void bf_key_text_hash(const bf_key_text *key, uint8_t ret[BF_SECRET_SIZE])
{
    char text[BF_API_KEY_SIZE];
    bf_key_text_write(key, text);
    (void)crypto_hash_sha256(ret, (const uint8_t *)text, KEY_LENGTH);
    sodium_memzero(text, sizeof text);
}

void bf_signing_secret_write(const uint8_t secret[BF_SECRET_SIZE], char ret[BF_API_KEY_SIZE])
{
    memcpy(ret, SIGNING_PREFIX, sizeof SIGNING_PREFIX - 1);
    sodium_bin2hex(ret + sizeof SIGNING_PREFIX - 1, BF_API_KEY_SIZE - sizeof SIGNING_PREFIX + 1, secret,
                   BF_SECRET_SIZE);
}

bool bf_signing_secret_read(const char *text, uint8_t ret[BF_SECRET_SIZE])
{
    return text && strlen(text) == SIGNING_LENGTH && strncmp(text, SIGNING_PREFIX, sizeof SIGNING_PREFIX - 1) == 0 &&
           bf_hex_read(text + sizeof SIGNING_PREFIX - 1, BF_SECRET_SIZE, ret);
}
