/* Writing, naming, reading and forgetting objects. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "vault/parts.h"

/* What the store knows of an object and of its session's key. */
typedef struct lookup {
    const char *session_id, *name; /* name NULL: only the key is asked for */
    bool key_found, object_found, erased;
    uint8_t wrapped[BF_VAULT_WRAPPED_SIZE];
    char master_id[BF_MASTER_ID_SIZE];
    char file[BF_VAULT_FILE_SIZE];
    char sha256[BF_SHA256_HEX_SIZE];
    int64_t bytes;
} lookup;

static bf_status read_key_row(bf_db *db, lookup *look, bf_error *err)
{
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT wrapped, master_id FROM vault_key WHERE session_id = $1",
                                   BF_VALUES(bf_value_text(look->session_id)), &rows, err);
    if (status != BF_OK)
        return status;
    if (bf_rows_next(rows)) {
        size_t size = 0;
        const void *wrapped = bf_rows_blob(rows, 0, &size);
        const char *master_id = bf_rows_text(rows, 1);
        if (size == sizeof look->wrapped)
            memcpy(look->wrapped, wrapped, size);
        else
            status = bf_fail(err, BF_VAULT_LOCKED, "A session's key cannot be opened.");
        (void)snprintf(look->master_id, sizeof look->master_id, "%s", master_id ? master_id : "");
        look->key_found = true;
    }
    bf_rows_free(&rows);
    return status;
}

static bf_status read_object_row(bf_db *db, lookup *look, bf_error *err)
{
    bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT file, sha256, bytes FROM vault_object WHERE session_id = $1 AND name = $2",
                    BF_VALUES(bf_value_text(look->session_id), bf_value_text(look->name)), &rows, err);
    if (status != BF_OK)
        return status;
    if (bf_rows_next(rows)) {
        const char *file = bf_rows_text(rows, 0), *sha256 = bf_rows_text(rows, 1);
        (void)snprintf(look->file, sizeof look->file, "%s", file ? file : "");
        (void)snprintf(look->sha256, sizeof look->sha256, "%s", sha256 ? sha256 : "");
        look->bytes = bf_rows_integer(rows, 2);
        look->object_found = true;
    }
    bf_rows_free(&rows);
    return BF_OK;
}

/* Whether the session says that it was erased. */
static bf_status read_erasure(bf_db *db, lookup *look, bf_error *err)
{
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT 1 FROM session WHERE id = $1 AND erased_ms IS NOT NULL",
                                   BF_VALUES(bf_value_text(look->session_id)), &rows, err);
    if (status == BF_OK)
        look->erased = bf_rows_next(rows);
    bf_rows_free(&rows);
    return status;
}

static bf_status look_up(bf_db *db, void *context, bf_error *err)
{
    lookup *look = context;
    look->key_found = look->object_found = look->erased = false;
    bf_status status = read_key_row(db, look, err);
    if (status == BF_OK && look->name)
        status = read_object_row(db, look, err);
    if (status == BF_OK && look->name && !look->object_found)
        status = read_erasure(db, look, err);
    return status;
}

/* The session's key: the one in the store, or a new one that the draft brings. */
static bf_status find_key(const bf_vault *vault, bf_store *store, bf_vault_draft *draft, uint8_t ret[BF_VAULT_KEY_SIZE],
                          bf_error *err)
{
    lookup look = {.session_id = draft->session_id};
    bf_status status = bf_store_read(store, look_up, &look, err);
    if (status != BF_OK)
        return status;
    draft->wrapped_size = BF_VAULT_WRAPPED_SIZE;
    draft->new_key = !look.key_found;
    if (look.key_found) {
        memcpy(draft->wrapped, look.wrapped, BF_VAULT_WRAPPED_SIZE);
        memcpy(draft->master_id, look.master_id, sizeof draft->master_id);
        return bf_vault_unwrap(vault->master, draft->session_id, look.wrapped, sizeof look.wrapped, ret, err);
    }
    randombytes_buf(ret, BF_VAULT_KEY_SIZE);
    bf_vault_wrap(vault->master, draft->session_id, ret, draft->wrapped);
    memcpy(draft->master_id, vault->master->id, sizeof draft->master_id);
    return BF_OK;
}

