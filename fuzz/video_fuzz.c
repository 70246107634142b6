/* A video of any bytes: its pictures come in order, within the limits, or it ends with an error. FFmpeg itself is not
 * instrumented; what it allocates is watched all the same. */
#include <stdlib.h>
#include <string.h>

#include "capture/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lower than the product's, so that one input takes milliseconds. */
static const bf_frames_limits limits = {
    .still = {.pixels_max = 1 << 16, .side_min_px = 1, .decoder_bytes_max = 16 << 20},
    .frames_max = 60,
    .decoded_bytes_max = 4 << 20};

/* Keeps the compiler from leaving out that every pixel is read. */
static volatile unsigned pixel_sum;

static void must(int ok)
{
    if (!ok)
        abort();
}

static void check_facts(const bf_clip_facts *facts)
{
    must(facts->container == BF_CONTAINER_MP4 || facts->container == BF_CONTAINER_WEBM);
    must(memchr(facts->encoder, 0, sizeof facts->encoder) != NULL);
    must(facts->rotation_deg % 90 == 0 && facts->rotation_deg >= 0 && facts->rotation_deg < 360);
    must(facts->duration_ms >= 0.0 && facts->duration_ms <= 60000.0 && facts->rate_fps >= 0.0);
    must(facts->frames_coded >= 0 && facts->frames_coded <= limits.frames_max + 1);
}

static void check_frame(const bf_frame *frame, const bf_frame *before, bool first)
{
    const bf_image *rgb = frame->rgb;
    must(rgb->pixels && rgb->channels == 3 && rgb->width > 0 && rgb->height > 0);
    must((uint64_t)rgb->width * (uint64_t)rgb->height <= limits.still.pixels_max);
    must(frame->ms >= (first ? 0.0 : before->ms) && frame->ms <= 60000.0 && frame->index >= 0);
    unsigned sum = 0;
    for (int y = 0; y < rgb->height; y++)
        for (int x = 0; x < rgb->width * 3; x++)
            sum += rgb->pixels[(size_t)y * rgb->stride + (size_t)x];
    pixel_sum = sum;
}

static void read_frames(bf_frames *frames, double gap_ms, bf_error *err)
{
    bf_frame frame = {0}, before = {0};
    bool more = true;
    for (int count = 0;; count++, before = frame) {
        bf_status status = bf_frames_next(frames, count ? before.ms + gap_ms : 0.0, &frame, &more, err);
        must(status == BF_OK || (err->status == status && err->message[0] && status != BF_INTERNAL));
        if (status != BF_OK || !more)
            return;
        check_frame(&frame, &before, count == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!bf_frames_are(data, size) || bf_capture_file_is(data, size))
        return 0;
    uint8_t *copy = malloc(size);
    must(copy != NULL);
    memcpy(copy, data, size);
    bf_frames *frames = NULL;
    bf_error err = {0};
    bf_status status = bf_frames_open(copy, size, &limits, &frames, &err);
    must((status == BF_OK) == (frames != NULL));
    must(status == BF_OK || (err.status == status && err.message[0]));
    if (frames) {
        check_facts(bf_frames_facts(frames));
        read_frames(frames, size % 2 ? 150.0 : 0.0, &err);
        check_facts(bf_frames_facts(frames));
    }
    bf_frames_free(&frames);
    free(copy);
    return 0;
}
