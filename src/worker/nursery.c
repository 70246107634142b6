#include "worker/nursery.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "bonafide/words.h"
#include "store/time.h"
#include "worker/channel.h"
#include "worker/control.h"
#include "worker/sandbox.h"
#include "worker/worker.h"

#define CHILDREN_MAX 1024
#define EXIT_PROTOCOL 70

typedef struct child {
    pid_t pid; /* 0: this place is free */
    uint32_t serial;
} child;

typedef struct nursery {
    int control;
    int deaths; /* signalfd */
    bf_engine *engine;
    bf_judge *judge;
    bf_worker_settings worker;
    child children[CHILDREN_MAX];
} nursery;

static double clock_ms(void *data)
{
    (void)data;
    return bf_time_steady_ms();
}

/* Forking a process with several threads leaves whatever the others held locked for ever. */
static int count_threads(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    if (folder)
        (void)closedir(folder);
    return count;
}

static bool tell(const nursery *n, const void *message, size_t size, const int *fds, int fd_count)
{
    for (;;) {
        struct pollfd room = {n->control, POLLOUT, 0};
        if (bf_channel_send(n->control, message, size, fds, fd_count) == (ssize_t)size)
            return true;
        if (errno != EAGAIN || (poll(&room, 1, -1) < 0 && errno != EINTR))
            return false;
    }
}

/* ---- workers ---- */

static void forget_the_server(nursery *n)
{
    bf_channel_close(&n->control);
    bf_channel_close(&n->deaths);
}

static child *find_place(nursery *n, pid_t pid)
{
    for (int i = 0; i < CHILDREN_MAX; i++) {
        if (n->children[i].pid == pid)
            return &n->children[i];
    }
    return NULL;
}

static bool hatch(nursery *n, uint32_t serial)
{
    const bf_control stillborn = {.kind = BF_CONTROL_ENDED, .serial = serial, .how = -1};
    int ends[2];
    child *place = find_place(n, 0);
    if (!place || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return tell(n, &stillborn, sizeof stillborn, NULL, 0);
    pid_t pid = fork();
    if (pid == 0) {
        forget_the_server(n);
        bf_channel_close(&ends[0]);
        bf_worker_run(ends[1], n->judge, &n->worker);
    }
    bf_channel_close(&ends[1]);
    const bf_control hatched = {.kind = BF_CONTROL_HATCHED, .serial = serial, .pid = pid};
    bool told =
        pid > 0 ? tell(n, &hatched, sizeof hatched, &ends[0], 1) : tell(n, &stillborn, sizeof stillborn, NULL, 0);
    bf_channel_close(&ends[0]);
    if (pid > 0)
        *place = (child){pid, serial};
    return told;
}

static void kill_worker(const nursery *n, uint32_t serial)
{
    for (int i = 0; i < CHILDREN_MAX; i++) {
        if (n->children[i].pid > 0 && n->children[i].serial == serial)
            (void)kill(n->children[i].pid, SIGKILL);
    }
}

static bool bury(nursery *n)
{
    struct signalfd_siginfo info;
    bool told = true;
    int how = 0;
    (void)!read(n->deaths, &info, sizeof info);
    for (pid_t pid; (pid = waitpid(-1, &how, WNOHANG)) > 0;) {
        child *gone = find_place(n, pid);
        if (!gone)
            continue;
        const bf_control ended = {.kind = BF_CONTROL_ENDED, .serial = gone->serial, .pid = pid, .how = how};
        *gone = (child){0};
        told = tell(n, &ended, sizeof ended, NULL, 0) && told;
    }
    return told;
}

static bool obey(nursery *n)
{
    bf_control order = {0};
    int fds[BF_CHANNEL_FDS_MAX], fd_count = 0;
    ssize_t got = bf_channel_receive(n->control, &order, sizeof order, 0, fds, &fd_count);
    for (int i = 0; i < fd_count; i++)
        bf_channel_close(&fds[i]);
    if (got != sizeof order)
        return false;
    if (order.kind == BF_CONTROL_HATCH)
        return hatch(n, order.serial);
    if (order.kind == BF_CONTROL_KILL)
        kill_worker(n, order.serial);
    return order.kind == BF_CONTROL_KILL;
}

static void serve(nursery *n)
{
    for (bool going = true; going;) {
        struct pollfd ready[] = {{n->control, POLLIN, 0}, {n->deaths, POLLIN, 0}};
        if (poll(ready, 2, -1) < 0) {
            going = errno == EINTR;
            continue;
        }
        if (ready[1].revents)
            going = bury(n);
        if (going && ready[0].revents)
            going = obey(n);
    }
}

/* ---- beginning ---- */

/* When the machine runs out of memory, a worker is a better loss than the server or a database. */
static void offer_for_memory(void)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "we");
    if (file) {
        (void)fputs("500", file);
        (void)fclose(file);
    }
}

