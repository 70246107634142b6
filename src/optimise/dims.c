/* Shapes of values, as far as they follow from the graph's inputs, its constants and the operators known here. */
#include <string.h>

#include "base/limits.h"
#include "optimise/graph.h"

#define SIDE_MAX (1 << 24) /* larger dimensions are taken for unknown, so that arithmetic cannot overflow */

static const bf_dims unknown = {.rank = -1};

static int64_t sane(int64_t dim)
{
    return dim >= 0 && dim <= SIDE_MAX ? dim : -1;
}

static bf_dims of_input(const Onnx__ValueInfoProto *info)
{
    bf_dims dims = unknown;
    const Onnx__TypeProto *type = info->type;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !type->tensor_type->shape ||
        type->tensor_type->shape->n_dim > BF_DIMS_RANK_MAX)
        return dims;
    const Onnx__TensorShapeProto *shape = type->tensor_type->shape;
    dims.rank = (int)shape->n_dim;
    for (int i = 0; i < dims.rank; i++) {
        const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
        dims.dim[i] = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? sane(d->dim_value) : -1;
    }
    return dims;
}

static bf_dims of_constant(const Onnx__TensorProto *t)
{
    bf_dims dims = unknown;
    if (t->n_dims > BF_DIMS_RANK_MAX)
        return dims;
    dims.rank = (int)t->n_dims;
    for (int i = 0; i < dims.rank; i++)
        dims.dim[i] = sane(t->dims[i]);
    return dims;
}

static const bf_dims *input_dims(const bf_graph *g, int node, int slot)
{
    int value = bf_graph_input(g, node, slot);
    return value < 0 ? &unknown : &g->values[value].dims;
}

/* Two numbers of an attribute, for height and width. */
static void read_pair(const Onnx__NodeProto *node, const char *name, int64_t otherwise, int64_t ret[2])
{
    const Onnx__AttributeProto *a = bf_node_attribute(node, name);
    for (int i = 0; i < 2; i++)
        ret[i] = !a ? otherwise : a->n_ints == 2 ? sane(a->ints[i]) : -1;
}

/* Height and width after a window of `kernel` has moved over the input; -1 where that is not plain. */
static void slide(const Onnx__NodeProto *node, const bf_dims *in, const int64_t kernel[2], bf_dims *out)
{
    int64_t stride[2], dilation[2];
    read_pair(node, "strides", 1, stride);
    read_pair(node, "dilations", 1, dilation);
    const Onnx__AttributeProto *pads = bf_node_attribute(node, "pads"), *mode = bf_node_attribute(node, "auto_pad");
    bool plain = (!mode || (mode->s.len == 6 && memcmp(mode->s.data, "NOTSET", 6) == 0)) &&
                 (!pads || pads->n_ints == 4) && bf_node_int(node, "ceil_mode", 0) == 0;
    for (int i = 0; i < 2; i++) {
        int64_t before = pads && plain ? sane(pads->ints[i]) : 0, after = pads && plain ? sane(pads->ints[i + 2]) : 0;
        out->dim[2 + i] = -1;
        if (!plain || before < 0 || after < 0 || in->dim[2 + i] < 0 || kernel[i] < 1 || stride[i] < 1 ||
            dilation[i] < 1)
            continue;
        int64_t room = in->dim[2 + i] + before + after - ((kernel[i] - 1) * dilation[i] + 1);
        out->dim[2 + i] = room >= 0 ? room / stride[i] + 1 : -1;
    }
}

static bf_dims of_conv(const bf_graph *g, int node)
{
    const bf_dims *in = input_dims(g, node, 0), *weights = input_dims(g, node, 1);
    if (in->rank != 4 || weights->rank != 4)
        return unknown;
    bf_dims out = {.rank = 4, .dim = {in->dim[0], weights->dim[0]}};
    slide(bf_graph_node(g, node), in, &weights->dim[2], &out);
    return out;
}

static bf_dims of_pool(const bf_graph *g, int node)
{
    const bf_dims *in = input_dims(g, node, 0);
    int64_t kernel[2];
    if (in->rank != 4)
        return unknown;
    bf_dims out = {.rank = 4, .dim = {in->dim[0], in->dim[1]}};
    read_pair(bf_graph_node(g, node), "kernel_shape", -1, kernel);
    slide(bf_graph_node(g, node), in, kernel, &out);
    return out;
}

static bf_dims of_global_pool(const bf_graph *g, int node)
{
    const bf_dims *in = input_dims(g, node, 0);
    return in->rank == 4 ? (bf_dims){.rank = 4, .dim = {in->dim[0], in->dim[1], 1, 1}} : unknown;
}

/* The two shapes stretched over each other, as ONNX (and numpy) does for operators of two operands. */
static bf_dims of_pairwise(const bf_graph *g, int node)
{
    const bf_dims *a = input_dims(g, node, 0), *b = input_dims(g, node, 1);
    if (a->rank < 0 || b->rank < 0)
        return unknown;
    bf_dims out = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < out.rank; i++) {
        int from_a = i - (out.rank - a->rank), from_b = i - (out.rank - b->rank);
        int64_t x = from_a < 0 ? 1 : a->dim[from_a], y = from_b < 0 ? 1 : b->dim[from_b];
        out.dim[i] = x == 1 ? y : y == 1 || x == y ? x : -1;
    }
    return out;
}

