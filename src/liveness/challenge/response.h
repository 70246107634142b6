/* Movements in a series of strengths: when one began, how far it went, and whether a body can move like that. Pure. */
#ifndef BF_LIVENESS_CHALLENGE_RESPONSE_H
#define BF_LIVENESS_CHALLENGE_RESPONSE_H

#include "liveness/challenge/signals.h"

#define BF_RESPONSES_MAX 24 /* of one type in one capture; more are not looked for */

typedef struct bf_response {
    double onset_ms; /* when it left rest, between two frames */
    double peak_ms;
    double end_ms; /* when it had come back by more than half; the last frame's time when it did not */
    float peak;    /* strength */
    int peak_at;   /* the frame */
    bool leapt;    /* nearly all of it lies between two frames that are too close together for that */
} bf_response;

typedef struct bf_responses {
    bf_response at[BF_RESPONSES_MAX];
    int count;
} bf_responses;

/* Finds the movements of `type` in `strength`, in order of time. */
void bf_responses_find(const bf_samples *samples, const float strength[BF_SEQUENCE_FRAMES_MAX], bf_step_type type,
                       bf_responses *ret);

#endif
