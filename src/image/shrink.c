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

/* Everything that is the same for all rows. */
typedef struct plan {
    const bf_image *from;
    bool luma;       /* the rows are summed up as luma */
    int channels;    /* of a summed row */
    uint16_t *sum;   /* of the rows under one output row, in parts */
    uint16_t *parts; /* of the source pixels under each output pixel, one after the other */
    int width;       /* of the output */
} plan;

/* BT.601, in 256ths. */
static uint16_t luma_of(const uint8_t *rgb)
{
    return (uint16_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8);
}

static void add_row(const plan *p, const uint8_t *row, uint16_t parts)
{
    uint16_t *sum = p->sum;
    size_t count = (size_t)p->from->width * (size_t)p->channels;
    if (p->luma) {
        for (size_t i = 0; i < count; i++)
            sum[i] = (uint16_t)(sum[i] + parts * luma_of(row + 3 * i));
    } else {
        for (size_t i = 0; i < count; i++)
            sum[i] = (uint16_t)(sum[i] + parts * row[i]);
    }
}

static void sum_rows(const plan *p, int y, int height)
{
    const bf_image *from = p->from;
    span rows = span_of(y, from->height, height);
    memset(p->sum, 0, (size_t)from->width * (size_t)p->channels * sizeof *p->sum);
    for (int row = rows.first; row < rows.end; row++)
        add_row(p, from->pixels + (size_t)row * from->stride, parts_of(y, row, from->height, height));
}

static void sum_columns(const plan *p, uint8_t *out)
{
    const uint16_t *parts = p->parts;
    for (int x = 0; x < p->width; x++) {
        span columns = span_of(x, p->from->width, p->width);
        for (int c = 0; c < p->channels; c++) {
            uint32_t total = PARTS * PARTS / 2;
            for (int i = columns.first; i < columns.end; i++)
                total += (uint32_t)parts[i - columns.first] * p->sum[i * p->channels + c];
            *out++ = (uint8_t)(total / (PARTS * PARTS));
        }
        parts += columns.end - columns.first;
    }
}

static bf_status shrink(const bf_image *from, bf_image *to, bool luma, bf_error *err)
{
    assert(to->width <= from->width && to->height <= from->height);
    /* Each output pixel shares at most its two outer source pixels with its neighbours. */
    size_t sums = (size_t)from->width * (size_t)to->channels, parts = (size_t)from->width + (size_t)to->width;
    uint16_t *memory = bf_malloc((sums + parts) * sizeof *memory);
    if (!memory)
        return bf_fail_memory(err);
    const plan p = {from, luma, to->channels, memory, memory + sums, to->width};
    uint16_t *part = p.parts;
    for (int x = 0; x < to->width; x++) {
        span columns = span_of(x, from->width, to->width);
        for (int i = columns.first; i < columns.end; i++)
            *part++ = parts_of(x, i, from->width, to->width);
    }
    for (int y = 0; y < to->height; y++) {
        sum_rows(&p, y, to->height);
        sum_columns(&p, to->pixels + (size_t)y * to->stride);
    }
    explicit_bzero(memory, sums * sizeof *memory);
    bf_free(memory);
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
