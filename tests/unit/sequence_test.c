/* Which frames of a clip are analysed and which are kept, and whether its faces are of one person: without networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "image/shrink.h"
#include "liveness/sequence.h"
#include "match/consistency.h"
#include "pipeline/pace.h"
#include "pipeline/picks.h"

/* Frames analysed of a clip of `ms` at `fps`, as judging does it, whose container states
 * `stated_ms`; *ret_last_ms: the last of them. */
static int paced(double stated_ms, double ms, double fps, double *ret_last_ms)
{
    bf_pace pace = bf_pace_start(stated_ms);
    int analysed = 0;
    double from_ms = 0;
    for (int i = 0; i * 1000.0 / fps <= ms && analysed < BF_SEQUENCE_FRAMES_MAX; i++) {
        double at_ms = i * 1000.0 / fps;
        if (at_ms < from_ms)
            continue;
        *ret_last_ms = at_ms;
        from_ms = bf_pace_next(&pace, at_ms, ++analysed);
    }
    return analysed;
}

static void short_clips_are_seen_fifteen_times_a_second(void **state)
{
    (void)state;
    double last_ms = 0;
    assert_int_equal(paced(4000, 4000, 15, &last_ms), 61);
    assert_int_equal(paced(0, 4000, 15, &last_ms), 61);
    assert_in_range(paced(4000, 4000, 30, &last_ms), 58, 64);
    assert_int_equal(paced(4000, 4000, 10, &last_ms), 41);
}

static void cost_is_bounded_whatever_the_container_says(void **state)
{
    (void)state;
    static const double stated[] = {0, 1, 4000, 12000, 60000, 1e9, INFINITY};
    for (size_t i = 0; i < sizeof stated / sizeof *stated; i++) {
        for (double ms = 1875; ms <= 60000; ms *= 2) {
            double last_ms = 0;
            int analysed = paced(stated[i], ms, 60, &last_ms);
            assert_in_range(analysed, 1, BF_SEQUENCE_FRAMES_MAX);
            if (stated[i] <= 60000) /* no longer ones are read */
                assert_true(last_ms >= 0.75 * ms);
        }
    }
}

static void keep(bf_picks *picks, double ms, bool passes, double worth)
{
    bf_pick *pick = bf_picks_offer(picks, ms, passes, worth);
    if (!pick)
        return;
    if (!pick->rgb.pixels)
        assert_int_equal(bf_image_alloc(&pick->rgb, 4, 4, 3, NULL), BF_OK);
    pick->used = true;
    pick->passes = passes;
    pick->worth = worth;
    pick->ms = ms;
}

static void the_best_frame_of_each_part_is_kept(void **state)
{
    (void)state;
    static const double stated[] = {0, 100, 12000};
    for (size_t s = 0; s < sizeof stated / sizeof *stated; s++) {
        bf_picks picks = {0};
        bf_picks_start(&picks, stated[s]);
        for (int i = 0; i < 180; i++)
            keep(&picks, 250 + i * 66.7, i != 77, i == 77 ? 1000 : i % 25);
        int used = 0;
        double before_ms = -1;
        for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++) {
            if (!picks.pick[i].used)
                continue;
            assert_true(picks.pick[i].ms > before_ms);
            assert_true(picks.pick[i].worth >= 20 && picks.pick[i].passes);
            before_ms = picks.pick[i].ms;
            used++;
        }
        assert_in_range(used, BF_RECORD_CHOSEN_MAX / 2, BF_RECORD_CHOSEN_MAX);
        assert_float_equal(bf_picks_best(&picks)->worth, 24, 0.01);
        bf_picks_done(&picks);
        assert_null(bf_picks_best(&picks));
    }
}

static void one_that_passes_goes_before_a_better_one_that_does_not(void **state)
{
    (void)state;
    bf_picks picks = {0};
    bf_picks_start(&picks, 3000);
    keep(&picks, 0, false, 90);
    keep(&picks, 1600, true, 10);
    keep(&picks, 1700, false, 95);
    assert_float_equal(bf_picks_best(&picks)->worth, 10, 0.01);
    int chosen = 0;
    for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++)
        chosen += bf_picks_is_chosen(&picks, i);
    assert_int_equal(chosen, 1);
    bf_picks_done(&picks);
    bf_picks_start(&picks, 3000);
    keep(&picks, 0, false, 90);
    keep(&picks, 1700, false, 95);
    assert_float_equal(bf_picks_best(&picks)->worth, 95, 0.01);
    bf_picks_done(&picks);
}

static bf_embedding embedding_of(float x, float y)
{
    float length = hypotf(x, y);
    return (bf_embedding){.value = {x / length, y / length}, .count = 2};
}

