/* The capture file: what is written is read again; everything else is refused, by the right name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "capture/file.h"
#include "support/images.h"
#include "support/plans.h"

/* A file with this header and body, as bytes. */
static bf_bytes file_of(const char *header, const void *body, size_t body_size)
{
    bf_bytes file = {0};
    size_t size = strlen(header);
    uint8_t n[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
    test_append(&file, BF_CAPTURE_MAGIC, BF_CAPTURE_MAGIC_SIZE);
    test_append(&file, n, sizeof n);
    test_append(&file, header, size);
    test_append(&file, body, body_size);
    return file;
}

static void expect(const char *header, size_t body_size, bf_status wanted)
{
    static const uint8_t body[64] = {0};
    bf_bytes file = file_of(header, body, body_size);
    bf_capture_file parsed = {.frame_count = 77};
    bf_error err = {0};
    bf_status status = bf_capture_file_parse(file.data, file.size, &parsed, &err);
    if (status != wanted)
        fail_msg("%.80s: expected %d, got %d (%s %s)", header, (int)wanted, (int)status, err.message, err.detail);
    if (status == BF_OK)
        bf_capture_file_done(&parsed);
    else
        assert_int_equal(parsed.frame_count, 77);
    bf_bytes_done(&file);
}

static bf_capture_file sample(bf_capture_frame frame[3])
{
    static const uint8_t bytes[] = "aaabbbbbc";
    frame[0] = (bf_capture_frame){bytes, 3, 0.0};
    frame[1] = (bf_capture_frame){bytes + 3, 5, 66.7};
    frame[2] = (bf_capture_frame){bytes + 8, 1, 66.7};
    bf_capture_file file = {.nonce = NONCE, .frame = frame, .frame_count = 3, .shown_count = 2};
    file.shown[0] = (bf_capture_shown){"hold_still", 0.0};
    file.shown[1] = (bf_capture_shown){"#ff3030", 1210.4};
    file.client = json_pack("{s:s, s:{s:i}}", "sdk", "test/1", "screen", "width", 390);
    return file;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    bf_capture_frame frame[3];
    bf_capture_file file = sample(frame), again = {0};
    bf_bytes bytes = {0};
    assert_int_equal(bf_capture_file_write(&file, &bytes, NULL), BF_OK);
    assert_true(bf_capture_file_is(bytes.data, bytes.size));
    assert_int_equal(bf_capture_file_parse(bytes.data, bytes.size, &again, NULL), BF_OK);
    assert_string_equal(again.nonce, NONCE);
    assert_int_equal(again.frame_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(again.frame[i].size, frame[i].size);
        assert_memory_equal(again.frame[i].bytes, frame[i].bytes, frame[i].size);
        assert_true(again.frame[i].ms == frame[i].ms);
    }
    assert_int_equal(again.shown_count, 2);
    assert_string_equal(again.shown[1].what, "#ff3030");
    assert_true(again.shown[1].ms == 1210.4);
    assert_true(json_equal(again.client, file.client));
    bf_capture_file_done(&again);
    bf_bytes_done(&bytes);
    json_decref(file.client);
}

static void every_shorter_file_is_refused(void **state)
{
    (void)state;
    bf_capture_frame frame[3];
    bf_capture_file file = sample(frame), again = {0};
    bf_bytes bytes = {0};
    assert_int_equal(bf_capture_file_write(&file, &bytes, NULL), BF_OK);
    for (size_t size = 0; size < bytes.size; size++) {
        /* An own allocation, so that the sanitizer sees a byte read too far. */
        uint8_t *cut = malloc(size ? size : 1);
        assert_non_null(cut);
        memcpy(cut, bytes.data, size);
        assert_int_equal(bf_capture_file_parse(cut, size, &again, NULL), BF_CORRUPT_IMAGE);
        free(cut);
    }
    test_append(&bytes, "x", 1);
    assert_int_equal(bf_capture_file_parse(bytes.data, bytes.size, &again, NULL), BF_CORRUPT_IMAGE);
    bf_bytes_done(&bytes);
    json_decref(file.client);
}

static void headers_are_checked(void **state)
{
    (void)state;
    expect("{\"frames\":[{\"bytes\":4,\"ms\":0}]}", 4, BF_OK);
    expect("{\"frames\":[{\"bytes\":4,\"ms\":5},{\"bytes\":1,\"ms\":5}],\"shown\":null,\"client\":null,\"nonce\":null,"
           "\"later\":1}",
           5, BF_OK);
    static const struct {
        const char *header;
        size_t body;
    } corrupt[] = {
        {"", 4},
        {"[]", 4},
        {"{\"frames\":[", 4},
        {"{}", 0},
        {"{\"frames\":[]}", 0},
        {"{\"frames\":{\"bytes\":4,\"ms\":0}}", 4},
        {"{\"frames\":[4]}", 4},
        {"{\"frames\":[{\"bytes\":0,\"ms\":0}]}", 0},
        {"{\"frames\":[{\"bytes\":-4,\"ms\":0},{\"bytes\":8,\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":4.0,\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":\"4\",\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":9223372036854775807,\"ms\":0},{\"bytes\":5,\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":5,\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":3,\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":4}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":\"0\"}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":-0.1}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":NaN}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":1e999}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":1e300}]}", 4},
        {"{\"frames\":[{\"bytes\":2,\"ms\":10},{\"bytes\":2,\"ms\":9.9}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"frames\":[{\"bytes\":4,\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"nonce\":\"00\"}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"nonce\":7}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"client\":[]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"shown\":{}}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"shown\":[{\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"shown\":[{\"what\":\"\",\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"shown\":[{\"what\":\"a\\nb\",\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"shown\":[{\"what\":\"123456789012345678901234\",\"ms\":0}]}", 4},
        {"{\"frames\":[{\"bytes\":4,\"ms\":0}],\"shown\":[{\"what\":\"a\",\"ms\":1},{\"what\":\"a\",\"ms\":0}]}", 4},
    };
    for (size_t i = 0; i < sizeof corrupt / sizeof *corrupt; i++)
        expect(corrupt[i].header, corrupt[i].body, BF_CORRUPT_IMAGE);
}

