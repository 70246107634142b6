#include "optimise/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"

/* Operator sets whose meaning this code was written for. */
#define OPSET_MIN 7
#define OPSET_MAX 21

static void free_index(bf_graph *g)
{
    bf_free(g->values);
    bf_free(g->inputs);
    bf_free(g->outputs);
    bf_free(g->input_first);
    bf_free(g->output_first);
    bf_free(g->uses);
    g->values = NULL;
    g->inputs = g->outputs = g->input_first = g->output_first = NULL;
    g->uses = NULL;
    g->value_count = g->node_count = 0;
}

void bf_graph_free(bf_graph **graph)
{
    if (!graph || !*graph)
        return;
    free_index(*graph);
    bf_onnx_free(&(*graph)->model);
    bf_free(*graph);
    *graph = NULL;
}

static int by_name(const void *a, const void *b)
{
    const bf_graph_value *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int bf_graph_find(const bf_graph *g, const char *name)
{
    if (!name || name[0] == 0)
        return -1;
    bf_graph_value key = {.name = name};
    const bf_graph_value *found = bsearch(&key, g->values, (size_t)g->value_count, sizeof key, by_name);
    return found ? (int)(found - g->values) : -1;
}

/* Lists every name that something makes; a constant that is an input too can be replaced by the caller, so it counts
 * as an input. */
static bf_status list_values(bf_graph *g, bf_error *err)
{
    const Onnx__GraphProto *graph = g->model->graph;
    size_t count = graph->n_input + graph->n_initializer, filled = 0;
    for (size_t n = 0; n < graph->n_node; n++)
        count += graph->node[n]->n_output;
    if (count > BF_ONNX_VALUES_MAX)
        return bf_fail(err, BF_MODEL_INVALID, "The network has more than %d values.", BF_ONNX_VALUES_MAX);
    g->values = bf_calloc(count + 1, sizeof *g->values);
    if (!g->values)
        return bf_fail_memory(err);
    for (size_t i = 0; i < graph->n_input; i++)
        g->values[filled++] = (bf_graph_value){.name = graph->input[i]->name, .maker = -1, .is_input = true};
    for (size_t i = 0; i < graph->n_initializer; i++)
        g->values[filled++] =
            (bf_graph_value){.name = graph->initializer[i]->name, .maker = -1, .constant = graph->initializer[i]};
    for (size_t n = 0; n < graph->n_node; n++)
        for (size_t i = 0; i < graph->node[n]->n_output; i++)
            if (graph->node[n]->output[i][0] != 0)
                g->values[filled++] = (bf_graph_value){.name = graph->node[n]->output[i], .maker = (int)n};
    for (size_t i = 0; i < filled; i++)
        if (!g->values[i].name || g->values[i].name[0] == 0)
            return bf_fail(err, BF_MODEL_INVALID, "The network has a value without a name.");
    qsort(g->values, filled, sizeof *g->values, by_name);
    for (size_t i = 0; i < filled; i++) {
        bf_graph_value *last = g->value_count > 0 ? &g->values[g->value_count - 1] : NULL;
        bool same = last && strcmp(last->name, g->values[i].name) == 0;
        if (same && (last->maker >= 0 || g->values[i].maker >= 0 || last->is_input == g->values[i].is_input))
            return bf_fail(err, BF_MODEL_INVALID, "The value '%.100s' is made twice.", last->name);
        if (same) {
            last->is_input = true;
            last->constant = NULL;
        } else {
            g->values[g->value_count] = g->values[i];
            g->values[g->value_count++].dims.rank = -1;
        }
    }
    return BF_OK;
}

/* Resolves the names at the nodes. */
static bf_status link_nodes(bf_graph *g, bf_error *err)
{
    const Onnx__GraphProto *graph = g->model->graph;
    size_t inputs = 0, outputs = 0;
    for (size_t n = 0; n < graph->n_node; n++) {
        inputs += graph->node[n]->n_input;
        outputs += graph->node[n]->n_output;
    }
    if (inputs > BF_ONNX_VALUES_MAX)
        return bf_fail(err, BF_MODEL_INVALID, "The network has more than %d connections.", BF_ONNX_VALUES_MAX);
    g->node_count = (int)graph->n_node;
    g->inputs = bf_malloc((inputs + 1) * sizeof(int));
    g->outputs = bf_malloc((outputs + 1) * sizeof(int));
    g->input_first = bf_malloc((graph->n_node + 1) * sizeof(int));
    g->output_first = bf_malloc((graph->n_node + 1) * sizeof(int));
    if (!g->inputs || !g->outputs || !g->input_first || !g->output_first)
        return bf_fail_memory(err);
    int in = 0, out = 0;
    for (size_t n = 0; n < graph->n_node; n++) {
        const Onnx__NodeProto *node = graph->node[n];
        g->input_first[n] = in;
        g->output_first[n] = out;
        for (size_t i = 0; i < node->n_input; i++) {
            g->inputs[in] = bf_graph_find(g, node->input[i]);
            if (g->inputs[in++] < 0 && node->input[i][0] != 0)
                return bf_fail(err, BF_MODEL_INVALID, "Nothing makes the value '%.100s'.", node->input[i]);
        }
        for (size_t i = 0; i < node->n_output; i++)
            g->outputs[out++] = bf_graph_find(g, node->output[i]);
    }
    g->input_first[graph->n_node] = in;
    g->output_first[graph->n_node] = out;
    return BF_OK;
}

static bf_status mark_outputs(bf_graph *g, bf_error *err)
{
    const Onnx__GraphProto *graph = g->model->graph;
    for (size_t i = 0; i < graph->n_output; i++) {
        int value = bf_graph_find(g, graph->output[i]->name);
        if (value < 0)
            return bf_fail(err, BF_MODEL_INVALID, "Nothing makes the output '%.100s'.",
                           graph->output[i]->name ? graph->output[i]->name : "");
        g->values[value].is_output = true;
    }
    return BF_OK;
}

static bf_status list_uses(bf_graph *g, bf_error *err)
{
    int total = g->input_first[g->node_count];
    g->uses = bf_calloc((size_t)total + 1, sizeof *g->uses);
    if (!g->uses)
        return bf_fail_memory(err);
    for (int i = 0; i < total; i++)
        if (g->inputs[i] >= 0)
            g->values[g->inputs[i]].use_count++;
    int first = 0;
    for (int v = 0; v < g->value_count; v++) {
        g->values[v].use_first = first;
        first += g->values[v].use_count;
        g->values[v].use_count = 0;
    }
    for (int n = 0; n < g->node_count; n++)
        for (int i = g->input_first[n]; i < g->input_first[n + 1]; i++)
            if (g->inputs[i] >= 0) {
                bf_graph_value *value = &g->values[g->inputs[i]];
                g->uses[value->use_first + value->use_count++] = (bf_graph_use){n, i - g->input_first[n]};
            }
    return BF_OK;
}

static bf_status build_index(bf_graph *g, bf_error *err)
{
    free_index(g);
    bf_status status = list_values(g, err);
    if (status == BF_OK)
        status = link_nodes(g, err);
    if (status == BF_OK)
        status = mark_outputs(g, err);
    return status == BF_OK ? list_uses(g, err) : status;
}

/* Puts the nodes that outputs need into `order`, makers before readers, otherwise as they stood; false on a circle.
 * `state`: 0 not seen, 1 on the path, 2 ordered. `path` holds one node number and its next input in turn. */
static bool order_nodes(const bf_graph *g, const bool *needed, char *state, int *path, int *order, int *ret_count)
{
    int count = 0;
    for (int n = 0; n < g->node_count; n++) {
        int depth = 0;
        if (needed[n] && state[n] == 0) {
            state[n] = 1;
            path[0] = n;
            path[1] = g->input_first[n];
            depth = 1;
        }
        while (depth > 0) {
            int node = path[2 * depth - 2], *next = &path[2 * depth - 1];
            if (*next == g->input_first[node + 1]) {
                state[node] = 2;
                order[count++] = node;
                depth--;
                continue;
            }
            int value = g->inputs[(*next)++], maker = value < 0 ? -1 : g->values[value].maker;
            if (maker < 0 || state[maker] == 2)
                continue;
            if (state[maker] == 1)
                return false;
            state[maker] = 1;
            path[2 * depth] = maker;
            path[2 * depth + 1] = g->input_first[maker];
            depth++;
        }
    }
    *ret_count = count;
    return true;
}

/* A node is needed when a needed node or the caller reads one of its values. */
static void mark_needed(const bf_graph *g, bool *needed, int *stack)
{
    int depth = 0;
    for (int v = 0; v < g->value_count; v++) {
        int maker = g->values[v].maker;
        if (g->values[v].is_output && maker >= 0 && !needed[maker]) {
            needed[maker] = true;
            stack[depth++] = maker;
        }
    }
    while (depth > 0) {
        int node = stack[--depth];
        for (int i = g->input_first[node]; i < g->input_first[node + 1]; i++) {
            int maker = g->inputs[i] < 0 ? -1 : g->values[g->inputs[i]].maker;
            if (maker >= 0 && !needed[maker]) {
                needed[maker] = true;
                stack[depth++] = maker;
            }
        }
    }
}

static bf_status sort_and_prune(bf_graph *g, bf_error *err)
{
    size_t count = (size_t)g->node_count + 1;
    int *order = bf_malloc(count * sizeof *order), *path = bf_malloc(2 * count * sizeof *path);
    char *state = bf_calloc(count, 1);
    bool *needed = bf_calloc(count, sizeof *needed);
    Onnx__NodeProto **sorted = bf_malloc(count * sizeof(*sorted));
    bf_status status = BF_OK;
    int kept = 0;
    if (!order || !path || !state || !needed || !sorted) {
        status = bf_fail_memory(err);
    } else {
        mark_needed(g, needed, path);
        if (!order_nodes(g, needed, state, path, order, &kept))
            status = bf_fail(err, BF_MODEL_INVALID, "The network's nodes form a circle.");
    }
    if (status == BF_OK) {
        Onnx__GraphProto *graph = g->model->graph;
        for (int i = 0; i < kept; i++)
            sorted[i] = graph->node[order[i]];
        for (int n = 0; n < g->node_count; n++)
            if (!needed[n])
                bf_onnx_free_node(graph->node[n]);
        if (graph->node)
            memcpy(graph->node, sorted, (size_t)kept * sizeof(*sorted));
        graph->n_node = (size_t)kept;
    }
    bf_free(order);
    bf_free(path);
    bf_free(state);
    bf_free(needed);
    bf_free(sorted);
    return status;
}

/* Removes constants that nobody reads, and the stated shapes of inner values, which may no longer hold. */
static bf_status prune_constants(bf_graph *g, bf_error *err)
{
    Onnx__GraphProto *graph = g->model->graph;
    bool *kept = bf_malloc((graph->n_initializer + 1) * sizeof *kept);
    if (!kept)
        return bf_fail_memory(err);
    /* All looked up before any is freed: the index holds their names. */
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const bf_graph_value *value = &g->values[bf_graph_find(g, graph->initializer[i]->name)];
        kept[i] = value->use_count > 0 || value->is_output || value->is_input;
    }
    size_t count = 0;
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (kept[i])
            graph->initializer[count++] = graph->initializer[i];
        else
            bf_onnx_free_tensor(graph->initializer[i]);
    graph->n_initializer = count;
    for (size_t i = 0; i < graph->n_value_info; i++)
        bf_onnx_free_value_info(graph->value_info[i]);
    graph->n_value_info = 0;
    bf_free(kept);
    return BF_OK;
}

