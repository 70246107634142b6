#include "capture/frames.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "capture/source.h"
#include "decode/sniff.h"

#define SHORTER_HINT "Send a shorter capture."

static const bf_frames_kind *kind_of(const uint8_t *bytes, size_t size)
{
    const char *looks_like = NULL;
    switch (bf_sniff(bytes, size, &looks_like)) {
    case BF_CONTAINER_BURST:
        return &bf_burst_kind;
#ifdef BF_HAS_VIDEO
    case BF_CONTAINER_MP4:
    case BF_CONTAINER_WEBM:
        return &bf_video_kind;
#endif
    default:
        return NULL;
    }
}

bool bf_frames_are(const uint8_t *bytes, size_t size)
{
    return bytes && kind_of(bytes, size) != NULL;
}

bf_status bf_frames_check_duration(const bf_frames *frames, double ms, bf_error *err)
{
    if (ms <= frames->limits.duration_ms_max)
        return BF_OK;
    bf_fail(err, BF_DECODER_LIMIT, "The capture lasts %.0f seconds; at most %.0f are accepted.", ms / 1000.0,
            frames->limits.duration_ms_max / 1000.0);
    bf_fail_hint(err, SHORTER_HINT);
    return BF_DECODER_LIMIT;
}

bf_status bf_frames_count(bf_frames *frames, bf_error *err)
{
    return frames->facts.frames_coded++ < frames->limits.frames_max ? BF_OK : bf_frames_fail_count(frames, err);
}

bf_status bf_frames_fail_count(const bf_frames *frames, bf_error *err)
{
    bf_fail(err, BF_DECODER_LIMIT, "The capture has more than %d frames.", frames->limits.frames_max);
    bf_fail_hint(err, SHORTER_HINT);
    return BF_DECODER_LIMIT;
}

void bf_frames_note_size(bf_frames *frames, int width, int height)
{
    if (frames->width == 0) {
        frames->facts.width = width;
        frames->facts.height = height;
    } else if (width != frames->width || height != frames->height) {
        frames->facts.size_changes++;
    }
    frames->width = width;
    frames->height = height;
}

bf_status bf_frames_count_decoded(bf_frames *frames, int width, int height, bf_error *err)
{
    frames->decoded_bytes += (uint64_t)width * (uint64_t)height * 3;
    if (frames->decoded_bytes <= frames->limits.decoded_bytes_max)
        return BF_OK;
    bf_fail(err, BF_DECODER_LIMIT, "The capture has more pixels, in all of its frames, than are accepted.");
    bf_fail_hint(err, "Send a shorter or smaller capture.");
    return BF_DECODER_LIMIT;
}

int bf_frames_degrees_of(int orientation)
{
    static const int degrees[9] = {[3] = 180, [4] = 180, [5] = 90, [6] = 90, [7] = 270, [8] = 270};
    return degrees[orientation >= 1 && orientation <= 8 ? orientation : 1];
}

void bf_frames_copy_text(char ret[BF_FACT_TEXT_SIZE], const char *text)
{
    size_t length = 0;
    for (; *text && length + 1 < BF_FACT_TEXT_SIZE; text++)
        if (*text >= 0x20 && *text <= 0x7e)
            ret[length++] = *text;
    ret[length] = '\0';
}

static bf_frames_limits resolve_limits(const bf_frames_limits *wanted)
{
    bf_frames_limits limits = wanted ? *wanted : (bf_frames_limits){0};
    if (limits.bytes_max == 0)
        limits.bytes_max = BF_CLIP_BYTES_MAX;
    if (limits.duration_ms_max <= 0)
        limits.duration_ms_max = BF_CLIP_DURATION_MS_MAX;
    if (limits.frames_max <= 0)
        limits.frames_max = BF_CLIP_FRAMES_MAX;
    if (limits.decoded_bytes_max == 0)
        limits.decoded_bytes_max = BF_CLIP_DECODED_BYTES_MAX;
    return limits;
}

static bf_status fail_input(const uint8_t *bytes, size_t size, const bf_frames_limits *limits, bf_error *err)
{
    if (!bytes || size == 0)
        return bf_fail(err, BF_EMPTY_INPUT, "The file is empty.");
    if (size > limits->bytes_max) {
        bf_fail(err, BF_IMAGE_TOO_LARGE, "The file has %zu bytes; at most %zu are accepted.", size, limits->bytes_max);
        bf_fail_hint(err, SHORTER_HINT);
        return BF_IMAGE_TOO_LARGE;
    }
    const char *looks_like = NULL;
    bf_container container = bf_sniff(bytes, size, &looks_like);
    if (container == BF_CONTAINER_MP4 || container == BF_CONTAINER_WEBM)
        bf_fail(err, BF_UNSUPPORTED_FORMAT, "Videos are not read by this installation.");
    else if (container != BF_CONTAINER_UNKNOWN)
        bf_fail(err, BF_UNSUPPORTED_FORMAT, "The content is a photo (%s), not a burst or a video.",
                bf_container_name(container));
    else
        bf_fail(err, BF_UNSUPPORTED_FORMAT, "The content looks like %s, not like a burst or a video.",
                looks_like ? looks_like : "nothing known");
    bf_fail_hint(err, "Send what the capture page recorded, or a video as MP4, MOV or WebM.");
    return BF_UNSUPPORTED_FORMAT;
}

bf_status bf_frames_open(const uint8_t *bytes, size_t size, const bf_frames_limits *limits, bf_frames **ret,
                         bf_error *err)
{
    bf_frames_limits resolved = resolve_limits(limits);
    const bf_frames_kind *kind = bytes && size > 0 && size <= resolved.bytes_max ? kind_of(bytes, size) : NULL;
    if (!kind)
        return fail_input(bytes, size, &resolved, err);
    bf_frames *frames = bf_calloc(1, sizeof *frames);
    if (!frames)
        return bf_fail_memory(err);
    frames->bytes = bytes;
    frames->size = size;
    frames->limits = resolved;
    frames->kind = kind;
    bf_status status = kind->open(frames, err);
    if (status == BF_OK)
        *ret = frames;
    else
        bf_frames_free(&frames);
    return status;
}

bf_status bf_frames_next(bf_frames *frames, double not_before_ms, bf_frame *ret, bool *ret_more, bf_error *err)
{
    bf_frame frame = {0};
    bool more = false;
    if (frames->failure.status == BF_OK)
        frames->failure.status = frames->kind->next(frames, not_before_ms, &frame, &more, &frames->failure);
    if (frames->failure.status != BF_OK) {
        if (err)
            *err = frames->failure;
        return frames->failure.status;
    }
    if (more)
        *ret = frame;
    *ret_more = more;
    return BF_OK;
}

const bf_clip_facts *bf_frames_facts(const bf_frames *frames)
{
    return &frames->facts;
}

const bf_capture_file *bf_frames_file(const bf_frames *frames)
{
    return frames->kind->file(frames);
}

void bf_frames_free(bf_frames **frames)
{
    if (!*frames)
        return;
    (*frames)->kind->close(*frames);
    bf_image_done(&(*frames)->rgb);
    explicit_bzero(*frames, sizeof **frames);
    bf_free(*frames);
    *frames = NULL;
}
