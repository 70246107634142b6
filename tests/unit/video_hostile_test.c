/* Videos that are broken, or lie: each ends with an error of its own, in bounded time and memory, and never as a clip
 * that looks whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/frames.h"
#include "support/videos.h"

#define FRAMES 12

static bf_bytes mp4, webm, vp9;

static int make_clips(void **state)
{
    (void)state;
    mp4 = test_video(&(test_video_options){0});
    webm = test_video(&(test_video_options){.encoder = "libvpx", .container = "webm"});
    vp9 = test_video(&(test_video_options){.encoder = "libvpx-vp9", .container = "webm"});
    return 0;
}

static int drop_clips(void **state)
{
    (void)state;
    bf_bytes_done(&mp4);
    bf_bytes_done(&webm);
    bf_bytes_done(&vp9);
    return 0;
}

static void need(const bf_bytes *clip)
{
    if (!clip->data) {
        print_message("this FFmpeg has no encoder for it\n");
        skip();
    }
}

/* Reads a copy of the bytes, so that the sanitizer sees a byte read too far; what ended it, and how many came. */
static bf_status read_all(const uint8_t *bytes, size_t size, const bf_frames_limits *limits, int *ret_count,
                          bf_error *err)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    bf_frames *frames = NULL;
    bf_frame frame = {0};
    bool more = true;
    int count = 0;
    bf_status status = bf_frames_open(copy, size, limits, &frames, err);
    while (status == BF_OK && more && count <= 10 * FRAMES) {
        status = bf_frames_next(frames, 0.0, &frame, &more, err);
        count += status == BF_OK && more;
    }
    assert_true(count <= 10 * FRAMES);
    assert_true(status == BF_OK || !err || err->message[0]);
    bf_frames_free(&frames);
    free(copy);
    *ret_count = count;
    return status;
}

static void expect(const bf_bytes *clip, const bf_frames_limits *limits, bf_status wanted, int wanted_count)
{
    bf_error err = {0};
    int count = 0;
    bf_status status = read_all(clip->data, clip->size, limits, &count, &err);
    if (status != wanted || (wanted_count >= 0 && count != wanted_count))
        fail_msg("expected %d after %d, got %d after %d: %s (%s)", (int)wanted, wanted_count, (int)status, count,
                 err.message, err.detail);
}

static bf_bytes copy_of(const bf_bytes *clip)
{
    bf_bytes copy = {0};
    test_append(&copy, clip->data, clip->size);
    return copy;
}

