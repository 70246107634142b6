/* Deleting: what retention ended, the files of what was forgotten, and files that belong to nobody. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "vault/parts.h"

#define DUE_MAX 1000    /* objects forgotten in one transaction */
#define ROUNDS_MAX 10   /* such transactions in one sweep */
#define FILES_MAX 20000 /* files looked at in one sweep for those of nobody */

typedef struct retention {
    int64_t now_ms;
    int64_t due; /* objects found or forgotten */
} retention;

static bf_status count_due(bf_db *db, void *context, bf_error *err)
{
    retention *what = context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT 1 FROM vault_object WHERE delete_after_ms <= $1 LIMIT 1",
                                   BF_VALUES(bf_value_integer(what->now_ms)), &rows, err);
    what->due = status == BF_OK ? (int64_t)bf_rows_count(rows) : 0;
    bf_rows_free(&rows);
    return status;
}

static bf_status forget_due(bf_db *db, void *context, bf_error *err)
{
    retention *what = context;
    what->due = 0;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT session_id, name FROM vault_object WHERE delete_after_ms <= $1 LIMIT $2",
                                   BF_VALUES(bf_value_integer(what->now_ms), bf_value_integer(DUE_MAX)), &rows, err);
    while (status == BF_OK && bf_rows_next(rows)) {
        status = bf_vault_forget(db, bf_rows_text(rows, 0), bf_rows_text(rows, 1), err);
        what->due++;
    }
    bf_rows_free(&rows);
    return status;
}

/* Reading first keeps a sweep that has nothing to do from writing. */
static bf_status end_retention(bf_store *store, int64_t now_ms, int64_t *ret_forgotten, bf_error *err)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        retention what = {.now_ms = now_ms};
        bf_status status = bf_store_read(store, count_due, &what, err);
        if (status != BF_OK || what.due == 0)
            return status;
        status = bf_store_write(store, forget_due, &what, err);
        if (status != BF_OK)
            return status;
        *ret_forgotten += what.due;
    }
    return BF_OK;
}

/* Files that are to be deleted. */
typedef struct trash {
    const char *session_id; /* NULL: of any session */
    int count;
    char file[DUE_MAX][BF_VAULT_FILE_SIZE];
    bool gone[DUE_MAX];
} trash;

static bf_status list_trash(bf_db *db, void *context, bf_error *err)
{
    trash *list = context;
    const bf_value of_session[] = {bf_value_text(list->session_id), bf_value_integer(DUE_MAX)};
    bf_rows *rows = NULL;
    bf_status status =
        list->session_id
            ? bf_db_query(db, "SELECT file FROM vault_trash WHERE session_id = $1 LIMIT $2", of_session, 2, &rows, err)
            : bf_db_query(db, "SELECT file FROM vault_trash LIMIT $1", of_session + 1, 1, &rows, err);
    list->count = 0;
    while (status == BF_OK && list->count < DUE_MAX && bf_rows_next(rows)) {
        const char *file = bf_rows_text(rows, 0);
        (void)snprintf(list->file[list->count++], BF_VAULT_FILE_SIZE, "%s", file ? file : "");
    }
    bf_rows_free(&rows);
    return status;
}

static bf_status forget_trash(bf_db *db, void *context, bf_error *err)
{
    const trash *list = context;
    bf_status status = BF_OK;
    for (int i = 0; i < list->count && status == BF_OK; i++) {
        if (list->gone[i])
            status = bf_db_run(db, "DELETE FROM vault_trash WHERE file = $1", BF_VALUES(bf_value_text(list->file[i])),
                               NULL, err);
    }
    return status;
}

/* Deletes files that were forgotten; a crash before their rows are deleted only lets it be done again. */
static bf_status empty_trash(const bf_vault *vault, bf_store *store, const char *session_id, bf_error *err)
{
    trash *list = bf_calloc(1, sizeof *list);
    if (!list)
        return bf_fail_memory(err);
    list->session_id = session_id;
    bf_status status = BF_OK;
    for (int round = 0; round < ROUNDS_MAX && status == BF_OK; round++) {
        int gone = 0;
        status = bf_store_read(store, list_trash, list, err);
        for (int i = 0; status == BF_OK && i < list->count; i++) {
            list->gone[i] = bf_vault_unlink(vault, list->file[i]);
            gone += list->gone[i];
        }
        if (status != BF_OK || gone == 0)
            break;
        status = bf_store_write(store, forget_trash, list, err);
        if (list->count < DUE_MAX)
            break;
    }
    bf_free(list);
    return status;
}

/* Old files of one folder, and which of them the store names. */
typedef struct folder {
    int count;
    char file[DUE_MAX][BF_VAULT_FILE_SIZE];
    bool named[DUE_MAX];
} folder;

