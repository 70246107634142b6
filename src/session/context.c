/* What is known about the risk: from the caller, and from what the server has counted. */
#include <string.h>

#include "base/error.h"
#include "record/context.h"
#include "session/internal.h"

#define COUNT_MAX 1000000 /* as record/context.c allows */

static bool holds(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    }
    return false;
}

/* Appends the signals of `from` that the list does not hold. */
static bf_status add_signals(json_t *list, const json_t *from, bf_error *err)
{
    const json_t *signals = json_object_get(from, "device_signals");
    for (size_t i = 0; i < json_array_size(signals); i++) {
        const char *text = json_string_value(json_array_get(signals, i));
        if (!text || holds(list, text))
            continue;
        if (json_array_size(list) == BF_CALLER_SIGNALS_MAX)
            return bf_fail(err, BF_INVALID_REQUEST,
                           "device_context and risk_context name more than %d device_signals together.",
                           BF_CALLER_SIGNALS_MAX);
        if (json_array_append_new(list, json_string(text)) != 0)
            return bf_fail_memory(err);
    }
    return BF_OK;
}

static bf_status join(json_t *context, json_t *about, const json_t *risk, const json_t *device, bf_error *err)
{
    json_t *signals = json_array();
    if (!context || !about || !signals) {
        json_decref(signals);
        return bf_fail_memory(err);
    }
    bf_status status = add_signals(signals, risk, err);
    if (status == BF_OK)
        status = add_signals(signals, device, err);
    (void)json_object_del(about, "device_signals");
    if (json_object_set_new(context, "device_signals", signals) != 0 && status == BF_OK)
        status = bf_fail_memory(err);
    bf_risk_context checked;
    if (status == BF_OK)
        status = bf_context_read(context, "risk_context", &checked, err);
    if (status == BF_INVALID_ARGUMENT && err)
        err->status = BF_INVALID_REQUEST;
    return status == BF_INVALID_ARGUMENT ? BF_INVALID_REQUEST : status;
}

bf_status bf_risk_join(const json_t *risk, const json_t *device, json_t **ret, bf_error *err)
{
    json_t *context = risk ? json_deep_copy(risk) : json_object();
    json_t *about = device ? json_deep_copy(device) : json_object();
    bf_status status = join(context, about, risk, device, err);
    json_t *joined = status == BF_OK ? json_pack("{sOsO}", "context", context, "device", about) : NULL;
    json_decref(context);
    json_decref(about);
    if (status == BF_OK && !joined)
        return bf_fail_memory(err);
    if (status == BF_OK)
        *ret = joined;
    return status;
}

bf_status bf_risk_of_session(const bf_session *session, bf_risk_context *ret, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *joined = NULL;
    *ret = bf_context_default();
    if (!session->risk)
        return BF_OK;
    bf_status status = bf_json_parse(session->risk, strlen(session->risk), "risk", &joined, err);
    const json_t *context = json_object_get(joined, "context");
    return status == BF_OK && context ? bf_context_read(context, "risk", ret, err) : status;
}

static int sum(const json_t *given, int counted)
{
    json_int_t total = json_integer_value(given) + counted;
    return total > COUNT_MAX ? COUNT_MAX : (int)total;
}

static bool add_counts(json_t *context, const bf_risk_counts *counts)
{
    int failures = sum(json_object_get(context, "previous_failures"), counts->failures);
    return json_object_set_new(context, "retry_count", json_integer(counts->attempts)) == 0 &&
           json_object_set_new(context, "uncertain_count", json_integer(counts->uncertain)) == 0 &&
           json_object_set_new(context, "previous_failures", json_integer(failures)) == 0;
}

static bool add_own_signal(json_t *context, const char *signal)
{
    json_t *list = json_object_get(context, "device_signals");
    if (!list && json_object_set_new(context, "device_signals", json_array()) != 0)
        return false;
    list = json_object_get(context, "device_signals");
    if (holds(list, signal))
        return true;
    return json_array_append_new(list, json_string(signal)) == 0;
}

bf_status bf_risk_text(const json_t *joined, const bf_risk_counts *counts, const char *signal, char **ret,
                       bf_error *err)
{
    const json_t *given = json_object_get(joined, "context");
    json_t *context = given ? json_deep_copy(given) : json_object();
    if (!context || (counts && !add_counts(context, counts)) || (signal && !add_own_signal(context, signal))) {
        json_decref(context);
        return bf_fail_memory(err);
    }
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_text_put(&text, NULL, context);
    return bf_text_take_string(&text, ret, err);
}
