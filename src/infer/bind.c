/* Finds a model's input and outputs and holds them against its manifest. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "infer/net_internal.h"

/* The two directions differ only in the runtime's functions. */
typedef struct direction {
    const char *what; /* "input" or "output" */
    OrtStatus *(ORT_API_CALL *count)(const OrtSession *, size_t *)NO_EXCEPTION;
    OrtStatus *(ORT_API_CALL *name)(const OrtSession *, size_t, OrtAllocator *, char **)NO_EXCEPTION;
    OrtStatus *(ORT_API_CALL *type)(const OrtSession *, size_t, OrtTypeInfo **)NO_EXCEPTION;
} direction;

static bf_status fail_runtime(const bf_net *net, OrtStatus *failure, bf_error *err)
{
    return bf_runtime_fail(net->api, failure, BF_MODEL_INVALID, err,
                           "The inputs and outputs of the model %s cannot be read.", net->manifest.name);
}

static bf_status copy_name(const bf_net *net, const direction *side, size_t index, char **ret, bf_error *err)
{
    OrtAllocator *allocator = NULL;
    char *text = NULL;
    OrtStatus *failure = net->api->GetAllocatorWithDefaultOptions(&allocator);
    if (!failure)
        failure = side->name(net->session, index, allocator, &text);
    if (failure)
        return fail_runtime(net, failure, err);
    char *copy = bf_strdup(text);
    allocator->Free(allocator, text);
    if (!copy)
        return bf_fail_memory(err);
    *ret = copy;
    return BF_OK;
}

/* Index of the tensor called `wanted`; "" means the only one. */
static bf_status find_tensor(const bf_net *net, const direction *side, const char *wanted, size_t *ret_index,
                             char **ret_name, bf_error *err)
{
    size_t count = 0;
    OrtStatus *failure = side->count(net->session, &count);
    if (failure)
        return fail_runtime(net, failure, err);
    if (wanted[0] == 0 && count != 1) {
        bf_fail(err, BF_MODEL_INVALID, "The model %s has %zu %ss; the manifest does not name one.", net->manifest.name,
                count, side->what);
        bf_fail_hint(err, "Name the %s in the manifest.", side->what);
        return BF_MODEL_INVALID;
    }
    BF_CLEANUP(bf_free_string) char *name = NULL;
    for (size_t i = 0; i < count; i++) {
        bf_free_string(&name);
        bf_status status = copy_name(net, side, i, &name, err);
        if (status != BF_OK)
            return status;
        if (wanted[0] == 0 || strcmp(name, wanted) == 0) {
            *ret_index = i;
            *ret_name = name;
            name = NULL;
            return BF_OK;
        }
    }
    bf_fail(err, BF_MODEL_INVALID, "The model %s has no %s '%s'.", net->manifest.name, side->what, wanted);
    if (name)
        bf_fail_hint(err, "It has %zu; the last is called '%s'.", count, name);
    return BF_MODEL_INVALID;
}

static bf_status read_shape(const bf_net *net, const OrtTensorTypeAndShapeInfo *info, bf_shape *ret_shape,
                            bool *ret_is_float, bf_error *err)
{
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    bf_shape shape = {0};
    if (!info)
        return bf_fail(err, BF_MODEL_INVALID, "The model %s has an input or output that is no tensor.",
                       net->manifest.name);
    OrtStatus *failure = net->api->GetTensorElementType(info, &type);
    if (!failure)
        failure = net->api->GetDimensionsCount(info, &shape.rank);
    if (!failure && shape.rank > BF_SHAPE_RANK_MAX)
        return bf_fail(err, BF_MODEL_INVALID, "The model %s has a tensor of %zu dimensions; %d are supported.",
                       net->manifest.name, shape.rank, BF_SHAPE_RANK_MAX);
    if (!failure)
        failure = net->api->GetDimensions(info, shape.dims, shape.rank);
    if (failure)
        return fail_runtime(net, failure, err);
    *ret_shape = shape;
    *ret_is_float = type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    return BF_OK;
}

static bf_status check_shape(const bf_net *net, const char *what, const char *name, const bf_shape *expected,
                             const bf_shape *found, bf_error *err)
{
    if (bf_shape_fits(expected, found))
        return BF_OK;
    char want[BF_SHAPE_TEXT_SIZE], have[BF_SHAPE_TEXT_SIZE];
    bf_shape_text(expected, want);
    bf_shape_text(found, have);
    bf_fail(err, BF_MODEL_INVALID, "The %s '%s' of the model %s has the shape %s; its manifest says %s.", what, name,
            net->manifest.name, have, want);
    bf_fail_hint(err, "Correct the manifest, or use the weights it was written for.");
    return BF_MODEL_INVALID;
}

