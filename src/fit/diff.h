/* What changes from one text to another, as `patch` reads it. */
#ifndef BF_FIT_DIFF_H
#define BF_FIT_DIFF_H

#include "evaluate/page.h"

/* Appends a unified diff of a file with three lines around each change, for `patch -p1`; nothing when the texts are
 * equal. OUT_OF_MEMORY. */
bf_status bf_diff(bf_page *page, const char *name, const char *before, const char *after, bf_error *err);

#endif
