/* Videos: reading on, and which picture is when. */
#include "capture/video.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"

#define GAP_MS_UNKNOWN (1000.0 / 30.0) /* between pictures of which nothing says how far they are apart */

bf_status bf_video_check_complete(const bf_video *video, bf_error *err)
{
    /* FFmpeg ends a clip whose last samples are not there as if they had never been. */
    int count = avformat_index_get_entries_count(video->stream);
    for (int i = 0; i < count && video->frames->facts.container == BF_CONTAINER_MP4; i++) {
        const AVIndexEntry *entry = avformat_index_get_entry(video->stream, i);
        if (!entry || entry->pos < 0 || entry->size < 0 || entry->pos > (int64_t)video->size - entry->size)
            return bf_video_fail(video, AVERROR_EOF, "the samples named by the container", err);
    }
    return BF_OK;
}

static bf_status video_open(bf_frames *frames, bf_error *err)
{
    bf_video *video = bf_calloc(1, sizeof *video);
    if (!video)
        return bf_fail_memory(err);
    frames->state = video;
    video->frames = frames;
    video->bytes = frames->bytes;
    video->size = frames->size;
    bf_decode_limits *still = &frames->limits.still;
    if (still->pixels_max == 0 || still->pixels_max > BF_CLIP_PIXELS_MAX)
        still->pixels_max = BF_CLIP_PIXELS_MAX;
    if (still->side_min_px <= 0)
        still->side_min_px = BF_IMAGE_SIDE_MIN_PX;
    if (still->decoder_bytes_max == 0)
        still->decoder_bytes_max = BF_DECODER_BYTES_MAX;
    return bf_video_open(video, err);
}

static void video_close(bf_frames *frames)
{
    bf_video *video = frames->state;
    if (!video)
        return;
    bf_video_picture_done(video);
    bf_video_close(video);
    explicit_bzero(video, sizeof *video);
    bf_free(video);
    frames->state = NULL;
}

/* ---- which picture is when ---- */

static double ms_of(const bf_video *video, int64_t pts)
{
    return ((double)pts - (double)video->first_pts) * av_q2d(video->stream->time_base) * 1000.0;
}

static void forget_waiting(bf_video *video, int at)
{
    video->wait_count--;
    video->passed++;
    for (int i = at; i < video->wait_count; i++)
        video->wait[i] = video->wait[i + 1];
}

static void remember_packet(bf_video *video, const AVPacket *packet)
{
    if (video->wait_count == BF_VIDEO_WAITING_MAX)
        forget_waiting(video, 0);
    video->wait[video->wait_count++] = (bf_video_packet){packet->pts, (size_t)packet->size};
}

/* Pictures come in the order of time, packets in that of coding, and some packets give no picture. So a picture's index
 * is the number of packets whose time has passed. *ret_size is that of its own packet. */
static int index_of(bf_video *video, int64_t pts, size_t *ret_size)
{
    bool found = false;
    *ret_size = 0;
    for (int i = 0; i < video->wait_count;) {
        const bf_video_packet *packet = &video->wait[i];
        bool own = !found && packet->pts == pts;
        bool before = packet->pts != AV_NOPTS_VALUE && pts != AV_NOPTS_VALUE && packet->pts < pts;
        if (own) {
            found = true;
            *ret_size = packet->size;
        }
        if (own || before)
            forget_waiting(video, i);
        else
            i++;
    }
    return video->passed > 0 ? video->passed - 1 : 0;
}

/* When the decoder's picture is shown. Times that are missing or go back are put right: order is certain. */
static double time_picture(bf_video *video)
{
    int64_t pts = video->frame->best_effort_timestamp;
    if (!video->started) {
        video->started = true;
        video->first_pts = pts != AV_NOPTS_VALUE ? pts : 0;
        return 0.0;
    }
    double rate = video->frames->facts.rate_fps;
    double ms =
        pts != AV_NOPTS_VALUE ? ms_of(video, pts) : video->last_ms + (rate > 0.0 ? 1000.0 / rate : GAP_MS_UNKNOWN);
    video->last_ms = ms > video->last_ms ? ms : video->last_ms;
    return video->last_ms;
}

