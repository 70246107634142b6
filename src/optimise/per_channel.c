#include "optimise/per_channel.h"

#include <string.h>

static int64_t size_of(const bf_channel_group *group, int64_t otherwise)
{
    return group ? group->layout_size : otherwise;
}

static int64_t old_channel(const bf_channel_group *group, int64_t channel)
{
    return group ? group->layout[channel] : channel;
}

void bf_relayout_weights(bf_graph *g, int node, const bf_channel_group *out, const bf_channel_group *in)
{
    const Onnx__TensorProto *old = bf_graph_constant(g, node, 1);
    size_t count;
    const float *from = bf_constant_floats(old, &count);
    if (!from || (!out && !in))
        return;
    float *to = NULL;
    int64_t dims[4] = {size_of(out, old->dims[0]), size_of(in, old->dims[1]), old->dims[2], old->dims[3]};
    const char *name = bf_graph_add_floats(g, dims, 4, &to);
    if (!name)
        return;
    size_t area = (size_t)(dims[2] * dims[3]);
    for (int64_t o = 0; o < dims[0]; o++)
        for (int64_t i = 0; i < dims[1]; i++, to += area) {
            int64_t filter = old_channel(out, o), input = old_channel(in, i);
            if (filter >= 0 && input >= 0)
                memcpy(to, from + (size_t)(filter * old->dims[1] + input) * area, area * sizeof *to);
        }
    bf_graph_set_input(g, bf_graph_node(g, node), 1, name);
}

void bf_relayout_parameter(bf_graph *g, int node, int slot, const bf_channel_group *group, float filler)
{
    const Onnx__TensorProto *old = bf_graph_constant(g, node, slot);
    size_t count;
    const float *from = bf_constant_floats(old, &count);
    if (!from || (count == 1 && (group->channels != 1 || old->n_dims == 0)))
        return;
    int64_t dims[BF_DIMS_RANK_MAX];
    for (size_t i = 0; i < old->n_dims; i++)
        dims[i] = old->dims[i];
    dims[old->n_dims == 4 ? 1 : 0] = group->layout_size; /* [1,C,1,1], [C,1,1] or [C] */
    float *to = NULL;
    const char *name = bf_graph_add_floats(g, dims, (int)old->n_dims, &to);
    for (int c = 0; name && c < group->layout_size; c++)
        to[c] = group->layout[c] < 0 ? filler : from[group->layout[c]];
    if (name)
        bf_graph_set_input(g, bf_graph_node(g, node), slot, name);
}
