/* Bursts: frames of a capture file come in order, upright, within their limits; a bad frame ends the clip. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bonafide/picture.h"
#include "capture/frames.h"
#include "support/images.h"

#define FRAMES 6

typedef struct clip {
    bf_bytes jpeg[FRAMES];
    bf_capture_frame frame[FRAMES];
    bf_bytes bytes;
} clip;

static void clip_write(clip *c)
{
    for (int i = 0; i < FRAMES; i++)
        c->frame[i] = (bf_capture_frame){c->jpeg[i].data, c->jpeg[i].size, 100.0 + 50.0 * i};
    json_t *client = json_pack("{s:s}", "sdk", "test\x01/1");
    bf_capture_file file = {.frame = c->frame, .frame_count = FRAMES, .client = client};
    bf_bytes_done(&c->bytes);
    assert_int_equal(bf_capture_file_write(&file, &c->bytes, NULL), BF_OK);
    json_decref(client);
}

/* Frame i is 120 x 100 of one grey, 20 i. */
static clip clip_new(void)
{
    clip c = {0};
    for (int i = 0; i < FRAMES; i++) {
        bf_image image = {0};
        assert_int_equal(bf_image_alloc(&image, 120, 100, 3, NULL), BF_OK);
        memset(image.pixels, 20 * i, image.stride * 100);
        c.jpeg[i] = test_jpeg(&image, &(test_jpeg_options){0});
        bf_image_done(&image);
    }
    clip_write(&c);
    return c;
}

static void clip_done(clip *c)
{
    for (int i = 0; i < FRAMES; i++)
        bf_bytes_done(&c->jpeg[i]);
    bf_bytes_done(&c->bytes);
}

static void replace(clip *c, int index, bf_bytes jpeg)
{
    bf_bytes_done(&c->jpeg[index]);
    c->jpeg[index] = jpeg;
    clip_write(c);
}

static bf_frames *open_clip(const clip *c, const bf_frames_limits *limits)
{
    bf_frames *frames = NULL;
    assert_int_equal(bf_frames_open(c->bytes.data, c->bytes.size, limits, &frames, NULL), BF_OK);
    return frames;
}

/* Reads on to the end; what ended it, and how many came before. */
static bf_status drain(bf_frames *frames, int *ret_count, bf_error *err)
{
    bool more = true;
    bf_status status = BF_OK;
    for (*ret_count = 0; *ret_count <= FRAMES; ++*ret_count) {
        bf_frame frame = {0};
        status = bf_frames_next(frames, 0.0, &frame, &more, err);
        if (status != BF_OK || !more)
            break;
    }
    return status;
}

static void frames_come_in_order(void **state)
{
    (void)state;
    clip c = clip_new();
    assert_true(bf_frames_are(c.bytes.data, c.bytes.size));
    bf_frames *frames = open_clip(&c, NULL);
    bf_frame frame = {0};
    bool more = false;
    for (int i = 0; i < FRAMES; i++) {
        assert_int_equal(bf_frames_next(frames, 0.0, &frame, &more, NULL), BF_OK);
        assert_true(more);
        assert_int_equal(frame.index, i);
        assert_true(frame.ms == 100.0 + 50.0 * i);
        assert_true(frame.key);
        assert_int_equal(frame.coded_bytes, c.jpeg[i].size);
        assert_int_equal(frame.rgb->width, 120);
        assert_int_equal(frame.rgb->height, 100);
        assert_in_range(frame.rgb->pixels[3 * 60], i ? 20 * i - 2 : 0, 20 * i + 2);
        assert_int_equal(frame.still->container, BF_CONTAINER_JPEG);
    }
    assert_int_equal(bf_frames_next(frames, 0.0, &frame, &more, NULL), BF_OK);
    assert_false(more);
    assert_int_equal(frame.index, FRAMES - 1);
    const bf_clip_facts *facts = bf_frames_facts(frames);
    assert_int_equal(facts->container, BF_CONTAINER_BURST);
    assert_string_equal(facts->codec, "jpeg");
    assert_string_equal(facts->encoder, "test/1");
    assert_int_equal(facts->width, 120);
    assert_int_equal(facts->height, 100);
    assert_int_equal(facts->frames_coded, FRAMES);
    assert_int_equal(facts->size_changes, 0);
    assert_true(facts->duration_ms == 250.0);
    assert_true(facts->rate_fps == 20.0);
    assert_int_equal(bf_frames_file(frames)->frame_count, FRAMES);
    bf_frames_free(&frames);
    assert_null(frames);
    clip_done(&c);
}

