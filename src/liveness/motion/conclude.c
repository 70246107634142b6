/* What all baselines of a sequence say together. */
#include <math.h>

#include "liveness/motion/motion.h"

#define TURN_MIN 0.13 /* about 7.5 degrees: less, and a nose moves by less than points can be followed */
#define TURN_MAX 0.65 /* about 40 degrees: more, and half of the points have gone round the corner */
#define CERTAINTY_MIN 3.0
#define MODEL_ERROR 0.3 /* of the ratio: the head is a usual one, the pose a network's */
#define PLANARITY_MAX 0.6
#define TILT_MIN 0.05 /* a pose that changes without any change of the picture is the network's slip */
#define TILT_MAX 1.0
#define PLANAR_PX_MAX 1.0
#define AROUND_MIN 6
#define ENOUGH 5         /* baselines: one may be an accident of following */
#define SHARE_MIN 0.2    /* of the chances */
#define RATIO_PLANE 0.3  /* halfway between what planes and what most heads give */
#define RATIO_NAMED 0.15 /* of all baselines: heads that turn far, so that one cheek is all that is seen, give 0.18 */
#define RATIO_STEP 0.3
#define RAW_DEPTH_MAX 2.0 /* a replay of a turning head shows depth too, so depth is never worth more */

static void count(bf_motion_count *c, bool seen, double ms)
{
    c->chances++;
    if (seen && c->seen++ == 0)
        c->first_ms = ms;
}

void bf_motion_add(bf_motion_sums *sums, const bf_motion_baseline *b)
{
    if (b->turn >= TURN_MIN && b->turn <= TURN_MAX && b->certainty >= CERTAINTY_MIN) {
        double weight = 1 / (1 / (b->certainty * b->certainty) + MODEL_ERROR * MODEL_ERROR);
        sums->ratio += weight * fmin(fmax(b->ratio, -1), 2);
        sums->weight += weight;
        sums->turn_max = fmax(sums->turn_max, b->turn);
        count(&sums->plane, b->planarity < PLANARITY_MAX && b->tilt >= TILT_MIN && b->ratio < RATIO_PLANE, b->ms);
    }
    if (b->resting >= AROUND_MIN && b->astir >= AROUND_MIN)
        count(&sums->frame, b->frame >= AROUND_MIN && b->frame * 2 >= b->astir && b->frame_sides >= 2, b->ms);
    /* A face whose motion was badly seen says nothing about what is far from it. */
    if (b->face.planar * b->unit > PLANAR_PX_MAX || b->tilt > TILT_MAX)
        return;
    if (b->with + b->still >= 2 * AROUND_MIN)
        count(&sums->rectangle, b->with >= AROUND_MIN && b->still >= AROUND_MIN && b->sides >= 2, b->ms);
    if (b->deforming >= 2 * AROUND_MIN)
        count(&sums->flat, b->along * 10 >= b->deforming * 8 && b->sides >= 2, b->ms);
}

static double share(const bf_motion_count *c)
{
    return c->chances > 0 ? (double)c->seen / c->chances : 0;
}

/* Adds the finding when it was seen often enough; returns the share then, 0 otherwise. */
static double find(const bf_motion_count *c, const char *code, bf_sequence_evidence *ret)
{
    if (c->seen < ENOUGH || share(c) < SHARE_MIN)
        return 0;
    bf_finding_add(ret, code, c->first_ms, share(c));
    return share(c);
}

static void add_figures(const bf_motion_sums *sums, double ratio, bf_sequence_evidence *ret)
{
    bf_figure_add(ret, "parallax", ratio);
    bf_figure_add(ret, "turn_max", sums->turn_max);
    bf_figure_add(ret, "turned_frames", sums->plane.chances);
    bf_figure_add(ret, "plane_share", share(&sums->plane));
    bf_figure_add(ret, "rectangle_share", share(&sums->rectangle));
    bf_figure_add(ret, "flat_share", share(&sums->flat));
    bf_figure_add(ret, "frame_share", share(&sums->frame));
}

void bf_motion_conclude(const bf_motion_sums *sums, bf_sequence_evidence *ret)
{
    const bool turned = sums->plane.chances >= ENOUGH;
    double ratio = sums->weight > 0 ? sums->ratio / sums->weight : 0;
    double plane = ratio < RATIO_NAMED ? find(&sums->plane, "turns_as_a_plane", ret) : 0;
    double around = find(&sums->rectangle, "moves_with_surroundings", ret);
    around = fmax(around, find(&sums->flat, "flat_scene", ret));
    around = fmax(around, find(&sums->frame, "moving_frame", ret));
    add_figures(sums, ratio, ret);
    if (!turned && around == 0) {
        ret->evidence.status = BF_EVIDENCE_NOT_APPLICABLE;
        ret->evidence.why = "the head did not turn enough";
        return;
    }
    /* Little depth without a plane is a badly followed face, which speaks for neither. */
    double depth = turned ? fmin(fmax((ratio - RATIO_PLANE) / RATIO_STEP, 0), RAW_DEPTH_MAX) : 0;
    ret->evidence.status = BF_EVIDENCE_PRESENT;
    ret->evidence.raw = plane > 0 || around > 0 ? -1.5 - 1.5 * fmax(plane, around) : depth;
}
