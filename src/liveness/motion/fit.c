#include "liveness/motion/fit.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define UNKNOWNS 10 /* of a homography, and the parallax in x and y */
#define AFFINE 6    /* the first of them make an affine map */
#define PARALLAX 8  /* and these a homography */
#define ROUNDS 4
#define HUBER 1.5
#define SAMPLES 48 /* of four points: with 40 % of outliers, all of them bad with a chance of 1 in 800 */
#define PIVOT_MIN 1e-9

/* Normal equations: upper triangle and right side. */
typedef struct equations {
    int size;
    double a[UNKNOWNS][UNKNOWNS], b[UNKNOWNS];
} equations;

static void add_row(equations *e, const double row[UNKNOWNS], double value, double weight)
{
    for (int i = 0; i < e->size; i++) {
        double w = weight * row[i];
        for (int j = 0; j <= i; j++)
            e->a[i][j] += w * row[j];
        e->b[i] += w * value;
    }
}

/* Cholesky in place: a becomes L. */
static bool decompose(equations *e)
{
    for (int i = 0; i < e->size; i++) {
        double diagonal = e->a[i][i];
        for (int j = 0; j <= i; j++) {
            double sum = e->a[i][j];
            for (int k = 0; k < j; k++)
                sum -= e->a[i][k] * e->a[j][k];
            if (i > j)
                e->a[i][j] = sum / e->a[j][j];
            else if (sum > PIVOT_MIN * (diagonal + 1e-12))
                e->a[i][i] = sqrt(sum);
            else
                return false;
        }
    }
    return true;
}

static void solve(const equations *e, double ret[UNKNOWNS])
{
    double y[UNKNOWNS] = {0};
    for (int i = 0; i < e->size; i++) {
        y[i] = e->b[i];
        for (int k = 0; k < i; k++)
            y[i] -= e->a[i][k] * y[k];
        y[i] /= e->a[i][i];
    }
    for (int i = e->size - 1; i >= 0; i--) {
        ret[i] = y[i];
        for (int k = i + 1; k < e->size; k++)
            ret[i] -= e->a[k][i] * ret[k];
        ret[i] /= e->a[i][i];
    }
}

static void rows_of(const bf_pairs *pairs, int i, double row_x[UNKNOWNS], double row_y[UNKNOWNS])
{
    double x = (double)pairs->from[i].x, y = (double)pairs->from[i].y;
    double to_x = (double)pairs->to[i].x, to_y = (double)pairs->to[i].y, depth = (double)pairs->depth[i];
    /* Multiplied out, so that it is linear; the divisor is near 1, so the error's weight hardly changes. */
    const double first[UNKNOWNS] = {x, y, 1, 0, 0, 0, -x * to_x, -y * to_x, depth, 0};
    const double second[UNKNOWNS] = {0, 0, 0, x, y, 1, -x * to_y, -y * to_y, 0, depth};
    memcpy(row_x, first, sizeof first);
    memcpy(row_y, second, sizeof second);
}

