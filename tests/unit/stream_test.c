/* sequence.stream over drawn clips that are frozen, looped, blended, cut; fingerprints of frames and captures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "liveness/stream/stream.h"
#include "motion_scene.h"

#define FRAMES 60
#define CLIP_MAX 180
#define SEEDS 3

static bf_stream_state state;
static scene_picture drawn[FRAMES];

/* A clip: which drawn frame is shown when. */
typedef struct clip {
    int shown[CLIP_MAX];
    double ms[CLIP_MAX];
    int count;
    bool blend;     /* every second frame is the mean of its neighbours */
    bool new_noise; /* equal frames differ by what a camera or compression adds */
} clip;

static double random_of(uint32_t seed, int what)
{
    return (double)(scene_hash(seed, what, 77, 5) >> 8) / 0xffffff;
}

/* A head that turns and sways before a wall, never twice in the same way. */
static void draw_all(uint32_t seed)
{
    for (int i = 0; i < FRAMES; i++) {
        double t = 0.21 * i, bend = 0.3 * random_of(seed, 3);
        scene_pose head = {.yaw = 0.4 * sin(t * (1 + 0.01 * i)) + bend * sin(0.37 * t),
                           .pitch = 0.1 * sin(1.7 * t),
                           .x = 14 * sin(0.53 * t + (double)seed),
                           .y = 5 * cos(0.71 * t),
                           .scale = 1};
        scene_draw(seed, &head, &(scene_pose){.scale = 1}, &drawn[i]);
        scene_noise(&drawn[i], seed * 977u + (uint32_t)i, 2);
    }
}

static clip straight(int count)
{
    clip c = {.count = count, .new_noise = true};
    for (int i = 0; i < count; i++) {
        c.shown[i] = i % FRAMES;
        c.ms[i] = 66.0 * i + 3 * sin(i);
    }
    return c;
}

static void pixels_of(const clip *c, int i, scene_picture *ret)
{
    *ret = drawn[c->shown[i]];
    if (c->blend && i % 2 && i + 1 < c->count) {
        const uint8_t *a = &drawn[c->shown[i - 1]].luma[0][0], *b = &drawn[c->shown[i + 1]].luma[0][0];
        for (int k = 0; k < SCENE_WIDTH * SCENE_HEIGHT; k++)
            (&ret->luma[0][0])[k] = (uint8_t)((a[k] + b[k] + 1) / 2);
    }
    if (c->new_noise)
        scene_noise(ret, 31u * (uint32_t)i + 5, 1);
}

static void show(const clip *c, bool burst, bf_sequence_evidence *ret)
{
    static scene_picture picture;
    const bf_capture_file file = {.frame_count = 1};
    const bf_sequence sequence = {.file = burst ? &file : NULL};
    memset(&state, 0, sizeof state);
    memset(ret, 0, sizeof *ret);
    bf_stream_detector.begin(&state, &sequence);
    for (int i = 0; i < c->count; i++) {
        pixels_of(c, i, &picture);
        const bf_image grey = {&picture.luma[0][0], SCENE_WIDTH, SCENE_HEIGHT, 1, SCENE_WIDTH};
        const bf_face face = {.box = {85, 40, 155, 150}};
        const bf_view view = {.grey = &grey, .grey_scale = 1, .ms = c->ms[i], .index = i, .number = i, .face = &face};
        bf_stream_detector.see(&state, &view);
    }
    bf_stream_detector.end(&state, ret);
    assert_int_equal(ret->evidence.status, BF_EVIDENCE_PRESENT);
}

static const bf_finding *found(const bf_sequence_evidence *e, const char *code)
{
    for (int i = 0; i < e->finding_count; i++) {
        if (strcmp(e->finding[i].code, code) == 0)
            return &e->finding[i];
    }
    return NULL;
}

static void an_honest_clip_has_no_findings(void **unused)
{
    (void)unused;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        bf_sequence_evidence e;
        draw_all(seed);
        clip c = straight(FRAMES);
        for (int burst = 0; burst < 2; burst++) {
            show(&c, burst, &e);
            assert_int_equal(e.finding_count, 0);
            assert_true(e.evidence.raw == 0);
        }
        /* A dim webcam behind a busy browser: each frame four times, now and then half a second of nothing. */
        c = straight(FRAMES);
        c.new_noise = false;
        for (int i = 0; i < FRAMES; i++)
            c.shown[i] = i / 4 * 4;
        c.shown[37] = c.shown[38] = c.shown[39] = c.shown[40] = c.shown[36];
        show(&c, true, &e);
        assert_int_equal(e.finding_count, 0);
    }
}

static void a_frozen_feed_is_found(void **unused)
{
    (void)unused;
    draw_all(1);
    bf_sequence_evidence e;
    clip c = straight(FRAMES);
    c.new_noise = false;
    for (int i = 20; i < 50; i++)
        c.shown[i] = 20;
    show(&c, false, &e);
    assert_non_null(found(&e, "frozen"));
    assert_true(fabs(found(&e, "frozen")->ms - c.ms[20]) < 1);
    assert_true(e.evidence.raw <= -3);
    /* Noise laid over it makes every frame another, by the same amount. */
    c.new_noise = true;
    show(&c, false, &e);
    assert_null(found(&e, "frozen"));
    assert_non_null(found(&e, "frozen_under_noise"));
    assert_true(e.evidence.raw <= -2);
}

