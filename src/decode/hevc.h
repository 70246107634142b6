/* A hardened HEVC decoder for libheif, on libde265. libheif's own plug-in lets a bitstream take any amount of memory
 * and work, whatever size the container declares; this one decodes a single intra picture, on the calling thread,
 * within a budget of pixels, and refuses pictures with parts missing. Internal to decode/. */
#ifndef BF_DECODE_HEVC_H
#define BF_DECODE_HEVC_H

#include <stdint.h>

#include "bonafide/status.h"

/* Registers the decoder with libheif (once per process; any thread) and returns the name to select it by, or NULL
 * when libheif refuses. Outside bf_hevc_begin and bf_hevc_end it never serves anybody who does not ask for it by name,
 * unless it is the only one. */
const char *bf_hevc_decoder_id(void);

/* Starts a budget for the decodes that follow on this thread: the pixels of all pictures together (tiles of a grid,
 * alpha). To be called before heif_decode_image, which must then decode on this thread. */
void bf_hevc_begin(uint64_t pixels_max);

/* To be called after them. What stopped a decode since bf_hevc_begin: BF_OK when nothing, BF_DECODER_LIMIT,
 * BF_CORRUPT_IMAGE or BF_OUT_OF_MEMORY. */
bf_status bf_hevc_end(void);

#endif
