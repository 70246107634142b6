/* Two networks, the same inputs: do they say the same? */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "infer/net.h"
#include "optimise/optimise.h"

/* Random inputs: two of each kind. */
typedef enum kind { KIND_NOISE, KIND_SOFT_NOISE, KIND_SLOPE, KIND_BLOCKS, KIND_COUNT } kind;
#define ROUNDS 2
#define SEED 0x626f6e6166696465u

typedef struct comparison {
    bf_net *nets[2];
    bf_net_run *runs[2];
    int outputs;
    double low[BF_MODEL_OUTPUTS_MAX], high[BF_MODEL_OUTPUTS_MAX], difference[BF_MODEL_OUTPUTS_MAX];
} comparison;

static void comparison_done(comparison *c)
{
    for (int i = 0; i < 2; i++) {
        bf_net_run_free(&c->runs[i]);
        bf_net_free(&c->nets[i]);
    }
}

/* SplitMix64 (Steele, Lea, Flood 2014): the same numbers everywhere. Gives 0..1. */
static double next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Value 0..255 of a synthetic picture at one place. `offset` and `slope` are the picture's own random numbers. */
static double pixel(kind k, double x, double y, double offset, double slope, uint64_t *state)
{
    switch (k) {
    case KIND_SOFT_NOISE:
        return 96 + 64 * offset + 32 * next_random(state);
    case KIND_SLOPE:
        return 255 * (0.5 + 0.5 * sin(6 * (slope - 0.5) * x + 6 * (offset - 0.5) * y + 6 * offset));
    case KIND_BLOCKS:
        return fmod(floor(x * (2 + 6 * slope)) + floor(y * (2 + 6 * offset)), 2) > 0 ? 255 * slope : 255 * offset;
    default:
        return 255 * next_random(state);
    }
}

/* Fills an input tensor as the manifest describes it. */
static void fill_random(const bf_tensor_spec *spec, kind k, uint64_t *state, float *ret)
{
    bool planar = spec->layout == BF_LAYOUT_NCHW;
    size_t area = (size_t)spec->width * (size_t)spec->height, channels = (size_t)spec->channels;
    for (size_t c = 0; c < channels; c++) {
        double offset = next_random(state), slope = next_random(state);
        for (size_t i = 0; i < area; i++) {
            size_t column = i % (size_t)spec->width, row = i / (size_t)spec->width;
            double x = (double)column / spec->width, y = (double)row / spec->height;
            double value = (pixel(k, x, y, offset, slope, state) * (double)spec->scale - (double)spec->mean[c]) /
                           (double)spec->std[c];
            ret[planar ? c * area + i : i * channels + c] = (float)value;
        }
    }
}

/* Runs both networks on the input that the first one's buffer holds. */
static bf_status compare_once(comparison *c, size_t floats, bf_error *err)
{
    memcpy(bf_net_input(c->runs[1]), bf_net_input(c->runs[0]), floats * sizeof(float));
    for (int i = 0; i < 2; i++) {
        bf_status status = bf_net_execute(c->runs[i], err);
        if (status != BF_OK)
            return status;
    }
    for (int k = 0; k < c->outputs; k++) {
        size_t count = 0, other_count = 0;
        const float *a = bf_net_output(c->runs[0], k, &count), *b = bf_net_output(c->runs[1], k, &other_count);
        if (count != other_count)
            return bf_fail(err, BF_MODEL_INVALID, "The rewritten network has outputs of another size.");
        for (size_t i = 0; i < count; i++) {
            c->low[k] = fmin(c->low[k], (double)a[i]);
            c->high[k] = fmax(c->high[k], (double)a[i]);
            c->difference[k] = fmax(c->difference[k], fabs((double)a[i] - (double)b[i]));
        }
    }
    return BF_OK;
}

static bf_status compare_all(comparison *c, const bf_tensor_spec *spec, const bf_optimise_sample *samples,
                             size_t sample_count, bf_error *err)
{
    size_t floats = (size_t)spec->width * (size_t)spec->height * (size_t)spec->channels;
    uint64_t state = SEED;
    bf_status status = BF_OK;
    for (int i = 0; i < ROUNDS * KIND_COUNT && status == BF_OK; i++) {
        fill_random(spec, (kind)(i % KIND_COUNT), &state, bf_net_input(c->runs[0]));
        status = compare_once(c, floats, err);
    }
    for (size_t i = 0; i < sample_count && status == BF_OK; i++) {
        memcpy(bf_net_input(c->runs[0]), samples[i].floats, floats * sizeof(float));
        status = compare_once(c, floats, err);
    }
    return status;
}

static double relative_difference(const comparison *c)
{
    double worst = 0;
    for (int k = 0; k < c->outputs; k++) {
        double range = c->high[k] - c->low[k];
        /* An output that never changes has no range: its size stands in. */
        range = range > 0 ? range : fmax(fabs(c->high[k]), 1e-30);
        worst = fmax(worst, c->difference[k] / range);
    }
    return worst;
}

bf_status bf_optimise_check(const bf_manifest *manifest, const bf_bytes *original, const bf_bytes *optimised,
                            const bf_optimise_sample *samples, size_t sample_count, double *ret_difference,
                            bf_error *err)
{
    BF_CLEANUP(comparison_done) comparison c = {.outputs = manifest->output_count};
    const bf_bytes *files[2] = {original, optimised};
    for (int i = 0; i < 2; i++) {
        bf_status status = bf_net_load(manifest, files[i]->data, files[i]->size, &c.nets[i], err);
        if (status == BF_OK)
            status = bf_net_run_new(c.nets[i], &c.runs[i], err);
        if (status != BF_OK)
            return status;
    }
    for (int k = 0; k < c.outputs; k++) {
        c.low[k] = HUGE_VAL;
        c.high[k] = -HUGE_VAL;
    }
    bf_status status = compare_all(&c, &manifest->input, samples, sample_count, err);
    if (status != BF_OK)
        return status;
    *ret_difference = relative_difference(&c);
    if (*ret_difference <= BF_OPTIMISE_DIFFERENCE_MAX)
        return BF_OK;
    bf_fail(err, BF_MODEL_INVALID, "The rewritten network %s does not compute what the published one does.",
            manifest->name);
    bf_fail_detail(err, "Outputs differ by %.3g of their range; %.3g is allowed.", *ret_difference,
                   BF_OPTIMISE_DIFFERENCE_MAX);
    return BF_MODEL_INVALID;
}
