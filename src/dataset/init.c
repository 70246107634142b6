#include "dataset/init.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "dataset/csv.h"
#include "dataset/row.h"

#define PARTS_MAX 64

/* One folder of a path. */
typedef struct part {
    const char *text;
    size_t size;
} part;

static bool is_among(part p, const char *const words[])
{
    for (int i = 0; words[i]; i++) {
        if (strlen(words[i]) == p.size && memcmp(words[i], p.text, p.size) == 0)
            return true;
    }
    return false;
}

/* The folders of a path, without the file. */
static size_t folders_of(const char *path, part ret[PARTS_MAX])
{
    size_t count = 0;
    for (const char *slash; (slash = strchr(path, '/')) != NULL && count < PARTS_MAX; path = slash + 1)
        ret[count++] = (part){path, (size_t)(slash - path)};
    return count;
}

static bool set(bf_dataset *dataset, bf_sample *sample, bf_dataset_column column, part text)
{
    sample->value[column] = bf_texts_keep(&dataset->texts, text.text, text.size);
    return sample->value[column] != NULL;
}

static bool set_from_path(bf_dataset *dataset, bf_sample *sample, const char *path)
{
    static const char *const live[] = {"live", "bona_fide", "bonafide", "genuine", "real", NULL};
    static const char *const spoof[] = {"spoof", "attack", "fake", NULL};
    part folder[PARTS_MAX];
    size_t count = folders_of(path, folder), at = 0;
    while (at < count && !is_among(folder[at], live) && !is_among(folder[at], spoof))
        at++;
    if (at == count)
        return true;
    bool is_live = is_among(folder[at++], live);
    sample->label = is_live ? BF_LABEL_LIVE : BF_LABEL_SPOOF;
    const char *label = bf_label_name(sample->label);
    bool good = set(dataset, sample, BF_COLUMN_LABEL, (part){label, strlen(label)});
    if (!is_live && at < count)
        good = set(dataset, sample, BF_COLUMN_ATTACK_TYPE, folder[at++]) && good;
    if (at < count)
        good = set(dataset, sample, BF_COLUMN_PERSON_ID, folder[at]) && good;
    return good;
}

bf_status bf_dataset_add(bf_dataset *dataset, const char *path, bf_error *err)
{
    for (const char *at = path; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return bf_fail(err, BF_INVALID_ARGUMENT, "The name of a file holds a control character; rename it.");
    }
    if (!bf_utf8_valid(path) || strlen(path) > BF_DATASET_NAME_BYTES_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT,
                       "The name of a file is not UTF-8, or is longer than %d bytes; rename it.",
                       BF_DATASET_NAME_BYTES_MAX);
    if (dataset->count == dataset->capacity) {
        size_t capacity = dataset->capacity ? dataset->capacity * 2 : 1024;
        bf_sample *grown = bf_realloc(dataset->sample, capacity * sizeof *grown);
        if (!grown)
            return bf_fail_memory(err);
        dataset->sample = grown;
        dataset->capacity = capacity;
    }
    bf_sample *sample = &dataset->sample[dataset->count];
    *sample = (bf_sample){.row = dataset->count + 2};
    bool good = true;
    for (int i = 0; i < BF_COLUMN_COUNT; i++)
        good = set(dataset, sample, (bf_dataset_column)i, (part){"", 0}) && good;
    good = set(dataset, sample, BF_COLUMN_SAMPLE_ID, (part){path, strlen(path)}) && good;
    good = set(dataset, sample, BF_COLUMN_PATH, (part){path, strlen(path)}) && good;
    good = set(dataset, sample, BF_COLUMN_REVIEW_STATUS, (part){"confirmed", strlen("confirmed")}) && good;
    if (!good || !set_from_path(dataset, sample, path))
        return bf_fail_memory(err);
    dataset->count++;
    return BF_OK;
}

/* Columns that only some datasets need are not offered to all. */
static bool is_written(const bf_dataset *dataset, int column)
{
    return dataset->has[column] || (column != BF_COLUMN_REFERENCE && column != BF_COLUMN_SPLIT);
}

static void put_value(bf_csv_writer *writer, const bf_sample *sample, const bf_probe *probe, const char *prefix,
                      int column)
{
    char path[BF_DATASET_PATH_SIZE];
    const char *value = sample->value[column];
    if (column == BF_COLUMN_SHA256 && value[0] == '\0' && probe)
        value = probe->sha256;
    if ((column == BF_COLUMN_PATH || column == BF_COLUMN_REFERENCE) && value[0] && prefix[0]) {
        int length = snprintf(path, sizeof path, "%s%s", prefix, value);
        value = length > 0 && (size_t)length < sizeof path ? path : "";
    }
    bf_csv_put(writer, value);
}

bf_status bf_dataset_write(const bf_dataset *dataset, const bf_probe *probes, const char *prefix, const char *path,
                           bf_error *err)
{
    BF_CLEANUP(bf_csv_writer_free) bf_csv_writer *writer = NULL;
    bf_status status = bf_csv_create(path, &writer, err);
    if (status != BF_OK)
        return status;
    for (int i = 0; i < BF_COLUMN_COUNT; i++) {
        if (is_written(dataset, i))
            bf_csv_put(writer, bf_dataset_column_name((bf_dataset_column)i));
    }
    for (size_t i = 0; i < dataset->other_count; i++)
        bf_csv_put(writer, dataset->other[i]);
    bf_csv_end_row(writer);
    for (size_t s = 0; s < dataset->count; s++) {
        for (int i = 0; i < BF_COLUMN_COUNT; i++) {
            if (is_written(dataset, i))
                put_value(writer, &dataset->sample[s], probes ? &probes[s] : NULL, prefix, i);
        }
        for (size_t i = 0; i < dataset->other_count; i++)
            bf_csv_put(writer, dataset->sample[s].other[i]);
        bf_csv_end_row(writer);
    }
    return bf_csv_commit(writer, err);
}
