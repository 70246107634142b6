#include "audit/verify_tree.h"

#include <string.h>

static void tell(const bf_tree *tree, bf_finding_kind kind, int64_t from, int64_t to, int level)
{
    const bf_finding finding = {.kind = kind, .from = from, .to = to, .level = level};
    tree->report(tree->context, &finding);
}

static void add_guess(bf_part *part, const bf_hash *hash)
{
    for (int i = 0; i < part->count; i++)
        if (bf_hash_equal(&part->guess[i], hash))
            return;
    if (part->count < BF_GUESSES_MAX)
        part->guess[part->count++] = *hash;
}

static bool same(bool has_a, const bf_hash *a, bool has_b, const bf_hash *b)
{
    return has_a && has_b && bf_hash_equal(a, b);
}

static bf_part part_of_leaf(int64_t idx, const bf_leaf_seen *leaf)
{
    bf_part part = {.idx = idx, .leaf = *leaf, .told = leaf->told};
    /* What two places agree on comes first. */
    if (same(leaf->has_text, &leaf->text, leaf->has_stored, &leaf->stored) ||
        same(leaf->has_text, &leaf->text, leaf->has_named, &leaf->named))
        add_guess(&part, &leaf->text);
    if (leaf->has_named)
        add_guess(&part, &leaf->named);
    if (leaf->has_stored)
        add_guess(&part, &leaf->stored);
    if (leaf->has_text)
        add_guess(&part, &leaf->text);
    part.open = !leaf->told && (part.count != 1 || !leaf->has_text || !leaf->has_stored);
    return part;
}

/* Says what was wrong with a leaf whose hash was `right`. */
static void tell_leaf(const bf_tree *tree, const bf_part *part, const bf_hash *right)
{
    const bf_leaf_seen *leaf = &part->leaf;
    int64_t i = part->idx;
    bool text = leaf->has_text && bf_hash_equal(&leaf->text, right);
    bool stored = leaf->has_stored && bf_hash_equal(&leaf->stored, right);
    if (text && !stored)
        tell(tree, BF_FOUND_LEAF_HASH, i, i + 1, 0);
    else if (stored && !text)
        tell(tree, BF_FOUND_LEAF_DATA, i, i + 1, 0);
    else if (!text)
        tell(tree, BF_FOUND_LEAF_REPLACED, i, i + 1, 0);
    if (!leaf->has_named || bf_hash_equal(&leaf->named, right))
        return;
    if (leaf->named_by_head) {
        const bf_finding finding = {.kind = BF_FOUND_HEAD_COLUMN, .row = "last"};
        tree->report(tree->context, &finding);
    } else {
        tell(tree, BF_FOUND_CHAIN, i + 1, i + 2, 0);
    }
}

/* `right` is now known to be the hash of a part; NULL: nothing could decide. */
static void settle(const bf_tree *tree, bf_part *part, const bf_hash *right)
{
    int64_t from = part->idx << part->level, to = (part->idx + 1) << part->level;
    bool open = part->open;
    part->open = false;
    if (!open) {
        /* nothing waits */
    } else if (part->level == 0) {
        static const bf_hash nothing;
        tell_leaf(tree, part, right ? right : part->count > 0 ? &part->guess[0] : &nothing);
        part->told = true;
    } else if (right && !bf_hash_equal(&part->stored, right)) {
        tell(tree, BF_FOUND_NODE_CHANGED, from, to, part->level);
    } else if (!part->told) {
        tell(tree, BF_FOUND_LEAVES_CHANGED, from, to, 0);
        part->told = true;
    }
    if (right) {
        part->guess[0] = *right;
        part->count = 1;
    }
}

/* Looks for guesses of both whose node is `stored`, and settles them. */
static bool confirm(const bf_tree *tree, bf_part *left, bf_part *right, const bf_hash *stored)
{
    for (int i = 0; i < left->count; i++) {
        for (int j = 0; j < right->count; j++) {
            bf_hash l = left->guess[i], r = right->guess[j], node = bf_merkle_node(&l, &r);
            if (!bf_hash_equal(&node, stored))
                continue;
            settle(tree, left, &l);
            settle(tree, right, &r);
            return true;
        }
    }
    return false;
}

