#include "fit/logistic.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define SIDE_MAX (BF_LOGISTIC_COLUMNS_MAX + 1) /* the intercept is the last */
#define STEPS_MAX 100
#define STEP_LARGEST 4.0 /* of a standardised coefficient, so that separable data cannot run away in one step */
#define STEP_LEAST 1e-10 /* where it is done */
#define LOG_ODDS_MAX 40.0
#define SPREAD_LEAST 1e-9
#define INTERCEPT_RIDGE 1e-6  /* keeps the system solvable where all weights vanish */
#define CURVATURE_LEAST 1e-12 /* likewise where a row is decided beyond doubt */

typedef struct newton {
    const bf_logistic_data *data;
    double *z; /* rows x columns, standardised */
    double mean[SIDE_MAX], spread[SIDE_MAX], ridge[SIDE_MAX];
    double beta[SIDE_MAX]; /* of the standardised columns */
    bool held[SIDE_MAX];
} newton;

static void free_z(newton *n)
{
    bf_free(n->z);
}

bf_logistic_options bf_logistic_ridge(double ridge)
{
    bf_logistic_options options;
    for (size_t i = 0; i < BF_LOGISTIC_COLUMNS_MAX; i++) {
        options.ridge[i] = ridge;
        options.lower[i] = -INFINITY;
    }
    return options;
}

static double weight_of(const bf_logistic_data *d, size_t row)
{
    return d->weight ? d->weight[row] : 1;
}

static bf_status check(const bf_logistic_data *d, bf_error *err)
{
    double live = 0, attack = 0;
    if (d->columns == 0 || d->columns > BF_LOGISTIC_COLUMNS_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A logistic model has 1 to %d columns, not %zu.",
                       BF_LOGISTIC_COLUMNS_MAX, d->columns);
    for (size_t i = 0; i < d->rows; i++) {
        live += weight_of(d, i) * d->target[i];
        attack += weight_of(d, i) * (1 - d->target[i]);
    }
    if (!(live > 0) || !(attack > 0))
        return bf_fail(err, BF_INVALID_ARGUMENT, "A logistic model needs both bona fide and attack presentations.");
    return BF_OK;
}

static bf_status standardise(newton *n, bf_error *err)
{
    const bf_logistic_data *d = n->data;
    double total = 0;
    n->z = bf_malloc(d->rows * d->columns * sizeof *n->z);
    if (!n->z)
        return bf_fail_memory(err);
    for (size_t i = 0; i < d->rows; i++)
        total += weight_of(d, i);
    for (size_t c = 0; c < d->columns; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < d->rows; i++)
            sum += weight_of(d, i) * d->x[i * d->columns + c];
        n->mean[c] = sum / total;
        for (size_t i = 0; i < d->rows; i++) {
            double away = d->x[i * d->columns + c] - n->mean[c];
            squares += weight_of(d, i) * away * away;
        }
        n->spread[c] = sqrt(squares / total) + SPREAD_LEAST;
        for (size_t i = 0; i < d->rows; i++)
            n->z[i * d->columns + c] = (d->x[i * d->columns + c] - n->mean[c]) / n->spread[c];
    }
    return BF_OK;
}

/* The gradient of the penalised likelihood, and the lower half of the negative of its second derivatives. */
static void differentiate(const newton *n, double gradient[SIDE_MAX], double hessian[SIDE_MAX][SIDE_MAX])
{
    const bf_logistic_data *d = n->data;
    size_t side = d->columns + 1;
    for (size_t j = 0; j < side; j++) {
        memset(hessian[j], 0, side * sizeof *hessian[j]);
        gradient[j] = -n->ridge[j] * n->beta[j];
        hessian[j][j] = n->ridge[j];
    }
    for (size_t i = 0; i < d->rows; i++) {
        double row[SIDE_MAX], log_odds = 0;
        memcpy(row, n->z + i * d->columns, d->columns * sizeof *row);
        row[d->columns] = 1;
        for (size_t j = 0; j < side; j++)
            log_odds += row[j] * n->beta[j];
        double p = 1 / (1 + exp(-fmin(fmax(log_odds, -LOG_ODDS_MAX), LOG_ODDS_MAX)));
        double slope = weight_of(d, i) * (d->target[i] - p), bend = weight_of(d, i) * p * (1 - p) + CURVATURE_LEAST;
        for (size_t j = 0; j < side; j++) {
            gradient[j] += slope * row[j];
            for (size_t k = 0; k <= j; k++)
                hessian[j][k] += bend * row[j] * row[k];
        }
    }
    for (size_t j = 0; j < side; j++) {
        if (!n->held[j])
            continue;
        for (size_t k = 0; k < side; k++)
            hessian[j][k] = hessian[k][j] = 0;
        gradient[j] = 0;
        hessian[j][j] = 1;
    }
}

