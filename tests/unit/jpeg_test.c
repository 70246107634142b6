/* JPEG: pixels against a plain decode by the library, colours of every kind of coding, and the facts of the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>

#include "base/limits.h"
#include "decode/decode.h"
#include "support/images.h"

#define WIDTH 161
#define HEIGHT 117

static bf_status decode(const bf_bytes *bytes, bf_image *ret_image, bf_media_facts *ret_facts)
{
    bf_error err = {0};
    return bf_decode_still(bytes->data, bytes->size, NULL, ret_image, ret_facts, &err);
}

/* Encodes the pattern, decodes it, and gives the caller image and facts. */
static void round_trip(const test_jpeg_options *options, bf_image *ret_image, bf_media_facts *ret_facts)
{
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    bf_bytes jpeg = test_jpeg(&pattern, options);
    assert_int_equal(decode(&jpeg, ret_image, ret_facts), BF_OK);
    assert_int_equal(ret_facts->container, BF_CONTAINER_JPEG);
    assert_int_equal(ret_facts->bytes, jpeg.size);
    assert_int_equal(ret_image->width, WIDTH);
    assert_int_equal(ret_image->height, HEIGHT);
    bf_bytes_done(&jpeg);
    bf_image_done(&pattern);
}

static void assert_close(const bf_image *a, const bf_image *b, int tolerance)
{
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width * 3; x++) {
            int difference =
                a->pixels[(size_t)y * a->stride + (size_t)x] - b->pixels[(size_t)y * b->stride + (size_t)x];
            if (abs(difference) > tolerance)
                fail_msg("row %d, byte %d: off by %d", y, x, difference);
        }
}

static void pixels_are_those_of_the_library(void **state)
{
    (void)state;
    bf_image noise = test_noise(WIDTH, HEIGHT, 1);
    bf_bytes jpeg = test_jpeg(&noise, &(test_jpeg_options){.quality = 50, .h = 2, .v = 2});
    bf_image image = {0};
    assert_int_equal(decode(&jpeg, &image, NULL), BF_OK);
    struct jpeg_error_mgr errors;
    struct jpeg_decompress_struct cinfo = {.err = jpeg_std_error(&errors)};
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, jpeg.data, jpeg.size);
    (void)jpeg_read_header(&cinfo, TRUE);
    cinfo.out_color_space = JCS_RGB;
    (void)jpeg_start_decompress(&cinfo);
    uint8_t row[WIDTH * 3];
    for (int y = 0; y < HEIGHT; y++) {
        JSAMPROW rows[1] = {row};
        assert_int_equal(jpeg_read_scanlines(&cinfo, rows, 1), 1);
        assert_memory_equal(image.pixels + (size_t)y * image.stride, row, sizeof row);
    }
    jpeg_destroy_decompress(&cinfo);
    bf_image_done(&noise);
    bf_image_done(&image);
    bf_bytes_done(&jpeg);
}

static void colours_survive_every_coding(void **state)
{
    (void)state;
    static const test_jpeg_options codings[] = {
        {.quality = 95},
        {.quality = 95, .progressive = true},
        {.quality = 95, .restart_rows = 1},
        {.quality = 95, .cmyk = true},
        {.quality = 95, .ycck = true},
        {.quality = 95, .cmyk = true, .plain_cmyk = true},
        {.quality = 95, .cmyk = true, .progressive = true},
    };
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        bf_image image = {0};
        bf_media_facts facts;
        round_trip(&codings[i], &image, &facts);
        assert_int_equal(facts.cmyk, codings[i].cmyk || codings[i].ycck);
        assert_int_equal(facts.progressive, codings[i].progressive);
        assert_int_equal(facts.bit_depth, 8);
        assert_close(&image, &pattern, 80); /* at the quadrants' edges; a wrong colour model is off by more */
        bf_image_done(&image);
    }
    bf_image_done(&pattern);
}

static void grey_becomes_three_equal_channels(void **state)
{
    (void)state;
    bf_image image = {0};
    bf_media_facts facts;
    round_trip(&(test_jpeg_options){.grey = true}, &image, &facts);
    assert_true(facts.grey);
    assert_string_equal(facts.subsampling, "grey");
    for (size_t i = 0; i < image.stride * HEIGHT; i += 3)
        assert_true(image.pixels[i] == image.pixels[i + 1] && image.pixels[i] == image.pixels[i + 2]);
    assert_in_range(image.pixels[3 * 20 + 20 * image.stride], 35, 55); /* green of the red quadrant */
    bf_image_done(&image);
}

static void quality_is_found_exactly(void **state)
{
    (void)state;
    for (int quality = 1; quality <= 100; quality++) {
        bf_image image = {0};
        bf_media_facts facts;
        round_trip(&(test_jpeg_options){.quality = quality, .grey = quality % 2 == 0}, &image, &facts);
        assert_true(facts.jpeg_tables_standard);
        /* The two lowest qualities give the same tables: every entry is at its ceiling. */
        if (facts.jpeg_quality != quality)
            fail_msg("quality %d taken for %d", quality, facts.jpeg_quality);
        assert_true(facts.jpeg_tables_present[0]);
        assert_int_equal(facts.jpeg_tables_present[1], quality % 2 != 0);
        bf_image_done(&image);
    }
}

