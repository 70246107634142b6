/* bonafide score, in parts. */
#ifndef BF_CLI_SCORE_H
#define BF_CLI_SCORE_H

#include <jansson.h>

#include "cli/dataset.h"
#include "cli/open.h"
#include "dataset/score.h"

/* What scores.meta.json says of one table. */
typedef struct cli_score_meta {
    const bf_scoring *scoring;
    const bf_dataset *dataset;
    const char *split; /* NULL: none */
    bf_shard shard;
    bool timing;
    const char *program; /* hash of the running program */
    bf_score_counts counts;
} cli_score_meta;

/* "DIR/scores.csv" -> "DIR/scores.meta.json". false when it is too long. */
bool cli_meta_path(const char *table, char ret[BF_DATASET_PATH_SIZE]);

/* Writes the document beside `table`. */
bf_status cli_score_meta_write(const cli_score_meta *meta, const char *table, bf_error *err);
/* Writes any document beside `table`. */
bf_status cli_meta_write(const json_t *root, const char *table, bf_error *err);

/* Finds and makes the folder of the cache: what the user said, else below $XDG_CACHE_HOME or $HOME/.cache. IO_ERROR. */
bf_status cli_score_cache(const char *given, char ret[BF_DATASET_PATH_SIZE], bf_error *err);

/* Puts shards together; returns the exit code. */
int cli_score_merge(const cli_command *command, char **tables, int count, const char *output);

#endif
