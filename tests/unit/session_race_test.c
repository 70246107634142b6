/* Many at once, in one replica and in two: one claim, no lost count, one end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/session_kit.h"

#define THREADS 32

typedef struct runner {
    kit *k;
    char id[BF_SESSION_ID_SIZE];
    int token_attempt; /* 0: the back end */
    const char *idempotency_key;
    bf_status status;
    bool repeated;
} runner;

static void *upload(void *context)
{
    runner *r = context;
    char body[96];
    bf_answer answer = {0};
    (void)snprintf(body, sizeof body, "{\"session_id\":\"%s\"}", r->id);
    bf_principal who = kit_person(r->id, r->token_attempt);
    kit_request request = {
        .who = &who, .id = r->id, .image = "a picture", .body = "{}", .idempotency_key = r->idempotency_key};
    if (r->token_attempt == 0) {
        request.who = &KIT_BACK_END;
        request.body = body;
    }
    bf_operation *operation = r->token_attempt == 0 ? bf_service_liveness : bf_service_session_attempt;
    r->status = kit_call(r->k, operation, &request, &answer, NULL, NULL);
    r->repeated = answer.repeated;
    bf_answer_done(&answer);
    return NULL;
}

static void *erase(void *context)
{
    runner *r = context;
    kit_request request = {.who = &KIT_BACK_END, .id = r->id};
    r->status = kit_call(r->k, bf_service_session_erase, &request, NULL, NULL, NULL);
    return NULL;
}

static void *tidy(void *context)
{
    runner *r = context;
    r->status = bf_service_tidy(r->k->service, r->k->now_ms + 200000, NULL);
    return NULL;
}

static void run(runner runners[], void *(*const what[])(void *), int count)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, what[i], &runners[i]), 0);
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static int count_status(const runner runners[], int count, bf_status status)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += runners[i].status == status;
    return found;
}

static void linger(void *context)
{
    (void)context;
    (void)usleep(20000);
}

static void all_upload(void *(*what[THREADS])(void *))
{
    for (int i = 0; i < THREADS; i++)
        what[i] = upload;
}

/* Half of the uploads come in through another replica. */
static void test_one_token_is_good_for_one_attempt(void **state)
{
    kit *k = *state;
    static kit other;
    kit_open_replica(&other, k, &(bf_service_settings){0});
    void *(*what[THREADS])(void *);
    runner runners[THREADS];
    all_upload(what);
    k->script = other.script = (kit_script){.decision = "retry", .reason = "LIVENESS_UNCERTAIN", .meanwhile = linger};
    for (int round = 0; round < 3; round++) {
        char id[BF_SESSION_ID_SIZE];
        kit_create(k, "", id);
        int judged = atomic_load(&k->judged) + atomic_load(&other.judged);
        for (int i = 0; i < THREADS; i++) {
            runners[i] = (runner){.k = i % 2 == 0 ? k : &other, .token_attempt = 1};
            memcpy(runners[i].id, id, sizeof id);
        }
        run(runners, what, THREADS);
        assert_int_equal(count_status(runners, THREADS, BF_OK), 1);
        int busy = count_status(runners, THREADS, BF_ATTEMPT_IN_PROGRESS);
        int replayed = count_status(runners, THREADS, BF_ATTEMPT_REPLAYED);
        assert_int_equal(busy + replayed, THREADS - 1);
        assert_int_equal(atomic_load(&k->judged) + atomic_load(&other.judged), judged + 1);
        bf_session session = {0};
        kit_load(k, id, &session);
        assert_int_equal(session.attempt, 2);
        assert_int_equal(session.replays, replayed);
        bf_session_done(&session);
    }
    kit_close(&other);
}

/* The back end and the person send at once, again and again: as many retries are counted as there were answers. */
static void test_no_retry_is_lost(void **state)
{
    kit *k = *state;
    void *(*what[THREADS])(void *);
    runner runners[THREADS];
    all_upload(what);
    k->service->settings.attempts_max = 1000;
    k->script = (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true};
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "", id);
    int answered = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < THREADS; i++) {
            runners[i] = (runner){.k = k};
            memcpy(runners[i].id, id, sizeof id);
        }
        run(runners, what, THREADS);
        answered += count_status(runners, THREADS, BF_OK);
    }
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_int_equal(session.attempt, answered + 1);
    assert_int_equal(session.quality_retries, answered);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE session_id = $1", id), answered);
    bf_session_done(&session);
    k->service->settings.attempts_max = 10;
}

