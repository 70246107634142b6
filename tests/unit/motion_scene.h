/* Drawn scenes of known motion: a head of ellipsoids with a grain that sticks to it, a wall behind, prints and screens
 * that show the head. Heads turn about their own centre; cameras look along z. */
#ifndef MOTION_SCENE_H
#define MOTION_SCENE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "face/face.h"

#define SCENE_WIDTH 240
#define SCENE_HEIGHT 200
#define SCENE_UNIT 36.0 /* px between the eyes at scale 1 */
#define SCENE_DEGREES 57.29577951308232

typedef struct scene_picture {
    uint8_t luma[SCENE_HEIGHT][SCENE_WIDTH];
} scene_picture;

/* Where the head is and how it is turned, radians; signs of yaw and pitch as in face/find.h. */
typedef struct scene_pose {
    double yaw, pitch, x, y, scale; /* x, y: px from the picture's middle */
} scene_pose;

static inline uint32_t scene_hash(uint32_t seed, int x, int y, int z)
{
    uint32_t h = seed * 0x9e3779b1u ^ (uint32_t)x * 0x85ebca6bu ^ (uint32_t)y * 0xc2b2ae35u ^ (uint32_t)z * 0x27d4eb2fu;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    return h;
}

/* Smooth grain, 0..1, about one blot per unit of length. */
static inline double scene_grain(uint32_t seed, double x, double y, double z)
{
    double fx = floor(x), fy = floor(y), fz = floor(z), sum = 0;
    double u = x - fx, v = y - fy, w = z - fz;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    w = w * w * (3 - 2 * w);
    for (int i = 0; i < 8; i++) {
        double weight = (i & 1 ? u : 1 - u) * (i & 2 ? v : 1 - v) * (i & 4 ? w : 1 - w);
        sum += weight * (scene_hash(seed, (int)fx + (i & 1), (int)fy + (i >> 1 & 1), (int)fz + (i >> 2)) >> 8);
    }
    return sum / 0xffffff;
}

/* Half axes and centres in units from the middle of the head at the height of the eyes; z towards the camera, y down.
 * Skull, nose, mouth, brow. */
static const double scene_part[4][6] = {
    {1.15, 1.75, 1.60, 0, 0.3, 0},
    {0.24, 0.45, 0.55, 0, 0.55, 1.60},
    {0.55, 0.35, 0.45, 0, 1.15, 1.40},
    {0.85, 0.20, 0.35, 0, -0.35, 1.40},
};

typedef struct scene_rotation {
    double m[3][3]; /* from the head's coordinates to the camera's */
} scene_rotation;

static inline scene_rotation scene_rotate(double yaw, double pitch)
{
    /* yaw > 0 takes the nose to the picture's left, pitch > 0 lifts it (y is down). */
    double c = cos(yaw), s = -sin(yaw), d = cos(pitch), t = -sin(pitch);
    return (scene_rotation){{{c, 0, s}, {-s * t, d, c * t}, {-s * d, -t, c * d}}};
}

/* The nearest point of the head on the ray through (x, y), in the head's coordinates. */
static inline int scene_hit(const scene_rotation *r, double x, double y, double ret[3])
{
    double best = -1e9;
    for (int part = 0; part < 4; part++) {
        const double *e = scene_part[part];
        double a = 0, b = 0, c = -1, o[3], d[3];
        for (int k = 0; k < 3; k++) {
            o[k] = (r->m[0][k] * x + r->m[1][k] * y - e[3 + k]) / e[k];
            d[k] = r->m[2][k] / e[k];
            a += d[k] * d[k];
            b += o[k] * d[k];
            c += o[k] * o[k];
        }
        double root = b * b - a * c;
        if (root < 0)
            continue;
        double t = (-b + sqrt(root)) / a;
        if (t <= best)
            continue;
        best = t;
        for (int k = 0; k < 3; k++)
            ret[k] = r->m[0][k] * x + r->m[1][k] * y + r->m[2][k] * t;
    }
    return best > -1e8;
}

