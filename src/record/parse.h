/* Reading JSON strictly: documents come from outside, and are refused when they are too large, too deep, hold a key
 * twice or hold a key that nobody knows. Every failure is INVALID_ARGUMENT with "NAME: ..." (OUT_OF_MEMORY apart). */
#ifndef BF_RECORD_PARSE_H
#define BF_RECORD_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "bonafide/status.h"

/* Parses one JSON object of at most BF_JSON_BYTES_MAX bytes and BF_JSON_DEPTH_MAX levels. `name` (of the file or
 * parameter) stands in messages. The caller releases *ret with json_decref. */
bf_status bf_json_parse(const void *text, size_t size, const char *name, json_t **ret, bf_error *err);

/* Clean-up helper for `json_t *` variables: BF_CLEANUP(bf_json_release). */
void bf_json_release(json_t **value);

/* Refuses keys of `object` that are not in the NULL-terminated list, naming the nearest known one. */
bf_status bf_json_check_keys(const json_t *object, const char *name, const char *const known[], bf_error *err);

/* Typed getters of object[key]. An absent or null value leaves *ret untouched, so set the default before. Strings
 * point into the document. */
bf_status bf_json_get_text(const json_t *object, const char *name, const char *key, const char **ret, bf_error *err);
bf_status bf_json_get_bool(const json_t *object, const char *name, const char *key, bool *ret, bf_error *err);
bf_status bf_json_get_number(const json_t *object, const char *name, const char *key, double min, double max,
                             double *ret, bf_error *err);
bf_status bf_json_get_integer(const json_t *object, const char *name, const char *key, int min, int max, int *ret,
                              bf_error *err);
bf_status bf_json_get_object(const json_t *object, const char *name, const char *key, const json_t **ret,
                             bf_error *err);
/* One of the NULL-terminated `words`; *ret gets its index. */
bf_status bf_json_get_choice(const json_t *object, const char *name, const char *key, const char *const words[],
                             int *ret, bf_error *err);

#endif
