/* What the operations answer, keep and forget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "support/session_kit.h"

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static json_int_t number_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void judge_as(kit *k, const char *decision, const char *reason)
{
    k->script = (kit_script){.decision = decision, .reason = reason};
}

static json_t *get(kit *k, const bf_principal *who, const char *id)
{
    json_t *body = NULL;
    kit_request request = {.who = who, .id = id};
    assert_int_equal(kit_call(k, bf_service_session_get, &request, NULL, &body, NULL), BF_OK);
    return body;
}

/* ---- creation ---- */

static void test_a_session_is_opened(void **state)
{
    kit *k = *state;
    json_t *body = NULL;
    bf_answer answer = {0};
    kit_request request = {
        .who = &KIT_BACK_END,
        .body = "{\"flow_type\":\"account_opening\",\"channel\":\"mobile_web\",\"mode\":\"hybrid\",\"subject\":\"p-1\","
                "\"consent\":{\"text_version\":\"7\",\"given_at\":\"2026-01-01T00:00:00Z\"},\"retain\":\"days\","
                "\"retain_days\":3}",
        .reference = "a portrait"};
    assert_int_equal(kit_call(k, bf_service_session_create, &request, &answer, &body, NULL), BF_OK);
    assert_int_equal(answer.http, 201);
    const json_t *session = json_object_get(body, "session");
    const char *id = text_at(session, "id");
    assert_int_equal(strlen(id), 34);
    assert_string_equal(text_at(session, "state"), "CREATED");
    assert_string_equal(text_at(session, "retain"), "days");
    assert_string_equal(text_at(json_object_get(session, "consent"), "text_version"), "7");
    assert_true(json_is_true(json_object_get(session, "has_reference")));
    assert_int_equal(number_at(session, "attempts_left"), 4);
    const json_t *plan = json_object_get(body, "plan");
    assert_int_equal(strlen(text_at(plan, "nonce")), 64);
    assert_int_equal(number_at(plan, "attempt"), 1);
    assert_string_equal(text_at(json_array_get(json_object_get(plan, "steps"), 0), "type"), "hold_still");
    char header[BF_TOKEN_SIZE + 16];
    bf_token token = {.attempt = 0};
    (void)snprintf(header, sizeof header, "Bearer %s", text_at(body, "client_token"));
    assert_int_equal(bf_token_read(&k->master, header, k->now_ms, &token, NULL), BF_OK);
    assert_string_equal(token.session_id, id);
    assert_string_equal(token.client, "bank");
    assert_int_equal(token.attempt, 1);
    assert_int_equal(token.expires_ms, k->now_ms + 180000);
    assert_int_equal(kit_leaves(k, "session_created", id), 1);
    json_decref(body);
    bf_answer_done(&answer);
}

static void refused(kit *k, const char *body, bf_status expected, const char *named)
{
    bf_error err = {0};
    kit_request request = {.who = &KIT_BACK_END, .body = body};
    int64_t before = kit_count(k, "SELECT COUNT(*) FROM session", NULL);
    assert_int_equal(kit_call(k, bf_service_session_create, &request, NULL, NULL, &err), expected);
    assert_non_null(strstr(err.message, named));
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM session", NULL), before);
}

static void test_what_cannot_be_opened(void **state)
{
    kit *k = *state;
    refused(k, "{\"flow_type\":\"nowhere\"}", BF_INVALID_REQUEST, "flow_type");
    refused(k, "{\"flow_type\":\"account_opening\",\"retain\":\"days\"}", BF_INVALID_REQUEST, "retain_days");
    refused(k, "{\"flow_type\":\"account_opening\",\"retain_days\":3}", BF_INVALID_REQUEST, "retain_days");
    refused(k, "{\"flow_type\":\"account_opening\",\"risk_context\":{\"retry_count\":1}}", BF_INVALID_REQUEST,
            "risk_context.retry_count");
    refused(k, "{\"flow_type\":\"account_opening\",\"webhook\":{\"url\":\"http://example.com/\"}}", BF_INVALID_REQUEST,
            "");
    refused(k,
            "{\"flow_type\":\"account_opening\",\"risk_context\":{\"device_signals\":[\"a\",\"b\",\"c\",\"d\",\"e\","
            "\"f\",\"g\",\"h\",\"i\"]},\"device_context\":{\"device_signals\":[\"j\",\"k\",\"l\",\"m\",\"n\",\"o\","
            "\"p\",\"q\"]}}",
            BF_INVALID_REQUEST, "device_signals");
}

/* ---- what the judge is told ---- */

