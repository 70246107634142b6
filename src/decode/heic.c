/* HEIC (ISO/IEC 23008-12 with HEVC) by libheif: the primary image, with the container's own crop, rotation and mirror
 * applied by the library. EXIF orientation repeats what those say (23008-12, annex A) and is therefore not applied.
 * Sizes are checked before decoding; items in another coding than HEVC are refused. Alpha is composed over white;
 * colour profiles are ignored and sRGB is assumed.
 * libheif is C++ and does not catch a failed allocation of its own small objects: that ends the process, which is one
 * of the reasons why untrusted files are decoded in workers. */
#include <libheif/heif.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "decode/canvas.h"
#include "decode/exif.h"
#include "decode/heic_items.h"
#include "decode/hevc.h"
#include "decode/job.h"

#define EXIF_OFFSET_BYTES 4
#define TILE_SIDE_MAX 1024 /* cameras use 512 */

typedef struct heic {
    const bf_decode_job *job;
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_decoding_options *options;
    struct heif_image *image;
    bf_canvas canvas;
} heic;

static void heic_done(heic *h)
{
    heif_image_release(h->image);
    heif_decoding_options_free(h->options);
    heif_image_handle_release(h->handle);
    heif_context_free(h->context);
    bf_canvas_done(&h->canvas);
}

/* libheif meets its size limit while it reads the boxes (no handle yet), any other of its limits while it decodes. */
static bf_status fail_limit(const heic *h, const char *what)
{
    bf_error *err = h->job->err;
    bf_status status = h->handle ? BF_DECODER_LIMIT : BF_IMAGE_TOO_LARGE;
    bf_fail(err, status,
            h->handle ? "Decoding the HEIC image would take more memory than allowed." : "The image is too large.");
    bf_job_set_detail(h->job, what);
    bf_fail_hint(err, "Send a smaller image, or an ordinary JPEG.");
    return status;
}

static bf_status fail_heic(const heic *h, struct heif_error error)
{
    if (error.subcode == heif_suberror_Security_limit_exceeded)
        return fail_limit(h, error.message);
    if (error.code == heif_error_Memory_allocation_error)
        return bf_fail_memory(h->job->err);
    if (error.code == heif_error_Unsupported_filetype || error.code == heif_error_Unsupported_feature) {
        bf_fail(h->job->err, BF_UNSUPPORTED_FORMAT, "The HEIC image uses a form of coding that is not supported.");
        bf_job_set_detail(h->job, error.message);
        bf_fail_hint(h->job->err, "Save the photo as JPEG.");
        return BF_UNSUPPORTED_FORMAT;
    }
    return bf_job_fail_corrupt(h->job, error.message);
}

static bf_status open_heic(heic *h)
{
    h->context = heif_context_alloc();
    if (!h->context)
        return bf_fail_memory(h->job->err);
    heif_context_set_maximum_image_size_limit(h->context, BF_IMAGE_SIDE_MAX_PX);
    heif_context_set_max_decoding_threads(h->context, 0);
    struct heif_error error = heif_context_read_from_memory_without_copy(h->context, h->job->bytes, h->job->size, NULL);
    if (error.code != heif_error_Ok)
        return fail_heic(h, error);
    error = heif_context_get_primary_image_handle(h->context, &h->handle);
    return error.code == heif_error_Ok ? BF_OK : fail_heic(h, error);
}

static void free_block(uint8_t **block)
{
    bf_free(*block);
    *block = NULL;
}

/* The block begins with the offset of the TIFF header behind this field (23008-12, A.2.1). */
static bf_status read_exif(const heic *h)
{
    heif_item_id id;
    if (heif_image_handle_get_list_of_metadata_block_IDs(h->handle, "Exif", &id, 1) != 1)
        return BF_OK;
    bf_media_facts *facts = h->job->facts;
    facts->exif_present = true;
    size_t size = heif_image_handle_get_metadata_size(h->handle, id);
    if (size <= EXIF_OFFSET_BYTES || size > BF_EXIF_BYTES_MAX)
        return BF_OK;
    BF_CLEANUP(free_block) uint8_t *block = bf_malloc(size);
    if (!block)
        return bf_fail_memory(h->job->err);
    if (heif_image_handle_get_metadata(h->handle, id, block).code != heif_error_Ok)
        return BF_OK;
    size_t skip = (size_t)block[0] << 24 | (size_t)block[1] << 16 | (size_t)block[2] << 8 | block[3];
    if (skip >= size - EXIF_OFFSET_BYTES)
        return BF_OK;
    bf_status status = bf_exif_read(h->job, block + EXIF_OFFSET_BYTES + skip, size - EXIF_OFFSET_BYTES - skip);
    facts->orientation = 1;
    return status;
}

static bool has_icc(const struct heif_image_handle *handle)
{
    enum heif_color_profile_type type = heif_image_handle_get_color_profile_type(handle);
    return type == heif_color_profile_type_rICC || type == heif_color_profile_type_prof;
}

