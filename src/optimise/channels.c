#include "optimise/channels.h"

#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "optimise/per_channel.h"

static bool is_image_like(const bf_graph *g, int value)
{
    return value >= 0 && g->values[value].dims.rank == 4 && g->values[value].dims.dim[1] > 0;
}

static int64_t channels_of(const bf_graph *g, int value)
{
    return g->values[value].dims.dim[1];
}

static bool is_number(const Onnx__TensorProto *t)
{
    size_t count;
    return bf_constant_floats(t, &count) && count == 1;
}

/* Weights [O,I/groups,h,w] and bias [O] must be constants. */
static bf_channel_role conv_role(const bf_graph *g, int node)
{
    const Onnx__TensorProto *weights = bf_graph_constant(g, node, 1), *bias = bf_graph_constant(g, node, 2);
    size_t count, bias_count;
    int in = bf_graph_input(g, node, 0);
    int64_t groups = bf_node_int(bf_graph_node(g, node), "group", 1);
    if (!bf_constant_floats(weights, &count) || weights->n_dims != 4 || !is_image_like(g, in))
        return BF_CHANNELS_UNKNOWN;
    if (bf_graph_input(g, node, 2) >= 0 &&
        (!bf_constant_floats(bias, &bias_count) || bias->n_dims != 1 || bias->dims[0] != weights->dims[0]))
        return BF_CHANNELS_UNKNOWN;
    int64_t channels = channels_of(g, in);
    if (groups == 1 && weights->dims[1] == channels)
        return BF_CHANNELS_MIXED;
    return groups == channels && weights->dims[0] == channels && weights->dims[1] == 1 ? BF_CHANNELS_KEPT
                                                                                       : BF_CHANNELS_UNKNOWN;
}

/* Parameters in slots 1 up to `last` must be one number per channel. */
static bf_channel_role parameters_role(const bf_graph *g, int node, int last)
{
    size_t step;
    int64_t channels = channels_of(g, bf_graph_input(g, node, 0));
    for (int slot = 1; slot <= last; slot++)
        if (!bf_constant_per_channel(bf_graph_constant(g, node, slot), channels, &step))
            return BF_CHANNELS_UNKNOWN;
    return BF_CHANNELS_KEPT;
}

static bf_channel_role normalisation_role(const bf_graph *g, int node)
{
    const Onnx__NodeProto *n = bf_graph_node(g, node);
    int64_t channels = channels_of(g, bf_graph_input(g, node, 0));
    if (bf_graph_input_count(g, node) != 5 || bf_node_int(n, "training_mode", 0) != 0 ||
        bf_node_int(n, "spatial", 1) != 1)
        return BF_CHANNELS_UNKNOWN;
    for (int slot = 1; slot < 5; slot++) {
        size_t count;
        const Onnx__TensorProto *parameter = bf_graph_constant(g, node, slot);
        if (!bf_constant_floats(parameter, &count) || parameter->n_dims != 1 || parameter->dims[0] != channels)
            return BF_CHANNELS_UNKNOWN;
    }
    return BF_CHANNELS_KEPT;
}

/* Sums and products of two values with the same channels, or of one value and constants. */
static bf_channel_role pairwise_role(const bf_graph *g, int node)
{
    int a = bf_graph_input(g, node, 0), b = bf_graph_input(g, node, 1);
    if (a < 0 || b < 0 || bf_graph_input_count(g, node) != 2)
        return BF_CHANNELS_UNKNOWN;
    bool constant_a = g->values[a].constant != NULL, constant_b = g->values[b].constant != NULL;
    if (constant_a == constant_b)
        return !constant_a && is_image_like(g, a) && is_image_like(g, b) && channels_of(g, a) == channels_of(g, b)
                   ? BF_CHANNELS_KEPT
                   : BF_CHANNELS_UNKNOWN;
    size_t step;
    int value = constant_a ? b : a;
    const Onnx__TensorProto *constant = constant_a ? g->values[a].constant : g->values[b].constant;
    return is_image_like(g, value) && bf_constant_per_channel(constant, channels_of(g, value), &step)
               ? BF_CHANNELS_KEPT
               : BF_CHANNELS_UNKNOWN;
}

