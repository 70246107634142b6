/* Names and descriptions of the generated codes. */
#ifndef BF_BASE_WORDS_H
#define BF_BASE_WORDS_H

#include <stdbool.h>

#include "bonafide/decision.h"
#include "bonafide/words.h"

/* HTTP status that goes with a status; 500 for an unknown number. */
int bf_status_http(bf_status status);
/* Whether the reason names evidence that weighed against the person, rather than what the policy went by. */
bool bf_reason_is_evidence(bf_reason code);
/* What to say when a measure fails the gate. */
bf_guidance bf_measure_guidance(bf_measure_id id);

#define BF_CHANNEL_COUNT ((int)BF_CHANNEL_KIOSK + 1)
/* By bf_channel, with a NULL behind them. */
extern const char *const BF_CHANNEL_WORDS[];
/* "unknown" for a number that is no channel. */
const char *bf_channel_name(bf_channel channel);
/* The channel of that name; false (and *ret untouched) when there is none. */
bool bf_channel_from_name(const char *name, bf_channel *ret);

/* The status of a name; BF_INTERNAL for a name that nobody knows, and for NULL. */
bf_status bf_status_from_name(const char *name);

#endif
