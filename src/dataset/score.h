/* Judging a dataset's samples with the installed release, and writing scores.csv. */
#ifndef BF_DATASET_SCORE_H
#define BF_DATASET_SCORE_H

#include "dataset/journal.h"
#include "dataset/judgement.h"
#include "dataset/probe.h"

/* One of `count` equal shares of the samples: index, index + count, ... */
typedef struct bf_shard {
    size_t index, count; /* 0 <= index < count */
} bf_shard;

typedef struct bf_score_job {
    const bf_scoring *scoring;
    const bf_dataset *dataset;
    const bf_probe *probes;  /* of every sample of the shard, without errors */
    const char *const *part; /* the split's part of each sample; NULL: no split */
    bf_journal *journal;
    bf_shard shard;
    int jobs;
    bool (*progress)(void *data, size_t done); /* may be NULL; false ends the work */
    void *progress_data;
} bf_score_job;

/* Samples of the shard. */
size_t bf_score_count(const bf_score_job *job);

/* The samples of the shard that the journal does not hold. The caller frees *ret with bf_free. OUT_OF_MEMORY. */
bf_status bf_score_missing(const bf_score_job *job, size_t **ret, size_t *ret_count, bf_error *err);

/* Judges these samples and adds each to the journal at once. *ret_done tells how many were judged: fewer than `count`
 * when `progress` ended it. IO_ERROR, OUT_OF_MEMORY, INVALID_ARGUMENT (a file changed meanwhile), INTERNAL. */
bf_status bf_score_judge(const bf_score_job *job, const size_t *missing, size_t count, size_t *ret_done, bf_error *err);

/* How the judged samples of a table ended. */
typedef struct bf_score_counts {
    size_t ok, could_not_judge, error;
} bf_score_counts;

/* Writes the shard's samples, in the manifest's order. Every one must be in the journal. */
bf_status bf_score_write(const bf_score_job *job, const char *path, bf_score_counts *ret, bf_error *err);

/* Puts the tables of all shards together, paths[0] being that of the first: every column must be the same, and
 * together they must hold each sample once. INVALID_ARGUMENT, IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_score_merge(const char *const *paths, size_t count, const char *path, bf_score_counts *ret, bf_error *err);

#endif
