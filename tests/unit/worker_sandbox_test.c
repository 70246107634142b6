/* The sandbox from inside: a child confines itself with the very functions that workers use, then tries what a
 * subverted worker would try, and must die of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "capture/frames.h"
#include "support/videos.h"
#include "worker/channel.h"
#include "worker/sandbox.h"

#define MIB ((size_t)1 << 20)
#define UNCONFINED 99 /* exit code: the sandbox could not be entered */
#define SURVIVED 42

typedef struct setting {
    int channel;
    int file;   /* open for writing */
    int memory; /* a memfd */
    void *page; /* readable and writable */
} setting;

/* Confines itself in a child, does `what`, and returns how the child ended. */
static int in_the_sandbox(int (*what)(const setting *s))
{
    int ends[2];
    setting s = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    FILE *file = tmpfile();
    assert_non_null(file);
    s.channel = ends[1];
    s.file = fileno(file);
    s.memory = memfd_create("test", MFD_CLOEXEC);
    s.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        bf_error err = {0};
        if (bf_sandbox_drop(&err) != BF_OK || bf_sandbox_enter(s.channel, 64 * MIB, &err) != BF_OK) {
            (void)fprintf(stderr, "%s %s\n", err.message, err.detail);
            _exit(UNCONFINED);
        }
        _exit(what(&s));
    }
    assert_true(pid > 0);
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_false(WIFEXITED(how) && WEXITSTATUS(how) == UNCONFINED);
    bf_channel_close(&ends[0]);
    bf_channel_close(&ends[1]);
    bf_channel_close(&s.memory);
    (void)munmap(s.page, 4096);
    (void)fclose(file);
    return how;
}

/* ---- what must kill ---- */

static int try_open(const setting *s)
{
    (void)s;
    return open("/etc/passwd", O_RDONLY) >= -1 ? SURVIVED : 0;
}

static int try_old_open(const setting *s)
{
    (void)s;
#ifdef SYS_open
    return (int)syscall(SYS_open, "/etc/passwd", O_RDONLY) >= -1 ? SURVIVED : 0;
#else
    return try_open(s);
#endif
}

static int try_stat(const setting *s)
{
    struct {
        char room[512];
    } info;
    (void)s;
    return (int)syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &info, 0) >= -1 ? SURVIVED : 0;
}

static int try_socket(const setting *s)
{
    (void)s;
    return socket(AF_INET, SOCK_STREAM, 0) >= -1 ? SURVIVED : 0;
}

static int try_socketpair(const setting *s)
{
    int ends[2];
    (void)s;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) >= -1 ? SURVIVED : 0;
}

static int try_connect(const setting *s)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    return connect(s->channel, &address, sizeof address) >= -1 ? SURVIVED : 0;
}

static int try_fork(const setting *s)
{
    (void)s;
    pid_t pid = fork();
    return pid == 0 ? 0 : SURVIVED;
}

static int try_thread(const setting *s)
{
    (void)s;
    return (int)syscall(SYS_clone, 0x00010f00L, 0, 0, 0, 0) >= -1 ? SURVIVED : 0;
}

static int try_exec(const setting *s)
{
    char name[] = "/bin/true";
    char *arguments[] = {name, NULL}, *environment[] = {NULL};
    (void)s;
    return execve(name, arguments, environment) >= -1 ? SURVIVED : 0;
}

static int try_exec_memory(const setting *s)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == s->page ? 0 : SURVIVED;
}

static int try_exec_shared(const setting *s)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, s->memory, 0);
    return page == s->page ? 0 : SURVIVED;
}

static int try_make_executable(const setting *s)
{
    return mprotect(s->page, 4096, PROT_READ | PROT_EXEC) >= -1 ? SURVIVED : 0;
}

static int try_write_file(const setting *s)
{
    return write(s->file, "x", 1) >= -1 ? SURVIVED : 0;
}

static int try_write_at(const setting *s)
{
    return pwrite(s->file, "x", 1, 0) >= -1 ? SURVIVED : 0;
}

static int try_read_file(const setting *s)
{
    char byte;
    return read(s->file, &byte, 1) >= -1 ? SURVIVED : 0;
}

