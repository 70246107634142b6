/* Idempotency, references, retention, erasure, webhooks, housekeeping, proofs: what is kept, for how long, and what is
 * gone afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/session_kit.h"

#define DAY_MS (24LL * 3600 * 1000)

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void judge_as(kit *k, const char *decision, const char *reason)
{
    k->script = (kit_script){.decision = decision, .reason = reason};
}

static bf_status erase(kit *k, const char *id)
{
    kit_request request = {.who = &KIT_BACK_END, .id = id};
    return kit_call(k, bf_service_session_erase, &request, NULL, NULL, NULL);
}

/* ---- idempotency ---- */

static void test_a_repeated_creation_gives_the_first_answer(void **state)
{
    kit *k = *state;
    bf_answer first = {0}, second = {0};
    kit_request request = {.who = &KIT_BACK_END,
                           .body = "{\"flow_type\":\"account_opening\"}",
                           .idempotency_key = "create-1",
                           .reference = "a portrait"};
    int64_t before = kit_count(k, "SELECT COUNT(*) FROM session", NULL);
    assert_int_equal(kit_call(k, bf_service_session_create, &request, &first, NULL, NULL), BF_OK);
    assert_int_equal(kit_call(k, bf_service_session_create, &request, &second, NULL, NULL), BF_OK);
    assert_false(first.repeated);
    assert_true(second.repeated);
    assert_int_equal(second.http, 201);
    assert_int_equal(second.body.size, first.body.size);
    assert_memory_equal(second.body.data, first.body.data, first.body.size);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM session", NULL), before + 1);
    bf_answer_done(&first);
    bf_answer_done(&second);
    /* Another request under the same key. */
    request.image = "x";
    request.body = "{\"flow_type\":\"login_step_up\"}";
    request.image = "something else";
    assert_int_equal(kit_call(k, bf_service_session_create, &request, NULL, NULL, NULL), BF_IDEMPOTENCY_CONFLICT);
    /* The store's copy of the answer holds no token that could be read. */
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM idempotency WHERE CAST(body AS TEXT) LIKE $1", "%bft_%"), 0);
}

static void test_a_repeated_upload_gives_the_first_answer(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    bf_answer first = {0}, second = {0};
    kit_create(k, "", id);
    judge_as(k, "retry", "LIVENESS_UNCERTAIN");
    bf_principal who = kit_person(id, 1);
    kit_request request = {.who = &who, .id = id, .image = "a picture", .body = "{}", .idempotency_key = "up-1"};
    int judged = atomic_load(&k->judged);
    assert_int_equal(kit_call(k, bf_service_session_attempt, &request, &first, NULL, NULL), BF_OK);
    assert_int_equal(kit_call(k, bf_service_session_attempt, &request, &second, NULL, NULL), BF_OK);
    assert_true(second.repeated);
    assert_memory_equal(second.body.data, first.body.data, first.body.size);
    assert_int_equal(atomic_load(&k->judged), judged + 1);
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_int_equal(session.replays, 0);
    bf_session_done(&session);
    bf_answer_done(&first);
    bf_answer_done(&second);
    /* Without the key it is a replay. */
    request.idempotency_key = NULL;
    assert_int_equal(kit_call(k, bf_service_session_attempt, &request, NULL, NULL, NULL), BF_ATTEMPT_REPLAYED);
    /* A person's keys are no obstacle to the back end's. */
    kit_request other = {.who = &KIT_BACK_END, .image = "b", .body = "{}", .idempotency_key = "up-1"};
    judge_as(k, "approve", "LIVE");
    assert_int_equal(kit_call(k, bf_service_liveness, &other, NULL, NULL, NULL), BF_OK);
}

static void test_a_failure_frees_the_key(void **state)
{
    kit *k = *state;
    bf_answer answer = {0};
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}", .idempotency_key = "free-1"};
    k->script = (kit_script){.fail = BF_OVERLOADED};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_OVERLOADED);
    judge_as(k, "approve", "LIVE");
    assert_int_equal(kit_call(k, bf_service_liveness, &request, &answer, NULL, NULL), BF_OK);
    assert_false(answer.repeated);
    bf_answer_done(&answer);
}

static void repeat_meanwhile(void *context)
{
    kit *k = context;
    k->script.meanwhile = NULL;
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}", .idempotency_key = "busy-1"};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_IDEMPOTENCY_IN_PROGRESS);
}

