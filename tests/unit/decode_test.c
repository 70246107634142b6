/* PNG, WebP and HEIC pixels and facts, and the limits that hold for all. JPEG has its own test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/decode.h"
#include "support/images.h"

#define WIDTH 131
#define HEIGHT 103

static bf_media_facts decode(const bf_bytes *file, bf_image *ret_image)
{
    bf_error err = {0};
    bf_media_facts facts;
    if (bf_decode_still(file->data, file->size, NULL, ret_image, &facts, &err) != BF_OK)
        fail_msg("%s (%s)", err.message, err.detail);
    assert_int_equal(facts.bytes, file->size);
    return facts;
}

static const uint8_t *pixel(const bf_image *image, int x, int y)
{
    return image->pixels + (size_t)y * image->stride + (size_t)x * 3;
}

static void assert_same(const bf_image *a, const bf_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int y = 0; y < a->height; y++)
        assert_memory_equal(pixel(a, 0, y), pixel(b, 0, y), (size_t)a->width * 3);
}

static bf_media_facts decode_png(const bf_image *from, const test_png_options *options, bf_image *ret_image)
{
    bf_bytes png = test_png(from, options);
    bf_media_facts facts = decode(&png, ret_image);
    assert_int_equal(facts.container, BF_CONTAINER_PNG);
    assert_int_equal(facts.has_icc_profile, options->icc);
    assert_int_equal(facts.jpeg_quality, 0);
    bf_bytes_done(&png);
    return facts;
}

static void png_is_lossless(void **state)
{
    (void)state;
    bf_image noise = test_noise(WIDTH, HEIGHT, 2);
    static const test_png_options codings[] = {
        {.kind = TEST_PNG_RGB8},
        {.kind = TEST_PNG_RGB8, .interlaced = true},
        {.kind = TEST_PNG_RGB16, .icc = true},
        {.kind = TEST_PNG_RGB16, .interlaced = true},
        {.kind = TEST_PNG_RGBA8, .alpha = 255},
        {.kind = TEST_PNG_RGBA8, .alpha = 255, .interlaced = true},
    };
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        bf_image image = {0};
        bf_media_facts facts = decode_png(&noise, &codings[i], &image);
        assert_int_equal(facts.bit_depth, codings[i].kind == TEST_PNG_RGB16 ? 16 : 8);
        assert_int_equal(facts.has_alpha, codings[i].kind == TEST_PNG_RGBA8);
        assert_false(facts.palette || facts.grey);
        assert_same(&image, &noise);
        bf_image_done(&image);
    }
    bf_image_done(&noise);
}

static void png_grey_and_palette(void **state)
{
    (void)state;
    bf_image noise = test_noise(WIDTH, HEIGHT, 3), image = {0};
    bf_media_facts facts = decode_png(&noise, &(test_png_options){.kind = TEST_PNG_GREY8}, &image);
    assert_true(facts.grey);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(pixel(&image, x, y)[c], pixel(&noise, x, y)[1]);
    bf_image_done(&image);
    facts = decode_png(&noise, &(test_png_options){.kind = TEST_PNG_GREY1, .interlaced = true}, &image);
    assert_int_equal(facts.bit_depth, 1);
    for (int x = 0; x < WIDTH; x++)
        assert_int_equal(pixel(&image, x, 50)[2], pixel(&noise, x, 50)[1] >= 128 ? 255 : 0);
    bf_image_done(&image);
    facts = decode_png(&noise, &(test_png_options){.kind = TEST_PNG_PALETTE}, &image);
    assert_true(facts.palette);
    assert_false(facts.has_alpha);
    for (int x = 0; x < WIDTH; x++) {
        int entry = pixel(&noise, x, 7)[0] / 64;
        const uint8_t expected[3] = {(uint8_t)(entry * 60), (uint8_t)(200 - entry * 60), 90};
        assert_memory_equal(pixel(&image, x, 7), expected, 3);
    }
    bf_image_done(&image);
    bf_image_done(&noise);
}

/* colour * alpha + 255 * (1 - alpha), rounded. */
static int over_white(int colour, int alpha)
{
    return (int)(colour * (alpha / 255.0) + 255.0 * (1 - alpha / 255.0) + 0.5);
}

