/* The risk context as the caller writes it: {"risk_tier": "low|medium|high", "device_signals": ["emulator", ...],
 * "document_confidence": 0..1, "retry_count": 0.., "uncertain_count": 0..retry_count, "previous_failures": 0..}; every
 * key may be left out. Without "uncertain_count" every attempt counts as one that was judged but not clear. */
#ifndef BF_RECORD_CONTEXT_H
#define BF_RECORD_CONTEXT_H

#include "policy/policy.h"
#include "record/parse.h"

/* Nothing known: low risk, no signals, unknown document confidence, first attempt. */
bf_risk_context bf_context_default(void);

/* Parses JSON text; `name` stands in messages. Confidence is rounded to 6 decimals, so that the record repeats it
 * exactly. INVALID_ARGUMENT or OUT_OF_MEMORY; *ret is then untouched. Any thread. */
bf_status bf_context_parse(const void *json, size_t size, const char *name, bf_risk_context *ret, bf_error *err);

/* The same from an object that is already parsed. */
bf_status bf_context_read(const json_t *object, const char *name, bf_risk_context *ret, bf_error *err);

#endif
