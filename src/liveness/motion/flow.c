#include "liveness/motion/flow.h"

#include <math.h>
#include <string.h>

#define RADIUS 4 /* of the window: 9 x 9 px at every level */
#define WINDOW (2 * RADIUS + 1)
#define ROUNDS_MAX 8
#define STEP_DONE_PX 0.03f
#define RETURN_PX_MAX 0.5f
#define EIGENVALUE_MIN 2.0f  /* mean over the window; noise of a dim webcam alone gives about 2 */
#define DIFFERENCE_MAX 20.0f /* mean absolute, luma steps: something else has come into the place */

bool bf_pyramid_build(const bf_image *grey, bf_pyramid *ret)
{
    ret->levels = 0;
    if (!grey || grey->channels != 1 || grey->width > BF_FLOW_SIDE_MAX || grey->height > BF_FLOW_SIDE_MAX ||
        grey->width < BF_FLOW_SIDE_MIN || grey->height < BF_FLOW_SIDE_MIN)
        return false;
    for (int y = 0; y < grey->height; y++)
        memcpy(ret->pixels + (size_t)y * (size_t)grey->width, grey->pixels + (size_t)y * grey->stride,
               (size_t)grey->width);
    ret->width[0] = grey->width;
    ret->height[0] = grey->height;
    ret->offset[0] = 0;
    int levels = 1;
    for (; levels < BF_FLOW_LEVELS; levels++) {
        int width = ret->width[levels - 1], half = width / 2, rows = ret->height[levels - 1] / 2;
        if (half < 2 * WINDOW || rows < 2 * WINDOW)
            break;
        const uint8_t *fine = ret->pixels + ret->offset[levels - 1];
        ret->offset[levels] = ret->offset[levels - 1] + width * ret->height[levels - 1];
        uint8_t *coarse = ret->pixels + ret->offset[levels];
        for (int y = 0; y < rows; y++) {
            const uint8_t *upper = fine + (size_t)(2 * y) * (size_t)width, *lower = upper + width;
            for (int x = 0; x < half; x++)
                *coarse++ = (uint8_t)((upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1] + 2) >> 2);
        }
        ret->width[levels] = half;
        ret->height[levels] = rows;
    }
    ret->levels = levels;
    return true;
}

/* `size` x `size` luma values around (x, y) into `ret`, bilinear. False when any lies outside. */
static bool sample(const bf_pyramid *pyramid, int level, float x, float y, int size, float *ret)
{
    int width = pyramid->width[level], height = pyramid->height[level];
    if (!(x >= 0 && y >= 0 && x < BF_FLOW_SIDE_MAX && y < BF_FLOW_SIDE_MAX))
        return false;
    float left = floorf(x), top = floorf(y);
    int first = (int)left - size / 2, row = (int)top - size / 2;
    if (first < 0 || row < 0 || first + size >= width || row + size >= height)
        return false;
    float u = x - left, v = y - top;
    float a = (1 - u) * (1 - v), b = u * (1 - v), c = (1 - u) * v, d = u * v;
    for (int j = 0; j < size; j++) {
        const uint8_t *upper = pyramid->pixels + pyramid->offset[level] + (row + j) * width + first;
        const uint8_t *lower = upper + width;
        for (int i = 0; i < size; i++)
            *ret++ = a * (float)upper[i] + b * (float)upper[i + 1] + c * (float)lower[i] + d * (float)lower[i + 1];
    }
    return true;
}

/* The window of the first picture: values, gradients, and the inverse of their covariance. */
typedef struct window {
    float value[WINDOW * WINDOW], gx[WINDOW * WINDOW], gy[WINDOW * WINDOW];
    float xx, xy, yy; /* inverse */
} window;

static bool window_at(const bf_pyramid *pyramid, int level, float x, float y, window *ret)
{
    enum { WIDE = WINDOW + 2 };
    float wide[WIDE * WIDE];
    if (!sample(pyramid, level, x, y, WIDE, wide))
        return false;
    float xx = 0, xy = 0, yy = 0;
    for (int j = 0; j < WINDOW; j++) {
        for (int i = 0; i < WINDOW; i++) {
            const float *p = wide + (j + 1) * WIDE + i + 1;
            int at = j * WINDOW + i;
            float gx = (p[1] - p[-1]) / 2, gy = (p[WIDE] - p[-WIDE]) / 2;
            ret->value[at] = *p;
            ret->gx[at] = gx;
            ret->gy[at] = gy;
            xx += gx * gx;
            xy += gx * gy;
            yy += gy * gy;
        }
    }
    float mean = (xx + yy) / 2, spread = sqrtf((xx - yy) * (xx - yy) / 4 + xy * xy);
    if (!(mean - spread > EIGENVALUE_MIN * WINDOW * WINDOW))
        return false;
    float determinant = xx * yy - xy * xy;
    ret->xx = yy / determinant;
    ret->xy = -xy / determinant;
    ret->yy = xx / determinant;
    return true;
}

