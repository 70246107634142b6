/* Following points from one small grey picture to the next: pyramidal Lucas-Kanade, with the way back as its check.
 * Fixed memory, bounded work, the same result on every machine. */
#ifndef BF_LIVENESS_MOTION_FLOW_H
#define BF_LIVENESS_MOTION_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"

#define BF_FLOW_SIDE_MAX 320 /* px; a larger picture is not followed */
#define BF_FLOW_SIDE_MIN 48  /* px */
#define BF_FLOW_LEVELS 4
#define BF_FLOW_MARGIN 6 /* px from the border within which no point is followed */
/* All levels of a picture of BF_FLOW_SIDE_MAX x BF_FLOW_SIDE_MAX. */
#define BF_FLOW_PIXELS (320 * 320 + 160 * 160 + 80 * 80 + 40 * 40)

/* A picture and its halvings. */
typedef struct bf_pyramid {
    int levels; /* 0: empty */
    int width[BF_FLOW_LEVELS], height[BF_FLOW_LEVELS];
    int offset[BF_FLOW_LEVELS]; /* of the level's first pixel in `pixels`; a level's rows touch */
    uint8_t pixels[BF_FLOW_PIXELS];
} bf_pyramid;

/* False, and empty, when the picture is too small, too large or not grey. */
bool bf_pyramid_build(const bf_image *grey, bf_pyramid *ret);

/* Follows `from` (px of the finest level) from one pyramid to the other, starting the search at *to. On success *to is
 * where it is now, and coming back from there ends within half a pixel of `from`. False leaves *to undefined. The two
 * pyramids have the same size. Any numbers are fine, also none. */
bool bf_flow_follow(const bf_pyramid *before, const bf_pyramid *after, bf_point from, bf_point *to);

/* How well a point can be followed there: the smaller eigenvalue of the gradient's covariance over the window, luma
 * steps squared; 0 near the border. */
float bf_flow_trackable(const bf_pyramid *pyramid, int x, int y);

#endif