/* Where little or nothing but noise changes, nothing is known to have frozen or come again. */
static void one_who_sits_still_in_a_dim_room_is_no_finding(void **unused)
{
    (void)unused;
    for (int dark = 0; dark < 2; dark++) {
        bf_sequence_evidence e;
        for (int i = 0; i < FRAMES; i++) {
            scene_draw(5, &(scene_pose){.x = 0.12 * i, .scale = 1}, &(scene_pose){.scale = 1}, &drawn[i]);
            scene_noise(&drawn[i], 31u * (uint32_t)i + 5, dark ? 24 : 4);
        }
        clip c = straight(FRAMES);
        c.new_noise = false;
        show(&c, true, &e);
        assert_int_equal(e.finding_count, 0);
    }
}

/* Somebody who hardly moves, played again and again, each time with other grain or with none. */
static void a_quiet_part_that_comes_again_is_found(void **unused)
{
    (void)unused;
    for (int grain = 0; grain < 2; grain++) {
        bf_sequence_evidence e;
        draw_all(4);
        for (int i = 0; i < FRAMES; i++) {
            scene_pose head = {.x = 1.2 * sin(0.9 * i), .y = cos(0.6 * i), .scale = 1};
            scene_draw(4, &head, &(scene_pose){.x = grain ? sin(0.7 * i) : 0, .scale = 1}, &drawn[i]);
            scene_noise(&drawn[i], 977u + (uint32_t)i, 2);
        }
        clip c = straight(100);
        c.new_noise = grain;
        for (int i = 0; i < c.count; i++)
            c.shown[i] = i % 22;
        show(&c, true, &e);
        assert_non_null(found(&e, "looped"));
    }
}

static void a_part_that_comes_again_is_found(void **unused)
{
    (void)unused;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        draw_all(seed);
        for (int way = 0; way < 4; way++) {
            bf_sequence_evidence e;
            clip c = straight(100);
            c.new_noise = way < 2;
            for (int i = 0; i < c.count; i++)
                c.shown[i] = way % 2 == 0 ? i % 36 : i < 50 ? i : 99 - i; /* round and round; there and back */
            show(&c, false, &e);
            assert_true(found(&e, "looped") || found(&e, "loops_back"));
            assert_true(e.evidence.raw <= -3);
        }
    }
}

static void frames_made_of_their_neighbours_are_found(void **unused)
{
    (void)unused;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        bf_sequence_evidence e;
        draw_all(seed);
        clip c = straight(FRAMES);
        c.blend = true;
        show(&c, false, &e);
        assert_non_null(found(&e, "interpolated"));
        assert_true(e.evidence.raw <= -1.5);
    }
}

static void a_cut_is_found_and_named_with_its_time(void **unused)
{
    (void)unused;
    static scene_picture other[FRAMES];
    bf_sequence_evidence e;
    draw_all(2);
    memcpy(other, drawn, sizeof other);
    draw_all(1);
    memcpy(drawn + 30, other + 30, sizeof *drawn * 30);
    clip c = straight(FRAMES);
    for (int i = 0; i < FRAMES; i++)
        c.shown[i] = i < 30 ? i / 4 : 30 + i / 4; /* slowly, so that it is calm before and after */
    show(&c, false, &e);
    assert_non_null(found(&e, "cut"));
    assert_true(fabs(found(&e, "cut")->ms - c.ms[30]) < 1);
    assert_true(e.evidence.raw <= -1);
}

static void times_that_no_browser_gives_are_named(void **unused)
{
    (void)unused;
    draw_all(1);
    bf_sequence_evidence e;
    clip c = straight(FRAMES);
    for (int i = 0; i < FRAMES; i++)
        c.ms[i] = 66.0 * i;
    show(&c, true, &e);
    assert_non_null(found(&e, "even_times"));
    show(&c, false, &e); /* a recorded file may well have such times */
    assert_null(found(&e, "even_times"));
    for (int i = 30; i < FRAMES; i++)
        c.ms[i] += 1500 + i;
    show(&c, true, &e);
    assert_non_null(found(&e, "gap"));
    assert_null(found(&e, "even_times"));
    assert_true(e.evidence.raw > -1);
}

