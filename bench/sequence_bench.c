/* What judging a burst costs (4 seconds, 15 frames a second, 640x480), compared in the same run with the model runs and
 * the decoding it consists of; and what the same burst costs when it is four times as long. Processor time.
 *
 * usage: sequence_bench DATA_DIR WEIGHTS_DIR PHOTO [ROUNDS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

#include "base/bytes.h"
#include "capture/file.h"
#include "decode/decode.h"
#include "image/tensor.h"
#include "pipeline/judge.h"

#define ROUNDS_DEFAULT 7
#define ROUNDS_MAX 100
#define WIDTH 640
#define HEIGHT 480
#define QUALITY 75
#define FRAMES_SHORT 60
#define FRAMES_LONG 240
#define FRAME_MS (1000.0 / 15)

#define TOTAL_MS_MAX 1200.0
#define OWN_SHARE_MAX 0.30

static double now_ms(void *unused)
{
    (void)unused;
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void die(const char *what, const bf_error *err)
{
    (void)fprintf(stderr, "sequence_bench: %s: %s %s\n", what, err->message, err->hint);
    exit(1);
}

/* A 640x480 JPEG of the part of the photo under `rect`. The caller frees *ret. */
static void make_frame(const bf_image *photo, bf_rect rect, unsigned char **ret, unsigned long *ret_size)
{
    static float pixels[HEIGHT * WIDTH * 3];
    static unsigned char rgb[HEIGHT][WIDTH * 3];
    bf_tensor_spec spec = {.width = WIDTH,
                           .height = HEIGHT,
                           .channels = 3,
                           .order = BF_ORDER_RGB,
                           .layout = BF_LAYOUT_NHWC,
                           .scale = 1,
                           .std = {1, 1, 1}};
    bf_tensor_from_rect(photo, rect, false, &spec, pixels);
    for (int i = 0; i < HEIGHT * WIDTH * 3; i++)
        rgb[i / (WIDTH * 3)][i % (WIDTH * 3)] = (unsigned char)(pixels[i] + 0.5f);
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, ret, ret_size);
    c.image_width = WIDTH;
    c.image_height = HEIGHT;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, QUALITY, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = rgb[c.next_scanline];
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
}

/* A face that sways before the camera. */
static bf_bytes make_burst(const bf_image *photo, int count)
{
    static bf_capture_frame frames[FRAMES_LONG];
    unsigned char *jpeg[FRAMES_LONG] = {0};
    float height = (float)photo->height, width = height * WIDTH / HEIGHT;
    for (int i = 0; i < count; i++) {
        unsigned long size = 0;
        float sway = 0.05f * width * sinf((float)i * 0.15f), nod = 0.02f * height * sinf((float)i * 0.23f);
        float left = ((float)photo->width - width) / 2 + sway;
        make_frame(photo, (bf_rect){left, nod, left + width, nod + height}, &jpeg[i], &size);
        frames[i] = (bf_capture_frame){jpeg[i], size, i * FRAME_MS};
    }
    bf_bytes bytes = {0};
    bf_error err = {0};
    const bf_capture_file file = {.frame = frames, .frame_count = count};
    if (bf_capture_file_write(&file, &bytes, &err) != BF_OK)
        die("writing the burst", &err);
    for (int i = 0; i < count; i++)
        free(jpeg[i]);
    return bytes;
}

static double run_net(bf_net_run *run)
{
    double began = now_ms(NULL);
    (void)bf_net_execute(run, NULL);
    return now_ms(NULL) - began;
}

/* The model runs of the judgement that has just been made, on the inputs it left in the buffers, one after the other as
 * frames ask for them: a network that runs again and again finds its weights nearer than it does in a judgement. */
