/* The rewrites. Each keeps what the network computes (up to the rounding of single precision), and leaves alone every
 * part of the graph of which it cannot be sure. Each adds to the count of its changes, which is 0 when it did nothing,
 * and leaves the index rebuilt. OUT_OF_MEMORY. */
#ifndef BF_OPTIMISE_PASSES_H
#define BF_OPTIMISE_PASSES_H

#include "optimise/graph.h"

/* Constant nodes become constants, Identity and Dropout go, BatchNormalization goes into the convolution before it. */
bf_status bf_pass_fold(bf_graph *g, int *changes, bf_error *err);

/* Channel shuffles (concatenate, interleave, split) disappear into the order in which the convolutions around them
 * number their channels; what is left are plain copies of runs of channels. */
bf_status bf_pass_route(bf_graph *g, int *changes, bf_error *err);

/* Channel counts grow to a multiple of 8 where any is no multiple of 4, with zero weights. The runtime keeps
 * convolutions with other counts out of its blocked layout. */
bf_status bf_pass_pad_channels(bf_graph *g, int *changes, bf_error *err);

/* PRelu, for which the runtime has no blocked kernel, becomes Relu and depthwise convolutions, for which it has. */
bf_status bf_pass_prelu(bf_graph *g, int *changes, bf_error *err);

#endif