bf_status bf_graph_rebuild(bf_graph *g, bf_error *err)
{
    Onnx__GraphProto *graph = g->model->graph;
    if (g->memory_short)
        return bf_fail_memory(err);
    size_t kept = 0;
    for (size_t n = 0; n < graph->n_node; n++)
        if (graph->node[n])
            graph->node[kept++] = graph->node[n];
    graph->n_node = kept;
    bf_status status = build_index(g, err);
    if (status == BF_OK)
        status = sort_and_prune(g, err);
    if (status == BF_OK)
        status = build_index(g, err);
    if (status == BF_OK)
        status = prune_constants(g, err);
    if (status == BF_OK)
        status = build_index(g, err);
    if (status == BF_OK)
        bf_graph_infer_dims(g);
    return status;
}

static bool has_nested_graph(const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *a = node->attribute[i];
        if (a->g || a->n_graphs > 0 || (a->ref_attr_name && a->ref_attr_name[0]))
            return true;
    }
    return false;
}

static int standard_opset(const Onnx__ModelProto *model)
{
    int64_t version = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        if (!set->domain || set->domain[0] == 0 || strcmp(set->domain, "ai.onnx") == 0)
            version = version == 0 ? set->version : -1;
    }
    return version > 0 && version <= 1000 ? (int)version : 0;
}

