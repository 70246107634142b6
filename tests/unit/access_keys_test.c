/* API keys over a real store: made, checked, rotated, revoked, listed; and what is kept of them. */
#include "access_store.h"

#include <sodium.h>

#include "access/key_text.h"
#include "base/bytes.h"

#define DAY 86400000LL

typedef struct call {
    access_store *place;
    bf_key_request request;
    const char *id, *header;
    int64_t now_ms, ends_ms;
    bf_new_key made;
    bf_principal who;
    uint8_t secret[BF_SECRET_SIZE];
    bf_key_facts *keys;
    size_t count;
    bf_error err;
} call;

static bf_status do_create(bf_db *db, void *context, bf_error *err)
{
    call *c = context;
    return bf_key_create(db, &c->place->master, &c->request, "uid:7", &c->made, err);
}

static bf_status do_rotate(bf_db *db, void *context, bf_error *err)
{
    call *c = context;
    return bf_key_rotate(db, &c->place->master, c->id, c->now_ms, c->ends_ms, "uid:7", &c->made, err);
}

static bf_status do_revoke(bf_db *db, void *context, bf_error *err)
{
    call *c = context;
    return bf_key_revoke(db, c->id, c->now_ms, "uid:7", err);
}

static bf_status do_authenticate(bf_db *db, void *context, bf_error *err)
{
    call *c = context;
    return bf_key_authenticate(db, c->header, c->now_ms, &c->who, err);
}

static bf_status do_secret(bf_db *db, void *context, bf_error *err)
{
    call *c = context;
    return bf_key_signing_secret(db, &c->place->master, c->id, c->secret, err);
}

static bf_status do_list(bf_db *db, void *context, bf_error *err)
{
    call *c = context;
    return bf_key_list(db, &c->keys, &c->count, err);
}

static bf_key_request a_request(void)
{
    return (bf_key_request){.client = "a_bank", .role = BF_ACCESS_INTEGRATOR, .label = "back end", .now_ms = NOW};
}

static bf_status make_key(access_store *place, const bf_key_request *request, bf_new_key *ret)
{
    call c = {.place = place, .request = *request};
    bf_status status = bf_store_write(place->store, do_create, &c, &c.err);
    *ret = c.made;
    return status;
}

static bf_status turn_key(access_store *place, const char *id, int64_t now_ms, int64_t ends_ms, bf_new_key *ret)
{
    call c = {.place = place, .id = id, .now_ms = now_ms, .ends_ms = ends_ms};
    bf_status status = bf_store_write(place->store, do_rotate, &c, &c.err);
    *ret = c.made;
    return status;
}

static bf_status end_key(access_store *place, const char *id, int64_t now_ms)
{
    call c = {.place = place, .id = id, .now_ms = now_ms};
    return bf_store_write(place->store, do_revoke, &c, &c.err);
}

static bf_status enter(access_store *place, const char *key, int64_t now_ms, bf_principal *ret)
{
    char header[BF_API_KEY_SIZE + 8];
    (void)snprintf(header, sizeof header, "Bearer %s", key);
    call c = {.place = place, .header = header, .now_ms = now_ms};
    bf_status status = bf_store_read(place->store, do_authenticate, &c, &c.err);
    if (status == BF_UNAUTHENTICATED) {
        assert_string_equal(c.err.message, "The request carries no valid API key.");
        assert_string_equal(c.err.detail, "");
        assert_memory_equal(&c.who, &(bf_principal){0}, sizeof c.who);
    }
    if (ret)
        *ret = c.who;
    return status;
}

static void a_key_lets_its_owner_in(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0}, other = {0};
    bf_principal who = {0};
    request.must_sign = true;
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_int_equal(enter(place, key.key, NOW, &who), BF_OK);
    assert_int_equal(who.role, BF_ACCESS_INTEGRATOR);
    assert_string_equal(who.client, "a_bank");
    assert_string_equal(who.key_id, key.id);
    assert_string_equal(who.session_id, "");
    assert_true(who.must_sign);
    request.role = BF_ACCESS_AUDITOR;
    request.must_sign = false;
    assert_int_equal(make_key(place, &request, &other), BF_OK);
    assert_int_equal(enter(place, other.key, NOW + 3650 * DAY, &who), BF_OK);
    assert_int_equal(who.role, BF_ACCESS_AUDITOR);
    assert_false(who.must_sign);
    assert_string_not_equal(other.id, key.id);
}

