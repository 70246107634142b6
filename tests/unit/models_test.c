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
#include "models/store.h"
#include "support/stub_model.h"

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

static bf_status read_model(const char *name, bf_error *err)
{
    bf_model_files files = {0};
    bf_status status = bf_model_read(place.models, place.weights, name, &files, err);
    bf_model_files_done(&files);
    return status;
}

static void expect(const char *name, bf_status wanted, const char *message)
{
    bf_error err = {0};
    bf_status status = read_model(name, &err);
    if (status != wanted || !strstr(err.message, message))
        fail_msg("%s: expected %d \"%s\", got %d \"%s\"", name, (int)wanted, message, (int)status, err.message);
}

static void a_users_model_needs_only_a_manifest(void **state)
{
    (void)state;
    stub_install(&place, "mine", STUB_SOUND);
    bf_model_files files = {0};
    bf_error err = {0};
    bf_bytes model = stub_model(STUB_SOUND);
    assert_int_equal(bf_model_read(place.models, place.weights, "mine", &files, &err), BF_OK);
    assert_string_equal(files.manifest.name, "mine");
    assert_false(files.optimised);
    assert_string_equal(files.loaded_sha256, files.manifest.sha256);
    assert_int_equal(files.weights.size, model.size);
    assert_memory_equal(files.weights.data, model.data, model.size);
    bf_model_files_done(&files);
    bf_bytes_done(&model);
}

static void refuses_what_should_not_run(void **state)
{
    (void)state;
    stub_install(&place, "mine", STUB_SOUND);
    expect("none", BF_MODEL_UNAVAILABLE, "There is no model 'none'.");
    expect("", BF_MODEL_UNAVAILABLE, "cannot be the name of a model");
    expect("..", BF_MODEL_UNAVAILABLE, "cannot be the name of a model");
    expect("../weights", BF_MODEL_UNAVAILABLE, "cannot be the name of a model");
    stub_put_manifest(&place, "absent", OTHER_HASH, "", true);
    expect("absent", BF_MODEL_UNAVAILABLE, "The weights of the model absent are not there.");
    stub_put_manifest(&place, "changed", OTHER_HASH, "", true);
    stub_put(&place, "weights/changed.onnx", "bytes", 5);
    expect("changed", BF_MODEL_TAMPERED, "are not the ones its manifest describes");
    stub_put_manifest(&place, "barred", OTHER_HASH, "", false);
    expect("barred", BF_MODEL_UNAPPROVED, "is not approved for use");
    stub_put(&place, "models/odd/manifest.yaml", "name: odd\n", 10);
    expect("odd", BF_CONFIG_INVALID, "the key 'version' is missing");
    stub_put(&place, "models/renamed/manifest.yaml", "", 0);
    expect("renamed", BF_CONFIG_INVALID, "the document is empty");
}

static void a_folder_and_its_manifest_have_one_name(void **state)
{
    (void)state;
    char from[512], to[512];
    stub_install(&place, "mine", STUB_SOUND);
    (void)snprintf(from, sizeof from, "%s/mine", place.models);
    (void)snprintf(to, sizeof to, "%s/yours", place.models);
    assert_int_equal(rename(from, to), 0);
    expect("yours", BF_CONFIG_INVALID, "the manifest is named 'mine', its folder 'yours'");
}

static void prefers_the_optimised_file_and_never_falls_back(void **state)
{
    (void)state;
    bf_bytes published = stub_model(STUB_SOUND), optimised = stub_model(STUB_OPEN_SHAPES);
    char hash[BF_SHA256_HEX_SIZE], extra[256];
    bf_sha256_hex(optimised.data, optimised.size, hash);
    (void)snprintf(extra, sizeof extra, "  optimised_sha256: %s\n", hash);
    bf_sha256_hex(published.data, published.size, hash);
    stub_put_manifest(&place, "fast", hash, extra, true);
    stub_put(&place, "weights/fast.onnx", published.data, published.size);
    bf_model_files files = {0};
    assert_int_equal(bf_model_read(place.models, place.weights, "fast", &files, NULL), BF_OK);
    assert_false(files.optimised);
    bf_model_files_done(&files);
    stub_put(&place, "weights/fast.opt.onnx", optimised.data, optimised.size);
    assert_int_equal(bf_model_read(place.models, place.weights, "fast", &files, NULL), BF_OK);
    assert_true(files.optimised);
    assert_string_equal(files.loaded_sha256, files.manifest.optimised_sha256);
    bf_model_files_done(&files);
    stub_put(&place, "weights/fast.opt.onnx", published.data, published.size);
    expect("fast", BF_MODEL_TAMPERED, "are not the ones");
    bf_bytes_done(&published);
    bf_bytes_done(&optimised);
}

