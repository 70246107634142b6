/* sequence.motion over drawn heads, prints and screens whose motion is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "liveness/motion/motion.h"
#include "motion_scene.h"

#define FRAMES 32
#define FRAME_MS 70
#define SEEDS 4

static bf_motion_state state;

/* What is presented, and how the camera behaves. */
typedef enum presentation {
    HEAD_TURNS,          /* a living head before a wall, the camera rests */
    HEAD_TURNS_HANDHELD, /* the same, the camera is in a hand */
    HEAD_STILL,          /* it looks straight on and sways a little */
    HEAD_COMES_CLOSER,   /* and grows by a third */
    CAMERA_COMES_CLOSER, /* to a head; the wall behind is three times as far */
    PRINT_TILTS,         /* a sheet is tilted from side to side so that the face seems to turn */
    BENT_PRINT_TILTS,    /* the same, bent */
    PRINT_MOVES,         /* a small print is moved before the wall */
    PHONE_REPLAYS,       /* a screen in a hand shows a head that turns */
    CAMERA_NEARS_SCREEN, /* a large screen with a still head, the camera comes closer */
    PRESENTATIONS
} presentation;

static const char *const name[PRESENTATIONS] = {
    "head turns",  "head turns, handheld", "head still",  "head comes closer", "camera comes closer",
    "print tilts", "bent print tilts",     "print moves", "phone replays",     "camera nears a screen",
};

static double random_of(uint32_t seed, int what)
{
    return (double)(scene_hash(seed, what, 77, 5) >> 8) / 0xffffff;
}

/* -1..1 over the sequence: to one side, back, to the other side. */
static double wave(int frame)
{
    return sin(6.2831853 * frame / FRAMES);
}

/* A hand's tremor and drift, px. */
static double tremor(uint32_t seed, int frame, int axis)
{
    return 3.5 * sin(0.45 * frame + 6.28 * random_of(seed, 20 + axis)) + 1.2 * sin(1.3 * frame + axis);
}

/* Draws frame `i` and its face. */
static bf_face draw(presentation what, uint32_t seed, int i, scene_picture *ret)
{
    static scene_picture shown;
    const scene_pose rest = {.scale = 1};
    double turn = (0.30 + 0.15 * random_of(seed, 1)) * wave(i), grow = 1 + 0.33 * i / FRAMES;
    scene_pose head = {.x = 2 * wave(i), .scale = 1}, wall = rest;
    scene_sheet sheet = {.half_width = 80, .half_height = 96, .pose = rest};
    bool on_sheet = what >= PRINT_TILTS;
    if (what == HEAD_TURNS || what == HEAD_TURNS_HANDHELD || what == PHONE_REPLAYS)
        head.yaw = turn;
    if (what == HEAD_COMES_CLOSER || what == CAMERA_COMES_CLOSER)
        head.scale = 0.8 * grow;
    if (what == CAMERA_COMES_CLOSER)
        wall.scale = 1 + (grow - 1) / 4;
    if (what == HEAD_TURNS_HANDHELD) {
        wall.x = tremor(seed, i, 0);
        wall.y = tremor(seed, i, 1);
        head.x += 1.4 * wall.x;
        head.y += 1.4 * wall.y;
    }
    if (!on_sheet) {
        scene_draw(seed, &head, &wall, ret);
        return scene_face(&head, NULL);
    }
    if (what == PRINT_TILTS || what == BENT_PRINT_TILTS)
        sheet.pose.yaw = 1.5 * turn;
    sheet.bend = what == BENT_PRINT_TILTS ? 0.25 : 0;
    if (what == PRINT_MOVES || what == PHONE_REPLAYS) {
        double size = what == PRINT_MOVES ? 3.0 : 1.0;
        sheet.pose = (scene_pose){.x = size * tremor(seed, i, 0), .y = size * tremor(seed, i, 1), .scale = 0.75};
    }
    if (what == PRINT_MOVES || what == PHONE_REPLAYS)
        sheet.half_width = 115;
    if (what == CAMERA_NEARS_SCREEN) {
        sheet.half_width = sheet.half_height = 400;
        sheet.pose.scale = 0.9 + 0.2 * i / FRAMES;
    }
    if (what != PHONE_REPLAYS)
        head.x = 0;
    scene_hold(&sheet);
    scene_draw(seed + 1000, &head, &rest, &shown);
    scene_draw(seed, &(scene_pose){.x = 2000, .scale = 1}, &wall, ret);
    scene_show(&shown, &sheet, ret);
    return scene_face(&head, &sheet);
}