static void test_the_judge_sees_the_session(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k,
               "\"channel\":\"kiosk\",\"risk_context\":{\"risk_tier\":\"medium\",\"previous_failures\":2,"
               "\"device_signals\":[\"vpn\"]},\"device_context\":{\"platform\":\"x\",\"device_signals\":[\"vpn\","
               "\"rooted\"]}",
               id);
    judge_as(k, "retry", "LIVENESS_UNCERTAIN");
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
    k->script.not_judged = true;
    k->script.reason = "QUALITY_TOO_LOW";
    assert_int_equal(kit_attempt(k, id, 2, NULL), BF_OK);
    assert_int_equal(kit_attempt(k, id, 3, NULL), BF_OK);
    assert_string_equal(k->flow, "account_opening");
    assert_string_equal(k->channel, "kiosk");
    assert_false(k->had_reference);
    json_t *context = json_loads(k->context, 0, NULL);
    assert_string_equal(text_at(context, "risk_tier"), "medium");
    assert_int_equal(number_at(context, "retry_count"), 2);
    assert_int_equal(number_at(context, "uncertain_count"), 1);
    assert_int_equal(number_at(context, "previous_failures"), 2);
    assert_int_equal(json_array_size(json_object_get(context, "device_signals")), 2);
    json_decref(context);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%s.3", id);
    assert_string_equal(k->request_id, expected);
}

static json_int_t failures_told(kit *k)
{
    json_t *context = json_loads(k->context, 0, NULL);
    json_int_t failures = number_at(context, "previous_failures");
    json_decref(context);
    return failures;
}

static void test_earlier_rejections_of_a_person_count(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], first[BF_SESSION_ID_SIZE];
    judge_as(k, "reject", "LIVENESS_FAILED");
    kit_create(k, "\"subject\":\"mallory\"", first);
    assert_int_equal(kit_attempt(k, first, 1, NULL), BF_OK);
    kit_create(k, "\"subject\":\"mallory\"", id);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
    assert_int_equal(failures_told(k), 1);
    kit_create(k, "\"subject\":\"mallory\",\"risk_context\":{\"previous_failures\":3}", id);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
    assert_int_equal(failures_told(k), 5);
    judge_as(k, "approve", "LIVE");
    for (int i = 0; i < 2; i++) { /* an approval is no failure */
        kit_create(k, "\"subject\":\"alice\"", id);
        assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
        assert_int_equal(failures_told(k), 0);
    }
    /* Erased sessions name nobody any more. */
    kit_request request = {.who = &KIT_BACK_END, .id = first};
    assert_int_equal(kit_call(k, bf_service_session_erase, &request, NULL, NULL, NULL), BF_OK);
    kit_create(k, "\"subject\":\"mallory\"", id);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
    assert_int_equal(failures_told(k), 2);
}

static bf_status switch_kill(bf_db *db, void *context, bf_error *err)
{
    return bf_kill_switch_write(db, *(bool *)context, 1000, "uid:0", err);
}

static void test_the_kill_switch_reaches_the_judge(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    bool on = true;
    judge_as(k, "review", "KILL_SWITCH");
    assert_int_equal(bf_store_write(k->store, switch_kill, &on, NULL), BF_OK);
    kit_create(k, "", id);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
    assert_true(k->kill_switch);
    on = false;
    assert_int_equal(bf_store_write(k->store, switch_kill, &on, NULL), BF_OK);
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}"};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_OK);
    assert_false(k->kill_switch);
    assert_int_equal(kit_leaves(k, "kill_switch", "\"on\":"), 2);
}

/* ---- what the person sees ---- */

static void test_a_retry_brings_a_new_token_and_guidance(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], header[BF_TOKEN_SIZE + 16];
    json_t *body = NULL;
    kit_create(k, "\"channel\":\"mobile_web\"", id);
    judge_as(k, "retry", "QUALITY_TOO_LOW");
    k->script.not_judged = true;
    k->script.code = BF_INPUT_QUALITY_TOO_LOW;
    k->script.guidance = "move_closer";
    bf_principal who = kit_person(id, 1);
    kit_request request = {.who = &who, .id = id, .image = "a picture", .body = "{}"};
    assert_int_equal(kit_call(k, bf_service_session_attempt, &request, NULL, &body, NULL), BF_OK);
    assert_string_equal(json_string_value(json_array_get(json_object_get(body, "guidance"), 0)), "move_closer");
    assert_string_equal(json_string_value(json_array_get(json_object_get(body, "messages"), 0)),
                        "Move a little closer to the camera.");
    assert_int_equal(number_at(body, "attempts_left"), 3);
    assert_int_equal(number_at(json_object_get(body, "plan"), "attempt"), 2);
    bf_token token = {.attempt = 0};
    (void)snprintf(header, sizeof header, "Bearer %s", text_at(body, "client_token"));
    assert_int_equal(bf_token_read(&k->master, header, k->now_ms, &token, NULL), BF_OK);
    assert_int_equal(token.attempt, 2);
    json_decref(body);
}

