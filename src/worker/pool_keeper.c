/* The pool's own thread: starts and ends processes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/time.h"
#include "worker/channel.h"
#include "worker/pool_internal.h"
#include "worker/spawn.h"
#include "worker/wire.h"

#define LOAD_MS_MAX 120000.0 /* reading and checking the engine's files */
#define START_MS_MAX 30000.0 /* a worker, from asking for it to its first word */
#define END_MS_MAX 10000.0   /* a worker, from letting it go or killing it to the report of its end */
#define NAP_MS 500           /* between looks at the time when a deadline is near */
#define BARREN_MAX 4         /* workers that end at once before a start or a reload is given up */
/* Forked workers have one layout of memory in common. Somebody who guesses at it loses a worker with each wrong guess;
 * after so many the nursery is made anew, and with it the layout. */
#define LOSSES_MAX 16
#define REAP_MS 2000
#define POLLED_MAX (BF_POOL_WORKERS_MAX * 2 + 16)

/* ---- ends of a start and of a reload ---- */

static void end_reload(bf_pool *pool, const bf_error *err)
{
    pool->coming = NULL;
    pool->reload = BF_RELOAD_NONE;
    pool->reloads++;
    pool->reload_error = err ? *err : (bf_error){0};
    (void)pthread_cond_broadcast(&pool->changed);
}

/* Something the nursery needs cannot be had. */
static void give_up(bf_pool *pool, bf_nursery *nursery, const bf_error *err)
{
    nursery->draining = true;
    if (nursery == pool->coming)
        end_reload(pool, err);
    if (nursery != pool->current)
        return;
    pool->current = NULL;
    pool->failures++;
    pool->spawn_at_ms = bf_time_steady_ms() + bf_pool_patience_ms(pool->failures);
    if (!pool->started) {
        pool->start_error = *err;
        (void)pthread_cond_broadcast(&pool->changed);
    }
}

static void change_over(bf_pool *pool)
{
    if (pool->current)
        pool->current->draining = true;
    pool->current = pool->coming;
    end_reload(pool, NULL);
    bf_pool_serve(pool);
}

static void note_ready(bf_pool *pool)
{
    if (pool->coming && bf_nursery_complete(pool, pool->coming))
        change_over(pool);
    if (!pool->current || !bf_nursery_complete(pool, pool->current))
        return;
    pool->failures = 0;
    if (!pool->started) {
        pool->started = true;
        (void)pthread_cond_broadcast(&pool->changed);
    }
}

/* ---- nurseries ---- */

static bf_nursery *start_nursery(bf_pool *pool, bf_error *err)
{
    bf_nursery *nursery = bf_calloc(1, sizeof *nursery);
    if (!nursery) {
        (void)bf_fail_memory(err);
        return NULL;
    }
    if (bf_spawn_nursery(pool->program, &nursery->pid, &nursery->control, err) != BF_OK) {
        bf_free(nursery);
        return NULL;
    }
    nursery->since_ms = bf_time_steady_ms();
    nursery->next = pool->nurseries;
    pool->nurseries = nursery;
    if (bf_channel_send(nursery->control, &pool->options, sizeof pool->options, NULL, 0) < 0)
        (void)shutdown(nursery->control, SHUT_RDWR);
    return nursery;
}

static void start_current(bf_pool *pool)
{
    bf_error err = {0};
    pool->current = start_nursery(pool, &err);
    if (pool->current)
        return;
    pool->failures++;
    pool->spawn_at_ms = bf_time_steady_ms() + bf_pool_patience_ms(pool->failures);
    if (!pool->started) {
        pool->start_error = err;
        (void)pthread_cond_broadcast(&pool->changed);
    }
}

static void start_coming(bf_pool *pool)
{
    bf_error err = {0};
    pool->reload = BF_RELOAD_UNDER_WAY;
    pool->coming = start_nursery(pool, &err);
    if (!pool->coming)
        end_reload(pool, &err);
}

