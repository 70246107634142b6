/* The server's log: one JSON object a line, on standard error or in a file. No bodies, no queries, no secrets, nothing
 * that names a person. */
#ifndef BF_SERVER_LOG_H
#define BF_SERVER_LOG_H

#include <stdint.h>

#include "base/attr.h"
#include "server/config.h"

typedef struct bf_log bf_log;

/* `path` "" is standard error. IO_ERROR, OUT_OF_MEMORY. Lines are written whole, by any thread. */
bf_status bf_log_new(const char *path, bf_log_level level, bf_log **ret, bf_error *err);
void bf_log_free(bf_log **log);

void bf_log_set_level(bf_log *log, bf_log_level level);
/* Opens the file anew, for those who move old logs away. The old one stays open when that fails. */
bf_status bf_log_reopen(bf_log *log, bf_error *err);

/* What happened in the life of the server: {"time", "level", "event", "message"}. */
void bf_log_event(bf_log *log, bf_log_level level, const char *event, const char *format, ...) BF_PRINTF(4, 5);
/* The same with an error's message, detail and hint. */
void bf_log_failure(bf_log *log, const char *event, const bf_error *err);

typedef struct bf_log_request {
    const char *request_id, *operation, *method; /* operation NULL: none was found */
    int http;                                    /* 0: no answer could be given */
    const char *code;                            /* "OK" or an error code */
    const char *decision;                        /* "" : none */
    double ms, queue_ms;
    uint64_t bytes_in, bytes_out;
    const char *key_id, *address; /* the address hashed; "" : unknown */
    const char *detail;           /* for the operator, of a failure that is the server's; "" : none */
} bf_log_request;

void bf_log_write(bf_log *log, const bf_log_request *request);

#endif
