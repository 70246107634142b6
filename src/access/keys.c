/* API keys: making and ending them. Checking them is key_check.c. */
#include "access/keys.h"

#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "access/key_text.h"
#include "audit/log.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "record/parse.h"

void bf_new_key_done(bf_new_key *key)
{
    sodium_memzero(key, sizeof *key);
}

static bool is_client(const char *text)
{
    size_t length = text ? strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") : 0;
    return length > 0 && length < BF_NAME_MAX && text[length] == '\0';
}

static bool is_label(const char *text)
{
    size_t length = text ? strnlen(text, BF_KEY_LABEL_MAX) : BF_KEY_LABEL_MAX;
    if (length >= BF_KEY_LABEL_MAX)
        return false;
    for (size_t at = 0, size = 0; at < length; at += size) {
        const unsigned char *character = (const unsigned char *)text + at;
        size = bf_utf8_size(character);
        bool control = *character < 0x20 || *character == 0x7f || (*character == 0xc2 && character[1] < 0xa0);
        if (size == 0 || control)
            return false;
    }
    return true;
}

static bf_status check_request(const bf_key_request *request, bf_error *err)
{
    if (!is_client(request->client))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The client must be 1 to 63 characters of a-z 0-9 _ -.");
    if (!is_label(request->label))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The label must be at most %d bytes of printable UTF-8.",
                       BF_KEY_LABEL_MAX - 1);
    if (request->role != BF_ACCESS_INTEGRATOR && request->role != BF_ACCESS_REVIEWER &&
        request->role != BF_ACCESS_AUDITOR && request->role != BF_ACCESS_OPERATOR)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A key has one role: integrator, reviewer, auditor or operator.");
    if (request->expires_ms != 0 && request->expires_ms <= request->now_ms)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The key would end before it begins.");
    return BF_OK;
}

static bf_value time_or_null(int64_t ms)
{
    return ms ? bf_value_integer(ms) : (bf_value){.kind = BF_VALUE_NULL};
}

/* The label stays out of the log, for it may name a person. */
static bf_status log_change(bf_db *db, json_t *facts, int64_t now_ms, const char *actor, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *owned = facts;
    if (!owned)
        return bf_fail_memory(err);
    bf_audit_entry entry = {.kind = BF_AUDIT_KEY_CHANGED, .at_ms = now_ms, .actor = actor, .facts = owned};
    return bf_audit_append(db, &entry, NULL, err);
}

static bf_status insert(bf_db *db, const bf_key_request *request, const char *id, const uint8_t *hash,
                        const uint8_t *sealed, bf_error *err)
{
    return bf_db_run(
        db,
        "INSERT INTO api_key(id, client, role, label, secret_hash, signing_secret, must_sign, created_ms,"
        " expires_ms) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        BF_VALUES(bf_value_text(id), bf_value_text(request->client), bf_value_text(bf_access_role_name(request->role)),
                  bf_value_text(request->label), bf_value_blob(hash, BF_SECRET_SIZE),
                  bf_value_blob(sealed, BF_SEALED_SIZE(BF_SECRET_SIZE)), bf_value_integer(request->must_sign),
                  bf_value_integer(request->now_ms), time_or_null(request->expires_ms)),
        NULL, err);
}

static bf_status add_key(bf_db *db, const bf_master *master, const bf_key_request *request, bf_new_key *ret,
                         bf_error *err)
{
    BF_CLEANUP(bf_key_text_done) bf_key_text key = {0};
    uint8_t id[BF_KEY_ID_DIGITS / 2], hash[BF_SECRET_SIZE];
    uint8_t signing[BF_SECRET_SIZE], sealed[BF_SEALED_SIZE(BF_SECRET_SIZE)];
    randombytes_buf(id, sizeof id);
    sodium_bin2hex(key.id, BF_KEY_ID_DIGITS + 1, id, sizeof id);
    randombytes_buf(key.secret, sizeof key.secret);
    bf_key_text_hash(&key, hash);
    randombytes_buf(signing, sizeof signing);
    bf_master_seal(master, signing, sizeof signing, sealed);
    bf_status status = insert(db, request, key.id, hash, sealed, err);
    if (status == BF_OK) {
        memcpy(ret->id, key.id, sizeof ret->id);
        bf_key_text_write(&key, ret->key);
        bf_signing_secret_write(signing, ret->signing_secret);
        ret->expires_ms = request->expires_ms;
    }
    sodium_memzero(signing, sizeof signing);
    return status;
}

