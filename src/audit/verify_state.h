/* What the parts of the verifier share. Private to src/audit. */
#ifndef BF_AUDIT_VERIFY_STATE_H
#define BF_AUDIT_VERIFY_STATE_H

#include <jansson.h>

#include "audit/verify.h"
#include "audit/verify_tree.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "store/time.h"

/* The leaf whose successor has not been seen yet, with the rows that belong behind it. */
typedef struct bf_pending {
    bool any;
    int64_t index;
    bf_leaf_seen seen;
    json_t *text;     /* parsed; NULL when it is no JSON object */
    json_t *row;      /* the columns */
    json_t *decision; /* the first row of a decision */
    bf_nodes_seen nodes;
} bf_pending;

/* A checkpoint's row, from its place in the export until the leaf that tells of it. */
typedef struct bf_kept {
    bool any, sound;
    int64_t size;
    json_t *row;
    bf_checkpoint signed_tree;
} bf_kept;

/* Whose record is gone, until the leaf of its erasure comes. */
typedef struct bf_erased_entry {
    uint64_t who; /* of a hash; 0: free */
    int64_t index;
    bool found;
} bf_erased_entry;

typedef struct bf_erased {
    bf_erased_entry *entry;
    size_t capacity; /* a power of two, or 0 */
    size_t count;    /* places taken, some of them by what was found */
    size_t waiting;  /* not found yet */
    int64_t unchecked;
} bf_erased;

struct bf_verify {
    bf_log_key key;
    bool has_key, has_against;
    char *against_text;
    size_t against_size;
    bf_checkpoint against;
    bf_finding_fn *report;
    void *context;
    bf_verify_summary summary;

    uint8_t *line;
    size_t fill, capacity;
    int64_t line_number;

    bool begun, headed, ended;
    bool other_tree;   /* a signed root differed; those after it will, too */
    bool lost;         /* a gap was too wide: the tree is not followed behind it */
    int64_t good_size; /* of the largest signed tree that agreed */
    bf_tree tree;
    int64_t next; /* the leaf that is expected next */
    bf_pending pending;
    bf_kept kept[2];  /* the rows of sizes that wait for their leaf, at size % 2 */
    int64_t doubtful; /* the last leaf that is missing or was changed; -1: none */
    int64_t missing;  /* leaves that did not come */
    bf_erased erased;
    json_t *head;
    bf_checkpoint head_tree; /* what the head's note signs; size 0 when there is none */
    bool note_lost;          /* the head's note is not the log's */
    bool head_checked;
    char last_at[BF_TIME_TEXT_SIZE]; /* of the last leaf whose text can be trusted */
    int64_t last_at_leaf;            /* its number; -1: none */
};

/* Reports and counts. `row` (may be NULL) is cut and made printable. */
void bf_verify_tell(bf_verify *v, bf_finding_kind kind, int64_t from, int64_t to, const char *row);

/* ---- verify_leaf.c ---- */

/* Opens the leaves before `index` that have not come as missing ones. OUT_OF_MEMORY. */
bf_status bf_verify_advance(bf_verify *v, int64_t index, bf_error *err);
/* The same, and `index` itself too: a row that belongs to it has come. Nothing when it is there or behind. */
bf_status bf_verify_reach(bf_verify *v, int64_t index, bf_error *err);
/* Closes the pending leaf, if there is one; `named` is what its successor calls it, or NULL. */
bf_status bf_verify_close(bf_verify *v, const bf_hash *named, bool by_head, bf_error *err);
/* A row "leaf"; its index is a number. OUT_OF_MEMORY. */
bf_status bf_verify_leaf_row(bf_verify *v, json_t *row, bf_error *err);
void bf_pending_done(bf_pending *pending);

/* ---- verify_decision.c ---- */

/* "CLIENT/REQUEST_ID" of a decision's row or leaf. */
void bf_decision_row_name(const json_t *row, char ret[BF_FINDING_ROW_SIZE]);
/* Compares the row of the pending leaf (may be NULL) with its text. */
bf_status bf_verify_decision(bf_verify *v, const bf_pending *leaf, bf_error *err);

/* ---- verify_head.c ---- */

/* Rows "checkpoint" (its size is a number above 0) and "head". OUT_OF_MEMORY. */
bf_status bf_verify_kept_row(bf_verify *v, json_t *row, bf_error *err);
/* After the tree grew: is this a size of which a signed root is known? */
void bf_verify_roots(bf_verify *v);
/* Compares the leaf that may tell of a kept checkpoint with the row. */
void bf_verify_kept_leaf(bf_verify *v, const bf_pending *leaf, bool trusted);
bf_status bf_verify_head_row(bf_verify *v, json_t *row, bf_error *err);
/* Once all leaves that the head signs have come, or no more will. */
bf_status bf_verify_finish_head(bf_verify *v, bf_error *err);
/* At the end of the rows. */
bf_status bf_verify_finish(bf_verify *v, bf_error *err);

/* ---- verify_erased.c ---- */

/* Remembers that the record of leaf `index` is gone. False without memory. */
bool bf_erased_add(bf_erased *erased, const char *kind, const char *id, int64_t index);
void bf_erased_found(bf_erased *erased, const char *kind, const char *id);

/* ---- reading rows ---- */

/* The hash that object[key] is in hexadecimal. */
bool bf_row_hash(const json_t *object, const char *key, bf_hash *ret);
/* object[key] as a whole number that is not negative; -1 when it is none. */
int64_t bf_row_number(const json_t *object, const char *key);
/* object[key] as text; NULL when it is none. */
const char *bf_row_text(const json_t *object, const char *key);

#endif
