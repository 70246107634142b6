/* Risk contexts and records are documents from outside. Whatever the bytes are, reading them ends; a context that is
 * accepted keeps its promises and survives being written into a record and read again; a record that is accepted can
 * be compared. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bonafide/replay.h"
#include "promise.h"
#include "record/context.h"
#include "record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_context(const bf_risk_context *risk)
{
    promise(risk->risk_tier >= BF_RISK_LOW && risk->risk_tier <= BF_RISK_HIGH, "the tier is one");
    promise(risk->document_confidence <= 1.0, "confidence is at most 1");
    promise(risk->uncertain_count >= 0 && risk->previous_failures >= 0, "counts are not negative");
    promise(risk->uncertain_count <= risk->retry_count, "an uncertain attempt is an attempt");
    promise(risk->device_signal_count >= 0 && risk->device_signal_count <= BF_DEVICE_SIGNALS_MAX, "signals are few");
    for (int i = 0; i < risk->device_signal_count; i++)
        promise(memchr(risk->device_signals[i], '\0', BF_NAME_MAX) != NULL, "signals end");
}

/* Reads the record's text; the caller frees the result. NULL when it is none. */
static bf_replay *read_record(const void *text, size_t size)
{
    bf_error err = {0};
    bf_replay *replay = NULL;
    bf_status status = bf_replay_read(text, size, "record", &replay, &err);
    promise((status == BF_OK) == (replay != NULL), "a record comes with success only");
    promise(status == BF_OK || err.message[0], "a failure says why");
    return replay;
}

static void read_context_again(const bf_replay *replay, bf_risk_context *ret)
{
    bf_request request = {.struct_size = sizeof request};
    bf_replay_request(replay, &request);
    promise(bf_context_parse(request.context_json, strlen(request.context_json), "again", ret, NULL) == BF_OK,
            "an accepted context is accepted again");
}

static bool same_context(const bf_risk_context *a, const bf_risk_context *b)
{
    bool same = a->risk_tier == b->risk_tier && a->document_confidence == b->document_confidence &&
                a->retry_count == b->retry_count && a->uncertain_count == b->uncertain_count &&
                a->previous_failures == b->previous_failures && a->device_signal_count == b->device_signal_count;
    for (int i = 0; same && i < a->device_signal_count; i++)
        same = strcmp(a->device_signals[i], b->device_signals[i]) == 0;
    return same;
}

static void write_and_read_again(const bf_risk_context *risk, bf_record *record)
{
    char *text = NULL;
    bf_risk_context again;
    record->request.risk = *risk;
    promise(bf_record_json(record, BF_JSON_GEOMETRY, &text, NULL) == BF_OK, "a record can be written");
    bf_replay *replay = read_record(text, strlen(text));
    promise(replay != NULL, "a record that was written can be read");
    read_context_again(replay, &again);
    promise(same_context(&again, risk), "a context survives its record");
    bf_differences *differences = NULL;
    promise(bf_replay_compare(replay, record, &differences, NULL) == BF_OK, "records can be compared");
    promise(bf_differences_count(differences) == 0, "a record does not differ from itself");
    bf_differences_free(&differences);
    bf_replay_free(&replay);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bf_record record;
    bf_risk_context risk;
    memset(&risk, 0, sizeof risk);
    if (bf_context_parse(data, size, "context", &risk, NULL) == BF_OK) {
        check_context(&risk);
        write_and_read_again(&risk, &record);
    }
    bf_replay *replay = read_record(data, size);
    if (replay) {
        bf_differences *differences = NULL;
        read_context_again(replay, &risk);
        check_context(&risk);
        promise(bf_replay_compare(replay, &record, &differences, NULL) == BF_OK, "records can be compared");
        for (int i = 0; i < bf_differences_count(differences); i++)
            promise(bf_differences_at(differences, i).path != NULL, "differences have a place");
        bf_differences_free(&differences);
    }
    bf_replay_free(&replay);
    return 0;
}
