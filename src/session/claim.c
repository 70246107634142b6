/* Who may judge an attempt: decided in one write transaction, so of any number of uploads one wins. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "session/attempt.h"

#define REPLAYS_IN_THE_LOG 16 /* of one session; more are counted only */

static bf_status count_replay(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    bf_session *session = &attempt->session;
    session->replays++;
    bf_status status = bf_db_run(db, "UPDATE session SET replays = $1 WHERE id = $2",
                                 BF_VALUES(bf_value_integer(session->replays), bf_value_text(session->id)), NULL, err);
    if (status != BF_OK || session->replays > REPLAYS_IN_THE_LOG)
        return status;
    return bf_security_leaf(db, attempt->call, "replayed_attempt", session->id, attempt->request->token_attempt, NULL,
                            err);
}

/* What is remembered of an upload that is refused. */
static bf_status remember_refused(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    bf_status status = BF_OK;
    const char *id = attempt->session.id;
    int number = attempt->request->token_attempt;
    if (attempt->refused.replayed)
        status = count_replay(attempt, db, err);
    else if (attempt->refused.stale)
        status = bf_security_leaf(db, attempt->call, "stale_token", id, number, NULL, err);
    else if (attempt->refused.status == BF_INPUT_QUARANTINED)
        status = bf_security_leaf(db, attempt->call, "quarantined_input", id, attempt->session.attempt,
                                  attempt->hashes.media, err);
    return status == BF_OK ? bf_once_release(db, &attempt->once, err) : status;
}

/* Earlier sessions of the same person, as the caller names them, that were rejected. */
static bf_status count_failures(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    const bf_session *session = &attempt->session;
    if (!session->subject)
        return BF_OK;
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(
        db, "SELECT COUNT(*) FROM session WHERE client = $1 AND subject = $2 AND decision = 'reject' AND id <> $3",
        BF_VALUES(bf_value_text(session->client), bf_value_text(session->subject), bf_value_text(session->id)), &rows,
        err);
    if (status == BF_OK && bf_rows_next(rows))
        attempt->failures = (int)bf_rows_integer(rows, 0);
    return status;
}

static bf_status take(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    bf_session *session = &attempt->session;
    session->state = BF_SESSION_IN_PROGRESS;
    session->claimed_until_ms = attempt->call->now_ms + bf_service_claim_ms(attempt->service);
    (void)snprintf(session->claim, sizeof session->claim, "%s", attempt->claim);
    bf_status status = bf_session_update(db, session, err);
    if (status == BF_OK)
        status = count_failures(attempt, db, err);
    return status == BF_OK ? bf_kill_switch_read(db, &attempt->kill_switch, err) : status;
}

static void forget_last_try(bf_attempt *attempt)
{
    bf_session_done(&attempt->session);
    bf_answer_done(&attempt->answer);
    attempt->repeated = attempt->foreign = attempt->ended = attempt->kill_switch = attempt->needs_hashes = false;
    attempt->refused = (bf_admission){0};
    attempt->losses = attempt->failures = 0;
}

static bf_status find_session(bf_attempt *attempt, bf_db *db, bf_error *err)
{
    bf_call of = *attempt->call;
    of.id = attempt->request->session_id;
    bf_status status = bf_session_of_call(db, &of, &attempt->session, &attempt->foreign, err);
    if (status == BF_OK)
        status = bf_session_expire_if_due(db, &attempt->session, of.now_ms, &attempt->ended, err);
    (void)snprintf(attempt->hashes.reference, sizeof attempt->hashes.reference, "%s",
                   attempt->session.reference_sha256);
    return status;
}

bf_status bf_attempt_claim(bf_db *db, void *context, bf_error *err)
{
    bf_attempt *attempt = context;
    const bf_attempt_request *request = attempt->request;
    forget_last_try(attempt);
    bf_status status = bf_once_begin(attempt->service, db, &attempt->once, &attempt->repeated, &attempt->answer, err);
    if (status != BF_OK || attempt->repeated)
        return status;
    status = find_session(attempt, db, err);
    if (status != BF_OK)
        return status;
    attempt->refused = bf_session_admit(&attempt->session, request->token_attempt, attempt->call->now_ms);
    if (attempt->refused.status == BF_OK) {
        status = bf_quarantine_look(db, &attempt->hashes, &attempt->losses, err);
        attempt->needs_hashes = attempt->losses == BF_LOSSES_UNKNOWN;
        if (status == BF_OK && attempt->losses >= BF_QUARANTINE_LOSSES)
            attempt->refused.status = BF_INPUT_QUARANTINED;
        if (status == BF_OK && request->request_id)
            status = bf_decision_check_free(db, attempt->session.client, request->request_id, err);
    }
    if (status != BF_OK)
        return status;
    if (attempt->needs_hashes)
        return bf_once_release(db, &attempt->once, err);
    return attempt->refused.status == BF_OK ? take(attempt, db, err) : remember_refused(attempt, db, err);
}

bf_status bf_attempt_fail_refused(const bf_attempt *attempt, bf_error *err)
{
    bf_status status = attempt->refused.status;
    bf_fail(err, status, "%s", bf_status_text(status));
    if (status == BF_ATTEMPT_REPLAYED || (status == BF_SESSION_FINISHED && attempt->refused.replayed))
        bf_fail_hint(err, "To get a lost answer again, repeat the request with the Idempotency-Key of the first time.");
    else if (status == BF_SESSION_EXPIRED)
        bf_fail_hint(err, "Open a new session.");
    else if (status == BF_INPUT_QUARANTINED)
        bf_fail_hint(err, "Take a new photo.");
    return status;
}
