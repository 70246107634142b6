#include "evaluate/json.h"

#include <math.h>

#include "base/attr.h"
#include "base/error.h"

static void free_json(json_t **json)
{
    json_decref(*json);
}

json_t *bf_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *bf_json_integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *bf_json_span(bf_span span)
{
    return isnan(span.low) ? json_null() : json_pack("[oo]", bf_json_number(span.low), bf_json_number(span.high));
}

json_t *bf_json_rate(const bf_rate *rate)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "count", bf_json_integer(rate->count), "total",
                     bf_json_integer(rate->total), "value", bf_json_number(rate->value), "low",
                     bf_json_number(rate->low), "high", bf_json_number(rate->high));
}

json_t *bf_json_rate_by_person(const bf_rate *rate, bf_span by_person)
{
    json_t *json = bf_json_rate(rate);
    /* A missing value makes the object unusable, which json_pack further out notices. */
    if (!json || json_object_set_new(json, "by_person", bf_json_span(by_person)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

bool bf_json_append(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

json_t *bf_json_kept_if(bool good, json_t *value)
{
    if (good)
        return value;
    json_decref(value);
    return NULL;
}

bf_status bf_json_text(bf_bytes *ret, json_t *report, bf_error *err)
{
    BF_CLEANUP(free_json) json_t *owned = report;
    const size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(9);
    size_t size = owned ? json_dumpb(owned, NULL, 0, flags) : 0;
    uint8_t *text = size > 0 ? bf_malloc(size + 2) : NULL;
    if (!text || json_dumpb(owned, (char *)text, size, flags) != size) {
        bf_free(text);
        return bf_fail_memory(err);
    }
    text[size] = '\n';
    text[size + 1] = '\0';
    *ret = (bf_bytes){.data = text, .size = size + 1};
    return BF_OK;
}
