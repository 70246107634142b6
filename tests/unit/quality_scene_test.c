/* The measures on drawn faces: orders that must hold whatever the tuning. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/words.h"
#include "decode/decode.h"
#include "quality/quality.h"
#include "support/images.h"
#include "support/synthetic_face.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bf_quality measure_picture(const bf_image *image, const bf_faces *faces, const bf_media_facts *facts)
{
    bf_quality quality;
    const bf_quality_input input = {image, faces, facts};
    bf_quality_measure(&input, &quality);
    return quality;
}

static bf_quality measure_scene(const scene *s)
{
    bf_image image;
    bf_faces faces;
    scene_draw(s, &image, &faces);
    bf_quality quality = measure_picture(&image, &faces, NULL);
    scene_free(&image);
    return quality;
}

static void every_measure_answers_for_a_good_picture(void **state)
{
    (void)state;
    scene s = scene_default();
    bf_quality quality = measure_scene(&s);
    for (int id = 0; id < BF_MEASURE_COUNT; id++)
        assert_int_equal(quality.measure[id].status, BF_MEASURE_ASSESSED);
}

static void the_same_picture_gives_the_same_bits(void **state)
{
    (void)state;
    scene s = scene_default();
    s.noise = 4;
    bf_quality a = measure_scene(&s), b = measure_scene(&s);
    for (int id = 0; id < BF_MEASURE_COUNT; id++) {
        assert_memory_equal(&a.measure[id].native, &b.measure[id].native, sizeof a.measure[id].native);
        assert_int_equal(a.measure[id].value, b.measure[id].value);
    }
}

static double native(const scene *s, bf_measure_id id)
{
    bf_quality quality = measure_scene(s);
    assert_int_equal(quality.measure[id].status, BF_MEASURE_ASSESSED);
    return quality.measure[id].native;
}

static int value(const scene *s, bf_measure_id id)
{
    bf_quality quality = measure_scene(s);
    assert_int_equal(quality.measure[id].status, BF_MEASURE_ASSESSED);
    return quality.measure[id].value;
}

static void blur_lowers_sharpness(void **state)
{
    (void)state;
    static const double blurs[] = {0, 0.7, 1, 1.5, 2, 3, 4, 6, 8, 12};
    static const double noises[] = {0, 5};
    for (size_t n = 0; n < COUNT(noises); n++) {
        double before = INFINITY;
        for (size_t i = 0; i < COUNT(blurs); i++) {
            scene s = scene_default();
            s.blur_px = blurs[i];
            s.noise = noises[n];
            double sharpness = native(&s, BF_MEASURE_SHARPNESS);
            /* Under noise the strongest blurs may both leave no edge at all. */
            if (!(sharpness < before) && !(sharpness == 0 && noises[n] > 0))
                fail_msg("blur %g px, noise %g: %g is not less than %g", blurs[i], noises[n], sharpness, before);
            before = sharpness;
        }
    }
}

static void sharpness_is_neither_contrast_nor_noise_nor_size(void **state)
{
    (void)state;
    scene s = scene_default();
    s.blur_px = 2;
    double plain = native(&s, BF_MEASURE_SHARPNESS);
    scene faint = s, dim = s, noisy = s, large = s;
    faint.contrast = 0.4;
    dim.brightness = 0.4;
    noisy.noise = 8;
    large.width = 1280, large.height = 960, large.centre_x = 640, large.centre_y = 420;
    large.inter_eye_px = 180, large.blur_px = 4;
    assert_true(fabs(native(&faint, BF_MEASURE_SHARPNESS) / plain - 1) < 0.1);
    assert_true(fabs(native(&dim, BF_MEASURE_SHARPNESS) / plain - 1) < 0.1);
    assert_true(fabs(native(&noisy, BF_MEASURE_SHARPNESS) / plain - 1) < 0.15);
    assert_true(fabs(native(&large, BF_MEASURE_SHARPNESS) / plain - 1) < 0.1);
}

static void light_orders_the_luminance_measures(void **state)
{
    (void)state;
    double mean = INFINITY, dark_share = -1;
    for (int step = 0; step < 8; step++) {
        scene s = scene_default();
        s.brightness = 1 / (1 + 0.8 * step);
        bf_quality q = measure_scene(&s);
        assert_true(q.measure[BF_MEASURE_LUMINANCE_MEAN].native < mean);
        assert_true(q.measure[BF_MEASURE_UNDER_EXPOSURE_PREVENTION].native >= dark_share);
        mean = q.measure[BF_MEASURE_LUMINANCE_MEAN].native;
        dark_share = q.measure[BF_MEASURE_UNDER_EXPOSURE_PREVENTION].native;
    }
    assert_true(dark_share > 0.1);
}

