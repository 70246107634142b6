/* Reading and making constants. */
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "optimise/graph.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ONNX keeps raw data in little-endian order");

/* Number of elements by the shape; false beyond what a file can hold. */
static bool element_count(const int64_t *dims, size_t rank, size_t *ret)
{
    size_t count = 1;
    if (rank > BF_DIMS_RANK_MAX)
        return false;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] < 0 || (dims[i] > 0 && (uint64_t)dims[i] > BF_MODEL_BYTES_MAX / (count ? count : 1)))
            return false;
        count *= (size_t)dims[i];
    }
    *ret = count;
    return true;
}

static const void *contents(const Onnx__TensorProto *t, int type, size_t element_size, const void *typed,
                            size_t typed_count, size_t *ret_count)
{
    size_t count;
    if (!t || t->data_type != type || t->segment || !element_count(t->dims, t->n_dims, &count))
        return NULL;
    *ret_count = count;
    if (t->has_raw_data && typed_count == 0)
        return t->raw_data.len == count * element_size && count > 0 ? t->raw_data.data : NULL;
    return typed_count == count && count > 0 ? typed : NULL;
}

const float *bf_constant_floats(const Onnx__TensorProto *t, size_t *ret_count)
{
    return t ? contents(t, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, sizeof(float), t->float_data, t->n_float_data,
                        ret_count)
             : NULL;
}

const int64_t *bf_constant_ints(const Onnx__TensorProto *t, size_t *ret_count)
{
    return t ? contents(t, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, sizeof(int64_t), t->int64_data, t->n_int64_data,
                        ret_count)
             : NULL;
}

const float *bf_constant_per_channel(const Onnx__TensorProto *t, int64_t channels, size_t *ret_step)
{
    size_t count;
    const float *data = bf_constant_floats(t, &count);
    if (!data || t->n_dims > 4)
        return NULL;
    if (count == 1) {
        *ret_step = 0;
        return data;
    }
    size_t first = t->n_dims == 4 ? 1 : 0; /* the batch dimension must be 1 */
    if (t->n_dims < 3 || (uint64_t)t->dims[first] != (uint64_t)channels || count != (size_t)channels)
        return NULL;
    *ret_step = 1;
    return data;
}

/* Appends an empty constant with room for `bytes` of contents. */
static Onnx__TensorProto *append_constant(bf_graph *g, const int64_t *dims, size_t rank, int type, size_t bytes)
{
    Onnx__GraphProto *graph = g->model->graph;
    char fresh[BF_FRESH_NAME_SIZE];
    bf_graph_fresh_name(g, fresh);
    Onnx__TensorProto *t = bf_malloc(sizeof *t);
    Onnx__TensorProto **grown = bf_realloc(graph->initializer, (graph->n_initializer + 1) * sizeof(*grown));
    if (grown)
        graph->initializer = grown;
    if (t)
        onnx__tensor_proto__init(t);
    if (t && grown) {
        t->name = bf_strdup(fresh);
        t->dims = bf_malloc((rank ? rank : 1) * sizeof *t->dims);
        t->raw_data.data = bf_calloc(bytes, 1);
    }
    if (!t || !grown || !t->name || !t->dims || !t->raw_data.data) {
        bf_onnx_free_tensor(t);
        g->memory_short = true;
        return NULL;
    }
    if (rank > 0)
        memcpy(t->dims, dims, rank * sizeof *dims);
    t->n_dims = rank;
    t->has_data_type = true;
    t->data_type = type;
    t->has_raw_data = true;
    t->raw_data.len = bytes;
    grown[graph->n_initializer++] = t;
    return t;
}

const char *bf_graph_add_floats(bf_graph *g, const int64_t *dims, int rank, float **ret_data)
{
    size_t count;
    if (!element_count(dims, (size_t)rank, &count) || count > BF_MODEL_BYTES_MAX / sizeof(float)) {
        g->memory_short = true;
        return NULL;
    }
    Onnx__TensorProto *t =
        append_constant(g, dims, (size_t)rank, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, count * sizeof(float));
    if (!t)
        return NULL;
    void *data = t->raw_data.data;
    *ret_data = data;
    return t->name;
}

const char *bf_graph_add_ints(bf_graph *g, const int64_t *values, size_t count)
{
    int64_t dims[1] = {(int64_t)count};
    Onnx__TensorProto *t = append_constant(g, dims, 1, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, count * sizeof *values);
    if (!t)
        return NULL;
    memcpy(t->raw_data.data, values, count * sizeof *values);
    return t->name;
}
