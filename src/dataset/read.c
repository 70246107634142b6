/* From the manifest's rows to a dataset. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/yaml.h"
#include "dataset/csv.h"
#include "dataset/dataset.h"
#include "dataset/row.h"

static const char *const COLUMNS[BF_COLUMN_COUNT + 1] = {
    [BF_COLUMN_SAMPLE_ID] = "sample_id",
    [BF_COLUMN_PATH] = "path",
    [BF_COLUMN_LABEL] = "label",
    [BF_COLUMN_ATTACK_FAMILY] = "attack_family",
    [BF_COLUMN_ATTACK_TYPE] = "attack_type",
    [BF_COLUMN_PERSON_ID] = "person_id",
    [BF_COLUMN_SESSION_ID] = "session_id",
    [BF_COLUMN_PLATFORM] = "platform",
    [BF_COLUMN_DEVICE_CLASS] = "device_class",
    [BF_COLUMN_CHANNEL] = "channel",
    [BF_COLUMN_CAPTURE_TYPE] = "capture_type",
    [BF_COLUMN_LIGHTING_BUCKET] = "lighting_bucket",
    [BF_COLUMN_QUALITY_BUCKET] = "quality_bucket",
    [BF_COLUMN_REVIEW_STATUS] = "review_status",
    [BF_COLUMN_PERSON_GROUP] = "person_group",
    [BF_COLUMN_SOURCE] = "source",
    [BF_COLUMN_LICENCE] = "licence",
    [BF_COLUMN_SHA256] = "sha256",
    [BF_COLUMN_CAPTURED_AT] = "captured_at",
    [BF_COLUMN_REFERENCE] = "reference",
    [BF_COLUMN_SPLIT] = "split",
};

/* One reading: which field of a row is which column. */
typedef struct reading {
    bf_csv_reader *csv;
    const bf_dataset_options *options;
    bf_dataset *dataset;
    bf_problems *problems;
    int field[BF_COLUMN_COUNT];    /* -1: the manifest has no such column */
    int other[BF_CSV_COLUMNS_MAX]; /* fields of the other columns */
    const char **other_values;     /* other_count for each sample that fits */
} reading;

const char *bf_dataset_column_name(bf_dataset_column column)
{
    return COLUMNS[column];
}

bool bf_sample_confirmed(const bf_sample *sample)
{
    return strcmp(sample->value[BF_COLUMN_REVIEW_STATUS], "confirmed") == 0;
}

bool bf_dataset_file(const bf_dataset *dataset, const char *path, char ret[BF_DATASET_PATH_SIZE])
{
    int length = snprintf(ret, BF_DATASET_PATH_SIZE, "%s/%s", dataset->root, path);
    return length >= 0 && length < BF_DATASET_PATH_SIZE;
}

void bf_dataset_done(bf_dataset *dataset)
{
    if (dataset->count > 0 && dataset->other_count > 0)
        bf_free(dataset->sample[0].other);
    bf_free(dataset->sample);
    bf_free(dataset->other);
    bf_free(dataset->manifest);
    bf_free(dataset->root);
    bf_texts_done(&dataset->texts);
    *dataset = (bf_dataset){0};
}

