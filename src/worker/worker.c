#include "worker/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "pipeline/judge.h"
#include "worker/channel.h"
#include "worker/sandbox.h"
#include "worker/wire.h"

#define CHANNEL_FD 3
#define CPU_SPARE_S 2 /* beyond what the wall clock allows */
#define EXIT_UNSAFE 71

/* ---- warming up ---- */

/* What is said of the pictures does not matter; a failure to make a record at all does. */
static bf_status judge_scrap(bf_judge *judge, const void *media, size_t size, bf_error *err)
{
    BF_CLEANUP(bf_record_free) bf_record *record = NULL;
    char *text = NULL;
    bf_request request = {.struct_size = sizeof request, .media = media, .media_size = size, .request_id = "warm-up"};
    request.reference = media;
    request.reference_size = size;
    bf_status status = bf_judge_capture(judge, &request, &record, err);
    if (status == BF_OK)
        status = bf_record_json(record, 0, &text, err);
    free(text);
    return status;
}

static bf_status run_blank(bf_net_run *run, bf_error *err)
{
    bf_status status = run ? bf_net_execute(run, err) : BF_OK;
    /* A network that gives no numbers for a blank picture has been run all the same. */
    return status == BF_INFERENCE_FAILED ? BF_OK : status;
}

bf_status bf_worker_warm_up(bf_judge *judge, bf_error *err)
{
    static const char jpeg[] = "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9";
    static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x64\0\0\0\x64\x8\2\0\0\0\xff\x80\2\3";
    static const char webp[] = "RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x63\xc0\x18\0\0\0\0\0\0\0\0\0";
    static const char heic[] = "\0\0\0\x18\x66typheic\0\0\0\0mif1heic\0\0\0\x0cmeta\0\0\0";
    const struct {
        const char *bytes;
        size_t size;
    } scraps[] = {{jpeg, sizeof jpeg - 1}, {png, sizeof png - 1}, {webp, sizeof webp}, {heic, sizeof heic}};
    bf_status status = BF_OK;
    for (int i = 0; i < BF_ROLE_COUNT && status == BF_OK; i++)
        status = run_blank(judge->role[i], err);
    for (int i = 0; i < BF_DETECTORS_MAX && status == BF_OK; i++)
        status = run_blank(judge->detector[i], err);
    for (size_t i = 0; i < sizeof scraps / sizeof *scraps && status == BF_OK; i++)
        status = judge_scrap(judge, scraps[i].bytes, scraps[i].size, err);
    return status;
}

/* ---- a job ---- */

typedef struct mapping {
    int fd;
    const void *data; /* NULL: nothing */
    size_t size;
} mapping;

static void mapping_done(mapping *m)
{
    if (m->data)
        (void)munmap((void *)(uintptr_t)m->data, m->size);
    bf_channel_close(&m->fd);
}

typedef struct job {
    bf_wire_job asked;
    bf_bytes texts;
    mapping media, reference;
} job;

static void job_done(job *j)
{
    bf_bytes_done(&j->texts);
    mapping_done(&j->media);
    mapping_done(&j->reference);
}

/* The size is the server's word, and the server is trusted; a slip of ours shall still not end in a bus error. */
static bf_status map(mapping *m, size_t size, bf_error *err)
{
    if (size == 0)
        return BF_OK;
    off_t end = lseek(m->fd, 0, SEEK_END);
    if (end < 0 || (size_t)end < size)
        return bf_fail(err, BF_INTERNAL, "A job's memory is smaller than announced.");
    void *data = mmap(NULL, size, PROT_READ, MAP_SHARED, m->fd, 0);
    if (data == MAP_FAILED)
        return bf_fail_memory(err);
    m->data = data;
    m->size = size;
    return BF_OK;
}

/* Reads a job; false when there is none or it makes no sense, and the worker has to end. */
static bool receive(job *j)
{
    bf_wire_job_header header;
    int fds[BF_CHANNEL_FDS_MAX], count = 0;
    size_t size = 0;
    ssize_t got = bf_channel_receive(CHANNEL_FD, &header, sizeof header, 0, fds, &count);
    int wanted = 0;
    if (got <= 0 || !bf_channel_read(CHANNEL_FD, (char *)&header + got, sizeof header - (size_t)got) ||
        !bf_wire_job_expect(&header, &size))
        return false;
    if (header.media_size > 0 && wanted < count)
        j->media.fd = fds[wanted++];
    if (header.reference_size > 0 && wanted < count)
        j->reference.fd = fds[wanted++];
    j->texts.data = bf_malloc(size);
    j->texts.size = size;
    return wanted == count && j->texts.data && bf_channel_read(CHANNEL_FD, j->texts.data, size) &&
           bf_wire_job_read(&header, (const char *)j->texts.data, &j->asked);
}