static void alpha_is_composed_over_white(void **state)
{
    (void)state;
    bf_image noise = test_noise(WIDTH, HEIGHT, 4), image = {0};
    static const int alphas[] = {0, 1, 100, 128, 254};
    for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++) {
        bf_media_facts facts =
            decode_png(&noise, &(test_png_options){.kind = TEST_PNG_RGBA8, .alpha = alphas[i]}, &image);
        assert_true(facts.has_alpha);
        for (int x = 0; x < WIDTH; x++)
            assert_int_equal(pixel(&image, x, 9)[1], over_white(pixel(&noise, x, 9)[1], alphas[i]));
        bf_image_done(&image);
    }
    bf_media_facts facts = decode_png(&noise, &(test_png_options){.kind = TEST_PNG_GREY_ALPHA16, .alpha = 60}, &image);
    assert_true(facts.has_alpha && facts.grey && facts.bit_depth == 16);
    assert_int_equal(pixel(&image, 5, 5)[0], over_white(pixel(&noise, 5, 5)[1], 60));
    bf_image_done(&image);
    facts = decode_png(&noise, &(test_png_options){.kind = TEST_PNG_PALETTE, .transparent_entry = true}, &image);
    assert_true(facts.has_alpha && facts.palette);
    for (int x = 0; x < WIDTH; x++)
        if (pixel(&noise, x, 3)[0] / 64 == 1)
            assert_int_equal(pixel(&image, x, 3)[2], 255);
    bf_image_done(&image);
    bf_image_done(&noise);
}

static void webp_pixels_and_facts(void **state)
{
    (void)state;
    bf_image noise = test_noise(WIDTH, HEIGHT, 5), image = {0};
    bf_bytes webp = test_webp(&noise, &(test_webp_options){.lossless = true});
    bf_media_facts facts = decode(&webp, &image);
    assert_int_equal(facts.container, BF_CONTAINER_WEBP);
    assert_int_equal(facts.bit_depth, 8);
    assert_false(facts.has_alpha || facts.exif_present);
    assert_same(&image, &noise);
    bf_image_done(&image);
    bf_bytes_done(&webp);
    webp = test_webp(&noise, &(test_webp_options){.lossless = true, .alpha = 90});
    facts = decode(&webp, &image);
    assert_true(facts.has_alpha);
    for (int x = 0; x < WIDTH; x++)
        assert_int_equal(pixel(&image, x, 40)[0], over_white(pixel(&noise, x, 40)[0], 90));
    bf_image_done(&image);
    bf_bytes_done(&webp);
    bf_image_done(&noise);
}

static void assert_quadrants(const bf_image *image, const bf_image *pattern, int tolerance)
{
    for (int q = 0; q < 4; q++) {
        int x = pattern->width / 4 + (q % 2) * pattern->width / 2;
        int y = pattern->height / 4 + (q / 2) * pattern->height / 2;
        for (int c = 0; c < 3; c++)
            assert_in_range(pixel(image, x, y)[c] + 100, pixel(pattern, x, y)[c] + 100 - tolerance,
                            pixel(pattern, x, y)[c] + 100 + tolerance);
    }
}

static void lossy_webp_keeps_colours(void **state)
{
    (void)state;
    bf_image pattern = test_pattern(WIDTH, HEIGHT), image = {0};
    bf_bytes webp = test_webp(&pattern, NULL);
    (void)decode(&webp, &image);
    assert_quadrants(&image, &pattern, 12);
    bf_image_done(&image);
    bf_image_done(&pattern);
    bf_bytes_done(&webp);
}

static void heic_pixels_and_facts(void **state)
{
    (void)state;
    bf_image pattern = test_pattern(192, 128), image = {0};
    bf_bytes heic = test_heic(&pattern, NULL);
    if (heic.size == 0) {
        print_message("libheif has no HEVC encoder here\n");
        bf_image_done(&pattern);
        skip();
    }
    bf_media_facts facts = decode(&heic, &image);
    assert_int_equal(facts.container, BF_CONTAINER_HEIC);
    assert_int_equal(facts.coded_width, 192);
    assert_int_equal(facts.coded_height, 128);
    assert_int_equal(facts.bit_depth, 8);
    assert_false(facts.has_alpha || facts.exif_present);
    assert_quadrants(&image, &pattern, 12);
    bf_image_done(&image);
    bf_bytes_done(&heic);
    heic = test_heic(&pattern, &(test_heic_options){.alpha = 128});
    facts = decode(&heic, &image);
    assert_true(facts.has_alpha);
    assert_in_range(pixel(&image, 40, 20)[1], 255 - 128, 170); /* the red quadrant's green, 40, half over white */
    bf_image_done(&image);
    bf_image_done(&pattern);
    bf_bytes_done(&heic);
}

