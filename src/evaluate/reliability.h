/* Whether a stated probability means what it says. */
#ifndef BF_EVALUATE_RELIABILITY_H
#define BF_EVALUATE_RELIABILITY_H

#include "evaluate/interval.h"
#include "evaluate/scores.h"

#define BF_RELIABILITY_BINS 10
#define BF_PROBABILITY_LEAST 1e-15 /* what the logarithm of the log loss is taken of at least */

typedef struct bf_reliability_bin {
    double mean;  /* of the stated probabilities; NaN when empty */
    bf_rate live; /* how many of them were bona fide */
} bf_reliability_bin;

/* Brier score, log loss (natural logarithm) and expected calibration error over the bins. */
typedef struct bf_calibration_error {
    double brier, log_loss, ece;
} bf_calibration_error;

typedef struct bf_reliability {
    uint64_t live, attacks;        /* with a probability */
    bf_calibration_error as_is;    /* at the table's own share of attacks */
    bf_calibration_error balanced; /* bona fide and attacks weighted alike: for a probability stated at 0.5 */
    bf_reliability_bin bin[BF_RELIABILITY_BINS];
} bf_reliability;

/* Over the rows with a probability, without the species in `beside` (a place for each; may be NULL). All figures are
 * NaN when one of the classes has none. OUT_OF_MEMORY. */
bf_status bf_reliability_measure(bf_reliability *ret, const bf_scores *scores, const bool *beside, bf_error *err);

#endif
