/* What the decoder's fuzz targets share. */
#ifndef FUZZ_DECODE_FUZZ_H
#define FUZZ_DECODE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes a copy of the bytes, with `magic` written over it at `magic_at` so that the wanted decoder gets them, and
 * checks what bf_decode_still promises for every input. The copy has just the input's size, so that AddressSanitizer
 * sees a read past it. */
void fuzz_decode(const uint8_t *data, size_t size, const char *magic, size_t magic_size, size_t magic_at);

#endif
