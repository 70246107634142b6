/* The lists of workers and of those who wait for one. */
#include <sys/eventfd.h>

#include "base/bytes.h"
#include "store/time.h"
#include "worker/channel.h"
#include "worker/pool_internal.h"

#define PATIENCE_FIRST_MS 100
#define PATIENCE_DOUBLINGS_MAX 6

void bf_pool_wake(bf_pool *pool)
{
    (void)eventfd_write(pool->wake_fd, 1);
}

bf_worker *bf_pool_take(bf_pool *pool)
{
    for (bf_worker *w = pool->current ? pool->current->workers : NULL; w; w = w->next) {
        if (w->state == BF_STATE_IDLE && !w->ended) {
            w->state = BF_STATE_BUSY;
            pool->busy++;
            return w;
        }
    }
    return NULL;
}

void bf_pool_serve(bf_pool *pool)
{
    while (pool->first) {
        bf_worker *worker = bf_pool_take(pool);
        if (!worker)
            return;
        bf_waiter *waiter = pool->first;
        pool->first = waiter->next;
        if (!pool->first)
            pool->last = &pool->first;
        pool->queued--;
        waiter->worker = worker;
        (void)pthread_cond_signal(&waiter->given);
    }
}

bool bf_nursery_complete(const bf_pool *pool, const bf_nursery *nursery)
{
    int ready = 0;
    for (const bf_worker *w = nursery->workers; w; w = w->next)
        ready += !w->ended && (w->state == BF_STATE_IDLE || w->state == BF_STATE_BUSY);
    return ready >= pool->wanted;
}

bf_worker *bf_nursery_add(bf_nursery *nursery, double now_ms)
{
    bf_worker *worker = bf_calloc(1, sizeof *worker);
    if (!worker)
        return NULL;
    *worker = (bf_worker){.next = nursery->workers,
                          .nursery = nursery,
                          .serial = ++nursery->serial,
                          .fd = -1,
                          .state = BF_STATE_HATCHING,
                          .since_ms = now_ms};
    nursery->workers = worker;
    return worker;
}

int bf_nursery_count(const bf_nursery *nursery)
{
    int count = 0;
    for (const bf_worker *w = nursery->workers; w; w = w->next)
        count += !w->ended && w->state <= BF_STATE_BUSY;
    return count;
}

void bf_nursery_sweep(bf_nursery *nursery)
{
    for (bf_worker **at = &nursery->workers; *at;) {
        bf_worker *w = *at;
        if (!w->ended || w->state == BF_STATE_BUSY) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        bf_channel_close(&w->fd);
        bf_free(w);
    }
}

void bf_worker_retire(bf_worker *worker, double now_ms)
{
    worker->state = BF_STATE_RETIRED;
    worker->since_ms = now_ms;
    bf_channel_close(&worker->fd);
}

void bf_worker_lose(bf_worker *worker, double now_ms)
{
    worker->state = BF_STATE_LOST;
    worker->since_ms = now_ms;
    bf_channel_close(&worker->fd);
}

double bf_pool_patience_ms(int attempts)
{
    if (attempts <= 1)
        return 0;
    int doublings = attempts - 2 < PATIENCE_DOUBLINGS_MAX ? attempts - 2 : PATIENCE_DOUBLINGS_MAX;
    return PATIENCE_FIRST_MS * (double)(1 << doublings);
}
