#include "monitor/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define START_FIELD 20 /* of /proc/self/stat, counted from the one after the name: when the process started */

/* A file of /proc as text; false when it cannot be read. */
static bool read_text(const char *path, char *ret, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(ret, 1, size - 1, file) : 0;
    if (file)
        (void)fclose(file);
    ret[got] = 0;
    return got > 0;
}

static double find_memory(void)
{
    char text[256];
    if (!read_text("/proc/self/statm", text, sizeof text))
        return -1;
    const char *resident = strchr(text, ' ');
    return resident ? strtod(resident, NULL) * (double)sysconf(_SC_PAGESIZE) : -1;
}

/* The descriptor that looking takes is not counted. */
static double count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3;
    while (dir && readdir(dir))
        count++;
    if (dir)
        (void)closedir(dir);
    return dir ? count : -1;
}

/* Start in clock ticks since the machine's, which the difference of two clocks dates. */
static double find_start(void)
{
    char text[1024];
    struct timespec now, since_boot;
    if (!read_text("/proc/self/stat", text, sizeof text) || clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
        return -1;
    const char *at = strrchr(text, ')');
    for (int i = 0; at && i < START_FIELD; i++)
        at = strchr(at + 1, ' ');
    if (!at)
        return -1;
    return (double)(now.tv_sec - since_boot.tv_sec) + strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK);
}

void bf_process_look(bf_process_facts *ret)
{
    struct rusage used;
    struct rlimit limit;
    *ret = (bf_process_facts){.cpu_s = -1, .memory = find_memory(), .open_fds = count_fds(), .max_fds = -1};
    if (getrusage(RUSAGE_SELF, &used) == 0)
        ret->cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret->max_fds = (double)limit.rlim_cur;
    ret->start_s = find_start();
}
