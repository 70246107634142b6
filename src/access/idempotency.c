#include "access/idempotency.h"

#include <string.h>

#include <sodium.h>

#include "base/attr.h"
#include "base/error.h"

/* Every replica's clock may be this much off. */
#define CLOCK_SKEW_MS 60000

static bool is_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
    size_t length = strspn(name, letters);
    return length > 0 && length <= BF_IDEMPOTENCY_NAME_MAX && name[length] == '\0';
}

/* Takes the name, whoever had it before. */
static bf_status claim(bf_db *db, const bf_idempotency *key, bf_error *err)
{
    return bf_db_run(db,
                     "INSERT INTO idempotency(client, name, request_hash, claimed_until_ms, created_ms)"
                     " VALUES($1, $2, $3, $4, $5) ON CONFLICT(client, name) DO UPDATE SET"
                     " request_hash = excluded.request_hash, claimed_until_ms = excluded.claimed_until_ms,"
                     " created_ms = excluded.created_ms, http_status = NULL, body = NULL, session_id = NULL",
                     BF_VALUES(bf_value_text(key->client), bf_value_text(key->name),
                               bf_value_blob(key->request_hash, sizeof key->request_hash),
                               bf_value_integer(key->claimed_until_ms), bf_value_integer(key->now_ms)),
                     NULL, err);
}

static bf_status repeat(const bf_rows *rows, int *ret_http, bf_bytes *ret_body, bf_error *err)
{
    size_t size = 0;
    const void *body = bf_rows_blob(rows, 3, &size);
    uint8_t *copy = bf_malloc(size + 1);
    if (!copy)
        return bf_fail_memory(err);
    if (size > 0)
        memcpy(copy, body, size);
    copy[size] = 0;
    *ret_body = (bf_bytes){.data = copy, .size = size};
    *ret_http = (int)bf_rows_integer(rows, 2);
    return BF_OK;
}

/* What stands in the way of a claim counts for a limited time. A claim from further in the future than the clocks' skew
 * was made before the clock was set back, and would hold for as long as that was. */
static bool in_progress(const bf_rows *rows, const bf_idempotency *key)
{
    int64_t until_ms = bf_rows_integer(rows, 1), created_ms = bf_rows_integer(rows, 4);
    return key->now_ms < until_ms && created_ms <= key->now_ms + CLOCK_SKEW_MS;
}

static bool same_request(const bf_rows *rows, const bf_idempotency *key)
{
    size_t size = 0;
    const void *hash = bf_rows_blob(rows, 0, &size);
    return size == sizeof key->request_hash && sodium_memcmp(hash, key->request_hash, size) == 0;
}

bf_status bf_idempotency_begin(bf_db *db, const bf_idempotency *key, bool *ret_done, int *ret_http, bf_bytes *ret_body,
                               bf_error *err)
{
    *ret_done = false;
    if (!key->name)
        return BF_OK;
    if (!is_name(key->name))
        return bf_fail(err, BF_INVALID_REQUEST, "Idempotency-Key must be 1 to %d characters of A-Z a-z 0-9 . _ : -.",
                       BF_IDEMPOTENCY_NAME_MAX);
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db,
                                   "SELECT request_hash, claimed_until_ms, http_status, body, created_ms"
                                   " FROM idempotency WHERE client = $1 AND name = $2",
                                   BF_VALUES(bf_value_text(key->client), bf_value_text(key->name)), &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows) || bf_rows_integer(rows, 4) <= key->now_ms - BF_IDEMPOTENCY_KEEP_MS)
        return claim(db, key, err);
    if (!same_request(rows, key))
        return bf_fail(err, BF_IDEMPOTENCY_CONFLICT, "The Idempotency-Key was used before for another request.");
    if (!bf_rows_is_null(rows, 2)) {
        status = repeat(rows, ret_http, ret_body, err);
        *ret_done = status == BF_OK;
        return status;
    }
    if (in_progress(rows, key))
        return bf_fail(err, BF_IDEMPOTENCY_IN_PROGRESS, "The first request with this Idempotency-Key is under way.");
    return claim(db, key, err);
}

bf_status bf_idempotency_finish(bf_db *db, const bf_idempotency *key, int http, const void *body, size_t size,
                                const char *session_id, bf_error *err)
{
    if (!key->name)
        return BF_OK;
    int64_t changed = 0;
    bf_status status = bf_db_run(db,
                                 "UPDATE idempotency SET http_status = $1, body = $2, session_id = $3"
                                 " WHERE client = $4 AND name = $5 AND claimed_until_ms = $6 AND http_status IS NULL",
                                 BF_VALUES(bf_value_integer(http), bf_value_blob(size > 0 ? body : "", size),
                                           bf_value_text(session_id), bf_value_text(key->client),
                                           bf_value_text(key->name), bf_value_integer(key->claimed_until_ms)),
                                 &changed, err);
    if (status != BF_OK || changed == 1)
        return status;
    return bf_fail(err, BF_IDEMPOTENCY_IN_PROGRESS, "Another request with this Idempotency-Key has taken over.");
}

bf_status bf_idempotency_release(bf_db *db, const bf_idempotency *key, bf_error *err)
{
    if (!key->name)
        return BF_OK;
    return bf_db_run(
        db,
        "DELETE FROM idempotency WHERE client = $1 AND name = $2 AND claimed_until_ms = $3"
        " AND http_status IS NULL",
        BF_VALUES(bf_value_text(key->client), bf_value_text(key->name), bf_value_integer(key->claimed_until_ms)), NULL,
        err);
}

bf_status bf_idempotency_erase(bf_db *db, const char *session_id, bf_error *err)
{
    return bf_db_run(db, "DELETE FROM idempotency WHERE session_id = $1", BF_VALUES(bf_value_text(session_id)), NULL,
                     err);
}
