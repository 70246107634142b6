/* Light on parts of the face and of what is behind it, frame by frame. Pure. */
#ifndef BF_LIVENESS_FLASH_PATCHES_H
#define BF_LIVENESS_FLASH_PATCHES_H

#include "face/face.h"
#include "image/image.h"

/* Where skin is seen at different angles, and where a sheet or a screen would go on beside it: at the height of the
 * eyes, and in the upper corners of the picture. */
typedef enum bf_patch {
    BF_PATCH_FOREHEAD,
    BF_PATCH_NOSE,
    BF_PATCH_LEFT_CHEEK, /* of the picture */
    BF_PATCH_RIGHT_CHEEK,
    BF_PATCH_CHIN,
    BF_PATCH_FACE_COUNT,
    BF_PATCH_LEFT_SIDE = BF_PATCH_FACE_COUNT,
    BF_PATCH_RIGHT_SIDE,
    BF_PATCH_LEFT_CORNER, /* where they are not the head */
    BF_PATCH_RIGHT_CORNER,
    BF_PATCH_COUNT
} bf_patch;

/* Mean linear light of a patch, 0..1; `seen` is false when it lies outside the picture, or is clipped or black. */
typedef struct bf_patch_light {
    float rgb[3];
    bool seen;
} bf_patch_light;

/* Linear light of each sRGB value. */
void bf_light_table(float ret[256]);

/* Measures all patches. `image` has 3 channels; `face` has geometry. */
void bf_patches_measure(const bf_image *image, const bf_face *face, const float table[256],
                        bf_patch_light ret[BF_PATCH_COUNT]);

#endif
