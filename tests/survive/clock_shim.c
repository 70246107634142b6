/* Preloaded into a server, so that a test can set its clock: the time of day is off by as many milliseconds as the file
 * $CLOCK_SHIM_FILE says (one int64_t, read anew each time). Clocks that never jump are left alone, as a kernel whose
 * clock is set leaves them. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

static const volatile int64_t *offset_ms;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("CLOCK_SHIM_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, sizeof *offset_ms, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        (void)close(fd);
    if (mapped != MAP_FAILED)
        offset_ms = mapped;
}

static int ask(clockid_t clock, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real) {
        void *found = dlsym(RTLD_NEXT, "clock_gettime");
        memcpy(&real, &found, sizeof real);
    }
    return real(clock, ret);
}

SHOWN int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int failed = ask(clock, ret);
    if (failed || !offset_ms || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return failed;
    int64_t ns = ret->tv_nsec + *offset_ms % 1000 * 1000000;
    ret->tv_sec += *offset_ms / 1000 + (ns >= 1000000000) - (ns < 0);
    ret->tv_nsec = (long)((ns + 1000000000) % 1000000000);
    return 0;
}

SHOWN int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return failed;
}

SHOWN time_t time(time_t *ret)
{
    struct timespec now;
    time_t told = clock_gettime(CLOCK_REALTIME, &now) == 0 ? now.tv_sec : (time_t)-1;
    if (ret)
        *ret = told;
    return told;
}
