/* The tree as far as it has been seen, where hashes may be doubtful. Private to src/audit.
 *
 * A hash that is told differently in different places is a part with several guesses. The next thing that depends on it
 * (the node above, a signed root) decides which guess was right, and with that, which of the places was changed. */
#ifndef BF_AUDIT_VERIFY_TREE_H
#define BF_AUDIT_VERIFY_TREE_H

#include <stdbool.h>

#include "audit/finding.h"
#include "audit/merkle.h"

#define BF_GUESSES_MAX 3
#define BF_ROOTS_KEPT 1024 /* sizes back from now whose roots are remembered; a power of two */

/* Where the hash of a leaf is told; any of them may be absent. */
typedef struct bf_leaf_seen {
    bool has_text, has_stored, has_named;
    bf_hash text;   /* computed from the leaf's text */
    bf_hash stored; /* beside it */
    bf_hash named;  /* by the leaf after it, or by the head */
    bool named_by_head;
    bool told; /* it was already reported as missing or moved; only `named` counts */
} bf_leaf_seen;

/* A complete subtree. */
typedef struct bf_part {
    bf_hash guess[BF_GUESSES_MAX]; /* the likeliest first */
    int count;                     /* 0: nothing is known */
    int level;
    int64_t idx;
    bool open;         /* a finding waits for the right guess */
    bool told;         /* something below was reported */
    bf_leaf_seen leaf; /* of level 0 */
    bf_hash stored;    /* of a higher level, when open */
} bf_part;

typedef struct bf_tree {
    int64_t size;
    bf_part part[BF_EDGE_MAX];
    int count;
    bf_hash root[BF_ROOTS_KEPT]; /* of size n at n % BF_ROOTS_KEPT, as far as guesses go */
    bool has_root[BF_ROOTS_KEPT];
    bf_finding_fn *report;
    void *context;
} bf_tree;

/* The stored hashes of the subtrees that one leaf completes, by level. */
typedef struct bf_nodes_seen {
    bf_hash hash[BF_EDGE_MAX];
    bool has[BF_EDGE_MAX];
} bf_nodes_seen;

/* Adds the next leaf; nodes->has of levels that it does not complete must be false. */
void bf_tree_add(bf_tree *tree, const bf_leaf_seen *leaf, const bf_nodes_seen *nodes);

typedef enum bf_tree_answer { BF_TREE_AGREES, BF_TREE_DIFFERS, BF_TREE_UNKNOWN } bf_tree_answer;

/* Compares with a root that was signed: of the tree now, which settles what is open, or of one a little smaller. */
bf_tree_answer bf_tree_check(bf_tree *tree, int64_t size, const bf_hash *root);

/* Whether the edge is this, as far as anything is known. */
bool bf_tree_edge_is(const bf_tree *tree, const bf_hash *edge, int count);

/* Reports what nothing has decided. */
void bf_tree_end(bf_tree *tree);

#endif
