#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/words.h"
#include "base/yaml.h"

#define TEMP_FILE "base_test.tmp"

static bf_status parse(const char *text, bf_yaml **ret, bf_error *err)
{
    return bf_yaml_parse(text, strlen(text), "t.yaml", ret, err);
}

static void sha256_known_answer(void **state)
{
    (void)state;
    char hex[BF_SHA256_HEX_SIZE];
    bf_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void yaml_reads_values_with_lines(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_yaml *doc = NULL;
    assert_int_equal(parse("a: 1.5\nb:\n  c: [x, 'true']\nd: true\n", &doc, &err), BF_OK);
    const bf_yaml_node *root = bf_yaml_root(doc);
    double number = 0;
    bool flag = false;
    assert_int_equal(bf_yaml_number(doc, root, "a", true, 0, 2, &number, &err), BF_OK);
    assert_true(number == 1.5);
    assert_int_equal(bf_yaml_bool(doc, root, "d", true, &flag, &err), BF_OK);
    assert_true(flag);
    const bf_yaml_node *list = bf_yaml_get(bf_yaml_get(root, "b"), "c");
    assert_int_equal(list->child_count, 2);
    assert_int_equal(list->line, 3);
    assert_true(list->child->next->quoted);
    bf_yaml_free(&doc);
    assert_null(doc);
}

static void yaml_names_the_nearest_key(void **state)
{
    (void)state;
    static const char *const known[] = {"threshold", "name", NULL};
    bf_error err = {0};
    bf_yaml *doc = NULL;
    assert_int_equal(parse("name: x\ntreshold: 1\n", &doc, &err), BF_OK);
    assert_int_equal(bf_yaml_check_keys(doc, bf_yaml_root(doc), known, &err), BF_CONFIG_INVALID);
    assert_string_equal(err.message, "t.yaml:2: unknown key 'treshold'; did you mean 'threshold'?");
    bf_yaml_free(&doc);
}

static void yaml_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "a: 1\na: 2\n",
                                      "a: &x 1\nb: *x\n",
                                      "a: !!int 1\n",
                                      "a: [1, 2\n",
                                      "--- 1\n--- 2\n",
                                      "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
                                      "? [a]\n: b\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bf_error err = {0};
        bf_yaml *doc = NULL;
        assert_int_equal(parse(bad[i], &doc, &err), BF_CONFIG_INVALID);
        assert_null(doc);
        assert_non_null(strstr(err.message, "t.yaml"));
    }
}

static void yaml_refuses_bad_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"a: nan\n", "a: inf\n", "a: 0x10\n", "a: 1e999\n",
                                      "a: '1'\n", "a: 3\n",   "a: [1]\n",  "b: 1\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bf_error err = {0};
        bf_yaml *doc = NULL;
        double number = 7;
        assert_int_equal(parse(bad[i], &doc, &err), BF_OK);
        assert_int_equal(bf_yaml_number(doc, bf_yaml_root(doc), "a", true, 0, 2, &number, &err), BF_CONFIG_INVALID);
        assert_true(number == 7);
        bf_yaml_free(&doc);
    }
}

static void yaml_survives_every_allocation_failure(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 100; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_error err = {0};
        bf_yaml *doc = NULL;
        bf_status status = parse("a: {b: [1, 2, 3], c: d}\n", &doc, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        bf_yaml_free(&doc);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    fail_msg("the parser never stopped allocating");
}

static void codes_have_names(void **state)
{
    (void)state;
    assert_string_equal(bf_status_name(BF_CORRUPT_IMAGE), "CORRUPT_IMAGE");
    assert_string_equal(bf_status_name((bf_status)9999), "UNKNOWN");
    assert_true(bf_status_retryable(BF_NO_FACE));
    assert_false(bf_status_retryable((bf_status)9999));
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        bf_measure_id id;
        assert_true(bf_measure_from_name(bf_measure_name((bf_measure_id)i), &id));
        assert_int_equal(id, i);
    }
    for (int i = 0; i < BF_REASON_COUNT; i++) {
        bf_reason id;
        assert_true(bf_reason_from_name(bf_reason_name((bf_reason)i), &id));
        assert_int_equal(id, i);
    }
}

static void files_refuse_what_is_no_file(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_bytes bytes = {0};
    assert_int_equal(bf_bytes_read_file(&bytes, "/", 100, &err), BF_IO_ERROR);
    assert_non_null(strstr(err.message, "a directory"));
    assert_int_equal(bf_bytes_read_file(&bytes, "/no/such/file", 100, &err), BF_IO_ERROR);
    assert_int_equal(bf_bytes_write_file("/no/such/folder/file", "x", 1, &err), BF_IO_ERROR);
    assert_null(bytes.data);
}

static void files_round_trip_and_respect_the_limit(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_bytes bytes = {0};
    assert_int_equal(bf_bytes_write_file(TEMP_FILE, "hello", 5, &err), BF_OK);
    assert_int_equal(bf_bytes_read_file(&bytes, TEMP_FILE, 5, &err), BF_OK);
    assert_int_equal(bytes.size, 5);
    assert_string_equal((const char *)bytes.data, "hello");
    bf_bytes_done(&bytes);
    assert_int_equal(bf_bytes_read_file(&bytes, TEMP_FILE, 4, &err), BF_IMAGE_TOO_LARGE);
    assert_int_equal(remove(TEMP_FILE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_known_answer),
        cmocka_unit_test(yaml_reads_values_with_lines),
        cmocka_unit_test(yaml_names_the_nearest_key),
        cmocka_unit_test(yaml_refuses),
        cmocka_unit_test(yaml_refuses_bad_numbers),
        cmocka_unit_test(yaml_survives_every_allocation_failure),
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(files_refuse_what_is_no_file),
        cmocka_unit_test(files_round_trip_and_respect_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