/* Moves *x, *y to where the window is in `pyramid`; false when it leaves the picture or has changed. */
static bool refine(const window *w, const bf_pyramid *pyramid, int level, float *x, float *y)
{
    float now[WINDOW * WINDOW], difference = 0;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (!sample(pyramid, level, *x, *y, WINDOW, now))
            return false;
        float bx = 0, by = 0;
        difference = 0;
        for (int i = 0; i < WINDOW * WINDOW; i++) {
            float d = w->value[i] - now[i];
            bx += d * w->gx[i];
            by += d * w->gy[i];
            difference += fabsf(d);
        }
        float step_x = w->xx * bx + w->xy * by, step_y = w->xy * bx + w->yy * by;
        *x += step_x;
        *y += step_y;
        if (!isfinite(*x) || !isfinite(*y))
            return false;
        if (fabsf(step_x) < STEP_DONE_PX && fabsf(step_y) < STEP_DONE_PX)
            break;
    }
    return level > 0 || difference < DIFFERENCE_MAX * WINDOW * WINDOW;
}

static bool follow_once(const bf_pyramid *before, const bf_pyramid *after, bf_point from, bf_point *to)
{
    float shift_x = to->x - from.x, shift_y = to->y - from.y;
    bool found = false;
    for (int level = before->levels - 1; level >= 0; level--) {
        float scale = 1.0f / (float)(1 << level);
        /* Pixel centres of a halved level lie between those of the finer one. */
        float x = (from.x + 0.5f) * scale - 0.5f, y = (from.y + 0.5f) * scale - 0.5f;
        float to_x = x + shift_x * scale, to_y = y + shift_y * scale;
        window w;
        found = window_at(before, level, x, y, &w) && refine(&w, after, level, &to_x, &to_y);
        /* Nothing to see at a coarse level is no reason to give up. */
        if (!found)
            continue;
        shift_x = (to_x - x) / scale;
        shift_y = (to_y - y) / scale;
    }
    to->x = from.x + shift_x;
    to->y = from.y + shift_y;
    return found;
}

static bool inside(const bf_pyramid *pyramid, bf_point p)
{
    return p.x >= BF_FLOW_MARGIN && p.y >= BF_FLOW_MARGIN && p.x < (float)(pyramid->width[0] - BF_FLOW_MARGIN) &&
           p.y < (float)(pyramid->height[0] - BF_FLOW_MARGIN);
}

bool bf_flow_follow(const bf_pyramid *before, const bf_pyramid *after, bf_point from, bf_point *to)
{
    if (!inside(before, from) || before->levels == 0 || after->levels != before->levels)
        return false;
    if (!inside(after, *to))
        *to = from;
    if (!follow_once(before, after, from, to) || !inside(after, *to))
        return false;
    bf_point back = from;
    if (!follow_once(after, before, *to, &back))
        return false;
    return hypotf(back.x - from.x, back.y - from.y) < RETURN_PX_MAX;
}

float bf_flow_trackable(const bf_pyramid *pyramid, int x, int y)
{
    if (pyramid->levels == 0 || !inside(pyramid, (bf_point){(float)x, (float)y}))
        return 0;
    int width = pyramid->width[0], xx = 0, xy = 0, yy = 0;
    for (int j = -RADIUS; j <= RADIUS; j++) {
        const uint8_t *p = pyramid->pixels + (y + j) * width + x - RADIUS;
        for (int i = 0; i < WINDOW; i++, p++) {
            int gx = p[1] - p[-1], gy = p[width] - p[-width];
            xx += gx * gx;
            xy += gx * gy;
            yy += gy * gy;
        }
    }
    float mean = (float)(xx + yy) / 2, half = (float)(xx - yy) / 2;
    return (mean - hypotf(half, (float)xy)) / (4.0f * WINDOW * WINDOW);
}