static void too_little_gives_no_evidence(void **unused)
{
    (void)unused;
    bf_sequence_evidence e = {0};
    memset(&state, 0, sizeof state);
    bf_stream_detector.begin(&state, &(bf_sequence){0});
    bf_stream_detector.end(&state, &e);
    assert_int_equal(e.evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
    assert_non_null(e.evidence.why);
    bf_clip_fingerprint print;
    bf_stream_fingerprint(&state, &print);
    assert_int_equal(print.count, 0);
    assert_false(bf_clip_fingerprint_same(&print, &print));
}

/* Sizes, times and faces of every kind, more views than there is room for, frames that come and go in turn. */
static void whatever_comes_is_survived(void **unused)
{
    (void)unused;
    static scene_picture picture[2];
    static const double odd[8] = {NAN, INFINITY, -INFINITY, 1e300, -5, 0, 100, 1e8};
    scene_noise(&picture[0], 1, 127);
    scene_noise(&picture[1], 2, 127);
    for (uint32_t seed = 0; seed < 8; seed++) {
        bf_sequence_evidence e = {0};
        memset(&state, 0, sizeof state);
        bf_stream_detector.begin(&state, &(bf_sequence){0});
        for (int i = 0; i < BF_SEQUENCE_FRAMES_MAX + 20; i++) {
            uint32_t h = scene_hash(seed, i, 9, 9);
            int width = seed & 1 ? SCENE_WIDTH : (int)(h % SCENE_WIDTH) + 1;
            int height = seed & 1 ? SCENE_HEIGHT : (int)(h >> 12) % SCENE_HEIGHT + 1;
            const bf_image grey = {&picture[seed & 2 ? 0 : i & 1].luma[0][0], width, height, 1, SCENE_WIDTH};
            float f = (float)odd[h >> 20 & 7];
            const bf_face face = {.box = {f, f, -f, f}};
            const bf_view view = {.grey = h & 1024 && !(seed & 1) ? NULL : &grey,
                                  .grey_scale = f,
                                  .number = i,
                                  .ms = seed & 4 ? odd[h >> 8 & 7] : 50.0 * i,
                                  .face = h & 64 ? &face : NULL};
            bf_stream_detector.see(&state, &view);
        }
        bf_stream_detector.end(&state, &e);
        assert_true(isfinite(e.evidence.raw) && e.evidence.raw >= -4 && e.evidence.raw <= 0);
        for (int i = 0; i < e.figure_count; i++)
            assert_true(isfinite(e.figure[i].value));
        bf_clip_fingerprint print;
        bf_stream_fingerprint(&state, &print);
    }
}

static void fingerprint_of(const clip *c, bf_clip_fingerprint *ret)
{
    bf_sequence_evidence e;
    show(c, false, &e);
    bf_stream_fingerprint(&state, ret);
}

static void one_recording_is_known_again_and_another_is_not(void **unused)
{
    (void)unused;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        bf_clip_fingerprint first, again, later;
        draw_all(seed);
        clip c = straight(FRAMES);
        fingerprint_of(&c, &first);
        for (int i = 0; i + 2 < FRAMES; i++) /* cut a little shorter, with other noise */
            c.shown[i] = i + 2;
        c.count -= 2;
        fingerprint_of(&c, &again);
        for (int i = 0; i < FRAMES; i++) /* the same person in the same place does something else */
            c.shown[i] = (i * 7 + 30) % FRAMES;
        fingerprint_of(&c, &later);
        print_message("seed %u: motion %.1f, again %.2f, another %.2f\n", seed, bf_clip_fingerprint_motion(&first),
                      bf_clip_fingerprint_distance(&first, &again), bf_clip_fingerprint_distance(&first, &later));
        assert_true(bf_clip_fingerprint_same(&first, &again));
        assert_false(bf_clip_fingerprint_same(&first, &later));
    }
}

static void a_fingerprint_survives_light_and_noise(void **unused)
{
    (void)unused;
    draw_all(1);
    scene_picture changed = drawn[0];
    for (int k = 0; k < SCENE_WIDTH * SCENE_HEIGHT; k++)
        (&changed.luma[0][0])[k] = (uint8_t)(30 + (&changed.luma[0][0])[k] * 3 / 4);
    scene_noise(&changed, 4, 8);
    const bf_image a = {&drawn[0].luma[0][0], SCENE_WIDTH, SCENE_HEIGHT, 1, SCENE_WIDTH};
    const bf_image b = {&changed.luma[0][0], SCENE_WIDTH, SCENE_HEIGHT, 1, SCENE_WIDTH};
    const bf_image none = {&changed.luma[0][0], 0, 0, 1, 0};
    assert_true(bf_fingerprint_distance(bf_fingerprint(&a), bf_fingerprint(&b)) <= 3);
    assert_true(bf_fingerprint(&none) == 0 && bf_fingerprint(NULL) == 0);
    assert_int_equal(bf_fingerprint_distance(0, ~(uint64_t)0), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_clip_has_no_findings),
        cmocka_unit_test(a_frozen_feed_is_found),
        cmocka_unit_test(one_who_sits_still_in_a_dim_room_is_no_finding),
        cmocka_unit_test(a_quiet_part_that_comes_again_is_found),
        cmocka_unit_test(a_part_that_comes_again_is_found),
        cmocka_unit_test(frames_made_of_their_neighbours_are_found),
        cmocka_unit_test(a_cut_is_found_and_named_with_its_time),
        cmocka_unit_test(times_that_no_browser_gives_are_named),
        cmocka_unit_test(too_little_gives_no_evidence),
        cmocka_unit_test(whatever_comes_is_survived),
        cmocka_unit_test(one_recording_is_known_again_and_another_is_not),
        cmocka_unit_test(a_fingerprint_survives_light_and_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
