/* Housekeeping: what is over is ended, what is no longer needed is forgotten. Bounded work each time; replicas may do
 * it at once. */
#include <string.h>

#include "base/error.h"
#include "session/internal.h"

#define ENDED_MAX 64          /* sessions ended in one transaction */
#define ROUNDS_MAX 16         /* such transactions in one call */
#define DELETED_MAX 1000      /* rows of one table deleted in one call */
#define SWEEP_EVERY_MS 120000 /* the vault, by each replica */
#define LOSS_MS BF_DAY_MS
#define QUARANTINE_MS (90 * BF_DAY_MS)

typedef struct ending_batch {
    int64_t now_ms;
    bf_session ended[ENDED_MAX];
    int count;
} ending_batch;

static void batch_clear(ending_batch *batch)
{
    for (int i = 0; i < batch->count; i++)
        bf_session_done(&batch->ended[i]);
    batch->count = 0;
}

static bf_status end_one(bf_db *db, ending_batch *batch, const char *id, bf_error *err)
{
    bf_session *session = &batch->ended[batch->count];
    bool ended = false;
    bf_status status = bf_session_load(db, id, session, err);
    if (status == BF_OK)
        status = bf_session_expire_if_due(db, session, batch->now_ms, &ended, err);
    if (status == BF_OK && ended)
        batch->count++;
    else
        bf_session_done(session);
    return status;
}

/* By state, so that the index on (state, expires_ms) finds them among millions that are over. */
static bf_status end_due(bf_db *db, ending_batch *batch, const char *state, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(
        db,
        "SELECT id FROM session WHERE state = $1 AND expires_ms <= $2 AND claimed_until_ms <= $2"
        " ORDER BY expires_ms LIMIT $3",
        BF_VALUES(bf_value_text(state), bf_value_integer(batch->now_ms), bf_value_integer(ENDED_MAX - batch->count)),
        &rows, err);
    while (status == BF_OK && bf_rows_next(rows))
        status = end_one(db, batch, bf_rows_text(rows, 0), err);
    return status;
}

static bf_status write_endings(bf_db *db, void *context, bf_error *err)
{
    ending_batch *batch = context;
    batch_clear(batch);
    bf_status status = end_due(db, batch, bf_session_state_name(BF_SESSION_CREATED), err);
    if (status == BF_OK)
        status = end_due(db, batch, bf_session_state_name(BF_SESSION_IN_PROGRESS), err);
    return status;
}

static bf_status end_sessions(bf_service *service, int64_t now_ms, bf_error *err)
{
    ending_batch *batch = bf_calloc(1, sizeof *batch);
    if (!batch)
        return bf_fail_memory(err);
    batch->now_ms = now_ms;
    bf_status status = BF_OK;
    bool more = true;
    for (int round = 0; round < ROUNDS_MAX && status == BF_OK && more; round++) {
        status = bf_store_write(service->parts.store, write_endings, batch, err);
        more = batch->count == ENDED_MAX;
        for (int i = 0; i < batch->count && status == BF_OK; i++)
            bf_session_tell_end(service, &batch->ended[i]);
    }
    batch_clear(batch);
    bf_free(batch);
    return status;
}

/* ---- rows that nobody needs any more ---- */

typedef struct forgetting {
    const bf_service *service;
    int64_t now_ms;
} forgetting;

/* A lost worker is forgotten after a while, so that bad luck does not add up; a quarantined file much later. */
static bf_status write_forget(bf_db *db, void *context, bf_error *err)
{
    const forgetting *task = context;
    int64_t now_ms = task->now_ms;
    bf_status status = bf_access_tidy(db, now_ms, DELETED_MAX, err);
    if (status == BF_OK)
        status = bf_seen_tidy(db, task->service, now_ms, err);
    if (status == BF_OK)
        status = bf_db_run(db,
                           "DELETE FROM quarantine WHERE sha256 IN (SELECT sha256 FROM quarantine WHERE last_ms < $1"
                           " OR (losses < $2 AND last_ms < $3) LIMIT $4)",
                           BF_VALUES(bf_value_integer(now_ms - QUARANTINE_MS), bf_value_integer(BF_QUARANTINE_LOSSES),
                                     bf_value_integer(now_ms - LOSS_MS), bf_value_integer(DELETED_MAX)),
                           NULL, err);
    return status;
}

static bf_status sweep(bf_service *service, int64_t now_ms, bf_error *err)
{
    int64_t next_ms = atomic_load(&service->next_sweep_ms);
    if (now_ms < next_ms && next_ms - now_ms <= SWEEP_EVERY_MS) /* further ahead: the clock was set back */
        return BF_OK;
    if (!atomic_compare_exchange_strong(&service->next_sweep_ms, &next_ms, now_ms + SWEEP_EVERY_MS))
        return BF_OK;
    int64_t forgotten = 0;
    return bf_vault_sweep(service->parts.vault, service->parts.store, now_ms, &forgotten, err);
}

bf_status bf_service_tidy(bf_service *service, int64_t now_ms, bf_error *err)
{
    bf_status status = end_sessions(service, now_ms, err);
    forgetting task = {service, now_ms};
    if (status == BF_OK)
        status = bf_store_write(service->parts.store, write_forget, &task, err);
    return status == BF_OK ? sweep(service, now_ms, err) : status;
}
