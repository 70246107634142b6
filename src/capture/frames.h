/* Frames of a burst or a video, one at a time in the order of time: one interface whatever they come from (a capture
 * file, MP4/MOV with H.264, WebM/Matroska with VP8 or VP9). Memory does not grow with the clip. Hostile input: every
 * limit is enforced before memory or time is spent. One thread at a time. */
#ifndef BF_CAPTURE_FRAMES_H
#define BF_CAPTURE_FRAMES_H

#include "capture/file.h"
#include "decode/decode.h"
#include "image/image.h"

/* Zero in a field means the default of base/limits.h (BF_CLIP_...). */
typedef struct bf_frames_limits {
    bf_decode_limits still;     /* of each frame of a burst; side and pixel limits also of a video */
    size_t bytes_max;           /* of the whole file */
    int duration_ms_max;        /* from the first frame to the last, and what the container says */
    int frames_max;             /* coded frames, read or skipped */
    uint64_t decoded_bytes_max; /* R,G,B of all frames that were decoded, also where they are not given, and of those
                                 * that were stretched once more: stands for time, which would make the outcome depend
                                 * on the machine */
} bf_frames_limits;

/* What the container says, none of it trusted; and what was seen of it by the end. */
typedef struct bf_clip_facts {
    bf_container container;          /* BF_CONTAINER_BURST, BF_CONTAINER_MP4 or BF_CONTAINER_WEBM */
    char codec[16];                  /* "jpeg", "h264", "vp8", "vp9" */
    char encoder[BF_FACT_TEXT_SIZE]; /* what the container names as its writer; printable ASCII */
    int width, height;               /* upright, px, of the first frame that was decoded; 0 before */
    int rotation_deg;                /* that was applied: 0, 90, 180, 270 */
    double duration_ms;              /* as the container says; 0 unknown */
    double rate_fps;                 /* as the container says; 0 unknown */
    bool has_audio;
    int frames_coded; /* counted until now */
    int size_changes; /* frames whose size is not the one before's */
} bf_clip_facts;

/* One frame. The pixels belong to bf_frames and last until the next call. */
typedef struct bf_frame {
    const bf_image *rgb;         /* upright */
    double ms;                   /* never falls; a burst's as the client says (since the capture's start), a video's
                                  * as the container says, since its first frame */
    int index;                   /* among all coded frames, from 0 */
    size_t coded_bytes;          /* 0 unknown */
    bool key;                    /* decodes by itself */
    const bf_media_facts *still; /* of a burst's JPEG; NULL for a video */
} bf_frame;

typedef struct bf_frames bf_frames;

/* Whether the bytes begin as a burst or video that is read here, by content. */
bool bf_frames_are(const uint8_t *bytes, size_t size);

/* Opens; `bytes` are borrowed until bf_frames_free. Errors as bf_decode_still, and DECODER_LIMIT for duration, frames,
 * size; a video codec that is not read is UNSUPPORTED_FORMAT. */
bf_status bf_frames_open(const uint8_t *bytes, size_t size, const bf_frames_limits *limits, bf_frames **ret,
                         bf_error *err);

/* Decodes on to the first frame at or after `not_before_ms` (0: the very next) and gives it; frames between are
 * skipped as cheaply as the codec allows (a burst's are not decoded). *ret_more is false at the end, with *ret
 * untouched. A damaged frame ends the clip with CORRUPT_IMAGE: whoever asks on gets the same error again. */
bf_status bf_frames_next(bf_frames *frames, double not_before_ms, bf_frame *ret, bool *ret_more, bf_error *err);

const bf_clip_facts *bf_frames_facts(const bf_frames *frames);
/* The parsed capture file; NULL for a video. */
const bf_capture_file *bf_frames_file(const bf_frames *frames);
void bf_frames_free(bf_frames **frames); /* wipes */

#endif
