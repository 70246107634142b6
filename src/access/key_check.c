/* API keys: checking and reading them. */
#include <string.h>

#include <sodium.h>

#include "access/key_text.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

static void copy_text(char *ret, size_t size, const char *text)
{
    size_t length = text ? strnlen(text, size - 1) : 0;
    if (length > 0)
        memcpy(ret, text, length);
    ret[length] = '\0';
}

/* No key has this hash, for no text is known whose SHA-256 it is. */
static const uint8_t NOBODY[BF_SECRET_SIZE] = {0};

/* Compares with the row's hash, and without a row with another one, so that both take as long. */
static bool is_secret(const bf_rows *rows, bool found, const uint8_t *hash)
{
    size_t size = 0;
    const uint8_t *stored = found ? bf_rows_blob(rows, 0, &size) : NULL;
    bool usable = stored && size == BF_SECRET_SIZE;
    bool same = sodium_memcmp(usable ? stored : NOBODY, hash, BF_SECRET_SIZE) == 0;
    return usable && same;
}

static bool in_force(const bf_rows *rows, int64_t now_ms)
{
    return bf_rows_is_null(rows, 5) && (bf_rows_is_null(rows, 4) || now_ms < bf_rows_integer(rows, 4));
}

static bf_status find(bf_db *db, const bf_key_text *key, bf_rows **ret, bf_error *err)
{
    return bf_db_query(db,
                       "SELECT secret_hash, client, role, must_sign, expires_ms, revoked_ms FROM api_key WHERE id = $1",
                       BF_VALUES(bf_value_text(key->id)), ret, err);
}

bf_status bf_key_authenticate(bf_db *db, const char *authorization, int64_t now_ms, bf_principal *ret, bf_error *err)
{
    static const char refusal[] = "The request carries no valid API key.";
    BF_CLEANUP(bf_key_text_done) bf_key_text key = {0};
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    /* The sender sees the form too, so refusing it early tells nothing. */
    if (!bf_key_text_read(bf_bearer(authorization), &key))
        return bf_fail(err, BF_UNAUTHENTICATED, "%s", refusal);
    bf_status status = find(db, &key, &rows, err);
    if (status != BF_OK)
        return status;
    uint8_t hash[BF_SECRET_SIZE];
    bf_key_text_hash(&key, hash);
    bool found = bf_rows_next(rows);
    bf_principal who = {0};
    /* Whether the key is in force is told only to somebody who has its secret, and then in the same words. */
    if (!is_secret(rows, found, hash) || !in_force(rows, now_ms) ||
        !bf_access_role_from_name(bf_rows_text(rows, 2), &who.role) || who.role == BF_ACCESS_PERSON)
        return bf_fail(err, BF_UNAUTHENTICATED, "%s", refusal);
    copy_text(who.client, sizeof who.client, bf_rows_text(rows, 1));
    memcpy(who.key_id, key.id, sizeof who.key_id);
    who.must_sign = bf_rows_integer(rows, 3) != 0;
    *ret = who;
    return BF_OK;
}

bf_status bf_key_signing_secret(bf_db *db, const bf_master *master, const char *id, uint8_t ret[BF_SECRET_SIZE],
                                bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT signing_secret FROM api_key WHERE id = $1", BF_VALUES(bf_value_text(id)), &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows) || bf_rows_is_null(rows, 0))
        return bf_fail(err, BF_NOT_FOUND, "There is no key %.*s with a signing secret.", BF_KEY_ID_SIZE, id);
    size_t size = 0;
    const void *sealed = bf_rows_blob(rows, 0, &size);
    if (size != BF_SEALED_SIZE(BF_SECRET_SIZE))
        return bf_fail(err, BF_VAULT_LOCKED, "The signing secret of key %.*s is damaged.", BF_KEY_ID_SIZE, id);
    return bf_master_open(master, sealed, size, ret, err);
}

/* A role that this version does not know stays 0; such a key authenticates nobody. */
static void read_facts(const bf_rows *rows, bf_key_facts *ret)
{
    copy_text(ret->id, sizeof ret->id, bf_rows_text(rows, 0));
    copy_text(ret->client, sizeof ret->client, bf_rows_text(rows, 1));
    (void)bf_access_role_from_name(bf_rows_text(rows, 2), &ret->role);
    copy_text(ret->label, sizeof ret->label, bf_rows_text(rows, 3));
    ret->must_sign = bf_rows_integer(rows, 4) != 0;
    ret->created_ms = bf_rows_integer(rows, 5);
    ret->expires_ms = bf_rows_integer(rows, 6);
    ret->revoked_ms = bf_rows_integer(rows, 7);
    copy_text(ret->rotated_to, sizeof ret->rotated_to, bf_rows_text(rows, 8));
}

#define FACTS "SELECT id, client, role, label, must_sign, created_ms, expires_ms, revoked_ms, rotated_to FROM api_key"

bf_status bf_key_get(bf_db *db, const char *id, bf_key_facts *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_key_facts facts = {0};
    bf_status status = bf_db_query(db, FACTS " WHERE id = $1", BF_VALUES(bf_value_text(id)), &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows))
        return bf_fail(err, BF_NOT_FOUND, "There is no key %.*s.", BF_KEY_ID_SIZE, id);
    read_facts(rows, &facts);
    *ret = facts;
    return BF_OK;
}

bf_status bf_key_list(bf_db *db, bf_key_facts **ret, size_t *ret_count, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, FACTS " ORDER BY client, created_ms, id LIMIT $1",
                                   BF_VALUES(bf_value_integer(BF_KEYS_MAX)), &rows, err);
    if (status != BF_OK)
        return status;
    size_t count = bf_rows_count(rows);
    bf_key_facts *facts = count > 0 ? bf_calloc(count, sizeof *facts) : NULL;
    if (count > 0 && !facts)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count && bf_rows_next(rows); i++)
        read_facts(rows, &facts[i]);
    *ret = facts;
    *ret_count = count;
    return BF_OK;
}
