/* Test videos, coded while the tests run by the encoders that Debian's FFmpeg is linked with (libx264, libvpx). */
#ifndef TEST_SUPPORT_VIDEOS_H
#define TEST_SUPPORT_VIDEOS_H

#include "support/images.h"

typedef struct test_video_options {
    const char *encoder;   /* "libx264" when NULL; "libvpx", "libvpx-vp9", "mpeg4" */
    const char *container; /* "mp4" when NULL; "mov", "webm", "matroska" */
    int width, height;     /* 0: 160 x 120 */
    int frames;            /* 0: 12 */
    const int *ms;         /* times of the frames; NULL: 15 a second */
    int b_frames;          /* between two others (H.264) */
    int orientation;       /* as EXIF's, as a display matrix; 0: none */
    int aspect_num, aspect_den;
    bool bt709, full_range, four_four_four;
    bool audio;      /* a silent track besides */
    bool fragmented; /* MP4: as it is written while it is recorded */
    int grow_at;     /* from this frame on with twice the sides (VP8); 0: never */
} test_video_options;

/* What a clip shows: test_pattern, with a square in the middle (a quarter of each side) whose grey is that of its
 * frame. The clip is empty where FFmpeg has no such encoder: the caller skips, saying so. */
bf_bytes test_video(const test_video_options *options);
int test_video_grey(int frame);

#endif
