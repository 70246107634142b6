/* Sessions with the real judge: real networks, real photos, real policies, in worker processes. Skipped without the
 * networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/session_kit.h"
#include "worker_test.h"

typedef struct fixture {
    kit k;
    bf_pool *pool;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    bf_pool_options options = pool_options();
    bf_error err = {0};
    *state = NULL;
    bf_status status = bf_pool_new(&options, &f.pool, &err);
    if (status == BF_MODEL_UNAVAILABLE)
        return 0;
    if (status != BF_OK) {
        (void)fprintf(stderr, "%s %s\n", err.message, err.detail);
        return -1;
    }
    kit_open(&f.k, &(bf_service_settings){0}, false);
    kit_use_pool(&f.k, f.pool);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    if (!f)
        return 0;
    kit_close(&f->k);
    bf_pool_free(&f->pool);
    return 0;
}

static fixture *need(void **state)
{
    if (!*state)
        skip();
    return *state;
}

/* A call with photos; what else is in the request stands in `request`. */
static json_t *send(fixture *f, bf_operation *operation, kit_request request, const char *image, const char *reference,
                    bf_answer *ret)
{
    bf_bytes photo = {0}, portrait = {0};
    json_t *body = NULL;
    bf_error err = {0};
    if (image)
        photo = read_sample(image);
    if (reference)
        portrait = read_sample(reference);
    request.image_bytes = photo;
    request.reference_bytes = portrait;
    bf_status status = kit_call(&f->k, operation, &request, ret, &body, &err);
    if (status != BF_OK)
        fail_msg("%s %s", err.message, err.detail);
    bf_bytes_done(&photo);
    bf_bytes_done(&portrait);
    return body;
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void open_session(fixture *f, const char *more, const char *reference, char id[BF_SESSION_ID_SIZE])
{
    char body[512];
    (void)snprintf(body, sizeof body, "{\"flow_type\":\"account_opening\",\"channel\":\"ios_app\"%s}", more);
    json_t *answer =
        send(f, bf_service_session_create, (kit_request){.who = &KIT_BACK_END, .body = body}, NULL, reference, NULL);
    (void)snprintf(id, BF_SESSION_ID_SIZE, "%s", text_at(json_object_get(answer, "session"), "id"));
    json_decref(answer);
}

static void attempt(fixture *f, const char *id, int number, const char *image, const char *expected)
{
    bf_principal who = kit_person(id, number);
    json_t *answer =
        send(f, bf_service_session_attempt, (kit_request){.who = &who, .id = id, .body = "{}"}, image, NULL, NULL);
    assert_string_equal(text_at(answer, "answer"), expected);
    /* What must never reach a person's device. */
    char *text = json_dumps(answer, 0);
    static const char *const secret[] = {"score", "llr", "passive", "texture", "similarity", "evidence", "reason"};
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        assert_null(strstr(text, secret[i]));
    free(text);
    json_decref(answer);
}

static void outcome(fixture *f, const char *id, const char *decision, const char *reason, size_t attempts)
{
    json_t *state = send(f, bf_service_session_get, (kit_request){.who = &KIT_BACK_END, .id = id}, NULL, NULL, NULL);
    const json_t *came_of = json_object_get(json_object_get(state, "session"), "decision");
    assert_string_equal(text_at(came_of, "decision"), decision);
    assert_string_equal(text_at(came_of, "reason"), reason);
    assert_int_equal(json_array_size(json_object_get(state, "attempts")), attempts);
    json_decref(state);
}

static void test_a_genuine_person_after_a_poor_photo(void **state)
{
    fixture *f = need(state);
    char id[BF_SESSION_ID_SIZE];
    open_session(f, "", "person-1-other", id);
    attempt(f, id, 1, "person-6", "retry");
    attempt(f, id, 2, "person-1", "pass");
    outcome(f, id, "approve", "LIVE_AND_MATCHED", 2);
}

static void test_somebody_else(void **state)
{
    fixture *f = need(state);
    char id[BF_SESSION_ID_SIZE];
    open_session(f, "", "person-1-other", id);
    attempt(f, id, 1, "person-2", "done");
    outcome(f, id, "reject", "MATCH_NONE", 1);
}

static void test_risk_asks_for_what_is_not_there(void **state)
{
    fixture *f = need(state);
    char id[BF_SESSION_ID_SIZE];
    open_session(f, ",\"risk_context\":{\"risk_tier\":\"high\"}", "person-1-other", id);
    attempt(f, id, 1, "person-1", "done");
    outcome(f, id, "review", "CHALLENGE_UNAVAILABLE", 1);
}

/* The same uncertain photo again and again: the first asks for another, the second is no longer a retry. */
static void test_uncertainty_raises_scrutiny(void **state)
{
    fixture *f = need(state);
    char id[BF_SESSION_ID_SIZE];
    open_session(f, "", "person-3", id);
    attempt(f, id, 1, "person-3", "retry");
    attempt(f, id, 2, "person-3", "done");
    bf_session session = {0};
    kit_load(&f->k, id, &session);
    assert_int_equal(session.uncertain_retries, 1);
    bf_session_done(&session);
    outcome(f, id, "review", "CHALLENGE_UNAVAILABLE", 2);
}

static bf_status switch_kill(bf_db *db, void *context, bf_error *err)
{
    return bf_kill_switch_write(db, *(bool *)context, 1000, "uid:0", err);
}

static void test_the_kill_switch(void **state)
{
    fixture *f = need(state);
    char id[BF_SESSION_ID_SIZE];
    bool on = true;
    assert_int_equal(bf_store_write(f->k.store, switch_kill, &on, NULL), BF_OK);
    open_session(f, "", "person-1-other", id);
    attempt(f, id, 1, "person-1", "done");
    on = false;
    assert_int_equal(bf_store_write(f->k.store, switch_kill, &on, NULL), BF_OK);
    outcome(f, id, "review", "KILL_SWITCH", 1);
}

static void test_one_shot_and_match(void **state)
{
    fixture *f = need(state);
    bf_answer answer = {0};
    kit_request request = {.who = &KIT_BACK_END, .body = "{\"channel\":\"ios_app\"}", .request_id = "shot-1"};
    json_t *record = send(f, bf_service_liveness, request, "person-1", "person-1-other", &answer);
    assert_int_equal(answer.http, 200);
    assert_string_equal(answer.decision, "approve");
    assert_string_equal(text_at(record, "request_id"), "shot-1");
    json_decref(record);
    bf_answer_done(&answer);
    json_t *shown =
        send(f, bf_service_decision_get, (kit_request){.who = &KIT_AUDITOR, .id = "shot-1"}, NULL, NULL, NULL);
    assert_string_equal(text_at(json_object_get(shown, "record"), "request_id"), "shot-1");
    json_decref(shown);
    request.request_id = "match-1";
    json_t *match = send(f, bf_service_match, request, "person-1", "person-1-other", &answer);
    assert_true(json_is_true(json_object_get(match, "success")));
    assert_string_equal(text_at(json_object_get(match, "match"), "outcome"), "strong");
    json_decref(match);
    bf_answer_done(&answer);
    request.request_id = "match-2";
    request.image = "no picture";
    match = send(f, bf_service_match, request, NULL, "person-1", &answer);
    assert_string_equal(text_at(match, "status"), "error");
    assert_string_equal(text_at(json_object_get(match, "error"), "code"), "UNSUPPORTED_FORMAT");
    json_decref(match);
    bf_answer_done(&answer);
    request.request_id = "shot-2";
    record = send(f, bf_service_liveness, request, NULL, NULL, &answer);
    assert_int_equal(answer.http, 422);
    json_decref(record);
    bf_answer_done(&answer);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "nursery") == 0)
        return bf_nursery_run(BF_NURSERY_FD);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_genuine_person_after_a_poor_photo),
        cmocka_unit_test(test_somebody_else),
        cmocka_unit_test(test_risk_asks_for_what_is_not_there),
        cmocka_unit_test(test_uncertainty_raises_scrutiny),
        cmocka_unit_test(test_the_kill_switch),
        cmocka_unit_test(test_one_shot_and_match),
    };
    return cmocka_run_group_tests_name("session_pool", tests, set_up, tear_down);
}
