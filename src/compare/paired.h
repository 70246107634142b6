/* Two answers to the same question, right or wrong: how sure a difference between two error rates is. */
#ifndef BF_COMPARE_PAIRED_H
#define BF_COMPARE_PAIRED_H

#include <stdint.h>

#include "evaluate/bootstrap.h"

/* Pairs of answers: in `worse` of them only B is wrong, in `better` only A. */
typedef struct bf_paired {
    uint64_t pairs, worse, better;
} bf_paired;

/* McNemar's test, exact and two-sided: the binomial test of worse against better at 1/2. 1 when there is neither. */
double bf_mcnemar(uint64_t worse, uint64_t better);

/* The interval of (B's error rate - A's) after T. Tango, "Equivalence test and confidence interval for the difference
 * in proportions for the paired-sample design", Statistics in Medicine 17 (1998): the differences that a score test
 * does not reject. It has a width also when no answer differs. Takes pairs for independent; NaN without pairs. */
bf_span bf_paired_interval(const bf_paired *paired, double confidence);

#endif
