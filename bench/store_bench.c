/* store_bench [SECONDS]: durable writes a second, from one thread and from many, beside what the disk does by itself.
 * With BONAFIDE_TEST_POSTGRES (tests/support/with_postgres) over PostgreSQL too. Each write reads a row, inserts one
 * and updates one. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "store/store.h"
#include "store/time.h"
#include "support/must.h"
#include "support/store_place.h"

#define THREADS 64
#define SHARED_MIN 8.0 /* writes that share a commit at least, when 64 threads write */

static atomic_int ending;

typedef struct client {
    pthread_t thread;
    bf_store *store;
    int number;
    long done;
} client;

static bf_status write_one(bf_db *db, void *context, bf_error *err)
{
    client *it = context;
    char name[64];
    (void)snprintf(name, sizeof name, "bench-%d-%ld", it->number, it->done);
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT losses FROM quarantine WHERE sha256 = 'bench'", BF_NO_VALUES, &rows, err);
    if (status == BF_OK)
        status = bf_db_run(db, "INSERT INTO setting(name, value, changed_ms) VALUES($1, $1, $2)",
                           BF_VALUES(bf_value_text(name), bf_value_integer(it->done)), NULL, err);
    if (status == BF_OK)
        status = bf_db_run(db,
                           "INSERT INTO quarantine(sha256, losses, last_ms) VALUES('bench', 1, 0)"
                           " ON CONFLICT(sha256) DO UPDATE SET losses = quarantine.losses + 1",
                           BF_NO_VALUES, NULL, err);
    return status;
}

static void *write_many(void *context)
{
    client *it = context;
    while (!ending) {
        bf_error err = {0};
        test_must(bf_store_write(it->store, write_one, it, &err) == BF_OK, err.message);
        it->done++;
    }
    return NULL;
}

static void pause_s(double seconds)
{
    struct timespec pause = {.tv_sec = (time_t)seconds};
    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    (void)nanosleep(&pause, NULL);
}

/* Writes a second by `threads` threads; *ret_shared becomes the number of writes that shared a commit. */
static double measure(bool postgres, int threads, double seconds, double *ret_shared)
{
    test_store_place place;
    test_store_place_new(&place, postgres);
    bf_store *store = NULL;
    bf_error err = {0};
    bf_store_options options = {.url = place.url, .create = true, .wait_ms_max = 60000};
    test_must(bf_store_open(&options, &store, &err) == BF_OK, err.message);
    static client clients[THREADS];
    ending = 0;
    double begin_ms = bf_time_steady_ms();
    for (int i = 0; i < threads; i++) {
        clients[i] = (client){.store = store, .number = i};
        test_must(pthread_create(&clients[i].thread, NULL, write_many, &clients[i]) == 0, "a thread starts");
    }
    pause_s(seconds);
    ending = 1;
    long done = 0;
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        done += clients[i].done;
    }
    double took_s = (bf_time_steady_ms() - begin_ms) / 1e3;
    bf_store_facts facts;
    bf_store_look(store, &facts);
    *ret_shared = (double)done / (double)facts.commits;
    bf_store_free(&store);
    test_store_place_done(&place);
    return (double)done / took_s;
}

/* What one thread gets durable by appending a page and syncing, a second. */
static double measure_disk(double seconds)
{
    char path[] = "/tmp/bonafide-bench-XXXXXX", page[4096] = {1};
    int file = mkstemp(path);
    test_must(file >= 0 && unlink(path) == 0, "a temporary file is made");
    double begin_ms = bf_time_steady_ms();
    long done = 0;
    for (; bf_time_steady_ms() - begin_ms < seconds * 1e3; done++)
        test_must(write(file, page, sizeof page) == sizeof page && fdatasync(file) == 0, "a page is written");
    (void)close(file);
    return (double)done / seconds;
}

static bool report(const char *name, bool postgres, double seconds)
{
    double alone_shared = 0, shared = 0;
    double alone = measure(postgres, 1, seconds, &alone_shared);
    double many = measure(postgres, THREADS, seconds, &shared);
    (void)printf("%-12s %9.0f %15.0f %19.1f %9.1f\n", name, alone, many, shared, SHARED_MIN);
    return shared >= SHARED_MIN;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    (void)printf("a page appended and synced: %.0f a second\n", measure_disk(seconds / 3));
    (void)printf("%-12s %9s %15s %19s %9s\n", "writes a s", "1 thread", "64 threads", "writes per commit", "at least");
    bool good = report("SQLite", false, seconds);
    if (test_has_postgres())
        good = report("PostgreSQL", true, seconds) && good;
    return good ? 0 : 1;
}
