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

bool bf_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, double until_ms)
{
    double seconds = until_ms > 0 ? until_ms / 1e3 : 0;
    struct timespec until = {.tv_sec = (time_t)seconds};
    until.tv_nsec = (long)((seconds - (double)until.tv_sec) * 1e9);
    return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}
