/* What the files of the vault share. */
#ifndef BF_VAULT_PARTS_H
#define BF_VAULT_PARTS_H

#include <pthread.h>

#include "base/attr.h"
#include "vault/file.h"
#include "vault/vault.h"

#define BF_VAULT_FOLDERS 256
/* "ab/" and 32 hex digits, the first two of which are "ab". */
#define BF_VAULT_FILE_SIZE 36
#define BF_VAULT_OLD_MS (3600 * 1000) /* age at which a file that the store does not name belongs to nobody */

struct bf_vault {
    int dir; /* opened for its entries; holds the shared lock */
    const bf_master *master;
    pthread_mutex_t lock;
    int next_folder; /* where the next sweep for files of nobody begins; guarded by `lock` */
};

/* A session's key sealed by a master key, with the session it belongs to. */
#define BF_VAULT_WRAPPED_SIZE BF_SEALED_SIZE(BF_VAULT_KEY_SIZE + BF_SECRET_SIZE)

void bf_vault_wrap(const bf_master *master, const char *session_id, const uint8_t key[BF_VAULT_KEY_SIZE],
                   uint8_t ret[BF_VAULT_WRAPPED_SIZE]);
/* VAULT_LOCKED when it is another master's or another session's. */
bf_status bf_vault_unwrap(const bf_master *master, const char *session_id, const void *wrapped, size_t size,
                          uint8_t ret[BF_VAULT_KEY_SIZE], bf_error *err);

/* Whether a text of the store is a file of ours and not a way out of the folder. */
bool bf_vault_file_ok(const char *file);

/* Deletes a file; one that is not there counts as deleted. */
bool bf_vault_unlink(const bf_vault *vault, const char *file);

/* Clean-up helper for descriptors. */
void bf_vault_close_fd(const int *fd);

#endif
