/* A sequence as the page would have sent it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "simulate/sequence.h"

/* libjpeg's own memory for the output is freed with free. */
typedef struct jpeg_out {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *data;
    unsigned long size;
} jpeg_out;

bf_status sim_jpeg(const bf_image *image, int quality, bf_bytes *ret, bf_error *err)
{
    jpeg_out out = {.data = NULL};
    out.jpeg.err = jpeg_std_error(&out.errors);
    jpeg_create_compress(&out.jpeg);
    jpeg_mem_dest(&out.jpeg, &out.data, &out.size);
    out.jpeg.image_width = (JDIMENSION)image->width;
    out.jpeg.image_height = (JDIMENSION)image->height;
    out.jpeg.input_components = 3;
    out.jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&out.jpeg);
    jpeg_set_quality(&out.jpeg, quality, TRUE);
    jpeg_start_compress(&out.jpeg, TRUE);
    while (out.jpeg.next_scanline < out.jpeg.image_height) {
        JSAMPROW row[1] = {image->pixels + (size_t)out.jpeg.next_scanline * image->stride};
        (void)jpeg_write_scanlines(&out.jpeg, row, 1);
    }
    jpeg_finish_compress(&out.jpeg);
    jpeg_destroy_compress(&out.jpeg);
    bf_bytes bytes = {.data = bf_malloc(out.size), .size = out.size};
    if (!bytes.data) {
        free(out.data);
        return bf_fail_memory(err);
    }
    memcpy(bytes.data, out.data, out.size);
    free(out.data);
    *ret = bytes;
    return BF_OK;
}

static void show(bf_capture_file *file, const char *what, double ms)
{
    if (file->shown_count == BF_CAPTURE_SHOWN_MAX)
        return;
    int at = file->shown_count++;
    /* In the order of time, steps and colours together. */
    for (; at > 0 && file->shown[at - 1].ms > ms; at--)
        file->shown[at] = file->shown[at - 1];
    bf_capture_shown *shown = &file->shown[at];
    (void)snprintf(shown->what, sizeof shown->what, "%s", what);
    shown->ms = ms;
}

/* What a page reports that does as the plan says, a screen's refresh late. */
static void show_plan(bf_capture_file *file, const bf_plan *plan, uint64_t seed)
{
    sim_random random = sim_random_from(seed, 81);
    for (int i = 0; i < plan->step_count; i++)
        show(file, bf_step_type_name(plan->step[i].type), plan->step[i].from_ms + sim_uniform(&random, 0, 17));
    for (int i = 0; i < plan->flash.colour_count; i++) {
        const uint8_t *c = plan->flash.colour[i];
        char text[8];
        (void)snprintf(text, sizeof text, "#%02x%02x%02x", c[0], c[1], c[2]);
        show(file, text, plan->flash.from_ms + i * plan->flash.each_ms + sim_uniform(&random, 0, 17));
    }
}

static json_t *client_report(const sim_options *o)
{
    bool upload = sim_recipes[o->what].stream == SIM_STREAM_FILE;
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:i,s:i,s:i}, s:i, s:b, s:s,"
                     " s:{s:s, s:i, s:s, s:{s:i,s:i,s:f}, s:n, s:{s:i,s:i,s:f}}, s:{s:b,s:b,s:b},"
                     " s:{s:i,s:i,s:i,s:f}, s:b}",
                     "sdk", "bonafide-simulate/0.1.0", "user_agent", "simulated", "platform", "simulated", "language",
                     "en", "screen", "width", 390, "height", 844, "pixel_ratio", 3, "touch_points", 5, "webdriver", 0,
                     "capture", upload ? "upload" : "camera", "camera", "label", "Front Camera", "device_count", 2,
                     "facing", "user", "settings", "width", o->width, "height", o->height, "frame_rate", 30.0,
                     "capabilities", "requested", "width", 1280, "height", 720, "frame_rate", 30.0, "tamper",
                     "get_user_media_native", 1, "enumerate_devices_native", 1, "canvas_native", 1, "timing",
                     "frames_dropped", 0, "hidden_ms", 0, "rotations", 0, "clock_drift_ms", 0.0, "mirrored", 0);
}

static bf_status add_frame(sim_sequence *s, int index, bf_capture_frame *frame, bf_bytes *jpeg, sim_truth *ret_truth,
                           bf_error *err)
{
    const bf_image *image = NULL;
    bf_status status = sim_sequence_frame(s, index, &image, ret_truth, err);
    if (status == BF_OK)
        status = sim_jpeg(image, s->options.jpeg_quality, jpeg, err);
    if (status == BF_OK)
        *frame = (bf_capture_frame){jpeg->data, jpeg->size, ret_truth->ms};
    return status;
}

bf_status sim_capture(sim_sequence *s, bf_bytes *ret, sim_truth *ret_truth, bf_error *err)
{
    bf_capture_file file = {.frame_count = s->count};
    bf_bytes *jpegs = bf_calloc((size_t)s->count, sizeof *jpegs);
    file.frame = bf_calloc((size_t)s->count, sizeof *file.frame);
    file.client = client_report(&s->options);
    bf_status status = jpegs && file.frame && file.client ? BF_OK : bf_fail_memory(err);
    for (int i = 0; i < s->count && status == BF_OK; i++) {
        sim_truth truth;
        status = add_frame(s, i, &file.frame[i], &jpegs[i], &truth, err);
        if (status == BF_OK && ret_truth)
            ret_truth[i] = truth;
    }
    if (status == BF_OK && s->options.plan) {
        memcpy(file.nonce, s->plan.nonce, sizeof file.nonce);
        show_plan(&file, &s->plan, s->options.seed);
    }
    if (status == BF_OK)
        status = bf_capture_file_write(&file, ret, err);
    for (int i = 0; jpegs && i < s->count; i++)
        bf_bytes_done(&jpegs[i]);
    bf_free(jpegs);
    bf_free(file.frame);
    json_decref(file.client);
    return status;
}
