/* Intervals that know that presentations of one person resemble each other: persons are drawn again, not photos. */
#ifndef BF_EVALUATE_BOOTSTRAP_H
#define BF_EVALUATE_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "evaluate/curve.h"

#define BF_REPLICATES 2000
#define BF_PERSONS_FEW 20 /* with fewer the interval itself is a guess */

/* A small generator of random numbers (SplitMix64): the same seed gives the same interval on every machine. */
typedef struct bf_random {
    uint64_t state;
} bf_random;
uint64_t bf_random_next(bf_random *random);
/* Evenly from 0 to below - 1; below > 0. */
uint32_t bf_random_below(bf_random *random, uint32_t below);

/* An interval from percentiles of the replicates; NaN where nothing could be measured. */
typedef struct bf_span {
    double low, high;
} bf_span;

typedef struct bf_bootstrap {
    size_t persons;    /* that were drawn from */
    size_t replicates; /* for the rates at the working threshold */
    size_t whole;      /* of these, for the figures of the curve: fewer when the table is large */
    bf_span apcer[BF_KINDS_MAX], max_apcer, bpcer, acer;
    bf_span auc, eer, bpcer_at[BF_TARGETS], apcer_at;
} bf_bootstrap;

/* Draws `replicates` (2..100000) times as many persons as there are, each with all presentations; fewer times when
 * the table is large. With one person there is nothing to draw from: every span is NaN and replicates 0.
 * OUT_OF_MEMORY. */
bf_status bf_bootstrap_run(bf_bootstrap *ret, const bf_curve *curve, size_t replicates, uint64_t seed, bf_error *err);

#endif
