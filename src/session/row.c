/* Sessions as rows. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "session/session.h"

static const char *const STATES[] = {[BF_SESSION_CREATED] = "CREATED",
                                     [BF_SESSION_IN_PROGRESS] = "IN_PROGRESS",
                                     [BF_SESSION_COMPLETED] = "COMPLETED",
                                     [BF_SESSION_TIMED_OUT] = "EXPIRED",
                                     [BF_SESSION_CANCELLED] = "CANCELLED"};

const char *bf_session_state_name(bf_session_state state)
{
    return STATES[state];
}

static void wipe_text(char **text)
{
    if (*text)
        sodium_memzero(*text, strlen(*text));
    bf_free(*text);
    *text = NULL;
}

void bf_session_done(bf_session *session)
{
    wipe_text(&session->subject);
    wipe_text(&session->consent);
    wipe_text(&session->risk);
    wipe_text(&session->webhook);
    wipe_text(&session->wish);
    wipe_text(&session->plan);
    *session = (bf_session){0};
}

bool bf_session_is_open(const bf_session *session)
{
    return session->state == BF_SESSION_CREATED || session->state == BF_SESSION_IN_PROGRESS;
}

bool bf_session_is_claimed(const bf_session *session, int64_t now_ms)
{
    return session->claim[0] != 0 && session->claimed_until_ms > now_ms;
}

bool bf_session_is_due(const bf_session *session, int64_t now_ms)
{
    return bf_session_is_open(session) && now_ms >= session->expires_ms && !bf_session_is_claimed(session, now_ms);
}

int bf_session_attempts_made(const bf_session *session)
{
    /* A session may also be completed without its last attempt: when nothing could be asked of the person. */
    bool last = session->state == BF_SESSION_COMPLETED && session->decided_by[0];
    return session->attempt - (last ? 0 : 1);
}

/* A state that nobody knows is read as one that takes nothing. */
static bf_session_state state_of(const char *name)
{
    for (int i = 0; name && i <= BF_SESSION_CANCELLED; i++) {
        if (strcmp(name, STATES[i]) == 0)
            return (bf_session_state)i;
    }
    return BF_SESSION_CANCELLED;
}

static void take_text(const bf_rows *rows, int column, char *ret, size_t size)
{
    const char *text = bf_rows_text(rows, column);
    (void)snprintf(ret, size, "%s", text ? text : "");
}

static bf_status take_copy(const bf_rows *rows, int column, char **ret, bf_error *err)
{
    const char *text = bf_rows_text(rows, column);
    *ret = text ? bf_strdup(text) : NULL;
    return text && !*ret ? bf_fail_memory(err) : BF_OK;
}

#define COLUMNS                                                                                                        \
    "id, client, key_id, created_ms, expires_ms, ends_ms, state, flow, channel, mode, retain, subject, consent, risk," \
    " webhook, nonce, attempt, claimed_until_ms, claim, quality_retries, uncertain_retries, replays,"                  \
    " reference_sha256, decision, reason, decided_by, finished_ms, erased_ms, wish, plan, active, challenges,"         \
    " plans_changed"

static void read_numbers(const bf_rows *rows, bf_session *session)
{
    session->created_ms = bf_rows_integer(rows, 3);
    session->expires_ms = bf_rows_integer(rows, 4);
    session->ends_ms = bf_rows_integer(rows, 5);
    session->attempt = (int)bf_rows_integer(rows, 16);
    session->claimed_until_ms = bf_rows_integer(rows, 17);
    session->quality_retries = (int)bf_rows_integer(rows, 19);
    session->uncertain_retries = (int)bf_rows_integer(rows, 20);
    session->replays = (int)bf_rows_integer(rows, 21);
    session->finished_ms = bf_rows_integer(rows, 26);
    session->erased_ms = bf_rows_integer(rows, 27);
    session->active = bf_rows_integer(rows, 30) != 0;
    session->challenges = (int)bf_rows_integer(rows, 31);
    session->plans_changed = (int)bf_rows_integer(rows, 32);
}

