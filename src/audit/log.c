#include "audit/log.h"

#include <string.h>

#include "audit/leaf.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

#define NODES_AT_ONCE 4

/* The one row of audit_head. */
typedef struct head {
    bf_edge edge;
    bf_hash last;
    int64_t at_ms, signed_size;
} head;

static bf_status fail_damaged(bf_error *err, const char *detail)
{
    (void)bf_fail(err, BF_AUDIT_TAMPERED, "The audit log's head is damaged.");
    bf_fail_detail(err, "%s", detail);
    return BF_AUDIT_TAMPERED;
}

/* The edge as a blob: its hashes one behind the other. */
static size_t edge_bytes(int64_t size)
{
    return (size_t)bf_edge_count(size) * BF_HASH_SIZE;
}

static bool take_blob(const bf_rows *rows, int column, void *ret, size_t size)
{
    size_t got = 0;
    const void *blob = bf_rows_blob(rows, column, &got);
    if (got == size && size > 0)
        memcpy(ret, blob, size);
    return got == size;
}

static bf_status read_head(bf_db *db, head *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT size, edge, last, at_ms, signed_size FROM audit_head WHERE one = 1",
                                   BF_NO_VALUES, &rows, err);
    if (status != BF_OK)
        return status;
    if (!bf_rows_next(rows))
        return fail_damaged(err, "Its row is gone.");
    ret->edge.size = bf_rows_integer(rows, 0);
    ret->at_ms = bf_rows_integer(rows, 3);
    ret->signed_size = bf_rows_integer(rows, 4);
    if (ret->edge.size < 0 || ret->edge.size >= BF_LOG_SIZE_MAX)
        return fail_damaged(err, "Its size is impossible.");
    if (!take_blob(rows, 1, ret->edge.hash, edge_bytes(ret->edge.size)) ||
        !take_blob(rows, 2, &ret->last, ret->edge.size > 0 ? BF_HASH_SIZE : 0))
        return fail_damaged(err, "Its hashes are not those of its size.");
    return BF_OK;
}

/* Inserts the subtrees that leaf `index` completed, level 1 first, several with one statement. */
static bf_status insert_nodes(bf_db *db, int64_t index, const bf_hash *made, int count, bf_error *err)
{
    static const char *const sql[NODES_AT_ONCE + 1] = {
        NULL,
        "INSERT INTO audit_node(level, idx, hash) VALUES($1, $2, $3)",
        "INSERT INTO audit_node(level, idx, hash) VALUES($1, $2, $3), ($4, $5, $6)",
        "INSERT INTO audit_node(level, idx, hash) VALUES($1, $2, $3), ($4, $5, $6), ($7, $8, $9)",
        "INSERT INTO audit_node(level, idx, hash) VALUES($1, $2, $3), ($4, $5, $6), ($7, $8, $9), ($10, $11, $12)",
    };
    bf_value values[3 * NODES_AT_ONCE];
    for (int done = 0; done < count;) {
        int some = count - done < NODES_AT_ONCE ? count - done : NODES_AT_ONCE;
        for (int i = 0; i < some; i++) {
            int level = done + i + 1;
            values[3 * i] = bf_value_integer(level);
            values[3 * i + 1] = bf_value_integer(index >> level);
            values[3 * i + 2] = bf_value_blob(made[level - 1].byte, BF_HASH_SIZE);
        }
        bf_status status = bf_db_run(db, sql[some], values, 3 * (size_t)some, NULL, err);
        if (status != BF_OK)
            return status;
        done += some;
    }
    return BF_OK;
}

static bf_status insert_leaf(bf_db *db, int64_t index, const bf_audit_entry *entry, const char *text,
                             const bf_hash *hash, bf_error *err)
{
    return bf_db_run(db, "INSERT INTO audit_leaf(idx, at_ms, kind, data, hash) VALUES($1, $2, $3, $4, $5)",
                     BF_VALUES(bf_value_integer(index), bf_value_integer(entry->at_ms),
                               bf_value_text(bf_audit_kind_name(entry->kind)), bf_value_text(text),
                               bf_value_blob(hash->byte, BF_HASH_SIZE)),
                     NULL, err);
}

