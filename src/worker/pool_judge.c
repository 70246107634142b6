/* One job: waiting for a worker, and talking to it. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/attr.h"
#include "base/error.h"
#include "bonafide/words.h"
#include "store/time.h"
#include "worker/channel.h"
#include "worker/pool_internal.h"
#include "worker/wire.h"

#define REQUEST_ID_MAX 79 /* as in records */
#define TAKES_MAX 4       /* workers tried that had died while they were idle */
/* A worker goes after so many jobs, so that one that was subverted without a sign does not stay, nor what a library
 * forgot to free. Not all at the same time. */
#define JOBS_MAX 1000
#define JOBS_SPREAD 16

typedef enum outcome {
    ANSWERED,  /* with a record or an error */
    NOT_TAKEN, /* the worker had gone before it could have the job */
    LOST       /* it had the job and is of no use any more */
} outcome;

typedef struct talk {
    int fd;
    double deadline_ms;
    bool late;
    bf_wire_answer_header header;
    char *body; /* of the answer, with a NUL; wiped and freed by talk_done */
    size_t size;
} talk;

static void talk_done(talk *t)
{
    bf_bytes body = {(uint8_t *)t->body, t->size};
    bf_bytes_done(&body);
}

/* ---- talking ---- */

static outcome send_job(const talk *t, const bf_bytes *frame, const bf_job *job)
{
    int fds[BF_CHANNEL_FDS_MAX], count = 0;
    if (job->media->size > 0)
        fds[count++] = job->media->fd;
    if (job->reference && job->reference->size > 0)
        fds[count++] = job->reference->fd;
    ssize_t sent = bf_channel_send(t->fd, frame->data, frame->size, fds, count);
    if (sent < 0)
        return NOT_TAKEN;
    /* A job that does not fit the socket's empty buffer cannot be: it is much larger. */
    return sent == (ssize_t)frame->size ? ANSWERED : LOST;
}

