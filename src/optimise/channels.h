/* Which values of a graph number their channels alike, and numbering them anew.
 *
 * Relu, pooling, depthwise convolutions, sums and the like work on each channel of a [N,C,H,W] value by itself, so the
 * values on both sides belong to one group. A convolution over all channels starts a new group, and so may produce its
 * channels in any order, or some that nobody needs, as long as its readers are told. */
#ifndef BF_OPTIMISE_CHANNELS_H
#define BF_OPTIMISE_CHANNELS_H

#include "optimise/graph.h"

/* One group. It is free when nobody outside the graph, and no operator that is not understood, sees the order of its
 * channels. */
typedef struct bf_channel_group {
    bool is_free;
    int64_t channels; /* -1 when not known; such a group is not free */
    int *layout; /* new numbering: for each new channel the old one, or -1 for a channel of zeros; NULL = as it is */
    int layout_size;
} bf_channel_group;

typedef struct bf_channels {
    int *group_of; /* per value of the graph */
    bf_channel_group *groups;
    int group_count;
} bf_channels;

/* Groups the values of a graph. Nodes with ignored[node] set say nothing about their values (ignored may be NULL).
 * OUT_OF_MEMORY. The caller frees with bf_channels_done. */
bf_status bf_channels_find(const bf_graph *g, const bool *ignored, bf_channels *ret, bf_error *err);
void bf_channels_done(bf_channels *channels);

/* Gives every free group that has a layout its new numbering, by rewriting the constants of the nodes around it. The
 * index must be rebuilt afterwards. */
void bf_channels_apply(bf_graph *g, const bf_channels *channels, const bool *ignored);

/* What a node means for the channels of its values. */
typedef enum bf_channel_role {
    BF_CHANNELS_MIXED,  /* a convolution over all channels: its output starts a new group */
    BF_CHANNELS_KEPT,   /* output channel c depends on channel c of the inputs alone */
    BF_CHANNELS_UNKNOWN /* the numbering must not change on either side */
} bf_channel_role;

bf_channel_role bf_channels_role(const bf_graph *g, int node);

#endif
