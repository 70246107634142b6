#include "dataset/probe.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "bonafide/words.h"
#include "dataset/parallel.h"
#include "decode/decode.h"

typedef struct probing {
    const bf_dataset *dataset;
    const bf_probe_options *options;
    bf_probe *probe;
} probing;

static bf_status read_file(const bf_dataset *dataset, const char *path, bf_bytes *bytes,
                           char ret_hex[BF_SHA256_HEX_SIZE])
{
    char file[BF_DATASET_PATH_SIZE];
    bf_error err = {0};
    if (!bf_dataset_file(dataset, path, file))
        return BF_IO_ERROR;
    bf_status status = bf_bytes_read_file(bytes, file, BF_INPUT_BYTES_MAX, &err);
    if (status != BF_OK)
        return status;
    bf_sha256_hex(bytes->data, bytes->size, ret_hex);
    return bytes->size > 0 ? BF_OK : BF_EMPTY_INPUT;
}

static bf_status look(void *data, void *state, size_t index, bf_error *err)
{
    (void)state;
    probing *p = data;
    size_t at = p->options->first + index * (p->options->step ? p->options->step : 1);
    const bf_sample *sample = &p->dataset->sample[at];
    bf_probe *probe = &p->probe[at];
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes reference = {0};
    BF_CLEANUP(bf_image_done) bf_image image = {0};
    probe->status = read_file(p->dataset, sample->value[BF_COLUMN_PATH], &bytes, probe->sha256);
    if (sample->value[BF_COLUMN_REFERENCE][0])
        probe->reference_status =
            read_file(p->dataset, sample->value[BF_COLUMN_REFERENCE], &reference, probe->reference);
    if (p->options->pictures && probe->status == BF_OK) {
        probe->picture = bf_decode_still(bytes.data, bytes.size, NULL, &image, NULL, NULL);
        if (probe->picture == BF_OK)
            bf_print_make(&image, &probe->print);
    }
    if (probe->status == BF_OUT_OF_MEMORY || probe->reference_status == BF_OUT_OF_MEMORY ||
        probe->picture == BF_OUT_OF_MEMORY)
        return bf_fail_memory(err);
    return BF_OK;
}

static bool show(void *data, size_t done)
{
    const probing *p = data;
    return !p->options->progress || p->options->progress(p->options->progress_data, done);
}

bf_status bf_probe_files(const bf_dataset *dataset, const bf_probe_options *options, bf_probe **ret, bool *ret_complete,
                         bf_error *err)
{
    size_t step = options->step ? options->step : 1;
    probing p = {dataset, options, bf_calloc(dataset->count + 1, sizeof(bf_probe))};
    if (!p.probe)
        return bf_fail_memory(err);
    const bf_parallel parallel = {
        .count = options->first < dataset->count ? (dataset->count - options->first + step - 1) / step : 0,
        .jobs = options->jobs,
        .data = &p,
        .work = look,
        .progress = show,
    };
    size_t done = 0;
    bf_status status = bf_parallel_run(&parallel, &done, err);
    if (status != BF_OK) {
        bf_free(p.probe);
        return status;
    }
    *ret_complete = done == parallel.count;
    *ret = p.probe;
    return BF_OK;
}

static void review_file(const bf_sample *sample, const bf_probe *probe, bf_problems *problems)
{
    const char *path = sample->value[BF_COLUMN_PATH], *stated = sample->value[BF_COLUMN_SHA256];
    switch (probe->status) {
    case BF_OK:
        break;
    case BF_EMPTY_INPUT:
        bf_problems_warn(problems, sample->row, "'%.200s' is empty.", path);
        break;
    case BF_IMAGE_TOO_LARGE:
        bf_problems_error(problems, sample->row, "'%.200s' is larger than %u bytes; make it smaller, or drop the row.",
                          path, BF_INPUT_BYTES_MAX);
        return;
    default:
        bf_problems_error(problems, sample->row, "'%.200s' cannot be read; is the path right?", path);
        return;
    }
    if (stated[0] && strcmp(stated, probe->sha256) != 0)
        bf_problems_error(problems, sample->row,
                          "'%.200s' is not the file that sha256 names; restore it, or correct the hash to %s.", path,
                          probe->sha256);
    if (probe->picture != BF_OK)
        bf_problems_warn(problems, sample->row, "'%.200s': %s", path, bf_status_text(probe->picture));
    if (probe->reference_status != BF_OK)
        bf_problems_error(problems, sample->row, "the reference '%.200s' cannot be read; is the path right?",
                          sample->value[BF_COLUMN_REFERENCE]);
}

void bf_probe_review(const bf_dataset *dataset, const bf_probe *probes, bf_problems *problems)
{
    for (size_t i = 0; i < dataset->count; i++) {
        if (probes[i].status != BF_OK || probes[i].sha256[0])
            review_file(&dataset->sample[i], &probes[i], problems);
    }
}
