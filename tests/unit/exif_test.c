/* EXIF: the eight orientations on pixels, the texts, and what is never read. */
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

typedef enum side { TOP, BOTTOM, LEFT, RIGHT } side;

/* EXIF 2.32, 4.6.4 A, tag 0112, in its own words: where the 0th row and the 0th column are on the visual picture. */
static const struct {
    side row, column;
} orientations[9] = {
    [1] = {TOP, LEFT}, [2] = {TOP, RIGHT}, [3] = {BOTTOM, RIGHT}, [4] = {BOTTOM, LEFT},
    [5] = {LEFT, TOP}, [6] = {RIGHT, TOP}, [7] = {RIGHT, BOTTOM}, [8] = {LEFT, BOTTOM},
};

/* Moves by `distance` inwards from a side of the upright picture. */
static void from_side(side s, int distance, const bf_image *upright, int *x, int *y)
{
    switch (s) {
    case TOP:
        *y = distance;
        break;
    case BOTTOM:
        *y = upright->height - 1 - distance;
        break;
    case LEFT:
        *x = distance;
        break;
    case RIGHT:
        *x = upright->width - 1 - distance;
        break;
    }
}

static void assert_upright(const bf_image *coded, const bf_image *upright, int orientation, int tolerance)
{
    bool turned = orientations[orientation].row == LEFT || orientations[orientation].row == RIGHT;
    assert_int_equal(upright->width, turned ? coded->height : coded->width);
    assert_int_equal(upright->height, turned ? coded->width : coded->height);
    for (int row = 0; row < coded->height; row++)
        for (int column = 0; column < coded->width; column++) {
            int x = -1, y = -1;
            from_side(orientations[orientation].row, row, upright, &x, &y);
            from_side(orientations[orientation].column, column, upright, &x, &y);
            const uint8_t *from = coded->pixels + (size_t)row * coded->stride + (size_t)column * 3;
            const uint8_t *to = upright->pixels + (size_t)y * upright->stride + (size_t)x * 3;
            for (int c = 0; c < 3; c++)
                if (abs(from[c] - to[c]) > tolerance)
                    fail_msg("orientation %d, row %d, column %d: %d instead of %d", orientation, row, column, to[c],
                             from[c]);
        }
}

static void check_decode(const bf_bytes *file, const bf_image *coded, int orientation, int tolerance)
{
    bf_image image = {0};
    bf_error err = {0};
    bf_media_facts facts;
    assert_int_equal(bf_decode_still(file->data, file->size, NULL, &image, &facts, &err), BF_OK);
    assert_int_equal(facts.orientation, orientation);
    assert_int_equal(facts.coded_width, WIDTH);
    assert_int_equal(facts.coded_height, HEIGHT);
    assert_true(facts.exif_present);
    assert_upright(coded, &image, orientation, tolerance);
    bf_image_done(&image);
}

static void every_orientation_is_applied(void **state)
{
    (void)state;
    bf_image noise = test_noise(WIDTH, HEIGHT, 9);
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    for (int orientation = 1; orientation <= 8; orientation++) {
        bf_bytes exif = test_exif(&(test_exif_options){.orientation = orientation, .big_endian = orientation % 2});
        bf_bytes files[] = {
            test_png(&noise, &(test_png_options){.exif = &exif}),
            test_png(&noise, &(test_png_options){.exif = &exif, .exif_late = true}),
            test_png(&noise, &(test_png_options){.exif = &exif, .interlaced = true}),
            test_png(&noise, &(test_png_options){.exif = &exif, .kind = TEST_PNG_RGBA8, .alpha = 255}),
            test_webp(&noise, &(test_webp_options){.exif = &exif, .lossless = true}),
        };
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
            check_decode(&files[i], &noise, orientation, 0);
            bf_bytes_done(&files[i]);
        }
        bf_bytes jpeg = test_jpeg(&pattern, &(test_jpeg_options){.exif = &exif, .quality = 95});
        check_decode(&jpeg, &pattern, orientation, 40);
        bf_bytes_done(&jpeg);
        bf_bytes_done(&exif);
    }
    bf_image_done(&noise);
    bf_image_done(&pattern);
}

static bf_media_facts facts_of(const bf_bytes *exif)
{
    bf_image pattern = test_pattern(WIDTH, HEIGHT);
    bf_bytes jpeg = test_jpeg(&pattern, &(test_jpeg_options){.exif = exif});
    bf_image image = {0};
    bf_media_facts facts;
    assert_int_equal(bf_decode_still(jpeg.data, jpeg.size, NULL, &image, &facts, NULL), BF_OK);
    bf_image_done(&image);
    bf_image_done(&pattern);
    bf_bytes_done(&jpeg);
    return facts;
}

