/* What the service does, apart from HTTP: one function for each operation of the API. It is the sole writer of sessions
 * and decisions. Every answer is durable before it is returned. */
#ifndef BF_SESSION_SERVICE_H
#define BF_SESSION_SERVICE_H

#include <jansson.h>

#include "access/access.h"
#include "access/idempotency.h"
#include "access/limit.h"
#include "access/master.h"
#include "audit/log.h"
#include "monitor/metrics.h"
#include "notify/webhook.h"
#include "policy/policy.h"
#include "store/store.h"
#include "vault/vault.h"
#include "worker/pool.h"

typedef struct bf_service bf_service;

typedef struct bf_service_settings {
    int token_s;      /* life of a client token; 0: 180 */
    int session_s;    /* longest life of a session, retries included; 0: 900 */
    int attempts_max; /* of one session, whatever the policy says; 0: 10 */
    int job_ms_max;   /* as the pool's; 0: BF_POOL_JOB_MS. A claim on an attempt lapses 30 s after that */
    int review_days;  /* how long media kept for review stays; 0: 30 */
    int seen_days;    /* how long a capture is known again; 0: captures are not remembered */
    bool allow_http_webhooks;
    bf_rate per_subject; /* sessions of one subject; per_second 0: no limit */
} bf_service_settings;

/* What the service works with; all borrowed for its life. */
typedef struct bf_service_parts {
    bf_store *store;
    bf_pool *pool;
    bf_vault *vault;
    bf_limiter *limiter;
    bf_metrics *metrics;
    bf_notifier *notifier; /* may be NULL: webhooks stay in the store */
    const bf_master *master;
    const bf_log_key *log_key; /* the audit log's, for its public part */
    const char *data_dir;      /* its policies/ are read for names and retry caps */
} bf_service_parts;

bf_status bf_service_new(const bf_service_parts *parts, const bf_service_settings *settings, bf_service **ret,
                         bf_error *err);
void bf_service_free(bf_service **service);

/* Reads the policies anew (after bf_pool_reload) and appends to the audit log when they are others than before; `actor`
 * as in bf_audit_entry. Also called at the start. */
bf_status bf_service_policies(bf_service *service, const char *actor, bf_error *err);

/* Whether a journey of this name exists. */
bool bf_service_has_flow(const bf_service *service, const char *flow);

/* One request, after authentication, signature, rate limit and schema validation. Borrowed for the call. */
typedef struct bf_call {
    const bf_principal *who;
    const char *request_id;      /* never NULL */
    const char *idempotency_key; /* NULL: none */
    uint8_t request_hash[32];    /* of method, path and body, for idempotency */
    int64_t now_ms;
    const char *id;             /* the parameter of the path; NULL when it has none */
    const json_t *body;         /* validated against the operation's schema, or the parameters of the query as an
                                   object ("since" as an integer); NULL when it takes none */
    const bf_region *image;     /* decoded from the body, whichever way it came; NULL: none */
    const bf_region *reference; /* NULL: none */
} bf_call;

/* An answer. Zero-initialise; free with bf_answer_done. */
typedef struct bf_answer {
    int http;          /* 200, 201, 422 ... */
    bf_bytes body;     /* JSON, unless `type` says otherwise */
    const char *type;  /* the body's media type, static text; NULL: application/json */
    bf_status code;    /* what the log and metrics say: BF_OK, or the record's error code */
    char decision[16]; /* for the log; "" when nothing was decided */
    double queue_ms;   /* for the log */
    int retry_after_s; /* 0: none */
    bool repeated;     /* the first answer of an idempotency key, given again */
} bf_answer;
void bf_answer_done(bf_answer *answer);

/* Each returns BF_OK with *ret filled, or an error that the caller puts into the envelope (ret->retry_after_s may be
 * set). The API's description (api/openapi.yaml) says what each takes and answers; the operation has the same name. */
typedef bf_status bf_operation(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err);
bf_operation bf_service_liveness, bf_service_match;
bf_operation bf_service_session_create, bf_service_session_get, bf_service_session_reference, bf_service_session_erase;
bf_operation bf_service_session_plan, bf_service_session_attempt, bf_service_session_media;
bf_operation bf_service_decision_get, bf_service_decision_erase;
bf_operation bf_service_audit_checkpoint, bf_service_audit_proof;

/* The kill switch, also for the command line; in a read and a write transaction. */
bf_status bf_kill_switch_read(bf_db *db, bool *ret, bf_error *err);
bf_status bf_kill_switch_write(bf_db *db, bool on, int64_t now_ms, const char *actor, bf_error *err);

/* Housekeeping, to be called every few seconds by each replica: ends sessions whose time is over, deletes old nonces,
 * idempotency keys and buckets, sweeps the vault. Bounded work per call. */
bf_status bf_service_tidy(bf_service *service, int64_t now_ms, bf_error *err);

#endif
