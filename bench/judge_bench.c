/* What one warm judgement costs, compared in the same run with the model runs it consists of, and what decoding costs
 * compared with libjpeg-turbo's own decoding of the same file. Prints the stage table and the ratios.
 *
 * usage: judge_bench DATA_DIR WEIGHTS_DIR PHOTO [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

#include "base/bytes.h"
#include "base/words.h"
#include "decode/decode.h"
#include "image/tensor.h"
#include "pipeline/judge.h"

#define ROUNDS_DEFAULT 60
#define ROUNDS_MAX 1000
#define BENCH_WIDTH 1280
#define BENCH_HEIGHT 720
#define BENCH_QUALITY 90

typedef struct series {
    double ms[ROUNDS_MAX];
    int count;
} series;

/* Processor time of this thread, which a busy machine disturbs less than the clock on the wall. */
static double now_ms(void *unused)
{
    (void)unused;
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const series *s)
{
    double copy[ROUNDS_MAX];
    memcpy(copy, s->ms, sizeof(double) * (size_t)s->count);
    qsort(copy, (size_t)s->count, sizeof *copy, by_value);
    return s->count ? copy[s->count / 2] : 0;
}

static void add(series *s, double ms)
{
    if (s->count < ROUNDS_MAX)
        s->ms[s->count++] = ms;
}

static void die(const char *what, const bf_error *err)
{
    (void)fprintf(stderr, "judge_bench: %s: %s %s\n", what, err->message, err->hint);
    exit(1);
}

static void die_unjudged(const bf_record *record)
{
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        if (record->policy.measure_failed[i])
            (void)fprintf(stderr, "judge_bench: %s is %g\n", bf_measure_name((bf_measure_id)i),
                          record->quality.measure[i].native);
    }
    die("the bench photo was not judged", &record->error);
}

/* The photo as a 1280x720 JPEG, scaled to its height. The caller frees the bytes. */
static unsigned char *make_capture(const char *path, unsigned long *ret_size)
{
    bf_error err = {0};
    bf_bytes file = {0};
    bf_image photo = {0};
    bf_media_facts facts;
    if (bf_bytes_read_file(&file, path, BF_INPUT_BYTES_MAX, &err) != BF_OK ||
        bf_decode_still(file.data, file.size, NULL, &photo, &facts, &err) != BF_OK)
        die(path, &err);
    float height = (float)photo.height, width = height * BENCH_WIDTH / BENCH_HEIGHT;
    float left = ((float)photo.width - width) / 2;
    bf_rect rect = {left, 0, left + width, height}; /* beyond the photo its edges repeat */
    /* Tensors have at most 1024 px a side, so the picture is made in two halves. */
    static float half[BENCH_HEIGHT * BENCH_WIDTH / 2 * 3];
    static unsigned char rgb[BENCH_HEIGHT][BENCH_WIDTH][3];
    bf_tensor_spec spec = {.width = BENCH_WIDTH / 2,
                           .height = BENCH_HEIGHT,
                           .channels = 3,
                           .order = BF_ORDER_RGB,
                           .layout = BF_LAYOUT_NHWC,
                           .scale = 1,
                           .std = {1, 1, 1}};
    for (int side = 0; side < 2; side++) {
        float middle = (rect.x0 + rect.x1) / 2;
        bf_rect part =
            side ? (bf_rect){middle, rect.y0, rect.x1, rect.y1} : (bf_rect){rect.x0, rect.y0, middle, rect.y1};
        bf_tensor_from_rect(&photo, part, false, &spec, half);
        for (int i = 0; i < BENCH_HEIGHT * BENCH_WIDTH / 2 * 3; i++) {
            int pixel = i / 3, y = pixel / (BENCH_WIDTH / 2), x = pixel % (BENCH_WIDTH / 2) + side * BENCH_WIDTH / 2;
            rgb[y][x][i % 3] = (unsigned char)(half[i] + 0.5f);
        }
    }
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    unsigned char *bytes = NULL;
    jpeg_mem_dest(&c, &bytes, ret_size);
    c.image_width = BENCH_WIDTH;
    c.image_height = BENCH_HEIGHT;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, BENCH_QUALITY, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = &rgb[c.next_scanline][0][0];
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    bf_image_done(&photo);
    bf_bytes_done(&file);
    return bytes;
}

/* Decodes with libjpeg-turbo and nothing else, into one reused buffer. */
static void plain_decode(const unsigned char *bytes, unsigned long size)
{
    static unsigned char pixels[BENCH_HEIGHT][BENCH_WIDTH * 3];
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr errors;
    d.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, bytes, size);
    (void)jpeg_read_header(&d, TRUE);
    d.out_color_space = JCS_RGB;
    jpeg_start_decompress(&d);
    while (d.output_scanline < d.output_height) {
        JSAMPROW row = pixels[d.output_scanline];
        jpeg_read_scanlines(&d, &row, 1);
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
}

typedef struct bench {
    bf_judge *judge;
    series total, decode, plain, other, models, stage[BF_STAGE_COUNT], net[BF_ROLE_COUNT + BF_DETECTORS_MAX];
    const char *net_name[BF_ROLE_COUNT + BF_DETECTORS_MAX];
    int net_count;
} bench;