/* The wall behind, seen through a camera that has moved by (x, y) px and come nearer by `scale`. */
static inline double scene_wall(uint32_t seed, double x, double y, double px, double py, double scale)
{
    double u = (px - x) / scale, v = (py - y) / scale;
    return 60 + 130 * scene_grain(seed + 7, u / 9, v / 9, 0.5);
}

static inline double scene_head(uint32_t seed, const double p[3])
{
    return 70 + 110 * scene_grain(seed, p[0] * 7, p[1] * 7, p[2] * 7) +
           30 * scene_grain(seed + 1, p[0] * 2, p[1] * 2, 0);
}

/* Draws the head before the wall. `wall` is the wall's motion; its yaw and pitch do not count. */
static inline void scene_draw(uint32_t seed, const scene_pose *head, const scene_pose *wall, scene_picture *ret)
{
    scene_rotation r = scene_rotate(head->yaw, head->pitch);
    for (int y = 0; y < SCENE_HEIGHT; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++) {
            double p[3], px = x - SCENE_WIDTH / 2.0, py = y - SCENE_HEIGHT / 2.0, unit = SCENE_UNIT * head->scale;
            double value = scene_hit(&r, (px - head->x) / unit, (py - head->y) / unit, p)
                               ? scene_head(seed, p)
                               : scene_wall(seed, wall->x, wall->y, px, py, wall->scale);
            ret->luma[y][x] = (uint8_t)value;
        }
    }
}

static inline double scene_sample(const scene_picture *p, double x, double y)
{
    double fx = floor(x), fy = floor(y);
    int ix = (int)fx, iy = (int)fy;
    if (ix < 0 || iy < 0 || ix + 1 >= SCENE_WIDTH || iy + 1 >= SCENE_HEIGHT)
        return -1;
    double u = x - fx, v = y - fy;
    return (1 - v) * ((1 - u) * p->luma[iy][ix] + u * p->luma[iy][ix + 1]) +
           v * ((1 - u) * p->luma[iy + 1][ix] + u * p->luma[iy + 1][ix + 1]);
}

/* A sheet or screen that shows the middle of a picture: half its size in px, how it is held, how strongly it is bent
 * about its upright middle (units of depth at one unit from it), and the distance over which it is seen. */
typedef struct scene_sheet {
    double half_width, half_height;
    scene_pose pose;
    double bend;
    scene_rotation rotation; /* of the pose: scene_hold sets it */
} scene_sheet;

static inline void scene_hold(scene_sheet *s)
{
    s->rotation = scene_rotate(s->pose.yaw, s->pose.pitch);
}

#define SCENE_DISTANCE 10.0 /* of a sheet, in units */

/* Where a point of the sheet (px from its middle) is in the picture. */
static inline void scene_project(const scene_sheet *s, double u, double v, double *ret_x, double *ret_y)
{
    const scene_rotation *r = &s->rotation;
    double p[3] = {u / SCENE_UNIT, v / SCENE_UNIT, -s->bend * (u / SCENE_UNIT) * (u / SCENE_UNIT)}, q[3];
    for (int k = 0; k < 3; k++)
        q[k] = r->m[k][0] * p[0] + r->m[k][1] * p[1] + r->m[k][2] * p[2];
    double near = SCENE_DISTANCE / (SCENE_DISTANCE - q[2]) * SCENE_UNIT * s->pose.scale;
    *ret_x = SCENE_WIDTH / 2.0 + s->pose.x + q[0] * near;
    *ret_y = SCENE_HEIGHT / 2.0 + s->pose.y + q[1] * near;
}

/* Draws the sheet over `ret`, which holds the room already. The way back from picture to sheet is found by steps. */
static inline void scene_show(const scene_picture *shown, const scene_sheet *s, scene_picture *ret)
{
    for (int y = 0; y < SCENE_HEIGHT; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++) {
            double u = x - SCENE_WIDTH / 2.0 - s->pose.x, v = y - SCENE_HEIGHT / 2.0 - s->pose.y;
            for (int round = 0; round < 5; round++) {
                double at_x, at_y;
                scene_project(s, u, v, &at_x, &at_y);
                u += (x - at_x) / s->pose.scale;
                v += (y - at_y) / s->pose.scale;
            }
            if (fabs(u) > s->half_width || fabs(v) > s->half_height)
                continue;
            double value = scene_sample(shown, SCENE_WIDTH / 2.0 + u, SCENE_HEIGHT / 2.0 + v);
            if (value >= 0)
                ret->luma[y][x] = (uint8_t)value;
        }
    }
}