static bf_status read_row(const bf_rows *rows, bf_session *session, bf_error *err)
{
    read_numbers(rows, session);
    take_text(rows, 0, session->id, sizeof session->id);
    take_text(rows, 1, session->client, sizeof session->client);
    take_text(rows, 2, session->key_id, sizeof session->key_id);
    session->state = state_of(bf_rows_text(rows, 6));
    take_text(rows, 7, session->flow, sizeof session->flow);
    take_text(rows, 8, session->channel, sizeof session->channel);
    take_text(rows, 9, session->mode, sizeof session->mode);
    take_text(rows, 10, session->retain, sizeof session->retain);
    size_t nonce_size = 0;
    const void *nonce = bf_rows_blob(rows, 15, &nonce_size);
    if (nonce_size == sizeof session->nonce)
        memcpy(session->nonce, nonce, nonce_size);
    take_text(rows, 18, session->claim, sizeof session->claim);
    take_text(rows, 22, session->reference_sha256, sizeof session->reference_sha256);
    take_text(rows, 23, session->decision, sizeof session->decision);
    take_text(rows, 24, session->reason, sizeof session->reason);
    take_text(rows, 25, session->decided_by, sizeof session->decided_by);
    bf_status status = take_copy(rows, 11, &session->subject, err);
    if (status == BF_OK)
        status = take_copy(rows, 12, &session->consent, err);
    if (status == BF_OK)
        status = take_copy(rows, 13, &session->risk, err);
    if (status == BF_OK)
        status = take_copy(rows, 14, &session->webhook, err);
    if (status == BF_OK)
        status = take_copy(rows, 28, &session->wish, err);
    const char *plan = bf_rows_text(rows, 29);
    if (status == BF_OK && plan && plan[0])
        status = take_copy(rows, 29, &session->plan, err);
    return status;
}

bf_status bf_session_load(bf_db *db, const char *id, bf_session *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT " COLUMNS " FROM session WHERE id = $1", BF_VALUES(bf_value_text(id)), &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows))
        return bf_fail(err, BF_NOT_FOUND, "There is no such session.");
    BF_CLEANUP(bf_session_done) bf_session session = {0};
    status = read_row(rows, &session, err);
    if (status != BF_OK)
        return status;
    *ret = session;
    session = (bf_session){0};
    return BF_OK;
}

/* NULL for "". */
static bf_value text_or_null(const char *text)
{
    return bf_value_text(text && text[0] ? text : NULL);
}

static bf_value time_or_null(int64_t ms)
{
    return ms > 0 ? bf_value_integer(ms) : bf_value_text(NULL);
}

bf_status bf_session_insert(bf_db *db, const bf_session *s, bf_error *err)
{
    return bf_db_run(
        db,
        "INSERT INTO session(id, client, key_id, created_ms, expires_ms, ends_ms, state, flow, channel, mode, retain,"
        " subject, consent, risk, webhook, nonce, plan, attempt, reference_sha256, claimed_until_ms, quality_retries,"
        " uncertain_retries, replays, wish, active) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
        " $14, $15, $16, $17, $18, $19, 0, 0, 0, 0, $20, $21)",
        BF_VALUES(bf_value_text(s->id), bf_value_text(s->client), bf_value_text(s->key_id),
                  bf_value_integer(s->created_ms), bf_value_integer(s->expires_ms), bf_value_integer(s->ends_ms),
                  bf_value_text(STATES[s->state]), bf_value_text(s->flow), bf_value_text(s->channel),
                  bf_value_text(s->mode), bf_value_text(s->retain), text_or_null(s->subject), text_or_null(s->consent),
                  text_or_null(s->risk), text_or_null(s->webhook), bf_value_blob(s->nonce, sizeof s->nonce),
                  bf_value_text(s->plan ? s->plan : ""), bf_value_integer(s->attempt),
                  text_or_null(s->reference_sha256), text_or_null(s->wish), bf_value_integer(s->active)),
        NULL, err);
}

bf_status bf_session_update(bf_db *db, const bf_session *s, bf_error *err)
{
    return bf_db_run(
        db,
        "UPDATE session SET state = $1, expires_ms = $2, attempt = $3, claimed_until_ms = $4, claim = $5,"
        " quality_retries = $6, uncertain_retries = $7, replays = $8, reference_sha256 = $9, decision = $10,"
        " reason = $11, decided_by = $12, finished_ms = $13, plan = $14, nonce = $15, wish = $16, active = $17,"
        " challenges = $18, plans_changed = $19 WHERE id = $20",
        BF_VALUES(bf_value_text(STATES[s->state]), bf_value_integer(s->expires_ms), bf_value_integer(s->attempt),
                  bf_value_integer(s->claimed_until_ms), text_or_null(s->claim), bf_value_integer(s->quality_retries),
                  bf_value_integer(s->uncertain_retries), bf_value_integer(s->replays),
                  text_or_null(s->reference_sha256), text_or_null(s->decision), text_or_null(s->reason),
                  text_or_null(s->decided_by), time_or_null(s->finished_ms), bf_value_text(s->plan ? s->plan : ""),
                  bf_value_blob(s->nonce, sizeof s->nonce), text_or_null(s->wish), bf_value_integer(s->active),
                  bf_value_integer(s->challenges), bf_value_integer(s->plans_changed), bf_value_text(s->id)),
        NULL, err);
}
