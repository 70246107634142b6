/* store_load URL THREADS WAIT_MS: opens a store and writes to it from many threads until its standard input ends, while
 * it reads and looks. What happens is told line by line, each line after the fact:
 *
 *   open                       the store is open
 *   write NAME STATUS MS       a write of the row NAME has returned STATUS
 *   read STATUS MS
 *   look 0|1 COMMITS           whether the store is writable
 *   end
 *
 * Each write inserts a row of its own into `setting` and adds 1 to the counter `load` of `quarantine`, which gets ahead
 * of the rows when a write is made twice. Tests of what the store survives end this program, or what it writes to, and
 * compare. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "store/store.h"
#include "store/time.h"
#include "support/must.h"

#define THREADS_MAX 256
#define LOOK_MS 50

static bf_store *store;
static atomic_int ending;

typedef struct writer {
    pthread_t thread;
    int number;
} writer;

/* A line is one write, so lines do not mix and none is lost when the program is killed. */
static void tell(const char *line, int length)
{
    test_must(length > 0 && write(STDOUT_FILENO, line, (size_t)length) == length, "a line is told");
}

static bf_status insert(bf_db *db, void *context, bf_error *err)
{
    bf_status status = bf_db_run(db,
                                 "INSERT INTO setting(name, value, changed_ms) VALUES($1, 'x', $2)"
                                 " ON CONFLICT(name) DO UPDATE SET changed_ms = excluded.changed_ms",
                                 BF_VALUES(bf_value_text(context), bf_value_integer(bf_time_now_ms())), NULL, err);
    if (status == BF_OK)
        status = bf_db_run(db,
                           "INSERT INTO quarantine(sha256, losses, last_ms) VALUES('load', 1, 0)"
                           " ON CONFLICT(sha256) DO UPDATE SET losses = quarantine.losses + 1",
                           BF_NO_VALUES, NULL, err);
    return status;
}

static bf_status read_counter(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT losses FROM quarantine WHERE sha256 = 'load'", BF_NO_VALUES, &rows, err);
    bf_rows_free(&rows);
    return status;
}

static void *write_rows(void *context)
{
    const writer *it = context;
    for (int i = 0; !ending; i++) {
        char name[64], line[256];
        (void)snprintf(name, sizeof name, "p%d-%d-%d", (int)getpid(), it->number, i);
        double before = bf_time_steady_ms();
        bf_status status = bf_store_write(store, insert, name, NULL);
        tell(line, snprintf(line, sizeof line, "write %s %s %.0f\n", name, bf_status_name(status),
                            bf_time_steady_ms() - before));
    }
    return NULL;
}

static void *read_rows(void *context)
{
    (void)context;
    while (!ending) {
        char line[128];
        double before = bf_time_steady_ms();
        bf_status status = bf_store_read(store, read_counter, NULL, NULL);
        tell(line, snprintf(line, sizeof line, "read %s %.0f\n", bf_status_name(status), bf_time_steady_ms() - before));
        struct timespec pause = {.tv_nsec = 5000000};
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

static void look_until_input_ends(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, LOOK_MS) == 0) {
        bf_store_facts facts;
        char line[64];
        bf_store_look(store, &facts);
        tell(line, snprintf(line, sizeof line, "look %d %llu\n", facts.writable, (unsigned long long)facts.commits));
    }
    ending = 1;
}

int main(int argc, char **argv)
{
    test_must(argc == 4, "usage: store_load URL THREADS WAIT_MS");
    int threads = (int)strtol(argv[2], NULL, 10);
    test_must(threads > 0 && threads <= THREADS_MAX, "1 to 256 threads");
    bf_store_options options = {.url = argv[1], .create = true, .wait_ms_max = (int)strtol(argv[3], NULL, 10)};
    bf_error err = {0};
    if (bf_store_open(&options, &store, &err) != BF_OK) {
        (void)fprintf(stderr, "%s %s (%s)\n", bf_status_name(err.status), err.message, err.detail);
        return 2;
    }
    tell("open\n", 5);
    static writer writers[THREADS_MAX];
    pthread_t reader;
    test_must(pthread_create(&reader, NULL, read_rows, NULL) == 0, "a thread starts");
    for (int i = 0; i < threads; i++) {
        writers[i].number = i;
        test_must(pthread_create(&writers[i].thread, NULL, write_rows, &writers[i]) == 0, "a thread starts");
    }
    look_until_input_ends();
    for (int i = 0; i < threads; i++)
        (void)pthread_join(writers[i].thread, NULL);
    (void)pthread_join(reader, NULL);
    bf_store_free(&store);
    tell("end\n", 4);
    return 0;
}
