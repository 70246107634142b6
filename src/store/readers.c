#include "store/readers.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/time.h"
#include "store/wait.h"

#define READERS_CEILING 256
#define YIELDS_MAX 16
#define BACKOFF_MS_MIN 10
#define BACKOFF_MS_MAX 250
#define RUNS_MAX 3 /* of one read's function */

struct bf_readers {
    const bf_driver *driver;
    bf_connect connect;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t freed;
    atomic_int free_count;
    int waiting;
    bf_db **free; /* the one used last is used first; NULL: not connected */
};

/* A place of the pool, with or without a connection. */
static bf_status take(bf_readers *readers, double deadline_ms, bf_db **ret, bf_error *err)
{
    /* A read is over sooner than a thread falls asleep and wakes up. */
    for (int i = 0; i < YIELDS_MAX && readers->free_count == 0; i++)
        (void)sched_yield();
    (void)pthread_mutex_lock(&readers->lock);
    bool in_time = true;
    while (readers->free_count == 0 && in_time) {
        readers->waiting++;
        in_time = bf_wait_until(&readers->freed, &readers->lock, deadline_ms);
        readers->waiting--;
    }
    bool taken = readers->free_count > 0;
    if (taken)
        *ret = readers->free[--readers->free_count];
    (void)pthread_mutex_unlock(&readers->lock);
    return taken ? BF_OK : bf_fail(err, BF_STORE_UNAVAILABLE, "All connections that read the store are busy.");
}

static void give_back(bf_readers *readers, bf_db *db)
{
    (void)pthread_mutex_lock(&readers->lock);
    readers->free[readers->free_count++] = db;
    bool waited_for = readers->waiting > 0;
    (void)pthread_mutex_unlock(&readers->lock);
    if (waited_for)
        (void)pthread_cond_signal(&readers->freed);
}

/* One try; on return *db is NULL when the connection cannot be used any more, or could not be made. */
static bf_status try_once(const bf_readers *readers, double deadline_ms, bf_db **db, bf_store_fn *fn, void *context,
                          int *runs, bf_error *err)
{
    bf_status status = BF_OK;
    if (!*db)
        status = bf_db_open(readers->driver, &readers->connect, deadline_ms, false, db, err);
    if (status != BF_OK)
        return status;
    (*db)->deadline_ms = deadline_ms;
    status = readers->driver->begin(*db, BF_BEGIN_READ, err);
    if (status == BF_OK) {
        (*runs)++;
        status = bf_db_call(*db, fn, context, err);
        readers->driver->rollback(*db);
    }
    if ((*db)->lost)
        bf_db_close(db);
    return status;
}

static void pause_ms(int ms)
{
    struct timespec pause = {.tv_nsec = ms * 1000000L};
    (void)nanosleep(&pause, NULL);
}

/* A connection that is lost, or cannot be had, is made anew while there is time. What loses every connection on which
 * it runs is not tried for ever. */
static bf_status read_on(const bf_readers *readers, double deadline_ms, bf_db **db, bf_store_fn *fn, void *context,
                         bf_error *err)
{
    int runs = 0, backoff_ms = 0;
    for (;;) {
        bf_status status = try_once(readers, deadline_ms, db, fn, context, &runs, err);
        bool again = status == BF_STORE_UNAVAILABLE && !*db && runs < RUNS_MAX;
        if (!again || bf_time_steady_ms() + backoff_ms >= deadline_ms)
            return status;
        pause_ms(backoff_ms);
        backoff_ms =
            backoff_ms * 2 + BACKOFF_MS_MIN < BACKOFF_MS_MAX ? backoff_ms * 2 + BACKOFF_MS_MIN : BACKOFF_MS_MAX;
    }
}

bf_status bf_readers_read(bf_readers *readers, bf_store_fn *fn, void *context, bf_error *err)
{
    double deadline_ms = bf_time_steady_ms() + readers->connect.wait_ms_max;
    bf_error error = {0};
    bf_db *db = NULL;
    bf_status status = take(readers, deadline_ms, &db, &error);
    if (status == BF_OK) {
        status = read_on(readers, deadline_ms, &db, fn, context, &error);
        give_back(readers, db);
    }
    if (status != BF_OK && err)
        *err = error;
    return status;
}

bf_status bf_readers_new(const bf_driver *driver, const bf_connect *connect, int readers_max, bf_readers **ret,
                         bf_error *err)
{
    bf_readers *readers = bf_calloc(1, sizeof *readers);
    if (!readers)
        return bf_fail_memory(err);
    readers->driver = driver;
    readers->connect = *connect;
    readers->connect.read_only = true;
    readers->free_count = readers_max < READERS_CEILING ? readers_max : READERS_CEILING;
    readers->free = bf_calloc((size_t)readers->free_count, sizeof(bf_db *));
    if (!readers->free || bf_wait_init(&readers->freed, NULL) != BF_OK) {
        bf_free(readers->free);
        bf_free(readers);
        return bf_fail_memory(err);
    }
    (void)pthread_mutex_init(&readers->lock, NULL);
    *ret = readers;
    return BF_OK;
}

void bf_readers_free(bf_readers **readers)
{
    if (!readers || !*readers)
        return;
    for (int i = 0; i < (*readers)->free_count; i++)
        bf_db_close(&(*readers)->free[i]);
    (void)pthread_cond_destroy(&(*readers)->freed);
    (void)pthread_mutex_destroy(&(*readers)->lock);
    bf_free((*readers)->free);
    bf_free(*readers);
    *readers = NULL;
}