/* Whether it was a review or a refusal is not for the person's device, nor which check it was. */
static void test_review_and_refusal_look_the_same(void **state)
{
    kit *k = *state;
    static const char *const decisions[] = {"review", "reject", "challenge"};
    char text[3][512];
    for (int i = 0; i < 3; i++) {
        char id[BF_SESSION_ID_SIZE];
        bf_answer answer = {0};
        kit_create(k, "", id);
        judge_as(k, decisions[i], i == 1 ? "LIVENESS_FAILED" : "MATCH_NONE");
        k->script.guidance = i == 1 ? "contact_support" : "wait_for_review";
        bf_principal who = kit_person(id, 1);
        kit_request request = {.who = &who, .id = id, .image = "a picture", .body = "{}", .request_id = "same"};
        assert_int_equal(kit_call(k, bf_service_session_attempt, &request, &answer, NULL, NULL), BF_OK);
        assert_int_equal(answer.http, 200);
        (void)snprintf(text[i], sizeof text[i], "%s", (char *)answer.body.data);
        bf_answer_done(&answer);
    }
    assert_string_equal(text[0], text[1]);
    assert_string_equal(text[0], text[2]);
}

static void test_attempts_end(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], answer[16];
    kit_create(k, "", id);
    judge_as(k, "retry", "QUALITY_TOO_LOW");
    k->script.not_judged = true;
    for (int i = 1; i <= 9; i++) {
        assert_int_equal(kit_attempt(k, id, i, answer), BF_OK);
        assert_string_equal(answer, "retry");
    }
    assert_int_equal(kit_attempt(k, id, 10, answer), BF_OK);
    assert_string_equal(answer, "done");
    json_t *body = get(k, &KIT_BACK_END, id);
    const json_t *session = json_object_get(body, "session");
    assert_string_equal(text_at(json_object_get(session, "decision"), "reason"), "RETRY_LIMIT");
    assert_int_equal(number_at(session, "attempts_made"), 10);
    assert_int_equal(number_at(session, "attempts_left"), 0);
    assert_int_equal(json_array_size(json_object_get(body, "attempts")), 10);
    json_decref(body);
}

static void test_no_retry_beyond_the_sessions_end(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], answer[16];
    int64_t now_ms = k->now_ms;
    kit_create(k, "", id);
    judge_as(k, "retry", "QUALITY_TOO_LOW");
    k->script.not_judged = true;
    bf_session session = {0};
    for (int i = 1; i <= 5; i++) {
        k->now_ms += 175000;
        assert_int_equal(kit_attempt(k, id, i, answer), BF_OK);
        assert_string_equal(answer, "retry");
        kit_load(k, id, &session);
        assert_true(session.expires_ms <= session.ends_ms);
        bf_session_done(&session);
    }
    /* The last token ends with the session; a judgement that ends later asks for nothing more. */
    kit_load(k, id, &session);
    assert_int_equal(session.expires_ms, session.ends_ms);
    k->now_ms = session.ends_ms;
    assert_int_equal(kit_attempt(k, id, 6, answer), BF_SESSION_EXPIRED);
    bf_session_done(&session);
    k->now_ms = now_ms;
}

/* ---- failures ---- */

static void test_a_failure_does_not_use_up_the_attempt(void **state)
{
    kit *k = *state;
    static const bf_status failures[] = {BF_OVERLOADED, BF_SHUTTING_DOWN, BF_WORKER_LOST, BF_OUT_OF_MEMORY};
    char id[BF_SESSION_ID_SIZE], answer[16];
    kit_create(k, "", id);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        k->script = (kit_script){.fail = failures[i]};
        assert_int_equal(kit_attempt(k, id, 1, NULL), failures[i]);
        bf_session session = {0};
        kit_load(k, id, &session);
        assert_string_equal(session.claim, "");
        assert_int_equal(session.attempt, 1);
        bf_session_done(&session);
    }
    judge_as(k, "approve", "LIVE");
    assert_int_equal(kit_attempt(k, id, 1, answer), BF_OK);
    assert_string_equal(answer, "pass");
}

