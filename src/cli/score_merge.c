/* bonafide score --merge: puts the tables of all shards together. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/score.h"
#include "record/build.h"
#include "record/parse.h"

#define SHARDS_MAX 1024

typedef struct merge {
    const char *table[SHARDS_MAX]; /* by the number of the shard */
    json_t *meta[SHARDS_MAX];
    size_t count;
} merge;

/* The parts of the documents that all shards of one run have in common. */
static const char *const SHARED[] = {"format", "dataset",    "samples", "split",          "flow",
                                     "stack",  "early_exit", "timing",  "program_sha256", NULL};

static bf_status fail_shard(bf_error *err, const char *table, const char *why)
{
    return bf_fail(err, BF_INVALID_ARGUMENT, "%.180s: %s", table, why);
}

static bf_status read_meta(merge *m, const char *table, bf_error *err)
{
    char path[BF_DATASET_PATH_SIZE];
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    BF_CLEANUP(bf_json_release) json_t *root = NULL;
    const json_t *shard = NULL;
    int index = 0, count = 0;
    if (!cli_meta_path(table, path))
        return fail_shard(err, table, "the path is too long.");
    bf_status status = bf_bytes_read_file(&bytes, path, BF_JSON_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_json_parse(bytes.data, bytes.size, path, &root, err);
    if (status == BF_OK)
        status = bf_json_get_object(root, path, "shard", &shard, err);
    if (status == BF_OK && shard)
        status = bf_json_get_integer(shard, path, "index", 1, SHARDS_MAX, &index, err);
    if (status == BF_OK && shard)
        status = bf_json_get_integer(shard, path, "count", 1, SHARDS_MAX, &count, err);
    if (status != BF_OK)
        return status;
    if (!shard || index == 0 || (size_t)count != m->count || index > count) {
        (void)bf_fail(err, BF_INVALID_ARGUMENT, "%.180s is shard %d of %d, and %zu tables are given.", table, index,
                      count, m->count);
        bf_fail_hint(err, "Name the table of every shard once.");
        return BF_INVALID_ARGUMENT;
    }
    if (m->meta[index - 1])
        return bf_fail(err, BF_INVALID_ARGUMENT, "%.140s and %.140s are both shard %d.", m->table[index - 1], table,
                       index);
    m->table[index - 1] = table;
    m->meta[index - 1] = root;
    root = NULL; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

/* Shards must come from one dataset and one release. */
static bf_status check_shared(const merge *m, bf_error *err)
{
    for (size_t i = 1; i < m->count; i++) {
        for (int k = 0; SHARED[k]; k++) {
            if (json_equal(json_object_get(m->meta[0], SHARED[k]), json_object_get(m->meta[i], SHARED[k])))
                continue;
            (void)bf_fail(err, BF_INVALID_ARGUMENT, "%.120s and %.120s differ in '%s'.", m->table[0], m->table[i],
                          SHARED[k]);
            bf_fail_hint(err, "Score every shard of one dataset with one release and the same options.");
            return BF_INVALID_ARGUMENT;
        }
    }
    return BF_OK;
}

static bf_status write_merged(merge *m, const char *output, bf_error *err)
{
    bf_score_counts counts = {0};
    bf_build build = {0};
    bf_status status = bf_score_merge(m->table, m->count, output, &counts, err);
    if (status != BF_OK)
        return status;
    json_t *root = m->meta[0];
    json_t *shard = json_object(), *told = json_object();
    bf_build_put(&build, shard, "index", json_integer(1));
    bf_build_put(&build, shard, "count", json_integer(1));
    bf_build_put(&build, told, "ok", json_integer((json_int_t)counts.ok));
    bf_build_put(&build, told, "could_not_judge", json_integer((json_int_t)counts.could_not_judge));
    bf_build_put(&build, told, "error", json_integer((json_int_t)counts.error));
    bf_build_put(&build, root, "shard", shard);
    bf_build_put(&build, root, "counts", told);
    status = build.failed ? bf_fail_memory(err) : cli_meta_write(root, output, err);
    if (status == BF_OK)
        (void)printf("%s: %zu samples of %zu shards: %zu ok, %zu could not be judged, %zu errors\n", output,
                     counts.ok + counts.could_not_judge + counts.error, m->count, counts.ok, counts.could_not_judge,
                     counts.error);
    return status;
}

int cli_score_merge(const cli_command *command, char **tables, int count, const char *output)
{
    if (count > SHARDS_MAX)
        return cli_fail_usage(command, "there may be %d shards at most.", SHARDS_MAX);
    merge m = {.count = (size_t)count};
    bf_error err = {0};
    bf_status status = BF_OK;
    for (size_t i = 0; i < m.count && status == BF_OK; i++)
        status = read_meta(&m, tables[i], &err);
    if (status == BF_OK)
        status = check_shared(&m, &err);
    if (status == BF_OK)
        status = write_merged(&m, output, &err);
    for (size_t i = 0; i < m.count; i++)
        bf_json_release(&m.meta[i]);
    return status == BF_OK ? 0 : cli_fail_data(command, &err);
}