/* Solves hessian x step = gradient by Cholesky; `vector` goes in as the gradient and comes out as the step. */
static void solve(double matrix[SIDE_MAX][SIDE_MAX], double vector[SIDE_MAX], size_t side)
{
    for (size_t j = 0; j < side; j++) {
        for (size_t k = 0; k <= j; k++) {
            double rest = matrix[j][k];
            for (size_t m = 0; m < k; m++)
                rest -= matrix[j][m] * matrix[k][m];
            matrix[j][k] = j == k ? sqrt(fmax(rest, CURVATURE_LEAST)) : rest / matrix[k][k];
        }
        for (size_t m = 0; m < j; m++)
            vector[j] -= matrix[j][m] * vector[m];
        vector[j] /= matrix[j][j];
    }
    for (size_t j = side; j-- > 0;) {
        for (size_t m = j + 1; m < side; m++)
            vector[j] -= matrix[m][j] * vector[m];
        vector[j] /= matrix[j][j];
    }
}

static void climb(newton *n)
{
    size_t side = n->data->columns + 1;
    double step[SIDE_MAX], hessian[SIDE_MAX][SIDE_MAX];
    for (int round = 0; round < STEPS_MAX; round++) {
        double size = 0;
        differentiate(n, step, hessian);
        solve(hessian, step, side);
        for (size_t j = 0; j < side; j++)
            size = fmax(size, fabs(step[j]));
        for (size_t j = 0; j < side; j++)
            n->beta[j] += step[j] * fmin(1, STEP_LARGEST / fmax(size, STEP_LEAST));
        if (size < STEP_LEAST)
            return;
    }
}

/* Holds what fell below its bound; false when nothing did. */
static bool hold(newton *n, const bf_logistic_options *options)
{
    bool any = false;
    for (size_t c = 0; c < n->data->columns; c++) {
        if (n->held[c] || n->beta[c] / n->spread[c] >= options->lower[c])
            continue;
        any = n->held[c] = true;
    }
    return any;
}

bf_status bf_logistic_fit(bf_logistic *ret, const bf_logistic_data *data, const bf_logistic_options *options,
                          bf_error *err)
{
    BF_CLEANUP(free_z) newton n = {.data = data};
    bf_status status = check(data, err);
    if (status == BF_OK)
        status = standardise(&n, err);
    if (status != BF_OK)
        return status;
    memcpy(n.ridge, options->ridge, data->columns * sizeof *n.ridge);
    n.ridge[data->columns] = INTERCEPT_RIDGE;
    do {
        memset(n.beta, 0, sizeof n.beta);
        for (size_t c = 0; c < data->columns; c++)
            n.beta[c] = n.held[c] ? options->lower[c] * n.spread[c] : 0;
        climb(&n);
    } while (hold(&n, options));
    *ret = (bf_logistic){.intercept = n.beta[data->columns]};
    for (size_t c = 0; c < data->columns; c++) {
        ret->coefficient[c] = n.held[c] ? options->lower[c] : n.beta[c] / n.spread[c];
        ret->spread[c] = n.spread[c];
        ret->intercept -= ret->coefficient[c] * n.mean[c];
    }
    return BF_OK;
}

double bf_logistic_log_odds(const bf_logistic *model, const double *x, size_t columns)
{
    double log_odds = model->intercept;
    for (size_t c = 0; c < columns; c++)
        log_odds += model->coefficient[c] * x[c];
    return log_odds;
}
