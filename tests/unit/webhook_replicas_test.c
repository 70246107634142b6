/* Several notifiers on one store, as replicas are. */
#include "webhook_test.h"

#define WEBHOOKS 60

static void test_two_notifiers_deliver_each_once(void **state)
{
    (void)state;
    bf_notifier *notifier[2] = {NULL, NULL};
    char session[WEBHOOKS][16];
    bf_notifier_options options = quick();
    for (int i = 0; i < 2; i++)
        assert_int_equal(bf_notifier_new(&options, &notifier[i], NULL), BF_OK);
    for (int i = 0; i < WEBHOOKS; i++) {
        (void)snprintf(session[i], sizeof session[i], "s%d", i);
        enqueue(session[i], "/ok");
        bf_notifier_wake(notifier[i % 2]);
    }
    for (int i = 0; i < WEBHOOKS; i++)
        assert_int_equal(finish(session[i]).tries, 1);
    for (int i = 0; i < 2; i++)
        bf_notifier_free(&notifier[i]);
    json_t *list = received("/ok");
    assert_int_equal(json_array_size(list), WEBHOOKS);
    json_t *ids = json_object();
    for (size_t i = 0; i < WEBHOOKS; i++)
        json_object_set(ids, json_string_value(json_object_get(json_array_get(list, i), "id")), json_true());
    assert_int_equal(json_object_size(ids), WEBHOOKS);
    json_decref(ids);
    json_decref(list);
    assert_metric("bonafide_webhooks_total{outcome=\"delivered\"} 60\n");
}

static bf_status do_claim(bf_db *db, void *context, bf_error *err)
{
    const int64_t *until_ms = context;
    return bf_db_run(db, "UPDATE webhook SET claimed_until_ms = $1, tries = 1 WHERE finished_ms IS NULL",
                     BF_VALUES(bf_value_integer(*until_ms)), NULL, err);
}

/* A replica that took a webhook and died keeps it from the others only while its lease lasts. */
static void test_what_a_dead_replica_had_claimed(void **state)
{
    (void)state;
    enqueue("s", "/ok");
    int64_t until_ms = bf_time_now_ms() + 1500;
    assert_int_equal(bf_store_write(store, do_claim, &until_ms, NULL), BF_OK);
    bf_notifier *notifier = NULL;
    bf_notifier_options options = quick();
    assert_int_equal(bf_notifier_new(&options, &notifier, NULL), BF_OK);
    row done = finish("s");
    assert_true(bf_time_now_ms() >= until_ms);
    assert_int_equal(done.tries, 2);
    assert_string_equal(done.outcome, "http 200");
    bf_notifier_free(&notifier);
    assert_int_equal(count_received(NULL), 1);
}

/* Ending waits for the delivery under way, and another notifier does the rest. */
static void test_ending_and_going_on(void **state)
{
    (void)state;
    bf_notifier_options options = quick();
    options.timeout_ms = 5000;
    enqueue("slow", "/slow");
    bf_notifier *notifier = NULL;
    assert_int_equal(bf_notifier_new(&options, &notifier, NULL), BF_OK);
    double until = bf_time_steady_ms() + WAIT_MS;
    while (count_received("/slow") == 0 && bf_time_steady_ms() < until)
        nap();
    bf_notifier_free(&notifier);
    row done = look("slow");
    assert_true(done.finished);
    assert_string_equal(done.outcome, "http 200");
    enqueue("s", "/ok");
    assert_int_equal(bf_notifier_new(&options, &notifier, NULL), BF_OK);
    (void)finish("s");
    bf_notifier_free(&notifier);
    assert_int_equal(count_received("/slow"), 1);
}

static bf_status do_erase(bf_db *db, void *context, bf_error *err)
{
    return bf_webhook_erase(db, context, err);
}

static void test_erased_before_it_was_delivered(void **state)
{
    (void)state;
    static char session[] = "s";
    enqueue("s", "/ok");
    enqueue("other", "/ok");
    assert_int_equal(bf_store_write(store, do_erase, session, NULL), BF_OK);
    assert_false(look("s").found);
    bf_notifier *notifier = NULL;
    bf_notifier_options options = quick();
    assert_int_equal(bf_notifier_new(&options, &notifier, NULL), BF_OK);
    (void)finish("other");
    bf_notifier_free(&notifier);
    assert_int_equal(count_received(NULL), 1);
}

static bf_status do_age(bf_db *db, void *context, bf_error *err)
{
    const int64_t *at_ms = context;
    return bf_db_run(db, "UPDATE webhook SET finished_ms = $1, outcome = 'http 500' WHERE session_id = 'old'",
                     BF_VALUES(bf_value_integer(*at_ms)), NULL, err);
}

static void test_old_ones_are_forgotten(void **state)
{
    (void)state;
    enqueue("old", "/ok");
    enqueue("s", "/ok");
    int64_t long_ago = bf_time_now_ms() - 31LL * 24 * 3600 * 1000;
    assert_int_equal(bf_store_write(store, do_age, &long_ago, NULL), BF_OK);
    bf_notifier *notifier = NULL;
    bf_notifier_options options = quick();
    assert_int_equal(bf_notifier_new(&options, &notifier, NULL), BF_OK);
    (void)finish("s");
    double until = bf_time_steady_ms() + WAIT_MS;
    while (look("old").found && bf_time_steady_ms() < until)
        nap();
    assert_false(look("old").found);
    assert_true(look("s").found);
    bf_notifier_free(&notifier);
}

static void test_allocation_failure(void **state)
{
    (void)state;
    bf_notifier *notifier = NULL;
    bf_notifier_options options = quick();
    (void)bf_alloc_fail_after(1, 0);
    assert_int_equal(bf_notifier_new(&options, &notifier, NULL), BF_OUT_OF_MEMORY);
    (void)bf_alloc_fail_after(0, 0);
    assert_null(notifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_two_notifiers_deliver_each_once),
        CASE(test_what_a_dead_replica_had_claimed),
        CASE(test_ending_and_going_on),
        CASE(test_erased_before_it_was_delivered),
        CASE(test_old_ones_are_forgotten),
        CASE(test_allocation_failure),
    };
    return cmocka_run_group_tests_name("webhook_replicas", tests, NULL, NULL);
}
