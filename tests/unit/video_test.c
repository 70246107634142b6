/* Videos: pictures come upright, at their times, in their colours; skipping changes nothing but the cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "capture/frames.h"
#include "support/videos.h"

#define FRAMES_MAX 40

/* A clip opened; skips the test where there is no encoder. */
typedef struct clip {
    bf_bytes bytes;
    bf_frames *frames;
} clip;

static clip clip_open(const test_video_options *options)
{
    clip c = {.bytes = test_video(options)};
    if (!c.bytes.data) {
        print_message("this FFmpeg has no encoder %s\n", options->encoder ? options->encoder : "libx264");
        skip();
    }
    assert_true(bf_frames_are(c.bytes.data, c.bytes.size));
    bf_error err = {0};
    if (bf_frames_open(c.bytes.data, c.bytes.size, NULL, &c.frames, &err) != BF_OK)
        fail_msg("%s (%s)", err.message, err.detail);
    return c;
}

static void clip_done(clip *c)
{
    bf_frames_free(&c->frames);
    bf_bytes_done(&c->bytes);
}

static bool next(clip *c, double not_before_ms, bf_frame *ret)
{
    bool more = false;
    bf_error err = {0};
    if (bf_frames_next(c->frames, not_before_ms, ret, &more, &err) != BF_OK)
        fail_msg("%s (%s)", err.message, err.detail);
    return more;
}

static const uint8_t *pixel(const bf_image *image, double x, double y)
{
    return image->pixels + (size_t)(y * image->height) * image->stride + (size_t)(x * image->width) * 3;
}

static void assert_near(const uint8_t *rgb, int r, int g, int b, int tolerance)
{
    if (abs(rgb[0] - r) > tolerance || abs(rgb[1] - g) > tolerance || abs(rgb[2] - b) > tolerance)
        fail_msg("%d %d %d instead of %d %d %d", rgb[0], rgb[1], rgb[2], r, g, b);
}

/* The picture's own grey, in the middle of the square. */
static void assert_shows(const bf_frame *frame, int number)
{
    int grey = test_video_grey(number);
    assert_near(pixel(frame->rgb, 0.5, 0.5), grey, grey, grey, 6);
}

/* The four colours of test_pattern, at the corners in the order of reading. */
static void assert_corners(const bf_image *rgb, const int order[4], int tolerance)
{
    static const int colours[4][3] = {{204, 44, 44}, {44, 184, 64}, {54, 64, 204}, {214, 204, 64}};
    static const double at[4][2] = {{0.2, 0.2}, {0.8, 0.2}, {0.2, 0.8}, {0.8, 0.8}};
    for (int i = 0; i < 4; i++) {
        const int *c = colours[order[i]];
        assert_near(pixel(rgb, at[i][0], at[i][1]), c[0], c[1], c[2], tolerance);
    }
}

static const int upright[4] = {0, 1, 2, 3};

static void check_all(const test_video_options *options, const char *codec, bf_container container)
{
    clip c = clip_open(options);
    bf_frame frame = {0};
    int count = 0;
    for (; next(&c, 0.0, &frame); count++) {
        assert_shows(&frame, count);
        assert_corners(frame.rgb, upright, 14);
        assert_int_equal(frame.index, count);
        assert_true(fabs(frame.ms - count * 1000.0 / 15.0) < 1.5);
        assert_true(frame.coded_bytes > 0);
        assert_int_equal(frame.key, count % 8 == 0);
        assert_null(frame.still);
    }
    assert_int_equal(count, 12);
    const bf_clip_facts *facts = bf_frames_facts(c.frames);
    assert_int_equal(facts->container, container);
    assert_string_equal(facts->codec, codec);
    assert_int_equal(facts->frames_coded, 12);
    assert_int_equal(facts->width, options->width ? options->width : 160);
    assert_int_equal(facts->height, options->height ? options->height : 120);
    assert_int_equal(facts->has_audio, options->audio);
    assert_int_equal(facts->rotation_deg, 0);
    assert_true(facts->duration_ms == 0.0 || fabs(facts->duration_ms - 800.0) < 80.0);
    assert_null(bf_frames_file(c.frames));
    clip_done(&c);
}

