#include "store/writer.h"

#include <pthread.h>
#include <signal.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/queue.h"
#include "store/time.h"
#include "store/wait.h"

#define BATCH_CEILING 4096
#define BACKOFF_MS_MIN 20
#define BACKOFF_MS_MAX 500
#define IDLE_MS 1000    /* without a write for as long, the database is tidied thoroughly */
#define TIDY_MS_MAX 200 /* how long tidying may keep writes waiting */
#define TRIES_MAX 5     /* of one write, in transactions that were lost before their commit */

struct bf_writer {
    const bf_driver *driver;
    const bf_connect *connect;
    bf_db *db; /* of the thread alone; NULL when the connection is lost */
    bf_store_fn *hook;
    void *hook_context;
    pthread_t thread;
    int batch_max, queue_max;

    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t work;
    bf_queue waiting;
    bf_request **batch; /* of the transaction under way; NULL where a caller has given up */
    int batch_size;
    bool closing;
    bf_error trouble; /* why no transaction could begin; status BF_OK when the last one could */
    bf_writer_facts facts;
};

static void lock(bf_writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
}

static void unlock(bf_writer *writer)
{
    (void)pthread_mutex_unlock(&writer->lock);
}

/* With the lock held. The request may be gone as soon as its caller is woken. */
static void answer(bf_writer *writer, bf_request *request)
{
    request->state = BF_REQUEST_DONE;
    writer->facts.writes++;
    if (request->status != BF_OK)
        writer->facts.failures++;
    (void)sem_post(&request->done);
}

static void set_outcome(bf_request *request, bf_status status, const bf_error *error)
{
    request->status = status;
    request->error = *error;
}

static bf_status ensure_connected(bf_writer *writer, double deadline_ms, bf_error *err)
{
    if (writer->db && !writer->db->lost) {
        writer->db->deadline_ms = deadline_ms;
        return BF_OK;
    }
    bf_db_close(&writer->db);
    return bf_db_open(writer->driver, writer->connect, deadline_ms, false, &writer->db, err);
}

/* Connects where needed and begins. Requests stay in the queue meanwhile, where their callers can give up by
 * themselves. */
static bool begin(bf_writer *writer)
{
    bf_error error = {0};
    bf_status status = ensure_connected(writer, bf_time_steady_ms() + writer->connect->wait_ms_max, &error);
    if (status == BF_OK)
        status = writer->driver->begin(writer->db, BF_BEGIN_WRITE, &error);
    lock(writer);
    writer->trouble = error;
    writer->trouble.status = status;
    if (status != BF_OK)
        writer->facts.committing = false;
    unlock(writer);
    return status == BF_OK;
}

/* The next write for this transaction: writes that arrive while it runs join it, up to its ceiling. */
static bf_request *take(bf_writer *writer, double begun_ms)
{
    bool has_time = bf_time_steady_ms() - begun_ms < writer->connect->wait_ms_max / 8.0;
    bf_request *request = NULL;
    lock(writer);
    if (writer->batch_size == 0 || (has_time && writer->batch_size < writer->batch_max))
        request = bf_queue_pop(&writer->waiting);
    if (request) {
        request->state = BF_REQUEST_RUNNING;
        request->tries++;
        writer->batch[writer->batch_size++] = request;
    }
    unlock(writer);
    return request;
}

/* Runs one write under its savepoint. False when the transaction is lost with all that was in it. */
static bool run_one(bf_writer *writer, bf_request *request, bool *savepoint_set, bf_error *err)
{
    bf_db *db = writer->db;
    bf_error error = {0};
    bf_status status = db->driver->savepoint(db, *savepoint_set ? BF_SAVEPOINT_NEXT : BF_SAVEPOINT_SET, err);
    if (status != BF_OK)
        return false;
    *savepoint_set = true;
    status = bf_db_call(db, request->fn, request->context, &error);
    set_outcome(request, status, &error);
    if (db->lost) {
        *err = db->failure;
        return false;
    }
    return status == BF_OK || db->driver->savepoint(db, BF_SAVEPOINT_UNDO, err) == BF_OK;
}

