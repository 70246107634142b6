/* A decoded picture as upright R,G,B: colours, pixels that are not square, turns. */
#include "capture/video.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "decode/canvas.h"

#define ROW_ALIGNMENT 64       /* of rows that are written by vector instructions, which may also write beyond them */
#define STANDARD_PIXELS 414720 /* 720 x 576: up to here unnamed colours are those of BT.601, above those of BT.709 */
/* Chroma is interpolated and sums are rounded: the faster ways leave a grid that a screen's texture could be taken
 * for. */
#define QUALITY (SWS_BILINEAR | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND)

bf_status bf_video_check_size(const bf_frames *frames, int64_t width, int64_t height, bf_error *err)
{
    const bf_decode_limits *limits = &frames->limits.still;
    if (width > BF_IMAGE_SIDE_MAX_PX || height > BF_IMAGE_SIDE_MAX_PX || width < 0 || height < 0 ||
        (uint64_t)width * (uint64_t)height > limits->pixels_max) {
        bf_fail(err, BF_IMAGE_TOO_LARGE, "The video is too large: %" PRId64 " x %" PRId64 " pixels.", width, height);
        bf_fail_hint(err, "At most %" PRIu64 " pixels, and %d on a side, are accepted.", limits->pixels_max,
                     BF_IMAGE_SIDE_MAX_PX);
        return BF_IMAGE_TOO_LARGE;
    }
    if (width < limits->side_min_px || height < limits->side_min_px) {
        bf_fail(err, BF_IMAGE_TOO_SMALL, "The video is too small: %" PRId64 " x %" PRId64 " pixels.", width, height);
        bf_fail_hint(err, "At least %d x %d pixels are needed.", limits->side_min_px, limits->side_min_px);
        return BF_IMAGE_TOO_SMALL;
    }
    return BF_OK;
}

/* ---- colours ---- */

/* The format without its word about the range, which *ret_full gets. NONE for what is not read. */
static enum AVPixelFormat format_of(const AVFrame *picture, bool *ret_full)
{
    *ret_full = picture->color_range == AVCOL_RANGE_JPEG;
    switch (picture->format) {
    case AV_PIX_FMT_YUVJ420P:
        *ret_full = true;
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        *ret_full = true;
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        *ret_full = true;
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUV444P:
        return picture->format;
    default:
        return AV_PIX_FMT_NONE;
    }
}

/* swscale's number of the matrix; -1 for one that is not read. */
static int matrix_of(const AVFrame *picture)
{
    switch (picture->colorspace) {
    case AVCOL_SPC_UNSPECIFIED:
    case AVCOL_SPC_RESERVED:
        return (int64_t)picture->width * picture->height > STANDARD_PIXELS ? SWS_CS_ITU709 : SWS_CS_ITU601;
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
        return SWS_CS_FCC;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
        return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
        return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    default:
        return -1;
    }
}

/* Makes `video->convert` fit the picture and the size it is to have. */
static bf_status prepare(bf_video *video, int width, int height, bf_error *err)
{
    const AVFrame *picture = video->frame;
    bf_video_conversion wanted = {.width = picture->width,
                                  .height = picture->height,
                                  .out_width = width,
                                  .out_height = height,
                                  .matrix = matrix_of(picture)};
    wanted.format = format_of(picture, &wanted.full);
    if (wanted.format == AV_PIX_FMT_NONE || wanted.matrix < 0) {
        bf_fail(err, BF_UNSUPPORTED_FORMAT, "The video's pixels have a form that is not read.");
        bf_fail_hint(err, "Record with 8 bits for each colour, without HDR.");
        return BF_UNSUPPORTED_FORMAT;
    }
    const bf_video_conversion *is = &video->conversion;
    if (video->convert && is->width == wanted.width && is->height == wanted.height && is->format == wanted.format &&
        is->out_width == width && is->out_height == height && is->full == wanted.full && is->matrix == wanted.matrix)
        return BF_OK;
    sws_freeContext(video->convert);
    video->convert = sws_getContext(wanted.width, wanted.height, wanted.format, width, height, AV_PIX_FMT_RGB24,
                                    QUALITY, NULL, NULL, NULL);
    if (!video->convert)
        return bf_video_fail(video, AVERROR(ENOMEM), "converting colours", err);
    video->conversion = wanted;
    const int one = 1 << 16; /* of brightness, contrast, saturation */
    (void)sws_setColorspaceDetails(video->convert, sws_getCoefficients(wanted.matrix), wanted.full,
                                   sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, one, one);
    return BF_OK;
}