static double time_models(const bf_judge *judge, const bf_record *record)
{
    const bf_engine *engine = judge->engine;
    double sum = 0;
    for (int i = 0; i < record->capture.analysed; i++) {
        /* At 15 frames a second every other one is searched for faces. */
        if (i % 2 == 0)
            sum += run_net(judge->role[BF_ROLE_DETECTION]);
        sum += run_net(judge->role[BF_ROLE_LANDMARKS]) + run_net(judge->role[BF_ROLE_POSE]);
        sum += run_net(judge->role[BF_ROLE_EYE_STATE]) + run_net(judge->role[BF_ROLE_EYE_STATE]);
    }
    for (int i = 0; i < record->capture.chosen_count; i++) {
        sum += run_net(judge->role[BF_ROLE_EMBEDDING]);
        for (int k = 0; k < engine->detector_count; k++) {
            if (engine->detector[k].net)
                sum += run_net(judge->detector[k]);
        }
    }
    return sum;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct cost {
    double total_ms, decode_ms, models_ms, stage_ms[BF_STAGE_COUNT];
    int analysed, chosen;
} cost;

static double middle(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* Medians over the rounds. */
static cost measure(bf_judge *judge, const bf_bytes *burst, int rounds)
{
    static double total[ROUNDS_MAX], models[ROUNDS_MAX], stage[BF_STAGE_COUNT][ROUNDS_MAX];
    bf_request request = {.struct_size = sizeof request, .media = burst->data, .media_size = burst->size};
    cost c = {0};
    for (int i = 0; i < rounds; i++) {
        bf_record *record = NULL;
        bf_error err = {0};
        if (bf_judge_capture(judge, &request, &record, &err) != BF_OK)
            die("judging", &err);
        if (record->status != BF_OK)
            die("the burst was not judged", &record->error);
        total[i] = record->total_ms;
        models[i] = time_models(judge, record);
        for (int s = 0; s < BF_STAGE_COUNT; s++)
            stage[s][i] = record->stage_ms[s];
        c.analysed = record->capture.analysed;
        c.chosen = record->capture.chosen_count;
        bf_record_free(&record);
    }
    c.total_ms = middle(total, rounds);
    c.models_ms = middle(models, rounds);
    for (int s = 0; s < BF_STAGE_COUNT; s++)
        c.stage_ms[s] = middle(stage[s], rounds);
    c.decode_ms = c.stage_ms[BF_STAGE_DECODE];
    return c;
}

static void report(const char *what, const cost *c)
{
    (void)printf("%s: %d frames analysed, %d chosen\n", what, c->analysed, c->chosen);
    for (int s = 0; s < BF_STAGE_COUNT; s++) {
        if (c->stage_ms[s] > 0.0005)
            (void)printf("  %-24s %9.1f ms\n", bf_stage_name((bf_stage)s), c->stage_ms[s]);
    }
    (void)printf("  %-24s %9.1f ms\n  %-24s %9.1f ms\n\n", "whole judgement", c->total_ms, "of it model runs",
                 c->models_ms);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: sequence_bench DATA_DIR WEIGHTS_DIR PHOTO [ROUNDS]\n");
        return 64;
    }
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : ROUNDS_DEFAULT;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    bf_error err = {0};
    bf_engine *engine = NULL;
    bf_judge *judge = NULL;
    bf_engine_options options = {
        .struct_size = sizeof options, .data_dir = argv[1], .weights_dir = argv[2], .clock_ms = now_ms};
    if (bf_engine_new(&options, &engine, &err) != BF_OK || bf_judge_new(engine, &judge, &err) != BF_OK)
        die("starting", &err);
    bf_bytes file = {0};
    bf_image photo = {0};
    if (bf_bytes_read_file(&file, argv[3], BF_INPUT_BYTES_MAX, &err) != BF_OK ||
        bf_decode_still(file.data, file.size, NULL, &photo, NULL, &err) != BF_OK)
        die(argv[3], &err);
    bf_bytes bursts[2] = {make_burst(&photo, FRAMES_SHORT), make_burst(&photo, FRAMES_LONG)};
    (void)measure(judge, &bursts[0], 1);
    cost brief = measure(judge, &bursts[0], rounds), lengthy = measure(judge, &bursts[1], rounds > 3 ? 3 : rounds);
    report("4 s at 15 frames a second, 640x480", &brief);
    report("16 s at 15 frames a second, 640x480", &lengthy);
    double own = (brief.total_ms - brief.decode_ms - brief.models_ms) / brief.total_ms;
    bool fast = brief.total_ms <= TOTAL_MS_MAX, lean = own <= OWN_SHARE_MAX;
    (void)printf("ratio judging 4 s / 1.2 s                           %.3f   limit 1.00  %s   (%.0f ms)\n",
                 brief.total_ms / TOTAL_MS_MAX, fast ? "ok" : "OVER", brief.total_ms);
    (void)printf("ratio outside model runs and decoding / judging     %.3f   limit %.2f  %s\n", own, OWN_SHARE_MAX,
                 lean ? "ok" : "OVER");
    (void)printf("ratio four times as long / as short                 %.3f\n", lengthy.total_ms / brief.total_ms);
    for (int i = 0; i < 2; i++)
        bf_bytes_done(&bursts[i]);
    bf_image_done(&photo);
    bf_bytes_done(&file);
    bf_judge_free(&judge);
    bf_engine_free(&engine);
    return 0;
}
