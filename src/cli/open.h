/* Opening the engine as the options of several commands say. */
#ifndef BF_CLI_OPEN_H
#define BF_CLI_OPEN_H

#include "base/bytes.h"
#include "cli/command.h"

/* What --data, --weights, --fusion, --mirror and --no-timing say. */
typedef struct cli_engine_options {
    const char *data, *weights, *fusion;
    bool mirror;
    bool no_timing;
} cli_engine_options;

/* Rows for a command's table of options, in this order. */
#define CLI_ENGINE_OPTION_ROWS                                                                                         \
    {"data", 0, "DIR", "folder with models/, policies/, calibration/ and fusion/"},                                    \
        {"weights", 0, "DIR", "folder with the networks' weights"},                                                    \
        {"fusion", 0, "NAME", "the fusion file to use (default)"},                                                     \
        {"mirror", 0, NULL, "let passive networks also see the mirror image"},                                         \
    {                                                                                                                  \
        "no-timing", 0, NULL, "leave times out, so that equal judgements print equal bytes"                            \
    }
enum {
    CLI_ENGINE_DATA,
    CLI_ENGINE_WEIGHTS,
    CLI_ENGINE_FUSION,
    CLI_ENGINE_MIRROR,
    CLI_ENGINE_NO_TIMING,
    CLI_ENGINE_ROWS
};

/* Takes over one of the rows above; `row` counts from the first of them. */
void cli_engine_option(cli_engine_options *options, int row, const char *value);

/* Opens the engine; on failure says why and returns the exit code, else 0. The caller frees *ret. */
int cli_engine_open(const cli_command *command, const cli_engine_options *options, bf_engine **ret);

/* Monotonic milliseconds. */
double cli_now_ms(void);

/* Reads a media file that may be at most as large as the library accepts. */
bf_status cli_read_media(const char *path, bf_bytes *ret, bf_error *err);

/* Reads a document such as a risk context (BF_JSON_BYTES_MAX). On failure says why and returns the exit code. */
int cli_read_document(const cli_command *command, const char *path, bf_bytes *ret);

/* Makes sure that everything printed has arrived; an unwritable output turns `code` into CLI_INTERNAL. */
int cli_finish_output(const cli_command *command, int code);

#endif