/* Where the text stands for the nth time (from 0). */
static uint8_t *find(const bf_bytes *clip, const char *text, size_t length, int nth)
{
    uint8_t *at = clip->data;
    for (;; at++) {
        at = memmem(at, clip->size - (size_t)(at - clip->data), text, length);
        assert_non_null(at);
        if (nth-- == 0)
            return at;
    }
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static bool is_refusal(bf_status status)
{
    return status == BF_CORRUPT_IMAGE || status == BF_UNSUPPORTED_FORMAT || status == BF_DECODER_LIMIT ||
           status == BF_IMAGE_TOO_LARGE || status == BF_IMAGE_TOO_SMALL || status == BF_EMPTY_INPUT;
}

static void cut_mp4_is_refused(void **state)
{
    (void)state;
    need(&mp4);
    for (size_t i = 0; i < 97; i++) {
        int count = 0;
        bf_status status = read_all(mp4.data, mp4.size * i / 97, NULL, &count, NULL);
        if (!is_refusal(status))
            fail_msg("cut at %zu of 97: %d", i, (int)status);
    }
}

static void cut_fragments_are_refused(void **state)
{
    (void)state;
    bf_bytes clip = test_video(&(test_video_options){.fragmented = true});
    need(&clip);
    clip.size -= clip.size / 10; /* the index at the end and some of the last fragment */
    int count = 0;
    assert_int_equal(read_all(clip.data, clip.size, NULL, &count, NULL), BF_CORRUPT_IMAGE);
    clip.size += clip.size / 10;
    bf_bytes_done(&clip);
}

static void cut_webm_is_shorter_or_refused(void **state)
{
    (void)state;
    need(&webm);
    for (size_t i = 0; i < 97; i++) {
        int count = 0;
        bf_status status = read_all(webm.data, webm.size * i / 97, NULL, &count, NULL);
        if (status != BF_OK && !is_refusal(status))
            fail_msg("cut at %zu of 97: %d", i, (int)status);
        if (i > 1 && status == BF_OK)
            assert_true(count < FRAMES || i > 60);
    }
}

static void changed_bytes_end_in_order(void **state)
{
    (void)state;
    need(&mp4);
    need(&webm);
    need(&vp9);
    const bf_bytes *clips[] = {&mp4, &webm, &vp9};
    uint32_t random = 7;
    int refused = 0;
    for (int i = 0; i < 240; i++) {
        bf_bytes clip = copy_of(clips[i % 3]);
        int changes = 1 + (int)(test_random(&random) % 6);
        /* Every second one in what describes the clip, the others anywhere. */
        size_t within = i % 2 ? clip.size : 900;
        for (int c = 0; c < changes; c++)
            clip.data[test_random(&random) % within] = (uint8_t)test_random(&random);
        int count = 0;
        bf_status status = read_all(clip.data, clip.size, NULL, &count, NULL);
        assert_true(status == BF_OK || is_refusal(status));
        refused += status != BF_OK;
        bf_bytes_done(&clip);
    }
    assert_true(refused > 60);
}

static void garbage_behind_a_beginning(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } beginnings[] = {{"\0\0\0\x10"
                       "ftypisom\0\0\0\0",
                       16},
                      {"\0\0\0\x10"
                       "ftypqt  \0\0\0\0\0\0\1\0moov",
                       24},
                      {"\0\0\1\0mdat", 8},
                      {"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\xff", 17},
                      {"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", 28}};
    uint32_t random = 3;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        bf_bytes clip = {0};
        test_append(&clip, beginnings[i].bytes, beginnings[i].size);
        int count = 0;
        assert_true(bf_frames_are(clip.data, clip.size));
        assert_true(is_refusal(read_all(clip.data, clip.size, NULL, &count, NULL)));
        for (int k = 0; k < 5000; k++)
            test_append(&clip, &(uint8_t){(uint8_t)test_random(&random)}, 1);
        assert_true(is_refusal(read_all(clip.data, clip.size, NULL, &count, NULL)));
        bf_bytes_done(&clip);
    }
}

static void huge_pictures_are_refused_unseen(void **state)
{
    (void)state;
    need(&mp4);
    need(&webm);
    bf_bytes clip = copy_of(&mp4);
    uint8_t *entry = find(&clip, "avc1", 4, 1); /* the first is a brand */
    put32(entry + 28, 0x75307530);              /* 30000 x 30000 */
    expect(&clip, NULL, BF_IMAGE_TOO_LARGE, 0);
    put32(entry + 28, 0x00100010);
    expect(&clip, NULL, BF_IMAGE_TOO_SMALL, 0);
    bf_bytes_done(&clip);
    clip = copy_of(&webm);
    uint8_t *key = find(&clip, "\x9d\x01\x2a", 3, 0); /* of the first picture, whose size follows */
    put32(key + 3, 0xff3fff3f);                       /* 16383 x 16383 */
    expect(&clip, NULL, BF_CORRUPT_IMAGE, 0);
    bf_bytes_done(&clip);
}

static void huge_tables_are_refused(void **state)
{
    (void)state;
    need(&mp4);
    static const uint32_t counts[] = {0x00ffffff, 0x0fffffff, 0x7fffffff, 0xffffffff};
    static const struct {
        const char *box;
        int at; /* of the number behind the box's name */
    } tables[] = {{"stsz", 8}, {"stts", 4}, {"stts", 8}, {"stsc", 4}, {"stsc", 12}, {"stco", 4}, {"stss", 4}};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            bf_bytes clip = copy_of(&mp4);
            put32(find(&clip, tables[t].box, 4, 0) + 4 + tables[t].at, counts[i]);
            int count = 0;
            bf_status status = read_all(clip.data, clip.size, NULL, &count, NULL);
            /* A count too large in a table that nothing depends on may be cut to what is there. */
            assert_true(is_refusal(status) || (status == BF_OK && count <= FRAMES));
            bf_bytes_done(&clip);
        }
    /* All samples of one size, and 268 million of them. */
    bf_bytes clip = copy_of(&mp4);
    uint8_t *sizes = find(&clip, "stsz", 4, 0);
    put32(sizes + 8, 1);
    put32(sizes + 12, 0x0fffffff);
    put32(find(&clip, "stsc", 4, 0) + 16, 0x0fffffff);
    int count = 0;
    bf_error err = {0};
    bf_status status = read_all(clip.data, clip.size, NULL, &count, &err);
    if (!is_refusal(status))
        fail_msg("%d after %d: %s", (int)status, count, err.detail);
    bf_bytes_done(&clip);
}

