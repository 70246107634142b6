#include "simulate/light.h"

#include <math.h>
#include <string.h>

#define IDLE 0.4F        /* what the screen shows besides the flash, linear */
#define FACE_SHARE 0.55F /* of what the camera meters, how much the screen lights */
#define GRAIN_SIZE 8192

void sim_screen_at(const bf_plan *plan, double ms, float ret[3])
{
    for (int c = 0; c < 3; c++)
        ret[c] = IDLE;
    if (!plan || plan->flash.form == BF_FLASH_NONE || plan->flash.each_ms <= 0)
        return;
    const bf_flash *flash = &plan->flash;
    double at = (ms - flash->from_ms) / flash->each_ms;
    int now = (int)floor(at);
    if (at < 0 || now >= flash->colour_count)
        return;
    /* The gentle form fades from one colour to the next. */
    float share = flash->form == BF_FLASH_GENTLE ? (float)fmin(1, (at - now) / 0.6) : 1;
    for (int c = 0; c < 3; c++) {
        float before = now > 0 ? sim_linear(flash->colour[now - 1][c]) : IDLE;
        ret[c] = before + share * (sim_linear(flash->colour[now][c]) - before);
    }
}

void sim_light_at(const sim_light *light, double ms, float ret[3])
{
    const sim_light_options *o = &light->options;
    float sum[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++) {
        float shown[3] = {IDLE, IDLE, IDLE};
        if (o->answer == SIM_FLASH_LIT)
            sim_screen_at(light->plan, ms - o->lag_ms - 10 * i, shown);
        for (int c = 0; c < 3; c++)
            sum[c] += shown[c] / 3;
    }
    for (int c = 0; c < 3; c++)
        ret[c] = sum[c] * (float)o->screen;
}

/* An imitation tints the finished picture, and cannot know the colour before it is shown. */
static void tint_at(const sim_light *light, double ms, float ret[3])
{
    float shown[3];
    sim_screen_at(light->plan, ms - light->options.lag_ms, shown);
    for (int c = 0; c < 3; c++)
        ret[c] = 1 + 0.6F * (float)light->options.screen * (shown[c] - IDLE);
}

void sim_light_begin(sim_light *light, const bf_plan *plan, const sim_light_options *options)
{
    light->options = *options;
    light->plan = plan;
    light->ambient = 1 - IDLE * (float)options->screen;
    sim_random random = sim_random_from(options->seed, 21);
    double slow_ms = sim_uniform(&random, 250, 800), white_ms = sim_uniform(&random, 900, 2200);
    double bright = 1, tone[3] = {1, 1, 1};
    for (int i = 0; i < SIM_EXPOSURE_STEPS; i++) {
        double ms = (double)i * SIM_EXPOSURE_STEP_MS;
        float lit[3];
        /* Cameras answer to frames they have, not to the one they take. */
        sim_light_at(light, ms - 66, lit);
        double metered[3], mean = 0;
        for (int c = 0; c < 3; c++) {
            double idle = (double)IDLE * options->screen;
            metered[c] = 1 + (double)FACE_SHARE * ((double)lit[c] - idle);
            mean += metered[c] / 3;
        }
        bright += (mean - bright) * SIM_EXPOSURE_STEP_MS / slow_ms;
        double wander = 1 + options->drift * sim_wander(options->seed, 31, ms / 1000);
        for (int c = 0; c < 3; c++) {
            tone[c] += (metered[c] / mean - tone[c]) * SIM_EXPOSURE_STEP_MS / white_ms;
            light->gain[i][c] = (float)(options->level * wander / pow(bright, options->auto_expose) /
                                        pow(tone[c], options->auto_white));
        }
    }
}

/* Grain for one frame: each pixel's comes from somewhere else in a short table. */
static void fill_grain(float grain[GRAIN_SIZE + 4], const sim_light_options *options, uint64_t frame)
{
    sim_random random = sim_random_from(options->seed, 40000 + frame);
    /* A dark picture is amplified, noise and all. */
    double sigma = options->noise / fmax(0.35, sqrt(fmin(options->level, 1)));
    for (int i = 0; i < GRAIN_SIZE + 4; i++) {
        uint64_t bits = sim_random_next(&random);
        int sum = 0;
        for (int part = 0; part < 64; part += 8)
            sum += (int)((bits >> part) & 255) - 127;
        grain[i] = (float)(sum * sigma / 209);
    }
}

/* The lens: a little of each neighbour. */
static bf_float4 soft(const bf_float4 *p, long left, long right, long up, long down)
{
    return 0.56F * p[0] + 0.11F * (p[left] + p[right] + p[up] + p[down]);
}

static bf_float4 root(bf_float4 x)
{
    bf_float4 ret;
    for (int i = 0; i < 4; i++)
        ret[i] = sqrtf(x[i]);
    return ret;
}

/* Writes a byte more than the pixel has: the next pixel's, or the image's padding. */
static void put_pixel(uint8_t *out, bf_float4 level, const float *grain)
{
    bf_float4 noise;
    memcpy(&noise, grain, sizeof noise);
    /* Shot noise is largest, in these levels, in the dark. */
    level += noise * (1.25F - level * (1 / 256.0F)) + 0.5F;
    for (int i = 0; i < 4; i++)
        level[i] = fminf(fmaxf(level[i], 0), 255);
    /* Whole numbers below 2^24, so the sum is exact. */
    bf_float4 whole = __builtin_convertvector(__builtin_convertvector(level, bf_int4), bf_float4);
    int pixel = (int)(whole[0] + 256 * whole[1] + 65536 * whole[2]);
    memcpy(out, &pixel, sizeof pixel);
}

void sim_develop(const sim_light *light, const sim_canvas *canvas, double ms, uint64_t frame, bf_image *picture)
{
    float grain[GRAIN_SIZE + 4];
    fill_grain(grain, &light->options, frame);
    int step = (int)fmin(fmax(ms / SIM_EXPOSURE_STEP_MS, 0), SIM_EXPOSURE_STEPS - 1);
    float tint[3] = {1, 1, 1};
    bf_float4 gain = {0, 0, 0, 0};
    if (light->options.answer == SIM_FLASH_IMITATED)
        tint_at(light, ms, tint);
    for (int c = 0; c < 3; c++)
        gain[c] = light->gain[step][c] * tint[c] / (float)canvas->exposures;
    sim_random random = sim_random_from(light->options.seed, 90000 + frame);
    for (int y = 0; y < canvas->height; y++) {
        const bf_float4 *row = canvas->linear + (size_t)y * (size_t)canvas->width;
        uint8_t *out = picture->pixels + (size_t)y * picture->stride;
        long up = y > 0 ? -canvas->width : 0, down = y + 1 < canvas->height ? canvas->width : 0;
        uint64_t place = sim_random_next(&random);
        for (int x = 0; x < canvas->width; x++, place += 3) {
            bf_float4 lit = soft(row + x, x > 0 ? -1 : 0, x + 1 < canvas->width ? 1 : 0, up, down) * gain;
            put_pixel(out + (size_t)x * 3, 255 * root(lit), grain + (place & (GRAIN_SIZE - 1)));
        }
    }
}
