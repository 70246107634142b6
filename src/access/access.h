/* Who is asking, and may they. */
#ifndef BF_ACCESS_ACCESS_H
#define BF_ACCESS_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "store/store.h"

#define BF_KEY_ID_SIZE 24

typedef enum bf_access_role {
    BF_ACCESS_INTEGRATOR = 1, /* a client's back end: sessions, judgements, its own decisions */
    BF_ACCESS_REVIEWER = 2,   /* looks at its client's uncertain cases */
    BF_ACCESS_AUDITOR = 4,    /* reads decisions and proofs of all clients */
    BF_ACCESS_OPERATOR = 8,   /* runs the service: metrics, kill switch */
    BF_ACCESS_PERSON = 16     /* holds a session's token: may send captures to that session, nothing else */
} bf_access_role;

/* An authenticated caller. */
typedef struct bf_principal {
    bf_access_role role;
    char client[BF_NAME_MAX];     /* whose sessions and decisions these are */
    char key_id[BF_KEY_ID_SIZE];  /* of an API key; "" for a session token */
    char session_id[BF_NAME_MAX]; /* of a session token; "" for an API key */
    int attempt;                  /* the attempt that the token is for */
    bool must_sign;               /* requests with this key have to be signed */
} bf_principal;

/* Whether sessions and decisions of every client are open to the caller, or its own client's only. */
static inline bool bf_principal_sees_all(const bf_principal *who)
{
    return who->role == BF_ACCESS_AUDITOR || who->role == BF_ACCESS_OPERATOR;
}

/* Deletes what time has made useless: nonces that could not be used again anyway, idempotency keys older than
 * BF_IDEMPOTENCY_KEEP_MS, full rate buckets (a full bucket and none are the same). At most `limit` rows of each, so
 * that the transaction stays short. In a write transaction; to be called every few seconds (bf_service_tidy does). */
bf_status bf_access_tidy(bf_db *db, int64_t now_ms, int limit, bf_error *err);

#endif