bf_status bf_key_create(bf_db *db, const bf_master *master, const bf_key_request *request, const char *actor,
                        bf_new_key *ret, bf_error *err)
{
    BF_CLEANUP(bf_new_key_done) bf_new_key made = {0};
    bf_status status = check_request(request, err);
    if (status == BF_OK)
        status = add_key(db, master, request, &made, err);
    if (status == BF_OK)
        status = log_change(db,
                            json_pack("{s:s, s:s, s:s, s:s, s:b, s:I}", "change", "created", "key", made.id, "client",
                                      request->client, "role", bf_access_role_name(request->role), "must_sign",
                                      (int)request->must_sign, "expires_ms", (json_int_t)request->expires_ms),
                            request->now_ms, actor, err);
    if (status == BF_OK)
        *ret = made;
    return status;
}

static bf_status fail_no_key(bf_error *err, const char *id)
{
    return bf_fail(err, BF_NOT_FOUND, "There is no key %.*s in force.", BF_KEY_ID_SIZE, id);
}

/* What the new key takes over from the row of the old one. */
static bf_status request_from(const bf_rows *rows, int64_t now_ms, bf_key_request *ret, bf_error *err)
{
    int64_t created_ms = bf_rows_integer(rows, 4), expires_ms = bf_rows_integer(rows, 5);
    *ret = (bf_key_request){.client = bf_rows_text(rows, 0),
                            .label = bf_rows_text(rows, 2),
                            .must_sign = bf_rows_integer(rows, 3) != 0,
                            .now_ms = now_ms,
                            .expires_ms = expires_ms ? now_ms + (expires_ms - created_ms) : 0};
    if (!bf_access_role_from_name(bf_rows_text(rows, 1), &ret->role))
        return bf_fail(err, BF_INTERNAL, "The key has a role that this version does not know.");
    return check_request(ret, err);
}

static bf_status end_rotated(bf_db *db, const char *id, const char *new_id, int64_t ends_ms, bf_error *err)
{
    return bf_db_run(db,
                     "UPDATE api_key SET rotated_to = $1,"
                     " expires_ms = CASE WHEN expires_ms < $2 THEN expires_ms ELSE $2 END WHERE id = $3",
                     BF_VALUES(bf_value_text(new_id), bf_value_integer(ends_ms), bf_value_text(id)), NULL, err);
}

bf_status bf_key_rotate(bf_db *db, const bf_master *master, const char *id, int64_t now_ms, int64_t old_ends_ms,
                        const char *actor, bf_new_key *ret, bf_error *err)
{
    BF_CLEANUP(bf_new_key_done) bf_new_key made = {0};
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_key_request request = {0};
    bf_status status = bf_db_query(db,
                                   "SELECT client, role, label, must_sign, created_ms, expires_ms, rotated_to"
                                   " FROM api_key WHERE id = $1 AND revoked_ms IS NULL"
                                   " AND (expires_ms IS NULL OR expires_ms > $2)",
                                   BF_VALUES(bf_value_text(id), bf_value_integer(now_ms)), &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows))
        return fail_no_key(err, id);
    if (!bf_rows_is_null(rows, 6))
        return bf_fail(err, BF_INVALID_ARGUMENT, "Key %s was rotated before; its successor is %s.", id,
                       bf_rows_text(rows, 6));
    if (old_ends_ms < now_ms)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The old key would end in the past.");
    status = request_from(rows, now_ms, &request, err);
    if (status == BF_OK)
        status = add_key(db, master, &request, &made, err);
    if (status == BF_OK)
        status = end_rotated(db, id, made.id, old_ends_ms, err);
    if (status == BF_OK)
        status = log_change(db,
                            json_pack("{s:s, s:s, s:s, s:s, s:I}", "change", "rotated", "key", id, "new_key", made.id,
                                      "client", request.client, "old_expires_ms", (json_int_t)old_ends_ms),
                            now_ms, actor, err);
    if (status == BF_OK)
        *ret = made;
    return status;
}

bf_status bf_key_revoke(bf_db *db, const char *id, int64_t now_ms, const char *actor, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT client, revoked_ms FROM api_key WHERE id = $1",
                                   BF_VALUES(bf_value_text(id)), &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows))
        return bf_fail(err, BF_NOT_FOUND, "There is no key %.*s.", BF_KEY_ID_SIZE, id);
    if (!bf_rows_is_null(rows, 1))
        return BF_OK;
    status = bf_db_run(db, "UPDATE api_key SET revoked_ms = $1 WHERE id = $2",
                       BF_VALUES(bf_value_integer(now_ms), bf_value_text(id)), NULL, err);
    if (status != BF_OK)
        return status;
    return log_change(db, json_pack("{s:s, s:s, s:s}", "change", "revoked", "key", id, "client", bf_rows_text(rows, 0)),
                      now_ms, actor, err);
}
