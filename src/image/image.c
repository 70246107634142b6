#include "image/image.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

bf_status bf_image_alloc(bf_image *ret, int width, int height, int channels, bf_error *err)
{
    if (width <= 0 || height <= 0 || (channels != 1 && channels != 3))
        return bf_fail(err, BF_INVALID_ARGUMENT, "An image of %d x %d pixels with %d channels cannot exist.", width,
                       height, channels);
    size_t stride = (size_t)width * (size_t)channels;
    if (stride > SIZE_MAX / (size_t)height)
        return bf_fail_memory(err);
    uint8_t *pixels = bf_malloc(stride * (size_t)height);
    if (!pixels)
        return bf_fail_memory(err);
    *ret = (bf_image){.pixels = pixels, .width = width, .height = height, .channels = channels, .stride = stride};
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

/* `value` held inside 0..limit; not-a-number counts as 0. */
static int clamp_side(float value, int limit)
{
    if (!(value > 0))
        return 0;
    return value < (float)limit ? (int)value : limit;
}

bf_image bf_image_view(const bf_image *image, bf_rect rect)
{
    int x0 = clamp_side(floorf(rect.x0), image->width);
    int y0 = clamp_side(floorf(rect.y0), image->height);
    int x1 = clamp_side(ceilf(rect.x1), image->width);
    int y1 = clamp_side(ceilf(rect.y1), image->height);
    if (x1 <= x0 || y1 <= y0)
        return (bf_image){.channels = image->channels, .stride = image->stride};
    bf_image view = *image;
    view.pixels = image->pixels + (size_t)y0 * image->stride + (size_t)x0 * (size_t)image->channels;
    view.width = x1 - x0;
    view.height = y1 - y0;
    return view;
}

BF_CLONES static void grey_row(const uint8_t *rgb, uint8_t *grey, int width)
{
    for (int x = 0; x < width; x++)
        grey[x] = (uint8_t)((77 * rgb[3 * x] + 150 * rgb[3 * x + 1] + 29 * rgb[3 * x + 2]) >> 8);
}

bf_status bf_image_to_grey(const bf_image *rgb, bf_image *ret_grey, bf_error *err)
{
    if (rgb->channels != 3)
        return bf_fail(err, BF_INVALID_ARGUMENT, "Only an RGB image can be turned into grey.");
    bf_image grey = {0};
    bf_status status = bf_image_alloc(&grey, rgb->width, rgb->height, 1, err);
    if (status != BF_OK)
        return status;
    for (int y = 0; y < rgb->height; y++)
        grey_row(rgb->pixels + (size_t)y * rgb->stride, grey.pixels + (size_t)y * grey.stride, rgb->width);
    *ret_grey = grey;
    return BF_OK;
}