static int try_truncate(const setting *s)
{
    return ftruncate(s->memory, 1 << 20) >= -1 ? SURVIVED : 0;
}

static int try_ptrace(const setting *s)
{
    (void)s;
    return ptrace(PTRACE_ATTACH, 1, NULL, NULL) >= -1 ? SURVIVED : 0;
}

static int try_kill(const setting *s)
{
    (void)s;
    return kill(1, 0) >= -1 ? SURVIVED : 0;
}

static int try_kill_thread_of_another(const setting *s)
{
    (void)s;
    return (int)syscall(SYS_tgkill, 1, 1, 0) >= -1 ? SURVIVED : 0;
}

static int try_ioctl(const setting *s)
{
    int count = 0;
    return ioctl(s->channel, FIONREAD, &count) >= -1 ? SURVIVED : 0;
}

static int try_root(const setting *s)
{
    (void)s;
    return setuid(0) >= -1 ? SURVIVED : 0;
}

static int try_raise_limit(const setting *s)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    (void)s;
    return setrlimit(RLIMIT_AS, &limit) >= -1 ? SURVIVED : 0;
}

static int try_pass_descriptor(const setting *s)
{
    return bf_channel_send(s->channel, "x", 1, &s->file, 1) >= -1 ? SURVIVED : 0;
}

static int try_other_channel(const setting *s)
{
    return send(s->file, "x", 1, 0) >= -1 ? SURVIVED : 0;
}

static int try_another_filter(const setting *s)
{
    (void)s;
    return (int)syscall(SYS_seccomp, 0, 0, NULL) >= -1 ? SURVIVED : 0;
}

#ifdef __x86_64__
/* The same numbers mean other calls in the table of 32-bit programs: 5 is open there. */
static int try_old_table(const setting *s)
{
    long result;
    (void)s;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(5), "b"(0), "c"(0), "d"(0) : "memory");
    return result == 1 ? 0 : SURVIVED;
}

/* As do those of the x32 table. */
static int try_x32_table(const setting *s)
{
    (void)s;
    return (int)syscall(0x40000000 | SYS_getpid) >= -1 ? SURVIVED : 0;
}
#endif

static void forbidden_calls_kill(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*what)(const setting *s);
    } tries[] = {
        {"open", try_open},
        {"open by the old call", try_old_open},
        {"stat", try_stat},
        {"socket", try_socket},
        {"socketpair", try_socketpair},
        {"connect", try_connect},
        {"fork", try_fork},
        {"thread", try_thread},
        {"exec", try_exec},
        {"executable memory", try_exec_memory},
        {"executable shared memory", try_exec_shared},
        {"memory made executable", try_make_executable},
        {"write", try_write_file},
        {"pwrite", try_write_at},
        {"read", try_read_file},
        {"ftruncate", try_truncate},
        {"ptrace", try_ptrace},
        {"kill", try_kill},
        {"tgkill", try_kill_thread_of_another},
        {"ioctl", try_ioctl},
        {"setuid", try_root},
        {"setrlimit", try_raise_limit},
        {"passing a descriptor", try_pass_descriptor},
        {"sending elsewhere", try_other_channel},
        {"seccomp", try_another_filter},
#ifdef __x86_64__
        {"32-bit call", try_old_table},
        {"x32 call", try_x32_table},
#endif
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        int how = in_the_sandbox(tries[i].what);
        if (!WIFSIGNALED(how) || WTERMSIG(how) != SIGSYS)
            fail_msg("%s: the process was not killed (%s %d)", tries[i].name, WIFEXITED(how) ? "exit" : "signal",
                     WIFEXITED(how) ? WEXITSTATUS(how) : WTERMSIG(how));
    }
}

/* ---- what must work ---- */

static int do_the_usual(const setting *s)
{
    struct timespec now;
    const struct rlimit processor = {1000, RLIM_INFINITY};
    size_t size = 4 * MIB;
    char *block = bf_calloc(1, size), *more = bf_realloc(block, 2 * size);
    if (!more)
        return 1;
    memset(more, 1, 2 * size);
    bf_free(more);
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0 || clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
        return 2;
    if (setrlimit(RLIMIT_CPU, &processor) != 0 || lseek(s->memory, 0, SEEK_END) != 0)
        return 3;
    if (!bf_channel_write(s->channel, "ready", 5))
        return 4;
    return write(STDERR_FILENO, "", 0) == 0 ? SURVIVED : 5;
}

