/* What a person does over time: asked gestures with a human onset and speed, and the small movements of a body that
 * holds still. A pose is a function of time alone. */
#ifndef SIM_PERFORM_H
#define SIM_PERFORM_H

#include "capture/plan.h"
#include "simulate/random.h"

#define SIM_GESTURES_MAX 24
#define SIM_BLINKS_MAX 40

/* Angles as in face/find.h, relative to the look at rest. */
typedef struct sim_pose {
    double yaw_deg, pitch_deg, roll_deg;
    double x, y;      /* shift of the body, in half face widths */
    double closeness; /* 1 = at rest, 1.3 = 1.3 times as large */
    double eyes;      /* 0 open .. 1 closed */
    double mouth;     /* 0 as at rest .. 1 wide open */
    double smile;     /* 0 as at rest .. 1 */
} sim_pose;

typedef struct sim_gesture {
    bf_step_type type;
    double onset_ms, rise_ms, hold_ms, fall_ms;
    double amount; /* of its kind's usual extent */
} sim_gesture;

/* How a person carries out a plan. */
typedef struct sim_manner {
    double reaction_ms; /* mean; 600 is usual, negative answers before the question */
    double pace;        /* 1 usual, 2 takes twice as long */
    double extent;      /* 1 usual, 0.4 hardly turns */
    double skip;        /* probability that a step is not done */
    double rest;        /* size of the small movements; 1 usual, 0 none (a dummy) */
} sim_manner;

typedef struct sim_performance {
    sim_gesture gesture[SIM_GESTURES_MAX];
    int gesture_count;
    double blink_ms[SIM_BLINKS_MAX]; /* spontaneous */
    int blink_count;
    double rest;
    double loop_ms; /* > 0: the end goes over into the beginning */
    uint64_t seed;
} sim_performance;

extern const sim_manner sim_usual_manner;

/* How someone with this seed carries out the plan (NULL: only holds still for duration_ms). */
void sim_perform(const bf_plan *plan, const sim_manner *manner, double duration_ms, uint64_t seed,
                 sim_performance *ret);
sim_pose sim_pose_at(const sim_performance *performance, double ms);

#endif