/* All of it; else says whether the worker has gone or time has run out. */
static bool receive(talk *t, void *ret, size_t size)
{
    char *at = ret;
    while (size > 0) {
        double left_ms = t->deadline_ms - bf_time_steady_ms();
        struct pollfd ready = {t->fd, POLLIN, 0};
        t->late = left_ms <= 0;
        if (t->late)
            return false;
        int count = poll(&ready, 1, (int)left_ms + 1);
        if (count < 0 && errno != EINTR)
            return false;
        if (count <= 0)
            continue;
        ssize_t got = recv(t->fd, at, size, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static bf_status fail_lost(bf_error *err)
{
    bf_fail(err, BF_WORKER_LOST, "%s", bf_status_text(BF_WORKER_LOST));
    bf_fail_hint(err, "Send the request again.");
    return BF_WORKER_LOST;
}

/* A worker that ends before it has said that it has the job did not die of it, and the job can go to another. */
static outcome read_receipt(talk *t)
{
    if (!receive(t, &t->header, sizeof t->header))
        return t->late ? LOST : NOT_TAKEN;
    return bf_wire_answer_expect(&t->header, &t->size) && t->header.kind == BF_WIRE_TAKEN ? ANSWERED : LOST;
}

static outcome read_answer(talk *t, const char *request_id, bf_status *ret_status, bf_error *err)
{
    bool sound = receive(t, &t->header, sizeof t->header) && bf_wire_answer_expect(&t->header, &t->size);
    if (!sound || (t->header.kind != BF_WIRE_RECORD && t->header.kind != BF_WIRE_FAILURE))
        return LOST;
    t->body = bf_malloc(t->size + 1);
    if (!t->body || !receive(t, t->body, t->size))
        return LOST;
    t->body[t->size] = '\0';
    bf_error failure = {0};
    if (t->header.kind == BF_WIRE_FAILURE) {
        if (!bf_wire_failure_read(&t->header, t->body, &failure))
            return LOST;
    } else if (bf_wire_record_check(t->body, t->size, request_id, &failure) == BF_INVALID_ARGUMENT) {
        return LOST;
    }
    *ret_status = failure.status;
    if (failure.status != BF_OK && err)
        *err = failure;
    return ANSWERED;
}

/* ---- waiting ---- */

static bf_status fail_overloaded(bf_error *err)
{
    bf_fail(err, BF_OVERLOADED, "%s", bf_status_text(BF_OVERLOADED));
    bf_fail_hint(err, "Try again in a few seconds.");
    return BF_OVERLOADED;
}

static bf_status fail_closing(bf_error *err)
{
    return bf_fail(err, BF_SHUTTING_DOWN, "%s", bf_status_text(BF_SHUTTING_DOWN));
}

static void leave_line(bf_pool *pool, const bf_waiter *waiter)
{
    bf_waiter **at = &pool->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (!*at)
        pool->last = at;
    pool->queued--;
}

static struct timespec later(int ms)
{
    struct timespec when;
    (void)clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec += ms / 1000;
    when.tv_nsec += (long)(ms % 1000) * 1000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_nsec -= 1000000000;
        when.tv_sec++;
    }
    return when;
}

static bf_status stand_in_line(bf_pool *pool, bf_worker **ret, bf_error *err)
{
    bf_waiter waiter = {0};
    struct timespec until = later(pool->job_ms_max);
    if (pool->queued >= pool->queue_max) {
        pool->refused++;
        return fail_overloaded(err);
    }
    (void)pthread_cond_init(&waiter.given, NULL);
    *pool->last = &waiter;
    pool->last = &waiter.next;
    pool->queued++;
    int late = 0;
    while (!waiter.worker && !pool->closing && late == 0)
        late = pthread_cond_clockwait(&waiter.given, &pool->lock, CLOCK_MONOTONIC, &until);
    if (!waiter.worker) {
        leave_line(pool, &waiter);
        pool->refused += !pool->closing;
    }
    (void)pthread_cond_destroy(&waiter.given);
    *ret = waiter.worker;
    if (waiter.worker)
        return BF_OK;
    return pool->closing ? fail_closing(err) : fail_overloaded(err);
}

static bf_status take_worker(bf_pool *pool, bf_worker **ret, bf_error *err)
{
    if (pool->closing)
        return fail_closing(err);
    *ret = pool->first ? NULL : bf_pool_take(pool);
    return *ret ? BF_OK : stand_in_line(pool, ret, err);
}

static void give_back(bf_pool *pool, bf_worker *worker, outcome how)
{
    pool->busy--;
    worker->jobs += how != NOT_TAKEN;
    bool spent = worker->jobs >= JOBS_MAX + JOBS_SPREAD * (worker->serial % JOBS_SPREAD);
    if (how == ANSWERED) {
        worker->state = BF_STATE_IDLE;
        worker->nursery->barren = 0;
        pool->judged++;
        if (spent)
            bf_worker_retire(worker, bf_time_steady_ms());
    } else {
        pool->lost += how == LOST;
        bf_worker_lose(worker, bf_time_steady_ms());
    }
    if (how != ANSWERED || spent || worker->ended || worker->nursery != pool->current)
        bf_pool_wake(pool);
    bf_pool_serve(pool);
}

/* ---- a job ---- */

static bf_status check_job(const bf_job *job, bf_error *err)
{
    size_t length = job->request_id ? strlen(job->request_id) : 0;
    bool good = length > 0 && length <= REQUEST_ID_MAX && job->media;
    for (size_t i = 0; i < length && good; i++)
        good = job->request_id[i] > ' ' && job->request_id[i] <= '~';
    if (!good)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A job needs media and a request id of 1 to %d printable characters.",
                       REQUEST_ID_MAX);
    bf_status status = job->media->size > 0 ? bf_region_seal(job->media, err) : BF_OK;
    if (status == BF_OK && job->reference && job->reference->size > 0)
        status = bf_region_seal(job->reference, err);
    return status;
}

static bf_status write_frame(const bf_job *job, bf_bytes *ret, bf_error *err)
{
    const bf_wire_job wire = {
        .match_only = job->match_only,
        .kill_switch = job->kill_switch,
        .media_size = job->media->size,
        .has_reference = job->reference != NULL,
        .reference_size = job->reference ? job->reference->size : 0,
        .request_id = job->request_id,
        .flow = job->flow,
        .channel = job->channel,
        .context = job->context_json,
        .plan = job->plan_json,
    };
    return bf_wire_job_write(&wire, ret, err);
}

static outcome talk_over(bf_pool *pool, bf_worker *worker, const bf_job *job, const bf_bytes *frame, talk *t,
                         bf_status *ret_status, bf_error *err)
{
    *t = (talk){.fd = worker->fd, .deadline_ms = bf_time_steady_ms() + pool->job_ms_max};
    outcome how = send_job(t, frame, job);
    if (how == ANSWERED)
        how = read_receipt(t);
    return how == ANSWERED ? read_answer(t, job->request_id, ret_status, err) : how;
}

/* With the lock held, as when it returns. */
static bf_status judge(bf_pool *pool, const bf_job *job, const bf_bytes *frame, talk *t, double *ret_wait_ms,
                       bf_error *err)
{
    for (int takes = 0; takes < TAKES_MAX; takes++) {
        bf_worker *worker = NULL;
        double began_ms = bf_time_steady_ms();
        bf_status status = take_worker(pool, &worker, err);
        *ret_wait_ms += bf_time_steady_ms() - began_ms;
        if (status != BF_OK)
            return status;
        (void)pthread_mutex_unlock(&pool->lock);
        outcome how = talk_over(pool, worker, job, frame, t, &status, err);
        (void)pthread_mutex_lock(&pool->lock);
        give_back(pool, worker, how);
        if (how == ANSWERED)
            return status;
        if (how == LOST)
            break;
    }
    return fail_lost(err);
}

bf_status bf_pool_judge(bf_pool *pool, const bf_job *job, bf_bytes *ret_record, double *ret_wait_ms, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes frame = {0};
    BF_CLEANUP(talk_done) talk t = {0};
    double wait_ms = 0;
    bf_status status = check_job(job, err);
    if (status == BF_OK)
        status = write_frame(job, &frame, err);
    if (status == BF_OK) {
        (void)pthread_mutex_lock(&pool->lock);
        pool->inside++;
        status = judge(pool, job, &frame, &t, &wait_ms, err);
        pool->inside--;
        if (pool->closing)
            (void)pthread_cond_broadcast(&pool->changed);
        (void)pthread_mutex_unlock(&pool->lock);
    }
    if (ret_wait_ms)
        *ret_wait_ms = wait_ms;
    if (status != BF_OK)
        return status;
    *ret_record = (bf_bytes){(uint8_t *)t.body, t.size};
    t.body = NULL;
    return BF_OK;
}
