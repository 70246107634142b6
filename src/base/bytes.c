#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"

static atomic_size_t alloc_count;
static atomic_size_t alloc_fail_at;
static atomic_bool alloc_fail_sticky;

static bool alloc_should_fail(void)
{
    size_t number = atomic_fetch_add_explicit(&alloc_count, 1, memory_order_relaxed) + 1;
    size_t fail_at = atomic_load_explicit(&alloc_fail_at, memory_order_relaxed);
    if (fail_at == 0)
        return false;
    return number == fail_at || (number > fail_at && atomic_load_explicit(&alloc_fail_sticky, memory_order_relaxed));
}

size_t bf_alloc_fail_after(size_t nth, int sticky)
{
    size_t made = atomic_exchange(&alloc_count, 0);
    atomic_store(&alloc_fail_sticky, sticky != 0);
    atomic_store(&alloc_fail_at, nth);
    return made;
}

void *bf_malloc(size_t size)
{
    return alloc_should_fail() ? NULL : malloc(size);
}

void *bf_calloc(size_t count, size_t size)
{
    return alloc_should_fail() ? NULL : calloc(count, size);
}

void *bf_realloc(void *old, size_t size)
{
    return alloc_should_fail() ? NULL : realloc(old, size);
}

char *bf_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = bf_malloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void bf_free(void *pointer)
{
    free(pointer);
}

void bf_free_string(char **text)
{
    free(*text);
    *text = NULL;
}

void bf_bytes_done(bf_bytes *bytes)
{
    if (bytes->data) {
        explicit_bzero(bytes->data, bytes->size);
        free(bytes->data);
    }
    *bytes = (bf_bytes){0};
}

static void close_fd(const int *fd)
{
    if (*fd > STDERR_FILENO)
        (void)close(*fd);
}

static bf_status fail_errno(bf_error *err, const char *what, const char *path)
{
    int saved = errno;
    bf_fail(err, BF_IO_ERROR, "%s %s: %s.", what, path, strerror(saved));
    return BF_IO_ERROR;
}

static bf_status fail_too_large(bf_error *err, const char *path, size_t size_max)
{
    bf_fail(err, BF_IMAGE_TOO_LARGE, "%s is larger than %zu bytes.", path, size_max);
    bf_fail_hint(err, "Send a smaller file.");
    return BF_IMAGE_TOO_LARGE;
}

/* Reads to the end of `fd`, growing the buffer; `expected` is only a first guess. */
static bf_status read_all(int fd, size_t expected, size_t size_max, const char *path, bf_bytes *ret, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    size_t capacity = expected + 1;
    bytes.data = bf_malloc(capacity + 1);
    if (!bytes.data)
        return bf_fail_memory(err);
    for (;;) {
        if (bytes.size == capacity) {
            capacity = capacity * 2 < size_max + 1 ? capacity * 2 : size_max + 1;
            uint8_t *grown = bf_realloc(bytes.data, capacity + 1);
            if (!grown)
                return bf_fail_memory(err); /* NOLINT(clang-analyzer-unix.Malloc): it does not see BF_CLEANUP */
            bytes.data = grown;
        }
        ssize_t got = read(fd, bytes.data + bytes.size, capacity - bytes.size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(err, "Cannot read", path);
        if (got == 0)
            break;
        bytes.size += (size_t)got;
        if (bytes.size > size_max)
            return fail_too_large(err, path, size_max);
    }
    bytes.data[bytes.size] = 0;
    *ret = bytes;
    bytes = (bf_bytes){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

bf_status bf_bytes_read_file(bf_bytes *ret, const char *path, size_t size_max, bf_error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    BF_CLEANUP(close_fd) int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, "Cannot open", path);
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_errno(err, "Cannot open", path);
    if (!standard_input && !S_ISREG(info.st_mode))
        return bf_fail(err, BF_IO_ERROR, "Cannot read %s: it is %s.", path,
                       S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
    size_t expected = S_ISREG(info.st_mode) && info.st_size > 0 ? (size_t)info.st_size : 65536;
    if (S_ISREG(info.st_mode) && expected > size_max && info.st_size > 0)
        return fail_too_large(err, path, size_max);
    return read_all(fd, expected < size_max ? expected : size_max, size_max, standard_input ? "Standard input" : path,
                    ret, err);
}

bool bf_write_all(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size > 0) {
        ssize_t put = write(fd, at, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            errno = put == 0 ? ENOSPC : errno;
            return false;
        }
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static bf_status write_file(const char *path, const void *data, size_t size, mode_t mode, bf_error *err)
{
    size_t length = strlen(path) + sizeof ".XXXXXX";
    BF_CLEANUP(bf_free_string) char *temporary = bf_malloc(length);
    if (!temporary)
        return bf_fail_memory(err);
    (void)snprintf(temporary, length, "%s.XXXXXX", path);
    int fd = mkstemp(temporary);
    if (fd < 0)
        return fail_errno(err, "Cannot write", path);
    bool ok = fchmod(fd, mode) == 0 && bf_write_all(fd, data, size) && fsync(fd) == 0;
    int saved = errno;
    ok = close(fd) == 0 && ok;
    if (ok && rename(temporary, path) == 0)
        return BF_OK;
    errno = ok ? errno : saved;
    bf_status status = fail_errno(err, "Cannot write", path);
    (void)unlink(temporary);
    return status;
}

bf_status bf_bytes_write_file(const char *path, const void *data, size_t size, bf_error *err)
{
    return write_file(path, data, size, 0644, err);
}

bf_status bf_bytes_write_private(const char *path, const void *data, size_t size, bf_error *err)
{
    return write_file(path, data, size, 0600, err);
}
