#include "quality/patch.h"

#include <math.h>

#include "quality/grid.h"

#define SUBSAMPLES_MAX 3

/* Where the patch lies in the picture and how many pixels one cell spans. */
typedef struct window {
    double x0, y0, step;
    int cols, rows;
} window;

static bool place(const bf_image *rgb, const bf_face *face, window *ret)
{
    double x0 = rgb->width, y0 = rgb->height, x1 = 0, y1 = 0;
    for (int i = 17; i < BF_LANDMARKS; i++) {
        x0 = fmin(x0, (double)face->landmarks[i].x);
        y0 = fmin(y0, (double)face->landmarks[i].y);
        x1 = fmax(x1, (double)face->landmarks[i].x);
        y1 = fmax(y1, (double)face->landmarks[i].y);
    }
    x0 = fmax(x0, 0);
    y0 = fmax(y0, 0);
    double width = fmin(x1, rgb->width) - x0, height = fmin(y1, rgb->height) - y0;
    /* Four pixels cannot show a face, whatever is made of them. */
    if (width < 4 || height < 4)
        return false;
    double step = fmax(width, height) / BF_PATCH_SIDE;
    *ret = (window){x0, y0, step, (int)(width / step + 0.5), (int)(height / step + 0.5)};
    return ret->cols >= BF_PATCH_SIDE_MIN && ret->rows >= BF_PATCH_SIDE_MIN;
}

static int clamp_index(double value, int count)
{
    if (value <= 0)
        return 0;
    return value >= count - 1 ? count - 1 : (int)value;
}

/* Pixel indices of the `n` subsamples of each of `cells` cells along one side. */
static void subsample_indices(double start, double step, int cells, int n, int count, int *ret)
{
    for (int i = 0; i < cells * n; i++)
        ret[i] = clamp_index(start + (i + 0.5) * step / n, count);
}

static void fill_shrinking(const bf_image *rgb, const window *w, bf_face_patch *ret)
{
    int xs[BF_PATCH_SIDE * SUBSAMPLES_MAX] = {0}, ys[BF_PATCH_SIDE * SUBSAMPLES_MAX] = {0};
    int n = w->step > 2 ? SUBSAMPLES_MAX : 2;
    subsample_indices(w->x0, w->step, w->cols, n, rgb->width, xs);
    subsample_indices(w->y0, w->step, w->rows, n, rgb->height, ys);
    float scale = 1.0f / (256.0f * (float)(n * n));
    for (int row = 0; row < w->rows; row++) {
        uint32_t sum[BF_PATCH_SIDE] = {0};
        for (int k = 0; k < n; k++) {
            const uint8_t *line = rgb->pixels + (size_t)ys[row * n + k] * rgb->stride;
            const int *x = xs;
            for (int col = 0; col < w->cols; col++) {
                for (int i = 0; i < n; i++, x++) {
                    const uint8_t *p = line + (size_t)*x * 3;
                    sum[col] += (uint32_t)(77 * p[0] + 150 * p[1] + 29 * p[2]);
                }
            }
        }
        for (int col = 0; col < w->cols; col++)
            ret->cell[row * w->cols + col] = (float)sum[col] * scale;
    }
}

static float luma_at(const bf_image *rgb, int x, int y)
{
    const uint8_t *p = rgb->pixels + (size_t)y * rgb->stride + (size_t)x * 3;
    return (float)(77 * p[0] + 150 * p[1] + 29 * p[2]) / 256.0f;
}

static void fill_enlarging(const bf_image *rgb, const window *w, bf_face_patch *ret)
{
    for (int row = 0; row < w->rows; row++) {
        double y = w->y0 + (row + 0.5) * w->step - 0.5;
        int ya = clamp_index(floor(y), rgb->height), yb = clamp_index(floor(y) + 1, rgb->height);
        float fy = (float)(y - floor(y));
        for (int col = 0; col < w->cols; col++) {
            double x = w->x0 + (col + 0.5) * w->step - 0.5;
            int xa = clamp_index(floor(x), rgb->width), xb = clamp_index(floor(x) + 1, rgb->width);
            float fx = (float)(x - floor(x));
            float upper = luma_at(rgb, xa, ya) * (1 - fx) + luma_at(rgb, xb, ya) * fx;
            float lower = luma_at(rgb, xa, yb) * (1 - fx) + luma_at(rgb, xb, yb) * fx;
            ret->cell[row * w->cols + col] = upper * (1 - fy) + lower * fy;
        }
    }
}

bool bf_face_patch_fill(const bf_image *rgb, const bf_face *face, bf_face_patch *ret)
{
    window w;
    if (!place(rgb, face, &w))
        return false;
    ret->cols = w.cols;
    ret->rows = w.rows;
    if (w.step > 1)
        fill_shrinking(rgb, &w, ret);
    else
        fill_enlarging(rgb, &w, ret);
    return true;
}
