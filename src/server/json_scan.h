/* Finds where pictures are in a JSON object that arrives in pieces, without parsing it: the texts that are values of
 * media fields at the top level. What is no such text goes to the parser, which alone decides whether it is JSON. */
#ifndef BF_SERVER_JSON_SCAN_H
#define BF_SERVER_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

#define BF_SCAN_KEY_SIZE 32

/* What is done with the pieces; `field` is the index that `is_media` gave. */
typedef struct bf_scan_handler {
    int (*is_media)(void *context, const char *key); /* -1: it is none */
    bf_status (*keep)(void *context, const char *text, size_t size, bf_error *err);
    bf_status (*media)(void *context, int field, const char *text, size_t size, bf_error *err);
    bf_status (*media_end)(void *context, int field, bf_error *err);
} bf_scan_handler;

/* Zero-initialise with field = -1. */
typedef struct bf_scan {
    int depth;
    int field; /* the media field whose text is being read; -1: none */
    bool in_text, escaped;
    bool is_key; /* the text that is or was read last stands at the top level, where a key may */
    bool after_colon;
    char key[BF_SCAN_KEY_SIZE];
    size_t key_size; /* BF_SCAN_KEY_SIZE: longer, or written with escapes */
} bf_scan;

/* Takes a piece. A media text is replaced by an empty one in what is kept. The only escape in a media text may be "\/".
 * INVALID_REQUEST, and what the handler returns. Untrusted bytes. */
bf_status bf_scan_add(bf_scan *scan, const bf_scan_handler *handler, void *context, const char *text, size_t size,
                      bf_error *err);

#endif