static void run(presentation what, uint32_t seed, int noise, bf_sequence_evidence *ret)
{
    static scene_picture picture;
    const bf_sequence sequence = {0};
    memset(&state, 0, sizeof state);
    memset(ret, 0, sizeof *ret);
    bf_motion_detector.begin(&state, &sequence);
    for (int i = 0; i < FRAMES; i++) {
        bf_face face = draw(what, seed, i, &picture);
        scene_noise(&picture, seed * 131u + (uint32_t)i, noise);
        face.yaw_deg += (float)(4 * random_of(seed, 100 + i) - 2);
        face.pitch_deg += (float)(4 * random_of(seed, 200 + i) - 2);
        const bf_image grey = {&picture.luma[0][0], SCENE_WIDTH, SCENE_HEIGHT, 1, SCENE_WIDTH};
        const bf_view view = {.grey = &grey,
                              .grey_scale = 1,
                              .ms = i * FRAME_MS,
                              .index = i,
                              .number = i,
                              .face = &face,
                              .face_count = 1};
        bf_motion_detector.see(&state, &view);
    }
    bf_motion_detector.end(&state, ret);
}

static double figure(const bf_sequence_evidence *e, const char *which)
{
    for (int i = 0; i < e->figure_count; i++) {
        if (strcmp(e->figure[i].name, which) == 0)
            return e->figure[i].value;
    }
    return NAN;
}

static bool found(const bf_sequence_evidence *e, const char *code)
{
    for (int i = 0; i < e->finding_count; i++) {
        if (strcmp(e->finding[i].code, code) == 0)
            return true;
    }
    return false;
}

/* How many of the seeds end as live, as an attack, and without evidence. */
typedef struct tally {
    int live, attack, absent, finding;
    double parallax;
} tally;

static tally sweep(presentation what, int noise, const char *code)
{
    tally t = {0};
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        bf_sequence_evidence e;
        run(what, seed, noise, &e);
        bool present = e.evidence.status == BF_EVIDENCE_PRESENT;
        t.absent += !present;
        t.live += present && e.evidence.raw > 0;
        t.attack += present && e.evidence.raw < -1;
        t.finding += code && found(&e, code);
        t.parallax += figure(&e, "parallax") / SEEDS;
    }
    print_message("%-22s live %d, attack %d, absent %d of %d; parallax %.2f; %s %d\n", name[what], t.live, t.attack,
                  t.absent, SEEDS, t.parallax, code ? code : "-", t.finding);
    return t;
}

static void a_head_that_turns_has_depth(void **unused)
{
    (void)unused;
    for (int noise = 2; noise <= 8; noise += 6) {
        tally rest = sweep(HEAD_TURNS, noise, NULL), hand = sweep(HEAD_TURNS_HANDHELD, noise, NULL);
        assert_int_equal(rest.live, SEEDS);
        assert_int_equal(hand.live, SEEDS);
        assert_true(rest.parallax > 0.45 && rest.parallax < 1.3);
    }
}

static void a_head_that_does_not_turn_gives_no_evidence(void **unused)
{
    (void)unused;
    assert_int_equal(sweep(HEAD_STILL, 3, NULL).absent, SEEDS);
    assert_int_equal(sweep(HEAD_COMES_CLOSER, 3, NULL).absent, SEEDS);
    assert_int_equal(sweep(CAMERA_COMES_CLOSER, 3, NULL).absent, SEEDS);
}

static void a_print_that_is_tilted_turns_as_a_plane(void **unused)
{
    (void)unused;
    tally flat = sweep(PRINT_TILTS, 3, "turns_as_a_plane"), bent = sweep(BENT_PRINT_TILTS, 3, "turns_as_a_plane");
    assert_int_equal(flat.finding, SEEDS);
    assert_int_equal(flat.attack, SEEDS);
    assert_true(fabs(flat.parallax) < 0.1);
    assert_int_equal(bent.live, 0);
    assert_true(bent.attack >= SEEDS - 1);
}

static void what_is_held_before_the_camera_moves_as_one_piece(void **unused)
{
    (void)unused;
    tally print = sweep(PRINT_MOVES, 3, "moves_with_surroundings"), phone = sweep(PHONE_REPLAYS, 3, "moving_frame");
    assert_int_equal(print.attack, SEEDS);
    assert_int_equal(print.finding, SEEDS);
    /* What the screen shows has a head's depth; what gives it away is around it. */
    assert_true(phone.parallax > 0.4);
    assert_true(phone.attack >= SEEDS - 1);
}

static void a_screen_that_comes_closer_is_a_flat_scene(void **unused)
{
    (void)unused;
    tally t = sweep(CAMERA_NEARS_SCREEN, 3, "flat_scene");
    assert_int_equal(t.attack, SEEDS);
    assert_int_equal(t.finding, SEEDS);
}

