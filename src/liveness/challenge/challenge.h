/* What came of the asked steps: which were followed, and what was seen instead of those that were not. The detector
 * itself is bf_challenge_detector of liveness/sequence.h. */
#ifndef BF_LIVENESS_CHALLENGE_CHALLENGE_H
#define BF_LIVENESS_CHALLENGE_CHALLENGE_H

#include "liveness/sequence.h"

/* One step of the plan. Those from ANSWERED_EARLY on are against the person. */
typedef enum bf_step_result {
    BF_STEP_NOT_JUDGED,       /* a hold_still, or nothing could be judged at all */
    BF_STEP_FOLLOWED,         /* begun after the prompt and within the window, as a person moves */
    BF_STEP_WEAK,             /* begun, but too small to be sure */
    BF_STEP_NOT_VISIBLE,      /* the face, or what was asked of it, could not be followed during the window */
    BF_STEP_RATE_TOO_LOW,     /* a blink may have happened between two frames */
    BF_STEP_ANSWERED_EARLY,   /* begun before a person could have reacted to the prompt */
    BF_STEP_ANSWERED_LATE,    /* begun after the window */
    BF_STEP_WRONG_SIDE,       /* the opposite was done */
    BF_STEP_NOT_AS_ASKED,     /* what was asked and its opposite were both done */
    BF_STEP_IMPOSSIBLE_SPEED, /* the whole movement between two frames */
    BF_STEP_MISSING,          /* nothing was done, although it would have been seen */
} bf_step_result;

typedef struct bf_challenge_report {
    bf_challenge_outcome outcome;
    bf_step_result step[BF_PLAN_STEPS_MAX]; /* as in the plan */
    int step_count;
    const char *why; /* static text; the first reason for UNCLEAR and NOT_FOLLOWED, NULL otherwise */
} bf_challenge_report;

/* Of the state of bf_challenge_detector, after its `end`. */
void bf_challenge_read(const void *state, bf_challenge_report *ret);

const char *bf_challenge_outcome_name(bf_challenge_outcome outcome); /* "not_asked", "followed", ... */
const char *bf_step_result_name(bf_step_result result);              /* as the finding: "answered_early" */

#endif
