/* Which points are followed: corners, spread over the face and over its surroundings. */
#include <math.h>
#include <string.h>

#include "liveness/motion/motion.h"

#define TRACKABLE_MIN 5.0f
#define FACE_CELLS 14 /* across and down the face's box */
#define WIDE_CELLS 12 /* across and down the picture */

/* Where a point is: on the face, around the head, or on nothing that is followed (hair, neck, shoulders, edges). */
static bool place_of(const bf_head *head, bf_point p, bf_motion_place *ret)
{
    float width = bf_rect_width(head->box), height = bf_rect_height(head->box);
    float u = (p.x - (head->box.x0 + head->box.x1) / 2) / width;
    float v = (p.y - (head->box.y0 + head->box.y1) / 2) / height;
    if (fabsf(u) < 0.6f && fabsf(v) < 0.8f) {
        *ret = BF_MOTION_FACE;
        return bf_head_contains(head, p);
    }
    if (v > 0.35f || (fabsf(u) < 1.1f && v > -1.4f))
        return false;
    *ret = v <= -1.4f && fabsf(u) < 1.1f ? BF_MOTION_ABOVE : u < 0 ? BF_MOTION_LEFT : BF_MOTION_RIGHT;
    return true;
}

/* The best corner of one cell that lies in a wanted place. */
static bool best_of(const bf_pyramid *pyramid, const bf_head *head, bf_rect cell, bool face, bf_motion_point *ret)
{
    float best = TRACKABLE_MIN;
    bool found = false;
    for (int y = (int)ceilf(cell.y0); (float)y < cell.y1; y += 2) {
        for (int x = (int)ceilf(cell.x0); (float)x < cell.x1; x += 2) {
            bf_motion_place place;
            bf_point p = {(float)x, (float)y};
            float value = bf_flow_trackable(pyramid, x, y);
            if (value <= best || !place_of(head, p, &place) || (place == BF_MOTION_FACE) != face)
                continue;
            best = value;
            *ret = (bf_motion_point){.key = p, .now = p, .place = place};
            found = true;
        }
    }
    return found;
}

static int choose_in(const bf_pyramid *pyramid, const bf_head *head, bf_rect area, int cells, bool face,
                     bf_motion_point *ret, int count_max)
{
    int count = 0;
    float width = bf_rect_width(area) / (float)cells, height = bf_rect_height(area) / (float)cells;
    for (int i = 0; i < cells * cells && count < count_max; i++) {
        int row = i / cells;
        float x = area.x0 + (float)(i - row * cells) * width, y = area.y0 + (float)row * height;
        count += best_of(pyramid, head, (bf_rect){x, y, x + width, y + height}, face, ret + count);
    }
    return count;
}

void bf_motion_choose(const bf_pyramid *pyramid, const bf_head *head, bf_motion_state *state)
{
    const bf_rect whole = {0, 0, (float)pyramid->width[0], (float)pyramid->height[0]};
    bf_rect face = head->box;
    face.y0 -= 0.35f * head->unit;
    face = bf_rect_intersect(face, whole);
    int count = choose_in(pyramid, head, face, FACE_CELLS, true, state->point, BF_MOTION_FACE_POINTS);
    for (int i = 0; i < count; i++)
        state->point[i].depth = bf_head_depth(head, state->point[i].key);
    state->face_count_at_key = count;
    count += choose_in(pyramid, head, whole, WIDE_CELLS, false, state->point + count, BF_MOTION_AROUND_POINTS);
    state->point_count = count;
}
