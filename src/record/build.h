/* Building JSON values. A failed allocation is remembered in the builder and asked for once, at the end. */
#ifndef BF_RECORD_BUILD_H
#define BF_RECORD_BUILD_H

#include <stdbool.h>

#include <jansson.h>

#include "image/image.h"

typedef struct bf_build {
    bool failed; /* some value could not be made */
} bf_build;

/* Each takes ownership of `value` (which may be NULL: the builder has then failed). */
void bf_build_put(bf_build *build, json_t *object, const char *key, json_t *value);
void bf_build_add(bf_build *build, json_t *list, json_t *value);

/* A string; bytes that are not part of valid UTF-8 become '?'. */
json_t *bf_build_text(const char *text);
/* The same, but null for an empty text. */
json_t *bf_build_text_or_null(const char *text);
/* Rounded to `decimals`; null when not finite. */
json_t *bf_build_decimals(double value, int decimals);
/* Rounded to `digits` significant digits; null when not finite. */
json_t *bf_build_digits(double value, int digits);
/* [x, y] in px with one decimal. */
json_t *bf_build_point(bf_build *build, bf_point point);
/* [x0, y0, x1, y1] in px with one decimal. */
json_t *bf_build_rect(bf_build *build, bf_rect rect);

#endif
