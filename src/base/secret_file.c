#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

void bf_secret_text_wipe(char (*text)[BF_SECRET_TEXT_SIZE])
{
    sodium_memzero(*text, sizeof *text);
}

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bf_status fail_errno(bf_error *err, const char *verb, const char *what, const char *path)
{
    int why = errno;
    bf_fail(err, BF_IO_ERROR, "Cannot %s the %s %s: %s.", verb, what, path, strerrordesc_np(why));
    if (why == EACCES)
        bf_fail_hint(err, "Run this as the user that the service runs as.");
    return BF_IO_ERROR;
}

static bf_status check_owner(int fd, const char *what, const char *path, bf_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_errno(err, "read", what, path);
    if (!S_ISREG(info.st_mode))
        return bf_fail(err, BF_CONFIG_INVALID, "The %s %s is not a regular file.", what, path);
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return bf_fail(err, BF_CONFIG_INVALID, "The %s %s belongs to another user.", what, path);
    mode_t forbidden = info.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    if ((info.st_mode & forbidden) == 0)
        return BF_OK;
    bf_fail(err, BF_CONFIG_INVALID, "The %s %s can be read or changed by others.", what, path);
    bf_fail_hint(err, "chmod 600 %s; whoever may have read it has the secret.", path);
    return BF_CONFIG_INVALID;
}

static bf_status read_text(int fd, const char *what, const char *path, char ret[BF_SECRET_TEXT_SIZE], size_t *ret_size,
                           bf_error *err)
{
    size_t size = 0;
    ssize_t got = 0;
    do {
        got = read(fd, ret + size, BF_SECRET_TEXT_SIZE - size);
        size += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && size < BF_SECRET_TEXT_SIZE) || (got < 0 && errno == EINTR));
    if (got < 0)
        return fail_errno(err, "read", what, path);
    *ret_size = size;
    return BF_OK;
}

bool bf_sync_folder_of(const char *path)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && (size_t)(slash - path) + 2 > sizeof folder)
        return false;
    if (slash)
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    BF_CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

/* A link is made only when the name is free, and then to a whole file: of two makers one wins and both read what it
 * wrote. */
static bf_status make_file(const char *what, const char *path, const char *text, bf_error *err)
{
    size_t length = strlen(path) + sizeof ".XXXXXX", size = strlen(text);
    BF_CLEANUP(bf_free_string) char *temporary = bf_malloc(length);
    if (!temporary)
        return bf_fail_memory(err);
    (void)snprintf(temporary, length, "%s.XXXXXX", path);
    BF_CLEANUP(close_fd) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "make", what, path);
    bool made =
        write(fd, text, size) == (ssize_t)size && fsync(fd) == 0 && (link(temporary, path) == 0 || errno == EEXIST);
    bf_status status = made ? BF_OK : fail_errno(err, "make", what, path);
    (void)unlink(temporary);
    if (status == BF_OK && !bf_sync_folder_of(path))
        status = fail_errno(err, "make", what, path);
    return status;
}

bf_status bf_secret_file_read(const char *path, const char *what, bf_secret_text_fn *make, const void *context,
                              char ret_text[BF_SECRET_TEXT_SIZE], size_t *ret_size, bf_error *err)
{
    BF_CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && make) {
        BF_CLEANUP(bf_secret_text_wipe) char text[BF_SECRET_TEXT_SIZE];
        bf_status status = make(context, text, err);
        if (status == BF_OK)
            status = make_file(what, path, text, err);
        if (status != BF_OK)
            return status;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0)
        return fail_errno(err, "read", what, path);
    bf_status status = check_owner(fd, what, path, err);
    return status == BF_OK ? read_text(fd, what, path, ret_text, ret_size, err) : status;
}
