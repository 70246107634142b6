/* The store under many threads, over SQLite and over PostgreSQL: batches, their parts, snapshots, two replicas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/time.h"
#include "store_test.h"

#define THREADS 16
#define WRITES 40

/* A counter that is read and then written: lost updates show in its end. */
static bf_status add_one(bf_db *db, void *context, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT losses FROM quarantine WHERE sha256 = $1",
                                   BF_VALUES(bf_value_text(context)), &rows, err);
    if (status != BF_OK)
        return status;
    int64_t next = (bf_rows_next(rows) ? bf_rows_integer(rows, 0) : 0) + 1;
    return bf_db_run(db,
                     "INSERT INTO quarantine(sha256, losses, last_ms) VALUES($1, $2, 0)"
                     " ON CONFLICT(sha256) DO UPDATE SET losses = excluded.losses",
                     BF_VALUES(bf_value_text(context), bf_value_integer(next)), NULL, err);
}

typedef struct total {
    int64_t sum, rows;
} total;

static bf_status count_all(bf_db *db, void *context, bf_error *err)
{
    total *it = context;
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT COALESCE(SUM(losses), 0), COUNT(*) FROM quarantine", BF_NO_VALUES, &rows, err);
    if (status != BF_OK || !bf_rows_next(rows))
        return status;
    *it = (total){.sum = bf_rows_integer(rows, 0), .rows = bf_rows_integer(rows, 1)};
    return BF_OK;
}

static total total_of(bf_store *store)
{
    bf_error err = {0};
    total it = {0};
    OK(bf_store_read(store, count_all, &it, &err));
    return it;
}

typedef struct client {
    pthread_t thread;
    bf_store *store;
    const char *counter;
    int writes, succeeded;
    bf_store_fn *fn;
} client;

static void *write_many(void *context)
{
    client *it = context;
    for (int i = 0; i < it->writes; i++)
        it->succeeded += bf_store_write(it->store, it->fn, (void *)(uintptr_t)it->counter, NULL) == BF_OK;
    return NULL;
}

static void start(client *clients, int count, const client *like)
{
    for (int i = 0; i < count; i++) {
        clients[i] = *like;
        assert_int_equal(pthread_create(&clients[i].thread, NULL, write_many, &clients[i]), 0);
    }
}

static int join(client *clients, int count)
{
    int succeeded = 0;
    for (int i = 0; i < count; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        succeeded += clients[i].succeeded;
    }
    return succeeded;
}

static void many_threads_lose_nothing_and_share_commits(void **state)
{
    bf_store *store = store_of(state);
    client clients[THREADS];
    start(clients, THREADS, &(client){.store = store, .counter = "a", .writes = WRITES, .fn = add_one});
    int64_t seen = 0;
    for (int i = 0; i < 50; i++) {
        total now = total_of(store);
        assert_true(now.sum >= seen);
        seen = now.sum;
    }
    assert_int_equal(join(clients, THREADS), THREADS * WRITES);
    assert_int_equal(total_of(store).sum, THREADS * WRITES);
    bf_store_facts facts;
    bf_store_look(store, &facts);
    assert_true(facts.writes >= THREADS * WRITES);
    assert_true(facts.commits < THREADS * WRITES / 2);
}

