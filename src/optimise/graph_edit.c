/* Looking at nodes, and editing the tree behind a graph's index. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "optimise/graph.h"

Onnx__NodeProto *bf_graph_node(const bf_graph *g, int node)
{
    return g->model->graph->node[node];
}

int bf_graph_input_count(const bf_graph *g, int node)
{
    return g->input_first[node + 1] - g->input_first[node];
}

int bf_graph_output_count(const bf_graph *g, int node)
{
    return g->output_first[node + 1] - g->output_first[node];
}

int bf_graph_input(const bf_graph *g, int node, int slot)
{
    return slot < bf_graph_input_count(g, node) ? g->inputs[g->input_first[node] + slot] : -1;
}

int bf_graph_output(const bf_graph *g, int node, int slot)
{
    return slot < bf_graph_output_count(g, node) ? g->outputs[g->output_first[node] + slot] : -1;
}

int bf_graph_input_maker(const bf_graph *g, int node, int slot)
{
    int value = bf_graph_input(g, node, slot);
    return value < 0 ? -1 : g->values[value].maker;
}

const Onnx__TensorProto *bf_graph_constant(const bf_graph *g, int node, int slot)
{
    int value = bf_graph_input(g, node, slot);
    return value < 0 ? NULL : g->values[value].constant;
}

bool bf_node_is(const Onnx__NodeProto *node, const char *op)
{
    if (!node || !node->op_type || strcmp(node->op_type, op) != 0)
        return false;
    return !node->domain || node->domain[0] == 0 || strcmp(node->domain, "ai.onnx") == 0;
}

bool bf_node_is_any(const Onnx__NodeProto *node, const char *const ops[])
{
    for (size_t i = 0; ops[i]; i++)
        if (bf_node_is(node, ops[i]))
            return true;
    return false;
}

const Onnx__AttributeProto *bf_node_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    return NULL;
}

int64_t bf_node_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = bf_node_attribute(node, name);
    return a && a->has_i ? a->i : otherwise;
}

float bf_node_float(const Onnx__NodeProto *node, const char *name, float otherwise)
{
    const Onnx__AttributeProto *a = bf_node_attribute(node, name);
    return a && a->has_f ? a->f : otherwise;
}

void bf_graph_fresh_name(bf_graph *g, char ret[BF_FRESH_NAME_SIZE])
{
    (void)snprintf(ret, BF_FRESH_NAME_SIZE, "bf_%u", g->fresh++);
}

void bf_graph_drop_node(bf_graph *g, int node)
{
    Onnx__NodeProto **place = &g->model->graph->node[node];
    bf_onnx_free_node(*place);
    *place = NULL;
}

/* Appends one text to a list of texts. */
static bool append_text(char ***list, size_t *count, const char *text)
{
    char *copy = text ? bf_strdup(text) : NULL;
    char **grown = copy ? bf_realloc(*list, (*count + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        bf_free(copy);
        return false;
    }
    grown[(*count)++] = copy;
    *list = grown;
    return true;
}

Onnx__NodeProto *bf_graph_add_node(bf_graph *g, const char *op, const char *const inputs[], int input_count,
                                   const char *const outputs[], int output_count)
{
    Onnx__GraphProto *graph = g->model->graph;
    Onnx__NodeProto *node = bf_malloc(sizeof *node);
    Onnx__NodeProto **grown = node ? bf_realloc(graph->node, (graph->n_node + 1) * sizeof(*grown)) : NULL;
    bool ok = grown != NULL;
    if (grown)
        graph->node = grown;
    if (node) {
        onnx__node_proto__init(node);
        ok = ok && (node->op_type = bf_strdup(op)) != NULL;
    }
    for (int i = 0; i < input_count; i++)
        ok = ok && append_text(&node->input, &node->n_input, inputs[i]);
    for (int i = 0; i < output_count; i++)
        ok = ok && append_text(&node->output, &node->n_output, outputs[i]);
    if (!ok) {
        bf_onnx_free_node(node);
        g->memory_short = true;
        return NULL;
    }
    grown[graph->n_node++] = node;
    return node;
}

/* The attribute to be set, emptied of its integers; a new one when the node has none of that name. */
static Onnx__AttributeProto *fresh_attribute(Onnx__NodeProto *node, const char *name, int type)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0) {
            bf_free(node->attribute[i]->ints);
            node->attribute[i]->ints = NULL;
            node->attribute[i]->n_ints = 0;
            return node->attribute[i];
        }
    Onnx__AttributeProto *a = bf_malloc(sizeof *a);
    Onnx__AttributeProto **grown = a ? bf_realloc(node->attribute, (node->n_attribute + 1) * sizeof(*grown)) : NULL;
    if (grown)
        node->attribute = grown;
    char *copy = grown ? bf_strdup(name) : NULL;
    if (!copy) {
        bf_free(a);
        return NULL;
    }
    onnx__attribute_proto__init(a);
    a->name = copy;
    a->has_type = true;
    a->type = (Onnx__AttributeProto__AttributeType)type;
    grown[node->n_attribute++] = a;
    return a;
}

void bf_graph_set_ints(bf_graph *g, Onnx__NodeProto *node, const char *name, const int64_t *values, size_t count)
{
    if (!node)
        return;
    Onnx__AttributeProto *a = fresh_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    if (a)
        a->ints = bf_malloc(count * sizeof *values);
    if (!a || !a->ints) {
        g->memory_short = true;
        return;
    }
    memcpy(a->ints, values, count * sizeof *values);
    a->n_ints = count;
}

void bf_graph_set_int(bf_graph *g, Onnx__NodeProto *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = node ? fresh_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT) : NULL;
    if (!a) {
        g->memory_short = true;
        return;
    }
    a->has_i = true;
    a->i = value;
}

static void replace_text(bf_graph *g, char **place, const char *text)
{
    char *copy = text ? bf_strdup(text) : NULL;
    if (!copy) {
        g->memory_short = true;
        return;
    }
    bf_free(*place);
    *place = copy;
}

void bf_graph_set_input(bf_graph *g, Onnx__NodeProto *node, int slot, const char *name)
{
    replace_text(g, &node->input[slot], name);
}

void bf_graph_set_output(bf_graph *g, Onnx__NodeProto *node, int slot, const char *name)
{
    replace_text(g, &node->output[slot], name);
}

void bf_graph_add_input(bf_graph *g, Onnx__NodeProto *node, const char *name)
{
    if (!append_text(&node->input, &node->n_input, name))
        g->memory_short = true;
}

void bf_graph_redirect(bf_graph *g, int value, const char *name)
{
    const bf_graph_value *v = &g->values[value];
    for (int i = v->use_first; i < v->use_first + v->use_count; i++) {
        Onnx__NodeProto *node = bf_graph_node(g, g->uses[i].node);
        if (node)
            bf_graph_set_input(g, node, g->uses[i].slot, name);
    }
}