/* The process has gone or is of no use, and its workers with it. */
static void nursery_died(bf_pool *pool, bf_nursery *nursery)
{
    bf_error err = {0};
    if (nursery->dead)
        return;
    nursery->dead = true;
    (void)kill(nursery->pid, SIGKILL);
    for (bf_worker *w = nursery->workers; w; w = w->next) {
        pool->restarts += !w->ended && w->state != BF_STATE_RETIRED && w->state != BF_STATE_HATCHING;
        w->ended = true;
    }
    bf_fail(&err, BF_INTERNAL, "The process that judges has ended unexpectedly.");
    give_up(pool, nursery, &err);
}

/* ---- workers ---- */

static void fail_barren(bf_pool *pool, bf_nursery *nursery, int how)
{
    bf_error err = {0};
    bf_fail(&err, BF_INTERNAL, "The processes that judge end as soon as they are started.");
    bf_fail_detail(&err, "%s %d", how != -1 && WIFSIGNALED(how) ? "signal" : "exit status",
                   how != -1 && WIFSIGNALED(how) ? WTERMSIG(how)
                   : how == -1                   ? -1
                                                 : WEXITSTATUS(how));
    give_up(pool, nursery, &err);
}

/* A worker's first word: that it is ready, or why it cannot be. */
static void hear_worker(bf_pool *pool, bf_worker *w)
{
    bf_wire_answer_header header;
    char texts[BF_WIRE_FAILURE_MAX];
    size_t size = 0;
    bf_error failure = {0};
    ssize_t got = recv(w->fd, &header, sizeof header, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bool sound = got == sizeof header && bf_wire_answer_expect(&header, &size);
    if (sound && header.kind == BF_WIRE_READY) {
        w->state = BF_STATE_IDLE;
        bf_pool_serve(pool);
        note_ready(pool);
        return;
    }
    bf_nursery *nursery = w->nursery;
    if (sound && header.kind == BF_WIRE_FAILURE && recv(w->fd, texts, size, 0) == (ssize_t)size &&
        bf_wire_failure_read(&header, texts, &failure) && (nursery == pool->coming || !pool->started))
        give_up(pool, nursery, &failure);
    bf_worker_lose(w, bf_time_steady_ms());
}

static void worker_ended(bf_pool *pool, bf_nursery *nursery, const bf_control *report)
{
    bf_worker *w = nursery->workers;
    while (w && w->serial != report->serial)
        w = w->next;
    if (!w || w->ended)
        return;
    if (w->state == BF_STATE_STARTING)
        hear_worker(pool, w); /* it may have said why */
    w->ended = true;
    if (w->state == BF_STATE_RETIRED)
        return;
    pool->restarts++;
    if (w->jobs > 0 || w->state == BF_STATE_BUSY) {
        nursery->losses++;
        return;
    }
    nursery->barren++;
    nursery->hatch_at_ms = bf_time_steady_ms() + bf_pool_patience_ms(nursery->barren);
    if (nursery->barren >= BARREN_MAX && (nursery == pool->coming || !pool->started))
        fail_barren(pool, nursery, report->how);
}

static void worker_hatched(bf_nursery *nursery, const bf_control *report, int fd)
{
    for (bf_worker *w = nursery->workers; w; w = w->next) {
        if (w->serial == report->serial && w->state == BF_STATE_HATCHING && !w->ended) {
            w->fd = fd;
            w->state = BF_STATE_STARTING;
            return;
        }
    }
    bf_channel_close(&fd);
}

/* ---- what nurseries report ---- */

static void hear_nursery(bf_pool *pool, bf_nursery *nursery)
{
    bf_control_failed message = {0};
    int fds[BF_CHANNEL_FDS_MAX], fd_count = 0;
    ssize_t got = bf_channel_receive(nursery->control, &message, sizeof message, MSG_DONTWAIT, fds, &fd_count);
    if (nursery->dead || (got < 0 && errno == EAGAIN))
        return;
    const bf_control *head = &message.head;
    bool known = got >= (ssize_t)sizeof *head;
    if (known && head->kind == BF_CONTROL_HATCHED && fd_count == 1) {
        worker_hatched(nursery, head, fds[--fd_count]);
    } else if (known && head->kind == BF_CONTROL_LOADED) {
        nursery->loaded = true;
    } else if (known && head->kind == BF_CONTROL_ENDED) {
        worker_ended(pool, nursery, head);
    } else if (got == sizeof message && head->kind == BF_CONTROL_FAILED && message.error.status != BF_OK) {
        give_up(pool, nursery, &message.error);
    } else {
        nursery_died(pool, nursery);
    }
    while (fd_count > 0)
        bf_channel_close(&fds[--fd_count]);
}

/* ---- what is to be done ---- */

/* False when it has to be said again later. */
static bool order(bf_pool *pool, bf_nursery *nursery, bf_control_kind kind, uint32_t serial)
{
    const bf_control message = {.kind = kind, .serial = serial};
    bool said = bf_channel_send(nursery->control, &message, sizeof message, NULL, 0) >= 0;
    if (!said && errno != EAGAIN)
        nursery_died(pool, nursery);
    return said;
}

static void tend_worker(bf_pool *pool, bf_worker *w, double now_ms)
{
    bf_nursery *nursery = w->nursery;
    bool slow = (w->state == BF_STATE_HATCHING || w->state == BF_STATE_STARTING) && now_ms > w->since_ms + START_MS_MAX;
    if (w->ended)
        return;
    if (slow || (w->state == BF_STATE_STARTING && nursery->draining))
        bf_worker_lose(w, now_ms);
    if (w->state == BF_STATE_IDLE && nursery->draining)
        bf_worker_retire(w, now_ms);
    bool overdue = now_ms > w->since_ms + END_MS_MAX;
    if (w->state == BF_STATE_RETIRED && overdue)
        bf_worker_lose(w, now_ms);
    else if (w->state == BF_STATE_LOST && overdue)
        nursery_died(pool, nursery);
    if (w->state == BF_STATE_LOST && !w->kill_sent && !nursery->dead)
        w->kill_sent = order(pool, nursery, BF_CONTROL_KILL, w->serial);
}

static void tend_nursery(bf_pool *pool, bf_nursery *nursery, double now_ms)
{
    if (!nursery->loaded && !nursery->draining && now_ms > nursery->since_ms + LOAD_MS_MAX)
        nursery_died(pool, nursery);
    for (bf_worker *w = nursery->workers; w && !nursery->dead; w = w->next)
        tend_worker(pool, w, now_ms);
    bf_nursery_sweep(nursery);
    bool hatching = nursery->loaded && !nursery->draining && !nursery->dead && now_ms >= nursery->hatch_at_ms;
    for (int count = bf_nursery_count(nursery); hatching && count < pool->wanted; count++) {
        bf_worker *w = bf_nursery_add(nursery, now_ms);
        hatching = w && order(pool, nursery, BF_CONTROL_HATCH, w->serial);
        if (w && !hatching)
            w->ended = true;
    }
    if (nursery->losses >= LOSSES_MAX && nursery == pool->current && pool->reload == BF_RELOAD_NONE) {
        nursery->losses = 0;
        pool->reload = BF_RELOAD_WANTED;
    }
}

/* Takes out one nursery that is at its end. */
static bf_nursery *take_finished(bf_pool *pool)
{
    for (bf_nursery **at = &pool->nurseries; *at; at = &(*at)->next) {
        bf_nursery *nursery = *at;
        if ((nursery->draining || nursery->dead) && !nursery->workers) {
            *at = nursery->next;
            return nursery;
        }
    }
    return NULL;
}

static void end_nursery(bf_nursery *nursery)
{
    bf_channel_close(&nursery->control);
    bf_spawn_reap(nursery->pid, nursery->dead ? 0 : REAP_MS);
    bf_free(nursery);
}

static void tend(bf_pool *pool)
{
    double now_ms = bf_time_steady_ms();
    if (!pool->current && now_ms >= pool->spawn_at_ms && (pool->started || pool->start_error.status == BF_OK))
        start_current(pool);
    if (pool->reload == BF_RELOAD_WANTED)
        start_coming(pool);
    for (bf_nursery *nursery = pool->nurseries; nursery; nursery = nursery->next)
        tend_nursery(pool, nursery, now_ms);
    for (bf_nursery *nursery; (nursery = take_finished(pool));) {
        (void)pthread_mutex_unlock(&pool->lock);
        end_nursery(nursery);
        (void)pthread_mutex_lock(&pool->lock);
    }
}

/* ---- the thread ---- */

typedef struct ears {
    struct pollfd fd[POLLED_MAX];
    bf_nursery *nursery[POLLED_MAX];
    bf_worker *worker[POLLED_MAX];
    nfds_t count;
} ears;

static void listen_to(ears *e, int fd, bf_nursery *nursery, bf_worker *worker)
{
    if (e->count == POLLED_MAX)
        return;
    e->fd[e->count] = (struct pollfd){fd, POLLIN, 0};
    e->nursery[e->count] = nursery;
    e->worker[e->count++] = worker;
}

/* Returns how long nothing is to be done otherwise. */
static int prick_up(const bf_pool *pool, ears *e)
{
    bool waiting = !pool->current || pool->reload != BF_RELOAD_NONE;
    e->count = 0;
    listen_to(e, pool->wake_fd, NULL, NULL);
    for (bf_nursery *n = pool->nurseries; n; n = n->next) {
        if (!n->dead)
            listen_to(e, n->control, n, NULL);
        waiting = waiting || bf_nursery_count(n) < pool->wanted || n->draining;
        for (bf_worker *w = n->workers; w; w = w->next) {
            if (w->state == BF_STATE_STARTING && !w->ended)
                listen_to(e, w->fd, n, w);
            waiting = waiting || (w->state != BF_STATE_IDLE && w->state != BF_STATE_BUSY);
        }
    }
    return waiting ? NAP_MS : -1;
}

static int shorten(const bf_pool *pool, int nap_ms)
{
    double now_ms = bf_time_steady_ms(), next_ms = nap_ms < 0 ? -1 : nap_ms;
    if (!pool->current && pool->spawn_at_ms > now_ms && pool->spawn_at_ms - now_ms < next_ms)
        next_ms = pool->spawn_at_ms - now_ms;
    for (const bf_nursery *n = pool->nurseries; n; n = n->next) {
        if (!n->draining && n->hatch_at_ms > now_ms && n->hatch_at_ms - now_ms < next_ms)
            next_ms = n->hatch_at_ms - now_ms;
    }
    return next_ms < 0 ? -1 : (int)next_ms + 1;
}

static void hear(bf_pool *pool, const ears *e)
{
    eventfd_t count;
    for (nfds_t i = 0; i < e->count; i++) {
        if (e->fd[i].revents == 0)
            continue;
        if (!e->nursery[i])
            (void)eventfd_read(e->fd[i].fd, &count);
        else if (!e->worker[i])
            hear_nursery(pool, e->nursery[i]);
        else if (e->worker[i]->state == BF_STATE_STARTING && !e->worker[i]->ended)
            hear_worker(pool, e->worker[i]);
    }
}

static void end_all(bf_pool *pool)
{
    while (pool->nurseries) {
        bf_nursery *nursery = pool->nurseries;
        pool->nurseries = nursery->next;
        for (bf_worker *w = nursery->workers; w; w = w->next) {
            w->ended = true;
            w->state = BF_STATE_RETIRED;
        }
        bf_nursery_sweep(nursery);
        end_nursery(nursery);
    }
}

void *bf_pool_keep(void *data)
{
    bf_pool *pool = data;
    static _Thread_local ears e;
    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        tend(pool);
        int nap_ms = shorten(pool, prick_up(pool, &e));
        (void)pthread_mutex_unlock(&pool->lock);
        (void)poll(e.fd, e.count, nap_ms);
        (void)pthread_mutex_lock(&pool->lock);
        hear(pool, &e);
    }
    end_all(pool);
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}
