/* bonafide compare: two releases on the same samples, and a verdict for CI. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/open.h"
#include "cli/table.h"
#include "cli/term.h"
#include "compare/report.h"
#include "dataset/parallel.h"

#define PATH_BYTES_MAX 4096
#define TEXT_COLUMNS 160

enum { EXPERIMENT, OUTPUT, SPLIT, COMMON, REPLICATES, SEED, JOBS, NO_DATE, JSON, INIT };

static const cli_option OPTIONS[] = {
    [EXPERIMENT] = {"experiment", 'e', "FILE", "what is to be shown, as YAML"},
    [OUTPUT] = {"output", 'o', "DIR", "where to write compare.json, compare.html and flips.csv (.)"},
    [SPLIT] = {"split", 's', "NAME", "only the samples of this split"},
    [COMMON] = {"common", 0, NULL, "leave out samples that only one table has"},
    [REPLICATES] = {"replicates", 0, "N", "draws of the intervals by person (2000)"},
    [SEED] = {"seed", 0, "N", "seed of those draws (1)"},
    [JOBS] = {"jobs", 'j', "N", "threads (one for each processor)"},
    [NO_DATE] = {"no-date", 0, NULL, "leave the date out, so that equal input gives equal bytes"},
    [JSON] = {"json", 0, NULL, "print compare.json instead of writing files"},
    [INIT] = {"init", 0, "FILE", "write an experiment file with comments, and compare nothing"},
    {NULL, 0, NULL, NULL},
};

typedef struct compare_request {
    const cli_command *command;
    const char *table[2], *experiment, *output, *split, *init;
    int replicates, seed, jobs;
    bool common, no_date, json;
} compare_request;

/* The names of the tables as people tell them apart: with their folder where the files are called alike. */
static void name_tables(const compare_request *r, const char *ret[2])
{
    bool alike = strcmp(cli_file_name(r->table[0]), cli_file_name(r->table[1])) == 0;
    for (int t = 0; t < 2; t++)
        ret[t] = alike ? r->table[t] : cli_file_name(r->table[t]);
}

static void show_work(void *context, size_t done, size_t total)
{
    cli_progress *progress = context;
    progress->total = total;
    cli_progress_show(progress, done);
}

static bf_status read_table(const compare_request *r, const char *path, bf_scores *ret, bf_error *err)
{
    cli_progress progress = cli_reading_start(path);
    const bf_scores_options options = {
        .split = r->split, .keep_samples = true, .progress = cli_reading_show, .context = &progress};
    bf_status status = bf_scores_read(ret, path, &options, err);
    cli_progress_hide(&progress);
    return status;
}

static bf_status read_pairs(const compare_request *r, const char *const name[2], bf_pairs *ret, bf_error *err)
{
    bf_scores a = {0}, b = {0};
    const bf_pairs_options options = {.name_a = name[0], .name_b = name[1], .common = r->common};
    bf_status status = read_table(r, r->table[0], &a, err);
    if (status == BF_OK)
        status = read_table(r, r->table[1], &b, err);
    if (status == BF_OK)
        return bf_pairs_join(ret, &a, &b, &options, err);
    bf_scores_done(&a);
    bf_scores_done(&b);
    return status;
}

static void print_figure(bf_metric_unit unit, double value, bool is_signed)
{
    if (isnan(value))
        (void)printf("-");
    else if (unit == BF_UNIT_SHARE)
        (void)printf(is_signed ? "%+.2f" : "%.2f %%", 100 * value);
    else if (unit == BF_UNIT_MS)
        (void)printf(is_signed ? "%+.2f ms" : "%.2f ms", value);
    else
        (void)printf(is_signed ? "%+.4f" : "%.4f", value);
}

