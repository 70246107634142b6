#include "support/videos.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <string.h>

#include "support/must.h"

typedef struct maker {
    test_video_options o;
    AVFormatContext *format;
    AVStream *film, *sound;
    AVCodecContext *encoder;
    AVPacket *packet;
    AVFrame *frame;
} maker;

int test_video_grey(int frame)
{
    return 40 + frame * 13 % 180;
}

static bf_image picture_of(int width, int height, int frame)
{
    bf_image image = test_pattern(width, height);
    for (int y = height * 3 / 8; y < height * 5 / 8; y++)
        for (int x = width * 3 / 8; x < width * 5 / 8; x++)
            memset(image.pixels + (size_t)y * image.stride + (size_t)x * 3, test_video_grey(frame), 3);
    return image;
}

/* ---- colours, written down from ITU-R BT.601 and BT.709, so that the converter that is tested is not used ---- */

typedef struct ycc {
    double y, cb, cr; /* 0..1, -0.5..0.5 */
} ycc;

static ycc from_rgb(const uint8_t *rgb, bool bt709)
{
    double kr = bt709 ? 0.2126 : 0.299, kb = bt709 ? 0.0722 : 0.114;
    double r = rgb[0] / 255.0, g = rgb[1] / 255.0, b = rgb[2] / 255.0;
    double y = kr * r + (1.0 - kr - kb) * g + kb * b;
    return (ycc){y, (b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr))};
}

static uint8_t coded(double value, bool full_range, bool chroma)
{
    double scale = full_range ? 255.0 : chroma ? 224.0 : 219.0, zero = chroma ? 128.0 : full_range ? 0.0 : 16.0;
    double whole = value * scale + zero + 0.5;
    return (uint8_t)(whole < 0.0 ? 0.0 : whole > 255.0 ? 255.0 : whole);
}

static void fill_chroma(const maker *m, const bf_image *image, int x, int y, int step)
{
    double cb = 0.0, cr = 0.0;
    int count = 0;
    for (int dy = 0; dy < step && y + dy < image->height; dy++)
        for (int dx = 0; dx < step && x + dx < image->width; dx++, count++) {
            ycc c = from_rgb(image->pixels + (size_t)(y + dy) * image->stride + (size_t)(x + dx) * 3, m->o.bt709);
            cb += c.cb;
            cr += c.cr;
        }
    m->frame->data[1][y / step * m->frame->linesize[1] + x / step] = coded(cb / count, m->o.full_range, true);
    m->frame->data[2][y / step * m->frame->linesize[2] + x / step] = coded(cr / count, m->o.full_range, true);
}

static void fill_frame(const maker *m, int number)
{
    bf_image image = picture_of(m->encoder->width, m->encoder->height, number);
    int step = m->o.four_four_four ? 1 : 2;
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++) {
            ycc c = from_rgb(image.pixels + (size_t)y * image.stride + (size_t)x * 3, m->o.bt709);
            m->frame->data[0][y * m->frame->linesize[0] + x] = coded(c.y, m->o.full_range, false);
            if (x % step == 0 && y % step == 0)
                fill_chroma(m, &image, x, y, step);
        }
    bf_image_done(&image);
}

/* ---- coding ---- */

