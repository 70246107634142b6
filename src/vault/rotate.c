/* Changing the master key: every secret that is wrapped or sealed by it is opened and closed anew. What follows from it
 * by derivation cannot be carried over. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "audit/log.h"
#include "base/bytes.h"
#include "base/error.h"
#include "store/time.h"
#include "vault/parts.h"

#define BATCH_MAX 1000
#define SEALED_MAX 256 /* bytes of a sealed secret of an API key */
#define ID_SIZE 128

/* One transaction's work. */
typedef struct batch {
    bool session_keys; /* else the signing secrets of API keys */
    const bf_master *current, *next;
    const char *actor;
    char after[ID_SIZE]; /* where it begins */
    char last[ID_SIZE];  /* where the next one begins */
    int seen;
    int64_t changed, unreadable;
} batch;

/* Any secret that is sealed: opened by one master key, closed by the other. A secret that `next` opens was done
 * before. */
static bf_status reseal(const batch *work, const uint8_t *sealed, size_t size, uint8_t *ret, bool *ret_changed)
{
    uint8_t plain[SEALED_MAX];
    if (size < BF_SEALED_SIZE(0) || size > SEALED_MAX)
        return BF_VAULT_LOCKED;
    *ret_changed = false;
    bf_status status = bf_master_open(work->next, sealed, size, plain, NULL);
    if (status != BF_OK) {
        status = bf_master_open(work->current, sealed, size, plain, NULL);
        if (status == BF_OK) {
            bf_master_seal(work->next, plain, size - BF_SEALED_SIZE(0), ret);
            *ret_changed = true;
        }
    }
    sodium_memzero(plain, sizeof plain);
    return status;
}

/* A session's key is also checked to be that session's. */
static bf_status rewrap(const batch *work, const char *session_id, const uint8_t *wrapped, size_t size, uint8_t *ret,
                        bool *ret_changed)
{
    uint8_t key[BF_VAULT_KEY_SIZE];
    bf_status status = bf_vault_unwrap(work->current, session_id, wrapped, size, key, NULL);
    if (status == BF_OK)
        bf_vault_wrap(work->next, session_id, key, ret);
    *ret_changed = status == BF_OK;
    sodium_memzero(key, sizeof key);
    return status;
}

static bf_status update_row(bf_db *db, const batch *work, const char *id, const uint8_t *new, size_t size,
                            bf_error *err)
{
    if (work->session_keys)
        return bf_db_run(db, "UPDATE vault_key SET wrapped = $1, master_id = $2 WHERE session_id = $3",
                         BF_VALUES(bf_value_blob(new, size), bf_value_text(work->next->id), bf_value_text(id)), NULL,
                         err);
    return bf_db_run(db, "UPDATE api_key SET signing_secret = $1 WHERE id = $2",
                     BF_VALUES(bf_value_blob(new, size), bf_value_text(id)), NULL, err);
}

static bf_status rotate_row(bf_db *db, batch *work, const bf_rows *rows, bf_error *err)
{
    const char *id = bf_rows_text(rows, 0);
    size_t size = 0;
    const uint8_t *old = bf_rows_blob(rows, 1, &size);
    uint8_t new[SEALED_MAX];
    bool changed = false;
    bf_status status =
        work->session_keys ? rewrap(work, id, old, size, new, &changed) : reseal(work, old, size, new, &changed);
    (void)snprintf(work->last, sizeof work->last, "%s", id);
    work->seen++;
    /* One secret that nobody can open does not keep the others from being carried over. */
    if (status != BF_OK)
        work->unreadable++;
    if (!changed)
        return BF_OK;
    work->changed++;
    return update_row(db, work, id, new, size, err);
}

static bf_status select_rows(bf_db *db, const batch *work, bf_rows **ret, bf_error *err)
{
    if (work->session_keys)
        return bf_db_query(
            db,
            "SELECT session_id, wrapped FROM vault_key WHERE session_id > $1 AND master_id <> $2"
            " ORDER BY session_id LIMIT $3",
            BF_VALUES(bf_value_text(work->after), bf_value_text(work->next->id), bf_value_integer(BATCH_MAX)), ret,
            err);
    return bf_db_query(db,
                       "SELECT id, signing_secret FROM api_key WHERE id > $1 AND signing_secret IS NOT NULL"
                       " ORDER BY id LIMIT $2",
                       BF_VALUES(bf_value_text(work->after), bf_value_integer(BATCH_MAX)), ret, err);
}

