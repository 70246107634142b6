/* The inside of sequence.motion, for its parts and their tests; users take bf_motion_detector of
 * liveness/sequence.h.
 *
 * A key frame is a face near the front. Points on the face, around the head and far from it are followed from it, frame
 * by frame, and every later frame is compared with it: what the face's points do beyond the motion of a plane, how much
 * of it goes with the usual depth of a head, and whether the surroundings move as the face's plane does. */
#ifndef BF_LIVENESS_MOTION_MOTION_H
#define BF_LIVENESS_MOTION_MOTION_H

#include "liveness/motion/fit.h"
#include "liveness/motion/flow.h"
#include "liveness/motion/head.h"
#include "liveness/sequence.h"

#define BF_MOTION_FACE_POINTS 96
#define BF_MOTION_AROUND_POINTS 96

typedef enum bf_motion_place {
    BF_MOTION_FACE,
    BF_MOTION_LEFT,
    BF_MOTION_ABOVE,
    BF_MOTION_RIGHT,
    BF_MOTION_PLACES
} bf_motion_place;

typedef struct bf_motion_point {
    bf_point key, now; /* px of the small picture */
    float depth;       /* of a face's point: bf_head_depth */
    bf_motion_place place;
} bf_motion_point;

/* One frame against its key frame. */
typedef struct bf_motion_baseline {
    double ms;
    bool fitted;            /* the face's points gave `face` */
    bf_plane_fit face;      /* in `unit`s around the key frame's centre */
    double unit;            /* px */
    double expected[2];     /* parallax of a head, by its pose */
    double turn;            /* length of that: about the sine of the angle between the two poses */
    double ratio;           /* how much of it is there: about 1 for a head, 0 for a plane */
    double certainty;       /* ratio's standard deviation is 1 / certainty */
    double planarity;       /* what the plane leaves over, by what it would leave over of a head */
    double tilt;            /* how much the face is squeezed: largest over smallest stretch, minus 1 */
    double stretch;         /* size now over size in the key frame */
    int with, still;        /* points around that would move if they belonged to the face's plane: that do so; that
                                do not move */
    int sides;              /* left of the head, above it, right of it: on how many there are points that do so */
    int deforming, along;   /* points around that the face's plane would move against its centre, by growing or
                                turning; that do so */
    int resting, astir;     /* points around that do not move; that do */
    int frame, frame_sides; /* of those that do: most that move as one piece; on how many sides */
} bf_motion_baseline;

/* How often something was seen, among the times it could have been. */
typedef struct bf_motion_count {
    int chances, seen;
    double first_ms;
} bf_motion_count;

/* What the baselines say together. */
typedef struct bf_motion_sums {
    double ratio, weight; /* weighted sum of the ratios, sum of the weights */
    double turn_max;
    bf_motion_count plane;     /* at which a head would show depth: a tilted plane was seen instead */
    bf_motion_count rectangle; /* at which face and rest could be told apart: the face's surroundings move with it */
    bf_motion_count flat;      /* at which the face grows or tilts: everything around does so as the same plane */
    bf_motion_count frame; /* at which something moves and something rests: what moves is one piece around the head */
} bf_motion_sums;

typedef struct bf_motion_state {
    bf_pyramid pyramid[2];
    int current; /* index of the last frame's pyramid */
    bf_head key, last;
    bool has_key, has_last;
    double key_ms;
    bf_motion_point point[BF_MOTION_FACE_POINTS + BF_MOTION_AROUND_POINTS];
    int point_count, face_count_at_key;
    bf_motion_baseline baseline; /* of the last frame; `fitted` false when there was none */
    bf_motion_sums sums;
    bf_pairs pairs; /* scratch */
} bf_motion_state;

/* Points worth following, best first in each cell of a grid: on the face, then around it. */
void bf_motion_choose(const bf_pyramid *pyramid, const bf_head *head, bf_motion_state *state);

/* Compares the points' places with the key frame's: fills state->baseline. `head` is the face now. */
void bf_motion_compare(bf_motion_state *state, const bf_head *head, double ms);
/* Fills the last four numbers of `baseline`. */
void bf_motion_look_for_frame(const bf_motion_state *state, bf_motion_baseline *baseline);
/* Adds the baseline to the sums. */
void bf_motion_add(bf_motion_sums *sums, const bf_motion_baseline *baseline);
/* Evidence, figures and findings from the sums. */
void bf_motion_conclude(const bf_motion_sums *sums, bf_sequence_evidence *ret);

#endif
