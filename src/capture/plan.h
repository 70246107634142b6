/* The challenge plan: what the server asks of one live capture, and when. Made by the server for one attempt, stored
 * with the session, carried out by the page, and given to the judging process beside the capture; what a client says
 * about its plan is never believed. Pure: randomness is passed in. */
#ifndef BF_CAPTURE_PLAN_H
#define BF_CAPTURE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

#define BF_PLAN_STEPS_MAX 6
#define BF_PLAN_COLOURS_MIN 4
#define BF_PLAN_COLOURS_MAX 8
#define BF_PLAN_ATTEMPT_MAX 1000
#define BF_PLAN_DURATION_MAX_MS 60000
#define BF_PLAN_TEXT_MAX 4096 /* as JSON, with the NUL */
#define BF_PLAN_NONCE_HEX 64  /* hex digits */
#define BF_PLAN_RANDOM_SIZE 64
#define BF_COLOUR_WORD_SIZE 8 /* "#rrggbb", with the NUL */

/* "left" and "right" are the person's own: who turns to the own left moves the nose to the picture's right. */
typedef enum bf_step_type {
    BF_STEP_HOLD_STILL, /* look into the camera; every plan begins with one */
    BF_STEP_TURN_LEFT,
    BF_STEP_TURN_RIGHT,
    BF_STEP_LOOK_UP,
    BF_STEP_LOOK_DOWN,
    BF_STEP_MOVE_CLOSER,
    BF_STEP_BLINK,
    BF_STEP_SMILE,
    BF_STEP_OPEN_MOUTH,
    BF_STEP_TYPE_COUNT
} bf_step_type;

/* Asked from `from_ms` on; the response has to begin after that and before `until_ms`. Times count from the capture's
 * start; steps do not overlap and stand in order. */
typedef struct bf_step {
    bf_step_type type;
    int from_ms, until_ms;
} bf_step;

/* How the screen lights the face. GENTLE changes slowly, between pale colours, at most three times a second and never
 * between saturated red and its opposite: for people who react to flicker. */
typedef enum bf_flash_form { BF_FLASH_NONE, BF_FLASH_FULL, BF_FLASH_GENTLE } bf_flash_form;

typedef struct bf_flash {
    bf_flash_form form;
    uint8_t colour[BF_PLAN_COLOURS_MAX][3]; /* sRGB */
    int colour_count;                       /* 4..8, 0 without a flash */
    int from_ms, each_ms;                   /* colour i is shown from from_ms + i x each_ms on, for each_ms */
} bf_flash;

typedef struct bf_plan {
    char nonce[BF_PLAN_NONCE_HEX + 1]; /* hex; the capture has to name it */
    int attempt;                       /* from 1 */
    bf_step step[BF_PLAN_STEPS_MAX];   /* step[0] is HOLD_STILL */
    int step_count;                    /* 1: passive, nothing is asked but to look into the camera */
    bf_flash flash;
    int duration_ms; /* of the capture; steps and flash lie within */
} bf_plan;

/* What a plan has to be like. Zero-initialised: passive. */
typedef struct bf_plan_wish {
    char nonce[BF_PLAN_NONCE_HEX + 1];
    int attempt;
    int steps_min, steps_max;         /* asked steps besides the first hold_still: 0..0 passive, 2..4 active */
    bool exclude[BF_STEP_TYPE_COUNT]; /* what this person cannot do; HOLD_STILL cannot be excluded */
    bf_flash_form flash;              /* wanted; with FULL or GENTLE */
    bool relaxed;                     /* twice the time for each step */
} bf_plan_wish;

/* A made plan lasts 12 seconds at most (24 relaxed), about 2 for each step and 0.3 to 0.9 for each gap; a flash comes
 * last, with a hold_still of its own, and fewer steps are asked where both would not fit. Passive: 3 seconds, or as
 * long as the flash needs.
 *
 * Makes a plan from `random`: which steps, their order, the gaps between them, the colours. Never the same step twice
 * in a row; a plan of several steps never rests on one ability (head, eyes, mouth, distance) unless the exclusions
 * leave only one. INVALID_ARGUMENT when nothing is left to ask and no flash either, although steps were wanted. */
bf_status bf_plan_make(const bf_plan_wish *wish, const uint8_t random[BF_PLAN_RANDOM_SIZE], bf_plan *ret,
                       bf_error *err);

/* As JSON for the page (docs/reference/capture.md); returns its length, at most BF_PLAN_TEXT_MAX - 1. */
size_t bf_plan_write(const bf_plan *plan, char ret[BF_PLAN_TEXT_MAX]);
/* The reverse; unknown keys are ignored (the server adds some for the page). INVALID_ARGUMENT (also for steps that are
 * not in order or not within the duration), OUT_OF_MEMORY. */
bf_status bf_plan_parse(const char *json, size_t size, bf_plan *ret, bf_error *err);

/* Whether the text is BF_PLAN_NONCE_HEX hex digits in lower case. */
bool bf_plan_is_nonce(const char *text);

/* Whether more is asked than to look into the camera. */
bool bf_plan_is_active(const bf_plan *plan);

/* The colours that a flash of this form is made from, *ret_count of them; none comes again within three. NULL and 0 for
 * NONE. */
const uint8_t (*bf_flash_palette(bf_flash_form form, int *ret_count))[3];

/* A colour as plans and pages write it: "#ff3030". */
void bf_colour_word(const uint8_t colour[3], char ret[BF_COLOUR_WORD_SIZE]);
const char *bf_step_type_name(bf_step_type type); /* "turn_left" */
bool bf_step_type_from_name(const char *name, bf_step_type *ret);
const char *bf_flash_form_name(bf_flash_form form); /* "none", "full", "gentle" */

#endif