/* A write whose function waits until it is told to go on, so that others queue up behind it. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool entered, open;
    bf_store *store;
    pthread_t thread;
} gate;

static bf_status wait_at_gate(bf_db *db, void *context, bf_error *err)
{
    gate *it = context;
    (void)pthread_mutex_lock(&it->lock);
    it->entered = true;
    (void)pthread_cond_broadcast(&it->moved);
    while (!it->open)
        (void)pthread_cond_wait(&it->moved, &it->lock);
    (void)pthread_mutex_unlock(&it->lock);
    return add_one(db, (void *)(uintptr_t) "gate", err);
}

static void *write_gate(void *context)
{
    gate *it = context;
    (void)bf_store_write(it->store, wait_at_gate, it, NULL);
    return NULL;
}

static void close_gate(gate *ret, bf_store *store)
{
    *ret = (gate){.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .store = store};
    assert_int_equal(pthread_create(&ret->thread, NULL, write_gate, ret), 0);
    (void)pthread_mutex_lock(&ret->lock);
    while (!ret->entered)
        (void)pthread_cond_wait(&ret->moved, &ret->lock);
    (void)pthread_mutex_unlock(&ret->lock);
}

static void open_gate(gate *it)
{
    (void)pthread_mutex_lock(&it->lock);
    it->open = true;
    (void)pthread_cond_broadcast(&it->moved);
    (void)pthread_mutex_unlock(&it->lock);
    (void)pthread_join(it->thread, NULL);
}

static void pause_ms(int ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static bf_status add_and_refuse(bf_db *db, void *context, bf_error *err)
{
    bf_status status = add_one(db, context, err);
    return status == BF_OK ? bf_fail(err, BF_FORBIDDEN, "No.") : status;
}

static bf_status add_and_break(bf_db *db, void *context, bf_error *err)
{
    bf_status status = add_one(db, context, err);
    return status == BF_OK ? bf_db_run(db, "INSERT INTO nowhere(d) VALUES(1)", BF_NO_VALUES, NULL, err) : status;
}

static void parts_of_a_batch_fail_alone(void **state)
{
    bf_store *store = store_of(state);
    bf_store_facts before, after;
    bf_store_look(store, &before);
    gate hold;
    close_gate(&hold, store);
    client good[4], refused[4], broken[4];
    for (int i = 0; i < 4; i++) {
        start(&good[i], 1, &(client){.store = store, .counter = "good", .writes = 1, .fn = add_one});
        start(&refused[i], 1, &(client){.store = store, .counter = "refused", .writes = 1, .fn = add_and_refuse});
        start(&broken[i], 1, &(client){.store = store, .counter = "broken", .writes = 1, .fn = add_and_break});
    }
    pause_ms(100);
    open_gate(&hold);
    assert_int_equal(join(good, 4), 4);
    assert_int_equal(join(refused, 4) + join(broken, 4), 0);
    total now = total_of(store);
    assert_int_equal(now.sum, 5);
    assert_int_equal(now.rows, 2);
    bf_store_look(store, &after);
    assert_int_equal(after.writes - before.writes, 13);
    assert_int_equal(after.failures - before.failures, 8);
    assert_true(after.commits - before.commits <= 3);
}

typedef struct hook {
    int calls;
    bool fails;
    int64_t counter_seen;
} hook;

static bf_status seal(bf_db *db, void *context, bf_error *err)
{
    hook *it = context;
    total now = {0};
    bf_status status = count_all(db, &now, err);
    it->calls++;
    it->counter_seen = now.sum;
    if (status == BF_OK)
        status = add_one(db, (void *)(uintptr_t) "sealed", err);
    return status == BF_OK && it->fails ? bf_fail(err, BF_VAULT_LOCKED, "Not sealed.") : status;
}

static void the_hook_runs_in_each_transaction(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    hook sealing = {0};
    bf_store_before_commit(store, seal, &sealing);
    OK(bf_store_write(store, add_one, (void *)(uintptr_t) "a", &err));
    assert_int_equal(sealing.calls, 1);
    assert_int_equal(sealing.counter_seen, 1);
    assert_int_equal(total_of(store).sum, 2);
    /* Nothing to commit, nothing to seal. */
    assert_int_equal(bf_store_write(store, add_and_refuse, (void *)(uintptr_t) "a", &err), BF_FORBIDDEN);
    assert_int_equal(sealing.calls, 1);
}