static double time_net(bench *b, int slot, bf_net_run *run, const char *name, int times)
{
    double began = now_ms(NULL);
    for (int i = 0; i < times; i++)
        (void)bf_net_execute(run, NULL);
    double ms = now_ms(NULL) - began;
    add(&b->net[slot], ms);
    b->net_name[slot] = name;
    if (slot >= b->net_count)
        b->net_count = slot + 1;
    return ms;
}

/* The model runs of one passive judgement, on the inputs that the judgement left in the buffers. */
static double time_models(bench *b)
{
    static const bf_role used[] = {BF_ROLE_DETECTION, BF_ROLE_LANDMARKS, BF_ROLE_POSE, BF_ROLE_EYE_STATE};
    const bf_engine *engine = b->judge->engine;
    double sum = 0;
    int slot = 0;
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
        const bf_net *net = engine->role[used[i]];
        sum += time_net(b, slot++, b->judge->role[used[i]], bf_net_manifest(net)->name,
                        used[i] == BF_ROLE_EYE_STATE ? 2 : 1);
    }
    for (int i = 0; i < engine->detector_count; i++) {
        const bf_engine_detector *d = &engine->detector[i];
        if (d->net)
            sum += time_net(b, slot++, b->judge->detector[i], d->name,
                            engine->mirror || bf_net_manifest(d->net)->mirror_average ? 2 : 1);
    }
    return sum;
}

static void one_round(bench *b, const bf_request *request, bool count)
{
    bf_record *record = NULL;
    bf_error err = {0};
    if (bf_judge_capture(b->judge, request, &record, &err) != BF_OK)
        die("judging", &err);
    if (record->status != BF_OK)
        die_unjudged(record);
    double models = time_models(b);
    double began = now_ms(NULL);
    plain_decode(request->media, request->media_size);
    double plain = now_ms(NULL) - began;
    if (count) {
        add(&b->total, record->total_ms);
        add(&b->decode, record->stage_ms[BF_STAGE_DECODE]);
        add(&b->other, record->total_ms - record->stage_ms[BF_STAGE_DECODE]);
        add(&b->models, models);
        add(&b->plain, plain);
        for (int i = 0; i < BF_STAGE_COUNT; i++)
            add(&b->stage[i], record->stage_ms[i]);
    } else {
        for (int i = 0; i < b->net_count; i++)
            b->net[i].count = 0;
    }
    bf_record_free(&record);
}

static void report(const bench *b)
{
    (void)printf("One warm passive judgement of a %dx%d JPEG, one thread, processor time, medians of %d rounds\n\n",
                 BENCH_WIDTH, BENCH_HEIGHT, b->total.count);
    (void)printf("  %-24s %8s\n", "stage", "ms");
    for (int i = 0; i < BF_STAGE_COUNT; i++) {
        if (median(&b->stage[i]) > 0.0005)
            (void)printf("  %-24s %8.3f\n", bf_stage_name((bf_stage)i), median(&b->stage[i]));
    }
    (void)printf("  %-24s %8.3f\n\n  %-24s %8s\n", "whole judgement", median(&b->total), "model runs", "ms");
    for (int i = 0; i < b->net_count; i++)
        (void)printf("  %-24s %8.3f\n", b->net_name[i], median(&b->net[i]));
    (void)printf("  %-24s %8.3f\n\n", "sum", median(&b->models));
    double judging = median(&b->other) / median(&b->models), decoding = median(&b->decode) / median(&b->plain);
    (void)printf("ratio judging-without-decoding / model-runs      %.3f   limit 1.15  %s\n", judging,
                 judging <= 1.15 ? "ok" : "OVER");
    (void)printf("ratio decoding-with-hash / libjpeg-turbo-decode  %.3f   limit 1.30  %s   (%.3f / %.3f ms)\n",
                 decoding, decoding <= 1.30 ? "ok" : "OVER", median(&b->decode), median(&b->plain));
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: judge_bench DATA_DIR WEIGHTS_DIR PHOTO [ROUNDS]\n");
        return 64;
    }
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : ROUNDS_DEFAULT;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    bf_error err = {0};
    bf_engine *engine = NULL;
    static bench b;
    bf_engine_options options = {
        .struct_size = sizeof options, .data_dir = argv[1], .weights_dir = argv[2], .clock_ms = now_ms};
    double began = now_ms(NULL);
    if (bf_engine_new(&options, &engine, &err) != BF_OK || bf_judge_new(engine, &b.judge, &err) != BF_OK)
        die("starting", &err);
    (void)printf("models, calibration, fusion and policies loaded in %.1f ms\n\n", now_ms(NULL) - began);
    unsigned long size = 0;
    unsigned char *capture = make_capture(argv[3], &size);
    bf_request request = {.struct_size = sizeof request, .media = capture, .media_size = size};
    for (int i = 0; i < rounds + 5; i++)
        one_round(&b, &request, i >= 5);
    report(&b);
    free(capture);
    bf_judge_free(&b.judge);
    bf_engine_free(&engine);
    return 0;
}