static void test_a_repetition_of_what_is_under_way_waits(void **state)
{
    kit *k = *state;
    judge_as(k, "approve", "LIVE");
    k->script.meanwhile = repeat_meanwhile;
    k->script.meanwhile_context = k;
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}", .idempotency_key = "busy-1"};
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_OK);
    assert_null(k->script.meanwhile);
}

/* ---- the reference ---- */

static void test_the_reference_is_what_attempts_are_compared_with(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "", id);
    judge_as(k, "approve", "LIVE_AND_MATCHED");
    kit_request set = {.who = &KIT_BACK_END, .id = id, .body = "{}", .reference = "a portrait"};
    assert_int_equal(kit_call(k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_OK);
    set.reference = "a better portrait";
    assert_int_equal(kit_call(k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_OK);
    assert_int_equal(kit_leaves(k, "reference_set", id), 2);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
    assert_true(k->had_reference);
    /* It went with the session's end. */
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM vault_object WHERE session_id = $1", id), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM vault_key WHERE session_id = $1", id), 0);
}

static void test_a_portrait_that_cannot_be_used_may_be_replaced(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], answer[16];
    kit_create(k, "", id);
    kit_request set = {.who = &KIT_BACK_END, .id = id, .body = "{}", .reference = "a blurred portrait"};
    assert_int_equal(kit_call(k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_OK);
    judge_as(k, "retry", "QUALITY_TOO_LOW");
    assert_int_equal(kit_attempt(k, id, 1, answer), BF_OK);
    assert_int_equal(kit_call(k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_REFERENCE_FIXED);
    judge_as(k, "retry", "REFERENCE_UNUSABLE");
    k->script.problem = "REFERENCE_QUALITY_TOO_LOW";
    assert_int_equal(kit_attempt(k, id, 2, answer), BF_OK);
    set.reference = "a clear portrait";
    assert_int_equal(kit_call(k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_OK);
    judge_as(k, "approve", "LIVE_AND_MATCHED");
    assert_int_equal(kit_attempt(k, id, 3, answer), BF_OK);
    assert_string_equal(answer, "pass");
}

/* ---- retention ---- */

static int64_t objects(kit *k, const char *id)
{
    return kit_count(k, "SELECT COUNT(*) FROM vault_object WHERE session_id = $1", id);
}

static void one_attempt(kit *k, const char *more, const char *decision, char id[BF_SESSION_ID_SIZE])
{
    json_t *body = NULL;
    char text[256];
    (void)snprintf(text, sizeof text, "{\"flow_type\":\"account_opening\"%s}", more);
    kit_request create = {.who = &KIT_BACK_END, .body = text, .reference = "a portrait"};
    assert_int_equal(kit_call(k, bf_service_session_create, &create, NULL, &body, NULL), BF_OK);
    (void)snprintf(id, BF_SESSION_ID_SIZE, "%s", text_at(json_object_get(body, "session"), "id"));
    json_decref(body);
    judge_as(k, decision, "LIVE");
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_OK);
}

static void test_what_is_kept_of_the_captures(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    one_attempt(k, "", "review", id);
    assert_int_equal(objects(k, id), 0);
    one_attempt(k, ",\"retain\":\"review\"", "approve", id);
    assert_int_equal(objects(k, id), 0);
    one_attempt(k, ",\"retain\":\"review\"", "review", id);
    assert_int_equal(objects(k, id), 2);
    bf_region media = BF_REGION_NONE;
    assert_int_equal(bf_vault_read(k->vault, k->store, id, "attempt-1", 1000, &media, NULL), BF_OK);
    assert_memory_equal(media.data, "a picture", media.size);
    bf_region_done(&media);
    one_attempt(k, ",\"retain\":\"days\",\"retain_days\":2", "reject", id);
    assert_int_equal(objects(k, id), 2);
    assert_int_equal(kit_count(k,
                               "SELECT COUNT(*) FROM vault_object WHERE session_id = $1 AND delete_after_ms >"
                               " stored_ms + 172000000",
                               id),
                     2);
}

/* ---- erasure ---- */

static void test_erasure(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    one_attempt(k,
                ",\"subject\":\"p-9\",\"retain\":\"days\",\"retain_days\":5,\"consent\":{\"text_version\":\"1\","
                "\"given_at\":\"2026-01-01T00:00:00Z\"},\"webhook\":{\"url\":\"https://example.com/hook\"}",
                "approve", id);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM webhook WHERE session_id = $1", id), 1);
    json_t *body = NULL;
    kit_request request = {.who = &KIT_BACK_END, .id = id};
    assert_int_equal(kit_call(k, bf_service_session_erase, &request, NULL, &body, NULL), BF_OK);
    const json_t *session = json_object_get(body, "session");
    assert_string_equal(text_at(session, "state"), "COMPLETED");
    assert_true(json_is_null(json_object_get(session, "subject")));
    assert_true(json_is_null(json_object_get(session, "consent")));
    assert_string_equal(text_at(json_object_get(session, "decision"), "decision"), "approve");
    const json_t *attempt = json_array_get(json_object_get(body, "attempts"), 0);
    assert_true(json_is_null(json_object_get(attempt, "record")));
    json_decref(body);
    assert_int_equal(objects(k, id), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM vault_key WHERE session_id = $1", id), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM webhook WHERE session_id = $1 AND finished_ms IS NULL", id), 0);
    assert_int_equal(
        kit_count(k, "SELECT COUNT(*) FROM session WHERE id = $1 AND risk IS NULL AND webhook IS NULL", id), 1);
    assert_int_equal(kit_leaves(k, "erased", id), 1);
    /* Again, and the proof remains. */
    assert_int_equal(erase(k, id), BF_OK);
    assert_int_equal(kit_leaves(k, "erased", id), 1);
    char request_id[64];
    (void)snprintf(request_id, sizeof request_id, "%s.1", id);
    kit_request look = {.who = &KIT_AUDITOR, .id = request_id};
    assert_int_equal(kit_call(k, bf_service_decision_get, &look, NULL, &body, NULL), BF_OK);
    assert_true(json_is_null(json_object_get(body, "record")));
    assert_non_null(strstr(text_at(json_object_get(body, "proof"), "leaf"), text_at(body, "record_sha256")));
    json_decref(body);
}

