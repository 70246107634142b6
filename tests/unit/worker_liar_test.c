/* A pool whose processes are played by this test: workers that lie, break off or never get ready, and a nursery that
 * cannot load. Nothing of it needs a network, so every way out can be tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bonafide/words.h"
#include "worker/channel.h"
#include "worker/control.h"
#include "worker/wire.h"
#include "worker_test.h"

#define GOOD "{\"request_id\":\"%s\",\"decision\":{\"decision\":\"review\"}}"

/* ---- the played processes; what they shall do is said where the folder with the data should be ---- */

static void say(int fd, const void *data, size_t size)
{
    if (!bf_channel_write(fd, data, size))
        _exit(1);
}

static void say_header(int fd, bf_wire_answer_header header)
{
    say(fd, &header, sizeof header);
}

static void say_record(int fd, const char *text)
{
    say_header(fd, bf_wire_record(strlen(text)));
    say(fd, text, strlen(text));
}

static void say_failure(int fd, bf_status status)
{
    char texts[BF_WIRE_FAILURE_MAX];
    const bf_error failure = {.status = status, .message = "Said by a worker.", .hint = "Hint."};
    say_header(fd, bf_wire_failure(&failure));
    say(fd, texts, bf_wire_failure_texts(&failure, texts));
}

/* The request id of the next job. */
static void take_job(int fd, char ret_id[BF_WIRE_TEXT_MAX])
{
    bf_wire_job_header header;
    static char texts[BF_WIRE_CONTEXT_MAX + 4 * BF_WIRE_TEXT_MAX];
    bf_wire_job job;
    size_t size = 0;
    if (!bf_channel_read(fd, &header, sizeof header) || !bf_wire_job_expect(&header, &size) ||
        !bf_channel_read(fd, texts, size) || !bf_wire_job_read(&header, texts, &job))
        _exit(0);
    (void)snprintf(ret_id, BF_WIRE_TEXT_MAX, "%s", job.request_id);
}

static void answer(int fd, const char *id)
{
    char text[512];
    bf_wire_answer_header header = bf_wire_record(100);
    if (strcmp(id, "no-receipt") != 0)
        say_header(fd, bf_wire_taken());
    (void)snprintf(text, sizeof text, GOOD, strcmp(id, "other-id") == 0 ? "another" : id);
    if (strcmp(id, "die") == 0)
        _exit(1);
    if (strcmp(id, "hang") == 0)
        (void)pause();
    if (strcmp(id, "ready-again") == 0)
        say_header(fd, bf_wire_ready());
    if (strcmp(id, "magic") == 0)
        header.magic = 1;
    if (strcmp(id, "too-long") == 0)
        header.length[0] = BF_WIRE_RECORD_MAX + 1;
    if (strcmp(id, "header-only") == 0 || header.magic == 1 || header.length[0] != 100) {
        say_header(fd, header);
        _exit(0);
    }
    if (strcmp(id, "half") == 0) {
        say_header(fd, bf_wire_record(1000));
        say(fd, text, strlen(text));
        _exit(0);
    }
    if (strcmp(id, "refuse") == 0)
        say_failure(fd, BF_INVALID_ARGUMENT);
    else if (strcmp(id, "pretend") == 0)
        say_failure(fd, BF_SHUTTING_DOWN);
    else
        say_record(fd, strcmp(id, "no-json") == 0 ? "{\"request_id\":" : text);
    if (strcmp(id, "talk-on") == 0)
        say_record(fd, text);
}

static void play_worker(int fd, const char *part)
{
    char id[BF_WIRE_TEXT_MAX];
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || strcmp(part, "/die-young") == 0)
        _exit(3);
    if (strcmp(part, "/unconfined") == 0) {
        say_failure(fd, BF_INTERNAL);
        _exit(4);
    }
    if (strcmp(part, "/babble") == 0) {
        say(fd, "babble babble babble babble", 24);
        _exit(5);
    }
    say_header(fd, bf_wire_ready());
    for (;;) {
        take_job(fd, id);
        answer(fd, id);
    }
}

static pid_t hatch(int control, uint32_t serial, const char *part)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        _exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(control);
        (void)close(ends[0]);
        play_worker(ends[1], part);
    }
    const bf_control hatched = {.kind = BF_CONTROL_HATCHED, .serial = serial, .pid = pid};
    (void)bf_channel_send(control, &hatched, sizeof hatched, &ends[0], 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return pid;
}

/* Tells of those that have ended. */
static void report(int control, const pid_t pids[64])
{
    int how = 0;
    for (pid_t pid; (pid = waitpid(-1, &how, WNOHANG)) > 0;) {
        for (uint32_t serial = 0; serial < 64; serial++) {
            const bf_control ended = {.kind = BF_CONTROL_ENDED, .serial = serial, .pid = pid, .how = how};
            if (pids[serial] == pid)
                (void)bf_channel_send(control, &ended, sizeof ended, NULL, 0);
        }
    }
}