static bf_status ask_names(bf_db *db, void *context, bf_error *err)
{
    folder *files = context;
    for (int i = 0; i < files->count; i++) {
        bf_rows *rows = NULL;
        bf_status status = bf_db_query(db,
                                       "SELECT 1 FROM vault_object WHERE file = $1"
                                       " UNION ALL SELECT 1 FROM vault_trash WHERE file = $1",
                                       BF_VALUES(bf_value_text(files->file[i])), &rows, err);
        if (status != BF_OK)
            return status;
        files->named[i] = bf_rows_count(rows) > 0;
        bf_rows_free(&rows);
    }
    return BF_OK;
}

/* What time it is for the file system, in ms since 1970; 0 when that cannot be told. Files are dated by its clock,
 * which need not be ours: it may be another machine's, and ours may just have been set. */
static int64_t file_time_ms(const bf_vault *vault)
{
    struct stat info;
    BF_CLEANUP(bf_vault_close_fd)
    int fd = openat(vault->dir, "clock", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || futimens(fd, NULL) != 0 || fstat(fd, &info) != 0)
        return 0;
    return (int64_t)info.st_mtim.tv_sec * 1000;
}

static bool is_old(int dir, const char *name, int64_t now_ms)
{
    struct stat info;
    if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
        return false;
    return (int64_t)info.st_mtim.tv_sec * 1000 < now_ms - BF_VAULT_OLD_MS;
}

static void list_old(DIR *dir, const char *folder_name, int64_t now_ms, folder *files, int *looked_at)
{
    files->count = 0;
    const struct dirent *entry;
    while (files->count < DUE_MAX && (entry = readdir(dir)) != NULL) {
        char file[BF_VAULT_FILE_SIZE];
        int length = snprintf(file, sizeof file, "%s/%s", folder_name, entry->d_name);
        if (length != BF_VAULT_FILE_SIZE - 1 || !bf_vault_file_ok(file))
            continue;
        (*looked_at)++;
        if (is_old(dirfd(dir), entry->d_name, now_ms))
            memcpy(files->file[files->count++], file, sizeof file);
    }
}

static bf_status sweep_folder(const bf_vault *vault, bf_store *store, int number, int64_t now_ms, folder *files,
                              int *looked_at, bf_error *err)
{
    char name[3];
    (void)snprintf(name, sizeof name, "%02x", (unsigned)number % BF_VAULT_FOLDERS);
    int fd = openat(vault->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        bf_vault_close_fd(&fd);
        return BF_OK; /* most folders of a small vault are not there */
    }
    bf_status status = BF_OK;
    do {
        list_old(dir, name, now_ms, files, looked_at);
        if (files->count > 0)
            status = bf_store_read(store, ask_names, files, err);
        for (int i = 0; status == BF_OK && i < files->count; i++) {
            if (!files->named[i])
                (void)bf_vault_unlink(vault, files->file[i]);
        }
    } while (status == BF_OK && files->count == DUE_MAX);
    (void)closedir(dir);
    return status;
}

/* Goes on where the last sweep stopped, so that a large vault is gone through in several. */
static bf_status sweep_orphans(bf_vault *vault, bf_store *store, bf_error *err)
{
    int64_t now_ms = file_time_ms(vault);
    folder *files = bf_malloc(sizeof *files);
    if (!files)
        return bf_fail_memory(err);
    bf_status status = BF_OK;
    int looked_at = 0;
    (void)pthread_mutex_lock(&vault->lock);
    for (int i = 0; i < BF_VAULT_FOLDERS && looked_at < FILES_MAX && status == BF_OK; i++) {
        status = sweep_folder(vault, store, vault->next_folder, now_ms, files, &looked_at, err);
        vault->next_folder = (vault->next_folder + 1) % BF_VAULT_FOLDERS;
    }
    (void)pthread_mutex_unlock(&vault->lock);
    bf_free(files);
    return status;
}

bf_status bf_vault_sweep(bf_vault *vault, bf_store *store, int64_t now_ms, int64_t *ret_forgotten, bf_error *err)
{
    int64_t forgotten = 0;
    bf_status status = end_retention(store, now_ms, &forgotten, err);
    if (status == BF_OK)
        status = empty_trash(vault, store, NULL, err);
    if (status == BF_OK)
        status = sweep_orphans(vault, store, err);
    if (status == BF_OK && ret_forgotten)
        *ret_forgotten = forgotten;
    return status;
}

void bf_vault_sweep_session(bf_vault *vault, bf_store *store, const char *session_id)
{
    (void)empty_trash(vault, store, session_id, NULL);
}
