#include "image/tensor.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/limits.h"

/* How a resampled pixel becomes the tensor's channels: gain and shift by the picture's R, G, B. */
typedef struct writer {
    bf_float4 gain, shift;
    float *plane[3]; /* where the picture's R, G, B go; [0] only for luma */
    size_t step;     /* floats from one pixel to the next */
    bool luma;
} writer;

static writer writer_for(const bf_tensor_spec *spec, float *ret)
{
    writer w = {.luma = spec->order == BF_ORDER_GREY};
    size_t plane = (size_t)spec->width * (size_t)spec->height;
    w.step = spec->layout == BF_LAYOUT_NCHW ? 1 : (size_t)spec->channels;
    for (int c = 0; c < 3; c++) {
        int at = w.luma ? 0 : spec->order == BF_ORDER_BGR ? 2 - c : c;
        w.gain[c] = spec->scale / spec->std[at];
        w.shift[c] = spec->mean[at] / spec->std[at];
        w.plane[c] = ret + (spec->layout == BF_LAYOUT_NCHW ? (size_t)at * plane : (size_t)at);
    }
    return w;
}

/* By value: stores through the planes could otherwise alias the writer, which would be read again for each pixel. */
static inline void write_pixel(const writer w, size_t index, bf_float4 rgb)
{
    if (w.luma) {
        float luma = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
        w.plane[0][index * w.step] = luma * w.gain[0] - w.shift[0];
        return;
    }
    bf_float4 value = rgb * w.gain - w.shift;
    w.plane[0][index * w.step] = value[0];
    w.plane[1][index * w.step] = value[1];
    w.plane[2][index * w.step] = value[2];
}

/* One axis of a bilinear sample: the two source indices, kept inside, and the weight of the second. */
typedef struct tap {
    int first, second;
    float weight;
} tap;

static inline tap tap_at(float position, int limit)
{
    float whole = floorf(position);
    int first = !(whole >= 0.0f) ? -1 : whole < (float)limit ? (int)whole : limit;
    tap t = {.weight = isfinite(position) ? position - whole : 0.0f};
    t.first = first < 0 ? 0 : first >= limit ? limit - 1 : first;
    t.second = first + 1 >= limit ? limit - 1 : first + 1;
    return t;
}

static inline bf_float4 load_pixel(const uint8_t *p)
{
    int four;
    memcpy(&four, p, sizeof four);
    bf_byte16 bytes = (bf_byte16)(bf_int4){four};
    return bf_float4_from_bytes(bytes);
}

static inline bf_float4 sample(const uint8_t *upper, const uint8_t *lower, tap x, float weight_y)
{
    bf_float4 a = load_pixel(upper + 3 * x.first), b = load_pixel(upper + 3 * x.second);
    bf_float4 c = load_pixel(lower + 3 * x.first), d = load_pixel(lower + 3 * x.second);
    bf_float4 top = a + (b - a) * x.weight, bottom = c + (d - c) * x.weight;
    return top + (bottom - top) * weight_y;
}

static void row_from_rect(const uint8_t *upper, const uint8_t *lower, const tap *x, float weight_y, int width,
                          size_t index, const writer w)
{
    for (int i = 0; i < width; i++)
        write_pixel(w, index + (size_t)i, sample(upper, lower, x[i], weight_y));
}

void bf_tensor_from_rect(const bf_image *image, bf_rect source, bool mirror, const bf_tensor_spec *spec, float *ret)
{
    assert(image->channels == 3 && spec->width <= BF_TENSOR_SIDE_MAX);
    tap x[BF_TENSOR_SIDE_MAX];
    float step_x = bf_rect_width(source) / (float)spec->width, step_y = bf_rect_height(source) / (float)spec->height;
    for (int i = 0; i < spec->width; i++) {
        int at = mirror ? spec->width - 1 - i : i;
        x[i] = tap_at(source.x0 + ((float)at + 0.5f) * step_x - 0.5f, image->width);
    }
    writer w = writer_for(spec, ret);
    for (int i = 0; i < spec->height; i++) {
        tap y = tap_at(source.y0 + ((float)i + 0.5f) * step_y - 0.5f, image->height);
        row_from_rect(image->pixels + (size_t)y.first * image->stride, image->pixels + (size_t)y.second * image->stride,
                      x, y.weight, spec->width, (size_t)i * (size_t)spec->width, w);
    }
}

static void row_from_affine(const bf_image *image, bf_affine m, int row, int width, const writer w)
{
    for (int i = 0; i < width; i++) {
        tap x = tap_at(m.a * (float)i + m.b * (float)row + m.c, image->width);
        tap y = tap_at(m.d * (float)i + m.e * (float)row + m.f, image->height);
        const uint8_t *upper = image->pixels + (size_t)y.first * image->stride;
        const uint8_t *lower = image->pixels + (size_t)y.second * image->stride;
        write_pixel(w, (size_t)row * (size_t)width + (size_t)i, sample(upper, lower, x, y.weight));
    }
}

void bf_tensor_from_affine(const bf_image *image, bf_affine to_image, const bf_tensor_spec *spec, float *ret)
{
    assert(image->channels == 3);
    writer w = writer_for(spec, ret);
    for (int i = 0; i < spec->height; i++)
        row_from_affine(image, to_image, i, spec->width, w);
}
