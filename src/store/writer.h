/* The thread through which all writes of a replica go. Private to src/store. */
#ifndef BF_STORE_WRITER_H
#define BF_STORE_WRITER_H

#include "store/driver.h"
#include "store/store.h"

typedef struct bf_writer bf_writer;

/* Starts the thread, which takes over *db (and closes it): its connection for as long as that lasts. What `connect`
 * points to must outlive the writer. On failure *db stays with the caller. */
bf_status bf_writer_new(const bf_driver *driver, const bf_connect *connect, int batch_max, int queue_max, bf_db **db,
                        bf_writer **ret, bf_error *err);

/* Ends when the writes that wait are done or out of time. Accepts NULL. */
void bf_writer_free(bf_writer **writer);

void bf_writer_before_commit(bf_writer *writer, bf_store_fn *fn, void *context);

/* As bf_store_write, with a time of its own: after about `wait_ms` it is STORE_UNAVAILABLE. */
bf_status bf_writer_write(bf_writer *writer, bf_store_fn *fn, void *context, int wait_ms, bf_error *err);

typedef struct bf_writer_facts {
    uint64_t commits, writes, failures;
    double commit_ms_sum, commit_ms_last;
    double committed_at_ms; /* bf_time_steady_ms() of the last commit; 0 when there was none */
    bool committing;        /* the last try succeeded */
} bf_writer_facts;

void bf_writer_look(bf_writer *writer, bf_writer_facts *ret);

#endif
