/* Bodies: the same outcome however they are cut into pieces, strictness, and every allocation failed in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "server/body.h"
#include "server/route.h"

static const bf_schema *liveness(void)
{
    for (const bf_route *route = BF_ROUTES; route->operation; route++) {
        if (strcmp(route->operation, "liveness") == 0)
            return route->body;
    }
    return NULL;
}

typedef struct outcome {
    bf_status status;
    char message[BF_ERROR_TEXT_SIZE];
    char object[512];
    char image[64];
    bool has_reference;
} outcome;

static void finish(bf_body *body, bf_status status, bf_error *err, outcome *ret)
{
    json_t *object = NULL;
    const bf_region *image = NULL, *reference = NULL;
    if (status == BF_OK)
        status = bf_body_end(body, &object, &image, &reference, err);
    ret->status = status;
    (void)snprintf(ret->message, sizeof ret->message, "%s", err->message);
    if (status == BF_OK) {
        size_t size = json_dumpb(object, ret->object, sizeof ret->object - 1, JSON_COMPACT | JSON_SORT_KEYS);
        assert_true(size < sizeof ret->object);
        assert_true(image->size < sizeof ret->image);
        memcpy(ret->image, image->data, image->size);
        ret->has_reference = reference != NULL;
    }
    json_decref(object);
    bf_body_free(&body);
}

/* Reads JSON in pieces of `step` bytes. */
static outcome read_json(const char *text, size_t size, size_t step)
{
    outcome ret = {0};
    bf_error err = {0};
    bf_body *body = NULL;
    bf_status status = bf_body_new(BF_BODY_JSON, liveness(), &body, &err);
    if (status != BF_OK) {
        ret.status = status;
        return ret;
    }
    for (size_t at = 0; status == BF_OK && at < size; at += step)
        status = bf_body_add_json(body, text + at, size - at < step ? size - at : step, &err);
    finish(body, status, &err, &ret);
    return ret;
}

static const struct {
    const char *text;
    bf_status status;
    const char *message; /* a part of it; or of the object */
} CASES[] = {
    {"{\"image\":\"aGVsbG8=\"}", BF_OK, "{}"},
    {" { \"flow_type\" : \"abc\" , \"image\" : \"aGVsbG8=\" , \"channel\":\"kiosk\"} ", BF_OK,
     "{\"channel\":\"kiosk\",\"flow_type\":\"abc\"}"},
    {"{\"image\":\"aGVsbG8=\",\"reference\":\"aGVsbG8h\",\"risk_context\":{\"risk_tier\":\"low\"}}", BF_OK,
     "risk_tier"},
    {"{\"device_context\":{\"os\":\"image\",\"platform\":\"\\\"}{[\"},\"image\":\"aGVsbG8=\"}", BF_OK, "}{["},
    {"{\"image\":\"\"}", BF_EMPTY_INPUT, "empty"},
    {"{\"image\":\"aGVsbG8=\",\"image\":\"aGVsbG8=\"}", BF_INVALID_REQUEST, "twice"},
    {"{\"image\":\"aGVsbG8=\" \"aGVsbG8=\"}", BF_INVALID_REQUEST, "JSON"},
    {"{\"image\":\"aGVsbG8=\"\"}", BF_INVALID_REQUEST, "JSON"},
    {"{\"image\" \"aGVsbG8=\"}", BF_INVALID_REQUEST, "JSON"},
    {"[{\"image\":\"aGVsbG8=\"}]", BF_INVALID_REQUEST, "object"},
    {"{\"a\":{\"image\":\"aGVsbG8=\"}}", BF_INVALID_REQUEST, "unknown field 'a'"},
    {"{\"image\":\"aGVsbG8\"}", BF_INVALID_REQUEST, "image: the text is not base64"},
    {"{\"image\":\"aGVsbG9=\"}", BF_INVALID_REQUEST, "image: the text is not base64"},
    {"{\"image\":\"aGVs bG8=\"}", BF_INVALID_REQUEST, "image: the text is not base64"},
    {"{\"image\":\"aGVsbG8=AAAA\"}", BF_INVALID_REQUEST, "image: the text is not base64"},
    {"{\"image\":\"aGVs\\nbG8=\"}", BF_INVALID_REQUEST, "image: the text is not base64"},
    {"{\"image\":\"aG\xc3\xa9\"}", BF_INVALID_REQUEST, "image: the text is not base64"},
    {"{\"image\":\"aGVsbG8=", BF_INVALID_REQUEST, "ends within 'image'"},
    {"{\"image\":\"aGVsbG8=\\", BF_INVALID_REQUEST, "ends within 'image'"},
    {"{\"im\\u0061ge\":\"aGVsbG8=\"}", BF_INVALID_REQUEST, "image must be a picture"},
    {"{\"image\":true}", BF_INVALID_REQUEST, "image must be a picture"},
    {"", BF_INVALID_REQUEST, "JSON"},
    {"{\"flow_type\":\"abc\"}", BF_INVALID_REQUEST, "'image' is missing"},
};