static void side_light_lowers_uniformity(void **state)
{
    (void)state;
    double before = INFINITY;
    for (int step = 0; step <= 5; step++) {
        scene s = scene_default();
        s.side_light = 0.18 * step;
        double q = native(&s, BF_MEASURE_ILLUMINATION_UNIFORMITY);
        assert_true(q < before);
        before = q;
    }
}

static void a_brighter_background_is_more_backlight(void **state)
{
    (void)state;
    double before = -1;
    for (int step = 0; step <= 5; step++) {
        scene s = scene_default();
        s.brightness = 0.4;
        s.background = 60 + 115 * step;
        double ratio = native(&s, BF_MEASURE_BACKLIGHT_PREVENTION);
        assert_true(ratio > before);
        before = ratio;
    }
}

static void a_stronger_cast_is_less_natural(void **state)
{
    (void)state;
    double before = -1;
    for (int step = 1; step <= 5; step++) {
        scene s = scene_default();
        s.cast[0] = 1 - 0.12 * step;
        s.cast[2] = 1 + 0.12 * step;
        double distance = native(&s, BF_MEASURE_NATURAL_COLOUR);
        assert_true(distance > before || (distance == 0 && before <= 0));
        before = distance;
    }
    assert_true(before > 10);
}

static void skin_tones_are_judged_alike(void **state)
{
    (void)state;
    static const double tones[][3] = {{240, 205, 185}, {205, 155, 130}, {160, 110, 85}, {110, 72, 54}, {75, 48, 36}};
    for (size_t i = 0; i < COUNT(tones); i++) {
        scene s = scene_default();
        memcpy(s.skin, tones[i], sizeof s.skin);
        bf_quality q = measure_scene(&s);
        assert_true(q.measure[BF_MEASURE_NATURAL_COLOUR].value >= 95);
        assert_true(q.measure[BF_MEASURE_EYES_VISIBLE].value >= 90);
        assert_true(q.measure[BF_MEASURE_FACE_OCCLUSION_PREVENTION].value >= 90);
        assert_true(q.measure[BF_MEASURE_SHARPNESS].value >= 95);
        s.cover = COVER_SUNGLASSES;
        assert_true(value(&s, BF_MEASURE_EYES_VISIBLE) <= 20);
        s.cover = COVER_MASK_BLUE;
        assert_true(value(&s, BF_MEASURE_FACE_OCCLUSION_PREVENTION) <= 10);
    }
}

static void roll_and_size_do_not_change_what_is_seen(void **state)
{
    (void)state;
    static const bf_measure_id steady[] = {BF_MEASURE_LUMINANCE_MEAN, BF_MEASURE_ILLUMINATION_UNIFORMITY,
                                           BF_MEASURE_NATURAL_COLOUR, BF_MEASURE_EYES_OPEN,
                                           BF_MEASURE_EYES_VISIBLE,   BF_MEASURE_FACE_OCCLUSION_PREVENTION};
    scene plain = scene_default();
    bf_quality expected = measure_scene(&plain);
    for (int step = 0; step < 7; step++) {
        scene s = scene_default();
        s.roll_deg = -90 + 30 * step;
        s.inter_eye_px = 45 + 10 * step;
        s.centre_y = 240;
        bf_quality got = measure_scene(&s);
        for (size_t i = 0; i < COUNT(steady); i++)
            if (abs(got.measure[steady[i]].value - expected.measure[steady[i]].value) > 4)
                fail_msg("roll %g: %s is %d, upright %d", s.roll_deg, bf_measure_name(steady[i]),
                         got.measure[steady[i]].value, expected.measure[steady[i]].value);
    }
}

/* CompressionArtifacts of a drawn face with some grain, coded as 4:2:0 JPEG at `quality` (0: not at all) and cut so
 * that the coder's grid begins `shift_px` outside. `with_facts`: the measure sees the file's tables too. */
static bf_measure coded(int quality, int shift_px, bool with_facts)
{
    static bf_image drawn;
    static bf_faces faces;
    bf_image image = {0};
    bf_media_facts facts = {.container = BF_CONTAINER_PNG};
    if (drawn.pixels == NULL) { /* kept for the other calls */
        scene s = scene_default();
        s.noise = 3;
        s.blur_px = 0.7;
        scene_draw(&s, &drawn, &faces);
    }
    if (quality > 0) {
        bf_bytes file = test_jpeg(&drawn, &(test_jpeg_options){.quality = quality, .h = 2, .v = 2});
        assert_int_equal(bf_decode_still(file.data, file.size, NULL, &image, &facts, NULL), BF_OK);
        bf_bytes_done(&file);
        assert_int_equal(facts.jpeg_quality, quality);
    }
    bf_image view = quality > 0 ? image : drawn;
    view.pixels += (size_t)shift_px * view.stride + (size_t)shift_px * 3;
    view.width -= shift_px;
    view.height -= shift_px;
    bf_quality q = measure_picture(&view, &faces, with_facts ? &facts : NULL);
    bf_image_done(&image);
    assert_int_equal(q.measure[BF_MEASURE_COMPRESSION_ARTIFACTS].status, BF_MEASURE_ASSESSED);
    return q.measure[BF_MEASURE_COMPRESSION_ARTIFACTS];
}

