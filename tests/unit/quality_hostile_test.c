/* The measures on input that no face pipeline should give: always finite numbers, never a crash (this program is also
 * run under AddressSanitizer and UndefinedBehaviorSanitizer). */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/words.h"
#include "quality/quality.h"
#include "support/synthetic_face.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Measures and checks what holds for any input. */
static bf_quality measure(const bf_image *image, const bf_faces *faces)
{
    bf_quality quality;
    const bf_quality_input input = {image, faces, NULL};
    memset(&quality, 0x5a, sizeof quality);
    bf_quality_measure(&input, &quality);
    for (int id = 0; id < BF_MEASURE_COUNT; id++) {
        const bf_measure *m = &quality.measure[id];
        bool assessed = m->status == BF_MEASURE_ASSESSED;
        if (!assessed && m->status != BF_MEASURE_NOT_ASSESSED)
            fail_msg("%s has status %d", bf_measure_name((bf_measure_id)id), (int)m->status);
        if (!isfinite(m->native) || m->value < 0 || m->value > 100 || (!assessed && (m->native != 0 || m->value != 0)))
            fail_msg("%s: status %d, native %g, value %d", bf_measure_name((bf_measure_id)id), (int)m->status,
                     m->native, m->value);
    }
    return quality;
}

static bf_image flat(int width, int height, uint8_t luma)
{
    size_t stride = (size_t)width * 3;
    bf_image image = {malloc(stride * (size_t)height), width, height, 3, stride};
    memset(image.pixels, luma, stride * (size_t)height);
    return image;
}

/* Moves the face of the default scene: landmarks * scale + shift. */
static bf_faces moved_face(double scale, double shift_x, double shift_y)
{
    scene s = scene_default();
    bf_image image;
    bf_faces faces;
    s.width = s.height = 8;
    scene_draw(&s, &image, &faces);
    scene_free(&image);
    for (int i = 0; i < BF_LANDMARKS; i++) {
        bf_point *p = &faces.face[0].landmarks[i];
        *p = (bf_point){(float)((double)p->x * scale + shift_x), (float)((double)p->y * scale + shift_y)};
    }
    return faces;
}

static void black_and_white_pictures(void **state)
{
    (void)state;
    bf_faces faces = moved_face(1, 0, 0);
    for (int luma = 0; luma <= 255; luma += 255) {
        bf_image image = flat(640, 480, (uint8_t)luma);
        bf_quality q = measure(&image, &faces);
        assert_int_equal(q.measure[BF_MEASURE_SHARPNESS].status, BF_MEASURE_ASSESSED);
        assert_int_equal(q.measure[BF_MEASURE_SHARPNESS].value, 1);
        assert_int_equal(q.measure[BF_MEASURE_DYNAMIC_RANGE].value, 0);
        assert_int_equal(q.measure[BF_MEASURE_LUMINANCE_VARIANCE].value, 0);
        assert_int_equal(q.measure[BF_MEASURE_LUMINANCE_MEAN].value, 2);
        assert_true(q.measure[BF_MEASURE_EYES_VISIBLE].value <= 2);
        assert_int_equal(
            q.measure[luma == 0 ? BF_MEASURE_UNDER_EXPOSURE_PREVENTION : BF_MEASURE_OVER_EXPOSURE_PREVENTION].value,
            luma == 0 ? 0 : 1);
        free(image.pixels);
    }
}

static void tiny_pictures_and_faces(void **state)
{
    (void)state;
    static const int sides[] = {1, 2, 3, 7, 16, 100};
    static const double scales[] = {1e-9, 1e-5, 0.001, 0.003, 0.01, 0.05, 0.2, 1, 30, 1e6};
    for (size_t i = 0; i < COUNT(sides); i++) {
        for (size_t j = 0; j < COUNT(sides); j++) {
            bf_image image = flat(sides[i], sides[j], 120);
            for (size_t k = 0; k < COUNT(scales); k++) {
                bf_faces faces = moved_face(scales[k], 0, 0);
                measure(&image, &faces);
            }
            free(image.pixels);
        }
    }
}

