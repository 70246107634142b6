/* Bursts: the JPEG frames of a capture file. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "capture/source.h"

typedef struct bf_burst {
    bf_capture_file file;
    int next;             /* frame to be looked at next */
    bf_media_facts still; /* of the last frame */
} bf_burst;

static void note_facts(bf_clip_facts *facts, const bf_capture_file *file)
{
    facts->container = BF_CONTAINER_BURST;
    memcpy(facts->codec, "jpeg", sizeof "jpeg");
    const char *sdk = json_string_value(json_object_get(file->client, "sdk"));
    bf_frames_copy_text(facts->encoder, sdk ? sdk : "");
    facts->duration_ms = file->frame[file->frame_count - 1].ms - file->frame[0].ms;
    if (facts->duration_ms > 0.0)
        facts->rate_fps = 1000.0 * (file->frame_count - 1) / facts->duration_ms;
}

static bf_status burst_open(bf_frames *frames, bf_error *err)
{
    bf_burst *burst = bf_calloc(1, sizeof *burst);
    if (!burst)
        return bf_fail_memory(err);
    frames->state = burst;
    bf_status status = bf_capture_file_parse(frames->bytes, frames->size, &burst->file, err);
    if (status != BF_OK)
        return status;
    note_facts(&frames->facts, &burst->file);
    return bf_frames_check_duration(frames, frames->facts.duration_ms, err);
}

static bf_status decode(bf_frames *frames, const bf_capture_frame *coded, bf_media_facts *ret_facts, bf_error *err)
{
    /* Other formats would bring their decoders' attack surface into every frame of every burst. */
    if (coded->size < 3 || memcmp(coded->bytes, "\xff\xd8\xff", 3) != 0) {
        bf_fail(err, BF_UNSUPPORTED_FORMAT, "A frame of a capture must be a JPEG.");
        bf_fail_hint(err, "Capture again.");
        return BF_UNSUPPORTED_FORMAT;
    }
    bf_image_done(&frames->rgb);
    bf_status status = bf_decode_still(coded->bytes, coded->size, &frames->limits.still, &frames->rgb, ret_facts, err);
    if (status != BF_OK)
        return status;
    if (frames->width == 0)
        frames->facts.rotation_deg = bf_frames_degrees_of(ret_facts->orientation);
    bf_frames_note_size(frames, frames->rgb.width, frames->rgb.height);
    return bf_frames_count_decoded(frames, frames->rgb.width, frames->rgb.height, err);
}

static bf_status burst_next(bf_frames *frames, double not_before_ms, bf_frame *ret, bool *ret_more, bf_error *err)
{
    bf_burst *burst = frames->state;
    while (burst->next < burst->file.frame_count) {
        int index = burst->next++;
        const bf_capture_frame *coded = &burst->file.frame[index];
        bf_status status = bf_frames_count(frames, err);
        if (status == BF_OK && coded->ms < not_before_ms)
            continue;
        if (status == BF_OK)
            status = decode(frames, coded, &burst->still, err);
        if (status != BF_OK) {
            bf_fail_prefix(err, "Frame %d", index);
            return status;
        }
        *ret = (bf_frame){&frames->rgb, coded->ms, index, coded->size, true, &burst->still};
        *ret_more = true;
        return BF_OK;
    }
    *ret_more = false;
    return BF_OK;
}

static const bf_capture_file *burst_file(const bf_frames *frames)
{
    const bf_burst *burst = frames->state;
    return &burst->file;
}

static void burst_close(bf_frames *frames)
{
    bf_burst *burst = frames->state;
    if (!burst)
        return;
    bf_capture_file_done(&burst->file);
    explicit_bzero(burst, sizeof *burst);
    bf_free(burst);
    frames->state = NULL;
}

const bf_frames_kind bf_burst_kind = {burst_open, burst_next, burst_file, burst_close};
