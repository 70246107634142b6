/* What the tests of the worker pool share. The test program is its own nursery: main() hands `nursery` on. Private to
 * tests/unit/worker_*_test.c. */
#ifndef BF_TESTS_WORKER_TEST_H
#define BF_TESTS_WORKER_TEST_H

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "store/time.h"
#include "worker/nursery.h"
#include "worker/pool.h"

#define MEDIA_MAX ((size_t)64 << 20)
#define PIDS_MAX 64
#define SOON_MS 20000 /* in which anything must have happened, however slow the machine */

static inline const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static inline bf_pool_options pool_options(void)
{
    static char weights[512];
    (void)snprintf(weights, sizeof weights, "%s/weights", variable("BONAFIDE_CACHE_DIR"));
    return (bf_pool_options){.data_dir = variable("BONAFIDE_SOURCE_DIR"),
                             .weights_dir = weights,
                             .workers = 2,
                             .queue_max = 16,
                             .job_ms_max = 30000};
}

/* NULL when the networks are not there: the case is skipped then. */
static inline bf_pool *open_pool(const bf_pool_options *options)
{
    bf_pool *pool = NULL;
    bf_error err = {0};
    bf_status status = bf_pool_new(options, &pool, &err);
    if (status == BF_MODEL_UNAVAILABLE)
        skip();
    if (status != BF_OK)
        fail_msg("%s %s", err.message, err.detail);
    return pool;
}

static inline bf_region region_of(const bf_bytes *bytes)
{
    bf_region region = BF_REGION_NONE;
    assert_int_equal(bf_region_append(&region, bytes->data, bytes->size, MEDIA_MAX, NULL), BF_OK);
    return region;
}

static inline bf_bytes read_sample(const char *name)
{
    char path[512];
    bf_bytes bytes = {0};
    (void)snprintf(path, sizeof path, "%s/samples/%s.jpg", variable("BONAFIDE_CACHE_DIR"), name);
    if (bf_bytes_read_file(&bytes, path, MEDIA_MAX, NULL) != BF_OK)
        skip();
    return bytes;
}

/* Judges a photo under a request id; the record is thrown away. */
static inline bf_status judge_bytes(bf_pool *pool, const bf_bytes *bytes, const char *id, double *ret_wait_ms)
{
    bf_region region = region_of(bytes);
    bf_bytes record = {0};
    const bf_job job = {.request_id = id, .media = &region};
    bf_status status = bf_pool_judge(pool, &job, &record, ret_wait_ms, NULL);
    bf_bytes_done(&record);
    bf_region_done(&region);
    return status;
}

/* ---- processes ---- */

static inline pid_t parent_of(pid_t pid)
{
    char path[64], line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    const char *got = fgets(line, sizeof line, file);
    (void)fclose(file);
    const char *name_end = got ? strrchr(line, ')') : NULL;
    /* A zombie is no process any more. */
    return name_end && name_end[2] != 'Z' ? (pid_t)strtol(name_end + 4, NULL, 10) : -1;
}

static inline int children_of(pid_t parent, pid_t ret[PIDS_MAX])
{
    int count = 0;
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) && count < PIDS_MAX;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && parent_of(pid) == parent)
            ret[count++] = pid;
    }
    (void)closedir(folder);
    return count;
}

static inline pid_t only_nursery(void)
{
    pid_t pids[PIDS_MAX] = {0};
    assert_int_equal(children_of(getpid(), pids), 1);
    return pids[0];
}

static inline bool is_alive(pid_t pid)
{
    return parent_of(pid) > 0;
}

static inline void nap(int ms)
{
    (void)usleep((useconds_t)ms * 1000);
}

static inline int count_descriptors(pid_t pid)
{
    char path[64];
    int count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (!folder)
        return -1;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

/* Waits until `workers` take jobs again. */
static inline void wait_until_whole(bf_pool *pool, int workers)
{
    bf_pool_facts facts;
    for (int waited = 0; waited < SOON_MS; waited += 5) {
        bf_pool_look(pool, &facts);
        if (facts.workers == workers && facts.busy == 0)
            return;
        nap(5);
    }
    fail_msg("the workers did not come back");
}

/* ---- a job on a thread of its own ---- */

typedef struct background {
    pthread_t thread;
    bf_pool *pool;
    const bf_bytes *bytes;
    bf_status status;
    double ms;
} background;

static inline void *judge_in_background(void *data)
{
    background *b = data;
    double began_ms = bf_time_steady_ms();
    b->status = judge_bytes(b->pool, b->bytes, "background", NULL);
    b->ms = bf_time_steady_ms() - began_ms;
    return NULL;
}

static inline void start_job(background *b, bf_pool *pool, const bf_bytes *bytes)
{
    *b = (background){.pool = pool, .bytes = bytes};
    assert_int_equal(pthread_create(&b->thread, NULL, judge_in_background, b), 0);
}

/* Waits until that many jobs are with workers and in the queue. */
static inline void wait_for_load(bf_pool *pool, int busy, int queued)
{
    bf_pool_facts facts = {0};
    for (int waited = 0; waited < SOON_MS; waited++) {
        bf_pool_look(pool, &facts);
        if (facts.busy == busy && facts.queued == queued)
            return;
        nap(1);
    }
    fail_msg("%d jobs are being judged and %d wait", facts.busy, facts.queued);
}

static inline bf_status end_of_job(background *b)
{
    assert_int_equal(pthread_join(b->thread, NULL), 0);
    return b->status;
}

#endif
