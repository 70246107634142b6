#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"

#define PATH_BYTES_MAX 4096

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
