/* Taking out what does nothing at inference time, and merging normalisation into convolutions. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "optimise/passes.h"

/* Moves the contents of a Constant node among the graph's constants, where every other pass looks for them. */
static bool move_constant(bf_graph *g, int node)
{
    Onnx__GraphProto *graph = g->model->graph;
    const Onnx__AttributeProto *a = bf_node_attribute(bf_graph_node(g, node), "value");
    if (!bf_node_is(bf_graph_node(g, node), "Constant") || !a || !a->t || a->t->n_external_data > 0 ||
        bf_graph_output_count(g, node) != 1)
        return false;
    Onnx__TensorProto **grown = bf_realloc(graph->initializer, (graph->n_initializer + 1) * sizeof(*grown));
    if (grown)
        graph->initializer = grown;
    char *name = bf_strdup(bf_graph_node(g, node)->output[0]);
    if (!grown || !name) {
        bf_free(name);
        g->memory_short = true;
        return true;
    }
    Onnx__AttributeProto *mine = bf_graph_node(g, node)->attribute[0];
    for (size_t i = 0; mine != a; i++)
        mine = bf_graph_node(g, node)->attribute[i];
    bf_free(mine->t->name);
    mine->t->name = name;
    grown[graph->n_initializer++] = mine->t;
    mine->t = NULL;
    bf_graph_drop_node(g, node);
    return true;
}

/* Lets the readers of a node that passes its input on read that input. */
static bool skip_node(bf_graph *g, int node)
{
    static const char *const passing[] = {"Identity", "Dropout", NULL};
    const Onnx__NodeProto *n = bf_graph_node(g, node);
    int in = bf_graph_input(g, node, 0), out = bf_graph_output(g, node, 0);
    if (!bf_node_is_any(n, passing) || in < 0 || out < 0 || g->values[out].is_output)
        return false;
    /* A third input can switch training on; a second output, the mask, can have readers. */
    int mask = bf_graph_output(g, node, 1);
    if (bf_graph_input_count(g, node) > 2 ||
        (mask >= 0 && (g->values[mask].use_count > 0 || g->values[mask].is_output)))
        return false;
    bf_graph_redirect(g, out, n->input[0]);
    return true;
}

/* Weights, bias and the four parameters of a normalisation, each of one number per output channel. */
typedef struct normalised {
    const float *weights, *bias, *scale, *shift, *mean, *variance;
    size_t count, channels;
    float epsilon;
} normalised;

static bool read_parameters(const bf_graph *g, int conv, int norm, normalised *ret)
{
    const Onnx__TensorProto *weights = bf_graph_constant(g, conv, 1);
    normalised p = {.epsilon = bf_node_float(bf_graph_node(g, norm), "epsilon", 1e-5f)};
    const float **const places[4] = {&p.scale, &p.shift, &p.mean, &p.variance};
    p.weights = bf_constant_floats(weights, &p.count);
    if (!p.weights || weights->n_dims < 1 || weights->dims[0] < 1)
        return false;
    p.channels = (size_t)weights->dims[0];
    for (int i = 0; i < 4; i++) {
        size_t count;
        *places[i] = bf_constant_floats(bf_graph_constant(g, norm, i + 1), &count);
        if (!*places[i] || count != p.channels)
            return false;
    }
    for (size_t c = 0; c < p.channels; c++)
        if (!((double)p.variance[c] + (double)p.epsilon > 0))
            return false;
    if (bf_graph_input(g, conv, 2) >= 0) {
        size_t count;
        p.bias = bf_constant_floats(bf_graph_constant(g, conv, 2), &count);
        if (!p.bias || count != p.channels)
            return false;
    }
    *ret = p;
    return true;
}

/* Whether a node normalises, at inference time, what only a convolution gives it. Returns that convolution or -1. */
static int normalised_conv(const bf_graph *g, int node)
{
    const Onnx__NodeProto *n = bf_graph_node(g, node);
    int conv = bf_graph_input_maker(g, node, 0), value = bf_graph_input(g, node, 0);
    if (!bf_node_is(n, "BatchNormalization") || bf_graph_input_count(g, node) != 5 ||
        bf_graph_output_count(g, node) != 1 || conv < 0 || !bf_node_is(bf_graph_node(g, conv), "Conv"))
        return -1;
    bool inference = bf_node_int(n, "training_mode", 0) == 0 && bf_node_int(n, "spatial", 1) == 1;
    return inference && g->values[value].use_count == 1 && !g->values[value].is_output ? conv : -1;
}

static bool fold_normalisation(bf_graph *g, int node)
{
    normalised p;
    int conv = normalised_conv(g, node);
    if (conv < 0 || !read_parameters(g, conv, node, &p))
        return false;
    const Onnx__TensorProto *old = bf_graph_constant(g, conv, 1);
    float *weights = NULL, *bias = NULL;
    int64_t channels = (int64_t)p.channels;
    const char *weights_name = bf_graph_add_floats(g, old->dims, (int)old->n_dims, &weights);
    const char *bias_name = bf_graph_add_floats(g, &channels, 1, &bias);
    if (!weights_name || !bias_name)
        return true;
    size_t step = p.count / p.channels;
    for (size_t c = 0; c < p.channels; c++) {
        double factor = (double)p.scale[c] / sqrt((double)p.variance[c] + (double)p.epsilon);
        for (size_t i = c * step; i < (c + 1) * step; i++)
            weights[i] = (float)((double)p.weights[i] * factor);
        bias[c] = (float)(((p.bias ? (double)p.bias[c] : 0) - (double)p.mean[c]) * factor + (double)p.shift[c]);
    }
    Onnx__NodeProto *n = bf_graph_node(g, conv);
    bf_graph_set_input(g, n, 1, weights_name);
    if (n->n_input > 2)
        bf_graph_set_input(g, n, 2, bias_name);
    else
        bf_graph_add_input(g, n, bias_name);
    bf_graph_set_output(g, n, 0, bf_graph_node(g, node)->output[0]);
    bf_graph_drop_node(g, node);
    return true;
}

/* Runs one kind of folding over all nodes; the index is stale only for what it changed, so folds of a kind must not
 * depend on each other. */
static bf_status fold_each(bf_graph *g, bool (*fold)(bf_graph *g, int node), int *changes, bf_error *err)
{
    int before = *changes;
    for (int n = 0; n < g->node_count; n++)
        if (bf_graph_node(g, n) && fold(g, n))
            ++*changes;
    return *changes > before ? bf_graph_rebuild(g, err) : BF_OK;
}

bf_status bf_pass_fold(bf_graph *g, int *changes, bf_error *err)
{
    int moved = 0; /* no improvement in itself */
    bf_status status = fold_each(g, move_constant, &moved, err);
    if (status == BF_OK)
        status = fold_each(g, skip_node, changes, err);
    return status == BF_OK ? fold_each(g, fold_normalisation, changes, err) : status;
}
