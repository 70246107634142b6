/* A growing text, such as a page. Once memory is out everything further is dropped, and bf_page_take says so. */
#ifndef BF_EVALUATE_PAGE_H
#define BF_EVALUATE_PAGE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/bytes.h"

#define BF_PAGE_BYTES_MAX (64u << 20)

typedef struct bf_page {
    char *data;
    size_t size, capacity;
    bool failed;
} bf_page;

/* Appends; what a "%s" stands for is taken as it is. */
void bf_page_put(bf_page *text, const char *format, ...) BF_PRINTF(2, 3);
/* Appends text that came from outside, made harmless for HTML content and attributes: what is no UTF-8 is left out. */
void bf_page_escape(bf_page *text, const char *from);

/* Hands the text over and leaves an empty one. OUT_OF_MEMORY: some of it is missing. */
bf_status bf_page_take(bf_page *text, bf_bytes *ret, bf_error *err);
void bf_page_done(bf_page *text);

#endif
