#include "liveness/challenge/response.h"

#include <math.h>

#define BEGUN 0.35F      /* of the way from the lowest point to a strength of 1 */
#define RISE 0.65F       /* a movement rises at least by this from where it starts */
#define LEAP_SHARE 0.85F /* of the movement in one step between frames */
#define LEAP_GAP_MS 125.0
#define LEAP_SPAN_MS 250.0
#define LEAP_DEG 18.0F
#define LEAP_CLOSER 0.9F

/* The time at which the series passes `level` between two frames. */
static double crossing_ms(const bf_samples *samples, const float *strength, int below, int above, float level)
{
    double share = (double)((level - strength[below]) / (strength[above] - strength[below]));
    return samples->at[below].ms + fmin(fmax(share, 0), 1) * (samples->at[above].ms - samples->at[below].ms);
}

static bool is_leap(float rise, float whole, bf_step_type type)
{
    float degrees = bf_strength_degrees(type);
    if (degrees > 0)
        return rise >= LEAP_SHARE * whole && rise * degrees >= LEAP_DEG;
    return type == BF_STEP_MOVE_CLOSER && rise >= LEAP_SHARE * whole && rise >= LEAP_CLOSER;
}

/* When the movement that is sure at frame `at` left `level`; the frame before that is *ret_below, -1 when the sequence
 * begins in the middle of it. */
static double onset_ms(const bf_samples *samples, const float *strength, int at, float level, int *ret_below)
{
    int above = at;
    for (int i = at - 1; i >= 0; i--) {
        if (isnan(strength[i]))
            continue;
        if (strength[i] <= level) {
            *ret_below = i;
            return crossing_ms(samples, strength, i, above, level);
        }
        above = i;
    }
    *ret_below = -1;
    return samples->at[0].ms;
}

/* Follows the movement on from frame `at` to its end; returns the frame at which it had ended. */
static int follow(const bf_samples *samples, const float *strength, int at, bf_response *response)
{
    response->peak = strength[at];
    response->peak_at = at;
    response->end_ms = samples->at[samples->count - 1].ms;
    int i = at + 1;
    for (; i < samples->count; i++) {
        if (isnan(strength[i]))
            continue;
        if (strength[i] > response->peak) {
            response->peak = strength[i];
            response->peak_at = i;
        }
        if (strength[i] < fmaxf(0.5F, 0.45F * response->peak)) {
            response->end_ms = samples->at[i].ms;
            break;
        }
    }
    response->peak_ms = samples->at[response->peak_at].ms;
    return i;
}

/* The most that the series reaches within LEAP_SPAN_MS after a frame, above `start`: what follows is no part of a
 * leap. */
static float reached_soon(const bf_samples *samples, const float *strength, int from, float start)
{
    float most = 0;
    for (int i = from; i < samples->count && samples->at[i].ms - samples->at[from].ms <= LEAP_SPAN_MS; i++) {
        if (strength[i] - start > most)
            most = strength[i] - start;
    }
    return most;
}

static bool leaps(const bf_samples *samples, const float *strength, bf_step_type type, int from, int until, float start)
{
    int before = -1;
    for (int i = from; i <= until; i++) {
        if (isnan(strength[i]))
            continue;
        if (before >= 0 && samples->at[i].ms - samples->at[before].ms <= LEAP_GAP_MS &&
            is_leap(strength[i] - strength[before], reached_soon(samples, strength, i, start), type))
            return true;
        before = i;
    }
    return false;
}

void bf_responses_find(const bf_samples *samples, const float strength[BF_SEQUENCE_FRAMES_MAX], bf_step_type type,
                       bf_responses *ret)
{
    ret->count = 0;
    float low = INFINITY; /* since the end of the last movement */
    for (int i = 0; i < samples->count && ret->count < BF_RESPONSES_MAX; i++) {
        if (isnan(strength[i]))
            continue;
        bool rises = low == INFINITY || strength[i] - fmaxf(low, 0) >= RISE;
        if (strength[i] < 1 || !rises) {
            low = fminf(low, strength[i]);
            continue;
        }
        bf_response *response = &ret->at[ret->count++];
        int below = -1;
        float start = low == INFINITY ? 0 : fmaxf(low, 0);
        response->onset_ms = onset_ms(samples, strength, i, start + BEGUN * (1 - start), &below);
        i = follow(samples, strength, i, response);
        response->leapt = below >= 0 && leaps(samples, strength, type, below, response->peak_at, start);
        low = i < samples->count ? strength[i] : INFINITY;
    }
}
