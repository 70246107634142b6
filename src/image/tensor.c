/* Both resamplers work row by row: a row of the target is first made as interleaved floats 0..255 in the image's own
 * channels (`line`), then written out with the tensor's channel order, scale, mean and layout. */
#include "image/tensor.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/limits.h"

#define LINE_FLOATS (BF_TENSOR_SIDE_MAX * 3)

/* Where the samples of one axis come from. */
typedef struct axis {
    int first[BF_TENSOR_SIDE_MAX];    /* index of the first source sample */
    int second[BF_TENSOR_SIDE_MAX];   /* bilinear: index of the second */
    float weight[BF_TENSOR_SIDE_MAX]; /* bilinear: weight of the second */
} axis;

static void axis_bilinear(axis *a, float start, float length, int count, int limit, bool mirror)
{
    float step = length / (float)count;
    for (int i = 0; i < count; i++) {
        int at = mirror ? count - 1 - i : i;
        float position = start + ((float)at + 0.5f) * step - 0.5f;
        float whole = floorf(position);
        float index = !(whole >= 0.0f) ? -1.0f : whole > (float)limit ? (float)limit : whole;
        int first = (int)index;
        a->weight[i] = isfinite(position) ? position - whole : 0.0f;
        a->first[i] = first < 0 ? 0 : first >= limit ? limit - 1 : first;
        a->second[i] = first + 1 < 0 ? 0 : first + 1 >= limit ? limit - 1 : first + 1;
    }
}

/* One source row, resampled along x. */
static void row_across(const uint8_t *row, const axis *x, int count, int channels, float *restrict out)
{
    if (channels == 1) {
        for (int i = 0; i < count; i++) {
            float first = row[x->first[i]];
            out[i] = first + ((float)row[x->second[i]] - first) * x->weight[i];
        }
        return;
    }
    for (int i = 0; i < count; i++) {
        const uint8_t *p = row + 3 * x->first[i], *q = row + 3 * x->second[i];
        float w = x->weight[i];
        out[3 * i] = (float)p[0] + (float)(q[0] - p[0]) * w;
        out[3 * i + 1] = (float)p[1] + (float)(q[1] - p[1]) * w;
        out[3 * i + 2] = (float)p[2] + (float)(q[2] - p[2]) * w;
    }
}

BF_CLONES static void row_blend(const float *restrict a, const float *restrict b, float weight, int count,
                                float *restrict out)
{
    for (int i = 0; i < count; i++)
        out[i] = a[i] + (b[i] - a[i]) * weight;
}

/* Writes one target row. `line` has the image's channels; the tensor's may differ (RGB to BGR or grey). */
BF_CLONES static void row_store(const float *restrict line, int image_channels, const bf_tensor_spec *spec, int y,
                                float *restrict ret)
{
    int width = spec->width;
    size_t plane = (size_t)spec->width * (size_t)spec->height;
    for (int c = 0; c < spec->channels; c++) {
        int from = spec->order == BF_ORDER_BGR ? 2 - c : c;
        float gain = spec->scale / spec->std[c], shift = spec->mean[c] / spec->std[c];
        size_t step = spec->layout == BF_LAYOUT_NCHW ? 1 : (size_t)spec->channels;
        float *out = spec->layout == BF_LAYOUT_NCHW ? ret + (size_t)c * plane + (size_t)y * (size_t)width
                                                    : ret + (size_t)y * (size_t)width * step + (size_t)c;
        if (image_channels == 3 && spec->order == BF_ORDER_GREY) {
            for (int x = 0; x < width; x++)
                out[(size_t)x * step] =
                    (0.299f * line[3 * x] + 0.587f * line[3 * x + 1] + 0.114f * line[3 * x + 2]) * gain - shift;
        } else if (image_channels == 3) {
            for (int x = 0; x < width; x++)
                out[(size_t)x * step] = line[3 * x + from] * gain - shift;
        } else {
            for (int x = 0; x < width; x++)
                out[(size_t)x * step] = line[x] * gain - shift;
        }
    }
}

static void tensor_bilinear(const bf_image *image, bf_rect source, bool mirror, const bf_tensor_spec *spec, float *ret)
{
    axis x, y;
    float above[LINE_FLOATS], below[LINE_FLOATS], line[LINE_FLOATS];
    float *upper = above, *lower = below;
    int upper_row = -1, lower_row = -1;
    axis_bilinear(&x, source.x0, bf_rect_width(source), spec->width, image->width, mirror);
    axis_bilinear(&y, source.y0, bf_rect_height(source), spec->height, image->height, false);
    for (int i = 0; i < spec->height; i++) {
        if (upper_row != y.first[i] && lower_row == y.first[i]) {
            float *swap = upper;
            upper = lower;
            lower = swap;
            lower_row = upper_row;
            upper_row = y.first[i];
        }
        if (upper_row != y.first[i]) {
            upper_row = y.first[i];
            row_across(image->pixels + (size_t)upper_row * image->stride, &x, spec->width, image->channels, upper);
        }
        if (lower_row != y.second[i]) {
            lower_row = y.second[i];
            row_across(image->pixels + (size_t)lower_row * image->stride, &x, spec->width, image->channels, lower);
        }
        row_blend(upper, lower, y.weight[i], spec->width * image->channels, line);
        row_store(line, image->channels, spec, i, ret);
    }
}

