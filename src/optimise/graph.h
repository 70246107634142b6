/* A network's graph, indexed for rewriting: who makes each value, who reads it, which values are constants.
 *
 * A pass reads the index and edits the tree behind it: it drops nodes, adds nodes and constants, renames inputs.
 * The index does not follow edits; bf_graph_rebuild makes it anew, orders the nodes, and removes what no output
 * needs. One thread at a time. */
#ifndef BF_OPTIMISE_GRAPH_H
#define BF_OPTIMISE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "optimise/onnx_model.h"

#define BF_DIMS_RANK_MAX 6

/* A value's shape: rank -1 is not known, a single dimension of -1 is not known (or differs from run to run). */
typedef struct bf_dims {
    int rank;
    int64_t dim[BF_DIMS_RANK_MAX];
} bf_dims;

/* One reader of a value: input number `slot` of node number `node`. */
typedef struct bf_graph_use {
    int node, slot;
} bf_graph_use;

/* One named value. */
typedef struct bf_graph_value {
    const char *name;
    int maker;                         /* number of the node that computes it, -1 for inputs and constants */
    int use_first, use_count;          /* range of bf_graph.uses */
    const Onnx__TensorProto *constant; /* its contents, when it is a constant that no caller can replace; else NULL */
    bool is_input, is_output;          /* of the graph */
    bf_dims dims;
} bf_graph_value;

typedef struct bf_graph {
    Onnx__ModelProto *model; /* owned */
    int opset;               /* version of the standard operators; 0 when the model does not say */
    /* Every reader of every value is in sight, and all operators mean what the standard says: no nested graphs, no
     * functions of the model's own. Otherwise nothing may be rewritten, and the index is empty. */
    bool editable;
    bf_graph_value *values; /* sorted by name */
    int value_count;
    int node_count;
    int *inputs, *outputs;           /* values of node n: inputs[input_first[n] + slot]; -1 for an input left out */
    int *input_first, *output_first; /* node_count + 1 entries each */
    bf_graph_use *uses;
    unsigned fresh;    /* number in the next new name */
    bool memory_short; /* an edit failed; bf_graph_rebuild reports it */
} bf_graph;

/* Unfolds and indexes a file. MODEL_INVALID when it is no ONNX model, or one that contradicts itself: values that
 * nobody makes or that two nodes make, circles, weights in another file, more nodes than BF_ONNX_NODES_MAX. The
 * caller frees with bf_graph_free; *ret is untouched on failure. */
bf_status bf_graph_open(const void *data, size_t size, bf_graph **ret, bf_error *err);
void bf_graph_free(bf_graph **graph);

/* After edits. OUT_OF_MEMORY also when an edit before it ran out of memory; the graph can then only be freed. */
bf_status bf_graph_rebuild(bf_graph *g, bf_error *err);

/* Number of the value called `name`, -1 when there is none. */
int bf_graph_find(const bf_graph *g, const char *name);
Onnx__NodeProto *bf_graph_node(const bf_graph *g, int node); /* NULL when it was dropped */
/* Value at an input or output of a node; -1 past the last and for an input left out. */
int bf_graph_input(const bf_graph *g, int node, int slot);
int bf_graph_output(const bf_graph *g, int node, int slot);
int bf_graph_input_count(const bf_graph *g, int node);
int bf_graph_output_count(const bf_graph *g, int node);
/* Node that makes the value at an input, -1 when none does. */
int bf_graph_input_maker(const bf_graph *g, int node, int slot);
/* The constant at an input; NULL when it is none. */
const Onnx__TensorProto *bf_graph_constant(const bf_graph *g, int node, int slot);

/* Whether a node is the standard operator `op`. */
bool bf_node_is(const Onnx__NodeProto *node, const char *op);
/* Whether it is one of the NULL-terminated `ops`. */
bool bf_node_is_any(const Onnx__NodeProto *node, const char *const ops[]);
const Onnx__AttributeProto *bf_node_attribute(const Onnx__NodeProto *node, const char *name);
int64_t bf_node_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise);
float bf_node_float(const Onnx__NodeProto *node, const char *name, float otherwise);

/* Edits. When memory is short they note it in the graph, give NULL, and leave the tree fit to be freed; names and nodes
 * given to them may then be NULL. Texts are copied. */

#define BF_FRESH_NAME_SIZE 16

/* A name that no value has. */
void bf_graph_fresh_name(bf_graph *g, char ret[BF_FRESH_NAME_SIZE]);
/* Frees a node and leaves its number empty. */
void bf_graph_drop_node(bf_graph *g, int node);
/* Appends a node; NULL when memory is short. */
Onnx__NodeProto *bf_graph_add_node(bf_graph *g, const char *op, const char *const inputs[], int input_count,
                                   const char *const outputs[], int output_count);
void bf_graph_set_ints(bf_graph *g, Onnx__NodeProto *node, const char *name, const int64_t *values, size_t count);
void bf_graph_set_int(bf_graph *g, Onnx__NodeProto *node, const char *name, int64_t value);
void bf_graph_set_input(bf_graph *g, Onnx__NodeProto *node, int slot, const char *name);
void bf_graph_set_output(bf_graph *g, Onnx__NodeProto *node, int slot, const char *name);
/* Appends an input to a node that has fewer. */
void bf_graph_add_input(bf_graph *g, Onnx__NodeProto *node, const char *name);
/* Makes every reader of `value` read `name` instead. */
void bf_graph_redirect(bf_graph *g, int value, const char *name);

/* New constants; the contents are filled with zero and given back for writing through *ret_data. NULL when memory is
 * short. */
const char *bf_graph_add_floats(bf_graph *g, const int64_t *dims, int rank, float **ret_data);
const char *bf_graph_add_ints(bf_graph *g, const int64_t *values, size_t count);

/* Contents of a constant, NULL when it is of another type, or its size does not agree with its shape. */
const float *bf_constant_floats(const Onnx__TensorProto *tensor, size_t *ret_count);
const int64_t *bf_constant_ints(const Onnx__TensorProto *tensor, size_t *ret_count);
/* The constant as one number for each of `channels` channels of a [N,C,H,W] value: shapes [C,1,1], [1,C,1,1], and for
 * any single number that number (*ret_step 0). NULL for any other shape. */
const float *bf_constant_per_channel(const Onnx__TensorProto *tensor, int64_t channels, size_t *ret_step);

/* Sizes of a Split node's outputs, NULL when they are not stated. */
const int64_t *bf_graph_split_sizes(const bf_graph *g, int node, size_t *ret_count);

/* Fills in the shapes of all values that can be known from the graph's inputs and its constants. */
void bf_graph_infer_dims(bf_graph *g);

#endif
