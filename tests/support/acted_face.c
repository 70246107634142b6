#include "support/acted_face.h"

#include <math.h>
#include <string.h>

#include "support/synthetic_face.h"

#define PI 3.14159265358979

typedef struct point3 {
    double x, y, z; /* eye distances; x to the picture's right, y down, z away from the camera */
} point3;

/* The sum of three is near enough to a Gaussian for noise. */
static double noise(uint32_t *seed)
{
    return (random_unit(seed) + random_unit(seed) + random_unit(seed) - 1.5) * 2;
}

static double between(uint32_t *seed, double low, double high)
{
    return low + (high - low) * random_unit(seed);
}

act act_at_rest(uint32_t seed)
{
    return (act){.pose_noise_deg = 1.2,
                 .landmark_noise = 0.006,
                 .sway_deg = 2.0,
                 .inter_eye_px = 90,
                 .seed = seed ? seed * 2654435761u | 1u : 1};
}

void act_add(act *script, bf_step_type type, double onset_ms, double rise_ms, double hold_ms, double amount)
{
    if (script->move_count < ACT_MOVES_MAX)
        script->move[script->move_count++] = (act_move){type, onset_ms, rise_ms, hold_ms, rise_ms * 1.2, amount};
}

static void answer(act *script, bf_step_type type, double onset_ms, uint32_t *seed)
{
    switch (type) {
    case BF_STEP_TURN_LEFT:
    case BF_STEP_TURN_RIGHT:
        act_add(script, type, onset_ms, between(seed, 350, 800), between(seed, 100, 500), between(seed, 22, 45));
        break;
    case BF_STEP_LOOK_UP:
    case BF_STEP_LOOK_DOWN:
        act_add(script, type, onset_ms, between(seed, 350, 700), between(seed, 100, 500), between(seed, 16, 32));
        break;
    case BF_STEP_MOVE_CLOSER:
        act_add(script, type, onset_ms, between(seed, 600, 1000), between(seed, 800, 4000), between(seed, 0.25, 0.5));
        break;
    case BF_STEP_BLINK:
        act_add(script, type, onset_ms, between(seed, 70, 120), between(seed, 60, 250), between(seed, 0.85, 1));
        break;
    case BF_STEP_SMILE:
        act_add(script, type, onset_ms, between(seed, 200, 450), between(seed, 400, 900), between(seed, 0.75, 1.2));
        break;
    case BF_STEP_OPEN_MOUTH:
        act_add(script, type, onset_ms, between(seed, 150, 400), between(seed, 300, 800), between(seed, 0.8, 1.3));
        break;
    case BF_STEP_HOLD_STILL:
    case BF_STEP_TYPE_COUNT:
        break;
    }
}

void act_follow(act *script, const bf_plan *plan, uint32_t *seed)
{
    for (int i = 1; i < plan->step_count; i++)
        answer(script, plan->step[i].type, plan->step[i].from_ms + between(seed, 280, 1000), seed);
}

void act_blink_naturally(act *script, double duration_ms, uint32_t *seed)
{
    for (double ms = between(seed, 500, 4000); ms < duration_ms; ms += between(seed, 1500, 6000))
        act_add(script, BF_STEP_BLINK, ms, 60, between(seed, 20, 100), 0.9);
}

static double smooth(double share)
{
    share = fmin(fmax(share, 0), 1);
    return share * share * share * (10 - 15 * share + 6 * share * share);
}

static double level(const act_move *move, double ms)
{
    double since = ms - move->onset_ms, back = since - move->rise_ms - move->hold_ms;
    return move->amount * (smooth(since / fmax(move->rise_ms, 1)) - smooth(back / fmax(move->return_ms, 1)));
}

/* The largest of the movements of a type that are going on. */
static double largest(const act *script, bf_step_type type, double ms)
{
    double most = 0;
    for (int i = 0; i < script->move_count; i++) {
        if (script->move[i].type == type)
            most = fmax(most, level(&script->move[i], ms));
    }
    return most;
}

static void put_ring(point3 *out, int count, point3 centre, double half_width, double half_height, double phase)
{
    for (int i = 0; i < count; i++) {
        double angle = phase + 2 * PI * i / count;
        out[i] = (point3){centre.x - half_width * cos(angle), centre.y - half_height * sin(angle), centre.z};
    }
}

