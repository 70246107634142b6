#include "worker/pool.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/attr.h"
#include "base/error.h"
#include "bonafide/words.h"
#include "worker/channel.h"
#include "worker/pool_internal.h"
#include "worker/spawn.h"

/* Whoever waits behind more than one other would be answered sooner by trying again, or elsewhere. */
#define QUEUE_FOR_EACH 1
#define WORKER_BYTES_DEFAULT ((size_t)1 << 30)

static int count_processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < BF_POOL_WORKERS_MAX ? count : BF_POOL_WORKERS_MAX;
}

static bf_status copy_path(const char *what, const char *from, char to[BF_CONTROL_PATH_MAX], bf_error *err)
{
    int size = from ? snprintf(to, BF_CONTROL_PATH_MAX, "%s", from) : 0;
    return size > 0 && size < BF_CONTROL_PATH_MAX
               ? BF_OK
               : bf_fail(err, BF_INVALID_ARGUMENT, "%s must be a path of 1 to %d bytes.", what,
                         BF_CONTROL_PATH_MAX - 1);
}

static bf_status read_options(bf_pool *pool, const bf_pool_options *options, bf_error *err)
{
    bf_control_options *told = &pool->options;
    if (options->workers < 0 || options->workers > BF_POOL_WORKERS_MAX || options->queue_max < 0 ||
        options->queue_max > BF_POOL_QUEUE_MAX || options->job_ms_max < 0)
        return bf_fail(err, BF_INVALID_ARGUMENT, "There may be up to %d workers and %d waiting jobs.",
                       BF_POOL_WORKERS_MAX, BF_POOL_QUEUE_MAX);
    pool->wanted = options->workers > 0 ? options->workers : count_processors();
    pool->queue_max = options->queue_max > 0 ? options->queue_max : pool->wanted * QUEUE_FOR_EACH;
    pool->job_ms_max = options->job_ms_max > 0 ? options->job_ms_max : BF_POOL_JOB_MS;
    told->head.kind = BF_CONTROL_OPTIONS;
    told->mirror = options->mirror;
    told->job_ms_max = pool->job_ms_max;
    told->worker_bytes_max = options->worker_bytes_max > 0 ? options->worker_bytes_max : WORKER_BYTES_DEFAULT;
    (void)snprintf(told->version, sizeof told->version, "%s", bf_version());
    if (options->fusion && strlen(options->fusion) >= sizeof told->fusion)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The fusion's name is too long.");
    (void)snprintf(told->fusion, sizeof told->fusion, "%s", options->fusion ? options->fusion : "");
    if (options->program && !(pool->program = bf_strdup(options->program)))
        return bf_fail_memory(err);
    bf_status status = copy_path("data_dir", options->data_dir, told->data_dir, err);
    return status == BF_OK ? copy_path("weights_dir", options->weights_dir, told->weights_dir, err) : status;
}

/* What is left when the keeper has ended, or never began. */
static void release(bf_pool **pool)
{
    if (!*pool)
        return;
    bf_channel_close(&(*pool)->wake_fd);
    (void)pthread_cond_destroy(&(*pool)->changed);
    (void)pthread_mutex_destroy(&(*pool)->lock);
    bf_free((*pool)->program);
    bf_free(*pool);
    *pool = NULL;
}

/* The keeper takes no signals: they are for the thread that waits for them. */
static bool start_keeper(bf_pool *pool)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&pool->keeper, NULL, bf_pool_keep, pool) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void stop_keeper(bf_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    bf_pool_wake(pool);
    (void)pthread_mutex_unlock(&pool->lock);
    (void)pthread_join(pool->keeper, NULL);
}

bf_status bf_pool_new(const bf_pool_options *options, bf_pool **ret, bf_error *err)
{
    BF_CLEANUP(release) bf_pool *pool = bf_calloc(1, sizeof *pool);
    if (!pool)
        return bf_fail_memory(err);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->changed, NULL);
    pool->last = &pool->first;
    pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bf_status status = read_options(pool, options, err);
    if (status != BF_OK)
        return status;
    if (pool->wake_fd < 0 || !start_keeper(pool))
        return bf_fail(err, BF_INTERNAL, "No thread could be started.");
    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->started && pool->start_error.status == BF_OK)
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
    bool started = pool->started;
    (void)pthread_mutex_unlock(&pool->lock);
    if (!started) {
        stop_keeper(pool);
        if (err)
            *err = pool->start_error;
        return pool->start_error.status;
    }
    *ret = pool;
    pool = NULL;
    return BF_OK;
}

void bf_pool_free(bf_pool **pool)
{
    if (!pool || !*pool)
        return;
    bf_pool *p = *pool;
    (void)pthread_mutex_lock(&p->lock);
    p->closing = true;
    for (bf_waiter *waiter = p->first; waiter; waiter = waiter->next)
        (void)pthread_cond_signal(&waiter->given);
    (void)pthread_cond_broadcast(&p->changed);
    while (p->inside > 0)
        (void)pthread_cond_wait(&p->changed, &p->lock);
    (void)pthread_mutex_unlock(&p->lock);
    stop_keeper(p);
    release(pool);
}

bf_status bf_pool_reload(bf_pool *pool, bf_error *err)
{
    bf_error failure = {0};
    (void)pthread_mutex_lock(&pool->lock);
    pool->inside++;
    /* One that is under way may have read files before they were changed. */
    while (pool->reload != BF_RELOAD_NONE && !pool->closing)
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
    uint64_t before = pool->reloads;
    if (!pool->closing) {
        pool->reload = BF_RELOAD_WANTED;
        bf_pool_wake(pool);
    }
    while (pool->reloads == before && !pool->closing)
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
    if (pool->reloads != before)
        failure = pool->reload_error;
    else
        bf_fail(&failure, BF_SHUTTING_DOWN, "%s", bf_status_text(BF_SHUTTING_DOWN));
    pool->inside--;
    (void)pthread_cond_broadcast(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
    if (failure.status != BF_OK && err)
        *err = failure;
    return failure.status;
}

void bf_pool_look(bf_pool *pool, bf_pool_facts *ret)
{
    bf_pool_facts facts = {.queue_max = pool->queue_max};
    (void)pthread_mutex_lock(&pool->lock);
    facts.busy = pool->busy;
    facts.queued = pool->queued;
    facts.judged = pool->judged;
    facts.lost = pool->lost;
    facts.restarts = pool->restarts;
    facts.refused = pool->refused;
    for (const bf_nursery *n = pool->nurseries; n; n = n->next) {
        for (const bf_worker *w = n->workers; w; w = w->next) {
            bool able = !w->ended && (w->state == BF_STATE_BUSY || (w->state == BF_STATE_IDLE && n == pool->current));
            facts.workers += able;
            facts.ready = facts.ready || (able && n == pool->current);
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    *ret = facts;
}
