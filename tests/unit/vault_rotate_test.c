#include "vault_test.h"

#define SESSIONS 2100
#define API_KEYS 3

static bf_master next;

static int set_up_next(void **state)
{
    assert_int_equal(set_up(state), 0);
    return bf_master_random(&next, NULL) != BF_OK;
}

/* Sessions with keys and no media, and API keys with signing secrets, as if they had been there for a while. */
static bf_status do_fill(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    bf_status status = BF_OK;
    for (int i = 0; i < SESSIONS && status == BF_OK; i++) {
        char id[32];
        uint8_t key[BF_VAULT_KEY_SIZE] = {(uint8_t)i, (uint8_t)(i >> 8)}, wrapped[BF_VAULT_WRAPPED_SIZE];
        (void)snprintf(id, sizeof id, "filled-%d", i);
        bf_vault_wrap(&master, id, key, wrapped);
        status = bf_db_run(
            db, "INSERT INTO vault_key(session_id, wrapped, master_id, created_ms) VALUES($1, $2, $3, 0)",
            BF_VALUES(bf_value_text(id), bf_value_blob(wrapped, sizeof wrapped), bf_value_text(master.id)), NULL, err);
    }
    for (int i = 0; i < API_KEYS && status == BF_OK; i++) {
        char id[32];
        uint8_t secret[BF_SECRET_SIZE] = {(uint8_t)i}, sealed[BF_SEALED_SIZE(BF_SECRET_SIZE)];
        (void)snprintf(id, sizeof id, "key-%d", i);
        bf_master_seal(&master, secret, sizeof secret, sealed);
        status = bf_db_run(db,
                           "INSERT INTO api_key(id, client, role, label, secret_hash, signing_secret, must_sign,"
                           " created_ms) VALUES($1, 'c', 'integrator', '', '', $2, 0, 0)",
                           BF_VALUES(bf_value_text(id), bf_value_blob(sealed, sizeof sealed)), NULL, err);
    }
    return status;
}

static void fill(void)
{
    assert_int_equal(bf_store_write(store, do_fill, NULL, NULL), BF_OK);
}

/* How many of them `with` opens, each to what it was. */
typedef struct opened {
    const bf_master *with;
    int sessions, api_keys;
} opened;

static bf_status do_open(bf_db *db, void *context, bf_error *err)
{
    opened *what = context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT session_id, wrapped FROM vault_key WHERE session_id LIKE 'filled-%'",
                                   BF_NO_VALUES, &rows, err);
    while (status == BF_OK && bf_rows_next(rows)) {
        const char *id = bf_rows_text(rows, 0);
        size_t size = 0;
        const void *wrapped = bf_rows_blob(rows, 1, &size);
        uint8_t key[BF_VAULT_KEY_SIZE];
        int number = (int)strtol(id + strlen("filled-"), NULL, 10);
        if (bf_vault_unwrap(what->with, id, wrapped, size, key, NULL) == BF_OK)
            what->sessions += key[0] == (uint8_t)number && key[1] == (uint8_t)(number >> 8);
    }
    bf_rows_free(&rows);
    if (status == BF_OK)
        status = bf_db_query(db, "SELECT id, signing_secret FROM api_key", BF_NO_VALUES, &rows, err);
    while (status == BF_OK && bf_rows_next(rows)) {
        size_t size = 0;
        const void *sealed = bf_rows_blob(rows, 1, &size);
        uint8_t secret[BF_SECRET_SIZE];
        if (size == BF_SEALED_SIZE(sizeof secret) && bf_master_open(what->with, sealed, size, secret, NULL) == BF_OK)
            what->api_keys += secret[0] == bf_rows_text(rows, 0)[4] - '0';
    }
    bf_rows_free(&rows);
    return status;
}

static opened open_with(const bf_master *with)
{
    opened what = {.with = with};
    assert_int_equal(bf_store_read(store, do_open, &what, NULL), BF_OK);
    return what;
}

static void test_rotation(void **state)
{
    (void)state;
    fill();
    (void)put("s1", "a", "one", 0);
    bf_vault_rotation done = {0};
    assert_int_equal(bf_vault_rotate(store, &master, &next, "uid:0", &done, NULL), BF_OK);
    assert_int_equal(done.session_keys, SESSIONS + 1);
    assert_int_equal(done.api_keys, API_KEYS);
    assert_int_equal(done.unreadable, 0);
    opened new = open_with(&next), old = open_with(&master);
    assert_int_equal(new.sessions, SESSIONS);
    assert_int_equal(new.api_keys, API_KEYS);
    assert_int_equal(old.sessions + old.api_keys, 0);
    assert_int_equal(bf_vault_check(store, &next, NULL), BF_OK);
    assert_int_equal(bf_vault_check(store, &master, NULL), BF_VAULT_LOCKED);

    /* The files were not touched, and are read by whoever has the new key. */
    assert_int_equal(get("s1", "a", ""), BF_VAULT_LOCKED);
    bf_vault *moved = NULL;
    assert_int_equal(bf_vault_open(vault_dir, &next, &moved, NULL), BF_OK);
    assert_int_equal(read_with(moved, "s1", "a", "one"), BF_OK);
    bf_vault_close(&moved);

    /* One leaf for each transaction that changed something, and one for the end. */
    assert_int_equal(number_of("SELECT COUNT(*) FROM audit_leaf WHERE kind = 'vault_rotated'"), 3 + 1 + 1);
    assert_int_equal(number_of("SELECT COUNT(*) FROM audit_leaf WHERE data LIKE '%\"uid:0\"%'"), 5);
}

