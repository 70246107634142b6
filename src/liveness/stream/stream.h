/* The inside of sequence.stream, for its parts and their tests; users take bf_stream_detector of liveness/sequence.h
 * and bf_stream_fingerprint.
 *
 * It asks whether the frames are what a camera gives: new each time, in a time that flows, of one scene. */
#ifndef BF_LIVENESS_STREAM_STREAM_H
#define BF_LIVENESS_STREAM_STREAM_H

#include "liveness/sequence.h"
#include "liveness/stream/fingerprint.h"

#define BF_STREAM_SIDE_MAX 320

/* One frame, in what is kept of it. */
typedef struct bf_stream_frame {
    double ms;
    uint64_t exact;   /* of all pixels: equal only when the frames are */
    uint64_t hash;    /* bf_fingerprint */
    uint64_t fine[4]; /* bf_fingerprint_fine */
    float contrast;   /* standard deviation of the luma */
    float change;     /* mean absolute difference from the frame before, luma steps; -1 when there is none */
    float echo;       /* correlation of the change with the change before it; 0 when there is none */
    float resting;    /* share of the pixels beside the face that are the same to the last bit; -1 when not measured */
} bf_stream_frame;

typedef struct bf_stream_state {
    bf_stream_frame frame[BF_SEQUENCE_FRAMES_MAX];
    int count;
    bool burst;
    uint8_t before[BF_STREAM_SIDE_MAX * BF_STREAM_SIDE_MAX];
    int8_t change[BF_STREAM_SIDE_MAX * BF_STREAM_SIDE_MAX / 4]; /* of every second pixel of every second row, halved */
    int width, height;                                          /* of `before`; 0: there is none */
    bool has_change;
    int size_changes;
    double size_change_ms;
} bf_stream_state;

/* A part of the clip that comes again. */
typedef struct bf_stream_loop {
    int frames;        /* that come again; 0: none */
    double ms, lag_ms; /* of its first coming; until it comes again */
    bool backwards;
} bf_stream_loop;

bf_stream_loop bf_stream_find_loop(const bf_stream_frame *frame, int count);

/* Evidence, figures and findings. */
void bf_stream_conclude(const bf_stream_state *state, bf_sequence_evidence *ret);

/* The capture's fingerprint, from the detector's state after the last frame. */
void bf_stream_fingerprint(const void *state, bf_clip_fingerprint *ret);

#endif
