#include "cli/place.h"

#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define LEVELS_UP 3 /* a build folder may lie that deep in the source tree */

static bool is_folder(const char *parent, const char *name, char ret[CLI_PATH_SIZE])
{
    char path[CLI_PATH_SIZE];
    struct stat info;
    int length = snprintf(path, sizeof path, "%s%s%s", parent, name[0] ? "/" : "", name);
    if (length < 0 || (size_t)length >= sizeof path || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return false;
    if (ret)
        memcpy(ret, path, (size_t)length + 1);
    return true;
}

static bool holds_data(const char *folder)
{
    return is_folder(folder, "models", NULL) && is_folder(folder, "policies", NULL);
}

/* The folder of the running program. */
static bool program_folder(char ret[CLI_PATH_SIZE])
{
    char path[CLI_PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    (void)snprintf(ret, CLI_PATH_SIZE, "%s", dirname(path));
    return true;
}

static bool find_beside_program(char ret[CLI_PATH_SIZE])
{
    char folder[CLI_PATH_SIZE], at[CLI_PATH_SIZE];
    if (!program_folder(folder))
        return false;
    if (is_folder(folder, "../share/bonafide", at) && holds_data(at) && realpath(at, ret))
        return true;
    char *parent = folder;
    for (int i = 0; i < LEVELS_UP; i++) {
        parent = dirname(parent);
        if (holds_data(parent)) {
            (void)snprintf(ret, CLI_PATH_SIZE, "%s", parent);
            return true;
        }
    }
    return false;
}

static bf_status find_data(const char *given, char ret[CLI_PATH_SIZE], bf_error *err)
{
    const char *home = getenv("BONAFIDE_HOME");
    const char *chosen = given ? given : home && home[0] ? home : NULL;
    if (!chosen) {
        if (find_beside_program(ret))
            return BF_OK;
        bf_fail(err, BF_IO_ERROR, "The folder with models/ and policies/ was not found.");
        bf_fail_hint(err, "Name it with --data or in the environment variable BONAFIDE_HOME.");
        return BF_IO_ERROR;
    }
    if (!holds_data(chosen) || !is_folder(chosen, "", ret)) {
        bf_fail(err, BF_IO_ERROR, "%s '%.200s' has no folders models/ and policies/.",
                given ? "--data" : "BONAFIDE_HOME", chosen);
        return BF_IO_ERROR;
    }
    return BF_OK;
}

static void find_weights(const char *given, const char *data, char ret[CLI_PATH_SIZE])
{
    const char *cache = getenv("BONAFIDE_CACHE_DIR");
    if (given)
        (void)snprintf(ret, CLI_PATH_SIZE, "%s", given);
    else if (!is_folder(data, "weights", ret) && !(cache && cache[0] && is_folder(cache, "weights", ret)) &&
             !is_folder(data, ".cache/weights", ret))
        (void)snprintf(ret, CLI_PATH_SIZE, "%.4000s/weights", data);
}

bf_status cli_place_find(const char *data, const char *weights, cli_place *ret, bf_error *err)
{
    cli_place place = {0};
    bf_status status = find_data(data, place.data, err);
    if (status != BF_OK)
        return status;
    find_weights(weights, place.data, place.weights);
    *ret = place;
    return BF_OK;
}
