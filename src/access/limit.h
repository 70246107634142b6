/* Rate limits: token buckets in the store, so replicas share them. So that a request need not cost a write, a replica
 * takes a small lot of tokens out of a large bucket at once and spends it by itself within a second; small buckets are
 * counted one by one. */
#ifndef BF_ACCESS_LIMIT_H
#define BF_ACCESS_LIMIT_H

#include "store/store.h"

typedef struct bf_rate {
    double per_second; /* refill; 0: no limit */
    double burst;      /* size of the bucket, at least 1 */
} bf_rate;

typedef struct bf_limiter bf_limiter;

bf_status bf_limiter_new(bf_store *store, bf_limiter **ret, bf_error *err);
void bf_limiter_free(bf_limiter **limiter);

/* Takes one token of bucket `name` ("key:ID", "subject:HASH", "address:HASH"; the caller hashes what names a person).
 * RATE_LIMITED with *ret_retry_after_s (1..3600) when there is none; STORE_UNAVAILABLE. Any thread. */
bf_status bf_limiter_take(bf_limiter *limiter, const char *name, bf_rate rate, int64_t now_ms, int *ret_retry_after_s,
                          bf_error *err);

#endif
