/* ONNX Runtime runs convolutions fastest in its blocked layout, into which it lets only those whose channel counts are
 * multiples of 4. Pruned networks have others (13, 26, 77, 103, ...): one such count throws a convolution and its
 * neighbours out of the layout, and each way in and out copies the tensor. Channels of zeros cost far less: inside the
 * layout a block of 8 or 16 channels is computed whole anyway.
 *
 * Where a network has such counts, the others go up to a multiple of 8 too, which is one or two parts in a hundred
 * faster. Where it has none, that does not pay, and nothing is padded. */
#include "base/error.h"
#include "optimise/channels.h"
#include "optimise/passes.h"

#define ADMITTED_MULTIPLE 4
#define PADDED_MULTIPLE 8

/* New number of channels; the old one where padding would not pay: at most a third of zeros. */
static int64_t padded(const bf_channel_group *group)
{
    if (!group->is_free)
        return group->channels;
    int64_t wanted = (group->channels + PADDED_MULTIPLE - 1) / PADDED_MULTIPLE * PADDED_MULTIPLE;
    return 2 * wanted <= 3 * group->channels ? wanted : group->channels;
}

static bool padding_pays(const bf_channels *channels)
{
    for (int i = 0; i < channels->group_count; i++) {
        const bf_channel_group *group = &channels->groups[i];
        if (group->channels % ADMITTED_MULTIPLE != 0 && padded(group) != group->channels)
            return true;
    }
    return false;
}

/* Gives a group its new numbering: the old channels, then zeros. */
static bool pad(bf_channel_group *group, int64_t wanted)
{
    group->layout = bf_malloc((size_t)wanted * sizeof *group->layout);
    if (!group->layout)
        return false;
    for (int c = 0; c < wanted; c++)
        group->layout[c] = c < group->channels ? c : -1;
    group->layout_size = (int)wanted;
    return true;
}

bf_status bf_pass_pad_channels(bf_graph *g, int *changes, bf_error *err)
{
    bf_channels channels;
    bf_status status = bf_channels_find(g, NULL, &channels, err);
    if (status != BF_OK)
        return status;
    bool pays = padding_pays(&channels);
    for (int i = 0; i < channels.group_count && pays && status == BF_OK; i++) {
        bf_channel_group *group = &channels.groups[i];
        int64_t wanted = padded(group);
        if (wanted == group->channels)
            continue;
        if (!pad(group, wanted))
            status = bf_fail_memory(err);
        ++*changes;
    }
    if (status == BF_OK && pays) {
        bf_channels_apply(g, &channels, NULL);
        status = bf_graph_rebuild(g, err);
    }
    bf_channels_done(&channels);
    return status;
}
