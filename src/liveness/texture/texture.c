#include "liveness/texture/texture.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SIDE 64
#define FACE_SIDE_MIN_PX 64
#define SAMPLES_MAX 4 /* per cell and direction */
#define INSET_X 0.08f /* of the box, so that hair and background stay out */
#define INSET_Y 0.06f
#define NOISE_FLOOR 0.25f /* a neighbour counts as darker only when it is darker by more than this */

enum { PLANE_Y, PLANE_CB, PLANE_CR, PLANE_S, PLANE_COUNT };

typedef struct planes {
    float value[PLANE_COUNT][SIDE][SIDE]; /* 0..255 */
} planes;

/* Where the samples of each cell lie along one axis: `count` positions per cell, inside 0..limit-1. */
typedef struct samples {
    int at[SIDE * SAMPLES_MAX];
    int count;
} samples;

static void lay_samples(float origin, float step, int limit, samples *ret)
{
    int count = (int)ceilf(step);
    ret->count = count > SAMPLES_MAX ? SAMPLES_MAX : count < 1 ? 1 : count;
    for (int cell = 0; cell < SIDE; cell++) {
        for (int i = 0; i < ret->count; i++) {
            float place = origin + step * ((float)cell + ((float)i + 0.5f) / (float)ret->count);
            int at = !(place > 0) ? 0 : place >= (float)limit ? limit - 1 : (int)place;
            ret->at[cell * ret->count + i] = at;
        }
    }
}

/* Adds up one row of cells: sum[channel][cell]. */
static void sum_cells(const bf_image *image, const samples *across, const samples *down, int row,
                      uint32_t ret_sum[3][SIDE])
{
    memset(ret_sum, 0, 3 * sizeof *ret_sum);
    for (int j = 0; j < down->count; j++) {
        const uint8_t *line = image->pixels + (size_t)down->at[row * down->count + j] * image->stride;
        for (int cell = 0; cell < SIDE; cell++) {
            for (int i = 0; i < across->count; i++) {
                const uint8_t *p = line + 3 * (size_t)across->at[cell * across->count + i];
                for (int c = 0; c < 3; c++)
                    ret_sum[c][cell] += p[c];
            }
        }
    }
}

static void fill_planes(const bf_subject *subject, planes *p)
{
    bf_rect box = subject->face->box;
    float x0 = box.x0 + INSET_X * bf_rect_width(box), y0 = box.y0 + INSET_Y * bf_rect_height(box);
    samples across, down;
    lay_samples(x0, bf_rect_width(box) * (1 - 2 * INSET_X) / SIDE, subject->rgb->width, &across);
    lay_samples(y0, bf_rect_height(box) * (1 - 2 * INSET_Y) / SIDE, subject->rgb->height, &down);
    float share = 1.0f / (float)(across.count * down.count);
    for (int y = 0; y < SIDE; y++) {
        uint32_t sum[3][SIDE];
        sum_cells(subject->rgb, &across, &down, y, sum);
        for (int x = 0; x < SIDE; x++) {
            float c[3];
            for (int i = 0; i < 3; i++)
                c[i] = (float)sum[i][x] * share;
            float luma = 0.299f * c[0] + 0.587f * c[1] + 0.114f * c[2];
            float high = fmaxf(c[0], fmaxf(c[1], c[2])), low = fminf(c[0], fminf(c[1], c[2]));
            p->value[PLANE_Y][y][x] = luma;
            p->value[PLANE_CB][y][x] = 0.564f * (c[2] - luma) + 128;
            p->value[PLANE_CR][y][x] = 0.713f * (c[0] - luma) + 128;
            p->value[PLANE_S][y][x] = high > 0 ? 255 * (high - low) / high : 0;
        }
    }
}

/* Bin of a pattern of 8 neighbours: the number of ones when there are at most two changes around the circle, else 9. */
static int pattern_bin(unsigned pattern)
{
    unsigned turned = ((pattern << 1) | (pattern >> 7)) & 0xff;
    if (__builtin_popcount(pattern ^ turned) > 2)
        return BF_TEXTURE_LBP_BINS - 1;
    return __builtin_popcount(pattern);
}

