#include "access/signature.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "access/key_text.h"
#include "access/keys.h"
#include "base/error.h"

#define TIME_DIGITS_MAX 15
#define MAC_DIGITS 64

_Static_assert(sizeof "t=, n=, v1=" + TIME_DIGITS_MAX + BF_SIGNATURE_NONCE_MAX + MAC_DIGITS <= BF_SIGNATURE_SIZE,
               "a signature must fit");
_Static_assert(crypto_auth_hmacsha256_BYTES * 2 == MAC_DIGITS, "two digits each");

static void add(crypto_auth_hmacsha256_state *state, const char *text)
{
    (void)crypto_auth_hmacsha256_update(state, (const uint8_t *)text, strlen(text));
}

static void find_mac(const uint8_t secret[BF_SECRET_SIZE], const bf_signed_request *request, int64_t at_ms,
                     const char *nonce, uint8_t ret[crypto_auth_hmacsha256_BYTES])
{
    crypto_auth_hmacsha256_state state;
    char time[TIME_DIGITS_MAX + 6], body[2 * crypto_hash_sha256_BYTES + 1];
    (void)snprintf(time, sizeof time, "%" PRId64, at_ms);
    sodium_bin2hex(body, sizeof body, request->body_sha256, crypto_hash_sha256_BYTES);
    (void)crypto_auth_hmacsha256_init(&state, secret, BF_SECRET_SIZE);
    const char *const lines[] = {"bonafide-request-v1", request->method, request->target, time, nonce, body};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        add(&state, i > 0 ? "\n" : "");
        add(&state, lines[i]);
    }
    (void)crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof state);
}

void bf_signature_write(const uint8_t secret[BF_SECRET_SIZE], const bf_signed_request *request, const char *nonce,
                        char ret[BF_SIGNATURE_SIZE])
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    char hex[MAC_DIGITS + 1];
    assert(request->now_ms >= 0 && request->now_ms < 1000000000000000);
    assert(strlen(nonce) >= BF_SIGNATURE_NONCE_MIN && strlen(nonce) <= BF_SIGNATURE_NONCE_MAX);
    find_mac(secret, request, request->now_ms, nonce, mac);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    (void)snprintf(ret, BF_SIGNATURE_SIZE, "t=%" PRId64 ", n=%s, v1=%s", request->now_ms, nonce, hex);
}

/* Digits without sign and leading zeros, so that a time has one form. Returns what follows; NULL for anything else. */
static const char *read_time(const char *text, int64_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > TIME_DIGITS_MAX || (digits > 1 && text[0] == '0'))
        return NULL;
    *ret = 0;
    for (size_t i = 0; i < digits; i++)
        *ret = *ret * 10 + (text[i] - '0');
    return text + digits;
}

static const char *read_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    return text && strncmp(text, word, length) == 0 ? text + length : NULL;
}

static const char *read_nonce(const char *text, char ret[BF_SIGNATURE_NONCE_MAX + 1])
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    if (length < BF_SIGNATURE_NONCE_MIN || length > BF_SIGNATURE_NONCE_MAX)
        return NULL;
    memcpy(ret, text, length);
    ret[length] = '\0';
    return text + length;
}

bool bf_signature_read(const char *text, bf_signature *ret)
{
    bf_signature got = {0};
    const char *at = read_word(text, "t=");
    at = at ? read_time(at, &got.at_ms) : NULL;
    at = read_word(at, ", n=");
    at = at ? read_nonce(at, got.nonce) : NULL;
    at = read_word(at, ", v1=");
    if (!at || strnlen(at, MAC_DIGITS + 1) != MAC_DIGITS || !bf_hex_read(at, sizeof got.mac, got.mac))
        return false;
    *ret = got;
    return true;
}

/* The nonce is remembered for longer than its time would be accepted, by whatever replica's clock. */
static bf_status use_nonce(bf_db *db, const char *key_id, const bf_signature *signature, int64_t now_ms, bf_error *err)
{
    int64_t later_ms = signature->at_ms > now_ms ? signature->at_ms : now_ms, changed = 0;
    bf_status status =
        bf_db_run(db, "INSERT INTO request_nonce(key_id, nonce, expires_ms) VALUES($1, $2, $3) ON CONFLICT DO NOTHING",
                  BF_VALUES(bf_value_text(key_id), bf_value_text(signature->nonce),
                            bf_value_integer(later_ms + 2 * (int64_t)BF_SIGNATURE_SKEW_MS)),
                  &changed, err);
    if (status != BF_OK || changed == 1)
        return status;
    return bf_fail(err, BF_SIGNATURE_INVALID, "The signature's nonce was used before.");
}

bf_status bf_signature_check(bf_db *db, const bf_master *master, const bf_principal *who,
                             const bf_signed_request *request, bf_error *err)
{
    bf_signature signature = {0};
    if (!request->header)
        return bf_fail(err, BF_SIGNATURE_INVALID, "This key's requests have to be signed, and this one is not.");
    if (!bf_signature_read(request->header, &signature))
        return bf_fail(err, BF_SIGNATURE_INVALID, "The signature does not have the form \"t=MS, n=NONCE, v1=HEX\".");
    int64_t off_ms = signature.at_ms - request->now_ms;
    if (off_ms > BF_SIGNATURE_SKEW_MS || off_ms < -BF_SIGNATURE_SKEW_MS)
        return bf_fail(err, BF_SIGNATURE_INVALID, "The signature's time is not the server's, by more than %d s.",
                       BF_SIGNATURE_SKEW_MS / 1000);
    uint8_t secret[BF_SECRET_SIZE], expected[crypto_auth_hmacsha256_BYTES];
    bf_status status = bf_key_signing_secret(db, master, who->key_id, secret, err);
    if (status == BF_NOT_FOUND)
        return bf_fail(err, BF_SIGNATURE_INVALID, "The signature is wrong.");
    if (status != BF_OK)
        return status;
    find_mac(secret, request, signature.at_ms, signature.nonce, expected);
    sodium_memzero(secret, sizeof secret);
    /* Only now, so that nobody without the secret can fill the store with nonces. */
    if (sodium_memcmp(expected, signature.mac, sizeof expected) != 0)
        return bf_fail(err, BF_SIGNATURE_INVALID, "The signature is wrong.");
    return use_nonce(db, who->key_id, &signature, request->now_ms, err);
}
