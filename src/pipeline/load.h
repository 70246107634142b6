/* Reading an engine's files. Each fills its part of the engine and leaves the rest alone; what was loaded before a
 * failure stays with the engine and is freed with it. */
#ifndef BF_PIPELINE_LOAD_H
#define BF_PIPELINE_LOAD_H

#include "pipeline/engine.h"

/* The networks that models/stack.yaml names. */
bf_status bf_load_stack(bf_engine *engine, const char *data_dir, const char *weights_dir, bf_error *err);

/* The fusion file, the detectors it needs (a network whose weights are not installed is left out as long as some
 * configuration can do without it), our own detectors, and their calibrations. */
bf_status bf_load_evidence(bf_engine *engine, const char *data_dir, const char *weights_dir, const char *fusion,
                           bf_error *err);

#endif