/* A header with `count` copies of `entry` in the list `name`, beside one frame of one byte. */
static char *long_header(const char *name, const char *entry, int count)
{
    size_t size = (strlen(entry) + 1) * (size_t)count + 200;
    char *text = malloc(size);
    assert_non_null(text);
    size_t at = (size_t)snprintf(text, size, "{%s\"%s\":[",
                                 strcmp(name, "frames") == 0 ? "" : "\"frames\":[{\"bytes\":1,\"ms\":0}],", name);
    for (int i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "," : "", entry);
    (void)snprintf(text + at, size - at, "]}");
    return text;
}

static void counts_and_depth_are_bounded(void **state)
{
    (void)state;
    static uint8_t body[BF_CAPTURE_FRAMES_MAX + 1];
    for (int more = 0; more <= 1; more++) {
        char *header = long_header("frames", "{\"bytes\":1,\"ms\":0}", BF_CAPTURE_FRAMES_MAX + more);
        bf_bytes file = file_of(header, body, (size_t)BF_CAPTURE_FRAMES_MAX + (size_t)more);
        bf_capture_file parsed = {0};
        assert_int_equal(bf_capture_file_parse(file.data, file.size, &parsed, NULL), more ? BF_DECODER_LIMIT : BF_OK);
        bf_capture_file_done(&parsed);
        bf_bytes_done(&file);
        free(header);
        header = long_header("shown", "{\"what\":\"blink\",\"ms\":0}", BF_CAPTURE_SHOWN_MAX + more);
        expect(header, 1, more ? BF_DECODER_LIMIT : BF_OK);
        free(header);
    }
    char *header = long_header("later", "[0]", (int)(BF_CAPTURE_HEADER_MAX / 4));
    expect(header, 1, BF_DECODER_LIMIT);
    free(header);
    char deep[600] = "{\"frames\":[{\"bytes\":1,\"ms\":0}],\"client\":";
    for (int i = 0; i < 60; i++)
        (void)strncat(deep, "{\"a\":", 6);
    (void)strncat(deep, "1", 2);
    for (int i = 0; i < 61; i++)
        (void)strncat(deep, "}", 2);
    expect(deep, 1, BF_CORRUPT_IMAGE);
}

static void what_could_not_be_read_is_not_written(void **state)
{
    (void)state;
    bf_capture_frame frame[3];
    const bf_capture_file good = sample(frame);
    bf_bytes bytes = {0};
    bf_capture_file bad = good;
    bad.frame_count = 0;
    assert_int_equal(bf_capture_file_write(&bad, &bytes, NULL), BF_INVALID_ARGUMENT);
    bad.frame_count = BF_CAPTURE_FRAMES_MAX + 1;
    assert_int_equal(bf_capture_file_write(&bad, &bytes, NULL), BF_INVALID_ARGUMENT);
    bad = good;
    bad.nonce[3] = 'x';
    assert_int_equal(bf_capture_file_write(&bad, &bytes, NULL), BF_INVALID_ARGUMENT);
    bad = good;
    bad.shown[1].ms = -1.0;
    assert_int_equal(bf_capture_file_write(&bad, &bytes, NULL), BF_INVALID_ARGUMENT);
    bad = good;
    frame[2].ms = 66.0;
    assert_int_equal(bf_capture_file_write(&bad, &bytes, NULL), BF_INVALID_ARGUMENT);
    frame[2].ms = (double)NAN;
    assert_int_equal(bf_capture_file_write(&bad, &bytes, NULL), BF_INVALID_ARGUMENT);
    assert_null(bytes.data);
    json_decref(good.client);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    bf_capture_frame frame[3];
    bf_capture_file file = sample(frame);
    bf_bytes bytes = {0};
    bf_capture_file again = {0};
    bf_status status = BF_OUT_OF_MEMORY;
    json_set_alloc_funcs(bf_malloc, bf_free);
    int failed = 0;
    for (size_t nth = 1; status != BF_OK && nth < 1000; nth++, failed++) {
        (void)bf_alloc_fail_after(nth, 0);
        status = bf_capture_file_write(&file, &bytes, NULL);
        (void)bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OK || (status == BF_OUT_OF_MEMORY && !bytes.data));
    }
    assert_int_equal(status, BF_OK);
    bool done = false;
    for (size_t nth = 1; !done && nth < 1000; nth++, failed++) {
        (void)bf_alloc_fail_after(nth, 0);
        status = bf_capture_file_parse(bytes.data, bytes.size, &again, NULL);
        done = bf_alloc_fail_after(0, 0) < nth;
        /* The JSON parser hides some failures: it calls them faults of the text. */
        assert_true(done ? status == BF_OK : status == BF_OUT_OF_MEMORY || status == BF_CORRUPT_IMAGE);
        assert_true((status == BF_OK) == (again.frame != NULL));
    }
    assert_true(done);
    assert_true(failed > 40);
    bf_capture_file_done(&again);
    bf_bytes_done(&bytes);
    json_set_alloc_funcs(malloc, free);
    json_decref(file.client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_shorter_file_is_refused),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(counts_and_depth_are_bounded),
        cmocka_unit_test(what_could_not_be_read_is_not_written),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
