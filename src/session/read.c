/* Looking at a session. */
#include <string.h>

#include "base/error.h"
#include "session/internal.h"

/* ---- one session ---- */

typedef struct look {
    const bf_service *service;
    const bf_call *call;
    bool due, ended, foreign;
    bf_session session;
    bf_answer answer;
} look;

static void look_done(look *at)
{
    bf_session_done(&at->session);
    bf_answer_done(&at->answer);
}

static bf_status read_session(bf_db *db, void *context, bf_error *err)
{
    look *at = context;
    look_done(at);
    bf_status status = bf_session_of_call(db, at->call, &at->session, &at->foreign, err);
    at->due = status == BF_OK && bf_session_is_due(&at->session, at->call->now_ms);
    if (status != BF_OK || at->due)
        return status;
    return bf_session_state_answer(at->service, at->call, db, &at->session, &at->answer, err);
}

/* The same where something has to be written: the session's end, or who looked at somebody else's client's records. */
static bf_status write_look(bf_db *db, void *context, bf_error *err)
{
    look *at = context;
    look_done(at);
    bf_status status = bf_session_of_call(db, at->call, &at->session, &at->foreign, err);
    if (status == BF_OK)
        status = bf_session_expire_if_due(db, &at->session, at->call->now_ms, &at->ended, err);
    bool records = bf_session_attempts_made(&at->session) > 0 && at->session.erased_ms == 0;
    if (status == BF_OK && records && at->call->who->role != BF_ACCESS_INTEGRATOR)
        status = bf_read_leaf(db, at->call, "session", at->session.id, err);
    if (status == BF_OK)
        status = bf_session_state_answer(at->service, at->call, db, &at->session, &at->answer, err);
    return status;
}

bf_status bf_service_session_get(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(look_done) look at = {.service = service, .call = call};
    bool audited = call->who->role != BF_ACCESS_INTEGRATOR;
    bf_status status = BF_OK;
    if (!audited)
        status = bf_store_read(service->parts.store, read_session, &at, err);
    if (status == BF_OK && (audited || at.due))
        status = bf_store_write(service->parts.store, write_look, &at, err);
    if (at.foreign)
        bf_service_signal(service, BF_SECURITY_FOREIGN_SESSION);
    if (status != BF_OK)
        return status;
    if (at.ended)
        bf_session_tell_end(service, &at.session);
    *ret = at.answer;
    at.answer = (bf_answer){0};
    return BF_OK;
}
