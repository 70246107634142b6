/* JSON text put together from values and from text that is JSON already, so that a record reaches its reader byte for
 * byte as it was stored. A failed allocation is remembered and asked for once, at the end. */
#ifndef BF_SESSION_TEXT_H
#define BF_SESSION_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/bytes.h"

#define BF_ANSWER_BYTES_MAX (64u << 20) /* one answer */

/* Zero-initialise; free with bf_text_done unless it was taken. */
typedef struct bf_text {
    char *data;
    size_t size, capacity;
    bool failed;
} bf_text;

void bf_text_done(bf_text *text); /* wipes */

/* `key` is NULL for the outermost value and for elements of a list. Keys are names of the API: they are not escaped. */
void bf_text_open(bf_text *text, const char *key);
void bf_text_close(bf_text *text);
void bf_text_open_list(bf_text *text, const char *key);
void bf_text_close_list(bf_text *text);
/* Takes ownership of `value`, which may be NULL: the text has then failed. */
void bf_text_put(bf_text *text, const char *key, json_t *value);
/* Text that is JSON; NULL gives null. */
void bf_text_raw(bf_text *text, const char *key, const char *json);

/* Hands the text over; OUT_OF_MEMORY when some part of it could not be made. */
bf_status bf_text_take(bf_text *text, bf_bytes *ret, bf_error *err);
/* The same as a string. */
bf_status bf_text_take_string(bf_text *text, char **ret, bf_error *err);

#endif
