#include "capture/video.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "decode/sniff.h"

#define READ_AHEAD_BYTES 32768
/* Two directions count as one below this ratio of their parts: about three degrees. */
#define AXIS_RATIO 20

bf_status bf_video_fail(const bf_video *video, int number, const char *what, bf_error *err)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    (void)av_strerror(number, text, sizeof text);
    bf_status status = video->refusal != BF_OK ? video->refusal : BF_CORRUPT_IMAGE;
    /* The ceiling of single allocations reports the same as a machine that has no more; either way it is this file that
     * asks for too much. */
    if (number == AVERROR(ENOMEM) && video->refusal == BF_OK)
        status = BF_DECODER_LIMIT;
    if (status == BF_OUT_OF_MEMORY)
        return bf_fail_memory(err);
    bf_fail(err, status,
            status == BF_DECODER_LIMIT ? "Decoding the video would take more memory or work than allowed."
                                       : "The video is damaged or cut short.");
    bf_fail_detail(err, "%s: %s", what, text);
    bf_fail_hint(err, status == BF_DECODER_LIMIT ? "Send a shorter or smaller video."
                                                 : "Send the original file again, complete and unchanged.");
    return status;
}

/* ---- bytes ---- */

static int read_bytes(void *opaque, uint8_t *to, int wanted)
{
    bf_video *video = opaque;
    size_t left = video->at < video->size ? video->size - video->at : 0;
    size_t count = (size_t)wanted < left ? (size_t)wanted : left;
    if (count == 0)
        return AVERROR_EOF;
    memcpy(to, video->bytes + video->at, count);
    video->at += count;
    return (int)count;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    bf_video *video = opaque;
    int64_t size = (int64_t)video->size, from = 0;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE)
        return size;
    if (whence == SEEK_CUR)
        from = (int64_t)video->at;
    else if (whence == SEEK_END)
        from = size;
    else if (whence != SEEK_SET)
        return AVERROR(EINVAL);
    int64_t to = 0;
    if (__builtin_add_overflow(from, offset, &to) || to < 0)
        return AVERROR(EINVAL);
    /* As in a file, one may go behind the end; there is nothing to be read there. */
    video->at = to < size ? (size_t)to : video->size;
    return to < size ? to : size;
}

/* A file may name others (data references, playlists); nothing is ever opened for it. */
static int refuse_to_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options)
{
    (void)format;
    (void)io;
    (void)url;
    (void)flags;
    (void)options;
    return AVERROR(EPERM);
}

/* ---- container ---- */

static bf_status open_container(bf_video *video, const char *demuxer, bf_error *err)
{
    uint8_t *buffer = av_malloc(READ_AHEAD_BYTES);
    video->io = buffer ? avio_alloc_context(buffer, READ_AHEAD_BYTES, 0, video, read_bytes, NULL, seek_bytes) : NULL;
    if (!video->io)
        av_free(buffer);
    video->format = avformat_alloc_context();
    if (!video->io || !video->format)
        return bf_fail_memory(err);
    video->format->pb = video->io;
    video->format->io_open = refuse_to_open;
    video->format->max_streams = BF_CLIP_STREAMS_MAX;
    /* The containers say what is needed; parsers and trial decoding would only be more that meets hostile bytes. */
    video->format->flags |= AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
    int number = av_opt_set(video->format, "protocol_whitelist", "none", 0);
    if (number == 0)
        number = av_opt_set(video->format, "codec_whitelist", "h264,vp8,vp9", 0);
    if (number == 0)
        number = avformat_open_input(&video->format, NULL, av_find_input_format(demuxer), NULL);
    return number == 0 ? BF_OK : bf_video_fail(video, number, "opening the container", err);
}

static bool is_film(const AVStream *stream)
{
    const int no_film = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_STILL_IMAGE | AV_DISPOSITION_TIMED_THUMBNAILS;
    return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (stream->disposition & no_film) == 0;
}

static bf_status choose_stream(bf_video *video, bf_error *err)
{
    int films = 0;
    for (unsigned i = 0; i < video->format->nb_streams; i++) {
        AVStream *stream = video->format->streams[i];
        stream->discard = AVDISCARD_ALL;
        if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
            video->frames->facts.has_audio = true;
        if (is_film(stream) && films++ == 0)
            video->stream = stream;
    }
    if (films == 1) {
        video->stream->discard = AVDISCARD_DEFAULT;
        return BF_OK;
    }
    bf_fail(err, BF_UNSUPPORTED_FORMAT, "The file holds %s; one video is expected.",
            films == 0 ? "no video" : "several videos");
    bf_fail_hint(err, "Send a video with one picture track.");
    return BF_UNSUPPORTED_FORMAT;
}

