/* Distances and directions of the primary face that several measures need, taken from its 68 landmarks. */
#ifndef BF_QUALITY_GEOMETRY_H
#define BF_QUALITY_GEOMETRY_H

#include <stdbool.h>

#include "face/face.h"
#include "quality/convex.h"

/* Coordinates beyond this are no landmarks but garbage (px). */
#define BF_LANDMARK_LIMIT_PX 200000.0f

typedef struct bf_face_geometry {
    bool usable;                 /* every landmark is finite and near, and the two distances below are positive */
    bf_point eye[2];             /* centres of the picture-left (36-41) and picture-right (42-47) eye */
    bf_point eye_mid;            /* between the two */
    bf_point chin;               /* landmark 8 */
    bf_point up;                 /* unit vector from the chin to the eye midpoint */
    bf_point right;              /* unit vector across `up`, towards the picture-right eye of an upright face */
    double inter_eye_px;         /* distance of the eye centres */
    double inter_eye_frontal_px; /* the same divided by the cosine of the yaw (at least 0.25), a foreshortening */
    double eye_chin_px;          /* T of ISO/IEC 29794-5: eye midpoint to chin */
    bf_convex face;              /* jaw and brows, extended a quarter of T towards the forehead */
} bf_face_geometry;

void bf_face_geometry_from(const bf_face *face, bf_face_geometry *ret);

/* Mean of landmarks first..last. */
bf_point bf_landmark_mean(const bf_face *face, int first, int last);

/* p + t * d. */
bf_point bf_point_along(bf_point p, bf_point d, double t);
double bf_point_distance(bf_point a, bf_point b);

#endif