static bf_status fail_store(bf_error *err, const char *what)
{
    int saved = errno;
    bf_fail(err, BF_STORE_UNAVAILABLE, "The media could not be stored.");
    bf_fail_detail(err, "%s: %s.", what, strerror(saved));
    return BF_STORE_UNAVAILABLE;
}

/* Makes what was done in a folder of the vault last. */
static bool sync_folder(int dir, const char *folder)
{
    BF_CLEANUP(bf_vault_close_fd) int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

/* Makes a file under a random name. */
static bf_status create_file(const bf_vault *vault, char ret_file[BF_VAULT_FILE_SIZE], int *ret_fd, bf_error *err)
{
    uint8_t chance[16];
    char hex[33], folder[3], file[BF_VAULT_FILE_SIZE];
    randombytes_buf(chance, sizeof chance);
    (void)sodium_bin2hex(hex, sizeof hex, chance, sizeof chance);
    (void)snprintf(folder, sizeof folder, "%.2s", hex);
    (void)snprintf(file, sizeof file, "%s/%s", folder, hex);
    if (mkdirat(vault->dir, folder, 0700) == 0) {
        if (fsync(vault->dir) != 0)
            return fail_store(err, "Syncing the vault");
    } else if (errno != EEXIST) {
        return fail_store(err, "Making a folder of the vault");
    }
    int fd = openat(vault->dir, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_store(err, "Making a file of the vault");
    memcpy(ret_file, file, sizeof file);
    *ret_fd = fd;
    return BF_OK;
}

static bf_status write_file(const bf_vault *vault, bf_vault_draft *draft, const uint8_t key[BF_VAULT_KEY_SIZE],
                            const void *data, size_t size, bf_error *err)
{
    int fd = -1;
    char file[BF_VAULT_FILE_SIZE];
    bf_status status = create_file(vault, file, &fd, err);
    if (status != BF_OK)
        return status;
    bf_vault_label label = {draft->session_id, draft->name};
    status = bf_vault_file_write(fd, key, &label, data, size, err);
    if (status == BF_OK && fsync(fd) != 0)
        status = fail_store(err, "Syncing a file of the vault");
    /* Closing is where some file systems report a full disk. */
    if (close(fd) != 0 && status == BF_OK)
        status = fail_store(err, "Closing a file of the vault");
    char folder[3] = {file[0], file[1], 0};
    if (status == BF_OK && !sync_folder(vault->dir, folder))
        status = fail_store(err, "Syncing a folder of the vault");
    if (status != BF_OK) {
        (void)bf_vault_unlink(vault, file);
        return status;
    }
    (void)snprintf(draft->file, sizeof draft->file, "%s", file);
    return BF_OK;
}

bf_status bf_vault_write(bf_vault *vault, bf_store *store, const char *session_id, const char *name, const void *data,
                         size_t size, bf_vault_draft *ret, bf_error *err)
{
    bf_vault_draft draft = {.bytes = (int64_t)size};
    if (strlen(session_id) >= sizeof draft.session_id || strlen(name) >= sizeof draft.name || !*session_id || !*name)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A name in the vault has 1 to 63 characters.");
    if (size > BF_VAULT_OBJECT_MAX)
        return bf_fail(err, BF_BODY_TOO_LARGE, "An object in the vault has at most %u bytes.", BF_VAULT_OBJECT_MAX);
    (void)snprintf(draft.session_id, sizeof draft.session_id, "%s", session_id);
    (void)snprintf(draft.name, sizeof draft.name, "%s", name);
    bf_sha256_hex(size > 0 ? data : "", size, draft.sha256);
    uint8_t key[BF_VAULT_KEY_SIZE];
    bf_status status = find_key(vault, store, &draft, key, err);
    if (status == BF_OK)
        status = write_file(vault, &draft, key, data, size, err);
    sodium_memzero(key, sizeof key);
    if (status == BF_OK)
        *ret = draft;
    return status;
}

void bf_vault_drop(bf_vault *vault, const bf_vault_draft *draft)
{
    if (draft->file[0])
        (void)bf_vault_unlink(vault, draft->file);
}

static bf_status keep_key(bf_db *db, const bf_vault_draft *draft, int64_t now_ms, bf_error *err)
{
    lookup look = {.session_id = draft->session_id};
    bf_status status = read_key_row(db, &look, err);
    if (status != BF_OK)
        return status;
    if (!look.key_found && draft->new_key)
        return bf_db_run(db, "INSERT INTO vault_key(session_id, wrapped, master_id, created_ms) VALUES($1, $2, $3, $4)",
                         BF_VALUES(bf_value_text(draft->session_id), bf_value_blob(draft->wrapped, draft->wrapped_size),
                                   bf_value_text(draft->master_id), bf_value_integer(now_ms)),
                         NULL, err);
    /* The same bytes are the same key: each wrapping has a nonce of its own. */
    if (look.key_found && draft->wrapped_size == sizeof look.wrapped &&
        memcmp(look.wrapped, draft->wrapped, sizeof look.wrapped) == 0)
        return BF_OK;
    bf_fail(err, BF_STORE_UNAVAILABLE, "The media could not be stored.");
    bf_fail_detail(err, "The key of session %s changed while its media was being written.", draft->session_id);
    return BF_STORE_UNAVAILABLE;
}

/* Moves objects of a session to the list of files that are to be deleted; all, when `name` is NULL. */
static bf_status forget_objects(bf_db *db, const char *session_id, const char *name, bf_error *err)
{
    const bf_value both[] = {bf_value_text(session_id), bf_value_text(name)};
    bf_status status = bf_db_run(db,
                                 name ? "INSERT INTO vault_trash(file, session_id) SELECT file, session_id"
                                        " FROM vault_object WHERE session_id = $1 AND name = $2"
                                        " ON CONFLICT(file) DO NOTHING"
                                      : "INSERT INTO vault_trash(file, session_id) SELECT file, session_id"
                                        " FROM vault_object WHERE session_id = $1 ON CONFLICT(file) DO NOTHING",
                                 both, name ? 2 : 1, NULL, err);
    if (status != BF_OK)
        return status;
    return bf_db_run(db,
                     name ? "DELETE FROM vault_object WHERE session_id = $1 AND name = $2"
                          : "DELETE FROM vault_object WHERE session_id = $1",
                     both, name ? 2 : 1, NULL, err);
}

bf_status bf_vault_keep(bf_db *db, const bf_vault_draft *draft, int64_t now_ms, int64_t delete_after_ms, bf_error *err)
{
    bf_status status = keep_key(db, draft, now_ms, err);
    if (status == BF_OK)
        status = forget_objects(db, draft->session_id, draft->name, err);
    if (status != BF_OK)
        return status;
    bf_value due = delete_after_ms > 0 ? bf_value_integer(delete_after_ms) : bf_value_text(NULL);
    return bf_db_run(db,
                     "INSERT INTO vault_object(session_id, name, file, bytes, sha256, stored_ms, delete_after_ms)"
                     " VALUES($1, $2, $3, $4, $5, $6, $7)",
                     BF_VALUES(bf_value_text(draft->session_id), bf_value_text(draft->name), bf_value_text(draft->file),
                               bf_value_integer(draft->bytes), bf_value_text(draft->sha256), bf_value_integer(now_ms),
                               due),
                     NULL, err);
}

bf_status bf_vault_forget(bf_db *db, const char *session_id, const char *name, bf_error *err)
{
    bf_status status = forget_objects(db, session_id, name, err);
    if (status != BF_OK)
        return status;
    return bf_db_run(db,
                     "DELETE FROM vault_key WHERE session_id = $1"
                     " AND NOT EXISTS(SELECT 1 FROM vault_object WHERE vault_object.session_id = vault_key.session_id)",
                     BF_VALUES(bf_value_text(session_id)), NULL, err);
}

bf_status bf_vault_erase(bf_db *db, const char *session_id, bf_error *err)
{
    bf_status status =
        bf_db_run(db, "DELETE FROM vault_key WHERE session_id = $1", BF_VALUES(bf_value_text(session_id)), NULL, err);
    return status == BF_OK ? forget_objects(db, session_id, NULL, err) : status;
}

static bf_status open_file(const bf_vault *vault, const char *file, int *ret, bf_error *err)
{
    if (!bf_vault_file_ok(file))
        return bf_fail(err, BF_VAULT_LOCKED, "The stored media has a name that is not the vault's.");
    int fd = openat(vault->dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        *ret = fd;
        return BF_OK;
    }
    int saved = errno;
    bf_fail(err, BF_STORE_UNAVAILABLE, "The stored media could not be read.");
    bf_fail_detail(err, "The vault's file %s: %s.", file, strerror(saved));
    return BF_STORE_UNAVAILABLE;
}

static bf_status read_object(const bf_vault *vault, const lookup *look, size_t size_max, bf_region *ret, bf_error *err)
{
    uint8_t key[BF_VAULT_KEY_SIZE];
    BF_CLEANUP(bf_vault_close_fd) int fd = -1;
    bf_status status = bf_vault_unwrap(vault->master, look->session_id, look->wrapped, sizeof look->wrapped, key, err);
    if (status != BF_OK)
        return status;
    bf_region region = BF_REGION_NONE;
    bf_vault_label label = {look->session_id, look->name};
    status = open_file(vault, look->file, &fd, err);
    if (status == BF_OK)
        status = bf_vault_file_read(fd, key, &label, size_max, &region, err);
    sodium_memzero(key, sizeof key);
    if (status != BF_OK)
        return status;
    /* An older file of the same session and name is well formed too; only the store's hash tells which one was kept. */
    char sha256[BF_SHA256_HEX_SIZE];
    bf_sha256_hex(region.size > 0 ? region.data : (const uint8_t *)"", region.size, sha256);
    if ((int64_t)region.size != look->bytes || strcmp(sha256, look->sha256) != 0) {
        bf_region_done(&region);
        return bf_fail(err, BF_VAULT_LOCKED, "The stored media is not what was stored.");
    }
    *ret = region;
    return BF_OK;
}

static bf_status fail_missing(const lookup *look, bf_error *err)
{
    if (look->erased)
        return bf_fail(err, BF_ERASED, "The media was erased.");
    return bf_fail(err, BF_NOT_FOUND, "There is no such media.");
}

bf_status bf_vault_read(bf_vault *vault, bf_store *store, const char *session_id, const char *name, size_t size_max,
                        bf_region *ret, bf_error *err)
{
    lookup look = {.session_id = session_id, .name = name};
    bf_status status = bf_store_read(store, look_up, &look, err);
    if (status != BF_OK)
        return status;
    if (!look.object_found)
        return fail_missing(&look, err);
    if (!look.key_found)
        return bf_fail(err, BF_VAULT_LOCKED, "The stored media has lost its key.");
    status = read_object(vault, &look, size_max, ret, err);
    if (status != BF_STORE_UNAVAILABLE)
        return status;
    /* It may have been erased between the look into the store and the opening of the file. */
    bf_error again = {0};
    if (bf_store_read(store, look_up, &look, &again) == BF_OK && !look.object_found)
        return fail_missing(&look, err);
    return status;
}

bf_status bf_vault_list(bf_db *db, const char *session_id, bf_rows **ret, bf_error *err)
{
    return bf_db_query(db,
                       "SELECT name, bytes, stored_ms, delete_after_ms FROM vault_object WHERE session_id = $1"
                       " ORDER BY name",
                       BF_VALUES(bf_value_text(session_id)), ret, err);
}