static void pieces_of_any_size_say_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        size_t size = strlen(CASES[i].text);
        for (size_t step = 1; step <= size + 1; step++) {
            outcome got = read_json(CASES[i].text, size, step);
            const char *place = got.status == BF_OK ? got.object : got.message;
            if (got.status != CASES[i].status || !strstr(place, CASES[i].message))
                fail_msg("%s in pieces of %zu: %d %s", CASES[i].text, step, got.status, place);
            if (got.status == BF_OK)
                assert_string_equal(got.image, "hello");
        }
    }
}

static void slashes_may_be_escaped(void **state)
{
    (void)state;
    const char *text = "{\"image\":\"Pz8\\/Pz8\\/\"}";
    for (size_t step = 1; step < 30; step++) {
        outcome got = read_json(text, strlen(text), step);
        assert_int_equal(got.status, BF_OK);
        assert_string_equal(got.image, "?\?\?\?\?\?");
    }
}

static void long_pictures_arrive_whole(void **state)
{
    (void)state;
    enum { BYTES = 100003 };
    uint8_t *bytes = bf_malloc(BYTES);
    size_t text_size = sodium_base64_ENCODED_LEN(BYTES, sodium_base64_VARIANT_ORIGINAL);
    char *text = bf_malloc(text_size + 32);
    assert_true(bytes && text);
    randombytes_buf(bytes, BYTES);
    (void)snprintf(text, text_size, "{\"image\":\"");
    (void)sodium_bin2base64(text + 10, text_size, bytes, BYTES, sodium_base64_VARIANT_ORIGINAL);
    size_t size = strlen(text);
    (void)snprintf(text + size, 3, "\"}");
    bf_body *body = NULL;
    json_t *object = NULL;
    const bf_region *image = NULL, *reference = NULL;
    assert_int_equal(bf_body_new(BF_BODY_JSON, liveness(), &body, NULL), BF_OK);
    for (size_t at = 0; at < size + 2; at += 7777) {
        size_t left = size + 2 - at;
        assert_int_equal(bf_body_add_json(body, text + at, left < 7777 ? left : 7777, NULL), BF_OK);
    }
    assert_int_equal(bf_body_end(body, &object, &image, &reference, NULL), BF_OK);
    assert_int_equal(image->size, BYTES);
    assert_memory_equal(image->data, bytes, BYTES);
    assert_null(reference);
    json_decref(object);
    bf_body_free(&body);
    bf_free(bytes);
    bf_free(text);
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    static char blanks[65536];
    bf_body *body = NULL;
    bf_status status = BF_OK;
    memset(blanks, ' ', sizeof blanks);
    assert_int_equal(bf_body_new(BF_BODY_JSON, liveness(), &body, NULL), BF_OK);
    for (int i = 0; status == BF_OK && i < 100; i++)
        status = bf_body_add_json(body, blanks, sizeof blanks, NULL);
    assert_int_equal(status, BF_BODY_TOO_LARGE);
    bf_body_free(&body);
    memset(blanks, 'A', sizeof blanks);
    assert_int_equal(bf_body_new(BF_BODY_JSON, liveness(), &body, NULL), BF_OK);
    status = bf_body_add_json(body, "{\"image\":\"", 10, NULL);
    size_t sent = 0;
    for (; status == BF_OK && sent < 2ull * BF_INPUT_BYTES_MAX; sent += sizeof blanks)
        status = bf_body_add_json(body, blanks, sizeof blanks, NULL);
    assert_int_equal(status, BF_BODY_TOO_LARGE);
    assert_true(sent / 4 * 3 <= BF_INPUT_BYTES_MAX + sizeof blanks);
    bf_body_free(&body);
}

