/* Which moment each frame of a capture shows, and at what time it says it was taken. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "simulate/scene.h"
#include "simulate/sequence.h"

#define WIDTH 640
#define HEIGHT 480
#define RATE_FPS 10.0
#define SECONDS 4.0
#define SIDE_MAX 1920

static bf_status check(const sim_options *o, bf_error *err)
{
    if (o->what < 0 || o->what >= SIM_WHAT_COUNT)
        return bf_fail(err, BF_INVALID_ARGUMENT, "There is no such presentation.");
    if (o->width < 160 || o->height < 160 || o->width > SIDE_MAX || o->height > SIDE_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A simulated picture has sides of 160 to %d px.", SIDE_MAX);
    if (!(o->rate_fps >= 1 && o->rate_fps <= 60) || !(o->seconds > 0 && o->seconds <= 60))
        return bf_fail(err, BF_INVALID_ARGUMENT, "A simulated capture has 1 to 60 frames a second, for at most 60 s.");
    return BF_OK;
}

static sim_options with_defaults(const sim_options *options)
{
    sim_options o = *options;
    o.width = o.width ? o.width : WIDTH;
    o.height = o.height ? o.height : HEIGHT;
    o.rate_fps = o.rate_fps != 0 ? o.rate_fps : RATE_FPS;
    o.jpeg_quality = o.jpeg_quality ? o.jpeg_quality : 75;
    if (o.seconds == 0)
        o.seconds = o.plan ? o.plan->duration_ms / 1000.0 : SECONDS;
    if (o.nuisances & SIM_LOW_RATE)
        o.rate_fps = fmax(o.rate_fps / 3, 2.5);
    return o;
}

/* A camera's frames: nearly even, their times a little off, some lost. */
static void take_frames(sim_sequence *s)
{
    const sim_options *o = &s->options;
    sim_random random = sim_random_from(o->seed, 71);
    bool file = sim_recipes[o->what].stream == SIM_STREAM_FILE;
    double period = 1000 / o->rate_fps, off = (o->nuisances & SIM_JITTER) ? 25 : 2, last = 0;
    int lost = 0;
    for (int i = 0; i < BF_CAPTURE_FRAMES_MAX && i * period < o->seconds * 1000; i++) {
        if ((o->nuisances & SIM_DROPS) && lost == 0 && sim_chance(&random, 0.06))
            lost = 1 + sim_below(&random, 4);
        double at = i * period + (file ? 0 : sim_uniform(&random, 0, 0.03) * period);
        double says = file ? at : fmax(last, at + sim_uniform(&random, -off, off));
        if (lost > 0 && i > 0) {
            lost--;
            continue;
        }
        s->slot[s->count] = (sim_slot){.says_ms = s->count ? says : 0, .at_ms = at, .frame = s->count, .second_ms = -1};
        last = s->slot[s->count].says_ms;
        s->count++;
    }
}

static void repeat_from(sim_slot *slot, const sim_slot *source, bool grain)
{
    slot->at_ms = source->at_ms;
    /* Some virtual cameras add grain, so that no two frames are the same bytes. */
    if (!grain)
        slot->frame = source->frame;
}

/* Frames between two others are faded from one to the next. */
static void fade(sim_sequence *s, sim_random *random)
{
    double period = 1000 / sim_uniform(random, 2.5, 4.5);
    for (int i = 0; i < s->count; i++) {
        sim_slot *slot = &s->slot[i];
        int before = (int)floor(slot->at_ms / period);
        slot->share = slot->at_ms / period - before;
        slot->at_ms = before * period;
        slot->second_ms = (before + 1) * period;
        slot->frame = before;
    }
}

static void tamper(sim_sequence *s)
{
    sim_random random = sim_random_from(s->options.seed, 72);
    double seconds = s->options.seconds;
    bool grain = sim_chance(&random, 0.3);
    double loop_ms = sim_uniform(&random, 1200, 1800), from_ms = seconds * 1000 * sim_uniform(&random, 0.2, 0.6);
    int period = (int)fmax(2, loop_ms / 1000 * s->options.rate_fps), first = -1;
    switch (sim_recipes[s->options.what].stream) {
    case SIM_STREAM_LOOP:
        for (int i = period; i < s->count; i++)
            repeat_from(&s->slot[i], &s->slot[i - period], grain);
        break;
    case SIM_STREAM_FROZEN:
        for (int i = 0; i < s->count; i++) {
            first = first < 0 && s->slot[i].at_ms >= from_ms ? i : first;
            if (first >= 0)
                repeat_from(&s->slot[i], &s->slot[first], grain);
        }
        break;
    case SIM_STREAM_INTERPOLATED:
        fade(s, &random);
        break;
    default:
        break;
    }
}