static void one_pixel_face(void **state)
{
    (void)state;
    bf_image image = flat(640, 480, 120);
    bf_faces faces = moved_face(0.004, 300, 200);
    bf_quality q = measure(&image, &faces);
    assert_int_equal(q.measure[BF_MEASURE_INTER_EYE_DISTANCE].status, BF_MEASURE_ASSESSED);
    assert_true(q.measure[BF_MEASURE_INTER_EYE_DISTANCE].value <= 4);
    assert_int_equal(q.measure[BF_MEASURE_HEAD_SIZE].value, 0);
    assert_int_equal(q.measure[BF_MEASURE_LUMINANCE_MEAN].status, BF_MEASURE_NOT_ASSESSED);
    free(image.pixels);
}

static void face_off_the_picture(void **state)
{
    (void)state;
    static const double shifts[][2] = {{-2000, 0}, {2000, 0}, {0, -2000}, {0, 2000}, {-1e5, 1e5}, {-420, 0}, {0, 460}};
    bf_image image = flat(640, 480, 120);
    for (size_t i = 0; i < COUNT(shifts); i++) {
        bf_faces faces = moved_face(1, shifts[i][0], shifts[i][1]);
        bf_quality q = measure(&image, &faces);
        if (i < 5) {
            assert_int_equal(q.measure[BF_MEASURE_LUMINANCE_MEAN].status, BF_MEASURE_NOT_ASSESSED);
            assert_int_equal(q.measure[BF_MEASURE_INTER_EYE_DISTANCE].status, BF_MEASURE_ASSESSED);
            int worst = 100;
            for (int id = BF_MEASURE_LEFTWARD_CROP; id <= BF_MEASURE_MARGIN_BELOW; id++)
                worst = q.measure[id].value < worst ? q.measure[id].value : worst;
            assert_int_equal(worst, 0);
        }
    }
    free(image.pixels);
}

static void landmarks_that_are_no_numbers(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 1e9f};
    bf_image image = flat(640, 480, 120);
    for (size_t i = 0; i < COUNT(bad); i++) {
        for (int landmark = 0; landmark < BF_LANDMARKS; landmark++) {
            bf_faces faces = moved_face(1, 0, 0);
            *(landmark % 2 ? &faces.face[0].landmarks[landmark].x : &faces.face[0].landmarks[landmark].y) = bad[i];
            bf_quality q = measure(&image, &faces);
            assert_int_equal(q.measure[BF_MEASURE_LUMINANCE_MEAN].status, BF_MEASURE_NOT_ASSESSED);
            assert_int_equal(q.measure[BF_MEASURE_RESOLUTION].status, BF_MEASURE_ASSESSED);
            assert_int_equal(q.measure[BF_MEASURE_HEAD_POSE_YAW].status, BF_MEASURE_ASSESSED);
        }
    }
    bf_faces faces = moved_face(1, 0, 0);
    faces.face[0].yaw_deg = NAN;
    faces.face[0].pitch_deg = INFINITY;
    bf_quality q = measure(&image, &faces);
    assert_int_equal(q.measure[BF_MEASURE_HEAD_POSE_YAW].status, BF_MEASURE_NOT_ASSESSED);
    assert_int_equal(q.measure[BF_MEASURE_HEAD_POSE_PITCH].status, BF_MEASURE_NOT_ASSESSED);
    free(image.pixels);
}

