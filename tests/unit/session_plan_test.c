/* What the captures of a session are asked for, and what comes of it: plans, exclusions, passive, active and hybrid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/session_kit.h"

#define PLANS 40
#define NO_STEPS                                                                                                       \
    "[\"turn_left\",\"turn_right\",\"look_up\",\"look_down\",\"move_closer\",\"blink\",\"smile\",\"open_mouth\"]"

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static json_int_t number_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bf_plan plan_of(kit *k, const char *id)
{
    bf_plan plan = {.attempt = 0};
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_non_null(session.plan);
    assert_int_equal(bf_plan_parse(session.plan, strlen(session.plan), &plan, NULL), BF_OK);
    bf_session_done(&session);
    return plan;
}

static int asked_steps(const bf_plan *plan)
{
    int count = 0;
    for (int i = 0; i < plan->step_count; i++)
        count += plan->step[i].type != BF_STEP_HOLD_STILL;
    return count;
}

static json_t *get(kit *k, const bf_principal *who, const char *id)
{
    json_t *body = NULL;
    kit_request request = {.who = who, .id = id};
    assert_int_equal(kit_call(k, bf_service_session_get, &request, NULL, &body, NULL), BF_OK);
    return body;
}

static void outcome(kit *k, const char *id, const char *decision, const char *reason)
{
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_string_equal(session.decision, decision);
    assert_string_equal(session.reason, reason);
    bf_session_done(&session);
}

/* The attempt, whose capture is judged as given. */
static void attempt(kit *k, const char *id, int number, kit_script script, const char *expected)
{
    char answer[16];
    k->script = script;
    assert_int_equal(kit_attempt(k, id, number, answer), BF_OK);
    assert_string_equal(answer, expected);
}

static bf_status change(kit *k, const char *id, int number, const char *wish, json_t **ret)
{
    bf_principal who = kit_person(id, number);
    kit_request request = {.who = &who, .id = id, .body = wish};
    return kit_call(k, bf_service_session_plan, &request, NULL, ret, NULL);
}

/* ---- plans ---- */

static void test_plans_are_new_each_time(void **state)
{
    kit *k = *state;
    static bf_plan plans[PLANS];
    int different = 0;
    for (int i = 0; i < PLANS; i++) {
        char id[BF_SESSION_ID_SIZE];
        kit_create(k, "\"mode\":\"active\"", id);
        plans[i] = plan_of(k, id);
        assert_true(bf_plan_is_active(&plans[i]));
        assert_in_range(asked_steps(&plans[i]), 2, 4);
        assert_int_equal(plans[i].flash.form, BF_FLASH_FULL);
        for (int before = 0; before < i; before++) {
            assert_string_not_equal(plans[i].nonce, plans[before].nonce);
            different += memcmp(plans[i].step, plans[before].step, sizeof plans[i].step) != 0;
        }
    }
    assert_true(different > PLANS * (PLANS - 1) / 2 * 9 / 10);
}

static void test_a_passive_plan_asks_for_nothing(void **state)
{
    kit *k = *state;
    static const char *const modes[] = {"", "\"mode\":\"passive\"", "\"mode\":\"hybrid\""};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char id[BF_SESSION_ID_SIZE];
        kit_create(k, modes[i], id);
        const bf_plan plan = plan_of(k, id);
        assert_false(bf_plan_is_active(&plan));
        assert_int_equal(plan.attempt, 1);
        assert_int_equal(plan.flash.form, BF_FLASH_NONE);
    }
}

static void test_exclusions_are_obeyed(void **state)
{
    kit *k = *state;
    for (int i = 0; i < PLANS; i++) {
        char id[BF_SESSION_ID_SIZE];
        kit_create(k,
                   "\"mode\":\"active\",\"capture\":{\"exclude\":[\"turn_left\",\"turn_right\",\"look_up\","
                   "\"look_down\",\"blink\"],\"flash\":\"gentle\",\"pace\":\"relaxed\"}",
                   id);
        const bf_plan plan = plan_of(k, id);
        assert_int_equal(plan.flash.form, BF_FLASH_GENTLE);
        for (int step = 0; step < plan.step_count; step++) {
            bf_step_type type = plan.step[step].type;
            assert_true(type == BF_STEP_HOLD_STILL || type == BF_STEP_MOVE_CLOSER || type == BF_STEP_SMILE ||
                        type == BF_STEP_OPEN_MOUTH);
        }
    }
}

