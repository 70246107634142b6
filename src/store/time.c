#include "store/time.h"

#include <stdio.h>
#include <time.h>

int64_t bf_time_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

double bf_time_steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Years that do not have four digits would not fit the form; no clock of a working machine is there. */
#define TEXT_MS_MAX 253402300799999

void bf_time_text(int64_t ms, char ret[BF_TIME_TEXT_SIZE])
{
    int64_t inside = ms < 0 ? 0 : ms > TEXT_MS_MAX ? TEXT_MS_MAX : ms;
    time_t seconds = (time_t)(inside / 1000);
    struct tm utc = {0};
    (void)gmtime_r(&seconds, &utc);
    char day[24];
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(ret, BF_TIME_TEXT_SIZE, "%s.%03dZ", day, (int)(inside % 1000));
}
