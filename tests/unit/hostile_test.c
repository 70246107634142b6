/* The decoder against files that mean harm or are broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "decode/decode.h"
#include "support/hostile.h"

#define FLIPS_PER_FILE 1500
#define TRUNCATION_STEPS 160

/* Decodes and checks what holds for every call: an image only with BF_OK, a message and a hint with anything else. */
static bf_status decode(const uint8_t *bytes, size_t size)
{
    bf_error err = {0};
    bf_image image = {0};
    bf_media_facts facts;
    bf_status status = bf_decode_still(bytes, size, NULL, &image, &facts, &err);
    assert_int_equal(facts.bytes, size);
    assert_int_equal(err.status, status);
    if (status == BF_OK) {
        assert_non_null(image.pixels);
        assert_int_equal(image.channels, 3);
        assert_true(image.width >= BF_IMAGE_SIDE_MIN_PX && image.height >= BF_IMAGE_SIDE_MIN_PX);
    } else {
        assert_null(image.pixels);
        assert_true(err.message[0] && err.hint[0]);
    }
    bf_image_done(&image);
    return status;
}

static void every_hostile_file_gets_its_own_error(void **state)
{
    (void)state;
    size_t count = 0;
    const test_hostile *files = test_hostile_files(&count);
    for (size_t i = 0; i < count; i++) {
        bf_bytes bytes = files[i].make();
        if (bytes.size == 0 && files[i].expected != BF_EMPTY_INPUT) {
            print_message("%s: left out, libheif has no HEVC encoder here\n", files[i].name);
            continue;
        }
        bf_status status = decode(bytes.data, bytes.size);
        if (status != files[i].expected)
            fail_msg("%s: %s instead of %s", files[i].name, bf_status_name(status), bf_status_name(files[i].expected));
        bf_bytes_done(&bytes);
    }
}

static void strangers_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *file, *words;
    } cases[] = {
        {"animation.gif", "a GIF image"},
        {"picture.bmp", "a BMP image"},
        {"page.tiff", "a TIFF image"},
        {"document.pdf", "a PDF"},
        {"drawing.svg", "an SVG drawing"},
        {"picture.avif", "an AVIF image"},
        {"text.jpg", "text"},
        {"video.mp4", "a video"},
        {"page.html", "a web page"},
        {"base64.txt", "base64"},
    };
    size_t count = 0;
    const test_hostile *files = test_hostile_files(&count);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t i = 0;
        while (i < count && strcmp(files[i].name, cases[c].file) != 0)
            i++;
        assert_true(i < count);
        bf_bytes bytes = files[i].make();
        bf_error err = {0};
        bf_image image = {0};
        assert_int_equal(bf_decode_still(bytes.data, bytes.size, NULL, &image, NULL, &err), BF_UNSUPPORTED_FORMAT);
        assert_non_null(strstr(err.message, cases[c].words));
        bf_bytes_done(&bytes);
    }
}

/* One small good file of each kind, with everything in it that is parsed. */
static size_t make_good_files(bf_bytes *ret, size_t max)
{
    bf_bytes exif = test_exif(&(test_exif_options){.orientation = 6,
                                                   .make = "Maker",
                                                   .model = "Model",
                                                   .software = "1.0",
                                                   .time = "2024:01:02 03:04:05",
                                                   .gps = true});
    bf_image image = test_pattern(112, 104);
    const bf_bytes made[] = {
        test_jpeg(&image, &(test_jpeg_options){.exif = &exif, .h = 2, .v = 2}),
        test_jpeg(&image, &(test_jpeg_options){.progressive = true, .restart_rows = 2}),
        test_jpeg(&image, &(test_jpeg_options){.ycck = true}),
        test_png(&image, &(test_png_options){.kind = TEST_PNG_RGBA8, .alpha = 100, .exif = &exif, .icc = true}),
        test_png(&image, &(test_png_options){.kind = TEST_PNG_PALETTE, .transparent_entry = true, .interlaced = true}),
        test_webp(&image, &(test_webp_options){.alpha = 77, .exif = &exif}),
        test_webp(&image, &(test_webp_options){.lossless = true}),
        test_heic(&image, &(test_heic_options){.exif = &exif}),
    };
    size_t count = sizeof made / sizeof *made;
    assert_true(count <= max);
    memcpy(ret, made, sizeof made);
    bf_bytes_done(&exif);
    bf_image_done(&image);
    return count;
}

#define GOOD_FILES_MAX 16

static void for_each_good_file(void (*check)(const bf_bytes *file))
{
    bf_bytes files[GOOD_FILES_MAX];
    size_t count = make_good_files(files, GOOD_FILES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (files[i].size > 0)
            check(&files[i]);
        else
            print_message("HEIC left out: libheif has no HEVC encoder here\n");
        bf_bytes_done(&files[i]);
    }
}

/* The bytes are copied to a buffer of just their size, so that a sanitizer sees a read past their end. */
static bf_status decode_copy(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = bf_malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    bf_status status = decode(copy, size);
    bf_free(copy);
    return status;
}

static void check_truncations(const bf_bytes *file)
{
    assert_int_equal(decode_copy(file->data, file->size), BF_OK);
    size_t step = file->size / TRUNCATION_STEPS + 1;
    for (size_t size = 0; size < file->size; size += size < 64 || file->size - size <= 32 ? 1 : step) {
        bf_status status = decode_copy(file->data, size);
        if (size == 0)
            assert_int_equal(status, BF_EMPTY_INPUT);
        else if (status != BF_CORRUPT_IMAGE && !(status == BF_UNSUPPORTED_FORMAT && size < 16))
            fail_msg("cut to %zu of %zu bytes: %s", size, file->size, bf_status_name(status));
    }
}

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    for_each_good_file(check_truncations);
}

static void check_flips(const bf_bytes *file)
{
    uint32_t random = (uint32_t)file->size;
    for (int i = 0; i < FLIPS_PER_FILE; i++) {
        bf_bytes copy = {0};
        test_append(&copy, file->data, file->size);
        /* Half of the flips go to the first bytes, where the structure is. */
        for (int n = 0; n <= i % 4; n++) {
            size_t range = i % 2 && file->size > 600 ? 600 : file->size;
            copy.data[test_random(&random) % range] ^= (uint8_t)(1u << test_random(&random) % 8);
        }
        (void)decode_copy(copy.data, copy.size);
        bf_bytes_done(&copy);
    }
}

static void bit_flips_never_crash(void **state)
{
    (void)state;
    for_each_good_file(check_flips);
}

/* Every allocation of ours, and of the libraries that take our allocator, fails in turn. */
static void check_allocation_failures(const bf_bytes *file)
{
    for (size_t nth = 1; nth < 2000; nth++) {
        bf_error err = {0};
        bf_image image = {0};
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_decode_still(file->data, file->size, NULL, &image, NULL, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        bf_image_done(&image);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            assert_true(nth > 1);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    fail_msg("the decoder never stopped allocating");
}

static void every_allocation_failure_is_reported(void **state)
{
    (void)state;
    for_each_good_file(check_allocation_failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hostile_file_gets_its_own_error), cmocka_unit_test(strangers_are_named),
        cmocka_unit_test(every_truncation_is_an_error),          cmocka_unit_test(bit_flips_never_crash),
        cmocka_unit_test(every_allocation_failure_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
