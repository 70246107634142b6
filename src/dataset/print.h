/* A perceptual hash: pictures that look alike have prints that differ in few bits, whatever their format, size and
 * compression. Not made against people who change a picture so that it is not found. */
#ifndef BF_DATASET_PRINT_H
#define BF_DATASET_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

#define BF_PRINT_WORDS 4
#define BF_PRINT_BITS (64 * BF_PRINT_WORDS)
#define BF_PRINT_NEAR 15 /* bits; docs/decisions/0014-evaluation.md says why, and bf_print_pairs cannot look further */

typedef struct bf_print {
    uint64_t word[BF_PRINT_WORDS];
    bool present;
} bf_print;

/* The signs of the lowest frequencies of the picture's luma. */
void bf_print_make(const bf_image *rgb, bf_print *ret);
/* Bits in which two prints differ. */
int bf_print_distance(const bf_print *a, const bf_print *b);

/* Takes one pair, first < second. */
typedef void bf_print_pair(void *data, size_t first, size_t second, int distance);

/* Finds the pairs of present prints that differ in at most `near` (0..BF_PRINT_NEAR) bits, each once; of equal prints
 * all but the first may be paired with that one only. OUT_OF_MEMORY. */
bf_status bf_print_pairs(const bf_print *prints, size_t count, int near, bf_print_pair *take, void *data,
                         bf_error *err);

#endif
