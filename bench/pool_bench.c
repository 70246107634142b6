/* What judging in worker processes costs: photos per second through the pool, compared in the same run with as many
 * threads that judge in this process, as `bonafide check --jobs` does; the time until a pool is ready; and the memory
 * of a worker. Processor time is compared as well, which a busy machine disturbs less than the clock on the wall.
 *
 * usage: pool_bench DATA_DIR WEIGHTS_DIR PHOTO...
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/time.h"
#include "worker/nursery.h"
#include "worker/pool.h"

#define JOBS 2
#define ROUNDS 7
#define PER_ROUND 120 /* judgements */
#define PHOTOS_MAX 64
#define RATIO_MIN 0.95
#define READY_MS_MAX 1000.0

typedef struct bench {
    bf_engine *engine;
    bf_pool *pool;
    bf_bytes photo[PHOTOS_MAX];
    int photos;
    int next; /* of this round; guarded by the lock */
    pthread_mutex_t lock;
} bench;

typedef struct cost {
    double wall_ms, processor_ms;
} cost;

static void die(const char *what, const bf_error *err)
{
    (void)fprintf(stderr, "pool_bench: %s: %s %s\n", what, err->message, err->hint);
    exit(1);
}

/* Photo of the next judgement of this round; NULL at its end. */
static const bf_bytes *next_photo(bench *b)
{
    (void)pthread_mutex_lock(&b->lock);
    int index = b->next++;
    (void)pthread_mutex_unlock(&b->lock);
    return index < PER_ROUND ? &b->photo[index % b->photos] : NULL;
}

static void *judge_here(void *data)
{
    bench *b = data;
    bf_judge *judge = NULL;
    bf_error err = {0};
    if (bf_judge_new(b->engine, &judge, &err) != BF_OK)
        die("a judge", &err);
    for (const bf_bytes *photo; (photo = next_photo(b));) {
        const bf_request request = {
            .struct_size = sizeof request, .request_id = "bench", .media = photo->data, .media_size = photo->size};
        bf_record *record = NULL;
        char *text = NULL;
        if (bf_judge_capture(judge, &request, &record, &err) != BF_OK ||
            bf_record_json(record, 0, &text, &err) != BF_OK)
            die("judging", &err);
        free(text);
        bf_record_free(&record);
    }
    bf_judge_free(&judge);
    return NULL;
}

static void *judge_there(void *data)
{
    bench *b = data;
    bf_error err = {0};
    for (const bf_bytes *photo; (photo = next_photo(b));) {
        bf_region region = BF_REGION_NONE;
        bf_bytes record = {0};
        const bf_job job = {.request_id = "bench", .media = &region};
        if (bf_region_append(&region, photo->data, photo->size, BF_INPUT_BYTES_MAX, &err) != BF_OK ||
            bf_pool_judge(b->pool, &job, &record, NULL, &err) != BF_OK)
            die("judging in a worker", &err);
        bf_bytes_done(&record);
        bf_region_done(&region);
    }
    return NULL;
}

/* The number that follows `key` in a file of /proc; 0 when there is none. */
static double read_number(pid_t pid, const char *file, const char *key)
{
    char path[64], line[512];
    double number = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "re");
    while (in && fgets(line, sizeof line, in)) {
        if (strncmp(line, key, strlen(key)) == 0)
            number = strtod(line + strlen(key), NULL);
    }
    if (in)
        (void)fclose(in);
    return number;
}

static int children_of(pid_t parent, pid_t *ret, int max)
{
    int count = 0;
    DIR *folder = opendir("/proc");
    for (const struct dirent *entry; folder && (entry = readdir(folder)) && count < max;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && (pid_t)read_number(pid, "status", "PPid:") == parent)
            ret[count++] = pid;
    }
    if (folder)
        (void)closedir(folder);
    return count;
}

static int find_workers(pid_t ret[JOBS])
{
    pid_t nursery = 0;
    return children_of(getpid(), &nursery, 1) == 1 ? children_of(nursery, ret, JOBS) : 0;
}

/* Processor time of another process, from /proc/PID/schedstat (nanoseconds). */
static double processor_ms_of(pid_t pid)
{
    char path[64], line[128] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
    FILE *in = fopen(path, "re");
    double ns = in && fgets(line, sizeof line, in) ? strtod(line, NULL) : 0;
    if (in)
        (void)fclose(in);
    return ns / 1e6;
}

