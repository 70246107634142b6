/* SHA-256 of bytes, as raw digest and lower-case hex (libsodium). */
#ifndef BF_BASE_HASH_H
#define BF_BASE_HASH_H

#include <stddef.h>

#define BF_SHA256_HEX_SIZE 65 /* 64 digits and the terminating NUL */

void bf_sha256_hex(const void *data, size_t size, char ret_hex[BF_SHA256_HEX_SIZE]);

#endif
