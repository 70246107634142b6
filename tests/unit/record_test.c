#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "record/json.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void set(char *field, size_t size, const char *text)
{
    assert_true(snprintf(field, size, "%s", text) < (int)size);
}
#define SET(field, text) set(field, sizeof(field), text)

static void fill_versions(bf_record_versions *versions)
{
    SET(versions->code, "0.1.0");
    SET(versions->runtime, "onnxruntime 1.29.0");
    SET(versions->model[0].name, "net-a");
    SET(versions->model[0].version, "1");
    SET(versions->model[0].sha256, HEX64);
    versions->model[0].optimised = true;
    versions->model_count = 1;
    SET(versions->calibration[0], "cal@1");
    versions->calibration_count = 1;
    SET(versions->fusion, "default@1");
    SET(versions->fusion_configuration, "default");
    SET(versions->policy, "login@1.0.0+abc");
}

/* A judgement with one value of every kind. */
static bf_record *live_record(void)
{
    bf_record *record = bf_calloc(1, sizeof *record);
    assert_non_null(record);
    SET(record->request_id, "r-1");
    SET(record->request.flow, "login_step_up");
    record->request.channel = BF_CHANNEL_KIOSK;
    record->request.risk = (bf_risk_context){
        .risk_tier = BF_RISK_HIGH, .document_confidence = 0.25, .retry_count = 2, .uncertain_count = 1};
    SET(record->request.risk.device_signals[0], "emulator");
    record->request.risk.device_signal_count = 1;
    record->input = (bf_record_input){.given = true, .bytes = 1234, .width = 640, .height = 480};
    SET(record->input.sha256, HEX64);
    record->input.media = (bf_media_facts){.container = BF_CONTAINER_JPEG,
                                           .coded_width = 640,
                                           .coded_height = 480,
                                           .orientation = 1,
                                           .bit_depth = 8,
                                           .jpeg_scans = 1,
                                           .jpeg_quality = 90,
                                           .jpeg_tables_standard = true,
                                           .exif_present = true};
    SET(record->input.media.subsampling, "4:2:0");
    SET(record->input.media.exif_make, "ACME");
    record->reference = (bf_record_input){.given = true, .bytes = 99, .width = 200, .height = 300};
    record->faces.count = record->faces.count_all = 1;
    record->faces.face[0] =
        (bf_face){.box = {10, 20, 110.04F, 140}, .has_geometry = true, .yaw_deg = -3.456F, .inter_eye_px = 61.25F};
    record->measured = true;
    record->quality.measure[BF_MEASURE_SHARPNESS] = (bf_measure){BF_MEASURE_ASSESSED, 0.123456789, 71};
    record->policy.measure_failed[BF_MEASURE_HEAD_SIZE] = true;
    record->quality.measure[BF_MEASURE_HEAD_SIZE] = (bf_measure){BF_MEASURE_ASSESSED, 0.1, 3};
    record->evidence[0] = (bf_evidence){.status = BF_EVIDENCE_PRESENT,
                                        .raw = 2.5,
                                        .live_llr = 1.23456789,
                                        .calibrated = true,
                                        .contribution = 1.98768,
                                        .fused = true,
                                        .ms = 8.12345};
    SET(record->evidence[0].detector, "net-a");
    SET(record->evidence[0].version, "1");
    record->evidence[1] = (bf_evidence){.why = "The face is too small."};
    SET(record->evidence[1].detector, "moire");
    SET(record->evidence[1].version, "1");
    record->evidence_count = 2;
    record->liveness_present = true;
    record->live_probability = 0.87216;
    record->live_llr = 1.92;
    record->fusion_bias = -0.0677;
    record->match = (bf_match_facts){.present = true, .similarity = 0.712345, .calibrated = true, .same_llr = 9.5};
    record->policy.decision = BF_DECISION_REVIEW;
    record->policy.band = BF_BAND_PASS;
    record->policy.match = BF_MATCH_STRONG;
    record->policy.reasons[0] = BF_REASON_RISK_HIGH;
    record->policy.reason_count = 1;
    record->policy.guidance[0] = BF_GUIDANCE_WAIT_FOR_REVIEW;
    record->policy.guidance_count = 1;
    SET(record->policy.rule, "high_risk");
    fill_versions(&record->versions);
    record->total_ms = 17.30049;
    record->stage_ms[BF_STAGE_DECODE] = 2.5;
    return record;
}

