#include "audit/merkle.h"

#include <string.h>

#include <sodium.h>

_Static_assert(BF_HASH_SIZE == crypto_hash_sha256_BYTES, "a hash is one of SHA-256");

bf_hash bf_merkle_leaf(const void *data, size_t size)
{
    static const uint8_t prefix = 0x00;
    crypto_hash_sha256_state state;
    bf_hash hash;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &prefix, 1);
    crypto_hash_sha256_update(&state, data, size);
    crypto_hash_sha256_final(&state, hash.byte);
    return hash;
}

bf_hash bf_merkle_node(const bf_hash *left, const bf_hash *right)
{
    static const uint8_t prefix = 0x01;
    crypto_hash_sha256_state state;
    bf_hash hash;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &prefix, 1);
    crypto_hash_sha256_update(&state, left->byte, sizeof left->byte);
    crypto_hash_sha256_update(&state, right->byte, sizeof right->byte);
    crypto_hash_sha256_final(&state, hash.byte);
    return hash;
}

bf_hash bf_merkle_empty(void)
{
    bf_hash hash;
    crypto_hash_sha256(hash.byte, NULL, 0);
    return hash;
}

bool bf_hash_equal(const bf_hash *a, const bf_hash *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

int bf_edge_count(int64_t size)
{
    int count = 0;
    for (; size > 0; size &= size - 1)
        count++;
    return count;
}

int bf_edge_append(bf_edge *edge, const bf_hash *leaf, bf_hash ret_made[BF_EDGE_MAX])
{
    int made = 0;
    bf_hash hash = *leaf;
    int count = bf_edge_count(edge->size);
    /* As when one is added to a binary number, each one at its end carries. */
    for (int64_t carry = edge->size; carry & 1; carry >>= 1) {
        hash = bf_merkle_node(&edge->hash[--count], &hash);
        ret_made[made++] = hash;
    }
    edge->hash[count] = hash;
    edge->size++;
    return made;
}

bf_hash bf_edge_root(const bf_edge *edge)
{
    int at = bf_edge_count(edge->size);
    if (at == 0)
        return bf_merkle_empty();
    bf_hash root = edge->hash[--at];
    while (at > 0)
        root = bf_merkle_node(&edge->hash[--at], &root);
    return root;
}

/* The largest power of two below `size`, which is at least 2: where RFC 6962 splits a list. */
static int64_t split(int64_t size)
{
    int64_t power = 1;
    while (power < size - power)
        power *= 2;
    return power;
}

/* Hash of the leaves begin .. end - 1. `begin` is a multiple of a power of two that is not below their number, as
 * everything that splits give is, so the complete subtrees they consist of are those of the binary number. */
static bool range_hash(int64_t begin, int64_t end, bf_merkle_get *get, void *context, bf_hash *ret)
{
    bf_edge edge = {.size = end - begin};
    int count = 0;
    for (int level = 62; level >= 0; level--) {
        if (!(edge.size >> level & 1))
            continue;
        if (!get(context, level, begin >> level, &edge.hash[count++]))
            return false;
        begin += (int64_t)1 << level;
    }
    *ret = bf_edge_root(&edge);
    return true;
}

bool bf_merkle_root(int64_t size, bf_merkle_get *get, void *context, bf_hash *ret)
{
    return size >= 0 && range_hash(0, size, get, context, ret);
}

static void reverse(bf_proof *proof)
{
    for (int i = 0, j = proof->count - 1; i < j; i++, j--) {
        bf_hash swap = proof->hash[i];
        proof->hash[i] = proof->hash[j];
        proof->hash[j] = swap;
    }
}

bool bf_merkle_inclusion(int64_t index, int64_t size, bf_merkle_get *get, void *context, bf_proof *ret)
{
    bf_proof proof = {0};
    int64_t begin = 0, end = size;
    if (index < 0 || index >= size)
        return false;
    /* From the root down; the proof is read from the leaf up. */
    while (end - begin > 1) {
        int64_t middle = begin + split(end - begin);
        bool left = index < middle;
        if (!range_hash(left ? middle : begin, left ? end : middle, get, context, &proof.hash[proof.count++]))
            return false;
        begin = left ? begin : middle;
        end = left ? middle : end;
    }
    reverse(&proof);
    *ret = proof;
    return true;
}

bool bf_merkle_consistency(int64_t old_size, int64_t size, bf_merkle_get *get, void *context, bf_proof *ret)
{
    bf_proof proof = {0};
    int64_t begin = 0, end = size;
    if (old_size < 0 || old_size > size)
        return false;
    /* Down to the node at which the old tree ends. */
    while (old_size > 0 && end > old_size) {
        int64_t middle = begin + split(end - begin);
        bool left = old_size <= middle;
        if (!range_hash(left ? middle : begin, left ? end : middle, get, context, &proof.hash[proof.count++]))
            return false;
        begin = left ? begin : middle;
        end = left ? middle : end;
    }
    /* When that node is the old root itself, its hash is known to who checks. */
    if (begin > 0 && !range_hash(begin, end, get, context, &proof.hash[proof.count++]))
        return false;
    reverse(&proof);
    *ret = proof;
    return true;
}

/* RFC 9162, 2.1.3.2. */
bool bf_merkle_inclusion_holds(const bf_hash *leaf, int64_t index, int64_t size, const bf_proof *proof,
                               const bf_hash *root)
{
    if (index < 0 || index >= size || proof->count < 0 || proof->count > BF_PROOF_HASHES_MAX)
        return false;
    uint64_t fn = (uint64_t)index, sn = (uint64_t)size - 1;
    bf_hash r = *leaf;
    for (int i = 0; i < proof->count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            r = bf_merkle_node(&proof->hash[i], &r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = bf_merkle_node(&r, &proof->hash[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && bf_hash_equal(&r, root);
}

/* RFC 9162, 2.1.4.2, for 0 < old_size < size. */
static bool growth_holds(int64_t old_size, const bf_hash *old_root, int64_t size, const bf_hash *root,
                         const bf_proof *proof)
{
    uint64_t fn = (uint64_t)old_size - 1, sn = (uint64_t)size - 1;
    int next = 0;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    /* fn became 0 when the old tree is one complete subtree; its root then begins the proof unsaid. */
    if (fn != 0 && proof->count == 0)
        return false;
    bf_hash fr = fn == 0 ? *old_root : proof->hash[next++];
    bf_hash sr = fr;
    for (; next < proof->count; next++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            fr = bf_merkle_node(&proof->hash[next], &fr);
            sr = bf_merkle_node(&proof->hash[next], &sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = bf_merkle_node(&sr, &proof->hash[next]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && bf_hash_equal(&fr, old_root) && bf_hash_equal(&sr, root);
}

bool bf_merkle_consistency_holds(int64_t old_size, const bf_hash *old_root, int64_t size, const bf_hash *root,
                                 const bf_proof *proof)
{
    if (old_size < 0 || old_size > size || proof->count < 0 || proof->count > BF_PROOF_HASHES_MAX)
        return false;
    bf_hash empty = bf_merkle_empty();
    if (old_size == 0)
        return proof->count == 0 && bf_hash_equal(old_root, &empty) && (size > 0 || bf_hash_equal(root, &empty));
    if (old_size == size)
        return proof->count == 0 && bf_hash_equal(old_root, root);
    return growth_holds(old_size, old_root, size, root, proof);
}
