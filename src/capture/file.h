/* The capture file: a burst of JPEG frames with the times at which they were taken, as one piece of bytes. The page
 * sends it, a folder of frames becomes one, the vault stores it. All of it comes from the client and none of it is
 * trusted.
 *
 *   offset  bytes
 *   0       8      "BFCAPT1\n"
 *   8       4      size of the header, little endian
 *   12      n      header, JSON (UTF-8)
 *   12+n           the frames, one behind the other, nothing after the last
 *
 *   {"nonce": "64 hex digits",                  # of the plan it answers; optional
 *    "frames": [{"bytes": 31022, "ms": 0.0},    # times since the capture's start, never falling
 *               {"bytes": 30871, "ms": 66.7}],
 *    "shown":  [{"what": "hold_still", "ms": 0.0}, {"what": "turn_left", "ms": 1210.4},   # same clock; optional
 *               {"what": "#ff3030", "ms": 4000}],
 *    "client": {...}}          # what the client reports about itself, see docs/reference/capture.md; optional
 *
 * Unknown keys are ignored. The nonce is in lower case.
 */
#ifndef BF_CAPTURE_FILE_H
#define BF_CAPTURE_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "capture/plan.h"

#define BF_CAPTURE_MAGIC "BFCAPT1\n"
#define BF_CAPTURE_MAGIC_SIZE 8
#define BF_CAPTURE_HEADER_MAX (256u << 10)
#define BF_CAPTURE_FRAMES_MAX 400 /* frames of one file */
#define BF_CAPTURE_SHOWN_MAX 64
#define BF_CAPTURE_WHAT_SIZE 24      /* of the text of one of them, with its NUL; printable ASCII */
#define BF_CAPTURE_MS_MAX 86400000.0 /* what a time may be at most; bf_frames is stricter */

typedef struct bf_capture_frame {
    const uint8_t *bytes; /* a JPEG, borrowed from the file */
    size_t size;
    double ms;
} bf_capture_frame;

/* What the page says it showed, and when. */
typedef struct bf_capture_shown {
    char what[BF_CAPTURE_WHAT_SIZE];
    double ms;
} bf_capture_shown;

/* A parsed file; frames point into the bytes it was parsed from. Free with bf_capture_file_done. */
typedef struct bf_capture_file {
    char nonce[BF_PLAN_NONCE_HEX + 1]; /* "" when none is named */
    bf_capture_frame *frame;           /* frame_count of them */
    int frame_count;                   /* 1..BF_CAPTURE_FRAMES_MAX */
    bf_capture_shown shown[BF_CAPTURE_SHOWN_MAX];
    int shown_count;
    json_t *client; /* an object, or NULL */
} bf_capture_file;

/* Whether the bytes begin as a capture file does. */
bool bf_capture_file_is(const uint8_t *bytes, size_t size);

/* CORRUPT_IMAGE (also times that fall or are no numbers, sizes that do not add up), DECODER_LIMIT (too many frames, too
 * large a header), OUT_OF_MEMORY. *ret is written only on success. */
bf_status bf_capture_file_parse(const uint8_t *bytes, size_t size, bf_capture_file *ret, bf_error *err);
void bf_capture_file_done(bf_capture_file *file);

/* Writes a file with these frames, `nonce`, `shown` and `client` (borrowed). The caller frees *ret with bf_bytes_done.
 * INVALID_ARGUMENT for what could not be parsed again, OUT_OF_MEMORY. */
bf_status bf_capture_file_write(const bf_capture_file *file, bf_bytes *ret, bf_error *err);

#endif
