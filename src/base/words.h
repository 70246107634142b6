/* Names and descriptions of the generated codes. */
#ifndef BF_BASE_WORDS_H
#define BF_BASE_WORDS_H

#include <stdbool.h>

#include "bonafide/words.h"

/* HTTP status that goes with a status; 500 for an unknown number. */
int bf_status_http(bf_status status);
/* What to say when a measure fails the gate. */
bf_guidance bf_measure_guidance(bf_measure_id id);

#endif
