#include "vault_test.h"

static void test_keep_and_read(void **state)
{
    (void)state;
    (void)put("s1", "reference", "portrait", 0);
    (void)put("s1", "attempt-1", "capture", 0);
    (void)put("s2", "reference", "another", 0);
    assert_int_equal(get("s1", "reference", "portrait"), BF_OK);
    assert_int_equal(get("s1", "attempt-1", "capture"), BF_OK);
    assert_int_equal(get("s2", "reference", "another"), BF_OK);
    assert_int_equal(get("s1", "attempt-2", ""), BF_NOT_FOUND);
    assert_int_equal(get("s3", "reference", ""), BF_NOT_FOUND);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_key"), 2);
}

static void test_an_empty_object(void **state)
{
    (void)state;
    bf_vault_draft draft;
    assert_int_equal(bf_vault_write(vault, store, "s1", "empty", NULL, 0, &draft, NULL), BF_OK);
    assert_int_equal(keep(&draft, 0), BF_OK);
    assert_int_equal(get("s1", "empty", ""), BF_OK);
}

static void test_modes(void **state)
{
    (void)state;
    bf_vault_draft draft = put("s1", "a", "text", 0);
    char path[600];
    struct stat info;
    assert_int_equal(stat(vault_dir, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    path_of(&draft, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    path[strlen(vault_dir) + 3] = 0;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
}

static void test_names_that_are_too_long(void **state)
{
    (void)state;
    bf_vault_draft draft;
    char name[65];
    memset(name, 'x', 64);
    name[64] = 0;
    assert_int_equal(bf_vault_write(vault, store, name, "a", "x", 1, &draft, NULL), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_vault_write(vault, store, "a", name, "x", 1, &draft, NULL), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_vault_write(vault, store, "a", "", "x", 1, &draft, NULL), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_vault_write(vault, store, "a", "a", "x", BF_VAULT_OBJECT_MAX + 1, &draft, NULL),
                     BF_BODY_TOO_LARGE);
    assert_int_equal(count_files(), 0);
}

static void test_larger_than_asked_for(void **state)
{
    (void)state;
    (void)put("s1", "a", "ten bytes!", 0);
    bf_region region = BF_REGION_NONE;
    assert_int_equal(bf_vault_read(vault, store, "s1", "a", 9, &region, NULL), BF_BODY_TOO_LARGE);
    assert_null(region.data);
}

static void test_two_first_drafts(void **state)
{
    (void)state;
    bf_vault_draft one, two;
    assert_int_equal(bf_vault_write(vault, store, "s1", "a", "one", 3, &one, NULL), BF_OK);
    assert_int_equal(bf_vault_write(vault, store, "s1", "b", "two", 3, &two, NULL), BF_OK);
    assert_int_equal(keep(&one, 0), BF_OK);
    assert_int_equal(keep(&two, 0), BF_STORE_UNAVAILABLE);
    bf_vault_drop(vault, &two);
    (void)put("s1", "b", "two", 0);
    assert_int_equal(get("s1", "a", "one"), BF_OK);
    assert_int_equal(get("s1", "b", "two"), BF_OK);
    assert_int_equal(count_files(), 2);
}

/* What a crash between the file and its row leaves. */
/* The vault deletes its own files only. */
static void test_files_of_two_sessions_exchanged(void **state)
{
    (void)state;
    bf_vault_draft one = put("s1", "a", "one", 0), two = put("s2", "a", "two", 0), old = put("s3", "a", "old", 0);
    char path1[600], path2[600], path3[600], spare[600];
    path_of(&one, path1);
    path_of(&two, path2);
    (void)snprintf(spare, sizeof spare, "%s/spare", folder);
    assert_int_equal(rename(path1, spare) | rename(path2, path1) | rename(spare, path2), 0);
    assert_int_equal(get("s1", "a", ""), BF_VAULT_LOCKED);
    assert_int_equal(get("s2", "a", ""), BF_VAULT_LOCKED);
    /* And the rows instead of the files. */
    run("UPDATE vault_key SET wrapped = (SELECT wrapped FROM vault_key WHERE session_id = 's2')"
        " WHERE session_id = 's1'");
    assert_int_equal(get("s1", "a", ""), BF_VAULT_LOCKED);
    /* An older file of the same session and name. */
    bf_vault_draft new = put("s3", "a", "new", 0);
    path_of(&old, path2);
    path_of(&new, path3);
    assert_int_equal(rename(path2, path3), 0);
    assert_int_equal(get("s3", "a", ""), BF_VAULT_LOCKED);
}

static void test_a_changed_and_a_missing_file(void **state)
{
    (void)state;
    bf_vault_draft draft = put("s1", "a", "one", 0);
    char path[600];
    path_of(&draft, path);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, 40), 1);
    close(fd);
    assert_int_equal(get("s1", "a", ""), BF_VAULT_LOCKED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(get("s1", "a", ""), BF_STORE_UNAVAILABLE);
}

static void test_another_master_key(void **state)
{
    (void)state;
    (void)put("s1", "a", "one", 0);
    bf_master other;
    assert_int_equal(bf_master_random(&other, NULL), BF_OK);
    bf_vault *locked = NULL;
    assert_int_equal(bf_vault_open(vault_dir, &other, &locked, NULL), BF_OK);
    assert_int_equal(read_with(locked, "s1", "a", ""), BF_VAULT_LOCKED);
    bf_vault_draft draft;
    assert_int_equal(bf_vault_write(locked, store, "s1", "b", "x", 1, &draft, NULL), BF_VAULT_LOCKED);
    bf_vault_close(&locked);
    bf_error err = {0};
    assert_int_equal(bf_vault_check(store, &other, &err), BF_VAULT_LOCKED);
    assert_non_null(strstr(err.detail, master.id));
    assert_int_equal(bf_vault_check(store, &master, NULL), BF_OK);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    (void)put("s1", "a", "one", 0);
    bf_vault_draft draft;
    bf_region region = BF_REGION_NONE;
    for (size_t nth = 1;; nth++) {
        int files = count_files();
        (void)bf_alloc_fail_after(nth, 0);
        bf_status status = bf_vault_write(vault, store, "s1", "b", "two", 3, &draft, NULL);
        size_t made = bf_alloc_fail_after(0, 0);
        if (status == BF_OK) {
            assert_true(made < nth);
            break;
        }
        assert_true(status == BF_OUT_OF_MEMORY || status == BF_STORE_UNAVAILABLE);
        assert_int_equal(count_files(), files);
    }
    for (size_t nth = 1;; nth++) {
        (void)bf_alloc_fail_after(nth, 0);
        bf_status status = bf_vault_read(vault, store, "s1", "a", 100, &region, NULL);
        size_t made = bf_alloc_fail_after(0, 0);
        if (status == BF_OK) {
            assert_true(made < nth);
            bf_region_done(&region);
            break;
        }
        assert_true(status == BF_OUT_OF_MEMORY || status == BF_STORE_UNAVAILABLE);
        assert_null(region.data);
    }
}

/* A file that may not grow, as on a disk that is full. */
static void test_no_room(void **state)
{
    (void)state;
    static uint8_t data[200000];
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){100000, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bf_vault_draft draft;
    bf_error err = {0};
    bf_status status = bf_vault_write(vault, store, "s1", "a", data, sizeof data, &draft, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, BF_STORE_UNAVAILABLE);
    assert_non_null(strstr(err.detail, "File too large"));
    assert_int_equal(count_files(), 0);
}

/* A file system of 256 KiB. Only root may mount one; for others the case above has to do. */
static void test_disk_full(void **state)
{
    (void)state;
    if (getuid() != 0 || mount("vault", vault_dir, "tmpfs", 0, "size=256k,mode=0700") != 0)
        return;
    bf_vault *small = NULL;
    assert_int_equal(bf_vault_open(vault_dir, &master, &small, NULL), BF_OK);
    static uint8_t data[200000];
    bf_vault_draft draft;
    bf_error err = {0};
    assert_int_equal(bf_vault_write(small, store, "s1", "a", data, sizeof data, &draft, &err), BF_OK);
    int files = count_files();
    assert_int_equal(bf_vault_write(small, store, "s1", "b", data, sizeof data, &draft, &err), BF_STORE_UNAVAILABLE);
    assert_non_null(strstr(err.detail, "No space left"));
    int after = count_files();
    bf_vault_close(&small);
    assert_int_equal(umount2(vault_dir, MNT_DETACH), 0);
    assert_int_equal(after, files);
}

static void test_the_lock(void **state)
{
    (void)state;
    int lock = -1;
    bf_error err = {0};
    assert_int_equal(bf_vault_lock(vault_dir, &lock, &err), BF_STORE_UNAVAILABLE);
    bf_vault_close(&vault);
    assert_int_equal(bf_vault_lock(vault_dir, &lock, NULL), BF_OK);
    assert_int_equal(bf_vault_open(vault_dir, &master, &vault, &err), BF_STORE_UNAVAILABLE);
    bf_vault_unlock(&lock);
    assert_int_equal(bf_vault_open(vault_dir, &master, &vault, NULL), BF_OK);
    /* Replicas on one machine share it. */
    bf_vault *second = NULL;
    assert_int_equal(bf_vault_open(vault_dir, &master, &second, NULL), BF_OK);
    bf_vault_close(&second);
    bf_vault_close(&second);
}

static void test_a_folder_that_cannot_be_made(void **state)
{
    (void)state;
    bf_vault *none = NULL;
    bf_error err = {0};
    assert_int_equal(bf_vault_open("/no/such/folder/vault", &master, &none, &err), BF_IO_ERROR);
    char path[300];
    (void)snprintf(path, sizeof path, "%s/store.db", folder);
    assert_int_equal(bf_vault_open(path, &master, &none, &err), BF_IO_ERROR);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_keep_and_read),
        CASE(test_an_empty_object),
        CASE(test_modes),
        CASE(test_names_that_are_too_long),
        CASE(test_larger_than_asked_for),
        CASE(test_two_first_drafts),
        CASE(test_files_of_two_sessions_exchanged),
        CASE(test_a_changed_and_a_missing_file),
        CASE(test_another_master_key),
        CASE(test_allocation_failures),
        CASE(test_no_room),
        CASE(test_disk_full),
        CASE(test_the_lock),
        CASE(test_a_folder_that_cannot_be_made),
    };
    return cmocka_run_group_tests_name("vault", tests, NULL, NULL);
}