static void h264_in_mp4(void **state)
{
    (void)state;
    check_all(&(test_video_options){0}, "h264", BF_CONTAINER_MP4);
    check_all(&(test_video_options){.container = "mov", .audio = true}, "h264", BF_CONTAINER_MP4);
    check_all(&(test_video_options){.fragmented = true}, "h264", BF_CONTAINER_MP4);
}

static void h264_with_reordered_pictures(void **state)
{
    (void)state;
    check_all(&(test_video_options){.b_frames = 3}, "h264", BF_CONTAINER_MP4);
    check_all(&(test_video_options){.b_frames = 3, .container = "matroska"}, "h264", BF_CONTAINER_WEBM);
}

static void vp8_in_webm(void **state)
{
    (void)state;
    check_all(&(test_video_options){.encoder = "libvpx", .container = "webm"}, "vp8", BF_CONTAINER_WEBM);
    check_all(&(test_video_options){.encoder = "libvpx", .container = "matroska", .audio = true}, "vp8",
              BF_CONTAINER_WEBM);
}

static void vp9_in_webm_and_mp4(void **state)
{
    (void)state;
    check_all(&(test_video_options){.encoder = "libvpx-vp9", .container = "webm"}, "vp9", BF_CONTAINER_WEBM);
    check_all(&(test_video_options){.encoder = "libvpx-vp9"}, "vp9", BF_CONTAINER_MP4);
}

static void odd_sizes(void **state)
{
    (void)state;
    check_all(&(test_video_options){.encoder = "libvpx", .container = "webm", .width = 161, .height = 121}, "vp8",
              BF_CONTAINER_WEBM);
    check_all(&(test_video_options){.encoder = "libvpx-vp9", .container = "webm", .width = 101, .height = 203}, "vp9",
              BF_CONTAINER_WEBM);
    check_all(&(test_video_options){.width = 162, .height = 102}, "h264", BF_CONTAINER_MP4);
    check_all(&(test_video_options){.width = 161, .height = 121, .four_four_four = true}, "h264", BF_CONTAINER_MP4);
}

static void colours_by_matrix_and_range(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        check_all(&(test_video_options){.bt709 = i % 2 != 0, .full_range = i / 2 != 0}, "h264", BF_CONTAINER_MP4);
    check_all(&(test_video_options){.encoder = "libvpx-vp9", .container = "webm", .bt709 = true}, "vp9",
              BF_CONTAINER_WEBM);
}

static void every_orientation(void **state)
{
    (void)state;
    /* Which quarter of the coded picture is seen at each corner. */
    static const int seen[9][4] = {[1] = {0, 1, 2, 3}, [2] = {1, 0, 3, 2}, [3] = {3, 2, 1, 0}, [4] = {2, 3, 0, 1},
                                   [5] = {0, 2, 1, 3}, [6] = {2, 0, 3, 1}, [7] = {3, 1, 2, 0}, [8] = {1, 3, 0, 2}};
    static const int degrees[9] = {0, 0, 0, 180, 180, 90, 90, 270, 270};
    for (int o = 1; o <= 8; o++) {
        clip c = clip_open(&(test_video_options){.orientation = o, .frames = 2});
        bf_frame frame = {0};
        assert_true(next(&c, 0.0, &frame));
        assert_int_equal(frame.rgb->width, o >= 5 ? 120 : 160);
        assert_int_equal(frame.rgb->height, o >= 5 ? 160 : 120);
        assert_corners(frame.rgb, seen[o], 14);
        assert_int_equal(bf_frames_facts(c.frames)->rotation_deg, degrees[o]);
        assert_int_equal(bf_frames_facts(c.frames)->width, frame.rgb->width);
        clip_done(&c);
    }
}

