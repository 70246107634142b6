/* The master key: 32 random bytes from a file or from the environment, never from the store. Every other secret of the
 * service follows from it or is sealed by it, so a stolen database alone gives nobody a token, a signature or a
 * face. */
#ifndef BF_ACCESS_MASTER_H
#define BF_ACCESS_MASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

#define BF_SECRET_SIZE 32
#define BF_MASTER_ID_SIZE 17    /* 16 hex digits: a fingerprint that gives nothing away */
#define BF_MASTER_TEXT_SIZE 128 /* the key as text, with its NUL */

typedef struct bf_master {
    uint8_t key[BF_SECRET_SIZE];
    char id[BF_MASTER_ID_SIZE];
} bf_master;

/* Reads "bonafide-master-key-v1 BASE64" from a file (base/secret_file.h; made when it is not there and `create`).
 * IO_ERROR, CONFIG_INVALID (its form, or it is open to others), OUT_OF_MEMORY. */
bf_status bf_master_read(const char *path, bool create, bf_master *ret, bf_error *err);
/* The same from text, such as an environment variable's; one newline may follow it. CONFIG_INVALID. */
bf_status bf_master_parse(const char *text, size_t size, bf_master *ret, bf_error *err);
void bf_master_done(bf_master *master); /* wipes */

/* A new random key, and a key's line with its newline. */
bf_status bf_master_random(bf_master *ret, bf_error *err);
void bf_master_write(const bf_master *master, char ret[BF_MASTER_TEXT_SIZE]);

/* A key for one purpose ("token", "address", ...), at most 8 characters: crypto_kdf. */
void bf_master_derive(const bf_master *master, const char *purpose, uint8_t ret[BF_SECRET_SIZE]);

/* Seals and opens small secrets (crypto_secretbox under a derived key). `size` is the secret's in sealing, of which
 * BF_SEALED_SIZE(size) bytes come, and those bytes' number in opening. VAULT_LOCKED: sealed by another master key, or
 * damaged. */
#define BF_SEALED_SIZE(size) ((size) + 24 + 16)
void bf_master_seal(const bf_master *master, const void *secret, size_t size, uint8_t *ret_sealed);
bf_status bf_master_open(const bf_master *master, const void *sealed, size_t size, uint8_t *ret_secret, bf_error *err);

#endif
