/* Signed roots: kept checkpoints, the head, a checkpoint from outside. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "audit/verify_state.h"
#include "base/error.h"
#include "base/hash.h"

/* Compares the tree with a signed root. Only the first that differs is told: all behind it differ with it. */
static void check_root(bf_verify *v, const bf_checkpoint *signed_tree, bf_finding_kind kind)
{
    switch (bf_tree_check(&v->tree, signed_tree->size, &signed_tree->root)) {
    case BF_TREE_AGREES:
        if (signed_tree->size > v->good_size)
            v->good_size = signed_tree->size;
        break;
    case BF_TREE_DIFFERS:
        if (!v->other_tree || kind == BF_FOUND_HISTORY)
            bf_verify_tell(v, kind, v->good_size, signed_tree->size, NULL);
        v->other_tree = true;
        break;
    case BF_TREE_UNKNOWN:
        break;
    }
}

void bf_verify_roots(bf_verify *v)
{
    int64_t size = v->tree.size;
    const bf_kept *kept = &v->kept[size % 2];
    if (kept->any && kept->sound && kept->size == size)
        check_root(v, &kept->signed_tree, BF_FOUND_CHECKPOINT_OTHER_TREE);
    if (v->has_against && v->against.size == size)
        check_root(v, &v->against, BF_FOUND_HISTORY);
    if (v->headed && !v->note_lost && v->head_tree.size == size)
        check_root(v, &v->head_tree, BF_FOUND_CHECKPOINT_OTHER_TREE);
}

static void tell_checkpoint(bf_verify *v, bf_finding_kind kind, int64_t size, const char *what)
{
    bf_verify_tell(v, kind, 0, size, what);
}

/* Reads a note that should be the log's; false when it is not. */
static bool read_note(const bf_verify *v, const json_t *note, bf_checkpoint *ret)
{
    return json_is_string(note) &&
           bf_note_verify(&v->key, json_string_value(note), json_string_length(note), ret, NULL) == BF_OK;
}

static void drop_kept(bf_kept *kept)
{
    json_decref(kept->row);
    *kept = (bf_kept){0};
}

bf_status bf_verify_kept_row(bf_verify *v, json_t *row, bf_error *err)
{
    int64_t size = bf_row_number(row, "size");
    bf_kept *kept = &v->kept[size % 2];
    bf_status status = bf_verify_reach(v, size - 1, err);
    if (status != BF_OK)
        return status;
    v->summary.checkpoints++;
    if (size != v->next || (kept->any && kept->size == size)) {
        bf_verify_tell(v, BF_FOUND_ORDER, 0, size, "row of a checkpoint");
        return BF_OK;
    }
    drop_kept(kept);
    *kept = (bf_kept){.any = true, .size = size, .row = json_incref(row)};
    bool reads = read_note(v, json_object_get(row, "note"), &kept->signed_tree);
    kept->sound = reads && kept->signed_tree.size == size;
    if (!kept->sound)
        tell_checkpoint(v, BF_FOUND_CHECKPOINT_CHANGED, size, reads ? "it signs a tree of another size" : "note");
    return BF_OK;
}

/* The row against what the leaf says about it. */
static void compare_kept(bf_verify *v, const bf_kept *kept, const bf_pending *leaf)
{
    char hex[BF_SHA256_HEX_SIZE], at[BF_TIME_TEXT_SIZE];
    const char *note = bf_row_text(kept->row, "note"), *sha256 = bf_row_text(leaf->text, "note_sha256");
    const char *leaf_at = bf_row_text(leaf->text, "at");
    bf_sha256_hex(note ? note : "", note ? strlen(note) : 0, hex);
    if (kept->sound && (!sha256 || strcmp(hex, sha256) != 0))
        tell_checkpoint(v, BF_FOUND_CHECKPOINT_CHANGED, kept->size, "note");
    bf_time_text(bf_row_number(kept->row, "at_ms"), at);
    if (!leaf_at || strcmp(at, leaf_at) != 0)
        tell_checkpoint(v, BF_FOUND_CHECKPOINT_CHANGED, kept->size, "at_ms");
}

void bf_verify_kept_leaf(bf_verify *v, const bf_pending *leaf, bool trusted)
{
    const char *kind = bf_row_text(leaf->text, "kind");
    bf_kept *kept = &v->kept[leaf->index % 2];
    bool tells = trusted && kind && strcmp(kind, "checkpoint") == 0;
    bool here = kept->any && kept->size == leaf->index;
    if (tells && here)
        compare_kept(v, kept, leaf);
    else if (tells)
        tell_checkpoint(v, BF_FOUND_CHECKPOINT_MISSING, leaf->index, NULL);
    else if (here && trusted)
        tell_checkpoint(v, BF_FOUND_CHECKPOINT_ADDED, kept->size, NULL);
    if (here)
        drop_kept(kept);
}

static void tell_head(bf_verify *v, const char *column)
{
    bf_verify_tell(v, BF_FOUND_HEAD_COLUMN, 0, 0, column);
}

