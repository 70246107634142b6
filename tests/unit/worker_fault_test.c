/* What becomes of the pool when its processes are killed, get stuck, or cannot be had; and what they could give away.
 * Skipped without the networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "support/images.h"
#include "worker_test.h"

#define PROMPT_MS 10.0 /* in which a full queue must say so */

static void stop(pid_t pid)
{
    assert_int_equal(kill(pid, SIGSTOP), 0);
}

static void wait_for_one_nursery(void)
{
    pid_t pids[PIDS_MAX];
    for (int waited = 0; children_of(getpid(), pids) != 1 && waited < SOON_MS; waited += 5)
        nap(5);
    assert_int_equal(children_of(getpid(), pids), 1);
}

/* The workers of the only nursery. */
static void find_workers(int wanted, pid_t ret[PIDS_MAX])
{
    wait_for_one_nursery();
    for (int waited = 0; children_of(only_nursery(), ret) != wanted && waited < SOON_MS; waited += 5)
        nap(5);
    assert_int_equal(children_of(only_nursery(), ret), wanted);
}

static bf_pool_facts look(bf_pool *pool)
{
    bf_pool_facts facts;
    bf_pool_look(pool, &facts);
    return facts;
}

/* A picture that takes a while. */
static bf_bytes slow_picture(void)
{
    bf_image noise = test_noise(4000, 4000, 3);
    bf_bytes bytes = test_jpeg(&noise, &(test_jpeg_options){.progressive = true});
    bf_image_done(&noise);
    return bytes;
}

