/* Condition variables that wait by the clock that never jumps. Private to src/store. */
#ifndef BF_STORE_WAIT_H
#define BF_STORE_WAIT_H

#include <pthread.h>
#include <semaphore.h>

#include "bonafide/status.h"

/* On success end it with pthread_cond_destroy. OUT_OF_MEMORY otherwise. */
bf_status bf_wait_init(pthread_cond_t *condition, bf_error *err);

/* False when `until_ms` of bf_time_steady_ms() has come. */
bool bf_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, double until_ms);

/* The same for a semaphore, which needs no lock. */
bool bf_wait_semaphore(sem_t *semaphore, double until_ms);

#endif
