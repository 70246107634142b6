#include "simulate/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <spng.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

static bf_status fail_write(bf_error *err, const char *path)
{
    return bf_fail(err, BF_IO_ERROR, "Cannot write %s: %s.", path, strerror(errno));
}

static bf_status close_file(FILE *file, bf_status status, const char *path, bf_error *err)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return status == BF_OK ? fail_write(err, path) : status;
    return status;
}

/* One plane of BT.601 in the video range; a plane of chroma has half the size each way. */
static void put_plane(FILE *file, const bf_image *image, int plane)
{
    static const float weights[3][4] = {
        {16, 65.738F, 129.057F, 25.064F}, {128, -37.945F, -74.494F, 112.439F}, {128, 112.439F, -94.154F, -18.285F}};
    const float *w = weights[plane];
    int step = plane ? 2 : 1;
    for (int y = 0; y + step <= image->height; y += step) {
        for (int x = 0; x + step <= image->width; x += step) {
            float sum[3] = {0, 0, 0};
            for (int i = 0; i < step * step; i++) {
                const uint8_t *p = image->pixels + (size_t)(y + i / step) * image->stride + (size_t)(x + i % step) * 3;
                for (int c = 0; c < 3; c++)
                    sum[c] += (float)p[c] / (float)(step * step);
            }
            float value = w[0] + (w[1] * sum[0] + w[2] * sum[1] + w[3] * sum[2]) / 256 + 0.5F;
            (void)fputc((int)value, file);
        }
    }
}

bf_status sim_write_y4m(sim_sequence *sequence, double rate_fps, const char *path, bf_error *err)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return fail_write(err, path);
    bf_status status = BF_OK;
    for (int i = 0; i < sim_sequence_count(sequence) && status == BF_OK; i++) {
        const bf_image *image = NULL;
        sim_truth truth;
        status = sim_sequence_frame(sequence, i, &image, &truth, err);
        if (status != BF_OK)
            break;
        if (i == 0)
            (void)fprintf(file, "YUV4MPEG2 W%d H%d F%d:1000 Ip A1:1 C420jpeg\n", image->width, image->height,
                          (int)(rate_fps * 1000 + 0.5));
        (void)fputs("FRAME\n", file);
        for (int plane = 0; plane < 3; plane++)
            put_plane(file, image, plane);
    }
    return close_file(file, status, path, err);
}

static bf_status frame_jpeg(sim_sequence *sequence, int index, int quality, bf_bytes *ret, bf_error *err)
{
    const bf_image *image = NULL;
    sim_truth truth;
    bf_status status = sim_sequence_frame(sequence, index, &image, &truth, err);
    return status == BF_OK ? sim_jpeg(image, quality, ret, err) : status;
}

bf_status sim_write_mjpeg(sim_sequence *sequence, int quality, const char *path, bf_error *err)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return fail_write(err, path);
    bf_status status = BF_OK;
    for (int i = 0; i < sim_sequence_count(sequence) && status == BF_OK; i++) {
        BF_CLEANUP(bf_bytes_done) bf_bytes jpeg = {0};
        status = frame_jpeg(sequence, i, quality, &jpeg, err);
        if (status == BF_OK)
            (void)fwrite(jpeg.data, 1, jpeg.size, file);
    }
    return close_file(file, status, path, err);
}

bf_status sim_write_frames(sim_sequence *sequence, int quality, const char *folder, bf_error *err)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return fail_write(err, folder);
    bf_status status = BF_OK;
    for (int i = 0; i < sim_sequence_count(sequence) && status == BF_OK; i++) {
        BF_CLEANUP(bf_bytes_done) bf_bytes jpeg = {0};
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%04d.jpg", folder, i);
        status = frame_jpeg(sequence, i, quality, &jpeg, err);
        if (status == BF_OK)
            status = bf_bytes_write_file(path, jpeg.data, jpeg.size, err);
    }
    return status;
}

static void paste(bf_image *sheet, const bf_image *image, int shrink, int left, int top)
{
    for (int y = 0; y < image->height / shrink; y++) {
        for (int x = 0; x < image->width / shrink; x++) {
            for (int c = 0; c < 3; c++) {
                int sum = 0;
                for (int i = 0; i < shrink * shrink; i++)
                    sum += image->pixels[(size_t)(y * shrink + i / shrink) * image->stride +
                                         (size_t)(x * shrink + i % shrink) * 3 + (size_t)c];
                sheet->pixels[(size_t)(top + y) * sheet->stride + (size_t)(left + x) * 3 + (size_t)c] =
                    (uint8_t)(sum / (shrink * shrink));
            }
        }
    }
}

static bf_status write_png(const bf_image *image, const char *path, bf_error *err)
{
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    FILE *file = png ? fopen(path, "wb") : NULL;
    if (!file) {
        spng_ctx_free(png);
        return fail_write(err, path);
    }
    struct spng_ihdr head = {.width = (uint32_t)image->width,
                             .height = (uint32_t)image->height,
                             .bit_depth = 8,
                             .color_type = SPNG_COLOR_TYPE_TRUECOLOR};
    bool ok = spng_set_ihdr(png, &head) == 0 && spng_set_png_file(png, file) == 0 &&
              spng_encode_image(png, image->pixels, image->stride * (size_t)image->height, SPNG_FMT_PNG,
                                SPNG_ENCODE_FINALIZE) == 0;
    spng_ctx_free(png);
    return close_file(file, ok ? BF_OK : fail_write(err, path), path, err);
}

bf_status sim_write_sheet(sim_sequence *sequence, int columns, int rows, int shrink, const char *path, bf_error *err)
{
    BF_CLEANUP(bf_image_done) bf_image sheet = {0};
    int count = sim_sequence_count(sequence), shown = columns * rows < count ? columns * rows : count;
    bf_status status = BF_OK;
    for (int i = 0; i < shown && status == BF_OK; i++) {
        const bf_image *image = NULL;
        sim_truth truth;
        status = sim_sequence_frame(sequence, i * count / shown, &image, &truth, err);
        if (status == BF_OK && i == 0) {
            status = bf_image_alloc(&sheet, image->width / shrink * columns, image->height / shrink * rows, 3, err);
            if (status == BF_OK)
                memset(sheet.pixels, 0, sheet.stride * (size_t)sheet.height);
        }
        if (status == BF_OK)
            paste(&sheet, image, shrink, i % columns * (image->width / shrink), i / columns * (image->height / shrink));
    }
    return status == BF_OK ? write_png(&sheet, path, err) : status;
}

bf_status sim_write_truth(const sim_truth *truth, int count, const char *path, bf_error *err)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return fail_write(err, path);
    for (int i = 0; i < count; i++) {
        const sim_truth *t = &truth[i];
        (void)fprintf(file,
                      "%s{\"ms\":%.1f,\"yaw_deg\":%.2f,\"pitch_deg\":%.2f,\"roll_deg\":%.2f,\"closeness\":%.3f,"
                      "\"eyes\":%.2f,\"mouth\":%.2f,\"smile\":%.2f,\"screen\":[%.3f,%.3f,%.3f]}",
                      i ? ",\n " : "[", t->ms, t->yaw_deg, t->pitch_deg, t->roll_deg, t->closeness, t->eyes, t->mouth,
                      t->smile, (double)t->screen[0], (double)t->screen[1], (double)t->screen[2]);
    }
    (void)fputs("]\n", file);
    return close_file(file, BF_OK, path, err);
}
