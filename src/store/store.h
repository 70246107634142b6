/* Durable state: SQLite for one process tree, PostgreSQL when several replicas share it.
 *
 * Writing. All writes of a replica go through one thread, which runs as many as are waiting in one transaction, each
 * under a savepoint of its own, and commits them together; in PostgreSQL the transaction begins by locking the row of
 * audit_head. So there is one writer at a time in the whole installation: what a write function reads stays true until
 * it is committed, a nonce cannot be used twice, counts are not lost, and the audit log has one sequence. A write has
 * been committed durably (fsync) when bf_store_write returns BF_OK.
 *
 * Reading. Any number of threads, each in a read-only snapshot of its own.
 *
 * Times in the store are milliseconds since 1970, of bf_time_now_ms(). */
#ifndef BF_STORE_STORE_H
#define BF_STORE_STORE_H

#include "store/db.h"

typedef struct bf_store bf_store;

typedef struct bf_store_options {
    const char *url; /* "sqlite:PATH", or a PostgreSQL URI "postgresql://..." */
    int readers;     /* read connections at most; 0 = 4 */
    int batch_max;   /* writes in one transaction at most; 0 = 256 */
    int queue_max;   /* writes that wait at most; 0 = 4096 */
    int wait_ms_max; /* how long a write or a connection attempt may take before it is STORE_UNAVAILABLE; 0 = 5000 */
    bool create;     /* make a SQLite file that is not there */
    bool read_only;  /* no writer; an older schema is not migrated but STORE_UNAVAILABLE */
} bf_store_options;

/* Opens the store and brings its schema forward (store/schema.h). On success the caller owns *ret. Errors:
 * CONFIG_INVALID (the URL), STORE_UNAVAILABLE, STORE_NEWER (a schema this version does not know), OUT_OF_MEMORY. */
bf_status bf_store_open(const bf_store_options *options, bf_store **ret, bf_error *err);

/* Waits for writes that are under way, then closes. Accepts NULL. */
void bf_store_free(bf_store **store);

/* What is done inside a transaction. It may run more than once (a transaction that could not be committed is tried
 * again), so it writes its results anew each time and has no effect outside the database. When it does not return BF_OK
 * nothing of it is kept. */
typedef bf_status bf_store_fn(bf_db *db, void *context, bf_error *err);

/* Runs `fn` and commits. Blocks until the outcome is durable. Returns what `fn` returned, or STORE_UNAVAILABLE when the
 * transaction could not be committed (its outcome is then unknown), also when the queue of writes is full. Any
 * thread but from within an `fn`. */
bf_status bf_store_write(bf_store *store, bf_store_fn *fn, void *context, bf_error *err);

/* Runs `fn` in a read-only snapshot. Any thread; not from within an `fn`, since all connections could be waiting for
 * one another. */
bf_status bf_store_read(bf_store *store, bf_store_fn *fn, void *context, bf_error *err);

/* `fn` runs at the end of every write transaction, before its commit; when it fails, the whole transaction does. To be
 * set before the first write. */
void bf_store_before_commit(bf_store *store, bf_store_fn *fn, void *context);

typedef struct bf_store_facts {
    const char *kind; /* "sqlite" or "postgresql" */
    bool writable;    /* the last commit succeeded, and a probe since then where that was long ago */
    uint64_t commits, writes, failures;
    double commit_ms_sum; /* of all commits, from the first write of a batch to its end */
    double commit_ms_last;
} bf_store_facts;

/* A snapshot; probes the store when the last commit is more than a second old. Any thread. */
void bf_store_look(bf_store *store, bf_store_facts *ret);

#endif
