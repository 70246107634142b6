/* What a sequence is made of; for this folder's own files. */
#ifndef SIM_SEQUENCE_H
#define SIM_SEQUENCE_H

#include "simulate/scene.h"

typedef struct sim_slot {
    double says_ms;   /* the capture's time of it */
    double at_ms;     /* what it shows */
    double second_ms; /* faded with this moment; -1: not */
    double share;     /* of the second */
    int frame;        /* seeds its noise: equal numbers are equal frames */
} sim_slot;

/* A moment of the scene that was drawn. */
typedef struct sim_drawn {
    int frame; /* -1: none */
    sim_truth truth;
    bf_image picture;
} sim_drawn;

struct sim_sequence {
    sim_options options; /* defaults filled in; its plan is the one below, or NULL */
    bf_plan plan;
    sim_slot slot[BF_CAPTURE_FRAMES_MAX];
    int count;
    sim_scene scene;
    sim_drawn drawn[2]; /* with even and with odd numbers */
    bf_image mixed;     /* the frame that was given last */
};

#endif