/* This process and the workers. */
static double processor_ms(void)
{
    struct timespec t;
    pid_t workers[JOBS];
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    double ms = (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
    int count = find_workers(workers);
    for (int i = 0; i < count; i++)
        ms += processor_ms_of(workers[i]);
    return ms;
}

static void one_round(bench *b, void *(*judge)(void *data), cost *sum)
{
    pthread_t thread[JOBS];
    b->next = 0;
    double processor = processor_ms(), wall = bf_time_steady_ms();
    for (int i = 0; i < JOBS; i++) {
        if (pthread_create(&thread[i], NULL, judge, b) != 0)
            exit(1);
    }
    for (int i = 0; i < JOBS; i++)
        (void)pthread_join(thread[i], NULL);
    sum->wall_ms += bf_time_steady_ms() - wall;
    sum->processor_ms += processor_ms() - processor;
}

static void print_memory(void)
{
    pid_t workers[JOBS];
    int count = find_workers(workers);
    for (int i = 0; i < count; i++)
        (void)printf("  worker %d: %.0f MiB of its own, %.0f MiB with what is shared\n", i + 1,
                     (read_number(workers[i], "smaps_rollup", "Private_Dirty:") +
                      read_number(workers[i], "smaps_rollup", "Private_Clean:")) /
                         1024,
                     read_number(workers[i], "smaps_rollup", "Rss:") / 1024);
}

static void open_both(bench *b, const char *data, const char *weights, double *ret_ready_ms)
{
    bf_error err = {0};
    const bf_engine_options engine = {.struct_size = sizeof engine, .data_dir = data, .weights_dir = weights};
    const bf_pool_options pool = {.data_dir = data, .weights_dir = weights, .workers = JOBS};
    double began = bf_time_steady_ms();
    if (bf_pool_new(&pool, &b->pool, &err) != BF_OK)
        die("the pool", &err);
    *ret_ready_ms = bf_time_steady_ms() - began;
    if (bf_engine_new(&engine, &b->engine, &err) != BF_OK)
        die("the engine", &err);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "nursery") == 0)
        return bf_nursery_run(BF_NURSERY_FD);
    if (argc < 4)
        return 2;
    static bench b = {.lock = PTHREAD_MUTEX_INITIALIZER};
    bf_error err = {0};
    double ready_ms = 0;
    cost here = {0}, there = {0}, scrap = {0};
    for (int i = 3; i < argc && b.photos < PHOTOS_MAX; i++) {
        if (bf_bytes_read_file(&b.photo[b.photos++], argv[i], BF_INPUT_BYTES_MAX, &err) != BF_OK)
            die(argv[i], &err);
    }
    open_both(&b, argv[1], argv[2], &ready_ms);
    one_round(&b, judge_here, &scrap);
    one_round(&b, judge_there, &scrap);
    for (int i = 0; i < ROUNDS; i++) {
        one_round(&b, judge_here, &here);
        one_round(&b, judge_there, &there);
    }
    const double count = ROUNDS * PER_ROUND;
    double by_wall = here.wall_ms / there.wall_ms, by_processor = here.processor_ms / there.processor_ms;
    (void)printf("  %d threads in one process: %6.1f photos/s, %.2f ms of processor time each\n", JOBS,
                 count / here.wall_ms * 1e3, here.processor_ms / count);
    (void)printf("  %d workers:                %6.1f photos/s, %.2f ms of processor time each\n", JOBS,
                 count / there.wall_ms * 1e3, there.processor_ms / count);
    print_memory();
    (void)printf("  ready after %.0f ms (at most %.0f)\n", ready_ms, READY_MS_MAX);
    (void)printf("  speed through workers: %.3f by the clock, %.3f by processor time (the better: at least %.2f)\n",
                 by_wall, by_processor, RATIO_MIN);
    bf_pool_free(&b.pool);
    bf_engine_free(&b.engine);
    for (int i = 0; i < b.photos; i++)
        bf_bytes_done(&b.photo[i]);
    double ratio = by_wall > by_processor ? by_wall : by_processor;
    return ratio >= RATIO_MIN && ready_ms <= READY_MS_MAX ? 0 : 1;
}
