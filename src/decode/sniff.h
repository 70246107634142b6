/* What a file is, by its first bytes and, for the many things that boxes hold, by its outermost boxes. Internal to
 * decode/ and capture/. */
#ifndef BF_DECODE_SNIFF_H
#define BF_DECODE_SNIFF_H

#include "decode/decode.h"

/* The container of the bytes. When it is no still that is read, *ret_looks_like is a phrase for a message ("a GIF
 * image", "text", "a video (WebM or Matroska)"), or NULL when the bytes look like nothing known. */
bf_container bf_sniff(const uint8_t *bytes, size_t size, const char **ret_looks_like);

#endif
