#include "record/context.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"

#define COUNT_MAX 1000000 /* attempts or failures; more than any session has */

bf_risk_context bf_context_default(void)
{
    return (bf_risk_context){.risk_tier = BF_RISK_LOW, .document_confidence = -1.0};
}

static bool is_signal_name(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length < BF_NAME_MAX && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static bf_status read_signals(const json_t *object, const char *name, bf_risk_context *context, bf_error *err)
{
    const json_t *list = json_object_get(object, "device_signals");
    if (!list || json_is_null(list))
        return BF_OK;
    if (!json_is_array(list))
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: 'device_signals' must be a list of texts.", name);
    size_t count = json_array_size(list);
    if (count > BF_DEVICE_SIGNALS_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: 'device_signals' has more than %d entries.", name,
                       BF_DEVICE_SIGNALS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !is_signal_name(text))
            return bf_fail(err, BF_INVALID_ARGUMENT,
                           "%s: each entry of 'device_signals' must be a name of a-z, 0-9 and _, shorter than %d.",
                           name, BF_NAME_MAX);
        memcpy(context->device_signals[i], text, strlen(text) + 1);
    }
    context->device_signal_count = (int)count;
    return BF_OK;
}

bf_status bf_context_read(const json_t *object, const char *name, bf_risk_context *ret, bf_error *err)
{
    static const char *const keys[] = {"risk_tier",   "device_signals",  "document_confidence",
                                       "retry_count", "uncertain_count", "previous_failures",
                                       NULL};
    const char *const tiers[] = {bf_risk_tier_name(BF_RISK_LOW), bf_risk_tier_name(BF_RISK_MEDIUM),
                                 bf_risk_tier_name(BF_RISK_HIGH), NULL};
    bf_risk_context context = bf_context_default();
    int tier = BF_RISK_LOW;
    bf_status status = bf_json_check_keys(object, name, keys, err);
    if (status == BF_OK)
        status = bf_json_get_choice(object, name, "risk_tier", tiers, &tier, err);
    if (status == BF_OK)
        status = read_signals(object, name, &context, err);
    if (status == BF_OK)
        status = bf_json_get_number(object, name, "document_confidence", 0.0, 1.0, &context.document_confidence, err);
    if (status == BF_OK)
        status = bf_json_get_integer(object, name, "retry_count", 0, COUNT_MAX, &context.retry_count, err);
    context.uncertain_count = context.retry_count;
    if (status == BF_OK)
        status = bf_json_get_integer(object, name, "uncertain_count", 0, COUNT_MAX, &context.uncertain_count, err);
    if (status == BF_OK && context.uncertain_count > context.retry_count)
        status =
            bf_fail(err, BF_INVALID_ARGUMENT, "%s: 'uncertain_count' must not be larger than 'retry_count'.", name);
    if (status == BF_OK)
        status = bf_json_get_integer(object, name, "previous_failures", 0, COUNT_MAX, &context.previous_failures, err);
    if (status != BF_OK)
        return status;
    context.risk_tier = (bf_risk_tier)tier;
    if (context.document_confidence >= 0.0)
        context.document_confidence = round(context.document_confidence * 1e6) / 1e6;
    *ret = context;
    return BF_OK;
}

bf_status bf_context_parse(const void *json, size_t size, const char *name, bf_risk_context *ret, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *root = NULL;
    bf_status status = bf_json_parse(json, size, name, &root, err);
    return status == BF_OK ? bf_context_read(root, name, ret, err) : status;
}
