#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "monitor/families.h"

#define SAMPLES_MAX 20000

/* One line of the text, taken apart. */
typedef struct sample {
    char series[384]; /* name and labels */
    double value;
} sample;

static sample samples[SAMPLES_MAX];
static size_t sample_count;
static const char *const FLOWS[] = {"account_opening", "login"};
static const bf_metrics_gauges GAUGES = {.workers = 2, .store_commits = 7, .certificate_expires_s = 1.8e9, .ready = 1};

static int by_series(const void *a, const void *b)
{
    return strcmp(((const sample *)a)->series, ((const sample *)b)->series);
}

/* name or name{label="value",...}: the grammar of the exposition format, as far as we use it. */
static void check_series(const char *series)
{
    size_t at = strspn(series, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    assert_true(at > 0);
    if (series[at] == 0)
        return;
    assert_int_equal(series[at++], '{');
    for (;;) {
        size_t name = strspn(series + at, "abcdefghijklmnopqrstuvwxyz_");
        assert_true(name > 0);
        at += name;
        assert_memory_equal(series + at, "=\"", 2);
        at += 2;
        at += strcspn(series + at, "\"\\\n");
        assert_int_equal(series[at++], '"');
        if (series[at] != ',')
            break;
        at++;
    }
    assert_string_equal(series + at, "}");
}

/* A sample stands under the TYPE of its family, and its name fits the type. */
static void check_family(const char *series, const char *family, const char *type)
{
    size_t length = strlen(family);
    assert_memory_equal(series, family, length);
    const char *rest = series + length;
    bool suffixed =
        strncmp(rest, "_bucket{", 8) == 0 || strncmp(rest, "_sum", 4) == 0 || strncmp(rest, "_count", 6) == 0;
    assert_true(strcmp(type, "histogram") == 0 ? suffixed : *rest == 0 || *rest == '{');
    if (strcmp(type, "counter") == 0)
        assert_string_equal(family + length - 6, "_total");
}

static void parse(const bf_bytes *text)
{
    char family[128] = "", type[32] = "";
    sample_count = 0;
    const char *at = (const char *)text->data, *end = at + text->size;
    assert_int_equal(end[-1], '\n');
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(stop);
        char line[1024] = "";
        assert_true((size_t)(stop - at) < sizeof line);
        memcpy(line, at, (size_t)(stop - at));
        at = stop + 1;
        if (strncmp(line, "# HELP ", 7) == 0)
            continue;
        if (sscanf(line, "# TYPE %127s %31s", family, type) == 2)
            continue;
        assert_true(sample_count < SAMPLES_MAX);
        sample *next = &samples[sample_count++];
        char *space = strrchr(line, ' ');
        assert_non_null(space);
        char *rest = NULL;
        next->value = strtod(space + 1, &rest);
        assert_int_equal(*rest, 0);
        *space = 0;
        (void)snprintf(next->series, sizeof next->series, "%s", line);
        check_series(next->series);
        check_family(next->series, family, type);
    }
    qsort(samples, sample_count, sizeof samples[0], by_series);
    for (size_t i = 1; i < sample_count; i++)
        assert_string_not_equal(samples[i - 1].series, samples[i].series);
}

static void scrape(bf_metrics *metrics)
{
    bf_bytes text = {0};
    assert_int_equal(bf_metrics_write(metrics, &GAUGES, &text, NULL), BF_OK);
    parse(&text);
    bf_bytes_done(&text);
}

/* -1 when there is no such series. */
static double value_of(const char *series)
{
    sample key = {.value = 0};
    (void)snprintf(key.series, sizeof key.series, "%s", series);
    const sample *found = bsearch(&key, samples, sample_count, sizeof samples[0], by_series);
    return found ? found->value : -1;
}

static bf_metrics *make(void)
{
    bf_metrics *metrics = NULL;
    assert_int_equal(bf_metrics_new(FLOWS, 2, &metrics, NULL), BF_OK);
    return metrics;
}

