/* Base64 in its one canonical form: standard alphabet, padded, no stray bits, nothing around it. */
#ifndef BF_BASE_BASE64_H
#define BF_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes at most `room` bytes. On failure *ret may hold part of it. */
bool bf_base64_read(const char *text, size_t size, uint8_t *ret, size_t room, size_t *ret_size);

/* The same for text that must give exactly `ret_size` bytes. */
bool bf_base64_exact(const char *text, size_t size, uint8_t *ret, size_t ret_size);

#endif
