/* Proportions with their exact intervals, and in words what a small count can show. */
#ifndef BF_EVALUATE_INTERVAL_H
#define BF_EVALUATE_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

#define BF_CONFIDENCE 0.95 /* of every interval */
#define BF_FEW_ERRORS 30   /* with fewer, a rate is known to worse than +-30 % of itself */

/* `count` of `total`. `value`, `low` and `high` are 0..1; all three NaN when total is 0. The interval is
 * Clopper-Pearson's, two-sided at BF_CONFIDENCE, and takes presentations for independent. */
typedef struct bf_rate {
    uint64_t count, total;
    double value, low, high;
} bf_rate;

bf_rate bf_rate_of(uint64_t count, uint64_t total);

/* The regularised incomplete beta function I_x(a, b), for a, b > 0 and x in 0..1. */
double bf_beta(double a, double b, double x);
/* The x with I_x(a, b) = p. */
double bf_beta_inverse(double a, double b, double p);

/* The quantile of the standard normal distribution; p strictly between 0 and 1. For axes, not for inference: its
 * relative error is up to 1.2e-9. */
double bf_normal_quantile(double p);

/* Writes what the reader of this rate must know, as sentences, or "" when the count is large enough to speak for
 * itself. `what` names the presentations in the plural, such as "attack presentations". */
void bf_rate_caution(const bf_rate *rate, const char *what, char *ret, size_t ret_size);

#endif