static void skipped_frames_are_not_decoded(void **state)
{
    (void)state;
    clip c = clip_new();
    bf_bytes bad = {0};
    test_append(&bad, "\xff\xd8\xff\xe0", 4);
    replace(&c, 1, bad);
    bf_frames *frames = open_clip(&c, NULL);
    bf_frame frame = {0};
    bool more = false;
    assert_int_equal(bf_frames_next(frames, 0.0, &frame, &more, NULL), BF_OK);
    assert_int_equal(bf_frames_next(frames, 200.1, &frame, &more, NULL), BF_OK);
    assert_true(more);
    assert_int_equal(frame.index, 3);
    assert_int_equal(bf_frames_facts(frames)->frames_coded, 4);
    assert_int_equal(bf_frames_next(frames, 1e9, &frame, &more, NULL), BF_OK);
    assert_false(more);
    assert_int_equal(bf_frames_facts(frames)->frames_coded, FRAMES);
    bf_frames_free(&frames);
    clip_done(&c);
}

static void a_bad_frame_ends_the_clip(void **state)
{
    (void)state;
    clip c = clip_new();
    bf_bytes cut = {0};
    test_append(&cut, c.jpeg[2].data, c.jpeg[2].size - 20);
    replace(&c, 2, cut);
    bf_frames *frames = open_clip(&c, NULL);
    bf_error err = {0};
    int count = 0;
    assert_int_equal(drain(frames, &count, &err), BF_CORRUPT_IMAGE);
    assert_int_equal(count, 2);
    assert_non_null(strstr(err.message, "Frame 2: "));
    assert_int_equal(drain(frames, &count, &err), BF_CORRUPT_IMAGE);
    assert_int_equal(count, 0);
    assert_non_null(strstr(err.message, "Frame 2: "));
    bf_frames_free(&frames);
    clip_done(&c);
}

static void only_jpeg_frames_are_read(void **state)
{
    (void)state;
    clip c = clip_new();
    bf_image image = test_pattern(120, 100);
    replace(&c, 0, test_png(&image, &(test_png_options){0}));
    bf_image_done(&image);
    bf_frames *frames = open_clip(&c, NULL);
    int count = 0;
    assert_int_equal(drain(frames, &count, NULL), BF_UNSUPPORTED_FORMAT);
    bf_frames_free(&frames);
    clip_done(&c);
}

static void turned_frames_and_other_sizes_are_told(void **state)
{
    (void)state;
    clip c = clip_new();
    bf_image image = test_pattern(160, 110);
    bf_bytes exif = test_exif(&(test_exif_options){.orientation = 6});
    replace(&c, 0, test_jpeg(&image, &(test_jpeg_options){.exif = &exif}));
    bf_bytes_done(&exif);
    bf_image_done(&image);
    bf_frames *frames = open_clip(&c, NULL);
    int count = 0;
    assert_int_equal(drain(frames, &count, NULL), BF_OK);
    assert_int_equal(bf_frames_facts(frames)->width, 110);
    assert_int_equal(bf_frames_facts(frames)->height, 160);
    assert_int_equal(bf_frames_facts(frames)->rotation_deg, 90);
    assert_int_equal(bf_frames_facts(frames)->size_changes, 1);
    bf_frames_free(&frames);
    clip_done(&c);
}