static bf_status judge_job(bf_judge *judge, job *j, char **ret_text, bf_error *err)
{
    BF_CLEANUP(bf_record_free) bf_record *record = NULL;
    bf_status status = map(&j->media, j->asked.media_size, err);
    if (status == BF_OK)
        status = map(&j->reference, j->asked.reference_size, err);
    if (status != BF_OK)
        return status;
    bf_request request = {
        .struct_size = sizeof request,
        .request_id = j->asked.request_id,
        .media = j->media.data ? j->media.data : "",
        .media_size = j->media.size,
        .flow = j->asked.flow,
        .channel = j->asked.channel,
        .context_json = j->asked.context,
        .plan_json = j->asked.plan,
        .kill_switch = j->asked.kill_switch,
    };
    if (j->asked.has_reference) {
        request.reference = j->reference.data ? j->reference.data : "";
        request.reference_size = j->reference.size;
    }
    status = j->asked.match_only ? bf_judge_match(judge, &request, &record, err)
                                 : bf_judge_capture(judge, &request, &record, err);
    return status == BF_OK ? bf_record_json(record, 0, ret_text, err) : status;
}

static bool answer_failure(const bf_error *failure)
{
    char texts[BF_WIRE_FAILURE_MAX];
    size_t size = bf_wire_failure_texts(failure, texts);
    bf_wire_answer_header header = bf_wire_failure(failure);
    return bf_channel_write(CHANNEL_FD, &header, sizeof header) && bf_channel_write(CHANNEL_FD, texts, size);
}

static bool answer_record(char *text)
{
    size_t size = strlen(text);
    bf_wire_answer_header header = bf_wire_record(size);
    bool written = size <= BF_WIRE_RECORD_MAX && bf_channel_write(CHANNEL_FD, &header, sizeof header) &&
                   bf_channel_write(CHANNEL_FD, text, size);
    sodium_memzero(text, size);
    free(text);
    return written;
}

/* The wall clock is the server's to watch. This is for the case that it cannot. */
static void limit_processor_time(int job_ms_max)
{
    struct timespec used = {0};
    struct rlimit limit = {.rlim_max = RLIM_INFINITY};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    limit.rlim_cur = (rlim_t)used.tv_sec + (rlim_t)(job_ms_max + 999) / 1000 + CPU_SPARE_S;
    (void)setrlimit(RLIMIT_CPU, &limit);
}

static bool serve_one(bf_judge *judge, const bf_worker_settings *settings)
{
    BF_CLEANUP(job_done) job j = {.media.fd = -1, .reference.fd = -1};
    char *text = NULL;
    bf_error failure = {0};
    const bf_wire_answer_header taken = bf_wire_taken();
    if (!receive(&j) || !bf_channel_write(CHANNEL_FD, &taken, sizeof taken))
        return false;
    limit_processor_time(settings->job_ms_max);
    return judge_job(judge, &j, &text, &failure) == BF_OK ? answer_record(text) : answer_failure(&failure);
}

/* ---- the process ---- */

/* Leaves the socket, under a fixed number, and three descriptors that lead nowhere: libraries print. */
static bool keep_only(int channel)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        return false;
#if !BF_SANDBOX_SANITIZED /* whose reports go there */
    if (dup2(nowhere, STDERR_FILENO) < 0)
        return false;
#endif
    return (channel == CHANNEL_FD || dup2(channel, CHANNEL_FD) == CHANNEL_FD) &&
           close_range(CHANNEL_FD + 1, ~0u, 0) == 0;
}

/* Ends with the nursery, which ends with the server. Signals that a terminal or a service manager sends to all
 * processes at once are not meant for a worker: it is let finish. */
static bool tie_to_parent(pid_t parent)
{
    sigset_t none;
    return sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
           prctl(PR_SET_NAME, "bonafide-worker") == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

_Noreturn void bf_worker_run(int channel, bf_judge *judge, const bf_worker_settings *settings)
{
    bf_error err = {0};
    if (!tie_to_parent(settings->parent) || !keep_only(channel))
        _exit(EXIT_UNSAFE);
    if (bf_sandbox_enter(CHANNEL_FD, settings->bytes_max, &err) != BF_OK) {
        (void)answer_failure(&err);
        _exit(EXIT_UNSAFE);
    }
    bf_wire_answer_header ready = bf_wire_ready();
    bool going = bf_channel_write(CHANNEL_FD, &ready, sizeof ready);
    while (going)
        going = serve_one(judge, settings);
    _exit(0);
}