/* ---- sizes ---- */

/* The size at which the coded pixels are square; the side that is too short grows, so that nothing is lost. */
static void square(const bf_video *video, int64_t *ret_width, int64_t *ret_height)
{
    AVRational pixel = av_guess_sample_aspect_ratio(video->format, video->stream, video->frame);
    *ret_width = video->frame->width;
    *ret_height = video->frame->height;
    if (pixel.num <= 0 || pixel.den <= 0)
        return;
    if (pixel.num > pixel.den)
        *ret_width = av_rescale(*ret_width, pixel.num, pixel.den);
    else
        *ret_height = av_rescale(*ret_height, pixel.den, pixel.num);
}

/* An image whose rows may be written by vector instructions; the one that is there when it fits. */
static bf_status aligned_image(bf_image *image, int width, int height, bf_error *err)
{
    if (image->pixels && image->width == width && image->height == height)
        return BF_OK;
    bf_image_done(image);
    size_t stride = ((size_t)width * 3 + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT;
    uint8_t *pixels = bf_calloc(stride * (size_t)height + ROW_ALIGNMENT, 1);
    if (!pixels)
        return bf_fail_memory(err);
    *image = (bf_image){pixels, width, height, 3, stride};
    return BF_OK;
}

static bf_status turn(bf_video *video, bf_error *err)
{
    bf_canvas canvas;
    bf_image_done(&video->frames->rgb);
    bf_status status = bf_canvas_init(&canvas, video->coded.width, video->coded.height, video->orientation, err);
    if (status != BF_OK)
        return status;
    for (int y = 0; y < video->coded.height; y++) {
        memcpy(bf_canvas_row(&canvas, y), video->coded.pixels + (size_t)y * video->coded.stride,
               (size_t)video->coded.width * 3);
        bf_canvas_commit(&canvas, y + 1);
    }
    video->frames->rgb = bf_canvas_take(&canvas);
    bf_canvas_done(&canvas);
    return BF_OK;
}

bf_status bf_video_picture(bf_video *video, bf_error *err)
{
    const AVFrame *picture = video->frame;
    int64_t width = 0, height = 0;
    square(video, &width, &height);
    bf_status status = bf_video_check_size(video->frames, width, height, err);
    /* Stretched, it is more work than it was to decode, which was all that has been paid for. */
    if (status == BF_OK && (width != picture->width || height != picture->height))
        status = bf_frames_count_decoded(video->frames, (int)width, (int)height, err);
    bf_image *to = video->orientation == 1 ? &video->frames->rgb : &video->coded;
    if (status == BF_OK)
        status = prepare(video, (int)width, (int)height, err);
    if (status == BF_OK)
        status = aligned_image(to, (int)width, (int)height, err);
    if (status != BF_OK)
        return status;
    uint8_t *const planes[4] = {to->pixels};
    const int strides[4] = {(int)to->stride};
    const uint8_t *const from[4] = {picture->data[0], picture->data[1], picture->data[2]};
    int rows = sws_scale(video->convert, from, picture->linesize, 0, picture->height, planes, strides);
    if (rows != to->height)
        return bf_video_fail(video, rows < 0 ? rows : AVERROR_BUG, "converting colours", err);
    if (video->orientation != 1)
        status = turn(video, err);
    if (status == BF_OK)
        bf_frames_note_size(video->frames, video->frames->rgb.width, video->frames->rgb.height);
    return status;
}

void bf_video_picture_done(bf_video *video)
{
    sws_freeContext(video->convert);
    video->convert = NULL;
    bf_image_done(&video->coded);
}
