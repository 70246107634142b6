/* Another plan for the attempt that is expected, because the person cannot or should not do what the first one asks.
 * Bounded in number: who could ask for plans without end would ask until one suits what they have prepared. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "session/internal.h"

#define PLAN_CHANGES_MAX 3 /* of one session */

typedef struct plan_change {
    const bf_service *service;
    const bf_call *call;
    const bf_capture_wish *wish;
    bf_status refused; /* BF_OK: changed, or ended */
    bool due, unasked; /* the session has ended: its time was over; nothing could be asked */
    bf_session session;
    bf_answer answer;
} plan_change;

static void plan_change_done(plan_change *change)
{
    bf_session_done(&change->session);
    bf_answer_done(&change->answer);
}

/* What was left out may tell of a disability: the log, which cannot be erased, gets the plan's hash only. */
static bf_status append_leaf(bf_db *db, const plan_change *change, bf_error *err)
{
    const bf_session *session = &change->session;
    char plan[BF_SHA256_HEX_SIZE] = "";
    if (!change->unasked)
        bf_sha256_hex(session->plan, strlen(session->plan), plan);
    json_t *facts = json_pack("{ss si si ss?}", "session", session->id, "attempt", session->attempt, "change",
                              session->plans_changed, "plan_sha256", plan[0] ? plan : NULL);
    return bf_call_leaf(db, change->call, BF_AUDIT_PLAN_CHANGED, facts, err);
}

/* Nothing is left to ask of this person, so a person decides. */
static bf_status end_unasked(bf_db *db, plan_change *change, bf_error *err)
{
    char actor[BF_ACTOR_SIZE];
    bf_call_actor(change->call, actor);
    const bf_outcome outcome = bf_session_outcome_unasked();
    bf_ending ending = {BF_SESSION_COMPLETED, outcome.decision, outcome.reason, NULL, actor, change->call->now_ms};
    change->unasked = true;
    return bf_session_end(db, &change->session, &ending, err);
}

static bf_status make_answer(plan_change *change, bf_error *err)
{
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_answer_begin(&text, change->call);
    bf_text_put(&text, "answer", json_string(change->unasked ? "done" : "plan"));
    if (change->unasked)
        bf_text_raw(&text, "plan", NULL);
    else
        bf_session_write_plan(&change->session, &text, "plan");
    int left = change->unasked ? 0 : PLAN_CHANGES_MAX - change->session.plans_changed;
    bf_text_put(&text, "changes_left", json_integer(left));
    return bf_answer_end(&text, 200, &change->answer, err);
}

static bf_status apply(bf_db *db, plan_change *change, bf_error *err)
{
    bf_session *session = &change->session;
    bf_capture_wish wish;
    bf_capture_ask ask;
    bf_status status = bf_wish_of_session(session, &wish, err);
    if (status == BF_OK)
        status = bf_service_capture_ask(change->service, session, &ask, err);
    if (status != BF_OK)
        return status;
    if (!bf_wish_may_add(&wish, change->wish, ask.excuse)) {
        change->refused = BF_EXCLUSION_REFUSED;
        return BF_OK;
    }
    session->plans_changed++;
    /* What the back end knows of this person, such as that flicker harms them, holds whatever the device says. */
    bf_wish_add(&wish, change->wish);
    status = bf_wish_keep(&wish, session, err);
    if (status == BF_OK)
        status = bf_session_make_plan(change->service, session, err);
    if (status == BF_OK)
        status = bf_session_update(db, session, err);
    else if (status == BF_INVALID_ARGUMENT)
        status = end_unasked(db, change, err);
    if (status == BF_OK)
        status = append_leaf(db, change, err);
    return status == BF_OK ? make_answer(change, err) : status;
}

static bf_status write_change(bf_db *db, void *context, bf_error *err)
{
    plan_change *change = context;
    const bf_call *call = change->call;
    plan_change_done(change);
    change->unasked = false;
    bf_status status = bf_session_of_call(db, call, &change->session, NULL, err);
    if (status == BF_OK)
        status = bf_session_expire_if_due(db, &change->session, call->now_ms, &change->due, err);
    if (status != BF_OK)
        return status;
    change->refused = bf_session_admit(&change->session, call->who->attempt, call->now_ms).status;
    if (change->refused == BF_OK && change->session.plans_changed >= PLAN_CHANGES_MAX)
        change->refused = BF_PLAN_FIXED;
    if (change->refused != BF_OK)
        return BF_OK;
    return apply(db, change, err);
}

bf_status bf_service_session_plan(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    bf_capture_wish wish;
    if (call->who->role != BF_ACCESS_PERSON || strcmp(call->who->session_id, call->id) != 0) {
        bf_service_signal(service, BF_SECURITY_FOREIGN_SESSION);
        return bf_fail(err, BF_NOT_FOUND, "There is no such session.");
    }
    bf_status status = bf_wish_read(call->body, &wish, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(plan_change_done) plan_change change = {.service = service, .call = call, .wish = &wish};
    status = bf_store_write(service->parts.store, write_change, &change, err);
    if (status != BF_OK)
        return status;
    if (change.due || change.unasked)
        bf_session_tell_end(service, &change.session);
    if (change.refused != BF_OK) {
        (void)bf_fail(err, change.refused, "%s", bf_status_text(change.refused));
        if (change.refused == BF_EXCLUSION_REFUSED)
            bf_fail_hint(err, "The back end can leave it out, by 'capture' of POST /v1/sessions.");
        return change.refused;
    }
    *ret = change.answer;
    change.answer = (bf_answer){0};
    return BF_OK;
}
