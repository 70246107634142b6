#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bf_status(bf_fail)(bf_error *err, bf_status status, const char *format, ...)
{
    if (err) {
        *err = (bf_error){.status = status};
        va_list args;
        va_start(args, format);
        (void)vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return status;
}

void bf_fail_detail(bf_error *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->detail, sizeof err->detail, format, args);
    va_end(args);
}

void bf_fail_hint(bf_error *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
}

void bf_fail_prefix(bf_error *err, const char *format, ...)
{
    if (!err)
        return;
    char rest[BF_ERROR_TEXT_SIZE];
    memcpy(rest, err->message, sizeof rest);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->message)
        (void)snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s", rest);
}

bf_status(bf_fail_memory)(bf_error *err)
{
    bf_fail(err, BF_OUT_OF_MEMORY, "There is not enough memory.");
    bf_fail_hint(err, "Try again; if it persists, give the process more memory.");
    return BF_OUT_OF_MEMORY;
}
