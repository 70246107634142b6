/* The log's key: its file, and its public half as text. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "audit/note.h"
#include "base/attr.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/secret_file.h"

#define KEY_FILE_WORD "bonafide-log-key-v1"
#define ALGORITHM_ED25519 0x01
#define BASE64 sodium_base64_VARIANT_ORIGINAL

void bf_log_key_done(bf_log_key *key)
{
    sodium_memzero(key, sizeof *key);
}

bool bf_origin_is_valid(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '+')
            return false;
    return size > 0 && size < BF_ORIGIN_SIZE;
}

void bf_log_key_id(const bf_log_key *key, uint8_t ret[BF_LOG_KEY_ID_SIZE])
{
    static const uint8_t separator[] = {'\n', ALGORITHM_ED25519};
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)key->origin, strlen(key->origin));
    crypto_hash_sha256_update(&state, separator, sizeof separator);
    crypto_hash_sha256_update(&state, key->public_key, sizeof key->public_key);
    crypto_hash_sha256_final(&state, digest);
    memcpy(ret, digest, BF_LOG_KEY_ID_SIZE);
}

void bf_log_verifier_key(const bf_log_key *key, char ret[BF_VERIFIER_KEY_SIZE])
{
    uint8_t id[BF_LOG_KEY_ID_SIZE], typed[1 + sizeof key->public_key] = {ALGORITHM_ED25519};
    char hex[2 * BF_LOG_KEY_ID_SIZE + 1], encoded[sodium_base64_ENCODED_LEN(sizeof typed, BASE64)];
    bf_log_key_id(key, id);
    memcpy(typed + 1, key->public_key, sizeof key->public_key);
    sodium_bin2hex(hex, sizeof hex, id, sizeof id);
    sodium_bin2base64(encoded, sizeof encoded, typed, sizeof typed, BASE64);
    (void)snprintf(ret, BF_VERIFIER_KEY_SIZE, "%s+%s+%s", key->origin, hex, encoded);
}

/* Copies `size` bytes as the origin; false when they cannot be one. */
static bool take_origin(const char *text, size_t size, bf_log_key *key)
{
    if (size >= sizeof key->origin)
        return false;
    memcpy(key->origin, text, size);
    key->origin[size] = '\0';
    return strlen(key->origin) == size && bf_origin_is_valid(key->origin);
}

static bool read_verifier_key(const char *text, bf_log_key *key)
{
    uint8_t id[BF_LOG_KEY_ID_SIZE], typed[1 + sizeof key->public_key];
    char hex[2 * BF_LOG_KEY_ID_SIZE + 1];
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    const char *hash = memchr(text, '+', length);
    if (!hash || !take_origin(text, (size_t)(hash - text), key))
        return false;
    hash++;
    size_t rest = length - (size_t)(hash - text);
    if (rest < sizeof hex || hash[sizeof hex - 1] != '+')
        return false;
    if (!bf_base64_exact(hash + sizeof hex, rest - sizeof hex, typed, sizeof typed) || typed[0] != ALGORITHM_ED25519)
        return false;
    memcpy(key->public_key, typed + 1, sizeof key->public_key);
    bf_log_key_id(key, id);
    sodium_bin2hex(hex, sizeof hex, id, sizeof id);
    return memcmp(hex, hash, sizeof hex - 1) == 0;
}

bf_status bf_log_verifier_key_read(const char *text, bf_log_key *ret, bf_error *err)
{
    bf_log_key key = {0};
    if (strlen(text) >= BF_VERIFIER_KEY_SIZE || !read_verifier_key(text, &key)) {
        (void)bf_fail(err, BF_INVALID_ARGUMENT, "The text is no verifier key of a log.");
        bf_fail_hint(err, "It has the form NAME+HEX+BASE64, as 'bonafide audit key' prints it.");
        return BF_INVALID_ARGUMENT;
    }
    *ret = key;
    return BF_OK;
}

/* Keeps the key of a seed. */
static void take_seed(const uint8_t seed[crypto_sign_SEEDBYTES], bf_log_key *key)
{
    (void)crypto_sign_seed_keypair(key->public_key, key->secret_key, seed);
    key->can_sign = true;
}

/* Reads the file's one line, without its newline. */
static bool read_line(const char *line, size_t size, bf_log_key *key)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    size_t word = strlen(KEY_FILE_WORD " ");
    if (size <= word || memcmp(line, KEY_FILE_WORD " ", word) != 0)
        return false;
    const char *origin = line + word, *blank = memchr(origin, ' ', size - word);
    if (!blank || !take_origin(origin, (size_t)(blank - origin), key))
        return false;
    bool sound = bf_base64_exact(blank + 1, size - (size_t)(blank + 1 - line), seed, sizeof seed);
    if (sound)
        take_seed(seed, key);
    sodium_memzero(seed, sizeof seed);
    return sound;
}

/* The line of a new key; `context` is its origin. */
static bf_status make_line(const void *context, char ret[BF_SECRET_TEXT_SIZE], bf_error *err)
{
    const char *origin = context;
    uint8_t seed[crypto_sign_SEEDBYTES];
    char encoded[sodium_base64_ENCODED_LEN(sizeof seed, BASE64)];
    if (!bf_origin_is_valid(origin))
        return bf_fail(err, BF_CONFIG_INVALID,
                       "The audit log's origin must be 1 to %d printable characters without blanks and '+'.",
                       BF_ORIGIN_SIZE - 1);
    randombytes_buf(seed, sizeof seed);
    sodium_bin2base64(encoded, sizeof encoded, seed, sizeof seed, BASE64);
    (void)snprintf(ret, BF_SECRET_TEXT_SIZE, KEY_FILE_WORD " %s %s\n", origin, encoded);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(encoded, sizeof encoded);
    return BF_OK;
}

bf_status bf_log_key_read(const char *path, const char *origin_when_created, bool create, bf_log_key *ret,
                          bf_error *err)
{
    BF_CLEANUP(bf_log_key_done) bf_log_key key = {0};
    BF_CLEANUP(bf_secret_text_wipe) char line[BF_SECRET_TEXT_SIZE];
    size_t size = 0;
    bf_status status =
        bf_secret_file_read(path, "audit log's key", create ? make_line : NULL, origin_when_created, line, &size, err);
    if (status != BF_OK)
        return status;
    if (size > 0 && line[size - 1] == '\n')
        size--;
    if (!read_line(line, size, &key))
        return bf_fail(err, BF_CONFIG_INVALID,
                       "The file '%s' is no audit log key: its line is \"" KEY_FILE_WORD " ORIGIN BASE64\".", path);
    *ret = key;
    return BF_OK;
}
