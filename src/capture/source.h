/* What bursts and videos share: the clip, its resolved limits, and what is counted. Internal to capture/. */
#ifndef BF_CAPTURE_SOURCE_H
#define BF_CAPTURE_SOURCE_H

#include "capture/frames.h"

/* A kind of clip. `open` and `next` are as bf_frames_open and bf_frames_next; `close` accepts half-opened clips. */
typedef struct bf_frames_kind {
    bf_status (*open)(bf_frames *frames, bf_error *err);
    bf_status (*next)(bf_frames *frames, double not_before_ms, bf_frame *ret, bool *ret_more, bf_error *err);
    const bf_capture_file *(*file)(const bf_frames *frames);
    void (*close)(bf_frames *frames);
} bf_frames_kind;

extern const bf_frames_kind bf_burst_kind, bf_video_kind;

struct bf_frames {
    const uint8_t *bytes; /* borrowed */
    size_t size;
    bf_frames_limits limits; /* none is zero, but for those of stills */
    const bf_frames_kind *kind;
    void *state; /* the kind's own; NULL until it is opened */
    bf_clip_facts facts;
    bf_image rgb;           /* of the last frame */
    int width, height;      /* of the last frame given; 0 before the first */
    uint64_t decoded_bytes; /* until now */
    bf_error failure;       /* what ended the clip; BF_OK until then */
};

/* Refuses a clip that lasts too long. */
bf_status bf_frames_check_duration(const bf_frames *frames, double ms, bf_error *err);
/* Counts one more coded frame; DECODER_LIMIT when there are too many. */
bf_status bf_frames_count(bf_frames *frames, bf_error *err);
bf_status bf_frames_fail_count(const bf_frames *frames, bf_error *err);
/* Counts one more decoded frame; DECODER_LIMIT when there was too much to decode. */
bf_status bf_frames_count_decoded(bf_frames *frames, int width, int height, bf_error *err);
/* Notes the upright size of a frame that is given. */
void bf_frames_note_size(bf_frames *frames, int width, int height);
/* The turn, in degrees clockwise, that EXIF's orientation means; mirroring left out. */
int bf_frames_degrees_of(int orientation);
/* Copies what a file says as printable ASCII, cut to the size of a fact. */
void bf_frames_copy_text(char ret[BF_FACT_TEXT_SIZE], const char *text);

#endif