static void test_repeating_changes_nothing(void **state)
{
    (void)state;
    fill();
    bf_vault_rotation done = {0};
    assert_int_equal(bf_vault_rotate(store, &master, &next, "uid:0", &done, NULL), BF_OK);
    assert_int_equal(bf_vault_rotate(store, &master, &next, "uid:0", &done, NULL), BF_OK);
    assert_int_equal(done.session_keys + done.api_keys + done.unreadable, 0);
    assert_int_equal(open_with(&next).sessions, SESSIONS);
}

static int commits_left;

/* Signs as usual, until no commits are left. */
static bf_status fail_later(bf_db *db, void *context, bf_error *err)
{
    if (commits_left-- <= 0)
        return BF_STORE_UNAVAILABLE;
    return bf_audit_seal(db, context, err);
}

/* Each run gets one commit further than the one before. */
static void test_interrupted_at_every_commit(void **state)
{
    (void)state;
    bf_store_before_commit(store, fail_later, &log_key);
    commits_left = 1;
    fill();
    bf_vault_rotation done = {0};
    bf_status status = BF_STORE_UNAVAILABLE;
    for (int runs = 0; status != BF_OK && runs < 10; runs++) {
        commits_left = runs + 1;
        status = bf_vault_rotate(store, &master, &next, "uid:0", &done, NULL);
        opened new = open_with(&next), old = open_with(&master);
        assert_int_equal(new.sessions + old.sessions, SESSIONS);
        assert_int_equal(new.api_keys + old.api_keys, API_KEYS);
        if (runs == 0) {
            assert_int_equal(status, BF_STORE_UNAVAILABLE);
            assert_int_equal(new.sessions, 1000);
            /* Neither key is right now, and both say so. */
            assert_int_equal(bf_vault_check(store, &master, NULL), BF_VAULT_LOCKED);
            assert_int_equal(bf_vault_check(store, &next, NULL), BF_VAULT_LOCKED);
        }
    }
    assert_int_equal(status, BF_OK);
    assert_int_equal(open_with(&next).sessions, SESSIONS);
    assert_int_equal(open_with(&next).api_keys, API_KEYS);
}

static void test_what_nobody_can_open_stays(void **state)
{
    (void)state;
    fill();
    run("UPDATE vault_key SET wrapped = x'00' WHERE session_id = 'filled-7'");
    run("UPDATE vault_key SET wrapped = (SELECT wrapped FROM vault_key WHERE session_id = 'filled-9')"
        " WHERE session_id = 'filled-8'");
    run("UPDATE api_key SET signing_secret = x'0011' WHERE id = 'key-1'");
    bf_vault_rotation done = {0};
    bf_error err = {0};
    assert_int_equal(bf_vault_rotate(store, &master, &next, "uid:0", &done, &err), BF_VAULT_LOCKED);
    assert_int_equal(done.unreadable, 3);
    assert_int_equal(done.session_keys, SESSIONS - 2);
    assert_int_equal(done.api_keys, API_KEYS - 1);
    assert_int_equal(open_with(&next).sessions, SESSIONS - 2);
    assert_int_equal(number_of("SELECT COUNT(*) FROM vault_key WHERE wrapped = x'00'"), 1);
}

static void test_the_same_key(void **state)
{
    (void)state;
    bf_vault_rotation done = {0};
    assert_int_equal(bf_vault_rotate(store, &master, &master, "uid:0", &done, NULL), BF_INVALID_ARGUMENT);
}

/* A server that still has the old key, against all advice, while the keys change under it. */
static void test_a_draft_across_a_rotation(void **state)
{
    (void)state;
    (void)put("s1", "a", "one", 0);
    bf_vault_draft draft;
    assert_int_equal(bf_vault_write(vault, store, "s1", "b", "two", 3, &draft, NULL), BF_OK);
    bf_vault_rotation done = {0};
    assert_int_equal(bf_vault_rotate(store, &master, &next, "uid:0", &done, NULL), BF_OK);
    assert_int_equal(keep(&draft, 0), BF_STORE_UNAVAILABLE);
    bf_vault_drop(vault, &draft);
    assert_int_equal(bf_vault_write(vault, store, "s1", "b", "two", 3, &draft, NULL), BF_VAULT_LOCKED);
}

#define ROTATION(test) cmocka_unit_test_setup_teardown(test, set_up_next, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROTATION(test_rotation),
        ROTATION(test_repeating_changes_nothing),
        ROTATION(test_interrupted_at_every_commit),
        ROTATION(test_what_nobody_can_open_stays),
        ROTATION(test_the_same_key),
        ROTATION(test_a_draft_across_a_rotation),
    };
    return cmocka_run_group_tests_name("vault_rotate", tests, NULL, NULL);
}
