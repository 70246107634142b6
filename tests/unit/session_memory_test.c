/* Every allocation of an operation failed in turn: the caller hears about it, and the session is as it was or as it
 * should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "support/session_kit.h"

#define TRIES_MAX 400

static bool is_out_of_memory(bf_status status)
{
    return status == BF_OUT_OF_MEMORY || status == BF_STORE_UNAVAILABLE;
}

/* Calls again and again, each time with the next allocation failing, until none is left to fail. Returns how many
 * calls failed. */
static int exhaust(kit *k, bf_operation *operation, const kit_request *request, void (*prepare)(kit *k))
{
    int failed = 0;
    for (size_t nth = 1; nth < TRIES_MAX; nth++) {
        if (prepare)
            prepare(k);
        bf_answer answer = {0};
        (void)bf_alloc_fail_after(nth, 0);
        bf_status status = kit_call(k, operation, request, &answer, NULL, NULL);
        size_t made = bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OK || is_out_of_memory(status));
        assert_true(status != BF_OK || (answer.body.data && answer.body.size > 0));
        bf_answer_done(&answer);
        failed += status != BF_OK;
        if (made < nth)
            return failed;
    }
    fail_msg("more than %d allocations", TRIES_MAX);
    return failed;
}

static void test_creation(void **state)
{
    kit *k = *state;
    kit_request request = {.who = &KIT_BACK_END,
                           .body = "{\"flow_type\":\"account_opening\",\"subject\":\"p\",\"risk_context\":"
                                   "{\"risk_tier\":\"low\"},\"webhook\":{\"url\":\"https://example.com/\"},"
                                   "\"mode\":\"active\",\"capture\":{\"exclude\":[\"smile\"]}}",
                           .reference = "a portrait"};
    int64_t before = kit_count(k, "SELECT COUNT(*) FROM session", NULL);
    int failed = exhaust(k, bf_service_session_create, &request, NULL);
    assert_true(failed > 3);
    /* What failed left nothing, except where only the outcome of the commit was unknown. */
    assert_true(kit_count(k, "SELECT COUNT(*) FROM session", NULL) - before >= 1);
}

static void test_one_shot(void **state)
{
    kit *k = *state;
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}"};
    assert_true(exhaust(k, bf_service_liveness, &request, NULL) > 3);
}

static char attempted[BF_SESSION_ID_SIZE];
static bf_principal person;

static void open_another(kit *k)
{
    kit_create(k, "\"retain\":\"days\",\"retain_days\":1", attempted);
    person = kit_person(attempted, 1);
}

static void test_attempt(void **state)
{
    kit *k = *state;
    kit_request request = {.who = &person, .id = attempted, .image = "a picture", .body = "{\"client\":{}}"};
    assert_true(exhaust(k, bf_service_session_attempt, &request, open_another) > 3);
    /* No claim is left behind but where giving it back failed as well; none of the sessions is in between. */
    assert_int_equal(kit_count(k,
                               "SELECT COUNT(*) FROM session WHERE state = 'COMPLETED' AND NOT EXISTS(SELECT 1 FROM"
                               " decision WHERE decision.session_id = session.id)",
                               NULL),
                     0);
    assert_int_equal(kit_count(k,
                               "SELECT COUNT(*) FROM decision WHERE session_id IS NOT NULL AND EXISTS(SELECT 1 FROM"
                               " session WHERE session.id = decision.session_id AND session.state <> 'COMPLETED')",
                               NULL),
                     0);
}

static void test_another_plan(void **state)
{
    kit *k = *state;
    kit_request request = {.who = &person, .id = attempted, .body = "{\"exclude\":[\"blink\"],\"flash\":\"gentle\"}"};
    assert_true(exhaust(k, bf_service_session_plan, &request, open_another) > 3);
}

static void test_reading_and_erasing(void **state)
{
    kit *k = *state;
    kit_request request = {.who = &KIT_BACK_END, .id = attempted};
    kit_request proof = {.who = &KIT_AUDITOR, .id = "0"};
    (void)exhaust(k, bf_service_session_get, &request, NULL);
    (void)exhaust(k, bf_service_audit_proof, &proof, NULL);
    (void)exhaust(k, bf_service_session_erase, &request, open_another);
    assert_int_equal(kit_leaves(k, "erased", attempted), 1);
}

static int set_up(void **state)
{
    static kit k;
    kit_open(&k, &(bf_service_settings){0}, false);
    *state = &k;
    return 0;
}

static int tear_down(void **state)
{
    kit_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_creation),
        cmocka_unit_test(test_one_shot),
        cmocka_unit_test(test_attempt),
        cmocka_unit_test(test_another_plan),
        cmocka_unit_test(test_reading_and_erasing),
    };
    return cmocka_run_group_tests_name("session_memory", tests, set_up, tear_down);
}
