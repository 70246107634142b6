/* Signed requests, idempotency keys and the kill switch over a real store. */
#include "access_store.h"

#include <sodium.h>

#include "access/idempotency.h"
#include "access/key_text.h"
#include "access/signature.h"
#include "base/bytes.h"
#include "session/service.h"

#define HOUR 3600000LL

static const uint8_t BODY_SHA256[32] = {1, 2, 3};

typedef struct signing {
    access_store *place;
    bf_key_request request;
    bf_new_key key;
    bf_principal who;
    uint8_t secret[BF_SECRET_SIZE];
    bf_signed_request signed_request;
    bf_error err;
} signing;

static bf_status make_key(bf_db *db, void *context, bf_error *err)
{
    signing *s = context;
    return bf_key_create(db, &s->place->master, &s->request, "uid:7", &s->key, err);
}

static bf_status check(bf_db *db, void *context, bf_error *err)
{
    signing *s = context;
    return bf_signature_check(db, &s->place->master, &s->who, &s->signed_request, err);
}

static signing a_signing(access_store *place)
{
    signing s = {
        .place = place,
        .request = {.client = "a_bank", .role = BF_ACCESS_INTEGRATOR, .label = "", .now_ms = NOW},
        .signed_request = {.method = "POST", .target = "/v1/liveness?a=b", .body_sha256 = BODY_SHA256, .now_ms = NOW}};
    assert_int_equal(bf_store_write(place->store, make_key, &s, NULL), BF_OK);
    memcpy(s.who.key_id, s.key.id, sizeof s.who.key_id);
    assert_true(bf_signing_secret_read(s.key.signing_secret, s.secret));
    return s;
}

static bf_status ask(signing *s, const char *header)
{
    s->signed_request.header = header;
    return bf_store_write(s->place->store, check, s, &s->err);
}

static void a_signed_request_is_good_once(void **state)
{
    signing s = a_signing(*state), other = a_signing(*state);
    char header[BF_SIGNATURE_SIZE];
    bf_signature_write(s.secret, &s.signed_request, "0123456789abcdef", header);
    assert_int_equal(ask(&s, header), BF_OK);
    assert_int_equal(ask(&s, header), BF_SIGNATURE_INVALID);
    assert_int_equal(ask(&other, header), BF_SIGNATURE_INVALID);
    /* Another key may use the same nonce. */
    bf_signature_write(other.secret, &other.signed_request, "0123456789abcdef", header);
    assert_int_equal(ask(&other, header), BF_OK);
    assert_int_equal(ask(&s, NULL), BF_SIGNATURE_INVALID);
    memset(s.who.key_id, 0, sizeof s.who.key_id);
    assert_int_equal(ask(&s, header), BF_SIGNATURE_INVALID);
}

static void every_part_of_a_request_is_signed(void **state)
{
    signing s = a_signing(*state);
    const bf_signed_request good = s.signed_request;
    uint8_t other_body[32] = {1, 2, 4};
    char header[BF_SIGNATURE_SIZE];
    bf_signature_write(s.secret, &good, "0123456789abcdef", header);
    s.signed_request.method = "PUT";
    assert_int_equal(ask(&s, header), BF_SIGNATURE_INVALID);
    s.signed_request = good;
    s.signed_request.target = "/v1/liveness?a=c";
    assert_int_equal(ask(&s, header), BF_SIGNATURE_INVALID);
    s.signed_request = good;
    s.signed_request.body_sha256 = other_body;
    assert_int_equal(ask(&s, header), BF_SIGNATURE_INVALID);
    s.signed_request = good;
    /* What is refused uses up no nonce. */
    assert_int_equal(ask(&s, header), BF_OK);
}