static bf_status open_with(kit *k, const char *body, json_t **ret)
{
    kit_request request = {.who = &KIT_BACK_END, .body = body};
    return kit_call(k, bf_service_session_create, &request, NULL, ret, NULL);
}

static void test_what_cannot_be_opened(void **state)
{
    kit *k = *state;
    assert_int_equal(
        open_with(k,
                  "{\"flow_type\":\"account_opening\",\"mode\":\"active\",\"capture\":{\"exclude\":" NO_STEPS
                  ",\"flash\":\"none\"}}",
                  NULL),
        BF_MODE_NOT_SUPPORTED);
    assert_int_equal(
        open_with(k, "{\"flow_type\":\"account_opening\",\"capture\":{\"exclude\":[\"hold_still\"]}}", NULL),
        BF_INVALID_REQUEST);
}

#define FLOW(name) "{\"flow_type\":\"" name "\",\"mode\":"

/* The patterns of the shipped policies: a hybrid session asks from the first capture on, by the risk, or later. */
static void test_when_a_hybrid_session_asks(void **state)
{
    kit *k = *state;
    static const struct {
        const char *body;
        bool active;
    } rows[] = {
        {FLOW("account_opening") "\"hybrid\",\"channel\":\"ios_app\"}", false},
        {FLOW("account_recovery") "\"hybrid\"}", true},
        {FLOW("account_recovery") "\"passive\"}", false},
        {FLOW("login_step_up") "\"hybrid\"}", false},
        {FLOW("login_step_up") "\"active\"}", true},
        {FLOW("login_step_up") "\"hybrid\",\"risk_context\":{\"risk_tier\":\"medium\"}}", true},
        {FLOW("login_step_up") "\"hybrid\",\"device_context\":{\"device_signals\":[\"emulator\"]}}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *body = NULL;
        assert_int_equal(open_with(k, rows[i].body, &body), BF_OK);
        const json_t *session = json_object_get(body, "session");
        assert_int_equal(json_is_true(json_object_get(session, "active")), rows[i].active);
        const bf_plan plan = plan_of(k, text_at(session, "id"));
        assert_int_equal(bf_plan_is_active(&plan), rows[i].active);
        json_decref(body);
    }
}

/* Every attempt has a nonce of its own, and it is this plan that the judging process is told. */
static void test_each_attempt_has_its_own_plan(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], told[BF_PLAN_TEXT_MAX];
    kit_create(k, "\"mode\":\"active\"", id);
    const bf_plan first = plan_of(k, id);
    atomic_store(&k->judged, 0);
    attempt(k, id, 1, (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true}, "retry");
    (void)bf_plan_write(&first, told);
    assert_string_equal(k->plan, told);
    const bf_plan second = plan_of(k, id);
    assert_int_equal(second.attempt, 2);
    assert_true(bf_plan_is_active(&second));
    assert_string_not_equal(second.nonce, first.nonce);
    attempt(k, id, 2, (kit_script){.decision = "approve", .reason = "LIVE", .challenge = "followed"}, "pass");
    json_t *body = get(k, &KIT_BACK_END, id);
    const json_t *attempts = json_object_get(body, "attempts");
    assert_string_equal(text_at(json_object_get(json_array_get(attempts, 0), "asked"), "nonce"), first.nonce);
    assert_string_equal(text_at(json_object_get(json_array_get(attempts, 1), "asked"), "nonce"), second.nonce);
    json_decref(body);
    assert_int_equal(kit_leaves(k, "decision", "\"asked\":\"active\"") >= 2, 1);
}

static void test_who_sees_the_plan(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"active\"", id);
    const bf_plan plan = plan_of(k, id);
    json_t *body = get(k, &KIT_BACK_END, id);
    const json_t *shown = json_object_get(body, "plan");
    assert_string_equal(text_at(shown, "nonce"), plan.nonce);
    assert_true(number_at(json_object_get(shown, "frames"), "frames_max") > 0);
    assert_true(number_at(shown, "bytes_max") > 0);
    json_decref(body);
    body = get(k, &KIT_AUDITOR, id);
    assert_true(json_is_null(json_object_get(body, "plan")));
    json_decref(body);
}

