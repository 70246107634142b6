/* Base64 in its one canonical form. */
#ifndef BF_AUDIT_BASE64_H
#define BF_AUDIT_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes text that must give exactly `ret_size` bytes: standard alphabet, padded, no stray bits, nothing around it.
 * On failure *ret may hold part of it. */
bool bf_base64_exact(const char *text, size_t size, uint8_t *ret, size_t ret_size);

#endif
