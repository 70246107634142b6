/* Weighted logistic regression with a ridge penalty and lower bounds on coefficients, by Newton's method.
 *
 * The penalty acts on a coefficient times the weighted spread of its column, so that it does not depend on the unit of
 * the column; the intercept is free. What would fall below its bound is held there and the rest is fitted again. */
#ifndef BF_FIT_LOGISTIC_H
#define BF_FIT_LOGISTIC_H

#include <stddef.h>

#include "bonafide/status.h"

#define BF_LOGISTIC_COLUMNS_MAX 32

/* What is fitted to. Borrowed. All numbers are finite. */
typedef struct bf_logistic_data {
    const double *x;      /* rows x columns, row by row */
    const double *target; /* by row, 0..1: 1 for bona fide, 0 for an attack, or something between (Platt's targets) */
    const double *weight; /* by row, at least 0; NULL: every row counts 1 */
    size_t rows, columns; /* at most BF_LOGISTIC_COLUMNS_MAX columns */
} bf_logistic_data;

typedef struct bf_logistic_options {
    double ridge[BF_LOGISTIC_COLUMNS_MAX]; /* at least 0 */
    double lower[BF_LOGISTIC_COLUMNS_MAX]; /* of the coefficient itself; -INFINITY for none */
} bf_logistic_options;

/* Log-odds of the target = intercept + sum of coefficient x column. */
typedef struct bf_logistic {
    double intercept;
    double coefficient[BF_LOGISTIC_COLUMNS_MAX];
    double spread[BF_LOGISTIC_COLUMNS_MAX]; /* weighted standard deviation of each column */
} bf_logistic;

/* The same penalty for every column, and no bound. */
bf_logistic_options bf_logistic_ridge(double ridge);

/* INVALID_ARGUMENT: no rows, no weight, only targets of 0 or only targets of 1, or a column too many. OUT_OF_MEMORY.
 * The result depends on the order of the rows only by rounding: hand them over in an order of their own. */
bf_status bf_logistic_fit(bf_logistic *ret, const bf_logistic_data *data, const bf_logistic_options *options,
                          bf_error *err);

/* Log-odds of one row of as many columns as were fitted. */
double bf_logistic_log_odds(const bf_logistic *model, const double *x, size_t columns);

#endif
