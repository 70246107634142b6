/* What the server and its nursery say to each other: messages of fixed size on a SOCK_SEQPACKET socket, each one of the
 * structures below, which all begin with bf_control. Both ends are the same program. */
#ifndef BF_WORKER_CONTROL_H
#define BF_WORKER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "bonafide/status.h"

#define BF_CONTROL_PATH_MAX 4096

typedef enum bf_control_kind {
    BF_CONTROL_OPTIONS = 1, /* server: how to load the engine; the first message */
    BF_CONTROL_HATCH,       /* server: fork a worker, to be known by this serial number */
    BF_CONTROL_KILL,        /* server: kill it */
    BF_CONTROL_LOADED,      /* nursery: the engine is loaded */
    BF_CONTROL_FAILED,      /* nursery: it cannot be loaded; the last message */
    BF_CONTROL_HATCHED,     /* nursery: the worker runs; its socket comes along */
    BF_CONTROL_ENDED,       /* nursery: it has ended, or could not be forked */
} bf_control_kind;

typedef struct bf_control {
    bf_control_kind kind;
    uint32_t serial;
    pid_t pid; /* HATCHED */
    int how;   /* ENDED: what waitpid says */
} bf_control;

typedef struct bf_control_options {
    bf_control head;
    char version[BF_NAME_MAX]; /* of the program that asks */
    char data_dir[BF_CONTROL_PATH_MAX], weights_dir[BF_CONTROL_PATH_MAX];
    char fusion[BF_NAME_MAX]; /* "": the default */
    bool mirror;
    int job_ms_max;
    size_t worker_bytes_max;
} bf_control_options;

typedef struct bf_control_failed {
    bf_control head;
    bf_error error;
} bf_control_failed;

#endif