static const bf_model_info *find(const bf_model_list *list, const char *name)
{
    for (size_t i = 0; i < bf_model_list_count(list); i++) {
        if (strcmp(bf_model_list_at(list, i)->name, name) == 0)
            return bf_model_list_at(list, i);
    }
    fail_msg("%s is not in the list", name);
    return NULL;
}

static void lists_every_model_with_its_state(void **state)
{
    (void)state;
    stub_install(&place, "b-sound", STUB_SOUND);
    stub_install(&place, "a-nan", STUB_NOT_A_NUMBER);
    stub_install(&place, "c-doubles", STUB_DOUBLES);
    stub_put_manifest(&place, "d-absent", OTHER_HASH, "", true);
    stub_put_manifest(&place, "e-barred", OTHER_HASH, "", false);
    stub_put_manifest(&place, "f-changed", OTHER_HASH, "", true);
    stub_put(&place, "weights/f-changed.onnx", "bytes", 5);
    stub_put(&place, "models/g-odd/manifest.yaml", "name: [\n", 8);
    stub_put(&place, "models/notes.txt", "no model\n", 9);
    bf_model_list *list = NULL;
    bf_error err = {0};
    assert_int_equal(bf_models_list(place.root, place.weights, &list, &err), BF_OK);
    assert_int_equal(bf_model_list_count(list), 7);
    assert_string_equal(bf_model_list_at(list, 0)->name, "a-nan");
    assert_null(bf_model_list_at(list, 7));
    const bf_model_info *sound = find(list, "b-sound");
    assert_int_equal(sound->state, BF_MODEL_STATE_OK);
    assert_string_equal(sound->task, "liveness");
    assert_string_equal(sound->licence, "Apache-2.0");
    assert_string_equal(sound->file, "b-sound.onnx");
    assert_int_equal(strlen(sound->sha256), 64);
    assert_string_equal(sound->why, "");
    assert_int_equal(find(list, "c-doubles")->state, BF_MODEL_STATE_OK);
    assert_int_equal(find(list, "d-absent")->state, BF_MODEL_STATE_MISSING);
    assert_int_equal(find(list, "e-barred")->state, BF_MODEL_STATE_UNAPPROVED);
    assert_int_equal(find(list, "f-changed")->state, BF_MODEL_STATE_TAMPERED);
    assert_int_equal(find(list, "g-odd")->state, BF_MODEL_STATE_INVALID);
    assert_string_equal(bf_model_state_name(find(list, "d-absent")->state), "missing");
    assert_string_equal(bf_model_state_name((bf_model_state)99), "unknown");
    bf_model_list_free(&list);
    assert_null(list);
}

static void verifying_runs_what_listing_only_hashes(void **state)
{
    (void)state;
    stub_install(&place, "a-sound", STUB_SOUND);
    stub_install(&place, "b-doubles", STUB_DOUBLES);
    bf_model_list *list = NULL;
    bf_error err = {0};
    assert_int_equal(bf_models_verify(place.root, place.weights, &list, &err), BF_OK);
    assert_int_equal(find(list, "a-sound")->state, BF_MODEL_STATE_OK);
    assert_int_equal(find(list, "b-doubles")->state, BF_MODEL_STATE_INVALID);
    assert_non_null(strstr(find(list, "b-doubles")->why, "does not hold 32-bit floats"));
    bf_model_list_free(&list);
    assert_int_equal(bf_models_list("/no/such/folder", place.weights, &list, &err), BF_IO_ERROR);
    assert_int_equal(bf_models_list(NULL, place.weights, &list, &err), BF_INVALID_ARGUMENT);
    assert_null(list);
}

static void lists_survive_every_allocation_failure(void **state)
{
    (void)state;
    stub_install(&place, "a", STUB_SOUND);
    for (size_t nth = 1; nth < 500; nth++) {
        bf_model_list *list = NULL;
        bf_error err = {0};
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_models_verify(place.root, place.weights, &list, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            assert_int_equal(find(list, "a")->state, BF_MODEL_STATE_OK);
            bf_model_list_free(&list);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
        assert_null(list);
    }
    fail_msg("listing never stopped allocating");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_users_model_needs_only_a_manifest, make_place, drop_place),
        cmocka_unit_test_setup_teardown(refuses_what_should_not_run, make_place, drop_place),
        cmocka_unit_test_setup_teardown(a_folder_and_its_manifest_have_one_name, make_place, drop_place),
        cmocka_unit_test_setup_teardown(prefers_the_optimised_file_and_never_falls_back, make_place, drop_place),
        cmocka_unit_test_setup_teardown(lists_every_model_with_its_state, make_place, drop_place),
        cmocka_unit_test_setup_teardown(verifying_runs_what_listing_only_hashes, make_place, drop_place),
        cmocka_unit_test_setup_teardown(lists_survive_every_allocation_failure, make_place, drop_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
