/* The process's one ONNX Runtime: its function table and environment. Included by src/infer only. */
#ifndef BF_INFER_RUNTIME_H
#define BF_INFER_RUNTIME_H

#include <onnxruntime_c_api.h>

#include "base/attr.h"
#include "bonafide/status.h"

/* The oldest function table this code was written for (ONNX Runtime 1.16). Newer runtimes still serve it. */
#define BF_RUNTIME_API 16

/* Creates the environment on the first call (any thread; later calls return the same). It lives as long as the
 * process, sends no telemetry and prints nothing. MODEL_UNAVAILABLE when the runtime is too old or cannot start. */
bf_status bf_runtime_get(const OrtApi **ret_api, OrtEnv **ret_env, bf_error *err);

/* Turns a failed OrtStatus, which is released, into `status` with a sentence of ours; the runtime's own text goes
 * into the detail. Returns `status`. */
bf_status bf_runtime_fail(const OrtApi *api, OrtStatus *failure, bf_status status, bf_error *err, const char *format,
                          ...) BF_PRINTF(5, 6);

#endif
