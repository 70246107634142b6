/* Samples of what is behind the person. */
#ifndef BF_QUALITY_BACKGROUND_H
#define BF_QUALITY_BACKGROUND_H

#include "quality/geometry.h"

/* Mean luma (0..255) of the picture outside the head and its hair, and not below the chin where the body is. At most
 * 1200 pixels are looked at. False when less than a fiftieth of the picture is such background. */
bool bf_background_luma(const bf_image *rgb, const bf_face_geometry *geometry, double *ret_mean);

#endif
