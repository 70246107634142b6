#include "vault/file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/bytes.h"
#include "base/error.h"

#define MAGIC "BFVAULT1"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define HEADER_SIZE crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define EXTRA crypto_secretstream_xchacha20poly1305_ABYTES
#define SEALED_CHUNK (BF_VAULT_CHUNK + EXTRA)
#define BOUND_SIZE 32

typedef crypto_secretstream_xchacha20poly1305_state stream;

/* What a stream works with; on the heap, because a connection's thread has a small stack. */
typedef struct work {
    stream state;
    uint8_t chunk[SEALED_CHUNK];
} work;

static void work_free(work **work_)
{
    if (*work_)
        sodium_memzero(*work_, sizeof **work_);
    bf_free(*work_);
    *work_ = NULL;
}

/* What a chunk is bound to, as a hash: of texts that end with NUL, so that no two labels are the same bytes. */
static void bind_chunk(const bf_vault_label *label, uint64_t number, uint8_t ret[BOUND_SIZE])
{
    crypto_generichash_state hash;
    uint8_t digits[8];
    for (int i = 0; i < 8; i++)
        digits[i] = (uint8_t)(number >> (8 * i));
    (void)crypto_generichash_init(&hash, NULL, 0, BOUND_SIZE);
    (void)crypto_generichash_update(&hash, (const uint8_t *)MAGIC, MAGIC_SIZE);
    (void)crypto_generichash_update(&hash, (const uint8_t *)label->session_id, strlen(label->session_id) + 1);
    (void)crypto_generichash_update(&hash, (const uint8_t *)label->name, strlen(label->name) + 1);
    (void)crypto_generichash_update(&hash, digits, sizeof digits);
    (void)crypto_generichash_final(&hash, ret, BOUND_SIZE);
}

static bf_status fail_write(bf_error *err)
{
    int saved = errno;
    bf_fail(err, BF_STORE_UNAVAILABLE, "The media could not be stored.");
    bf_fail_detail(err, "Writing to the vault: %s.", strerror(saved));
    return BF_STORE_UNAVAILABLE;
}

static bf_status fail_changed(bf_error *err, const char *what)
{
    bf_fail(err, BF_VAULT_LOCKED, "The stored media cannot be opened.");
    bf_fail_detail(err, "The vault's file %s.", what);
    return BF_VAULT_LOCKED;
}

