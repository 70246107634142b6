/* Putting the tables of all shards together. */
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"
#include "dataset/score.h"

typedef struct merging {
    bf_csv_reader **shard;
    size_t count;
    bf_csv_writer *writer;
    bf_texts ids;
    size_t samples;
    int id, status;
    bf_score_counts counts;
} merging;

static bf_status check_columns(const merging *m, size_t shard, bf_error *err)
{
    const bf_csv_reader *first = m->shard[0], *other = m->shard[shard];
    size_t count = bf_csv_column_count(first);
    bool same = bf_csv_column_count(other) == count;
    for (size_t i = 0; i < count && same; i++)
        same = strcmp(bf_csv_column(first, i), bf_csv_column(other, i)) == 0;
    if (same)
        return BF_OK;
    return bf_fail(err, BF_INVALID_ARGUMENT, "%.140s has other columns than %.140s; score both with one release.",
                   bf_csv_name(other), bf_csv_name(first));
}

static bf_status open_shards(merging *m, const char *const *paths, bf_error *err)
{
    for (size_t i = 0; i < m->count; i++) {
        bf_status status = bf_csv_open(paths[i], &m->shard[i], err);
        if (status == BF_OK)
            status = check_columns(m, i, err);
        if (status != BF_OK)
            return status;
    }
    m->id = bf_csv_find(m->shard[0], "sample_id");
    m->status = bf_csv_find(m->shard[0], "status");
    if (m->id < 0 || m->status < 0)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%.200s is no table of scores.", bf_csv_name(m->shard[0]));
    for (size_t i = 0; i < bf_csv_column_count(m->shard[0]); i++)
        bf_csv_put(m->writer, bf_csv_column(m->shard[0], i));
    bf_csv_end_row(m->writer);
    return BF_OK;
}

static bf_status take_row(merging *m, const bf_csv_reader *csv, const bf_csv_field *row, bf_error *err)
{
    size_t before = m->ids.used;
    if (!bf_texts_keep(&m->ids, row[m->id].text, row[m->id].size))
        return bf_fail_memory(err);
    if (m->ids.used == before)
        return bf_csv_fail(csv, err, "sample '%.100s' was there before; is a shard given twice?", row[m->id].text);
    for (size_t i = 0; i < bf_csv_column_count(csv); i++)
        bf_csv_put(m->writer, row[i].text);
    bf_csv_end_row(m->writer);
    const char *status = row[m->status].text;
    m->counts.ok += strcmp(status, "ok") == 0;
    m->counts.could_not_judge += strcmp(status, "could_not_judge") == 0;
    m->counts.error += strcmp(status, "error") == 0;
    return BF_OK;
}

/* Shards hold every count-th sample: taking one row of each in turn restores the manifest's order. The first that ends
 * ends all: a row after that belongs to a shard whose siblings are cut short. */
static bf_status take_rows(merging *m, bf_error *err)
{
    const bf_csv_field *row = NULL;
    for (size_t turn = 0;; turn++) {
        bf_csv_reader *csv = m->shard[turn % m->count];
        bf_status status = bf_csv_next(csv, &row, err);
        if (status == BF_OK && !row)
            break;
        if (status == BF_OK)
            status = take_row(m, csv, row, err);
        if (status != BF_OK)
            return status;
    }
    for (size_t i = 0; i < m->count; i++) {
        bf_status status = bf_csv_next(m->shard[i], &row, err);
        if (status != BF_OK)
            return status;
        if (row)
            return bf_csv_fail(m->shard[i], err, "the other shards have too few rows for this one; score them again.");
    }
    return BF_OK;
}

bf_status bf_score_merge(const char *const *paths, size_t count, const char *path, bf_score_counts *ret, bf_error *err)
{
    BF_CLEANUP(bf_csv_writer_free) bf_csv_writer *writer = NULL;
    merging m = {.count = count, .shard = bf_calloc(count + 1, sizeof(bf_csv_reader *))};
    if (!m.shard)
        return bf_fail_memory(err);
    bf_status status = bf_csv_create(path, &writer, err);
    m.writer = writer;
    if (status == BF_OK)
        status = open_shards(&m, paths, err);
    if (status == BF_OK)
        status = take_rows(&m, err);
    for (size_t i = 0; i < count; i++)
        bf_csv_free(&m.shard[i]);
    bf_free(m.shard);
    bf_texts_done(&m.ids);
    if (status == BF_OK)
        status = bf_csv_commit(writer, err);
    if (status == BF_OK)
        *ret = m.counts;
    return status;
}
