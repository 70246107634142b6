/* Files of the vault as somebody could write them who has the session's key: chunks of any size, number and tag, with
 * bytes changed or cut off. What is read was written in the one form that is written. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "vault/file.h"

#define CHUNKS_MAX 6
#define FILE_BYTES_MAX (64 + CHUNKS_MAX * (BF_VAULT_CHUNK + 64))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t KEY[BF_VAULT_KEY_SIZE] = {7};
static const bf_vault_label LABEL = {"s", "n"};

/* Appends a chunk as vault/file.h describes it. */
static size_t push(crypto_secretstream_xchacha20poly1305_state *stream, uint8_t *file, size_t plain_size,
                   uint8_t number, uint8_t tag)
{
    static const uint8_t plain[BF_VAULT_CHUNK + 1];
    uint8_t label[] = "BFVAULT1s\0n\0\0\0\0\0\0\0\0", bound[32];
    unsigned long long sealed = 0;
    label[sizeof label - 8] = number;
    crypto_generichash(bound, sizeof bound, label, sizeof label, NULL, 0);
    crypto_secretstream_xchacha20poly1305_push(stream, file, &sealed, plain, plain_size, bound, sizeof bound, tag);
    return (size_t)sealed;
}

/* The first bytes say what the file is: for each chunk its size and tag. The rest change it. */
static size_t write_file(uint8_t *file, const uint8_t **data, size_t *size, bool *ret_canonical)
{
    crypto_secretstream_xchacha20poly1305_state stream;
    memcpy(file, "BFVAULT1", 8); /* NOLINT(bugprone-not-null-terminated-result): no text */
    crypto_secretstream_xchacha20poly1305_init_push(&stream, file + 8, KEY);
    size_t written = 32, chunks = *size > 0 ? **data % CHUNKS_MAX : 0;
    bool ended = false;
    *ret_canonical = true;
    for (size_t i = 0; i < chunks && *size >= 5; i++, *data += 4, *size -= 4) {
        const uint8_t *op = *data + 1;
        size_t plain = op[0] & 1 ? BF_VAULT_CHUNK : ((size_t)op[1] << 8 | op[2]) % (BF_VAULT_CHUNK + 2);
        uint8_t tag = op[3] % 4;
        written += push(&stream, file + written, plain, (uint8_t)i, tag);
        bool final = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
        *ret_canonical &=
            !ended && (final ? plain <= BF_VAULT_CHUNK && (plain > 0 || i == 0) : tag == 0 && plain == BF_VAULT_CHUNK);
        ended |= final;
    }
    *ret_canonical &= ended;
    return written;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_BYTES_MAX];
    bool canonical = false;
    if (sodium_init() < 0)
        abort();
    size_t written = write_file(file, &data, &size, &canonical);
    bool changed = false;
    for (; size >= 4; data += 4, size -= 4) {
        size_t at = ((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % written;
        if (data[3] == 0) {
            written = at > 0 ? at : 1;
            changed = true;
        }
        file[at] ^= data[3];
        changed |= data[3] != 0;
    }
    int fd = memfd_create("vault", MFD_CLOEXEC);
    if (fd < 0 || write(fd, file, written) != (ssize_t)written || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    bf_region region = BF_REGION_NONE;
    bf_status status = bf_vault_file_read(fd, KEY, &LABEL, CHUNKS_MAX * BF_VAULT_CHUNK, &region, NULL);
    (void)close(fd);
    if (status == BF_OK ? !canonical : status != BF_VAULT_LOCKED || (canonical && !changed))
        abort();
    bf_region_done(&region);
    return 0;
}
