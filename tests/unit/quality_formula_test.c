/* The mappings of docs/reference/quality.md against numbers computed apart from this code. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "quality/measure.h"

/* A native value (or what it is made from) and the 0..100 value expected. */
typedef struct golden {
    double native;
    int value;
} golden;

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint8_t pixel[3];
static bf_image picture = {pixel, 1000, 1000, 3, 3000};
static bf_faces faces;
static const bf_quality_input input = {&picture, &faces, NULL};

/* An upright face: T = 400 px, inter-eye distance 200 px, on a picture of 1000 x 1000. */
static bf_quality_view *fresh_view(void)
{
    static bf_quality_view view;
    memset(&view, 0, sizeof view);
    memset(&faces, 0, sizeof faces);
    faces.count = faces.count_all = 1;
    faces.face[0].has_geometry = true;
    faces.face[0].box = (bf_rect){300, 300, 700, 800};
    view.input = &input;
    view.face = &faces.face[0];
    view.geometry = (bf_face_geometry){.usable = true,
                                       .eye = {{400, 400}, {600, 400}},
                                       .eye_mid = {500, 400},
                                       .chin = {500, 800},
                                       .up = {0, -1},
                                       .right = {1, 0},
                                       .inter_eye_px = 200,
                                       .inter_eye_frontal_px = 200,
                                       .eye_chin_px = 400};
    return &view;
}

static void expect(bf_measure_fn *measure, const bf_quality_view *view, double native, int value)
{
    bf_measure got = {0};
    measure(view, &got);
    if (got.status != BF_MEASURE_ASSESSED || fabs(got.native - native) > 1e-6 || got.value != value)
        fail_msg("native %.9g (expected %.9g), value %d (expected %d)", got.native, native, got.value, value);
}

static void expect_not_assessed(bf_measure_fn *measure, const bf_quality_view *view)
{
    bf_measure got = {0};
    measure(view, &got);
    assert_int_equal(got.status, BF_MEASURE_NOT_ASSESSED);
    assert_true(got.native == 0);
    assert_int_equal(got.value, 0);
}