static inline void scene_noise(scene_picture *p, uint32_t seed, int size)
{
    for (int y = 0; y < SCENE_HEIGHT; y++) {
        for (int x = 0; x < SCENE_WIDTH; x++) {
            int value = p->luma[y][x] + (int)(scene_hash(seed, x, y, 3) % (uint32_t)(2 * size + 1)) - size;
            p->luma[y][x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
}

/* The 68 points seen from the front, in units from the middle of the head. */
static inline void scene_points(double ret[BF_LANDMARKS][2])
{
    const double eye[6][2] = {{-0.2, 0}, {-0.07, -0.08}, {0.07, -0.08}, {0.2, 0}, {0.07, 0.08}, {-0.07, 0.08}};
    for (int i = 0; i < 17; i++) {
        double a = 3.14159265 * i / 16;
        ret[i][0] = -1.02 * cos(a);
        ret[i][1] = 0.1 + 1.65 * sin(a);
    }
    for (int i = 0; i < 5; i++) {
        ret[17 + i][0] = -0.85 + 0.16 * i;
        ret[22 + i][0] = 0.21 + 0.16 * i;
        ret[17 + i][1] = ret[26 - i][1] = -0.32 - 0.05 * i * (i < 3);
    }
    for (int i = 0; i < 4; i++) {
        ret[27 + i][0] = 0;
        ret[27 + i][1] = 0.02 + 0.19 * i;
    }
    for (int i = 0; i < 5; i++) {
        ret[31 + i][0] = -0.22 + 0.11 * i;
        ret[31 + i][1] = 0.78;
    }
    for (int i = 0; i < 6; i++) {
        ret[36 + i][0] = -0.5 + eye[i][0];
        ret[42 + i][0] = 0.5 + eye[i][0];
        ret[36 + i][1] = ret[42 + i][1] = eye[i][1];
    }
    for (int i = 0; i < 20; i++) {
        double a = 3.14159265 * (i < 12 ? i / 6.0 : (i - 12) / 4.0), size = i < 12 ? 1 : 0.7;
        ret[48 + i][0] = -0.4 * size * cos(a);
        ret[48 + i][1] = 1.15 - 0.17 * size * sin(a);
    }
}

/* The face as a detector would give it: of the head itself, or of its picture on a sheet (`sheet` is then not NULL and
 * `head` is what the sheet shows). */
static inline bf_face scene_face(const scene_pose *head, const scene_sheet *sheet)
{
    bf_face face = {.detect_probability = 1, .has_geometry = true};
    scene_rotation front = scene_rotate(0, 0), r = scene_rotate(head->yaw, head->pitch);
    double points[BF_LANDMARKS][2];
    scene_points(points);
    for (int i = 0; i < BF_LANDMARKS; i++) {
        double p[3] = {points[i][0], points[i][1], 0.3};
        (void)scene_hit(&front, points[i][0], points[i][1], p);
        double x = (r.m[0][0] * p[0] + r.m[0][1] * p[1] + r.m[0][2] * p[2]) * SCENE_UNIT * head->scale + head->x;
        double y = (r.m[1][0] * p[0] + r.m[1][1] * p[1] + r.m[1][2] * p[2]) * SCENE_UNIT * head->scale + head->y;
        if (sheet)
            scene_project(sheet, x, y, &x, &y);
        else {
            x += SCENE_WIDTH / 2.0;
            y += SCENE_HEIGHT / 2.0;
        }
        face.landmarks[i] = (bf_point){(float)x, (float)y};
    }
    face.yaw_deg = (float)((head->yaw + (sheet ? sheet->pose.yaw : 0)) * SCENE_DEGREES);
    face.pitch_deg = (float)((head->pitch + (sheet ? sheet->pose.pitch : 0)) * SCENE_DEGREES);
    face.box = (bf_rect){face.landmarks[0].x, face.landmarks[19].y, face.landmarks[16].x, face.landmarks[8].y};
    return face;
}

#endif
