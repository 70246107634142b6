/* What server and workers say to each other: a job one way, an answer the other way, each a header of fixed size and
 * texts behind it. Both sides are the same build on the same machine, so numbers are written as they are in memory. The
 * answer comes from a process that has looked at hostile input: it is checked like any other input. Pure. */
#ifndef BF_WORKER_WIRE_H
#define BF_WORKER_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define BF_WIRE_TEXT_MAX 256                /* request id, flow, channel; with the NUL */
#define BF_WIRE_CONTEXT_MAX 65536           /* risk context; with the NUL */
#define BF_WIRE_MEDIA_MAX ((size_t)1 << 30) /* bytes of one region */
#define BF_WIRE_RECORD_MAX ((size_t)1 << 20)

typedef struct bf_wire_job {
    bool match_only, kill_switch;
    size_t media_size; /* 0: no descriptor comes with the job */
    bool has_reference;
    size_t reference_size; /* 0: no descriptor, though there may be a reference, an empty one */
    const char *request_id;
    const char *flow, *channel, *context, *plan; /* NULL: the default */
} bf_wire_job;

typedef struct bf_wire_job_header {
    uint32_t magic, flags;
    uint64_t media_size, reference_size;
    uint32_t length[5]; /* of the texts behind it, each with its NUL; 0: none */
    uint32_t unused;    /* 0 */
} bf_wire_job_header;

/* Header and texts in one piece, the caller's to free. INVALID_ARGUMENT when a text is too long. */
bf_status bf_wire_job_write(const bf_wire_job *job, bf_bytes *ret, bf_error *err);
/* Whether this is the header of a job; *ret_size is how much follows. */
bool bf_wire_job_expect(const bf_wire_job_header *header, size_t *ret_size);
/* Whether the texts are what the header announced; the job points into them. */
bool bf_wire_job_read(const bf_wire_job_header *header, const char *texts, bf_wire_job *ret);

typedef enum bf_wire_kind {
    BF_WIRE_READY = 1, /* said once by a worker, before its first job; nothing follows */
    BF_WIRE_TAKEN,     /* the job has arrived; the other answers come after it */
    BF_WIRE_RECORD,    /* the record's JSON follows */
    BF_WIRE_FAILURE    /* message, hint and detail of an error follow */
} bf_wire_kind;

typedef struct bf_wire_answer_header {
    uint32_t magic, kind, status;
    uint32_t length[3];
} bf_wire_answer_header;

bf_wire_answer_header bf_wire_ready(void);
bf_wire_answer_header bf_wire_taken(void);
bf_wire_answer_header bf_wire_record(size_t size);
bf_wire_answer_header bf_wire_failure(const bf_error *failure);
/* The texts of a failure, one behind the other; returns how many bytes of `ret` they take. */
#define BF_WIRE_FAILURE_MAX ((size_t)3 * BF_ERROR_TEXT_SIZE)
size_t bf_wire_failure_texts(const bf_error *failure, char ret[BF_WIRE_FAILURE_MAX]);

/* Whether this is the header of an answer; *ret_size is how much follows. */
bool bf_wire_answer_expect(const bf_wire_answer_header *header, size_t *ret_size);
/* The failure that an answer of that kind holds; only printable ASCII passes, and only a status that judging gives. */
bool bf_wire_failure_read(const bf_wire_answer_header *header, const char *texts, bf_error *ret);
/* Whether these bytes are one JSON object with this request id and a decision. OUT_OF_MEMORY is told from a bad one
 * (INVALID_ARGUMENT). */
bf_status bf_wire_record_check(const char *json, size_t size, const char *request_id, bf_error *err);

#endif
