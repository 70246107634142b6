#include "decode/hevc.h"

#include <libde265/de265.h>
#include <libheif/heif.h>
#include <libheif/heif_plugin.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"

#define DECODER_ID "bonafide-hevc"
#define PLUGIN_API_VERSION 3 /* with id_name: libheif 1.15 */
#define PRIORITY_HIGHEST 1000000
#define LENGTH_BYTES 4
#define NAL_HEAD_BYTES 2

/* ITU-T H.265, table 7-1. */
enum {
    NAL_IRAP_FIRST = 16, /* pictures that need no other picture: BLA, IDR, CRA */
    NAL_IRAP_LAST = 21,
    NAL_SLICE_LAST = 31,
    NAL_PARAMETERS_FIRST = 32, /* VPS, SPS, PPS */
    NAL_PARAMETERS_LAST = 34,
};

/* libheif hands a plug-in no context of the caller. */
static _Thread_local struct {
    uint64_t pixels_left;
    bf_status verdict;
    bool open; /* between bf_hevc_begin and bf_hevc_end */
} budget;

typedef struct decoder {
    de265_decoder_context *context;
    bool has_picture; /* the first slice of a picture was pushed */
    size_t units;     /* pushed */
} decoder;

void bf_hevc_begin(uint64_t pixels_max)
{
    budget.pixels_left = pixels_max;
    budget.verdict = BF_OK;
    budget.open = true;
}

bf_status bf_hevc_end(void)
{
    budget.open = false;
    return budget.verdict;
}

/* Notes why decoding stops, unless something was noted before, and puts it as libheif wants it. */
static struct heif_error stop(bf_status verdict, const char *what)
{
    if (budget.verdict == BF_OK)
        budget.verdict = verdict;
    return (struct heif_error){heif_error_Decoder_plugin_error, heif_suberror_Unspecified, what};
}

static struct heif_error fine(void)
{
    return (struct heif_error){heif_error_Ok, heif_suberror_Unspecified, "Success"};
}

/* Called with the size from the bitstream before libde265 allocates a picture; 0 refuses. */
static int get_buffer(de265_decoder_context *context, struct de265_image_spec *spec, struct de265_image *image,
                      void *user)
{
    uint64_t pixels = spec->width > 0 && spec->height > 0 ? (uint64_t)spec->width * (uint64_t)spec->height : UINT64_MAX;
    if (pixels > budget.pixels_left) {
        (void)stop(BF_DECODER_LIMIT, "");
        return 0;
    }
    budget.pixels_left -= pixels;
    int allocated = de265_get_default_image_allocation_functions()->get_buffer(context, spec, image, user);
    if (!allocated)
        (void)stop(BF_OUT_OF_MEMORY, "");
    return allocated;
}

static void release_buffer(de265_decoder_context *context, struct de265_image *image, void *user)
{
    de265_get_default_image_allocation_functions()->release_buffer(context, image, user);
}

static const char *plugin_name(void)
{
    return "libde265, one picture within limits";
}

/* libheif passes the wish for a decoder by name on to the picture, but not to the tiles of a grid, so there priority
 * decides; it asks each time. At any other time it is the lowest: other users of libheif in the process keep what they
 * had. */
static int does_support_format(enum heif_compression_format format)
{
    if (format != heif_compression_HEVC)
        return 0;
    return budget.open ? PRIORITY_HIGHEST : 1;
}

static void free_decoder(void *raw)
{
    decoder *d = raw;
    if (d->context)
        (void)de265_free_decoder(d->context);
    bf_free(d);
}

static struct heif_error new_decoder(void **ret)
{
    static struct de265_image_allocation allocation = {get_buffer, release_buffer};
    decoder *d = bf_calloc(1, sizeof *d);
    if (d)
        d->context = de265_new_decoder();
    if (!d || !d->context) {
        bf_free(d);
        *ret = NULL;
        return stop(BF_OUT_OF_MEMORY, "no memory for an HEVC decoder");
    }
    de265_set_image_allocation_functions(d->context, &allocation, NULL);
    *ret = d;
    return fine();
}

