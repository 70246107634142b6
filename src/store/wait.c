#include "store/wait.h"

#include <errno.h>
#include <time.h>

#include "base/error.h"

bf_status bf_wait_init(pthread_cond_t *condition, bf_error *err)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return bf_fail_memory(err);
    int failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (!failed)
        failed = pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return failed ? bf_fail_memory(err) : BF_OK;
}

static struct timespec time_of(double ms)
{
    double seconds = ms > 0 ? ms / 1e3 : 0;
    struct timespec time = {.tv_sec = (time_t)seconds};
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    return time;
}

bool bf_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, double until_ms)
{
    struct timespec until = time_of(until_ms);
    return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}

/* The thread sanitizer of gcc 12 does not know sem_clockwait: it is told that what was done before the post is seen. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
#define SEEN_AFTER(semaphore) __tsan_acquire(semaphore)
#else
#define SEEN_AFTER(semaphore) ((void)(semaphore))
#endif

bool bf_wait_semaphore(sem_t *semaphore, double until_ms)
{
    struct timespec until = time_of(until_ms);
    int failed;
    while ((failed = sem_clockwait(semaphore, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR)
        continue;
    if (failed == 0)
        SEEN_AFTER(semaphore);
    return failed == 0;
}
