/* What the policy decided, and how far persons come when they may try again. */
#ifndef BF_EVALUATE_JOURNEY_H
#define BF_EVALUATE_JOURNEY_H

#include "evaluate/curve.h"
#include "evaluate/interval.h"

#define BF_ATTEMPTS_MAX 5

/* Shares of the persons, after so many attempts. They add up to 1. */
typedef struct bf_journey_state {
    double approved, reviewed, challenged, rejected, waiting; /* waiting: every attempt so far ended in retry */
} bf_journey_state;

typedef struct bf_journey {
    uint64_t decided;               /* presentations with a decision */
    bf_rate decision[BF_DECISIONS]; /* by bf_decision, of these */
    uint64_t persons, captures_median;
    bf_journey_state after[BF_ATTEMPTS_MAX]; /* after[0]: the first attempt */
} bf_journey;

/* Of the bona fide or of the attacks (without the species in `beside`). Each person attempts again as long as the
 * decision is retry, and each attempt ends as one of the person's own presentations did, any of them as likely;
 * persons count alike. OUT_OF_MEMORY. */
bf_status bf_journey_measure(bf_journey *ret, const bf_scores *scores, bool attacks, const bool *beside, bf_error *err);

#endif
