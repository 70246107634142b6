/* Media at rest: encrypted under a key of its session (libsodium secretstream), that key wrapped by the master key in
 * the store. Erasing deletes the wrapped key first, then the bytes: without the key the bytes are noise, wherever a
 * backup may have copied them. */
#ifndef BF_VAULT_VAULT_H
#define BF_VAULT_VAULT_H

#include "access/master.h"
#include "store/store.h"
#include "worker/region.h"

typedef struct bf_vault bf_vault;

/* `dir` is made when it is not there (0700); replicas share it. `master` is borrowed for the vault's life. */
bf_status bf_vault_open(const char *dir, const bf_master *master, bf_vault **ret, bf_error *err);
void bf_vault_close(bf_vault **vault);

/* A file that was written, synced, and is not yet named by the store. */
typedef struct bf_vault_draft {
    char session_id[64], name[64], file[128];
    char sha256[65]; /* of the plain bytes */
    int64_t bytes;
    uint8_t wrapped[128]; /* of a session key that was made for this draft */
    size_t wrapped_size;
    bool new_key;
} bf_vault_draft;

/* Encrypts `data` into a file, outside any transaction: draft, then keep in the transaction that needs it, or drop.
 * The session's key is the one in the store, or a new one that is stored by `keep`. STORE_UNAVAILABLE (also: disk
 * full),
 * VAULT_LOCKED. */
bf_status bf_vault_write(bf_vault *vault, bf_store *store, const char *session_id, const char *name, const void *data,
                         size_t size, bf_vault_draft *ret, bf_error *err);
/* In a write transaction. delete_after_ms 0: until erased. When a key was stored meanwhile by another draft, fails with
 * STORE_UNAVAILABLE (retry). An object of that name is replaced; its old file is swept later. */
bf_status bf_vault_keep(bf_db *db, const bf_vault_draft *draft, int64_t now_ms, int64_t delete_after_ms, bf_error *err);
void bf_vault_drop(bf_vault *vault, const bf_vault_draft *draft);

/* Reads an object into a region. NOT_FOUND, ERASED, VAULT_LOCKED, STORE_UNAVAILABLE; a file that was changed is
 * VAULT_LOCKED. */
bf_status bf_vault_read(bf_vault *vault, bf_store *store, const char *session_id, const char *name, size_t size_max,
                        bf_region *ret, bf_error *err);

/* In a write transaction: forgets the session's key and objects. The files go with the next bf_vault_sweep. */
bf_status bf_vault_erase(bf_db *db, const char *session_id, bf_error *err);

/* Retention: forgets objects whose time is over (and keys without objects), deletes files that the store does not name
 * and that are older than an hour (or whose object was forgotten just now). Returns how many objects were forgotten. To
 * be called every few minutes, by any replica. */
bf_status bf_vault_sweep(bf_vault *vault, bf_store *store, int64_t now_ms, int64_t *ret_forgotten, bf_error *err);

/* Deletes the files of one session that the store no longer names, at once. */
void bf_vault_sweep_session(bf_vault *vault, bf_store *store, const char *session_id);

/* Wraps every session key by `next` instead of the vault's master key, a thousand in one transaction; can be repeated
 * after an interruption. *ret_count: keys rewrapped. */
bf_status bf_vault_rotate(bf_store *store, const bf_master *current, const bf_master *next, int64_t *ret_count,
                          bf_error *err);

#endif
