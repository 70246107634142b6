/* Smaller copies of a picture, each pixel the mean of the area it covers. Whole numbers only: the same bytes on every
 * machine. A pixel's share in the mean is rounded to 1/256, so a picture can be made some fifty times smaller well. */
#ifndef BF_IMAGE_SHRINK_H
#define BF_IMAGE_SHRINK_H

#include "image/image.h"

/* The size at which the longer side is at most `side_max` px; never larger than the picture, never under 1 px. */
void bf_image_fit(const bf_image *image, int side_max, int *ret_width, int *ret_height);

/* Fills `to`, which has the channels of `from` and is nowhere larger, with a smaller copy. OUT_OF_MEMORY. */
bf_status bf_image_shrink(const bf_image *from, bf_image *to, bf_error *err);

/* Fills `to` (1 channel, nowhere larger) with the BT.601 luma of `from` (3 channels), smaller. OUT_OF_MEMORY. */
bf_status bf_image_shrink_luma(const bf_image *from, bf_image *to, bf_error *err);

#endif