void sim_sequence_free(sim_sequence **sequence)
{
    if (!sequence || !*sequence)
        return;
    sim_scene_done(&(*sequence)->scene);
    bf_image_done(&(*sequence)->mixed);
    for (int i = 0; i < 2; i++)
        bf_image_done(&(*sequence)->drawn[i].picture);
    bf_free(*sequence);
    *sequence = NULL;
}

bf_status sim_sequence_new(const sim_still *still, const sim_still *other, const sim_options *options,
                           sim_sequence **ret, bf_error *err)
{
    const sim_options o = with_defaults(options);
    bf_status status = check(&o, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(sim_sequence_free) sim_sequence *s = bf_calloc(1, sizeof *s);
    if (!s)
        return bf_fail_memory(err);
    s->options = o;
    if (o.plan) {
        s->plan = *o.plan;
        s->options.plan = &s->plan;
    }
    take_frames(s);
    tamper(s);
    status = bf_image_alloc(&s->mixed, o.width, o.height, 3, err);
    for (int i = 0; i < 2 && status == BF_OK; i++) {
        s->drawn[i].frame = -1;
        status = bf_image_alloc(&s->drawn[i].picture, o.width, o.height, 3, err);
    }
    if (status == BF_OK)
        status = sim_scene_begin(&s->scene, still, other, &s->options, err);
    if (status != BF_OK)
        return status;
    *ret = s;
    s = NULL;
    return BF_OK;
}

int sim_sequence_count(const sim_sequence *sequence)
{
    return sequence->count;
}

static size_t picture_bytes(const bf_image *image)
{
    return image->stride * (size_t)image->height;
}

static void blend(bf_image *into, const bf_image *second, double share)
{
    int weight = (int)(share * 256);
    for (size_t i = 0; i < picture_bytes(into); i++)
        into->pixels[i] = (uint8_t)((into->pixels[i] * (256 - weight) + second->pixels[i] * weight + 128) >> 8);
}

/* What a file has behind it: it was compressed before, harder than the page does. */
static bf_status compress_before(bf_image *picture, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes jpeg = {0};
    BF_CLEANUP(bf_image_done) bf_image decoded = {0};
    bf_status status = sim_jpeg(picture, 50, &jpeg, err);
    if (status == BF_OK)
        status = bf_decode_still(jpeg.data, jpeg.size, NULL, &decoded, NULL, err);
    for (int y = 0; status == BF_OK && y < picture->height; y++)
        memcpy(picture->pixels + (size_t)y * picture->stride, decoded.pixels + (size_t)y * decoded.stride,
               (size_t)picture->width * 3);
    return status;
}

/* A moment of the scene; the last two are kept, which frames that are faded or repeated show again. */
static const sim_drawn *draw(sim_sequence *s, double ms, int frame)
{
    sim_drawn *drawn = &s->drawn[frame & 1];
    if (drawn->frame == frame)
        return drawn;
    sim_scene_draw(&s->scene, ms, (uint64_t)frame, &drawn->truth);
    memcpy(drawn->picture.pixels, s->scene.picture.pixels, picture_bytes(&drawn->picture));
    drawn->frame = frame;
    return drawn;
}

bf_status sim_sequence_frame(sim_sequence *s, int index, const bf_image **ret_image, sim_truth *ret_truth,
                             bf_error *err)
{
    if (index < 0 || index >= s->count)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The capture has no frame %d.", index);
    const sim_slot *slot = &s->slot[index];
    const sim_drawn *drawn = draw(s, slot->at_ms, slot->frame);
    sim_truth truth = drawn->truth;
    memcpy(s->mixed.pixels, drawn->picture.pixels, picture_bytes(&s->mixed));
    if (slot->second_ms >= 0)
        blend(&s->mixed, &draw(s, slot->second_ms, slot->frame + 1)->picture, slot->share);
    if (sim_recipes[s->options.what].stream == SIM_STREAM_FILE) {
        bf_status status = compress_before(&s->mixed, err);
        if (status != BF_OK)
            return status;
    }
    truth.ms = slot->says_ms;
    sim_screen_at(s->options.plan, slot->says_ms, truth.screen);
    *ret_image = &s->mixed;
    *ret_truth = truth;
    return BF_OK;
}