typedef struct under_way {
    kit *k;
    const char *id;
} under_way;

static void erase_meanwhile(void *context)
{
    const under_way *at = context;
    at->k->script.meanwhile = NULL;
    assert_int_equal(erase(at->k, at->id), BF_OK);
}

static void test_erasure_forgets_first_answers(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "", id);
    judge_as(k, "approve", "LIVE");
    bf_principal who = kit_person(id, 1);
    kit_request upload = {.who = &who, .id = id, .image = "a face", .body = "{}", .idempotency_key = "first"};
    assert_int_equal(kit_call(k, bf_service_session_attempt, &upload, NULL, NULL, NULL), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM idempotency WHERE session_id = $1", id), 1);
    assert_int_equal(erase(k, id), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM idempotency WHERE session_id = $1", id), 0);
    assert_int_equal(kit_call(k, bf_service_session_attempt, &upload, NULL, NULL, NULL), BF_SESSION_FINISHED);
}

/* The person asks to be forgotten while the capture is being judged: nothing of it is stored afterwards. */
static void test_erasure_overtakes_an_attempt(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"retain\":\"days\",\"retain_days\":5,\"webhook\":{\"url\":\"https://example.com/hook\"}", id);
    judge_as(k, "approve", "LIVE");
    under_way at = {k, id};
    k->script.meanwhile = erase_meanwhile;
    k->script.meanwhile_context = &at;
    bf_principal who = kit_person(id, 1);
    kit_request upload = {.who = &who, .id = id, .image = "a face", .body = "{}", .idempotency_key = "gone"};
    assert_int_equal(kit_call(k, bf_service_session_attempt, &upload, NULL, NULL, NULL), BF_SESSION_FINISHED);
    assert_int_equal(objects(k, id), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM vault_key WHERE session_id = $1", id), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE session_id = $1", id), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM webhook WHERE session_id = $1 AND finished_ms IS NULL", id), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM idempotency WHERE name = $1", "gone"), 0);
}

/* ---- a replica that dies ---- */

static void take_over(void *context)
{
    const under_way *at = context;
    char answer[16];
    at->k->script.meanwhile = NULL;
    at->k->now_ms += BF_POOL_JOB_MS + 31000; /* the claim has lapsed */
    assert_int_equal(kit_attempt(at->k, at->id, 1, answer), BF_OK);
    assert_string_equal(answer, "pass");
}

