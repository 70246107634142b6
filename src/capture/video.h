/* Videos, with FFmpeg: opening (video_open.c), reading on (video.c) and a decoded picture as upright RGB
 * (video_picture.c). Internal to capture/. */
#ifndef BF_CAPTURE_VIDEO_H
#define BF_CAPTURE_VIDEO_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "capture/source.h"

#define BF_VIDEO_WAITING_MAX 64 /* packets whose picture has not come */

/* A packet that was given to the decoder. */
typedef struct bf_video_packet {
    int64_t pts; /* AV_NOPTS_VALUE: none */
    size_t size;
} bf_video_packet;

/* What the conversion of colours was made for. */
typedef struct bf_video_conversion {
    int width, height, out_width, out_height;
    enum AVPixelFormat format;
    bool full; /* range 0..255 */
    int matrix;
} bf_video_conversion;

typedef struct bf_video {
    bf_frames *frames; /* the clip */
    const uint8_t *bytes;
    size_t size, at; /* what FFmpeg reads, and where it is */
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *decoder;
    AVStream *stream; /* of `format` */
    AVPacket *packet;
    AVFrame *frame;
    struct SwsContext *convert;
    bf_video_conversion conversion; /* of `convert` */
    size_t alive_bytes;             /* of pictures that the decoder holds */
    bf_status refusal;              /* why a picture was refused its memory; BF_OK otherwise */
    int orientation;                /* EXIF's number of what the container asks for */
    bf_image coded;                 /* R,G,B as coded, when the picture has to be turned; rows aligned */
    bool started;                   /* the first picture has come */
    int64_t first_pts;              /* of the first picture */
    double last_ms;                 /* of the last picture */
    int passed;                     /* packets whose picture has come or never will */
    bf_video_packet wait[BF_VIDEO_WAITING_MAX];
    int wait_count;
} bf_video;

/* Opens container and decoder and fills the clip's facts; `video` is zeroed but for the clip and its bytes. On failure
 * the caller still calls bf_video_close. */
bf_status bf_video_open(bf_video *video, bf_error *err);
/* Ends what was opened; accepts half-opened videos. */
void bf_video_close(bf_video *video);

/* Refuses an MP4 whose samples do not all lie in the file. */
bf_status bf_video_check_complete(const bf_video *video, bf_error *err);
/* Refuses pixels outside the limits. */
bf_status bf_video_check_size(const bf_frames *frames, int64_t width, int64_t height, bf_error *err);

/* Turns the decoder's picture `video->frame` into the clip's upright `rgb`. */
bf_status bf_video_picture(bf_video *video, bf_error *err);
void bf_video_picture_done(bf_video *video);

/* Reports what FFmpeg says in an error number; `what` was being done. */
bf_status bf_video_fail(const bf_video *video, int number, const char *what, bf_error *err);

#endif
