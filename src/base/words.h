/* Names and descriptions of the generated codes. */
#ifndef BF_BASE_WORDS_H
#define BF_BASE_WORDS_H

#include <stdbool.h>

#include "bonafide/status.h"

/* Each returns static text; an unknown number gives "UNKNOWN" or "". */
const char *bf_status_text(bf_status status);   /* one sentence */
const char *bf_status_family(bf_status status); /* "input", "quality", "reference", "model", ... */
int bf_status_http(bf_status status);
const char *bf_measure_name(bf_measure_id id);
const char *bf_measure_unit(bf_measure_id id);
bf_guidance bf_measure_guidance(bf_measure_id id);
bool bf_measure_from_name(const char *name, bf_measure_id *ret);
const char *bf_guidance_name(bf_guidance code);
const char *bf_guidance_text(bf_guidance code); /* English */
bool bf_guidance_from_name(const char *name, bf_guidance *ret);
const char *bf_reason_name(bf_reason code);
const char *bf_reason_text(bf_reason code);
bool bf_reason_from_name(const char *name, bf_reason *ret);

#endif
