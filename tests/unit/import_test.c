#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "bonafide/models.h"
#include "infer/golden.h"
#include "models/store.h"
#include "support/stub_model.h"

#define GOLDEN_LINE "  golden: golden.yaml\n"

/* Channel means of the constant input 2 are 2, so logit k = 2 * (sum of weights to k) + bias k:
 * 2 * (0.5 + 0.125 - 0.75) + 1, 2 * (-1 + 2 + 0) - 2, 2 * (0.25 - 0.5 + 1) + 0.5. The ramp from 0 to 1 has the mean
 * one half in every channel. */
static const char GOLDEN[] = "model: mine\ntolerance: 0.001\nvectors:\n"
                             "  - {pattern: checks, cell: 1, low: 2, high: 2, outputs: [[0.75, 0, 2]]}\n"
                             "  - {pattern: ramp, low: 0, high: 1, outputs: [[0.9375, -1.5, 0.875]]}\n";

static stub_place place;
static char file[400];

static int make_place(void **state)
{
    (void)state;
    place = stub_place_new();
    bf_bytes model = stub_model(STUB_SOUND);
    stub_put(&place, "download.onnx", model.data, model.size);
    bf_bytes_done(&model);
    (void)snprintf(file, sizeof file, "%s/download.onnx", place.root);
    return 0;
}

static int drop_place(void **state)
{
    (void)state;
    stub_place_done(&place);
    return 0;
}

static void put_golden(const char *text)
{
    stub_put(&place, "models/mine/golden.yaml", text, strlen(text));
}

static bf_status import(bf_error *err)
{
    return bf_models_import(place.root, place.weights, "mine", file, err);
}

static bool weights_has(const char *name)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", place.weights, name);
    return access(path, F_OK) == 0;
}

static void expect_refused(bf_status wanted, const char *message)
{
    bf_error err = {0};
    bf_status status = import(&err);
    if (status != wanted || !strstr(err.message, message))
        fail_msg("expected %d \"%s\", got %d \"%s\"", (int)wanted, message, (int)status, err.message);
    assert_false(weights_has("mine.onnx"));
    assert_false(weights_has("mine.local.yaml"));
}

static void golden_vectors_stand_for_a_hash(void **state)
{
    (void)state;
    stub_put_manifest(&place, "mine", NULL, GOLDEN_LINE, true);
    put_golden(GOLDEN);
    bf_error err = {0};
    bf_model_files files = {0};
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, &err), BF_MODEL_UNAVAILABLE);
    assert_non_null(strstr(err.hint, "bonafide models import FILE --as mine"));
    if (import(&err) != BF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, &err), BF_OK);
    assert_int_equal(strlen(files.loaded_sha256), 64);
    bf_model_files_done(&files);
    stub_put(&place, "weights/mine.onnx", "other", 5);
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, &err), BF_MODEL_TAMPERED);
    assert_int_equal(import(&err), BF_OK);
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, &err), BF_OK);
    bf_model_files_done(&files);
}

static void weights_without_an_import_do_not_load(void **state)
{
    (void)state;
    stub_put_manifest(&place, "mine", NULL, GOLDEN_LINE, true);
    put_golden(GOLDEN);
    bf_bytes model = stub_model(STUB_SOUND);
    stub_put(&place, "weights/mine.onnx", model.data, model.size);
    bf_bytes_done(&model);
    bf_model_files files = {0};
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, NULL), BF_MODEL_UNAVAILABLE);
    stub_put(&place, "weights/mine.local.yaml", "model: yours\nsha256: x\n", 23);
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, NULL), BF_CONFIG_INVALID);
}

static void a_stated_hash_is_checked(void **state)
{
    (void)state;
    char hash[BF_SHA256_HEX_SIZE];
    bf_error err = {0};
    bf_bytes model = stub_model(STUB_SOUND);
    bf_sha256_hex(model.data, model.size, hash);
    bf_bytes_done(&model);
    stub_put_manifest(&place, "mine", hash, "", true);
    assert_int_equal(import(&err), BF_OK);
    assert_true(weights_has("mine.onnx"));
    assert_false(weights_has("mine.local.yaml"));
}

static void refuses_the_wrong_file(void **state)
{
    (void)state;
    bf_error err = {0};
    assert_int_equal(import(&err), BF_MODEL_UNAVAILABLE);
    stub_put_manifest(&place, "mine", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "", true);
    expect_refused(BF_MODEL_TAMPERED, "is not the one that the manifest of the model mine states");
    stub_put_manifest(&place, "mine", NULL, GOLDEN_LINE, false);
    expect_refused(BF_MODEL_UNAPPROVED, "not approved");
    stub_put_manifest(&place, "mine", NULL, GOLDEN_LINE, true);
    expect_refused(BF_CONFIG_INVALID, "cannot be read");
    put_golden("model: mine\ntolerance: 0.001\nvectors:\n"
               "  - {pattern: checks, cell: 1, low: 2, high: 2, outputs: [[0.75, 0, 2.01]]}\n");
    expect_refused(BF_MODEL_INVALID, "golden vector 1 gives 2 where 2.01 is expected");
    bf_bytes nan_model = stub_model(STUB_NOT_A_NUMBER);
    put_golden(GOLDEN);
    stub_put(&place, "download.onnx", nan_model.data, nan_model.size);
    bf_bytes_done(&nan_model);
    expect_refused(BF_INFERENCE_FAILED, "gave a result that is not a number");
    stub_put(&place, "download.onnx", "garbage", 7);
    expect_refused(BF_MODEL_INVALID, "are not a network that ONNX Runtime can load");
    assert_int_equal(bf_models_import(place.root, place.weights, "mine", "/no/such/file", &err), BF_MODEL_UNAVAILABLE);
    assert_int_equal(bf_models_import(place.root, place.weights, "mine", place.root, &err), BF_MODEL_UNAVAILABLE);
    assert_int_equal(bf_models_import(NULL, NULL, NULL, NULL, &err), BF_INVALID_ARGUMENT);
}

