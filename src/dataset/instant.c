#include "dataset/instant.h"

#define DAY_S 86400
#define DAYS_0000_TO_1970 719468 /* from 1 March of the year 0 */

/* Reads exactly `count` digits. */
static bool digits(const char **at, int count, int min, int max, int *ret)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return value >= min && value <= max;
}

static bool skip(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970 in the Gregorian calendar, counted in years that begin in March. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + of_year - DAYS_0000_TO_1970;
}

static bool read_clock(const char **at, int64_t *ret_s)
{
    int hour = 0, minute = 0, second = 0;
    if (!digits(at, 2, 0, 23, &hour) || !skip(at, ':') || !digits(at, 2, 0, 59, &minute))
        return false;
    if (skip(at, ':') && !digits(at, 2, 0, 60, &second))
        return false;
    if (skip(at, '.')) {
        if (**at < '0' || **at > '9')
            return false;
        while (**at >= '0' && **at <= '9')
            (*at)++;
    }
    *ret_s = hour * 3600 + minute * 60 + second;
    return true;
}

static bool read_offset(const char **at, int64_t *ret_s)
{
    int hour = 0, minute = 0, sign = **at == '-' ? -1 : 1;
    *ret_s = 0;
    if (skip(at, 'Z') || **at == '\0')
        return true;
    if (!skip(at, '+') && !skip(at, '-'))
        return false;
    if (!digits(at, 2, 0, 14, &hour))
        return false;
    (void)skip(at, ':');
    if (!digits(at, 2, 0, 59, &minute))
        return false;
    *ret_s = sign * (hour * 3600 + minute * 60);
    return true;
}

bool bf_instant_parse(const char *text, int64_t *ret_s)
{
    const char *at = text;
    int year = 0, month = 0, day = 0;
    int64_t clock_s = 0, offset_s = 0;
    if (!digits(&at, 4, 1, 9999, &year) || !skip(&at, '-') || !digits(&at, 2, 1, 12, &month) || !skip(&at, '-') ||
        !digits(&at, 2, 1, days_in(year, month), &day))
        return false;
    if ((skip(&at, 'T') || skip(&at, ' ')) && (!read_clock(&at, &clock_s) || !read_offset(&at, &offset_s)))
        return false;
    if (*at != '\0')
        return false;
    *ret_s = days_of(year, month, day) * DAY_S + clock_s - offset_s;
    return true;
}
