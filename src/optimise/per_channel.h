/* Rewriting the constants of one node for a new numbering of channels. */
#ifndef BF_OPTIMISE_PER_CHANNEL_H
#define BF_OPTIMISE_PER_CHANNEL_H

#include "optimise/channels.h"

/* Weights [O,I,h,w] of a convolution: filters as `out` numbers them, input channels as `in` does (NULL = as they are).
 * New filters and new inputs are zero. */
void bf_relayout_weights(bf_graph *g, int node, const bf_channel_group *out, const bf_channel_group *in);

/* A constant of one number per channel; new channels get `filler`. A single number for all channels stays. */
void bf_relayout_parameter(bf_graph *g, int node, int slot, const bf_channel_group *group, float filler);

#endif
