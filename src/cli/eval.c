/* bonafide eval: from a table of scores to a report of error rates. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/progress.h"
#include "cli/term.h"
#include "dataset/csv.h"
#include "evaluate/report.h"

#define BESIDE_MAX 32
#define SEED_DEFAULT 1
#define REPLICATES_MIN 100
#define REPLICATES_MAX 100000
#define PATH_BYTES_MAX 4096

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
    const char *beside[BESIDE_MAX];
    double threshold;
    int beside_count, replicates, seed;
    bool mixed, no_date, json;
} evaluation_request;

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(path, "-") == 0 ? "standard input" : slash ? slash + 1 : path;
}

static void show_progress(void *context, uint64_t bytes)
{
    cli_progress_show(context, (size_t)(bytes / 1024));
}

static bf_status read_table(const evaluation_request *r, bf_scores *ret, bf_said *said, bf_error *err)
{
    struct stat info;
    size_t total = stat(r->table, &info) == 0 ? (size_t)info.st_size / 1024 : 0;
    cli_progress progress = cli_progress_start(total);
    const bf_scores_options options = {.split = r->split,
                                       .allow_mixed_stacks = r->mixed,
                                       .row = bf_said_take,
                                       .row_context = said,
                                       .progress = show_progress,
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

/* Both reports are complete before the first is written. */
static bf_status write_reports(const evaluation_request *r, const bf_bytes *json, const bf_bytes *html, bf_error *err)
{
    char path[PATH_BYTES_MAX];
    if (mkdir(r->output, 0777) != 0 && errno != EEXIST)
        return bf_fail(err, BF_IO_ERROR, "Cannot make the folder %.200s: %s.", r->output, strerror(errno));
    if (snprintf(path, sizeof path, "%s/report.json", r->output) >= (int)sizeof path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The name of the folder is too long.");
    bf_status status = bf_bytes_write_file(path, json->data, json->size, err);
    (void)snprintf(path, sizeof path, "%s/report.html", r->output);
    return status == BF_OK ? bf_bytes_write_file(path, html->data, html->size, err) : status;
}

static bf_status report(const evaluation_request *r, const bf_evaluation *e, bf_error *err)
{
    char date[32] = "";
    struct tm utc;
    time_t now = time(NULL);
    BF_CLEANUP(bf_bytes_done) bf_bytes json = {0}, html = {0};
    if (!r->no_date && gmtime_r(&now, &utc))
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    const bf_report_facts facts = {
        .table = file_name(r->table), .program = "bonafide " BF_VERSION, .made_at = date[0] ? date : NULL};
    bf_status status = bf_report_json(&json, e, &facts, err);
    if (status == BF_OK && r->json) {
        (void)fwrite(json.data, 1, json.size, stdout);
        return BF_OK;
    }
    if (status == BF_OK)
        status = bf_report_html(&html, e, &facts, err);
    if (status == BF_OK)
        status = write_reports(r, &json, &html, err);
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
        .beside_count = (size_t)r->beside_count,
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
        if (!bf_csv_number((bf_csv_field){value, strlen(value)}, &r->threshold) || r->threshold < 0 ||
            r->threshold > BF_SCORE_TOP)
            return cli_fail_usage(r->command, "--threshold must be a number from 0 to 100, not '%s'.", value);
        return 0;
    case SPLIT:
        r->split = value;
        return 0;
    case BESIDE:
        if (r->beside_count == BESIDE_MAX)
            return cli_fail_usage(r->command, "--beside can be given %d times at most.", BESIDE_MAX);
        r->beside[r->beside_count++] = value;
        return 0;
    case TITLE:
        r->title = value;
        return 0;
    case REPLICATES:
        return cli_read_number(r->command, "replicates", value, REPLICATES_MIN, REPLICATES_MAX, &r->replicates)
                   ? 0
                   : CLI_USAGE;
    case SEED:
        return cli_read_number(r->command, "seed", value, 0, 2147483647, &r->seed) ? 0 : CLI_USAGE;
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
                                  .seed = SEED_DEFAULT};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option; (option = cli_parser_next(&parser)) >= 0;) {
        int code = take_option(&request, option, parser.value);
        if (code != 0)
            return code;
    }
    if (parser.ended)
        return parser.code;
    request.table = parser.operand[0];
    bf_status status = evaluate(&request, &err);
    if (status == BF_OK)
        return cli_finish_output(command, 0);
    int code = cli_fail_error(command, &err);
    return status == BF_INVALID_ARGUMENT ? CLI_UNREADABLE : code;
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
