#include "liveness/motion/motion.h"

#include <math.h>
#include <string.h>

#define KEY_ANGLE_MAX 0.40f /* radians from the front at which a key frame may be taken */
#define KEY_AGE_MS_MAX 6000
#define STEADY_ANGLE_MAX 0.15f

static void begin(void *opaque, const bf_sequence *sequence)
{
    (void)opaque;
    (void)sequence;
}

/* Moves all points on; those that are lost leave the list. */
static void follow_points(bf_motion_state *s, const bf_pyramid *before, const bf_pyramid *after, const bf_head *head)
{
    bf_affine guess = {1, 0, 0, 0, 1, 0};
    if (head && s->has_last)
        guess = bf_similarity_fit(s->last.landmark, head->landmark, BF_LANDMARKS);
    int kept = 0;
    for (int i = 0; i < s->point_count; i++) {
        bf_motion_point p = s->point[i];
        bf_point to = p.place == BF_MOTION_FACE ? bf_affine_apply(guess, p.now) : p.now;
        if (!bf_flow_follow(before, after, p.now, &to))
            continue;
        p.now = to;
        s->point[kept++] = p;
    }
    s->point_count = kept;
}

/* Whether the pose is that of the frame before: a network's slip of one frame is none, nor is a sweep. */
static bool is_steady(const bf_motion_state *s, const bf_head *head)
{
    return s->has_last && fabsf(head->yaw - s->last.yaw) < STEADY_ANGLE_MAX &&
           fabsf(head->pitch - s->last.pitch) < STEADY_ANGLE_MAX;
}

static int face_points(const bf_motion_state *s)
{
    int count = 0;
    for (int i = 0; i < s->point_count; i++)
        count += s->point[i].place == BF_MOTION_FACE;
    return count;
}

static void see(void *opaque, const bf_view *view)
{
    bf_motion_state *s = opaque;
    bf_head head;
    bf_pyramid *before = &s->pyramid[s->current], *after = &s->pyramid[1 - s->current];
    s->baseline.fitted = false;
    if (!bf_pyramid_build(view->grey, after)) {
        s->has_key = s->has_last = false;
        before->levels = 0;
        return;
    }
    bool found = bf_head_of(view->face, view->grey_scale, after->width[0], after->height[0], &head);
    bool steady = found && is_steady(s, &head);
    bool same_size = before->levels > 0 && before->width[0] == after->width[0] && before->height[0] == after->height[0];
    if (s->has_key && same_size) {
        follow_points(s, before, after, found ? &head : NULL);
        if (steady)
            bf_motion_compare(s, &head, view->ms);
        if (s->baseline.fitted)
            bf_motion_add(&s->sums, &s->baseline);
    }
    int left = face_points(s);
    bool spent = !s->has_key || !same_size || left < BF_FIT_POINTS_MIN || left * 3 < s->face_count_at_key ||
                 view->ms - s->key_ms > KEY_AGE_MS_MAX;
    if (spent && steady && fabsf(head.yaw) < KEY_ANGLE_MAX && fabsf(head.pitch) < KEY_ANGLE_MAX) {
        bf_motion_choose(after, &head, s);
        s->key = head;
        s->key_ms = view->ms;
        s->has_key = true;
    }
    s->has_last = found;
    if (found)
        s->last = head;
    s->current = 1 - s->current;
}

static void end(void *opaque, bf_sequence_evidence *ret)
{
    const bf_motion_state *s = opaque;
    bf_motion_conclude(&s->sums, ret);
}

const bf_sequence_detector bf_motion_detector = {
    "sequence.motion", "1.1.0", BF_REASON_EVIDENCE_FLAT_MOTION, sizeof(bf_motion_state), begin, see, end};