static void compression_is_ordered_by_pixels_alone(void **state)
{
    (void)state;
    static const int qualities[] = {70, 55, 40, 30, 20, 10, 5};
    for (int shift = 0; shift < 4; shift += 3) {
        double before = coded(0, shift, false).native;
        assert_true(before > 80);
        for (size_t i = 0; i < COUNT(qualities); i++) {
            double seen = coded(qualities[i], shift, false).native;
            if (!(seen < before))
                fail_msg("quality %d, shift %d: %g is not less than %g", qualities[i], shift, seen, before);
            before = seen;
        }
        assert_true(before < 15);
    }
}

static void compression_is_ordered_with_the_files_tables(void **state)
{
    (void)state;
    double before = 101;
    int value_before = 101;
    for (int quality = 95; quality >= 10; quality -= 5) {
        bf_measure m = coded(quality, 0, true);
        assert_true(m.native <= quality);
        assert_true(m.native < before);
        assert_true(m.value <= value_before);
        before = m.native;
        value_before = m.value;
    }
    assert_true(value_before <= 10);
}

static void compression_shows_through_a_better_container(void **state)
{
    (void)state;
    assert_int_equal(coded(0, 0, true).value, 100);
    assert_true(coded(10, 0, false).value < 30); /* hard coded, then saved as PNG: no tables, but a grid */
}

static void a_second_face_counts_by_its_size(void **state)
{
    (void)state;
    scene s = scene_default();
    bf_image image;
    bf_faces faces;
    scene_draw(&s, &image, &faces);
    faces.count = faces.count_all = 2;
    float height = faces.face[0].box.y1 - faces.face[0].box.y0;
    faces.face[1].box = (bf_rect){10, 10, 10 + 0.15f * height, 10 + 0.15f * height};
    bf_quality q = measure_picture(&image, &faces, NULL);
    assert_true(q.measure[BF_MEASURE_SINGLE_FACE_PRESENT].native == 2);
    assert_int_equal(q.measure[BF_MEASURE_SINGLE_FACE_PRESENT].value, 100);
    faces.face[1].box = (bf_rect){10, 10, 10 + 0.9f * height, 10 + 0.9f * height};
    q = measure_picture(&image, &faces, NULL);
    assert_true(q.measure[BF_MEASURE_SINGLE_FACE_PRESENT].value < 20);
    scene_free(&image);
}

static void the_outline_goes_round_the_face(void **state)
{
    (void)state;
    scene s = scene_default();
    bf_image image;
    bf_faces faces;
    bf_point outline[BF_FACE_OUTLINE_MAX];
    scene_draw(&s, &image, &faces);
    scene_free(&image);
    int count = bf_quality_face_outline(&faces.face[0], outline);
    assert_true(count >= 10 && count <= BF_FACE_OUTLINE_MAX);
    double area = 0;
    for (int i = 0; i < count; i++) {
        bf_point a = outline[i], b = outline[(i + 1) % count];
        area += ((double)a.x * (double)b.y - (double)b.x * (double)a.y) / 2;
        assert_true(hypot((double)a.x - s.centre_x, (double)a.y - s.centre_y) < 2 * s.inter_eye_px);
    }
    /* The drawn ellipse has pi * 1.12 * 1.45 = 5.1 squared inter-eye distances; the mask lacks its upper end and fills
     * the corners at the temples. */
    assert_true(fabs(fabs(area) / (s.inter_eye_px * s.inter_eye_px) - 5.1) < 0.2);
    faces.face[0].landmarks[40].x = NAN;
    assert_int_equal(bf_quality_face_outline(&faces.face[0], outline), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measure_answers_for_a_good_picture),
        cmocka_unit_test(the_same_picture_gives_the_same_bits),
        cmocka_unit_test(blur_lowers_sharpness),
        cmocka_unit_test(sharpness_is_neither_contrast_nor_noise_nor_size),
        cmocka_unit_test(light_orders_the_luminance_measures),
        cmocka_unit_test(side_light_lowers_uniformity),
        cmocka_unit_test(a_brighter_background_is_more_backlight),
        cmocka_unit_test(a_stronger_cast_is_less_natural),
        cmocka_unit_test(skin_tones_are_judged_alike),
        cmocka_unit_test(roll_and_size_do_not_change_what_is_seen),
        cmocka_unit_test(compression_is_ordered_by_pixels_alone),
        cmocka_unit_test(compression_is_ordered_with_the_files_tables),
        cmocka_unit_test(compression_shows_through_a_better_container),
        cmocka_unit_test(a_second_face_counts_by_its_size),
        cmocka_unit_test(the_outline_goes_round_the_face),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
