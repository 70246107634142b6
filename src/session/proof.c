/* The audit log, as its readers see it. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/error.h"
#include "session/internal.h"

typedef struct log_look {
    const bf_service *service;
    const bf_call *call;
    bf_answer answer;
} log_look;

static void log_look_done(log_look *at)
{
    bf_answer_done(&at->answer);
}

static json_t *hash_text(const bf_hash *hash)
{
    char base64[sodium_base64_ENCODED_LEN(BF_HASH_SIZE, sodium_base64_VARIANT_ORIGINAL)];
    return json_string(
        sodium_bin2base64(base64, sizeof base64, hash->byte, sizeof hash->byte, sodium_base64_VARIANT_ORIGINAL));
}

static bf_status write_growth(bf_db *db, const bf_call *call, bf_text *text, bf_error *err)
{
    const json_t *since = json_object_get(call->body, "since");
    if (!json_is_integer(since)) {
        bf_text_raw(text, "growth", NULL);
        return BF_OK;
    }
    bf_proof proof = {.count = 0};
    bf_checkpoint now;
    bf_status status = BF_OK;
    if (json_integer_value(since) > 0) /* of the empty tree every tree is a continuation */
        status = bf_audit_prove_growth(db, json_integer_value(since), &proof, &now, err);
    if (status == BF_NOT_FOUND || status == BF_INVALID_ARGUMENT)
        return bf_fail(err, BF_INVALID_REQUEST, "since: the log has fewer leaves than that.");
    bf_text_open_list(text, "growth");
    for (int i = 0; i < proof.count; i++)
        bf_text_put(text, NULL, hash_text(&proof.hash[i]));
    bf_text_close_list(text);
    return status;
}

static bf_status read_checkpoint(bf_db *db, void *context, bf_error *err)
{
    log_look *at = context;
    log_look_done(at);
    BF_CLEANUP(bf_free_string) char *note = NULL;
    bf_status status = bf_audit_checkpoint(db, &note, err);
    bf_checkpoint checkpoint = {.size = 0};
    if (status == BF_OK && note[0])
        status = bf_note_verify(at->service->parts.log_key, note, strlen(note), &checkpoint, err);
    if (status != BF_OK)
        return status;
    char verifier_key[BF_VERIFIER_KEY_SIZE];
    bf_log_verifier_key(at->service->parts.log_key, verifier_key);
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_answer_begin(&text, at->call);
    bf_text_put(&text, "size", json_integer(checkpoint.size));
    bf_text_put(&text, "checkpoint", json_string(note));
    bf_text_put(&text, "verifier_key", json_string(verifier_key));
    status = write_growth(db, at->call, &text, err);
    return status == BF_OK ? bf_answer_end(&text, 200, &at->answer, err) : status;
}

static bf_status read_proof(bf_db *db, void *context, bf_error *err)
{
    log_look *at = context;
    log_look_done(at);
    char *end = NULL;
    long long index = strtoll(at->call->id, &end, 10);
    if (end == at->call->id || *end || index < 0)
        return bf_fail(err, BF_INVALID_REQUEST, "n: a number from 0 is expected.");
    BF_CLEANUP(bf_audit_proof_done) bf_audit_proof proof = {0};
    bf_status status = bf_audit_prove(db, index, &proof, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_answer_begin(&text, at->call);
    bf_text_put(&text, "proof", bf_audit_proof_json(&proof));
    return bf_answer_end(&text, 200, &at->answer, err);
}

static bf_status answer(bf_service *service, bf_store_fn *read, const bf_call *call, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(log_look_done) log_look at = {.service = service, .call = call};
    bf_status status = bf_store_read(service->parts.store, read, &at, err);
    if (status != BF_OK)
        return status;
    *ret = at.answer;
    at.answer = (bf_answer){0};
    return BF_OK;
}

bf_status bf_service_audit_checkpoint(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    return answer(service, read_checkpoint, call, ret, err);
}

bf_status bf_service_audit_proof(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    return answer(service, read_proof, call, ret, err);
}
