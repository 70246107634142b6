/* Idempotency keys: a retried POST gets the first answer. */
#ifndef BF_ACCESS_IDEMPOTENCY_H
#define BF_ACCESS_IDEMPOTENCY_H

#include "access/access.h"
#include "base/bytes.h"

#define BF_IDEMPOTENCY_KEEP_MS (24LL * 3600 * 1000)
#define BF_IDEMPOTENCY_NAME_MAX 128 /* characters */

/* The same for begin and for what ends it: `claimed_until_ms` tells one try's claim from another's. */
typedef struct bf_idempotency {
    const char *name; /* the header's value, 1..128 characters of A-Z a-z 0-9 . _ : -; NULL: none was sent */
    const char *client;
    uint8_t request_hash[32];         /* of method, path and body */
    int64_t now_ms, claimed_until_ms; /* when another try may take over from one that never finished; after now_ms */
} bf_idempotency;

/* All inside a write transaction; without a name they do nothing.
 *
 * Begin: *ret_done tells that there is a first answer, which *ret_http and *ret_body (the caller's to free) repeat;
 * else the name is claimed. INVALID_REQUEST: not a name. IDEMPOTENCY_CONFLICT: the name belongs to another request.
 * IDEMPOTENCY_IN_PROGRESS: another try has the claim. */
bf_status bf_idempotency_begin(bf_db *db, const bf_idempotency *key, bool *ret_done, int *ret_http, bf_bytes *ret_body,
                               bf_error *err);
/* Finish: keeps the answer, in the transaction that makes its effect durable. `session_id` (may be NULL) is whose
 * erasure also erases it. IDEMPOTENCY_IN_PROGRESS: this try was so slow that another one took over; the transaction
 * must fail then, for the other try's effect is the one that counts. */
bf_status bf_idempotency_finish(bf_db *db, const bf_idempotency *key, int http, const void *body, size_t size,
                                const char *session_id, bf_error *err);
/* Gives the name up after a failure that may be retried; when another try took over, nothing. */
bf_status bf_idempotency_release(bf_db *db, const bf_idempotency *key, bf_error *err);
bf_status bf_idempotency_erase(bf_db *db, const char *session_id, bf_error *err);

#endif