/* Shows `count` views of noise with a face whose numbers are garbage of every kind. */
static void show_garbage(uint32_t seed, int count, bool same_size)
{
    static scene_picture picture;
    static const float odd[8] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0, 1e-30f, -0.0f};
    scene_noise(&picture, seed, 120);
    for (int i = 0; i < count; i++) {
        uint32_t h = scene_hash(seed, i, 1, 1);
        bf_face face = scene_face(&(scene_pose){.scale = 1 + (h & 3)}, NULL);
        for (int k = 0; k < (int)(h >> 8 & 15); k++)
            face.landmarks[scene_hash(seed, i, k, 2) % BF_LANDMARKS].x = odd[scene_hash(seed, i, k, 3) & 7];
        face.yaw_deg = h >> 4 & 1 ? odd[h >> 5 & 7] : (float)(h % 200) - 100;
        const int width = same_size ? SCENE_WIDTH : (int)(1 + h % SCENE_WIDTH);
        const int height = same_size ? SCENE_HEIGHT : (int)(1 + (h >> 10) % SCENE_HEIGHT);
        const bf_image grey = {&picture.luma[0][0], width, height, 1, SCENE_WIDTH};
        const bf_view view = {.grey = &grey,
                              .grey_scale = h & 64 ? odd[h >> 20 & 7] : 1,
                              .ms = h & 32 ? NAN : 1e300,
                              .number = i,
                              .face = h & 128 ? NULL : &face};
        bf_motion_detector.see(&state, &view);
    }
}

static void whatever_comes_is_survived(void **unused)
{
    (void)unused;
    const bf_sequence sequence = {0};
    for (uint32_t seed = 0; seed < 6; seed++) {
        bf_sequence_evidence e = {0};
        memset(&state, 0, sizeof state);
        bf_motion_detector.begin(&state, &sequence);
        show_garbage(seed, BF_SEQUENCE_FRAMES_MAX / 4, seed & 1);
        bf_motion_detector.end(&state, &e);
        assert_true(e.evidence.status != BF_EVIDENCE_PRESENT || isfinite(e.evidence.raw));
        for (int i = 0; i < e.figure_count; i++)
            assert_true(isfinite(e.figure[i].value));
    }
}

static void nothing_at_all_gives_no_evidence(void **unused)
{
    (void)unused;
    bf_sequence_evidence e = {0};
    memset(&state, 0, sizeof state);
    bf_motion_detector.begin(&state, &(bf_sequence){0});
    bf_motion_detector.end(&state, &e);
    assert_int_equal(e.evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
    assert_non_null(e.evidence.why);
}

static void points_are_followed_to_a_tenth_of_a_pixel(void **unused)
{
    (void)unused;
    static bf_pyramid before, after;
    static scene_picture picture;
    const bf_image grey = {&picture.luma[0][0], SCENE_WIDTH, SCENE_HEIGHT, 1, SCENE_WIDTH};
    scene_draw(5, &(scene_pose){.x = 9000, .scale = 1}, &(scene_pose){.scale = 1}, &picture);
    assert_true(bf_pyramid_build(&grey, &before));
    for (int shift = 1; shift <= 9; shift += 4) {
        scene_draw(5, &(scene_pose){.x = 9000, .scale = 1}, &(scene_pose){.x = shift, .y = 0.4, .scale = 1}, &picture);
        assert_true(bf_pyramid_build(&grey, &after));
        int followed = 0;
        for (int y = 40; y < 160; y += 10) {
            for (int x = 40; x < 200; x += 10) {
                bf_point from = {(float)x, (float)y}, to = from;
                if (bf_flow_trackable(&before, x, y) < 5 || !bf_flow_follow(&before, &after, from, &to))
                    continue;
                followed++;
                assert_true(fabsf(to.x - from.x - (float)shift) < 0.15f && fabsf(to.y - from.y - 0.4f) < 0.15f);
            }
        }
        print_message("%d px: %d points followed\n", shift, followed);
        assert_true(followed > 50);
    }
    /* Out of the picture and out of reason. */
    bf_point to = {0, 0};
    assert_false(bf_flow_follow(&before, &after, (bf_point){-5, 1e9f}, &to));
    assert_false(bf_flow_follow(&before, &after, (bf_point){NAN, 3}, &to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_followed_to_a_tenth_of_a_pixel),
        cmocka_unit_test(a_head_that_turns_has_depth),
        cmocka_unit_test(a_head_that_does_not_turn_gives_no_evidence),
        cmocka_unit_test(a_print_that_is_tilted_turns_as_a_plane),
        cmocka_unit_test(what_is_held_before_the_camera_moves_as_one_piece),
        cmocka_unit_test(a_screen_that_comes_closer_is_a_flat_scene),
        cmocka_unit_test(whatever_comes_is_survived),
        cmocka_unit_test(nothing_at_all_gives_no_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