/* The manifest's name, and the folder that it is in. */
static bf_status find_manifest(const bf_dataset_options *options, bf_dataset *dataset, bf_error *err)
{
    struct stat info;
    char path[BF_DATASET_PATH_SIZE];
    bool folder = stat(options->path, &info) == 0 && S_ISDIR(info.st_mode);
    int length = snprintf(path, sizeof path, "%s%s", options->path, folder ? "/manifest.csv" : "");
    if (length < 0 || (size_t)length >= sizeof path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The dataset's path is too long.");
    if (stat(path, &info) != 0 && errno != ENOENT && errno != ENOTDIR)
        return bf_fail(err, BF_IO_ERROR, "Cannot open %.200s: %s.", path, strerror(errno));
    if (stat(path, &info) != 0) {
        (void)bf_fail(err, BF_IO_ERROR, "There is no %.200s.", path);
        bf_fail_hint(err, "'bonafide dataset init' makes one.");
        return BF_IO_ERROR;
    }
    dataset->manifest = bf_strdup(path);
    char *slash = strrchr(path, '/');
    if (slash)
        *(slash == path ? slash + 1 : slash) = '\0';
    dataset->root = bf_strdup(options->root ? options->root : slash ? path : ".");
    return dataset->manifest && dataset->root ? BF_OK : bf_fail_memory(err);
}

static bf_status fail_missing(const reading *r, bf_dataset_column column, bf_error *err)
{
    const char *names[BF_CSV_COLUMNS_MAX + 1] = {0};
    for (size_t i = 0; i < bf_csv_column_count(r->csv); i++)
        names[i] = bf_csv_column(r->csv, i);
    const char *nearest = bf_nearest_word(COLUMNS[column], names);
    (void)bf_fail(err, BF_INVALID_ARGUMENT, "%.200s has no column '%s'.", r->dataset->manifest, COLUMNS[column]);
    if (nearest && strcmp(nearest, COLUMNS[column]) != 0)
        bf_fail_hint(err, "Is '%.80s' it?", nearest);
    else if (column == BF_COLUMN_PATH)
        bf_fail_hint(err, "It names each sample's file; 'bonafide dataset init' makes such a table.");
    else if (column == BF_COLUMN_LABEL)
        bf_fail_hint(err, "When every sample is of one kind, say --label live or --label spoof.");
    return BF_INVALID_ARGUMENT;
}

/* Assigns the table's columns, and says when an unknown one is almost a known one. */
static bf_status take_columns(reading *r, bf_error *err)
{
    bf_dataset *dataset = r->dataset;
    for (int i = 0; i < BF_COLUMN_COUNT; i++) {
        r->field[i] = bf_csv_find(r->csv, COLUMNS[i]);
        dataset->has[i] = r->field[i] >= 0;
    }
    if (!dataset->has[BF_COLUMN_PATH])
        return fail_missing(r, BF_COLUMN_PATH, err);
    if (!dataset->has[BF_COLUMN_LABEL] && !r->options->label)
        return fail_missing(r, BF_COLUMN_LABEL, err);
    size_t count = bf_csv_column_count(r->csv);
    dataset->other = bf_calloc(count, sizeof *dataset->other);
    if (!dataset->other)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const char *name = bf_csv_column(r->csv, i);
        bool known = false;
        for (int k = 0; k < BF_COLUMN_COUNT; k++)
            known = known || r->field[k] == (int)i;
        if (known)
            continue;
        const char *nearest = bf_nearest_word(name, COLUMNS);
        if (nearest && bf_csv_find(r->csv, nearest) < 0)
            bf_problems_warn(r->problems, 1, "column '%s' means nothing to bonafide; is it '%s'?", name, nearest);
        r->other[dataset->other_count] = (int)i;
        dataset->other[dataset->other_count] = bf_texts_keep(&dataset->texts, name, strlen(name));
        if (!dataset->other[dataset->other_count++])
            return bf_fail_memory(err);
    }
    return BF_OK;
}

static bool grow(reading *r)
{
    bf_dataset *dataset = r->dataset;
    size_t capacity = dataset->capacity ? dataset->capacity * 2 : 1024;
    bf_sample *sample = bf_realloc(dataset->sample, capacity * sizeof *sample);
    if (!sample)
        return false;
    dataset->sample = sample;
    if (dataset->other_count > 0) {
        const char **values = bf_realloc(r->other_values, capacity * dataset->other_count * sizeof *values);
        if (!values)
            return false;
        r->other_values = values;
    }
    dataset->capacity = capacity;
    return true;
}

static bool keep(reading *r, const bf_csv_field *field, const char **ret)
{
    *ret = bf_texts_keep(&r->dataset->texts, field ? field->text : "", field ? field->size : 0);
    return *ret != NULL;
}

