/* Points in time as a manifest writes them. */
#ifndef BF_DATASET_INSTANT_H
#define BF_DATASET_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

/* Reads "2026-03-01", "2026-03-01T12:30", "2026-03-01 12:30:59.25Z" or "...+02:00" (ISO 8601; without an offset: UTC)
 * as seconds since 1970. false, and *ret untouched, for anything else. */
bool bf_instant_parse(const char *text, int64_t *ret_s);

#endif
