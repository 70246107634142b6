/* Doing something for each of many indices on several threads. */
#ifndef BF_DATASET_PARALLEL_H
#define BF_DATASET_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

#define BF_PARALLEL_JOBS_MAX 64

typedef struct bf_parallel {
    size_t count;
    int jobs;   /* threads, 1..BF_PARALLEL_JOBS_MAX */
    void *data; /* passed to each function below */
    /* Make and free what one thread needs; both may be NULL. What a failing `start` put into *ret_state is freed. */
    bf_status (*start)(void *data, void **ret_state, bf_error *err);
    void (*stop)(void *state);
    /* Called once for each index, from any thread, in about ascending order. A failure ends the work. */
    bf_status (*work)(void *data, void *state, size_t index, bf_error *err);
    /* Called by the calling thread while indices are finished; false ends the work. May be NULL. */
    bool (*progress)(void *data, size_t done);
} bf_parallel;

/* Returns when every thread has ended. *ret_done (may be NULL) says how many indices were finished: fewer than
 * `count` with BF_OK when `progress` ended it. The first failure of `start` or `work`; INTERNAL when no thread could
 * be started. */
bf_status bf_parallel_run(const bf_parallel *parallel, size_t *ret_done, bf_error *err);

#endif
