/* Judging a burst or a video: one pass over its frames, in which one face is followed, the detectors over sequences see
 * every analysed frame, and the best frames are kept in original pixels. */
#ifndef BF_PIPELINE_SEQUENCE_H
#define BF_PIPELINE_SEQUENCE_H

#include "liveness/sequence.h"
#include "pipeline/pace.h"
#include "pipeline/picks.h"

/* A second person who stays this long makes the capture one of several people. */
#define BF_SEQUENCE_OTHER_MS_MAX 1000.0

/* One thread's state while it reads a clip; wiped at the end of every judgement. */
typedef struct bf_sequence_work {
    bf_frames *frames;
    bf_sequence sequence; /* what the detectors know beforehand */
    bf_pace pace;
    bf_picks picks;
    int best;       /* of the picks, whose pixels are in the judge's image; -1: none */
    bool has_first; /* `first` is what the first frame's file says of itself */
    bf_media_facts first;
    bf_image small, grey; /* copies of the frame under analysis */
    bf_faces faces; /* of the last frame in which faces were looked for; the followed one first, and measured anew */
    bool following; /* the followed one was there in the frame before */
    double detected_ms;
} bf_sequence_work;

void bf_sequence_work_done(bf_sequence_work *work);

#endif
