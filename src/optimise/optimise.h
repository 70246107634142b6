/* Exact rewrites of a network's graph for the way ONNX Runtime executes it, and proof that nothing changed.
 *
 * The same input bytes give the same output bytes on every machine, so a manifest can pin the result's hash. */
#ifndef BF_OPTIMISE_OPTIMISE_H
#define BF_OPTIMISE_OPTIMISE_H

#include "base/bytes.h"
#include "models/manifest.h"

/* What was done to a graph. */
typedef struct bf_optimise_report {
    int nodes_before, nodes_after;
    int folded;      /* nodes that did nothing at inference time, or went into a convolution */
    int shuffles;    /* channel shuffles that went into the numbering of channels */
    int padded;      /* groups of values whose channel count grew to a multiple of 8 */
    int activations; /* PRelu nodes written in terms of Relu and convolutions */
    bool changed;    /* whether any of these is not 0 */
} bf_optimise_report;

/* Rewrites an ONNX file (not trusted). Where there is nothing to rewrite, or the file uses what is not understood,
 * the result is a copy of the input and ret_report->changed is false. MODEL_INVALID when it is no ONNX network or
 * contradicts itself, OUT_OF_MEMORY. On success the caller frees *ret with bf_bytes_done; on failure nothing is
 * written. Any thread. */
bf_status bf_optimise_model(const void *onnx, size_t size, bf_bytes *ret, bf_optimise_report *ret_report,
                            bf_error *err);

/* The largest difference, relative to the range of the output, that bf_optimise_check lets pass. */
#define BF_OPTIMISE_DIFFERENCE_MAX 1e-4

/* One network input to compare on, as the manifest's input tensor describes it. */
typedef struct bf_optimise_sample {
    const float *floats; /* width * height * channels */
} bf_optimise_sample;

/* Runs both networks on seeded random inputs of the kinds a picture can be (noise, slopes, flat areas; always the same)
 * and on `samples`, and compares every output. *ret_difference gets the largest difference of two numbers relative to
 * the range of that output over all inputs; it is also written on MODEL_INVALID by difference. MODEL_INVALID when it is
 * above BF_OPTIMISE_DIFFERENCE_MAX, and when either network cannot be loaded under the manifest; INFERENCE_FAILED,
 * OUT_OF_MEMORY. Any thread. */
bf_status bf_optimise_check(const bf_manifest *manifest, const bf_bytes *original, const bf_bytes *optimised,
                            const bf_optimise_sample *samples, size_t sample_count, double *ret_difference,
                            bf_error *err);

#endif