static void a_hook_that_fails_fails_the_batch(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    hook sealing = {.fails = true};
    bf_store_before_commit(store, seal, &sealing);
    gate hold;
    close_gate(&hold, store);
    client clients[4];
    start(clients, 4, &(client){.store = store, .counter = "a", .writes = 1, .fn = add_one});
    pause_ms(100);
    open_gate(&hold);
    assert_int_equal(join(clients, 4), 0);
    assert_int_equal(total_of(store).sum, 0);
    assert_int_equal(bf_store_write(store, add_one, (void *)(uintptr_t) "a", &err), BF_VAULT_LOCKED);
    assert_string_equal(err.message, "Not sealed.");
    sealing.fails = false;
    OK(bf_store_write(store, add_one, (void *)(uintptr_t) "a", &err));
    assert_int_equal(total_of(store).sum, 2);
}

static bf_status read_twice(bf_db *db, void *context, bf_error *err)
{
    bf_store *store = context;
    total first = {0}, second = {0};
    bf_status status = count_all(db, &first, err);
    if (status == BF_OK)
        status = bf_store_write(store, add_one, (void *)(uintptr_t) "a", err);
    if (status == BF_OK)
        status = count_all(db, &second, err);
    assert_int_equal(first.sum, second.sum);
    return status;
}

static void a_reader_sees_one_moment(void **state)
{
    bf_store *store = store_of(state);
    bf_error err = {0};
    OK(bf_store_read(store, read_twice, store, &err));
    assert_int_equal(total_of(store).sum, 1);
}

static void a_full_queue_refuses_at_once(void **state)
{
    fixture *with = *state;
    (void)store_of(state);
    bf_error err = {0};
    bf_store *store = NULL;
    bf_store_options options = {.url = with->place.url, .queue_max = 3};
    OK(bf_store_open(&options, &store, &err));
    gate hold;
    close_gate(&hold, store);
    client clients[3];
    start(clients, 3, &(client){.store = store, .counter = "a", .writes = 1, .fn = add_one});
    pause_ms(100);
    double before = bf_time_steady_ms();
    assert_int_equal(bf_store_write(store, add_one, (void *)(uintptr_t) "a", &err), BF_STORE_UNAVAILABLE);
    assert_true(bf_time_steady_ms() - before < 1000);
    open_gate(&hold);
    assert_int_equal(join(clients, 3), 3);
    bf_store_free(&store);
}

static void a_write_that_waits_too_long_is_given_up(void **state)
{
    fixture *with = *state;
    (void)store_of(state);
    bf_error err = {0};
    bf_store *store = NULL;
    bf_store_options options = {.url = with->place.url, .wait_ms_max = 300};
    OK(bf_store_open(&options, &store, &err));
    gate hold;
    close_gate(&hold, store);
    double before = bf_time_steady_ms();
    assert_int_equal(bf_store_write(store, add_one, (void *)(uintptr_t) "late", &err), BF_STORE_UNAVAILABLE);
    double took = bf_time_steady_ms() - before;
    assert_true(took >= 290 && took < 1500);
    open_gate(&hold);
    bf_store_free(&store);
    assert_true(total_of(with->store).sum <= 1); /* what was given up is not done later */
}

/* A commit that the server refuses is certain: its writes are made again. The trigger fails at COMMIT until it was
 * asked three times, which only a sequence remembers. */
static void a_refused_commit_is_made_again(void **state)
{
    fixture *with = *state;
    bf_store *store = store_of(state);
    if (!with->postgres)
        return; /* nothing makes SQLite refuse a commit and say so */
    test_store_place_run(&with->place,
                         "CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                         " $$BEGIN IF nextval('tries') < 3 THEN RAISE EXCEPTION 'not yet'; END IF; RETURN NULL; END$$;"
                         "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON quarantine DEFERRABLE INITIALLY DEFERRED"
                         " FOR EACH ROW EXECUTE FUNCTION refuse()");
    bf_error err = {0};
    OK(bf_store_write(store, add_one, (void *)(uintptr_t) "a", &err));
    assert_int_equal(total_of(store).sum, 1);
    bf_store_facts facts;
    bf_store_look(store, &facts);
    assert_true(facts.writable);
    assert_int_equal(facts.failures, 0);
}

