/* The usual shape of a head: how far each of the 68 landmarks stands out. What parallax is looked for by. */
#ifndef BF_LIVENESS_MOTION_HEAD_H
#define BF_LIVENESS_MOTION_HEAD_H

#include "face/face.h"

/* A face at one moment, in the picture that points are followed in. */
typedef struct bf_head {
    bf_point landmark[BF_LANDMARKS]; /* px */
    bf_point centre;                 /* between eyes and mouth */
    bf_rect box;                     /* px, of the landmarks */
    float unit;                      /* px between the eyes when seen from the front */
    float yaw, pitch, roll;          /* radians, signs as in face/find.h */
} bf_head;

/* `scale` takes px of the face to px of the picture. False when the face has no geometry, or numbers that no face in a
 * picture of width x height has. */
bool bf_head_of(const bf_face *face, float scale, int width, int height, bf_head *ret);

/* Whether a point lies on the face's front: between jaw and forehead, away from the outline. */
bool bf_head_contains(const bf_head *head, bf_point p);

/* How far the usual head stands out towards the camera there, in `unit`s from the plane of the eyes. */
float bf_head_depth(const bf_head *head, bf_point p);

/* How a point that stands out by one unit moves against the plane of the eyes when the head goes from one pose to the
 * other, in units. */
bf_point bf_head_parallax(const bf_head *from, const bf_head *to);

#endif