static bf_status append(bf_db *db, const batch *work, json_t *facts, bf_error *err)
{
    if (!facts)
        return bf_fail_memory(err);
    const bf_audit_entry entry = {BF_AUDIT_VAULT_ROTATED, bf_time_now_ms(), work->actor, facts};
    bf_status status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

static bf_status rotate_batch(bf_db *db, void *context, bf_error *err)
{
    batch *work = context;
    work->seen = 0;
    work->changed = work->unreadable = 0;
    memcpy(work->last, work->after, sizeof work->last);
    bf_rows *rows = NULL;
    bf_status status = select_rows(db, work, &rows, err);
    while (status == BF_OK && bf_rows_next(rows))
        status = rotate_row(db, work, rows, err);
    bf_rows_free(&rows);
    if (status != BF_OK || work->changed == 0)
        return status;
    return append(db, work,
                  json_pack("{s:s, s:s, s:I, s:b}", "from", work->current->id, "to", work->next->id,
                            work->session_keys ? "session_keys" : "api_keys", (json_int_t)work->changed, "complete", 0),
                  err);
}

static bf_status rotate_table(bf_store *store, batch *work, bool session_keys, int64_t *ret_changed,
                              int64_t *ret_unreadable, bf_error *err)
{
    work->session_keys = session_keys;
    work->after[0] = 0;
    for (;;) {
        bf_status status = bf_store_write(store, rotate_batch, work, err);
        if (status != BF_OK)
            return status;
        *ret_changed += work->changed;
        *ret_unreadable += work->unreadable;
        if (work->seen < BATCH_MAX)
            return BF_OK;
        memcpy(work->after, work->last, sizeof work->after);
    }
}

typedef struct ending {
    const batch *work;
    const bf_vault_rotation *done;
} ending;

static bf_status finish(bf_db *db, void *context, bf_error *err)
{
    const ending *end = context;
    return append(db, end->work,
                  json_pack("{s:s, s:s, s:I, s:I, s:I, s:b}", "from", end->work->current->id, "to", end->work->next->id,
                            "session_keys", (json_int_t)end->done->session_keys, "api_keys",
                            (json_int_t)end->done->api_keys, "unreadable", (json_int_t)end->done->unreadable,
                            "complete", 1),
                  err);
}

bf_status bf_vault_rotate(bf_store *store, const bf_master *current, const bf_master *next, const char *actor,
                          bf_vault_rotation *ret, bf_error *err)
{
    if (sodium_memcmp(current->key, next->key, sizeof current->key) == 0)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The new master key is the old one.");
    bf_vault_rotation done = {0};
    batch *work = bf_calloc(1, sizeof *work);
    if (!work)
        return bf_fail_memory(err);
    work->current = current;
    work->next = next;
    work->actor = actor;
    bf_status status = rotate_table(store, work, true, &done.session_keys, &done.unreadable, err);
    if (status == BF_OK)
        status = rotate_table(store, work, false, &done.api_keys, &done.unreadable, err);
    ending end = {work, &done};
    if (status == BF_OK)
        status = bf_store_write(store, finish, &end, err);
    bf_free(work);
    if (status != BF_OK)
        return status;
    *ret = done;
    if (done.unreadable == 0)
        return BF_OK;
    bf_fail(err, BF_VAULT_LOCKED, "%lld stored secrets could be opened by neither key.", (long long)done.unreadable);
    bf_fail_hint(
        err, "Rotate API keys that no longer sign with 'bonafide keys rotate'; erase sessions whose media is lost.");
    return BF_VAULT_LOCKED;
}

static bf_status find_foreign(bf_db *db, void *context, bf_error *err)
{
    const bf_master *master = context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT master_id FROM vault_key WHERE master_id <> $1 LIMIT 1",
                                   BF_VALUES(bf_value_text(master->id)), &rows, err);
    if (status == BF_OK && bf_rows_next(rows)) {
        status = bf_fail(err, BF_VAULT_LOCKED, "The vault holds keys that another master key wrapped.");
        bf_fail_detail(err, "Wrapped by %s; the master key given is %s.", bf_rows_text(rows, 0), master->id);
        bf_fail_hint(err,
                     "After an interrupted rotation run 'bonafide vault rotate-key' again; else give the right file.");
    }
    bf_rows_free(&rows);
    return status;
}

bf_status bf_vault_check(bf_store *store, const bf_master *master, bf_error *err)
{
    bf_master copy = *master;
    bf_status status = bf_store_read(store, find_foreign, &copy, err);
    bf_master_done(&copy);
    return status;
}
