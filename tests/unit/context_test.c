#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "liveness/context/context.h"

#define WIDTH 640
#define HEIGHT 480

static uint8_t pixels[HEIGHT][WIDTH][3];
static bf_image image = {&pixels[0][0][0], WIDTH, HEIGHT, 3, WIDTH * 3};
static const bf_face face = {.box = {270, 180, 370, 300}};
static const bf_subject subject = {&image, &face};

static void put(int x, int y, int luma)
{
    memset(pixels[y][x], luma, 3);
}

/* A wall with noise, an oval head on it and shoulders that reach the lower edge. */
static void draw_person(uint32_t seed)
{
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            seed = seed * 1664525u + 1013904223u;
            int luma = 200 + (int)(seed >> 29);
            double head = hypot((x - 320) / 62.0, (y - 235) / 85.0);
            double body = hypot((x - 320) / 170.0, (y - 520) / 205.0);
            if (body < 1)
                luma = 60;
            if (head < 1)
                luma = 140;
            put(x, y, luma);
        }
    }
}

/* Repaints what lies outside a rectangle around the face: the picture is then a sheet or a screen. */
static void frame(double half_width, double half_height, double degrees, int luma)
{
    double c = cos(degrees * 3.14159265358979 / 180), s = sin(degrees * 3.14159265358979 / 180);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            double dx = x - 320, dy = y - 240, u = c * dx + s * dy, v = -s * dx + c * dy;
            if (fabs(u) > half_width || fabs(v) > half_height)
                put(x, y, luma);
        }
    }
}

static double raw_of(void)
{
    bf_evidence evidence;
    bf_context_detect(&subject, &evidence);
    assert_int_equal(evidence.status, BF_EVIDENCE_PRESENT);
    assert_string_equal(evidence.detector, "passive.context");
    assert_null(evidence.why);
    return evidence.raw;
}

static void a_person_before_a_wall_has_no_frame(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 6; seed++) {
        draw_person(seed);
        assert_true(raw_of() == 0);
    }
}

static void a_frame_is_found_at_any_small_rotation(void **state)
{
    (void)state;
    for (int degrees = -18; degrees <= 18; degrees += 3) {
        draw_person(3);
        frame(105, 140, degrees, 20);
        bf_context_features f;
        const char *why = NULL;
        assert_true(bf_context_measure(&subject, &f, &why));
        assert_true(fabs((double)f.rotation_deg - degrees) < 3.5);
        assert_true(f.left > 0.8f && f.right > 0.8f && f.top > 0.8f);
        assert_int_equal(f.visible_sides, 4);
        assert_true(raw_of() < -0.3);
    }
}

static void a_complete_frame_gives_the_lowest_value(void **state)
{
    (void)state;
    memset(pixels, 150, sizeof pixels);
    frame(100, 120, 0, 30);
    double raw = raw_of();
    assert_true(raw < -1.5 && raw >= -1.6);
}

/* A door frame: one straight edge on one side, which many rooms have. */
static void one_straight_edge_is_no_frame(void **state)
{
    (void)state;
    memset(pixels, 150, sizeof pixels);
    for (int y = 0; y < HEIGHT; y++)
        memset(pixels[y][0], 30, 3 * 240);
    assert_true(raw_of() == 0);
}

static void small_and_cut_faces_are_not_judged(void **state)
{
    (void)state;
    draw_person(1);
    static const bf_rect boxes[] = {{0, 0, 40, 44},   {100, 100, 100, 100}, {200, 200, 100, 100},
                                    {0, 0, 400, 100}, {NAN, NAN, NAN, NAN}, {-200, -200, 900, 800}};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        bf_face odd = {.box = boxes[i]};
        bf_subject of = {&image, &odd};
        bf_evidence evidence;
        bf_context_detect(&of, &evidence);
        assert_int_equal(evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
        assert_non_null(evidence.why);
    }
}

static void odd_places_stay_inside(void **state)
{
    (void)state;
    draw_person(1);
    static const bf_rect boxes[] = {{-30, -30, 60, 60},
                                    {600, 440, 700, 560},
                                    {-1e6f, -1e6f, 1e6f, 1e6f},
                                    {1e5f, 1e5f, 1.001e5f, 1.001e5f},
                                    {300, -20, 360, 60}};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        bf_face odd = {.box = boxes[i]};
        bf_subject of = {&image, &odd};
        bf_evidence evidence;
        bf_context_detect(&of, &evidence);
        assert_true(evidence.raw <= 0 && evidence.raw >= -1.6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_before_a_wall_has_no_frame),
        cmocka_unit_test(a_frame_is_found_at_any_small_rotation),
        cmocka_unit_test(a_complete_frame_gives_the_lowest_value),
        cmocka_unit_test(one_straight_edge_is_no_frame),
        cmocka_unit_test(small_and_cut_faces_are_not_judged),
        cmocka_unit_test(odd_places_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