static bf_status bind_tensor(const bf_net *net, const direction *side, const char *wanted, const bf_shape *expected,
                             char **ret_name, bf_shape *ret_shape, bf_error *err)
{
    size_t index = 0;
    bf_status status = find_tensor(net, side, wanted, &index, ret_name, err);
    if (status != BF_OK)
        return status;
    OrtTypeInfo *type = NULL;
    const OrtTensorTypeAndShapeInfo *info = NULL;
    OrtStatus *failure = side->type(net->session, index, &type);
    if (!failure)
        failure = net->api->CastTypeInfoToTensorInfo(type, &info);
    bool is_float = false;
    status = failure ? fail_runtime(net, failure, err) : read_shape(net, info, ret_shape, &is_float, err);
    net->api->ReleaseTypeInfo(type);
    if (status != BF_OK)
        return status;
    if (!is_float)
        return bf_fail(err, BF_MODEL_INVALID, "The %s '%s' of the model %s does not hold 32-bit floats.", side->what,
                       *ret_name, net->manifest.name);
    return check_shape(net, side->what, *ret_name, expected, ret_shape, err);
}

/* Runs the net once on zeros to learn the shapes that its file leaves open. */
static bf_status probe_outputs(bf_net *net, bf_error *err)
{
    size_t floats = bf_shape_floats(&net->input_shape);
    float *zeros = bf_calloc(floats, sizeof *zeros);
    if (!zeros)
        return bf_fail_memory(err);
    OrtValue *input = NULL, *outputs[BF_MODEL_OUTPUTS_MAX] = {0};
    const char *input_name = net->input_name;
    OrtStatus *failure =
        net->api->CreateTensorWithDataAsOrtValue(net->memory, zeros, floats * sizeof *zeros, net->input_shape.dims,
                                                 net->input_shape.rank, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &input);
    if (!failure)
        failure = net->api->Run(net->session, NULL, &input_name, (const OrtValue *const *)&input, 1,
                                (const char *const *)net->output_names, (size_t)net->manifest.output_count, outputs);
    bf_status status = failure
                           ? bf_runtime_fail(net->api, failure, BF_MODEL_INVALID, err,
                                             "The model %s does not run on an input of the shape its manifest states.",
                                             net->manifest.name)
                           : BF_OK;
    for (int i = 0; i < net->manifest.output_count; i++) {
        OrtTensorTypeAndShapeInfo *info = NULL;
        bool is_float = false;
        failure = status == BF_OK ? net->api->GetTensorTypeAndShape(outputs[i], &info) : NULL;
        if (failure)
            status = fail_runtime(net, failure, err);
        if (status == BF_OK)
            status = read_shape(net, info, &net->output_shapes[i], &is_float, err);
        net->api->ReleaseTensorTypeAndShapeInfo(info);
        net->api->ReleaseValue(outputs[i]);
    }
    net->api->ReleaseValue(input);
    bf_free(zeros);
    return status;
}

static bf_status check_outputs(const bf_net *net, bf_error *err)
{
    for (int i = 0; i < net->manifest.output_count; i++) {
        bf_shape expected = bf_shape_of_output(&net->manifest, i);
        bf_status status = check_shape(net, "output", net->output_names[i], &expected, &net->output_shapes[i], err);
        if (status != BF_OK)
            return status;
        if (bf_shape_floats(&net->output_shapes[i]) == 0)
            return bf_fail(err, BF_MODEL_INVALID, "The output '%s' of the model %s is empty or larger than %u floats.",
                           net->output_names[i], net->manifest.name, BF_TENSOR_FLOATS_MAX);
    }
    if (net->manifest.decoding == BF_DECODING_SSD_BOXES &&
        bf_shape_floats(&net->output_shapes[0]) / (size_t)net->manifest.class_count !=
            bf_shape_floats(&net->output_shapes[1]) / 4)
        return bf_fail(err, BF_MODEL_INVALID, "The model %s has not as many boxes as scores.", net->manifest.name);
    return BF_OK;
}

bf_status bf_net_bind(bf_net *net, bf_error *err)
{
    const OrtApi *api = net->api;
    const direction inputs = {"input", api->SessionGetInputCount, api->SessionGetInputName,
                              api->SessionGetInputTypeInfo};
    const direction outputs = {"output", api->SessionGetOutputCount, api->SessionGetOutputName,
                               api->SessionGetOutputTypeInfo};
    bf_shape found, expected = bf_shape_of_input(&net->manifest);
    size_t count = 0;
    OrtStatus *failure = api->SessionGetInputCount(net->session, &count);
    if (failure)
        return fail_runtime(net, failure, err);
    if (count != 1)
        return bf_fail(err, BF_MODEL_INVALID, "The model %s has %zu inputs; exactly one is supported.",
                       net->manifest.name, count);
    bf_status status = bind_tensor(net, &inputs, net->manifest.input_name, &expected, &net->input_name, &found, err);
    if (status != BF_OK)
        return status;
    net->input_shape = expected;
    if (bf_shape_floats(&expected) == 0 || found.rank != expected.rank)
        return bf_fail(err, BF_MODEL_INVALID, "The input of the model %s has %zu dimensions; 4 are supported.",
                       net->manifest.name, found.rank);
    bool known = true;
    for (int i = 0; i < net->manifest.output_count; i++) {
        expected = bf_shape_of_output(&net->manifest, i);
        status = bind_tensor(net, &outputs, net->manifest.outputs[i], &expected, &net->output_names[i],
                             &net->output_shapes[i], err);
        if (status != BF_OK)
            return status;
        known = known && bf_shape_floats(&net->output_shapes[i]) > 0;
    }
    status = known ? BF_OK : probe_outputs(net, err);
    return status == BF_OK ? check_outputs(net, err) : status;
}
