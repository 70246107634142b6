/* The bad input of the field, and what the decoder must say to each. */
#ifndef TEST_SUPPORT_HOSTILE_H
#define TEST_SUPPORT_HOSTILE_H

#include "support/images.h"

typedef struct test_hostile {
    const char *name;       /* file name, often with an ending that lies */
    bf_status expected;     /* of bf_decode_still with the default limits */
    bf_bytes (*make)(void); /* empty from the HEIC ones when there is no HEVC encoder */
} test_hostile;

const test_hostile *test_hostile_files(size_t *ret_count);

#endif
