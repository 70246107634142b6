/* A whole service for tests: real store, vault, limiter, metrics and audit log; the judge is the test's own, so that
 * every decision and every failure can be had at will. */
#ifndef TEST_SUPPORT_SESSION_KIT_H
#define TEST_SUPPORT_SESSION_KIT_H

#include <stdatomic.h>

#include "session/internal.h"
#include "support/store_place.h"

/* What the judge does next. */
typedef struct kit_script {
    const char *decision, *reason, *guidance; /* guidance: one code, or NULL */
    bool not_judged;                          /* liveness was not */
    bf_status code;                           /* of the record's error; BF_OK: none */
    const char *problem;                      /* of the match; NULL: none */
    const char *fingerprint;                  /* of the capture, as JSON; NULL: none */
    const char *challenge;                    /* what came of the asked steps; NULL: a still */
    bool lit;                                 /* the face answered the light */
    bf_status fail;                           /* the pool's own failure; BF_OK: a record */
    void (*meanwhile)(void *context);         /* called while judging */
    void *meanwhile_context;
} kit_script;

typedef struct kit {
    test_store_place place;
    char dir[TEST_URL_SIZE]; /* keys and vault */
    bf_store *store;
    bf_master master;
    bf_log_key log_key;
    bf_vault *vault;
    bf_limiter *limiter;
    bf_metrics *metrics;
    bf_service *service;
    kit_script script;
    atomic_int judged;
    /* Of the last job. */
    char request_id[96], flow[64], channel[64], context[1024], plan[BF_PLAN_TEXT_MAX];
    bool had_reference, kill_switch;
    int64_t now_ms; /* the clock of every call */
    atomic_int requests;
    bool replica;
} kit;

/* Ends the test where something cannot be made. */
void kit_open(kit *k, const bf_service_settings *settings, bool postgres);
void kit_close(kit *k);
/* A second replica over the same store and vault: its own store connection, limiter and service. */
void kit_open_replica(kit *k, const kit *first, const bf_service_settings *settings);

/* Judges by a real pool from now on. */
void kit_use_pool(kit *k, bf_pool *pool);

/* Callers. */
extern const bf_principal KIT_BACK_END, KIT_OTHER_BACK_END, KIT_REVIEWER, KIT_AUDITOR, KIT_OPERATOR;
bf_principal kit_person(const char *session_id, int attempt);

/* One call. `body` is JSON text or NULL; the answer's body is parsed into *ret_body where it is JSON (may be NULL). */
typedef struct kit_request {
    const bf_principal *who;
    const char *id, *body, *idempotency_key, *request_id;
    const char *image, *reference;         /* text that stands for pictures; NULL: none */
    bf_bytes image_bytes, reference_bytes; /* or real ones; borrowed */
} kit_request;
bf_status kit_call(kit *k, bf_operation *operation, const kit_request *request, bf_answer *ret_answer,
                   json_t **ret_body, bf_error *err);

/* Opens a session; `more` is JSON members such as "\"mode\":\"hybrid\"", or "". */
void kit_create(kit *k, const char *more, char ret_id[BF_SESSION_ID_SIZE]);
/* An attempt by the person; returns the status, and the answer's word in `ret_answer` ("" on failure). */
bf_status kit_attempt(kit *k, const char *id, int token_attempt, char ret_answer[16]);
/* The row as it is. Free with bf_session_done. */
void kit_load(kit *k, const char *id, bf_session *ret);
/* Static SQL. $1 is the text; in the second, the number is $1 and the text $2. */
void kit_sql(kit *k, const char *sql, const char *value);
void kit_sql_number(kit *k, const char *sql, const char *value, int64_t number);
int64_t kit_count(kit *k, const char *sql, const char *value);
/* Leaves of the audit log of that kind that have `part` in them. */
int64_t kit_leaves(kit *k, const char *kind, const char *part);

/* Runs cmocka's tests over SQLite, and over PostgreSQL where there is one; their state is a kit with the standard
 * settings. Returns how many failed. */
struct CMUnitTest;
int kit_run_over_both(const char *name, const struct CMUnitTest *tests, size_t count);

#endif
