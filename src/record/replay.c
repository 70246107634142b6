#include "bonafide/replay.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "record/context.h"
#include "record/diff.h"
#include "record/json.h"

struct bf_replay {
    json_t *record; /* the whole document */
    char *context;  /* its risk context as text, for the request */
    char *plan;     /* what was asked of the capture; NULL: nothing */
    const char *request_id;
    const char *flow;
    const char *channel;
    const char *media_sha256;
    const char *reference_sha256; /* NULL when there was no reference */
    bool full_evidence;
    bool mirror;
    bool kill_switch;
    int match_order; /* bf_match_order */
};

/* A record that is not one should say so plainly, whichever part is missing. */
static bf_status fail_not_a_record(const char *name, const char *key, bf_error *err)
{
    bf_fail(err, BF_INVALID_ARGUMENT, "%s: this is not a record of bonafide: '%s' is missing.", name, key);
    bf_fail_hint(err, "Give one JSON document as printed by 'bonafide check --json'.");
    return BF_INVALID_ARGUMENT;
}

static bf_status read_input(const json_t *root, const char *name, const char *key, const char **ret_sha256,
                            bf_error *err)
{
    const json_t *input = NULL;
    const char *hash = "";
    bf_status status = bf_json_get_object(root, name, key, &input, err);
    if (status == BF_OK && input)
        status = bf_json_get_text(input, name, "sha256", &hash, err);
    if (status != BF_OK || !input)
        return status;
    size_t length = strlen(hash);
    if (length != 0 && (length != 64 || strspn(hash, "0123456789abcdef") != 64))
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: '%s.sha256' is not a SHA-256 hash.", name, key);
    *ret_sha256 = hash;
    return BF_OK;
}

/* The caller frees *ret. */
static bf_status text_of(const json_t *value, char **ret, bf_error *err)
{
    size_t size = json_dumpb(value, NULL, 0, JSON_REAL_PRECISION(12));
    char *text = size > 0 ? bf_calloc(size + 1, 1) : NULL;
    if (!text || json_dumpb(value, text, size, JSON_REAL_PRECISION(12)) != size) {
        bf_free(text);
        return bf_fail_memory(err);
    }
    *ret = text;
    return BF_OK;
}

static bf_status read_request(bf_replay *replay, const json_t *request, const char *name, bf_error *err)
{
    static const char *const keys[] = {"flow",        "channel", "context", "full_evidence", "mirror", "match_order",
                                       "kill_switch", "plan",    NULL};
    static const char *const orders[] = {"after_liveness", "always", NULL}; /* as bf_match_order */
    const json_t *context = NULL, *plan = NULL;
    bf_risk_context checked;
    bf_status status = bf_json_check_keys(request, name, keys, err);
    if (status == BF_OK)
        status = bf_json_get_text(request, name, "flow", &replay->flow, err);
    if (status == BF_OK)
        status = bf_json_get_text(request, name, "channel", &replay->channel, err);
    if (status == BF_OK)
        status = bf_json_get_bool(request, name, "full_evidence", &replay->full_evidence, err);
    if (status == BF_OK)
        status = bf_json_get_bool(request, name, "mirror", &replay->mirror, err);
    if (status == BF_OK)
        status = bf_json_get_choice(request, name, "match_order", orders, &replay->match_order, err);
    if (status == BF_OK)
        status = bf_json_get_bool(request, name, "kill_switch", &replay->kill_switch, err);
    if (status == BF_OK)
        status = bf_json_get_object(request, name, "context", &context, err);
    if (status == BF_OK && !context)
        return fail_not_a_record(name, "request.context", err);
    if (status == BF_OK)
        status = bf_context_read(context, name, &checked, err);
    if (status != BF_OK)
        return status;
    status = text_of(context, &replay->context, err);
    if (status == BF_OK)
        status = bf_json_get_object(request, name, "plan", &plan, err);
    if (status == BF_OK && plan)
        status = text_of(plan, &replay->plan, err);
    return status;
}

static bf_status read_record(bf_replay *replay, const char *name, bf_error *err)
{
    static const char *const needed[] = {"decision", "versions", "input", "request"};
    const json_t *request = NULL;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (!json_is_object(json_object_get(replay->record, needed[i])))
            return fail_not_a_record(name, needed[i], err);
    }
    bf_status status = bf_json_get_text(replay->record, name, "request_id", &replay->request_id, err);
    if (status == BF_OK)
        status = read_input(replay->record, name, "input", &replay->media_sha256, err);
    if (status == BF_OK)
        status = read_input(replay->record, name, "reference", &replay->reference_sha256, err);
    if (status == BF_OK)
        status = bf_json_get_object(replay->record, name, "request", &request, err);
    if (status == BF_OK)
        status = read_request(replay, request, name, err);
    return status;
}

bf_status bf_replay_read(const void *json, size_t size, const char *name, bf_replay **ret_replay, bf_error *err)
{
    bf_replay *replay = bf_calloc(1, sizeof *replay);
    if (!replay)
        return bf_fail_memory(err);
    replay->media_sha256 = "";
    bf_status status = bf_json_parse(json, size, name, &replay->record, err);
    if (status == BF_OK)
        status = read_record(replay, name, err);
    if (status != BF_OK) {
        bf_replay_free(&replay);
        return status;
    }
    *ret_replay = replay;
    return BF_OK;
}

void bf_replay_free(bf_replay **replay)
{
    if (!replay || !*replay)
        return;
    json_decref((*replay)->record);
    bf_free((*replay)->context);
    bf_free((*replay)->plan);
    bf_free(*replay);
    *replay = NULL;
}

void bf_replay_request(const bf_replay *replay, bf_request *request)
{
    request->request_id = replay->request_id;
    request->flow = replay->flow;
    request->channel = replay->channel;
    request->context_json = replay->context;
    request->plan_json = replay->plan;
    request->full_evidence = replay->full_evidence;
    request->match_order = (bf_match_order)replay->match_order;
    request->kill_switch = replay->kill_switch;
}

bool bf_replay_mirror(const bf_replay *replay)
{
    return replay->mirror;
}

const char *bf_replay_media_sha256(const bf_replay *replay)
{
    return replay->media_sha256;
}

const char *bf_replay_reference_sha256(const bf_replay *replay)
{
    return replay->reference_sha256;
}

void bf_media_sha256(const void *media, size_t size, char ret_hex[65])
{
    bf_sha256_hex(media, size, ret_hex);
}

bf_status bf_replay_compare(const bf_replay *replay, const bf_record *now, bf_differences **ret, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *document = bf_record_build(now, 0);
    if (!document)
        return bf_fail_memory(err);
    return bf_record_diff(replay->record, document, ret, err);
}
