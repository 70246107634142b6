/* A made-up person who acts before a camera: movements by script, seen as the face pipeline would measure them, with
 * its noise and its habits (a turn looks a little like a nod, landmarks tremble). For detectors over sequences. */
#ifndef TESTS_SUPPORT_ACTED_FACE_H
#define TESTS_SUPPORT_ACTED_FACE_H

#include <stdint.h>

#include "capture/plan.h"
#include "face/face.h"

#define ACT_MOVES_MAX 64

/* One movement: rises smoothly, stays, and goes back. */
typedef struct act_move {
    bf_step_type type;
    double onset_ms, rise_ms, hold_ms, return_ms;
    double amount; /* degrees; for move_closer growth (0.25), for blink, smile and open_mouth 0..1 */
} act_move;

typedef struct act {
    act_move move[ACT_MOVES_MAX];
    int move_count;
    double pose_noise_deg;
    double landmark_noise; /* in eye distances */
    double sway_deg;       /* slow, all the time */
    double inter_eye_px;   /* at rest */
    bool poor_eyes;        /* glasses: lids tremble, and the eye network guesses */
    uint32_t seed;         /* of the noise, not 0 */
} act;

/* A person at rest, with usual noise. */
act act_at_rest(uint32_t seed);

/* Adds a movement; none beyond the maximum. */
void act_add(act *script, bf_step_type type, double onset_ms, double rise_ms, double hold_ms, double amount);

/* Adds an answer to each asked step, as people give them: reaction, speed and extent vary. */
void act_follow(act *script, const bf_plan *plan, uint32_t *seed);

/* Adds blinks as they come without being asked. */
void act_blink_naturally(act *script, double duration_ms, uint32_t *seed);

/* The face at a time; call it for rising times, once for each frame. */
void act_face(act *script, double ms, bf_face *ret);

#endif