static void test_nothing_happened(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    scrape(metrics);
    assert_true(value_of("bonafide_workers") == 2);
    assert_true(value_of("bonafide_store_commits_total") == 7);
    assert_true(value_of("bonafide_certificate_expires_seconds") == 1.8e9);
    assert_true(value_of("bonafide_build_info{version=\"" BF_VERSION "\"}") == 1);
    assert_true(value_of("process_open_fds") >= 3 && value_of("process_open_fds") < value_of("process_max_fds"));
    assert_true(value_of("process_resident_memory_bytes") > 1e6);
    assert_true(value_of("process_cpu_seconds_total") > 0 && value_of("process_cpu_seconds_total") < 3600);
    double age_s = (double)time(NULL) - value_of("process_start_time_seconds");
    assert_true(age_s > -2 && age_s < 600);
    /* What is rare and matters is there as zero, so that its first rise is seen. */
    assert_true(value_of("bonafide_security_signals_total{signal=\"replayed_attempt\"}") == 0);
    assert_true(value_of("bonafide_webhooks_total{outcome=\"failed\"}") == 0);
    assert_true(value_of("bonafide_requests_total{route=\"match\",code=\"200\"}") == -1);
    bf_metrics_free(&metrics);
    assert_null(metrics);
    bf_metrics_free(&metrics);
}

static void test_requests(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    bf_metrics_request(metrics, "liveness", 200, 0.05);
    bf_metrics_request(metrics, "liveness", 200, 0.0501);
    bf_metrics_request(metrics, "liveness", 503, 100);
    bf_metrics_request(metrics, "/etc/passwd", 418, 0);
    bf_metrics_request(metrics, NULL, 200, 0);
    bf_metrics_request(NULL, "liveness", 200, 0);
    scrape(metrics);
    assert_true(value_of("bonafide_requests_total{route=\"liveness\",code=\"200\"}") == 2);
    assert_true(value_of("bonafide_requests_total{route=\"liveness\",code=\"503\"}") == 1);
    assert_true(value_of("bonafide_requests_total{route=\"other\",code=\"other\"}") == 1);
    assert_true(value_of("bonafide_requests_total{route=\"other\",code=\"200\"}") == 1);
    assert_true(value_of("bonafide_request_seconds_bucket{route=\"liveness\",le=\"0.025\"}") == 0);
    assert_true(value_of("bonafide_request_seconds_bucket{route=\"liveness\",le=\"0.05\"}") == 1);
    assert_true(value_of("bonafide_request_seconds_bucket{route=\"liveness\",le=\"0.1\"}") == 2);
    assert_true(value_of("bonafide_request_seconds_bucket{route=\"liveness\",le=\"12\"}") == 2);
    assert_true(value_of("bonafide_request_seconds_bucket{route=\"liveness\",le=\"+Inf\"}") == 3);
    assert_true(value_of("bonafide_request_seconds_count{route=\"liveness\"}") == 3);
    assert_float_equal(value_of("bonafide_request_seconds_sum{route=\"liveness\"}"), 100.1001, 1e-6);
    bf_metrics_free(&metrics);
}

static const char RECORD[] =
    "{\"status\": \"ok\", \"result\": {\"label\": \"live\", \"score\": 96.5, \"band\": \"pass\"},"
    " \"decision\": {\"decision\": \"approve\", \"reason\": \"LIVE_AND_MATCHED\", \"flow_type\": \"login\"},"
    " \"match\": {\"outcome\": \"strong\", \"similarity\": 0.62}, \"request\": {\"channel\": \"ios_app\"},"
    " \"quality\": {\"measures\": [{\"name\": \"Sharpness\", \"status\": \"fail\"},"
    " {\"name\": \"HeadSize\", \"status\": \"pass\"}]}, \"latency_ms\": 31.5, \"latency\": {\"decode\": 3.5},"
    " \"error\": null}";

