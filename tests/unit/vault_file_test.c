#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/bytes.h"
#include "vault/file.h"

#define SIZE_MAX_READ (32u << 20)

static const bf_vault_label LABEL = {"session-1", "capture-1"};
static uint8_t key[BF_VAULT_KEY_SIZE];

static int start(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 7);
    return sodium_init() < 0;
}

static uint8_t *pattern(size_t size)
{
    uint8_t *data = malloc(size + 1);
    assert_non_null(data);
    uint32_t seed = 1;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
    }
    return data;
}

/* The sealed file of `size` bytes; the caller frees it. */
static uint8_t *seal(const void *data, size_t size, size_t *ret_size)
{
    int fd = memfd_create("vault", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(bf_vault_file_write(fd, key, &LABEL, data, size, NULL), BF_OK);
    *ret_size = (size_t)lseek(fd, 0, SEEK_END);
    uint8_t *file = malloc(*ret_size + 1);
    assert_non_null(file);
    assert_int_equal(pread(fd, file, *ret_size, 0), *ret_size);
    close(fd);
    return file;
}

static bf_status unseal_as(const uint8_t *file, size_t size, const uint8_t *with, const bf_vault_label *label,
                           size_t size_max, bf_region *ret)
{
    int fd = memfd_create("vault", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file, size), size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    bf_status status = bf_vault_file_read(fd, with, label, size_max, ret, NULL);
    close(fd);
    return status;
}

static bf_status unseal(const uint8_t *file, size_t size)
{
    bf_region region = BF_REGION_NONE;
    bf_status status = unseal_as(file, size, key, &LABEL, SIZE_MAX_READ, &region);
    if (status != BF_OK)
        assert_null(region.data);
    bf_region_done(&region);
    return status;
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 20u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t sealed = 0;
        uint8_t *data = pattern(sizes[i]);
        uint8_t *file = seal(data, sizes[i], &sealed);
        size_t chunks = sizes[i] == 0 ? 1 : (sizes[i] + BF_VAULT_CHUNK - 1) / BF_VAULT_CHUNK;
        assert_int_equal(sealed, 8 + 24 + sizes[i] + 17 * chunks);
        bf_region region = BF_REGION_NONE;
        assert_int_equal(unseal_as(file, sealed, key, &LABEL, sizes[i], &region), BF_OK);
        assert_int_equal(region.size, sizes[i]);
        if (sizes[i] > 0)
            assert_memory_equal(region.data, data, sizes[i]);
        bf_region_done(&region);
        free(file);
        free(data);
    }
}

/* Nothing of the picture can be seen in the file, and no two files of it are the same. */
static void test_the_file_gives_nothing_away(void **state)
{
    (void)state;
    static uint8_t zeros[4096];
    size_t size = 0;
    uint8_t *first = seal(zeros, sizeof zeros, &size), *second = seal(zeros, sizeof zeros, &size);
    assert_null(memmem(first, size, zeros, 16));
    assert_memory_not_equal(first + 8, second + 8, 24);
    assert_memory_not_equal(first + 32, second + 32, 64);
    free(first);
    free(second);
}

static void test_every_flipped_bit_is_found(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *file = seal("a face", 6, &size);
    assert_int_equal(unseal(file, size), BF_OK);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(unseal(file, size), BF_VAULT_LOCKED);
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(unseal(file, size), BF_OK);
    free(file);
}

static void test_every_cut_is_found(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *file = seal("a face", 6, &size);
    for (size_t left = 0; left < size; left++)
        assert_int_equal(unseal(file, left), BF_VAULT_LOCKED);
    file[size] = 0;
    assert_int_equal(unseal(file, size + 1), BF_VAULT_LOCKED);
    free(file);

    /* At the ends of chunks, where the last one is whole and only its tag tells. */
    uint8_t *data = pattern(3 * BF_VAULT_CHUNK);
    file = seal(data, 3 * BF_VAULT_CHUNK, &size);
    for (size_t chunks = 0; chunks < 3; chunks++)
        assert_int_equal(unseal(file, 32 + chunks * (BF_VAULT_CHUNK + 17)), BF_VAULT_LOCKED);
    assert_int_equal(unseal(file, size), BF_OK);
    file[size] = 0;
    assert_int_equal(unseal(file, size + 1), BF_VAULT_LOCKED);
    free(file);
    free(data);
}

