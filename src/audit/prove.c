/* Proofs from what the store holds. Each is checked before it is handed out, so that a damaged store is found by the
 * first who asks. */
#include <string.h>

#include <sodium.h>

#include "audit/log.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL

static bf_status fail_tampered(bf_error *err, const char *detail)
{
    (void)bf_fail(err, BF_AUDIT_TAMPERED, "The audit log does not agree with its signed checkpoint.");
    bf_fail_detail(err, "%s", detail);
    bf_fail_hint(err, "'bonafide audit export' and 'bonafide audit verify' tell where.");
    return BF_AUDIT_TAMPERED;
}

bf_status bf_audit_checkpoint(bf_db *db, char **ret_note, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT note FROM audit_head WHERE one = 1", BF_NO_VALUES, &rows, err);
    if (status != BF_OK)
        return status;
    const char *note = bf_rows_next(rows) ? bf_rows_text(rows, 0) : NULL;
    if (!note)
        return fail_tampered(err, "The head's row is gone.");
    char *copy = bf_strdup(note);
    if (!copy)
        return bf_fail_memory(err);
    *ret_note = copy;
    return BF_OK;
}

/* Text and numbers of the newest checkpoint; "" and the empty tree while there is none. */
static bf_status read_newest(bf_db *db, char ret_note[BF_NOTE_SIZE], bf_checkpoint *ret, bf_error *err)
{
    BF_CLEANUP(bf_free_string) char *note = NULL;
    bf_status status = bf_audit_checkpoint(db, &note, err);
    if (status != BF_OK)
        return status;
    size_t size = strlen(note);
    bf_checkpoint checkpoint = {0, bf_merkle_empty()};
    if (size >= BF_NOTE_SIZE || (size > 0 && bf_note_read(note, size, &checkpoint, NULL) != BF_OK))
        return fail_tampered(err, "The newest checkpoint cannot be read.");
    memcpy(ret_note, note, size + 1);
    *ret = checkpoint;
    return BF_OK;
}

/* Looks hashes up and remembers why one could not be had. */
typedef struct lookup {
    bf_db *db;
    bf_error *err;
    bf_status status;
} lookup;

static bool get_hash(void *context, int level, int64_t idx, bf_hash *ret)
{
    static const char of_leaf[] = "SELECT hash FROM audit_leaf WHERE idx = $1";
    static const char of_node[] = "SELECT hash FROM audit_node WHERE idx = $1 AND level = $2";
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    lookup *look = context;
    const bf_value values[] = {bf_value_integer(idx), bf_value_integer(level)};
    look->status = bf_db_query(look->db, level == 0 ? of_leaf : of_node, values, level == 0 ? 1 : 2, &rows, look->err);
    if (look->status != BF_OK)
        return false;
    size_t size = 0;
    const void *hash = bf_rows_next(rows) ? bf_rows_blob(rows, 0, &size) : NULL;
    if (!hash || size != BF_HASH_SIZE) {
        look->status = fail_tampered(look->err, "A hash of the tree is missing.");
        return false;
    }
    memcpy(ret->byte, hash, BF_HASH_SIZE);
    return true;
}

static bf_status read_leaf(bf_db *db, int64_t index, char **ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT data FROM audit_leaf WHERE idx = $1", BF_VALUES(bf_value_integer(index)), &rows, err);
    if (status != BF_OK)
        return status;
    const char *data = bf_rows_next(rows) ? bf_rows_text(rows, 0) : NULL;
    if (!data)
        return fail_tampered(err, "The leaf is missing.");
    char *copy = bf_strdup(data);
    if (!copy)
        return bf_fail_memory(err);
    *ret = copy;
    return BF_OK;
}

static bf_status fill_proof(bf_db *db, bf_audit_proof *proof, bf_error *err)
{
    lookup look = {.db = db, .err = err};
    bf_status status = read_leaf(db, proof->index, &proof->leaf, err);
    if (status != BF_OK)
        return status;
    proof->leaf_hash = bf_merkle_leaf(proof->leaf, strlen(proof->leaf));
    if (!bf_merkle_inclusion(proof->index, proof->size, get_hash, &look, &proof->path))
        return look.status;
    if (!bf_merkle_inclusion_holds(&proof->leaf_hash, proof->index, proof->size, &proof->path, &proof->root))
        return fail_tampered(err, "The leaf is not in the tree that was signed.");
    return BF_OK;
}

bf_status bf_audit_prove(bf_db *db, int64_t index, bf_audit_proof *ret, bf_error *err)
{
    BF_CLEANUP(bf_audit_proof_done) bf_audit_proof proof = {.index = index};
    bf_checkpoint newest;
    bf_status status = read_newest(db, proof.note, &newest, err);
    if (status != BF_OK)
        return status;
    if (index < 0 || index >= newest.size)
        return bf_fail(err, BF_NOT_FOUND, "The audit log has no leaf of that number.");
    proof.size = newest.size;
    proof.root = newest.root;
    status = fill_proof(db, &proof, err);
    if (status != BF_OK)
        return status;
    *ret = proof;
    proof.leaf = NULL;
    return BF_OK;
}

void bf_audit_proof_done(bf_audit_proof *proof)
{
    bf_free(proof->leaf);
    proof->leaf = NULL;
}

static json_t *base64_of(const bf_hash *hash)
{
    char text[sodium_base64_ENCODED_LEN(BF_HASH_SIZE, BASE64)];
    return json_string(sodium_bin2base64(text, sizeof text, hash->byte, BF_HASH_SIZE, BASE64));
}

json_t *bf_audit_proof_json(const bf_audit_proof *proof)
{
    json_t *hashes = json_array();
    bool whole = hashes != NULL;
    for (int i = 0; i < proof->path.count; i++)
        whole = json_array_append_new(hashes, base64_of(&proof->path.hash[i])) == 0 && whole;
    if (!whole) {
        json_decref(hashes);
        return NULL;
    }
    return json_pack("{sI sI ss so so so ss}", "index", (json_int_t)proof->index, "tree_size", (json_int_t)proof->size,
                     "leaf", proof->leaf, "leaf_hash", base64_of(&proof->leaf_hash), "root_hash",
                     base64_of(&proof->root), "hashes", hashes, "checkpoint", proof->note);
}

bf_status bf_audit_prove_growth(bf_db *db, int64_t old_size, bf_proof *ret, bf_checkpoint *ret_now, bf_error *err)
{
    char note[BF_NOTE_SIZE];
    lookup look = {.db = db, .err = err};
    bf_checkpoint newest;
    bf_hash old_root;
    bf_proof proof;
    bf_status status = read_newest(db, note, &newest, err);
    if (status != BF_OK)
        return status;
    if (old_size < 0 || old_size > newest.size)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The audit log has fewer leaves than that.");
    if (!bf_merkle_root(old_size, get_hash, &look, &old_root) ||
        !bf_merkle_consistency(old_size, newest.size, get_hash, &look, &proof))
        return look.status;
    if (!bf_merkle_consistency_holds(old_size, &old_root, newest.size, &newest.root, &proof))
        return fail_tampered(err, "The tree is not the one that was signed.");
    *ret = proof;
    *ret_now = newest;
    return BF_OK;
}
