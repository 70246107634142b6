#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "bonafide/replay.h"
#include "record/context.h"
#include "record/diff.h"
#include "record/record.h"

static bf_status context(const char *text, bf_risk_context *ret, bf_error *err)
{
    return bf_context_parse(text, strlen(text), "ctx.json", ret, err);
}

static void contexts_are_read(void **state)
{
    (void)state;
    bf_risk_context risk;
    assert_int_equal(context("{}", &risk, NULL), BF_OK);
    assert_int_equal(risk.risk_tier, BF_RISK_LOW);
    assert_true(risk.document_confidence < 0.0);
    assert_int_equal(context("{\"risk_tier\":\"medium\",\"device_signals\":[\"rooted\",\"virtual_camera\"],"
                             "\"document_confidence\":1,\"retry_count\":3,\"previous_failures\":4}",
                             &risk, NULL),
                     BF_OK);
    assert_int_equal(risk.risk_tier, BF_RISK_MEDIUM);
    assert_int_equal(risk.device_signal_count, 2);
    assert_string_equal(risk.device_signals[1], "virtual_camera");
    assert_true(risk.document_confidence == 1.0);
    assert_int_equal(risk.retry_count, 3);
    assert_int_equal(risk.uncertain_count, 3);
    assert_int_equal(risk.previous_failures, 4);
    assert_int_equal(context("{\"uncertain_count\":1,\"retry_count\":3}", &risk, NULL), BF_OK);
    assert_int_equal(risk.retry_count, 3);
    assert_int_equal(risk.uncertain_count, 1);
}

static void contexts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "ctx.json:1: not valid JSON"},
        {"[]", "ctx.json: an object {...} is expected."},
        {"{\"risk_teir\":\"low\"}", "ctx.json: unknown key 'risk_teir'; did you mean 'risk_tier'?"},
        {"{\"colour\":1}", "ctx.json: unknown key 'colour'."},
        {"{\"risk_tier\":\"hihg\"}", "ctx.json: unknown risk_tier 'hihg'; did you mean 'high'?"},
        {"{\"risk_tier\":1}", "ctx.json: 'risk_tier' must be a text."},
        {"{\"retry_count\":1,\"retry_count\":2}", "ctx.json:1: not valid JSON: duplicate object key"},
        {"{\"retry_count\":-1}", "ctx.json: 'retry_count' must be a whole number from 0 to 1000000."},
        {"{\"retry_count\":1,\"uncertain_count\":2}",
         "ctx.json: 'uncertain_count' must not be larger than 'retry_count'."},
        {"{\"uncertain_count\":-1}", "ctx.json: 'uncertain_count' must be a whole number from 0 to 1000000."},
        {"{\"retry_count\":1.5}", "ctx.json: 'retry_count' must be a whole number"},
        {"{\"retry_count\":99999999999999999999}", "ctx.json:1: not valid JSON: too big integer"},
        {"{\"document_confidence\":1.01}", "ctx.json: 'document_confidence' must be a number from 0 to 1."},
        {"{\"document_confidence\":\"1\"}", "ctx.json: 'document_confidence' must be a number from 0 to 1."},
        {"{\"device_signals\":\"rooted\"}", "ctx.json: 'device_signals' must be a list of texts."},
        {"{\"device_signals\":[\"Rooted!\"]}", "ctx.json: each entry of 'device_signals'"},
        {"{\"device_signals\":[\"\"]}", "ctx.json: each entry of 'device_signals'"},
        {"{\"device_signals\":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8]}",
         "ctx.json: 'device_signals' has more than 17 entries."},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
         "ctx.json: the document has more than 32 levels."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_risk_context risk = {.retry_count = 7};
        bf_error err = {0};
        assert_int_equal(context(cases[i].text, &risk, &err), BF_INVALID_ARGUMENT);
        assert_int_equal(strncmp(err.message, cases[i].message, strlen(cases[i].message)), 0);
        assert_int_equal(risk.retry_count, 7);
    }
}

