/* One thread's buffers. The runtime reads its input from them and writes its outputs into them, so that a run
 * copies nothing. */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "infer/net_internal.h"

typedef struct tensor {
    float *floats;
    size_t count;
    OrtValue *value; /* a view of `floats` */
} tensor;

struct bf_net_run {
    const bf_net *net;
    tensor input;
    tensor outputs[BF_MODEL_OUTPUTS_MAX];
};

static bf_status tensor_init(const bf_net *net, const bf_shape *shape, tensor *ret, bf_error *err)
{
    ret->count = bf_shape_floats(shape);
    ret->floats = bf_calloc(ret->count, sizeof *ret->floats);
    if (!ret->floats)
        return bf_fail_memory(err);
    OrtStatus *failure = net->api->CreateTensorWithDataAsOrtValue(
        net->memory, ret->floats, ret->count * sizeof *ret->floats, shape->dims, shape->rank,
        ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &ret->value);
    if (failure)
        return bf_runtime_fail(net->api, failure, BF_OUT_OF_MEMORY, err, "There is not enough memory for a tensor.");
    return BF_OK;
}

/* Tensors hold pictures of faces and embeddings: they are wiped. */
static void tensor_done(const bf_net *net, tensor *t)
{
    net->api->ReleaseValue(t->value);
    if (t->floats)
        explicit_bzero(t->floats, t->count * sizeof *t->floats);
    bf_free(t->floats);
    *t = (tensor){0};
}

bf_status bf_net_run_new(const bf_net *net, bf_net_run **ret, bf_error *err)
{
    BF_CLEANUP(bf_net_run_free) bf_net_run *run = bf_calloc(1, sizeof *run);
    if (!run)
        return bf_fail_memory(err);
    run->net = net;
    bf_status status = tensor_init(net, &net->input_shape, &run->input, err);
    for (int i = 0; i < net->manifest.output_count && status == BF_OK; i++)
        status = tensor_init(net, &net->output_shapes[i], &run->outputs[i], err);
    if (status != BF_OK)
        return status;
    *ret = run;
    run = NULL;
    return BF_OK;
}

void bf_net_run_free(bf_net_run **run)
{
    if (!run || !*run)
        return;
    bf_net_run *r = *run;
    tensor_done(r->net, &r->input);
    for (int i = 0; i < BF_MODEL_OUTPUTS_MAX; i++)
        tensor_done(r->net, &r->outputs[i]);
    bf_free(r);
    *run = NULL;
}

float *bf_net_input(bf_net_run *run)
{
    return run->input.floats;
}

/* Whether no element is NaN or infinite: those are the floats whose exponent bits are all set. */
static bool all_finite(const float *floats, size_t count)
{
    uint32_t odd = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &floats[i], sizeof bits);
        odd |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return odd == 0;
}

bf_status bf_net_execute(bf_net_run *run, bf_error *err)
{
    const bf_net *net = run->net;
    const char *input_name = net->input_name;
    const OrtValue *input = run->input.value;
    OrtValue *outputs[BF_MODEL_OUTPUTS_MAX];
    size_t count = (size_t)net->manifest.output_count;
    for (size_t i = 0; i < count; i++)
        outputs[i] = run->outputs[i].value;
    OrtStatus *failure = net->api->Run(net->session, NULL, &input_name, &input, 1,
                                       (const char *const *)net->output_names, count, outputs);
    if (failure)
        return bf_runtime_fail(net->api, failure, BF_INFERENCE_FAILED, err, "The model %s failed to run.",
                               net->manifest.name);
    for (size_t i = 0; i < count; i++) {
        if (!all_finite(run->outputs[i].floats, run->outputs[i].count))
            return bf_fail(err, BF_INFERENCE_FAILED, "The model %s gave a result that is not a number.",
                           net->manifest.name);
    }
    return BF_OK;
}

const float *bf_net_output(const bf_net_run *run, int index, size_t *ret_count)
{
    assert(index >= 0 && index < run->net->manifest.output_count);
    *ret_count = run->outputs[index].count;
    return run->outputs[index].floats;
}