/* ---- another plan ---- */

static void test_the_person_asks_for_another_plan(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    json_t *body = NULL;
    kit_create(k, "\"mode\":\"active\"", id);
    bf_plan before = plan_of(k, id);
    int64_t leaves = kit_leaves(k, "plan_changed", id);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(change(k, id, 1, "{\"exclude\":[\"blink\"],\"flash\":\"none\"}", &body), BF_OK);
        assert_string_equal(text_at(body, "answer"), "plan");
        assert_int_equal(number_at(body, "changes_left"), 2 - i);
        const bf_plan plan = plan_of(k, id);
        assert_string_equal(text_at(json_object_get(body, "plan"), "nonce"), plan.nonce);
        assert_string_not_equal(plan.nonce, before.nonce);
        assert_int_equal(plan.flash.form, BF_FLASH_NONE);
        before = plan;
        json_decref(body);
    }
    assert_int_equal(change(k, id, 1, "{}", NULL), BF_PLAN_FIXED);
    assert_int_equal(kit_leaves(k, "plan_changed", id) - leaves, 3);
    assert_int_equal(kit_leaves(k, "plan_changed", "blink"), 0);
    attempt(k, id, 1, (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true}, "retry");
    assert_int_equal(change(k, id, 1, "{}", NULL), BF_ATTEMPT_REPLAYED);
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_non_null(strstr(session.wish, "blink"));
    bf_session_done(&session);
}

/* What the back end has said of the person holds, though the device does not know it. */
static void test_what_is_left_out_stays_out(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"active\",\"capture\":{\"exclude\":[\"smile\"],\"flash\":\"none\",\"pace\":\"relaxed\"}",
               id);
    assert_int_equal(change(k, id, 1, "{}", NULL), BF_OK);
    assert_int_equal(change(k, id, 1, "{\"exclude\":[\"blink\"],\"flash\":\"full\",\"pace\":\"normal\"}", NULL), BF_OK);
    const bf_plan plan = plan_of(k, id);
    assert_int_equal(plan.flash.form, BF_FLASH_NONE);
    bf_session session = {0};
    bf_capture_wish wish;
    kit_load(k, id, &session);
    assert_int_equal(bf_wish_of_session(&session, &wish, NULL), BF_OK);
    bf_session_done(&session);
    assert_true(wish.exclude[BF_STEP_SMILE] && wish.exclude[BF_STEP_BLINK] && !wish.exclude[BF_STEP_TURN_LEFT]);
    assert_true(wish.relaxed);
    assert_int_equal(wish.flash, BF_FLASH_NONE);
}

/* A journey that leaves steps out for its back end only: the device may spare its person the flash, and no more. */
static void test_what_a_device_may_not_leave_out(void **state)
{
    kit *k = *state;
    json_t *body = NULL;
    assert_int_equal(open_with(k, FLOW("account_recovery") "\"hybrid\",\"capture\":{\"exclude\":[\"smile\"]}}", &body),
                     BF_OK);
    char id[BF_SESSION_ID_SIZE];
    (void)snprintf(id, sizeof id, "%s", text_at(json_object_get(body, "session"), "id"));
    json_decref(body);
    const bf_plan before = plan_of(k, id);
    assert_int_equal(change(k, id, 1, "{\"exclude\":[\"blink\"]}", NULL), BF_EXCLUSION_REFUSED);
    assert_int_equal(change(k, id, 1, "{\"exclude\":[\"blink\"],\"flash\":\"none\"}", NULL), BF_EXCLUSION_REFUSED);
    assert_string_equal(plan_of(k, id).nonce, before.nonce);
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_int_equal(session.plans_changed, 0);
    assert_null(strstr(session.wish, "blink"));
    bf_session_done(&session);
    /* What is left out already may be said again; gentle light and more time are nobody's to refuse. */
    assert_int_equal(change(k, id, 1, "{\"exclude\":[\"smile\"],\"flash\":\"gentle\",\"pace\":\"relaxed\"}", NULL),
                     BF_OK);
    assert_int_equal(plan_of(k, id).flash.form, BF_FLASH_GENTLE);
    assert_int_equal(change(k, id, 1, "{\"flash\":\"none\"}", NULL), BF_OK);
    assert_int_equal(plan_of(k, id).flash.form, BF_FLASH_NONE);
    const bf_plan after = plan_of(k, id);
    assert_true(bf_plan_is_active(&after));
}