static void another_person_in_one_frame_is_noticed(void **state)
{
    (void)state;
    const bf_embedding me = embedding_of(1, 0), me_turned = embedding_of(1, 0.7f), other = embedding_of(0.1f, 1);
    bf_consistency_face faces[] = {{&me_turned, 0}, {&me, 1000}, {&other, 2000}, {&me, 3000}};
    bf_sequence_evidence of;
    bf_consistency_judge(faces, 4, 1, &of);
    assert_int_equal(of.evidence.status, BF_EVIDENCE_PRESENT);
    assert_float_equal(of.evidence.raw, 0.0995, 0.001);
    assert_int_equal(of.finding_count, 1);
    assert_string_equal(of.finding[0].code, "another_face");
    assert_float_equal(of.finding[0].ms, 2000, 0.01);
    faces[2] = faces[3];
    bf_consistency_judge(faces, 3, 1, &of);
    assert_true(of.evidence.raw > 0.8);
    assert_int_equal(of.finding_count, 0);
    bf_consistency_judge(faces, 1, 0, &of);
    assert_int_equal(of.evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
    assert_non_null(of.evidence.why);
}

/* The plain mean of the area under an output pixel, in floating point. */
static double mean_of(const bf_image *image, int channel, double x0, double x1, double y0, double y1)
{
    double sum = 0;
    for (int y = (int)y0; y < y1; y++) {
        for (int x = (int)x0; x < x1; x++) {
            double wide = fmin(x + 1, x1) - fmax(x, x0), high = fmin(y + 1, y1) - fmax(y, y0);
            sum += wide * high * image->pixels[(size_t)y * image->stride + (size_t)(x * 3 + channel)];
        }
    }
    return sum / ((x1 - x0) * (y1 - y0));
}

static void a_smaller_copy_is_the_mean_of_what_it_covers(void **state)
{
    (void)state;
    static const int sides[][4] = {{640, 360, 320, 180}, {97, 61, 64, 40}, {50, 40, 50, 40}, {330, 3, 16, 1}};
    for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
        bf_image from = {0}, to = {0}, luma = {0};
        uint32_t seed = 1;
        assert_int_equal(bf_image_alloc(&from, sides[k][0], sides[k][1], 3, NULL), BF_OK);
        assert_int_equal(bf_image_alloc(&to, sides[k][2], sides[k][3], 3, NULL), BF_OK);
        assert_int_equal(bf_image_alloc(&luma, sides[k][2], sides[k][3], 1, NULL), BF_OK);
        for (size_t i = 0; i < from.stride * (size_t)from.height; i++)
            from.pixels[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
        assert_int_equal(bf_image_shrink(&from, &to, NULL), BF_OK);
        assert_int_equal(bf_image_shrink_luma(&from, &luma, NULL), BF_OK);
        double across = (double)from.width / to.width, down = (double)from.height / to.height;
        for (int y = 0; y < to.height; y++) {
            for (int x = 0; x < to.width; x++) {
                double rgb[3];
                for (int c = 0; c < 3; c++) {
                    rgb[c] = mean_of(&from, c, x * across, (x + 1) * across, y * down, (y + 1) * down);
                    assert_float_equal(to.pixels[(size_t)y * to.stride + (size_t)(3 * x + c)], rgb[c], 1.6);
                }
                double seen = luma.pixels[(size_t)y * luma.stride + (size_t)x];
                assert_true(fabs(seen - (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2])) <= 1.9);
            }
        }
        bf_image_done(&from);
        bf_image_done(&to);
        bf_image_done(&luma);
    }
}

static void sizes_fit_and_never_grow(void **state)
{
    (void)state;
    static const struct {
        int width, height, side_max, fit_width, fit_height;
    } cases[] = {{1280, 720, 640, 640, 360},
                 {360, 480, 640, 360, 480},
                 {720, 1280, 640, 360, 640},
                 {30000, 3, 640, 640, 1},
                 {641, 641, 640, 640, 640}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bf_image image = {.width = cases[i].width, .height = cases[i].height};
        int width, height;
        bf_image_fit(&image, cases[i].side_max, &width, &height);
        assert_int_equal(width, cases[i].fit_width);
        assert_int_equal(height, cases[i].fit_height);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_clips_are_seen_fifteen_times_a_second),
        cmocka_unit_test(cost_is_bounded_whatever_the_container_says),
        cmocka_unit_test(the_best_frame_of_each_part_is_kept),
        cmocka_unit_test(one_that_passes_goes_before_a_better_one_that_does_not),
        cmocka_unit_test(another_person_in_one_frame_is_noticed),
        cmocka_unit_test(a_smaller_copy_is_the_mean_of_what_it_covers),
        cmocka_unit_test(sizes_fit_and_never_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
