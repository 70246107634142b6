#include "cli/pool.h"

#include <pthread.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/bundle.h"

#define RESULTS_PER_JOB 4

typedef struct slot {
    bool ready;
    bf_record *record;
} slot;

typedef struct pool {
    const cli_work *work;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    slot slots[CLI_JOBS_MAX * RESULTS_PER_JOB];
    size_t window; /* slots in use: results are at most that far ahead */
    size_t next;   /* file that the next free thread takes */
    size_t taken;  /* results that were handed over */
    bool stop;
    bf_error failure; /* the first; then everything stops */
} pool;

/* The end of a path that fits a request id. */
static const char *request_id(const char *path)
{
    const size_t longest = 79;
    size_t length = strlen(path);
    return length > longest ? path + length - longest : path;
}

static bf_status judge_file(const cli_work *work, bf_judge *judge, const char *path, bf_record **ret, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes media = {0};
    bf_error unreadable = {0};
    bf_request request = work->request;
    request.request_id = request_id(path);
    if (cli_bundle_read(path, work->fps, &media, &unreadable) != BF_OK)
        request.media_error = &unreadable;
    request.media = media.data;
    request.media_size = media.size;
    return bf_judge_capture(judge, &request, ret, err);
}

static void fail_pool(pool *p, const bf_error *err)
{
    (void)pthread_mutex_lock(&p->lock);
    if (p->failure.status == BF_OK)
        p->failure = *err;
    p->stop = true;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
}

/* Waits for a file that may be judged now; false at the end. */
static bool next_file(pool *p, size_t *ret_index)
{
    (void)pthread_mutex_lock(&p->lock);
    while (!p->stop && p->next < p->work->files->count && p->next >= p->taken + p->window)
        (void)pthread_cond_wait(&p->changed, &p->lock);
    bool found = !p->stop && p->next < p->work->files->count;
    if (found)
        *ret_index = p->next++;
    (void)pthread_mutex_unlock(&p->lock);
    return found;
}

static void *work_through(void *data)
{
    pool *p = data;
    bf_error err = {0};
    BF_CLEANUP(bf_judge_free) bf_judge *judge = NULL;
    if (bf_judge_new(p->work->engine, &judge, &err) != BF_OK) {
        fail_pool(p, &err);
        return NULL;
    }
    for (size_t index; next_file(p, &index);) {
        bf_record *record = NULL;
        if (judge_file(p->work, judge, p->work->files->path[index], &record, &err) != BF_OK) {
            fail_pool(p, &err);
            return NULL;
        }
        (void)pthread_mutex_lock(&p->lock);
        p->slots[index % p->window] = (slot){true, record};
        (void)pthread_cond_broadcast(&p->changed);
        (void)pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

/* Hands the results over in order until all are taken or something stops the pool. */
static void take_in_order(pool *p, cli_take *take, void *data)
{
    for (size_t index = 0; index < p->work->files->count; index++) {
        slot *result = &p->slots[index % p->window];
        (void)pthread_mutex_lock(&p->lock);
        while (!result->ready && !p->stop)
            (void)pthread_cond_wait(&p->changed, &p->lock);
        bool ready = result->ready;
        (void)pthread_mutex_unlock(&p->lock);
        bool go_on = ready && take(data, index, result->record);
        (void)pthread_mutex_lock(&p->lock);
        bf_record_free(&result->record);
        result->ready = false;
        p->taken = index + 1;
        p->stop = p->stop || !go_on;
        bool stop = p->stop;
        (void)pthread_cond_broadcast(&p->changed);
        (void)pthread_mutex_unlock(&p->lock);
        if (stop)
            return;
    }
}

static bf_status judge_on_threads(pool *p, cli_take *take, void *data, bf_error *err)
{
    pthread_t thread[CLI_JOBS_MAX];
    int started = 0;
    while (started < p->work->jobs && pthread_create(&thread[started], NULL, work_through, p) == 0)
        started++;
    if (started == 0)
        return bf_fail(err, BF_INTERNAL, "No thread could be started.");
    take_in_order(p, take, data);
    for (int i = 0; i < started; i++)
        (void)pthread_join(thread[i], NULL);
    for (size_t i = 0; i < p->window; i++)
        bf_record_free(&p->slots[i].record);
    if (p->failure.status != BF_OK && err)
        *err = p->failure;
    return p->failure.status;
}

/* One job needs no threads. */
static bf_status judge_here(const cli_work *work, cli_take *take, void *data, bf_error *err)
{
    BF_CLEANUP(bf_judge_free) bf_judge *judge = NULL;
    bf_status status = bf_judge_new(work->engine, &judge, err);
    bool go_on = true;
    for (size_t i = 0; i < work->files->count && status == BF_OK && go_on; i++) {
        bf_record *record = NULL;
        status = judge_file(work, judge, work->files->path[i], &record, err);
        go_on = status == BF_OK && take(data, i, record);
        bf_record_free(&record);
    }
    return status;
}

bf_status cli_judge_all(const cli_work *work, cli_take *take, void *data, bf_error *err)
{
    if (work->jobs <= 1 || work->files->count <= 1)
        return judge_here(work, take, data, err);
    pool *p = bf_calloc(1, sizeof *p);
    if (!p)
        return bf_fail_memory(err);
    p->work = work;
    p->window = (size_t)work->jobs * RESULTS_PER_JOB;
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->changed, NULL);
    bf_status status = judge_on_threads(p, take, data, err);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    bf_free(p);
    return status;
}
