/* Small convolutional networks for tests, put together node by node, with seeded random weights. Values are named
 * by what the functions return. Everything is freed by tiny_network_finish. */
#ifndef BF_TESTS_TINY_NETWORK_H
#define BF_TESTS_TINY_NETWORK_H

#include <onnx.pb-c.h>

#include "base/bytes.h"

typedef struct tiny_network tiny_network;

/* Input "input" of the shape [1,channels,side,side], operator set `opset`. */
tiny_network *tiny_network_new(int channels, int side, int opset);

/* Appends "same" padded k x k convolutions (odd k). */
const char *tiny_conv(tiny_network *net, const char *input, int inputs, int filters, int kernel, int stride);
const char *tiny_depthwise(tiny_network *net, const char *input, int channels, int kernel, int stride);
/* Slopes evenly from `low` to `high`. */
const char *tiny_prelu(tiny_network *net, const char *input, int channels, double low, double high);
const char *tiny_batch_norm(tiny_network *net, const char *input, int channels);
/* Concatenates, splits off halves, or shuffles with `groups` the channels of [1,channels,side,side] values. */
const char *tiny_concat(tiny_network *net, const char *a, const char *b);
void tiny_halves(tiny_network *net, const char *input, int channels, const char **ret_low, const char **ret_high);
const char *tiny_shuffle(tiny_network *net, const char *input, int channels, int side, int groups);
/* Any operator of one or two (b may be NULL) inputs, without attributes but an optional integer one. */
const char *tiny_node(tiny_network *net, const char *op, const char *a, const char *b, const char *attribute,
                      int value);
/* A constant of one dimension, of integers or evenly spaced floats. */
const char *tiny_floats(tiny_network *net, const int64_t *dims, int rank, double low, double high);

/* The tree, for what has no function here. Texts and arrays put into it must come from tiny_memory. */
Onnx__ModelProto *tiny_model(tiny_network *net);
void *tiny_memory(tiny_network *net, size_t size);

/* Declares `output` as the flattened output "output", gives the file's bytes and frees the network. */
bf_bytes tiny_network_finish(tiny_network **net, const char *output);

#endif