static bf_channel_role plain_role(const bf_graph *g, int node)
{
    static const char *const plain[] = {
        "Relu",    "LeakyRelu",   "Sigmoid",           "Tanh",          "Elu", "HardSigmoid", "HardSwish", "Identity",
        "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", NULL};
    const Onnx__NodeProto *n = bf_graph_node(g, node);
    if (bf_node_is_any(n, plain))
        return BF_CHANNELS_KEPT;
    if (bf_node_is(n, "PRelu"))
        return parameters_role(g, node, 1);
    if (bf_node_is(n, "BatchNormalization"))
        return normalisation_role(g, node);
    if (!bf_node_is(n, "Clip"))
        return BF_CHANNELS_UNKNOWN;
    for (int slot = 1; slot < bf_graph_input_count(g, node); slot++)
        if (bf_graph_input(g, node, slot) >= 0 && !is_number(bf_graph_constant(g, node, slot)))
            return BF_CHANNELS_UNKNOWN;
    return BF_CHANNELS_KEPT;
}

bf_channel_role bf_channels_role(const bf_graph *g, int node)
{
    static const char *const pairwise[] = {"Add", "Sub", "Mul", NULL};
    const Onnx__NodeProto *n = bf_graph_node(g, node);
    int out = bf_graph_output(g, node, 0);
    if (bf_graph_output_count(g, node) != 1 || !is_image_like(g, out))
        return BF_CHANNELS_UNKNOWN;
    if (bf_node_is(n, "Conv"))
        return conv_role(g, node);
    if (bf_node_is_any(n, pairwise))
        return pairwise_role(g, node);
    return is_image_like(g, bf_graph_input(g, node, 0)) ? plain_role(g, node) : BF_CHANNELS_UNKNOWN;
}

/* Representative of a value's group, with the path to it made shorter. */
static int find_root(int *parent, int value)
{
    while (parent[value] != value) {
        parent[value] = parent[parent[value]];
        value = parent[value];
    }
    return value;
}

static void join(int *parent, int a, int b)
{
    int x = find_root(parent, a), y = find_root(parent, b);
    /* The smaller number wins, so that groups do not depend on the order of joining. */
    if (x < y)
        parent[y] = x;
    else
        parent[x] = y;
}

static void join_values(const bf_graph *g, const bool *ignored, int *parent)
{
    for (int n = 0; n < g->node_count; n++) {
        if ((ignored && ignored[n]) || bf_channels_role(g, n) != BF_CHANNELS_KEPT)
            continue;
        int out = bf_graph_output(g, n, 0);
        for (int slot = 0; slot < bf_graph_input_count(g, n); slot++) {
            int in = bf_graph_input(g, n, slot);
            if (in >= 0 && !g->values[in].constant)
                join(parent, in, out);
        }
    }
}

static void numbering_is_seen(bf_channels *c, int value)
{
    if (value >= 0)
        c->groups[c->group_of[value]].is_free = false;
}

/* Finds out which groups are free: all values known, alike, made by convolutions, and read only by what is known. */
static void judge_groups(const bf_graph *g, const bool *ignored, bf_channels *c)
{
    for (int i = 0; i < c->group_count; i++)
        c->groups[i] = (bf_channel_group){.is_free = true, .channels = -1};
    for (int v = 0; v < g->value_count; v++) {
        bf_channel_group *group = &c->groups[c->group_of[v]];
        if (g->values[v].is_input || g->values[v].is_output || g->values[v].constant || !is_image_like(g, v))
            group->is_free = false;
        else if (group->channels < 0)
            group->channels = channels_of(g, v);
        else if (group->channels != channels_of(g, v))
            group->is_free = false;
    }
    for (int n = 0; n < g->node_count; n++) {
        if ((ignored && ignored[n]) || bf_channels_role(g, n) != BF_CHANNELS_UNKNOWN)
            continue;
        for (int slot = 0; slot < bf_graph_input_count(g, n); slot++)
            numbering_is_seen(c, bf_graph_input(g, n, slot));
        for (int slot = 0; slot < bf_graph_output_count(g, n); slot++)
            numbering_is_seen(c, bf_graph_output(g, n, slot));
    }
}

