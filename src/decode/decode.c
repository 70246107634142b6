#include "decode/decode.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/limits.h"
#include "decode/job.h"
#include "decode/sniff.h"

#define PHOTO_HINT "Send a photo as JPEG, PNG, WebP or HEIC."
#define SEQUENCE_HINT "One still photo is expected here: JPEG, PNG, WebP or HEIC."
#define ORIGINAL_HINT "Send the original file again, complete and unchanged."

const char *bf_container_name(bf_container container)
{
    switch (container) {
    case BF_CONTAINER_JPEG:
        return "jpeg";
    case BF_CONTAINER_PNG:
        return "png";
    case BF_CONTAINER_WEBP:
        return "webp";
    case BF_CONTAINER_HEIC:
        return "heic";
    case BF_CONTAINER_BURST:
        return "burst";
    case BF_CONTAINER_MP4:
        return "mp4";
    case BF_CONTAINER_WEBM:
        return "webm";
    case BF_CONTAINER_UNKNOWN:
        break;
    }
    return "unknown";
}

bf_status bf_job_check_size(const bf_decode_job *job, uint64_t width, uint64_t height)
{
    const bf_decode_limits *limits = &job->limits;
    if (width > BF_IMAGE_SIDE_MAX_PX || height > BF_IMAGE_SIDE_MAX_PX || width * height > limits->pixels_max) {
        bf_fail(job->err, BF_IMAGE_TOO_LARGE, "The image is too large: %" PRIu64 " x %" PRIu64 " pixels.", width,
                height);
        bf_fail_hint(job->err, "At most %" PRIu64 " pixels, and %d on a side, are accepted.", limits->pixels_max,
                     BF_IMAGE_SIDE_MAX_PX);
        return BF_IMAGE_TOO_LARGE;
    }
    if (width < (uint64_t)limits->side_min_px || height < (uint64_t)limits->side_min_px) {
        bf_fail(job->err, BF_IMAGE_TOO_SMALL, "The image is too small: %" PRIu64 " x %" PRIu64 " pixels.", width,
                height);
        bf_fail_hint(job->err, "At least %d x %d pixels are needed.", limits->side_min_px, limits->side_min_px);
        return BF_IMAGE_TOO_SMALL;
    }
    return BF_OK;
}

bf_status bf_job_note_coded_size(const bf_decode_job *job, uint64_t width, uint64_t height)
{
    job->facts->coded_width = width > INT32_MAX ? INT32_MAX : (int)width;
    job->facts->coded_height = height > INT32_MAX ? INT32_MAX : (int)height;
    return bf_job_check_size(job, width, height);
}

bf_status bf_job_check_memory(const bf_decode_job *job, uint64_t bytes)
{
    if (bytes <= job->limits.decoder_bytes_max)
        return BF_OK;
    bf_fail(job->err, BF_DECODER_LIMIT, "Decoding the image would take more memory than allowed.");
    bf_fail_detail(job->err, "needs %" PRIu64 " bytes, limit %zu bytes", bytes, job->limits.decoder_bytes_max);
    bf_fail_hint(job->err, "Send a smaller image, or an ordinary JPEG.");
    return BF_DECODER_LIMIT;
}

/* The container as a sentence writes it. */
static const char *title_of(bf_container container)
{
    static const char *const titles[] = {
        [BF_CONTAINER_UNKNOWN] = "file", [BF_CONTAINER_JPEG] = "JPEG", [BF_CONTAINER_PNG] = "PNG",
        [BF_CONTAINER_WEBP] = "WebP",    [BF_CONTAINER_HEIC] = "HEIC", [BF_CONTAINER_BURST] = "capture file",
        [BF_CONTAINER_MP4] = "MP4",      [BF_CONTAINER_WEBM] = "WebM",
    };
    return titles[container];
}

