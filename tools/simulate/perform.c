#include "simulate/perform.h"

#include <math.h>
#include <string.h>

#define SPONTANEOUS_BLINK_MS 130.0
#define LOOP_FADE_MS 1500.0

const sim_manner sim_usual_manner = {.reaction_ms = 600, .pace = 1, .extent = 1, .skip = 0, .rest = 1};

/* The usual extent and times of a gesture. */
typedef struct habit {
    double amount_low, amount_high;
    double rise_low_ms, rise_high_ms;
    double hold_low_ms, hold_high_ms;
} habit;

static const habit habits[BF_STEP_TYPE_COUNT] = {
    [BF_STEP_TURN_LEFT] = {20, 32, 380, 800, 250, 900},      [BF_STEP_TURN_RIGHT] = {20, 32, 380, 800, 250, 900},
    [BF_STEP_LOOK_UP] = {13, 20, 350, 750, 250, 900},        [BF_STEP_LOOK_DOWN] = {13, 20, 350, 750, 250, 900},
    [BF_STEP_MOVE_CLOSER] = {1.3, 1.5, 600, 1100, 400, 900}, [BF_STEP_BLINK] = {0.95, 1, 90, 150, 80, 260},
    [BF_STEP_SMILE] = {0.75, 1, 250, 500, 500, 1100},        [BF_STEP_OPEN_MOUTH] = {0.6, 1, 250, 500, 300, 900},
};

/* Minimum jerk: as limbs and heads move. */
static double ease(double x)
{
    x = fmin(fmax(x, 0), 1);
    return x * x * x * (10 - 15 * x + 6 * x * x);
}

static double envelope(const sim_gesture *g, double ms)
{
    double since = ms - g->onset_ms;
    return ease(since / g->rise_ms) * (1 - ease((since - g->rise_ms - g->hold_ms) / g->fall_ms));
}

static void add_gesture(sim_performance *p, bf_step_type type, double onset_ms, const sim_manner *manner,
                        sim_random *random)
{
    if (p->gesture_count == SIM_GESTURES_MAX)
        return;
    const habit *h = &habits[type];
    double amount = sim_uniform(random, h->amount_low, h->amount_high);
    amount = type == BF_STEP_MOVE_CLOSER ? 1 + (amount - 1) * manner->extent : amount * manner->extent;
    double rise = sim_uniform(random, h->rise_low_ms, h->rise_high_ms) * manner->pace;
    p->gesture[p->gesture_count++] = (sim_gesture){
        .type = type,
        .onset_ms = onset_ms,
        .rise_ms = rise,
        .hold_ms = sim_uniform(random, h->hold_low_ms, h->hold_high_ms) * manner->pace,
        .fall_ms = rise * sim_uniform(random, 0.9, 1.3),
        .amount = amount,
    };
}

static void add_blinks(sim_performance *p, double duration_ms, sim_random *random)
{
    double at = sim_uniform(random, 300, 3500);
    while (at < duration_ms && p->blink_count < SIM_BLINKS_MAX) {
        p->blink_ms[p->blink_count++] = at;
        at += sim_uniform(random, 1500, 5500);
    }
}

void sim_perform(const bf_plan *plan, const sim_manner *manner, double duration_ms, uint64_t seed, sim_performance *ret)
{
    sim_random random = sim_random_from(seed, 11);
    *ret = (sim_performance){.rest = manner->rest, .seed = seed};
    for (int i = 0; plan && i < plan->step_count; i++) {
        const bf_step *step = &plan->step[i];
        /* Reactions are skewed: never much faster than the mean, sometimes much slower. */
        double reaction = manner->reaction_ms * (0.7 + 0.3 * exp(0.6 * sim_normal(&random)));
        bool skipped = sim_chance(&random, manner->skip);
        if (step->type == BF_STEP_HOLD_STILL || skipped)
            continue;
        add_gesture(ret, step->type, step->from_ms + reaction, manner, &random);
        sim_gesture *g = &ret->gesture[ret->gesture_count - 1];
        if (step->type == BF_STEP_BLINK && sim_chance(&random, 0.5))
            add_gesture(ret, BF_STEP_BLINK, g->onset_ms + g->rise_ms + g->hold_ms + g->fall_ms + 120, manner, &random);
        else /* Back in front before the next is asked for, or about then. */
            g->hold_ms = fmax(100, fmin(g->hold_ms, step->until_ms + 200 - g->onset_ms - g->rise_ms));
    }
    if (manner->rest > 0)
        add_blinks(ret, duration_ms, &random);
}