static void test_chunks_cannot_change_places(void **state)
{
    (void)state;
    size_t size = 0, chunk = BF_VAULT_CHUNK + 17;
    uint8_t *data = pattern(3 * BF_VAULT_CHUNK), *spare = malloc(chunk);
    uint8_t *file = seal(data, 3 * BF_VAULT_CHUNK, &size);
    memcpy(spare, file + 32, chunk);
    memcpy(file + 32, file + 32 + chunk, chunk);
    memcpy(file + 32 + chunk, spare, chunk);
    assert_int_equal(unseal(file, size), BF_VAULT_LOCKED);
    free(spare);
    free(file);
    free(data);
}

static void test_another_key_or_label(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *file = seal("a face", 6, &size), other[BF_VAULT_KEY_SIZE];
    bf_region region = BF_REGION_NONE;
    memcpy(other, key, sizeof other);
    other[31] ^= 1;
    assert_int_equal(unseal_as(file, size, other, &LABEL, 100, &region), BF_VAULT_LOCKED);
    static const bf_vault_label labels[] = {
        {"session-2", "capture-1"}, {"session-1", "capture-2"}, {"session-1capture-1", ""}, {"", "session-1capture-1"}};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        assert_int_equal(unseal_as(file, size, key, &labels[i], 100, &region), BF_VAULT_LOCKED);
    assert_null(region.data);
    assert_int_equal(unseal_as(file, size, key, &LABEL, 100, &region), BF_OK);
    bf_region_done(&region);
    free(file);
}

static void test_too_large_to_read(void **state)
{
    (void)state;
    size_t size = 0;
    uint8_t *data = pattern(100000);
    uint8_t *file = seal(data, 100000, &size);
    bf_region region = BF_REGION_NONE;
    assert_int_equal(unseal_as(file, size, key, &LABEL, 99999, &region), BF_BODY_TOO_LARGE);
    assert_int_equal(unseal_as(file, size, key, &LABEL, 0, &region), BF_BODY_TOO_LARGE);
    assert_null(region.data);
    assert_int_equal(unseal_as(file, size, key, &LABEL, 100000, &region), BF_OK);
    bf_region_done(&region);
    free(file);
    free(data);
}

/* Somebody who has the key could cut the same bytes into other chunks; one content has one form only. */
static void test_other_ways_of_cutting(void **state)
{
    (void)state;
    static const struct {
        size_t part[2];
        unsigned char tag[2];
    } ways[] = {
        {{3, 3}, {0, crypto_secretstream_xchacha20poly1305_TAG_FINAL}},
        {{0, 6}, {0, crypto_secretstream_xchacha20poly1305_TAG_FINAL}},
        {{6, 0}, {crypto_secretstream_xchacha20poly1305_TAG_REKEY, crypto_secretstream_xchacha20poly1305_TAG_FINAL}},
        {{6, 0}, {crypto_secretstream_xchacha20poly1305_TAG_FINAL, crypto_secretstream_xchacha20poly1305_TAG_FINAL}},
        {{6, 0}, {0, 0}},
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        uint8_t file[256] = "BFVAULT1", bound[32];
        size_t size = 32, at = 0;
        crypto_secretstream_xchacha20poly1305_state stream;
        crypto_secretstream_xchacha20poly1305_init_push(&stream, file + 8, key);
        for (int part = 0; part < 2; part++) {
            uint8_t label[] = "BFVAULT1session-1\0capture-1\0\0\0\0\0\0\0\0";
            label[sizeof label - 8] = (uint8_t)part;
            crypto_generichash(bound, sizeof bound, label, sizeof label, NULL, 0);
            crypto_secretstream_xchacha20poly1305_push(&stream, file + size, NULL, (const uint8_t *)"a face" + at,
                                                       ways[i].part[part], bound, sizeof bound, ways[i].tag[part]);
            size += ways[i].part[part] + 17;
            at += ways[i].part[part];
        }
        assert_int_equal(unseal(file, size), BF_VAULT_LOCKED);
        /* The first chunk of the fourth way is a whole file: that shows that the label above is the right one. */
        assert_int_equal(unseal(file, 32 + 6 + 17), i == 3 ? BF_OK : BF_VAULT_LOCKED);
    }
}

