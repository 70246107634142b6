/* One attempt on its way: claimed in one transaction, judged outside of any, decided in another. Private to claim.c,
 * attempt.c and finish.c. */
#ifndef BF_SESSION_ATTEMPT_H
#define BF_SESSION_ATTEMPT_H

#include "session/internal.h"

typedef struct bf_attempt {
    bf_service *service;
    const bf_call *call;
    const bf_attempt_request *request;
    bf_once once;
    double started_ms; /* steady */
    char actor[BF_ACTOR_SIZE];
    char claim[BF_CLAIM_SIZE];
    bf_media_hashes hashes;

    /* What the claiming transaction found. */
    bool repeated; /* `answer` is the first answer to the same request */
    bf_admission refused;
    bool needs_hashes;   /* nothing was claimed: something is in quarantine, so the files' hashes have to be known */
    bool foreign, ended; /* another client's session; it ended by this look at it */
    bf_session session;
    int losses, failures;
    bool kill_switch;

    /* What the judgement brought. */
    bf_judgement judgement;
    bf_seen seen;
    bool seen_before; /* the judgement knows that the capture was seen before */
    bool judge_again; /* nothing was decided: it was seen before, and the judgement does not know */
    bf_outcome outcome;
    bf_vault_draft draft;
    bool has_draft;
    int64_t decided_ms;
    char decision_id[BF_DECISION_ID_SIZE];

    bf_answer answer;
} bf_attempt;

/* Write transactions; `context` is the bf_attempt. A refused attempt is BF_OK with `refused` filled, because what is
 * to be remembered of it has to be committed. */
bf_status bf_attempt_claim(bf_db *db, void *context, bf_error *err);
bf_status bf_attempt_finish(bf_db *db, void *context, bf_error *err);

/* seen.c; in a write transaction: whether another attempt brought this capture, or frames of it; remembers it. */
bf_status bf_seen_find(bf_db *db, const bf_attempt *attempt, bool *ret_before, bf_error *err);
bf_status bf_seen_keep(bf_db *db, const bf_attempt *attempt, bf_error *err);

/* The error of a refused attempt. */
bf_status bf_attempt_fail_refused(const bf_attempt *attempt, bf_error *err);

#endif