static void large_documents_are_refused(void **state)
{
    (void)state;
    size_t size = BF_JSON_BYTES_MAX + 1;
    char *text = bf_malloc(size);
    memset(text, ' ', size);
    bf_risk_context risk;
    bf_error err = {0};
    assert_int_equal(bf_context_parse(text, size, "c", &risk, &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.message, "c: the document has more than 1048576 bytes.");
    bf_free(text);
}

static bf_record *some_record(void)
{
    bf_record *record = bf_calloc(1, sizeof *record);
    assert_non_null(record);
    bf_sha256_hex("abc", 3, record->input.sha256);
    strcpy(record->request.flow, "account_recovery");
    strcpy(record->request_id, "first");
    record->request.channel = BF_CHANNEL_MOBILE_WEB;
    record->request.risk = (bf_risk_context){.risk_tier = BF_RISK_HIGH,
                                             .document_confidence = 0.123457,
                                             .device_signal_count = 1,
                                             .device_signals = {"rooted"},
                                             .retry_count = 3,
                                             .uncertain_count = 1,
                                             .previous_failures = 2};
    record->request.mirror = true;
    record->request.match_order = BF_MATCH_ALWAYS;
    record->request.kill_switch = true;
    strcpy(record->versions.code, "0.1.0");
    record->policy.band = BF_BAND_UNCERTAIN;
    record->policy.decision = BF_DECISION_CHALLENGE;
    record->live_probability = 0.6;
    record->total_ms = 3;
    return record;
}

static bf_replay *replay_of(const bf_record *record)
{
    char *text = NULL;
    bf_replay *replay = NULL;
    assert_int_equal(bf_record_json(record, BF_JSON_PRETTY | BF_JSON_GEOMETRY, &text, NULL), BF_OK);
    assert_int_equal(bf_replay_read(text, strlen(text), "r.json", &replay, NULL), BF_OK);
    free(text);
    return replay;
}

static void a_record_says_what_was_asked(void **state)
{
    (void)state;
    bf_record *record = some_record();
    bf_replay *replay = replay_of(record);
    bf_request request = {.struct_size = sizeof request};
    bf_replay_request(replay, &request);
    assert_string_equal(request.flow, "account_recovery");
    assert_string_equal(request.channel, "mobile_web");
    assert_string_equal(request.request_id, "first");
    assert_true(bf_replay_mirror(replay));
    assert_false(request.full_evidence);
    assert_int_equal(request.match_order, BF_MATCH_ALWAYS);
    assert_true(request.kill_switch);
    assert_string_equal(bf_replay_media_sha256(replay),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_null(bf_replay_reference_sha256(replay));
    bf_risk_context risk;
    assert_int_equal(context(request.context_json, &risk, NULL), BF_OK);
    assert_memory_equal(&risk, &record->request.risk, sizeof risk);
    bf_replay_free(&replay);
    assert_null(replay);
    bf_record_free(&record);
}

static void a_record_may_lack_what_was_added_later(void **state)
{
    (void)state;
    static const char text[] =
        "{\"decision\":{},\"versions\":{},\"input\":{},\"request\":{\"flow\":\"login_step_up\",\"channel\":null,"
        "\"context\":{\"risk_tier\":\"low\",\"device_signals\":[],\"document_confidence\":null,\"retry_count\":2,"
        "\"previous_failures\":0},\"full_evidence\":false,\"mirror\":false,\"match_order\":\"always\"}}";
    bf_replay *replay = NULL;
    assert_int_equal(bf_replay_read(text, sizeof text - 1, "r", &replay, NULL), BF_OK);
    bf_request request = {.struct_size = sizeof request, .kill_switch = true};
    bf_replay_request(replay, &request);
    assert_false(request.kill_switch);
    bf_risk_context risk;
    assert_int_equal(context(request.context_json, &risk, NULL), BF_OK);
    assert_int_equal(risk.uncertain_count, 2);
    bf_replay_free(&replay);
}

static void other_documents_are_no_records(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{}", "r: this is not a record of bonafide: 'decision' is missing."},
        {"{\"decision\":{},\"versions\":{},\"input\":{},\"request\":7}",
         "r: this is not a record of bonafide: 'request' is missing."},
        {"{\"decision\":{},\"versions\":{},\"input\":{},\"request\":{}}",
         "r: this is not a record of bonafide: 'request.context' is missing."},
        {"{\"decision\":{},\"versions\":{},\"input\":{\"sha256\":\"ABC\"},\"request\":{}}",
         "r: 'input.sha256' is not a SHA-256 hash."},
        {"{\"decision\":{},\"versions\":{},\"input\":{},\"request\":{\"folw\":\"x\"}}",
         "r: unknown key 'folw'; did you mean 'flow'?"},
        {"{\"decision\":{},\"versions\":{},\"input\":{},\"request\":{\"flow\":[]}}", "r: 'flow' must be a text."},
        {"{\"decision\":{},\"versions\":{},\"input\":{},\"request\":{\"mirror\":1}}",
         "r: 'mirror' must be true or false."},
        {"{\"decision\":{},\"versions\":{},\"input\":{},\"request\":{\"context\":{\"risk_tier\":\"x\"}}}",
         "r: unknown risk_tier 'x'."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_error err = {0};
        bf_replay *replay = NULL;
        assert_int_equal(bf_replay_read(cases[i].text, strlen(cases[i].text), "r", &replay, &err), BF_INVALID_ARGUMENT);
        assert_string_equal(err.message, cases[i].message);
        assert_null(replay);
    }
}

static bf_differences *differences_of(const bf_replay *replay, const bf_record *now)
{
    bf_differences *differences = NULL;
    assert_int_equal(bf_replay_compare(replay, now, &differences, NULL), BF_OK);
    return differences;
}

static void the_same_judgement_has_no_differences(void **state)
{
    (void)state;
    bf_record *record = some_record();
    bf_replay *replay = replay_of(record);
    strcpy(record->request_id, "second");
    record->total_ms = 99;
    record->stage_ms[BF_STAGE_FACES] = 4;
    bf_differences *differences = differences_of(replay, record);
    assert_int_equal(bf_differences_count(differences), 0);
    assert_true(bf_differences_same_decision(differences));
    bf_differences_free(&differences);
    bf_replay_free(&replay);
    bf_record_free(&record);
}

static void differences_name_versions_first(void **state)
{
    (void)state;
    bf_record *record = some_record();
    bf_replay *replay = replay_of(record);
    strcpy(record->versions.code, "0.2.0");
    strcpy(record->versions.model[0].name, "n");
    record->versions.model_count = 1;
    record->live_probability = 0.61;
    record->policy.decision = BF_DECISION_REVIEW;
    record->evidence_count = 1;
    bf_differences *differences = differences_of(replay, record);
    assert_int_equal(bf_differences_count(differences), 5);
    assert_int_equal(bf_differences_of_versions(differences), 2);
    assert_false(bf_differences_same_decision(differences));
    static const char *const paths[] = {"versions.code", "versions.models.n", "result.score", "decision.decision",
                                        "evidence.0"};
    for (int i = 0; i < 5; i++)
        assert_string_equal(bf_differences_at(differences, i).path, paths[i]);
    assert_string_equal(bf_differences_at(differences, 0).recorded, "\"0.1.0\"");
    assert_string_equal(bf_differences_at(differences, 0).now, "\"0.2.0\"");
    assert_string_equal(bf_differences_at(differences, 1).recorded, "");
    assert_string_equal(bf_differences_at(differences, 2).now, "61.0");
    assert_string_equal(bf_differences_at(differences, 5).path, "");
    bf_differences_free(&differences);
    bf_replay_free(&replay);
    bf_record_free(&record);
}

/* What records did not hold at first is no difference when it is lacking, and one when it is another. */
static void a_record_without_light_is_reproduced(void **state)
{
    (void)state;
    bf_record *record = some_record();
    char *text = NULL;
    assert_int_equal(bf_record_json(record, 0, &text, NULL), BF_OK);
    json_t *now = json_loads(text, 0, NULL), *old = json_deep_copy(now);
    free(text);
    for (int other = 0; other <= 1; other++) {
        bf_differences *differences = NULL;
        json_t *capture = json_object_get(old, "capture");
        if (other)
            assert_int_equal(json_object_set_new(capture, "light", json_string("answered")), 0);
        else
            assert_int_equal(json_object_del(capture, "light"), 0);
        assert_int_equal(bf_record_diff(old, now, &differences, NULL), BF_OK);
        assert_int_equal(bf_differences_count(differences), other);
        bf_differences_free(&differences);
    }
    json_decref(old);
    json_decref(now);
    bf_record_free(&record);
}

/* A record from before evidence was named is no other decision; one with other reasons of the policy is. */
static void reasons_of_evidence_only_explain(void **state)
{
    (void)state;
    bf_record *record = some_record();
    record->policy.reasons[0] = BF_REASON_LIVENESS_FAILED;
    record->policy.reason_count = 1;
    bf_replay *replay = replay_of(record);
    record->policy.reasons[record->policy.reason_count++] = BF_REASON_EVIDENCE_BORDER;
    bf_differences *differences = differences_of(replay, record);
    assert_int_equal(bf_differences_count(differences), 1);
    assert_string_equal(bf_differences_at(differences, 0).now, "\"EVIDENCE_BORDER\"");
    assert_true(bf_differences_same_decision(differences));
    bf_differences_free(&differences);
    record->policy.reasons[record->policy.reason_count - 1] = BF_REASON_DEVICE_RISK;
    differences = differences_of(replay, record);
    assert_false(bf_differences_same_decision(differences));
    bf_differences_free(&differences);
    bf_replay_free(&replay);
    bf_record_free(&record);
}

/* A record that was tampered with may differ in thousands of values, and hold long ones. */
static void many_and_long_differences_are_bounded(void **state)
{
    (void)state;
    char text[9000] = "{\"decision\":\"", *end = text + strlen(text);
    memset(end, 'x', 300);
    end += 300;
    end += sprintf(end, "\",\"evidence\":[");
    for (int i = 0; i < 1000; i++)
        end += sprintf(end, "%d,", i % 10);
    (void)sprintf(end, "0]}");
    json_t *recorded = json_loads(text, 0, NULL);
    json_t *now = json_pack("{s:s, s:[]}", "decision", "y", "evidence");
    bf_differences *differences = NULL;
    assert_int_equal(bf_record_diff(recorded, now, &differences, NULL), BF_OK);
    assert_int_equal(bf_differences_count(differences), 1002);
    assert_int_equal(strlen(bf_differences_at(differences, 0).recorded), 95);
    assert_string_equal(bf_differences_at(differences, 0).recorded + 90, "xx...");
    assert_string_equal(bf_differences_at(differences, 255).path, "evidence.254");
    assert_string_equal(bf_differences_at(differences, 256).path, "");
    bf_differences_free(&differences);
    json_decref(recorded);
    json_decref(now);
}

static void replay_survives_every_allocation_failure(void **state)
{
    (void)state;
    bf_record *record = some_record();
    char *text = NULL;
    assert_int_equal(bf_record_json(record, 0, &text, NULL), BF_OK);
    json_set_alloc_funcs(bf_malloc, bf_free);
    bool done = false;
    for (size_t nth = 1; nth < 5000 && !done; nth++) {
        bf_replay *replay = NULL;
        bf_differences *differences = NULL;
        (void)bf_alloc_fail_after(nth, 0);
        bf_status status = bf_replay_read(text, strlen(text), "r", &replay, NULL);
        if (status == BF_OK)
            status = bf_replay_compare(replay, record, &differences, NULL);
        done = bf_alloc_fail_after(0, 0) < nth;
        /* The JSON parser hides some failures: it calls them faults of the text, or cuts a word short. */
        assert_true(done ? status == BF_OK
                         : status == BF_OUT_OF_MEMORY || differences || status == BF_INVALID_ARGUMENT);
        assert_true((status == BF_OK) == (differences != NULL));
        bf_differences_free(&differences);
        bf_replay_free(&replay);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(done);
    free(text);
    bf_record_free(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_are_read),
        cmocka_unit_test(contexts_are_refused),
        cmocka_unit_test(large_documents_are_refused),
        cmocka_unit_test(a_record_says_what_was_asked),
        cmocka_unit_test(a_record_may_lack_what_was_added_later),
        cmocka_unit_test(other_documents_are_no_records),
        cmocka_unit_test(the_same_judgement_has_no_differences),
        cmocka_unit_test(differences_name_versions_first),
        cmocka_unit_test(a_record_without_light_is_reproduced),
        cmocka_unit_test(reasons_of_evidence_only_explain),
        cmocka_unit_test(many_and_long_differences_are_bounded),
        cmocka_unit_test(replay_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
