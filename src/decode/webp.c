/* WebP by libwebp. Sizes and memory are checked from the header. Alpha is composed over white; colour profiles are
 * ignored and sRGB is assumed. */
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "decode/canvas.h"
#include "decode/exif.h"
#include "decode/job.h"

static void free_demuxer(WebPDemuxer **demuxer)
{
    WebPDemuxDelete(*demuxer);
    *demuxer = NULL;
}

static bf_status read_exif(const bf_decode_job *job, const WebPDemuxer *demuxer)
{
    WebPChunkIterator chunk;
    bf_status status = BF_OK;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk))
        status = bf_exif_read(job, chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return status;
}

static bf_status read_header(const bf_decode_job *job, WebPBitstreamFeatures *ret_features)
{
    bf_media_facts *facts = job->facts;
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(job->bytes, job->size, &features);
    if (code != VP8_STATUS_OK)
        return bf_job_fail_corrupt(job, "no readable WebP header");
    facts->has_alpha = features.has_alpha;
    facts->bit_depth = 8;
    bf_status status = bf_job_note_coded_size(job, (uint64_t)features.width, (uint64_t)features.height);
    if (status == BF_OK && features.has_animation)
        status = bf_job_fail_animated(job, "an animation");
    if (status != BF_OK)
        return status;
    BF_CLEANUP(free_demuxer) WebPDemuxer *demuxer = WebPDemux(&(WebPData){job->bytes, job->size});
    if (!demuxer)
        return bf_job_fail_corrupt(job, "broken chunks");
    if (WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT) != 1)
        return bf_job_fail_animated(job, "several frames");
    facts->has_icc_profile = (WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & ICCP_FLAG) != 0;
    *ret_features = features;
    return read_exif(job, demuxer);
}

static bf_status fail_webp(const bf_decode_job *job, VP8StatusCode code)
{
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return bf_fail_memory(job->err);
    return bf_job_fail_corrupt(job, code == VP8_STATUS_NOT_ENOUGH_DATA ? "not enough data" : "bad data");
}

/* Decodes into `pixels` of `stride` bytes a row, which libwebp neither owns nor frees. */
static bf_status decode_into(const bf_decode_job *job, WEBP_CSP_MODE mode, uint8_t *pixels, size_t stride)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return bf_fail(job->err, BF_INTERNAL, "The WebP library does not fit this program.");
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * (size_t)job->facts->coded_height;
    VP8StatusCode code = WebPDecode(job->bytes, job->size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? BF_OK : fail_webp(job, code);
}

typedef struct scratch {
    uint8_t *pixels;
    size_t size;
} scratch;

static void scratch_done(scratch *s)
{
    if (s->pixels)
        explicit_bzero(s->pixels, s->size);
    bf_free(s->pixels);
}

/* With alpha, or turned: by way of a second buffer. */
static bf_status decode_by_rows(const bf_decode_job *job, bf_canvas *canvas)
{
    bool has_alpha = job->facts->has_alpha;
    size_t stride = (size_t)canvas->coded_width * (has_alpha ? 4 : 3);
    BF_CLEANUP(scratch_done) scratch s = {.size = stride * (size_t)canvas->coded_height};
    s.pixels = bf_malloc(s.size);
    if (!s.pixels)
        return bf_fail_memory(job->err);
    bf_status status = decode_into(job, has_alpha ? MODE_RGBA : MODE_RGB, s.pixels, stride);
    for (int y = 0; status == BF_OK && y < canvas->coded_height; y++) {
        const uint8_t *from = s.pixels + (size_t)y * stride;
        if (has_alpha)
            bf_canvas_row_from_rgba(bf_canvas_row(canvas, y), from, canvas->coded_width);
        else
            memcpy(bf_canvas_row(canvas, y), from, stride);
        bf_canvas_commit(canvas, y + 1);
    }
    return status;
}

bf_status bf_webp_decode(const bf_decode_job *job, bf_image *ret_image)
{
    WebPBitstreamFeatures features;
    bf_status status = read_header(job, &features);
    if (status != BF_OK)
        return status;
    bf_media_facts *facts = job->facts;
    bool direct = facts->orientation == 1 && !facts->has_alpha;
    /* libwebp itself holds a lossless picture as 4 bytes a pixel, a lossy one by rows and its alpha plane whole. */
    uint64_t pixels = (uint64_t)facts->coded_width * (uint64_t)facts->coded_height;
    status = bf_job_check_memory(job, pixels * (direct ? 4u : 8u));
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_canvas_done) bf_canvas canvas = {0};
    status = bf_canvas_init(&canvas, facts->coded_width, facts->coded_height, facts->orientation, job->err);
    if (status == BF_OK && direct)
        status = decode_into(job, MODE_RGB, canvas.image.pixels, canvas.image.stride);
    else if (status == BF_OK)
        status = decode_by_rows(job, &canvas);
    if (status == BF_OK)
        *ret_image = bf_canvas_take(&canvas);
    return status;
}
