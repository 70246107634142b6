/* Running networks: the only folder that sees ONNX Runtime. Weights (bf_net) are shared and read-only; a
 * bf_net_run is one thread's input and output buffers. */
#ifndef BF_INFER_NET_H
#define BF_INFER_NET_H

#include <stddef.h>

#include "models/manifest.h"

typedef struct bf_net bf_net;
typedef struct bf_net_run bf_net_run;

/* Loads verified weights (the bytes may be released afterwards), checks that inputs and outputs have the shapes
 * the manifest states (MODEL_INVALID otherwise). The manifest is copied. One intra-op thread, no spinning, no
 * telemetry, sequential execution. The caller frees with bf_net_free. */
bf_status bf_net_load(const bf_manifest *manifest, const void *weights, size_t size, bf_net **ret, bf_error *err);
void bf_net_free(bf_net **net);
const bf_manifest *bf_net_manifest(const bf_net *net);

/* Per-thread state; `net` must outlive it. */
bf_status bf_net_run_new(const bf_net *net, bf_net_run **ret, bf_error *err);
void bf_net_run_free(bf_net_run **run);

/* The input tensor to fill (spec->width * height * channels floats), valid until bf_net_run_free. */
float *bf_net_input(bf_net_run *run);
/* Runs once. INFERENCE_FAILED on failure, and when an output holds NaN or infinity. */
bf_status bf_net_execute(bf_net_run *run, bf_error *err);
/* Output `index` in the manifest's order; *ret_count gets its number of floats. Valid until the next execute. */
const float *bf_net_output(const bf_net_run *run, int index, size_t *ret_count);

/* Version of the runtime, "1.29.0". Static text; any thread. */
const char *bf_net_runtime_version(void);

#endif
