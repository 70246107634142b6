/* A session as a row of the store, and what may happen to it. Private to src/session/. */
#ifndef BF_SESSION_SESSION_H
#define BF_SESSION_SESSION_H

#include "capture/plan.h"
#include "session/service.h"

#define BF_SESSION_ID_SIZE 40 /* "s_" and 32 hex digits */
#define BF_SESSION_NONCE_SIZE 32
#define BF_CLAIM_SIZE 33       /* 32 hex digits */
#define BF_DECISION_ID_SIZE 96 /* request id of a decision */
#define BF_ACTOR_SIZE 96       /* "session:ID" */
#define BF_RETAIN_SIZE 16      /* "none", "review", "days:30" */
#define BF_DAY_MS (24LL * 3600 * 1000)

typedef enum bf_session_state {
    BF_SESSION_CREATED,     /* nobody has sent a capture yet */
    BF_SESSION_IN_PROGRESS, /* an attempt was claimed */
    BF_SESSION_COMPLETED,   /* decided; the last three never change again */
    BF_SESSION_TIMED_OUT,   /* "EXPIRED" */
    BF_SESSION_CANCELLED
} bf_session_state;

const char *bf_session_state_name(bf_session_state state);

/* Zero-initialise; free with bf_session_done. Texts are NULL or "" where the store has NULL. */
typedef struct bf_session {
    char id[BF_SESSION_ID_SIZE], client[BF_NAME_MAX], key_id[BF_KEY_ID_SIZE];
    int64_t created_ms;
    int64_t expires_ms; /* of the token for the attempt `attempt` */
    int64_t ends_ms;
    bf_session_state state;
    char flow[BF_NAME_MAX], channel[BF_NAME_MAX], mode[16], retain[BF_RETAIN_SIZE];
    char *subject, *consent, *risk, *webhook; /* of the person or the caller: gone once erased */
    char *wish; /* what this person's captures leave out, as JSON (bf_capture_wish); NULL: nothing. Gone once erased */
    char *plan; /* of the attempt `attempt`, as bf_plan_write writes it; NULL: none was made */
    uint8_t nonce[BF_SESSION_NONCE_SIZE]; /* of that plan */
    bool active;                          /* the plans ask for steps from now on */
    int challenges;                       /* attempts that were answered with a challenge */
    int plans_changed;                    /* how often the person asked for another plan */
    int attempt; /* the one that is expected or under way, from 1; the last one when the session is over */
    int64_t claimed_until_ms;
    char claim[BF_CLAIM_SIZE]; /* who judges the attempt; "" for nobody */
    int quality_retries, uncertain_retries, replays;
    char reference_sha256[65];
    char decision[16], reason[48], decided_by[BF_DECISION_ID_SIZE];
    int64_t finished_ms, erased_ms; /* 0: not */
} bf_session;

void bf_session_done(bf_session *session); /* wipes */

/* Whether the session still takes attempts, as far as its state says. */
bool bf_session_is_open(const bf_session *session);
/* Whether somebody judges an attempt of it at `now_ms`. */
bool bf_session_is_claimed(const bf_session *session, int64_t now_ms);
/* Whether its time is over: nobody judges, and the token for the next attempt has ended. */
bool bf_session_is_due(const bf_session *session, int64_t now_ms);
int bf_session_attempts_made(const bf_session *session);

/* Reads a session; NOT_FOUND. */
bf_status bf_session_load(bf_db *db, const char *id, bf_session *ret, bf_error *err);
bf_status bf_session_insert(bf_db *db, const bf_session *session, bf_error *err);
/* Writes what changes in the life of a session (state, attempt, plan, claim, counts, outcome, times, reference). */
bf_status bf_session_update(bf_db *db, const bf_session *session, bf_error *err);

/* ---- admit.c: the state machine, pure ---- */

/* What becomes of an upload. */
typedef struct bf_admission {
    bf_status status; /* BF_OK: the attempt may be claimed */
    bool replayed;    /* the token was used before */
    bool stale;       /* the token's time is over */
} bf_admission;

/* `token_attempt`: the attempt that the person's token is for; 0 for the back end, which takes the next one. The
 * session's expiry has been looked at (bf_session_expire_if_due). */
bf_admission bf_session_admit(const bf_session *session, int token_attempt, int64_t now_ms);

/* What a decision does to its session. */
typedef struct bf_outcome {
    bool over;            /* the session is completed by it */
    const char *decision; /* "approve", "review", "reject"; NULL while it is not over */
    const char *reason;
    const char *answer; /* to the person: "pass", "retry", "challenge", "done" */
    bool uncertain;     /* a retry or challenge after a capture that was judged, but not clearly */
    bool challenge;     /* the next attempt has to follow a plan with steps */
} bf_outcome;

typedef struct bf_decided {
    const char *decision, *reason; /* of the record */
    bool judged;                   /* liveness was */
    bool answered;                 /* what the plan asked for was sent: false for a still where steps were asked */
} bf_decided;

/* `attempts_max` as in the settings. What is not a known decision counts as review. */
bf_outcome bf_session_outcome(const bf_session *session, const bf_decided *decided, int attempts_max, int64_t now_ms);
/* What a challenge becomes for a person of whom nothing can be asked. */
bf_outcome bf_session_outcome_unasked(void);

/* ---- end.c ---- */

typedef struct bf_ending {
    bf_session_state state;
    const char *decision, *reason, *decided_by; /* NULL when nothing was decided */
    const char *actor;
    int64_t now_ms;
} bf_ending;

/* In a write transaction: ends an open session, in *session and in the store, with what belongs to it: the leaf of the
 * audit log, the webhook, and media that need not be kept. */
bf_status bf_session_end(bf_db *db, bf_session *session, const bf_ending *ending, bf_error *err);
/* When media of the session that are stored at `at_ms` are to be deleted, as its retention says. */
int64_t bf_session_keep_until(const bf_service *service, const bf_session *session, int64_t at_ms);
/* After the commit: metrics, and the notifier is woken. */
void bf_session_tell_end(const bf_service *service, const bf_session *session);

/* In a write transaction: ends the session as expired when its time is over; *ret_ended tells. */
bf_status bf_session_expire_if_due(bf_db *db, bf_session *session, int64_t now_ms, bool *ret_ended, bf_error *err);

#endif