/* The face at rest and upright, with its lids, lips and smile. */
static void shape(double lids, double lips, double smile, point3 ret[BF_LANDMARKS])
{
    memset(ret, 0, BF_LANDMARKS * sizeof *ret);
    for (int i = 0; i <= 16; i++) {
        double angle = PI * i / 16;
        ret[i] = (point3){-0.95 * cos(angle), 0.1 + 1.6 * sin(angle), 0.6 - 0.4 * sin(angle)};
    }
    for (int i = 17; i < 27; i++)
        ret[i] = (point3){(i - 21.5) * 0.17, -0.3, -0.05};
    for (int i = 27; i < 31; i++)
        ret[i] = (point3){0, (i - 27) * 0.18, -0.15 - (i - 27) * 0.14};
    for (int i = 31; i < 36; i++)
        ret[i] = (point3){(i - 33) * 0.12, 0.68, -0.25};
    put_ring(ret + 36, 6, (point3){-0.5, 0, 0}, 0.22, 0.12 * lids, 0);
    put_ring(ret + 42, 6, (point3){0.5, 0, 0}, 0.22, 0.12 * lids, 0);
    double width = 0.40 * (1 + 0.16 * smile);
    put_ring(ret + 48, 12, (point3){0, 1.08, -0.15}, width, 0.14 + lips, 0);
    put_ring(ret + 60, 8, (point3){0, 1.08, -0.15}, 0.8 * width, 0.006 + lips, 0);
    ret[8].y += 0.5 * lips; /* the jaw goes down with the lips */
}

static void project(const act *script, const point3 *points, double yaw, double pitch, double scale, uint32_t *seed,
                    bf_face *ret)
{
    double cy = cos(yaw), sy = sin(yaw), cp = cos(pitch), sp = sin(pitch);
    for (int i = 0; i < BF_LANDMARKS; i++) {
        /* Turning to the own left moves what is near the camera to the picture's right; looking up moves it up. */
        point3 p = points[i];
        double x = cy * p.x - sy * p.z, z = sy * p.x + cy * p.z;
        double y = cp * p.y + sp * z;
        double tremble = script->landmark_noise;
        ret->landmarks[i].x = (float)(320 + scale * (x + tremble * noise(seed)));
        ret->landmarks[i].y = (float)(200 + scale * (y + tremble * noise(seed)));
    }
}

static void set_eyes(const act *script, double open, uint32_t *seed, bf_face *ret)
{
    for (int eye = 0; eye < 2; eye++) {
        bool seen_open = script->poor_eyes ? random_unit(seed) < 0.5 : open > 0.55;
        ret->eye_open_probability[eye] =
            (float)(seen_open ? 0.99 - 0.05 * random_unit(seed) : 0.05 * random_unit(seed));
    }
}

void act_face(act *script, double ms, bf_face *ret)
{
    uint32_t *seed = &script->seed;
    double yaw = largest(script, BF_STEP_TURN_LEFT, ms) - largest(script, BF_STEP_TURN_RIGHT, ms);
    double pitch = largest(script, BF_STEP_LOOK_UP, ms) - largest(script, BF_STEP_LOOK_DOWN, ms);
    yaw += script->sway_deg * sin(ms / 900);
    pitch += script->sway_deg * sin(ms / 1300 + 1);
    double closed = largest(script, BF_STEP_BLINK, ms), growth = largest(script, BF_STEP_MOVE_CLOSER, ms);
    double smile = largest(script, BF_STEP_SMILE, ms), lips = 0.15 * largest(script, BF_STEP_OPEN_MOUTH, ms);
    double lids = 1 - 0.6 * closed - 0.15 * fmin(smile, 1) + (script->poor_eyes ? 0.35 * noise(seed) : 0);
    point3 points[BF_LANDMARKS];
    shape(lids, lips, smile, points);
    memset(ret, 0, sizeof *ret);
    double scale = script->inter_eye_px * (1 + growth);
    project(script, points, yaw * PI / 180, pitch * PI / 180, scale, seed, ret);
    ret->box =
        (bf_rect){(float)(320 - scale), (float)(200 - 0.7 * scale), (float)(320 + scale), (float)(200 + 1.8 * scale)};
    ret->detect_probability = 0.99f;
    ret->has_geometry = true;
    /* face/find.h: yaw > 0 turns the nose to the picture's left. The network takes a quarter of a turn for a nod. */
    ret->yaw_deg = (float)(-yaw + script->pose_noise_deg * noise(seed));
    ret->pitch_deg = (float)(pitch - 6 + 0.25 * fabs(yaw) + script->pose_noise_deg * noise(seed));
    ret->pose_entropy_nats = 2;
    set_eyes(script, 1 - closed, seed, ret);
    ret->inter_eye_px = (float)(scale * cos(yaw * PI / 180));
}