static void texts_are_kept_in_both_byte_orders(void **state)
{
    (void)state;
    for (int big = 0; big <= 1; big++) {
        bf_bytes exif = test_exif(&(test_exif_options){.big_endian = big,
                                                       .make = "ACME",
                                                       .model = "Camera 7  ",
                                                       .software = "3.1",
                                                       .time = "2024:05:06 07:08:09",
                                                       .time_original = "2024:05:06 01:02:03"});
        bf_media_facts facts = facts_of(&exif);
        assert_true(facts.exif_present);
        assert_int_equal(facts.orientation, 1);
        assert_string_equal(facts.exif_make, "ACME");
        assert_string_equal(facts.exif_model, "Camera 7");
        assert_string_equal(facts.exif_software, "3.1");
        assert_string_equal(facts.exif_time, "2024:05:06 01:02:03");
        bf_bytes_done(&exif);
    }
}

static void time_falls_back_and_texts_are_cleaned(void **state)
{
    (void)state;
    char longest[200];
    memset(longest, 'm', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    bf_bytes exif = test_exif(&(test_exif_options){.make = "A\x1b[31mB\xc3\xa4\nC",
                                                   .model = longest,
                                                   .software = "\x01\x02\x03\x04",
                                                   .time = "2024:05:06 07:08:09"});
    bf_media_facts facts = facts_of(&exif);
    assert_string_equal(facts.exif_make, "A[31mBC");
    assert_int_equal(strlen(facts.exif_model), BF_FACT_TEXT_SIZE - 1);
    assert_string_equal(facts.exif_software, "");
    assert_string_equal(facts.exif_time, "2024:05:06 07:08:09");
    bf_bytes_done(&exif);
}

static void location_is_never_kept(void **state)
{
    (void)state;
    bf_bytes with = test_exif(&(test_exif_options){.make = "ACME", .gps = true});
    bf_bytes without = test_exif(&(test_exif_options){.make = "ACME"});
    bf_media_facts a = facts_of(&with), b = facts_of(&without);
    a.bytes = b.bytes; /* the size of the file is all that may differ */
    assert_memory_equal(&a, &b, sizeof a);
    bf_bytes_done(&with);
    bf_bytes_done(&without);
}

static void broken_blocks_leave_the_photo_alone(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } blocks[] = {
        {"", 0},
        {"II", 2},
        {"XX*\0\10\0\0\0", 8},
        {"II*\0\xff\xff\xff\xff", 8},
        {"MM\0*\0\0\0\10\xff\xff", 10},
        {"II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\x09\0\0\0", 22}, /* orientation 9 */
        {"II*\0\10\0\0\0\1\0\x12\1\2\0\1\0\0\0\6\0\0\0", 22},   /* orientation as text */
        {"II*\0\10\0\0\0\1\0\x0f\1\2\0\xff\xff\xff\x7f\x1a\0\0\0", 22},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        bf_bytes exif = {0};
        test_append(&exif, blocks[i].bytes, blocks[i].size);
        bf_media_facts facts = facts_of(&exif);
        assert_true(facts.exif_present);
        assert_int_equal(facts.orientation, 1);
        assert_string_equal(facts.exif_make, "");
        bf_bytes_done(&exif);
    }
}

static void heic_is_turned_once(void **state)
{
    (void)state;
    bf_image pattern = test_pattern(192, 128);
    bf_bytes exif = test_exif(&(test_exif_options){.orientation = 6, .make = "ACME"});
    bf_bytes heic = test_heic(&pattern, &(test_heic_options){.orientation = 6, .exif = &exif});
    if (heic.size == 0) {
        print_message("libheif has no HEVC encoder here\n");
        bf_bytes_done(&exif);
        bf_image_done(&pattern);
        skip();
    }
    bf_image image = {0};
    bf_error err = {0};
    bf_media_facts facts;
    assert_int_equal(bf_decode_still(heic.data, heic.size, NULL, &image, &facts, &err), BF_OK);
    assert_int_equal(facts.orientation, 1);
    assert_true(facts.exif_present);
    assert_string_equal(facts.exif_make, "ACME");
    assert_int_equal(facts.coded_width, 192);
    assert_upright(&pattern, &image, 6, 60); /* lossy, with halved chroma */
    bf_image_done(&image);
    bf_image_done(&pattern);
    bf_bytes_done(&heic);
    bf_bytes_done(&exif);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_orientation_is_applied),          cmocka_unit_test(texts_are_kept_in_both_byte_orders),
        cmocka_unit_test(time_falls_back_and_texts_are_cleaned), cmocka_unit_test(location_is_never_kept),
        cmocka_unit_test(broken_blocks_leave_the_photo_alone),   cmocka_unit_test(heic_is_turned_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