/* Reads the edge's blob: as many hashes as it has. */
static int read_edge(const json_t *head, bf_hash ret[BF_EDGE_MAX])
{
    const char *hex = bf_row_text(head, "edge");
    size_t size = 0;
    if (!hex || sodium_hex2bin(ret[0].byte, BF_EDGE_MAX * sizeof *ret, hex, strlen(hex), NULL, &size, NULL) != 0 ||
        size % sizeof *ret != 0)
        return -1;
    return (int)(size / sizeof *ret);
}

/* The head's columns, once all leaves it signs have come. */
static void check_head(bf_verify *v)
{
    bf_hash edge[BF_EDGE_MAX], last;
    char at[BF_TIME_TEXT_SIZE];
    int64_t size = v->head_tree.size, row_size = bf_row_number(v->head, "size");
    v->head_checked = true;
    if (row_size != size)
        tell_head(v, "size");
    if (bf_row_number(v->head, "signed_size") != size)
        tell_head(v, "signed_size");
    const char *last_text = bf_row_text(v->head, "last");
    if (size > 0 ? !bf_row_hash(v->head, "last", &last) : !last_text || *last_text)
        tell_head(v, "last");
    if (v->tree.size != size || v->lost)
        return;
    int count = read_edge(v->head, edge);
    if (count < 0 || !bf_tree_edge_is(&v->tree, edge, count))
        tell_head(v, "edge");
    bf_time_text(bf_row_number(v->head, "at_ms"), at);
    if (size > 0 ? v->last_at_leaf == size - 1 && strcmp(at, v->last_at) != 0 : bf_row_number(v->head, "at_ms") != 0)
        tell_head(v, "at_ms");
}

/* Ends the leaf that waits, by the name that the head gives it. */
static bf_status close_by_head(bf_verify *v, bf_error *err)
{
    bf_hash last;
    /* Behind what is signed the head does not know the leaves. */
    bool named = v->head && v->next == v->head_tree.size && bf_row_hash(v->head, "last", &last);
    return bf_verify_close(v, named ? &last : NULL, true, err);
}

bf_status bf_verify_head_row(bf_verify *v, json_t *row, bf_error *err)
{
    if (v->headed) {
        bf_verify_tell(v, BF_FOUND_HEAD_ADDED, 0, 0, NULL);
        return BF_OK;
    }
    const json_t *note = json_object_get(row, "note");
    bool empty = v->next == 0 && json_is_string(note) && json_string_length(note) == 0;
    v->headed = true;
    v->head = json_incref(row);
    v->head_tree = (bf_checkpoint){0, bf_merkle_empty()};
    if (!empty && !read_note(v, note, &v->head_tree)) {
        tell_head(v, "note");
        /* Nothing is signed then; what there is is compared with itself. */
        v->head_tree.size = v->next;
        v->note_lost = true;
    }
    v->summary.size = v->note_lost ? 0 : v->head_tree.size;
    /* Leaves that the note signs and the head does not know come behind it, where there are any. */
    return v->next >= v->head_tree.size ? bf_verify_finish_head(v, err) : BF_OK;
}

bf_status bf_verify_finish_head(bf_verify *v, bf_error *err)
{
    if (!v->headed || v->head_checked)
        return BF_OK;
    bf_status status = close_by_head(v, err);
    if (status != BF_OK)
        return status;
    int64_t size = v->head_tree.size;
    if (v->next > size) {
        bf_verify_tell(v, BF_FOUND_TAIL_UNSIGNED, size, v->next, NULL);
        check_root(v, &v->head_tree, BF_FOUND_CHECKPOINT_OTHER_TREE);
    }
    check_head(v);
    return BF_OK;
}

static void tell_erased(bf_verify *v)
{
    for (size_t i = 0; i < v->erased.capacity; i++) {
        const bf_erased_entry *entry = &v->erased.entry[i];
        if (entry->who != 0 && !entry->found)
            bf_verify_tell(v, BF_FOUND_DECISION_EMPTY, entry->index, entry->index + 1,
                           entry->index < v->doubtful ? " in the leaves that can be trusted" : NULL);
    }
}

bf_status bf_verify_finish(bf_verify *v, bf_error *err)
{
    bf_status status = bf_verify_finish_head(v, err);
    if (status == BF_OK)
        status = bf_verify_close(v, NULL, false, err);
    if (status != BF_OK)
        return status;
    int64_t known = v->next;
    if (!v->headed)
        bf_verify_tell(v, BF_FOUND_HEAD_MISSING, 0, 0, NULL);
    for (int i = 0; i < 2; i++)
        if (v->kept[i].any)
            tell_checkpoint(v, BF_FOUND_CHECKPOINT_ADDED, v->kept[i].size, NULL);
    if (v->headed && !v->note_lost && v->head_tree.size > known)
        bf_verify_tell(v, BF_FOUND_TAIL_CUT, known, v->head_tree.size, NULL);
    else if (v->has_against && v->against.size > known)
        bf_verify_tell(v, BF_FOUND_TAIL_CUT, known, v->against.size, NULL);
    bf_tree_end(&v->tree);
    tell_erased(v);
    v->summary.unchecked_erasures = v->erased.unchecked;
    return BF_OK;
}
