/* Following one face by its boxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "face/track.h"

#define FRAME_MS 66.0

static bf_face face_at(float x, float y, float side)
{
    return (bf_face){.box = {x, y, x + side, y + side}, .detect_probability = 1};
}

static int follow(bf_track *track, double ms, const bf_face *faces, int count)
{
    bf_faces all = {.count = count, .count_all = count};
    for (int i = 0; i < count; i++)
        all.face[i] = faces[i];
    return bf_track_follow(track, &all, ms);
}

static void the_largest_face_is_followed_although_another_becomes_larger(void **state)
{
    (void)state;
    bf_track track = {0};
    for (int i = 0; i < 20; i++) {
        float side = 100 + 5 * (float)i;
        const bf_face mine = face_at(100 + 4 * (float)i, 100, 150), other = face_at(450, 100, side);
        const bf_face by_size[2] = {side > 150 ? other : mine, side > 150 ? mine : other};
        assert_int_equal(follow(&track, i * FRAME_MS, by_size, 2), side > 150 ? 1 : 0);
    }
    assert_int_equal(track.breaks, 0);
    assert_int_equal(track.found, 20);
}

static void a_quick_turn_is_the_same_face(void **state)
{
    (void)state;
    bf_track track = {0};
    const bf_face before = face_at(100, 100, 100), after = face_at(180, 110, 105);
    assert_int_equal(follow(&track, 0, &before, 1), 0);
    assert_int_equal(follow(&track, FRAME_MS, &after, 1), 0);
    assert_int_equal(track.breaks, 0);
}

static void a_face_elsewhere_is_another_one_and_taken_up_only_after_a_while(void **state)
{
    (void)state;
    bf_track track = {0};
    const bf_face mine = face_at(50, 100, 100), other = face_at(500, 100, 100);
    assert_int_equal(follow(&track, 0, &mine, 1), 0);
    int missing = 0, i = 1;
    for (; i < 30 && follow(&track, i * FRAME_MS, &other, 1) < 0; i++)
        missing++;
    assert_in_range(missing, 5, 15);
    assert_int_equal(track.breaks, 1);
    assert_true(track.break_ms == i * FRAME_MS);
    assert_true(track.lost_ms > 500);
}

static void a_face_that_comes_back_to_its_place_is_no_break(void **state)
{
    (void)state;
    bf_track track = {0};
    const bf_face mine = face_at(50, 100, 100);
    assert_int_equal(follow(&track, 0, &mine, 1), 0);
    assert_int_equal(follow(&track, 500, NULL, 0), -1);
    assert_int_equal(follow(&track, 1500, &mine, 1), 0);
    assert_int_equal(track.breaks, 0);
    assert_true(track.lost_ms == 1500);
    assert_int_equal(track.found, 2);
}

static void a_second_person_counts_by_the_longest_stay(void **state)
{
    (void)state;
    bf_track track = {0};
    const bf_face two[2] = {face_at(50, 100, 100), face_at(300, 100, 80)};
    const bf_face far[2] = {face_at(50, 100, 100), face_at(300, 100, 30)};
    for (int i = 0; i < 100; i++) {
        /* From the 20th frame to the 60th, though not found in each; far away at other times. */
        bool near = i >= 20 && i <= 60;
        (void)follow(&track, i * FRAME_MS, near ? two : far, near && i % 3 == 1 ? 1 : 2);
    }
    assert_true(track.other_ms >= 38 * FRAME_MS && track.other_ms <= 40 * FRAME_MS);
    assert_true(track.other_since_ms >= 20 * FRAME_MS && track.other_since_ms <= 21 * FRAME_MS);
    assert_in_range(track.others, 25, 30);
}

static void nothing_is_found_where_nothing_is(void **state)
{
    (void)state;
    bf_track track = {0};
    for (int i = 0; i < 10; i++)
        assert_int_equal(follow(&track, i, NULL, 0), -1);
    assert_int_equal(track.found, 0);
    assert_false(track.following);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_face_is_followed_although_another_becomes_larger),
        cmocka_unit_test(a_quick_turn_is_the_same_face),
        cmocka_unit_test(a_face_elsewhere_is_another_one_and_taken_up_only_after_a_while),
        cmocka_unit_test(a_face_that_comes_back_to_its_place_is_no_break),
        cmocka_unit_test(a_second_person_counts_by_the_longest_stay),
        cmocka_unit_test(nothing_is_found_where_nothing_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
