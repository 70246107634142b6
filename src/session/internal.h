/* What the files of this folder share. */
#ifndef BF_SESSION_INTERNAL_H
#define BF_SESSION_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "access/token.h"
#include "base/attr.h"
#include "bonafide/words.h"
#include "liveness/stream/fingerprint.h"
#include "session/session.h"
#include "session/text.h"

#define BF_SERVICE_CHANNELS ((int)BF_CHANNEL_KIOSK + 1)
#define BF_QUARANTINE_LOSSES 2 /* workers that a file may cost */

/* What the service has to know about a journey; judging itself happens in the workers. */
typedef struct bf_flow_facts {
    char flow[BF_NAME_MAX], version[2 * BF_NAME_MAX];
    int retry_cap[BF_SERVICE_CHANNELS];
} bf_flow_facts;

/* As bf_pool_judge; tests put their own here to get every decision and failure at will. */
typedef bf_status bf_judge_fn(void *pool, const bf_job *job, bf_bytes *ret_record, double *ret_wait_ms, bf_error *err);

struct bf_service {
    bf_service_parts parts;
    bf_service_settings settings;
    uint8_t subject_key[BF_SECRET_SIZE], seen_key[BF_SECRET_SIZE];
    bf_judge_fn *judge;
    void *judge_data;
    pthread_rwlock_t flows_lock;
    bf_flow_facts flow[BF_POLICIES_MAX]; /* sorted by name */
    bf_policy *policy[BF_POLICIES_MAX];  /* of these flows, in whichever order */
    int flow_count;
    _Atomic int64_t next_sweep_ms; /* of the vault, by this replica */
};

typedef struct bf_judgement bf_judgement;

/* How long a judgement may take before somebody else may try: a job's longest time and a margin. */
int64_t bf_service_claim_ms(const bf_service *service);

/* ---- policies.c ---- */

/* The journey's facts; false when there is none of that name. */
bool bf_service_flow(const bf_service *service, const char *flow, bf_flow_facts *ret);

/* What the journey's policy asks of the session's next capture; nothing when there is no such journey any more. */
bf_status bf_service_capture_ask(const bf_service *service, const bf_session *session, bf_capture_ask *ret,
                                 bf_error *err);

/* ---- plan.c ---- */

/* What one person's plans leave out, or do more gently. It may tell of a disability: personal data of the graver kind,
 * erased with the session and never in the audit log. */
typedef struct bf_capture_wish {
    bool exclude[BF_STEP_TYPE_COUNT];
    bf_flash_form flash;
    bool relaxed; /* twice the time */
} bf_capture_wish;

/* Reads {"exclude": [...], "flash": ..., "pace": ...}, all optional; NULL wishes for nothing. INVALID_REQUEST. */
bf_status bf_wish_read(const json_t *capture, bf_capture_wish *ret, bf_error *err);
/* The reverse, a new reference; NULL without memory. */
json_t *bf_wish_json(const bf_capture_wish *wish);
/* Leaves out of `wish` what `more` does, too. */
void bf_wish_add(bf_capture_wish *wish, const bf_capture_wish *more);
/* Whether `more`, which the person's device says, leaves out only what is left out already or it may leave out. */
bool bf_wish_may_add(const bf_capture_wish *wish, const bf_capture_wish *more, bf_excuse excuse);
bf_status bf_wish_keep(const bf_capture_wish *wish, bf_session *session, bf_error *err);
bf_status bf_wish_of_session(const bf_session *session, bf_capture_wish *ret, bf_error *err);

/* Puts a new plan for session->attempt, with a new nonce, into the session, which becomes active when the policy says
 * so. INVALID_ARGUMENT: something has to be asked, and with what is left out there is nothing to ask. */
bf_status bf_session_make_plan(const bf_service *service, bf_session *session, bf_error *err);
/* Whether the session's plan asks for more than to look into the camera. */
bool bf_session_plan_is_active(const bf_session *session);
/* Whether an approval may stand: nothing was asked, or the judgement says that the steps were followed. Where the plan
 * has no steps and only lights the face, the light must have been judged. A still answers neither. */
bool bf_session_plan_is_answered(const bf_session *session, const bf_judgement *judgement);
/* The plan as the page gets it, with what its frames have to be like; null where there is none. */
void bf_session_write_plan(const bf_session *session, bf_text *text, const char *key);

/* ---- answer.c ---- */

/* Who asks, as the audit log names them. */
void bf_call_actor(const bf_call *call, char ret[BF_ACTOR_SIZE]);
/* In a write transaction: a leaf of the audit log about what the caller did. Takes ownership of `facts`; NULL is
 * OUT_OF_MEMORY. */
bf_status bf_call_leaf(bf_db *db, const bf_call *call, bf_audit_kind kind, json_t *facts, bf_error *err);
/* The time at the end of a call that took `elapsed_ms`: the call's own clock, moved on. */
int64_t bf_call_time(const bf_call *call, double started_steady_ms);