static void judging_needs_no_more_than_is_allowed(void **state)
{
    (void)state;
    int how = in_the_sandbox(do_the_usual);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), SURVIVED);
}

#ifdef BF_HAS_VIDEO
/* One of each decoder, and one that is turned. */
static bf_bytes clips[4];

/* All frames of all clips, which FFmpeg has to be able to decode with what it is allowed here. */
static int decode_clips(const setting *s)
{
    (void)s;
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++) {
        bf_frames *frames = NULL;
        bf_frame frame = {0};
        bool more = true;
        if (clips[i].size > 0 && bf_frames_open(clips[i].data, clips[i].size, NULL, &frames, NULL) != BF_OK)
            return 10 + (int)i;
        while (frames && more)
            if (bf_frames_next(frames, 0.0, &frame, &more, NULL) != BF_OK)
                return 20 + (int)i;
        bf_frames_free(&frames);
    }
    return SURVIVED;
}

static void videos_need_no_more_than_is_allowed(void **state)
{
    (void)state;
    clips[0] = test_video(&(test_video_options){.width = 640, .height = 480, .b_frames = 2, .audio = true});
    clips[1] = test_video(&(test_video_options){.encoder = "libvpx", .container = "webm", .grow_at = 6});
    clips[2] = test_video(&(test_video_options){.encoder = "libvpx-vp9", .container = "webm", .width = 320});
    clips[3] = test_video(&(test_video_options){.orientation = 6, .aspect_num = 4, .aspect_den = 3});
    int how = in_the_sandbox(decode_clips);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), SURVIVED);
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++)
        bf_bytes_done(&clips[i]);
}
#endif

static int take_much_memory(const setting *s)
{
    (void)s;
    void *much = mmap(NULL, 128 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return much == MAP_FAILED && errno == ENOMEM ? SURVIVED : 0;
}

static void memory_has_a_ceiling(void **state)
{
    (void)state;
    int how = in_the_sandbox(take_much_memory);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), SURVIVED);
}

static int give_up(const setting *s)
{
    (void)s;
    abort();
}

/* An assertion that failed is told from a call that was forbidden. */
static void abort_still_looks_like_one(void **state)
{
    (void)state;
    int how = in_the_sandbox(give_up);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGABRT);
}

static int spin(const setting *s)
{
    const struct rlimit processor = {1, RLIM_INFINITY};
    (void)s;
    if (setrlimit(RLIMIT_CPU, &processor) != 0)
        return 1;
    for (volatile unsigned i = 0;; i++)
        continue;
}

static void processor_time_has_a_ceiling(void **state)
{
    (void)state;
    int how = in_the_sandbox(spin);
    assert_true(WIFSIGNALED(how));
    assert_int_equal(WTERMSIG(how), SIGXCPU);
}

/* The identity is looked at before the filter closes. */
static void root_is_given_up(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        bool was_root = getuid() == 0;
        if (bf_sandbox_drop(NULL) != BF_OK)
            _exit(UNCONFINED);
        bool left =
            !was_root || (getuid() == 65534 && geteuid() == 65534 && getgid() == 65534 && getgroups(0, NULL) == 0);
        _exit(left && setuid(0) != 0 && open("/proc/1/mem", O_RDONLY) < 0 ? SURVIVED : 1);
    }
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    if (getuid() != 0)
        skip();
    assert_int_equal(WEXITSTATUS(how), SURVIVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forbidden_calls_kill),
        cmocka_unit_test(judging_needs_no_more_than_is_allowed),
#ifdef BF_HAS_VIDEO
        cmocka_unit_test(videos_need_no_more_than_is_allowed),
#endif
        cmocka_unit_test(memory_has_a_ceiling),
        cmocka_unit_test(abort_still_looks_like_one),
        cmocka_unit_test(processor_time_has_a_ceiling),
        cmocka_unit_test(root_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
