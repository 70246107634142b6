/* Base64 text that arrives in pieces, decoded straight into a region. */
#ifndef BF_SERVER_BASE64_H
#define BF_SERVER_BASE64_H

#include <stdbool.h>

#include "worker/region.h"

#define BF_BASE64_PIECE 4096 /* characters decoded at once; a multiple of four */

/* Zero-initialise; wipe with bf_base64_done. */
typedef struct bf_base64 {
    char text[BF_BASE64_PIECE];
    size_t used;
    bool padded; /* the end was seen: nothing may follow */
} bf_base64;

/* Strict: the standard alphabet, padded, no white space. INVALID_REQUEST (without the field's name), BODY_TOO_LARGE
 * past `size_max` bytes, OUT_OF_MEMORY. Untrusted text. */
bf_status bf_base64_add(bf_base64 *base64, const char *text, size_t size, bf_region *region, size_t size_max,
                        bf_error *err);
bf_status bf_base64_end(bf_base64 *base64, bf_region *region, size_t size_max, bf_error *err);
void bf_base64_done(bf_base64 *base64);

#endif