/* 128 random bits after "s_". */
void bf_session_new_id(char ret[BF_SESSION_ID_SIZE]);
void bf_session_token(const bf_service *service, const bf_session *session, char ret[BF_TOKEN_SIZE]);
/* How many captures may still be sent, by the policy's cap on this channel and by the settings. */
int bf_session_attempts_left(const bf_service *service, const bf_session *session);
/* The Session of the API under `key`. */
void bf_session_write(const bf_service *service, const bf_session *session, bf_text *text, const char *key);
/* {"success": true, "request_id": ...: the beginning of most answers. */
void bf_answer_begin(bf_text *text, const bf_call *call);
/* Closes the object and fills *ret. */
bf_status bf_answer_end(bf_text *text, int http, bf_answer *ret, bf_error *err);
/* {"success", "request_id", "session", "attempts"} with the records, from the store. */
bf_status bf_session_state_answer(const bf_service *service, const bf_call *call, bf_db *db, const bf_session *session,
                                  bf_answer *ret, bf_error *err);
/* The answer that is the record of a judgement, as it is; 422 where the picture could not be used. */
bf_status bf_record_answer(const bf_judgement *judgement, bf_answer *ret, bf_error *err);
/* A time of the API; null for 0. */
json_t *bf_json_time(int64_t ms);
/* null for NULL and "". */
json_t *bf_json_text_or_null(const char *text);

/* ---- once.c: idempotency, with the answers sealed ---- */

typedef struct bf_once {
    bf_idempotency key;
    char client[BF_NAME_MAX + 8];
} bf_once;

/* `claim_ms`: how long the first try may take. A person's keys are their session's own. */
void bf_once_init(bf_once *once, const bf_call *call, int64_t claim_ms);
/* In a write transaction, as bf_idempotency_*; *ret is filled when *ret_done. Without a key they do nothing. */
bf_status bf_once_begin(const bf_service *service, bf_db *db, const bf_once *once, bool *ret_done, bf_answer *ret,
                        bf_error *err);
bf_status bf_once_finish(const bf_service *service, bf_db *db, const bf_once *once, const bf_answer *answer,
                         const char *session_id, bf_error *err);
bf_status bf_once_release(bf_db *db, const bf_once *once, bf_error *err);

/* ---- context.c: risk ---- */

/* Checks risk_context and device_context of a request (either may be NULL) and joins their signals into *ret, an
 * object {"context": {...}, "device": {...}} that the caller releases. INVALID_REQUEST. */
bf_status bf_risk_join(const json_t *risk, const json_t *device, json_t **ret, bf_error *err);

/* What the session's caller said about the risk, as a policy takes it; nothing known where nothing was said. */
bf_status bf_risk_of_session(const bf_session *session, bf_risk_context *ret, bf_error *err);

/* What the server counts itself. */
typedef struct bf_risk_counts {
    int attempts, uncertain, failures;
} bf_risk_counts;

/* The context for one judgement as text: what was joined (NULL: nothing), with the server's own counts (NULL: none, as
 * outside a session) and a signal of its own (NULL: none). The caller frees *ret with bf_free. */
bf_status bf_risk_text(const json_t *joined, const bf_risk_counts *counts, const char *signal, char **ret,
                       bf_error *err);

/* ---- judge.c ---- */

/* A record and what is read from it. Zero-initialise; free with bf_judgement_done. */
struct bf_judgement {
    bf_bytes record; /* exactly as the worker wrote it, with a NUL behind it */
    char sha256[65];
    json_t *parsed;
    double queue_ms;
    bf_status code;                                        /* of its error; BF_OK */
    bool judged;                                           /* liveness was */
    const char *decision, *reason, *policy, *input_sha256; /* point into `parsed` */
    const char *challenge;                                 /* what came of the asked steps; NULL: a still */
    bf_clip_fingerprint clip;                              /* what the capture looks like; empty for a still */
    bool lit;                                              /* the face answered the screen's light */
};

void bf_judgement_done(bf_judgement *judgement);

/* Judges and reads the record. A record that only says that judging failed, and that trying again may help, is no
 * judgement but that error. */
bf_status bf_service_judge(const bf_service *service, const bf_job *job, bf_judgement *ret, bf_error *err);

/* ---- seen.c: what of a capture is remembered, to know it again ---- */

#define BF_SEEN_HASH 16
#define BF_SEEN_FRAMES 8

/* Hashes by a key that follows from the master key, so that a stolen store does not tell whose pictures it was. They
 * are personal data all the same: erased with the session, and by age. */
typedef struct bf_seen {
    bool taken; /* false: nothing is remembered, as the settings say */
    uint8_t media[BF_SEEN_HASH];
    uint8_t frame[BF_SEEN_FRAMES][BF_SEEN_HASH]; /* the smallest, ascending */
    int frame_count;
} bf_seen;

