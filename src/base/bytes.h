/* Owned byte buffers with a ceiling, whole-file reading and atomic writing. */
#ifndef BF_BASE_BYTES_H
#define BF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

/* A heap buffer. Zero-initialise it; `bytes_done` wipes and frees it. */
typedef struct bf_bytes {
    uint8_t *data;
    size_t size;
} bf_bytes;

/* Wipes and frees; accepts an empty buffer. */
void bf_bytes_done(bf_bytes *bytes);

/* Reads a whole regular file (or standard input when `path` is "-"), refusing more than `size_max` bytes
 * with BF_IMAGE_TOO_LARGE. A missing or unreadable file and a directory are BF_IO_ERROR. The caller owns
 * *ret; it is untouched on failure. One NUL byte follows the data, not counted in size. */
bf_status bf_bytes_read_file(bf_bytes *ret, const char *path, size_t size_max, bf_error *err);

/* Writes a file so that a reader sees either the old content or all of the new (temporary file, fsync,
 * rename). Fails with BF_IO_ERROR. */
bf_status bf_bytes_write_file(const char *path, const void *data, size_t size, bf_error *err);
/* The same, readable by its owner only. */
bf_status bf_bytes_write_private(const char *path, const void *data, size_t size, bf_error *err);

/* Writes all of it, in as many pieces as that takes. false with errno set: only a part of it was written. */
bool bf_write_all(int fd, const void *data, size_t size);

/* malloc, calloc and strdup through one door, so that tests can fail each allocation in turn. */
void *bf_malloc(size_t size);
void *bf_calloc(size_t count, size_t size);
void *bf_realloc(void *old, size_t size);
char *bf_strdup(const char *text);
void bf_free(void *pointer);

/* Test hook: the allocation numbered `nth` from now (1 = next) fails, and so do all later ones if `sticky`.
 * 0 switches it off. Returns how many allocations were made since the last call. Per process, not per thread. */
size_t bf_alloc_fail_after(size_t nth, int sticky);

/* Clean-up helper for `char *` variables: BF_CLEANUP(bf_free_string). */
void bf_free_string(char **text);

#endif
