#include "cli/open.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "cli/place.h"

double cli_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static double engine_clock(void *data)
{
    (void)data;
    return cli_now_ms();
}

void cli_engine_option(cli_engine_options *options, int row, const char *value)
{
    switch (row) {
    case CLI_ENGINE_DATA:
        options->data = value;
        break;
    case CLI_ENGINE_WEIGHTS:
        options->weights = value;
        break;
    case CLI_ENGINE_FUSION:
        options->fusion = value;
        break;
    case CLI_ENGINE_MIRROR:
        options->mirror = true;
        break;
    case CLI_ENGINE_NO_TIMING:
        options->no_timing = true;
        break;
    default:
        break;
    }
}

int cli_engine_open(const cli_command *command, const cli_engine_options *options, bf_engine **ret)
{
    bf_error err = {0};
    cli_place place;
    if (cli_place_find(options->data, options->weights, &place, &err) != BF_OK) {
        (void)cli_fail_error(command, &err);
        return options->data ? CLI_USAGE : CLI_INTERNAL;
    }
    bf_engine_options engine = {
        .struct_size = sizeof engine,
        .data_dir = place.data,
        .weights_dir = place.weights,
        .fusion = options->fusion,
        .mirror = options->mirror,
        .clock_ms = options->no_timing ? NULL : engine_clock,
    };
    if (bf_engine_new(&engine, ret, &err) == BF_OK)
        return 0;
    /* Whatever is wrong with our own files is no fault of the input. */
    (void)cli_fail_error(command, &err);
    return CLI_INTERNAL;
}

bf_status cli_read_media(const char *path, bf_bytes *ret, bf_error *err)
{
    return bf_bytes_read_file(ret, path, BF_INPUT_BYTES_MAX, err);
}

int cli_read_document(const cli_command *command, const char *path, bf_bytes *ret)
{
    bf_error err = {0};
    if (bf_bytes_read_file(ret, path, BF_JSON_BYTES_MAX, &err) != BF_OK)
        return cli_fail_error(command, &err);
    /* Documents are handed on as text, which a NUL would cut short. */
    if (memchr(ret->data, '\0', ret->size))
        return cli_fail(command, CLI_UNREADABLE, "%s holds a NUL byte and is no text.", path);
    return 0;
}

int cli_finish_output(const cli_command *command, int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return cli_fail(command, CLI_INTERNAL, "cannot write the output: %s.", errno ? strerror(errno) : "write error");
}