/* The same with chunks of full size, in which only their tags tell, and an end that is not needed. */
static void test_other_ways_of_ending(void **state)
{
    (void)state;
    static const uint8_t magic[] = {'B', 'F', 'V', 'A', 'U', 'L', 'T', '1'};
    static const unsigned char final = crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    static const unsigned char first[] = {0, crypto_secretstream_xchacha20poly1305_TAG_PUSH,
                                          crypto_secretstream_xchacha20poly1305_TAG_REKEY};
    uint8_t *data = pattern(BF_VAULT_CHUNK), *file = malloc(2 * (size_t)BF_VAULT_CHUNK);
    for (size_t i = 0; i < 2 * sizeof first; i++) {
        size_t rest = i % 2; /* bytes in the second chunk */
        memcpy(file, magic, sizeof magic);
        crypto_secretstream_xchacha20poly1305_state stream;
        crypto_secretstream_xchacha20poly1305_init_push(&stream, file + 8, key);
        size_t size = 32;
        for (uint8_t part = 0; part < 2; part++) {
            uint8_t label[] = "BFVAULT1session-1\0capture-1\0\0\0\0\0\0\0\0", bound[32];
            unsigned long long sealed = 0;
            label[sizeof label - 8] = part;
            crypto_generichash(bound, sizeof bound, label, sizeof label, NULL, 0);
            crypto_secretstream_xchacha20poly1305_push(&stream, file + size, &sealed, data,
                                                       part == 0 ? BF_VAULT_CHUNK : rest, bound, sizeof bound,
                                                       part == 0 ? first[i / 2] : final);
            size += (size_t)sealed;
        }
        assert_int_equal(unseal(file, size), i == 1 ? BF_OK : BF_VAULT_LOCKED);
    }
    free(file);
    free(data);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    int fd = memfd_create("vault", MFD_CLOEXEC);
    (void)bf_alloc_fail_after(1, 0);
    assert_int_equal(bf_vault_file_write(fd, key, &LABEL, "a face", 6, NULL), BF_OUT_OF_MEMORY);
    (void)bf_alloc_fail_after(0, 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
    close(fd);
    size_t size = 0;
    uint8_t *file = seal("a face", 6, &size);
    (void)bf_alloc_fail_after(1, 0);
    assert_int_equal(unseal(file, size), BF_OUT_OF_MEMORY);
    (void)bf_alloc_fail_after(0, 0);
    free(file);
}

static void test_a_descriptor_that_cannot_be_used(void **state)
{
    (void)state;
    bf_region region = BF_REGION_NONE;
    bf_error err = {0};
    assert_int_equal(bf_vault_file_write(-1, key, &LABEL, "a face", 6, &err), BF_STORE_UNAVAILABLE);
    assert_int_equal(bf_vault_file_read(-1, key, &LABEL, 10, &region, &err), BF_STORE_UNAVAILABLE);
    assert_non_null(strstr(err.detail, "Bad file descriptor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_the_file_gives_nothing_away),
        cmocka_unit_test(test_every_flipped_bit_is_found),
        cmocka_unit_test(test_every_cut_is_found),
        cmocka_unit_test(test_chunks_cannot_change_places),
        cmocka_unit_test(test_another_key_or_label),
        cmocka_unit_test(test_too_large_to_read),
        cmocka_unit_test(test_other_ways_of_cutting),
        cmocka_unit_test(test_other_ways_of_ending),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_a_descriptor_that_cannot_be_used),
    };
    return cmocka_run_group_tests_name("vault_file", tests, start, NULL);
}