static void print_judged(const bf_judged *j)
{
    static const char *const words[] = {"holds", "BROKEN", "open"};
    char text[512], plain[4 * TEXT_COLUMNS];
    bf_metric_unit unit = bf_metric_unit_of(j->criterion.metric.kind);
    const bf_contrast *c = &j->contrast;
    bf_criterion_text(&j->criterion, text, sizeof text);
    (void)cli_text_copy(text, TEXT_COLUMNS, true, plain, sizeof plain);
    (void)printf("%-7s %s\n        ", words[j->outcome], plain);
    print_figure(unit, c->a, false);
    (void)printf(" -> ");
    print_figure(unit, c->b, false);
    (void)printf(", ");
    print_figure(unit, c->difference, true);
    if (!isnan(c->interval.low)) {
        (void)printf(" (");
        print_figure(unit, c->interval.low, true);
        (void)printf(" to ");
        print_figure(unit, c->interval.high, true);
        (void)printf(")");
    }
    (void)cli_text_copy(j->reason, 2 * TEXT_COLUMNS, true, plain, sizeof plain);
    (void)printf("\n        %s\n", plain);
}

static void print_summary(const bf_comparison *c)
{
    const bf_experiment *e = &c->experiment;
    (void)printf("%zu samples of %zu persons, A at threshold %g, B at %g. ", c->pairs->a.count, c->kind[0].drawn,
                 e->threshold[0], e->threshold[1]);
    (void)printf(e->file[0] ? "Experiment %s.\n" : "No experiment, so the %s hold:\n", e->id);
    for (size_t i = 0; i < c->judged_count; i++)
        print_judged(&c->judged[i]);
    (void)printf("%zu answers changed.%s\n", c->flips,
                 c->notes > 0 ? " The report begins with notes on the figures." : "");
    (void)printf("Verdict: %s. %s\n", bf_outcome_word(c->verdict), bf_verdict_phrase(c->verdict));
}

