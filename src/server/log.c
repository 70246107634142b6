#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/bytes.h"
#include "base/error.h"
#include "store/time.h"

#define MESSAGE_SIZE 1024
#define REAL_DIGITS JSON_REAL_PRECISION(9)
#define LINE_SIZE 8192 /* a longer one is not written */

struct bf_log {
    pthread_mutex_t lock;
    int fd;
    char path[BF_CONFIG_PATH_SIZE];
    atomic_int level;
};

static const char *const LEVELS[] = {"error", "warning", "info"};

static bf_status open_file(const char *path, int *ret, bf_error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return bf_fail(err, BF_IO_ERROR, "The log '%.200s' cannot be written: %s.", path, strerror(errno));
    *ret = fd;
    return BF_OK;
}

bf_status bf_log_new(const char *path, bf_log_level level, bf_log **ret, bf_error *err)
{
    bf_log *log = bf_calloc(1, sizeof *log);
    if (!log)
        return bf_fail_memory(err);
    log->fd = STDERR_FILENO;
    (void)snprintf(log->path, sizeof log->path, "%s", path);
    bf_status status = path[0] ? open_file(path, &log->fd, err) : BF_OK;
    if (status != BF_OK) {
        bf_free(log);
        return status;
    }
    (void)pthread_mutex_init(&log->lock, NULL);
    atomic_init(&log->level, (int)level);
    *ret = log;
    return BF_OK;
}

void bf_log_free(bf_log **log)
{
    if (!*log)
        return;
    if ((*log)->path[0])
        (void)close((*log)->fd);
    (void)pthread_mutex_destroy(&(*log)->lock);
    bf_free(*log);
    *log = NULL;
}

void bf_log_set_level(bf_log *log, bf_log_level level)
{
    atomic_store(&log->level, (int)level);
}

bf_status bf_log_reopen(bf_log *log, bf_error *err)
{
    int fd = -1;
    if (!log->path[0])
        return BF_OK;
    bf_status status = open_file(log->path, &fd, err);
    if (status != BF_OK)
        return status;
    (void)pthread_mutex_lock(&log->lock);
    int old = log->fd;
    log->fd = fd;
    (void)pthread_mutex_unlock(&log->lock);
    (void)close(old);
    return BF_OK;
}

/* Writes a line; what cannot be written is lost, since a log must never hold up an answer. */
static void write_line(bf_log *log, json_t *line)
{
    char text[LINE_SIZE];
    size_t size = line ? json_dumpb(line, text, sizeof text - 1, JSON_COMPACT | JSON_ENSURE_ASCII | REAL_DIGITS) : 0;
    size_t done = 0;
    json_decref(line);
    if (size == 0 || size >= sizeof text)
        return;
    text[size++] = '\n';
    (void)pthread_mutex_lock(&log->lock);
    while (done < size) {
        ssize_t count = write(log->fd, text + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    (void)pthread_mutex_unlock(&log->lock);
}

static json_t *new_line(bf_log_level level)
{
    char now[BF_TIME_TEXT_SIZE];
    bf_time_text(bf_time_now_ms(), now);
    return json_pack("{s:s, s:s}", "time", now, "level", LEVELS[level]);
}

static void set_text(json_t *line, const char *key, const char *text)
{
    if (line && text && text[0])
        (void)json_object_set_new(line, key, json_string(text));
}

static void set_ms(json_t *line, const char *key, double ms)
{
    if (line)
        (void)json_object_set_new(line, key, json_real((double)(long long)(ms * 1000) / 1000));
}

static void set_count(json_t *line, const char *key, uint64_t count)
{
    if (line)
        (void)json_object_set_new(line, key, json_integer((json_int_t)count));
}

void bf_log_event(bf_log *log, bf_log_level level, const char *event, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;
    if ((int)level > atomic_load(&log->level))
        return;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    json_t *line = new_line(level);
    set_text(line, "event", event);
    set_text(line, "message", message);
    write_line(log, line);
}

void bf_log_failure(bf_log *log, const char *event, const bf_error *err)
{
    json_t *line = new_line(BF_LOG_ERROR);
    set_text(line, "event", event);
    set_text(line, "code", bf_status_name(err->status));
    set_text(line, "message", err->message);
    set_text(line, "detail", err->detail);
    set_text(line, "hint", err->hint);
    write_line(log, line);
}

void bf_log_write(bf_log *log, const bf_log_request *request)
{
    bf_log_level level = request->http >= 500 ? BF_LOG_WARNING : BF_LOG_INFO;
    if ((int)level > atomic_load(&log->level))
        return;
    json_t *line = new_line(level);
    set_text(line, "event", "request");
    set_text(line, "request_id", request->request_id);
    set_text(line, "operation", request->operation);
    set_text(line, "method", request->method);
    set_count(line, "status", (uint64_t)request->http);
    set_text(line, "code", request->code);
    set_text(line, "decision", request->decision);
    set_ms(line, "ms", request->ms);
    set_ms(line, "queue_ms", request->queue_ms);
    set_count(line, "bytes_in", request->bytes_in);
    set_count(line, "bytes_out", request->bytes_out);
    set_text(line, "key", request->key_id);
    set_text(line, "address", request->address);
    set_text(line, "detail", request->detail);
    write_line(log, line);
}
