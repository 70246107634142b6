#include "dataset/score.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "dataset/csv.h"
#include "dataset/parallel.h"

/* Columns that a sample brings along, in the order of the table. */
static const bf_dataset_column SAMPLE_COLUMNS[] = {
    BF_COLUMN_SAMPLE_ID,      BF_COLUMN_SHA256,        BF_COLUMN_LABEL,        BF_COLUMN_ATTACK_FAMILY,
    BF_COLUMN_ATTACK_TYPE,    BF_COLUMN_PERSON_ID,     BF_COLUMN_SESSION_ID,   BF_COLUMN_PLATFORM,
    BF_COLUMN_DEVICE_CLASS,   BF_COLUMN_CHANNEL,       BF_COLUMN_CAPTURE_TYPE, BF_COLUMN_LIGHTING_BUCKET,
    BF_COLUMN_QUALITY_BUCKET, BF_COLUMN_REVIEW_STATUS, BF_COLUMN_PERSON_GROUP, BF_COLUMN_SOURCE,
    BF_COLUMN_SPLIT,
};
#define SAMPLE_COLUMN_COUNT (sizeof SAMPLE_COLUMNS / sizeof *SAMPLE_COLUMNS)

size_t bf_score_count(const bf_score_job *job)
{
    size_t count = job->dataset->count, first = job->shard.index;
    return first < count ? (count - first + job->shard.count - 1) / job->shard.count : 0;
}

static size_t sample_at(const bf_score_job *job, size_t place)
{
    return job->shard.index + place * job->shard.count;
}

/* The channel that is asked for: the sample's, where policies know it. */
static const char *channel_of(const bf_sample *sample)
{
    bf_channel channel = BF_CHANNEL_UNSPECIFIED;
    return bf_channel_from_name(sample->value[BF_COLUMN_CHANNEL], &channel) ? sample->value[BF_COLUMN_CHANNEL] : "";
}

static bf_journal_key key_of(const bf_score_job *job, size_t sample)
{
    return (bf_journal_key){
        .sha256 = job->probes[sample].sha256,
        .reference = job->probes[sample].reference,
        .channel = channel_of(&job->dataset->sample[sample]),
    };
}

bf_status bf_score_missing(const bf_score_job *job, size_t **ret, size_t *ret_count, bf_error *err)
{
    size_t count = bf_score_count(job), found = 0;
    size_t *missing = bf_malloc((count + 1) * sizeof *missing);
    if (!missing)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        bf_journal_key key = key_of(job, sample_at(job, i));
        if (!bf_journal_has(job->journal, &key))
            missing[found++] = sample_at(job, i);
    }
    *ret = missing;
    *ret_count = found;
    return BF_OK;
}

/* What one thread judges with. */
typedef struct judging {
    bf_judge *judge;
    bf_record scratch;
    bf_row_text row;
} judging;

typedef struct run {
    const bf_score_job *job;
    const size_t *missing;
} run;

static void stop_judging(void *state)
{
    judging *j = state;
    if (!j)
        return;
    bf_judge_free(&j->judge);
    bf_free(j);
}

static bf_status start_judging(void *data, void **ret_state, bf_error *err)
{
    const run *r = data;
    judging *j = bf_calloc(1, sizeof *j);
    if (!j)
        return bf_fail_memory(err);
    *ret_state = j;
    return bf_judge_new(r->job->scoring->engine, &j->judge, err);
}

static bf_status read_checked(const bf_score_job *job, const bf_sample *sample, const char *path, const char *sha256,
                              bf_bytes *ret, bf_error *err)
{
    char file[BF_DATASET_PATH_SIZE], hex[BF_SHA256_HEX_SIZE];
    if (!bf_dataset_file(job->dataset, path, file))
        return bf_fail(err, BF_INVALID_ARGUMENT, "A path is too long.");
    bf_status status = bf_bytes_read_file(ret, file, BF_INPUT_BYTES_MAX, err);
    if (status != BF_OK)
        return status;
    bf_sha256_hex(ret->data, ret->size, hex);
    if (strcmp(hex, sha256) == 0)
        return BF_OK;
    return bf_fail(err, BF_INVALID_ARGUMENT, "%.100s, row %llu: '%.150s' was changed while it was scored.",
                   job->dataset->manifest, (unsigned long long)sample->row, path);
}

/* What failed through no fault of the picture must not be kept as its judgement. */
static bf_status check_record(const bf_score_job *job, const bf_sample *sample, const bf_record *record, bf_error *err)
{
    if (record->status != BF_OUT_OF_MEMORY && record->status != BF_INTERNAL)
        return BF_OK;
    return bf_fail(err, record->status, "%.100s, row %llu: %.150s", job->dataset->manifest,
                   (unsigned long long)sample->row, record->error.message);
}

