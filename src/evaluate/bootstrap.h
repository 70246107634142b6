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

/* The middle `confidence` (0..1) of the values, without those that are NaN; reorders them. */
bf_span bf_span_of(double *values, size_t count, double confidence);

/* `asked` replicates, or as many as `work` visits of `each` things allow; `least` however large the table is. With
 * many persons fewer will do. */
size_t bf_replicates_affordable(size_t asked, size_t work, size_t each, size_t least);
#define BF_RATES_WORK 250000000u /* persons and cells that may be visited in all, */
#define BF_RATES_MIN 400         /* and replicates of the rates at the working threshold */
#define BF_WHOLE_WORK 60000000u  /* the same for entries of the curve */
#define BF_WHOLE_MIN 100

/* Persons drawn again: as many as there are, with replacement. */
typedef struct bf_draw {
    uint32_t *weight; /* by person: how often it was drawn */
    uint32_t *drawn;  /* those that are drawn from */
    size_t persons, drawn_count;
    bf_random random;
} bf_draw;

/* Makes room for `persons`; the caller appends to `drawn`. On success the caller calls bf_draw_done. OUT_OF_MEMORY. */
bf_status bf_draw_start(bf_draw *ret, size_t persons, uint64_t seed, bf_error *err);
void bf_draw_next(bf_draw *draw);
/* The draw of that number, which does not depend on those made before: for several threads. */
void bf_draw_number(bf_draw *draw, uint64_t seed, size_t number);
void bf_draw_done(bf_draw *draw);

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
