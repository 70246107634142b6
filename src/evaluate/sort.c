#include "evaluate/sort.h"

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define DIGIT_BITS 8
#define DIGITS 256

static void free_items(bf_sort_item **items)
{
    bf_free(*items);
}

/* Where the items of each digit begin; false when all have the same digit. */
static int count_digits(const bf_sort_item *items, size_t count, int shift, size_t first[DIGITS])
{
    size_t number[DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        number[items[i].key >> shift & (DIGITS - 1)]++;
    if (number[items[0].key >> shift & (DIGITS - 1)] == count)
        return 0;
    size_t at = 0;
    for (int d = 0; d < DIGITS; d++) {
        first[d] = at;
        at += number[d];
    }
    return 1;
}

bf_status bf_sort(bf_sort_item *items, size_t count, bf_error *err)
{
    if (count < 2)
        return BF_OK;
    BF_CLEANUP(free_items) bf_sort_item *spare = bf_malloc(count * sizeof *spare);
    if (!spare)
        return bf_fail_memory(err);
    bf_sort_item *from = items, *to = spare;
    for (int shift = 0; shift < 64; shift += DIGIT_BITS) {
        size_t next[DIGITS];
        if (!count_digits(from, count, shift, next))
            continue;
        for (size_t i = 0; i < count; i++)
            to[next[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
        bf_sort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof *items);
    return BF_OK;
}

bf_status bf_sort_floats(float *values, size_t count, bf_error *err)
{
    BF_CLEANUP(free_items) bf_sort_item *items = bf_malloc((count + 1) * sizeof *items);
    if (!items)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        items[i] = (bf_sort_item){.key = bits};
    }
    bf_status status = bf_sort(items, count, err);
    for (size_t i = 0; status == BF_OK && i < count; i++) {
        uint32_t bits = (uint32_t)items[i].key;
        memcpy(&values[i], &bits, sizeof bits);
    }
    return status;
}
