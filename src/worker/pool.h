/* Judging in worker processes.
 *
 * A *nursery* process (this program, run anew as `bonafide nursery`, so it inherits nothing of the server's memory)
 * loads the engine once and forks workers that share its weights. A worker takes one job at a time: it receives the
 * job's regions as descriptors, maps them read-only, judges, and answers with the record as JSON. It has no network, no
 * files, no new privileges, and ceilings on memory and processor time (seccomp; see docs/internals/workers.md). A
 * worker that crashes, hangs or answers nonsense costs its job WORKER_LOST and is replaced. */
#ifndef BF_WORKER_POOL_H
#define BF_WORKER_POOL_H

#include <stdbool.h>

#include "base/bytes.h"
#include "bonafide/engine.h"
#include "worker/region.h"

#define BF_POOL_WORKERS_MAX 256
#define BF_POOL_QUEUE_MAX 4096
#define BF_POOL_JOB_MS 20000 /* a job's time where nothing else is said: several times that of a long live capture */

typedef struct bf_pool bf_pool;

typedef struct bf_pool_options {
    const char *program;                         /* path of the bonafide program; NULL: /proc/self/exe */
    const char *data_dir, *weights_dir, *fusion; /* as in bf_engine_options */
    bool mirror;
    int workers;             /* processes; 0: one for each processor this process may run on */
    int queue_max;           /* jobs that may wait; 0: one for each worker */
    int job_ms_max;          /* time a job may take in a worker before it is killed; 0: BF_POOL_JOB_MS */
    size_t worker_bytes_max; /* address space a worker may add to what it was born with; 0: 1 GiB */
} bf_pool_options;

/* Starts the nursery and the workers; returns when they are ready to judge. Errors are those of bf_engine_new, and
 * INTERNAL when no process could be started or confined. */
bf_status bf_pool_new(const bf_pool_options *options, bf_pool **ret, bf_error *err);

/* Fails jobs that wait with SHUTTING_DOWN, lets those under way end (at most job_ms_max), ends the processes. No thread
 * may begin to use the pool any more. */
void bf_pool_free(bf_pool **pool);

/* What to judge: the fields of bf_request that matter here, with media as regions. All borrowed for the call. */
typedef struct bf_job {
    const char *request_id;     /* required, 1 to 79 printable ASCII characters */
    const bf_region *media;     /* required; may be an empty one */
    const bf_region *reference; /* NULL: none */
    bool match_only;            /* bf_judge_match instead of bf_judge_capture */
    const char *flow, *channel; /* NULL: the default */
    const char *context_json;   /* NULL: low risk; at most 64 KiB */
    const char *plan_json;      /* what this capture was asked; NULL: nothing */
    bool kill_switch;
} bf_job;

/* Judges one job; blocks until there is an answer. The regions are sealed: nothing can be appended to them
 * afterwards. On success *ret_record holds the record's JSON (checked to be one JSON object with this request_id, so
 * that a subverted worker cannot break the answer's form), followed by a NUL not counted in size; the caller owns
 * it. Errors: OVERLOADED at once when the queue is full, and for a job that waited for job_ms_max in vain;
 * WORKER_LOST, SHUTTING_DOWN, OUT_OF_MEMORY, INTERNAL, and what bf_judge_capture refuses (INVALID_ARGUMENT).
 * *ret_wait_ms (may be NULL) is the time spent in the queue, also of a job that failed. Any thread. */
bf_status bf_pool_judge(bf_pool *pool, const bf_job *job, bf_bytes *ret_record, double *ret_wait_ms, bf_error *err);

/* Loads the engine's files anew in a second nursery and changes over without dropping a job. When that fails the old
 * one stays in service. Any thread; one at a time. */
bf_status bf_pool_reload(bf_pool *pool, bf_error *err);

typedef struct bf_pool_facts {
    int workers, busy, queued, queue_max;     /* workers: those that judge or could */
    uint64_t judged, lost, restarts, refused; /* since the start; restarts: workers that ended without being told to */
    bool ready;                               /* at least one worker takes jobs */
} bf_pool_facts;
void bf_pool_look(bf_pool *pool, bf_pool_facts *ret);

#endif
