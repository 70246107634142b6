/* bonafide errors: from a table of scores to the errors in it, and from reviews back to the dataset. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/interrupt.h"
#include "cli/open.h"
#include "cli/table.h"
#include "dataset/csv.h"
#include "evaluate/evaluate.h"
#include "review/notes.h"
#include "review/package.h"

#define PATH_BYTES_MAX 4096

enum { OUTPUT, THRESHOLD, PROPOSED, SPLIT, LIMIT, NO_PICTURES, PACKAGE, NO_DATE, IMPORT, DATASET, OPTION_DATASET };

static const cli_option OPTIONS[] = {
    [OUTPUT] = {"output", 'o', "DIR", "where to write errors.html, .csv and .json (.)"},
    [THRESHOLD] = {"threshold", 't', "SCORE", "accept from this score on (80)"},
    [PROPOSED] = {"proposed", 0, "SCORE", "name the errors that this threshold mends"},
    [SPLIT] = {"split", 's', "NAME", "only errors of this split"},
    [LIMIT] = {"limit", 0, "N", "errors shown of each kind, at most 200 (100)"},
    [NO_PICTURES] = {"no-pictures", 0, NULL, "leave faces out"},
    [PACKAGE] = {"package", 'p', "PATH", "write a package for reviewers: FILE.tar, or a folder"},
    [NO_DATE] = {"no-date", 0, NULL, "leave the date out, so that equal input gives equal bytes"},
    [IMPORT] = {"import", 0, "FILE", "take reviews.csv over into the dataset's manifest"},
    [DATASET] = {"dataset", 'd', "DIR", "the dataset, for pictures and for --import"},
    CLI_DATASET_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct errors_run {
    cli_dataset d;
    const char *table, *output, *split, *package, *import, *folder;
    double threshold, proposed;
    int limit;
    bool no_pictures, no_date;
    char date[32], id[BF_DATASET_ID_SIZE];
    bf_scored_table scores;
    bf_pictures pictures;
    bf_review_report report;
} errors_run;

/* One bar for each piece of work. */
static bool show(void *data, size_t done, size_t total)
{
    cli_progress *progress = data;
    if (progress->total != total) {
        cli_progress_hide(progress);
        *progress = cli_progress_start(total);
    }
    cli_progress_show(progress, done);
    return !cli_interrupted();
}

static int fail_interrupted(const errors_run *r)
{
    return cli_fail(r->d.command, CLI_INTERNAL, "interrupted; nothing was written.");
}

static int read_table(errors_run *r)
{
    bf_error err = {0};
    cli_progress progress = cli_reading_start(r->table);
    const bf_scored_options options = {.split = r->split, .progress = cli_reading_show, .context = &progress};
    bf_status status = bf_scored_read(&r->scores, r->table, &options, &err);
    cli_progress_hide(&progress);
    return status == BF_OK ? 0 : cli_fail_data(r->d.command, &err);
}

/* Looks at every picture, since any may be the one that an error resembles. */
static int read_dataset(errors_run *r)
{
    bf_error err = {0};
    if (!r->folder)
        return 0;
    int code = cli_dataset_read(&r->d, r->folder);
    if (code == 0)
        code = cli_dataset_probe(&r->d, true, 0, 1);
    if (code != 0)
        return code;
    bf_status status = bf_dataset_id(&r->d.dataset, r->id, &err);
    if (status == BF_OK)
        status = bf_pictures_link(&r->pictures, &r->scores, &r->d.dataset, r->d.probes, &err);
    if (status != BF_OK)
        return cli_fail_error(r->d.command, &err);
    if (r->pictures.missing == r->scores.count)
        return cli_fail(r->d.command, CLI_UNREADABLE,
                        "none of the table's samples is in %.200s; is it the dataset that "
                        "was scored?",
                        r->d.dataset.manifest);
    return 0;
}