static void values_are_clamped_and_halves_rounded_away(void **state)
{
    (void)state;
    static const struct {
        double raw;
        int value;
    } rows[] = {{-3, 0},    {0.49, 0},   {0.5, 1},     {1.5, 2},        {2.5, 3},
                {99.4, 99}, {99.5, 100}, {1e300, 100}, {INFINITY, 100}, {-INFINITY, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_measure m = {0};
        bf_measure_set(&m, 1, rows[i].raw);
        assert_int_equal(m.status, BF_MEASURE_ASSESSED);
        assert_int_equal(m.value, rows[i].value);
    }
    bf_measure m = {0};
    bf_measure_set(&m, NAN, 50);
    bf_measure_set(&m, INFINITY, 50);
    bf_measure_set(&m, 1, NAN);
    assert_int_equal(m.status, BF_MEASURE_NOT_ASSESSED);
}

/* A face whose samples are `low` and `high` in the given numbers, spread evenly over both halves. */
static void fill_histogram(bf_quality_view *view, int low, unsigned low_count, int high, unsigned high_count)
{
    for (int half = 0; half < 2; half++) {
        view->grid.histogram[half][low] += low_count;
        view->grid.histogram[half][high] += high_count;
    }
    view->grid.count = (int)(2 * (low_count + high_count));
}

static void luminance_mean(void **state)
{
    (void)state;
    static const golden rows[] = {{0, 2}, {20, 8}, {51, 50}, {100, 98}, {128, 100}, {204, 50}, {255, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        fill_histogram(view, (int)rows[i].native, 500, (int)rows[i].native, 0);
        expect(bf_measure_luminance_mean, view, rows[i].native / 255, rows[i].value);
    }
}

static void luminance_variance(void **state)
{
    (void)state;
    static const struct {
        int low, high;
        double native;
        int value;
    } rows[] = {{100, 100, 0, 0},
                {100, 130, 0.0034602076124567475, 51},
                {90, 156, 0.016747404844290662, 100},
                {0, 255, 0.25, 20}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        fill_histogram(view, rows[i].low, 500, rows[i].high, 500);
        expect(bf_measure_luminance_variance, view, rows[i].native, rows[i].value);
    }
}

static void over_exposure(void **state)
{
    (void)state;
    static const golden rows[] = {{0, 100}, {0.005, 67}, {0.01, 50}, {0.1, 9}, {0.5, 2}, {1, 1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        unsigned over = (unsigned)(rows[i].native * 1000 + 0.5);
        fill_histogram(view, 246, 1000 - over, 247, over);
        expect(bf_measure_over_exposure, view, rows[i].native, rows[i].value);
    }
}

static void under_exposure(void **state)
{
    (void)state;
    static const golden rows[] = {{0, 100}, {0.5, 100}, {0.8, 90}, {0.9, 52}, {0.92, 40}, {1, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        unsigned under = (unsigned)(rows[i].native * 1000 + 0.5);
        fill_histogram(view, 25, under, 26, 1000 - under);
        expect(bf_measure_under_exposure, view, rows[i].native, rows[i].value);
    }
}

static void dynamic_range(void **state)
{
    (void)state;
    static const struct {
        int levels;
        double bits;
        int value;
    } rows[] = {{1, 0, 0}, {2, 1, 13}, {16, 4, 50}, {64, 6, 75}, {256, 8, 100}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        for (int luma = 0; luma < rows[i].levels; luma++)
            view->grid.histogram[luma % 2][luma] = 10;
        view->grid.count = 10 * rows[i].levels;
        if (rows[i].levels == 1) { /* enough samples to count */
            view->grid.histogram[0][0] = 20;
            view->grid.count = 20;
        }
        expect(bf_measure_dynamic_range, view, rows[i].bits, rows[i].value);
    }
}

static void illumination_uniformity(void **state)
{
    (void)state;
    static const golden rows[] = {{0, 0}, {0.01, 25}, {0.1, 50}, {0.25, 66}, {0.5, 81}, {1, 100}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        unsigned shared = (unsigned)(rows[i].native * 1000 + 0.5);
        view->grid.histogram[0][100] = shared; /* 100 and 103 fall into one bin of four */
        view->grid.histogram[0][40] = 1000 - shared;
        view->grid.histogram[1][103] = 2 * shared; /* the other half has twice the samples: shares count */
        view->grid.histogram[1][200] = 2000 - 2 * shared;
        view->grid.count = 3000;
        expect(bf_measure_illumination_uniformity, view, rows[i].native, rows[i].value);
    }
}

static void inter_eye_distance(void **state)
{
    (void)state;
    static const golden rows[] = {{10, 5}, {30, 12}, {60, 38}, {70, 50}, {90, 73}, {150, 98}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        view->geometry.inter_eye_frontal_px = rows[i].native;
        expect(bf_measure_inter_eye_distance, view, rows[i].native, rows[i].value);
    }
}

static void head_size(void **state)
{
    (void)state;
    static const golden rows[] = {{0.1, 0}, {0.2, 1}, {0.3, 9}, {0.4, 54}, {0.45, 100}, {0.5, 54}, {0.7, 1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        view->geometry.eye_chin_px = rows[i].native * 1000;
        expect(bf_measure_head_size, view, rows[i].native, rows[i].value);
    }
}

static void crops_and_margins(void **state)
{
    (void)state;
    static const golden side[] = {{0.5, 2}, {0.8, 27}, {0.9, 50}, {1, 73}, {1.3, 98}};
    static const golden above[] = {{1, 2}, {1.3, 27}, {1.4, 50}, {1.5, 73}, {2, 100}};
    static const golden below[] = {{1.2, 0}, {1.7, 27}, {1.8, 50}, {2, 88}};
    for (size_t i = 0; i < COUNT(side); i++) {
        bf_quality_view *view = fresh_view();
        view->geometry.inter_eye_frontal_px =
            400 / side[i].native; /* the left eye is at 400, the right at 1000 - 400 */
        expect(bf_measure_leftward_crop, view, side[i].native, side[i].value);
        expect(bf_measure_rightward_crop, view, side[i].native, side[i].value);
    }
    for (size_t i = 0; i < COUNT(above); i++) {
        bf_quality_view *view = fresh_view();
        view->geometry.eye_chin_px = 400 / above[i].native;
        expect(bf_measure_margin_above, view, above[i].native, above[i].value);
    }
    for (size_t i = 0; i < COUNT(below); i++) {
        bf_quality_view *view = fresh_view();
        view->geometry.eye_chin_px = 600 / below[i].native;
        expect(bf_measure_margin_below, view, below[i].native, below[i].value);
    }
}

static void head_pose(void **state)
{
    (void)state;
    static const golden rows[] = {{0, 100},  {10, 97}, {-20, 88}, {30, 75}, {45, 50},
                                  {-60, 25}, {90, 0},  {120, 0},  {180, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        faces.face[0].yaw_deg = faces.face[0].pitch_deg = faces.face[0].roll_deg = (float)rows[i].native;
        expect(bf_measure_head_pose_yaw, view, rows[i].native, rows[i].value);
        expect(bf_measure_head_pose_pitch, view, rows[i].native, rows[i].value);
        expect(bf_measure_head_pose_roll, view, rows[i].native, rows[i].value);
    }
    bf_quality_view *view = fresh_view();
    faces.face[0].yaw_deg = NAN;
    expect_not_assessed(bf_measure_head_pose_yaw, view);
}

static void eyes_and_mouth_openings(void **state)
{
    (void)state;
    static const golden eyes[] = {{0, 12}, {0.01, 27}, {0.02, 50}, {0.03, 73}, {0.05, 95}, {0.1, 100}};
    static const golden mouth[] = {{0, 97}, {0.1, 84}, {0.2, 50}, {0.3, 16}, {0.5, 1}};
    for (size_t i = 0; i < COUNT(eyes); i++) {
        bf_quality_view *view = fresh_view();
        bf_point *p = faces.face[0].landmarks;
        view->geometry.eye_chin_px = 1000;
        p[37].y = (float)(eyes[i].native * 1000); /* left eye: 37 over 41 is its widest gap */
        p[38].y = p[37].y / 2;
        p[44].y = 300; /* the right eye is wider and does not count */
        expect(bf_measure_eyes_open, view, (double)p[37].y / 1000, eyes[i].value);
    }
    for (size_t i = 0; i < COUNT(mouth); i++) {
        bf_quality_view *view = fresh_view();
        bf_point *p = faces.face[0].landmarks;
        view->geometry.eye_chin_px = 1000;
        p[66].y = (float)(mouth[i].native * 1000);
        p[67].y = p[66].y / 2;
        expect(bf_measure_mouth_closed, view, (double)p[66].y / 1000, mouth[i].value);
    }
}

static void natural_colour(void **state)
{
    (void)state;
    static const struct {
        uint8_t rgb[3];
        double distance;
        int value;
    } rows[] = {{{205, 155, 130}, 0, 100},
                {{90, 60, 45}, 0, 100},
                {{128, 128, 128}, 7.071072053599387, 66},
                {{255, 0, 0}, 63.81398726157797, 0},
                {{250, 200, 90}, 25.212847007946515, 15}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        bf_face_grid *grid = &view->grid;
        faces.face[0].landmarks[48] = (bf_point){420, 620};
        faces.face[0].landmarks[54] = (bf_point){580, 620};
        *grid = (bf_face_grid){.x0 = 300, .y0 = 300, .width = 400, .height = 500, .cols = 96, .rows = 96};
        for (int cell = 0; cell < BF_GRID_CELLS; cell++) {
            memcpy(grid->rgb[cell], rows[i].rgb, 3);
            grid->side[cell] = BF_GRID_LEFT;
            grid->count++;
        }
        expect(bf_measure_natural_colour, view, rows[i].distance, rows[i].value);
    }
}

static void resolution(void **state)
{
    (void)state;
    static const golden rows[] = {{100, 0}, {240, 2}, {360, 27}, {400, 50}, {480, 88}, {720, 100}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_quality_view *view = fresh_view();
        bf_image image = {pixel, (int)rows[i].native, 2000, 3, 3};
        bf_quality_input wide = {&image, &faces, NULL};
        view->input = &wide;
        expect(bf_measure_resolution, view, rows[i].native, rows[i].value);
        image.width = 2000;
        image.height = (int)rows[i].native;
        expect(bf_measure_resolution, view, rows[i].native, rows[i].value);
    }
}

static void single_face(void **state)
{
    (void)state;
    static const struct {
        float height;
        int value;
    } rows[] = {{90, 100}, {100, 100}, {140, 90}, {250, 63}, {375, 31}, {500, 0}, {900, 0}, {NAN, 0}};
    bf_quality_view *view = fresh_view();
    expect(bf_measure_single_face, view, 1, 100);
    for (size_t i = 0; i < COUNT(rows); i++) {
        view = fresh_view();
        faces.count = faces.count_all = 2;
        faces.face[1].box = (bf_rect){0, 0, 100, rows[i].height}; /* the primary is 500 high */
        expect(bf_measure_single_face, view, 2, rows[i].value);
    }
    view = fresh_view();
    faces.count_all = 40;
    expect(bf_measure_single_face, view, 40, 100);
    faces.count = faces.count_all = 0;
    expect(bf_measure_single_face, view, 0, 0);
}

static void yaw_lengthens_the_inter_eye_distance(void **state)
{
    (void)state;
    static const struct {
        float yaw;
        double px;
    } rows[] = {{0, 100}, {30, 115.47005383792515}, {-60, 200}, {85, 400}, {90, 400}, {180, 100}, {NAN, 100}};
    bf_face face = {.has_geometry = true};
    for (int i = 0; i < BF_LANDMARKS; i++)
        face.landmarks[i] = (bf_point){i < 42 ? 100 : 200, 100};
    face.landmarks[8] = (bf_point){150, 300};
    for (size_t i = 0; i < COUNT(rows); i++) {
        bf_face_geometry geometry;
        face.yaw_deg = rows[i].yaw;
        bf_face_geometry_from(&face, &geometry);
        assert_true(geometry.usable);
        assert_true(fabs(geometry.inter_eye_px - 100) < 1e-6);
        assert_true(fabs(geometry.inter_eye_frontal_px - rows[i].px) < 1e-4);
        assert_true(fabs(geometry.eye_chin_px - 200) < 1e-6);
    }
}

static void measures_need_what_they_measure(void **state)
{
    (void)state;
    bf_quality_view *view = fresh_view();
    view->geometry.usable = false;
    faces.face[0].has_geometry = false;
    bf_measure_fn *const needy[] = {
        bf_measure_inter_eye_distance, bf_measure_head_size,          bf_measure_leftward_crop,
        bf_measure_rightward_crop,     bf_measure_margin_above,       bf_measure_margin_below,
        bf_measure_luminance_mean,     bf_measure_luminance_variance, bf_measure_under_exposure,
        bf_measure_over_exposure,      bf_measure_dynamic_range,      bf_measure_illumination_uniformity,
        bf_measure_backlight,          bf_measure_sharpness,          bf_measure_compression_artifacts,
        bf_measure_natural_colour,     bf_measure_eyes_open,          bf_measure_mouth_closed,
        bf_measure_head_pose_yaw,      bf_measure_head_pose_pitch,    bf_measure_head_pose_roll,
        bf_measure_eyes_visible,       bf_measure_face_occlusion};
    for (size_t i = 0; i < COUNT(needy); i++)
        expect_not_assessed(needy[i], view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_clamped_and_halves_rounded_away),
        cmocka_unit_test(luminance_mean),
        cmocka_unit_test(luminance_variance),
        cmocka_unit_test(over_exposure),
        cmocka_unit_test(under_exposure),
        cmocka_unit_test(dynamic_range),
        cmocka_unit_test(illumination_uniformity),
        cmocka_unit_test(inter_eye_distance),
        cmocka_unit_test(head_size),
        cmocka_unit_test(crops_and_margins),
        cmocka_unit_test(head_pose),
        cmocka_unit_test(eyes_and_mouth_openings),
        cmocka_unit_test(natural_colour),
        cmocka_unit_test(resolution),
        cmocka_unit_test(single_face),
        cmocka_unit_test(yaw_lengthens_the_inter_eye_distance),
        cmocka_unit_test(measures_need_what_they_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