static void limits_hold(void **state)
{
    (void)state;
    clip c = clip_new();
    bf_frames *frames = NULL;
    const size_t size = c.bytes.size;
    assert_int_equal(bf_frames_open(NULL, 0, NULL, &frames, NULL), BF_EMPTY_INPUT);
    assert_int_equal(bf_frames_open(c.jpeg[0].data, c.jpeg[0].size, NULL, &frames, NULL), BF_UNSUPPORTED_FORMAT);
    bf_frames_limits limits = {.bytes_max = size - 1};
    assert_int_equal(bf_frames_open(c.bytes.data, size, &limits, &frames, NULL), BF_IMAGE_TOO_LARGE);
    limits = (bf_frames_limits){.duration_ms_max = 249};
    assert_int_equal(bf_frames_open(c.bytes.data, size, &limits, &frames, NULL), BF_DECODER_LIMIT);
    assert_null(frames);
    static const struct {
        bf_frames_limits limits;
        bf_status status;
        int before;
    } cases[] = {
        {{.bytes_max = 0, .duration_ms_max = 250}, BF_OK, FRAMES},
        {{.frames_max = 3}, BF_DECODER_LIMIT, 3},
        {{.decoded_bytes_max = 36000u * 4 + 1}, BF_DECODER_LIMIT, 4},
        {{.still = {.pixels_max = 11999}}, BF_IMAGE_TOO_LARGE, 0},
        {{.still = {.input_bytes_max = 100}}, BF_IMAGE_TOO_LARGE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frames = open_clip(&c, &cases[i].limits);
        int count = 0;
        assert_int_equal(drain(frames, &count, NULL), cases[i].status);
        assert_int_equal(count, cases[i].before);
        bf_frames_free(&frames);
    }
    clip_done(&c);
}

static void one_frame_can_be_looked_at(void **state)
{
    (void)state;
    clip c = clip_new();
    bf_picture picture = {0};
    assert_int_equal(bf_picture_decode_frame(c.bytes.data, c.bytes.size, 3, &picture, NULL), BF_OK);
    assert_int_equal(picture.width, 120);
    assert_in_range(picture.rgb[0], 58, 62);
    bf_picture_done(&picture);
    static const int absent[] = {-1, INT_MIN, FRAMES, INT_MAX};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_int_equal(bf_picture_decode_frame(c.bytes.data, c.bytes.size, absent[i], &picture, NULL),
                         BF_INVALID_ARGUMENT);
        assert_null(picture.rgb);
    }
    clip_done(&c);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    clip c = clip_new();
    json_set_alloc_funcs(bf_malloc, bf_free);
    bool done = false;
    size_t nth = 1;
    for (; !done && nth < 1000; nth++) {
        bf_frames *frames = NULL;
        int count = 0;
        (void)bf_alloc_fail_after(nth, 0);
        bf_status status = bf_frames_open(c.bytes.data, c.bytes.size, NULL, &frames, NULL);
        if (status == BF_OK)
            status = drain(frames, &count, NULL);
        done = bf_alloc_fail_after(0, 0) < nth;
        /* The JSON parser hides some failures: it calls them faults of the text. */
        assert_true(done ? status == BF_OK : status == BF_OUT_OF_MEMORY || (status == BF_CORRUPT_IMAGE && !frames));
        assert_true(!done || count == FRAMES);
        bf_frames_free(&frames);
    }
    assert_true(done);
    assert_true(nth > FRAMES);
    json_set_alloc_funcs(malloc, free);
    clip_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_in_order),
        cmocka_unit_test(skipped_frames_are_not_decoded),
        cmocka_unit_test(a_bad_frame_ends_the_clip),
        cmocka_unit_test(only_jpeg_frames_are_read),
        cmocka_unit_test(turned_frames_and_other_sizes_are_told),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(one_frame_can_be_looked_at),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
