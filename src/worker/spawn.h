/* Starting the program anew as a nursery. */
#ifndef BF_WORKER_SPAWN_H
#define BF_WORKER_SPAWN_H

#include <sys/types.h>

#include "bonafide/status.h"

/* `program` NULL: the running one. The new process has this end's counterpart as its only descriptor besides standard
 * error, an environment of almost nothing, a session of its own, and every signal as it is by default. It is the
 * calling thread's child: when that thread ends, so does the process. *ret_control is closed on exec. INTERNAL. */
bf_status bf_spawn_nursery(const char *program, pid_t *ret_pid, int *ret_control, bf_error *err);

/* Waits `ms` for a child to end, then kills it; returns when it is gone. */
void bf_spawn_reap(pid_t pid, int ms);

#endif