static AVCodecContext *open_encoder(const maker *m, const AVCodec *codec, int times)
{
    AVCodecContext *c = avcodec_alloc_context3(codec);
    test_must(c, "avcodec_alloc_context3");
    c->width = (m->o.width ? m->o.width : 160) * times;
    c->height = (m->o.height ? m->o.height : 120) * times;
    c->pix_fmt = m->o.four_four_four ? AV_PIX_FMT_YUV444P : AV_PIX_FMT_YUV420P;
    c->time_base = strcmp(codec->name, "mpeg4") == 0 ? (AVRational){1, 15} : (AVRational){1, 1000};
    c->framerate = (AVRational){15, 1};
    c->gop_size = 8;
    c->max_b_frames = m->o.b_frames;
    c->thread_count = 1;
    c->colorspace = m->o.bt709 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    c->color_range = m->o.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    c->sample_aspect_ratio = (AVRational){m->o.aspect_num, m->o.aspect_den ? m->o.aspect_den : 1};
    c->bit_rate = 4000000;
    if (m->format->oformat->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    (void)av_opt_set(c->priv_data, "preset", "veryfast", 0);
    (void)av_opt_set(c->priv_data, "crf", "8", 0);
    (void)av_opt_set(c->priv_data, "cpu-used", "5", 0);
    (void)av_opt_set(c->priv_data, "deadline", "good", 0);
    test_must(avcodec_open2(c, codec, NULL) == 0, "avcodec_open2");
    return c;
}

static void take_packets(maker *m, const AVFrame *frame)
{
    test_must(avcodec_send_frame(m->encoder, frame) == 0, "avcodec_send_frame");
    for (;;) {
        int number = avcodec_receive_packet(m->encoder, m->packet);
        if (number == AVERROR(EAGAIN) || number == AVERROR_EOF)
            return;
        test_must(number == 0, "avcodec_receive_packet");
        m->packet->stream_index = m->film->index;
        av_packet_rescale_ts(m->packet, m->encoder->time_base, m->film->time_base);
        test_must(av_interleaved_write_frame(m->format, m->packet) == 0, "av_interleaved_write_frame");
    }
}

static void new_frame(maker *m)
{
    av_frame_free(&m->frame);
    m->frame = av_frame_alloc();
    test_must(m->frame, "av_frame_alloc");
    m->frame->format = m->encoder->pix_fmt;
    m->frame->width = m->encoder->width;
    m->frame->height = m->encoder->height;
    m->frame->colorspace = m->encoder->colorspace;
    m->frame->color_range = m->encoder->color_range;
    m->frame->sample_aspect_ratio = m->encoder->sample_aspect_ratio;
    test_must(av_frame_get_buffer(m->frame, 0) == 0, "av_frame_get_buffer");
}

static void code_all(maker *m, const AVCodec *codec)
{
    int count = m->o.frames ? m->o.frames : 12;
    for (int i = 0; i < count; i++) {
        if (i > 0 && i == m->o.grow_at) {
            take_packets(m, NULL);
            avcodec_free_context(&m->encoder);
            m->encoder = open_encoder(m, codec, 2);
        }
        new_frame(m);
        fill_frame(m, i);
        int ms = m->o.ms ? m->o.ms[i] : i * 1000 / 15;
        m->frame->pts = m->encoder->time_base.den == 1000 ? ms : i;
        take_packets(m, m->frame);
    }
    take_packets(m, NULL);
}

/* ---- container ---- */

/* Columns of the display matrix for EXIF's orientations: where the coded x and y axes point. */
static void set_orientation(AVStream *film, int orientation)
{
    static const int turns[9][4] = {[1] = {1, 0, 0, 1}, [2] = {-1, 0, 0, 1}, [3] = {-1, 0, 0, -1}, [4] = {1, 0, 0, -1},
                                    [5] = {0, 1, 1, 0}, [6] = {0, 1, -1, 0}, [7] = {0, -1, -1, 0}, [8] = {0, -1, 1, 0}};
    const int *t = turns[orientation];
    int32_t *matrix = (int32_t *)(void *)av_stream_new_side_data(film, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof *matrix);
    test_must(matrix, "av_stream_new_side_data");
    memcpy(matrix, (int32_t[9]){t[0] * 65536, t[1] * 65536, 0, t[2] * 65536, t[3] * 65536, 0, 0, 0, 1 << 30},
           9 * sizeof *matrix);
}

static void add_sound(maker *m)
{
    m->sound = avformat_new_stream(m->format, NULL);
    test_must(m->sound, "avformat_new_stream");
    bool quicktime = strcmp(m->format->oformat->name, "mov") == 0;
    m->sound->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
    m->sound->codecpar->codec_id = quicktime ? AV_CODEC_ID_PCM_S16LE : AV_CODEC_ID_MP3;
    m->sound->codecpar->sample_rate = 16000;
    m->sound->codecpar->bits_per_coded_sample = 16;
    av_channel_layout_default(&m->sound->codecpar->ch_layout, 1);
    m->sound->time_base = (AVRational){1, 16000};
}

static void write_sound(maker *m)
{
    for (int i = 0; m->sound && i < 4; i++) {
        test_must(av_new_packet(m->packet, 3200) == 0, "av_new_packet");
        memset(m->packet->data, 0, 3200);
        m->packet->stream_index = m->sound->index;
        m->packet->pts = m->packet->dts = av_rescale_q((int64_t)i * 1600, (AVRational){1, 16000}, m->sound->time_base);
        m->packet->duration = av_rescale_q(1600, (AVRational){1, 16000}, m->sound->time_base);
        m->packet->flags |= AV_PKT_FLAG_KEY;
        test_must(av_interleaved_write_frame(m->format, m->packet) == 0, "av_interleaved_write_frame");
    }
}

static void open_container(maker *m)
{
    const char *container = m->o.container ? m->o.container : "mp4";
    test_must(avformat_alloc_output_context2(&m->format, NULL, container, NULL) >= 0, "the container");
    test_must(avio_open_dyn_buf(&m->format->pb) == 0, "avio_open_dyn_buf");
    m->format->flags |= AVFMT_FLAG_BITEXACT;
    m->film = avformat_new_stream(m->format, NULL);
    test_must(m->film, "avformat_new_stream");
}

static void start_container(maker *m)
{
    test_must(avcodec_parameters_from_context(m->film->codecpar, m->encoder) == 0, "avcodec_parameters_from_context");
    m->film->time_base = m->encoder->time_base;
    m->film->avg_frame_rate = (AVRational){15, 1};
    m->film->sample_aspect_ratio = m->encoder->sample_aspect_ratio;
    if (m->o.orientation)
        set_orientation(m->film, m->o.orientation);
    if (m->o.audio)
        add_sound(m);
    AVDictionary *options = NULL;
    if (m->o.fragmented)
        (void)av_dict_set(&options, "movflags", "frag_keyframe+empty_moov", 0);
    test_must(avformat_write_header(m->format, &options) >= 0, "avformat_write_header");
    av_dict_free(&options);
}

bf_bytes test_video(const test_video_options *options)
{
    av_log_set_level(AV_LOG_QUIET);
    maker m = {.o = *options};
    const AVCodec *codec = avcodec_find_encoder_by_name(m.o.encoder ? m.o.encoder : "libx264");
    bf_bytes video = {0};
    if (!codec)
        return video;
    m.packet = av_packet_alloc();
    test_must(m.packet, "av_packet_alloc");
    open_container(&m);
    m.encoder = open_encoder(&m, codec, 1);
    start_container(&m);
    write_sound(&m);
    code_all(&m, codec);
    test_must(av_write_trailer(m.format) >= 0, "av_write_trailer");
    uint8_t *data = NULL;
    int size = avio_close_dyn_buf(m.format->pb, &data);
    test_append(&video, data, (size_t)size);
    av_free(data);
    avformat_free_context(m.format);
    avcodec_free_context(&m.encoder);
    av_frame_free(&m.frame);
    av_packet_free(&m.packet);
    return video;
}
