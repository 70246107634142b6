/* The file of one object.
 *
 * It begins with 8 bytes, "BFVAULT1", and the 24 of a header of crypto_secretstream_xchacha20poly1305. Chunks follow,
 * of 64 KiB of plain bytes each, the last one shorter or as long, with 17 bytes of tag and MAC each.
 *
 * The last chunk carries the final tag and nothing follows it, so a file that was cut or lengthened is not read.
 * Session, name and number of the chunk are bound to each chunk, so neither chunks nor files can be exchanged.
 * docs/reference/vault.md describes it for others. */
#ifndef BF_VAULT_FILE_H
#define BF_VAULT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"
#include "worker/region.h"

#define BF_VAULT_KEY_SIZE 32
#define BF_VAULT_CHUNK 65536
#define BF_VAULT_OBJECT_MAX (64u << 20) /* plain bytes of one object */

/* What a file belongs to. */
typedef struct bf_vault_label {
    const char *session_id, *name;
} bf_vault_label;

/* Writes `data` to `fd`, from where it stands. STORE_UNAVAILABLE (disk full, say), OUT_OF_MEMORY. */
bf_status bf_vault_file_write(int fd, const uint8_t key[BF_VAULT_KEY_SIZE], const bf_vault_label *label,
                              const void *data, size_t size, bf_error *err);

/* Reads from `fd`, from where it stands to its end. VAULT_LOCKED unless every byte is as it was written, under this key
 * and for this label; BODY_TOO_LARGE past `size_max`; STORE_UNAVAILABLE, OUT_OF_MEMORY. On failure *ret is left empty.
 * The file is not trusted. */
bf_status bf_vault_file_read(int fd, const uint8_t key[BF_VAULT_KEY_SIZE], const bf_vault_label *label, size_t size_max,
                             bf_region *ret, bf_error *err);

#endif
