#include "image/image.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"

bf_status bf_image_alloc(bf_image *ret, int width, int height, int channels, bf_error *err)
{
    if (width <= 0 || height <= 0 || width > BF_IMAGE_SIDE_MAX_PX || height > BF_IMAGE_SIDE_MAX_PX ||
        (channels != 1 && channels != 3))
        return bf_fail(err, BF_IMAGE_TOO_LARGE, "An image of %d x %d pixels cannot be held.", width, height);
    size_t stride = (size_t)width * (size_t)channels;
    uint8_t *pixels = bf_malloc(stride * (size_t)height + BF_IMAGE_PADDING);
    if (!pixels)
        return bf_fail_memory(err);
    memset(pixels + stride * (size_t)height, 0, BF_IMAGE_PADDING);
    *ret = (bf_image){pixels, width, height, channels, stride};
    return BF_OK;
}

void bf_image_done(bf_image *image)
{
    if (image->pixels) {
        explicit_bzero(image->pixels, image->stride * (size_t)image->height);
        bf_free(image->pixels);
    }
    *image = (bf_image){0};
}

bf_status bf_image_copy(const bf_image *from, bf_image *to, bf_error *err)
{
    if (to->width != from->width || to->height != from->height || to->channels != from->channels) {
        bf_image_done(to);
        bf_status status = bf_image_alloc(to, from->width, from->height, from->channels, err);
        if (status != BF_OK)
            return status;
    }
    for (int y = 0; y < from->height; y++)
        memcpy(to->pixels + (size_t)y * to->stride, from->pixels + (size_t)y * from->stride, to->stride);
    return BF_OK;
}

static int clamp_to(float value, int max)
{
    if (!(value > 0.0f))
        return 0;
    return value < (float)max ? (int)value : max;
}

bf_image bf_image_view(const bf_image *image, bf_rect rect)
{
    int x0 = clamp_to(floorf(rect.x0), image->width), x1 = clamp_to(ceilf(rect.x1), image->width);
    int y0 = clamp_to(floorf(rect.y0), image->height), y1 = clamp_to(ceilf(rect.y1), image->height);
    if (x1 <= x0 || y1 <= y0)
        return (bf_image){0};
    uint8_t *first = image->pixels + (size_t)y0 * image->stride + (size_t)x0 * (size_t)image->channels;
    return (bf_image){first, x1 - x0, y1 - y0, image->channels, image->stride};
}