/* A record that only says that a model failed is no decision, as long as trying again may help. */
static void test_a_failed_model_is_an_error_or_a_review(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    bf_answer answer = {0};
    judge_as(k, "retry", "INTERNAL_ERROR");
    k->script.not_judged = true;
    k->script.code = BF_INFERENCE_FAILED;
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}", .request_id = "model-1"};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_INFERENCE_FAILED);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE request_id = $1", "model-1"), 0);
    kit_create(k, "", id);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_INFERENCE_FAILED);
    k->script.decision = "review";
    k->script.code = BF_MODEL_TAMPERED;
    assert_int_equal(kit_call(k, bf_service_liveness, &request, &answer, NULL, NULL), BF_OK);
    assert_int_equal(answer.http, 200);
    assert_int_equal(answer.code, BF_MODEL_TAMPERED);
    bf_answer_done(&answer);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE request_id = $1", "model-1"), 1);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
}

static void test_a_file_that_kills_workers_is_quarantined(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    bf_principal who;
    kit_create(k, "", id);
    who = kit_person(id, 1);
    kit_request bomb = {.who = &who, .id = id, .body = "{}", .image = "boom"};
    kit_request again = {.who = &KIT_BACK_END, .body = "{}", .image = "boom"};
    k->script = (kit_script){.fail = BF_WORKER_LOST};
    assert_int_equal(kit_call(k, bf_service_session_attempt, &bomb, NULL, NULL, NULL), BF_WORKER_LOST);
    assert_int_equal(kit_call(k, bf_service_session_attempt, &bomb, NULL, NULL, NULL), BF_WORKER_LOST);
    judge_as(k, "approve", "LIVE");
    assert_int_equal(kit_call(k, bf_service_session_attempt, &bomb, NULL, NULL, NULL), BF_INPUT_QUARANTINED);
    assert_int_equal(kit_call(k, bf_service_liveness, &again, NULL, NULL, NULL), BF_INPUT_QUARANTINED);
    assert_int_equal(kit_leaves(k, "security", "quarantined_input"), 2);
    /* The person may send another picture. */
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
    /* One loss and then an answer is no pattern. */
    kit_request unlucky = {.who = &KIT_BACK_END, .body = "{}", .image = "luckless"};
    for (int i = 0; i < 3; i++) {
        k->script = (kit_script){.fail = BF_WORKER_LOST};
        assert_int_equal(kit_call(k, bf_service_liveness, &unlucky, NULL, NULL, NULL), BF_WORKER_LOST);
        judge_as(k, "approve", "LIVE");
        assert_int_equal(kit_call(k, bf_service_liveness, &unlucky, NULL, NULL, NULL), BF_OK);
    }
}

/* ---- one-shot ---- */

static void test_one_shot_is_stored_and_provable(void **state)
{
    kit *k = *state;
    bf_answer first = {0}, shown = {0};
    json_t *body = NULL;
    judge_as(k, "approve", "LIVE");
    kit_request request = {.who = &KIT_BACK_END,
                           .image = "a picture",
                           .request_id = "order-1",
                           .body = "{\"flow_type\":\"account_opening\",\"device_context\":{\"platform\":\"web\"}}"};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, &first, NULL, NULL), BF_OK);
    assert_int_equal(first.http, 200);
    assert_string_equal(first.decision, "approve");
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_REQUEST_ID_TAKEN);
    kit_request look = {.who = &KIT_BACK_END, .id = "order-1"};
    assert_int_equal(kit_call(k, bf_service_decision_get, &look, &shown, &body, NULL), BF_OK);
    /* The record stands in the answer byte for byte, and its hash in the leaf that is proved. */
    const char *record = strstr((const char *)shown.body.data, "\"record\":") + strlen("\"record\":");
    assert_memory_equal(record, first.body.data, first.body.size);
    char sha256[65];
    bf_sha256_hex(first.body.data, first.body.size, sha256);
    assert_string_equal(text_at(body, "record_sha256"), sha256);
    const json_t *proof = json_object_get(body, "proof");
    assert_non_null(strstr(text_at(proof, "leaf"), sha256));
    assert_null(strstr(text_at(proof, "leaf"), "score"));
    assert_true(number_at(proof, "tree_size") > number_at(proof, "index"));
    assert_int_equal(kit_leaves(k, "record_read", "order-1"), 1);
    json_decref(body);
    bf_answer_done(&first);
    bf_answer_done(&shown);
}

