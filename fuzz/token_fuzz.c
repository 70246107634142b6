/* Credentials of any text: client tokens, API keys, request signatures, the master key's line. What is accepted has one
 * form: written again, it is the same text. The first byte chooses: 't' a token's text; 'b' a token's body, rightly
 * authenticated, as a faulty or later version might have written it; 'k' a key; 's' a signature; 'm' a master key. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "access/key_text.h"
#include "access/signature.h"
#include "access/token.h"

#define TEXT_MAX 512
#define NOW 1795635600000
#define HEADER_SIZE (BF_TOKEN_SIZE + 8)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const bf_master MASTER = {.key = "0123456789abcdef0123456789abcde", .id = "0123456789abcdef"};

static void read_token(const char *header)
{
    bf_token token = {0};
    bf_error err = {0};
    char again[BF_TOKEN_SIZE];
    bf_status status = bf_token_read(&MASTER, header, NOW, &token, &err);
    assert(status == BF_OK || status == BF_SESSION_EXPIRED || status == BF_UNAUTHENTICATED);
    if (status == BF_UNAUTHENTICATED)
        return;
    bf_token_write(&MASTER, &token, again);
    assert(strcmp(again, bf_bearer(header)) == 0);
}

static void read_body(const uint8_t *body, size_t size)
{
    uint8_t bytes[BF_TOKEN_SIZE], key[BF_SECRET_SIZE];
    char header[HEADER_SIZE] = "Bearer bft_";
    size_t prefix = strlen(header);
    if (sodium_base64_ENCODED_LEN(size + crypto_auth_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING) >
        sizeof header - prefix)
        return;
    if (size > 0)
        memcpy(bytes, body, size);
    bf_master_derive(&MASTER, "token", key);
    (void)crypto_auth(bytes + size, bytes, size, key);
    (void)sodium_bin2base64(header + prefix, sizeof header - prefix, bytes, size + crypto_auth_BYTES,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    read_token(header);
}

static void read_key(const char *text)
{
    bf_key_text key = {0};
    char again[BF_API_KEY_SIZE];
    if (bf_key_text_read(bf_bearer(text), &key)) {
        bf_key_text_write(&key, again);
        assert(strcmp(again, bf_bearer(text)) == 0);
    }
    if (bf_signing_secret_read(text, key.secret)) {
        bf_signing_secret_write(key.secret, again);
        assert(strcmp(again, text) == 0);
    }
}

static void read_signature(const char *text)
{
    bf_signature signature = {0};
    char again[BF_SIGNATURE_SIZE], hex[65];
    if (!bf_signature_read(text, &signature))
        return;
    sodium_bin2hex(hex, sizeof hex, signature.mac, sizeof signature.mac);
    (void)snprintf(again, sizeof again, "t=%lld, n=%s, v1=%s", (long long)signature.at_ms, signature.nonce, hex);
    assert(strcmp(again, text) == 0);
}

static void read_master(const char *text, size_t size)
{
    bf_master master = {0};
    bf_error err = {0};
    char again[BF_MASTER_TEXT_SIZE];
    if (bf_master_parse(text, size, &master, &err) != BF_OK)
        return;
    bf_master_write(&master, again);
    assert(size == strlen(again) || size + 1 == strlen(again));
    assert(memcmp(text, again, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1];
    if (size < 1 || size > TEXT_MAX)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case 't':
        read_token(text);
        break;
    case 'b':
        read_body(data + 1, size - 1);
        break;
    case 'k':
        read_key(text);
        break;
    case 's':
        read_signature(text);
        break;
    case 'm':
        read_master(text, size - 1);
        break;
    default:
        break;
    }
    return 0;
}
