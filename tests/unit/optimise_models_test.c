/* bf_models_optimise: what may be written and loaded, and what must not; and the shipped models. */
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
#include "decode/decode.h"
#include "infer/golden.h"
#include "models/store.h"
#include "optimise/optimise.h"
#include "support/stub_model.h"
#include "support/tiny_network.h"

#define OTHER_HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static stub_place place;

static int make_place(void **state)
{
    (void)state;
    place = stub_place_new();
    return 0;
}

static int drop_place(void **state)
{
    (void)state;
    stub_place_done(&place);
    return 0;
}

/* A network with inputs and outputs as stub_put_manifest says, and something to rewrite. */
static bf_bytes classifier(void)
{
    tiny_network *net = tiny_network_new(3, STUB_SIDE, 9);
    const char *x = tiny_prelu(net, tiny_conv(net, "input", 3, 13, 3, 1), 13, -1, 0.5);
    x = tiny_conv(net, x, 13, STUB_CLASSES, 3, 2);
    return tiny_network_finish(&net, tiny_node(net, "GlobalAveragePool", x, NULL, NULL, 0));
}

static void hash_of_rewritten(const bf_bytes *file, char ret[BF_SHA256_HEX_SIZE])
{
    bf_bytes out = {0};
    bf_optimise_report report;
    assert_int_equal(bf_optimise_model(file->data, file->size, &out, &report, NULL), BF_OK);
    bf_sha256_hex(out.data, out.size, ret);
    bf_bytes_done(&out);
}

/* Installs the classifier as the model "mine" with its own hash, and `optimised` (may be NULL) for the rewritten
 * one. */
static void install(const bf_bytes *file, const char *optimised)
{
    char hash[BF_SHA256_HEX_SIZE], extra[120] = "";
    bf_sha256_hex(file->data, file->size, hash);
    if (optimised)
        (void)snprintf(extra, sizeof extra, "  optimised_sha256: %s\n", optimised);
    stub_put_manifest(&place, "mine", hash, extra, true);
    stub_put(&place, "weights/mine.onnx", file->data, file->size);
}

static bf_model_optimisation optimise(void)
{
    bf_model_optimisation o = {0};
    bf_error err = {0};
    if (bf_models_optimise(place.root, place.weights, "mine", &o, &err) != BF_OK)
        fail_msg("%s (%s)", err.message, err.detail);
    return o;
}

static void expect_refused(bf_status wanted, const char *words)
{
    bf_model_optimisation o;
    bf_error err = {0};
    bf_status status = bf_models_optimise(place.root, place.weights, "mine", &o, &err);
    if (status != wanted || !strstr(err.message, words))
        fail_msg("expected %d \"%s\", got %d \"%s\"", (int)wanted, words, (int)status, err.message);
}

static bool weights_has(const char *name)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", place.weights, name);
    return access(path, F_OK) == 0;
}

/* Reads the model as the engine does; whether it got the rewritten file. */
static bool loads_optimised(const char *wanted_sha256)
{
    bf_model_files files = {0};
    bf_error err = {0};
    if (bf_model_read(place.models, place.weights, "mine", &files, &err) != BF_OK)
        fail_msg("%s", err.message);
    bool optimised = files.optimised;
    assert_true(!optimised || strcmp(files.loaded_sha256, wanted_sha256) == 0);
    bf_model_files_done(&files);
    return optimised;
}

static void a_pinned_model_is_rewritten_once(void **state)
{
    (void)state;
    bf_bytes file = classifier();
    char hash[BF_SHA256_HEX_SIZE];
    hash_of_rewritten(&file, hash);
    install(&file, hash);
    assert_false(loads_optimised(hash));
    bf_model_optimisation o = optimise();
    assert_int_equal(o.state, BF_OPTIMISE_WRITTEN);
    assert_string_equal(o.sha256, hash);
    assert_int_equal(o.activations, 1);
    assert_int_equal(o.padded, 1);
    assert_true(o.difference >= 0 && o.difference < 1e-5);
    assert_true(loads_optimised(hash));
    o = optimise();
    assert_int_equal(o.state, BF_OPTIMISE_PRESENT);
    assert_string_equal(o.sha256, hash);
    /* A damaged file never loads, and is made anew when asked for. */
    stub_put(&place, "weights/mine.opt.onnx", "other", 5);
    bf_model_files files = {0};
    bf_error err = {0};
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, &err), BF_MODEL_TAMPERED);
    assert_non_null(strstr(err.hint, "bonafide models optimise"));
    assert_int_equal(optimise().state, BF_OPTIMISE_WRITTEN);
    assert_true(loads_optimised(hash));
    bf_bytes_done(&file);
}

