#include "infer/runtime.h"
#include "infer/net.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/words.h"

static pthread_mutex_t environment_lock = PTHREAD_MUTEX_INITIALIZER;
static OrtEnv *environment;

/* What the runtime has to say about a failure also comes back as an OrtStatus; a library prints nothing itself. */
static void ORT_API_CALL discard_log(void *param, OrtLoggingLevel severity, const char *category, const char *logid,
                                     const char *code_location, const char *message)
{
    (void)param;
    (void)severity;
    (void)category;
    (void)logid;
    (void)code_location;
    (void)message;
}

bf_status bf_runtime_fail(const OrtApi *api, OrtStatus *failure, bf_status status, bf_error *err, const char *format,
                          ...)
{
    char text[BF_ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bf_fail(err, status, "%s", text);
    bf_fail_detail(err, "%s", api->GetErrorMessage(failure));
    api->ReleaseStatus(failure);
    return status;
}

/* One arena for all networks instead of one each: networks run one after the other need the larger of their working
 * memories, not the sum. An environment that the host program made before us may have one already, which serves as
 * well; and without any, each session falls back to its own. So failing here is no failure. */
static void share_arena(const OrtApi *api, OrtEnv *env)
{
    OrtMemoryInfo *memory = NULL;
    OrtArenaCfg *arena = NULL;
    OrtStatus *failure = api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory);
    if (!failure)
        failure = api->CreateArenaCfg(0, -1, -1, -1, &arena);
    if (!failure)
        failure = api->CreateAndRegisterAllocator(env, memory, arena);
    if (failure)
        api->ReleaseStatus(failure);
    if (arena)
        api->ReleaseArenaCfg(arena);
    if (memory)
        api->ReleaseMemoryInfo(memory);
}

/* Since 1.29 the official builds start a telemetry client inside CreateEnv, before DisableTelemetryEvents can be
 * called: it reads the machine's id and the command line (by a recursive expression that overflows the stack on a long
 * one), opens a database in the home folder and a thread that uploads. This variable is the only switch that comes in
 * time. It is the one place where the library touches the environment. */
static bool forbid_telemetry(void)
{
    return setenv("ORT_DISABLE_TELEMETRY", "1", 1) == 0;
}

static bf_status create_environment(const OrtApi *api, OrtEnv **ret, bf_error *err)
{
    OrtEnv *env = NULL;
    if (!forbid_telemetry())
        return bf_fail_memory(err);
    OrtStatus *failure = api->CreateEnvWithCustomLogger(discard_log, NULL, ORT_LOGGING_LEVEL_FATAL, "bonafide", &env);
    if (!failure) {
        failure = api->DisableTelemetryEvents(env);
        if (failure)
            api->ReleaseEnv(env);
    }
    if (failure)
        return bf_runtime_fail(api, failure, BF_MODEL_UNAVAILABLE, err, "ONNX Runtime could not be started.");
    share_arena(api, env);
    *ret = env;
    return BF_OK;
}

bf_status bf_runtime_get(const OrtApi **ret_api, OrtEnv **ret_env, bf_error *err)
{
    const OrtApiBase *base = OrtGetApiBase();
    const OrtApi *api = base->GetApi(BF_RUNTIME_API);
    if (!api) {
        bf_fail(err, BF_MODEL_UNAVAILABLE, "ONNX Runtime %s is too old.", base->GetVersionString());
        bf_fail_hint(err, "Install ONNX Runtime 1.%d or newer.", BF_RUNTIME_API);
        return BF_MODEL_UNAVAILABLE;
    }
    bf_status status = BF_OK;
    (void)pthread_mutex_lock(&environment_lock);
    if (!environment)
        status = create_environment(api, &environment, err);
    OrtEnv *env = environment;
    (void)pthread_mutex_unlock(&environment_lock);
    if (status != BF_OK)
        return status;
    *ret_api = api;
    *ret_env = env;
    return BF_OK;
}

const char *bf_net_runtime_version(void)
{
    return OrtGetApiBase()->GetVersionString();
}

const char *bf_version_runtime(void)
{
    return bf_net_runtime_version();
}