bf_status bf_audit_append(bf_db *db, const bf_audit_entry *entry, int64_t *ret_index, bf_error *err)
{
    head now;
    char text[BF_LEAF_BYTES_MAX];
    bf_hash made[BF_EDGE_MAX];
    bf_audit_entry dated = *entry;
    bf_status status = read_head(db, &now, err);
    if (status != BF_OK)
        return status;
    int64_t index = now.edge.size;
    if (dated.at_ms < now.at_ms)
        dated.at_ms = now.at_ms;
    status = bf_leaf_write(&dated, index, index > 0 ? &now.last : NULL, text, err);
    if (status != BF_OK)
        return status;
    bf_hash hash = bf_merkle_leaf(text, strlen(text));
    int count = bf_edge_append(&now.edge, &hash, made);
    status = insert_leaf(db, index, &dated, text, &hash, err);
    if (status == BF_OK)
        status = insert_nodes(db, index, made, count, err);
    if (status == BF_OK)
        status = bf_db_run(db, "UPDATE audit_head SET size = $1, edge = $2, last = $3, at_ms = $4 WHERE one = 1",
                           BF_VALUES(bf_value_integer(now.edge.size),
                                     bf_value_blob(now.edge.hash, edge_bytes(now.edge.size)),
                                     bf_value_blob(hash.byte, BF_HASH_SIZE), bf_value_integer(dated.at_ms)),
                           NULL, err);
    if (status == BF_OK && ret_index)
        *ret_index = index;
    return status;
}

/* Signs the head as it is, unless it is signed already; ret_note is then not written. */
static bf_status sign_head(bf_db *db, const bf_log_key *key, head *now, char ret_note[BF_NOTE_SIZE], bf_error *err)
{
    bf_status status = read_head(db, now, err);
    if (status != BF_OK || now->edge.size == now->signed_size)
        return status;
    if (!key->can_sign)
        return bf_fail(err, BF_INTERNAL, "The audit log cannot be signed without its key.");
    bf_checkpoint checkpoint = {now->edge.size, bf_edge_root(&now->edge)};
    bf_note_sign(key, &checkpoint, ret_note);
    return bf_db_run(db, "UPDATE audit_head SET signed_size = $1, note = $2 WHERE one = 1",
                     BF_VALUES(bf_value_integer(checkpoint.size), bf_value_text(ret_note)), NULL, err);
}

/* Keeps a checkpoint, and says so in the log: then it cannot be removed unnoticed. */
static bf_status keep_checkpoint(bf_db *db, const head *now, const char *note, bf_error *err)
{
    char hex[BF_SHA256_HEX_SIZE];
    bf_status status = bf_db_run(
        db, "INSERT INTO audit_checkpoint(size, at_ms, note) VALUES($1, $2, $3)",
        BF_VALUES(bf_value_integer(now->edge.size), bf_value_integer(now->at_ms), bf_value_text(note)), NULL, err);
    if (status != BF_OK)
        return status;
    bf_sha256_hex(note, strlen(note), hex);
    json_t *facts = json_pack("{sI ss}", "size", (json_int_t)now->edge.size, "note_sha256", hex);
    if (!facts)
        return bf_fail_memory(err);
    const bf_audit_entry entry = {BF_AUDIT_CHECKPOINT, now->at_ms, "server", facts};
    status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

bf_status bf_audit_seal(bf_db *db, void *key, bf_error *err)
{
    head now;
    char note[BF_NOTE_SIZE];
    bf_status status = sign_head(db, key, &now, note, err);
    if (status != BF_OK || now.edge.size / BF_CHECKPOINT_EVERY == now.signed_size / BF_CHECKPOINT_EVERY)
        return status;
    status = keep_checkpoint(db, &now, note, err);
    return status == BF_OK ? sign_head(db, key, &now, note, err) : status;
}

bf_status bf_audit_check_head(bf_db *db, void *key, bf_error *err)
{
    BF_CLEANUP(bf_free_string) char *note = NULL;
    head now;
    bf_checkpoint checkpoint;
    bf_status status = read_head(db, &now, err);
    if (status == BF_OK)
        status = bf_audit_checkpoint(db, &note, err);
    if (status != BF_OK)
        return status;
    if (now.edge.size == 0)
        return note[0] ? fail_damaged(err, "It is empty but was signed.") : BF_OK;
    status = bf_note_verify(key, note, strlen(note), &checkpoint, err);
    if (status == BF_INVALID_ARGUMENT)
        return fail_damaged(err, "Its checkpoint cannot be read.");
    if (status != BF_OK) {
        bf_fail_hint(err, "A log is continued with the key that began it; see 'bonafide audit verify'.");
        return status;
    }
    bf_hash root = bf_edge_root(&now.edge);
    if (checkpoint.size != now.edge.size || now.signed_size != now.edge.size || !bf_hash_equal(&checkpoint.root, &root))
        return fail_damaged(err, "Its checkpoint is of another tree.");
    return BF_OK;
}
