#include "cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/bundle.h"

static bf_status append(cli_files *files, const char *path, bf_error *err)
{
    if (files->count >= CLI_FILES_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "There are more than %d files.", CLI_FILES_MAX);
    if (files->count == files->capacity) {
        size_t capacity = files->capacity ? files->capacity * 2 : 64;
        char **grown = bf_realloc(files->path, capacity * sizeof *grown);
        if (!grown)
            return bf_fail_memory(err);
        files->path = grown;
        files->capacity = capacity;
    }
    char *copy = bf_strdup(path);
    if (!copy)
        return bf_fail_memory(err);
    files->path[files->count++] = copy;
    return BF_OK;
}

static bool ends_in(const char *name, const char *const endings[])
{
    const char *dot = strrchr(name, '.');
    for (; dot && *endings; endings++) {
        if (strcasecmp(dot, *endings) == 0)
            return true;
    }
    return false;
}

static bool is_wanted(const cli_files *files, const char *name)
{
    static const char *const photos[] = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", NULL};
    static const char *const captures[] = {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".capture", NULL};
    return ends_in(name, photos) || (files->kind != CLI_FILES_PHOTOS && ends_in(name, captures));
}

static bool is_capture(const cli_files *files, const char *folder)
{
    return files->kind != CLI_FILES_PHOTOS && cli_bundle_is(folder);
}

static int is_no_dot_name(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bf_status add_folder(cli_files *files, const char *folder, int depth, bf_error *err);

static bf_status add_entry(cli_files *files, const char *folder, const char *name, int depth, bf_error *err)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    BF_CLEANUP(bf_free_string) char *path = bf_malloc(size);
    if (!path)
        return bf_fail_memory(err);
    (void)snprintf(path, size, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    struct stat info;
    /* A link to a folder could lead in circles; a link to a file is as good as the file. */
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return is_capture(files, path) ? append(files, path, err) : add_folder(files, path, depth + 1, err);
    if (is_wanted(files, name) && stat(path, &info) == 0 && S_ISREG(info.st_mode))
        return append(files, path, err);
    return BF_OK;
}

static bf_status add_folder(cli_files *files, const char *folder, int depth, bf_error *err)
{
    struct dirent **entries = NULL;
    if (depth > CLI_FOLDER_DEPTH_MAX)
        return bf_fail(err, BF_IO_ERROR, "%.200s lies more than %d folders deep.", folder, CLI_FOLDER_DEPTH_MAX);
    int count = scandir(folder, &entries, is_no_dot_name, by_name);
    if (count < 0)
        return bf_fail(err, BF_IO_ERROR, "Cannot read the folder %.200s: %s.", folder, strerror(errno));
    bf_status status = BF_OK;
    for (int i = 0; i < count; i++) {
        if (status == BF_OK)
            status = add_entry(files, folder, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

bf_status cli_files_add(cli_files *files, const char *path, bf_error *err)
{
    struct stat info;
    if (strcmp(path, "-") == 0) {
        for (size_t i = 0; i < files->count; i++) {
            if (strcmp(files->path[i], "-") == 0)
                return bf_fail(err, BF_INVALID_ARGUMENT, "Standard input can be read only once.");
        }
        return append(files, path, err);
    }
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode) || files->kind == CLI_FILES_FRAMES || is_capture(files, path))
        return append(files, path, err);
    size_t before = files->count;
    bf_status status = add_folder(files, path, 1, err);
    if (status == BF_OK && files->count == before) {
        bf_fail(err, BF_IO_ERROR, "There is no picture in the folder %.200s.", path);
        bf_fail_hint(
            err, "Files whose names end in .jpg, .jpeg, .png, .webp, .heic or .heif are looked at%s",
            files->kind == CLI_FILES_PHOTOS ? "." : ", and videos (.mp4, .m4v, .mov, .webm, .mkv) and .capture files.");
        return BF_IO_ERROR;
    }
    return status;
}

void cli_files_done(cli_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        bf_free(files->path[i]);
    bf_free(files->path);
    *files = (cli_files){0};
}
