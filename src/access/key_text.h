/* How secrets look as text. Each has exactly one form, so a credential that was changed in any bit is another one. */
#ifndef BF_ACCESS_KEY_TEXT_H
#define BF_ACCESS_KEY_TEXT_H

#include "access/keys.h"

#define BF_KEY_ID_DIGITS 16 /* hex digits of a key's id */

/* What follows "Bearer " in the value of an Authorization header; NULL when it is none (also for NULL). Points into it.
 * The scheme's letters may be of either case, as HTTP has it; one blank follows. */
const char *bf_bearer(const char *authorization);

/* Reads 2 * `size` lower-case hex digits; what follows them is the caller's business. False for anything else, *ret is
 * then undefined. */
bool bf_hex_read(const char *text, size_t size, uint8_t *ret);

/* An API key in its parts. Wipe it with bf_key_text_done. */
typedef struct bf_key_text {
    char id[BF_KEY_ID_SIZE];
    uint8_t secret[BF_SECRET_SIZE];
} bf_key_text;

/* "bf_ID_SECRET": 16 and 64 lower-case hex digits. Reading untrusted text; false when it is no key. */
bool bf_key_text_read(const char *text, bf_key_text *ret);
void bf_key_text_write(const bf_key_text *key, char ret[BF_API_KEY_SIZE]);
void bf_key_text_done(bf_key_text *key);

/* What the store keeps of a key: SHA-256 of its whole text, so the hash is bound to the id as well. A fast hash is
 * enough: it hides 256 random bits, and whoever could guess those would not be held up by a slow one. A slow hash is
 * for passwords; here it would only let strangers make the server work. */
void bf_key_text_hash(const bf_key_text *key, uint8_t ret[BF_SECRET_SIZE]);

/* "bfs_" and 64 lower-case hex digits. */
void bf_signing_secret_write(const uint8_t secret[BF_SECRET_SIZE], char ret[BF_API_KEY_SIZE]);
bool bf_signing_secret_read(const char *text, uint8_t ret[BF_SECRET_SIZE]);

#endif
