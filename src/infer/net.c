/* Sessions: weights loaded once, shared by all threads. */
#include "infer/net.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "infer/net_internal.h"

typedef struct config_entry {
    const char *key, *value;
} config_entry;

static OrtStatus *set_options(const OrtApi *api, OrtSessionOptions *options)
{
    static const config_entry entries[] = {{"session.intra_op.allow_spinning", "0"},
                                           {"session.inter_op.allow_spinning", "0"},
                                           {"session.use_env_allocators", "1"}};
    OrtStatus *failure = api->SetIntraOpNumThreads(options, 1);
    if (!failure)
        failure = api->SetInterOpNumThreads(options, 1);
    if (!failure)
        failure = api->SetSessionExecutionMode(options, ORT_SEQUENTIAL);
    if (!failure)
        failure = api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL);
    if (!failure)
        failure = api->SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL);
    for (size_t i = 0; i < sizeof entries / sizeof *entries && !failure; i++)
        failure = api->AddSessionConfigEntry(options, entries[i].key, entries[i].value);
    return failure;
}

static bf_status open_session(bf_net *net, OrtEnv *env, const void *weights, size_t size, bf_error *err)
{
    OrtSessionOptions *options = NULL;
    OrtStatus *failure = net->api->CreateSessionOptions(&options);
    if (!failure)
        failure = set_options(net->api, options);
    if (!failure)
        failure = net->api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &net->memory);
    bf_status status = BF_OK;
    if (failure)
        status = bf_runtime_fail(net->api, failure, BF_MODEL_UNAVAILABLE, err, "ONNX Runtime refused its settings.");
    if (status == BF_OK) {
        failure = net->api->CreateSessionFromArray(env, weights, size, options, &net->session);
        if (failure)
            status = bf_runtime_fail(net->api, failure, BF_MODEL_INVALID, err,
                                     "The weights of the model %s are not a network that ONNX Runtime can load.",
                                     net->manifest.name);
    }
    net->api->ReleaseSessionOptions(options);
    return status;
}

bf_status bf_net_load(const bf_manifest *manifest, const void *weights, size_t size, bf_net **ret, bf_error *err)
{
    const OrtApi *api = NULL;
    OrtEnv *env = NULL;
    bf_status status = bf_runtime_get(&api, &env, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_net_free) bf_net *net = bf_calloc(1, sizeof *net);
    if (!net)
        return bf_fail_memory(err);
    net->api = api;
    net->manifest = *manifest;
    status = open_session(net, env, weights, size, err);
    if (status == BF_OK)
        status = bf_net_bind(net, err);
    if (status != BF_OK)
        return status;
    *ret = net;
    net = NULL;
    return BF_OK;
}

void bf_net_free(bf_net **net)
{
    if (!net || !*net)
        return;
    bf_net *n = *net;
    n->api->ReleaseSession(n->session);
    n->api->ReleaseMemoryInfo(n->memory);
    bf_free(n->input_name);
    for (int i = 0; i < BF_MODEL_OUTPUTS_MAX; i++)
        bf_free(n->output_names[i]);
    bf_free(n);
    *net = NULL;
}

const bf_manifest *bf_net_manifest(const bf_net *net)
{
    return &net->manifest;
}
