/* What a face does over time, as numbers: one sample for each frame, and how strongly each asked movement shows in it.
 * Pure. */
#ifndef BF_LIVENESS_CHALLENGE_SIGNALS_H
#define BF_LIVENESS_CHALLENGE_SIGNALS_H

#include "liveness/sequence.h"

/* Measured on one frame. */
typedef struct bf_sample {
    double ms;
    bool seen; /* the fields below are filled */
    /* The own left, and up, are positive. By the pose network, and by where the nose lies between eyes and chin: the
     * one takes a turn for a nod of a quarter of it and guesses at its limits, the other knows no absolute angle. */
    float yaw_deg, pitch_deg;
    float nose_yaw_deg, nose_pitch_deg;
    float eyes_log, chin_log; /* log of eye distance and of the distance from eyes to chin, px */
    float lids;               /* mean distance of the lids, per distance from eyes to chin */
    float eye_open[2];        /* probabilities of the eye network; -1 not judged */
    float lips;               /* distance of the inner lips, likewise */
    float smile_log;          /* log of the mouth's width per eye distance */
    float smile_chin_log;     /* the same per distance from eyes to chin: a real smile raises both */
} bf_sample;

typedef struct bf_samples {
    bf_sample at[BF_SEQUENCE_FRAMES_MAX];
    int count;
    /* Filled by bf_samples_settle. */
    bf_sample rest;                      /* the medians before the first prompt; `seen` is false when there are none */
    bf_sample before[BF_PLAN_STEPS_MAX]; /* the same just before each step */
    double frame_gap_ms;                 /* median time between frames */
    float lids_deviation;                /* of the lids at rest, relative */
} bf_samples;

/* Adds a frame; those after the first BF_SEQUENCE_FRAMES_MAX are ignored. */
void bf_samples_add(bf_samples *samples, const bf_view *view);

/* After the last frame: smoothes the pose and finds the rest that movements are measured against. */
void bf_samples_settle(bf_samples *samples, const bf_plan *plan);

/* How strongly the movement shows in each frame: 0 not at all, 1 as much as is surely meant. NAN where it cannot be
 * told. `type` is not HOLD_STILL. */
void bf_samples_strength(const bf_samples *samples, const bf_plan *plan, bf_step_type type,
                         float ret[BF_SEQUENCE_FRAMES_MAX]);

/* Degrees (head) for a strength of 1; 0 for other movements. */
float bf_strength_degrees(bf_step_type type);

#endif