/* The source interval [from, to) of each target sample along one axis: inside the image and never empty. */
typedef struct area_axis {
    float from[BF_TENSOR_SIDE_MAX];
    float to[BF_TENSOR_SIDE_MAX];
} area_axis;

static float clamp_position(float position, int limit)
{
    return !(position > 0.0f) ? 0.0f : position > (float)limit ? (float)limit : position;
}

static void axis_area(area_axis *a, float start, float length, int count, int limit)
{
    for (int i = 0; i < count; i++) {
        float from = clamp_position(start + (float)i * length / (float)count, limit);
        float to = clamp_position(start + (float)(i + 1) * length / (float)count, limit);
        if (!(to - from > 1e-3f)) {
            from = from > (float)(limit - 1) ? (float)(limit - 1) : floorf(from);
            to = from + 1.0f;
        }
        a->from[i] = from;
        a->to[i] = to;
    }
}

/* Adds one source row, times `weight`, into the sums of the target columns. */
static void row_accumulate(const uint8_t *row, const area_axis *x, int count, int channels, float weight, float *sums)
{
    for (int i = 0; i < count; i++) {
        int end = (int)ceilf(x->to[i]);
        for (int at = (int)x->from[i]; at < end; at++) {
            float left = (float)at > x->from[i] ? (float)at : x->from[i];
            float right = (float)(at + 1) < x->to[i] ? (float)(at + 1) : x->to[i];
            float share = (right - left) * weight;
            for (int c = 0; c < channels; c++)
                sums[channels * i + c] += (float)row[channels * at + c] * share;
        }
    }
}

static void line_mirror(float *line, int count, int channels)
{
    for (int i = 0; i < count / 2; i++) {
        for (int c = 0; c < channels; c++) {
            float swap = line[channels * i + c];
            line[channels * i + c] = line[channels * (count - 1 - i) + c];
            line[channels * (count - 1 - i) + c] = swap;
        }
    }
}

static void tensor_area(const bf_image *image, bf_rect source, bool mirror, const bf_tensor_spec *spec, float *ret)
{
    area_axis across, down;
    float sums[LINE_FLOATS];
    axis_area(&across, source.x0, bf_rect_width(source), spec->width, image->width);
    axis_area(&down, source.y0, bf_rect_height(source), spec->height, image->height);
    int channels = image->channels;
    for (int i = 0; i < spec->height; i++) {
        memset(sums, 0, sizeof(float) * (size_t)(spec->width * channels));
        int end = (int)ceilf(down.to[i]);
        for (int y = (int)down.from[i]; y < end; y++) {
            float top = (float)y > down.from[i] ? (float)y : down.from[i];
            float bottom = (float)(y + 1) < down.to[i] ? (float)(y + 1) : down.to[i];
            row_accumulate(image->pixels + (size_t)y * image->stride, &across, spec->width, channels, bottom - top,
                           sums);
        }
        for (int x = 0; x < spec->width; x++) {
            for (int c = 0; c < channels; c++)
                sums[channels * x + c] /= (across.to[x] - across.from[x]) * (down.to[i] - down.from[i]);
        }
        if (mirror)
            line_mirror(sums, spec->width, channels);
        row_store(sums, channels, spec, i, ret);
    }
}

void bf_tensor_from_rect(const bf_image *image, bf_rect source, bool mirror, const bf_tensor_spec *spec, float *ret)
{
    if (spec->resample == BF_RESAMPLE_AREA)
        tensor_area(image, source, mirror, spec, ret);
    else
        tensor_bilinear(image, source, mirror, spec, ret);
}

static int clamp_index(float value, int limit)
{
    if (!(value > 0.0f))
        return 0;
    return value < (float)(limit - 1) ? (int)value : limit - 1;
}

static void sample_point(const bf_image *image, bf_point at, float *ret)
{
    float fx = floorf(at.x), fy = floorf(at.y);
    int x0 = clamp_index(fx, image->width), x1 = clamp_index(fx + 1, image->width);
    int y0 = clamp_index(fy, image->height), y1 = clamp_index(fy + 1, image->height);
    float wx = at.x - fx, wy = at.y - fy;
    int n = image->channels;
    const uint8_t *upper = image->pixels + (size_t)y0 * image->stride;
    const uint8_t *lower = image->pixels + (size_t)y1 * image->stride;
    for (int c = 0; c < n; c++) {
        float a = (float)upper[n * x0 + c], b = (float)upper[n * x1 + c];
        float d = (float)lower[n * x0 + c], e = (float)lower[n * x1 + c];
        float top = a + (b - a) * wx, bottom = d + (e - d) * wx;
        ret[c] = top + (bottom - top) * wy;
    }
}

void bf_tensor_from_affine(const bf_image *image, bf_affine to_image, const bf_tensor_spec *spec, float *ret)
{
    float line[LINE_FLOATS];
    for (int y = 0; y < spec->height; y++) {
        for (int x = 0; x < spec->width; x++) {
            bf_point at = bf_affine_apply(to_image, (bf_point){(float)x, (float)y});
            sample_point(image, at, line + image->channels * x);
        }
        row_store(line, image->channels, spec, y, ret);
    }
}
