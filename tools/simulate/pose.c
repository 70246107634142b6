/* Where each part of a person is in a pose, and how the light falls on it. */
#include <math.h>

#include "simulate/head.h"

static const float pi = (float)M_PI;

typedef struct rotation {
    float m[3][3];
} rotation;

static float radians(double degrees)
{
    return (float)degrees * pi / 180;
}

/* Signs as in face/find.h: yaw > 0 takes the nose to the picture's left, pitch > 0 lifts it, roll > 0 takes the top of
 * the head to the picture's right. Yaw is about the picture's upright, pitch within it, roll last. */
static rotation rotation_of(double yaw_deg, double pitch_deg, double roll_deg)
{
    float cy = cosf(radians(yaw_deg)), sy = sinf(radians(yaw_deg));
    float cp = cosf(radians(pitch_deg)), sp = sinf(radians(pitch_deg));
    float cr = cosf(radians(roll_deg)), sr = sinf(radians(roll_deg));
    const float yaw[3][3] = {{cy, 0, -sy}, {0, 1, 0}, {sy, 0, cy}};
    const float pitch[3][3] = {{1, 0, 0}, {0, cp, -sp}, {0, sp, cp}};
    const float roll[3][3] = {{cr, -sr, 0}, {sr, cr, 0}, {0, 0, 1}};
    rotation ret = {{{0}}};
    float both[3][3] = {{0}};
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 3; k++)
            both[i / 3][i % 3] += yaw[i / 3][k] * pitch[k][i % 3];
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 3; k++)
            ret.m[i / 3][i % 3] += both[i / 3][k] * roll[k][i % 3];
    return ret;
}

static sim_point rotate(const rotation *r, sim_point p)
{
    return (sim_point){r->m[0][0] * p.x + r->m[0][1] * p.y + r->m[0][2] * p.z,
                       r->m[1][0] * p.x + r->m[1][1] * p.y + r->m[1][2] * p.z,
                       r->m[2][0] * p.x + r->m[2][1] * p.y + r->m[2][2] * p.z};
}

typedef struct movement {
    rotation whole, spin, roll; /* of the head: both, about its own middle, in the picture's plane */
    rotation body, camera;
    sim_point neck;         /* what the head turns about */
    sim_point middle, then; /* of the head, at rest and now */
    sim_point shift;        /* of the whole person */
    sim_point camera_shift;
    float focal;
} movement;

static sim_point about(const rotation *r, sim_point pivot, sim_point p)
{
    sim_point q = rotate(r, (sim_point){p.x - pivot.x, p.y - pivot.y, p.z - pivot.z});
    return (sim_point){q.x + pivot.x, q.y + pivot.y, q.z + pivot.z};
}

static void add(sim_point *sum, float share, sim_point p)
{
    sum->x += share * p.x;
    sum->y += share * p.y;
    sum->z += share * p.z;
}

static sim_point move(const movement *m, const sim_flesh *f)
{
    const sim_point from = {f->rest.x - m->middle.x, f->rest.y - m->middle.y, f->rest.z - m->middle.z};
    sim_point p = {0, 0, 0};
    if (f->head > 0) {
        add(&p, f->spin, rotate(&m->whole, from));
        add(&p, f->head - f->spin, rotate(&m->roll, from));
        add(&p, f->head, m->then);
    }
    add(&p, f->body, about(&m->body, m->neck, f->rest));
    add(&p, 1 - f->head - f->body, f->rest);
    add(&p, f->head + f->body, m->shift);
    const sim_point lens = {0, 0, m->focal};
    p = about(&m->camera, lens, p);
    add(&p, -1, m->camera_shift);
    return p;
}

static float lambert(const float normal[3], const float to[3])
{
    return fmaxf(0, normal[0] * to[0] + normal[1] * to[1] + normal[2] * to[2]);
}

static void light(const movement *m, const sim_room *room, const sim_flesh *f, sim_vertex *vertex)
{
    sim_point n = {f->normal[0], f->normal[1], f->normal[2]};
    sim_point turned = rotate(&m->whole, n);
    float normal[3] = {n.x + f->spin * (turned.x - n.x), n.y + f->spin * (turned.y - n.y),
                       n.z + f->spin * (turned.z - n.z)};
    /* The screen is around the camera, a little below it. */
    float to[3] = {-vertex->at.x, 0.08F * m->focal - vertex->at.y, m->focal - vertex->at.z};
    float distance = sqrtf(to[0] * to[0] + to[1] * to[1] + to[2] * to[2]);
    for (int i = 0; i < 3; i++)
        to[i] /= distance;
    float person = f->head + f->body, facing = lambert(normal, to), near = m->focal / distance;
    vertex->screen = facing * near * near;
    float shine = facing * facing * facing * facing;
    shine *= shine * shine;
    vertex->gloss = 0.02F * f->head * shine * shine;
    float before = 1 - room->directed + room->directed * lambert(f->normal, room->direction);
    float now = 1 - room->directed + room->directed * lambert(normal, room->direction);
    float change = fminf(fmaxf(now / fmaxf(before, 0.1F), 0.6F), 1.5F);
    vertex->ambient = change * (room->backlight + person * (1 - room->backlight));
}

void sim_head_pose(sim_head *head, const sim_pose *pose, const sim_shake *shake, const sim_room *room)
{
    const sim_layout *l = &head->layout;
    const bf_point *p = head->landmark;
    float h = head->half_width, focal = SIM_FOCAL * (float)l->width;
    float away = focal * (1 - 1 / (float)pose->closeness);
    movement m = {
        .whole = rotation_of(pose->yaw_deg, pose->pitch_deg, pose->roll_deg),
        .roll = rotation_of(0, 0, pose->roll_deg),
        .body = rotation_of(0.12 * pose->yaw_deg, 0, 0.1 * pose->roll_deg),
        .neck = {(p[0].x + p[16].x - (float)l->width) / 2, p[8].y - 0.1F * head->half_height - (float)l->height / 2,
                 -0.35F * h},
        .middle = {head->middle.x - (float)l->width / 2, head->middle.y - (float)l->height / 2, 0},
        .shift = {(float)pose->x * h, (float)pose->y * h, away * (1 - shake->approach)},
        .camera = rotation_of(shake->yaw_deg, shake->pitch_deg, shake->roll_deg),
        .camera_shift = {shake->x, shake->y, -away * shake->approach},
        .focal = focal,
    };
    m.then = about(&m.whole, m.neck, m.middle);
    for (int i = 0; i < head->grid.columns * head->grid.rows; i++) {
        head->grid.vertex[i].at = move(&m, &head->flesh[i]);
        light(&m, room, &head->flesh[i], &head->grid.vertex[i]);
    }
}