static void durations_are_bounded(void **state)
{
    (void)state;
    need(&mp4);
    bf_bytes clip = copy_of(&mp4);
    put32(find(&clip, "stts", 4, 0) + 16, 0x00ffffff); /* how long each sample lasts */
    memcpy(find(&clip, "edts", 4, 0), "free", 4);      /* else the edit list would end it before */
    expect(&clip, NULL, BF_DECODER_LIMIT, 1);
    bf_bytes_done(&clip);
    /* Nothing is said, and the times themselves go far. */
    static const int ms[3] = {0, 100, 60200};
    clip = test_video(&(test_video_options){.encoder = "libvpx", .container = "webm", .frames = 3, .ms = ms});
    memcpy(find(&clip, "\x44\x89\x88", 3, 0), "\xec\x81\0", 3); /* the duration becomes a void of one byte */
    expect(&clip, NULL, BF_DECODER_LIMIT, -1);
    bf_bytes_done(&clip);
}

static void limits_hold(void **state)
{
    (void)state;
    need(&mp4);
    need(&webm);
    expect(&mp4, NULL, BF_OK, FRAMES);
    expect(&webm, NULL, BF_OK, FRAMES);
    expect(&mp4, &(bf_frames_limits){.bytes_max = mp4.size - 1}, BF_IMAGE_TOO_LARGE, 0);
    expect(&mp4, &(bf_frames_limits){.frames_max = FRAMES}, BF_OK, FRAMES);
    expect(&mp4, &(bf_frames_limits){.frames_max = FRAMES - 1}, BF_DECODER_LIMIT, 0);
    expect(&webm, &(bf_frames_limits){.frames_max = 5}, BF_DECODER_LIMIT, 5);
    expect(&mp4, &(bf_frames_limits){.duration_ms_max = 400}, BF_DECODER_LIMIT, 0);
    expect(&webm, &(bf_frames_limits){.decoded_bytes_max = 160 * 120 * 3 * 4}, BF_DECODER_LIMIT, -1);
    expect(&mp4, &(bf_frames_limits){.still = {.decoder_bytes_max = 30000}}, BF_DECODER_LIMIT, 0);
    expect(&mp4, &(bf_frames_limits){.still = {.pixels_max = 160 * 120 - 1}}, BF_IMAGE_TOO_LARGE, 0);
    expect(&mp4, &(bf_frames_limits){.still = {.side_min_px = 121}}, BF_IMAGE_TOO_SMALL, 0);
}

/* Small pictures that are to be shown large cost what large ones do. */
static void stretching_is_paid_for(void **state)
{
    (void)state;
    need(&mp4);
    const bf_frames_limits enough = {.decoded_bytes_max = 160 * 128 * 3 * (FRAMES + 2)};
    bf_bytes wide = test_video(&(test_video_options){.aspect_num = 8, .aspect_den = 1, .frames = FRAMES});
    expect(&mp4, &enough, BF_OK, FRAMES);
    expect(&wide, NULL, BF_OK, FRAMES);
    expect(&wide, &enough, BF_DECODER_LIMIT, -1);
    bf_bytes_done(&wide);
}

static void a_live_webm_without_sizes_is_read(void **state)
{
    (void)state;
    need(&webm);
    bf_bytes clip = copy_of(&webm);
    uint8_t *segment = find(&clip, "\x18\x53\x80\x67\x01", 5, 0), *cluster = find(&clip, "\x1f\x43\xb6\x75", 4, 0);
    memset(segment + 5, 0xff, 7);
    if (cluster[4] == 0x01)
        memset(cluster + 5, 0xff, 7);
    else if (cluster[4] >= 0x20 && cluster[4] < 0x40)
        memcpy(cluster + 4, (const uint8_t[]){0x3f, 0xff, 0xff}, 3);
    else
        cluster[4] = cluster[4] < 0x20 ? 0x1f : cluster[4] | 0x7f;
    int count = 0;
    bf_status status = read_all(clip.data, clip.size, NULL, &count, NULL);
    assert_int_equal(status, BF_OK);
    assert_int_equal(count, FRAMES);
    bf_bytes_done(&clip);
}

