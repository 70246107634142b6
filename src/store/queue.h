/* Writes that wait for the writer thread. Private to src/store; the writer's lock is over all of it. */
#ifndef BF_STORE_QUEUE_H
#define BF_STORE_QUEUE_H

#include <semaphore.h>

#include "store/store.h"

/* COMMITTING: the function will not run again, so its caller may leave. */
typedef enum bf_request_state {
    BF_REQUEST_WAITING,
    BF_REQUEST_RUNNING,
    BF_REQUEST_COMMITTING,
    BF_REQUEST_DONE
} bf_request_state;

/* A write; it lives on its caller's stack. */
typedef struct bf_request {
    bf_store_fn *fn;
    void *context;
    double deadline_ms; /* of bf_time_steady_ms() */
    int tries;
    bf_request_state state;
    bf_status status;
    bf_error error;
    sem_t done; /* the caller sleeps on it without the lock, for which the others would have to queue when they wake */
    struct bf_request *next, *previous; /* in the queue */
} bf_request;

/* Zero-initialised. */
typedef struct bf_queue {
    bf_request *first, *last;
    int count;
} bf_queue;

void bf_queue_push(bf_queue *queue, bf_request *request);
void bf_queue_push_front(bf_queue *queue, bf_request *request);
void bf_queue_remove(bf_queue *queue, bf_request *request);
bf_request *bf_queue_pop(bf_queue *queue); /* NULL when it is empty */

#endif