static void count_record(bf_metrics *metrics, const char *text)
{
    json_t *record = json_loads(text, 0, NULL);
    assert_non_null(record);
    bf_metrics_decision(metrics, record, 0.002);
    json_decref(record);
}

static void test_decisions(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    count_record(metrics, RECORD);
    scrape(metrics);
    assert_true(value_of("bonafide_decisions_total{flow=\"login\",channel=\"ios_app\",decision=\"approve\"}") == 1);
    assert_true(value_of("bonafide_decision_reasons_total{reason=\"LIVE_AND_MATCHED\"}") == 1);
    assert_true(value_of("bonafide_judgements_total{flow=\"login\",outcome=\"live\"}") == 1);
    assert_true(value_of("bonafide_matches_total{outcome=\"strong\"}") == 1);
    assert_true(value_of("bonafide_match_similarity_bucket{le=\"0.6\"}") == 0);
    assert_true(value_of("bonafide_match_similarity_bucket{le=\"0.7\"}") == 1);
    assert_true(value_of("bonafide_live_score_bucket{flow=\"login\",le=\"95\"}") == 0);
    assert_true(value_of("bonafide_live_score_bucket{flow=\"login\",le=\"98\"}") == 1);
    assert_true(value_of("bonafide_stage_seconds_bucket{stage=\"decode\",le=\"0.005\"}") == 1);
    assert_float_equal(value_of("bonafide_judge_seconds_sum"), 0.0315, 1e-9);
    assert_float_equal(value_of("bonafide_queue_wait_seconds_sum"), 0.002, 1e-9);
    assert_true(value_of("bonafide_quality_failures_total{measure=\"Sharpness\"}") == 1);
    assert_true(value_of("bonafide_quality_failures_total{measure=\"HeadSize\"}") == 0);
    bf_metrics_free(&metrics);
}

/* A subverted worker may send any JSON; its words must not become labels. */
static void test_hostile_records(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}", "[]", "{\"result\": 3, \"decision\": [], \"match\": {}, \"quality\": {\"measures\": {}}}",
        "{\"decision\": {\"decision\": \"}\\\"\", \"reason\": 4, \"flow_type\": \"a\\nb\"}, \"latency\": [1],"
        " \"quality\": {\"measures\": [1, {\"status\": \"fail\", \"name\": \"evil\\\"\"}]}, \"error\": {\"code\": "
        "\"X\"}}"};
    bf_metrics *metrics = make();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        count_record(metrics, texts[i]);
    bf_metrics_decision(metrics, NULL, -1);
    bf_metrics_decision(NULL, NULL, 0);
    scrape(metrics);
    assert_true(value_of("bonafide_decisions_total{flow=\"other\",channel=\"unspecified\",decision=\"other\"}") == 5);
    assert_true(value_of("bonafide_quality_failures_total{measure=\"other\"}") == 1);
    assert_true(value_of("bonafide_judgement_errors_total{code=\"other\"}") == 1);
    bf_metrics_free(&metrics);
}

static void test_sessions_and_signals(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    bf_metrics_session(metrics, "login", NULL, "EXPIRED", 0, 180.0);
    bf_metrics_session(metrics, "login", "kiosk", "COMPLETED", 3, 24.0);
    bf_metrics_security(metrics, BF_SECURITY_STALE_TOKEN);
    bf_metrics_security(metrics, BF_SECURITY_COUNT);
    bf_metrics_security(metrics, (bf_security_signal)-1);
    bf_metrics_webhook(metrics, "delivered");
    bf_metrics_webhook(metrics, "lost");
    scrape(metrics);
    assert_true(value_of("bonafide_sessions_ended_total{flow=\"login\",channel=\"unspecified\",state=\"EXPIRED\"}") ==
                1);
    assert_true(value_of("bonafide_session_attempts_bucket{state=\"EXPIRED\",le=\"0\"}") == 1);
    assert_true(value_of("bonafide_session_attempts_bucket{state=\"COMPLETED\",le=\"2\"}") == 0);
    assert_true(value_of("bonafide_session_attempts_bucket{state=\"COMPLETED\",le=\"3\"}") == 1);
    assert_true(value_of("bonafide_session_seconds_sum{state=\"COMPLETED\"}") == 24);
    assert_true(value_of("bonafide_security_signals_total{signal=\"stale_token\"}") == 1);
    assert_true(value_of("bonafide_security_signals_total{signal=\"other\"}") == 2);
    assert_true(value_of("bonafide_webhooks_total{outcome=\"delivered\"}") == 1);
    assert_true(value_of("bonafide_webhooks_total{outcome=\"other\"}") == 1);
    bf_metrics_free(&metrics);
}

