/* Rate limits: token buckets in the store, so replicas share them. So that a request need not cost a write, a replica
 * takes a small lot of tokens out of a large bucket at once and spends it by itself; small buckets are counted one by
 * one. That a bucket is empty is remembered too, so refusing costs no write either.
 *
 * In any span of t seconds, at most burst + per_second * t + replicas * lot requests pass, where the lot is a tenth of
 * the burst or of what flows in within a second, whichever is less. Tokens that a replica holds when it ends are lost.
 * A clock that is set back takes nothing from a bucket and adds nothing to it. */
#ifndef BF_ACCESS_LIMIT_H
#define BF_ACCESS_LIMIT_H

#include "store/store.h"

#define BF_LIMIT_NAME_MAX 128        /* a bucket's name, with its NUL */
#define BF_LIMIT_RETRY_MAX_S 3600    /* the longest wait that is told */
#define BF_LIMIT_LOT_SHARE 10        /* lot: this part of the bucket */
#define BF_LIMIT_BUCKETS_LOCAL 2048u /* about which a replica remembers something; the rest costs writes */

typedef struct bf_rate {
    double per_second; /* refill; 0: no limit */
    double burst;      /* size of the bucket, at least 1 */
} bf_rate;

typedef struct bf_limiter bf_limiter;

/* The store is borrowed for the limiter's life. The caller frees *ret. OUT_OF_MEMORY, INTERNAL. */
bf_status bf_limiter_new(bf_store *store, bf_limiter **ret, bf_error *err);
/* When no thread uses it any more; accepts NULL. */
void bf_limiter_free(bf_limiter **limiter);

/* Takes one token of bucket `name` ("key:ID", "subject:HASH", "address:HASH"; the caller hashes what names a person).
 * RATE_LIMITED with *ret_retry_after_s (1..3600) when there is none; STORE_UNAVAILABLE; INVALID_ARGUMENT (the name).
 * Any thread. */
bf_status bf_limiter_take(bf_limiter *limiter, const char *name, bf_rate rate, int64_t now_ms, int *ret_retry_after_s,
                          bf_error *err);

/* Tokens that a replica takes at once; 1 for small buckets. */
int bf_limiter_lot(bf_rate rate);

/* One bucket by itself, without store. */
typedef struct bf_bucket {
    int64_t millitokens, updated_ms;
} bf_bucket;

bf_bucket bf_bucket_full(bf_rate rate, int64_t now_ms);
/* Lets in what flowed since; then takes up to `want` whole tokens and returns how many. 0: none, and *ret_wait_ms is
 * how long until there is one (at most an hour is told). */
int bf_bucket_take(bf_bucket *bucket, bf_rate rate, int64_t now_ms, int want, int64_t *ret_wait_ms);
/* When it will be full if nothing is taken. */
int64_t bf_bucket_full_ms(const bf_bucket *bucket, bf_rate rate);

#endif