static bf_status run_batch(bf_writer *writer, double begun_ms, int *ret_kept, bf_error *err)
{
    bool savepoint_set = false;
    int kept = 0;
    bf_request *request;
    while ((request = take(writer, begun_ms)) != NULL) {
        if (!run_one(writer, request, &savepoint_set, err))
            return BF_STORE_UNAVAILABLE;
        kept += request->status == BF_OK;
    }
    *ret_kept = kept;
    return BF_OK;
}

/* The transaction did not commit, for certain: its writes wait for another one, the oldest first. Not those that were
 * tried often: one of them may be what breaks the connection each time. */
static void put_back(bf_writer *writer, const bf_error *why)
{
    lock(writer);
    for (int i = writer->batch_size - 1; i >= 0; i--) {
        bf_request *request = writer->batch[i];
        if (!request)
            continue;
        if (request->tries < TRIES_MAX && request->deadline_ms > bf_time_steady_ms()) {
            request->state = BF_REQUEST_WAITING;
            bf_queue_push_front(&writer->waiting, request);
            continue;
        }
        set_outcome(request, BF_STORE_UNAVAILABLE, why);
        answer(writer, request);
    }
    writer->batch_size = 0;
    writer->facts.committing = false;
    unlock(writer);
}

/* Answers every write of the batch. With an error, those that had succeeded get it. */
static void answer_all(bf_writer *writer, const bf_error *error, double begun_ms)
{
    lock(writer);
    for (int i = 0; i < writer->batch_size; i++) {
        bf_request *request = writer->batch[i];
        if (!request)
            continue;
        if (error && request->status == BF_OK)
            set_outcome(request, error->status, error);
        answer(writer, request);
    }
    writer->batch_size = 0;
    writer->facts.committing = !error;
    if (!error) {
        double now = bf_time_steady_ms();
        writer->facts.commits++;
        writer->facts.committed_at_ms = now;
        writer->facts.commit_ms_last = now - begun_ms;
        writer->facts.commit_ms_sum += now - begun_ms;
    }
    unlock(writer);
}

/* From here on no write's function runs again, so that callers whose time is over may leave. */
static void enter_commit(bf_writer *writer)
{
    lock(writer);
    for (int i = 0; i < writer->batch_size; i++)
        writer->batch[i]->state = BF_REQUEST_COMMITTING;
    unlock(writer);
}

/* Nothing is to be kept: the outcomes stand as they are. */
static void answer_refused(bf_writer *writer)
{
    writer->driver->rollback(writer->db);
    lock(writer);
    for (int i = 0; i < writer->batch_size; i++) {
        if (writer->batch[i]->status == BF_STORE_UNAVAILABLE)
            writer->facts.committing = false;
        answer(writer, writer->batch[i]);
    }
    writer->batch_size = 0;
    unlock(writer);
}

static void commit(bf_writer *writer, double begun_ms)
{
    bf_error error = {0};
    enter_commit(writer);
    bf_outcome outcome = writer->driver->commit(writer->db, &error);
    error.status = BF_STORE_UNAVAILABLE;
    if (outcome == BF_NOT_COMMITTED)
        put_back(writer, &error);
    else
        answer_all(writer, outcome == BF_COMMITTED ? NULL : &error, begun_ms);
}

