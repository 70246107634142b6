/* The inner face (brows to lower lip) as a small luma picture whose cells are a fixed share of the face. */
#ifndef BF_QUALITY_PATCH_H
#define BF_QUALITY_PATCH_H

#include <stdbool.h>

#include "face/face.h"

#define BF_PATCH_SIDE 96     /* cells of the longer side */
#define BF_PATCH_SIDE_MIN 32 /* a shorter side of fewer cells is no face any more */

typedef struct bf_face_patch {
    int cols, rows;
    float cell[BF_PATCH_SIDE * BF_PATCH_SIDE]; /* luma 0..255, row after row, `cols` apart */
} bf_face_patch;

/* Averages at most 3 x 3 pixels into a cell; interpolates where the face has fewer pixels than the patch has cells.
 * False when too little of the inner face lies inside the picture. */
bool bf_face_patch_fill(const bf_image *rgb, const bf_face *face, bf_face_patch *ret);

#endif
