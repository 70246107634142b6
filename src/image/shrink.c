#include "image/shrink.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define PARTS 256 /* an output pixel is made of so many parts in each direction, so that sums of rows fit 16 bits */

void bf_image_fit(const bf_image *image, int side_max, int *ret_width, int *ret_height)
{
    int longer = image->width > image->height ? image->width : image->height;
    int64_t to = longer > side_max ? side_max : longer;
    int width = (int)((image->width * to + longer / 2) / longer);
    int height = (int)((image->height * to + longer / 2) / longer);
    *ret_width = width > 0 ? width : 1;
    *ret_height = height > 0 ? height : 1;
}

/* The source pixels under one output pixel. */
typedef struct span {
    int first, end;
} span;

static span span_of(int at, int from, int to)
{
    int first = (int)((int64_t)at * from / to);
    int end = (int)(((int64_t)(at + 1) * from + to - 1) / to);
    return (span){first, end < from ? end : from};
}

/* Parts of output pixel `at` that the source pixel `source` covers; over a span they add up to PARTS. */
static uint16_t parts_of(int at, int source, int from, int to)
{
    int64_t begin = (int64_t)source * to - (int64_t)at * from, end = begin + to;
    begin = begin < 0 ? 0 : begin;
    end = end > from ? from : end;
    return (uint16_t)(end * PARTS / from - begin * PARTS / from);
}

static void add_row(const uint8_t *row, uint16_t parts, size_t count, uint16_t *sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] = (uint16_t)(sum[i] + parts * row[i]);
}

static void sum_rows(const bf_image *from, int y, int height, uint16_t *sum)
{
    size_t count = (size_t)from->width * (size_t)from->channels;
    span rows = span_of(y, from->height, height);
    memset(sum, 0, count * sizeof *sum);
    for (int row = rows.first; row < rows.end; row++)
        add_row(from->pixels + (size_t)row * from->stride, parts_of(y, row, from->height, height), count, sum);
}

static void sum_columns(const uint16_t *sum, int channels, span columns, const uint16_t *parts, uint8_t *ret)
{
    for (int c = 0; c < channels; c++) {
        uint32_t total = PARTS * PARTS / 2;
        for (int x = columns.first; x < columns.end; x++)
            total += (uint32_t)parts[x - columns.first] * sum[x * channels + c];
        ret[c] = (uint8_t)(total / (PARTS * PARTS));
    }
}

static bf_status shrink(const bf_image *from, bf_image *to, bool luma, bf_error *err)
{
    assert(to->width <= from->width && to->height <= from->height);
    size_t widest = (size_t)(from->width / to->width) + 3;
    uint16_t *sum = bf_malloc(((size_t)from->width * (size_t)from->channels + widest) * sizeof *sum);
    if (!sum)
        return bf_fail_memory(err);
    uint16_t *parts = sum + (size_t)from->width * (size_t)from->channels;
    for (int y = 0; y < to->height; y++) {
        uint8_t *out = to->pixels + (size_t)y * to->stride;
        sum_rows(from, y, to->height, sum);
        for (int x = 0; x < to->width; x++) {
            span columns = span_of(x, from->width, to->width);
            for (int i = columns.first; i < columns.end; i++)
                parts[i - columns.first] = parts_of(x, i, from->width, to->width);
            uint8_t pixel[3];
            sum_columns(sum, from->channels, columns, parts, pixel);
            if (luma)
                out[x] = (uint8_t)((77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2] + 128) / 256);
            else
                memcpy(out + x * to->channels, pixel, (size_t)to->channels);
        }
    }
    bf_free(sum);
    return BF_OK;
}

bf_status bf_image_shrink(const bf_image *from, bf_image *to, bf_error *err)
{
    assert(from->channels == to->channels);
    return shrink(from, to, false, err);
}

bf_status bf_image_shrink_luma(const bf_image *from, bf_image *to, bf_error *err)
{
    assert(from->channels == 3 && to->channels == 1);
    return shrink(from, to, true, err);
}
