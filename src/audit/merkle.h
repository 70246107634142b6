/* Merkle tree hashing and proofs after RFC 6962 (section 2) and RFC 9162; pure functions over hashes. */
#ifndef BF_AUDIT_MERKLE_H
#define BF_AUDIT_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BF_HASH_SIZE 32 /* SHA-256 */
#define BF_PROOF_HASHES_MAX 64

typedef struct bf_hash {
    uint8_t byte[BF_HASH_SIZE];
} bf_hash;

typedef struct bf_proof {
    bf_hash hash[BF_PROOF_HASHES_MAX];
    int count;
} bf_proof;

bf_hash bf_merkle_leaf(const void *data, size_t size);             /* SHA-256(0x00 || data) */
bf_hash bf_merkle_node(const bf_hash *left, const bf_hash *right); /* SHA-256(0x01 || left || right) */
bf_hash bf_merkle_empty(void);                                     /* root of the empty tree: SHA-256("") */

bool bf_hash_equal(const bf_hash *a, const bf_hash *b);

/* The right edge of a tree that grows: the roots of the complete subtrees it consists of, the largest first, one for
 * each binary one in `size`. All that appending and the root need. */
#define BF_EDGE_MAX 63

typedef struct bf_edge {
    int64_t size; /* leaves */
    bf_hash hash[BF_EDGE_MAX];
} bf_edge;

int bf_edge_count(int64_t size); /* hashes of a tree of that size */

/* Adds a leaf. Returns how many subtrees it completed; their hashes go into ret_made from level 1 upwards: that of
 * level l is number (size - 1) >> l of its level, `size` being the new one. */
int bf_edge_append(bf_edge *edge, const bf_hash *leaf, bf_hash ret_made[BF_EDGE_MAX]);
bf_hash bf_edge_root(const bf_edge *edge);

/* Where the hashes of complete subtrees come from: the subtree of 2^level leaves that begins at leaf idx * 2^level. */
typedef bool bf_merkle_get(void *context, int level, int64_t idx, bf_hash *ret);

/* Root of the first `size` leaves; the audit path of leaf `index` in that tree; the proof that the tree of `old_size`
 * leaves is a prefix of the tree of `size` leaves. False when a hash is missing or the numbers make no sense. */
bool bf_merkle_root(int64_t size, bf_merkle_get *get, void *context, bf_hash *ret);
bool bf_merkle_inclusion(int64_t index, int64_t size, bf_merkle_get *get, void *context, bf_proof *ret);
bool bf_merkle_consistency(int64_t old_size, int64_t size, bf_merkle_get *get, void *context, bf_proof *ret);

/* What somebody who holds only roots checks. */
bool bf_merkle_inclusion_holds(const bf_hash *leaf, int64_t index, int64_t size, const bf_proof *proof,
                               const bf_hash *root);
bool bf_merkle_consistency_holds(int64_t old_size, const bf_hash *old_root, int64_t size, const bf_hash *root,
                                 const bf_proof *proof);

#endif