/* The first upload hangs, a second one takes over when its claim has lapsed; the first finds that out at its end. */
static void test_who_comes_back_too_late_decides_nothing(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    int64_t now_ms = k->now_ms;
    kit_create(k, "", id);
    judge_as(k, "approve", "LIVE");
    under_way at = {k, id};
    k->script.meanwhile = take_over;
    k->script.meanwhile_context = &at;
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_SESSION_FINISHED);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE session_id = $1", id), 1);
    k->now_ms = now_ms;
}

/* ---- webhooks and housekeeping ---- */

static void test_every_end_is_told_once(void **state)
{
    kit *k = *state;
    char done[BF_SESSION_ID_SIZE], expired[BF_SESSION_ID_SIZE];
    int64_t now_ms = k->now_ms;
    one_attempt(k, ",\"webhook\":{\"url\":\"https://example.com/hook\"}", "reject", done);
    kit_create(k, "\"webhook\":{\"url\":\"https://example.com/hook\"}", expired);
    k->now_ms += 200000;
    assert_int_equal(bf_service_tidy(k->service, k->now_ms, NULL), BF_OK);
    assert_int_equal(bf_service_tidy(k->service, k->now_ms, NULL), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM webhook WHERE session_id = $1", done), 1);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM webhook WHERE session_id = $1", expired), 1);
    assert_int_equal(kit_leaves(k, "session_ended", expired), 1);
    assert_int_equal(kit_count(k,
                               "SELECT COUNT(*) FROM webhook WHERE session_id = $1 AND body LIKE"
                               " '%\"state\":\"EXPIRED\"%'",
                               expired),
                     1);
    static const char counted[] =
        "\nbonafide_sessions_ended_total{flow=\"account_opening\",channel=\"unspecified\",state=\"EXPIRED\"} ";
    bf_bytes metrics = {0};
    assert_int_equal(bf_metrics_write(k->metrics, &(bf_metrics_gauges){0}, &metrics, NULL), BF_OK);
    assert_non_null(memmem(metrics.data, metrics.size, counted, sizeof counted - 1));
    bf_bytes_done(&metrics);
    k->now_ms = now_ms;
}

static void test_housekeeping_ends_many(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    int64_t now_ms = k->now_ms;
    for (int i = 0; i < 150; i++)
        kit_create(k, "", id);
    k->now_ms += 200000;
    assert_int_equal(bf_service_tidy(k->service, k->now_ms, NULL), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM session WHERE state = $1", "CREATED"), 0);
    k->now_ms = now_ms;
}

static void test_housekeeping_forgets(void **state)
{
    kit *k = *state;
    kit_sql_number(k, "INSERT INTO quarantine(last_ms, sha256, losses) VALUES($1, $2, 1)", "one loss",
                   k->now_ms - 2 * DAY_MS);
    kit_sql_number(k, "INSERT INTO quarantine(last_ms, sha256, losses) VALUES($1, $2, 2)", "two losses",
                   k->now_ms - 2 * DAY_MS);
    kit_sql_number(k, "INSERT INTO quarantine(last_ms, sha256, losses) VALUES($1, $2, 3)", "a season ago",
                   k->now_ms - 91 * DAY_MS);
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}", .idempotency_key = "old-1"};
    judge_as(k, "approve", "LIVE");
    assert_int_equal(kit_call(k, bf_service_liveness, &request, NULL, NULL, NULL), BF_OK);
    assert_int_equal(bf_service_tidy(k->service, k->now_ms, NULL), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM quarantine WHERE sha256 = $1", "one loss"), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM quarantine WHERE sha256 = $1", "two losses"), 1);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM quarantine WHERE sha256 = $1", "a season ago"), 0);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM idempotency WHERE name = $1", "old-1"), 1);
    assert_int_equal(bf_service_tidy(k->service, k->now_ms + DAY_MS + 1000, NULL), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM idempotency WHERE name = $1", "old-1"), 0);
}

/* ---- limits and proofs ---- */

static void test_sessions_of_one_person_are_limited(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    bf_answer answer = {0};
    k->service->settings.per_subject = (bf_rate){.per_second = 0.01, .burst = 2};
    kit_create(k, "\"subject\":\"busy\"", id);
    kit_create(k, "\"subject\":\"busy\"", id);
    kit_request request = {.who = &KIT_BACK_END, .body = "{\"flow_type\":\"account_opening\",\"subject\":\"busy\"}"};
    assert_int_equal(kit_call(k, bf_service_session_create, &request, &answer, NULL, NULL), BF_RATE_LIMITED);
    assert_true(answer.retry_after_s >= 1);
    kit_create(k, "\"subject\":\"calm\"", id);
    kit_create(k, "", id);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM rate_bucket WHERE name LIKE $1", "%busy%"), 0);
    k->service->settings.per_subject = (bf_rate){0};
}

