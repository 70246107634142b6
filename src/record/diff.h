/* What differs between two record documents. */
#ifndef BF_RECORD_DIFF_H
#define BF_RECORD_DIFF_H

#include <jansson.h>

#include "bonafide/replay.h"

/* Compares two parsed records. Left out: everything that is measured in milliseconds, the request id, and the
 * geometry of diagnostics, which is only there when it was asked for. The caller frees *ret. */
bf_status bf_record_diff(const json_t *recorded, const json_t *now, bf_differences **ret, bf_error *err);

#endif