static void nobody_else_gets_in(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0}, other = {0};
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_int_equal(make_key(place, &request, &other), BF_OK);
    for (size_t bit = 0; bit < strlen(key.key) * 8; bit++) {
        char changed[BF_API_KEY_SIZE];
        memcpy(changed, key.key, sizeof changed);
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(enter(place, changed, NOW, NULL), BF_UNAUTHENTICATED);
    }
    char mixed[BF_API_KEY_SIZE];
    (void)snprintf(mixed, sizeof mixed, "bf_%s_%s", key.id, strrchr(other.key, '_') + 1);
    assert_int_equal(enter(place, mixed, NOW, NULL), BF_UNAUTHENTICATED);
    assert_int_equal(enter(place, key.signing_secret, NOW, NULL), BF_UNAUTHENTICATED);
    assert_int_equal(enter(place, "", NOW, NULL), BF_UNAUTHENTICATED);
    call c = {.place = place, .header = NULL, .now_ms = NOW};
    assert_int_equal(bf_store_read(place->store, do_authenticate, &c, &c.err), BF_UNAUTHENTICATED);
    assert_int_equal(enter(place, key.key, NOW, NULL), BF_OK);
}

static void a_key_ends(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0};
    request.expires_ms = NOW + DAY;
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_int_equal(key.expires_ms, NOW + DAY);
    assert_int_equal(enter(place, key.key, NOW + DAY - 1, NULL), BF_OK);
    assert_int_equal(enter(place, key.key, NOW + DAY, NULL), BF_UNAUTHENTICATED);
}

static void a_revoked_key_is_over(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0}, next = {0};
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_int_equal(end_key(place, key.id, NOW + 5), BF_OK);
    assert_int_equal(enter(place, key.key, NOW + 5, NULL), BF_UNAUTHENTICATED);
    assert_int_equal(enter(place, key.key, NOW - 5, NULL), BF_UNAUTHENTICATED);
    assert_int_equal(turn_key(place, key.id, NOW + 6, NOW + DAY, &next), BF_NOT_FOUND);
    assert_int_equal(end_key(place, key.id, NOW + 9), BF_OK);
    assert_int_equal(access_count_rows(place->store, "SELECT MAX(revoked_ms) FROM api_key"), NOW + 5);
    assert_int_equal(end_key(place, "0000000000000000", NOW), BF_NOT_FOUND);
    assert_int_equal(end_key(place, "'; DROP TABLE api_key; --", NOW), BF_NOT_FOUND);
}

static void rotation_overlaps(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0}, next = {0}, third = {0};
    bf_principal who = {0};
    request.expires_ms = NOW + 100 * DAY;
    request.role = BF_ACCESS_REVIEWER;
    request.must_sign = true;
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_int_equal(turn_key(place, key.id, NOW + 90 * DAY, NOW + 91 * DAY, &next), BF_OK);
    assert_int_equal(next.expires_ms, NOW + 190 * DAY);
    assert_int_equal(enter(place, next.key, NOW + 90 * DAY, &who), BF_OK);
    assert_int_equal(who.role, BF_ACCESS_REVIEWER);
    assert_string_equal(who.client, "a_bank");
    assert_true(who.must_sign);
    assert_int_equal(enter(place, key.key, NOW + 91 * DAY - 1, NULL), BF_OK);
    assert_int_equal(enter(place, key.key, NOW + 91 * DAY, NULL), BF_UNAUTHENTICATED);
    assert_int_equal(turn_key(place, key.id, NOW + 90 * DAY, NOW + 91 * DAY, &third), BF_INVALID_ARGUMENT);
    /* The old key never lives longer for having been rotated. */
    assert_int_equal(turn_key(place, next.id, NOW + 189 * DAY, NOW + 300 * DAY, &third), BF_OK);
    assert_int_equal(enter(place, next.key, NOW + 190 * DAY, NULL), BF_UNAUTHENTICATED);
    assert_int_equal(turn_key(place, third.id, NOW + 190 * DAY, NOW, &key), BF_INVALID_ARGUMENT);
    assert_int_equal(turn_key(place, "nothing", NOW, NOW + DAY, &key), BF_NOT_FOUND);
}

