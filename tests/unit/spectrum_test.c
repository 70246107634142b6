#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "liveness/texture/spectrum.h"

#define SIDE 320
#define PI 3.14159265358979323846

static uint8_t pixels[SIDE * SIDE * 3];
static bf_image image = {pixels, SIDE, SIDE, 3, SIDE * 3};
static const bf_face face = {.box = {30, 20, 290, 300}};
static const bf_subject subject = {&image, &face};
static double field[SIDE * SIDE]; /* luma before rounding */

static void render(void)
{
    for (int i = 0; i < SIDE * SIDE; i++)
        memset(&pixels[3 * i], (int)lround(fmin(255, fmax(0, 128 + field[i]))), 3);
}

/* White noise summed over five box sizes: a spectrum that falls with frequency, as that of skin does. */
static void draw_natural(uint32_t seed, double amplitude)
{
    memset(field, 0, sizeof field);
    for (int cell = 1; cell <= 16; cell *= 2) {
        static double knots[SIDE + 2][SIDE + 2];
        for (int y = 0; y <= SIDE / cell + 1; y++) {
            for (int x = 0; x <= SIDE / cell + 1; x++) {
                seed = seed * 1664525u + 1013904223u;
                knots[y][x] = (double)(seed >> 8) / (1 << 24) - 0.5;
            }
        }
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                double fx = (double)(x % cell) / cell, fy = (double)(y % cell) / cell;
                int kx = x / cell, ky = y / cell;
                double top = knots[ky][kx] * (1 - fx) + knots[ky][kx + 1] * fx;
                double bottom = knots[ky + 1][kx] * (1 - fx) + knots[ky + 1][kx + 1] * fx;
                field[y * SIDE + x] += (top * (1 - fy) + bottom * fy) * cell * amplitude;
            }
        }
    }
    render();
}

/* Adds a plane wave of so many cycles per pixel along x and y. */
static void add_wave(double fx, double fy, double amplitude)
{
    for (int i = 0; i < SIDE * SIDE; i++) {
        int x = i % SIDE, y = i / SIDE;
        field[i] += amplitude * cos(2 * PI * (fx * x + fy * y));
    }
    render();
}

static void natural_noise_has_no_peak(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        draw_natural(seed, 2);
        bf_evidence evidence;
        bf_spectrum_detect(&subject, &evidence);
        assert_int_equal(evidence.status, BF_EVIDENCE_PRESENT);
        assert_true(evidence.raw == 0);
        assert_string_equal(evidence.detector, "passive.spectrum");
    }
}

static void a_lattice_is_found_where_it_is(void **state)
{
    (void)state;
    static const struct {
        double fx, fy;
    } waves[] = {{0.21, 0.17}, {0.3, -0.28}, {0.11, 0.3}, {0.05, -0.2}, {0.4, 0.03}, {0.35, 0}, {0, 0.42}};
    for (size_t i = 0; i < sizeof waves / sizeof *waves; i++) {
        draw_natural((uint32_t)i + 7, 2);
        add_wave(waves[i].fx, waves[i].fy, 4);
        bf_spectrum_features f;
        const char *why = NULL;
        assert_int_equal(bf_spectrum_measure(&subject, &f, &why), BF_EVIDENCE_PRESENT);
        assert_true(f.peak > 3);
        double direction = atan2(waves[i].fy, waves[i].fx) * 180 / PI;
        assert_true(fabs((double)f.frequency - hypot(waves[i].fx, waves[i].fy)) < 0.008);
        double turn = fabs((double)f.direction_deg - direction);
        assert_true(turn < 5 || fabs(turn - 180) < 5);
        bf_evidence evidence;
        bf_spectrum_detect(&subject, &evidence);
        assert_true(fabs(evidence.raw - (2.7 - (double)f.peak)) < 1e-5);
    }
}

/* The codec's own grid, row noise and coarse patterns are no evidence. */
static void innocent_peaks_are_left_out(void **state)
{
    (void)state;
    static const struct {
        double fx, fy;
    } waves[] = {{0.125, 0.25}, {0.375, 0.125}, {0.25, 0}, {0, 0.375}, {0.125, 0}, {0, 0.2}, {0.06, 0.06}};
    for (size_t i = 0; i < sizeof waves / sizeof *waves; i++) {
        draw_natural((uint32_t)i + 31, 2);
        add_wave(waves[i].fx, waves[i].fy, 4);
        bf_evidence evidence;
        bf_spectrum_detect(&subject, &evidence);
        assert_int_equal(evidence.status, BF_EVIDENCE_PRESENT);
        assert_true(evidence.raw == 0);
    }
}

static void soft_and_small_faces_are_not_judged(void **state)
{
    (void)state;
    memset(pixels, 128, sizeof pixels);
    bf_evidence evidence;
    bf_spectrum_detect(&subject, &evidence);
    assert_int_equal(evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
    assert_string_equal(evidence.why, "the face is too soft to show a lattice");
    draw_natural(1, 2);
    static const bf_rect boxes[] = {{0, 0, 111, 300}, {0, 0, 300, 111}, {200, 200, 10, 10}, {NAN, NAN, NAN, NAN}};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        bf_face small = {.box = boxes[i]};
        bf_subject of = {&image, &small};
        bf_spectrum_detect(&of, &evidence);
        assert_int_equal(evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
        assert_string_equal(evidence.why, "the face is too small to show a lattice");
    }
}

static void faces_at_the_border_stay_inside(void **state)
{
    (void)state;
    draw_natural(5, 2);
    static const bf_rect boxes[] = {{-500, -500, 100, 100}, {250, 250, 900, 900}, {-1e9f, -1e9f, 1e9f, 1e9f}};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        bf_face odd = {.box = boxes[i]};
        bf_subject of = {&image, &odd};
        bf_evidence evidence;
        bf_spectrum_detect(&of, &evidence);
        assert_int_equal(evidence.status, BF_EVIDENCE_PRESENT);
    }
}

static void a_failed_allocation_is_told(void **state)
{
    (void)state;
    draw_natural(1, 2);
    size_t nth = 1;
    for (; nth < 20; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_evidence evidence;
        bf_spectrum_detect(&subject, &evidence);
        size_t made = bf_alloc_fail_after(0, 0);
        if (made < nth) {
            assert_int_equal(evidence.status, BF_EVIDENCE_PRESENT);
            break;
        }
        assert_int_equal(evidence.status, BF_EVIDENCE_FAILED);
        assert_string_equal(evidence.why, "there was not enough memory");
    }
    assert_int_equal(nth, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(natural_noise_has_no_peak),       cmocka_unit_test(a_lattice_is_found_where_it_is),
        cmocka_unit_test(innocent_peaks_are_left_out),     cmocka_unit_test(soft_and_small_faces_are_not_judged),
        cmocka_unit_test(faces_at_the_border_stay_inside), cmocka_unit_test(a_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