/* One transaction. */
static void transact(bf_writer *writer)
{
    double begun_ms = bf_time_steady_ms();
    bf_error error = {0};
    int kept = 0;
    writer->db->deadline_ms = begun_ms + writer->connect->wait_ms_max / 2.0;
    bf_status status = run_batch(writer, begun_ms, &kept, &error);
    if (status == BF_OK && !kept) {
        answer_refused(writer);
        return;
    }
    if (status == BF_OK && writer->hook) {
        status = bf_db_call(writer->db, writer->hook, writer->hook_context, &error);
        if (status != BF_OK && !writer->db->lost) {
            error.status = status;
            writer->driver->rollback(writer->db);
            answer_all(writer, &error, begun_ms);
            return;
        }
    }
    if (status != BF_OK) {
        writer->driver->rollback(writer->db);
        put_back(writer, &error);
        return;
    }
    commit(writer, begun_ms);
}

/* Waits for work. False when there is none and the store closes. *ret_idle: nothing came for a while. */
static bool wait_for_work(bf_writer *writer, bool may_idle, bool *ret_idle)
{
    *ret_idle = false;
    double until_ms = bf_time_steady_ms() + IDLE_MS;
    lock(writer);
    while (!writer->waiting.first && !writer->closing && !*ret_idle) {
        if (!may_idle)
            (void)pthread_cond_wait(&writer->work, &writer->lock);
        else
            *ret_idle = !bf_wait_until(&writer->work, &writer->lock, until_ms);
    }
    bool goes_on = writer->waiting.first || !writer->closing;
    unlock(writer);
    return goes_on;
}

static void wait_out(bf_writer *writer, int ms)
{
    double until_ms = bf_time_steady_ms() + ms;
    lock(writer);
    while (bf_wait_until(&writer->work, &writer->lock, until_ms))
        continue;
    unlock(writer);
}

/* True when nothing is left to be done. */
static bool tidy(bf_writer *writer, bool idle)
{
    if (!writer->db || writer->db->lost)
        return true;
    writer->db->deadline_ms = bf_time_steady_ms() + (idle ? 0 : TIDY_MS_MAX);
    return writer->driver->tidy(writer->db, idle);
}

static void *writer_main(void *context)
{
    bf_writer *writer = context;
    int backoff_ms = BACKOFF_MS_MIN;
    bool idle = false, untidy = true;
    while (wait_for_work(writer, untidy, &idle)) {
        if (idle) {
            untidy = !tidy(writer, true);
            continue;
        }
        if (!begin(writer)) {
            wait_out(writer, backoff_ms);
            backoff_ms = backoff_ms * 2 < BACKOFF_MS_MAX ? backoff_ms * 2 : BACKOFF_MS_MAX;
            continue;
        }
        backoff_ms = BACKOFF_MS_MIN;
        transact(writer);
        untidy = !tidy(writer, false);
    }
    bf_db_close(&writer->db);
    return NULL;
}

/* With the lock held: what the last try to begin ran into, if it failed. */
static void explain(const bf_writer *writer, bf_error *err)
{
    if (writer->trouble.status != BF_OK)
        bf_fail_detail(err, "%s %s", writer->trouble.message, writer->trouble.detail);
}

/* With the lock held: the caller's time is over. True when the caller may leave: the request is nowhere any more. */
static bool give_up(bf_writer *writer, bf_request *request)
{
    if (request->state == BF_REQUEST_WAITING) {
        bf_queue_remove(&writer->waiting, request);
        (void)bf_fail(&request->error, BF_STORE_UNAVAILABLE, "The store did not take the write in time.");
        explain(writer, &request->error);
    } else if (request->state == BF_REQUEST_COMMITTING) {
        for (int i = 0; i < writer->batch_size; i++)
            if (writer->batch[i] == request)
                writer->batch[i] = NULL;
        (void)bf_fail(&request->error, BF_STORE_UNAVAILABLE, "The store did not commit the write in time.");
    } else {
        return false;
    }
    request->status = BF_STORE_UNAVAILABLE;
    request->state = BF_REQUEST_DONE;
    writer->facts.writes++;
    writer->facts.failures++;
    return true;
}

