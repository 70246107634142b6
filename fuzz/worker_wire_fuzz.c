/* What server and workers say to each other, from any bytes. The first byte chooses the side: an odd one is a job, as a
 * worker reads it; an even one an answer, as the server reads it from a worker that it cannot trust. What is accepted
 * keeps its promises, and a job that was read is written again as the same bytes. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "promise.h"
#include "worker/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly the bytes that follow the header, on the heap, so that one more that is read is noticed. */
static char *copy_rest(const uint8_t *data, size_t size)
{
    char *copy = bf_malloc(size > 0 ? size : 1);
    promise(copy != NULL, "there is memory");
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

static void read_job(const uint8_t *data, size_t size)
{
    bf_wire_job_header header;
    bf_wire_job job;
    size_t rest = 0;
    if (size < sizeof header)
        return;
    memcpy(&header, data, sizeof header);
    if (!bf_wire_job_expect(&header, &rest) || rest > size - sizeof header)
        return;
    char *texts = copy_rest(data + sizeof header, rest);
    if (bf_wire_job_read(&header, texts, &job)) {
        bf_bytes again = {0};
        promise(job.request_id && job.media_size <= BF_WIRE_MEDIA_MAX && job.reference_size <= BF_WIRE_MEDIA_MAX,
                "a job is complete and within its ceilings");
        promise(bf_wire_job_write(&job, &again, NULL) == BF_OK, "a job that was read can be written");
        promise(again.size == sizeof header + rest && memcmp(again.data, data, again.size) == 0, "as the same bytes");
        bf_bytes_done(&again);
    }
    bf_free(texts);
}

static void check_failure(const bf_wire_answer_header *header, const char *texts)
{
    bf_error failure;
    if (!bf_wire_failure_read(header, texts, &failure))
        return;
    const char *const text[] = {failure.message, failure.hint, failure.detail};
    promise(failure.status != BF_OK && strcmp(bf_status_name(failure.status), "UNKNOWN") != 0, "a failure is one");
    for (size_t i = 0; i < 3; i++) {
        promise(strnlen(text[i], BF_ERROR_TEXT_SIZE) < BF_ERROR_TEXT_SIZE, "texts end");
        for (const char *at = text[i]; *at; at++)
            promise(*at >= ' ' && *at <= '~', "texts can be printed");
    }
}

static void read_answer(const uint8_t *data, size_t size)
{
    bf_wire_answer_header header;
    size_t rest = 0;
    if (size < sizeof header)
        return;
    memcpy(&header, data, sizeof header);
    if (!bf_wire_answer_expect(&header, &rest))
        return;
    promise(rest <= BF_WIRE_RECORD_MAX, "an answer has a ceiling");
    if (rest > size - sizeof header)
        return;
    char *body = copy_rest(data + sizeof header, rest);
    if (header.kind == BF_WIRE_FAILURE)
        check_failure(&header, body);
    else if (header.kind == BF_WIRE_RECORD && bf_wire_record_check(body, rest, "id", NULL) == BF_OK)
        promise(rest > 2 && memmem(body, rest, "decision", 8) != NULL, "a record decides");
    else
        promise(header.kind == BF_WIRE_RECORD || rest == 0, "nothing follows the other kinds");
    bf_free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        read_job(data + 1, size - 1);
    else
        read_answer(data + 1, size - 1);
    return 0;
}
