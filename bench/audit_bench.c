/* audit_bench [SECONDS]: leaves a second that the audit log takes, one write each, from 64 threads whose writes share
 * transactions, and many in one write; beside what the store does without the log. Then how fast an export is verified.
 * With BONAFIDE_TEST_POSTGRES (tests/support/with_postgres) over PostgreSQL too. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sodium.h>

#include "audit/log.h"
#include "audit/verify.h"
#include "store/time.h"
#include "support/audit_place.h"
#include "support/must.h"

#define THREADS 64
#define LEAVES_AT_ONCE 256
/* Of the store's writes with one insert each. A leaf takes a query, an update and one or two inserts, and the head is
 * signed once a transaction. */
#define RATIO_MIN 0.20

static atomic_int ending;

typedef struct client {
    pthread_t thread;
    bf_store *store;
    bf_store_fn *write;
    int number;
    long done;
} client;

static bf_status append(bf_db *db, int number, bf_error *err)
{
    json_t *facts = json_pack("{ss ss si}", "signal", "replayed", "session", "s_0123456789abcdef", "number", number);
    bf_audit_entry entry = {BF_AUDIT_SECURITY, bf_time_now_ms(), "key:0123456789abcdef", facts};
    bf_status status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

static bf_status append_one(bf_db *db, void *context, bf_error *err)
{
    const client *it = context;
    return append(db, it->number, err);
}

static bf_status append_many(bf_db *db, void *context, bf_error *err)
{
    const client *it = context;
    bf_status status = BF_OK;
    for (int i = 0; i < LEAVES_AT_ONCE && status == BF_OK; i++)
        status = append(db, it->number, err);
    return status;
}

static bf_status insert_one(bf_db *db, void *context, bf_error *err)
{
    const client *it = context;
    char name[64];
    (void)snprintf(name, sizeof name, "bench-%d-%ld", it->number, it->done);
    return bf_db_run(db, "INSERT INTO setting(name, value, changed_ms) VALUES($1, $1, $2)",
                     BF_VALUES(bf_value_text(name), bf_value_integer(it->done)), NULL, err);
}

static void *write_on(void *context)
{
    client *it = context;
    for (; !ending; it->done++) {
        bf_error err = {0};
        test_must(bf_store_write(it->store, it->write, it, &err) == BF_OK, err.message);
    }
    return NULL;
}

/* Writes a second. */
static double measure(test_audit_place *place, bf_store_fn *write, int threads, double seconds)
{
    static client clients[THREADS];
    const struct timespec pause = {.tv_sec = (time_t)seconds,
                                   .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    long done = 0;
    ending = 0;
    double begin_ms = bf_time_steady_ms();
    for (int i = 0; i < threads; i++) {
        clients[i] = (client){.store = place->store, .write = write, .number = i};
        test_must(pthread_create(&clients[i].thread, NULL, write_on, &clients[i]) == 0, "a thread starts");
    }
    (void)nanosleep(&pause, NULL);
    ending = 1;
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        done += clients[i].done;
    }
    return (double)done * 1e3 / (bf_time_steady_ms() - begin_ms);
}

static void tell(void *context, const bf_finding *finding)
{
    char text[BF_FINDING_TEXT_SIZE];
    (void)context;
    bf_finding_text(finding, text);
    test_must(false, text);
}

static void verify(test_audit_place *place)
{
    bf_verify *check = NULL;
    bf_verify_summary summary;
    const bf_verify_options options = {.key = &place->key, .report = tell};
    double begin_ms = bf_time_steady_ms();
    bf_bytes all = test_audit_place_export(place);
    double between_ms = bf_time_steady_ms();
    test_must(bf_verify_new(&options, &check, NULL) == BF_OK, "a verifier");
    test_must(bf_verify_feed(check, all.data, all.size, NULL) == BF_OK, "the export is read");
    test_must(bf_verify_end(check, &summary, NULL) == BF_OK, "the export ends");
    double took_ms = bf_time_steady_ms() - between_ms;
    bf_verify_free(&check);
    bf_bytes_done(&all);
    double leaves = (double)summary.leaves;
    (void)printf("  of %.0f leaves exported %.0f a second, verified %.0f a second\n", leaves,
                 leaves * 1e3 / (between_ms - begin_ms), leaves * 1e3 / took_ms);
}

static bool report(const char *name, bool postgres, double seconds)
{
    test_audit_place place;
    test_audit_place_new(&place, postgres);
    double plain = measure(&place, insert_one, THREADS, seconds);
    double one = measure(&place, append_one, THREADS, seconds);
    double many = measure(&place, append_many, 1, seconds) * LEAVES_AT_ONCE;
    (void)printf("%-12s %14.0f %16.0f %6.2f %9.2f %20.0f\n", name, plain, one, one / plain, RATIO_MIN, many);
    verify(&place);
    test_audit_place_done(&place);
    return one / plain >= RATIO_MIN;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    test_must(sodium_init() >= 0, "libsodium starts");
    (void)printf("%-12s %14s %16s %6s %9s %20s\n", "a second", "plain inserts", "leaves, 1 each", "ratio", "at least",
                 "leaves, 256 at once");
    bool good = report("SQLite", false, seconds);
    if (test_has_postgres())
        good = report("PostgreSQL", true, seconds) && good;
    return good ? 0 : 1;
}
