/* Media at rest: encrypted under a key of its session (libsodium secretstream), that key wrapped by the master key in
 * the store. Erasing deletes the wrapped key first, then the bytes: without the key the bytes are noise, wherever a
 * backup may have copied them. */
#ifndef BF_VAULT_VAULT_H
#define BF_VAULT_VAULT_H

#include "access/master.h"
#include "store/store.h"
#include "worker/region.h"

typedef struct bf_vault bf_vault;

/* `dir` is made when it is not there (0700); replicas share it. `master` is borrowed for the vault's life. While it is
 * open the master key cannot be rotated (a shared lock on `dir`). IO_ERROR, OUT_OF_MEMORY; STORE_UNAVAILABLE while a
 * rotation is under way. */
bf_status bf_vault_open(const char *dir, const bf_master *master, bf_vault **ret, bf_error *err);
void bf_vault_close(bf_vault **vault);

/* A file that was written, synced, and is not yet named by the store. */
typedef struct bf_vault_draft {
    char session_id[64], name[64], file[128];
    char sha256[65]; /* of the plain bytes */
    int64_t bytes;
    uint8_t wrapped[128]; /* the session's key */
    size_t wrapped_size;
    char master_id[BF_MASTER_ID_SIZE]; /* of the master key that wrapped it */
    bool new_key;
} bf_vault_draft;

/* Encrypts `data` into a file, outside any transaction: draft, then keep in the transaction that needs it, or drop.
 * The session's key is the one in the store, or a new one that is stored by `keep`. STORE_UNAVAILABLE (also when the
 * disk is full), VAULT_LOCKED. */
bf_status bf_vault_write(bf_vault *vault, bf_store *store, const char *session_id, const char *name, const void *data,
                         size_t size, bf_vault_draft *ret, bf_error *err);
/* In a write transaction. delete_after_ms 0: until erased. When the session's key is no longer the one of the draft
 * (another draft stored one first, or it was erased), fails with STORE_UNAVAILABLE: write anew. So the first two
 * objects of a session are written one after the other was kept. An object of that name is replaced; its old file
 * goes with the next sweep. */
bf_status bf_vault_keep(bf_db *db, const bf_vault_draft *draft, int64_t now_ms, int64_t delete_after_ms, bf_error *err);
void bf_vault_drop(bf_vault *vault, const bf_vault_draft *draft);

/* Reads an object into a region. NOT_FOUND, ERASED, VAULT_LOCKED, STORE_UNAVAILABLE; a file that was changed is
 * VAULT_LOCKED. */
bf_status bf_vault_read(bf_vault *vault, bf_store *store, const char *session_id, const char *name, size_t size_max,
                        bf_region *ret, bf_error *err);

/* In any transaction: what is kept of a session, by name: rows of name, bytes, stored_ms, delete_after_ms (NULL: until
 * erased). The caller frees *ret. */
bf_status bf_vault_list(bf_db *db, const char *session_id, bf_rows **ret, bf_error *err);

/* In a write transaction: forgets one object, if it is there; the session's key too when it was the last. The file goes
 * with the next bf_vault_sweep or bf_vault_sweep_session. */
bf_status bf_vault_forget(bf_db *db, const char *session_id, const char *name, bf_error *err);

/* In a write transaction: forgets the session's key and objects. The files go as above. */
bf_status bf_vault_erase(bf_db *db, const char *session_id, bf_error *err);

/* Retention: forgets objects whose time is over (and keys without objects), deletes the files of what was forgotten,
 * and files that the store does not name and that are older than an hour by their file system's clock: a crash
 * between file and row left them. Bounded work: what is left over is done by the next call. *ret_forgotten (may be
 * NULL): objects forgotten. To be called every few minutes, by any replica. */
bf_status bf_vault_sweep(bf_vault *vault, bf_store *store, int64_t now_ms, int64_t *ret_forgotten, bf_error *err);

/* Deletes the files of one session that were forgotten, at once. What fails is left to bf_vault_sweep. */
void bf_vault_sweep_session(bf_vault *vault, bf_store *store, const char *session_id);

/* Whether the store's keys are wrapped by `master`: VAULT_LOCKED when one is wrapped by another key, as after an
 * interrupted rotation or with the wrong file. For the start of the server. */
bf_status bf_vault_check(bf_store *store, const bf_master *master, bf_error *err);

/* Keeps every bf_vault_open on `dir` from succeeding until *ret_lock is closed with bf_vault_unlock. `dir` may be
 * missing. STORE_UNAVAILABLE when a vault is open on it, in this or another process. */
bf_status bf_vault_lock(const char *dir, int *ret_lock, bf_error *err);
void bf_vault_unlock(int *lock);

typedef struct bf_vault_rotation {
    int64_t session_keys; /* wrapped anew by this call */
    int64_t api_keys;     /* signing secrets sealed anew */
    int64_t unreadable;   /* wrapped or sealed by neither key; left as they were */
} bf_vault_rotation;

/* Wraps every session key, and seals every signing secret of an API key, by `next` instead of `current`, a thousand in
 * one transaction, and writes to the audit log under `actor`. After an interruption call it again with the same keys:
 * what is done stays done. For a locked vault; the secrets that follow from the master key (tokens, hashes) become
 * others with it. VAULT_LOCKED when some were unreadable; *ret is filled then too. */
bf_status bf_vault_rotate(bf_store *store, const bf_master *current, const bf_master *next, const char *actor,
                          bf_vault_rotation *ret, bf_error *err);

#endif