static bf_status judge_sample(void *data, void *state, size_t index, bf_error *err)
{
    const run *r = data;
    const bf_score_job *job = r->job;
    judging *j = state;
    size_t at = r->missing[index];
    const bf_sample *sample = &job->dataset->sample[at];
    bf_journal_key key = key_of(job, at);
    BF_CLEANUP(bf_bytes_done) bf_bytes media = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes reference = {0};
    BF_CLEANUP(bf_record_free) bf_record *record = NULL;
    if (bf_journal_has(job->journal, &key)) /* the same file under another name */
        return BF_OK;
    bf_status status = read_checked(job, sample, sample->value[BF_COLUMN_PATH], key.sha256, &media, err);
    if (status == BF_OK && key.reference[0])
        status = read_checked(job, sample, sample->value[BF_COLUMN_REFERENCE], key.reference, &reference, err);
    if (status != BF_OK)
        return status;
    const bf_request request = {
        .struct_size = sizeof request,
        .media = media.data,
        .media_size = media.size,
        .reference = key.reference[0] ? reference.data : NULL,
        .reference_size = reference.size,
        .flow = job->scoring->flow,
        .channel = key.channel[0] ? key.channel : NULL,
        .full_evidence = !job->scoring->early_exit,
        .match_order = job->scoring->early_exit ? BF_MATCH_AFTER_LIVENESS : BF_MATCH_ALWAYS,
    };
    status = bf_judge_capture(j->judge, &request, &record, err);
    if (status == BF_OK)
        status = check_record(job, sample, record, err);
    if (status != BF_OK)
        return status;
    bf_judgement_row(job->scoring, j->judge, record, &j->scratch, &j->row);
    if (j->row.overflow)
        return bf_fail(err, BF_INTERNAL, "A judgement does not fit into its row.");
    return bf_journal_add(job->journal, &key, j->row.text, j->row.used, err);
}

static bool show(void *data, size_t done)
{
    const bf_score_job *job = ((const run *)data)->job;
    return !job->progress || job->progress(job->progress_data, done);
}

bf_status bf_score_judge(const bf_score_job *job, const size_t *missing, size_t count, size_t *ret_done, bf_error *err)
{
    run r = {job, missing};
    const bf_parallel parallel = {
        .count = count,
        .jobs = job->jobs,
        .data = &r,
        .start = start_judging,
        .stop = stop_judging,
        .work = judge_sample,
        .progress = show,
    };
    return bf_parallel_run(&parallel, ret_done, err);
}

static void put_header(const bf_score_job *job, bf_csv_writer *writer, bf_row_text *row)
{
    for (size_t i = 0; i < SAMPLE_COLUMN_COUNT; i++)
        bf_csv_put(writer, bf_dataset_column_name(SAMPLE_COLUMNS[i]));
    bf_judgement_header(job->scoring, row);
    bf_csv_put_raw(writer, row->text, row->used);
    bf_csv_end_row(writer);
}

static void put_sample(const bf_score_job *job, size_t at, bf_csv_writer *writer)
{
    for (size_t i = 0; i < SAMPLE_COLUMN_COUNT; i++) {
        const char *value = job->dataset->sample[at].value[SAMPLE_COLUMNS[i]];
        if (SAMPLE_COLUMNS[i] == BF_COLUMN_SHA256)
            value = job->probes[at].sha256;
        if (SAMPLE_COLUMNS[i] == BF_COLUMN_SPLIT && job->part)
            value = job->part[at];
        bf_csv_put(writer, value);
    }
}

static void count_status(bf_score_counts *counts, const char *status)
{
    if (strncmp(status, "ok", 2) == 0)
        counts->ok++;
    else if (strncmp(status, "could_not_judge", 15) == 0)
        counts->could_not_judge++;
    else
        counts->error++;
}

bf_status bf_score_write(const bf_score_job *job, const char *path, bf_score_counts *ret, bf_error *err)
{
    BF_CLEANUP(bf_csv_writer_free) bf_csv_writer *writer = NULL;
    bf_score_counts counts = {0};
    bf_row_text *row = bf_malloc(sizeof *row);
    if (!row)
        return bf_fail_memory(err);
    bf_status status = bf_csv_create(path, &writer, err);
    if (status == BF_OK)
        put_header(job, writer, row);
    size_t count = bf_score_count(job);
    for (size_t i = 0; i < count && status == BF_OK; i++) {
        bf_journal_key key = key_of(job, sample_at(job, i));
        status = bf_journal_get(job->journal, &key, row->text, sizeof row->text, &row->used, err);
        if (status != BF_OK)
            break;
        put_sample(job, sample_at(job, i), writer);
        bf_csv_put_raw(writer, row->text, row->used);
        bf_csv_end_row(writer);
        count_status(&counts, row->text);
    }
    if (status == BF_OK)
        status = bf_csv_commit(writer, err);
    bf_free(row);
    if (status == BF_OK)
        *ret = counts;
    return status;
}