static void another_pinned_hash_is_a_fault_of_the_manifest(void **state)
{
    (void)state;
    bf_bytes file = classifier(), stub = stub_model(STUB_SOUND);
    install(&file, OTHER_HASH);
    expect_refused(BF_CONFIG_INVALID, "states another rewritten network than is made here");
    assert_false(weights_has("mine.opt.onnx"));
    install(&stub, OTHER_HASH); /* in which there is nothing to rewrite */
    expect_refused(BF_CONFIG_INVALID, "states another rewritten network than is made here");
    bf_bytes_done(&file);
    bf_bytes_done(&stub);
}

static void without_a_pinned_hash_nothing_is_written(void **state)
{
    (void)state;
    bf_bytes file = classifier(), stub = stub_model(STUB_SOUND);
    char hash[BF_SHA256_HEX_SIZE];
    hash_of_rewritten(&file, hash);
    install(&file, NULL);
    bf_model_optimisation o = optimise();
    assert_int_equal(o.state, BF_OPTIMISE_UNPINNED);
    assert_string_equal(o.sha256, hash);
    assert_false(weights_has("mine.opt.onnx"));
    install(&stub, NULL);
    o = optimise();
    assert_int_equal(o.state, BF_OPTIMISE_UNCHANGED);
    assert_string_equal(o.sha256, "");
    bf_bytes_done(&file);
    bf_bytes_done(&stub);
}

static void refuses_what_it_should_not_touch(void **state)
{
    (void)state;
    bf_bytes file = classifier();
    bf_model_optimisation o;
    expect_refused(BF_MODEL_UNAVAILABLE, "There is no model 'mine'");
    assert_int_equal(bf_models_optimise(NULL, NULL, NULL, NULL, NULL), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_models_optimise(place.root, place.weights, "../mine", &o, NULL), BF_MODEL_UNAVAILABLE);
    install(&file, OTHER_HASH);
    file.data[file.size / 2] ^= 1;
    stub_put(&place, "weights/mine.onnx", file.data, file.size);
    expect_refused(BF_MODEL_TAMPERED, "are not the ones its manifest describes");
    install(&file, OTHER_HASH);
    stub_put_manifest(&place, "mine", OTHER_HASH, "", false);
    expect_refused(BF_MODEL_UNAPPROVED, "not approved");
    char hash[BF_SHA256_HEX_SIZE];
    bf_sha256_hex("garbage", 7, hash);
    stub_put_manifest(&place, "mine", hash, "", true);
    stub_put(&place, "weights/mine.onnx", "garbage", 7);
    expect_refused(BF_MODEL_INVALID, "is not an ONNX network");
    bf_bytes_done(&file);
}

/* Golden vectors of the classifier for an import: what the network itself says to a ramp. */
static void put_golden(const bf_bytes *file)
{
    bf_manifest m;
    bf_net *net = NULL;
    bf_net_run *run = NULL;
    bf_golden_pattern ramp = {.kind = BF_GOLDEN_RAMP, .low = 0, .high = 1};
    size_t count;
    char text[400];
    assert_int_equal(bf_model_read_manifest(place.models, "mine", &m, NULL), BF_OK);
    assert_int_equal(bf_net_load(&m, file->data, file->size, &net, NULL), BF_OK);
    assert_int_equal(bf_net_run_new(net, &run, NULL), BF_OK);
    bf_golden_fill(&ramp, &m.input, bf_net_input(run));
    assert_int_equal(bf_net_execute(run, NULL), BF_OK);
    const float *out = bf_net_output(run, 0, &count);
    int length = snprintf(text, sizeof text,
                          "model: mine\ntolerance: 0.001\nvectors:\n"
                          "  - {pattern: ramp, low: 0, high: 1, outputs: [[%.9g, %.9g, %.9g]]}\n",
                          (double)out[0], (double)out[1], (double)out[2]);
    stub_put(&place, "models/mine/golden.yaml", text, (size_t)length);
    bf_net_run_free(&run);
    bf_net_free(&net);
}

static void an_imported_model_keeps_its_hash_beside_it(void **state)
{
    (void)state;
    bf_bytes file = classifier();
    char hash[BF_SHA256_HEX_SIZE], path[600];
    bf_error err = {0};
    hash_of_rewritten(&file, hash);
    stub_put_manifest(&place, "mine", NULL, "  golden: golden.yaml\n", true);
    put_golden(&file);
    stub_put(&place, "download.onnx", file.data, file.size);
    expect_refused(BF_MODEL_UNAVAILABLE, "are not there");
    (void)snprintf(path, sizeof path, "%s/download.onnx", place.root);
    assert_int_equal(bf_models_import(place.root, place.weights, "mine", path, &err), BF_OK);
    assert_false(loads_optimised(hash));
    assert_int_equal(optimise().state, BF_OPTIMISE_WRITTEN);
    assert_true(loads_optimised(hash));
    assert_int_equal(optimise().state, BF_OPTIMISE_PRESENT);
    /* A second import begins anew: the old rewritten file is not loaded any more. */
    assert_int_equal(bf_models_import(place.root, place.weights, "mine", path, &err), BF_OK);
    assert_false(loads_optimised(hash));
    bf_bytes_done(&file);
}

