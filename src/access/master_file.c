/* The master key's file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "access/master.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bf_status fail_errno(bf_error *err, const char *what, const char *path)
{
    return bf_fail(err, BF_IO_ERROR, "Cannot %s the master key %s: %s.", what, path, strerror(errno));
}

/* As PostgreSQL has it for its keys: private to us, or root's and shared with a group, as orchestrators mount
 * secrets. */
static bf_status check_owner(int fd, const char *path, bf_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_errno(err, "read", path);
    if (!S_ISREG(info.st_mode))
        return bf_fail(err, BF_CONFIG_INVALID, "The master key %s is not a regular file.", path);
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return bf_fail(err, BF_CONFIG_INVALID, "The master key %s belongs to another user.", path);
    mode_t forbidden = info.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    if ((info.st_mode & forbidden) == 0)
        return BF_OK;
    bf_fail(err, BF_CONFIG_INVALID, "The master key %s can be read or changed by others.", path);
    bf_fail_hint(err, "chmod 600 %s", path);
    return BF_CONFIG_INVALID;
}

/* A file that is too long fills the buffer, and is refused for its form. */
static bf_status read_text(int fd, const char *path, bf_master *ret, bf_error *err)
{
    char text[BF_MASTER_TEXT_SIZE];
    size_t size = 0;
    ssize_t got = 0;
    do {
        got = read(fd, text + size, sizeof text - size);
        size += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && size < sizeof text) || (got < 0 && errno == EINTR));
    bf_status status = got < 0 ? fail_errno(err, "read", path) : bf_master_parse(text, size, ret, err);
    sodium_memzero(text, sizeof text);
    if (status == BF_CONFIG_INVALID)
        bf_fail_prefix(err, "%s", path);
    return status;
}

/* Makes the entry of a new file durable. */
static bool sync_folder(const char *path)
{
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && (size_t)(slash - path) + 2 > sizeof folder)
        return false;
    if (slash)
        (void)snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    BF_CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

static bool put_key(int fd)
{
    BF_CLEANUP(bf_master_done) bf_master master = {0};
    char text[BF_MASTER_TEXT_SIZE];
    if (bf_master_random(&master, NULL) != BF_OK)
        return false;
    bf_master_write(&master, text);
    size_t size = strlen(text);
    bool written = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    sodium_memzero(text, sizeof text);
    return written;
}

/* A link is made only when the name is free, and then to a whole file: of two makers one wins and both read its key. */
static bf_status make_file(const char *path, bf_error *err)
{
    size_t length = strlen(path) + sizeof ".XXXXXX";
    BF_CLEANUP(bf_free_string) char *temporary = bf_malloc(length);
    if (!temporary)
        return bf_fail_memory(err);
    (void)snprintf(temporary, length, "%s.XXXXXX", path);
    BF_CLEANUP(close_fd) int fd = mkstemp(temporary);
    if (fd < 0)
        return fail_errno(err, "make", path);
    bool made = put_key(fd) && (link(temporary, path) == 0 || errno == EEXIST);
    bf_status status = made ? BF_OK : fail_errno(err, "make", path);
    (void)unlink(temporary);
    if (status == BF_OK && !sync_folder(path))
        status = fail_errno(err, "make", path);
    return status;
}

bf_status bf_master_read(const char *path, bool create, bf_master *ret, bf_error *err)
{
    BF_CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && create) {
        bf_status made = make_file(path, err);
        if (made != BF_OK)
            return made;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0)
        return fail_errno(err, "read", path);
    bf_status status = check_owner(fd, path, err);
    return status == BF_OK ? read_text(fd, path, ret, err) : status;
}