/* Nor before anything is asked, so that a later challenge would lack it; nor where nothing ever is. */
static void test_a_device_leaves_nothing_out_beforehand(void **state)
{
    kit *k = *state;
    json_t *body = NULL;
    char id[BF_SESSION_ID_SIZE];
    assert_int_equal(open_with(k, FLOW("account_recovery") "\"passive\"}", &body), BF_OK);
    (void)snprintf(id, sizeof id, "%s", text_at(json_object_get(body, "session"), "id"));
    json_decref(body);
    assert_int_equal(change(k, id, 1, "{\"exclude\":[\"blink\"]}", NULL), BF_EXCLUSION_REFUSED);
    assert_int_equal(change(k, id, 1, "{}", NULL), BF_OK);
}

static void test_nothing_left_to_ask_is_a_review(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    json_t *body = NULL;
    kit_create(k, "\"mode\":\"active\"", id);
    assert_int_equal(change(k, id, 1, "{\"exclude\":" NO_STEPS ",\"flash\":\"none\"}", &body), BF_OK);
    assert_string_equal(text_at(body, "answer"), "done");
    assert_true(json_is_null(json_object_get(body, "plan")));
    json_decref(body);
    outcome(k, id, "review", "CHALLENGE_UNAVAILABLE");
    body = get(k, &KIT_BACK_END, id);
    const json_t *session = json_object_get(body, "session");
    assert_int_equal(number_at(session, "attempts_made"), 0);
    assert_true(json_is_null(json_object_get(json_object_get(session, "decision"), "request_id")));
    json_decref(body);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_SESSION_FINISHED);
}

/* The same where the challenge comes later. */
static void test_a_challenge_that_nobody_can_be_asked(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"hybrid\",\"capture\":{\"exclude\":" NO_STEPS ",\"flash\":\"none\"}", id);
    attempt(k, id, 1, (kit_script){.decision = "challenge", .reason = "LIVENESS_UNCERTAIN"}, "done");
    outcome(k, id, "review", "CHALLENGE_UNAVAILABLE");
}

static void test_another_persons_session_gives_no_plan(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], other[BF_SESSION_ID_SIZE];
    kit_create(k, "", id);
    kit_create(k, "", other);
    bf_principal who = kit_person(other, 1);
    kit_request request = {.who = &who, .id = id, .body = "{}"};
    assert_int_equal(kit_call(k, bf_service_session_plan, &request, NULL, NULL, NULL), BF_NOT_FOUND);
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_int_equal(session.plans_changed, 0);
    bf_session_done(&session);
}

/* ---- passive, active, hybrid ---- */

static void test_hybrid_goes_on_with_a_challenge(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"hybrid\"", id);
    attempt(k, id, 1, (kit_script){.decision = "challenge", .reason = "RISK_HIGH"}, "challenge");
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_int_equal(session.state, BF_SESSION_IN_PROGRESS);
    assert_int_equal(session.challenges, 1);
    assert_int_equal(session.quality_retries + session.uncertain_retries, 0); /* the capture was not at fault */
    assert_true(session.active);
    bf_session_done(&session);
    bf_plan plan = plan_of(k, id);
    assert_true(bf_plan_is_active(&plan));
    attempt(k, id, 2, (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true}, "retry");
    plan = plan_of(k, id);
    assert_true(bf_plan_is_active(&plan)); /* a retry does not make it passive again */
    attempt(k, id, 3, (kit_script){.decision = "approve", .reason = "LIVE", .challenge = "followed"}, "pass");
    outcome(k, id, "approve", "LIVE");
    assert_int_equal(kit_leaves(k, "session_ended", "\"mode\":\"hybrid\"") >= 1, 1);
}