static void collapsed_landmarks(void **state)
{
    (void)state;
    bf_image image = flat(320, 240, 120);
    for (int kind = 0; kind < 4; kind++) {
        bf_faces faces = moved_face(1, 0, 0);
        for (int i = 0; i < BF_LANDMARKS; i++) {
            bf_point *p = &faces.face[0].landmarks[i];
            if (kind == 0)
                *p = (bf_point){160, 120}; /* a point */
            else if (kind == 1)
                p->x = 160; /* an upright line */
            else if (kind == 2)
                p->y = 120; /* a level line */
            else if (i >= 36 && i < 48)
                *p = (bf_point){100, 100}; /* both eyes in one place */
        }
        measure(&image, &faces);
    }
    free(image.pixels);
}

static void missing_parts(void **state)
{
    (void)state;
    bf_image image = flat(320, 240, 120), grey = image, empty = image;
    grey.channels = 1;
    empty.width = 0;
    bf_faces faces = moved_face(1, 0, 0), none = {.count = 0}, bare = faces;
    bare.face[0].has_geometry = false;
    for (int id = 0; id < BF_MEASURE_COUNT; id++) {
        assert_int_equal(measure(&grey, &faces).measure[id].status, BF_MEASURE_NOT_ASSESSED);
        assert_int_equal(measure(&empty, &faces).measure[id].status, BF_MEASURE_NOT_ASSESSED);
    }
    assert_int_equal(measure(NULL, &faces).measure[BF_MEASURE_RESOLUTION].status, BF_MEASURE_NOT_ASSESSED);
    assert_int_equal(measure(&image, NULL).measure[BF_MEASURE_SINGLE_FACE_PRESENT].value, 0);
    assert_int_equal(measure(&image, &none).measure[BF_MEASURE_SINGLE_FACE_PRESENT].value, 0);
    bf_quality q = measure(&image, &bare);
    assert_int_equal(q.measure[BF_MEASURE_SINGLE_FACE_PRESENT].value, 100);
    assert_int_equal(q.measure[BF_MEASURE_HEAD_POSE_ROLL].status, BF_MEASURE_NOT_ASSESSED);
    assert_int_equal(q.measure[BF_MEASURE_EYES_OPEN].status, BF_MEASURE_NOT_ASSESSED);
    free(image.pixels);
}

static float random_coordinate(uint32_t *random, int kind, float old)
{
    double unit = random_unit(random);
    switch (kind) {
    case 0:
        return (float)(unit * 400 - 40); /* anywhere about the picture */
    case 1:
        return (float)((double)old + unit * 60 - 30); /* a shaken face */
    case 2:
        return (float)((unit - 0.5) * pow(10, 6 * unit)); /* far away */
    default:
        return unit < 0.02 ? NAN : (float)((double)old * (1 + 0.01 * unit));
    }
}

static void random_landmarks(void **state)
{
    (void)state;
    uint32_t random = 20240607;
    bf_image image = flat(320, 240, 0);
    for (size_t i = 0; i < image.stride * 240; i++)
        image.pixels[i] = (uint8_t)(random_next(&random) >> 24);
    for (int round = 0; round < 6000; round++) {
        bf_faces faces = moved_face(0.2 + random_unit(&random), 0, 0);
        bf_face *face = &faces.face[0];
        for (int i = 0; i < BF_LANDMARKS; i++) {
            face->landmarks[i].x = random_coordinate(&random, round % 4, face->landmarks[i].x);
            face->landmarks[i].y = random_coordinate(&random, round % 4, face->landmarks[i].y);
        }
        face->yaw_deg = (float)(random_unit(&random) * 400 - 200);
        bf_image view = image;
        view.width = 1 + (int)(random_next(&random) % 320);
        view.height = 1 + (int)(random_next(&random) % 240);
        measure(&view, &faces);
    }
    free(image.pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(black_and_white_pictures),
        cmocka_unit_test(tiny_pictures_and_faces),
        cmocka_unit_test(one_pixel_face),
        cmocka_unit_test(face_off_the_picture),
        cmocka_unit_test(landmarks_that_are_no_numbers),
        cmocka_unit_test(collapsed_landmarks),
        cmocka_unit_test(missing_parts),
        cmocka_unit_test(random_landmarks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
