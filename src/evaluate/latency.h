/* How long each stage took. */
#ifndef BF_EVALUATE_LATENCY_H
#define BF_EVALUATE_LATENCY_H

#include "evaluate/scores.h"

/* Milliseconds, by nearest rank; all NaN when the stage was never timed. */
typedef struct bf_latency {
    uint64_t count;
    double p50, p90, p95, p99, max;
} bf_latency;

/* Fills a place for each stage of the table. OUT_OF_MEMORY. */
bf_status bf_latency_measure(bf_latency ret[BF_STAGES_MAX], const bf_scores *scores, bf_error *err);

#endif
