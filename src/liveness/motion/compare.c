/* One frame against its key frame. */
#include <math.h>

#include "liveness/motion/motion.h"

#define RIGID_TOLERANCE_PX 1.2f
#define MOVING_PX_MIN 4.0
#define TOLERANCE_PX 1.2
#define DEFORMING_PX_MIN 3.0
#define DEFORMING_TOLERANCE_PX 0.9

static bf_point in_units(const bf_head *key, bf_point p)
{
    return (bf_point){(p.x - key->centre.x) / key->unit, (p.y - key->centre.y) / key->unit};
}

static void gather_pairs(bf_motion_state *s)
{
    s->pairs.count = 0;
    for (int i = 0; i < s->point_count && s->pairs.count < BF_FIT_POINTS_MAX; i++) {
        if (s->point[i].place != BF_MOTION_FACE)
            continue;
        int at = s->pairs.count++;
        s->pairs.from[at] = in_units(&s->key, s->point[i].key);
        s->pairs.to[at] = in_units(&s->key, s->point[i].now);
        s->pairs.depth[at] = s->point[i].depth;
        s->pairs.weight[at] = 1;
    }
}

static double length(bf_point p)
{
    return hypot((double)p.x, (double)p.y);
}

static bf_point minus(bf_point a, bf_point b)
{
    return (bf_point){a.x - b.x, a.y - b.y};
}

/* One point around against what it would do if it belonged to the face's plane. */
static void look_at(const bf_motion_state *s, const bf_motion_point *p, bf_affine face, bf_motion_baseline *b,
                    bool side[BF_MOTION_PLACES])
{
    bf_point from = in_units(&s->key, p->key), moved = minus(in_units(&s->key, p->now), from);
    bf_point predicted = minus(bf_affine_apply(face, from), from);
    bf_point shift = bf_affine_apply(face, (bf_point){0, 0});
    double error = length(minus(moved, predicted)) * b->unit, size = length(predicted) * b->unit;
    double deform = length(minus(predicted, shift)) * b->unit, tolerance = fmax(TOLERANCE_PX, 0.15 * size);
    if (size >= MOVING_PX_MIN) {
        b->with += error <= tolerance;
        b->still += length(moved) * b->unit <= tolerance;
        side[p->place] |= error <= tolerance;
    }
    if (deform >= DEFORMING_PX_MIN) {
        b->deforming++;
        b->along += error <= fmax(DEFORMING_TOLERANCE_PX, 0.2 * deform);
    }
}

static void look_around(const bf_motion_state *s, bf_affine face, bf_motion_baseline *b)
{
    bool side[BF_MOTION_PLACES] = {false};
    for (int i = 0; i < s->point_count; i++) {
        if (s->point[i].place != BF_MOTION_FACE)
            look_at(s, &s->point[i], face, b, side);
    }
    b->sides = side[BF_MOTION_LEFT] + side[BF_MOTION_ABOVE] + side[BF_MOTION_RIGHT];
}

/* The two stretches of an affine map. */
static void take_stretch(bf_affine m, bf_motion_baseline *b)
{
    double x = (double)m.a, y = (double)m.b, z = (double)m.d, w = (double)m.e;
    double squares = x * x + y * y + z * z + w * w, determinant = fabs(x * w - y * z);
    double sum = sqrt(squares + 2 * determinant), difference = sqrt(fmax(squares - 2 * determinant, 0));
    double large = (sum + difference) / 2, small = (sum - difference) / 2;
    b->stretch = sqrt(determinant);
    b->tilt = small > 1e-6 ? large / small - 1 : 0;
}

/* The measured parallax projected on the expected one, each by its information. */
static void take_ratio(bf_motion_baseline *b)
{
    const double *e = b->expected, *m = b->face.parallax, *j = b->face.information;
    double ee = e[0] * (j[0] * e[0] + j[1] * e[1]) + e[1] * (j[1] * e[0] + j[2] * e[1]);
    double me = m[0] * (j[0] * e[0] + j[1] * e[1]) + m[1] * (j[1] * e[0] + j[2] * e[1]);
    b->turn = hypot(e[0], e[1]);
    if (!(ee > 1e-12))
        return;
    b->ratio = me / ee;
    b->certainty = sqrt(ee) / fmax(b->face.noise, 1e-4);
    b->planarity = b->face.planar / sqrt(ee / (2.0 * b->face.count));
}

void bf_motion_compare(bf_motion_state *s, const bf_head *head, double ms)
{
    bf_motion_baseline *b = &s->baseline;
    *b = (bf_motion_baseline){.ms = ms, .unit = (double)s->key.unit};
    bf_affine map;
    gather_pairs(s);
    bf_pairs_rigid(&s->pairs, RIGID_TOLERANCE_PX / s->key.unit);
    if (!bf_plane_fit_pairs(&s->pairs, &b->face) || !bf_affine_fit_pairs(&s->pairs, &map))
        return;
    b->fitted = true;
    bf_point expected = bf_head_parallax(&s->key, head);
    b->expected[0] = (double)expected.x;
    b->expected[1] = (double)expected.y;
    take_ratio(b);
    take_stretch(map, b);
    look_around(s, map, b);
    bf_motion_look_for_frame(s, b);
}
