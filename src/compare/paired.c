#include "compare/paired.h"

#include <math.h>

#include "evaluate/interval.h"

#define STEPS 100 /* of a bisection: more than a double has bits */

double bf_mcnemar(uint64_t worse, uint64_t better)
{
    double n = (double)(worse + better), rarer = (double)(worse < better ? worse : better);
    if (worse == better)
        return 1;
    /* P(at most `rarer` of n) = I_1/2(n - rarer, rarer + 1); twice for both sides. */
    return fmin(1, 2 * bf_beta(n - rarer, rarer + 1, 0.5));
}

/* Tango's score statistic of a difference: how many standard deviations the observed one is above it. */
static double statistic(double n, double worse, double better, double difference)
{
    /* The most likely share of `better` if the difference were this: the root of 2n q^2 - p q - r = 0. */
    double p = (worse + better) * (1 - difference) - 2 * difference * (n - worse);
    double r = better * difference * (1 - difference);
    double q = (p + sqrt(fmax(0, p * p + 8 * n * r))) / (4 * n);
    double variance = n * (2 * q + difference * (1 - difference));
    double excess = worse - better - n * difference;
    if (variance <= 0)
        return excess > 0 ? INFINITY : excess < 0 ? -INFINITY : 0;
    return excess / sqrt(variance);
}

static double upper(double n, double worse, double better, double quantile)
{
    double low = (worse - better) / n, high = 1;
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        if (statistic(n, worse, better, middle) > -quantile)
            low = middle;
        else
            high = middle;
    }
    return high;
}

bf_span bf_paired_interval(const bf_paired *paired, double confidence)
{
    double n = (double)paired->pairs, worse = (double)paired->worse, better = (double)paired->better;
    double quantile = bf_normal_quantile(1 - (1 - confidence) / 2);
    if (paired->pairs == 0)
        return (bf_span){NAN, NAN};
    return (bf_span){-upper(n, better, worse, quantile), upper(n, worse, better, quantile)};
}