static void no_changed_bit_of_a_signature_is_accepted(void **state)
{
    signing s = a_signing(*state);
    char header[BF_SIGNATURE_SIZE];
    bf_signature_write(s.secret, &s.signed_request, "0123456789_-cdefABCDEF", header);
    size_t length = strlen(header);
    for (size_t bit = 0; bit < length * 8; bit++) {
        header[bit / 8] = (char)(header[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(ask(&s, header), BF_SIGNATURE_INVALID);
        header[bit / 8] = (char)(header[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(access_count_rows(s.place->store, "SELECT COUNT(*) FROM request_nonce"), 0);
    assert_int_equal(ask(&s, header), BF_OK);
}

static void a_signature_is_fresh(void **state)
{
    signing s = a_signing(*state);
    static const struct {
        int64_t off_ms;
        bf_status expected;
    } cases[] = {{-BF_SIGNATURE_SKEW_MS, BF_OK},
                 {BF_SIGNATURE_SKEW_MS, BF_OK},
                 {-BF_SIGNATURE_SKEW_MS - 1, BF_SIGNATURE_INVALID},
                 {BF_SIGNATURE_SKEW_MS + 1, BF_SIGNATURE_INVALID},
                 {-NOW, BF_SIGNATURE_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[BF_SIGNATURE_SIZE], nonce[32];
        (void)snprintf(nonce, sizeof nonce, "nonce-of-case-%04zu", i);
        s.signed_request.now_ms = NOW + cases[i].off_ms;
        bf_signature_write(s.secret, &s.signed_request, nonce, header);
        s.signed_request.now_ms = NOW;
        assert_int_equal(ask(&s, header), cases[i].expected);
    }
}

/* The example of docs/reference/access.md, computed by openssl. */
static void the_documented_example_is_signed_so(void **state)
{
    (void)state;
    static const char body[] = "{\"flow_type\": \"account_opening\", \"channel\": \"mobile_web\"}";
    uint8_t secret[BF_SECRET_SIZE], digest[32];
    char header[BF_SIGNATURE_SIZE];
    for (int i = 0; i < BF_SECRET_SIZE; i++)
        secret[i] = (uint8_t)i;
    (void)crypto_hash_sha256(digest, (const uint8_t *)body, sizeof body - 1);
    bf_signed_request request = {
        .method = "POST", .target = "/v1/sessions", .body_sha256 = digest, .now_ms = 1795635600000};
    bf_signature_write(secret, &request, "0123456789abcdef", header);
    assert_string_equal(header, "t=1795635600000, n=0123456789abcdef, "
                                "v1=7f9dc31a88fe0f3f3f6bef2989e5cf2d5c76f154ef93748fc450fdc276d3a408");
}

static void other_text_is_no_signature(void **state)
{
    (void)state;
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    bf_signature got = {0};
    assert_true(bf_signature_read("t=0, n=0123456789abcdef, v1=" HEX, &got));
    assert_int_equal(got.at_ms, 0);
    assert_true(bf_signature_read("t=999999999999999, n=" HEX ", v1=" HEX, &got));
    assert_int_equal(got.at_ms, 999999999999999);
    static const char *const bad[] = {
        "",
        "t=1",
        "t=1, n=0123456789abcdef",
        "t=1, n=0123456789abcdef, v1=",
        "t=1,n=0123456789abcdef,v1=" HEX,
        "t=1, n=0123456789abcdef, v1=" HEX " ",
        "t=1, n=0123456789abcdef, v1=" HEX "0",
        "t=1, n=0123456789abcdef, v2=" HEX,
        "t=1, n=0123456789abcde, v1=" HEX,
        "t=1, n=" HEX "0, v1=" HEX,
        "t=1, n=0123456789abcde/, v1=" HEX,
        "t=, n=0123456789abcdef, v1=" HEX,
        "t=-1, n=0123456789abcdef, v1=" HEX,
        "t=+1, n=0123456789abcdef, v1=" HEX,
        "t=01, n=0123456789abcdef, v1=" HEX,
        "t= 1, n=0123456789abcdef, v1=" HEX,
        "t=1000000000000000, n=0123456789abcdef, v1=" HEX,
        "t=99999999999999999999, n=0123456789abcdef, v1=" HEX,
        "t=1, n=0123456789abcdef, v1=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        "n=0123456789abcdef, t=1, v1=" HEX,
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(bf_signature_read(bad[i], &got));
}

typedef enum step { BEGIN, FINISH, RELEASE, ERASE } step;

typedef struct trial {
    bf_idempotency key;
    step step;
    const char *session_id;
    const void *body;
    size_t size;
    bool done;
    int http;
    bf_bytes got;
    bf_error err;
} trial;

static bf_status take_step(bf_db *db, void *context, bf_error *err)
{
    trial *t = context;
    switch (t->step) {
    case BEGIN:
        return bf_idempotency_begin(db, &t->key, &t->done, &t->http, &t->got, err);
    case FINISH:
        return bf_idempotency_finish(db, &t->key, 201, t->body, t->size, t->session_id, err);
    case RELEASE:
        return bf_idempotency_release(db, &t->key, err);
    case ERASE:
        return bf_idempotency_erase(db, t->session_id, err);
    }
    return BF_INTERNAL;
}

static bf_status go(access_store *place, trial *t, step what)
{
    t->step = what;
    t->done = false;
    bf_bytes_done(&t->got);
    return bf_store_write(place->store, take_step, t, &t->err);
}

static trial a_trial(const char *name, int64_t now_ms)
{
    return (trial){.key = {.name = name,
                           .client = "a_bank",
                           .request_hash = {1, 2, 3},
                           .now_ms = now_ms,
                           .claimed_until_ms = now_ms + 30000},
                   .body = "{}",
                   .size = 2};
}

static void a_retry_gets_the_first_answer(void **state)
{
    access_store *place = *state;
    trial first = a_trial("order:1", NOW), again = a_trial("order:1", NOW + 1000), empty = a_trial("order:2", NOW);
    assert_int_equal(go(place, &first, BEGIN), BF_OK);
    assert_false(first.done);
    assert_int_equal(go(place, &again, BEGIN), BF_IDEMPOTENCY_IN_PROGRESS);
    first.body = "a\0b";
    first.size = 3;
    assert_int_equal(go(place, &first, FINISH), BF_OK);
    assert_int_equal(go(place, &again, BEGIN), BF_OK);
    assert_true(again.done);
    assert_int_equal(again.http, 201);
    assert_int_equal(again.got.size, 3);
    assert_memory_equal(again.got.data, "a\0b", 4);
    bf_bytes_done(&again.got);
    assert_int_equal(go(place, &empty, BEGIN), BF_OK);
    empty.size = 0;
    assert_int_equal(go(place, &empty, FINISH), BF_OK);
    assert_int_equal(go(place, &empty, BEGIN), BF_OK);
    assert_true(empty.done);
    assert_int_equal(empty.got.size, 0);
    bf_bytes_done(&empty.got);
}

static void a_name_belongs_to_one_request_of_one_client(void **state)
{
    access_store *place = *state;
    trial first = a_trial("order:1", NOW), other = a_trial("order:1", NOW), foreign = a_trial("order:1", NOW);
    other.key.request_hash[31] = 1;
    foreign.key.client = "b_bank";
    assert_int_equal(go(place, &first, BEGIN), BF_OK);
    assert_int_equal(go(place, &other, BEGIN), BF_IDEMPOTENCY_CONFLICT);
    assert_int_equal(go(place, &foreign, BEGIN), BF_OK);
    assert_false(foreign.done);
    assert_int_equal(go(place, &first, FINISH), BF_OK);
    assert_int_equal(go(place, &other, BEGIN), BF_IDEMPOTENCY_CONFLICT);
    /* A day later the name is free again. */
    other.key.now_ms = NOW + BF_IDEMPOTENCY_KEEP_MS;
    other.key.claimed_until_ms = other.key.now_ms + 30000;
    assert_int_equal(go(place, &other, BEGIN), BF_OK);
    assert_false(other.done);
}

static void another_try_takes_over_from_one_that_never_finished(void **state)
{
    access_store *place = *state;
    trial slow = a_trial("order:1", NOW), next = a_trial("order:1", NOW + 30000);
    assert_int_equal(go(place, &slow, BEGIN), BF_OK);
    assert_int_equal(go(place, &next, BEGIN), BF_OK);
    assert_false(next.done);
    assert_int_equal(go(place, &slow, FINISH), BF_IDEMPOTENCY_IN_PROGRESS);
    assert_int_equal(go(place, &slow, RELEASE), BF_OK);
    assert_int_equal(go(place, &next, FINISH), BF_OK);
    assert_int_equal(go(place, &slow, FINISH), BF_IDEMPOTENCY_IN_PROGRESS);
    assert_int_equal(go(place, &slow, RELEASE), BF_OK);
    assert_int_equal(go(place, &slow, BEGIN), BF_OK);
    assert_true(slow.done);
    bf_bytes_done(&slow.got);
}

static void what_failed_may_be_tried_again_at_once(void **state)
{
    access_store *place = *state;
    trial first = a_trial("order:1", NOW), again = a_trial("order:1", NOW + 1);
    assert_int_equal(go(place, &first, BEGIN), BF_OK);
    assert_int_equal(go(place, &first, RELEASE), BF_OK);
    assert_int_equal(go(place, &again, BEGIN), BF_OK);
    assert_false(again.done);
}

static void a_clock_set_back_holds_no_claim(void **state)
{
    access_store *place = *state;
    trial ahead = a_trial("order:1", NOW + HOUR), now = a_trial("order:1", NOW),
          skewed = a_trial("order:2", NOW + 1000);
    assert_int_equal(go(place, &ahead, BEGIN), BF_OK);
    assert_int_equal(go(place, &now, BEGIN), BF_OK);
    assert_int_equal(go(place, &ahead, FINISH), BF_IDEMPOTENCY_IN_PROGRESS);
    assert_int_equal(go(place, &skewed, BEGIN), BF_OK);
    now.key.name = "order:2";
    assert_int_equal(go(place, &now, BEGIN), BF_IDEMPOTENCY_IN_PROGRESS);
}

static void names_are_checked(void **state)
{
    access_store *place = *state;
    char longest[BF_IDEMPOTENCY_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[BF_IDEMPOTENCY_NAME_MAX + 1] = '\0';
    const char *const bad[] = {"", " ", "a b", "a/b", "\xc3\xa9", longest};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        trial t = a_trial(bad[i], NOW);
        assert_int_equal(go(place, &t, BEGIN), BF_INVALID_REQUEST);
    }
    longest[BF_IDEMPOTENCY_NAME_MAX] = '\0';
    trial long_enough = a_trial(longest, NOW), none = a_trial(NULL, NOW);
    assert_int_equal(go(place, &long_enough, BEGIN), BF_OK);
    for (step what = BEGIN; what <= RELEASE; what++) {
        assert_int_equal(go(place, &none, what), BF_OK);
        assert_false(none.done);
    }
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM idempotency"), 1);
}

static void erasure_takes_answers_along(void **state)
{
    access_store *place = *state;
    trial mine = a_trial("order:1", NOW), other = a_trial("order:2", NOW);
    assert_int_equal(go(place, &mine, BEGIN), BF_OK);
    assert_int_equal(go(place, &other, BEGIN), BF_OK);
    mine.session_id = "s_1";
    assert_int_equal(go(place, &mine, FINISH), BF_OK);
    assert_int_equal(go(place, &other, FINISH), BF_OK);
    assert_int_equal(go(place, &mine, ERASE), BF_OK);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM idempotency"), 1);
}

typedef struct tidying {
    int64_t now_ms;
    int limit;
} tidying;

static bf_status tidy(bf_db *db, void *context, bf_error *err)
{
    const tidying *t = context;
    return bf_access_tidy(db, t->now_ms, t->limit, err);
}

static void tidying_deletes_what_is_over_and_no_more(void **state)
{
    access_store *place = *state;
    signing s = a_signing(place);
    char header[BF_SIGNATURE_SIZE];
    for (int i = 0; i < 5; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "0123456789abcde%d", i);
        bf_signature_write(s.secret, &s.signed_request, text, header);
        assert_int_equal(ask(&s, header), BF_OK);
        trial t = a_trial(text, NOW);
        assert_int_equal(go(place, &t, BEGIN), BF_OK);
    }
    tidying t = {.now_ms = NOW + BF_SIGNATURE_SKEW_MS, .limit = 100};
    assert_int_equal(bf_store_write(place->store, tidy, &t, NULL), BF_OK);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM request_nonce"), 5);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM idempotency"), 5);
    t = (tidying){.now_ms = NOW + BF_IDEMPOTENCY_KEEP_MS, .limit = 3};
    assert_int_equal(bf_store_write(place->store, tidy, &t, NULL), BF_OK);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM request_nonce"), 2);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM idempotency"), 2);
    assert_int_equal(bf_store_write(place->store, tidy, &t, NULL), BF_OK);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM request_nonce"), 0);
    assert_int_equal(access_count_rows(place->store, "SELECT COUNT(*) FROM idempotency"), 0);
}

static bf_status write_switch(bf_db *db, void *context, bf_error *err)
{
    return bf_kill_switch_write(db, *(bool *)context, NOW, "uid:7", err);
}

static bf_status read_switch(bf_db *db, void *context, bf_error *err)
{
    return bf_kill_switch_read(db, context, err);
}

static bf_status spoil_switch(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    return bf_db_run(db, "UPDATE setting SET value = 'OFF ' WHERE name = 'kill_switch'", BF_NO_VALUES, NULL, err);
}

static void the_kill_switch_is_kept_and_logged(void **state)
{
    access_store *place = *state;
    static const char sql[] = "SELECT COUNT(*) FROM audit_leaf WHERE kind = 'kill_switch'";
    int64_t before = access_count_rows(place->store, sql);
    bool on = true;
    assert_int_equal(bf_store_read(place->store, read_switch, &on, NULL), BF_OK);
    assert_false(on);
    for (int i = 0; i < 4; i++) {
        bool want = i % 2 == 0;
        assert_int_equal(bf_store_write(place->store, write_switch, &want, NULL), BF_OK);
        assert_int_equal(bf_store_read(place->store, read_switch, &on, NULL), BF_OK);
        assert_int_equal(on, want);
    }
    assert_int_equal(access_count_rows(place->store, sql), before + 4);
    /* What nobody understands must not switch it off. */
    assert_int_equal(bf_store_write(place->store, spoil_switch, NULL, NULL), BF_OK);
    assert_int_equal(bf_store_read(place->store, read_switch, &on, NULL), BF_OK);
    assert_true(on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCESS_CASE(a_signed_request_is_good_once),
        ACCESS_CASE(every_part_of_a_request_is_signed),
        ACCESS_CASE(no_changed_bit_of_a_signature_is_accepted),
        ACCESS_CASE(a_signature_is_fresh),
        cmocka_unit_test(the_documented_example_is_signed_so),
        cmocka_unit_test(other_text_is_no_signature),
        ACCESS_CASE(a_retry_gets_the_first_answer),
        ACCESS_CASE(a_name_belongs_to_one_request_of_one_client),
        ACCESS_CASE(another_try_takes_over_from_one_that_never_finished),
        ACCESS_CASE(what_failed_may_be_tried_again_at_once),
        ACCESS_CASE(a_clock_set_back_holds_no_claim),
        ACCESS_CASE(names_are_checked),
        ACCESS_CASE(erasure_takes_answers_along),
        ACCESS_CASE(tidying_deletes_what_is_over_and_no_more),
        ACCESS_CASE(the_kill_switch_is_kept_and_logged),
    };
    return ACCESS_RUN(tests);
}
