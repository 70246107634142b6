#include "webhook_test.h"

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool with_http, https_only;
    } cases[] = {
        {"https://example.com/hook", true, true},
        {"HTTPS://example.com:8443/a?b=c", true, true},
        {"https://[2001:db8::1]/x", true, true},
        {"https://192.0.2.1", true, true},
        {"http://example.com/hook", true, false},
        {"", false, false},
        {"example.com/hook", false, false},
        {"ftp://example.com/", false, false},
        {"file:///etc/passwd", false, false},
        {"gopher://example.com/", false, false},
        {"https://", false, false},
        {"https:///hook", false, false},
        {"https://:443/", false, false},
        {"https://?x", false, false},
        {"https:example.com", false, false},
        {"https://user@example.com/", false, false},
        {"https://user:password@example.com/", false, false},
        {"https://@example.com/", false, false},
        {"https://example.com/#part", false, false},
        {"https://example.com:99999/", false, false},
        {"https://exa mple.com/", false, false},
        {"https://example.com/\r\nX: y", false, false},
        {"https://b\xc3\xbc"
         "cher.example/",
         false, false},
        {" https://example.com/", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bf_status loose = bf_webhook_check_url(cases[i].url, true, NULL);
        bf_status strict = bf_webhook_check_url(cases[i].url, false, NULL);
        if ((loose == BF_OK) != cases[i].with_http || (strict == BF_OK) != cases[i].https_only)
            fail_msg("%s: %d %d", cases[i].url, (int)loose, (int)strict);
        assert_true(loose == BF_OK || loose == BF_INVALID_REQUEST);
    }
    char longest[1100] = "https://example.com/";
    memset(longest + 20, 'x', 1024 - 20);
    assert_int_equal(bf_webhook_check_url(longest, false, NULL), BF_OK);
    longest[1024] = 'x';
    assert_int_equal(bf_webhook_check_url(longest, false, NULL), BF_INVALID_REQUEST);
    assert_int_equal(bf_webhook_check_url(NULL, false, NULL), BF_INVALID_REQUEST);
}

static bf_notifier *start(bf_notifier_options options)
{
    bf_notifier *notifier = NULL;
    assert_int_equal(bf_notifier_new(&options, &notifier, NULL), BF_OK);
    return notifier;
}

/* Delivers what is enqueued for session "s" and returns what came of it. */
static row deliver(bf_notifier_options options)
{
    bf_notifier *notifier = start(options);
    row done = finish("s");
    bf_notifier_free(&notifier);
    assert_null(notifier);
    return done;
}

static void test_delivered_and_signed(void **state)
{
    (void)state;
    enqueue("s", "/ok?a=b");
    row done = deliver(quick());
    assert_string_equal(done.outcome, "http 200");
    assert_int_equal(done.tries, 1);
    assert_string_equal(done.body, "");
    json_t *list = received(NULL);
    assert_int_equal(json_array_size(list), 1);
    const json_t *seen = json_array_get(list, 0);
    assert_true(json_is_true(json_object_get(seen, "signed")));
    assert_string_equal(json_string_value(json_object_get(seen, "path")), "/ok?a=b");
    assert_string_equal(json_string_value(json_object_get(seen, "body")), "{\"session\": \"\xc3\xa9\"}");
    assert_string_equal(json_string_value(json_object_get(seen, "id")), done.id);
    assert_string_equal(json_string_value(json_object_get(seen, "type")), "application/json");
    assert_string_equal(json_string_value(json_object_get(seen, "agent")), "bonafide/" BF_VERSION);
    json_decref(list);
    assert_metric("bonafide_webhooks_total{outcome=\"delivered\"} 1\n");
}

static void test_woken_at_once(void **state)
{
    (void)state;
    bf_notifier *notifier = start(quick());
    nap();
    double before = bf_time_steady_ms();
    enqueue("s", "/ok");
    bf_notifier_wake(notifier);
    (void)finish("s");
    assert_true(bf_time_steady_ms() - before < 900);
    bf_notifier_free(&notifier);
    bf_notifier_wake(NULL);
    bf_notifier_free(&notifier);
}

static void test_tried_again_after_longer_and_longer(void **state)
{
    (void)state;
    bf_notifier_options options = quick();
    options.backoff_ms = 1600;
    enqueue("s", "/flaky");
    row done = deliver(options);
    assert_string_equal(done.outcome, "http 200");
    assert_int_equal(done.tries, 3);
    json_t *list = received("/flaky");
    assert_int_equal(json_array_size(list), 3);
    json_int_t at[3];
    for (size_t i = 0; i < 3; i++) {
        at[i] = json_integer_value(json_object_get(json_array_get(list, i), "at_ms"));
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "id")), done.id);
    }
    json_decref(list);
    /* A quarter less or more, and what one poll and a busy machine add. */
    assert_in_range(at[1] - at[0], 1200, 2000 + 2500);
    assert_in_range(at[2] - at[1], 2400, 4000 + 2500);
    assert_metric("bonafide_webhooks_total{outcome=\"retried\"} 2\n");
    assert_metric("bonafide_webhooks_total{outcome=\"delivered\"} 1\n");
}

static void test_given_up(void **state)
{
    (void)state;
    enqueue("s", "/fail");
    row done = deliver(quick());
    assert_string_equal(done.outcome, "http 500");
    assert_int_equal(done.tries, 3);
    assert_string_not_equal(done.body, "");
    assert_int_equal(count_received("/fail"), 3);
    assert_metric("bonafide_webhooks_total{outcome=\"failed\"} 1\n");
    assert_metric("bonafide_webhooks_total{outcome=\"retried\"} 2\n");
}

