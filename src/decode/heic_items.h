/* The items of a HEIC file, looked at before libheif sees it: libheif 1.15 follows derived images without end, so that
 * an image made of itself overflows its stack, and it lists visible tiles as pictures. Internal to decode/. */
#ifndef BF_DECODE_HEIC_ITEMS_H
#define BF_DECODE_HEIC_ITEMS_H

#include "decode/job.h"

/* Lets pass what cameras write: coded images, grids of coded images, and auxiliary images (alpha, depth) of either
 * that have none themselves. Errors: CORRUPT_IMAGE, UNSUPPORTED_FORMAT (overlays and other derivations),
 * ANIMATED_IMAGE (a movie box, or several pictures), DECODER_LIMIT (more than BF_HEIC_ITEMS_MAX items),
 * OUT_OF_MEMORY. */
bf_status bf_heic_check_items(const bf_decode_job *job);

#endif