typedef struct part {
    const char *name, *text;
} part;

static outcome read_form(const part *parts, size_t step)
{
    outcome ret = {0};
    bf_error err = {0};
    bf_body *body = NULL;
    bf_status status = bf_body_new(BF_BODY_FORM, liveness(), &body, &err);
    if (status != BF_OK) {
        ret.status = status;
        return ret;
    }
    for (; status == BF_OK && parts->name; parts++) {
        size_t size = strlen(parts->text);
        for (size_t at = 0; status == BF_OK && (at == 0 || at < size); at += step)
            status =
                bf_body_add_part(body, parts->name, at, parts->text + at, size - at < step ? size - at : step, &err);
    }
    finish(body, status, &err, &ret);
    return ret;
}

static void forms_say_the_same_as_json(void **state)
{
    (void)state;
    const part parts[] = {
        {"risk_context", "{\"retry_count\": 3}"}, {"image", "hello"}, {"flow_type", "abc"}, {NULL, NULL}};
    const part twice[] = {{"flow_type", "abc"}, {"image", "hello"}, {"flow_type", "abc"}, {NULL, NULL}};
    const part pictures[] = {{"image", "hello"}, {"image", "hello"}, {NULL, NULL}};
    const part unknown[] = {{"imag", "hello"}, {NULL, NULL}};
    const part empty[] = {{"image", ""}, {NULL, NULL}};
    const part text[] = {{"image", "hello"}, {"flow_type", "\xff"}, {NULL, NULL}};
    for (size_t step = 1; step < 20; step++) {
        outcome got = read_form(parts, step);
        assert_int_equal(got.status, BF_OK);
        assert_string_equal(got.object, "{\"flow_type\":\"abc\",\"risk_context\":{\"retry_count\":3}}");
        assert_string_equal(got.image, "hello");
        assert_false(got.has_reference);
        assert_int_equal(read_form(twice, step).status, BF_INVALID_REQUEST);
        assert_int_equal(read_form(pictures, step).status, BF_INVALID_REQUEST);
        assert_non_null(strstr(read_form(unknown, step).message, "did you mean 'image'"));
        assert_int_equal(read_form(empty, step).status, BF_EMPTY_INPUT);
        assert_int_equal(read_form(text, step).status, BF_INVALID_REQUEST);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *text = "{\"flow_type\":\"abc\",\"risk_context\":{\"risk_tier\":\"low\"},\"image\":\"aGVsbG8=\"}";
    const part parts[] = {{"risk_context", "{\"retry_count\": 3}"}, {"image", "hello"}, {NULL, NULL}};
    int failures = 0;
    for (size_t nth = 1; nth < 50; nth++) {
        (void)bf_alloc_fail_after(nth, 0);
        bf_status json = read_json(text, strlen(text), 5).status;
        (void)bf_alloc_fail_after(nth, 0);
        bf_status form = read_form(parts, 5).status;
        (void)bf_alloc_fail_after(0, 0);
        assert_true(json == BF_OK || json == BF_OUT_OF_MEMORY);
        assert_true(form == BF_OK || form == BF_OUT_OF_MEMORY);
        failures += json != BF_OK;
    }
    assert_true(failures > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_say_the_same), cmocka_unit_test(slashes_may_be_escaped),
        cmocka_unit_test(long_pictures_arrive_whole),      cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(forms_say_the_same_as_json),      cmocka_unit_test(every_allocation_may_fail),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
