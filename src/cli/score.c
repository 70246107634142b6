/* bonafide score: judges a dataset with the installed release. */
#include "cli/score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/interrupt.h"

#define SHARDS_MAX 1024
#define DEFAULT_FLOW "account_opening"
#define DEFAULT_OUTPUT "scores.csv"
#define CACHE_DIGITS 24

enum {
    OPTION_OUTPUT,
    OPTION_SPLIT,
    OPTION_FLOW,
    OPTION_SHARD,
    OPTION_MERGE,
    OPTION_CACHE,
    OPTION_EARLY_EXIT,
    OPTION_DATASET,
    OPTION_ENGINE = OPTION_DATASET + CLI_DATASET_ROWS
};

static const cli_option OPTIONS[] = {
    {"output", 'o', "FILE", "table to write (" DEFAULT_OUTPUT "); what it was made with goes beside it"},
    {"split", 's', "FILE", "split whose parts go into the column split"},
    {"flow", 'f', "NAME", "the journey of band, decision and reason (" DEFAULT_FLOW ")"},
    {"shard", 0, "PART", "score one of several equal shares, such as 1/4, for several machines"},
    {"merge", 0, NULL, "put the tables of all shards, which are the operands, together"},
    {"cache", 0, "DIR", "where judgements are kept (~/.cache/bonafide/scores)"},
    {"early-exit", 0, NULL, "stop where the outcome is settled, as in operation: for latencies"},
    CLI_DATASET_OPTION_ROWS,
    CLI_ENGINE_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct scoring_run {
    cli_dataset d;
    cli_engine_options engine_options;
    bf_scoring scoring;
    bf_shard shard;
    bool merge;
    const char *output, *split_file, *cache;
    bf_engine *engine;
    bf_split split;
    bf_journal *journal;
    char program[BF_SHA256_HEX_SIZE];
} scoring_run;

static bool read_shard(scoring_run *s, const char *text)
{
    char *slash = NULL, *end = NULL;
    unsigned long index = strtoul(text, &slash, 10), count = *slash == '/' ? strtoul(slash + 1, &end, 10) : 0;
    bool good = text[0] >= '0' && text[0] <= '9' && end && *end == '\0' && slash[1] >= '0' && slash[1] <= '9' &&
                index >= 1 && index <= count && count <= SHARDS_MAX;
    if (!good) {
        (void)cli_fail_usage(s->d.command, "--shard must be such as 1/4, at most of %d, not '%s'.", SHARDS_MAX, text);
        return false;
    }
    s->shard = (bf_shard){index - 1, count};
    return true;
}

static bool set_option(scoring_run *s, int key, const char *value)
{
    switch (key) {
    case OPTION_OUTPUT:
        s->output = value;
        return true;
    case OPTION_SPLIT:
        s->split_file = value;
        return true;
    case OPTION_FLOW:
        s->scoring.flow = value;
        return true;
    case OPTION_SHARD:
        return read_shard(s, value);
    case OPTION_MERGE:
        s->merge = true;
        return true;
    case OPTION_CACHE:
        s->cache = value;
        return true;
    case OPTION_EARLY_EXIT:
        s->scoring.early_exit = true;
        return true;
    default:
        if (key < OPTION_ENGINE)
            return cli_dataset_option(&s->d, key - OPTION_DATASET, value);
        cli_engine_option(&s->engine_options, key - OPTION_ENGINE, value);
        return true;
    }
}

/* Two builds of one version may judge differently while somebody works on the code: the program itself is part of what
 * a cached judgement depends on. */
static bf_status hash_program(char ret[BF_SHA256_HEX_SIZE], bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes program = {0};
    bf_status status = bf_bytes_read_file(&program, "/proc/self/exe", BF_MODEL_BYTES_MAX, err);
    if (status == BF_OK)
        bf_sha256_hex(program.data, program.size, ret);
    return status;
}

/* DIR/HASH.csv, where the hash is over everything but the picture that a judgement depends on. */
static bf_status open_journal(scoring_run *s, bf_error *err)
{
    char path[BF_DATASET_PATH_SIZE], text[512], hex[BF_SHA256_HEX_SIZE];
    bf_status status = cli_score_cache(s->cache, path, err);
    if (status == BF_OK)
        status = hash_program(s->program, err);
    if (status != BF_OK)
        return status;
    int length = snprintf(text, sizeof text, "%s %s %s %d %d", s->scoring.stack, s->program, s->scoring.flow,
                          s->scoring.early_exit, s->engine_options.no_timing);
    bf_sha256_hex(text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1, hex);
    size_t used = strlen(path);
    (void)snprintf(path + used, sizeof path - used, "/%.*s.csv", CACHE_DIGITS, hex);
    bf_row_text *header = bf_malloc(sizeof *header);
    if (!header)
        return bf_fail_memory(err);
    bf_judgement_header(&s->scoring, header);
    status = header->overflow ? bf_fail(err, BF_INTERNAL, "There are too many columns.")
                              : bf_journal_open(path, header->text, &s->journal, err);
    bf_free(header);
    return status;
}

static bool show(void *data, size_t done)
{
    scoring_run *s = data;
    cli_progress_show(&s->d.progress, done);
    return !cli_interrupted();
}

/* Judges what the journal lacks. */
static int judge_missing(scoring_run *s, const bf_score_job *job)
{
    bf_error err = {0};
    size_t *missing = NULL, count = 0, done = 0, all = bf_score_count(job);
    if (bf_score_missing(job, &missing, &count, &err) != BF_OK)
        return cli_fail_data(s->d.command, &err);
    (void)printf("%zu samples: %zu judged before, %zu to judge\n", all, all - count, count);
    (void)fflush(stdout);
    double started_ms = cli_now_ms();
    s->d.progress = cli_progress_start(count);
    bf_status status = bf_score_judge(job, missing, count, &done, &err);
    cli_progress_hide(&s->d.progress);
    bf_free(missing);
    if (status != BF_OK)
        return cli_fail_data(s->d.command, &err);
    if (done < count)
        return cli_fail(s->d.command, CLI_INTERNAL, "interrupted after %zu of %zu; run it again to go on.", done,
                        count);
    if (count > 0 && !s->engine_options.no_timing)
        (void)printf("Judged in %.1f s\n", (cli_now_ms() - started_ms) / 1e3);
    return 0;
}

static int write_scores(scoring_run *s, const bf_score_job *job)
{
    bf_error err = {0};
    cli_score_meta meta = {
        .scoring = &s->scoring,
        .dataset = &s->d.dataset,
        .split = job->part ? s->split.id : NULL,
        .shard = s->shard,
        .timing = !s->engine_options.no_timing,
        .program = s->program,
    };
    if (bf_score_write(job, s->output, &meta.counts, &err) != BF_OK ||
        cli_score_meta_write(&meta, s->output, &err) != BF_OK)
        return cli_fail_error(s->d.command, &err);
    (void)printf("%s: %zu ok, %zu could not be judged, %zu errors; stack %s\n", s->output, meta.counts.ok,
                 meta.counts.could_not_judge, meta.counts.error, s->scoring.stack);
    return 0;
}

/* The dataset with everything that is wrong with it told before the first judgement. */
static int prepare(scoring_run *s, const char *path)
{
    bf_error err = {0};
    int code = cli_dataset_open(&s->d, path);
    if (code != 0)
        return code;
    bf_status status = BF_OK;
    if (s->split_file)
        status = bf_split_read(s->split_file, &s->d.dataset, &s->split, &s->d.problems, &err);
    else if (s->d.dataset.has[BF_COLUMN_SPLIT])
        status = bf_split_of_manifest(&s->d.dataset, &s->split, &err);
    if (status != BF_OK)
        return cli_fail_data(s->d.command, &err);
    code = cli_dataset_probe(&s->d, false, s->shard.index, s->shard.count);
    if (code == 0)
        code = cli_dataset_check(&s->d);
    return code == 0 ? cli_engine_open(s->d.command, &s->engine_options, &s->engine) : code;
}

static int score(scoring_run *s, const char *path)
{
    bf_error err = {0};
    int code = prepare(s, path);
    if (code != 0)
        return code;
    s->scoring.engine = s->engine;
    if (!bf_engine_policy(s->engine, s->scoring.flow))
        return cli_fail_usage(s->d.command, "there is no journey named '%s'.", s->scoring.flow);
    if (bf_scoring_identify(&s->scoring, &err) != BF_OK || open_journal(s, &err) != BF_OK)
        return cli_fail_data(s->d.command, &err);
    const bf_score_job job = {
        .scoring = &s->scoring,
        .dataset = &s->d.dataset,
        .probes = s->d.probes,
        .part = s->split.part,
        .journal = s->journal,
        .shard = s->shard,
        .jobs = cli_jobs(s->d.jobs),
        .progress = show,
        .progress_data = s,
    };
    code = judge_missing(s, &job);
    return code == 0 ? write_scores(s, &job) : code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    scoring_run s = {.d.command = command, .scoring.flow = DEFAULT_FLOW, .shard = {0, 1}, .output = DEFAULT_OUTPUT};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (!set_option(&s, key, parser.value))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    if (s.merge)
        return cli_finish_output(command, cli_score_merge(command, parser.operand, parser.operand_count, s.output));
    if (parser.operand_count > 1)
        return cli_fail_usage(command, "unexpected '%s'.", parser.operand[1]);
    int code = score(&s, parser.operand[0]);
    bf_journal_free(&s.journal);
    bf_split_done(&s.split);
    bf_engine_free(&s.engine);
    cli_dataset_done(&s.d);
    return cli_finish_output(command, code);
}

const cli_command CLI_SCORE = {
    .name = "score",
    .operands = "DATASET...",
    .summary = "Judge a dataset and write a table of scores",
    .about =
        "One row for each sample: every detector's raw and calibrated value, quality measures, the decision of each "
        "journey, times, versions. What was judged is kept: a second run, also after an interruption, judges only "
        "what is new. With --merge, the operands are the tables of shards.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};