static void a_key_without_end_stays_without(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0}, next = {0};
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_int_equal(turn_key(place, key.id, NOW, NOW, &next), BF_OK);
    assert_int_equal(next.expires_ms, 0);
    assert_int_equal(enter(place, key.key, NOW, NULL), BF_UNAUTHENTICATED);
    assert_int_equal(enter(place, next.key, NOW + 3650 * DAY, NULL), BF_OK);
}

static void bad_requests_make_no_key(void **state)
{
    access_store *place = *state;
    char long_client[BF_NAME_MAX + 1], long_label[BF_KEY_LABEL_MAX + 1];
    memset(long_client, 'a', sizeof long_client - 1);
    long_client[BF_NAME_MAX] = '\0';
    memset(long_label, 'a', sizeof long_label - 1);
    long_label[BF_KEY_LABEL_MAX] = '\0';
    static const bf_access_role roles[] = {0, BF_ACCESS_PERSON, 3, 32};
    const char *const clients[] = {NULL, "", "A", "a b", "a/b", "\xc3\xa9", long_client};
    const char *const labels[] = {NULL,
                                  "a\nb",
                                  "\x7f",
                                  "\xff",
                                  "\xc3",
                                  "\xc3(",
                                  "\xc0\x80",
                                  "\xc2\x80",
                                  "\xed\xa0\x80",
                                  "\xe2\x82",
                                  "\xf4\x90\x80\x80",
                                  "\xf8\x88\x80\x80\x80",
                                  "\xf0\x80\x80\x80",
                                  long_label};
    bf_new_key key = {0};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        bf_key_request request = a_request();
        request.role = roles[i];
        assert_int_equal(make_key(place, &request, &key), BF_INVALID_ARGUMENT);
    }
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        bf_key_request request = a_request();
        request.client = clients[i];
        assert_int_equal(make_key(place, &request, &key), BF_INVALID_ARGUMENT);
    }
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        bf_key_request request = a_request();
        request.label = labels[i];
        assert_int_equal(make_key(place, &request, &key), BF_INVALID_ARGUMENT);
    }
    bf_key_request request = a_request();
    request.expires_ms = NOW;
    assert_int_equal(make_key(place, &request, &key), BF_INVALID_ARGUMENT);
    assert_memory_equal(&key, &(bf_new_key){0}, sizeof key);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM api_key"), 0);
}

static void labels_are_text_of_any_language(void **state)
{
    access_store *place = *state;
    static const char *const labels[] = {"", "Nguyễn: máy chủ", "\xf0\x9f\x94\x91", "it's \"quoted\" $1", "\xc2\xa0"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        bf_key_request request = a_request();
        bf_new_key key = {0};
        request.label = labels[i];
        request.now_ms = NOW + (int64_t)i;
        assert_int_equal(make_key(place, &request, &key), BF_OK);
    }
    call c = {.place = place};
    assert_int_equal(bf_store_read(place->store, do_list, &c, &c.err), BF_OK);
    assert_int_equal(c.count, sizeof labels / sizeof *labels);
    for (size_t i = 0; i < c.count; i++)
        assert_string_equal(c.keys[i].label, labels[i]);
    bf_free(c.keys);
}

static void the_store_keeps_no_secret(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0};
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    if (place->postgres)
        return; /* it is the file that is looked into */
    bf_store_free(&place->store);
    bf_bytes file = {0};
    assert_int_equal(bf_bytes_read_file(&file, place->place.url + 7, 1u << 24, NULL), BF_OK);
    bf_key_text parts = {0};
    uint8_t signing[BF_SECRET_SIZE];
    assert_true(bf_key_text_read(key.key, &parts));
    assert_true(bf_signing_secret_read(key.signing_secret, signing));
    assert_non_null(memmem(file.data, file.size, key.id, strlen(key.id)));
    assert_null(memmem(file.data, file.size, strrchr(key.key, '_') + 1, 64));
    assert_null(memmem(file.data, file.size, parts.secret, sizeof parts.secret));
    assert_null(memmem(file.data, file.size, key.signing_secret + 4, 64));
    assert_null(memmem(file.data, file.size, signing, sizeof signing));
    bf_bytes_done(&file);
    place->store = access_store_open(place);
}