static void writes_nothing_when_memory_is_short(void **state)
{
    (void)state;
    bf_bytes file = classifier();
    char hash[BF_SHA256_HEX_SIZE];
    hash_of_rewritten(&file, hash);
    install(&file, hash);
    bf_status status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth++) {
        bf_model_optimisation o;
        bf_error err = {0};
        bf_alloc_fail_after(nth, 0);
        status = bf_models_optimise(place.root, place.weights, "mine", &o, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        if (status != BF_OK) {
            assert_int_equal(status, BF_OUT_OF_MEMORY);
            assert_false(weights_has("mine.opt.onnx"));
        }
        assert_true((status == BF_OK) == (made < nth));
        assert_true(nth < 20000);
    }
    assert_true(loads_optimised(hash));
    bf_bytes_done(&file);
}

/* The middle of a sample photo as a model's input; NULL when there are no samples. The caller frees. */
static float *sample_input(const char *cache, const bf_tensor_spec *spec)
{
    char path[4096];
    bf_bytes file = {0};
    bf_image photo = {0};
    bf_media_facts facts;
    (void)snprintf(path, sizeof path, "%s/samples/person-1.jpg", cache);
    if (bf_bytes_read_file(&file, path, BF_INPUT_BYTES_MAX, NULL) != BF_OK)
        return NULL;
    assert_int_equal(bf_decode_still(file.data, file.size, NULL, &photo, &facts, NULL), BF_OK);
    bf_bytes_done(&file);
    float *floats = malloc((size_t)spec->width * (size_t)spec->height * (size_t)spec->channels * sizeof *floats);
    assert_non_null(floats);
    float width = (float)photo.width, height = (float)photo.height, side = width < height ? width : height;
    bf_rect middle = {(width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2};
    bf_tensor_from_rect(&photo, middle, false, spec, floats);
    bf_image_done(&photo);
    return floats;
}

/* The shipped manifests against the published files: rewriting gives the pinned bytes, and they say the same. */
static void shipped_models_have_the_pinned_hash(void **state)
{
    (void)state;
    static const char *const names[] = {"passive-fr", "match-fr", "head-pose"};
    const char *source = getenv("BONAFIDE_SOURCE_DIR"), *cache = getenv("BONAFIDE_CACHE_DIR");
    char models[4096], weights[4096];
    source = source ? source : ".";
    cache = cache ? cache : ".cache";
    (void)snprintf(models, sizeof models, "%s/models", source);
    (void)snprintf(weights, sizeof weights, "%s/weights", cache);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bf_model_files files = {0};
        bf_bytes optimised = {0};
        bf_optimise_report report;
        bf_manifest m;
        char hash[BF_SHA256_HEX_SIZE];
        double difference = 1;
        bf_error err = {0};
        assert_int_equal(bf_model_read_manifest(models, names[i], &m, &err), BF_OK);
        if (bf_model_read_published(weights, &m, &files, &err) == BF_MODEL_UNAVAILABLE)
            skip();
        assert_int_equal(bf_optimise_model(files.weights.data, files.weights.size, &optimised, &report, &err), BF_OK);
        bf_sha256_hex(optimised.data, optimised.size, hash);
        assert_string_equal(hash, m.optimised_sha256);
        bf_optimise_sample photo = {sample_input(cache, &m.input)};
        assert_int_equal(
            bf_optimise_check(&m, &files.weights, &optimised, &photo, photo.floats ? 1 : 0, &difference, &err), BF_OK);
        assert_true(difference < 2e-5);
        free((void *)(uintptr_t)photo.floats);
        bf_model_files_done(&files);
        bf_bytes_done(&optimised);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pinned_model_is_rewritten_once, make_place, drop_place),
        cmocka_unit_test_setup_teardown(another_pinned_hash_is_a_fault_of_the_manifest, make_place, drop_place),
        cmocka_unit_test_setup_teardown(without_a_pinned_hash_nothing_is_written, make_place, drop_place),
        cmocka_unit_test_setup_teardown(refuses_what_it_should_not_touch, make_place, drop_place),
        cmocka_unit_test_setup_teardown(an_imported_model_keeps_its_hash_beside_it, make_place, drop_place),
        cmocka_unit_test_setup_teardown(writes_nothing_when_memory_is_short, make_place, drop_place),
        cmocka_unit_test(shipped_models_have_the_pinned_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
