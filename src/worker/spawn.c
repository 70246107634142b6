#include "worker/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "worker/channel.h"
#include "worker/nursery.h"

#define VARIABLE_MAX 4096

/* The variables that a nursery may see: where libraries are, and what a sanitizer shall do. The library that judges
 * reads none. */
static const char *const PASSED[] = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
                                     "UBSAN_OPTIONS"};
#define PASSED_COUNT (sizeof PASSED / sizeof *PASSED)

typedef struct environment {
    char text[PASSED_COUNT][VARIABLE_MAX];
    char *list[PASSED_COUNT + 1];
} environment;

static void fill_environment(environment *e)
{
    size_t used = 0;
    for (size_t i = 0; i < PASSED_COUNT; i++) {
        const char *value = getenv(PASSED[i]);
        int size = value ? snprintf(e->text[used], VARIABLE_MAX, "%s=%s", PASSED[i], value) : 0;
        if (size > 0 && size < VARIABLE_MAX) {
            e->list[used] = e->text[used];
            used++;
        }
    }
    e->list[used] = NULL;
}

/* The first that fails, else 0. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (failed == 0)
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (failed == 0)
        failed =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    return failed;
}

static int set_descriptors(posix_spawn_file_actions_t *actions, int control)
{
    int failed = posix_spawn_file_actions_adddup2(actions, control, BF_NURSERY_FD);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions, BF_NURSERY_FD + 1);
    return failed;
}

static int spawn(const char *program, int control, pid_t *ret_pid)
{
    static char name[] = "bonafide", command[] = "nursery";
    char *arguments[] = {name, command, NULL};
    environment e;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    fill_environment(&e);
    int failed = posix_spawnattr_init(&attributes);
    if (failed != 0)
        return failed;
    failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) {
        failed = set_attributes(&attributes);
        if (failed == 0)
            failed = set_descriptors(&actions, control);
        if (failed == 0)
            failed = posix_spawn(ret_pid, program, &actions, &attributes, arguments, e.list);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)posix_spawnattr_destroy(&attributes);
    return failed;
}

bf_status bf_spawn_nursery(const char *program, pid_t *ret_pid, int *ret_control, bf_error *err)
{
    int ends[2];
    const char *path = program ? program : "/proc/self/exe";
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        int number = errno;
        bf_fail(err, BF_INTERNAL, "The process that judges cannot be started.");
        bf_fail_detail(err, "socketpair: %s", strerror(number));
        return BF_INTERNAL;
    }
    int failed = spawn(path, ends[1], ret_pid);
    bf_channel_close(&ends[1]);
    if (failed != 0) {
        bf_channel_close(&ends[0]);
        bf_fail(err, BF_INTERNAL, "The process that judges cannot be started.");
        bf_fail_detail(err, "%s: %s", path, strerror(failed));
        return BF_INTERNAL;
    }
    *ret_control = ends[0];
    return BF_OK;
}

void bf_spawn_reap(pid_t pid, int ms)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    for (int waited = 0; waited < ms; waited += 2) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        (void)nanosleep(&pause, NULL);
    }
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
