#include "liveness/motion/head.h"

#include <math.h>

#define EYE_TO_EYE_PX_MIN 12.0f /* of the small picture: below, a nose stands out by too little */
#define ANGLE_MAX 1.6f
#define RADIANS 0.01745329252f

/* In distances between the eyes, from the plane of the eye corners, larger is nearer to the camera. Rough proportions
 * of an adult head; what is judged is the agreement with this shape, not its exact size. */
static const float depth_of[BF_LANDMARKS] = {
    -1.20f, -1.15f, -1.05f, -0.95f, -0.80f, -0.58f, -0.34f, -0.10f, 0.02f, /* jaw from the picture's left to the chin */
    -0.10f, -0.34f, -0.58f, -0.80f, -0.95f, -1.05f, -1.15f, -1.20f,        /* and up again */
    -0.15f, 0.06f,  0.16f,  0.22f,  0.24f,                                 /* brows */
    0.24f,  0.22f,  0.16f,  0.06f,  -0.15f,                                /* */
    0.18f,  0.32f,  0.46f,  0.60f,                                         /* ridge of the nose down to its tip */
    0.28f,  0.36f,  0.42f,  0.36f,  0.28f,                                 /* its wings and foot */
    -0.16f, 0.00f,  0.04f,  0.02f,  0.00f,  0.00f,                         /* eyes */
    0.02f,  0.04f,  0.00f,  -0.16f, 0.00f,  0.00f,                         /* */
    0.12f,  0.26f,  0.35f,  0.38f,  0.35f,  0.26f,  0.12f,                 /* mouth, outer line */
    0.22f,  0.30f,  0.33f,  0.30f,  0.22f,                                 /* */
    0.14f,  0.30f,  0.33f,  0.30f,  0.14f,  0.29f,  0.31f,  0.29f,         /* inner line */
};

static bf_point mean_of(const bf_point *points, int count)
{
    bf_point sum = {0, 0};
    for (int i = 0; i < count; i++) {
        sum.x += points[i].x / (float)count;
        sum.y += points[i].y / (float)count;
    }
    return sum;
}

static bool take_landmarks(const bf_face *face, float scale, int width, int height, bf_head *head)
{
    head->box = (bf_rect){(float)width, (float)height, 0, 0};
    for (int i = 0; i < BF_LANDMARKS; i++) {
        bf_point p = {face->landmarks[i].x * scale, face->landmarks[i].y * scale};
        if (!(fabsf(p.x) < 4.0f * (float)width && fabsf(p.y) < 4.0f * (float)height))
            return false;
        head->landmark[i] = p;
        head->box = (bf_rect){fminf(head->box.x0, p.x), fminf(head->box.y0, p.y), fmaxf(head->box.x1, p.x),
                              fmaxf(head->box.y1, p.y)};
    }
    return true;
}

bool bf_head_of(const bf_face *face, float scale, int width, int height, bf_head *ret)
{
    if (!face || !face->has_geometry || !take_landmarks(face, scale, width, height, ret))
        return false;
    ret->yaw = face->yaw_deg * RADIANS;
    ret->pitch = face->pitch_deg * RADIANS;
    ret->roll = face->roll_deg * RADIANS;
    if (!(fabsf(ret->yaw) < ANGLE_MAX && fabsf(ret->pitch) < ANGLE_MAX && fabsf(ret->roll) < 2 * ANGLE_MAX))
        return false;
    bf_point left = mean_of(ret->landmark + 36, 6), right = mean_of(ret->landmark + 42, 6);
    bf_point mouth = mean_of(ret->landmark + 48, 12);
    ret->centre = (bf_point){(left.x + right.x) / 4 + mouth.x / 2, (left.y + right.y) / 4 + mouth.y / 2};
    ret->unit = hypotf(right.x - left.x, right.y - left.y) / fmaxf(cosf(ret->yaw), 0.5f);
    return ret->unit >= EYE_TO_EYE_PX_MIN && ret->unit < (float)(width + height);
}

/* The outline, closed: the jaw, and the brows raised to the middle of the forehead. */
static bf_point outline(const bf_head *head, int i)
{
    bf_point p = i < 17 ? head->landmark[i] : head->landmark[26 - (i - 17)];
    if (i >= 17) {
        p.x += 0.35f * head->unit * sinf(head->roll);
        p.y -= 0.35f * head->unit * cosf(head->roll);
    }
    /* Where the skin turns away from the camera, its edge stays in the picture while the skin moves under it. */
    return (bf_point){head->centre.x + 0.88f * (p.x - head->centre.x), head->centre.y + 0.92f * (p.y - head->centre.y)};
}

bool bf_head_contains(const bf_head *head, bf_point p)
{
    bool in = false;
    bf_point before = outline(head, 26);
    for (int i = 0; i < 27; i++) {
        bf_point next = outline(head, i);
        if ((next.y > p.y) != (before.y > p.y) &&
            p.x < (before.x - next.x) * (p.y - next.y) / (before.y - next.y) + next.x)
            in = !in;
        before = next;
    }
    return in;
}

float bf_head_depth(const bf_head *head, bf_point p)
{
    float sum = 0, weights = 0, near = 0.04f * head->unit * head->unit;
    for (int i = 0; i < BF_LANDMARKS; i++) {
        float dx = p.x - head->landmark[i].x, dy = p.y - head->landmark[i].y;
        float weight = 1 / ((dx * dx + dy * dy) / near + 0.25f);
        sum += weight * weight * depth_of[i];
        weights += weight * weight;
    }
    /* A turned head is foreshortened, so the same depth is more of what is left of its width. */
    return sum / weights / (fmaxf(cosf(head->yaw), 0.7f) * fmaxf(cosf(head->pitch), 0.7f));
}

bf_point bf_head_parallax(const bf_head *from, const bf_head *to)
{
    float x = -sinf(to->yaw - from->yaw), y = -sinf(to->pitch - from->pitch);
    float c = cosf(from->roll), s = sinf(from->roll);
    return (bf_point){c * x - s * y, s * x + c * y};
}
