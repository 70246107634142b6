#include "vault_test.h"

static void test_replacing_an_object(void **state)
{
    (void)state;
    bf_vault_draft old = put("s1", "reference", "old", 0);
    (void)put("s1", "reference", "new", 0);
    assert_int_equal(get("s1", "reference", "new"), BF_OK);
    assert_int_equal(count_files(), 2);
    assert_int_equal(sweep(NOW), 0);
    assert_int_equal(count_files(), 1);
    char path[600];
    path_of(&old, path);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_erased_while_a_draft_was_written(void **state)
{
    (void)state;
    (void)put("s1", "a", "one", 0);
    bf_vault_draft draft;
    assert_int_equal(bf_vault_write(vault, store, "s1", "b", "two", 3, &draft, NULL), BF_OK);
    erase("s1");
    assert_int_equal(keep(&draft, 0), BF_STORE_UNAVAILABLE);
    bf_vault_drop(vault, &draft);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_object"), 0);
}

static void test_erasing(void **state)
{
    (void)state;
    (void)put("s1", "a", "one", 0);
    (void)put("s1", "b", "two", 0);
    (void)put("s2", "a", "other", 0);
    run("INSERT INTO session(id, client, key_id, created_ms, expires_ms, ends_ms, state, flow, channel, mode, retain,"
        " nonce, plan, attempt, claimed_until_ms, quality_retries, uncertain_retries, replays, erased_ms)"
        " VALUES('s1', 'c', 'k', 0, 0, 0, 'COMPLETED', 'f', '', 'passive', 'none', '', '', 0, 0, 0, 0, 0, 7)");
    erase("s1");
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_key WHERE session_id = 's1'"), 0);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_object WHERE session_id = 's1'"), 0);
    assert_int_equal(get("s1", "a", ""), BF_ERASED);
    (void)put("s3", "a", "third", 0);
    erase("s3");
    assert_int_equal(count_files(), 4);
    bf_vault_sweep_session(vault, store, "s1");
    assert_int_equal(count_files(), 2);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_trash"), 1);
    bf_vault_sweep_session(vault, store, "s3");
    assert_int_equal(count_files(), 1);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_trash"), 0);
    assert_int_equal(get("s2", "a", "other"), BF_OK);
    erase("s1");
    assert_int_equal(get("s1", "a", ""), BF_ERASED);
}

static void test_retention(void **state)
{
    (void)state;
    (void)put("s1", "a", "short", NOW + 10);
    (void)put("s1", "b", "long", NOW + 1000);
    (void)put("s2", "a", "short", NOW + 10);
    (void)put("s3", "a", "for ever", 0);
    assert_int_equal(sweep(NOW + 9), 0);
    assert_int_equal(count_files(), 4);
    assert_int_equal(sweep(NOW + 10), 2);
    assert_int_equal(count_files(), 2);
    assert_int_equal(get("s1", "a", ""), BF_NOT_FOUND);
    assert_int_equal(get("s1", "b", "long"), BF_OK);
    /* Without objects a key is of no use but to whoever finds an old copy of the file. */
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_key WHERE session_id = 's2'"), 0);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_key WHERE session_id = 's1'"), 1);
    assert_int_equal(sweep(NOW + 1000 * 365 * 24 * HOUR), 1);
    assert_int_equal(get("s3", "a", "for ever"), BF_OK);
}

static bf_status do_forget(bf_db *db, void *context, bf_error *err)
{
    return bf_vault_forget(db, context, "reference", err);
}

static void test_forgetting_one_object(void **state)
{
    (void)state;
    static char session[] = "s1";
    (void)put("s1", "reference", "portrait", 0);
    (void)put("s1", "attempt-1", "capture", 0);
    assert_int_equal(bf_store_write(store, do_forget, session, NULL), BF_OK);
    assert_int_equal(get("s1", "reference", ""), BF_NOT_FOUND);
    assert_int_equal(get("s1", "attempt-1", "capture"), BF_OK);
    bf_vault_sweep_session(vault, store, "s1");
    assert_int_equal(count_files(), 1);
    assert_int_equal(bf_store_write(store, do_forget, session, NULL), BF_OK);
}

static void test_files_of_nobody(void **state)
{
    (void)state;
    bf_vault_draft kept = put("s1", "a", "kept", 0), draft;
    assert_int_equal(bf_vault_write(vault, store, "s1", "b", "lost", 4, &draft, NULL), BF_OK);
    grow_old(&kept, bf_time_now_ms() - HOUR - 5000);
    grow_old(&draft, bf_time_now_ms() - HOUR + 5000);
    (void)sweep(NOW);
    assert_int_equal(count_files(), 2);
    /* What a clock of ours that was set forward says does not count: a draft may be under way. */
    (void)sweep(bf_time_now_ms() + 100 * HOUR);
    assert_int_equal(count_files(), 2);
    grow_old(&draft, bf_time_now_ms() - HOUR - 5000);
    (void)sweep(NOW);
    assert_int_equal(count_files(), 1);
    assert_int_equal(get("s1", "a", "kept"), BF_OK);
}

static void test_other_files_stay(void **state)
{
    (void)state;
    bf_vault_draft draft = put("s1", "a", "kept", 0);
    char path[600];
    path_of(&draft, path);
    (void)snprintf(strrchr(path, '/'), 20, "/README");
    assert_int_equal(bf_bytes_write_file(path, "x", 1, NULL), BF_OK);
    run("INSERT INTO vault_trash(file, session_id) VALUES('../store.db', 's1'), ('/etc/passwd', 's1'), ('', 's1')");
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    grow_old(&draft, 1000000);
    (void)sweep(NOW);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_trash"), 0);
    assert_int_equal(get("s1", "a", "kept"), BF_OK);
    /* Not even the very file, under a name that leads out of the folder. */
    char inside[600], outside[600];
    path_of(&draft, inside);
    (void)snprintf(outside, sizeof outside, "%s/moved", folder);
    assert_int_equal(rename(inside, outside), 0);
    run("UPDATE vault_object SET file = '../moved'");
    assert_int_equal(get("s1", "a", "kept"), BF_VAULT_LOCKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_replacing_an_object),
        CASE(test_erased_while_a_draft_was_written),
        CASE(test_erasing),
        CASE(test_retention),
        CASE(test_forgetting_one_object),
        CASE(test_files_of_nobody),
        CASE(test_other_files_stay),
    };
    return cmocka_run_group_tests_name("vault_sweep", tests, NULL, NULL);
}
