/* Pixels in memory: 8-bit RGB or grey, and the few operations the pipeline needs. */
#ifndef BF_IMAGE_IMAGE_H
#define BF_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

#define BF_IMAGE_PADDING 4 /* so that a pixel can be read as four bytes */

/* 8-bit pixels, rows top to bottom, channels interleaved: 1 = grey (luma), 3 = R,G,B (sRGB assumed).
 * An owner frees with bf_image_done, which wipes the pixels; a view (from bf_image_view) must not be freed and
 * must not outlive its owner. */
typedef struct bf_image {
    uint8_t *pixels; /* BF_IMAGE_PADDING readable bytes follow the last pixel */
    int width;       /* px */
    int height;      /* px */
    int channels;    /* 1 or 3 */
    size_t stride;   /* bytes from one row to the next */
} bf_image;

/* Axis-aligned rectangle in pixel coordinates; x1,y1 exclusive. May lie partly outside the image. */
typedef struct bf_rect {
    float x0, y0, x1, y1;
} bf_rect;

typedef struct bf_point {
    float x, y; /* px */
} bf_point;

/* dst = M * src for points: x' = a*x + b*y + c, y' = d*x + e*y + f. */
typedef struct bf_affine {
    float a, b, c, d, e, f;
} bf_affine;

bf_status bf_image_alloc(bf_image *ret, int width, int height, int channels, bf_error *err);
void bf_image_done(bf_image *image);
/* Makes `to`, which is empty or owns pixels, a copy of `from`; pixels of the same size are reused. */
bf_status bf_image_copy(const bf_image *from, bf_image *to, bf_error *err);
/* A view of the part of `rect` (rounded outwards) that lies inside the image; empty (width 0) when none does. */
bf_image bf_image_view(const bf_image *image, bf_rect rect);

float bf_rect_width(bf_rect rect);
float bf_rect_height(bf_rect rect);
bf_rect bf_rect_intersect(bf_rect a, bf_rect b);

/* The similarity (scale, rotation, shift; least squares) that takes the `count` points `from` to `to`. */
bf_affine bf_similarity_fit(const bf_point *from, const bf_point *to, int count);
bf_affine bf_affine_invert(bf_affine m);
bf_point bf_affine_apply(bf_affine m, bf_point p);

#endif