static bool is_editable(const bf_graph *g)
{
    const Onnx__ModelProto *model = g->model;
    if (g->opset < OPSET_MIN || g->opset > OPSET_MAX || model->n_functions > 0 || model->n_training_info > 0 ||
        model->graph->n_sparse_initializer > 0 || model->graph->n_quantization_annotation > 0)
        return false;
    for (size_t n = 0; n < model->graph->n_node; n++)
        if (has_nested_graph(model->graph->node[n]))
            return false;
    return true;
}

/* New names are "bf_" and a number past those that the model has already; more than seven digits are never given
 * out. */
static void choose_fresh_names(bf_graph *g)
{
    g->fresh = 1;
    for (int v = 0; v < g->value_count; v++) {
        const char *name = g->values[v].name;
        if (strncmp(name, "bf_", 3) != 0 || strlen(name) > 10 || name[3 + strspn(name + 3, "0123456789")] != 0)
            continue;
        unsigned number = (unsigned)strtoul(name + 3, NULL, 10);
        if (number >= g->fresh)
            g->fresh = number + 1;
    }
}

static bf_status check_tree(const Onnx__ModelProto *model, bf_error *err)
{
    const Onnx__GraphProto *graph = model->graph;
    if (!graph || graph->n_output == 0)
        return bf_fail(err, BF_MODEL_INVALID, "The file has no network with an output.");
    if (graph->n_node > BF_ONNX_NODES_MAX)
        return bf_fail(err, BF_MODEL_INVALID, "The network has more than %d nodes.", BF_ONNX_NODES_MAX);
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const Onnx__TensorProto *t = graph->initializer[i];
        if (t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL || t->n_external_data > 0) {
            bf_fail(err, BF_MODEL_INVALID, "The network keeps its weights in another file.");
            bf_fail_hint(err, "Export it as one file.");
            return BF_MODEL_INVALID;
        }
    }
    return BF_OK;
}

bf_status bf_graph_open(const void *data, size_t size, bf_graph **ret, bf_error *err)
{
    BF_CLEANUP(bf_graph_free) bf_graph *g = bf_calloc(1, sizeof *g);
    if (!g)
        return bf_fail_memory(err);
    bf_status status = bf_onnx_parse(data, size, &g->model, err);
    if (status == BF_OK)
        status = check_tree(g->model, err);
    if (status != BF_OK)
        return status;
    g->opset = standard_opset(g->model);
    g->editable = is_editable(g);
    if (g->editable)
        status = bf_graph_rebuild(g, err);
    if (status != BF_OK)
        return status;
    choose_fresh_names(g);
    *ret = g;
    g = NULL;
    return BF_OK;
}