/* Processor time of a process in clock ticks. */
static long ticks_of(pid_t pid)
{
    char path[64], line[1024] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *at = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    (void)fclose(file);
    for (int field = 2; at && field < 14; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return 0;
    long user = strtol(at, &at, 10);
    return user + strtol(at, NULL, 10);
}

/* Stops a worker while it is judging: it has begun to use the processor. */
static void stop_in_the_middle(bf_pool *pool, pid_t worker, long ticks_before)
{
    wait_for_load(pool, 1, 0);
    for (int waited = 0; ticks_of(worker) < ticks_before + 3 && waited < SOON_MS; waited++)
        nap(1);
    stop(worker);
    wait_for_load(pool, 1, 0);
}

static void a_killed_worker_costs_its_job_only(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2"), slow = slow_picture();
    for (int round = 1; round <= 3; round++) {
        pid_t worker[PIDS_MAX];
        background job;
        find_workers(1, worker);
        long ticks = ticks_of(worker[0]);
        start_job(&job, pool, &slow);
        stop_in_the_middle(pool, worker[0], ticks);
        assert_int_equal(kill(worker[0], SIGKILL), 0);
        assert_int_equal(end_of_job(&job), BF_WORKER_LOST);
        assert_int_equal(judge_bytes(pool, &photo, "next", NULL), BF_OK);
        assert_int_equal(look(pool).lost, round);
        assert_int_equal(look(pool).restarts, round);
    }
    bf_pool_free(&pool);
    bf_bytes_done(&photo);
    bf_bytes_done(&slow);
}

/* A worker that dies before it has taken its job costs nothing. */
static void a_job_that_was_not_taken_goes_to_another(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2");
    pid_t worker[PIDS_MAX];
    background job;
    find_workers(1, worker);
    stop(worker[0]);
    start_job(&job, pool, &photo);
    wait_for_load(pool, 1, 0);
    nap(20);
    assert_int_equal(kill(worker[0], SIGKILL), 0);
    assert_int_equal(end_of_job(&job), BF_OK);
    assert_int_equal(look(pool).lost, 0);
    bf_pool_free(&pool);
    bf_bytes_done(&photo);
}

/* A worker that dies while it has nothing to do costs nothing. */
static void an_idle_worker_may_die(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2");
    for (int round = 0; round < 5; round++) {
        pid_t workers[PIDS_MAX];
        find_workers(2, workers);
        for (int i = 0; i < 2; i++)
            assert_int_equal(kill(workers[i], SIGKILL), 0);
        assert_int_equal(judge_bytes(pool, &photo, "next", NULL), BF_OK);
        wait_until_whole(pool, 2);
    }
    assert_int_equal(look(pool).lost, 0);
    bf_pool_free(&pool);
    bf_bytes_done(&photo);
}

static void a_stuck_worker_is_killed_at_the_deadline(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    options.job_ms_max = 1500;
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2");
    pid_t worker[PIDS_MAX];
    find_workers(1, worker);
    stop(worker[0]);
    double began_ms = bf_time_steady_ms();
    assert_int_equal(judge_bytes(pool, &photo, "stuck", NULL), BF_WORKER_LOST);
    double ms = bf_time_steady_ms() - began_ms;
    assert_true(ms >= 1490 && ms < 1500 + SOON_MS);
    assert_int_equal(judge_bytes(pool, &photo, "next", NULL), BF_OK);
    for (int waited = 0; is_alive(worker[0]) && waited < SOON_MS; waited += 5)
        nap(5);
    assert_false(is_alive(worker[0]));
    bf_pool_free(&pool);
    bf_bytes_done(&photo);
}

static void a_full_queue_says_so_at_once(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    options.queue_max = 2;
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2");
    bf_region region = region_of(&photo);
    pid_t worker[PIDS_MAX];
    background jobs[3];
    find_workers(1, worker);
    stop(worker[0]);
    for (int i = 0; i < 3; i++) {
        start_job(&jobs[i], pool, &photo);
        wait_for_load(pool, 1, i);
    }
    double fastest_ms = 1e9;
    for (int i = 0; i < 20; i++) {
        bf_error err = {0};
        bf_bytes record = {0};
        const bf_job job = {.request_id = "refused", .media = &region};
        double began_ms = bf_time_steady_ms();
        assert_int_equal(bf_pool_judge(pool, &job, &record, NULL, &err), BF_OVERLOADED);
        double ms = bf_time_steady_ms() - began_ms;
        fastest_ms = ms < fastest_ms ? ms : fastest_ms;
        assert_true(err.hint[0]);
    }
    /* The machine may be busy with something else, but not all the time. */
    assert_true(fastest_ms < PROMPT_MS);
    assert_int_equal(look(pool).refused, 20);
    assert_int_equal(look(pool).queued, 2);
    assert_int_equal(kill(worker[0], SIGCONT), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(end_of_job(&jobs[i]), BF_OK);
    bf_region_done(&region);
    bf_pool_free(&pool);
    bf_bytes_done(&photo);
}

/* In the order in which they came; and not for ever. */
static void waiting_ends(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    options.job_ms_max = 800;
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2");
    pid_t pids[PIDS_MAX];
    find_workers(1, pids);
    stop(only_nursery()); /* so that the worker is not replaced */
    stop(pids[0]);
    background lost, waiting;
    start_job(&lost, pool, &photo);
    wait_for_load(pool, 1, 0);
    start_job(&waiting, pool, &photo);
    wait_for_load(pool, 1, 1);
    assert_int_equal(end_of_job(&lost), BF_WORKER_LOST);
    assert_int_equal(end_of_job(&waiting), BF_OVERLOADED);
    assert_true(waiting.ms >= 790);
    /* A nursery that does not answer is replaced in the end. */
    wait_until_whole(pool, 1);
    assert_int_equal(judge_bytes(pool, &photo, "next", NULL), BF_OK);
    bf_pool_free(&pool);
    bf_bytes_done(&photo);
}

static void a_killed_nursery_is_replaced(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2"), slow = slow_picture();
    for (int round = 0; round < 2; round++) {
        pid_t workers[PIDS_MAX];
        background job;
        find_workers(1, workers);
        pid_t nursery = only_nursery();
        long ticks = ticks_of(workers[0]);
        start_job(&job, pool, &slow);
        stop_in_the_middle(pool, workers[0], ticks);
        assert_int_equal(kill(nursery, SIGKILL), 0);
        assert_int_equal(end_of_job(&job), BF_WORKER_LOST);
        assert_int_equal(judge_bytes(pool, &photo, "next", NULL), BF_OK);
        wait_until_whole(pool, 1);
        assert_false(is_alive(workers[0]));
        assert_int_not_equal(only_nursery(), nursery);
    }
    bf_pool_free(&pool);
    bf_bytes_done(&photo);
    bf_bytes_done(&slow);
}

static void the_end_lets_jobs_finish_and_refuses_those_that_wait(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    bf_pool *pool = open_pool(&options);
    bf_bytes photo = read_sample("person-2");
    pid_t worker[PIDS_MAX];
    background running, waiting;
    find_workers(1, worker);
    stop(worker[0]);
    start_job(&running, pool, &photo);
    wait_for_load(pool, 1, 0);
    start_job(&waiting, pool, &photo);
    wait_for_load(pool, 1, 1);
    pid_t helper = fork();
    if (helper == 0) {
        nap(300);
        _exit(kill(worker[0], SIGCONT));
    }
    bf_pool_free(&pool);
    assert_int_equal(end_of_job(&running), BF_OK);
    assert_int_equal(end_of_job(&waiting), BF_SHUTTING_DOWN);
    assert_int_equal(waitpid(helper, NULL, 0), helper);
    pid_t none[PIDS_MAX];
    assert_int_equal(children_of(getpid(), none), 0);
    assert_false(is_alive(worker[0]));
    bf_bytes_done(&photo);
}

/* A picture that takes more memory to decode than a worker may have. */
static void memory_of_a_worker_is_limited(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    options.workers = 1;
    options.worker_bytes_max = (size_t)48 << 20;
    bf_pool *pool = open_pool(&options);
    bf_image large = test_pattern(6000, 6000);
    bf_bytes bomb = test_png(&large, &(test_png_options){.kind = TEST_PNG_RGB8}), photo = read_sample("person-2");
    bf_region region = region_of(&bomb);
    bf_bytes record = {0};
    const bf_job job = {.request_id = "bomb", .media = &region};
    bf_status status = bf_pool_judge(pool, &job, &record, NULL, NULL);
    /* A library may end the process where we only report. */
    assert_true(status == BF_WORKER_LOST ||
                (status == BF_OK && strstr((const char *)record.data, "OUT_OF_MEMORY") != NULL));
    assert_int_equal(judge_bytes(pool, &photo, "next", NULL), BF_OK);
    bf_pool_free(&pool);
    bf_image_done(&large);
    bf_region_done(&region);
    bf_bytes_done(&record);
    bf_bytes_done(&bomb);
    bf_bytes_done(&photo);
}

/* ---- leaks ---- */

/* A worker closes a job's descriptors after it has answered. */
static void settle_at(pid_t pid, int descriptors)
{
    for (int waited = 0; count_descriptors(pid) != descriptors && waited < SOON_MS; waited += 5)
        nap(5);
    assert_int_equal(count_descriptors(pid), descriptors);
}

static void a_thousand_jobs_leave_no_descriptor(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    bf_pool *pool = open_pool(&options);
    bf_bytes scrap = {(uint8_t *)bf_strdup("\xff\xd8\xff\xe0 no picture"), 14};
    pid_t workers[PIDS_MAX];
    find_workers(2, workers);
    int here = count_descriptors(getpid()), there[2] = {count_descriptors(workers[0]), count_descriptors(workers[1])};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(judge_bytes(pool, &scrap, "again", NULL), BF_OK);
    assert_int_equal(count_descriptors(getpid()), here);
    for (int i = 0; i < 2; i++)
        settle_at(workers[i], there[i]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bf_pool_reload(pool, NULL), BF_OK);
        wait_for_one_nursery();
    }
    assert_int_equal(count_descriptors(getpid()), here);
    bf_pool_free(&pool);
    bf_bytes_done(&scrap);
}

static size_t read_proc(pid_t pid, const char *file, char *ret, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    size_t got = fread(ret, 1, size - 1, in);
    (void)fclose(in);
    ret[got] = '\0';
    return got;
}

/* Whether the bytes are anywhere in what the process can write to. */
static bool memory_holds(pid_t pid, const char *needle, size_t size)
{
    char path[64], line[512];
    bool found = false;
    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(memory >= 0);
    (void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    assert_non_null(maps);
    while (!found && fgets(line, sizeof line, maps)) {
        char *at = NULL;
        unsigned long first = strtoul(line, &at, 16), last = strtoul(at + 1, &at, 16);
        if (at[2] != 'w' || last - first > (512u << 20))
            continue;
        char *copy = malloc(last - first);
        assert_non_null(copy);
        ssize_t got = pread(memory, copy, last - first, (off_t)first);
        found = got > 0 && memmem(copy, (size_t)got, needle, size) != NULL;
        free(copy);
    }
    (void)fclose(maps);
    (void)close(memory);
    return found;
}

static void processes_inherit_nothing(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip(); /* others may not look at these processes: that is part of their protection */
    /* Secrets of a server: in its memory, in its environment, behind a descriptor that somebody forgot to mark. */
    char secret[33], text[65536];
    FILE *chance = fopen("/dev/urandom", "re");
    assert_non_null(chance);
    for (int i = 0; i < 32; i++)
        secret[i] = (char)('a' + (fgetc(chance) & 15));
    secret[32] = '\0';
    (void)fclose(chance);
    assert_int_equal(setenv("BONAFIDE_TEST_SECRET", secret, 1), 0);
    int open_file = open("/dev/null", O_RDWR);
    bf_pool_options options = pool_options();
    bf_pool *pool = open_pool(&options);
    pid_t pids[PIDS_MAX];
    find_workers(2, pids);
    pids[2] = only_nursery();
    assert_true(memory_holds(getpid(), secret, 32));
    for (int i = 0; i < 3; i++) {
        size_t size = read_proc(pids[i], "environ", text, sizeof text);
        assert_null(memmem(text, size, "SECRET", 6));
        size = read_proc(pids[i], "cmdline", text, sizeof text);
        assert_int_equal(size, sizeof "bonafide\0nursery");
        assert_memory_equal(text, "bonafide\0nursery", size);
        /* Three that lead nowhere or to the log, and one socket; the nursery has one for its children's deaths, too. */
        assert_int_equal(count_descriptors(pids[i]), i < 2 ? 4 : 5);
        assert_false(memory_holds(pids[i], secret, 32));
        (void)read_proc(pids[i], "oom_score_adj", text, sizeof text);
        assert_string_equal(text, "500\n");
    }
    bf_pool_free(&pool);
    (void)close(open_file);
    (void)unsetenv("BONAFIDE_TEST_SECRET");
}

/* The server's own end takes the processes with it, however it comes. */
static void nothing_outlives_the_server(void **state)
{
    (void)state;
    int ends[2];
    bf_pool_options options = pool_options();
    bf_pool *pool = open_pool(&options); /* skips without networks, before there is a child */
    bf_pool_free(&pool);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t server = fork();
    if (server == 0) {
        pid_t pids[PIDS_MAX] = {0};
        if (bf_pool_new(&options, &pool, NULL) != BF_OK)
            _exit(1);
        pids[2] = only_nursery();
        find_workers(2, pids);
        (void)!write(ends[1], pids, 3 * sizeof *pids);
        for (;;)
            (void)pause();
    }
    pid_t pids[3];
    assert_int_equal(read(ends[0], pids, sizeof pids), sizeof pids);
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
    for (int i = 0; i < 3; i++) {
        for (int waited = 0; is_alive(pids[i]) && waited < SOON_MS; waited += 5)
            nap(5);
        assert_false(is_alive(pids[i]));
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "nursery") == 0)
        return bf_nursery_run(BF_NURSERY_FD);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_worker_costs_its_job_only),
        cmocka_unit_test(a_job_that_was_not_taken_goes_to_another),
        cmocka_unit_test(an_idle_worker_may_die),
        cmocka_unit_test(a_stuck_worker_is_killed_at_the_deadline),
        cmocka_unit_test(a_full_queue_says_so_at_once),
        cmocka_unit_test(waiting_ends),
        cmocka_unit_test(a_killed_nursery_is_replaced),
        cmocka_unit_test(the_end_lets_jobs_finish_and_refuses_those_that_wait),
        cmocka_unit_test(memory_of_a_worker_is_limited),
        cmocka_unit_test(a_thousand_jobs_leave_no_descriptor),
        cmocka_unit_test(processes_inherit_nothing),
        cmocka_unit_test(nothing_outlives_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