static void apply(sim_pose *pose, const sim_gesture *g, double share)
{
    double amount = g->amount * share;
    switch (g->type) {
    case BF_STEP_TURN_LEFT:
        pose->yaw_deg -= amount;
        break;
    case BF_STEP_TURN_RIGHT:
        pose->yaw_deg += amount;
        break;
    case BF_STEP_LOOK_UP:
        pose->pitch_deg += amount;
        break;
    case BF_STEP_LOOK_DOWN:
        pose->pitch_deg -= amount;
        break;
    case BF_STEP_MOVE_CLOSER:
        pose->closeness *= 1 + (g->amount - 1) * share;
        break;
    case BF_STEP_BLINK:
        pose->eyes = fmax(pose->eyes, amount);
        break;
    case BF_STEP_SMILE:
        pose->smile = fmax(pose->smile, amount);
        break;
    case BF_STEP_OPEN_MOUTH:
        pose->mouth = fmax(pose->mouth, amount);
        break;
    default:
        break;
    }
}

static sim_pose pose_once(const sim_performance *p, double ms)
{
    double s = ms / 1000, rest = p->rest;
    sim_pose pose = {
        .yaw_deg = rest * 0.9 * sim_wander(p->seed, 0, s),
        .pitch_deg = rest * 0.7 * sim_wander(p->seed, 1, s),
        .roll_deg = rest * 0.5 * sim_wander(p->seed, 2, s),
        .x = rest * 0.02 * sim_wander(p->seed, 3, s),
        .y = rest * 0.012 * sim_wander(p->seed, 4, s),
        .closeness = 1 + rest * 0.006 * sim_wander(p->seed, 5, s),
        .smile = rest * 0.04 * (1 + sim_wander(p->seed, 6, s)),
    };
    for (int i = 0; i < p->gesture_count; i++) {
        double share = envelope(&p->gesture[i], ms);
        apply(&pose, &p->gesture[i], share);
        /* Nobody turns about one axis only. */
        if (p->gesture[i].type <= BF_STEP_LOOK_DOWN)
            pose.roll_deg += share * 2.5 * sin((double)i + (double)(p->seed % 97));
    }
    for (int i = 0; i < p->blink_count; i++) {
        double since = fabs(ms - p->blink_ms[i]) / SPONTANEOUS_BLINK_MS;
        pose.eyes = fmax(pose.eyes, since < 1 ? ease(2 * (1 - since)) : 0);
    }
    pose.smile = fmax(pose.smile, 0);
    return pose;
}

static double between(double a, double b, double share)
{
    return a + share * (b - a);
}

sim_pose sim_pose_at(const sim_performance *p, double ms)
{
    sim_pose pose = pose_once(p, ms);
    double share = p->loop_ms > 0 ? ease((ms - p->loop_ms + LOOP_FADE_MS) / LOOP_FADE_MS) : 0;
    if (share <= 0)
        return pose;
    sim_pose begin = pose_once(p, ms - p->loop_ms);
    return (sim_pose){
        .yaw_deg = between(pose.yaw_deg, begin.yaw_deg, share),
        .pitch_deg = between(pose.pitch_deg, begin.pitch_deg, share),
        .roll_deg = between(pose.roll_deg, begin.roll_deg, share),
        .x = between(pose.x, begin.x, share),
        .y = between(pose.y, begin.y, share),
        .closeness = between(pose.closeness, begin.closeness, share),
        .eyes = pose.eyes,
        .mouth = pose.mouth,
        .smile = between(pose.smile, begin.smile, share),
    };
}
