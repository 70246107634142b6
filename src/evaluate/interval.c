#include "evaluate/interval.h"

#include <math.h>
#include <stdio.h>

#define STEPS_MAX 20000 /* of the continued fraction; it takes about the root of the larger parameter */
#define TINY 1e-300

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
static double fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < TINY ? TINY : d);
    double value = d;
    for (int m = 1; m <= STEPS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        value *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        value *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return value;
}

double bf_beta(double a, double b, double x)
{
    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    double log_front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x);
    /* The fraction converges fast on one side of the mean only. */
    if (x < (a + 1) / (a + b + 2))
        return exp(log_front) * fraction(a, b, x) / a;
    return 1 - exp(log_front) * fraction(b, a, 1 - x) / b;
}

double bf_beta_inverse(double a, double b, double p)
{
    double low = 0, high = 1;
    for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
        double middle = (low + high) / 2;
        if (bf_beta(a, b, middle) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

bf_rate bf_rate_of(uint64_t count, uint64_t total)
{
    bf_rate rate = {.count = count, .total = total, .value = NAN, .low = NAN, .high = NAN};
    if (total == 0)
        return rate;
    double k = (double)count, n = (double)total, tail = (1 - BF_CONFIDENCE) / 2;
    rate.value = k / n;
    rate.low = count == 0 ? 0 : bf_beta_inverse(k, n - k + 1, tail);
    rate.high = count == total ? 1 : bf_beta_inverse(k + 1, n - k, 1 - tail);
    return rate;
}

/* After P. J. Acklam's rational approximation, one branch for the tails and one for the middle. */
double bf_normal_quantile(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                               1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                               6.680131188771972e+01, -1.328068155288572e+01};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                               -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00};
    double tail = p < 0.5 ? p : 1 - p;
    if (tail < 0.02425) {
        double q = sqrt(-2 * log(tail));
        double x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
                   ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
        return p < 0.5 ? x : -x;
    }
    double q = p - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

void bf_rate_caution(const bf_rate *rate, const char *what, char *ret, size_t ret_size)
{
    uint64_t others = rate->total - rate->count, rarer = rate->count < others ? rate->count : others;
    unsigned long long n = rate->total, k = rate->count;
    ret[0] = '\0';
    if (n == 0)
        (void)snprintf(ret, ret_size, "There are no %s to measure this on.", what);
    else if (rarer == 0)
        (void)snprintf(ret, ret_size,
                       "%s of %llu %s. That does not mean %s: by the rule of three the true rate may still be up to "
                       "%.3g %%%s.",
                       k == 0 ? "None" : "All", n, what, k == 0 ? "never" : "always", fmin(100, 300 / (double)n),
                       k == 0 ? "" : " lower");
    else if (rarer < BF_FEW_ERRORS)
        (void)snprintf(ret, ret_size,
                       "%llu of %llu %s: with fewer than %d %s the rate is known to worse than \xc2\xb1"
                       "30 %%. Read the interval, not the figure.",
                       k, n, what, BF_FEW_ERRORS, rarer == k ? "errors" : "of the other outcome");
}