static bf_part join(const bf_tree *tree, bf_part *left, bf_part *right, const bf_hash *stored)
{
    bf_part part = {.level = left->level + 1, .idx = left->idx >> 1, .told = left->told || right->told};
    if (stored && confirm(tree, left, right, stored)) {
        part.told = left->told || right->told;
        add_guess(&part, stored);
        return part;
    }
    for (int i = 0; i < left->count; i++)
        for (int j = 0; j < right->count && part.count < (stored ? 1 : BF_GUESSES_MAX); j++) {
            bf_hash node = bf_merkle_node(&left->guess[i], &right->guess[j]);
            add_guess(&part, &node);
        }
    part.told = part.told || left->open || right->open;
    settle(tree, left, NULL);
    settle(tree, right, NULL);
    if (stored) {
        part.open = part.count > 0;
        part.stored = *stored;
        add_guess(&part, stored);
    } else {
        tell(tree, BF_FOUND_NODE_MISSING, part.idx << part.level, (part.idx + 1) << part.level, part.level);
    }
    return part;
}

/* Root of the tree with one guess for each part: the likeliest, but for part `other`, which takes its guess `which`. */
static bool root_with(const bf_tree *tree, int other, int which, bf_hash *ret)
{
    bf_edge edge = {.size = tree->size};
    for (int i = 0; i < tree->count; i++) {
        if (tree->part[i].count == 0)
            return false;
        edge.hash[i] = tree->part[i].guess[i == other ? which : 0];
    }
    *ret = bf_edge_root(&edge);
    return true;
}

void bf_tree_add(bf_tree *tree, const bf_leaf_seen *leaf, const bf_nodes_seen *nodes)
{
    bf_part part = part_of_leaf(tree->size, leaf);
    int level = 1;
    for (int64_t carry = tree->size; carry & 1; carry >>= 1, level++)
        part = join(tree, &tree->part[--tree->count], &part, nodes->has[level] ? &nodes->hash[level] : NULL);
    tree->part[tree->count++] = part;
    tree->size++;
    size_t slot = (size_t)tree->size % BF_ROOTS_KEPT;
    tree->has_root[slot] = root_with(tree, -1, 0, &tree->root[slot]);
}

static void settle_all(bf_tree *tree, int other, int which)
{
    for (int i = 0; i < tree->count; i++) {
        bf_hash right = tree->part[i].guess[i == other ? which : 0];
        settle(tree, &tree->part[i], &right);
    }
}

bf_tree_answer bf_tree_check(bf_tree *tree, int64_t size, const bf_hash *root)
{
    bf_hash found;
    if (size < tree->size) {
        size_t slot = (size_t)size % BF_ROOTS_KEPT;
        if (tree->size - size >= BF_ROOTS_KEPT || size < 1 || !tree->has_root[slot])
            return BF_TREE_UNKNOWN;
        return bf_hash_equal(&tree->root[slot], root) ? BF_TREE_AGREES : BF_TREE_DIFFERS;
    }
    if (size > tree->size || !root_with(tree, -1, 0, &found))
        return BF_TREE_UNKNOWN;
    if (bf_hash_equal(&found, root)) {
        settle_all(tree, -1, 0);
        return BF_TREE_AGREES;
    }
    for (int i = 0; i < tree->count; i++) {
        for (int k = 1; k < tree->part[i].count; k++) {
            (void)root_with(tree, i, k, &found);
            if (!bf_hash_equal(&found, root))
                continue;
            settle_all(tree, i, k);
            return BF_TREE_AGREES;
        }
    }
    return BF_TREE_DIFFERS;
}

bool bf_tree_edge_is(const bf_tree *tree, const bf_hash *edge, int count)
{
    for (int i = 0; i < count && i < tree->count; i++)
        if (tree->part[i].count > 0 && !bf_hash_equal(&tree->part[i].guess[0], &edge[i]))
            return false;
    return count == tree->count;
}

void bf_tree_end(bf_tree *tree)
{
    for (int i = 0; i < tree->count; i++)
        settle(tree, &tree->part[i], NULL);
}
