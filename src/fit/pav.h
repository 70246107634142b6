/* Weighted least-squares regression that never falls: pool adjacent violators (Ayer, Brunk, Ewing, Reid and Silverman,
 * 1955). */
#ifndef BF_FIT_PAV_H
#define BF_FIT_PAV_H

#include <stddef.h>

/* Neighbouring values that share one level. */
typedef struct bf_pav_block {
    size_t first, count;
    double weight;
    double sum; /* of weight x value; the level is sum / weight */
} bf_pav_block;

/* Pools `count` blocks in place, in their order, until levels rise from each to the next, and returns how many are
 * left. Weights are above 0. */
size_t bf_pav(bf_pav_block *blocks, size_t count);

#endif