static double dot(const double *a, const double *b, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* One weighted least-squares fit with the first `size` unknowns. `weight` is updated for the next round. Returns the
 * standard deviation of the residuals, or -1. */
static double fit_once(const bf_pairs *pairs, int size, double weight[BF_FIT_POINTS_MAX], equations *e,
                       double ret[UNKNOWNS])
{
    double row_x[UNKNOWNS], row_y[UNKNOWNS], error[BF_FIT_POINTS_MAX], squares = 0, weights = 0;
    *e = (equations){.size = size};
    for (int i = 0; i < pairs->count; i++) {
        rows_of(pairs, i, row_x, row_y);
        add_row(e, row_x, (double)pairs->to[i].x, weight[i]);
        add_row(e, row_y, (double)pairs->to[i].y, weight[i]);
    }
    if (!decompose(e))
        return -1;
    solve(e, ret);
    for (int i = 0; i < pairs->count; i++) {
        rows_of(pairs, i, row_x, row_y);
        double x = (double)pairs->to[i].x - dot(row_x, ret, size), y = (double)pairs->to[i].y - dot(row_y, ret, size);
        error[i] = x * x + y * y;
        squares += weight[i] * error[i];
        weights += weight[i];
    }
    double freedom = 2 * weights - size;
    if (!(freedom > 1))
        return -1;
    double noise = sqrt(squares / freedom);
    for (int i = 0; i < pairs->count; i++) {
        double size_of = sqrt(error[i] / 2) / (HUBER * noise + 1e-9);
        weight[i] = pairs->weight[i] > 0 ? (size_of > 1 ? 1 / size_of : 1) : 0;
    }
    return noise;
}

/* Without the last two unknowns' rows, what is left of L belongs to them alone: L22 L22' is the Schur complement. */
static void take_information(const equations *e, double ret[3])
{
    double a = e->a[PARALLAX][PARALLAX], b = e->a[PARALLAX + 1][PARALLAX], c = e->a[PARALLAX + 1][PARALLAX + 1];
    ret[0] = a * a;
    ret[1] = a * b;
    ret[2] = b * b + c * c;
}

static int take_weights(const bf_pairs *pairs, double ret[BF_FIT_POINTS_MAX])
{
    int used = 0;
    for (int i = 0; i < pairs->count; i++) {
        ret[i] = pairs->weight[i] > 0 ? 1 : 0;
        used += pairs->weight[i] > 0;
    }
    return used;
}

bool bf_plane_fit_pairs(const bf_pairs *pairs, bf_plane_fit *ret)
{
    double weight[BF_FIT_POINTS_MAX], found[UNKNOWNS];
    equations e;
    int used = take_weights(pairs, weight);
    if (used < BF_FIT_POINTS_MIN)
        return false;
    for (int round = 0; round < ROUNDS; round++) {
        ret->noise = fit_once(pairs, UNKNOWNS, weight, &e, found);
        if (!(ret->noise >= 0))
            return false;
    }
    ret->count = used;
    memcpy(ret->parallax, found + PARALLAX, sizeof ret->parallax);
    take_information(&e, ret->information);
    for (int round = 0; round < 2; round++)
        ret->planar = fit_once(pairs, PARALLAX, weight, &e, found);
    return ret->planar >= 0;
}

bool bf_affine_fit_pairs(const bf_pairs *pairs, bf_affine *ret)
{
    double weight[BF_FIT_POINTS_MAX], f[UNKNOWNS];
    equations e;
    if (take_weights(pairs, weight) < BF_FIT_AFFINE_MIN)
        return false;
    for (int round = 0; round < ROUNDS; round++) {
        if (!(fit_once(pairs, AFFINE, weight, &e, f) >= 0))
            return false;
    }
    *ret = (bf_affine){(float)f[0], (float)f[1], (float)f[2], (float)f[3], (float)f[4], (float)f[5]};
    return true;
}

/* The plane a x + b y + c x' + d y' + e = 0 through four points in four dimensions, with the normal's length 1. */
static bool epipolar_through(const bf_pairs *pairs, const int at[4], double ret[5])
{
    double m[3][4], normal[4];
    for (int r = 0; r < 3; r++) {
        const int i = at[r + 1], o = at[0];
        const double row[4] = {
            (double)pairs->from[i].x - (double)pairs->from[o].x, (double)pairs->from[i].y - (double)pairs->from[o].y,
            (double)pairs->to[i].x - (double)pairs->to[o].x, (double)pairs->to[i].y - (double)pairs->to[o].y};
        memcpy(m[r], row, sizeof row);
    }
    double squares = 0;
    for (int k = 0; k < 4; k++) {
        const int p = (k + 1) & 3, q = (k + 2) & 3, s = (k + 3) & 3;
        double minor = m[0][p] * (m[1][q] * m[2][s] - m[1][s] * m[2][q]) -
                       m[0][q] * (m[1][p] * m[2][s] - m[1][s] * m[2][p]) +
                       m[0][s] * (m[1][p] * m[2][q] - m[1][q] * m[2][p]);
        normal[k] = k & 1 ? -minor : minor;
        squares += minor * minor;
    }
    if (!(squares > 1e-14))
        return false;
    double length = sqrt(squares);
    for (int k = 0; k < 4; k++)
        ret[k] = normal[k] / length;
    const int o = at[0];
    ret[4] = -(ret[0] * (double)pairs->from[o].x + ret[1] * (double)pairs->from[o].y + ret[2] * (double)pairs->to[o].x +
               ret[3] * (double)pairs->to[o].y);
    return true;
}

static int count_near(const bf_pairs *pairs, const double plane[5], double tolerance, bool near[BF_FIT_POINTS_MAX])
{
    int count = 0;
    for (int i = 0; i < pairs->count; i++) {
        double distance = plane[0] * (double)pairs->from[i].x + plane[1] * (double)pairs->from[i].y +
                          plane[2] * (double)pairs->to[i].x + plane[3] * (double)pairs->to[i].y + plane[4];
        near[i] = fabs(distance) <= tolerance;
        count += near[i];
    }
    return count;
}

int bf_pairs_rigid(bf_pairs *pairs, float tolerance)
{
    bool best[BF_FIT_POINTS_MAX] = {0}, near[BF_FIT_POINTS_MAX];
    int most = 0;
    if (pairs->count < BF_FIT_POINTS_MIN)
        return 0;
    uint32_t state = 1; /* a fixed sequence: the same points always give the same answer */
    for (int sample = 0; sample < SAMPLES; sample++) {
        int at[4];
        double plane[5];
        for (int i = 0; i < 4; i++) {
            state = state * 1664525u + 1013904223u;
            at[i] = (int)((uint64_t)(state >> 8) * (uint64_t)pairs->count >> 24);
        }
        if (!epipolar_through(pairs, at, plane))
            continue;
        int count = count_near(pairs, plane, (double)tolerance, near);
        if (count > most) {
            most = count;
            memcpy(best, near, sizeof best);
        }
    }
    /* None at all: the points move so exactly as a plane that four of them determine nothing. */
    for (int i = 0; i < pairs->count; i++)
        pairs->weight[i] = best[i] || most == 0 ? 1 : 0;
    return most > 0 ? most : pairs->count;
}
