#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"

#define WRITE_BYTES (256u << 10)

struct bf_csv_writer {
    char *path, *temporary;
    int fd;
    int problem; /* the first errno; nothing is written after it */
    bool in_row, committed;
    size_t used;
    char buffer[WRITE_BYTES];
};

static void flush_buffer(bf_csv_writer *writer)
{
    if (writer->problem == 0 && !bf_write_all(writer->fd, writer->buffer, writer->used))
        writer->problem = errno;
    writer->used = 0;
}

static void append(bf_csv_writer *writer, const char *text, size_t size)
{
    while (size > 0 && writer->problem == 0) {
        if (writer->used == WRITE_BYTES)
            flush_buffer(writer);
        size_t room = WRITE_BYTES - writer->used;
        size_t part = size < room ? size : room;
        memcpy(writer->buffer + writer->used, text, part);
        writer->used += part;
        text += part;
        size -= part;
    }
}

static void separate(bf_csv_writer *writer)
{
    if (writer->in_row)
        append(writer, ",", 1);
    writer->in_row = true;
}

bf_status bf_csv_create(const char *path, bf_csv_writer **ret, bf_error *err)
{
    BF_CLEANUP(bf_csv_writer_free) bf_csv_writer *writer = bf_calloc(1, sizeof *writer);
    if (!writer)
        return bf_fail_memory(err);
    size_t size = strlen(path) + sizeof ".XXXXXX";
    writer->fd = -1;
    writer->path = bf_strdup(path);
    writer->temporary = bf_malloc(size);
    if (!writer->path || !writer->temporary)
        return bf_fail_memory(err);
    (void)snprintf(writer->temporary, size, "%s.XXXXXX", path);
    writer->fd = mkstemp(writer->temporary);
    if (writer->fd < 0)
        return bf_fail(err, BF_IO_ERROR, "Cannot write %.200s: %s.", path, strerror(errno));
    *ret = writer;
    writer = NULL; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_csv_put(bf_csv_writer *writer, const char *text)
{
    bool first = !writer->in_row;
    separate(writer);
    if (!text)
        text = "";
    size_t size = strlen(text);
    /* An empty value that is the whole row would read as an empty line. */
    if (text[strcspn(text, ",\"\r\n")] == '\0' && !(first && size == 0)) {
        append(writer, text, size);
        return;
    }
    append(writer, "\"", 1);
    for (const char *quote; (quote = strchr(text, '"')) != NULL; text = quote + 1) {
        append(writer, text, (size_t)(quote - text) + 1);
        append(writer, "\"", 1);
    }
    append(writer, text, strlen(text));
    append(writer, "\"", 1);
}

void bf_csv_put_raw(bf_csv_writer *writer, const char *text, size_t size)
{
    separate(writer);
    append(writer, text, size);
}

void bf_csv_end_row(bf_csv_writer *writer)
{
    append(writer, "\n", 1);
    writer->in_row = false;
}

bf_status bf_csv_commit(bf_csv_writer *writer, bf_error *err)
{
    flush_buffer(writer);
    if (writer->problem == 0 && (fchmod(writer->fd, 0644) != 0 || fsync(writer->fd) != 0))
        writer->problem = errno;
    if (close(writer->fd) != 0 && writer->problem == 0)
        writer->problem = errno;
    writer->fd = -1;
    if (writer->problem == 0 && rename(writer->temporary, writer->path) != 0)
        writer->problem = errno;
    if (writer->problem != 0)
        return bf_fail(err, BF_IO_ERROR, "Cannot write %.200s: %s.", writer->path, strerror(writer->problem));
    writer->committed = true;
    return BF_OK;
}

void bf_csv_writer_free(bf_csv_writer **writer)
{
    if (!*writer)
        return;
    bool started = (*writer)->fd >= 0 || (*writer)->problem != 0;
    if ((*writer)->fd >= 0)
        (void)close((*writer)->fd);
    if (started && !(*writer)->committed)
        (void)unlink((*writer)->temporary);
    bf_free((*writer)->path);
    bf_free((*writer)->temporary);
    bf_free(*writer);
    *writer = NULL;
}
