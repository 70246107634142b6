#include "store/store.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/readers.h"
#include "store/schema.h"
#include "store/time.h"
#include "store/writer.h"

#define READERS 4
#define BATCH_MAX 256
#define QUEUE_MAX 4096
#define WAIT_MS_MAX 5000
#define PROBE_AGE_MS 1000 /* a commit or a probe that is younger says how things are */
#define PROBE_MS_MAX 1000

struct bf_store {
    const bf_driver *driver;
    char *target;
    bf_connect connect;
    bf_writer *writer; /* NULL when read_only */
    bf_readers *readers;
    pthread_mutex_t probe_lock;
    double probed_at_ms;
    bool probe_succeeded;
};

static bf_status choose_driver(const char *url, const bf_driver **ret, const char **ret_target, bf_error *err)
{
    if (url && strncmp(url, "sqlite:", 7) == 0 && url[7]) {
        *ret = &BF_SQLITE;
        *ret_target = url + 7;
        return BF_OK;
    }
    if (url && (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)) {
        *ret = &BF_POSTGRES;
        *ret_target = url;
        return BF_OK;
    }
    /* The text is not repeated: it may hold a password. */
    bf_fail(err, BF_CONFIG_INVALID, "The address of the store is neither \"sqlite:PATH\" nor \"postgresql://...\".");
    return BF_CONFIG_INVALID;
}

static int or_default(int given, int standard)
{
    return given > 0 ? given : standard;
}

static bf_status start(bf_store *store, const bf_store_options *options, bf_error *err)
{
    bf_db *db = NULL;
    double deadline_ms = bf_time_steady_ms() + store->connect.wait_ms_max;
    bf_status status = bf_db_open(store->driver, &store->connect, deadline_ms, !options->read_only, &db, err);
    if (status == BF_OK)
        status =
            bf_readers_new(store->driver, &store->connect, or_default(options->readers, READERS), &store->readers, err);
    /* A file that vanishes later is not made anew, empty. */
    store->connect.create = false;
    if (status == BF_OK && !options->read_only)
        status = bf_writer_new(store->driver, &store->connect, or_default(options->batch_max, BATCH_MAX),
                               or_default(options->queue_max, QUEUE_MAX), &db, &store->writer, err);
    bf_db_close(&db);
    return status;
}

bf_status bf_store_open(const bf_store_options *options, bf_store **ret, bf_error *err)
{
    const bf_driver *driver = NULL;
    const char *target = NULL;
    bf_status status = choose_driver(options->url, &driver, &target, err);
    if (status != BF_OK)
        return status;
    bf_store *store = bf_calloc(1, sizeof *store);
    if (!store)
        return bf_fail_memory(err);
    (void)pthread_mutex_init(&store->probe_lock, NULL);
    store->driver = driver;
    store->target = bf_strdup(target);
    store->connect = (bf_connect){.target = store->target,
                                  .wait_ms_max = or_default(options->wait_ms_max, WAIT_MS_MAX),
                                  .create = options->create,
                                  .read_only = options->read_only};
    status = store->target ? start(store, options, err) : bf_fail_memory(err);
    if (status != BF_OK) {
        bf_store_free(&store);
        return status;
    }
    *ret = store;
    return BF_OK;
}

void bf_store_free(bf_store **store)
{
    if (!store || !*store)
        return;
    /* Readers first: the connection that closes last empties SQLite's log, which a reader may not. */
    bf_readers_free(&(*store)->readers);
    bf_writer_free(&(*store)->writer);
    (void)pthread_mutex_destroy(&(*store)->probe_lock);
    if ((*store)->target)
        sodium_memzero((*store)->target, strlen((*store)->target));
    bf_free((*store)->target);
    bf_free(*store);
    *store = NULL;
}

static bf_status write_within(bf_store *store, bf_store_fn *fn, void *context, int wait_ms, bf_error *err)
{
    if (!store->writer)
        return bf_fail(err, BF_STORE_UNAVAILABLE, "The store was opened for reading only.");
    return bf_writer_write(store->writer, fn, context, wait_ms, err);
}

bf_status bf_store_write(bf_store *store, bf_store_fn *fn, void *context, bf_error *err)
{
    return write_within(store, fn, context, store->connect.wait_ms_max, err);
}

bf_status bf_store_read(bf_store *store, bf_store_fn *fn, void *context, bf_error *err)
{
    return bf_readers_read(store->readers, fn, context, err);
}

void bf_store_before_commit(bf_store *store, bf_store_fn *fn, void *context)
{
    if (store->writer)
        bf_writer_before_commit(store->writer, fn, context);
}

static bf_status probe(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    return bf_db_run(db, "UPDATE " BF_SCHEMA_TABLE " SET probed_ms = $1", BF_VALUES(bf_value_integer(bf_time_now_ms())),
                     NULL, err);
}

/* With probe_lock held, so that many who look at once make one probe. */
static bool is_writable(bf_store *store)
{
    bf_writer_facts facts;
    bf_writer_look(store->writer, &facts);
    double now_ms = bf_time_steady_ms();
    if (facts.committing && facts.committed_at_ms > 0 && now_ms - facts.committed_at_ms < PROBE_AGE_MS)
        return true;
    if (store->probed_at_ms > 0 && now_ms - store->probed_at_ms < PROBE_AGE_MS)
        return store->probe_succeeded && facts.committing;
    int wait_ms = store->connect.wait_ms_max < PROBE_MS_MAX ? store->connect.wait_ms_max : PROBE_MS_MAX;
    store->probe_succeeded = write_within(store, probe, NULL, wait_ms, NULL) == BF_OK;
    store->probed_at_ms = bf_time_steady_ms();
    return store->probe_succeeded;
}

void bf_store_look(bf_store *store, bf_store_facts *ret)
{
    bool writable = false;
    bf_writer_facts facts = {0};
    if (store->writer) {
        (void)pthread_mutex_lock(&store->probe_lock);
        writable = is_writable(store);
        (void)pthread_mutex_unlock(&store->probe_lock);
        bf_writer_look(store->writer, &facts);
    }
    *ret = (bf_store_facts){
        .kind = store->driver->kind,
        .writable = writable,
        .commits = facts.commits,
        .writes = facts.writes,
        .failures = facts.failures,
        .commit_ms_sum = facts.commit_ms_sum,
        .commit_ms_last = facts.commit_ms_last,
    };
}
