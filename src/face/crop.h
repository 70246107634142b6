/* Which part of the picture a network sees, by the crop rule of its manifest. Pure; any thread. */
#ifndef BF_FACE_CROP_H
#define BF_FACE_CROP_H

#include "face/face.h"
#include "models/manifest.h"

/* Rectangle for the rules WHOLE, WHOLE_FIT, SQUARE, BOX and SQUARE_INSIDE, in pixels of the image. Those of WHOLE_FIT
 * and SQUARE may reach outside it (edges repeat); those of BOX and SQUARE_INSIDE are reduced and shifted to stay
 * inside. `box` is the detector's box; WHOLE and WHOLE_FIT do not look at it. */
bf_rect bf_crop_rect(const bf_manifest *manifest, const bf_image *image, bf_rect box);

/* Square around the `eye`-th eye (0 = picture-left, landmarks 36-41; 1 = picture-right, 42-47), rule EYE. */
bf_rect bf_crop_eye_rect(const bf_manifest *manifest, const bf_face *face, int eye);

/* Map from tensor pixels to image pixels for rule ALIGNED_5: least-squares similarity of the eye centres, the nose
 * tip and the mouth corners to the manifest's template points. */
bf_affine bf_crop_aligned(const bf_manifest *manifest, const bf_face *face);

/* Centre of six eye landmarks. */
bf_point bf_face_eye_centre(const bf_face *face, int eye);

#endif
