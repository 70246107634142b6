/* What the commands that read a table of scores and write reports have in common. */
#ifndef BF_CLI_TABLE_H
#define BF_CLI_TABLE_H

#include <stdint.h>

#include "base/bytes.h"
#include "cli/command.h"
#include "cli/progress.h"

/* A file's name without its folders; "standard input" for "-". */
const char *cli_file_name(const char *path);

/* A bar over the bytes of a file, for the readers that tell how far they are. */
cli_progress cli_reading_start(const char *path);
void cli_reading_show(void *progress, uint64_t bytes);

/* Options that several of these commands have. All say what is wrong, and give false, when the value is. */
#define CLI_SEED_DEFAULT 1
#define CLI_NAMES_MAX 32 /* times that an option with a name may be given */
bool cli_read_seed(const cli_command *command, const char *value, int *ret);
bool cli_read_replicates(const cli_command *command, const char *value, int *ret);
bool cli_read_score(const cli_command *command, const char *option, const char *value, double *ret);
bool cli_add_name(const cli_command *command, const char *option, const char *value, const char *list[CLI_NAMES_MAX],
                  size_t *count);

/* Says what failed, and gives the exit code: CLI_UNREADABLE when it lies in the table or in a file beside it. */
int cli_fail_table(const cli_command *command, const bf_error *err);

/* The time as "2026-03-01T12:30:00Z", or NULL when the clock says nothing or none is `wanted`. */
#define CLI_NOW_SIZE 32
const char *cli_now(bool wanted, char ret[CLI_NOW_SIZE]);

/* Writes FOLDER/NAME, of which NAME may have folders too; those that are missing are made. INVALID_ARGUMENT: that is
 * too long. IO_ERROR. */
bf_status cli_write(const char *folder, const char *name, const bf_bytes *bytes, bf_error *err);

#endif
