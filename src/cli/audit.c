/* bonafide audit export, checkpoint, key: what the audit log gives to those who check it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/export.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/state.h"

#define PATH_SIZE 4096

enum { OPTION_CONFIG, OPTION_OUTPUT };

static const cli_option CONFIG_OPTIONS[] = {
    [OPTION_CONFIG] = CLI_CONFIG_OPTION_ROW,
    {NULL, 0, NULL, NULL},
};
static const cli_option EXPORT_OPTIONS[] = {
    [OPTION_CONFIG] = CLI_CONFIG_OPTION_ROW,
    [OPTION_OUTPUT] = {"output", 'o', "FILE", "write there instead of to standard output"},
    {NULL, 0, NULL, NULL},
};

/* The file that becomes the export once it is whole. */
typedef struct output {
    const char *path; /* NULL: standard output */
    char part[PATH_SIZE];
    FILE *file;
} output;

static bf_status fail_output(const output *out, bf_error *err)
{
    (void)bf_fail(err, BF_IO_ERROR, "The export cannot be written to '%s'.", out->path ? out->path : "-");
    bf_fail_detail(err, "%s", strerrordesc_np(errno));
    return BF_IO_ERROR;
}

/* Readable by its owner only: it holds the records of decisions. */
static bf_status open_output(output *out, bf_error *err)
{
    if (!out->path) {
        out->file = stdout;
        return BF_OK;
    }
    int size = snprintf(out->part, sizeof out->part, "%s.part", out->path);
    if (size < 0 || (size_t)size >= sizeof out->part) {
        errno = ENAMETOOLONG;
        return fail_output(out, err);
    }
    (void)unlink(out->part);
    int fd = open(out->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    out->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!out->file && fd >= 0)
        (void)close(fd);
    return out->file ? BF_OK : fail_output(out, err);
}

static bf_status write_lines(void *context, const void *lines, size_t size, bf_error *err)
{
    const output *out = context;
    return fwrite(lines, 1, size, out->file) == size ? BF_OK : fail_output(out, err);
}

static bf_status close_output(output *out, bf_status status, bf_error *err)
{
    if (out->file && fflush(out->file) != 0 && status == BF_OK)
        status = fail_output(out, err);
    if (!out->path || !out->file)
        return status;
    if (status == BF_OK && fsync(fileno(out->file)) != 0)
        status = fail_output(out, err);
    (void)fclose(out->file);
    if (status == BF_OK && rename(out->part, out->path) != 0)
        status = fail_output(out, err);
    if (status != BF_OK)
        (void)unlink(out->part);
    return status;
}

static int export(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(cli_state_close) cli_state state = {0};
    const char *config = NULL;
    output out = {0};
    bf_error err = {0};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option = 0; (option = cli_parser_next(&parser)) >= 0;) {
        if (option == OPTION_CONFIG)
            config = parser.value;
        else
            out.path = parser.value;
    }
    if (parser.ended)
        return parser.code;
    int code = cli_state_open(command, config, CLI_NEEDS_STORE | CLI_NEEDS_LOG_KEY, &state);
    if (code != 0)
        return code;
    bf_status status = open_output(&out, &err);
    if (status == BF_OK)
        status = bf_audit_export(state.store, &state.log_key, write_lines, &out, &err);
    status = close_output(&out, status, &err);
    return status == BF_OK ? 0 : cli_fail_error(command, &err);
}

/* For commands whose only option is the configuration. */
static int open_state(const cli_command *command, int argc, char **argv, unsigned needs, cli_state *ret)
{
    const char *config = NULL;
    cli_parser parser = cli_parser_start(command, argc, argv);
    while (cli_parser_next(&parser) >= 0)
        config = parser.value;
    /* Help that was given ends the command, too. */
    if (parser.ended)
        return parser.code == 0 ? -1 : parser.code;
    return cli_state_open(command, config, needs, ret);
}

static bf_status read_checkpoint(bf_db *db, void *context, bf_error *err)
{
    char **note = context;
    bf_free_string(note);
    *note = NULL;
    return bf_audit_checkpoint(db, note, err);
}

static int checkpoint(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(cli_state_close) cli_state state = {0};
    BF_CLEANUP(bf_free_string) char *note = NULL;
    bf_error err = {0};
    int code = open_state(command, argc, argv, CLI_NEEDS_STORE, &state);
    if (code != 0)
        return code < 0 ? 0 : code;
    if (bf_store_read(state.store, read_checkpoint, (void *)&note, &err) != BF_OK)
        return cli_fail_error(command, &err);
    if (!note[0])
        return cli_fail(command, CLI_UNREADABLE, "The log is empty; there is no checkpoint yet.");
    (void)fputs(note, stdout);
    return cli_finish_output(command, 0);
}

static int key(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(cli_state_close) cli_state state = {0};
    char text[BF_VERIFIER_KEY_SIZE];
    int code = open_state(command, argc, argv, CLI_NEEDS_LOG_KEY, &state);
    if (code != 0)
        return code < 0 ? 0 : code;
    bf_log_verifier_key(&state.log_key, text);
    (void)printf("%s\n", text);
    return cli_finish_output(command, 0);
}

const cli_command CLI_AUDIT_EXPORT = {
    .name = "audit export",
    .operands = "",
    .summary = "Write the audit log out, to be verified",
    .about = "Lines of JSON: every leaf, what the tree and the decisions hold besides, and the signed checkpoints. The "
             "records of decisions are among them. The server may run meanwhile.",
    .options = EXPORT_OPTIONS,
    .run = export,
};

const cli_command CLI_AUDIT_CHECKPOINT = {
    .name = "audit checkpoint",
    .operands = "",
    .summary = "Print the newest signed checkpoint",
    .about = "Keep it elsewhere: whoever holds it notices when the log is cut short or rewritten.",
    .options = CONFIG_OPTIONS,
    .run = checkpoint,
};

const cli_command CLI_AUDIT_KEY = {
    .name = "audit key",
    .operands = "",
    .summary = "Print the key that verifies the log",
    .options = CONFIG_OPTIONS,
    .run = key,
};