static void heic_grid_is_put_together(void **state)
{
    (void)state;
    bf_image pattern = test_pattern(256, 192), image = {0};
    bf_bytes heic = test_heic_grid(&pattern);
    if (heic.size == 0) {
        print_message("libheif has no HEVC encoder here\n");
        bf_image_done(&pattern);
        skip();
    }
    bf_media_facts facts = decode(&heic, &image);
    assert_int_equal(facts.coded_width, 256);
    assert_int_equal(image.width, 256);
    assert_int_equal(image.height, 192);
    assert_quadrants(&image, &pattern, 12);
    bf_image_done(&image);
    bf_image_done(&pattern);
    bf_bytes_done(&heic);
}

static bf_status decode_limited(const bf_bytes *file, bf_decode_limits limits)
{
    bf_image image = {0};
    bf_error err = {0};
    bf_status status = bf_decode_still(file->data, file->size, &limits, &image, NULL, &err);
    assert_true((status == BF_OK) == (image.pixels != NULL));
    bf_image_done(&image);
    return status;
}

static void limits_are_exact(void **state)
{
    (void)state;
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    bf_bytes files[] = {test_jpeg(&pattern, NULL), test_png(&pattern, NULL), test_webp(&pattern, NULL),
                        test_heic(&pattern, NULL)};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const bf_bytes *file = &files[i];
        if (file->size == 0)
            continue;
        assert_int_equal(decode_limited(file, (bf_decode_limits){0}), BF_OK);
        assert_int_equal(decode_limited(file, (bf_decode_limits){.input_bytes_max = file->size}), BF_OK);
        assert_int_equal(decode_limited(file, (bf_decode_limits){.input_bytes_max = file->size - 1}),
                         BF_IMAGE_TOO_LARGE);
        assert_int_equal(decode_limited(file, (bf_decode_limits){.pixels_max = WIDTH * HEIGHT / 2}),
                         BF_IMAGE_TOO_LARGE);
        assert_int_equal(decode_limited(file, (bf_decode_limits){.side_min_px = HEIGHT}), BF_OK);
        assert_int_equal(decode_limited(file, (bf_decode_limits){.side_min_px = HEIGHT + 2}), BF_IMAGE_TOO_SMALL);
        if (i > 0) /* JPEG in one scan takes no memory that grows with the picture */
            assert_int_equal(decode_limited(file, (bf_decode_limits){.decoder_bytes_max = 2000}), BF_DECODER_LIMIT);
        bf_bytes_done(&files[i]);
    }
    bf_image_done(&pattern);
}

static void outputs_are_untouched_on_failure(void **state)
{
    (void)state;
    bf_image image = {.width = 7};
    bf_error err = {0};
    bf_media_facts facts;
    assert_int_equal(bf_decode_still((const uint8_t *)"GIF89a...", 9, NULL, &image, &facts, &err),
                     BF_UNSUPPORTED_FORMAT);
    assert_int_equal(image.width, 7);
    assert_int_equal(facts.bytes, 9);
    assert_int_equal(facts.orientation, 1);
    assert_int_equal(bf_decode_still(NULL, 0, NULL, &image, NULL, NULL), BF_EMPTY_INPUT);
}

static void containers_have_names(void **state)
{
    (void)state;
    assert_string_equal(bf_container_name(BF_CONTAINER_JPEG), "jpeg");
    assert_string_equal(bf_container_name(BF_CONTAINER_PNG), "png");
    assert_string_equal(bf_container_name(BF_CONTAINER_WEBP), "webp");
    assert_string_equal(bf_container_name(BF_CONTAINER_HEIC), "heic");
    assert_string_equal(bf_container_name(BF_CONTAINER_UNKNOWN), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_is_lossless),
        cmocka_unit_test(png_grey_and_palette),
        cmocka_unit_test(alpha_is_composed_over_white),
        cmocka_unit_test(webp_pixels_and_facts),
        cmocka_unit_test(lossy_webp_keeps_colours),
        cmocka_unit_test(heic_pixels_and_facts),
        cmocka_unit_test(heic_grid_is_put_together),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(outputs_are_untouched_on_failure),
        cmocka_unit_test(containers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