/* One idempotency key, many tries: one judgement, and everybody else gets its answer or is told to wait. */
static void test_one_key_is_one_judgement(void **state)
{
    kit *k = *state;
    void *(*what[THREADS])(void *);
    runner runners[THREADS];
    char id[BF_SESSION_ID_SIZE];
    all_upload(what);
    k->script = (kit_script){.decision = "approve", .reason = "LIVE", .meanwhile = linger};
    kit_create(k, "", id);
    int judged = atomic_load(&k->judged);
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (runner){.k = k, .token_attempt = 1, .idempotency_key = "one"};
        memcpy(runners[i].id, id, sizeof id);
    }
    run(runners, what, THREADS);
    int ok = count_status(runners, THREADS, BF_OK);
    assert_true(ok >= 1);
    assert_int_equal(ok + count_status(runners, THREADS, BF_IDEMPOTENCY_IN_PROGRESS), THREADS);
    assert_int_equal(atomic_load(&k->judged), judged + 1);
    run(runners, what, 1);
    assert_int_equal(runners[0].status, BF_OK);
    assert_true(runners[0].repeated);
}

static void *judge_same_id(void *context)
{
    runner *r = context;
    kit_request request = {.who = &KIT_BACK_END, .image = "a picture", .body = "{}", .request_id = "the same"};
    r->status = kit_call(r->k, bf_service_liveness, &request, NULL, NULL, NULL);
    return NULL;
}

/* All are judged, because nobody is there before; one is stored. */
static void test_one_request_id_is_one_decision(void **state)
{
    kit *k = *state;
    void *(*what[THREADS])(void *);
    runner runners[THREADS];
    k->script = (kit_script){.decision = "approve", .reason = "LIVE", .meanwhile = linger};
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (runner){.k = k};
        what[i] = judge_same_id;
    }
    run(runners, what, THREADS);
    assert_int_equal(count_status(runners, THREADS, BF_OK), 1);
    assert_int_equal(count_status(runners, THREADS, BF_REQUEST_ID_TAKEN), THREADS - 1);
    assert_int_equal(kit_leaves(k, "decision", "the same"), 1);
}

/* An upload, an erasure and housekeeping meet: whoever comes first, nothing personal is left. */
static void test_erasure_wins(void **state)
{
    kit *k = *state;
    void *(*const what[])(void *) = {upload, erase, tidy, erase, upload};
    runner runners[5];
    k->script = (kit_script){.decision = "review", .reason = "LIVE", .meanwhile = linger};
    for (int round = 0; round < 20; round++) {
        char id[BF_SESSION_ID_SIZE];
        kit_create(k, "\"subject\":\"p\",\"retain\":\"days\",\"retain_days\":9", id);
        for (int i = 0; i < 5; i++) {
            runners[i] = (runner){.k = k, .token_attempt = 1};
            memcpy(runners[i].id, id, sizeof id);
        }
        run(runners, what, 5);
        assert_int_equal(runners[1].status, BF_OK);
        assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM vault_object WHERE session_id = $1", id), 0);
        assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE session_id = $1 AND record IS NOT NULL", id),
                         0);
        assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM session WHERE id = $1 AND subject IS NOT NULL", id), 0);
        assert_int_equal(kit_leaves(k, "session_ended", id), 1);
        assert_int_equal(kit_leaves(k, "erased", id), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_token_is_good_for_one_attempt),
        cmocka_unit_test(test_no_retry_is_lost),
        cmocka_unit_test(test_one_key_is_one_judgement),
        cmocka_unit_test(test_one_request_id_is_one_decision),
        cmocka_unit_test(test_erasure_wins),
    };
    return kit_run_over_both("session_race", tests, sizeof tests / sizeof *tests);
}
