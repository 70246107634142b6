#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "optimise/route.h"

#define CHANNELS_MAX (1 << 16)       /* of one value */
#define CHANNELS_MAX_TOTAL (1 << 20) /* in all lists together */

static bool is_image_like(const bf_graph *g, int value)
{
    return value >= 0 && g->values[value].dims.rank == 4 && g->values[value].dims.dim[1] > 0 &&
           g->values[value].dims.dim[1] <= CHANNELS_MAX;
}

/* Grows an array to hold `count` more elements; false when memory is short. */
static bool reserve(void **array, int used, int *capacity, int count, size_t element_size)
{
    if (used + count <= *capacity)
        return true;
    int wanted = 2 * (used + count);
    void *grown = bf_realloc(*array, (size_t)wanted * element_size);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

static bool reserve_list(bf_routes *r, int count)
{
    void *array = r->list;
    bool ok = reserve(&array, r->list_count, &r->list_capacity, count, sizeof *r->list);
    r->list = array;
    return ok;
}

static bool reserve_origins(bf_routes *r, int count)
{
    void *array = r->origins;
    bool ok = reserve(&array, r->origin_count, &r->origin_capacity, count, sizeof *r->origins);
    r->origins = array;
    return ok;
}

/* Makes sure that a value has a list: one that no copying node made is the origin of its channels. */
static bool list_value(const bf_graph *g, bf_routes *r, int value)
{
    if (r->first[value] >= 0)
        return true;
    int count = (int)g->values[value].dims.dim[1];
    if (!reserve_list(r, count) || !reserve_origins(r, count))
        return false;
    r->first[value] = r->list_count;
    for (int c = 0; c < count; c++) {
        r->list[r->list_count++] = r->origin_count;
        r->origins[r->origin_count++] = (bf_route_origin){value, c};
    }
    return true;
}

static int find_component(bf_routes *r, int value)
{
    while (r->component[value] != value) {
        r->component[value] = r->component[r->component[value]];
        value = r->component[value];
    }
    return value;
}

static void connect(bf_routes *r, int a, int b)
{
    int x = find_component(r, a), y = find_component(r, b);
    int low = x < y ? x : y, high = x < y ? y : x;
    r->component[high] = low;
    r->shuffled[low] = r->shuffled[low] || r->shuffled[high];
}

/* Makes the list of a copying node's output: `count` channels of `from` beginning at `offset`, appended to what the
 * output has already. */
static bool append_channels(const bf_graph *g, bf_routes *r, int to, int from, int offset, int count)
{
    if (!list_value(g, r, from) || !reserve_list(r, count))
        return false;
    if (r->first[to] < 0)
        r->first[to] = r->list_count;
    if (count > 0)
        memmove(&r->list[r->list_count], &r->list[r->first[from] + offset], (size_t)count * sizeof *r->list);
    r->list_count += count;
    connect(r, from, to);
    return true;
}

static bool axis_is_channels(const Onnx__NodeProto *node, int64_t otherwise)
{
    int64_t axis = bf_node_int(node, "axis", otherwise);
    return axis == 1 || axis == -3;
}

static bool is_concat(const bf_graph *g, int node)
{
    int out = bf_graph_output(g, node, 0);
    if (!bf_node_is(bf_graph_node(g, node), "Concat") || !axis_is_channels(bf_graph_node(g, node), 0) ||
        !is_image_like(g, out))
        return false;
    for (int i = 0; i < bf_graph_input_count(g, node); i++)
        if (!is_image_like(g, bf_graph_input(g, node, i)))
            return false;
    return true;
}

static bool is_split(const bf_graph *g, int node)
{
    int in = bf_graph_input(g, node, 0);
    if (!bf_node_is(bf_graph_node(g, node), "Split") || !axis_is_channels(bf_graph_node(g, node), 0) ||
        !is_image_like(g, in))
        return false;
    int64_t sum = 0;
    for (int i = 0; i < bf_graph_output_count(g, node); i++) {
        int out = bf_graph_output(g, node, i);
        if (!is_image_like(g, out))
            return false;
        sum += g->values[out].dims.dim[1];
    }
    return sum == g->values[in].dims.dim[1];
}

/* The maker of a node's input, when nobody else reads that input. */
static int sole_maker(const bf_graph *g, int node, const char *op)
{
    int value = bf_graph_input(g, node, 0), maker = bf_graph_input_maker(g, node, 0);
    if (maker < 0 || g->values[value].use_count != 1 || g->values[value].is_output)
        return -1;
    return bf_node_is(bf_graph_node(g, maker), op) ? maker : -1;
}

/* A shuffle views [N,C,H,W] as [N,G,C/G,H,W], exchanges the two middle dimensions, and views that as [N,C,H,W] again.
 * Gives the first of its three nodes for the last, or -1; *ret_groups gets G. */
static int shuffle_begin(const bf_graph *g, int last, int *ret_groups)
{
    static const int64_t exchanged[5] = {0, 2, 1, 3, 4};
    if (!bf_node_is(bf_graph_node(g, last), "Reshape"))
        return -1;
    int middle = sole_maker(g, last, "Transpose"), begin = middle < 0 ? -1 : sole_maker(g, middle, "Reshape");
    if (begin < 0 || !is_image_like(g, bf_graph_input(g, begin, 0)))
        return -1;
    const Onnx__AttributeProto *order = bf_node_attribute(bf_graph_node(g, middle), "perm");
    const bf_dims *in = &g->values[bf_graph_input(g, begin, 0)].dims,
                  *out = &g->values[bf_graph_output(g, last, 0)].dims;
    const bf_dims *view = &g->values[bf_graph_output(g, begin, 0)].dims;
    if (!order || order->n_ints != 5 || memcmp(order->ints, exchanged, sizeof exchanged) != 0 || view->rank != 5 ||
        out->rank != 4)
        return -1;
    static const int view_of[4] = {0, -1, 3, 4};
    for (int i = 0; i < 4; i++)
        if (in->dim[i] < 1 || out->dim[i] != in->dim[i] || (view_of[i] >= 0 && view->dim[view_of[i]] != in->dim[i]))
            return -1;
    if (view->dim[1] < 1 || view->dim[1] * view->dim[2] != in->dim[1])
        return -1;
    *ret_groups = (int)view->dim[1];
    return begin;
}

static bool follow_shuffle(const bf_graph *g, bf_routes *r, int begin, int last, int groups)
{
    int in = bf_graph_input(g, begin, 0), out = bf_graph_output(g, last, 0);
    int channels = (int)g->values[in].dims.dim[1], size = channels / groups;
    for (int i = 0; i < channels; i++)
        if (!append_channels(g, r, out, in, i % groups * size + i / groups, 1))
            return false;
    r->shuffled[find_component(r, out)] = true;
    r->copies[begin] = r->copies[bf_graph_input_maker(g, last, 0)] = r->copies[last] = true;
    return true;
}

static bool follow_concat(const bf_graph *g, bf_routes *r, int node)
{
    int out = bf_graph_output(g, node, 0);
    /* All lists of the inputs first, so that the output's stands in one piece. */
    for (int i = 0; i < bf_graph_input_count(g, node); i++)
        if (!list_value(g, r, bf_graph_input(g, node, i)))
            return false;
    for (int i = 0; i < bf_graph_input_count(g, node); i++) {
        int in = bf_graph_input(g, node, i);
        if (!append_channels(g, r, out, in, 0, (int)g->values[in].dims.dim[1]))
            return false;
    }
    return r->copies[node] = true;
}

static bool follow_split(const bf_graph *g, bf_routes *r, int node)
{
    int offset = 0;
    for (int i = 0; i < bf_graph_output_count(g, node); i++) {
        int out = bf_graph_output(g, node, i), count = (int)g->values[out].dims.dim[1];
        if (!append_channels(g, r, out, bf_graph_input(g, node, 0), offset, count))
            return false;
        offset += count;
    }
    return r->copies[node] = true;
}

static bool follow_node(const bf_graph *g, bf_routes *r, int node)
{
    int groups, begin = shuffle_begin(g, node, &groups);
    if (begin >= 0)
        return follow_shuffle(g, r, begin, node, groups);
    if (is_concat(g, node))
        return follow_concat(g, r, node);
    return is_split(g, node) ? follow_split(g, r, node) : true;
}

bf_status bf_routes_find(const bf_graph *g, bf_routes *ret, bf_error *err)
{
    BF_CLEANUP(bf_routes_done) bf_routes r = {0};
    size_t values = (size_t)g->value_count + 1;
    r.copies = bf_calloc((size_t)g->node_count + 1, sizeof *r.copies);
    r.first = bf_malloc(values * sizeof *r.first);
    r.component = bf_malloc(values * sizeof *r.component);
    r.shuffled = bf_calloc(values, sizeof *r.shuffled);
    if (!r.copies || !r.first || !r.component || !r.shuffled)
        return bf_fail_memory(err);
    for (int v = 0; v < g->value_count; v++) {
        r.first[v] = -1;
        r.component[v] = v;
    }
    for (int n = 0; n < g->node_count; n++) {
        if (!follow_node(g, &r, n))
            return bf_fail_memory(err);
        if (r.list_count > CHANNELS_MAX_TOTAL) {
            memset(r.copies, 0, (size_t)g->node_count * sizeof *r.copies);
            memset(r.shuffled, 0, values * sizeof *r.shuffled);
            break;
        }
    }
    for (int v = 0; v < g->value_count; v++)
        r.component[v] = find_component(&r, v);
    *ret = r;
    r = (bf_routes){0};
    return BF_OK;
}

void bf_routes_done(bf_routes *r)
{
    bf_free(r->copies);
    bf_free(r->first);
    bf_free(r->list);
    bf_free(r->origins);
    bf_free(r->component);
    bf_free(r->shuffled);
    *r = (bf_routes){0};
}