/* ---- reading on ---- */

/* The next packet of the stream; false at the end. */
static bf_status read_packet(bf_video *video, bool *ret_more, bf_error *err)
{
    for (;;) {
        int number = av_read_frame(video->format, video->packet);
        if (number == AVERROR_EOF) {
            *ret_more = false;
            return bf_video_check_complete(video, err);
        }
        if (number < 0)
            return bf_video_fail(video, number, "reading the container", err);
        if (video->packet->stream_index == video->stream->index)
            break;
        av_packet_unref(video->packet);
    }
    *ret_more = true;
    bool broken = (video->packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
    return broken ? bf_video_fail(video, AVERROR_INVALIDDATA, "a packet", err) : bf_frames_count(video->frames, err);
}

/* Gives the decoder the next packet, or the news that there is none. */
static bf_status feed(bf_video *video, double not_before_ms, bf_error *err)
{
    bool more = false;
    bf_status status = read_packet(video, &more, err);
    if (status != BF_OK)
        return status;
    int64_t pts = video->packet->pts;
    bool early = more && video->started && pts != AV_NOPTS_VALUE && ms_of(video, pts) < not_before_ms;
    /* What no other picture is made from need not be made itself. */
    video->decoder->skip_frame = early ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    if (more)
        remember_packet(video, video->packet);
    int number = avcodec_send_packet(video->decoder, more ? video->packet : NULL);
    av_packet_unref(video->packet);
    return number == 0 ? BF_OK : bf_video_fail(video, number, "decoding", err);
}

static bf_status take_picture(bf_video *video, double not_before_ms, bf_frame *ret, bool *ret_taken, bf_error *err)
{
    const AVFrame *picture = video->frame;
    if ((picture->flags & AV_FRAME_FLAG_CORRUPT) != 0 || picture->decode_error_flags != 0)
        return bf_video_fail(video, AVERROR_INVALIDDATA, "a picture with parts missing", err);
    size_t size = 0;
    int index = index_of(video, picture->pts, &size);
    double ms = time_picture(video);
    bf_status status = bf_frames_check_duration(video->frames, ms, err);
    if (status != BF_OK)
        return status;
    *ret_taken = !(ms < not_before_ms);
    if (!*ret_taken)
        return BF_OK;
    *ret = (bf_frame){&video->frames->rgb, ms, index, size, picture->key_frame != 0, NULL};
    return bf_video_picture(video, err);
}

static bf_status video_next(bf_frames *frames, double not_before_ms, bf_frame *ret, bool *ret_more, bf_error *err)
{
    bf_video *video = frames->state;
    bool taken = false;
    *ret_more = false;
    for (bf_status status = BF_OK; !taken;) {
        int number = avcodec_receive_frame(video->decoder, video->frame);
        if (number == AVERROR_EOF && video->started)
            return BF_OK;
        if (number == 0) {
            status = take_picture(video, not_before_ms, ret, &taken, err);
            av_frame_unref(video->frame);
        } else if (number == AVERROR(EAGAIN)) {
            status = feed(video, not_before_ms, err);
        } else {
            status = bf_video_fail(video, number, "decoding", err);
        }
        if (status != BF_OK) {
            bf_fail_prefix(err, "Frame %d", frames->facts.frames_coded > 0 ? frames->facts.frames_coded - 1 : 0);
            return status;
        }
    }
    *ret_more = true;
    return BF_OK;
}

static const bf_capture_file *video_file(const bf_frames *frames)
{
    (void)frames;
    return NULL;
}

const bf_frames_kind bf_video_kind = {video_open, video_next, video_file, video_close};
