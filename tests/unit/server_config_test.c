/* The configuration file: defaults, places, and the message for each fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "server/config.h"

static char folder[] = "bonafide-config-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/c.yaml", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static bf_status read_text(const char *text, bf_config *ret, bf_error *err)
{
    assert_int_equal(bf_bytes_write_file(path, text, strlen(text), NULL), BF_OK);
    return bf_config_read(path, ret, err);
}

static void the_shortest_file_has_defaults(void **state)
{
    (void)state;
    static bf_config config;
    char expected[256];
    assert_int_equal(read_text("format: 1\nstate_dir: state\n", &config, NULL), BF_OK);
    assert_int_equal(config.listen_count, 1);
    assert_string_equal(config.listen[0].text, "127.0.0.1:8443");
    (void)snprintf(expected, sizeof expected, "sqlite:%s/state/bonafide.db", folder);
    assert_string_equal(config.store_url, expected);
    (void)snprintf(expected, sizeof expected, "%s/state/vault", folder);
    assert_string_equal(config.vault_dir, expected);
    assert_int_equal(config.metrics, BF_METRICS_OPERATOR);
    assert_int_equal(config.cors_origin_count, 0);
    assert_int_equal(config.limits.request_s_max, 30);
    assert_true(config.per_key.per_second > 0);
}

static void everything_is_read(void **state)
{
    (void)state;
    static bf_config config;
    bf_error err = {0};
    bf_status status = read_text(
        "format: 1\nstate_dir: /var/lib/x\nlisten: [\"[::1]:80\", \"unix:/run/x\"]\n"
        "tls: {certificate: c.pem, key: /k.pem}\nstore: {url: \"sqlite:db\", readers: 2, wait_ms: 100}\n"
        "master_key: m\naudit: {key: a, origin: o}\nvault_dir: v\n"
        "engine: {data: d, weights: w, fusion: f, mirror: true}\n"
        "workers: {count: 3, queue: 4, job_ms: 5000, memory_mib: 512}\n"
        "limits: {body_bytes: 5000, header_bytes: 8192, connections: 7, connections_per_address: 6, request_s: 5, "
        "idle_s: 4}\n"
        "rates: {per_key: {per_second: 1.5, burst: 2}}\ntrusted_proxies: [10.0.0.0/8, unix]\n"
        "cors_origins: [\"https://a.example\"]\nmetrics: open\n"
        "sessions: {token_s: 10, session_s: 20, attempts_max: 3, review_days: 4}\n"
        "webhooks: {allow_private: true, allow_http: true}\nlog: {file: l, level: warning}\n",
        &config, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, BF_OK);
    assert_int_equal(config.listen_count, 2);
    assert_true(config.listen[1].is_unix);
    assert_string_equal(config.tls_key, "/k.pem");
    assert_int_equal(config.workers.memory_bytes, 512u << 20);
    assert_int_equal(config.limits.body_bytes_max, 5000);
    assert_true(config.per_key.per_second > 1.4 && config.per_key.per_second < 1.6);
    assert_int_equal(config.trusted_proxy_count, 2);
    assert_int_equal(config.log_level, BF_LOG_WARNING);
    assert_true(config.mirror && config.webhooks_allow_http && config.webhooks_allow_private);
}

static void faults_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"state_dir: x\n", "format"},
        {"format: 2\nstate_dir: x\n", "c.yaml:1"},
        {"format: 1\n", "state_dir"},
        {"format: 1\nstate_dir: x\nlimit: {}\n", "c.yaml:3: unknown key 'limit'; did you mean 'limits'"},
        {"format: 1\nstate_dir: x\nlimits:\n  request_s: 0\n", "c.yaml:4"},
        {"format: 1\nstate_dir: x\nlimits:\n  request_s: 1.5\n", "c.yaml:4"},
        {"format: 1\nstate_dir: \"\"\n", "c.yaml:2"},
        {"format: 1\nstate_dir: x\nlisten: 127.0.0.1:80\n", "must be a list"},
        {"format: 1\nstate_dir: x\nlisten: [\"0.0.0.0:80\"]\n", "plain HTTP"},
        {"format: 1\nstate_dir: x\nlisten: [[1]]\n", "single values"},
        {"format: 1\nstate_dir: x\nlisten: [a:1, a:1, a:1, a:1, a:1, a:1, a:1, a:1, a:1]\n", "at most 8"},
        {"format: 1\nstate_dir: x\nrates: {per_key: {per_second: 1}}\n", "burst"},
        {"format: 1\nstate_dir: x\nrates: {per_kye: {}}\n", "did you mean 'per_key'"},
        {"format: 1\nstate_dir: x\naudit: {origin: \"a b\"}\n", "blanks"},
        {"format: 1\nstate_dir: x\ncors_origins: [\"https://a.example/\"]\n", "no origin"},
        {"format: 1\nstate_dir: x\ntls: {key: a}\n", "belong together"},
        {"format: 1\nstate_dir: x\nmetrics: closed\n", "c.yaml:3"},
        {"format: 1\nstate_dir: x\nsessions: {token_s: 901}\n", "longer"},
        {"- a\n", "map"},
        {"", "c.yaml"},
    };
    static bf_config config;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bf_error err = {0};
        bf_status status = read_text(cases[i].text, &config, &err);
        if (status != BF_CONFIG_INVALID || !strstr(err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].text, err.message);
    }
    assert_int_equal(bf_config_read("no/such/file", &config, NULL), BF_IO_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_file_has_defaults),
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(faults_are_named_with_their_line),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
