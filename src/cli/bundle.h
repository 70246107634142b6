/* What a command judges: a file as it is, or a folder of frames as one capture file. */
#ifndef BF_CLI_BUNDLE_H
#define BF_CLI_BUNDLE_H

#include <stdbool.h>

#include "base/bytes.h"

#define CLI_BUNDLE_NAME "capture.json" /* a folder that holds it is one capture */
#define CLI_BUNDLE_FPS 15              /* of frames of which nothing says when they were taken */
#define CLI_BUNDLE_FPS_MAX 1000

/* Whether the path is a folder with a capture.json. */
bool cli_bundle_is(const char *path);

/* Reads a file or standard input (of at most BF_CLIP_BYTES_MAX bytes), or makes one capture file of a folder: as its
 * capture.json says, else of all its files whose names end in .jpg or .jpeg, in the order of names, `fps` a second.
 * Errors of bf_bytes_read_file; for a folder also CORRUPT_IMAGE (capture.json), IO_ERROR (no frames, a frame that is
 * missing), DECODER_LIMIT (too many frames), OUT_OF_MEMORY. The caller owns *ret. */
bf_status cli_bundle_read(const char *path, int fps, bf_bytes *ret, bf_error *err);

#endif
