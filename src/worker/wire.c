#include "worker/wire.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "capture/plan.h"
#include "record/parse.h"

#define JOB_MAGIC 0x4a424631u
#define ANSWER_MAGIC 0x41424631u

enum { FLAG_MATCH_ONLY = 1, FLAG_KILL_SWITCH = 2, FLAG_REFERENCE = 4, FLAGS_ALL = 7 };
enum { TEXT_REQUEST_ID, TEXT_FLOW, TEXT_CHANNEL, TEXT_CONTEXT, TEXT_PLAN, TEXTS };

_Static_assert(BF_WIRE_RECORD_MAX <= BF_JSON_BYTES_MAX, "an answer can be parsed");

static const size_t LENGTH_MAX[TEXTS] = {BF_WIRE_TEXT_MAX, BF_WIRE_TEXT_MAX, BF_WIRE_TEXT_MAX, BF_WIRE_CONTEXT_MAX,
                                         BF_PLAN_TEXT_MAX};
static const char *const TEXT_NAME[TEXTS] = {"request id", "journey", "channel", "risk context", "plan"};

bf_status bf_wire_job_write(const bf_wire_job *job, bf_bytes *ret, bf_error *err)
{
    const char *const text[TEXTS] = {job->request_id, job->flow, job->channel, job->context, job->plan};
    bf_wire_job_header header = {
        .magic = JOB_MAGIC, .media_size = job->media_size, .reference_size = job->reference_size};
    header.flags = (job->match_only ? FLAG_MATCH_ONLY : 0u) | (job->kill_switch ? FLAG_KILL_SWITCH : 0u) |
                   (job->has_reference ? FLAG_REFERENCE : 0u);
    size_t size = sizeof header;
    for (int i = 0; i < TEXTS; i++) {
        size_t length = text[i] ? strlen(text[i]) + 1 : 0;
        if (length > LENGTH_MAX[i])
            return bf_fail(err, BF_INVALID_ARGUMENT, "The %s is longer than %zu bytes.", TEXT_NAME[i],
                           LENGTH_MAX[i] - 1);
        header.length[i] = (uint32_t)length;
        size += length;
    }
    if (job->media_size > BF_WIRE_MEDIA_MAX || job->reference_size > BF_WIRE_MEDIA_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A file is larger than %zu bytes.", BF_WIRE_MEDIA_MAX);
    uint8_t *at = bf_malloc(size);
    if (!at)
        return bf_fail_memory(err);
    *ret = (bf_bytes){at, size};
    memcpy(at, &header, sizeof header);
    at += sizeof header;
    for (int i = 0; i < TEXTS; i++) {
        if (text[i])
            memcpy(at, text[i], header.length[i]);
        at += header.length[i];
    }
    return BF_OK;
}

bool bf_wire_job_expect(const bf_wire_job_header *header, size_t *ret_size)
{
    bool reference = (header->flags & FLAG_REFERENCE) != 0;
    if (header->magic != JOB_MAGIC || (header->flags & ~(uint32_t)FLAGS_ALL) != 0 ||
        header->media_size > BF_WIRE_MEDIA_MAX || header->reference_size > BF_WIRE_MEDIA_MAX ||
        (header->reference_size > 0 && !reference) || header->length[TEXT_REQUEST_ID] == 0 || header->unused != 0)
        return false;
    size_t size = 0;
    for (int i = 0; i < TEXTS; i++) {
        if (header->length[i] > LENGTH_MAX[i])
            return false;
        size += header->length[i];
    }
    *ret_size = size;
    return true;
}

bool bf_wire_job_read(const bf_wire_job_header *header, const char *texts, bf_wire_job *ret)
{
    const char *text[TEXTS] = {NULL};
    for (int i = 0; i < TEXTS; i++) {
        size_t length = header->length[i];
        if (length == 0)
            continue;
        if (strnlen(texts, length) != length - 1)
            return false;
        text[i] = texts;
        texts += length;
    }
    *ret = (bf_wire_job){
        .match_only = (header->flags & FLAG_MATCH_ONLY) != 0,
        .kill_switch = (header->flags & FLAG_KILL_SWITCH) != 0,
        .media_size = header->media_size,
        .has_reference = (header->flags & FLAG_REFERENCE) != 0,
        .reference_size = header->reference_size,
        .request_id = text[TEXT_REQUEST_ID],
        .flow = text[TEXT_FLOW],
        .channel = text[TEXT_CHANNEL],
        .context = text[TEXT_CONTEXT],
        .plan = text[TEXT_PLAN],
    };
    return true;
}

bf_wire_answer_header bf_wire_ready(void)
{
    return (bf_wire_answer_header){.magic = ANSWER_MAGIC, .kind = BF_WIRE_READY};
}

bf_wire_answer_header bf_wire_taken(void)
{
    return (bf_wire_answer_header){.magic = ANSWER_MAGIC, .kind = BF_WIRE_TAKEN};
}

bf_wire_answer_header bf_wire_record(size_t size)
{
    return (bf_wire_answer_header){.magic = ANSWER_MAGIC, .kind = BF_WIRE_RECORD, .length = {(uint32_t)size}};
}

bf_wire_answer_header bf_wire_failure(const bf_error *failure)
{
    return (bf_wire_answer_header){
        .magic = ANSWER_MAGIC,
        .kind = BF_WIRE_FAILURE,
        .status = (uint32_t)failure->status,
        .length = {(uint32_t)strlen(failure->message), (uint32_t)strlen(failure->hint),
                   (uint32_t)strlen(failure->detail)},
    };
}

size_t bf_wire_failure_texts(const bf_error *failure, char ret[BF_WIRE_FAILURE_MAX])
{
    return (size_t)snprintf(ret, BF_WIRE_FAILURE_MAX, "%s%s%s", failure->message, failure->hint, failure->detail);
}

bool bf_wire_answer_expect(const bf_wire_answer_header *header, size_t *ret_size)
{
    const uint32_t *length = header->length;
    if (header->magic != ANSWER_MAGIC)
        return false;
    *ret_size = (size_t)length[0] + length[1] + length[2];
    switch (header->kind) {
    case BF_WIRE_READY:
    case BF_WIRE_TAKEN:
        return *ret_size == 0;
    case BF_WIRE_RECORD:
        return length[0] > 0 && length[0] <= BF_WIRE_RECORD_MAX && length[1] == 0 && length[2] == 0;
    case BF_WIRE_FAILURE:
        return length[0] > 0 && length[0] < BF_ERROR_TEXT_SIZE && length[1] < BF_ERROR_TEXT_SIZE &&
               length[2] < BF_ERROR_TEXT_SIZE;
    default:
        return false;
    }
}

static void copy_printable(char *to, const char *from, size_t size)
{
    memcpy(to, from, size);
    for (size_t i = 0; i < size; i++) {
        if (to[i] < ' ' || to[i] > '~')
            to[i] = '?';
    }
    to[size] = '\0';
}

bool bf_wire_failure_read(const bf_wire_answer_header *header, const char *texts, bf_error *ret)
{
    const uint32_t *length = header->length;
    if (header->status != BF_INVALID_ARGUMENT && header->status != BF_OUT_OF_MEMORY && header->status != BF_INTERNAL)
        return false;
    *ret = (bf_error){.status = (bf_status)header->status};
    copy_printable(ret->message, texts, length[0]);
    copy_printable(ret->hint, texts + length[0], length[1]);
    copy_printable(ret->detail, texts + length[0] + length[1], length[2]);
    return true;
}

bf_status bf_wire_record_check(const char *json, size_t size, const char *request_id, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *root = NULL;
    bf_status status = bf_json_parse(json, size, "answer", &root, err);
    if (status != BF_OK)
        return status;
    const char *id = json_string_value(json_object_get(root, "request_id"));
    const json_t *decision = json_object_get(json_object_get(root, "decision"), "decision");
    if (!id || strcmp(id, request_id) != 0 || !json_is_string(decision))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The answer is no record of this request.");
    return BF_OK;
}