bf_status bf_channels_find(const bf_graph *g, const bool *ignored, bf_channels *ret, bf_error *err)
{
    BF_CLEANUP(bf_channels_done) bf_channels c = {0};
    size_t count = (size_t)g->value_count + 1;
    int *parent = bf_malloc(count * sizeof *parent);
    c.group_of = bf_malloc(count * sizeof *c.group_of);
    c.groups = bf_calloc(count, sizeof *c.groups);
    if (!parent || !c.group_of || !c.groups) {
        bf_free(parent);
        return bf_fail_memory(err);
    }
    for (int v = 0; v < g->value_count; v++)
        parent[v] = v;
    join_values(g, ignored, parent);
    /* A group's representative has its smallest number, so it is met first. */
    for (int v = 0; v < g->value_count; v++) {
        int root = find_root(parent, v);
        c.group_of[v] = root == v ? c.group_count++ : c.group_of[root];
    }
    bf_free(parent);
    judge_groups(g, ignored, &c);
    *ret = c;
    c = (bf_channels){0};
    return BF_OK;
}

void bf_channels_done(bf_channels *c)
{
    for (int i = 0; i < c->group_count; i++)
        bf_free(c->groups[i].layout);
    bf_free(c->groups);
    bf_free(c->group_of);
    *c = (bf_channels){0};
}

/* The group whose new numbering applies to a value, NULL when it keeps its own. */
static const bf_channel_group *changed_group(const bf_channels *c, int value)
{
    const bf_channel_group *group = value < 0 ? NULL : &c->groups[c->group_of[value]];
    return group && group->is_free && group->layout ? group : NULL;
}

static void apply_to_conv(bf_graph *g, const bf_channels *c, int node)
{
    const bf_channel_group *in = changed_group(c, bf_graph_input(g, node, 0));
    const bf_channel_group *out = changed_group(c, bf_graph_output(g, node, 0));
    bool depthwise = bf_channels_role(g, node) == BF_CHANNELS_KEPT;
    bf_relayout_weights(g, node, out, depthwise ? NULL : in);
    if (bf_graph_input(g, node, 2) >= 0 && out)
        bf_relayout_parameter(g, node, 2, out, 0);
    if (depthwise && out)
        bf_graph_set_int(g, bf_graph_node(g, node), "group", out->layout_size);
}

static void apply_to_parameters(bf_graph *g, const bf_channels *c, int node)
{
    const Onnx__NodeProto *n = bf_graph_node(g, node);
    const bf_channel_group *out = changed_group(c, bf_graph_output(g, node, 0));
    for (int slot = 0; out && slot < bf_graph_input_count(g, node); slot++)
        if (bf_graph_constant(g, node, slot))
            bf_relayout_parameter(g, node, slot, out, bf_node_is(n, "BatchNormalization") && slot == 4 ? 1 : 0);
}

void bf_channels_apply(bf_graph *g, const bf_channels *c, const bool *ignored)
{
    int count = g->node_count; /* nodes added since the index was built are not in it */
    for (int n = 0; n < count; n++) {
        const Onnx__NodeProto *node = bf_graph_node(g, n);
        if (!node || (ignored && ignored[n]) || bf_channels_role(g, n) == BF_CHANNELS_UNKNOWN)
            continue;
        if (bf_node_is(node, "Conv"))
            apply_to_conv(g, c, n);
        else
            apply_to_parameters(g, c, n);
    }
}