static bf_status enqueue(bf_writer *writer, bf_request *request, bf_error *err)
{
    if (pthread_equal(pthread_self(), writer->thread))
        return bf_fail(err, BF_INTERNAL, "A write cannot be made from within another one.");
    if (writer->waiting.count >= writer->queue_max) {
        writer->facts.writes++;
        writer->facts.failures++;
        bf_fail(err, BF_STORE_UNAVAILABLE, "Too many writes are waiting for the store.");
        explain(writer, err);
        return BF_STORE_UNAVAILABLE;
    }
    bf_queue_push(&writer->waiting, request);
    if (writer->waiting.count == 1)
        (void)pthread_cond_signal(&writer->work);
    return BF_OK;
}

/* Sleeps until the request is answered, or its time is over. */
static void wait_for_answer(bf_writer *writer, bf_request *request, int wait_ms)
{
    while (!bf_wait_semaphore(&request->done, request->deadline_ms)) {
        lock(writer);
        bool done = request->state == BF_REQUEST_DONE || give_up(writer, request);
        /* While the function runs on what is the caller's, it cannot leave; the driver bounds how long that takes. */
        if (!done)
            request->deadline_ms += wait_ms / 10.0;
        unlock(writer);
        if (done)
            return;
    }
}

bf_status bf_writer_write(bf_writer *writer, bf_store_fn *fn, void *context, int wait_ms, bf_error *err)
{
    bf_request request = {.fn = fn, .context = context, .deadline_ms = bf_time_steady_ms() + wait_ms};
    (void)sem_init(&request.done, 0, 0);
    lock(writer);
    bf_status status = enqueue(writer, &request, err);
    unlock(writer);
    if (status == BF_OK) {
        wait_for_answer(writer, &request, wait_ms);
        status = request.status;
        if (status != BF_OK && err)
            *err = request.error;
    }
    (void)sem_destroy(&request.done);
    return status;
}

void bf_writer_before_commit(bf_writer *writer, bf_store_fn *fn, void *context)
{
    lock(writer);
    writer->hook_context = context;
    writer->hook = fn;
    unlock(writer);
}

void bf_writer_look(bf_writer *writer, bf_writer_facts *ret)
{
    lock(writer);
    *ret = writer->facts;
    unlock(writer);
}

/* Signals are for the thread that waits for them. */
static int start_thread(bf_writer *writer)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&writer->thread, NULL, writer_main, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void release(bf_writer *writer)
{
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->lock);
    bf_free(writer->batch);
    bf_free(writer);
}

bf_status bf_writer_new(const bf_driver *driver, const bf_connect *connect, int batch_max, int queue_max, bf_db **db,
                        bf_writer **ret, bf_error *err)
{
    bf_writer *writer = bf_calloc(1, sizeof *writer);
    if (!writer)
        return bf_fail_memory(err);
    writer->driver = driver;
    writer->connect = connect;
    writer->batch_max = batch_max < BATCH_CEILING ? batch_max : BATCH_CEILING;
    writer->queue_max = queue_max;
    writer->batch = bf_calloc((size_t)writer->batch_max, sizeof *writer->batch);
    if (!writer->batch || bf_wait_init(&writer->work, NULL) != BF_OK) {
        bf_free(writer->batch);
        bf_free(writer);
        return bf_fail_memory(err);
    }
    (void)pthread_mutex_init(&writer->lock, NULL);
    writer->db = *db;
    if (start_thread(writer) != 0) {
        release(writer);
        return bf_fail(err, BF_OUT_OF_MEMORY, "The store's thread could not be started.");
    }
    *db = NULL;
    *ret = writer;
    return BF_OK;
}

void bf_writer_free(bf_writer **writer)
{
    if (!writer || !*writer)
        return;
    lock(*writer);
    (*writer)->closing = true;
    (void)pthread_cond_signal(&(*writer)->work);
    unlock(*writer);
    (void)pthread_join((*writer)->thread, NULL);
    release(*writer);
    *writer = NULL;
}
