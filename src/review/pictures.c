#include "review/pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "bonafide/picture.h"
#include "dataset/parallel.h"
#include "image/shrink.h"

#define WEBP_QUALITY 80.0f
#define FACE_MARGIN 2.0f /* sides of the face that a side of its picture holds */
#define FACE_SHARE 0.6   /* of the whole picture: more is shown by the whole */
#define FACE_LEAST 8.0f  /* px, half of that side: less shows nothing */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const bf_sample *const *)a)->value[BF_COLUMN_SAMPLE_ID],
                  (*(const bf_sample *const *)b)->value[BF_COLUMN_SAMPLE_ID]);
}

static void link_row(bf_pictures *p, const bf_scored_table *table, size_t i, const bf_dataset *dataset,
                     const bf_probe *probes, const bf_sample *sample)
{
    const bf_probe *probe = probes ? &probes[sample - dataset->sample] : NULL;
    const char *scored = table->row[i].text[BF_TEXT_SHA256];
    bool changed = probe && scored[0] && strcmp(scored, probe->sha256) != 0;
    p->changed += changed;
    if (changed)
        return;
    p->sample[i] = sample;
    if (probe)
        p->print[i] = probe->print;
}

bf_status bf_pictures_link(bf_pictures *ret, const bf_scored_table *table, const bf_dataset *dataset,
                           const bf_probe *probes, bf_error *err)
{
    BF_CLEANUP(bf_pictures_done) bf_pictures p = {.count = table->count};
    const bf_sample **order = bf_calloc(dataset->count + 1, sizeof *order);
    p.sample = bf_calloc(table->count, sizeof(const bf_sample *));
    p.print = bf_calloc(table->count, sizeof *p.print);
    p.copy = bf_calloc(table->count, sizeof *p.copy);
    if (!order || !p.sample || !p.print || !p.copy) {
        bf_free(order);
        return bf_fail_memory(err);
    }
    for (size_t s = 0; s < dataset->count; s++)
        order[s] = &dataset->sample[s];
    qsort(order, dataset->count, sizeof(const bf_sample *), by_id);
    /* Both are in the order of the ids. */
    for (size_t i = 0, s = 0; i < table->count; i++) {
        const char *id = table->row[i].text[BF_TEXT_SAMPLE_ID];
        while (s < dataset->count && strcmp(order[s]->value[BF_COLUMN_SAMPLE_ID], id) < 0)
            s++;
        if (s < dataset->count && strcmp(order[s]->value[BF_COLUMN_SAMPLE_ID], id) == 0)
            link_row(&p, table, i, dataset, probes, order[s]);
        else
            p.missing++;
    }
    bf_free(order);
    *ret = p;
    p = (bf_pictures){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_pictures_done(bf_pictures *pictures)
{
    for (size_t i = 0; pictures->copy && i < pictures->count; i++) {
        bf_bytes_done(&pictures->copy[i].large);
        bf_bytes_done(&pictures->copy[i].face);
        bf_bytes_done(&pictures->copy[i].small);
    }
    bf_free(pictures->sample);
    bf_free(pictures->print);
    bf_free(pictures->copy);
    *pictures = (bf_pictures){0};
}

bf_status bf_small_picture_make(const bf_image *image, int side_max, bf_bytes *ret, bf_error *err)
{
    int width, height;
    uint8_t *encoded = NULL;
    BF_CLEANUP(bf_image_done) bf_image small = {0};
    bf_image_fit(image, side_max, &width, &height);
    bf_status status = bf_image_alloc(&small, width, height, 3, err);
    if (status == BF_OK)
        status = bf_image_shrink(image, &small, err);
    if (status != BF_OK)
        return status;
    bf_bytes bytes = {.size = WebPEncodeRGB(small.pixels, width, height, (int)small.stride, WEBP_QUALITY, &encoded)};
    bytes.data = bytes.size > 0 ? bf_malloc(bytes.size) : NULL;
    if (bytes.data)
        memcpy(bytes.data, encoded, bytes.size);
    WebPFree(encoded);
    if (!bytes.data)
        return bf_fail_memory(err);
    *ret = bytes;
    return BF_OK;
}

typedef struct making {
    bf_pictures *pictures;
    const bf_dataset *dataset;
    const bf_review_report *report;
    size_t *row; /* those that are wanted, each once */
    bool *unreadable;
    size_t count;
} making;

/* A still, or the first frame of a video or a burst. */
static bf_status decode(const bf_dataset *dataset, const bf_sample *sample, bf_picture *ret, bf_error *err)
{
    char path[BF_DATASET_PATH_SIZE];
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    if (!bf_dataset_file(dataset, sample->value[BF_COLUMN_PATH], path))
        return BF_IO_ERROR;
    bf_status status = bf_bytes_read_file(&bytes, path, BF_INPUT_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_picture_decode(bytes.data, bytes.size, ret, err);
    if (status == BF_UNSUPPORTED_FORMAT)
        status = bf_picture_decode_frame(bytes.data, bytes.size, 0, ret, err);
    return status;
}

/* A view of the face and as much again around it; empty where that is not known. */
static bf_image around_face(const bf_image *image, bf_rect face)
{
    float half = fmaxf(bf_rect_width(face), bf_rect_height(face)) * FACE_MARGIN / 2;
    float x = (face.x0 + face.x1) / 2, y = (face.y0 + face.y1) / 2;
    if (!(half >= FACE_LEAST))
        return (bf_image){0};
    return bf_image_view(image, (bf_rect){x - half, y - half, x + half, y + half});
}

static bf_status make_one(void *data, void *state, size_t index, bf_error *err)
{
    (void)state;
    making *m = data;
    size_t row = m->row[index];
    BF_CLEANUP(bf_picture_done) bf_picture picture = {0};
    bf_status status = decode(m->dataset, m->pictures->sample[row], &picture, NULL);
    if (status == BF_OUT_OF_MEMORY)
        return bf_fail_memory(err);
    m->unreadable[index] = status != BF_OK;
    if (status != BF_OK)
        return BF_OK;
    const bf_image image = {picture.rgb, picture.width, picture.height, 3, picture.stride};
    const bf_image face = around_face(&image, m->report->table->row[row].face);
    bf_small_picture *copy = &m->pictures->copy[row];
    status = bf_small_picture_make(&image, BF_PICTURE_SIDE, &copy->large, err);
    double share = (double)face.width * face.height / ((double)image.width * image.height);
    if (status == BF_OK && face.width > 0 && share < FACE_SHARE)
        status = bf_small_picture_make(&face, BF_PICTURE_FACE, &copy->face, err);
    if (status == BF_OK)
        status = bf_small_picture_make(face.width > 0 ? &face : &image, BF_PICTURE_SMALL, &copy->small, err);
    return status;
}

static bool show(void *data, size_t done)
{
    const making *m = data;
    const bf_review_options *options = &m->report->options;
    return !options->progress || options->progress(options->progress_data, done, m->count);
}

static void want(bool *wanted, const bf_review_report *report, const bf_scored *row)
{
    if (row)
        wanted[row - report->table->row] = true;
}

/* The rows of which a picture is shown. */
static void choose(bool *wanted, const bf_review_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const bf_surroundings *around = &report->slip[i].around;
        want(wanted, report, report->slip[i].row);
        want(wanted, report, around->copy);
        want(wanted, report, around->twin.row);
        for (int k = 0; k < 2; k++) {
            want(wanted, report, around->evidence[k].row);
            want(wanted, report, around->picture[k].row);
        }
    }
}

static bf_status make_all(making *m, bool *wanted, bool *ret_complete, bf_error *err)
{
    size_t done = 0;
    choose(wanted, m->report);
    for (size_t i = 0; i < m->pictures->count; i++) {
        if (wanted[i] && m->pictures->sample[i])
            m->row[m->count++] = i;
    }
    const bf_parallel parallel = {
        .count = m->count, .jobs = m->report->options.jobs, .data = m, .work = make_one, .progress = show};
    bf_status status = bf_parallel_run(&parallel, &done, err);
    for (size_t i = 0; i < m->count; i++)
        m->pictures->unreadable += m->unreadable[i];
    *ret_complete = done == m->count;
    return status;
}

bf_status bf_pictures_make(bf_pictures *pictures, const bf_dataset *dataset, const bf_review_report *report,
                           bool *ret_complete, bf_error *err)
{
    making m = {.pictures = pictures,
                .dataset = dataset,
                .report = report,
                .row = bf_calloc(pictures->count, sizeof *m.row),
                .unreadable = bf_calloc(pictures->count, sizeof *m.unreadable)};
    bool *wanted = bf_calloc(pictures->count, sizeof *wanted);
    bf_status status = m.row && m.unreadable && wanted ? make_all(&m, wanted, ret_complete, err) : bf_fail_memory(err);
    bf_free(m.row);
    bf_free(m.unreadable);
    bf_free(wanted);
    return status;
}