static json_t *built(const bf_record *record, unsigned flags)
{
    json_t *root = bf_record_build(record, flags);
    assert_non_null(root);
    return root;
}

/* The JSON text of the value at a key of the top level. */
static void assert_part(const json_t *root, const char *key, const char *expected)
{
    char *text = json_dumps(json_object_get(root, key), JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void a_judgement_is_written_in_full(void **state)
{
    (void)state;
    bf_record *record = live_record();
    json_t *root = built(record, 0);
    assert_part(root, "success", "true");
    assert_part(root, "status", "\"ok\"");
    assert_part(root, "request_id", "\"r-1\"");
    assert_part(root, "result", "{\"label\":\"live\",\"score\":87.22,\"band\":\"pass\"}");
    assert_part(root, "decision",
                "{\"decision\":\"review\",\"reason\":\"RISK_HIGH\",\"reason_codes\":[\"RISK_HIGH\"],"
                "\"guidance\":[\"wait_for_review\"],\"flow_type\":\"login_step_up\","
                "\"policy_version\":\"login@1.0.0+abc\"}");
    assert_part(root, "match", "{\"outcome\":\"strong\",\"similarity\":0.7123,\"llr\":9.5,\"problem\":null}");
    assert_part(root, "evidence",
                "[{\"detector\":\"net-a\",\"status\":\"present\",\"raw\":2.5,\"llr\":1.2346,\"contribution\":1.9877,"
                "\"version\":\"1\",\"ms\":8.123},"
                "{\"detector\":\"moire\",\"status\":\"not_applicable\",\"raw\":null,\"llr\":null,\"contribution\":null,"
                "\"version\":\"1\","
                "\"ms\":null,\"why\":\"The face is too small.\"}]");
    assert_part(root, "latency_ms", "17.3");
    assert_part(root, "latency", "{\"decode\":2.5}");
    assert_part(root, "error", "null");
    assert_part(root, "input",
                "{\"type\":\"still\",\"sha256\":\"" HEX64 "\",\"bytes\":1234,\"width\":640,"
                "\"height\":480,\"format\":\"jpeg\"}");
    assert_part(
        root, "versions",
        "{\"record\":\"1\",\"code\":\"0.1.0\",\"build\":null,\"runtime\":\"onnxruntime 1.29.0\",\"models\":{\"net-a\":{"
        "\"version\":\"1\",\"sha256\":\"" HEX64 "\",\"optimised\":true}},\"calibration\":[\"cal@1\"],"
        "\"fusion\":\"default@1\",\"fusion_configuration\":\"default\",\"policy\":\"login@1.0.0+abc\"}");
    assert_part(root, "request",
                "{\"flow\":\"login_step_up\",\"channel\":\"kiosk\",\"context\":{\"risk_tier\":\"high\","
                "\"device_signals\":[\"emulator\"],\"document_confidence\":0.25,\"retry_count\":2,"
                "\"uncertain_count\":1,\"previous_failures\":0},\"full_evidence\":false,\"mirror\":false,"
                "\"match_order\":\"after_liveness\",\"kill_switch\":false,\"plan\":null}");
    assert_part(root, "diagnostics",
                "{\"rule\":\"high_risk\",\"live_llr\":1.92,\"fusion_bias\":-0.0677,\"faces_found\":1,\"primary_box\":["
                "10.0,20.0,110.0,140.0],"
                "\"inter_eye_px\":61.2,\"pose\":{\"yaw\":-3.46,\"pitch\":0.0,\"roll\":0.0},\"detail\":null}");
    json_decref(root);
    bf_record_free(&record);
    assert_null(record);
}

static void measures_carry_their_own_status(void **state)
{
    (void)state;
    bf_record *record = live_record();
    json_t *root = built(record, 0);
    const json_t *measures = json_object_get(json_object_get(root, "quality"), "measures");
    assert_int_equal(json_array_size(measures), BF_MEASURE_COUNT);
    json_t *list = json_object();
    json_object_set(list, "sharp", json_array_get(measures, BF_MEASURE_SHARPNESS));
    json_object_set(list, "size", json_array_get(measures, BF_MEASURE_HEAD_SIZE));
    json_object_set(list, "light", json_array_get(measures, BF_MEASURE_LUMINANCE_MEAN));
    assert_part(list, "sharp",
                "{\"name\":\"Sharpness\",\"native\":0.123457,\"unit\":\"ratio\","
                "\"value\":71,\"status\":\"pass\"}");
    assert_part(list, "size",
                "{\"name\":\"HeadSize\",\"native\":0.1,\"unit\":\"ratio\",\"value\":3,"
                "\"status\":\"fail\"}");
    assert_part(list, "light",
                "{\"name\":\"LuminanceMean\",\"native\":null,\"unit\":\"0..1\",\"value\":null,"
                "\"status\":\"not_assessed\"}");
    json_decref(list);
    json_decref(root);
    bf_record_free(&record);
}

static void keys_stand_in_the_published_order(void **state)
{
    (void)state;
    static const char *const order[] = {"success", "status",   "request_id", "result",    "decision", "match",
                                        "quality", "evidence", "integrity",  "capture",   "versions", "latency_ms",
                                        "latency", "error",    "input",      "reference", "request",  "diagnostics"};
    bf_record *record = live_record();
    json_t *root = built(record, 0);
    assert_int_equal(json_object_size(root), sizeof order / sizeof *order);
    size_t i = 0;
    for (void *at = json_object_iter(root); at; at = json_object_iter_next(root, at))
        assert_string_equal(json_object_iter_key(at), order[i++]);
    json_decref(root);
    bf_record_free(&record);
}

static void nothing_judged_never_looks_like_a_verdict(void **state)
{
    (void)state;
    static const struct {
        bf_status status;
        bf_band band;
        const char *name, *code;
    } cases[] = {
        {BF_NO_FACE, BF_BAND_PASS, "could_not_judge", "NO_FACE"},
        {BF_INPUT_QUALITY_TOO_LOW, BF_BAND_PASS, "could_not_judge", "INPUT_QUALITY_TOO_LOW"},
        {BF_OK, BF_BAND_NOT_JUDGED, "could_not_judge", "NO_LIVENESS_EVIDENCE"},
        {BF_OK, (bf_band)77, "could_not_judge", "NO_LIVENESS_EVIDENCE"},
        {BF_CORRUPT_IMAGE, BF_BAND_FAIL, "error", "CORRUPT_IMAGE"},
        {BF_MODEL_UNAVAILABLE, BF_BAND_NOT_JUDGED, "error", "MODEL_UNAVAILABLE"},
        {(bf_status)999, BF_BAND_PASS, "error", "UNKNOWN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_record *record = live_record();
        record->status = cases[i].status;
        record->policy.band = cases[i].band;
        json_t *root = built(record, 0);
        assert_true(json_is_false(json_object_get(root, "success")));
        assert_true(json_is_null(json_object_get(root, "result")));
        assert_string_equal(json_string_value(json_object_get(root, "status")), cases[i].name);
        const json_t *error = json_object_get(root, "error");
        assert_string_equal(json_string_value(json_object_get(error, "code")), cases[i].code);
        assert_true(bf_record_score(record) < 0.0);
        assert_int_equal(bf_record_band(record), BF_BAND_NOT_JUDGED);
        json_decref(root);
        bf_record_free(&record);
    }
}

static void an_empty_record_can_be_written(void **state)
{
    (void)state;
    bf_record *record = bf_calloc(1, sizeof *record);
    char *text = NULL;
    assert_int_equal(bf_record_json(record, BF_JSON_PRETTY | BF_JSON_GEOMETRY, &text, NULL), BF_OK);
    assert_non_null(strstr(text, "\"success\": false"));
    assert_non_null(strstr(text, "\"NO_LIVENESS_EVIDENCE\""));
    free(text);
    bf_record_free(&record);
}

static void timings_can_be_left_out(void **state)
{
    (void)state;
    bf_record *record = live_record();
    char *one = NULL, *two = NULL;
    assert_int_equal(bf_record_json(record, BF_JSON_NO_TIMING, &one, NULL), BF_OK);
    record->total_ms = 99;
    record->stage_ms[BF_STAGE_FACES] = 1;
    record->evidence[0].ms = 3;
    assert_int_equal(bf_record_json(record, BF_JSON_NO_TIMING, &two, NULL), BF_OK);
    assert_string_equal(one, two);
    free(one);
    free(two);
    bf_record_free(&record);
}

static void odd_texts_and_numbers_stay_valid_json(void **state)
{
    (void)state;
    bf_record *record = live_record();
    SET(record->request_id, "a\xff\xc3(\x01\"\xc3\xa9\xed\xa0\x80z\xe2");
    record->evidence[0].raw = 0.0 / 0.0;
    record->match.similarity = 1e300 * 1e300;
    char *text = NULL;
    assert_int_equal(bf_record_json(record, 0, &text, NULL), BF_OK);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "request_id")), "a?\?(\x01\"\xc3\xa9???z?");
    assert_true(json_is_null(json_object_get(json_object_get(root, "match"), "similarity")));
    json_decref(root);
    free(text);
    bf_record_free(&record);
}