static void other_codecs_are_named(void **state)
{
    (void)state;
    bf_bytes clip = test_video(&(test_video_options){.encoder = "mpeg4"});
    need(&clip);
    bf_error err = {0};
    int count = 0;
    assert_int_equal(read_all(clip.data, clip.size, NULL, &count, &err), BF_UNSUPPORTED_FORMAT);
    assert_non_null(strstr(err.message, "mpeg4"));
    assert_non_null(strstr(err.hint, "H.264"));
    bf_bytes_done(&clip);
}

static void stills_and_sequences_are_told_apart(void **state)
{
    (void)state;
    need(&mp4);
    need(&webm);
    bf_image pattern = test_pattern(120, 120);
    bf_bytes jpeg = test_jpeg(&pattern, &(test_jpeg_options){0}), heic = test_heic(&pattern, &(test_heic_options){0});
    bf_error err = {0};
    int count = 0;
    assert_false(bf_frames_are(jpeg.data, jpeg.size));
    assert_int_equal(read_all(jpeg.data, jpeg.size, NULL, &count, &err), BF_UNSUPPORTED_FORMAT);
    assert_non_null(strstr(err.message, "a photo (jpeg)"));
    if (heic.data) {
        assert_false(bf_frames_are(heic.data, heic.size));
        assert_int_equal(read_all(heic.data, heic.size, NULL, &count, &err), BF_UNSUPPORTED_FORMAT);
        assert_non_null(strstr(err.message, "a photo (heic)"));
    }
    bf_image image = {0};
    assert_int_equal(bf_decode_still(mp4.data, mp4.size, NULL, &image, NULL, &err), BF_UNSUPPORTED_FORMAT);
    assert_non_null(strstr(err.message, "a video (MP4"));
    assert_int_equal(bf_decode_still(webm.data, webm.size, NULL, &image, NULL, &err), BF_UNSUPPORTED_FORMAT);
    assert_non_null(strstr(err.message, "a video (WebM"));
    assert_int_equal(bf_decode_still((const uint8_t *)"BFCAPT1\n....", 12, NULL, &image, NULL, &err),
                     BF_UNSUPPORTED_FORMAT);
    assert_non_null(strstr(err.message, "a burst of frames"));
    /* A brand that nobody knows, and none at all. */
    bf_bytes clip = copy_of(&mp4);
    put32(clip.data + 8, 0x7a7a7a7a);
    assert_true(bf_frames_are(clip.data, clip.size));
    assert_true(bf_frames_are((const uint8_t *)"\0\0\0\x10moov....", 12));
    assert_false(bf_frames_are((const uint8_t *)"The wide sea", 12));
    bf_bytes_done(&clip);
    bf_bytes_done(&jpeg);
    bf_bytes_done(&heic);
    bf_image_done(&pattern);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    need(&webm);
    bf_bytes turned = test_video(&(test_video_options){.orientation = 6, .frames = 3});
    const bf_bytes *clips[] = {&webm, &turned};
    for (int i = 0; i < 2; i++) {
        bool done = false;
        for (size_t nth = 1; !done && nth < 200; nth++) {
            bf_error err = {0};
            int count = 0;
            (void)bf_alloc_fail_after(nth, 0);
            bf_status status = read_all(clips[i]->data, clips[i]->size, NULL, &count, &err);
            done = bf_alloc_fail_after(0, 0) < nth;
            assert_int_equal(status, done ? BF_OK : BF_OUT_OF_MEMORY);
        }
        assert_true(done);
    }
    bf_bytes_done(&turned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_mp4_is_refused),
        cmocka_unit_test(cut_fragments_are_refused),
        cmocka_unit_test(cut_webm_is_shorter_or_refused),
        cmocka_unit_test(changed_bytes_end_in_order),
        cmocka_unit_test(garbage_behind_a_beginning),
        cmocka_unit_test(huge_pictures_are_refused_unseen),
        cmocka_unit_test(huge_tables_are_refused),
        cmocka_unit_test(durations_are_bounded),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(stretching_is_paid_for),
        cmocka_unit_test(a_live_webm_without_sizes_is_read),
        cmocka_unit_test(other_codecs_are_named),
        cmocka_unit_test(stills_and_sequences_are_told_apart),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_clips, drop_clips);
}
