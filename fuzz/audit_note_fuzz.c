/* Any bytes as a signed checkpoint and as a verifier key: read or refused. Signed with the key, they may be a
 * checkpoint of the log, which then holds no longer when a bit is changed. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "audit/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

static const bf_log_key *the_key(void)
{
    static bf_log_key key;
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {7};
    if (!key.can_sign) {
        must(sodium_init() >= 0);
        (void)snprintf(key.origin, sizeof key.origin, "test.example/log");
        (void)crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
        key.can_sign = true;
    }
    return &key;
}

static bf_status verify(const char *text, size_t size)
{
    bf_checkpoint verified, read;
    bf_error err = {0};
    bf_status status = bf_note_verify(the_key(), text, size, &verified, &err);
    must(err.status == status);
    must(status == BF_OK || status == BF_AUDIT_TAMPERED || status == BF_INVALID_ARGUMENT);
    bf_status plain = bf_note_read(text, size, &read, NULL);
    must(status == BF_INVALID_ARGUMENT || plain == BF_OK);
    if (status == BF_OK) {
        must(memcmp(&verified.root, &read.root, sizeof read.root) == 0 && verified.size == read.size);
        must(verified.size >= 0 && verified.size <= BF_LOG_SIZE_MAX);
    }
    return status;
}

/* Signs the bytes as they are, as a checkpoint would be. */
static void sign_and_verify(const uint8_t *data, size_t size)
{
    uint8_t blob[BF_LOG_KEY_ID_SIZE + crypto_sign_BYTES];
    char encoded[128], *note = malloc(size + 256);
    must(note != NULL);
    bf_log_key_id(the_key(), blob);
    (void)crypto_sign_detached(blob + BF_LOG_KEY_ID_SIZE, NULL, data, size, the_key()->secret_key);
    sodium_bin2base64(encoded, sizeof encoded, blob, sizeof blob, sodium_base64_VARIANT_ORIGINAL);
    memcpy(note, data, size);
    int more = snprintf(note + size, 256, "\n\xe2\x80\x94 %s %s\n", the_key()->origin, encoded);
    bf_status status = verify(note, size + (size_t)more);
    /* One bit of what was signed changed, and it is no longer so. */
    if (status == BF_OK) {
        note[size / 2] = (char)(note[size / 2] ^ 1);
        must(verify(note, size + (size_t)more) != BF_OK);
    }
    free(note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[BF_VERIFIER_KEY_SIZE + 64], again[BF_VERIFIER_KEY_SIZE];
    bf_log_key key;
    (void)verify((const char *)data, size);
    sign_and_verify(data, size);
    size_t length = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    if (bf_log_verifier_key_read(text, &key, NULL) != BF_OK)
        return 0;
    must(!key.can_sign && bf_origin_is_valid(key.origin));
    bf_log_verifier_key(&key, again);
    must(strncmp(again, text, strlen(again)) == 0);
    return 0;
}
