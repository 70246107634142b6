/* A located face and its geometry. Coordinates are pixels of the upright image. "Left" and "right" are the
 * picture's, not the person's, unless a name says otherwise. */
#ifndef BF_FACE_FACE_H
#define BF_FACE_FACE_H

#include <stdbool.h>

#include "base/limits.h"
#include "image/image.h"

/* The usual 68-point order: 0-16 jaw, 17-26 brows, 27-35 nose, 36-41 and 42-47 eyes, 48-67 mouth. */
#define BF_LANDMARKS 68

typedef struct bf_face {
    bf_rect box;              /* detector's box */
    float detect_probability; /* 0..1 */
    bool has_geometry;        /* the fields below are filled (primary face only) */
    bf_point landmarks[BF_LANDMARKS];
    float yaw_deg, pitch_deg, roll_deg; /* 0 = frontal; signs in face/find.h */
    float pose_entropy_nats; /* of the three angles' distributions, summed; large when the network knows no such pose,
                                above all for a face that is upside down */
    float eye_open_probability[2]; /* picture-left eye (36-41), picture-right eye (42-47); -1 when not judged */
    float inter_eye_px;            /* distance of the eye centres, not corrected for yaw */
} bf_face;

typedef struct bf_faces {
    bf_face face[BF_FACES_MAX]; /* primary first, then by falling area */
    int count;                  /* faces kept */
    int count_all;              /* faces found, may exceed BF_FACES_MAX */
} bf_faces;

/* Turns the pixels of a face into those of a picture that is `scale` times as large. */
void bf_face_scale(bf_face *face, float scale);

#endif
