/* What verifying an export may find. */
#ifndef BF_AUDIT_FINDING_H
#define BF_AUDIT_FINDING_H

#include <stdint.h>

#define BF_FINDING_ROW_SIZE 200
#define BF_FINDING_TEXT_SIZE 512

/* "Leaf" and "leaves" name from .. to - 1 of the finding; "column" and "row" its `row`. */
typedef enum bf_finding_kind {
    BF_FOUND_LEAF_DATA,     /* the leaf's text was changed */
    BF_FOUND_LEAF_HASH,     /* the hash that is stored beside it was changed */
    BF_FOUND_LEAF_REPLACED, /* text and hash were changed together */
    BF_FOUND_LEAF_MOVED,    /* it is another leaf, `row` says which: rows were exchanged or copied */
    BF_FOUND_LEAF_COLUMN,   /* a column says something else than the leaf's text */
    BF_FOUND_LEAF_MISSING,
    BF_FOUND_LEAF_ADDED,
    BF_FOUND_LEAVES_CHANGED, /* at least one of them was, and their own hashes were recomputed */
    BF_FOUND_CHAIN,          /* the leaf names another predecessor than the one before it */
    BF_FOUND_NODE_CHANGED,   /* of the subtree of these leaves */
    BF_FOUND_NODE_MISSING,
    BF_FOUND_NODE_ADDED, /* `row` names it */
    BF_FOUND_DECISION_COLUMN,
    BF_FOUND_DECISION_RECORD, /* the record's text is not the one decided on */
    BF_FOUND_DECISION_EMPTY,  /* the record's text is gone, and no erasure was logged */
    BF_FOUND_DECISION_MISSING,
    BF_FOUND_DECISION_ADDED,
    BF_FOUND_CHECKPOINT_CHANGED, /* of the tree of `to` leaves */
    BF_FOUND_CHECKPOINT_MISSING,
    BF_FOUND_CHECKPOINT_ADDED,
    BF_FOUND_CHECKPOINT_OTHER_TREE, /* its signature holds, and the leaves are not those that were signed */
    BF_FOUND_HEAD_COLUMN,
    BF_FOUND_HEAD_MISSING,
    BF_FOUND_HEAD_ADDED,
    BF_FOUND_TAIL_UNSIGNED,
    BF_FOUND_TAIL_CUT,
    BF_FOUND_HISTORY,   /* the leaves are not those of the checkpoint that was kept outside */
    BF_FOUND_OTHER_KEY, /* the export names another log or key */
    BF_FOUND_ORDER,     /* a line stands where the export would not have put it */
    BF_FOUND_CUT_SHORT, /* the export ends before its last line */
    BF_FOUND_KIND_COUNT
} bf_finding_kind;

typedef struct bf_finding {
    bf_finding_kind kind;
    int64_t from, to;              /* leaves; from == to when it is about none in particular */
    int level;                     /* of a node */
    char row[BF_FINDING_ROW_SIZE]; /* a column's name, or which row; printable ASCII; "" */
} bf_finding;

/* One sentence, without a full stop. */
void bf_finding_text(const bf_finding *finding, char ret[BF_FINDING_TEXT_SIZE]);

typedef void bf_finding_fn(void *context, const bf_finding *finding);

#endif
