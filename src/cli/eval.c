/* bonafide eval: from a table of scores to a report of error rates. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/table.h"
#include "cli/term.h"
#include "dataset/csv.h"
#include "evaluate/report.h"

enum { OUTPUT, THRESHOLD, SPLIT, BESIDE, TITLE, REPLICATES, SEED, MIXED, NO_DATE, JSON };

static const cli_option OPTIONS[] = {
    [OUTPUT] = {"output", 'o', "DIR", "where to write report.json and report.html (.)"},
    [THRESHOLD] = {"threshold", 't', "SCORE", "accept from this score on (80)"},
    [SPLIT] = {"split", 's', "NAME", "only the samples of this split"},
    [BESIDE] = {"beside", 'b', "SPECIES", "keep a species out of the headline; repeatable"},
    [TITLE] = {"title", 0, "TEXT", "title of the report"},
    [REPLICATES] = {"replicates", 0, "N", "draws of the intervals by person (2000)"},
    [SEED] = {"seed", 0, "N", "seed of those draws (1)"},
    [MIXED] = {"mixed-stacks", 0, NULL, "evaluate rows of several versions as one table"},
    [NO_DATE] = {"no-date", 0, NULL, "leave the date out, so that equal input gives equal bytes"},
    [JSON] = {"json", 0, NULL, "print report.json instead of writing files"},
    {NULL, 0, NULL, NULL},
};

typedef struct evaluation_request {
    const cli_command *command;
    const char *table, *output, *split, *title;
    const char *beside[CLI_NAMES_MAX];
    double threshold;
    size_t beside_count;
    int replicates, seed;
    bool mixed, no_date, json;
} evaluation_request;

static bf_status read_table(const evaluation_request *r, bf_scores *ret, bf_said *said, bf_error *err)
{
    cli_progress progress = cli_reading_start(r->table);
    const bf_scores_options options = {.split = r->split,
                                       .allow_mixed_stacks = r->mixed,
                                       .row = bf_said_take,
                                       .row_context = said,
                                       .progress = cli_reading_show,
                                       .context = &progress};
    bf_status status = bf_scores_read(ret, r->table, &options, err);
    cli_progress_hide(&progress);
    return status;
}

static void print_rate(const char *name, const bf_rate *rate, const char *note)
{
    char plain[64];
    (void)cli_text_copy(note, 40, true, plain, sizeof plain);
    (void)printf("%-14s %6.2f %%  (%.2f to %.2f %%)  %llu of %llu%s%s\n", name, 100 * rate->value, 100 * rate->low,
                 100 * rate->high, (unsigned long long)rate->count, (unsigned long long)rate->total,
                 plain[0] ? ", " : "", plain);
}

static void print_summary(const bf_evaluation *e)
{
    size_t serious = 0;
    for (size_t i = 0; i < e->warnings; i++)
        serious += e->warning[i].gravity == BF_GRAVITY_SERIOUS;
    (void)printf("At threshold %g, with 95 %% intervals (Clopper-Pearson):\n", e->options.threshold);
    print_rate("highest APCER", &e->kind[e->worst_kind].error, bf_kind_name(e, e->worst_kind));
    print_rate("BPCER", &e->kind[0].error, "");
    print_rate("BPNRR", &e->kind[0].silent, "");
    (void)printf("%-14s %6.2f %%\n%-14s %6.4f\n", "EER", 100 * e->figures.eer, "AUC", e->figures.auc);
    if (e->warnings > 0)
        (void)printf("%zu warnings, %zu of them serious; the report begins with them.\n", e->warnings, serious);
}

static bf_status report(const evaluation_request *r, const bf_evaluation *e, bf_error *err)
{
    char now[CLI_NOW_SIZE];
    BF_CLEANUP(bf_bytes_done) bf_bytes json = {0}, html = {0};
    const bf_report_facts facts = {
        .table = cli_file_name(r->table), .program = "bonafide " BF_VERSION, .made_at = cli_now(!r->no_date, now)};
    bf_status status = bf_report_json(&json, e, &facts, err);
    if (status == BF_OK && r->json) {
        (void)fwrite(json.data, 1, json.size, stdout);
        return BF_OK;
    }
    if (status == BF_OK)
        status = bf_report_html(&html, e, &facts, err);
    if (status == BF_OK) /* both are complete before the first is written */
        status = cli_write(r->output, "report.json", &json, err);
    if (status == BF_OK)
        status = cli_write(r->output, "report.html", &html, err);
    if (status == BF_OK) {
        print_summary(e);
        (void)printf("%s/report.html\n%s/report.json\n", r->output, r->output);
    }
    return status;
}

static bf_status evaluate(const evaluation_request *r, bf_error *err)
{
    BF_CLEANUP(bf_scores_done) bf_scores scores = {0};
    BF_CLEANUP(bf_said_done) bf_said said = {0};
    BF_CLEANUP(bf_evaluation_done) bf_evaluation evaluation = {0};
    const bf_evaluation_options options = {
        .threshold = r->threshold,
        .replicates = (size_t)r->replicates,
        .seed = (uint64_t)r->seed,
        .beside = r->beside,
        .beside_count = r->beside_count,
        .title = r->title,
        .said = &said,
    };
    bf_status status = read_table(r, &scores, &said, err);
    if (status == BF_OK)
        status = bf_evaluate(&evaluation, &scores, &options, err);
    return status == BF_OK ? report(r, &evaluation, err) : status;
}

/* Takes one option over; returns the exit code, 0 to go on. */
static int take_option(evaluation_request *r, int option, char *value)
{
    switch (option) {
    case OUTPUT:
        r->output = value;
        return 0;
    case THRESHOLD:
        return cli_read_score(r->command, "threshold", value, &r->threshold) ? 0 : CLI_USAGE;
    case SPLIT:
        r->split = value;
        return 0;
    case BESIDE:
        return cli_add_name(r->command, "beside", value, r->beside, &r->beside_count) ? 0 : CLI_USAGE;
    case TITLE:
        r->title = value;
        return 0;
    case REPLICATES:
        return cli_read_replicates(r->command, value, &r->replicates) ? 0 : CLI_USAGE;
    case SEED:
        return cli_read_seed(r->command, value, &r->seed) ? 0 : CLI_USAGE;
    case MIXED:
        r->mixed = true;
        return 0;
    case NO_DATE:
        r->no_date = true;
        return 0;
    default:
        r->json = true;
        return 0;
    }
}

static int run(const cli_command *command, int argc, char **argv)
{
    bf_error err = {0};
    evaluation_request request = {.command = command,
                                  .output = ".",
                                  .threshold = BF_THRESHOLD_DEFAULT,
                                  .replicates = BF_REPLICATES,
                                  .seed = CLI_SEED_DEFAULT};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option; (option = cli_parser_next(&parser)) >= 0;) {
        int code = take_option(&request, option, parser.value);
        if (code != 0)
            return code;
    }
    if (parser.ended)
        return parser.code;
    request.table = parser.operand[0];
    if (evaluate(&request, &err) == BF_OK)
        return cli_finish_output(command, 0);
    return cli_fail_table(command, &err);
}

const cli_command CLI_EVAL = {
    .name = "eval",
    .operands = "SCORES",
    .summary = "Report error rates from a table of scores",
    .about = "Reads the scores.csv that `bonafide score` writes (- for standard input) and reports APCER per species "
             "and its maximum, BPCER, rates without a response, figures over all thresholds, segments, coverage, "
             "calibration and latency, each with what it cannot show. The exit status is 65 when the table cannot be "
             "used.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
