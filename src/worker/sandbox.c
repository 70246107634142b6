#include "worker/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define NOBODY 65534
#define DESCRIPTORS_MAX 8 /* three that lead nowhere, the socket, a job's two */

static bf_status fail_system(bf_error *err, const char *what, int number)
{
    bf_fail(err, BF_INTERNAL, "A worker process cannot be confined: %s.", what);
    bf_fail_detail(err, "%s: %s", what, strerror(number));
    bf_fail_hint(err, "Judging in unconfined processes is not supported; see docs/internals/workers.md.");
    return BF_INTERNAL;
}

/* ---- privileges ---- */

/* Where the kernel does not let go (a container whose user namespace has no other user, or in which root has no power
 * anyway) there is nothing to give up but the capabilities, which follow. */
static bf_status leave_root(bf_error *err)
{
    if (geteuid() != 0 && getuid() != 0)
        return BF_OK;
    bool left =
        setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0;
    if (!left && errno != EPERM && errno != EINVAL)
        return fail_system(err, "setresuid", errno);
    if (left && (setuid(0) == 0 || getuid() != NOBODY || getgid() != NOBODY))
        return fail_system(err, "setresuid did not last", 0);
    return BF_OK;
}

static bf_status drop_capabilities(bf_error *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0 ? BF_OK : fail_system(err, "capset", errno);
}

