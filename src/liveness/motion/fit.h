/* What motion a set of followed points has: that of a plane, and what is left over that goes with depth. */
#ifndef BF_LIVENESS_MOTION_FIT_H
#define BF_LIVENESS_MOTION_FIT_H

#include <stdbool.h>

#include "image/image.h"

#define BF_FIT_POINTS_MAX 96
#define BF_FIT_POINTS_MIN 14 /* for a plane and what stands out of it */
#define BF_FIT_AFFINE_MIN 8

/* Points at two moments, in the same coordinates: centred and in units of about the face. */
typedef struct bf_pairs {
    int count;
    bf_point from[BF_FIT_POINTS_MAX], to[BF_FIT_POINTS_MAX];
    float depth[BF_FIT_POINTS_MAX];
    float weight[BF_FIT_POINTS_MAX]; /* 0: not to be used */
} bf_pairs;

/* to ~ H(from) + depth x parallax, H a homography */
typedef struct bf_plane_fit {
    int count;             /* points used */
    double parallax[2];    /* of a point that stands out by one unit */
    double information[3]; /* xx, xy, yy: of the parallax, all else unknown; times 1 / noise^2 the inverse covariance */
    double noise;          /* standard deviation of what is left, each coordinate */
    double planar;         /* the same when only H is fitted */
} bf_plane_fit;

/* Gives weight 0 to points that do not fit the motion of one rigid body seen from far (x' and x on one line for each
 * depth), found by a fixed sequence of samples. `tolerance` in the pairs' units. Returns how many are left. */
int bf_pairs_rigid(bf_pairs *pairs, float tolerance);

/* Fits; false when there are too few points or they do not determine a plane. */
bool bf_plane_fit_pairs(const bf_pairs *pairs, bf_plane_fit *ret);

/* The affine map that takes `from` to `to`, robustly. For a plane
 * whose distance is many times its size, and steadier than a homography outside of the points. False when there are too
 * few points or they lie on a line. */
bool bf_affine_fit_pairs(const bf_pairs *pairs, bf_affine *ret);

#endif