static int play_nursery(int control)
{
    static bf_control_options options;
    pid_t pids[64] = {0};
    int fds[BF_CHANNEL_FDS_MAX], count = 0;
    if (bf_channel_receive(control, &options, sizeof options, 0, fds, &count) != sizeof options ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || strcmp(options.data_dir, "/vanish") == 0)
        return 1;
    bf_control_failed failed = {.head.kind = BF_CONTROL_FAILED};
    if (strcmp(options.data_dir, "/fail") == 0) {
        failed.error = (bf_error){.status = BF_MODEL_TAMPERED, .message = "Said by a nursery."};
        (void)bf_channel_send(control, &failed, sizeof failed, NULL, 0);
        return 1;
    }
    const bf_control loaded = {.kind = BF_CONTROL_LOADED};
    (void)bf_channel_send(control, &loaded, sizeof loaded, NULL, 0);
    for (;;) {
        struct pollfd ready = {control, POLLIN, 0};
        bf_control order = {0};
        int heard = poll(&ready, 1, 2);
        report(control, pids);
        if (heard <= 0)
            continue;
        if (bf_channel_receive(control, &order, sizeof order, 0, fds, &count) != sizeof order)
            return 0;
        if (order.kind == BF_CONTROL_HATCH && order.serial < 64) {
            pids[order.serial] = hatch(control, order.serial, options.data_dir);
        } else if (order.kind == BF_CONTROL_KILL && order.serial < 64 && pids[order.serial] > 0) {
            (void)kill(pids[order.serial], SIGKILL);
        }
    }
}

/* ---- the tests ---- */

static bf_status open_played(const char *part, int workers, bf_pool **ret, bf_error *err)
{
    const bf_pool_options options = {
        .data_dir = part, .weights_dir = "/", .workers = workers, .queue_max = 16, .job_ms_max = 20000};
    return bf_pool_new(&options, ret, err);
}

static bf_status judge(bf_pool *pool, const char *id, bf_error *err)
{
    bf_region none = BF_REGION_NONE;
    bf_bytes record = {0};
    const bf_job job = {.request_id = id, .media = &none};
    bf_status status = bf_pool_judge(pool, &job, &record, NULL, err);
    assert_true((status == BF_OK) == (record.data != NULL));
    if (record.data) {
        assert_int_equal(record.data[record.size], 0);
        assert_non_null(strstr((const char *)record.data, id));
    }
    bf_bytes_done(&record);
    return status;
}

static bf_pool_facts look(bf_pool *pool)
{
    bf_pool_facts facts;
    bf_pool_look(pool, &facts);
    return facts;
}

static void nonsense_loses_the_worker_and_the_job(void **state)
{
    (void)state;
    static const char *const lies[] = {"die",  "ready-again", "magic",   "too-long", "header-only",
                                       "half", "pretend",     "no-json", "other-id"};
    bf_pool *pool = NULL;
    assert_int_equal(open_played("/honest", 1, &pool, NULL), BF_OK);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        bf_error err = {0};
        if (judge(pool, lies[i], &err) != BF_WORKER_LOST)
            fail_msg("%s: %s", lies[i], bf_status_name(err.status));
        assert_int_equal(look(pool).lost, i + 1);
        assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    }
    bf_error err = {0};
    assert_int_equal(judge(pool, "no-receipt", &err), BF_WORKER_LOST);
    assert_int_equal(judge(pool, "refuse", &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.message, "Said by a worker.");
    assert_string_equal(err.hint, "Hint.");
    assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    bf_pool_free(&pool);
}

/* What a worker says unasked is never taken for the answer to a later job. */
static void an_answer_too_many_is_not_used(void **state)
{
    (void)state;
    bf_pool *pool = NULL;
    assert_int_equal(open_played("/honest", 1, &pool, NULL), BF_OK);
    assert_int_equal(judge(pool, "talk-on", NULL), BF_OK);
    bf_status next = judge(pool, "next", NULL);
    assert_true(next == BF_OK || next == BF_WORKER_LOST);
    assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    bf_pool_free(&pool);
}

static void what_cannot_start_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        bf_status status;
        const char *message;
    } rows[] = {
        {"/fail", BF_MODEL_TAMPERED, "Said by a nursery."},
        {"/vanish", BF_INTERNAL, "The process that judges has ended unexpectedly."},
        {"/die-young", BF_INTERNAL, "The processes that judge end as soon as they are started."},
        {"/babble", BF_INTERNAL, "The processes that judge end as soon as they are started."},
        {"/unconfined", BF_INTERNAL, "Said by a worker."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bf_pool *pool = NULL;
        bf_error err = {0};
        assert_int_equal(open_played(rows[i].part, 2, &pool, &err), rows[i].status);
        assert_string_equal(err.message, rows[i].message);
        assert_null(pool);
        pid_t pids[PIDS_MAX];
        assert_int_equal(children_of(getpid(), pids), 0);
    }
}