/* Passes on parameters and the slices of one intra picture; leaves out what is not needed for its pixels. */
static struct heif_error push_nal(decoder *d, const uint8_t *nal, size_t size)
{
    if (size <= NAL_HEAD_BYTES)
        return stop(BF_CORRUPT_IMAGE, "an empty HEVC unit");
    int type = nal[0] >> 1 & 0x3f;
    int layer = (nal[0] & 1) << 5 | nal[1] >> 3;
    bool is_slice = type <= NAL_SLICE_LAST;
    if (layer != 0 || (!is_slice && (type < NAL_PARAMETERS_FIRST || type > NAL_PARAMETERS_LAST)))
        return fine();
    if (is_slice && (type < NAL_IRAP_FIRST || type > NAL_IRAP_LAST))
        return stop(BF_CORRUPT_IMAGE, "an HEVC picture that refers to others");
    bool starts_picture = is_slice && (nal[NAL_HEAD_BYTES] & 0x80) != 0;
    if (starts_picture && d->has_picture)
        return stop(BF_CORRUPT_IMAGE, "several HEVC pictures in one item");
    d->has_picture = d->has_picture || starts_picture;
    d->units++;
    if (de265_push_NAL(d->context, nal, (int)size, 0, NULL) != DE265_OK)
        return stop(BF_OUT_OF_MEMORY, "no memory for HEVC data");
    return fine();
}

static struct heif_error push_data(void *raw, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size > 0) {
        if (size < LENGTH_BYTES)
            return stop(BF_CORRUPT_IMAGE, "HEVC data are cut short");
        size_t length = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
        if (length > size - LENGTH_BYTES)
            return stop(BF_CORRUPT_IMAGE, "HEVC data are cut short");
        struct heif_error error = push_nal(raw, at + LENGTH_BYTES, length);
        if (error.code != heif_error_Ok)
            return error;
        at += LENGTH_BYTES + length;
        size -= LENGTH_BYTES + length;
    }
    return fine();
}

/* Warnings after which parts of the picture are missing or made up. The others concern speed, or units that were not
 * needed. */
static bool is_harmful(de265_error warning)
{
    switch (warning) {
    case DE265_WARNING_PREMATURE_END_OF_SLICE_SEGMENT:
    case DE265_WARNING_CTB_OUTSIDE_IMAGE_AREA:
    case DE265_WARNING_SPS_HEADER_INVALID:
    case DE265_WARNING_PPS_HEADER_INVALID:
    case DE265_WARNING_SLICEHEADER_INVALID:
    case DE265_WARNING_NONEXISTING_PPS_REFERENCED:
    case DE265_WARNING_NONEXISTING_SPS_REFERENCED:
    case DE265_WARNING_NONEXISTING_REFERENCE_PICTURE_ACCESSED:
    case DE265_WARNING_FAULTY_REFERENCE_PICTURE_LIST:
    case DE265_WARNING_EOSS_BIT_NOT_SET:
    case DE265_WARNING_INVALID_CHROMA_FORMAT:
    case DE265_WARNING_SLICE_SEGMENT_ADDRESS_INVALID:
    case DE265_WARNING_DEPENDENT_SLICE_WITH_ADDRESS_ZERO:
    case DE265_WARNING_CANNOT_APPLY_SAO_OUT_OF_MEMORY:
    case DE265_WARNING_PCM_BITDEPTH_TOO_LARGE:
        return true;
    default:
        return false;
    }
}

static struct heif_error copy_plane(const struct de265_image *from, int plane, enum heif_channel channel,
                                    struct heif_image *to)
{
    int stride = 0, target_stride = 0;
    int width = de265_get_image_width(from, plane), height = de265_get_image_height(from, plane);
    int depth = de265_get_bits_per_pixel(from, plane);
    const uint8_t *pixels = de265_get_image_plane(from, plane, &stride);
    if (!pixels || width <= 0 || height <= 0 || stride <= 0)
        return stop(BF_CORRUPT_IMAGE, "an HEVC picture without pixels");
    struct heif_error error = heif_image_add_plane(to, channel, width, height, depth);
    if (error.code != heif_error_Ok)
        return error;
    uint8_t *target = heif_image_get_plane(to, channel, &target_stride);
    size_t row = (size_t)width * (depth > 8 ? 2 : 1);
    for (int y = 0; y < height; y++)
        memcpy(target + (size_t)y * (size_t)target_stride, pixels + (size_t)y * (size_t)stride, row);
    return fine();
}

