#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "cli/open.h"
#include "dataset/csv.h"
#include "evaluate/scores.h"

#define PATH_BYTES_MAX 4096
#define REPLICATES_MIN 100
#define REPLICATES_MAX 100000
#define SEED_MAX 2147483647

const char *cli_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(path, "-") == 0 ? "standard input" : slash ? slash + 1 : path;
}

cli_progress cli_reading_start(const char *path)
{
    struct stat info;
    return cli_progress_start(stat(path, &info) == 0 ? (size_t)info.st_size / 1024 : 0);
}

void cli_reading_show(void *progress, uint64_t bytes)
{
    cli_progress_show(progress, (size_t)(bytes / 1024));
}

bool cli_read_seed(const cli_command *command, const char *value, int *ret)
{
    return cli_read_number(command, "seed", value, 0, SEED_MAX, ret);
}

bool cli_read_replicates(const cli_command *command, const char *value, int *ret)
{
    return cli_read_number(command, "replicates", value, REPLICATES_MIN, REPLICATES_MAX, ret);
}

bool cli_read_score(const cli_command *command, const char *option, const char *value, double *ret)
{
    if (bf_csv_number((bf_csv_field){value, strlen(value)}, ret) && *ret >= 0 && *ret <= BF_SCORE_TOP)
        return true;
    (void)cli_fail_usage(command, "--%s must be a number from 0 to 100, not '%s'.", option, value);
    return false;
}

bool cli_add_name(const cli_command *command, const char *option, const char *value, const char *list[CLI_NAMES_MAX],
                  size_t *count)
{
    if (*count < CLI_NAMES_MAX) {
        list[(*count)++] = value;
        return true;
    }
    (void)cli_fail_usage(command, "--%s can be given %d times at most.", option, CLI_NAMES_MAX);
    return false;
}

int cli_fail_table(const cli_command *command, const bf_error *err)
{
    int code = cli_fail_error(command, err);
    return err->status == BF_INVALID_ARGUMENT || err->status == BF_CONFIG_INVALID ? CLI_UNREADABLE : code;
}

const char *cli_now(bool wanted, char ret[CLI_NOW_SIZE])
{
    struct tm utc;
    time_t now = time(NULL);
    if (!wanted || !gmtime_r(&now, &utc) || strftime(ret, CLI_NOW_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        return NULL;
    return ret;
}

bf_status cli_write(const char *folder, const char *name, const bf_bytes *bytes, bf_error *err)
{
    char path[PATH_BYTES_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The name of the folder is too long.");
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return bf_fail(err, BF_IO_ERROR, "Cannot make the folder %.200s: %s.", path, strerror(errno));
        *slash = '/';
    }
    return bf_bytes_write_file(path, bytes->data, bytes->size, err);
}