static void geometry_is_written_when_asked_for(void **state)
{
    (void)state;
    bf_record *record = live_record();
    record->crop[0] = (bf_record_crop){.corner = {{1, 2}, {3, 2}, {3, 4}, {1, 4}}};
    SET(record->crop[0].model, "net-a");
    record->crop_count = 1;
    json_t *root = built(record, BF_JSON_GEOMETRY);
    json_t *diagnostics = json_object_get(root, "diagnostics");
    assert_int_equal(json_array_size(json_object_get(diagnostics, "landmarks")), BF_LANDMARKS);
    assert_part(diagnostics, "faces", "[[10.0,20.0,110.0,140.0]]");
    assert_part(diagnostics, "crops", "[{\"model\":\"net-a\",\"corners\":[[1.0,2.0],[3.0,2.0],[3.0,4.0],[1.0,4.0]]}]");
    assert_part(diagnostics, "outline", "[]");
    json_decref(root);
    bf_record_free(&record);
}

static void *limited_malloc(size_t size)
{
    return bf_malloc(size);
}

static void writing_survives_every_allocation_failure(void **state)
{
    (void)state;
    bf_record *record = live_record();
    json_set_alloc_funcs(limited_malloc, bf_free);
    bool done = false;
    for (size_t nth = 1; nth < 5000 && !done; nth++) {
        bf_error err = {0};
        char *text = NULL;
        (void)bf_alloc_fail_after(nth, 0);
        bf_status status = bf_record_json(record, BF_JSON_GEOMETRY, &text, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        done = made < nth;
        assert_int_equal(status, done ? BF_OK : BF_OUT_OF_MEMORY);
        assert_true(done == (text != NULL));
        free(text);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(done);
    bf_record_free(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_judgement_is_written_in_full),
        cmocka_unit_test(measures_carry_their_own_status),
        cmocka_unit_test(keys_stand_in_the_published_order),
        cmocka_unit_test(nothing_judged_never_looks_like_a_verdict),
        cmocka_unit_test(an_empty_record_can_be_written),
        cmocka_unit_test(timings_can_be_left_out),
        cmocka_unit_test(odd_texts_and_numbers_stay_valid_json),
        cmocka_unit_test(geometry_is_written_when_asked_for),
        cmocka_unit_test(writing_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
