#include "liveness/flash/answer.h"

#include <math.h>
#include <string.h>

#define SETTLE_MS 60.0 /* after a change of colour: an exposure may have seen both */
#define SLOT_FRAMES_MIN 2

/* What a sequence of colours does to the signals: light of red over green, blue over green, and all. */
typedef struct shown_light {
    double at[BF_PLAN_COLOURS_MAX][BF_FLASH_SIGNALS];
} shown_light;

static double linear(uint8_t value)
{
    double c = value / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static void light_of(const uint8_t colour[3], double ret[BF_FLASH_SIGNALS])
{
    double r = linear(colour[0]), g = linear(colour[1]), b = linear(colour[2]);
    ret[0] = r - g;
    ret[1] = b - g;
    ret[2] = 0.25 * r + 0.6 * g + 0.15 * b;
}

void bf_flash_slots_fill(const bf_flash *flash, const bf_flash_times *times, const bf_flash_series *series,
                         double lag_ms, bf_flash_slots *ret)
{
    memset(ret, 0, sizeof *ret);
    for (int i = 0; i < times->count; i++) {
        double since_ms = times->ms[i] - lag_ms - flash->from_ms;
        if (!series->seen[i] || !(since_ms >= 0 && since_ms < (double)flash->each_ms * flash->colour_count))
            continue;
        int slot = (int)(since_ms / flash->each_ms);
        if (slot >= flash->colour_count || since_ms - (double)slot * flash->each_ms < SETTLE_MS)
            continue;
        for (int s = 0; s < BF_FLASH_SIGNALS; s++) {
            double value = (double)series->at[i][s];
            ret->sum[slot][s] += value;
            ret->squares[s] += value * value;
        }
        ret->frames[slot]++;
        ret->total++;
    }
}

static bool is_complete(const bf_flash *flash, const bf_flash_slots *slots)
{
    for (int i = 0; i < flash->colour_count; i++) {
        if (slots->frames[i] < SLOT_FRAMES_MIN)
            return false;
    }
    return true;
}

/* Covariance of signal and light over the frames, and the variance of both; all times the number of frames. */
static void moments(const bf_flash_slots *slots, const shown_light *light, int colours, int signal, double ret[3])
{
    double mean_x = 0, mean_e = 0;
    for (int i = 0; i < colours; i++) {
        mean_x += slots->sum[i][signal] / slots->total;
        mean_e += slots->frames[i] * light->at[i][signal] / slots->total;
    }
    ret[0] = ret[2] = 0;
    ret[1] = slots->squares[signal] - slots->total * mean_x * mean_x;
    for (int i = 0; i < colours; i++) {
        double e = light->at[i][signal] - mean_e;
        ret[0] += (slots->sum[i][signal] - slots->frames[i] * mean_x) * e;
        ret[2] += slots->frames[i] * e * e;
    }
}

static double fit_of(const bf_flash_slots *slots, const shown_light *light, int colours, int signals)
{
    double together = 0, signal = 0, shown = 0;
    for (int s = 0; s < signals; s++) {
        double m[3];
        moments(slots, light, colours, s, m);
        together += m[0];
        signal += fmax(m[1], 0);
        shown += m[2];
    }
    return signal > 1e-12 && shown > 1e-12 ? together / sqrt(signal * shown) : 0;
}

static double best_fit(const bf_flash_slots slots[BF_FLASH_LAGS], const bool usable[BF_FLASH_LAGS],
                       const shown_light *light, int colours, int signals, int *ret_lag)
{
    double best = -1;
    for (int lag = 0; lag < BF_FLASH_LAGS; lag++) {
        double fit = usable[lag] ? fit_of(&slots[lag], light, colours, signals) : -1;
        if (fit > best) {
            best = fit;
            *ret_lag = lag;
        }
    }
    return best;
}

/* Always the same numbers: the same capture is judged the same. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Another sequence by the rules that plans are made by. */
static void draw_other(const bf_flash *flash, uint32_t *state, double table[][BF_FLASH_SIGNALS], int colours,
                       shown_light *ret)
{
    int last = -1, before = -1;
    for (int i = 0; i < flash->colour_count; i++) {
        int chosen = (int)(next(state) % (unsigned)colours);
        while (chosen == last || chosen == before)
            chosen = (chosen + 1) % colours;
        memcpy(ret->at[i], table[chosen], sizeof ret->at[i]);
        before = last;
        last = chosen;
    }
}

static double share_of_others(const bf_flash *flash, const bf_flash_slots slots[BF_FLASH_LAGS],
                              const bool usable[BF_FLASH_LAGS], int signals, double fit)
{
    int colours = 0, better = 0, lag = 0;
    const uint8_t(*palette)[3] = bf_flash_palette(flash->form, &colours);
    double table[16][BF_FLASH_SIGNALS];
    if (colours < 4 || colours > 16)
        return 1;
    for (int i = 0; i < colours; i++)
        light_of(palette[i], table[i]);
    uint32_t state = 2463534242u;
    for (int i = 0; i < BF_FLASH_OTHERS; i++) {
        shown_light other;
        draw_other(flash, &state, table, colours, &other);
        better += best_fit(slots, usable, &other, flash->colour_count, signals, &lag) > fit + 1e-9;
    }
    return (double)better / BF_FLASH_OTHERS;
}

static void light_of_flash(const bf_flash *flash, shown_light *ret)
{
    for (int i = 0; i < flash->colour_count; i++)
        light_of(flash->colour[i], ret->at[i]);
}

void bf_flash_answer_find(const bf_flash *flash, const bf_flash_times *times, const bf_flash_series *series,
                          int signals, bf_flash_answer *ret)
{
    bf_flash_slots slots[BF_FLASH_LAGS];
    bool usable[BF_FLASH_LAGS];
    *ret = (bf_flash_answer){.others_share = 1};
    for (int lag = 0; lag < BF_FLASH_LAGS; lag++) {
        bf_flash_slots_fill(flash, times, series, lag * BF_FLASH_LAG_STEP_MS, &slots[lag]);
        usable[lag] = is_complete(flash, &slots[lag]);
        ret->judged = ret->judged || usable[lag];
    }
    if (!ret->judged)
        return;
    shown_light light;
    light_of_flash(flash, &light);
    ret->fit = best_fit(slots, usable, &light, flash->colour_count, signals, &ret->lag);
    ret->lag_ms = ret->lag * BF_FLASH_LAG_STEP_MS;
    ret->others_share = share_of_others(flash, slots, usable, signals, ret->fit);
}

void bf_flash_gain(const bf_flash *flash, const bf_flash_slots *slots, double *ret_gain, double *ret_error)
{
    shown_light light;
    light_of_flash(flash, &light);
    double together = 0, signal = 0, shown = 0;
    for (int s = 0; s < 2; s++) {
        double m[3];
        moments(slots, &light, flash->colour_count, s, m);
        together += m[0];
        signal += fmax(m[1], 0);
        shown += m[2];
    }
    *ret_gain = shown > 1e-12 ? together / shown : 0;
    double rest = fmax(signal - *ret_gain * together, 0);
    /* Colours, not frames, are what is independent: within one, noise and drift repeat. */
    *ret_error = shown > 1e-12 ? sqrt(rest / (2 * flash->colour_count) / shown) : INFINITY;
}
