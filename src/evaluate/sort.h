/* Sorting millions of numbers in linear time. */
#ifndef BF_EVALUATE_SORT_H
#define BF_EVALUATE_SORT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bonafide/status.h"

typedef struct bf_sort_item {
    uint64_t key;
    uint32_t index;
} bf_sort_item;

/* A key that orders as the number does; -0 and 0 are one. Not for NaN. */
static inline uint64_t bf_sort_key(double value)
{
    uint64_t bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* Sorts by rising key and keeps the order of equal ones. OUT_OF_MEMORY leaves the items as they were. */
bf_status bf_sort(bf_sort_item *items, size_t count, bf_error *err);

/* Sorts floats that are not negative, in place. OUT_OF_MEMORY. */
bf_status bf_sort_floats(float *values, size_t count, bf_error *err);

#endif
