/* The life of a worker process: confine itself, then judge what comes in, one job after the other. */
#ifndef BF_WORKER_WORKER_H
#define BF_WORKER_WORKER_H

#include <stddef.h>
#include <sys/types.h>

#include "bonafide/engine.h"

typedef struct bf_worker_settings {
    int job_ms_max;
    size_t bytes_max; /* address space that may be added */
    pid_t parent;     /* the nursery */
} bf_worker_settings;

/* Called in a process that was just forked for it; never returns. `channel` is the socket to the server; every other
 * descriptor is closed. */
_Noreturn void bf_worker_run(int channel, bf_judge *judge, const bf_worker_settings *settings);

/* Has everything initialise itself that does so when it is first used, and would have to open files for it, which a
 * worker may not: runs every network and starts every decoder. Called by the nursery, so that it is done once. */
bf_status bf_worker_warm_up(bf_judge *judge, bf_error *err);

#endif
