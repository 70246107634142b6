/* The light of room and screen over time, and a camera that answers to it. All of it is a function of time. */
#ifndef SIM_LIGHT_H
#define SIM_LIGHT_H

#include "capture/plan.h"
#include "image/image.h"
#include "simulate/random.h"
#include "simulate/render.h"

#define SIM_EXPOSURE_STEP_MS 10
#define SIM_EXPOSURE_STEPS 7000 /* 70 s */

typedef enum sim_flash_answer {
    SIM_FLASH_LIT,     /* the screen lights what is in front of it */
    SIM_FLASH_NONE,    /* what the camera shows was not in front of this screen */
    SIM_FLASH_IMITATED /* the whole picture is tinted, late */
} sim_flash_answer;

typedef struct sim_light_options {
    double screen;      /* of the light on the face, what comes from a white screen; 0.3 in a usual room */
    double level;       /* brightness of the picture; 1 usual, 0.1 far too dark */
    double auto_expose; /* 0 fixed .. 1 every change is made up for */
    double auto_white;
    double lag_ms; /* from the plan's time to light */
    double drift;  /* share by which exposure wanders */
    double noise;  /* levels of 255, of a well-lit picture */
    sim_flash_answer answer;
    uint64_t seed;
} sim_light_options;

typedef struct sim_light {
    sim_light_options options;
    const bf_plan *plan; /* borrowed; NULL without a flash */
    float ambient;       /* of the room, so that room and idle screen make 1 */
    float gain[SIM_EXPOSURE_STEPS][3];
} sim_light;

/* Fills the table of gains. */
void sim_light_begin(sim_light *light, const bf_plan *plan, const sim_light_options *options);

/* What the screen shows at this time, linear RGB. */
void sim_screen_at(const bf_plan *plan, double ms, float ret[3]);

/* The screen's light on a surface that faces it, as sim_shade takes it, averaged over an exposure of 30 ms. */
void sim_light_at(const sim_light *light, double ms, float ret[3]);

/* Makes the canvas's sums a picture (3 channels, of its size): gains, tone, softness of the lens, noise. */
void sim_develop(const sim_light *light, const sim_canvas *canvas, double ms, uint64_t frame, bf_image *picture);

#endif
