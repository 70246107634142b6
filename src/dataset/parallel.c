#include "dataset/parallel.h"

#include <pthread.h>

#include "base/error.h"

typedef struct run {
    const bf_parallel *parallel;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t next, done;
    int running; /* threads that have not ended */
    bool stop;
    bf_error failure;
} run;

static void fail_run(run *r, const bf_error *err)
{
    (void)pthread_mutex_lock(&r->lock);
    if (r->failure.status == BF_OK)
        r->failure = *err;
    r->stop = true;
    (void)pthread_mutex_unlock(&r->lock);
}

/* Counts the index that was finished before, if any, and takes the next. */
static bool next_index(run *r, bool finished, size_t *ret)
{
    (void)pthread_mutex_lock(&r->lock);
    if (finished) {
        r->done++;
        (void)pthread_cond_signal(&r->changed);
    }
    bool found = !r->stop && r->next < r->parallel->count;
    if (found)
        *ret = r->next++;
    (void)pthread_mutex_unlock(&r->lock);
    return found;
}

static void *work_through(void *data)
{
    run *r = data;
    const bf_parallel *p = r->parallel;
    bf_error err = {0};
    void *state = NULL;
    bool finished = false;
    if (p->start && p->start(p->data, &state, &err) != BF_OK) {
        fail_run(r, &err);
    } else {
        for (size_t index; next_index(r, finished, &index); finished = true) {
            if (p->work(p->data, state, index, &err) != BF_OK) {
                fail_run(r, &err);
                break;
            }
        }
    }
    if (p->stop && state)
        p->stop(state);
    (void)pthread_mutex_lock(&r->lock);
    r->running--;
    (void)pthread_cond_signal(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* Shows progress until every thread has ended. */
static void watch(run *r)
{
    size_t shown = 0;
    (void)pthread_mutex_lock(&r->lock);
    while (r->running > 0) {
        if (r->done == shown)
            (void)pthread_cond_wait(&r->changed, &r->lock);
        shown = r->done;
        (void)pthread_mutex_unlock(&r->lock);
        bool go_on = !r->parallel->progress || r->parallel->progress(r->parallel->data, shown);
        (void)pthread_mutex_lock(&r->lock);
        r->stop = r->stop || !go_on;
    }
    (void)pthread_mutex_unlock(&r->lock);
}

bf_status bf_parallel_run(const bf_parallel *parallel, size_t *ret_done, bf_error *err)
{
    run r = {.parallel = parallel};
    pthread_t thread[BF_PARALLEL_JOBS_MAX];
    int started = 0;
    (void)pthread_mutex_init(&r.lock, NULL);
    (void)pthread_cond_init(&r.changed, NULL);
    (void)pthread_mutex_lock(&r.lock);
    while (started < parallel->jobs && started < BF_PARALLEL_JOBS_MAX && (size_t)started < parallel->count &&
           pthread_create(&thread[started], NULL, work_through, &r) == 0)
        started++;
    r.running = started;
    (void)pthread_mutex_unlock(&r.lock);
    if (started > 0)
        watch(&r);
    for (int i = 0; i < started; i++)
        (void)pthread_join(thread[i], NULL);
    (void)pthread_cond_destroy(&r.changed);
    (void)pthread_mutex_destroy(&r.lock);
    if (started == 0 && parallel->count > 0)
        return bf_fail(err, BF_INTERNAL, "No thread could be started.");
    if (ret_done)
        *ret_done = r.done;
    if (r.failure.status != BF_OK && err)
        *err = r.failure;
    return r.failure.status;
}