/* How the bitstream says its samples mean colours. What libheif does not know stays unspecified. */
static struct heif_error copy_colours(const struct de265_image *from, struct heif_image *to)
{
    struct heif_color_profile_nclx *nclx = heif_nclx_color_profile_alloc();
    if (!nclx)
        return stop(BF_OUT_OF_MEMORY, "no memory for an HEVC picture");
    (void)heif_nclx_color_profile_set_color_primaries(nclx, (uint16_t)de265_get_image_colour_primaries(from));
    (void)heif_nclx_color_profile_set_transfer_characteristics(
        nclx, (uint16_t)de265_get_image_transfer_characteristics(from));
    (void)heif_nclx_color_profile_set_matrix_coefficients(nclx, (uint16_t)de265_get_image_matrix_coefficients(from));
    nclx->full_range_flag = de265_get_image_full_range_flag(from) != 0;
    struct heif_error error = heif_image_set_nclx_color_profile(to, nclx);
    heif_nclx_color_profile_free(nclx);
    return error;
}

static struct heif_error copy_picture(const struct de265_image *from, struct heif_image **ret)
{
    static const enum heif_channel channels[] = {heif_channel_Y, heif_channel_Cb, heif_channel_Cr};
    static const enum heif_chroma chromas[] = {heif_chroma_monochrome, heif_chroma_420, heif_chroma_422,
                                               heif_chroma_444};
    enum de265_chroma chroma = de265_get_chroma_format(from);
    if ((unsigned)chroma >= sizeof chromas / sizeof *chromas)
        return stop(BF_CORRUPT_IMAGE, "an unknown HEVC chroma format");
    bool grey = chroma == de265_chroma_mono;
    struct heif_image *image = NULL;
    struct heif_error error =
        heif_image_create(de265_get_image_width(from, 0), de265_get_image_height(from, 0),
                          grey ? heif_colorspace_monochrome : heif_colorspace_YCbCr, chromas[chroma], &image);
    for (int plane = 0; error.code == heif_error_Ok && plane < (grey ? 1 : 3); plane++)
        error = de265_get_bits_per_pixel(from, plane) == de265_get_bits_per_pixel(from, 0)
                    ? copy_plane(from, plane, channels[plane], image)
                    : stop(BF_CORRUPT_IMAGE, "HEVC planes of different depth");
    if (error.code == heif_error_Ok)
        error = copy_colours(from, image);
    if (error.code == heif_error_Ok)
        *ret = image;
    else
        heif_image_release(image);
    return error;
}

static struct heif_error decode_image(void *raw, struct heif_image **ret)
{
    decoder *d = raw;
    *ret = NULL;
    de265_error error = de265_flush_data(d->context);
    /* libde265 wants more calls for as long as a finished picture waits to be fetched. One call takes a unit of input,
     * or a picture, further; more calls than that would be a stuck decoder. */
    const struct de265_image *picture = NULL;
    size_t calls_left = 4 * d->units + 64;
    for (int more = 1; error == DE265_OK && more && !picture && calls_left > 0; calls_left--) {
        more = 0;
        error = de265_decode(d->context, &more);
        picture = de265_peek_next_picture(d->context);
    }
    for (de265_error warning; (warning = de265_get_warning(d->context)) != DE265_OK;)
        if (error == DE265_OK && is_harmful(warning))
            error = warning;
    if (error != DE265_OK)
        return stop(BF_CORRUPT_IMAGE, de265_get_error_text(error));
    if (!picture)
        return stop(BF_CORRUPT_IMAGE, "no HEVC picture");
    return copy_picture(picture, ret);
}

static void set_strict_decoding(void *raw, int flag)
{
    (void)raw; /* always strict */
    (void)flag;
}

static bool registered;

static void register_once(void)
{
    static const struct heif_decoder_plugin plugin = {
        .plugin_api_version = PLUGIN_API_VERSION,
        .get_plugin_name = plugin_name,
        .does_support_format = does_support_format,
        .new_decoder = new_decoder,
        .free_decoder = free_decoder,
        .push_data = push_data,
        .decode_image = decode_image,
        .set_strict_decoding = set_strict_decoding,
        .id_name = DECODER_ID,
    };
    registered = heif_register_decoder_plugin(&plugin).code == heif_error_Ok;
}

const char *bf_hevc_decoder_id(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, register_once) == 0 && registered ? DECODER_ID : NULL;
}
