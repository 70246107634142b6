/* Merkle trees against the reference tree of Certificate Transparency, and exhaustively against the definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/merkle.h"

#define SIZES 64
#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const char *const REFERENCE_LEAVES[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
/* Of the first 0, 1, 2, ... of these leaves. */
static const char *const REFERENCE_ROOTS[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                              "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                              "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                              "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                              "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                              "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                              "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                              "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                              "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

/* The published proofs in that tree: of leaf `from`, or from the tree of size `from`, to the tree of size `to`. */
typedef struct published {
    int64_t from, to;
    const char *hashes[4];
} published;

static const published INCLUSION[] = {
    {0, 1, {NULL}},
    {0,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {5,
     8,
     {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
    {1,
     5,
     {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
};
static const published CONSISTENCY[] = {
    {1, 1, {NULL}},
    {1,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {6,
     8,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2,
     5,
     {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
    {6,
     7,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
};

static bf_hash leaves[SIZES + 1]; /* one more than the largest tree, for proofs that point outside */

/* The definition of RFC 6962, section 2.1, word by word. */
static bf_hash naive_root(const bf_hash *leaf, int64_t size)
{
    int64_t k = 1;
    if (size == 0)
        return bf_merkle_empty();
    if (size == 1)
        return *leaf;
    while (k * 2 < size)
        k *= 2;
    bf_hash left = naive_root(leaf, k), right = naive_root(leaf + k, size - k);
    return bf_merkle_node(&left, &right);
}

static bf_hash roots[SIZES + 1]; /* of the first 0, 1, 2, ... leaves, by the definition */

static bool get(void *context, int level, int64_t idx, bf_hash *ret)
{
    int64_t *missing = context;
    if (missing && --*missing < 0)
        return false;
    int64_t width = (int64_t)1 << level;
    assert_in_range((idx + 1) * width, 1, SIZES);
    *ret = naive_root(&leaves[idx * width], width);
    return true;
}

static void use_leaves(const char *const *hex, int count)
{
    memset(leaves, 0, sizeof leaves);
    for (int i = 0; i < count; i++) {
        uint8_t data[16];
        size_t size = 0;
        assert_int_equal(sodium_hex2bin(data, sizeof data, hex[i], strlen(hex[i]), NULL, &size, NULL), 0);
        leaves[i] = bf_merkle_leaf(data, size);
    }
}

static int use_numbered_leaves(void **state)
{
    (void)state;
    for (int i = 0; i <= SIZES; i++)
        leaves[i] = bf_merkle_leaf(&i, sizeof i);
    for (int i = 0; i <= SIZES; i++)
        roots[i] = naive_root(leaves, i);
    return 0;
}

static void is_hex(const bf_hash *hash, const char *expected)
{
    char hex[2 * BF_HASH_SIZE + 1];
    sodium_bin2hex(hex, sizeof hex, hash->byte, BF_HASH_SIZE);
    assert_string_equal(hex, expected);
}

static void is_published(const bf_proof *proof, const published *expected)
{
    int count = 0;
    for (; expected->hashes[count]; count++)
        is_hex(&proof->hash[count], expected->hashes[count]);
    assert_int_equal(proof->count, count);
}

static void test_the_reference_tree(void **state)
{
    (void)state;
    bf_proof proof;
    use_leaves(REFERENCE_LEAVES, COUNT(REFERENCE_LEAVES));
    for (int size = 0; size < COUNT(REFERENCE_ROOTS); size++) {
        bf_hash root;
        assert_true(bf_merkle_root(size, get, NULL, &root));
        is_hex(&root, REFERENCE_ROOTS[size]);
    }
    for (int i = 0; i < COUNT(INCLUSION); i++) {
        assert_true(bf_merkle_inclusion(INCLUSION[i].from, INCLUSION[i].to, get, NULL, &proof));
        is_published(&proof, &INCLUSION[i]);
    }
    for (int i = 0; i < COUNT(CONSISTENCY); i++) {
        assert_true(bf_merkle_consistency(CONSISTENCY[i].from, CONSISTENCY[i].to, get, NULL, &proof));
        is_published(&proof, &CONSISTENCY[i]);
    }
    use_numbered_leaves(NULL);
}

static void test_the_edge_is_the_definition(void **state)
{
    (void)state;
    bf_edge edge = {0};
    bf_hash made[BF_EDGE_MAX], root, expected;
    for (int64_t size = 0; size <= SIZES; size++) {
        expected = roots[size];
        root = bf_edge_root(&edge);
        assert_true(bf_hash_equal(&root, &expected));
        assert_true(bf_merkle_root(size, get, NULL, &root));
        assert_true(bf_hash_equal(&root, &expected));
        if (size == SIZES)
            break;
        int count = bf_edge_append(&edge, &leaves[size], made);
        for (int level = 1; level <= count; level++) {
            int64_t idx = size >> level, width = (int64_t)1 << level;
            assert_int_equal((idx + 1) * width, size + 1);
            expected = naive_root(&leaves[idx * width], width);
            assert_true(bf_hash_equal(&made[level - 1], &expected));
        }
        assert_int_equal((size + 1) & (((int64_t)1 << (count + 1)) - 1), (int64_t)1 << count);
    }
    assert_false(bf_merkle_root(-1, get, NULL, &root));
}

/* Whatever is done to a proof that holds, it then holds no longer. */
typedef bool holds_fn(int64_t from, int64_t to, const bf_proof *proof);

static void breaks(holds_fn *holds, int64_t from, int64_t to, const bf_proof *proof)
{
    for (int i = 0; i < proof->count; i++) {
        bf_proof wrong = *proof;
        wrong.hash[i].byte[i % BF_HASH_SIZE] ^= 0x40;
        assert_false(holds(from, to, &wrong));
        wrong = *proof; /* one hash less */
        memmove(&wrong.hash[i], &wrong.hash[i + 1], (size_t)(wrong.count - i - 1) * sizeof *wrong.hash);
        wrong.count--;
        assert_false(holds(from, to, &wrong));
        wrong = *proof; /* one twice */
        memmove(&wrong.hash[i + 1], &wrong.hash[i], (size_t)(wrong.count - i) * sizeof *wrong.hash);
        wrong.count++;
        assert_false(holds(from, to, &wrong));
        wrong = *proof; /* two exchanged */
        wrong.hash[i] = proof->hash[(i + 1) % proof->count];
        wrong.hash[(i + 1) % proof->count] = proof->hash[i];
        assert_int_equal(holds(from, to, &wrong), proof->count == 1);
    }
    bf_proof wrong = *proof;
    wrong.count = -1;
    assert_false(holds(from, to, &wrong));
    wrong.count = BF_PROOF_HASHES_MAX + 1;
    assert_false(holds(from, to, &wrong));
}

static bool includes(int64_t index, int64_t size, const bf_proof *proof)
{
    return bf_merkle_inclusion_holds(&leaves[index], index, size, proof, &roots[size]);
}

static void test_every_inclusion(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= SIZES; size++) {
        bf_hash root = roots[size], other = roots[size - 1];
        for (int64_t index = 0; index < size; index++) {
            bf_proof proof;
            assert_true(bf_merkle_inclusion(index, size, get, NULL, &proof));
            assert_true(includes(index, size, &proof));
            breaks(includes, index, size, &proof);
            assert_false(bf_merkle_inclusion_holds(&leaves[index + 1], index, size, &proof, &root));
            assert_false(bf_merkle_inclusion_holds(&leaves[index], index, size, &proof, &other));
            for (int64_t wrong = -1; wrong <= size; wrong++)
                assert_int_equal(bf_merkle_inclusion_holds(&leaves[index], wrong, size, &proof, &root), wrong == index);
        }
    }
}

static bool grew(int64_t old_size, int64_t size, const bf_proof *proof)
{
    return bf_merkle_consistency_holds(old_size, &roots[old_size], size, &roots[size], proof);
}

static void test_every_growth(void **state)
{
    (void)state;
    for (int64_t size = 0; size <= SIZES; size++) {
        bf_hash root = roots[size], wrong = root;
        wrong.byte[31] ^= 1;
        for (int64_t old_size = 0; old_size <= size; old_size++) {
            bf_hash old_root = roots[old_size], wrong_old = old_root;
            wrong_old.byte[0] ^= 1;
            bf_proof proof;
            assert_true(bf_merkle_consistency(old_size, size, get, NULL, &proof));
            assert_true(grew(old_size, size, &proof));
            breaks(grew, old_size, size, &proof);
            assert_false(bf_merkle_consistency_holds(old_size, &wrong_old, size, &root, &proof));
            /* From nothing everything grows: the new root then says nothing. */
            assert_int_equal(bf_merkle_consistency_holds(old_size, &old_root, size, &wrong, &proof),
                             old_size == 0 && size > 0);
            assert_false(bf_merkle_consistency_holds(size + 1, &root, size, &root, &proof));
            assert_false(bf_merkle_consistency_holds(-1, &root, size, &root, &proof));
        }
    }
}

static bool prove(int kind, int64_t *left, bf_hash *root, bf_proof *proof)
{
    if (kind == 0)
        return bf_merkle_root(63, get, left, root);
    return kind == 1 ? bf_merkle_inclusion(40, 63, get, left, proof) : bf_merkle_consistency(33, 63, get, left, proof);
}

static void test_a_missing_hash_gives_no_proof(void **state)
{
    (void)state;
    bf_proof proof;
    bf_hash root;
    for (int kind = 0; kind < 3; kind++) {
        int64_t left = SIZES;
        assert_true(prove(kind, &left, &root, &proof));
        int64_t needed = SIZES - left;
        assert_in_range(needed, 6, 12);
        for (int64_t given = 0; given <= needed; given++) {
            left = given;
            assert_int_equal(prove(kind, &left, &root, &proof), given == needed);
        }
    }
    assert_false(bf_merkle_inclusion(3, 3, get, NULL, &proof));
    assert_false(bf_merkle_inclusion(-1, 3, get, NULL, &proof));
    assert_false(bf_merkle_inclusion(0, 0, get, NULL, &proof));
    assert_false(bf_merkle_consistency(4, 3, get, NULL, &proof));
    assert_false(bf_merkle_consistency(-1, 3, get, NULL, &proof));
}

/* Sizes that no store will reach end in time and in bounds. */
static bool get_anything(void *context, int level, int64_t idx, bf_hash *ret)
{
    (void)context;
    assert_in_range(level, 0, 62);
    assert_true(idx >= 0);
    memset(ret, level, sizeof *ret);
    return true;
}

static void test_the_largest_trees(void **state)
{
    (void)state;
    bf_proof proof;
    bf_hash root;
    const int64_t sizes[] = {INT64_MAX, INT64_MAX - 1, ((int64_t)1 << 62) + 1, (int64_t)1 << 62, (int64_t)1 << 53};
    for (int i = 0; i < COUNT(sizes); i++) {
        assert_true(bf_merkle_root(sizes[i], get_anything, NULL, &root));
        assert_true(bf_merkle_inclusion(sizes[i] - 1, sizes[i], get_anything, NULL, &proof));
        assert_in_range(proof.count, 1, BF_PROOF_HASHES_MAX);
        assert_true(bf_merkle_inclusion(0, sizes[i], get_anything, NULL, &proof));
        assert_in_range(proof.count, 1, BF_PROOF_HASHES_MAX);
        (void)bf_merkle_inclusion_holds(&root, 0, sizes[i], &proof, &root);
        assert_true(bf_merkle_consistency(sizes[i] / 2 + 1, sizes[i], get_anything, NULL, &proof));
        assert_in_range(proof.count, 1, BF_PROOF_HASHES_MAX);
        (void)bf_merkle_consistency_holds(sizes[i] / 2 + 1, &root, sizes[i], &root, &proof);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reference_tree),
        cmocka_unit_test(test_the_edge_is_the_definition),
        cmocka_unit_test(test_every_inclusion),
        cmocka_unit_test(test_every_growth),
        cmocka_unit_test(test_a_missing_hash_gives_no_proof),
        cmocka_unit_test(test_the_largest_trees),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, use_numbered_leaves, NULL);
}