static void test_who_sees_a_decision(void **state)
{
    kit *k = *state;
    judge_as(k, "approve", "LIVE");
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .request_id = "order-2", .body = "{}"};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_OK);
    kit_request look = {.who = &KIT_OTHER_BACK_END, .id = "order-2"};
    assert_int_equal(kit_call(k, bf_service_decision_get, &look, NULL, NULL, NULL), BF_NOT_FOUND);
    look.who = &KIT_AUDITOR;
    assert_int_equal(kit_call(k, bf_service_decision_get, &look, NULL, NULL, NULL), BF_OK);
    look.who = &KIT_REVIEWER; /* of another client */
    assert_int_equal(kit_call(k, bf_service_decision_get, &look, NULL, NULL, NULL), BF_NOT_FOUND);
    const bf_principal reviewer = {.role = BF_ACCESS_REVIEWER, .client = "bank", .key_id = "reviewerkey"};
    look.who = &reviewer;
    assert_int_equal(kit_call(k, bf_service_decision_get, &look, NULL, NULL, NULL), BF_OK);
    assert_int_equal(kit_leaves(k, "record_read", "order-2"), 2);
    /* The same id is free for another client. */
    request.who = &KIT_OTHER_BACK_END;
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_OK);
}

static void test_http_of_a_record(void **state)
{
    kit *k = *state;
    bf_answer answer = {0};
    judge_as(k, "retry", "INPUT_UNUSABLE");
    k->script.not_judged = true;
    k->script.code = BF_CORRUPT_IMAGE;
    kit_request request = {.who = &KIT_BACK_END, .image = "no picture", .body = "{}"};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, &answer, NULL, NULL), BF_OK);
    assert_int_equal(answer.http, 422);
    assert_int_equal(answer.code, BF_CORRUPT_IMAGE);
    bf_answer_done(&answer);
    k->script.code = BF_NO_FACE;
    assert_int_equal(kit_call(k, bf_service_liveness, &request, &answer, NULL, NULL), BF_OK);
    assert_int_equal(answer.http, 200);
    bf_answer_done(&answer);
}

static void test_session_fields_cannot_be_said_twice(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], body[160];
    bf_error err = {0};
    kit_create(k, "", id);
    (void)snprintf(body, sizeof body, "{\"session_id\":\"%s\",\"channel\":\"kiosk\"}", id);
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = body};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, &err), BF_INVALID_REQUEST);
    assert_non_null(strstr(err.message, "channel"));
    (void)snprintf(body, sizeof body, "{\"session_id\":\"%s\"}", id);
    request.reference = "a portrait";
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, &err), BF_INVALID_REQUEST);
    assert_non_null(strstr(err.message, "reference"));
}

static void test_match(void **state)
{
    kit *k = *state;
    json_t *body = NULL;
    judge_as(k, "retry", "INTERNAL_ERROR");
    k->script.not_judged = true;
    k->script.code = BF_NO_LIVENESS_EVIDENCE;
    kit_request request = {.who = &KIT_BACK_END, .image = "one", .reference = "two", .body = "{}"};
    assert_int_equal(kit_call(k, bf_service_match, &request, NULL, &body, NULL), BF_OK);
    assert_true(json_is_true(json_object_get(body, "success")));
    assert_string_equal(text_at(body, "status"), "ok");
    assert_true(json_is_null(json_object_get(body, "error")));
    json_decref(body);
    k->script.problem = "REFERENCE_NO_FACE";
    assert_int_equal(kit_call(k, bf_service_match, &request, NULL, &body, NULL), BF_OK);
    assert_false(json_is_true(json_object_get(body, "success")));
    assert_string_equal(text_at(body, "status"), "could_not_judge");
    assert_string_equal(text_at(json_object_get(body, "error"), "code"), "REFERENCE_NO_FACE");
    json_decref(body);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE kind = $1", "match"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_is_opened),
        cmocka_unit_test(test_what_cannot_be_opened),
        cmocka_unit_test(test_the_judge_sees_the_session),
        cmocka_unit_test(test_earlier_rejections_of_a_person_count),
        cmocka_unit_test(test_the_kill_switch_reaches_the_judge),
        cmocka_unit_test(test_a_retry_brings_a_new_token_and_guidance),
        cmocka_unit_test(test_review_and_refusal_look_the_same),
        cmocka_unit_test(test_attempts_end),
        cmocka_unit_test(test_no_retry_beyond_the_sessions_end),
        cmocka_unit_test(test_a_failure_does_not_use_up_the_attempt),
        cmocka_unit_test(test_a_failed_model_is_an_error_or_a_review),
        cmocka_unit_test(test_a_file_that_kills_workers_is_quarantined),
        cmocka_unit_test(test_one_shot_is_stored_and_provable),
        cmocka_unit_test(test_who_sees_a_decision),
        cmocka_unit_test(test_http_of_a_record),
        cmocka_unit_test(test_session_fields_cannot_be_said_twice),
        cmocka_unit_test(test_match),
    };
    return kit_run_over_both("session_flow", tests, sizeof tests / sizeof *tests);
}
