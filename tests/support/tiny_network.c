#include "support/tiny_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 4000

struct tiny_network {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    void *parts[PARTS_MAX];
    int part_count;
    int names;
    int opset;
    uint32_t random;
};

void *tiny_memory(tiny_network *net, size_t size)
{
    void *part = calloc(1, size ? size : 1);
    if (!part || net->part_count == PARTS_MAX)
        abort();
    return net->parts[net->part_count++] = part;
}

static char *copy_text(tiny_network *net, const char *text)
{
    char *copy = tiny_memory(net, strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static char *new_name(tiny_network *net)
{
    char text[16];
    (void)snprintf(text, sizeof text, "v%d", net->names++);
    return copy_text(net, text);
}

static float next_weight(tiny_network *net)
{
    net->random = net->random * 1664525u + 1013904223u;
    return (float)(net->random >> 8) / 8388608.0f - 1.0f;
}

static Onnx__ValueInfoProto *describe(tiny_network *net, const char *name, const int64_t *dims, int rank)
{
    Onnx__ValueInfoProto *info = tiny_memory(net, sizeof *info);
    Onnx__TypeProto *type = tiny_memory(net, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = tiny_memory(net, sizeof *tensor);
    Onnx__TensorShapeProto *shape = tiny_memory(net, sizeof *shape);
    onnx__value_info_proto__init(info);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    shape->dim = tiny_memory(net, (size_t)rank * sizeof(*shape->dim));
    for (int i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *d = tiny_memory(net, sizeof *d);
        onnx__tensor_shape_proto__dimension__init(d);
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = dims[i];
        shape->dim[shape->n_dim++] = d;
    }
    tensor->has_elem_type = true;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    info->name = copy_text(net, name);
    info->type = type;
    return info;
}

tiny_network *tiny_network_new(int channels, int side, int opset)
{
    tiny_network *net = calloc(1, sizeof *net);
    if (!net)
        abort();
    net->random = 7;
    net->opset = opset;
    onnx__model_proto__init(&net->model);
    onnx__graph_proto__init(&net->graph);
    Onnx__OperatorSetIdProto *set = tiny_memory(net, sizeof *set);
    onnx__operator_set_id_proto__init(set);
    set->has_version = true;
    set->version = opset;
    net->model.has_ir_version = true;
    net->model.ir_version = 7;
    net->model.opset_import = tiny_memory(net, sizeof(*net->model.opset_import));
    net->model.opset_import[0] = set;
    net->model.n_opset_import = 1;
    net->model.graph = &net->graph;
    net->graph.name = copy_text(net, "tiny");
    net->graph.node = tiny_memory(net, PARTS_MAX * sizeof(*net->graph.node));
    net->graph.initializer = tiny_memory(net, PARTS_MAX * sizeof(*net->graph.initializer));
    net->graph.input = tiny_memory(net, sizeof(*net->graph.input));
    net->graph.input[0] = describe(net, "input", (int64_t[]){1, channels, side, side}, 4);
    net->graph.n_input = 1;
    return net;
}

/* A constant with room for its contents. */
static Onnx__TensorProto *add_constant(tiny_network *net, const int64_t *dims, int rank, int type, size_t element_size)
{
    Onnx__TensorProto *t = tiny_memory(net, sizeof *t);
    onnx__tensor_proto__init(t);
    size_t count = 1;
    t->dims = tiny_memory(net, (size_t)rank * sizeof *t->dims);
    for (int i = 0; i < rank; i++)
        count *= (size_t)(t->dims[i] = dims[i]);
    t->n_dims = (size_t)rank;
    t->has_data_type = t->has_raw_data = true;
    t->data_type = type;
    t->raw_data.len = count * element_size;
    t->raw_data.data = tiny_memory(net, t->raw_data.len);
    t->name = new_name(net);
    net->graph.initializer[net->graph.n_initializer++] = t;
    return t;
}

static const char *add_weights(tiny_network *net, const int64_t *dims, int rank)
{
    Onnx__TensorProto *t = add_constant(net, dims, rank, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, sizeof(float));
    float *data = (void *)t->raw_data.data;
    size_t count = t->raw_data.len / sizeof(float), inputs = rank == 4 ? count / (size_t)dims[0] : 1;
    for (size_t i = 0; i < count; i++)
        data[i] = next_weight(net) * 1.5f / (float)inputs * (inputs > 4 ? 2.0f : 1.0f);
    return t->name;
}

const char *tiny_floats(tiny_network *net, const int64_t *dims, int rank, double low, double high)
{
    Onnx__TensorProto *t = add_constant(net, dims, rank, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, sizeof(float));
    float *data = (void *)t->raw_data.data;
    size_t count = t->raw_data.len / sizeof(float);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(low + (high - low) * (double)i / (double)(count > 1 ? count - 1 : 1));
    return t->name;
}

static const char *add_ints(tiny_network *net, const int64_t *values, int count)
{
    Onnx__TensorProto *t =
        add_constant(net, (int64_t[]){count}, 1, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, sizeof(int64_t));
    memcpy(t->raw_data.data, values, (size_t)count * sizeof *values);
    return t->name;
}

static Onnx__NodeProto *add_node(tiny_network *net, const char *op, const char *const inputs[], int input_count,
                                 int output_count)
{
    Onnx__NodeProto *node = tiny_memory(net, sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = copy_text(net, op);
    node->input = tiny_memory(net, (size_t)input_count * sizeof(char *));
    node->output = tiny_memory(net, (size_t)output_count * sizeof(char *));
    node->attribute = tiny_memory(net, 8 * sizeof(*node->attribute));
    for (int i = 0; i < input_count; i++)
        node->input[node->n_input++] = copy_text(net, inputs[i]);
    for (int i = 0; i < output_count; i++)
        node->output[node->n_output++] = new_name(net);
    net->graph.node[net->graph.n_node++] = node;
    return node;
}

static void set_ints(tiny_network *net, Onnx__NodeProto *node, const char *name, const int64_t *values, int count)
{
    Onnx__AttributeProto *a = tiny_memory(net, sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = copy_text(net, name);
    a->has_type = true;
    if (count < 0) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        a->has_i = true;
        a->i = values[0];
    } else {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        a->ints = tiny_memory(net, (size_t)count * sizeof *values);
        memcpy(a->ints, values, (size_t)count * sizeof *values);
        a->n_ints = (size_t)count;
    }
    node->attribute[node->n_attribute++] = a;
}

static const char *convolve(tiny_network *net, const char *input, int inputs, int filters, int kernel, int stride,
                            int groups)
{
    const char *names[3] = {input, NULL, NULL};
    names[1] = add_weights(net, (int64_t[]){filters, inputs / groups, kernel, kernel}, 4);
    names[2] = add_weights(net, (int64_t[]){filters}, 1);
    Onnx__NodeProto *node = add_node(net, "Conv", names, 3, 1);
    int64_t pad = kernel / 2;
    set_ints(net, node, "group", (int64_t[]){groups}, -1);
    set_ints(net, node, "kernel_shape", (int64_t[]){kernel, kernel}, 2);
    set_ints(net, node, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
    set_ints(net, node, "strides", (int64_t[]){stride, stride}, 2);
    return node->output[0];
}

const char *tiny_conv(tiny_network *net, const char *input, int inputs, int filters, int kernel, int stride)
{
    return convolve(net, input, inputs, filters, kernel, stride, 1);
}

const char *tiny_depthwise(tiny_network *net, const char *input, int channels, int kernel, int stride)
{
    return convolve(net, input, channels, channels, kernel, stride, channels);
}

const char *tiny_prelu(tiny_network *net, const char *input, int channels, double low, double high)
{
    const char *names[2] = {input, tiny_floats(net, (int64_t[]){channels, 1, 1}, 3, low, high)};
    return add_node(net, "PRelu", names, 2, 1)->output[0];
}

const char *tiny_batch_norm(tiny_network *net, const char *input, int channels)
{
    int64_t dims[1] = {channels};
    const char *names[5] = {input, tiny_floats(net, dims, 1, 0.5, 2), tiny_floats(net, dims, 1, -1, 1),
                            tiny_floats(net, dims, 1, 0.3, -0.3), tiny_floats(net, dims, 1, 0.5, 3)};
    return add_node(net, "BatchNormalization", names, 5, 1)->output[0];
}

const char *tiny_node(tiny_network *net, const char *op, const char *a, const char *b, const char *attribute, int value)
{
    Onnx__NodeProto *node = add_node(net, op, (const char *const[]){a, b}, b ? 2 : 1, 1);
    if (attribute)
        set_ints(net, node, attribute, (int64_t[]){value}, -1);
    return node->output[0];
}

const char *tiny_concat(tiny_network *net, const char *a, const char *b)
{
    return tiny_node(net, "Concat", a, b, "axis", 1);
}

void tiny_halves(tiny_network *net, const char *input, int channels, const char **ret_low, const char **ret_high)
{
    int64_t sizes[2] = {channels / 2, channels / 2};
    bool by_input = net->opset >= 13;
    const char *names[2] = {input, by_input ? add_ints(net, sizes, 2) : NULL};
    Onnx__NodeProto *node = add_node(net, "Split", names, by_input ? 2 : 1, 2);
    set_ints(net, node, "axis", (int64_t[]){1}, -1);
    if (!by_input)
        set_ints(net, node, "split", sizes, 2);
    *ret_low = node->output[0];
    *ret_high = node->output[1];
}

const char *tiny_shuffle(tiny_network *net, const char *input, int channels, int side, int groups)
{
    const char *apart = add_ints(net, (int64_t[]){1, groups, channels / groups, side, side}, 5);
    const char *together = add_ints(net, (int64_t[]){1, channels, side, side}, 4);
    const char *view = tiny_node(net, "Reshape", input, apart, NULL, 0);
    Onnx__NodeProto *exchange = add_node(net, "Transpose", &view, 1, 1);
    set_ints(net, exchange, "perm", (int64_t[]){0, 2, 1, 3, 4}, 5);
    return tiny_node(net, "Reshape", exchange->output[0], together, NULL, 0);
}

Onnx__ModelProto *tiny_model(tiny_network *net)
{
    return &net->model;
}

bf_bytes tiny_network_finish(tiny_network **net, const char *output)
{
    tiny_network *n = *net;
    Onnx__NodeProto *flat = add_node(n, "Flatten", &output, 1, 1);
    flat->output[0] = copy_text(n, "output");
    Onnx__ValueInfoProto *info = tiny_memory(n, sizeof *info), **outputs = tiny_memory(n, sizeof(*outputs));
    *info = *describe(n, "output", (int64_t[]){1, 1}, 2);
    info->type->tensor_type->shape = NULL;
    outputs[0] = info;
    n->graph.output = outputs;
    n->graph.n_output = 1;
    bf_bytes bytes = {.size = onnx__model_proto__get_packed_size(&n->model)};
    bytes.data = malloc(bytes.size);
    if (!bytes.data)
        abort();
    onnx__model_proto__pack(&n->model, bytes.data);
    while (n->part_count > 0)
        free(n->parts[--n->part_count]);
    free(n);
    *net = NULL;
    return bytes;
}