static void test_gone_is_final(void **state)
{
    (void)state;
    enqueue("s", "/gone");
    row done = deliver(quick());
    assert_string_equal(done.outcome, "http 410");
    assert_int_equal(done.tries, 1);
}

static void test_redirects_are_not_followed(void **state)
{
    (void)state;
    bf_notifier_options options = quick();
    options.tries_max = 1;
    enqueue("s", "/redirect");
    assert_string_equal(deliver(options).outcome, "http 302");
    assert_int_equal(count_received("/redirect"), 1);
    assert_int_equal(count_received("/ok"), 0);
}

static void test_slow_and_endless_answers(void **state)
{
    (void)state;
    bf_notifier_options options = quick();
    options.tries_max = 1;
    options.timeout_ms = 300;
    enqueue("s", "/slow");
    double before = bf_time_steady_ms();
    assert_string_equal(deliver(options).outcome, "timeout");
    assert_true(bf_time_steady_ms() - before < 1800);
    /* The status is what counts; nobody reads ten megabytes. */
    enqueue("big", "/big");
    bf_notifier *notifier = start(quick());
    assert_string_equal(finish("big").outcome, "http 200");
    bf_notifier_free(&notifier);
}

static void test_private_addresses_are_refused(void **state)
{
    (void)state;
    bf_notifier_options options = quick();
    options.allow_private = false;
    char url[64];
    /* A number, and a name that resolves to it: what is connected to is looked at, however it was found. */
    (void)snprintf(url, sizeof url, "http://localhost:%d/ok", plain.port);
    enqueue_url("name", url, KEY_ID);
    enqueue("s", "/ok");
    enqueue_url("metadata", "http://169.254.169.254/latest", KEY_ID);
    enqueue_url("mapped", "http://[::ffff:127.0.0.1]/", KEY_ID);
    enqueue_url("octal", "http://0177.0.0.1/", KEY_ID);
    bf_notifier *notifier = start(options);
    static const char *const sessions[] = {"s", "name", "metadata", "mapped", "octal"};
    for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++) {
        row done = finish(sessions[i]);
        assert_string_equal(done.outcome, "address refused");
        assert_int_equal(done.tries, 1);
    }
    bf_notifier_free(&notifier);
    assert_int_equal(count_received(NULL), 0);
    assert_metric("bonafide_webhooks_total{outcome=\"failed\"} 5\n");
}

static void test_plain_http_is_refused(void **state)
{
    (void)state;
    bf_notifier_options options = quick();
    options.allow_http = false;
    enqueue("s", "/ok");
    enqueue_url("file", "file:///etc/passwd", KEY_ID);
    bf_notifier *notifier = start(options);
    assert_string_equal(finish("s").outcome, "url refused");
    assert_string_equal(finish("file").outcome, "url refused");
    bf_notifier_free(&notifier);
    assert_int_equal(count_received(NULL), 0);
}

static void test_proxies_of_the_environment_are_ignored(void **state)
{
    (void)state;
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("all_proxy", "http://127.0.0.1:1", 1);
    enqueue("s", "/ok");
    row done = deliver(quick());
    (void)unsetenv("http_proxy");
    (void)unsetenv("all_proxy");
    assert_string_equal(done.outcome, "http 200");
}

static void test_nobody_listens(void **state)
{
    (void)state;
    bf_notifier_options options = quick();
    options.tries_max = 2;
    enqueue_url("s", "http://127.0.0.1:1/", KEY_ID);
    row done = deliver(options);
    assert_string_equal(done.outcome, "no connection");
    assert_int_equal(done.tries, 2);
}

static void test_a_key_that_is_not_there(void **state)
{
    (void)state;
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/ok", plain.port);
    enqueue_url("s", url, "ffffffffffffffff");
    row done = deliver(quick());
    assert_string_equal(done.outcome, "key not found");
    assert_int_equal(count_received(NULL), 0);
}

static void test_certificates_are_checked(void **state)
{
    (void)state;
    char command[1400], certificate[300], url[64];
    (void)snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
    (void)snprintf(command, sizeof command,
                   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test"
                   " -addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s 2>/dev/null && cat %s/key.pem >>%s",
                   folder, certificate, folder, certificate);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a fixed command */
    receiver tls = start_receiver(certificate);
    bf_notifier_options options = quick();
    options.tries_max = 1;
    options.timeout_ms = (int)WAIT_MS / 2; /* an outcome other than a timeout is wanted, on a busy machine as well */
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", tls.port);
    enqueue_url("s", url, KEY_ID);
    assert_string_equal(deliver(options).outcome, "tls failed");
    assert_int_equal(count_received(NULL), 0);

    options.ca_file = certificate;
    enqueue_url("trusted", url, KEY_ID);
    /* The right certificate of another host. */
    (void)snprintf(url, sizeof url, "https://localhost:%d/ok", tls.port);
    enqueue_url("other host", url, KEY_ID);
    bf_notifier *notifier = start(options);
    assert_string_equal(finish("trusted").outcome, "http 200");
    assert_string_equal(finish("other host").outcome, "tls failed");
    bf_notifier_free(&notifier);
    assert_int_equal(count_received("/ok"), 1);
    stop_receiver(&tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        CASE(test_delivered_and_signed),
        CASE(test_woken_at_once),
        CASE(test_tried_again_after_longer_and_longer),
        CASE(test_given_up),
        CASE(test_gone_is_final),
        CASE(test_redirects_are_not_followed),
        CASE(test_slow_and_endless_answers),
        CASE(test_private_addresses_are_refused),
        CASE(test_plain_http_is_refused),
        CASE(test_proxies_of_the_environment_are_ignored),
        CASE(test_nobody_listens),
        CASE(test_a_key_that_is_not_there),
        CASE(test_certificates_are_checked),
    };
    return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
