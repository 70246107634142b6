/* Convex regions of the picture: hulls of landmarks, and their extent on one row. */
#ifndef BF_QUALITY_CONVEX_H
#define BF_QUALITY_CONVEX_H

#include <stdbool.h>

#include "image/image.h"

#define BF_CONVEX_POINTS_MAX 64

/* Corners in order around the region; fewer than three describe an empty region. */
typedef struct bf_convex {
    bf_point corner[BF_CONVEX_POINTS_MAX];
    int count;
} bf_convex;

/* The convex hull of 1..BF_CONVEX_POINTS_MAX finite points. */
void bf_convex_hull(const bf_point *points, int count, bf_convex *ret);

/* A rectangle around `centre` whose sides lie along the unit vector `axis` (half length `along_px`) and across it
 * (half length `across_px`). */
void bf_convex_box(bf_point centre, bf_point axis, float along_px, float across_px, bf_convex *ret);

/* The smallest upright rectangle around the region; all zero when it is empty. */
bf_rect bf_convex_bounds(const bf_convex *region);

/* Where the horizontal line at `y` (px) enters and leaves the region; false when it misses it. */
bool bf_convex_row(const bf_convex *region, float y, float *ret_x0, float *ret_x1);

#endif
