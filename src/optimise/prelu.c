/* PRelu(x) = max(x, 0) + a min(x, 0), with one slope a per channel, has no kernel for the blocked layout (NCHWc) in
 * which ONNX Runtime keeps a row of convolutions: each PRelu makes it unpack and repack the tensor. Relu, depthwise
 * convolutions and sums all stay in that layout, and
 *
 *     PRelu(x) = a x + (1 - a) Relu(x)                                for every a           (1)
 *     PRelu(x) = a x + Relu((1 - a) x)                                for a <= 1            (2)
 *     PRelu(x) = Relu(x) + (-a) Relu(-x)                              for every a           (3)
 *
 * where a factor per channel is a depthwise convolution of size 1x1. When all readers are convolutions, (1) is
 * divided by (1 - a), which goes into their weights: that leaves one Relu and one depthwise convolution, with which
 * the runtime fuses the sum. (2) takes two depthwise convolutions, one with fused Relu. (3) takes three steps but
 * rounds nothing: it serves where slopes are so large, or so near 1, that the others would lose digits. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "optimise/passes.h"

#define SLOPE_MAX 8.0f      /* larger |a|: (1) and (2) subtract nearly equal numbers */
#define SCALE_MIN 0.015625f /* smaller |1 - a|: the division in (1) makes inner values huge */

typedef struct activation {
    int node, input, output;
    int64_t channels;
    const float *slopes;
    size_t step; /* 0 when one slope serves all channels */
} activation;

static float slope(const activation *p, int64_t channel)
{
    return p->slopes[p->step * (size_t)channel];
}

/* Writes one factor per channel and gives the name of the weights that apply it. */
static const char *add_factors(bf_graph *g, const activation *p, float (*factor)(float slope))
{
    int64_t dims[4] = {p->channels, 1, 1, 1};
    float *data = NULL;
    const char *name = bf_graph_add_floats(g, dims, 4, &data);
    for (int64_t c = 0; name && c < p->channels; c++)
        data[c] = factor(slope(p, c));
    return name;
}

static void add_depthwise(bf_graph *g, const activation *p, const char *input, float (*factor)(float slope),
                          const char *output)
{
    static const int64_t ones[2] = {1, 1}, zeros[4] = {0};
    const char *inputs[2] = {input, add_factors(g, p, factor)}, *outputs[1] = {output};
    Onnx__NodeProto *node = bf_graph_add_node(g, "Conv", inputs, 2, outputs, 1);
    bf_graph_set_ints(g, node, "dilations", ones, 2);
    bf_graph_set_int(g, node, "group", p->channels);
    bf_graph_set_ints(g, node, "kernel_shape", ones, 2);
    bf_graph_set_ints(g, node, "pads", zeros, 4);
    bf_graph_set_ints(g, node, "strides", ones, 2);
}

static void add_unary(bf_graph *g, const char *op, const char *input, const char *output)
{
    (void)bf_graph_add_node(g, op, (const char *const[]){input}, 1, (const char *const[]){output}, 1);
}

static void add_sum(bf_graph *g, const char *a, const char *b, const char *output)
{
    (void)bf_graph_add_node(g, "Add", (const char *const[]){a, b}, 2, (const char *const[]){output}, 1);
}

static float itself(float a)
{
    return a;
}

static float negated(float a)
{
    return -a;
}

static float minus_one(float a)
{
    (void)a;
    return -1;
}

static float rest(float a)
{
    return (float)(1 - (double)a);
}

static float share(float a)
{
    return (float)((double)a / (1 - (double)a));
}

/* A convolution's input value in channel c is input c of every filter (one group) or all of filter c (depthwise). */
static bool is_depthwise(const Onnx__NodeProto *conv, const Onnx__TensorProto *weights, int64_t channels)
{
    return bf_node_int(conv, "group", 1) == channels && weights->dims[0] == channels && weights->dims[1] == 1;
}

/* Whether a factor per channel can go into the weights of what reads the value through this use. */
static bool reader_takes_factors(const bf_graph *g, bf_graph_use use, int64_t channels)
{
    const Onnx__NodeProto *n = bf_graph_node(g, use.node);
    const Onnx__TensorProto *weights = bf_graph_constant(g, use.node, 1);
    size_t count;
    if (!bf_node_is(n, "Conv") || use.slot != 0 || !bf_constant_floats(weights, &count) || weights->n_dims != 4)
        return false;
    return is_depthwise(n, weights, channels) || (bf_node_int(n, "group", 1) == 1 && weights->dims[1] == channels);
}

static bool readers_take_factors(const bf_graph *g, const activation *p)
{
    const bf_graph_value *value = &g->values[p->output];
    if (value->is_output || value->use_count == 0)
        return false;
    for (int i = 0; i < value->use_count; i++)
        if (!reader_takes_factors(g, g->uses[value->use_first + i], p->channels))
            return false;
    return true;
}

