/* The text of a leaf. Private to src/audit. */
#ifndef BF_AUDIT_LEAF_H
#define BF_AUDIT_LEAF_H

#include "audit/log.h"

/* Writes the leaf of that number as JSON on one line; `previous` is the hash of the leaf before, NULL for the first.
 * The time is the entry's. INTERNAL for facts that no leaf can hold. */
bf_status bf_leaf_write(const bf_audit_entry *entry, int64_t index, const bf_hash *previous,
                        char ret[BF_LEAF_BYTES_MAX], bf_error *err);

#endif