/* All reports are complete before the first is written. */
static bf_status write_reports(const compare_request *r, const bf_comparison *c, const bf_bytes *json,
                               const bf_bytes *html, bf_error *err)
{
    char path[PATH_BYTES_MAX];
    if (snprintf(path, sizeof path, "%s/flips.csv", r->output) >= (int)sizeof path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The name of the folder is too long.");
    bf_status status = cli_write(r->output, "compare.json", json, err);
    if (status == BF_OK)
        status = cli_write(r->output, "compare.html", html, err);
    return status == BF_OK ? bf_flips_write(c, path, err) : status;
}

static bf_status report(const compare_request *r, const bf_comparison *c, const char *const name[2], bf_error *err)
{
    char now[CLI_NOW_SIZE];
    BF_CLEANUP(bf_bytes_done) bf_bytes json = {0}, html = {0};
    const bf_compare_facts facts = {
        .table = {name[0], name[1]}, .program = "bonafide " BF_VERSION, .made_at = cli_now(!r->no_date, now)};
    bf_status status = bf_compare_json(&json, c, &facts, err);
    if (status == BF_OK && r->json) {
        (void)fwrite(json.data, 1, json.size, stdout);
        return BF_OK;
    }
    if (status == BF_OK)
        status = bf_compare_html(&html, c, &facts, err);
    if (status == BF_OK)
        status = write_reports(r, c, &json, &html, err);
    if (status == BF_OK) {
        print_summary(c);
        (void)printf("%s/compare.html\n%s/compare.json\n%s/flips.csv\n", r->output, r->output, r->output);
    }
    return status;
}

static bf_status compare(const compare_request *r, bf_outcome *ret, bf_error *err)
{
    const char *name[2];
    bf_experiment experiment;
    BF_CLEANUP(bf_pairs_done) bf_pairs pairs = {0};
    BF_CLEANUP(bf_comparison_done) bf_comparison comparison = {0};
    bf_experiment_default(&experiment);
    bf_status status = r->experiment ? bf_experiment_read(r->experiment, &experiment, err) : BF_OK;
    if (status != BF_OK)
        return status;
    name_tables(r, name);
    status = read_pairs(r, name, &pairs, err);
    if (status != BF_OK)
        return status;
    cli_progress progress = cli_progress_start(2);
    const bf_comparison_options options = {.replicates = (size_t)r->replicates,
                                           .seed = (uint64_t)r->seed,
                                           .jobs = cli_jobs(r->jobs),
                                           .progress = show_work,
                                           .context = &progress};
    status = bf_compare(&comparison, &pairs, &experiment, &options, err);
    cli_progress_hide(&progress);
    if (status != BF_OK)
        return status;
    *ret = comparison.verdict;
    return report(r, &comparison, name, err);
}

/* Takes one option over; returns the exit code, 0 to go on. */
static int take_option(compare_request *r, int option, char *value)
{
    switch (option) {
    case EXPERIMENT:
        r->experiment = value;
        return 0;
    case OUTPUT:
        r->output = value;
        return 0;
    case SPLIT:
        r->split = value;
        return 0;
    case COMMON:
        r->common = true;
        return 0;
    case REPLICATES:
        return cli_read_replicates(r->command, value, &r->replicates) ? 0 : CLI_USAGE;
    case SEED:
        return cli_read_seed(r->command, value, &r->seed) ? 0 : CLI_USAGE;
    case JOBS:
        return cli_read_number(r->command, "jobs", value, 1, BF_PARALLEL_JOBS_MAX, &r->jobs) ? 0 : CLI_USAGE;
    case NO_DATE:
        r->no_date = true;
        return 0;
    case JSON:
        r->json = true;
        return 0;
    default:
        r->init = value;
        return 0;
    }
}

/* An experiment that somebody wrote is not written over. */
static int write_template(const compare_request *r)
{
    bf_error err = {0};
    if (access(r->init, F_OK) == 0)
        return cli_fail(r->command, CLI_USAGE, "%s is there already.", r->init);
    if (bf_bytes_write_file(r->init, BF_EXPERIMENT_TEMPLATE, strlen(BF_EXPERIMENT_TEMPLATE), &err) != BF_OK)
        return cli_fail_table(r->command, &err);
    (void)printf("%s\n", r->init);
    return cli_finish_output(r->command, 0);
}

static int run(const cli_command *command, int argc, char **argv)
{
    static const int codes[] = {
        [BF_OUTCOME_PASS] = 0, [BF_OUTCOME_FAIL] = CLI_FAILED, [BF_OUTCOME_INCONCLUSIVE] = CLI_INCONCLUSIVE};
    bf_error err = {0};
    bf_outcome verdict = BF_OUTCOME_INCONCLUSIVE;
    compare_request request = {
        .command = command, .output = ".", .replicates = BF_REPLICATES, .seed = CLI_SEED_DEFAULT};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option; (option = cli_parser_next(&parser)) >= 0;) {
        int code = take_option(&request, option, parser.value);
        if (code != 0)
            return code;
    }
    if (parser.ended)
        return parser.code;
    if (parser.operand_count != (request.init ? 0 : 2))
        return cli_fail_usage(command, request.init
                                           ? "--init takes no tables."
                                           : "Two tables are needed, of the release so far and the candidate.");
    if (request.init)
        return write_template(&request);
    request.table[0] = parser.operand[0];
    request.table[1] = parser.operand[1];
    if (strcmp(request.table[0], "-") == 0 || strcmp(request.table[1], "-") == 0)
        return cli_fail_usage(command, "The tables must be files.");
    if (compare(&request, &verdict, &err) != BF_OK)
        return cli_fail_table(command, &err);
    return cli_finish_output(command, codes[verdict]);
}

const cli_command CLI_COMPARE = {
    .name = "compare",
    .operands = "A B",
    .summary = "Compare two releases on the same samples",
    .about = "A and B are the scores.csv that `bonafide score` wrote with the release so far and with the candidate, "
             "for one split of one dataset. Tells how the errors, decisions, scores and times changed and how sure "
             "that is, and whether the candidate keeps to the criteria of the experiment. The exit status is 0 when "
             "it does, 1 when it breaks one, 2 when there is too little data to tell, and 65 when the tables or the "
             "experiment cannot be used.",
    .options = OPTIONS,
    .operands_min = 0,
    .operands_max = 2,
    .run = run,
};
