/* Simulated captures with known truth, from one photo: a person who carries out a plan, and attacks on it. It proves
 * that detectors do what they are for; it does not tell how often they are right about real people. Deterministic: the
 * same still, options and seed give the same bytes. See docs/results/simulated.md for its limits. */
#ifndef SIM_SIMULATE_H
#define SIM_SIMULATE_H

#include "capture/file.h"
#include "simulate/still.h"

/* What is before the camera, or instead of it. */
typedef enum sim_what {
    SIM_LIVE,
    SIM_PRINT_STILL,   /* a print that nothing moves */
    SIM_PRINT,         /* a print held in a hand */
    SIM_PRINT_MOVED,   /* turned, tilted and brought closer as the plan asks */
    SIM_PRINT_BENT,    /* the same, bent around an upright axis */
    SIM_SCREEN,        /* a display that shows the still */
    SIM_SCREEN_MOVED,  /* the same, moved as the plan asks */
    SIM_SCREEN_VIDEO,  /* a display that shows the person carrying out another plan */
    SIM_SCREEN_PUPPET, /* a display that shows the person carrying out this plan: the still brought to life */
    SIM_REPLAY,        /* a capture of the person for another plan, sent for this one */
    SIM_REORDERED,     /* the steps are done in another order */
    SIM_EARLY,         /* each step is answered before it is asked */
    SIM_SWAP,          /* another person from the middle on */
    SIM_LOOP,          /* a second and a half, again and again */
    SIM_FROZEN,        /* from some moment on the same frame */
    SIM_INTERPOLATED,  /* a few frames a second, the others faded between them */
    SIM_UPLOADED,      /* a file: compressed twice, times as even as a file's */
    SIM_PUPPET_UNLIT,  /* injected frames that follow the plan and know no flash */
    SIM_PUPPET_TINTED, /* the same, tinted with the flash's colours a moment later */
    SIM_WHAT_COUNT
} sim_what;

/* What makes an honest capture hard; any of them together. */
typedef enum sim_nuisance {
    SIM_DIM = 1 << 0,      /* little light: the screen matters, noise too */
    SIM_BRIGHT = 1 << 1,   /* daylight: the screen hardly matters */
    SIM_BACKLIT = 1 << 2,  /* a window behind */
    SIM_DARK = 1 << 3,     /* far too dark to be judged */
    SIM_FAR = 1 << 4,      /* a small face */
    SIM_LOW_RATE = 1 << 5, /* a third of the frames */
    SIM_DROPS = 1 << 6,    /* one frame in six is lost, in runs */
    SIM_JITTER = 1 << 7,   /* times that are off by up to 25 ms */
    SIM_SHAKY = 1 << 8,    /* a hand that shakes */
    SIM_GLASSES = 1 << 9,  /* dark rims around the eyes */
    SIM_PARTIAL = 1 << 10, /* hardly turns, leaves out a step */
    SIM_SLOW = 1 << 11,    /* takes its time */
    SIM_NOISY = 1 << 12,   /* a bad sensor */
    SIM_NUISANCE_COUNT = 13
} sim_nuisance;

typedef struct sim_options {
    sim_what what;
    unsigned nuisances; /* sim_nuisance, or-ed */
    uint64_t seed;
    const bf_plan *plan; /* what is asked, borrowed; NULL: nothing */
    int width, height;   /* 0: 640 x 480 */
    double rate_fps;     /* 0: 10 */
    double seconds;      /* 0: the plan's, or 4 */
    int jpeg_quality;    /* 0: 75 */
    bool loops;          /* the last frame goes over into the first; for a live person without a plan */
} sim_options;

/* What is known of one frame. */
typedef struct sim_truth {
    double ms;                            /* as the capture says */
    double yaw_deg, pitch_deg, roll_deg;  /* of the face before the camera; the still's own added */
    double closeness, eyes, mouth, smile; /* as in perform.h */
    float screen[3];                      /* shown by the screen, linear RGB */
} sim_truth;

typedef struct sim_sequence sim_sequence;

/* `other` is who comes in with SIM_SWAP, NULL otherwise. Both stills are borrowed until sim_sequence_free.
 * OUT_OF_MEMORY, INVALID_ARGUMENT. */
bf_status sim_sequence_new(const sim_still *still, const sim_still *other, const sim_options *options,
                           sim_sequence **ret, bf_error *err);
void sim_sequence_free(sim_sequence **sequence);

int sim_sequence_count(const sim_sequence *sequence);
/* Frames in any order; *ret_image (borrowed) lasts until the next call. */
bf_status sim_sequence_frame(sim_sequence *sequence, int index, const bf_image **ret_image, sim_truth *ret_truth,
                             bf_error *err);

/* All of it as a capture file, with the report of a page that did what the plan says. `ret_truth` (NULL or
 * BF_CAPTURE_FRAMES_MAX of them) gets what is known of each frame. */
bf_status sim_capture(sim_sequence *sequence, bf_bytes *ret, sim_truth *ret_truth, bf_error *err);

/* A plan of `steps` asked steps after the first, its chance taken from the seed. Errors as bf_plan_make. */
bf_status sim_make_plan(int steps, bf_flash_form flash, uint64_t seed, bf_plan *ret, bf_error *err);

const char *sim_what_name(sim_what what); /* "screen_video" */
bool sim_what_from_name(const char *name, sim_what *ret);
const char *sim_nuisance_name(int bit); /* 0..SIM_NUISANCE_COUNT-1: "low_rate" */

/* JPEG, 4:2:0, as browsers write it. The caller frees *ret with bf_bytes_done. OUT_OF_MEMORY. */
bf_status sim_jpeg(const bf_image *image, int quality, bf_bytes *ret, bf_error *err);

#endif
