/* The inside of bf_net, shared by the files of src/infer. */
#ifndef BF_INFER_NET_INTERNAL_H
#define BF_INFER_NET_INTERNAL_H

#include "infer/net.h"
#include "infer/runtime.h"

#define BF_SHAPE_RANK_MAX 8
#define BF_SHAPE_TEXT_SIZE 96

/* A tensor's dimensions. As found in a model, -1 is a dimension known only when it runs; as expected by a manifest,
 * -1 means any size. */
typedef struct bf_shape {
    int64_t dims[BF_SHAPE_RANK_MAX];
    size_t rank;
} bf_shape;

struct bf_net {
    const OrtApi *api;
    OrtSession *session;
    OrtMemoryInfo *memory;
    bf_manifest manifest;
    char *input_name;
    bf_shape input_shape;
    char *output_names[BF_MODEL_OUTPUTS_MAX];
    bf_shape output_shapes[BF_MODEL_OUTPUTS_MAX]; /* fully known once loaded */
};

/* "[1,3,?,?]" into `ret`. */
void bf_shape_text(const bf_shape *shape, char ret[BF_SHAPE_TEXT_SIZE]);

/* Number of elements, or 0 when a dimension is unknown, not positive, or the product exceeds BF_TENSOR_FLOATS_MAX. */
size_t bf_shape_floats(const bf_shape *shape);

/* The shapes a manifest promises. */
bf_shape bf_shape_of_input(const bf_manifest *manifest);
bf_shape bf_shape_of_output(const bf_manifest *manifest, int index);

/* Whether `found` can be `expected`. Dimensions of size 1 are left out of the comparison, since [1,512] and
 * [1,512,1,1] hold the same floats in the same order; an unknown dimension fits any. */
bool bf_shape_fits(const bf_shape *expected, const bf_shape *found);

/* Finds the net's input and outputs in its session and compares them with the manifest; fills names and shapes.
 * MODEL_INVALID says what was expected and what was found. */
bf_status bf_net_bind(bf_net *net, bf_error *err);

#endif