static int find_errors(errors_run *r)
{
    bf_error err = {0};
    bool complete = true;
    r->d.progress = cli_progress_start(0);
    const bf_review_options options = {.threshold = r->threshold,
                                       .proposed = r->proposed,
                                       .limit = (size_t)r->limit,
                                       .print = r->pictures.print,
                                       .jobs = cli_jobs(r->d.jobs),
                                       .progress = show,
                                       .progress_data = &r->d.progress};
    bf_status status = bf_review_find(&r->report, &r->scores, &options, &complete, &err);
    if (status == BF_OK && complete && r->folder && !r->no_pictures)
        status = bf_pictures_make(&r->pictures, &r->d.dataset, &r->report, &complete, &err);
    cli_progress_hide(&r->d.progress);
    if (status != BF_OK)
        return cli_fail_error(r->d.command, &err);
    return complete ? 0 : fail_interrupted(r);
}

static bf_status write_one(const errors_run *r, const char *name, const bf_bytes *bytes, bf_error *err)
{
    char path[PATH_BYTES_MAX];
    if (snprintf(path, sizeof path, "%s/%s", r->output, name) >= (int)sizeof path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The name of the folder is too long.");
    bf_status status = bf_bytes_write_private(path, bytes->data, bytes->size, err);
    if (status == BF_OK)
        (void)printf("%s\n", path);
    return status;
}

/* All are complete before the first is written. */
static bf_status write_reports(const errors_run *r, const bf_review_facts *facts, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes html = {0}, json = {0}, csv = {0};
    bf_status status = bf_review_html(&html, &r->report, facts, err);
    if (status == BF_OK)
        status = bf_review_json(&json, &r->report, facts, err);
    if (status == BF_OK)
        status = bf_review_csv(&csv, &r->report, facts, false, err);
    if (status == BF_OK && mkdir(r->output, 0700) != 0 && errno != EEXIST)
        status = bf_fail(err, BF_IO_ERROR, "Cannot make the folder %.200s: %s.", r->output, strerror(errno));
    if (status == BF_OK)
        status = write_one(r, "errors.json", &json, err);
    if (status == BF_OK)
        status = write_one(r, "errors.csv", &csv, err);
    return status == BF_OK ? write_one(r, "errors.html", &html, err) : status;
}

static void print_summary(const errors_run *r, bool faces)
{
    const bf_review_report *report = &r->report;
    (void)printf("At threshold %g:\n", r->threshold);
    for (int k = 0; k < BF_SLIP_KINDS; k++) {
        const char *separator = ", by the cause that leads: ";
        (void)printf("%zu %s", report->found[k], bf_slip_word((bf_slip_kind)k));
        if (report->shown[k] < report->found[k])
            (void)printf(" (%zu shown)", report->shown[k]);
        for (int c = 0; c < BF_CAUSES; c++) {
            if (report->cause[c][k] == 0)
                continue;
            (void)printf("%s%s %zu", separator, bf_cause_word((bf_cause)c), report->cause[c][k]);
            separator = ", ";
        }
        (void)printf("\n");
    }
    if (r->d.problems.errors > 0)
        (void)printf("%zu errors in the dataset; see 'bonafide dataset validate'.\n", r->d.problems.errors);
    if (faces)
        (void)printf("The page shows faces: keep it from others, and delete it after the review.\n");
}

static int write_all(errors_run *r)
{
    bf_error err = {0};
    bool faces = r->folder && !r->no_pictures;
    const bf_review_facts facts = {.table = cli_file_name(r->table),
                                   .split = r->split,
                                   .dataset = r->id[0] ? r->id : NULL,
                                   .program = "bonafide " BF_VERSION,
                                   .made_at = r->no_date ? NULL : r->date,
                                   .pictures = faces ? &r->pictures : NULL};
    print_summary(r, faces);
    bf_status status = BF_OK;
    if (r->package)
        status = bf_package_write(r->package, &r->report, &facts, &err);
    if (status == BF_OK && r->package)
        (void)printf("%s\n", r->package);
    if (status == BF_OK && (r->output || !r->package)) {
        r->output = r->output ? r->output : ".";
        status = write_reports(r, &facts, &err);
    }
    return status == BF_OK ? 0 : cli_fail_data(r->d.command, &err);
}

static int import_reviews(errors_run *r)
{
    bf_error err = {0};
    bf_notes_counts counts = {0};
    if (!r->folder)
        return cli_fail_usage(r->d.command, "--import needs --dataset, whose manifest takes the reviews over.");
    if (r->table)
        return cli_fail_usage(r->d.command, "--import takes no table of scores.");
    int code = cli_dataset_read(&r->d, r->folder);
    if (code != 0)
        return code;
    if (bf_notes_import(r->import, r->d.dataset.manifest, r->date, &counts, &err) != BF_OK)
        return cli_fail_data(r->d.command, &err);
    (void)printf("%zu reviews, %zu rows without a verdict\n", counts.reviews, counts.without);
    (void)printf("Reviewed samples: %zu confirmed, %zu uncertain, %zu disputed, %zu excluded\n", counts.confirmed,
                 counts.uncertain, counts.disputed, counts.excluded);
    (void)printf("%s: %zu rows changed\n", r->d.dataset.manifest, counts.changed);
    if (counts.excluded + counts.disputed + counts.uncertain > 0)
        (void)printf("Only errors were reviewed: figures get better by that alone. Review a random sample of the rest, "
                     "too.\n");
    return 0;
}

/* Takes one option over; returns the exit code, 0 to go on. */
static int take_option(errors_run *r, int option, char *value)
{
    const char **texts[] = {[OUTPUT] = &r->output,
                            [SPLIT] = &r->split,
                            [PACKAGE] = &r->package,
                            [IMPORT] = &r->import,
                            [DATASET] = &r->folder};
    switch (option) {
    case OUTPUT:
    case SPLIT:
    case PACKAGE:
    case IMPORT:
    case DATASET:
        *texts[option] = value;
        return 0;
    case THRESHOLD:
        return cli_read_score(r->d.command, "threshold", value, &r->threshold) ? 0 : CLI_USAGE;
    case PROPOSED:
        return cli_read_score(r->d.command, "proposed", value, &r->proposed) ? 0 : CLI_USAGE;
    case LIMIT:
        return cli_read_number(r->d.command, "limit", value, 1, BF_REVIEW_LIMIT_MAX, &r->limit) ? 0 : CLI_USAGE;
    case NO_PICTURES:
        r->no_pictures = true;
        return 0;
    case NO_DATE:
        r->no_date = true;
        return 0;
    default:
        return cli_dataset_option(&r->d, option - OPTION_DATASET, value) ? 0 : CLI_USAGE;
    }
}

static int review(errors_run *r)
{
    if (!r->table)
        return cli_fail_usage(r->d.command, "SCORES is missing.");
    cli_interrupt_catch();
    int code = read_table(r);
    if (code == 0)
        code = read_dataset(r);
    if (code == 0)
        code = find_errors(r);
    return code == 0 ? write_all(r) : code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    errors_run r = {
        .d.command = command, .threshold = BF_THRESHOLD_DEFAULT, .proposed = NAN, .limit = BF_REVIEW_LIMIT_DEFAULT};
    (void)cli_now(true, r.date);
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option; (option = cli_parser_next(&parser)) >= 0;) {
        int code = take_option(&r, option, parser.value);
        if (code != 0)
            return code;
    }
    if (parser.ended)
        return parser.code;
    r.table = parser.operand_count > 0 ? parser.operand[0] : NULL;
    int code = r.import ? import_reviews(&r) : review(&r);
    bf_review_done(&r.report);
    bf_pictures_done(&r.pictures);
    bf_scored_done(&r.scores);
    cli_dataset_done(&r.d);
    return cli_finish_output(command, code);
}

const cli_command CLI_ERRORS = {
    .name = "errors",
    .operands = "[SCORES]",
    .summary = "Show the errors in a table of scores with their probable causes",
    .about =
        "Reads the scores.csv that `bonafide score` writes (- for standard input) and writes a page, a table and a "
        "document with attacks that were accepted, bona fide that were rejected or got no response, what speaks for "
        "which cause, and, with --dataset, pictures and the closest samples that were judged rightly. Reviewers "
        "get a package; --import takes their reviews.csv over. The exit status is 65 when table, dataset or "
        "reviews cannot be used.",
    .options = OPTIONS,
    .operands_min = 0,
    .operands_max = 1,
    .run = run,
};
