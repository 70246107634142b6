/* The inside of bf_pool. Private to src/worker/.
 *
 * One thread of the pool, the keeper, starts nurseries, has workers forked and killed, and is the only one to free
 * their structures. A thread that calls bf_pool_judge takes an idle worker for itself, or waits in a line until it
 * is given one, and talks to the worker's socket without holding the lock; while a worker is busy nobody else
 * touches its socket. */
#ifndef BF_WORKER_POOL_INTERNAL_H
#define BF_WORKER_POOL_INTERNAL_H

#include <pthread.h>

#include "worker/control.h"
#include "worker/pool.h"

typedef struct bf_nursery bf_nursery;
typedef struct bf_worker bf_worker;

typedef enum bf_worker_state {
    BF_STATE_HATCHING, /* asked for */
    BF_STATE_STARTING, /* forked, has not said that it is ready */
    BF_STATE_IDLE,
    BF_STATE_BUSY,    /* belongs to the thread that judges with it */
    BF_STATE_RETIRED, /* let go: will end by itself */
    BF_STATE_LOST     /* to be killed */
} bf_worker_state;

struct bf_worker {
    bf_worker *next;
    bf_nursery *nursery;
    uint32_t serial;
    int fd; /* -1 until it is forked */
    bf_worker_state state;
    bool ended; /* there is no process any more */
    bool kill_sent;
    double since_ms; /* when it was asked for, retired or lost */
    uint64_t jobs;
};

struct bf_nursery {
    bf_nursery *next;
    pid_t pid;
    int control;
    bool loaded;   /* the engine is */
    bool draining; /* hatches no more, and goes when its last worker has gone */
    bool dead;
    bool reloaded; /* made by a reload; not in service yet when it is not the current one */
    bf_worker *workers;
    uint32_t serial; /* of the last worker */
    double since_ms; /* when it was started */
    double hatch_at_ms;
    int barren; /* workers in a row that ended before they had a job */
    int losses; /* workers that ended with a job */
};

typedef struct bf_waiter {
    struct bf_waiter *next;
    pthread_cond_t given;
    bf_worker *worker; /* NULL while waiting */
} bf_waiter;

typedef enum bf_reload_state { BF_RELOAD_NONE, BF_RELOAD_WANTED, BF_RELOAD_UNDER_WAY } bf_reload_state;

struct bf_pool {
    char *program; /* NULL: this one */
    bf_control_options options;
    int wanted, queue_max, job_ms_max;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* `started`, `reload` or `inside` */
    pthread_t keeper;
    int wake_fd; /* eventfd */

    bf_nursery *nurseries;
    bf_nursery *current; /* whose workers get the jobs; NULL while there is none */
    bf_nursery *coming;  /* of a reload */
    int failures;        /* nurseries in a row that came to nothing */
    double spawn_at_ms;

    bf_waiter *first, **last;
    int queued, busy, inside; /* inside: threads in bf_pool_judge and bf_pool_reload */

    bool started, closing, stop;
    bf_error start_error;
    bf_reload_state reload;
    uint64_t reloads;      /* that have come to an end */
    bf_error reload_error; /* of the last */
    uint64_t judged, lost, restarts, refused;
};

/* ---- pool_workers.c: all with the lock held ---- */

/* Has the keeper look at things. */
void bf_pool_wake(bf_pool *pool);
/* An idle worker of the current nursery, made busy; NULL when there is none. */
bf_worker *bf_pool_take(bf_pool *pool);
/* Gives idle workers to those who wait. */
void bf_pool_serve(bf_pool *pool);
/* Whether every worker that the nursery shall have is ready. */
bool bf_nursery_complete(const bf_pool *pool, const bf_nursery *nursery);
bf_worker *bf_nursery_add(bf_nursery *nursery, double now_ms);
/* How many workers there are or will be. */
int bf_nursery_count(const bf_nursery *nursery);
/* Frees workers that have ended and belong to nobody. */
void bf_nursery_sweep(bf_nursery *nursery);
void bf_worker_retire(bf_worker *worker, double now_ms);
void bf_worker_lose(bf_worker *worker, double now_ms);
/* Milliseconds to wait after so many vain attempts in a row. */
double bf_pool_patience_ms(int attempts);

/* ---- pool_keeper.c ---- */

void *bf_pool_keep(void *pool);

#endif