static void pixels_that_are_not_square(void **state)
{
    (void)state;
    static const struct {
        int num, den, width, height, orientation;
    } cases[] = {{2, 1, 320, 120, 0}, {1, 2, 160, 240, 0}, {4, 3, 213, 120, 0}, {2, 1, 120, 320, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clip c = clip_open(&(test_video_options){
            .aspect_num = cases[i].num, .aspect_den = cases[i].den, .orientation = cases[i].orientation, .frames = 2});
        bf_frame frame = {0};
        assert_true(next(&c, 0.0, &frame));
        assert_int_equal(frame.rgb->width, cases[i].width);
        assert_int_equal(frame.rgb->height, cases[i].height);
        clip_done(&c);
    }
}

static void uneven_times(void **state)
{
    (void)state;
    static const int ms[6] = {500, 510, 700, 1100, 1101, 3000};
    clip c = clip_open(&(test_video_options){.encoder = "libvpx", .container = "webm", .frames = 6, .ms = ms});
    bf_frame frame = {0};
    for (int i = 0; i < 6; i++) {
        assert_true(next(&c, 0.0, &frame));
        assert_shows(&frame, i);
        assert_true(fabs(frame.ms - (ms[i] - ms[0])) < 1e-6);
    }
    assert_false(next(&c, 0.0, &frame));
    clip_done(&c);
}

/* The pictures that are given after skipping are bit for bit those of a reading without. */
static void check_skipping(const test_video_options *options)
{
    clip all = clip_open(options), some = {0};
    assert_int_equal(bf_frames_open(all.bytes.data, all.bytes.size, NULL, &some.frames, NULL), BF_OK);
    bf_frame a = {0}, s = {0};
    double not_before = 0.0;
    int given = 0;
    while (next(&some, not_before, &s)) {
        assert_true(s.ms >= not_before);
        do
            assert_true(next(&all, 0.0, &a));
        while (a.ms < not_before);
        assert_true(a.ms == s.ms);
        assert_int_equal(a.index, s.index);
        assert_int_equal(a.coded_bytes, s.coded_bytes);
        for (int y = 0; y < a.rgb->height; y++)
            assert_memory_equal(a.rgb->pixels + (size_t)y * a.rgb->stride, s.rgb->pixels + (size_t)y * s.rgb->stride,
                                (size_t)a.rgb->width * 3);
        not_before = s.ms + 190.0;
        given++;
    }
    assert_in_range(given, 10, 14);
    assert_int_equal(bf_frames_facts(some.frames)->frames_coded, FRAMES_MAX);
    clip_done(&some);
    clip_done(&all);
}

static void skipping_changes_no_picture(void **state)
{
    (void)state;
    check_skipping(&(test_video_options){.frames = FRAMES_MAX});
    check_skipping(&(test_video_options){.frames = FRAMES_MAX, .b_frames = 3});
    check_skipping(&(test_video_options){.encoder = "libvpx", .container = "webm", .frames = FRAMES_MAX});
    check_skipping(&(test_video_options){.encoder = "libvpx-vp9", .container = "webm", .frames = FRAMES_MAX});
}

static void a_size_that_changes_is_told(void **state)
{
    (void)state;
    clip c = clip_open(&(test_video_options){.encoder = "libvpx", .container = "webm", .grow_at = 5});
    bf_frame frame = {0};
    int count = 0;
    for (; next(&c, 0.0, &frame); count++) {
        assert_int_equal(frame.rgb->width, count < 5 ? 160 : 320);
        assert_int_equal(frame.rgb->height, count < 5 ? 120 : 240);
        assert_shows(&frame, count);
    }
    assert_int_equal(count, 12);
    assert_int_equal(bf_frames_facts(c.frames)->size_changes, 1);
    assert_int_equal(bf_frames_facts(c.frames)->width, 160);
    clip_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_in_mp4),
        cmocka_unit_test(h264_with_reordered_pictures),
        cmocka_unit_test(vp8_in_webm),
        cmocka_unit_test(vp9_in_webm_and_mp4),
        cmocka_unit_test(odd_sizes),
        cmocka_unit_test(colours_by_matrix_and_range),
        cmocka_unit_test(every_orientation),
        cmocka_unit_test(pixels_that_are_not_square),
        cmocka_unit_test(uneven_times),
        cmocka_unit_test(skipping_changes_no_picture),
        cmocka_unit_test(a_size_that_changes_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
