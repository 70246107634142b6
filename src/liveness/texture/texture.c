#include "liveness/texture/texture.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

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

/* Mean RGB of one cell from up to SAMPLES_MAX squared samples. */
static void sample_cell(const bf_image *image, float left, float top, float width, float height, float ret[3])
{
    int across = (int)ceilf(width), down = (int)ceilf(height);
    across = across > SAMPLES_MAX ? SAMPLES_MAX : across < 1 ? 1 : across;
    down = down > SAMPLES_MAX ? SAMPLES_MAX : down < 1 ? 1 : down;
    int sum[3] = {0};
    for (int j = 0; j < down; j++) {
        int row = (int)(top + height * ((float)j + 0.5f) / (float)down);
        row = row < 0 ? 0 : row >= image->height ? image->height - 1 : row;
        for (int i = 0; i < across; i++) {
            int column = (int)(left + width * ((float)i + 0.5f) / (float)across);
            column = column < 0 ? 0 : column >= image->width ? image->width - 1 : column;
            const uint8_t *p = image->pixels + (size_t)row * image->stride + (size_t)column * 3;
            for (int c = 0; c < 3; c++)
                sum[c] += p[c];
        }
    }
    for (int c = 0; c < 3; c++)
        ret[c] = (float)sum[c] / (float)(across * down);
}

static void fill_planes(const bf_subject *subject, planes *p)
{
    bf_rect box = subject->face->box;
    float x0 = box.x0 + INSET_X * bf_rect_width(box), y0 = box.y0 + INSET_Y * bf_rect_height(box);
    float width = bf_rect_width(box) * (1 - 2 * INSET_X) / SIDE,
          height = bf_rect_height(box) * (1 - 2 * INSET_Y) / SIDE;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            float c[3];
            sample_cell(subject->rgb, x0 + (float)x * width, y0 + (float)y * height, width, height, c);
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
        for (int x = 1; x < SIDE - 1; x++) {
            float centre = plane[y][x] - NOISE_FLOOR;
            unsigned pattern = 0;
            for (int i = 0; i < 8; i++)
                pattern |= (unsigned)(plane[y + dy[i]][x + dx[i]] >= centre) << i;
            bins[pattern]++;
        }
    }
    for (unsigned pattern = 0; pattern < 256; pattern++)
        counts[pattern_bin(pattern)] += bins[pattern];
    for (int i = 0; i < BF_TEXTURE_LBP_BINS; i++)
        ret[i] = (float)counts[i] / ((SIDE - 2) * (SIDE - 2));
}

#define CELLS (SIDE * SIDE)

static double plane_mean(const float *v)
{
    double sum = 0;
    for (int i = 0; i < CELLS; i++)
        sum += (double)v[i];
    return sum / CELLS;
}

/* Standard deviation and skewness; a flat plane has skewness 0. */
static void plane_moments(const float *v, double mean, float *ret_deviation, float *ret_skewness)
{
    double second = 0, third = 0;
    for (int i = 0; i < CELLS; i++) {
        double d = (double)v[i] - mean;
        second += d * d;
        third += d * d * d;
    }
    double deviation = sqrt(second / CELLS);
    *ret_deviation = (float)deviation;
    *ret_skewness = deviation > 1e-3 ? (float)(third / CELLS / (deviation * deviation * deviation)) : 0;
}

static float plane_correlation(const float *a, double mean_a, float deviation_a, const float *b, double mean_b,
                               float deviation_b)
{
    if (deviation_a <= 1e-3f || deviation_b <= 1e-3f)
        return 0;
    double sum = 0;
    for (int i = 0; i < CELLS; i++)
        sum += ((double)a[i] - mean_a) * ((double)b[i] - mean_b);
    return (float)(sum / CELLS / ((double)deviation_a * (double)deviation_b));
}

static void fill_moments(const planes *p, float *ret)
{
    static const int pairs[3][2] = {{PLANE_Y, PLANE_CB}, {PLANE_Y, PLANE_CR}, {PLANE_CB, PLANE_CR}};
    double mean[PLANE_COUNT];
    for (int i = 0; i < PLANE_COUNT; i++) {
        mean[i] = plane_mean(&p->value[i][0][0]);
        plane_moments(&p->value[i][0][0], mean[i], &ret[BF_TEXTURE_MOMENTS + 2 * i],
                      &ret[BF_TEXTURE_MOMENTS + 2 * i + 1]);
    }
    for (int i = 0; i < 3; i++) {
        int a = pairs[i][0], b = pairs[i][1];
        ret[BF_TEXTURE_CORRELATIONS + i] =
            plane_correlation(&p->value[a][0][0], mean[a], ret[BF_TEXTURE_MOMENTS + 2 * a], &p->value[b][0][0], mean[b],
                              ret[BF_TEXTURE_MOMENTS + 2 * b]);
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