/* Multiplies the weights of a reading convolution by (1 - a) of each input channel. */
static void scale_reader(bf_graph *g, const activation *p, int conv)
{
    Onnx__NodeProto *n = bf_graph_node(g, conv);
    const Onnx__TensorProto *old = bf_graph_constant(g, conv, 1);
    size_t count;
    const float *from = bf_constant_floats(old, &count);
    float *to = NULL;
    const char *name = bf_graph_add_floats(g, old->dims, 4, &to);
    if (!name)
        return;
    size_t area = (size_t)(old->dims[2] * old->dims[3]);
    bool depthwise = is_depthwise(n, old, p->channels);
    for (size_t i = 0; i < count; i++) {
        int64_t channel = (int64_t)(i / area) % (depthwise ? old->dims[0] : old->dims[1]);
        to[i] = (float)((double)from[i] * (1 - (double)slope(p, channel)));
    }
    bf_graph_set_input(g, n, 1, name);
}

typedef enum form { FORM_DIVIDED, FORM_TWO_FACTORS, FORM_EXACT } form;

static form choose_form(const bf_graph *g, const activation *p)
{
    bool divided = readers_take_factors(g, p), two_factors = true;
    for (int64_t c = 0; c < p->channels; c++) {
        float a = slope(p, c);
        bool moderate = fabsf(a) <= SLOPE_MAX;
        divided = divided && moderate && fabsf(1 - a) >= SCALE_MIN;
        two_factors = two_factors && moderate && a <= 1;
    }
    return divided ? FORM_DIVIDED : two_factors ? FORM_TWO_FACTORS : FORM_EXACT;
}

static void rewrite(bf_graph *g, const activation *p)
{
    form chosen = choose_form(g, p);
    const char *x = g->values[p->input].name, *y = g->values[p->output].name;
    char first[BF_FRESH_NAME_SIZE], second[BF_FRESH_NAME_SIZE], third[BF_FRESH_NAME_SIZE], fourth[BF_FRESH_NAME_SIZE];
    bf_graph_fresh_name(g, first);
    bf_graph_fresh_name(g, second);
    bf_graph_fresh_name(g, third);
    bf_graph_fresh_name(g, fourth);
    if (chosen == FORM_DIVIDED) {
        const bf_graph_value *value = &g->values[p->output];
        for (int i = 0; i < value->use_count; i++)
            scale_reader(g, p, g->uses[value->use_first + i].node);
        add_unary(g, "Relu", x, first);
        add_depthwise(g, p, x, share, second);
        add_sum(g, second, first, y);
    } else if (chosen == FORM_TWO_FACTORS) {
        add_depthwise(g, p, x, rest, first);
        add_unary(g, "Relu", first, second);
        add_depthwise(g, p, x, itself, third);
        add_sum(g, third, second, y);
    } else {
        add_unary(g, "Relu", x, first);
        add_depthwise(g, p, x, minus_one, second);
        add_unary(g, "Relu", second, third);
        add_depthwise(g, p, third, negated, fourth);
        add_sum(g, first, fourth, y);
    }
}

/* Whether a node is a PRelu over [N,C,H,W] with known C and slopes. */
static bool read_activation(const bf_graph *g, int node, activation *ret)
{
    activation p = {.node = node, .input = bf_graph_input(g, node, 0), .output = bf_graph_output(g, node, 0)};
    if (!bf_node_is(bf_graph_node(g, node), "PRelu") || p.input < 0 || p.output < 0)
        return false;
    const bf_dims *dims = &g->values[p.input].dims;
    if (dims->rank != 4 || dims->dim[1] < 1)
        return false;
    p.channels = dims->dim[1];
    p.slopes = bf_constant_per_channel(bf_graph_constant(g, node, 1), p.channels, &p.step);
    for (int64_t c = 0; p.slopes && c < p.channels; c++)
        if (!isfinite(slope(&p, c)))
            return false;
    *ret = p;
    return p.slopes != NULL;
}

bf_status bf_pass_prelu(bf_graph *g, int *changes, bf_error *err)
{
    int before = *changes, count = g->node_count;
    for (int n = 0; n < count; n++) {
        activation p;
        if (!read_activation(g, n, &p))
            continue;
        rewrite(g, &p);
        ++*changes;
    }
    /* Only now, because the names of values live in the nodes that make them. */
    for (int n = 0; n < count; n++)
        if (read_activation(g, n, &(activation){0}))
            bf_graph_drop_node(g, n);
    return *changes > before ? bf_graph_rebuild(g, err) : BF_OK;
}