bf_status bf_vault_file_write(int fd, const uint8_t key[BF_VAULT_KEY_SIZE], const bf_vault_label *label,
                              const void *data, size_t size, bf_error *err)
{
    BF_CLEANUP(work_free) work *work_ = bf_malloc(sizeof *work_);
    if (!work_)
        return bf_fail_memory(err);
    uint8_t header[MAGIC_SIZE + HEADER_SIZE];
    memcpy(header, MAGIC, MAGIC_SIZE);
    (void)crypto_secretstream_xchacha20poly1305_init_push(&work_->state, header + MAGIC_SIZE, key);
    if (!bf_write_all(fd, header, sizeof header))
        return fail_write(err);
    const uint8_t *plain = data;
    size_t done = 0;
    for (uint64_t number = 0;; number++) {
        size_t part = size - done < BF_VAULT_CHUNK ? size - done : BF_VAULT_CHUNK;
        bool last = done + part == size;
        uint8_t bound[BOUND_SIZE];
        bind_chunk(label, number, bound);
        (void)crypto_secretstream_xchacha20poly1305_push(&work_->state, work_->chunk, NULL, plain ? plain + done : NULL,
                                                         part, bound, sizeof bound,
                                                         last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
        if (!bf_write_all(fd, work_->chunk, part + EXTRA))
            return fail_write(err);
        done += part;
        if (last)
            return BF_OK;
    }
}

/* Reads until `size` bytes are there or the file ends; -1 on failure. */
static ssize_t read_up_to(int fd, uint8_t *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, data + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static bf_status fail_read(bf_error *err)
{
    int saved = errno;
    bf_fail(err, BF_STORE_UNAVAILABLE, "The stored media could not be read.");
    bf_fail_detail(err, "Reading from the vault: %s.", strerror(saved));
    return BF_STORE_UNAVAILABLE;
}

static bf_status read_header(int fd, work *work_, const uint8_t key[BF_VAULT_KEY_SIZE], bf_error *err)
{
    uint8_t header[MAGIC_SIZE + HEADER_SIZE];
    ssize_t got = read_up_to(fd, header, sizeof header);
    if (got < 0)
        return fail_read(err);
    if ((size_t)got != sizeof header || memcmp(header, MAGIC, MAGIC_SIZE) != 0)
        return fail_changed(err, "has no header that this version knows");
    if (crypto_secretstream_xchacha20poly1305_init_pull(&work_->state, header + MAGIC_SIZE, key) != 0)
        return fail_changed(err, "has a header that is not valid");
    return BF_OK;
}

/* Opens the chunk of `size` sealed bytes into the region; `*ret_last` tells that it was the final one. Only one way of
 * cutting into chunks is written, so only that one is read. */
static bf_status open_chunk(work *work_, size_t size, const uint8_t bound[BOUND_SIZE], size_t size_max, bf_region *ret,
                            bool *ret_last, bf_error *err)
{
    if (size < EXTRA)
        return fail_changed(err, "is cut short");
    size_t plain_size = size - EXTRA;
    /* One byte more than needed, so that an empty chunk has somewhere to be opened to. */
    bf_error own = {0};
    bf_error *why = err ? err : &own;
    uint8_t *plain = bf_region_reserve(ret, plain_size + 1, size_max + 1, why);
    if (!plain)
        return why->status;
    unsigned char tag = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&work_->state, plain, NULL, &tag, work_->chunk, size, bound,
                                                   BOUND_SIZE) != 0)
        return fail_changed(err, "was changed, or belongs to another key, session or name");
    *ret_last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    bool as_written = *ret_last ? plain_size > 0 || ret->size == 0 : tag == 0 && plain_size == BF_VAULT_CHUNK;
    if (!as_written)
        return fail_changed(err, "has a chunk of another size or kind");
    ret->size += plain_size;
    return BF_OK;
}

static bf_status read_chunks(int fd, work *work_, const bf_vault_label *label, size_t size_max, bf_region *ret,
                             bf_error *err)
{
    for (uint64_t number = 0;; number++) {
        ssize_t got = read_up_to(fd, work_->chunk, SEALED_CHUNK);
        if (got < 0)
            return fail_read(err);
        uint8_t bound[BOUND_SIZE];
        bind_chunk(label, number, bound);
        bool last = false;
        bf_status status = open_chunk(work_, (size_t)got, bound, size_max, ret, &last, err);
        if (status != BF_OK)
            return status;
        if (!last)
            continue;
        uint8_t more;
        got = read_up_to(fd, &more, 1);
        if (got < 0)
            return fail_read(err);
        return got == 0 ? BF_OK : fail_changed(err, "goes on after its end");
    }
}

bf_status bf_vault_file_read(int fd, const uint8_t key[BF_VAULT_KEY_SIZE], const bf_vault_label *label, size_t size_max,
                             bf_region *ret, bf_error *err)
{
    BF_CLEANUP(work_free) work *work_ = bf_malloc(sizeof *work_);
    if (!work_)
        return bf_fail_memory(err);
    size_max = size_max < BF_VAULT_OBJECT_MAX ? size_max : BF_VAULT_OBJECT_MAX;
    bf_region region = BF_REGION_NONE;
    bf_status status = read_header(fd, work_, key, err);
    if (status == BF_OK)
        status = read_chunks(fd, work_, label, size_max, &region, err);
    if (status != BF_OK) {
        bf_region_done(&region);
        return status;
    }
    *ret = region;
    return BF_OK;
}