static void signing_secrets_need_the_master_key(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0};
    uint8_t expected[BF_SECRET_SIZE];
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_true(bf_signing_secret_read(key.signing_secret, expected));
    call c = {.place = place, .id = key.id};
    assert_int_equal(bf_store_read(place->store, do_secret, &c, &c.err), BF_OK);
    assert_memory_equal(c.secret, expected, sizeof expected);
    c.id = "0000000000000000";
    assert_int_equal(bf_store_read(place->store, do_secret, &c, &c.err), BF_NOT_FOUND);
    c.id = key.id;
    assert_int_equal(bf_master_random(&place->master, NULL), BF_OK);
    assert_int_equal(bf_store_read(place->store, do_secret, &c, &c.err), BF_VAULT_LOCKED);
}

static void every_change_is_in_the_log(void **state)
{
    access_store *place = *state;
    static const char sql[] = "SELECT COUNT(*) FROM audit_leaf WHERE kind = 'key_changed'";
    int64_t before = access_count_rows(place->store, sql);
    bf_key_request request = a_request();
    bf_new_key key = {0}, next = {0};
    request.label = "somebodys_laptop";
    assert_int_equal(make_key(place, &request, &key), BF_OK);
    assert_int_equal(turn_key(place, key.id, NOW, NOW + DAY, &next), BF_OK);
    assert_int_equal(end_key(place, next.id, NOW), BF_OK);
    assert_int_equal(access_count_rows(place->store, sql), before + 3);
    assert_int_equal(end_key(place, next.id, NOW), BF_OK); /* nothing changed */
    assert_int_equal(end_key(place, "nothing", NOW), BF_NOT_FOUND);
    assert_int_equal(access_count_rows(place->store, sql), before + 3);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM audit_leaf WHERE data LIKE '%uid:7%'"
                                                     " AND kind = 'key_changed'"),
                     before + 3);
    assert_int_equal(
        access_count_rows(place->store, "SELECT COUNT(*) FROM audit_leaf WHERE data LIKE '%somebodys_laptop%'"), 0);
}

static void without_memory_nothing_is_made(void **state)
{
    access_store *place = *state;
    bf_key_request request = a_request();
    bf_new_key key = {0};
    bf_status status = BF_OUT_OF_MEMORY;
    int failures = 0;
    for (size_t nth = 1; nth < 200 && status != BF_OK; nth++) {
        assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM api_key"), 0);
        (void)bf_alloc_fail_after(nth, 1);
        status = make_key(place, &request, &key);
        (void)bf_alloc_fail_after(0, 0);
    }
    assert_int_equal(status, BF_OK);
    status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; nth < 200 && status != BF_OK; nth++) {
        (void)bf_alloc_fail_after(nth, 1);
        status = enter(place, key.key, NOW, NULL);
        (void)bf_alloc_fail_after(0, 0);
        failures += status != BF_OK;
        assert_true(status != BF_UNAUTHENTICATED); /* a good key must not look like a bad one */
    }
    assert_int_equal(status, BF_OK);
    assert_true(failures > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCESS_CASE(a_key_lets_its_owner_in),
        ACCESS_CASE(nobody_else_gets_in),
        ACCESS_CASE(a_key_ends),
        ACCESS_CASE(a_revoked_key_is_over),
        ACCESS_CASE(rotation_overlaps),
        ACCESS_CASE(a_key_without_end_stays_without),
        ACCESS_CASE(bad_requests_make_no_key),
        ACCESS_CASE(labels_are_text_of_any_language),
        ACCESS_CASE(the_store_keeps_no_secret),
        ACCESS_CASE(signing_secrets_need_the_master_key),
        ACCESS_CASE(every_change_is_in_the_log),
        ACCESS_CASE(without_memory_nothing_is_made),
    };
    return ACCESS_RUN(tests);
}
