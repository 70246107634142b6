/* Erasure: what names or shows the person goes; that there was a session, its decisions and their place in the audit
 * log stay. */
#include <stdio.h>

#include "base/error.h"
#include "session/internal.h"

typedef struct erasure {
    const bf_service *service;
    const bf_call *call;
    char actor[BF_ACTOR_SIZE];
    bool cancelled, foreign;
    bf_session session;
    bf_answer answer;
} erasure;

static void erasure_done(erasure *erase)
{
    bf_session_done(&erase->session);
    bf_answer_done(&erase->answer);
}

/* An attempt under way finds its claim gone when it wants to finish, and keeps nothing. */
static bf_status cancel(bf_db *db, erasure *erase, bf_error *err)
{
    erase->cancelled = bf_session_is_open(&erase->session);
    if (!erase->cancelled)
        return BF_OK;
    bf_ending ending = {.state = BF_SESSION_CANCELLED, .actor = erase->actor, .now_ms = erase->call->now_ms};
    return bf_session_end(db, &erase->session, &ending, err);
}

static bf_status forget_rows(bf_db *db, const bf_session *session, int64_t now_ms, bf_error *err)
{
    bf_status status = bf_db_run(db,
                                 "UPDATE session SET subject = NULL, consent = NULL, risk = NULL, webhook = NULL,"
                                 " wish = NULL, plan = '',"
                                 " erased_ms = $1 WHERE id = $2",
                                 BF_VALUES(bf_value_integer(now_ms), bf_value_text(session->id)), NULL, err);
    if (status == BF_OK)
        status =
            bf_db_run(db, "UPDATE decision SET record = NULL, client_report = NULL, plan = NULL WHERE session_id = $1",
                      BF_VALUES(bf_value_text(session->id)), NULL, err);
    if (status == BF_OK)
        status = bf_seen_erase(db, session->id, err);
    if (status == BF_OK)
        status = bf_vault_erase(db, session->id, err);
    if (status == BF_OK)
        status = bf_idempotency_erase(db, session->id, err);
    return status == BF_OK ? bf_webhook_erase(db, session->id, err) : status;
}

static bf_status forget(bf_db *db, erasure *erase, bf_error *err)
{
    bf_status status = cancel(db, erase, err);
    if (status == BF_OK)
        status = forget_rows(db, &erase->session, erase->call->now_ms, err);
    if (status != BF_OK)
        return status;
    return bf_call_leaf(db, erase->call, BF_AUDIT_ERASED, json_pack("{ss}", "session", erase->session.id), err);
}

static bf_status write_erasure(bf_db *db, void *context, bf_error *err)
{
    erasure *erase = context;
    erasure_done(erase);
    erase->cancelled = false;
    bf_status status = bf_session_of_call(db, erase->call, &erase->session, &erase->foreign, err);
    if (status == BF_OK && erase->session.erased_ms == 0)
        status = forget(db, erase, err);
    if (status != BF_OK)
        return status;
    bf_session_done(&erase->session);
    status = bf_session_load(db, erase->call->id, &erase->session, err);
    if (status == BF_OK)
        status = bf_session_state_answer(erase->service, erase->call, db, &erase->session, &erase->answer, err);
    return status;
}

bf_status bf_service_session_erase(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(erasure_done) erasure erase = {.service = service, .call = call};
    bf_call_actor(call, erase.actor);
    bf_status status = bf_store_write(service->parts.store, write_erasure, &erase, err);
    if (erase.foreign)
        bf_service_signal(service, BF_SECURITY_FOREIGN_SESSION);
    if (status != BF_OK)
        return status;
    if (erase.cancelled)
        bf_session_tell_end(service, &erase.session);
    bf_vault_sweep_session(service->parts.vault, service->parts.store, call->id);
    *ret = erase.answer;
    erase.answer = (bf_answer){0};
    return BF_OK;
}