static bf_status read_header(const heic *h)
{
    bf_media_facts *facts = h->job->facts;
    int width = heif_image_handle_get_width(h->handle);
    int height = heif_image_handle_get_height(h->handle);
    int coded_width = heif_image_handle_get_ispe_width(h->handle);
    int coded_height = heif_image_handle_get_ispe_height(h->handle);
    int depth = heif_image_handle_get_luma_bits_per_pixel(h->handle);
    facts->bit_depth = depth > 0 ? depth : 8;
    facts->has_alpha = heif_image_handle_has_alpha_channel(h->handle) != 0;
    facts->has_icc_profile = has_icc(h->handle);
    if (width <= 0 || height <= 0 || coded_width <= 0 || coded_height <= 0)
        return bf_job_fail_corrupt(h->job, "no picture size");
    bf_status status = bf_job_note_coded_size(h->job, (uint64_t)coded_width, (uint64_t)coded_height);
    /* A crop makes the picture smaller than what is coded, so both sizes count. */
    if (status == BF_OK)
        status = bf_job_check_size(h->job, (uint64_t)width, (uint64_t)height);
    if (status != BF_OK)
        return status;
    /* A grid or overlay has a canvas of its own size, whatever the properties declare, and libheif limits only its
     * sides. With the longer side as their limit, the square bounds the canvas: it is held as the decoder's picture and
     * libheif's copy, both 4:2:0, and as the interleaved one. */
    int side = coded_width > coded_height ? coded_width : coded_height;
    heif_context_set_maximum_image_size_limit(h->context, side + 1); /* exclusive */
    uint64_t pixel_bytes = (facts->bit_depth > 8 ? 6u : 3u) + (facts->has_alpha ? 4u : 3u);
    status = bf_job_check_memory(h->job, (uint64_t)side * (uint64_t)side * pixel_bytes);
    return status == BF_OK ? read_exif(h) : status;
}

/* Our own decoder is named, so that neither another coding nor another library is ever reached, whatever the file
 * says. Its budget covers the declared picture, rounded up to whole tiles, and an alpha plane of the same size. */
static bf_status decode_pixels(heic *h)
{
    uint64_t width = (uint64_t)h->job->facts->coded_width + TILE_SIDE_MAX;
    uint64_t height = (uint64_t)h->job->facts->coded_height + TILE_SIDE_MAX;
    const char *hevc = bf_hevc_decoder_id();
    if (!hevc)
        return bf_fail(h->job->err, BF_INTERNAL, "The HEIC library does not fit this program.");
    h->options = heif_decoding_options_alloc();
    if (!h->options)
        return bf_fail_memory(h->job->err);
    h->options->convert_hdr_to_8bit = 1;
    h->options->strict_decoding = 1;
    h->options->decoder_id = hevc;
    enum heif_chroma chroma = h->job->facts->has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
    bf_hevc_begin(2 * width * height);
    struct heif_error error = heif_decode_image(h->handle, &h->image, heif_colorspace_RGB, chroma, h->options);
    bf_status verdict = bf_hevc_end();
    if (error.code == heif_error_Ok)
        return BF_OK;
    switch (verdict) {
    case BF_OUT_OF_MEMORY:
        return bf_fail_memory(h->job->err);
    case BF_DECODER_LIMIT:
        return fail_limit(h, "the pictures in the file are larger than it declares");
    default:
        return fail_heic(h, error);
    }
}

static bf_status copy_pixels(heic *h)
{
    int stride = 0;
    const uint8_t *plane = heif_image_get_plane_readonly(h->image, heif_channel_interleaved, &stride);
    int width = heif_image_get_width(h->image, heif_channel_interleaved);
    int height = heif_image_get_height(h->image, heif_channel_interleaved);
    bool has_alpha = heif_image_get_chroma_format(h->image) == heif_chroma_interleaved_RGBA;
    size_t row_bytes = (size_t)(width > 0 ? width : 0) * (has_alpha ? 4 : 3);
    if (!plane || width <= 0 || height <= 0 || stride < 0 || (size_t)stride < row_bytes)
        return bf_job_fail_corrupt(h->job, "no pixels");
    bf_status status = bf_job_check_size(h->job, (uint64_t)width, (uint64_t)height);
    if (status == BF_OK)
        status = bf_canvas_init(&h->canvas, width, height, 1, h->job->err);
    for (int y = 0; status == BF_OK && y < height; y++) {
        const uint8_t *from = plane + (size_t)y * (size_t)stride;
        if (has_alpha)
            bf_canvas_row_from_rgba(bf_canvas_row(&h->canvas, y), from, width);
        else
            memcpy(bf_canvas_row(&h->canvas, y), from, row_bytes);
    }
    return status;
}

bf_status bf_heic_decode(const bf_decode_job *job, bf_image *ret_image)
{
    BF_CLEANUP(heic_done) heic h = {.job = job};
    bf_status status = bf_heic_check_items(job);
    if (status == BF_OK)
        status = open_heic(&h);
    if (status == BF_OK)
        status = read_header(&h);
    if (status == BF_OK)
        status = decode_pixels(&h);
    if (status == BF_OK)
        status = copy_pixels(&h);
    if (status == BF_OK)
        *ret_image = bf_canvas_take(&h.canvas);
    return status;
}