bf_status bf_seen_take(const bf_service *service, const bf_session *session, const bf_region *media, bf_seen *ret,
                       bf_error *err);
/* The fingerprint that the record has of the capture; empty without one. */
void bf_seen_read_clip(const json_t *record, bf_clip_fingerprint *ret);
/* In a write transaction: forgets what is remembered of a session; of whatever is too old, some. */
bf_status bf_seen_erase(bf_db *db, const char *session_id, bf_error *err);
bf_status bf_seen_tidy(bf_db *db, const bf_service *service, int64_t now_ms, bf_error *err);

/* ---- match.c ---- */

/* The MatchAnswer of the API. */
bf_status bf_match_answer(const bf_call *call, const bf_judgement *judgement, bf_answer *ret, bf_error *err);

/* ---- judge.c, the quarantine ---- */

/* SHA-256 of the media of a request, for the quarantine. Hashing megabytes takes as long as a good part of judging
 * them, and mostly nothing is in quarantine: so it is put off until somebody has to know. */
typedef struct bf_media_hashes {
    bool known;
    char media[65], reference[65]; /* "": none */
} bf_media_hashes;

/* Fills what is not known yet; a reference's hash that stands there already is left. Not in a write transaction. */
void bf_media_hash(bf_media_hashes *hashes, const bf_region *media, const bf_region *reference);

#define BF_LOSSES_UNKNOWN (-1)
/* In any transaction: how many workers the worse of the two files has cost; BF_LOSSES_UNKNOWN when the hashes have to
 * be known for that. */
bf_status bf_quarantine_look(bf_db *db, const bf_media_hashes *hashes, int *ret_losses, bf_error *err);
/* In a write transaction: a worker was lost, or none was. */
bf_status bf_quarantine_count(bf_db *db, const bf_media_hashes *hashes, int64_t now_ms, bf_error *err);
bf_status bf_quarantine_forgive(bf_db *db, const bf_media_hashes *hashes, bf_error *err);
/* In a write transaction: a leaf {"signal", "session"?, "input_sha256"?, "attempt"?}. */
bf_status bf_security_leaf(bf_db *db, const bf_call *call, const char *signal, const char *session_id, int attempt,
                           const char *input_sha256, bf_error *err);

/* ---- decide.c ---- */

typedef struct bf_decision_row {
    const char *client, *request_id, *kind; /* "liveness", "match" */
    const char *session_id;                 /* NULL: none */
    int attempt;
    int64_t at_ms;
    const char *actor;
    const char *client_report; /* JSON text; NULL: none */
    const char *plan;          /* what was asked; NULL: nothing */
    bool active;               /* the plan asks for steps */
    const bf_judgement *judgement;
} bf_decision_row;

/* In a write transaction: the leaf of the audit log and the row. REQUEST_ID_TAKEN. */
bf_status bf_decision_store(bf_db *db, const bf_decision_row *row, bf_error *err);
/* In any transaction: REQUEST_ID_TAKEN when there is such a decision. */
bf_status bf_decision_check_free(bf_db *db, const char *client, const char *request_id, bf_error *err);

/* ---- decision.c ---- */

/* In a write transaction: a leaf that tells who looked at the records of `id`, which is a "session" or "request_id". */
bf_status bf_read_leaf(bf_db *db, const bf_call *call, const char *key, const char *id, bf_error *err);

/* Under whose name the first answer of a decision without a session is kept, so that it is erased with it. */
#define BF_DECISION_OWNER_SIZE 160
void bf_decision_owner(const char *client, const char *request_id, char ret[BF_DECISION_OWNER_SIZE]);

/* ---- media.c ---- */

/* "media": what is kept of the session, into an open object. */
bf_status bf_session_write_media(bf_db *db, const bf_session *session, bf_text *text, bf_error *err);

/* ---- attempt.c ---- */

/* An attempt of a session, whoever sends it. */
typedef struct bf_attempt_request {
    const char *session_id;
    int token_attempt;         /* 0: sent by the back end */
    const char *request_id;    /* of the decision; NULL: SESSION.ATTEMPT */
    const char *client_report; /* JSON text; NULL: none */
} bf_attempt_request;

/* Claims, judges, decides. On success *ret is the answer: the record for the back end, else the coarse one. */
bf_status bf_session_attempt(bf_service *service, const bf_call *call, const bf_attempt_request *request,
                             bf_answer *ret, bf_error *err);

/* Counts a security signal where there are metrics. */
void bf_service_signal(const bf_service *service, bf_security_signal signal);

/* Loads the session of a call in any transaction; NOT_FOUND also for another client's when the role sees its own only.
 * *ret_foreign (may be NULL) tells that case. */
bf_status bf_session_of_call(bf_db *db, const bf_call *call, bf_session *ret, bool *ret_foreign, bf_error *err);

#endif