static void tables_are_given_row_by_row(void **state)
{
    (void)state;
    bf_image image = {0};
    bf_media_facts facts;
    round_trip(&(test_jpeg_options){.quality = 50}, &image, &facts);
    static const uint16_t first_row[8] = {16, 11, 10, 16, 24, 40, 51, 61}; /* T.81, table K.1 */
    assert_memory_equal(facts.jpeg_tables[0], first_row, sizeof first_row);
    assert_int_equal(facts.jpeg_tables[0][8], 12);
    assert_int_equal(facts.jpeg_tables[1][1], 18); /* table K.2 */
    assert_false(facts.jpeg_tables_present[2] || facts.jpeg_tables_present[3]);
    bf_image_done(&image);
}

static void other_tables_are_not_standard(void **state)
{
    (void)state;
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    bf_bytes jpeg = test_jpeg(&pattern, &(test_jpeg_options){.quality = 80});
    for (size_t i = 0; i + 10 < jpeg.size; i++)
        if (jpeg.data[i] == 0xff && jpeg.data[i + 1] == 0xdb) {
            jpeg.data[i + 9]++; /* one entry of the luma table */
            break;
        }
    bf_image image = {0};
    bf_media_facts facts;
    assert_int_equal(decode(&jpeg, &image, &facts), BF_OK);
    assert_false(facts.jpeg_tables_standard);
    assert_int_equal(facts.jpeg_quality, 80);
    bf_image_done(&image);
    bf_image_done(&pattern);
    bf_bytes_done(&jpeg);
}

static void subsampling_is_named(void **state)
{
    (void)state;
    static const struct {
        int h, v;
        const char *name;
    } cases[] = {{1, 1, "4:4:4"}, {2, 1, "4:2:2"}, {2, 2, "4:2:0"}, {1, 2, "4:4:0"}, {4, 1, "4:1:1"}, {4, 2, "4:1:0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_image image = {0};
        bf_media_facts facts;
        round_trip(&(test_jpeg_options){.h = cases[i].h, .v = cases[i].v}, &image, &facts);
        assert_string_equal(facts.subsampling, cases[i].name);
        bf_image_done(&image);
    }
}

static void scans_and_profile_are_facts(void **state)
{
    (void)state;
    bf_image image = {0};
    bf_media_facts facts;
    round_trip(&(test_jpeg_options){.icc = true}, &image, &facts);
    assert_int_equal(facts.jpeg_scans, 1);
    assert_true(facts.has_icc_profile);
    assert_false(facts.exif_present);
    bf_image_done(&image);
    round_trip(&(test_jpeg_options){.progressive = true}, &image, &facts);
    assert_int_equal(facts.jpeg_scans, 10); /* the library's script for three components */
    assert_false(facts.has_icc_profile);
    bf_image_done(&image);
}

static void scan_limit_is_the_callers(void **state)
{
    (void)state;
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    bf_bytes jpeg = test_jpeg(&pattern, &(test_jpeg_options){.progressive = true});
    bf_image image = {0};
    bf_error err = {0};
    bf_media_facts facts;
    bf_decode_limits limits = {.jpeg_scans_max = 9};
    assert_int_equal(bf_decode_still(jpeg.data, jpeg.size, &limits, &image, &facts, &err), BF_DECODER_LIMIT);
    assert_true(facts.progressive);
    assert_int_equal(facts.coded_width, WIDTH);
    assert_null(image.pixels);
    limits.jpeg_scans_max = 10;
    assert_int_equal(bf_decode_still(jpeg.data, jpeg.size, &limits, &image, NULL, NULL), BF_OK);
    bf_image_done(&image);
    limits = (bf_decode_limits){.decoder_bytes_max = 50000}; /* the coefficients alone take 110 kB */
    assert_int_equal(bf_decode_still(jpeg.data, jpeg.size, &limits, &image, NULL, &err), BF_DECODER_LIMIT);
    bf_image_done(&pattern);
    bf_bytes_done(&jpeg);
}

/* `count` stray bytes before the end marker, or garbage after it. */
static bf_status decode_padded(size_t before_end, size_t after_end)
{
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    bf_bytes jpeg = test_jpeg(&pattern, NULL);
    jpeg.size -= 2;
    for (size_t i = 0; i < before_end; i++)
        test_append(&jpeg, "", 1);
    test_append(&jpeg, "\xff\xd9", 2);
    for (size_t i = 0; i < after_end; i++)
        test_append(&jpeg, "x", 1);
    bf_image image = {0};
    bf_status status = decode(&jpeg, &image, NULL);
    bf_image_done(&image);
    bf_image_done(&pattern);
    bf_bytes_done(&jpeg);
    return status;
}

static void padding_is_harmless_and_gaps_are_not(void **state)
{
    (void)state;
    assert_int_equal(decode_padded(0, 0), BF_OK);
    assert_int_equal(decode_padded(BF_JPEG_PADDING_BYTES_MAX, 0), BF_OK);
    assert_int_equal(decode_padded(BF_JPEG_PADDING_BYTES_MAX + 8, 0), BF_CORRUPT_IMAGE); /* up to 7 pass as bits */
    assert_int_equal(decode_padded(0, 5000), BF_OK); /* phones append depth maps and videos */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_those_of_the_library),
        cmocka_unit_test(colours_survive_every_coding),
        cmocka_unit_test(grey_becomes_three_equal_channels),
        cmocka_unit_test(quality_is_found_exactly),
        cmocka_unit_test(tables_are_given_row_by_row),
        cmocka_unit_test(other_tables_are_not_standard),
        cmocka_unit_test(subsampling_is_named),
        cmocka_unit_test(scans_and_profile_are_facts),
        cmocka_unit_test(scan_limit_is_the_callers),
        cmocka_unit_test(padding_is_harmless_and_gaps_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