/* The eight cells around each cell, not interpolated to a circle. */
static void pattern_histogram(const float plane[SIDE][SIDE], float ret[BF_TEXTURE_LBP_BINS])
{
    static const int dx[8] = {-1, 0, 1, 1, 1, 0, -1, -1}, dy[8] = {-1, -1, -1, 0, 1, 1, 1, 0};
    int bins[256] = {0}, counts[BF_TEXTURE_LBP_BINS] = {0};
    for (int y = 1; y < SIDE - 1; y++) {
        uint32_t pattern[SIDE] = {0};
        for (int i = 0; i < 8; i++) {
            const float *neighbour = &plane[y + dy[i]][dx[i] + 1], *centre = &plane[y][1];
            for (int x = 0; x < SIDE - 2; x++)
                pattern[x] |= (uint32_t)(neighbour[x] >= centre[x] - NOISE_FLOOR) << i;
        }
        for (int x = 0; x < SIDE - 2; x++)
            bins[pattern[x]]++;
    }
    for (unsigned pattern = 0; pattern < 256; pattern++)
        counts[pattern_bin(pattern)] += bins[pattern];
    for (int i = 0; i < BF_TEXTURE_LBP_BINS; i++)
        ret[i] = (float)counts[i] / ((SIDE - 2) * (SIDE - 2));
}

#define CELLS (SIDE * SIDE)

/* Sums of columns first: the loops run over independent elements, so that the compiler may do several at once. */
static double sum_up(const float columns[SIDE])
{
    double sum = 0;
    for (int x = 0; x < SIDE; x++)
        sum += (double)columns[x];
    return sum;
}

static float plane_mean(const float v[SIDE][SIDE])
{
    float columns[SIDE] = {0};
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            columns[x] += v[y][x];
    }
    return (float)(sum_up(columns) / CELLS);
}

/* Standard deviation and skewness; a flat plane has skewness 0. */
static void plane_moments(const float v[SIDE][SIDE], float mean, float *ret_deviation, float *ret_skewness)
{
    float second[SIDE] = {0}, third[SIDE] = {0};
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            float d = v[y][x] - mean;
            second[x] += d * d;
            third[x] += d * d * d;
        }
    }
    double deviation = sqrt(sum_up(second) / CELLS);
    *ret_deviation = (float)deviation;
    *ret_skewness = deviation > 1e-3 ? (float)(sum_up(third) / CELLS / (deviation * deviation * deviation)) : 0;
}

/* Mean product of two planes' distances from their means. */
static double plane_covariance(const float a[SIDE][SIDE], float mean_a, const float b[SIDE][SIDE], float mean_b)
{
    float products[SIDE] = {0};
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            products[x] += (a[y][x] - mean_a) * (b[y][x] - mean_b);
    }
    return sum_up(products) / CELLS;
}

static void fill_moments(const planes *p, float *ret)
{
    static const int pairs[3][2] = {{PLANE_Y, PLANE_CB}, {PLANE_Y, PLANE_CR}, {PLANE_CB, PLANE_CR}};
    float mean[PLANE_COUNT];
    for (int i = 0; i < PLANE_COUNT; i++) {
        mean[i] = plane_mean(p->value[i]);
        plane_moments(p->value[i], mean[i], &ret[BF_TEXTURE_MOMENTS + 2 * i], &ret[BF_TEXTURE_MOMENTS + 2 * i + 1]);
    }
    for (int i = 0; i < 3; i++) {
        int a = pairs[i][0], b = pairs[i][1];
        double scale = (double)ret[BF_TEXTURE_MOMENTS + 2 * a] * (double)ret[BF_TEXTURE_MOMENTS + 2 * b];
        double covariance = plane_covariance(p->value[a], mean[a], p->value[b], mean[b]);
        ret[BF_TEXTURE_CORRELATIONS + i] = scale > 1e-6 ? (float)(covariance / scale) : 0;
    }
}

bool bf_texture_measure(const bf_subject *subject, float ret[BF_TEXTURE_FEATURES], const char **ret_why)
{
    bf_rect box = subject->face->box;
    if (!(bf_rect_width(box) >= FACE_SIDE_MIN_PX) || !(bf_rect_height(box) >= FACE_SIDE_MIN_PX)) {
        *ret_why = "the face is too small for its texture to be read";
        return false;
    }
    planes p;
    fill_planes(subject, &p);
    pattern_histogram(p.value[PLANE_CB], ret);
    pattern_histogram(p.value[PLANE_CR], ret + BF_TEXTURE_LBP_BINS);
    fill_moments(&p, ret);
    return true;
}

void bf_texture_detect(const bf_texture_model *model, const bf_subject *subject, bf_evidence *ret)
{
    *ret = (bf_evidence){.detector = BF_TEXTURE_NAME};
    (void)snprintf(ret->version, sizeof ret->version, "%s", model->version);
    float features[BF_TEXTURE_FEATURES];
    if (!bf_texture_measure(subject, features, &ret->why))
        return;
    double raw = model->bias;
    for (int i = 0; i < BF_TEXTURE_FEATURES; i++)
        raw += model->weight[i] * ((double)features[i] - model->mean[i]) / model->scale[i];
    if (!isfinite(raw)) {
        ret->status = BF_EVIDENCE_FAILED;
        ret->why = "the texture model gave no number";
        return;
    }
    ret->raw = raw;
    ret->status = BF_EVIDENCE_PRESENT;
}