void bf_job_set_detail(const bf_decode_job *job, const char *what)
{
    bf_fail_detail(job->err, "%s", what);
    for (char *c = job->err ? job->err->detail : NULL; c && *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = ' ';
}

bf_status bf_job_fail_corrupt(const bf_decode_job *job, const char *what)
{
    bf_fail(job->err, BF_CORRUPT_IMAGE, "The %s image is damaged or cut short.", title_of(job->facts->container));
    bf_job_set_detail(job, what);
    bf_fail_hint(job->err, ORIGINAL_HINT);
    return BF_CORRUPT_IMAGE;
}

bf_status bf_job_fail_animated(const bf_decode_job *job, const char *what)
{
    bf_fail(job->err, BF_ANIMATED_IMAGE, "The %s file holds %s; one still image is expected.",
            title_of(job->facts->container), what);
    bf_fail_hint(job->err, "Send a single still photo.");
    return BF_ANIMATED_IMAGE;
}

static bf_decode_limits resolve_limits(const bf_decode_limits *wanted)
{
    bf_decode_limits limits = wanted ? *wanted : (bf_decode_limits){0};
    if (limits.input_bytes_max == 0)
        limits.input_bytes_max = BF_INPUT_BYTES_MAX;
    if (limits.pixels_max == 0)
        limits.pixels_max = BF_IMAGE_PIXELS_MAX;
    if (limits.side_min_px <= 0)
        limits.side_min_px = BF_IMAGE_SIDE_MIN_PX;
    if (limits.decoder_bytes_max == 0)
        limits.decoder_bytes_max = BF_DECODER_BYTES_MAX;
    if (limits.jpeg_scans_max <= 0)
        limits.jpeg_scans_max = BF_JPEG_SCANS_MAX;
    return limits;
}

static bf_status fail_unsupported(const bf_decode_job *job, const char *looks_like)
{
    if (looks_like)
        bf_fail(job->err, BF_UNSUPPORTED_FORMAT, "The content looks like %s.", looks_like);
    else
        bf_fail(job->err, BF_UNSUPPORTED_FORMAT, "The content is no picture or video that can be read.");
    bf_container container = job->facts->container;
    bool sequence = container == BF_CONTAINER_BURST || container == BF_CONTAINER_MP4 || container == BF_CONTAINER_WEBM;
    bf_fail_hint(job->err, sequence ? SEQUENCE_HINT : PHOTO_HINT);
    return BF_UNSUPPORTED_FORMAT;
}

static bf_status check_input(const bf_decode_job *job)
{
    if (!job->bytes || job->size == 0) {
        bf_fail(job->err, BF_EMPTY_INPUT, "The file is empty.");
        bf_fail_hint(job->err, PHOTO_HINT);
        return BF_EMPTY_INPUT;
    }
    if (job->size <= job->limits.input_bytes_max)
        return BF_OK;
    bf_fail(job->err, BF_IMAGE_TOO_LARGE, "The file has %zu bytes; at most %zu are accepted.", job->size,
            job->limits.input_bytes_max);
    bf_fail_hint(job->err, "Send a smaller file.");
    return BF_IMAGE_TOO_LARGE;
}

bf_status bf_decode_still(const uint8_t *bytes, size_t size, const bf_decode_limits *limits, bf_image *ret_image,
                          bf_media_facts *ret_facts, bf_error *err)
{
    bf_media_facts unwanted;
    bf_decode_job job = {.bytes = bytes, .size = size, .limits = resolve_limits(limits), .err = err};
    job.facts = ret_facts ? ret_facts : &unwanted;
    *job.facts = (bf_media_facts){.bytes = size, .orientation = 1};
    bf_status status = check_input(&job);
    if (status != BF_OK)
        return status;
    const char *looks_like = NULL;
    job.facts->container = bf_sniff(bytes, size, &looks_like);
    switch (job.facts->container) {
    case BF_CONTAINER_JPEG:
        return bf_jpeg_decode(&job, ret_image);
    case BF_CONTAINER_PNG:
        return bf_png_decode(&job, ret_image);
    case BF_CONTAINER_WEBP:
        return bf_webp_decode(&job, ret_image);
    case BF_CONTAINER_HEIC:
        return bf_heic_decode(&job, ret_image);
    case BF_CONTAINER_BURST:
    case BF_CONTAINER_MP4:
    case BF_CONTAINER_WEBM:
    case BF_CONTAINER_UNKNOWN:
        break;
    }
    return fail_unsupported(&job, looks_like);
}
