/* The end of a session, and what belongs to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "session/internal.h"

#define SAFETY_MS 3600000 /* after which media of a session that never ended are deleted anyhow */

int64_t bf_session_keep_until(const bf_service *service, const bf_session *session, int64_t at_ms)
{
    if (strncmp(session->retain, "days:", 5) == 0)
        return at_ms + BF_DAY_MS * strtol(session->retain + 5, NULL, 10);
    if (strcmp(session->retain, "review") == 0)
        return at_ms + BF_DAY_MS * service->settings.review_days;
    return session->ends_ms + SAFETY_MS;
}

/* Whether the session's media outlive it. */
static bool keeps_media(const bf_session *session)
{
    if (strncmp(session->retain, "days:", 5) == 0)
        return true;
    return strcmp(session->retain, "review") == 0 && strcmp(session->decision, "review") == 0;
}

static bool has_media(const bf_session *session)
{
    return session->reference_sha256[0] || strcmp(session->retain, "none") != 0;
}

static bf_status append_leaf(bf_db *db, const bf_session *session, const bf_ending *ending, bf_error *err)
{
    json_t *facts =
        json_pack("{ss ss ss si ss? ss? ss?}", "session", session->id, "state", bf_session_state_name(session->state),
                  "mode", session->mode, "challenges", session->challenges, "decision", ending->decision, "reason",
                  ending->reason, "request_id", ending->decided_by);
    if (!facts)
        return bf_fail_memory(err);
    bf_audit_entry entry = {BF_AUDIT_SESSION_ENDED, ending->now_ms, ending->actor, facts};
    bf_status status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

/* No personal data: whoever receives it looks the session up with a key. */
static bf_status enqueue_webhook(bf_db *db, const bf_session *session, const bf_ending *ending, bf_error *err)
{
    if (!session->webhook)
        return BF_OK;
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    BF_CLEANUP(bf_free_string) char *body = NULL;
    bf_text_open(&text, NULL);
    bf_text_put(&text, "event", json_string("session.ended"));
    bf_text_put(&text, "session_id", json_string(session->id));
    bf_text_put(&text, "state", json_string(bf_session_state_name(session->state)));
    bf_text_put(&text, "mode", json_string(session->mode));
    bf_text_put(&text, "challenges", json_integer(session->challenges));
    bf_text_put(&text, "decision", bf_json_text_or_null(ending->decision));
    bf_text_put(&text, "reason", bf_json_text_or_null(ending->reason));
    bf_text_put(&text, "request_id", bf_json_text_or_null(ending->decided_by));
    bf_text_put(&text, "finished_at", bf_json_time(ending->now_ms));
    bf_text_close(&text);
    bf_status status = bf_text_take_string(&text, &body, err);
    if (status != BF_OK)
        return status;
    return bf_webhook_enqueue(db, session->key_id, session->id, session->webhook, body, ending->now_ms, err);
}

bf_status bf_session_end(bf_db *db, bf_session *session, const bf_ending *ending, bf_error *err)
{
    session->state = ending->state;
    session->claim[0] = 0;
    session->claimed_until_ms = 0;
    session->finished_ms = ending->now_ms;
    (void)snprintf(session->decision, sizeof session->decision, "%s", ending->decision ? ending->decision : "");
    (void)snprintf(session->reason, sizeof session->reason, "%s", ending->reason ? ending->reason : "");
    (void)snprintf(session->decided_by, sizeof session->decided_by, "%s", ending->decided_by ? ending->decided_by : "");
    bf_status status = bf_session_update(db, session, err);
    if (status == BF_OK)
        status = append_leaf(db, session, ending, err);
    if (status == BF_OK)
        status = enqueue_webhook(db, session, ending, err);
    if (status == BF_OK && has_media(session) && !keeps_media(session))
        status = bf_vault_erase(db, session->id, err);
    return status;
}

void bf_session_tell_end(const bf_service *service, const bf_session *session)
{
    const bf_service_parts *parts = &service->parts;
    bf_metrics_session(parts->metrics, session->flow, session->channel[0] ? session->channel : NULL,
                       bf_session_state_name(session->state), bf_session_attempts_made(session),
                       (double)(session->finished_ms - session->created_ms) / 1000.0);
    if (session->webhook)
        bf_notifier_wake(parts->notifier);
    if (has_media(session) && !keeps_media(session))
        bf_vault_sweep_session(parts->vault, parts->store, session->id);
}

bf_status bf_session_expire_if_due(bf_db *db, bf_session *session, int64_t now_ms, bool *ret_ended, bf_error *err)
{
    *ret_ended = bf_session_is_due(session, now_ms);
    if (!*ret_ended)
        return BF_OK;
    bf_ending ending = {.state = BF_SESSION_TIMED_OUT, .actor = "server", .now_ms = now_ms};
    return bf_session_end(db, session, &ending, err);
}
