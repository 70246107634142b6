/* Writes everything that the audit log can be verified by as lines of JSON; audit/verify.h reads them. */
#ifndef BF_AUDIT_EXPORT_H
#define BF_AUDIT_EXPORT_H

#include "audit/log.h"

/* Takes some whole lines; what it returns but BF_OK ends the export. */
typedef bf_status bf_export_fn(void *context, const void *lines, size_t size, bf_error *err);

/* Reads page by page, each in a snapshot of its own, so that the server goes on; the last page and the head are of one
 * snapshot. Rows are exported as they are, however damaged. Errors of the store and of `write`, OUT_OF_MEMORY. */
bf_status bf_audit_export(bf_store *store, const bf_log_key *key, bf_export_fn *write, void *context, bf_error *err);

#endif
