/* A folder with a store and a vault in it, for the tests of the vault. */
#ifndef TEST_VAULT_TEST_H
#define TEST_VAULT_TEST_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/log.h"
#include "base/bytes.h"
#include "store/time.h"
#include "vault/parts.h"

#define NOW 1000000000000LL
#define HOUR 3600000LL

/* A folder with a store and a vault in it. */
static char folder[256], vault_dir[300], url[300];
static bf_store *store;
static bf_vault *vault;
static bf_master master;
static bf_log_key log_key;

static inline void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        char child[1024];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        assert_true(snprintf(child, sizeof child, "%s/%s", path, entry->d_name) < (int)sizeof child);
        if (entry->d_type == DT_DIR)
            remove_tree(child);
        else
            (void)unlink(child);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(path);
}

static inline int set_up(void **state)
{
    (void)state;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/vault-test-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(vault_dir, sizeof vault_dir, "%s/vault", folder);
    (void)snprintf(url, sizeof url, "sqlite:%s/store.db", folder);
    char path[300];
    (void)snprintf(path, sizeof path, "%s/audit.key", folder);
    assert_int_equal(bf_log_key_read(path, "test", true, &log_key, NULL), BF_OK);
    assert_int_equal(bf_master_random(&master, NULL), BF_OK);
    const bf_store_options options = {.url = url, .create = true};
    assert_int_equal(bf_store_open(&options, &store, NULL), BF_OK);
    bf_store_before_commit(store, bf_audit_seal, &log_key);
    assert_int_equal(bf_vault_open(vault_dir, &master, &vault, NULL), BF_OK);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    bf_vault_close(&vault);
    bf_store_free(&store);
    bf_log_key_done(&log_key);
    bf_master_done(&master);
    remove_tree(folder);
    return 0;
}

typedef struct keeping {
    const bf_vault_draft *draft;
    int64_t delete_after_ms;
} keeping;

static inline bf_status do_keep(bf_db *db, void *context, bf_error *err)
{
    const keeping *what = context;
    return bf_vault_keep(db, what->draft, NOW, what->delete_after_ms, err);
}

static inline bf_status keep(const bf_vault_draft *draft, int64_t delete_after_ms)
{
    keeping what = {draft, delete_after_ms};
    return bf_store_write(store, do_keep, &what, NULL);
}

static inline bf_vault_draft put(const char *session, const char *name, const char *text, int64_t delete_after_ms)
{
    bf_vault_draft draft;
    assert_int_equal(bf_vault_write(vault, store, session, name, text, strlen(text), &draft, NULL), BF_OK);
    assert_int_equal(keep(&draft, delete_after_ms), BF_OK);
    return draft;
}

static inline bf_status read_with(bf_vault *from, const char *session, const char *name, const char *expected)
{
    bf_region region = BF_REGION_NONE;
    bf_status status = bf_vault_read(from, store, session, name, 1000, &region, NULL);
    if (status == BF_OK) {
        assert_int_equal(region.size, strlen(expected));
        assert_memory_equal(region.data, expected, region.size);
        bf_region_done(&region);
    } else {
        assert_null(region.data);
    }
    return status;
}

static inline bf_status get(const char *session, const char *name, const char *expected)
{
    return read_with(vault, session, name, expected);
}

static inline bf_status do_run(bf_db *db, void *context, bf_error *err)
{
    const char *const *sql = context;
    return bf_db_run(db, *sql, BF_NO_VALUES, NULL, err);
}

static inline void run(const char *sql)
{
    assert_int_equal(bf_store_write(store, do_run, &sql, NULL), BF_OK);
}

typedef struct counting {
    const char *sql;
    int64_t count;
} counting;

static inline bf_status do_count(bf_db *db, void *context, bf_error *err)
{
    counting *what = context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, what->sql, BF_NO_VALUES, &rows, err);
    if (status == BF_OK && bf_rows_next(rows))
        what->count = bf_rows_integer(rows, 0);
    bf_rows_free(&rows);
    return status;
}

static inline int64_t number_of(const char *sql)
{
    counting what = {sql, -1};
    assert_int_equal(bf_store_read(store, do_count, &what, NULL), BF_OK);
    return what.count;
}

static inline bf_status do_erase(bf_db *db, void *context, bf_error *err)
{
    return bf_vault_erase(db, context, err);
}

static inline void erase(const char *session)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", session);
    assert_int_equal(bf_store_write(store, do_erase, copy, NULL), BF_OK);
}

/* Files in the vault. */
static inline int count_files(void)
{
    int count = 0;
    for (int i = 0; i < BF_VAULT_FOLDERS; i++) {
        char path[320];
        (void)snprintf(path, sizeof path, "%s/%02x", vault_dir, (unsigned)i);
        DIR *dir = opendir(path);
        const struct dirent *entry;
        while (dir && (entry = readdir(dir)) != NULL)
            count += entry->d_type == DT_REG;
        if (dir)
            (void)closedir(dir);
    }
    return count;
}

static inline void path_of(const bf_vault_draft *draft, char ret[600])
{
    (void)snprintf(ret, 600, "%s/%s", vault_dir, draft->file);
}

static inline void grow_old(const bf_vault_draft *draft, int64_t at_ms)
{
    char path[600];
    path_of(draft, path);
    const struct timespec times[2] = {{.tv_sec = at_ms / 1000}, {.tv_sec = at_ms / 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static inline int64_t sweep(int64_t now_ms)
{
    int64_t forgotten = -1;
    assert_int_equal(bf_vault_sweep(vault, store, now_ms, &forgotten, NULL), BF_OK);
    return forgotten;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
