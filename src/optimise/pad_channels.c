/* ONNX Runtime runs convolutions fastest in its blocked layout, into which it lets only those whose channel counts are
 * multiples of 4. Pruned networks have others (13, 26, 77, 103, ...): one such count throws a convolution and its
 * neighbours out of the layout, and each way in and out copies the tensor. Channels of zeros cost far less: inside the
 * layout a block of 8 or 16 channels is computed whole anyway. */
#include "base/error.h"
#include "optimise/channels.h"
#include "optimise/passes.h"

#define ALIGNED_TO 4
#define PAD_TO 8

/* New number of channels; the old one where padding would not pay. */
static int64_t padded(const bf_channel_group *group)
{
    if (!group->is_free || group->channels % ALIGNED_TO == 0)
        return group->channels;
    int64_t wanted = (group->channels + PAD_TO - 1) / PAD_TO * PAD_TO;
    return 2 * wanted <= 3 * group->channels ? wanted : group->channels; /* a third of zeros at the most */
}

bf_status bf_pass_pad_channels(bf_graph *g, int *changes, bf_error *err)
{
    bf_channels channels;
    bf_status status = bf_channels_find(g, NULL, &channels, err);
    if (status != BF_OK)
        return status;
    int before = *changes;
    for (int i = 0; i < channels.group_count && status == BF_OK; i++) {
        bf_channel_group *group = &channels.groups[i];
        int64_t wanted = padded(group);
        if (wanted == group->channels)
            continue;
        group->layout = bf_malloc((size_t)wanted * sizeof *group->layout);
        if (!group->layout)
            status = bf_fail_memory(err);
        for (int c = 0; c < wanted && status == BF_OK; c++)
            group->layout[c] = c < group->channels ? c : -1;
        group->layout_size = (int)wanted;
        ++*changes;
    }
    if (status == BF_OK && *changes > before) {
        bf_channels_apply(g, &channels, NULL);
        status = bf_graph_rebuild(g, err);
    }
    bf_channels_done(&channels);
    return status;
}