/* A second process with a store of its own. */
static pid_t fork_replica(const char *url)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    bf_store *store = NULL;
    bf_store_options options = {.url = url, .wait_ms_max = 20000};
    if (bf_store_open(&options, &store, NULL) != BF_OK)
        _exit(1);
    client clients[4];
    for (int i = 0; i < 4; i++) {
        clients[i] = (client){.store = store, .counter = "shared", .writes = WRITES, .fn = add_one};
        if (pthread_create(&clients[i].thread, NULL, write_many, &clients[i]) != 0)
            _exit(2);
    }
    int succeeded = join(clients, 4);
    bf_store_free(&store);
    _exit(succeeded == 4 * WRITES ? 0 : 3);
}

static void replicas_do_not_lose_each_others_updates(void **state)
{
    fixture *with = *state;
    bf_error err = {0};
    /* Forked while this process has no threads. */
    bf_store_free(&(bf_store *){store_of(state)});
    with->store = NULL;
    pid_t child = fork_replica(with->place.url);
    assert_true(child > 0);
    bf_store *here[2] = {NULL, NULL};
    bf_store_options options = {.url = with->place.url, .wait_ms_max = 20000};
    OK(bf_store_open(&options, &here[0], &err));
    OK(bf_store_open(&options, &here[1], &err));
    client clients[2][4];
    for (int i = 0; i < 2; i++)
        start(clients[i], 4, &(client){.store = here[i], .counter = "shared", .writes = WRITES, .fn = add_one});
    assert_int_equal(join(clients[0], 4) + join(clients[1], 4), 8 * WRITES);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(total_of(here[0]).sum, 12 * WRITES);
    bf_store_free(&here[0]);
    bf_store_free(&here[1]);
}

typedef struct opener {
    pthread_t thread;
    const char *url;
    bf_status status;
} opener;

static void *open_and_close(void *context)
{
    opener *it = context;
    bf_store *store = NULL;
    it->status = bf_store_open(&(bf_store_options){.url = it->url, .create = true, .wait_ms_max = 20000}, &store, NULL);
    bf_store_free(&store);
    return NULL;
}

static void start_at_once(bool postgres)
{
    test_store_place empty;
    test_store_place_new(&empty, postgres);
    opener openers[6];
    for (int i = 0; i < 6; i++) {
        openers[i] = (opener){.url = empty.url};
        assert_int_equal(pthread_create(&openers[i].thread, NULL, open_and_close, &openers[i]), 0);
    }
    for (int i = 0; i < 6; i++) {
        (void)pthread_join(openers[i].thread, NULL);
        assert_int_equal(openers[i].status, BF_OK);
    }
    test_store_place_done(&empty);
}

/* Once in a hundred starts or so, two change the journal mode of an empty SQLite file in the same moment. */
static void replicas_that_start_at_once_migrate_once(void **state)
{
    fixture *with = *state;
    (void)store_of(state);
    for (int i = 0; i < (with->postgres ? 2 : 60); i++)
        start_at_once(with->postgres);
}

static const struct CMUnitTest CASES[] = {
    CASE(many_threads_lose_nothing_and_share_commits),
    CASE(parts_of_a_batch_fail_alone),
    CASE(the_hook_runs_in_each_transaction),
    CASE(a_hook_that_fails_fails_the_batch),
    CASE(a_reader_sees_one_moment),
    CASE(a_full_queue_refuses_at_once),
    CASE(a_write_that_waits_too_long_is_given_up),
    CASE(a_refused_commit_is_made_again),
    CASE(replicas_do_not_lose_each_others_updates),
    CASE(replicas_that_start_at_once_migrate_once),
};

int main(void)
{
    return run_over_both(CASES, sizeof CASES / sizeof CASES[0]);
}