static void writes_nothing_where_it_cannot(void **state)
{
    (void)state;
    bf_error err = {0};
    stub_put_manifest(&place, "mine", NULL, GOLDEN_LINE, true);
    put_golden(GOLDEN);
    assert_int_equal(bf_models_import(place.root, "/no/such/folder", "mine", file, &err), BF_IO_ERROR);
}

typedef struct fault {
    const char *text, *message;
} fault;

static void golden_files_are_read_strictly(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"model: yours\ntolerance: 0.001\nvectors: []\n", "these are the vectors of 'yours', not 'mine'"},
        {"model: mine\ntolerance: 0.001\nvectors: []\n", "'vectors' must be a list of 1 to 16 vectors"},
        {"model: mine\ntolerance: 1\nvectors: [a]\n", "tolerance is outside"},
        {"model: mine\ntolerance: 0.001\nvectors: [{pattern: nois}]\n", "did you mean 'noise'?"},
        {"model: mine\ntolerance: 0.001\nvectors: [{pattern: noise, low: 0, high: 1, outputs: []}]\n",
         "the key 'seed' is missing"},
        {"model: mine\ntolerance: 0.001\nvectors: [{pattern: ramp, low: 0, high: 1, outputs: []}]\n",
         "'outputs' must be a list of 1 lists of numbers"},
        {"model: mine\ntolerance: 0.001\nvectors: [{pattern: ramp, low: 0, high: 1, outputs: [[1, 2]]}]\n",
         "output 0 of the model has 3 values; the golden vector has 2"},
        {"model: mine\ntolerance: 0.001\nvectors: [{pattern: checks, cell: 0, low: 0, high: 1, outputs: [[1]]}]\n",
         "cell is outside"},
    };
    stub_put_manifest(&place, "mine", NULL, GOLDEN_LINE, true);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        put_golden(faults[i].text);
        expect_refused(BF_CONFIG_INVALID, faults[i].message);
    }
}

/* The first numbers of the sequence, computed by another program. */
static void noise_is_the_documented_sequence(void **state)
{
    (void)state;
    static float first[8 * 8 * 3], second[8 * 8 * 3];
    bf_tensor_spec spec = {.width = 8, .height = 8, .channels = 3, .layout = BF_LAYOUT_NCHW};
    const bf_golden_pattern pattern = {BF_GOLDEN_NOISE, 1, 1, 0, 255};
    bf_golden_fill(&pattern, &spec, first);
    assert_float_equal(first[0], 60.2961525f, 1e-4f);
    assert_float_equal(first[1], 94.1640088f, 1e-4f);
    spec.layout = BF_LAYOUT_NHWC;
    bf_golden_fill(&pattern, &spec, second);
    for (size_t i = 0; i < 64; i++) {
        for (size_t c = 0; c < 3; c++)
            assert_true(first[c * 64 + i] == second[i * 3 + c]);
    }
}

/* Where the operator has imported the second passive network, its golden vectors hold. */
static void the_second_passive_network_meets_its_vectors(void **state)
{
    (void)state;
    const char *source = getenv("BONAFIDE_SOURCE_DIR"), *cache = getenv("BONAFIDE_CACHE_DIR");
    char models[1000], weights[1000];
    if (!source || !cache)
        skip();
    (void)snprintf(models, sizeof models, "%s/models", source);
    (void)snprintf(weights, sizeof weights, "%s/weights", cache);
    bf_model_files files = {0};
    if (bf_model_read(models, weights, "silentface-v2", &files, NULL) != BF_OK)
        skip();
    bf_error err = {0};
    bf_net *net = NULL;
    bf_status status = bf_net_load(&files.manifest, files.weights.data, files.weights.size, &net, &err);
    bf_model_files_done(&files);
    assert_int_equal(status, BF_OK);
    status = bf_golden_check_model(net, models, &err);
    bf_net_free(&net);
    assert_int_equal(status, BF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(golden_vectors_stand_for_a_hash, make_place, drop_place),
        cmocka_unit_test_setup_teardown(weights_without_an_import_do_not_load, make_place, drop_place),
        cmocka_unit_test_setup_teardown(a_stated_hash_is_checked, make_place, drop_place),
        cmocka_unit_test_setup_teardown(refuses_the_wrong_file, make_place, drop_place),
        cmocka_unit_test_setup_teardown(writes_nothing_where_it_cannot, make_place, drop_place),
        cmocka_unit_test_setup_teardown(golden_files_are_read_strictly, make_place, drop_place),
        cmocka_unit_test(noise_is_the_documented_sequence),
        cmocka_unit_test(the_second_passive_network_meets_its_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
