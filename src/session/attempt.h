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
    const char *seen_as; /* "seen_before", "seen_similar": a signal that the judgement has to know; NULL: none */
    bool told;           /* it does */
    bool judge_again;    /* nothing was decided, because it does not know yet */
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

/* seen.c; in a write transaction: the signal for a capture that another attempt brought, or nearly; NULL for a new one.
 * And remembers it. */
bf_status bf_seen_find(bf_db *db, const bf_attempt *attempt, const char **ret_signal, bf_error *err);
bf_status bf_seen_keep(bf_db *db, const bf_attempt *attempt, bf_error *err);
/* seen_look.c, the parts of them that go by looks. */
bf_status bf_seen_find_similar(bf_db *db, const bf_attempt *attempt, int64_t since_ms, bool *ret, bf_error *err);
bf_status bf_seen_keep_look(bf_db *db, const bf_attempt *attempt, bf_error *err);

/* The error of a refused attempt. */
bf_status bf_attempt_fail_refused(const bf_attempt *attempt, bf_error *err);

#endif
