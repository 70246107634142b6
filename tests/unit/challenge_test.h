/* What the tests of the asked steps share: plans, and judging an acted capture. */
#ifndef TESTS_UNIT_CHALLENGE_TEST_H
#define TESTS_UNIT_CHALLENGE_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "liveness/challenge/challenge.h"
#include "support/acted_face.h"
#include "support/plans.h"
#include "support/synthetic_face.h"

static uint32_t seed;

static inline double between(double low, double high)
{
    return low + (high - low) * random_unit(&seed);
}

static inline bf_plan random_plan(int steps_min, int steps_max)
{
    bf_plan_wish wish = {.nonce = NONCE, .attempt = 1, .steps_min = steps_min, .steps_max = steps_max};
    return plan_drawn(&wish, &seed);
}

/* hold_still, and one step from 1500 to 3500 ms. */
static inline bf_plan plan_of(bf_step_type type)
{
    return (bf_plan){.nonce = NONCE,
                     .attempt = 1,
                     .step = {{BF_STEP_HOLD_STILL, 0, 1200}, {type, 1500, 3500}},
                     .step_count = 2,
                     .duration_ms = 4200};
}

/* How a capture is taken. */
typedef struct take {
    double fps;
    double from_ms, until_ms; /* without a face between */
    const bf_capture_file *file;
    bf_sequence_evidence evidence;
    bf_challenge_report report;
} take;

static inline void judge(act *script, const bf_plan *plan, take *t)
{
    void *state = bf_calloc(1, bf_challenge_detector.state_size);
    assert_non_null(state);
    bf_clip_facts facts = {.container = BF_CONTAINER_BURST};
    bf_sequence sequence = {plan, t->file, &facts};
    bf_challenge_detector.begin(state, &sequence);
    int number = 0;
    for (double ms = 0; ms < plan->duration_ms && number < BF_SEQUENCE_FRAMES_MAX; number++) {
        bf_face face;
        act_face(script, ms, &face);
        bool hidden = ms >= t->from_ms && ms < t->until_ms;
        bf_view view = {.ms = ms, .index = number, .number = number, .face = hidden ? NULL : &face, .face_count = 1};
        bf_challenge_detector.see(state, &view);
        ms += 1000 / t->fps * between(0.9, 1.1);
    }
    memset(&t->evidence, 0, sizeof t->evidence);
    bf_challenge_detector.end(state, &t->evidence);
    bf_challenge_read(state, &t->report);
    bf_free(state);
}

static inline int reset_seed(void **state)
{
    (void)state;
    seed = 4711;
    return 0;
}

#endif
