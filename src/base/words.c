#include "base/words.h"

#include <stddef.h>
#include <string.h>

typedef struct status_row {
    bf_status status;
    const char *name;
    bool retryable;
    int http;
    const char *family;
    const char *text;
} status_row;

static const status_row STATUSES[] = {
#define BF_ERROR_ROW(status, name, retryable, http, family, text) {status, name, retryable, http, family, text},
#include "base/codes.inc"
#undef BF_ERROR_ROW
};

typedef struct word_row {
    const char *name;
    const char *text;
    bf_guidance guidance;
} word_row;

static const word_row MEASURES[BF_MEASURE_COUNT] = {
#define BF_MEASURE_ROW(id, name, unit, guidance) [id] = {name, unit, guidance},
#include "base/codes.inc"
#undef BF_MEASURE_ROW
};

static const word_row GUIDANCES[BF_GUIDANCE_COUNT] = {
#define BF_GUIDANCE_ROW(id, name, text) [id] = {name, text, id},
#include "base/codes.inc"
#undef BF_GUIDANCE_ROW
};

static const word_row REASONS[BF_REASON_COUNT] = {
#define BF_REASON_ROW(id, name, text) [id] = {name, text, 0},
#include "base/codes.inc"
#undef BF_REASON_ROW
};

static const status_row *status_find(bf_status status)
{
    for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
        if (STATUSES[i].status == status)
            return &STATUSES[i];
    }
    return NULL;
}

static const word_row *word_at(const word_row *rows, int count, int index)
{
    static const word_row unknown = {"UNKNOWN", "", 0};
    return index >= 0 && index < count ? &rows[index] : &unknown;
}

static bool word_find(const word_row *rows, int count, const char *name, int *ret)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

const char *bf_version(void)
{
    return BF_VERSION;
}

const char *bf_version_build(void)
{
    return BF_BUILD;
}

const char *bf_status_name(bf_status status)
{
    const status_row *row = status_find(status);
    return row ? row->name : "UNKNOWN";
}

bf_status bf_status_from_name(const char *name)
{
    for (size_t i = 0; name && i < sizeof STATUSES / sizeof *STATUSES; i++) {
        if (strcmp(STATUSES[i].name, name) == 0)
            return STATUSES[i].status;
    }
    return BF_INTERNAL;
}

bool bf_status_retryable(bf_status status)
{
    const status_row *row = status_find(status);
    return row && row->retryable;
}

const char *bf_status_text(bf_status status)
{
    const status_row *row = status_find(status);
    return row ? row->text : "";
}

const char *bf_status_family(bf_status status)
{
    const status_row *row = status_find(status);
    return row ? row->family : "internal";
}

int bf_status_http(bf_status status)
{
    const status_row *row = status_find(status);
    return row ? row->http : 500;
}

const char *bf_measure_name(bf_measure_id id)
{
    return word_at(MEASURES, BF_MEASURE_COUNT, (int)id)->name;
}

const char *bf_measure_unit(bf_measure_id id)
{
    return word_at(MEASURES, BF_MEASURE_COUNT, (int)id)->text;
}

bf_guidance bf_measure_guidance(bf_measure_id id)
{
    return word_at(MEASURES, BF_MEASURE_COUNT, (int)id)->guidance;
}

bool bf_measure_from_name(const char *name, bf_measure_id *ret)
{
    int index = 0;
    bool found = word_find(MEASURES, BF_MEASURE_COUNT, name, &index);
    if (found)
        *ret = (bf_measure_id)index;
    return found;
}

const char *bf_guidance_name(bf_guidance code)
{
    return word_at(GUIDANCES, BF_GUIDANCE_COUNT, (int)code)->name;
}

const char *bf_guidance_text(bf_guidance code)
{
    return word_at(GUIDANCES, BF_GUIDANCE_COUNT, (int)code)->text;
}

bool bf_guidance_from_name(const char *name, bf_guidance *ret)
{
    int index = 0;
    bool found = word_find(GUIDANCES, BF_GUIDANCE_COUNT, name, &index);
    if (found)
        *ret = (bf_guidance)index;
    return found;
}

const char *bf_reason_name(bf_reason code)
{
    return word_at(REASONS, BF_REASON_COUNT, (int)code)->name;
}

const char *bf_reason_text(bf_reason code)
{
    return word_at(REASONS, BF_REASON_COUNT, (int)code)->text;
}

bool bf_reason_is_evidence(bf_reason code)
{
    return strncmp(bf_reason_name(code), "EVIDENCE_", 9) == 0;
}

bool bf_reason_from_name(const char *name, bf_reason *ret)
{
    int index = 0;
    bool found = word_find(REASONS, BF_REASON_COUNT, name, &index);
    if (found)
        *ret = (bf_reason)index;
    return found;
}

const char *const BF_CHANNEL_WORDS[] = {[BF_CHANNEL_UNSPECIFIED] = "unspecified",
                                        [BF_CHANNEL_ANDROID_APP] = "android_app",
                                        [BF_CHANNEL_IOS_APP] = "ios_app",
                                        [BF_CHANNEL_MOBILE_WEB] = "mobile_web",
                                        [BF_CHANNEL_DESKTOP_WEB] = "desktop_web",
                                        [BF_CHANNEL_KIOSK] = "kiosk",
                                        NULL};

const char *bf_channel_name(bf_channel channel)
{
    return (int)channel >= 0 && (int)channel < BF_CHANNEL_COUNT ? BF_CHANNEL_WORDS[channel] : "unknown";
}

bool bf_channel_from_name(const char *name, bf_channel *ret)
{
    for (int i = 0; i < BF_CHANNEL_COUNT; i++) {
        if (strcmp(BF_CHANNEL_WORDS[i], name) == 0) {
            *ret = (bf_channel)i;
            return true;
        }
    }
    return false;
}
