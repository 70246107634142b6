/* Golden vectors: inputs given by a formula, and the outputs that the right network gives for them. They tell whether
 * a file holds the network a manifest speaks of when its bytes cannot be known beforehand (every exporter writes
 * others). They do not tell whether the file was made with care: import only what you trust. */
#ifndef BF_INFER_GOLDEN_H
#define BF_INFER_GOLDEN_H

#include "infer/net.h"

/* The pattern of one input. Elements are numbered channel by channel, row by row, whatever the tensor's layout, and
 * have the value low + (high - low) * u, where u is
 *   noise:  (s >> 8) / 2^24 after s = s * 1664525 + 1013904223 (mod 2^32) per element, s starting as `seed`;
 *   ramp:   x / (width - 1) in channels 0 and 2, y / (height - 1) in channel 1;
 *   checks: 1 where x / cell + y / cell + channel (whole divisions) is odd, else 0. */
typedef enum bf_golden_kind { BF_GOLDEN_NOISE, BF_GOLDEN_RAMP, BF_GOLDEN_CHECKS } bf_golden_kind;

typedef struct bf_golden_pattern {
    bf_golden_kind kind;
    uint32_t seed; /* noise */
    int cell;      /* checks; px */
    double low, high;
} bf_golden_pattern;

/* Fills an input tensor of the spec's size. Pure. */
void bf_golden_fill(const bf_golden_pattern *pattern, const bf_tensor_spec *spec, float *ret);

/* Runs every vector of the YAML text (`name` stands in messages) through `net`. MODEL_INVALID when an output differs by
 * more than the tolerance times the largest golden value of that output, CONFIG_INVALID when the text is at fault,
 * INFERENCE_FAILED, OUT_OF_MEMORY. */
bf_status bf_golden_check(const bf_net *net, const void *yaml, size_t size, const char *name, bf_error *err);

/* The same with the file that the net's manifest names, below models_dir/NAME; BF_OK when it names none. */
bf_status bf_golden_check_model(const bf_net *net, const char *models_dir, bf_error *err);

#endif
