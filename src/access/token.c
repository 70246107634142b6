/* bft_ and the base64url of: version (1 byte), attempt (4), expiry (8), session (length and text), client (the same),
 * and a MAC of all of that (32). Numbers are big-endian. */
#include "access/token.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include "access/key_text.h"
#include "base/error.h"

#define PREFIX "bft_"
#define PREFIX_LENGTH (sizeof PREFIX - 1)
#define VERSION 1
#define NUMBERS_SIZE 13u
#define BODY_MAX (NUMBERS_SIZE + 2 * BF_NAME_MAX)
#define BYTES_MAX (BODY_MAX + crypto_auth_BYTES)

_Static_assert(crypto_auth_KEYBYTES == BF_SECRET_SIZE, "a derived key is a key for crypto_auth");
_Static_assert(PREFIX_LENGTH + sodium_base64_ENCODED_LEN(BYTES_MAX, sodium_base64_VARIANT_URLSAFE_NO_PADDING) <=
                   BF_TOKEN_SIZE,
               "a token must fit");

static void mac(const bf_master *master, const uint8_t *body, size_t size, uint8_t ret[crypto_auth_BYTES])
{
    uint8_t key[BF_SECRET_SIZE];
    bf_master_derive(master, "token", key);
    (void)crypto_auth(ret, body, size, key);
    sodium_memzero(key, sizeof key);
}

static void put_number(uint8_t *at, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, number >>= 8)
        at[i] = (uint8_t)number;
}

static uint64_t get_number(const uint8_t *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

static size_t put_text(uint8_t *at, const char *text)
{
    size_t length = strlen(text);
    assert(length > 0 && length < BF_NAME_MAX);
    at[0] = (uint8_t)length;
    for (size_t i = 0; i < length; i++)
        at[i + 1] = (uint8_t)text[i];
    return length + 1;
}

void bf_token_write(const bf_master *master, const bf_token *token, char ret[BF_TOKEN_SIZE])
{
    uint8_t bytes[BYTES_MAX];
    assert(token->attempt >= 1 && token->expires_ms >= 0);
    bytes[0] = VERSION;
    put_number(bytes + 1, (uint64_t)token->attempt, 4);
    put_number(bytes + 5, (uint64_t)token->expires_ms, 8);
    size_t size = NUMBERS_SIZE;
    size += put_text(bytes + size, token->session_id);
    size += put_text(bytes + size, token->client);
    mac(master, bytes, size, bytes + size);
    memcpy(ret, PREFIX, PREFIX_LENGTH);
    sodium_bin2base64(ret + PREFIX_LENGTH, BF_TOKEN_SIZE - PREFIX_LENGTH, bytes, size + crypto_auth_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* Returns the bytes taken; 0 when there is no name. */
static size_t get_text(const uint8_t *at, size_t left, char ret[BF_NAME_MAX])
{
    size_t length = left > 0 ? at[0] : 0;
    if (length == 0 || length >= BF_NAME_MAX || length + 1 > left || memchr(at + 1, 0, length))
        return 0;
    memcpy(ret, at + 1, length);
    ret[length] = '\0';
    return length + 1;
}

static bool parse_body(const uint8_t *body, size_t size, bf_token *ret)
{
    uint64_t attempt = get_number(body + 1, 4), expires = get_number(body + 5, 8);
    if (attempt < 1 || attempt > INT32_MAX || expires > INT64_MAX)
        return false;
    ret->attempt = (int)attempt;
    ret->expires_ms = (int64_t)expires;
    size_t at = NUMBERS_SIZE, taken = get_text(body + at, size - at, ret->session_id);
    if (taken == 0)
        return false;
    at += taken;
    taken = get_text(body + at, size - at, ret->client);
    return taken > 0 && at + taken == size;
}

/* libsodium's reader takes some bytes beyond ASCII for letters, so what it read is compared with what its writer makes
 * of it: a token has one form. */
static bool read_bytes(const char *text, uint8_t ret[BYTES_MAX], size_t *ret_size)
{
    char again[BF_TOKEN_SIZE];
    size_t length = strnlen(text, BF_TOKEN_SIZE), size = 0;
    if (length >= BF_TOKEN_SIZE || sodium_base642bin(ret, BYTES_MAX, text, length, NULL, &size, NULL,
                                                     sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    sodium_bin2base64(again, sizeof again, ret, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    *ret_size = size;
    return strcmp(again, text) == 0;
}

static bool read_token(const bf_master *master, const char *authorization, bf_token *ret)
{
    const char *text = bf_bearer(authorization);
    size_t size = 0;
    uint8_t bytes[BYTES_MAX], expected[crypto_auth_BYTES];
    if (!text || strncmp(text, PREFIX, PREFIX_LENGTH) != 0 || !read_bytes(text + PREFIX_LENGTH, bytes, &size) ||
        size < NUMBERS_SIZE + crypto_auth_BYTES || bytes[0] != VERSION)
        return false;
    size -= crypto_auth_BYTES;
    mac(master, bytes, size, expected);
    return sodium_memcmp(expected, bytes + size, crypto_auth_BYTES) == 0 && parse_body(bytes, size, ret);
}

bf_status bf_token_read(const bf_master *master, const char *authorization, int64_t now_ms, bf_token *ret,
                        bf_error *err)
{
    bf_token token = {0};
    if (!read_token(master, authorization, &token))
        return bf_fail(err, BF_UNAUTHENTICATED, "The request carries no valid client token.");
    *ret = token;
    return now_ms < token.expires_ms ? BF_OK : bf_fail(err, BF_SESSION_EXPIRED, "The client token's time is over.");
}