/* Adds the row as a sample, unless something is wrong with it. */
static bf_status take_row(reading *r, const bf_csv_field *row, bf_error *err)
{
    static const bf_csv_field none = {"", 0};
    bf_dataset *dataset = r->dataset;
    if (dataset->count == BF_SAMPLES_MAX)
        return bf_csv_fail(r->csv, err, "there are more than %u samples.", BF_SAMPLES_MAX);
    if (dataset->count == dataset->capacity && !grow(r))
        return bf_fail_memory(err);
    bf_sample *sample = &dataset->sample[dataset->count];
    *sample = (bf_sample){.row = bf_csv_row(r->csv)};
    const bf_csv_field label = {r->options->label, r->options->label ? strlen(r->options->label) : 0};
    for (int i = 0; i < BF_COLUMN_COUNT; i++) {
        bool given = i == BF_COLUMN_LABEL && !dataset->has[i];
        const bf_csv_field *field = given ? &label : r->field[i] >= 0 ? &row[r->field[i]] : &none;
        if (!keep(r, field, &sample->value[i]))
            return bf_fail_memory(err);
    }
    for (size_t i = 0; i < dataset->other_count; i++) {
        if (!keep(r, &row[r->other[i]], &r->other_values[dataset->count * dataset->other_count + i]))
            return bf_fail_memory(err);
    }
    dataset->count += bf_row_check(dataset, sample, r->problems);
    return r->problems->incomplete ? bf_fail_memory(err) : BF_OK;
}

/* Texts are interned, so their addresses are their identity. */
static const bf_sample *claim(const bf_sample **table, size_t size, const bf_sample *sample, bf_dataset_column column)
{
    const char *text = sample->value[column];
    size_t at = (size_t)(((uintptr_t)text >> 1) * 11400714819323198485u) & (size - 1);
    while (table[at]) {
        if (table[at]->value[column] == text)
            return table[at];
        at = (at + 1) & (size - 1);
    }
    table[at] = sample;
    return NULL;
}

static bf_status find_repeats(reading *r, bf_dataset_column column, bf_error *err)
{
    size_t size = 1024;
    while (size < r->dataset->count * 2)
        size *= 2;
    const bf_sample **table = bf_calloc(size, sizeof *table);
    if (!table)
        return bf_fail_memory(err);
    for (size_t i = 0; i < r->dataset->count; i++) {
        const bf_sample *sample = &r->dataset->sample[i], *first = claim(table, size, sample, column);
        if (first && column == BF_COLUMN_SAMPLE_ID)
            bf_problems_error(r->problems, sample->row,
                              "sample_id '%.100s' is also that of row %llu; give every sample "
                              "a name of its own.",
                              sample->value[column], (unsigned long long)first->row);
        else if (first)
            bf_problems_warn(r->problems, sample->row, "the file is also that of row %llu; is one of them wrong?",
                             (unsigned long long)first->row);
    }
    bf_free(table);
    return BF_OK;
}

static bf_status read_rows(reading *r, bf_error *err)
{
    const bf_csv_field *row = NULL;
    bf_status status = take_columns(r, err);
    while (status == BF_OK && (status = bf_csv_next(r->csv, &row, err)) == BF_OK && row)
        status = take_row(r, row, err);
    for (size_t i = 0; i < r->dataset->count && r->dataset->other_count > 0; i++)
        r->dataset->sample[i].other = r->other_values + i * r->dataset->other_count;
    if (r->dataset->count == 0)
        bf_free(r->other_values);
    if (status == BF_OK && r->dataset->has[BF_COLUMN_SAMPLE_ID])
        status = find_repeats(r, BF_COLUMN_SAMPLE_ID, err);
    if (status == BF_OK)
        status = find_repeats(r, BF_COLUMN_PATH, err);
    return status;
}

bf_status bf_dataset_read(const bf_dataset_options *options, bf_dataset *ret, bf_problems *problems, bf_error *err)
{
    BF_CLEANUP(bf_dataset_done) bf_dataset dataset = {0};
    BF_CLEANUP(bf_csv_free) bf_csv_reader *csv = NULL;
    bf_label label = BF_LABEL_LIVE;
    const char *type = NULL;
    if (options->label && !bf_label_parse(options->label, &label, &type))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The label '%.80s' is neither live nor spoof.", options->label);
    bf_status status = find_manifest(options, &dataset, err);
    if (status == BF_OK)
        status = bf_csv_open(dataset.manifest, &csv, err);
    if (status != BF_OK)
        return status;
    reading r = {.csv = csv, .options = options, .dataset = &dataset, .problems = problems};
    status = read_rows(&r, err);
    if (status != BF_OK)
        return status;
    *ret = dataset;
    dataset = (bf_dataset){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}