/* A terminal and a service manager send these to all processes at once; the server decides what becomes of us. */
static bool settle(nursery *n)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    sigset_t deaths;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)sigemptyset(&deaths);
    (void)sigaddset(&deaths, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &deaths, NULL);
    (void)prctl(PR_SET_NAME, "bonafide-nurse");
    offer_for_memory();
    n->deaths = signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    return n->deaths >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

static bool receive_options(const nursery *n, bf_control_options *ret)
{
    int fds[BF_CHANNEL_FDS_MAX], fd_count = 0;
    ssize_t got = bf_channel_receive(n->control, ret, sizeof *ret, 0, fds, &fd_count);
    for (int i = 0; i < fd_count; i++)
        bf_channel_close(&fds[i]);
    return got == sizeof *ret && ret->head.kind == BF_CONTROL_OPTIONS &&
           strncmp(ret->version, bf_version(), sizeof ret->version) == 0;
}

static bf_status load(nursery *n, const bf_control_options *options, bf_error *err)
{
    int threads = count_threads();
    bf_engine_options engine = {
        .struct_size = sizeof engine,
        .data_dir = options->data_dir,
        .weights_dir = options->weights_dir,
        .fusion = options->fusion[0] ? options->fusion : NULL,
        .mirror = options->mirror,
        .clock_ms = clock_ms,
    };
    n->worker = (bf_worker_settings){options->job_ms_max, options->worker_bytes_max, getpid()};
    bf_status status = bf_engine_new(&engine, &n->engine, err);
    if (status == BF_OK)
        status = bf_judge_new(n->engine, &n->judge, err);
    if (status == BF_OK)
        status = bf_worker_warm_up(n->judge, err);
    if (status == BF_OK && count_threads() != threads)
        status = bf_fail(err, BF_INTERNAL, "Loading the models has started a thread, so workers cannot be forked.");
    return status;
}

/* Nothing in this process needs files or privileges once the engine is loaded. Leaving root also forgets that we end
 * with the server, so that is said again. */
static bf_status harden(bf_error *err)
{
    bf_status status = bf_sandbox_drop(err);
    if (status == BF_OK && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || chdir("/") != 0))
        status = bf_fail(err, BF_INTERNAL, "The process that judges cannot be tied to the server.");
    return status;
}

static bool begin(nursery *n)
{
    static bf_control_options options;
    bf_control_failed failed = {.head.kind = BF_CONTROL_FAILED};
    const bf_control loaded = {.kind = BF_CONTROL_LOADED};
    if (!settle(n) || !receive_options(n, &options))
        return false;
    bf_status status = load(n, &options, &failed.error);
    if (status == BF_OK)
        status = harden(&failed.error);
    if (status == BF_OK)
        return tell(n, &loaded, sizeof loaded, NULL, 0);
    (void)tell(n, &failed, sizeof failed, NULL, 0);
    return false;
}

int bf_nursery_run(int control_fd)
{
    static nursery n;
    n.control = control_fd;
    n.deaths = -1;
    bool began = begin(&n);
    if (began)
        serve(&n);
    bf_judge_free(&n.judge);
    bf_engine_free(&n.engine);
    forget_the_server(&n);
    return began ? 0 : EXIT_PROTOCOL;
}
