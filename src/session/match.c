/* The outcome of a comparison. Its record speaks of a liveness that nobody asked about, so the answer is made of the
 * parts that are about the two faces. */
#include <string.h>

#include "base/error.h"
#include "base/words.h"
#include "session/internal.h"

static bool is_compared(const json_t *match)
{
    const char *outcome = json_string_value(json_object_get(match, "outcome"));
    return outcome && (strcmp(outcome, "strong") == 0 || strcmp(outcome, "weak") == 0 || strcmp(outcome, "none") == 0);
}

static void put_part(bf_text *text, const json_t *record, const char *key)
{
    json_t *value = json_object_get(record, key);
    bf_text_put(text, key, value ? json_incref(value) : json_null());
}

static json_t *error_of(bf_status status)
{
    return json_pack("{ss ss sb sn}", "code", bf_status_name(status), "message", bf_status_text(status), "retryable",
                     bf_status_retryable(status), "hint");
}

/* What kept the faces from being compared: the portrait, or else the picture. */
static bf_status put_error(bf_text *text, const json_t *record, bool compared)
{
    const char *problem = json_string_value(json_object_get(json_object_get(record, "match"), "problem"));
    bf_status portrait = problem ? bf_status_from_name(problem) : BF_OK;
    if (compared)
        bf_text_raw(text, "error", NULL);
    else if (problem)
        bf_text_put(text, "error", error_of(portrait));
    else
        put_part(text, record, "error");
    return compared ? BF_OK : portrait;
}

bf_status bf_match_answer(const bf_call *call, const bf_judgement *judgement, bf_answer *ret, bf_error *err)
{
    const json_t *record = judgement->parsed;
    const json_t *match = json_object_get(record, "match");
    bool compared = is_compared(match);
    bool broken = strcmp(bf_status_family(judgement->code), "input") == 0;
    const char *status_word = broken ? "error" : "could_not_judge";
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_text_open(&text, NULL);
    bf_text_put(&text, "success", json_boolean(compared));
    bf_text_put(&text, "status", json_string(compared ? "ok" : status_word));
    bf_text_put(&text, "request_id", json_string(call->request_id));
    put_part(&text, record, "match");
    bf_status code = put_error(&text, record, compared);
    put_part(&text, record, "input");
    put_part(&text, record, "reference");
    put_part(&text, record, "versions");
    put_part(&text, record, "latency_ms");
    bf_status status = bf_answer_end(&text, 200, ret, err);
    if (status != BF_OK)
        return status;
    ret->code = compared || code != BF_OK ? code : judgement->code;
    ret->queue_ms = judgement->queue_ms;
    return BF_OK;
}