static bf_dims of_concat(const bf_graph *g, int node)
{
    bf_dims out = *input_dims(g, node, 0);
    int64_t axis = bf_node_int(bf_graph_node(g, node), "axis", 0);
    axis = axis < 0 ? axis + out.rank : axis;
    if (axis < 0 || axis >= out.rank)
        return unknown;
    for (int i = 1; i < bf_graph_input_count(g, node); i++) {
        const bf_dims *in = input_dims(g, node, i);
        if (in->rank != out.rank)
            return unknown;
        for (int k = 0; k < out.rank; k++)
            if (k == axis)
                out.dim[k] = out.dim[k] < 0 || in->dim[k] < 0 ? -1 : sane(out.dim[k] + in->dim[k]);
            else if (out.dim[k] != in->dim[k])
                out.dim[k] = -1;
    }
    return out;
}

const int64_t *bf_graph_split_sizes(const bf_graph *g, int node, size_t *ret_count)
{
    if (g->opset >= 13)
        return bf_constant_ints(bf_graph_constant(g, node, 1), ret_count);
    const Onnx__AttributeProto *a = bf_node_attribute(bf_graph_node(g, node), "split");
    if (!a)
        return NULL;
    *ret_count = a->n_ints;
    return a->ints;
}

static void infer_split(bf_graph *g, int node)
{
    size_t count;
    bf_dims dims = *input_dims(g, node, 0);
    const int64_t *sizes = bf_graph_split_sizes(g, node, &count);
    int64_t axis = bf_node_int(bf_graph_node(g, node), "axis", 0);
    axis = axis < 0 ? axis + dims.rank : axis;
    if (!sizes || axis < 0 || axis >= dims.rank || count != (size_t)bf_graph_output_count(g, node))
        return;
    for (int i = 0; i < bf_graph_output_count(g, node); i++) {
        int value = bf_graph_output(g, node, i);
        dims.dim[axis] = sane(sizes[i]);
        if (value >= 0)
            g->values[value].dims = dims;
    }
}

static bf_dims of_reshape(const bf_graph *g, int node)
{
    size_t count;
    const bf_dims *in = input_dims(g, node, 0);
    const int64_t *wanted = bf_constant_ints(bf_graph_constant(g, node, 1), &count);
    if (!wanted || count > BF_DIMS_RANK_MAX || in->rank < 0 || bf_node_int(bf_graph_node(g, node), "allowzero", 0) != 0)
        return unknown;
    bf_dims out = {.rank = (int)count};
    int open = -1;
    int64_t have = 1, given = 1;
    for (int i = 0; i < in->rank; i++)
        have = in->dim[i] < 0 || have < 0 ? -1 : sane(have * in->dim[i]);
    for (int i = 0; i < out.rank; i++) {
        out.dim[i] = wanted[i] == 0 && i < in->rank ? in->dim[i] : sane(wanted[i]);
        if (wanted[i] == -1)
            open = i;
        else
            given = given < 0 || out.dim[i] < 0 ? -1 : sane(given * out.dim[i]);
    }
    if (open >= 0 && have >= 0 && given > 0)
        out.dim[open] = have / given;
    return out;
}

static bf_dims of_transpose(const bf_graph *g, int node)
{
    const bf_dims *in = input_dims(g, node, 0);
    const Onnx__AttributeProto *order = bf_node_attribute(bf_graph_node(g, node), "perm");
    if (in->rank < 0 || !order || order->n_ints != (size_t)in->rank)
        return unknown;
    bf_dims out = {.rank = in->rank};
    for (int i = 0; i < in->rank; i++) {
        if (order->ints[i] < 0 || order->ints[i] >= in->rank)
            return unknown;
        out.dim[i] = in->dim[order->ints[i]];
    }
    return out;
}

static bf_dims of_first_output(const bf_graph *g, int node)
{
    static const char *const same[] = {"Relu",     "PRelu",   "LeakyRelu",   "Sigmoid",   "Tanh",
                                       "Clip",     "Elu",     "HardSigmoid", "HardSwish", "BatchNormalization",
                                       "Identity", "Dropout", "Softmax",     "Exp",       NULL};
    static const char *const pairwise[] = {"Add", "Sub", "Mul", "Div", NULL};
    static const char *const pool[] = {"MaxPool", "AveragePool", NULL};
    static const char *const global[] = {"GlobalAveragePool", "GlobalMaxPool", NULL};
    const Onnx__NodeProto *n = bf_graph_node(g, node);
    if (bf_node_is_any(n, same))
        return *input_dims(g, node, 0);
    if (bf_node_is_any(n, pairwise))
        return of_pairwise(g, node);
    if (bf_node_is(n, "Conv"))
        return of_conv(g, node);
    if (bf_node_is_any(n, pool))
        return of_pool(g, node);
    if (bf_node_is_any(n, global))
        return of_global_pool(g, node);
    if (bf_node_is(n, "Concat"))
        return of_concat(g, node);
    if (bf_node_is(n, "Reshape"))
        return of_reshape(g, node);
    return bf_node_is(n, "Transpose") ? of_transpose(g, node) : unknown;
}

void bf_graph_infer_dims(bf_graph *g)
{
    const Onnx__GraphProto *graph = g->model->graph;
    for (int v = 0; v < g->value_count; v++)
        g->values[v].dims = g->values[v].constant ? of_constant(g->values[v].constant) : unknown;
    for (size_t i = 0; i < graph->n_input; i++)
        g->values[bf_graph_find(g, graph->input[i]->name)].dims = of_input(graph->input[i]);
    for (int n = 0; n < g->node_count; n++) {
        int value = bf_graph_output(g, n, 0);
        if (bf_node_is(bf_graph_node(g, n), "Split"))
            infer_split(g, n);
        else if (value >= 0)
            g->values[value].dims = of_first_output(g, n);
    }
}