bf_status bf_sandbox_drop(bf_error *err)
{
    /* Not needed, since no socket can be made: one more wall where it costs nothing. */
    (void)unshare(CLONE_NEWNET | CLONE_NEWIPC);
    bf_status status = leave_root(err);
    if (status == BF_OK)
        status = drop_capabilities(err);
    if (status == BF_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        status = fail_system(err, "PR_SET_NO_NEW_PRIVS", errno);
    /* A sanitizer looks for leaks by looking at its own process. */
    if (status == BF_OK && !BF_SANDBOX_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        status = fail_system(err, "PR_SET_DUMPABLE", errno);
    return status;
}

/* ---- limits ---- */

/* Bytes of address space in use. */
static bool read_address_space(size_t *ret)
{
    char text[64] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return false;
    size_t got = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    unsigned long long pages = strtoull(text, NULL, 10);
    *ret = (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
    return got > 0 && pages > 0;
}

static bf_status set_limits(size_t bytes_more, bf_error *err)
{
    size_t used = 0;
    if (!read_address_space(&used))
        return fail_system(err, "/proc/self/statm", errno);
    const struct {
        __rlimit_resource_t resource;
        rlim_t most;
        const char *name;
    } limits[] = {
        {RLIMIT_AS, used + bytes_more, "RLIMIT_AS"},
        {RLIMIT_NOFILE, DESCRIPTORS_MAX, "RLIMIT_NOFILE"},
        {RLIMIT_FSIZE, 0, "RLIMIT_FSIZE"},
        {RLIMIT_NPROC, 0, "RLIMIT_NPROC"},
        {RLIMIT_CORE, 0, "RLIMIT_CORE"},
        {RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK"},
        {RLIMIT_MSGQUEUE, 0, "RLIMIT_MSGQUEUE"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit = {limits[i].most, limits[i].most};
        if (setrlimit(limits[i].resource, &limit) != 0)
            return fail_system(err, limits[i].name, errno);
    }
    return BF_OK;
}

/* ---- system calls ---- */

typedef struct allowed {
    int call;
    unsigned count; /* conditions, all of which must hold */
    struct scmp_arg_cmp condition[2];
} allowed;

/* No bit but those of reading and writing: memory is never executable that was not so from the start. */
#define ARGUMENT(index, comparison, ...) ((struct scmp_arg_cmp){index, comparison, __VA_ARGS__})
#define NOT_EXECUTABLE ARGUMENT(2, SCMP_CMP_MASKED_EQ, ~(scmp_datum_t)(PROT_READ | PROT_WRITE), 0)

static int allow(scmp_filter_ctx filter, const allowed *rules, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count && failed == 0; i++)
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].count, rules[i].condition);
    return failed;
}

static int fill(scmp_filter_ctx filter, int channel)
{
    const struct scmp_arg_cmp on_channel = ARGUMENT(0, SCMP_CMP_EQ, (scmp_datum_t)channel, 0);
    const struct scmp_arg_cmp on_self = ARGUMENT(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
    const allowed rules[] = {
        /* the channel, and what comes over it */
        {SCMP_SYS(recvmsg), 1, {on_channel}},
        {SCMP_SYS(recvfrom), 1, {on_channel}},
        {SCMP_SYS(sendto), 1, {on_channel}},
        {SCMP_SYS(lseek), 0, {{0}}},
        {SCMP_SYS(close), 0, {{0}}},
        /* memory */
        {SCMP_SYS(mmap), 1, {NOT_EXECUTABLE}},
        {SCMP_SYS(mprotect), 1, {NOT_EXECUTABLE}},
        {SCMP_SYS(mremap), 0, {{0}}},
        {SCMP_SYS(munmap), 0, {{0}}},
        {SCMP_SYS(madvise), 0, {{0}}},
        {SCMP_SYS(brk), 0, {{0}}},
        /* sorting asks how much memory there is */
        {SCMP_SYS(sysinfo), 0, {{0}}},
        /* locks that nobody else holds, clocks, chance for hash tables */
        {SCMP_SYS(futex), 0, {{0}}},
        {SCMP_SYS(sched_yield), 0, {{0}}},
        {SCMP_SYS(clock_gettime), 0, {{0}}},
        {SCMP_SYS(gettimeofday), 0, {{0}}},
        {SCMP_SYS(getcpu), 0, {{0}}},
        {SCMP_SYS(getrandom), 0, {{0}}},
        /* a limit for each job */
        {SCMP_SYS(prlimit64), 2, {ARGUMENT(0, SCMP_CMP_EQ, 0, 0), ARGUMENT(1, SCMP_CMP_EQ, RLIMIT_CPU, 0)}},
        /* complaining into nowhere, and ending: abort() is told from a forbidden call by its signal */
        {SCMP_SYS(write), 1, {ARGUMENT(0, SCMP_CMP_EQ, STDERR_FILENO, 0)}},
        {SCMP_SYS(writev), 1, {ARGUMENT(0, SCMP_CMP_EQ, STDERR_FILENO, 0)}},
        {SCMP_SYS(rt_sigprocmask), 0, {{0}}},
        {SCMP_SYS(rt_sigreturn), 0, {{0}}},
        {SCMP_SYS(getpid), 0, {{0}}},
        {SCMP_SYS(gettid), 0, {{0}}},
        {SCMP_SYS(tgkill), 1, {on_self}},
        {SCMP_SYS(exit), 0, {{0}}},
        {SCMP_SYS(exit_group), 0, {{0}}},
#if BF_SANDBOX_SANITIZED
        {SCMP_SYS(sigaltstack), 0, {{0}}},
#endif
    };
    return allow(filter, rules, sizeof rules / sizeof *rules);
}

static void release_filter(scmp_filter_ctx *filter)
{
    seccomp_release(*filter);
}

static bf_status filter_calls(int channel, bf_error *err)
{
#if BF_SANDBOX_THREADS
    (void)channel;
    (void)err;
    (void)fill;
    (void)release_filter;
    return BF_OK;
#else
    BF_CLEANUP(release_filter) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return bf_fail_memory(err);
    /* Calls of another architecture's table are refused like unknown ones. */
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* Else older kernels slow the whole process down, against code that it would have to be fed and compile itself. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (failed == 0)
        failed = fill(filter, channel);
    if (failed == 0)
        failed = seccomp_load(filter);
    return failed == 0 ? BF_OK : fail_system(err, "seccomp", -failed);
#endif
}

bf_status bf_sandbox_enter(int channel, size_t bytes_more, bf_error *err)
{
    bf_status status = set_limits(bytes_more, err);
    return status == BF_OK ? filter_calls(channel, err) : status;
}