/* Every combination of labels happens, and many that are not in the sets. */
static void test_series_are_bounded(void **state)
{
    (void)state;
    char names[60][16];
    const char *flows[60];
    for (int i = 0; i < 60; i++) {
        (void)snprintf(names[i], sizeof names[i], "flow%d\"\n", i);
        flows[i] = names[i];
    }
    bf_metrics *metrics = NULL;
    assert_int_equal(bf_metrics_new(flows, 60, &metrics, NULL), BF_OK);
    for (int id = 0; id < BF_FAMILY_COUNT; id++) {
        const bf_family *family = &BF_FAMILIES[id];
        size_t combinations = bf_family_combinations(metrics, family);
        for (size_t number = 0; number < combinations; number++) {
            const char *labels[BF_LABELS_MAX] = {NULL};
            size_t rest = number;
            for (int i = 0; i < family->label_count; i++) {
                const bf_values *set = &metrics->set[family->set[i]];
                labels[i] = set->value[rest % (size_t)set->count];
                rest /= (size_t)set->count;
            }
            bf_metrics_count(metrics, (bf_family_id)id, labels, 1);
        }
    }
    size_t bound = bf_metrics_series_max(metrics);
    assert_true(bound <= BF_SERIES_MAX);
    scrape(metrics);
    /* All of them were there, and gauges besides. */
    assert_in_range(sample_count, bound + 10, bound + 30);
    bf_metrics_request(metrics, "no such route", 999, 1);
    size_t before = sample_count;
    scrape(metrics);
    assert_int_equal(sample_count, before);
    bf_metrics_free(&metrics);
}

static void *hammer(void *context)
{
    for (int i = 0; i < 2000; i++) {
        bf_metrics_request(context, "session_get", 200, 0.001);
        bf_metrics_security(context, BF_SECURITY_RATE_LIMITED);
    }
    return NULL;
}

static void test_threads_lose_no_count(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, hammer, metrics), 0);
    for (int i = 0; i < 5; i++)
        scrape(metrics);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    scrape(metrics);
    assert_true(value_of("bonafide_requests_total{route=\"session_get\",code=\"200\"}") == 8000);
    assert_true(value_of("bonafide_security_signals_total{signal=\"rate_limited\"}") == 8000);
    bf_metrics_free(&metrics);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    for (size_t nth = 1; nth <= 2; nth++) {
        bf_metrics *metrics = NULL;
        (void)bf_alloc_fail_after(nth, 0);
        assert_int_equal(bf_metrics_new(FLOWS, 2, &metrics, NULL), BF_OUT_OF_MEMORY);
        (void)bf_alloc_fail_after(0, 0);
        assert_null(metrics);
    }
    bf_metrics *metrics = make();
    for (size_t nth = 1; nth <= 2; nth++) {
        bf_bytes text = {0};
        (void)bf_alloc_fail_after(nth, 0);
        assert_int_equal(bf_metrics_write(metrics, &GAUGES, &text, NULL), BF_OUT_OF_MEMORY);
        (void)bf_alloc_fail_after(0, 0);
        assert_null(text.data);
    }
    bf_metrics_free(&metrics);
}

static void read_source(const char *name, bf_bytes *ret)
{
    char path[1024];
    const char *source = getenv("BONAFIDE_SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/%s", source ? source : ".", name);
    assert_int_equal(bf_bytes_read_file(ret, path, 1u << 20, NULL), BF_OK);
}