static void test_checkpoint_and_proofs(void **state)
{
    kit *k = *state;
    json_t *body = NULL;
    char since[64], id[BF_SESSION_ID_SIZE];
    kit_request request = {.who = &KIT_AUDITOR};
    assert_int_equal(kit_call(k, bf_service_audit_checkpoint, &request, NULL, &body, NULL), BF_OK);
    json_int_t size = json_integer_value(json_object_get(body, "size"));
    assert_true(size > 0);
    assert_true(json_is_null(json_object_get(body, "growth")));
    assert_non_null(strstr(text_at(body, "verifier_key"), "test.example/log+"));
    json_decref(body);
    kit_create(k, "", id);
    (void)snprintf(since, sizeof since, "{\"since\":%lld}", (long long)size);
    request.body = since;
    assert_int_equal(kit_call(k, bf_service_audit_checkpoint, &request, NULL, &body, NULL), BF_OK);
    assert_true(json_integer_value(json_object_get(body, "size")) > size);
    assert_true(json_array_size(json_object_get(body, "growth")) > 0);
    json_decref(body);
    request.body = "{\"since\":0}";
    assert_int_equal(kit_call(k, bf_service_audit_checkpoint, &request, NULL, &body, NULL), BF_OK);
    assert_int_equal(json_array_size(json_object_get(body, "growth")), 0);
    json_decref(body);
    request.body = "{\"since\":9007199254740991}";
    assert_int_equal(kit_call(k, bf_service_audit_checkpoint, &request, NULL, NULL, NULL), BF_INVALID_REQUEST);
    kit_request leaf = {.who = &KIT_AUDITOR, .id = "0"};
    assert_int_equal(kit_call(k, bf_service_audit_proof, &leaf, NULL, &body, NULL), BF_OK);
    assert_non_null(strstr(text_at(json_object_get(body, "proof"), "leaf"), "policy_changed"));
    json_decref(body);
    leaf.id = "123456789";
    assert_int_equal(kit_call(k, bf_service_audit_proof, &leaf, NULL, NULL, NULL), BF_NOT_FOUND);
    leaf.id = "1x";
    assert_int_equal(kit_call(k, bf_service_audit_proof, &leaf, NULL, NULL, NULL), BF_INVALID_REQUEST);
}

static void test_policies_are_noted_once(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_leaves(k, "policy_changed", "account_opening@"), 1);
    assert_int_equal(bf_service_policies(k->service, "uid:0", NULL), BF_OK);
    assert_int_equal(kit_leaves(k, "policy_changed", "account_opening@"), 1);
    kit_sql(k, "UPDATE setting SET value = $1 WHERE name = 'policies'", "others");
    assert_int_equal(bf_service_policies(k->service, "uid:0", NULL), BF_OK);
    assert_int_equal(kit_leaves(k, "policy_changed", "uid:0"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies_are_noted_once),
        cmocka_unit_test(test_a_repeated_creation_gives_the_first_answer),
        cmocka_unit_test(test_a_repeated_upload_gives_the_first_answer),
        cmocka_unit_test(test_a_failure_frees_the_key),
        cmocka_unit_test(test_a_repetition_of_what_is_under_way_waits),
        cmocka_unit_test(test_the_reference_is_what_attempts_are_compared_with),
        cmocka_unit_test(test_a_portrait_that_cannot_be_used_may_be_replaced),
        cmocka_unit_test(test_what_is_kept_of_the_captures),
        cmocka_unit_test(test_erasure),
        cmocka_unit_test(test_erasure_forgets_first_answers),
        cmocka_unit_test(test_erasure_overtakes_an_attempt),
        cmocka_unit_test(test_who_comes_back_too_late_decides_nothing),
        cmocka_unit_test(test_every_end_is_told_once),
        cmocka_unit_test(test_housekeeping_ends_many),
        cmocka_unit_test(test_housekeeping_forgets),
        cmocka_unit_test(test_sessions_of_one_person_are_limited),
        cmocka_unit_test(test_checkpoint_and_proofs),
    };
    return kit_run_over_both("session_kept", tests, sizeof tests / sizeof *tests);
}
