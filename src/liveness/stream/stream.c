#include "liveness/stream/stream.h"

#include <math.h>
#include <string.h>

#define RESTING_FACE_WIDTHS 1.2f /* from the face's middle: farther out is what is beside it */

static void begin(void *opaque, const bf_sequence *sequence)
{
    bf_stream_state *s = opaque;
    s->burst = sequence->file != NULL;
}

/* FNV-1a over eight bytes at a time, and the luma's spread on the way. */
static void read_pixels(const bf_image *grey, bf_stream_frame *f)
{
    uint64_t hash = 0xcbf29ce484222325u, sum = 0, squares = 0, count = 0;
    for (int y = 0; y < grey->height; y++) {
        const uint8_t *p = grey->pixels + (size_t)y * grey->stride;
        for (int x = 0; x < grey->width; x += 8) {
            uint64_t word = 0;
            memcpy(&word, p + x, (size_t)(grey->width - x < 8 ? grey->width - x : 8));
            hash = (hash ^ word) * 0x100000001b3u;
            hash ^= hash >> 29;
            sum += p[x];
            squares += (uint64_t)p[x] * p[x];
            count++;
        }
    }
    f->exact = hash;
    double mean = (double)sum / (double)count;
    f->contrast = (float)sqrt(fmax((double)squares / (double)count - mean * mean, 0));
}

/* Sums over the change and the change before it. */
typedef struct change_sums {
    int64_t now, before, both;
} change_sums;

/* Compares with the frame before: fills `change` and `echo`, and keeps the change. */
static void compare(bf_stream_state *s, const bf_image *grey, bf_stream_frame *f)
{
    change_sums sums = {0};
    int64_t absolute = 0, count = 0;
    int8_t *kept = s->change;
    for (int y = 0; y < grey->height; y += 2) {
        const uint8_t *now = grey->pixels + (size_t)y * grey->stride;
        const uint8_t *before = s->before + (size_t)y * (size_t)s->width;
        for (int x = 0; x < grey->width; x += 2, kept++, count++) {
            int difference = now[x] - before[x], half = difference / 2;
            absolute += difference < 0 ? -difference : difference;
            sums.now += half * half;
            sums.before += *kept * *kept;
            sums.both += half * *kept;
            *kept = (int8_t)half;
        }
    }
    f->change = (float)absolute / (float)count;
    if (s->has_change && sums.now > 0 && sums.before > 0)
        f->echo = (float)((double)sums.both / sqrt((double)sums.now * (double)sums.before));
    s->has_change = true;
}

/* Share of pixels beside the face that did not change at all. */
static float rest_beside(const bf_stream_state *s, const bf_view *view)
{
    if (!view->face)
        return -1;
    const bf_image *grey = view->grey;
    float scale = view->grey_scale, middle = (view->face->box.x0 + view->face->box.x1) / 2 * scale;
    float reach = (view->face->box.x1 - view->face->box.x0) * scale * RESTING_FACE_WIDTHS;
    float bottom = view->face->box.y1 * scale;
    int same = 0, count = 0;
    for (int y = 0; y < grey->height && (float)y < bottom; y += 2) {
        const uint8_t *now = grey->pixels + (size_t)y * grey->stride;
        const uint8_t *before = s->before + (size_t)y * (size_t)s->width;
        for (int x = 0; x < grey->width; x += 2) {
            if (!(fabsf((float)x - middle) > reach))
                continue;
            same += now[x] == before[x];
            count++;
        }
    }
    return count >= 400 ? (float)same / (float)count : -1;
}

static void keep(bf_stream_state *s, const bf_image *grey)
{
    s->width = grey->width;
    s->height = grey->height;
    for (int y = 0; y < grey->height; y++)
        memcpy(s->before + (size_t)y * (size_t)s->width, grey->pixels + (size_t)y * grey->stride, (size_t)s->width);
}

static void see(void *opaque, const bf_view *view)
{
    bf_stream_state *s = opaque;
    const bf_image *grey = view->grey;
    if (s->count >= BF_SEQUENCE_FRAMES_MAX || !grey || grey->channels != 1 || grey->width < 16 || grey->height < 16 ||
        grey->width > BF_STREAM_SIDE_MAX || grey->height > BF_STREAM_SIDE_MAX)
        return;
    double last = s->count > 0 ? s->frame[s->count - 1].ms : 0;
    bf_stream_frame *f = &s->frame[s->count++];
    *f = (bf_stream_frame){.ms = view->ms >= last && view->ms < 1e9 ? view->ms : last, .change = -1, .resting = -1};
    read_pixels(grey, f);
    f->hash = bf_fingerprint(grey);
    bf_fingerprint_fine(grey, f->fine);
    if (s->width == grey->width && s->height == grey->height) {
        compare(s, grey, f);
        f->resting = rest_beside(s, view);
    } else {
        if (s->width > 0 && s->size_changes++ == 0)
            s->size_change_ms = f->ms;
        s->has_change = false;
    }
    keep(s, grey);
}

static void end(void *opaque, bf_sequence_evidence *ret)
{
    bf_stream_conclude(opaque, ret);
}

void bf_stream_fingerprint(const void *state, bf_clip_fingerprint *ret)
{
    const bf_stream_state *s = state;
    uint64_t hash[BF_SEQUENCE_FRAMES_MAX];
    double ms[BF_SEQUENCE_FRAMES_MAX];
    for (int i = 0; i < s->count; i++) {
        hash[i] = s->frame[i].hash;
        ms[i] = s->frame[i].ms;
    }
    bf_clip_fingerprint_take(hash, ms, s->count, ret);
}

const bf_sequence_detector bf_stream_detector = {
    "sequence.stream", "1.1.0", BF_REASON_EVIDENCE_STREAM, sizeof(bf_stream_state), begin, see, end};
