/* The frame of a print or of a device in a hand: what lies around the head moves as one piece, before surroundings that
 * rest. What the face itself does meanwhile does not matter: on a screen it may turn as a living one. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "liveness/motion/motion.h"

#define RESTING_PX_MAX 0.7
#define MOVING_PX_MIN 2.5
#define TOLERANCE_PX 0.8
#define APART_PX 30.0f
#define SAMPLES 32

/* The points around the head that move. */
typedef struct movers {
    const bf_motion_point *point[BF_MOTION_AROUND_POINTS];
    int count;
} movers;

static double distance(bf_point a, bf_point b)
{
    return hypot((double)(a.x - b.x), (double)(a.y - b.y));
}

/* The similarity that takes two points to where they are now. */
static bool similarity_of(const bf_motion_point *a, const bf_motion_point *b, bf_affine *ret)
{
    bf_point from = {b->key.x - a->key.x, b->key.y - a->key.y}, to = {b->now.x - a->now.x, b->now.y - a->now.y};
    float squares = from.x * from.x + from.y * from.y;
    if (squares < APART_PX * APART_PX)
        return false;
    float p = (from.x * to.x + from.y * to.y) / squares, q = (from.x * to.y - from.y * to.x) / squares;
    *ret = (bf_affine){p, -q, a->now.x - p * a->key.x + q * a->key.y, q, p, a->now.y - q * a->key.x - p * a->key.y};
    return true;
}

static int draw(uint32_t *state, int count)
{
    *state = *state * 1664525u + 1013904223u;
    return (int)((uint64_t)(*state >> 8) * (uint64_t)count >> 24);
}

/* How many points the map takes to where they are, and on how many sides of the head they are. */
static int count_with(const movers *m, bf_affine map, int *ret_sides)
{
    bool side[BF_MOTION_PLACES] = {false};
    int with = 0;
    for (int i = 0; i < m->count; i++) {
        if (distance(m->point[i]->now, bf_affine_apply(map, m->point[i]->key)) > TOLERANCE_PX)
            continue;
        with++;
        side[m->point[i]->place] = true;
    }
    *ret_sides = side[BF_MOTION_LEFT] + side[BF_MOTION_ABOVE] + side[BF_MOTION_RIGHT];
    return with;
}

void bf_motion_look_for_frame(const bf_motion_state *state, bf_motion_baseline *baseline)
{
    movers m = {.count = 0};
    for (int i = 0; i < state->point_count; i++) {
        const bf_motion_point *p = &state->point[i];
        if (p->place == BF_MOTION_FACE)
            continue;
        double size = distance(p->now, p->key);
        baseline->resting += size < RESTING_PX_MAX;
        if (size >= MOVING_PX_MIN)
            m.point[m.count++] = p;
    }
    baseline->astir = m.count;
    uint32_t random = 1; /* a fixed sequence: the same points always give the same answer */
    for (int sample = 0; sample < SAMPLES && m.count >= 4; sample++) {
        bf_affine map;
        int sides, first = draw(&random, m.count), second = draw(&random, m.count);
        if (!similarity_of(m.point[first], m.point[second], &map))
            continue;
        int with = count_with(&m, map, &sides);
        if (with > baseline->frame) {
            baseline->frame = with;
            baseline->frame_sides = sides;
        }
    }
}