static void test_passive_never_asks(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"passive\"", id);
    attempt(k, id, 1, (kit_script){.decision = "challenge", .reason = "RISK_HIGH"}, "done");
    outcome(k, id, "review", "CHALLENGE_UNAVAILABLE");
}

/* Whatever the record says of the face: what was asked was not done. */
static void test_no_approval_without_what_was_asked(void **state)
{
    kit *k = *state;
    static const char *const said[] = {NULL, "not_asked", "unclear", "not_followed", "perhaps"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        char id[BF_SESSION_ID_SIZE];
        kit_create(k, "\"mode\":\"active\"", id);
        attempt(k, id, 1, (kit_script){.decision = "approve", .reason = "LIVE", .challenge = said[i]}, "done");
        outcome(k, id, "review", "CHALLENGE_UNAVAILABLE");
    }
}

/* A plan that only lights the face has no steps to be followed; what was not lit, a still among it, is no answer. */
static void test_a_plan_of_light_alone(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"active\",\"capture\":{\"exclude\":" NO_STEPS "}", id);
    attempt(k, id, 1, (kit_script){.decision = "approve", .reason = "LIVE", .challenge = "not_asked", .lit = true},
            "pass");
    kit_create(k, "\"mode\":\"active\",\"capture\":{\"exclude\":" NO_STEPS "}", id);
    attempt(k, id, 1, (kit_script){.decision = "approve", .reason = "LIVE", .challenge = "not_asked"}, "done");
    outcome(k, id, "review", "CHALLENGE_UNAVAILABLE");
}

static void test_challenges_end(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"hybrid\"", id);
    for (int i = 1; i < 10; i++)
        attempt(k, id, i, (kit_script){.decision = "challenge", .reason = "LIVENESS_UNCERTAIN"}, "challenge");
    attempt(k, id, 10, (kit_script){.decision = "challenge", .reason = "LIVENESS_UNCERTAIN"}, "done");
    outcome(k, id, "review", "RETRY_LIMIT");
}

/* ---- erasure ---- */

static void test_erasure_takes_plan_and_wish(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "\"mode\":\"active\",\"capture\":{\"exclude\":[\"blink\"]}", id);
    attempt(k, id, 1, (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true}, "retry");
    kit_request request = {.who = &KIT_BACK_END, .id = id};
    assert_int_equal(kit_call(k, bf_service_session_erase, &request, NULL, NULL, NULL), BF_OK);
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_null(session.wish);
    assert_null(session.plan);
    bf_session_done(&session);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE session_id = $1 AND plan IS NOT NULL", id), 0);
    json_t *body = get(k, &KIT_BACK_END, id);
    assert_true(json_is_null(json_object_get(json_object_get(body, "session"), "capture")));
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans_are_new_each_time),
        cmocka_unit_test(test_a_passive_plan_asks_for_nothing),
        cmocka_unit_test(test_exclusions_are_obeyed),
        cmocka_unit_test(test_what_cannot_be_opened),
        cmocka_unit_test(test_when_a_hybrid_session_asks),
        cmocka_unit_test(test_each_attempt_has_its_own_plan),
        cmocka_unit_test(test_who_sees_the_plan),
        cmocka_unit_test(test_the_person_asks_for_another_plan),
        cmocka_unit_test(test_what_is_left_out_stays_out),
        cmocka_unit_test(test_what_a_device_may_not_leave_out),
        cmocka_unit_test(test_a_device_leaves_nothing_out_beforehand),
        cmocka_unit_test(test_nothing_left_to_ask_is_a_review),
        cmocka_unit_test(test_a_challenge_that_nobody_can_be_asked),
        cmocka_unit_test(test_another_persons_session_gives_no_plan),
        cmocka_unit_test(test_hybrid_goes_on_with_a_challenge),
        cmocka_unit_test(test_passive_never_asks),
        cmocka_unit_test(test_no_approval_without_what_was_asked),
        cmocka_unit_test(test_a_plan_of_light_alone),
        cmocka_unit_test(test_challenges_end),
        cmocka_unit_test(test_erasure_takes_plan_and_wish),
    };
    return kit_run_over_both("session_plan", tests, sizeof tests / sizeof *tests);
}
