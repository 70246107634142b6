#include <stdio.h>
#include <string.h>

#include "audit/verify_state.h"
#include "base/error.h"

void bf_pending_done(bf_pending *pending)
{
    json_decref(pending->text);
    json_decref(pending->row);
    json_decref(pending->decision);
    *pending = (bf_pending){0};
}

/* Whether the hash beside the leaf, or the leaf after it, agrees with its text. */
static bool is_likely(const bf_leaf_seen *seen)
{
    return seen->has_text && ((seen->has_stored && bf_hash_equal(&seen->text, &seen->stored)) ||
                              (seen->has_named && bf_hash_equal(&seen->text, &seen->named)));
}

/* Whether nothing is known against it. */
static bool is_trusted(const bf_leaf_seen *seen)
{
    return is_likely(seen) && (!seen->has_named || bf_hash_equal(&seen->text, &seen->named));
}

static void tell_column(bf_verify *v, int64_t index, const char *column)
{
    bf_verify_tell(v, BF_FOUND_LEAF_COLUMN, index, index + 1, column);
}

/* The columns that repeat what the text says. */
static void check_columns(bf_verify *v, const bf_pending *leaf)
{
    char at[BF_TIME_TEXT_SIZE];
    const char *text_at = bf_row_text(leaf->text, "at");
    bf_time_text(bf_row_number(leaf->row, "at_ms"), at);
    if (!text_at || strcmp(text_at, at) != 0)
        tell_column(v, leaf->index, "at_ms");
    if (!json_equal(json_object_get(leaf->row, "kind"), json_object_get(leaf->text, "kind")))
        tell_column(v, leaf->index, "kind");
    (void)snprintf(v->last_at, sizeof v->last_at, "%s", text_at ? text_at : "");
    v->last_at_leaf = leaf->index;
}

static void note_erasure(bf_verify *v, const bf_pending *leaf)
{
    const char *kind = bf_row_text(leaf->text, "kind"), *session = bf_row_text(leaf->text, "session");
    char name[BF_FINDING_ROW_SIZE];
    if (!kind || strcmp(kind, "erased") != 0)
        return;
    if (session)
        bf_erased_found(&v->erased, "session", session);
    bf_decision_row_name(leaf->text, name);
    bf_erased_found(&v->erased, "request", name);
}

bf_status bf_verify_close(bf_verify *v, const bf_hash *named, bool by_head, bf_error *err)
{
    bf_pending *leaf = &v->pending;
    bf_status status = BF_OK;
    if (!leaf->any)
        return BF_OK;
    if (named) {
        leaf->seen.has_named = true;
        leaf->seen.named = *named;
        leaf->seen.named_by_head = by_head;
    }
    bool trusted = is_trusted(&leaf->seen) && leaf->text;
    if (trusted) {
        check_columns(v, leaf);
        status = bf_verify_decision(v, leaf, err);
    } else {
        v->doubtful = leaf->index;
    }
    if (is_likely(&leaf->seen))
        note_erasure(v, leaf);
    bf_verify_kept_leaf(v, leaf, trusted);
    if (!v->lost)
        bf_tree_add(&v->tree, &leaf->seen, &leaf->nodes);
    bf_pending_done(leaf);
    if (!v->lost)
        bf_verify_roots(v);
    return status;
}

static void open_missing(bf_verify *v, int64_t index)
{
    v->pending = (bf_pending){.any = true, .index = index, .seen = {.told = true}};
    v->next = index + 1;
}

bf_status bf_verify_advance(bf_verify *v, int64_t index, bf_error *err)
{
    bf_status status = BF_OK;
    v->missing += index > v->next ? index - v->next : 0;
    if (v->missing > BF_VERIFY_MISSING_MAX && index > v->next) {
        status = bf_verify_close(v, NULL, false, err);
        v->lost = true;
        v->doubtful = index - 1;
        v->next = index;
    }
    /* They become parts of which only the last may be known, by who comes behind it. */
    while (v->next < index && status == BF_OK) {
        status = bf_verify_close(v, NULL, false, err);
        open_missing(v, v->next);
    }
    return status;
}

bf_status bf_verify_reach(bf_verify *v, int64_t index, bf_error *err)
{
    if (index < v->next)
        return BF_OK;
    bf_verify_tell(v, BF_FOUND_LEAF_MISSING, v->next, index + 1, NULL);
    bf_status status = bf_verify_advance(v, index, err);
    if (status == BF_OK)
        status = bf_verify_close(v, NULL, false, err);
    open_missing(v, index);
    return status;
}

/* What the leaf's text says about itself. */
static void read_text(bf_pending *leaf, const char *text, size_t size)
{
    leaf->seen.has_text = true;
    leaf->seen.text = bf_merkle_leaf(text, size);
    json_t *parsed = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(parsed))
        leaf->text = parsed;
    else
        json_decref(parsed);
}

/* A leaf whose text and hash fit each other but which has another number was put here from elsewhere; it then says
 * nothing about this place. */
static void check_number(bf_verify *v, bf_pending *leaf)
{
    char number[32];
    const bf_leaf_seen *seen = &leaf->seen;
    bool whole = seen->has_text && seen->has_stored && bf_hash_equal(&seen->text, &seen->stored);
    int64_t own = bf_row_number(leaf->text, "index");
    if (!whole || own < 0 || own == leaf->index)
        return;
    (void)snprintf(number, sizeof number, "%lld", (long long)own);
    bf_verify_tell(v, BF_FOUND_LEAF_MOVED, leaf->index, leaf->index + 1, number);
    leaf->seen = (bf_leaf_seen){.told = true};
    json_decref(leaf->text);
    leaf->text = NULL;
}

/* What a leaf that fits itself says about the one before it. */
static bool names_previous(const bf_pending *leaf, bf_hash *ret)
{
    const bf_leaf_seen *seen = &leaf->seen;
    return seen->has_text && seen->has_stored && bf_hash_equal(&seen->text, &seen->stored) && leaf->text &&
           bf_row_hash(leaf->text, "previous", ret);
}

static void read_row(bf_pending *leaf, json_t *row)
{
    const json_t *text = json_object_get(row, "data");
    leaf->row = json_incref(row);
    if (json_is_string(text))
        read_text(leaf, json_string_value(text), json_string_length(text));
    leaf->seen.has_stored = bf_row_hash(row, "hash", &leaf->seen.stored);
}

bf_status bf_verify_leaf_row(bf_verify *v, json_t *row, bf_error *err)
{
    int64_t index = bf_row_number(row, "index");
    bf_pending leaf = {.any = true, .index = index};
    bf_hash named;
    if (index < v->next) {
        bf_verify_tell(v, BF_FOUND_ORDER, index, index + 1, "row of a leaf");
        return BF_OK;
    }
    if (index > v->next)
        bf_verify_tell(v, BF_FOUND_LEAF_MISSING, v->next, index, NULL);
    bf_status status = bf_verify_advance(v, index, err);
    if (status != BF_OK)
        return status;
    read_row(&leaf, row);
    check_number(v, &leaf);
    bool names = names_previous(&leaf, &named);
    status = bf_verify_close(v, names ? &named : NULL, false, err);
    v->pending = leaf;
    v->next = index + 1;
    v->summary.leaves++;
    return status;
}