/* Somebody who makes many workers die does not learn the layout of memory that the next ones have. */
static void many_losses_renew_the_nursery(void **state)
{
    (void)state;
    bf_pool *pool = NULL;
    assert_int_equal(open_played("/honest", 1, &pool, NULL), BF_OK);
    pid_t first = only_nursery();
    for (int i = 0; i < 16; i++)
        assert_int_equal(judge(pool, "die", NULL), BF_WORKER_LOST);
    for (int waited = 0; is_alive(first) && waited < SOON_MS; waited += 5)
        nap(5);
    assert_false(is_alive(first));
    assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    bf_pool_free(&pool);
}

static void a_worker_does_not_stay_for_ever(void **state)
{
    (void)state;
    bf_pool *pool = NULL;
    pid_t before[PIDS_MAX] = {0};
    assert_int_equal(open_played("/honest", 1, &pool, NULL), BF_OK);
    assert_int_equal(children_of(only_nursery(), before), 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    assert_true(is_alive(before[0]));
    for (int i = 0; i < 16 * 16; i++)
        assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    for (int waited = 0; is_alive(before[0]) && waited < SOON_MS; waited += 5)
        nap(5);
    assert_false(is_alive(before[0]));
    assert_int_equal(look(pool).lost + look(pool).restarts, 0);
    bf_pool_free(&pool);
}

static void *reload_again_and_again(void *pool)
{
    for (int i = 0; i < 5; i++) {
        bf_error err = {0};
        if (bf_pool_reload(pool, &err) != BF_OK) {
            print_error("reload: %s %s\n", err.message, err.detail);
            return pool;
        }
    }
    return NULL;
}

static void *judge_again_and_again(void *pool)
{
    for (int i = 0; i < 300; i++) {
        bf_region none = BF_REGION_NONE;
        bf_bytes record = {0};
        const bf_job job = {.request_id = i % 50 == 49 ? "die" : "honest", .media = &none};
        bf_error err = {0};
        bf_status status = bf_pool_judge(pool, &job, &record, NULL, &err);
        bf_bytes_done(&record);
        if (status != (i % 50 == 49 ? BF_WORKER_LOST : BF_OK)) {
            print_error("%s %d: %s\n", job.request_id, i, err.message);
            return pool;
        }
    }
    return NULL;
}

/* Everything at once: jobs, deaths, reloads by two threads, looks. */
static void all_of_it_at_the_same_time(void **state)
{
    (void)state;
    bf_pool *pool = NULL;
    pthread_t threads[6];
    assert_int_equal(open_played("/honest", 3, &pool, NULL), BF_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < 2 ? reload_again_and_again : judge_again_and_again, pool), 0);
    for (int i = 0; i < 100; i++) {
        (void)look(pool);
        nap(1);
    }
    for (int i = 0; i < 6; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(look(pool).judged, 4 * 294);
    assert_int_equal(look(pool).lost, 4 * 6);
    bf_pool_free(&pool);
}

/* Memory that runs out costs what it was needed for, and nothing else. */
static void allocations_may_fail(void **state)
{
    (void)state;
    bf_pool *pool = NULL;
    for (size_t nth = 1;; nth++) {
        bf_error err = {0};
        bf_alloc_fail_after(nth, 0);
        bf_status status = open_played("/honest", 1, &pool, &err);
        bf_alloc_fail_after(0, 0);
        if (status == BF_OK)
            break;
        assert_int_equal(status, BF_OUT_OF_MEMORY);
        assert_null(pool);
    }
    for (size_t nth = 1; nth < 6; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_status status = judge(pool, "honest", NULL);
        bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OK || status == BF_OUT_OF_MEMORY || status == BF_WORKER_LOST);
        assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    }
    for (size_t nth = 1; nth < 4; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_pool_reload(pool, NULL);
        bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OK || status == BF_OUT_OF_MEMORY);
        assert_int_equal(judge(pool, "honest", NULL), BF_OK);
    }
    bf_pool_free(&pool);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "nursery") == 0)
        return play_nursery(BF_NURSERY_FD);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsense_loses_the_worker_and_the_job),
        cmocka_unit_test(an_answer_too_many_is_not_used),
        cmocka_unit_test(what_cannot_start_says_why),
        cmocka_unit_test(many_losses_renew_the_nursery),
        cmocka_unit_test(a_worker_does_not_stay_for_ever),
        cmocka_unit_test(all_of_it_at_the_same_time),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