static void test_routes_are_the_operations_of_the_api(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    bf_bytes api = {0};
    read_source("api/openapi.yaml", &api);
    const bf_values *routes = &metrics->set[BF_SET_ROUTE];
    int found = 0;
    for (const char *at = (const char *)api.data; (at = strstr(at, "operationId: ")) != NULL; found++) {
        char name[64] = "";
        at += strlen("operationId: ");
        assert_int_equal(sscanf(at, "%63[a-z_]", name), 1);
        assert_true(bf_values_find(routes, name) < routes->count - 1);
    }
    assert_int_equal(found, routes->count - 1);
    bf_bytes_done(&api);
    bf_metrics_free(&metrics);
}

/* Every family stands in docs/reference/metrics.md as `name`, and every name there is a family. */
static void test_documentation_lists_every_series(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    bf_bytes doc = {0}, text = {0};
    read_source("docs/reference/metrics.md", &doc);
    assert_int_equal(bf_metrics_write(metrics, &GAUGES, &text, NULL), BF_OK);
    int families = 0, rows = 0;
    text.data[text.size - 1] = 0;
    for (const char *at = (const char *)text.data; (at = strstr(at, "# TYPE ")) != NULL; families++) {
        char name[128] = "", type[32] = "", row[192];
        assert_int_equal(sscanf(at, "# TYPE %127s %31s", name, type), 2);
        (void)snprintf(row, sizeof row, "\n| `%s` | %s |", name, type);
        if (!strstr((const char *)doc.data, row))
            fail_msg("docs/reference/metrics.md has no row for %s (%s)", name, type);
        at += 7;
    }
    const char *signals = strstr((const char *)doc.data, "\n## Security signals");
    assert_non_null(signals);
    for (const char *at = (const char *)doc.data; (at = strstr(at, "\n| `")) != NULL && at < signals; at++)
        rows++;
    assert_int_equal(rows, families);
    rows = 0;
    for (const char *at = signals; (at = strstr(at, "\n| `")) != NULL; rows++) {
        char name[64] = "";
        assert_int_equal(sscanf(at, "\n| `%63[a-z_]`", name) && name[0], 1);
        if (rows > 0)
            assert_int_equal(bf_values_find(&metrics->set[BF_SET_SIGNAL], name), rows - 1);
        at++;
    }
    assert_int_equal(rows - 1, BF_SECURITY_COUNT);
    bf_bytes_done(&doc);
    bf_bytes_done(&text);
    bf_metrics_free(&metrics);
}

/* Where Prometheus' own checker is installed it has the last word; set-up does not bring it. */
static void test_promtool_agrees(void **state)
{
    (void)state;
    bf_metrics *metrics = make();
    count_record(metrics, RECORD);
    bf_bytes text = {0};
    assert_int_equal(bf_metrics_write(metrics, &GAUGES, &text, NULL), BF_OK);
    FILE *checker = popen("promtool check metrics", "w"); /* NOLINT(cert-env33-c): a fixed command */
    assert_non_null(checker);
    assert_int_equal(fwrite(text.data, 1, text.size, checker), text.size);
    assert_int_equal(pclose(checker), 0);
    bf_bytes_done(&text);
    bf_metrics_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_happened),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_hostile_records),
        cmocka_unit_test(test_sessions_and_signals),
        cmocka_unit_test(test_series_are_bounded),
        cmocka_unit_test(test_threads_lose_no_count),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_routes_are_the_operations_of_the_api),
        cmocka_unit_test(test_documentation_lists_every_series),
    };
    const struct CMUnitTest checked[] = {cmocka_unit_test(test_promtool_agrees)};
    int failed = 0;
    if (system("command -v promtool >/dev/null 2>&1") == 0) /* NOLINT(cert-env33-c): a fixed command */
        failed = cmocka_run_group_tests_name("promtool", checked, NULL, NULL);
    return failed + cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
