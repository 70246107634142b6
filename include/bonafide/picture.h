/** @file picture.h
 *  Pixels as judging sees them: decoded under the same limits, upright. For showing, not for judging.
 */
#ifndef BONAFIDE_PICTURE_H
#define BONAFIDE_PICTURE_H

#include <stddef.h>

#include "bonafide/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A decoded still: 8-bit R,G,B interleaved, rows top to bottom. Zero-initialise it. */
typedef struct bf_picture {
    unsigned char *rgb; /**< first pixel */
    int width;          /**< px */
    int height;         /**< px */
    size_t stride;      /**< bytes from one row to the next */
} bf_picture;

/** Decodes a JPEG, PNG, WebP or HEIC file, which is not trusted. On success the caller owns *ret and releases it with
 *  bf_picture_done. Errors: those of the input family, OUT_OF_MEMORY; *ret is then untouched. Any thread. */
BF_API bf_status bf_picture_decode(const void *media, size_t size, bf_picture *ret, bf_error *err);

/** Decodes one frame of a burst or a video, the `index`-th (from 0) of all that are coded, as a record names it. Errors
 *  besides: INVALID_ARGUMENT when there is no such frame. Ownership and threads as bf_picture_decode. */
BF_API bf_status bf_picture_decode_frame(const void *media, size_t size, int index, bf_picture *ret, bf_error *err);

/** Wipes and frees the pixels; accepts an empty picture. */
BF_API void bf_picture_done(bf_picture *picture);

#ifdef __cplusplus
}
#endif
#endif
