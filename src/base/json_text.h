/* JSON before it is parsed: jansson's parser recurses, so that depth is checked on the text. */
#ifndef BF_BASE_JSON_TEXT_H
#define BF_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether objects and lists are nested more than `levels_max` deep in the text, which need not be valid. */
bool bf_json_text_is_deeper(const char *text, size_t size, int levels_max);

#endif