/* EXIF's number of a display matrix (ISO/IEC 14496-12, 6.2.2): x' = a x + c y, y' = b x + d y. 0 when it does more than
 * to turn by quarters and to mirror. */
static int orientation_of(const int32_t matrix[9])
{
    int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    int64_t main_min = llabs(a) < llabs(d) ? llabs(a) : llabs(d);
    int64_t cross_min = llabs(b) < llabs(c) ? llabs(b) : llabs(c);
    int64_t main_max = llabs(a) + llabs(d), cross_max = llabs(b) + llabs(c);
    if (main_max == 0 && cross_max == 0)
        return 1;
    if (cross_max * AXIS_RATIO < main_min)
        return a > 0 ? (d > 0 ? 1 : 4) : (d > 0 ? 2 : 3);
    if (main_max * AXIS_RATIO < cross_min)
        return b > 0 ? (c < 0 ? 6 : 5) : (c > 0 ? 8 : 7);
    return 0;
}

static bf_status read_orientation(bf_video *video, bf_error *err)
{
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(video->stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    int32_t matrix[9];
    video->orientation = 1;
    if (data && size >= sizeof matrix) {
        memcpy(matrix, data, sizeof matrix);
        video->orientation = orientation_of(matrix);
    }
    if (video->orientation == 0) {
        bf_fail(err, BF_UNSUPPORTED_FORMAT, "The video is to be shown at an angle that is not a quarter turn.");
        bf_fail_hint(err, "Send the video as the camera recorded it.");
        return BF_UNSUPPORTED_FORMAT;
    }
    video->frames->facts.rotation_deg = bf_frames_degrees_of(video->orientation);
    return BF_OK;
}

static void note_encoder(bf_video *video)
{
    static const char *const keys[] = {"encoder", "com.apple.quicktime.software", "com.android.version", NULL};
    bf_clip_facts *facts = &video->frames->facts;
    for (int i = 0; keys[i] && !facts->encoder[0]; i++) {
        const AVDictionaryEntry *entry = av_dict_get(video->format->metadata, keys[i], NULL, 0);
        bf_frames_copy_text(facts->encoder, entry ? entry->value : "");
    }
}

/* What the container says about time and number. */
static bf_status check_claims(bf_video *video, bf_error *err)
{
    const AVStream *stream = video->stream;
    bf_clip_facts *facts = &video->frames->facts;
    if (stream->time_base.num <= 0 || stream->time_base.den <= 0)
        return bf_video_fail(video, AVERROR_INVALIDDATA, "the unit of time", err);
    if (stream->duration != AV_NOPTS_VALUE && stream->duration > 0)
        facts->duration_ms = 1000.0 * (double)stream->duration * av_q2d(stream->time_base);
    else if (video->format->duration != AV_NOPTS_VALUE && video->format->duration > 0)
        facts->duration_ms = 1000.0 * (double)video->format->duration / AV_TIME_BASE;
    if (stream->avg_frame_rate.num > 0 && stream->avg_frame_rate.den > 0)
        facts->rate_fps = av_q2d(stream->avg_frame_rate);
    note_encoder(video);
    if (stream->nb_frames > video->frames->limits.frames_max)
        return bf_frames_fail_count(video->frames, err);
    return bf_frames_check_duration(video->frames, facts->duration_ms, err);
}

/* ---- decoder ---- */

/* A picture that the decoder holds; its bytes are given back when the last reference is gone. */
typedef struct ticket {
    bf_video *video;
    size_t bytes;
} ticket;

static void give_back(void *opaque, uint8_t *data)
{
    ticket *t = (ticket *)(void *)data;
    (void)opaque;
    t->video->alive_bytes -= t->bytes;
    bf_free(t);
}

static int refuse(bf_video *video, bf_status why)
{
    video->refusal = why;
    return AVERROR(ENOMEM);
}

/* Every picture, also one that is never shown, is paid for here: its memory as long as it lives, its pixels as work. */
static int give_memory(AVCodecContext *decoder, AVFrame *frame, int flags)
{
    bf_video *video = decoder->opaque;
    if (bf_frames_count_decoded(video->frames, frame->width, frame->height, NULL) != BF_OK)
        return refuse(video, BF_DECODER_LIMIT);
    int number = avcodec_default_get_buffer2(decoder, frame, flags);
    if (number < 0)
        return number;
    size_t bytes = 0;
    for (int i = 0; i < AV_NUM_DATA_POINTERS; i++)
        bytes += frame->buf[i] ? frame->buf[i]->size : 0;
    if (video->alive_bytes + bytes > video->frames->limits.still.decoder_bytes_max)
        return refuse(video, BF_DECODER_LIMIT);
    ticket *t = bf_malloc(sizeof *t);
    if (!t)
        return refuse(video, BF_OUT_OF_MEMORY);
    *t = (ticket){video, bytes};
    frame->opaque_ref = av_buffer_create((uint8_t *)t, sizeof *t, give_back, NULL, 0);
    if (!frame->opaque_ref) {
        bf_free(t);
        return refuse(video, BF_OUT_OF_MEMORY);
    }
    video->alive_bytes += bytes;
    return 0;
}

static const char *decoder_name(enum AVCodecID id)
{
    switch (id) {
    case AV_CODEC_ID_H264:
        return "h264";
    case AV_CODEC_ID_VP8:
        return "vp8";
    case AV_CODEC_ID_VP9:
        return "vp9";
    default:
        return NULL;
    }
}

static bf_status fail_codec(enum AVCodecID id, bf_error *err)
{
    bf_fail(err, BF_UNSUPPORTED_FORMAT, "The video is coded as %s; only H.264, VP8 and VP9 are read.",
            id == AV_CODEC_ID_NONE ? "something unknown" : avcodec_get_name(id));
    bf_fail_hint(err, "Record as H.264 (on an iPhone: Settings, Camera, Formats, Most Compatible).");
    return BF_UNSUPPORTED_FORMAT;
}

static void set_decoder(bf_video *video)
{
    AVCodecContext *decoder = video->decoder;
    decoder->opaque = video;
    decoder->get_buffer2 = give_memory;
    decoder->thread_count = 1;
    decoder->pkt_timebase = video->stream->time_base;
    decoder->max_pixels = (int64_t)video->frames->limits.still.pixels_max;
    /* A picture with parts made up is no evidence: errors end the clip, nothing is concealed. */
    decoder->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
    decoder->error_concealment = 0;
    /* Matroska does not say how far pictures are reordered; the decoder then has to allow for the most. */
    if (video->frames->facts.container == BF_CONTAINER_WEBM)
        decoder->strict_std_compliance = FF_COMPLIANCE_STRICT;
}

static bf_status open_decoder(bf_video *video, bf_error *err)
{
    const AVCodecParameters *coded = video->stream->codecpar;
    const char *name = decoder_name(coded->codec_id);
    const AVCodec *codec = name ? avcodec_find_decoder_by_name(name) : NULL;
    if (!codec)
        return fail_codec(coded->codec_id, err);
    memcpy(video->frames->facts.codec, name, strlen(name) + 1);
    bf_status status = bf_video_check_size(video->frames, coded->width, coded->height, err);
    if (status != BF_OK)
        return status;
    video->decoder = avcodec_alloc_context3(codec);
    video->packet = av_packet_alloc();
    video->frame = av_frame_alloc();
    if (!video->decoder || !video->packet || !video->frame)
        return bf_fail_memory(err);
    int number = avcodec_parameters_to_context(video->decoder, coded);
    set_decoder(video);
    if (number == 0)
        number = avcodec_open2(video->decoder, codec, NULL);
    return number == 0 ? BF_OK : bf_video_fail(video, number, "opening the decoder", err);
}

/* ---- all of it ---- */

bf_status bf_video_open(bf_video *video, bf_error *err)
{
    const char *looks_like = NULL;
    bf_container container = bf_sniff(video->bytes, video->size, &looks_like);
    video->frames->facts.container = container;
    /* Both are the process's: FFmpeg has them nowhere else. */
    av_log_set_level(AV_LOG_QUIET);
    av_max_alloc(BF_CLIP_ALLOCATION_BYTES_MAX);
    bf_status status = open_container(video, container == BF_CONTAINER_MP4 ? "mov" : "matroska", err);
    if (status == BF_OK)
        status = choose_stream(video, err);
    if (status == BF_OK)
        status = check_claims(video, err);
    if (status == BF_OK)
        status = bf_video_check_complete(video, err);
    if (status == BF_OK)
        status = read_orientation(video, err);
    return status == BF_OK ? open_decoder(video, err) : status;
}

void bf_video_close(bf_video *video)
{
    av_packet_free(&video->packet);
    av_frame_free(&video->frame);
    avcodec_free_context(&video->decoder);
    avformat_close_input(&video->format);
    if (video->io)
        av_freep(&video->io->buffer);
    avio_context_free(&video->io);
}
