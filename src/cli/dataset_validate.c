/* bonafide dataset validate: names everything that is wrong with a dataset. */
#include <stdio.h>

#include "base/attr.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/open.h"
#include "cli/term.h"

#define LINE_SIZE 1024

enum { OPTION_SPLIT, OPTION_ROWS_ONLY, OPTION_NO_PICTURES, OPTION_DATASET };

static const cli_option OPTIONS[] = {
    {"split", 's', "FILE", "also look for what this split's parts have in common"},
    {"rows-only", 0, NULL, "do not look at the files"},
    {"no-pictures", 0, NULL, "check the files' hashes only: do not decode or compare pictures"},
    CLI_DATASET_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct validation {
    cli_dataset d;
    const char *split;
    bool rows_only, no_pictures;
} validation;

/* The split to check: the given one, else the manifest's own; none leaves split->part NULL. */
static bf_status find_split(validation *v, bf_split *split, bf_error *err)
{
    if (v->split)
        return bf_split_read(v->split, &v->d.dataset, split, &v->d.problems, err);
    return v->d.dataset.has[BF_COLUMN_SPLIT] ? bf_split_of_manifest(&v->d.dataset, split, err) : BF_OK;
}

static int check_whole(validation *v)
{
    BF_CLEANUP(bf_split_done) bf_split split = {0};
    bf_error err = {0};
    cli_dataset *d = &v->d;
    bf_dataset_review(&d->dataset, &d->problems);
    bf_status status = find_split(v, &split, &err);
    if (status == BF_OK)
        status = bf_twins_review(&d->dataset, d->probes, &d->problems, &err);
    if (status == BF_OK && split.part)
        status = bf_leaks_review(&d->dataset, d->probes, split.part, &d->problems, &err);
    return status == BF_OK ? 0 : cli_fail_data(d->command, &err);
}

static void print_problem(const cli_dataset *d, const bf_problem *problem, bool colours)
{
    char line[LINE_SIZE], row[48] = "";
    cli_colour colour = problem->error ? CLI_RED : CLI_YELLOW;
    (void)cli_text_copy(problem->text, LINE_SIZE / 4, false, line, sizeof line);
    if (problem->row > 0)
        (void)snprintf(row, sizeof row, ", row %llu", (unsigned long long)problem->row);
    (void)printf("%s%s: %s%s%s: %s\n", d->dataset.manifest, row, cli_colour_start(colours, colour),
                 problem->error ? "error" : "warning", cli_colour_end(colours, colour), line);
}

static int report(cli_dataset *d)
{
    bool colours = cli_term_colours(stdout);
    char id[BF_DATASET_ID_SIZE];
    bf_error err = {0};
    size_t live = 0;
    if (d->problems.incomplete || bf_dataset_id(&d->dataset, id, &err) != BF_OK)
        return cli_fail(d->command, CLI_INTERNAL, "there was not enough memory.");
    bf_problems_sort(&d->problems);
    for (size_t i = 0; i < d->problems.count; i++)
        print_problem(d, &d->problems.problem[i], colours);
    if (d->problems.count < d->problems.errors + d->problems.warnings)
        (void)printf("%s: and %zu more\n", d->dataset.manifest,
                     d->problems.errors + d->problems.warnings - d->problems.count);
    for (size_t i = 0; i < d->dataset.count; i++)
        live += d->dataset.sample[i].label == BF_LABEL_LIVE;
    (void)printf("%s: %zu usable samples, %zu live and %zu spoof; errors: %zu, warnings: %zu\n", id, d->dataset.count,
                 live, d->dataset.count - live, d->problems.errors, d->problems.warnings);
    return d->problems.errors > 0 ? CLI_UNREADABLE : 0;
}

static int validate(validation *v, const char *path)
{
    int code = cli_dataset_read(&v->d, path);
    if (code == 0 && !v->rows_only)
        code = cli_dataset_probe(&v->d, !v->no_pictures, 0, 1);
    if (code == 0)
        code = check_whole(v);
    return code == 0 ? report(&v->d) : code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    validation v = {.d.command = command};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key == OPTION_SPLIT)
            v.split = parser.value;
        else if (key == OPTION_ROWS_ONLY)
            v.rows_only = true;
        else if (key == OPTION_NO_PICTURES)
            v.no_pictures = true;
        else if (!cli_dataset_option(&v.d, key - OPTION_DATASET, parser.value))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    int code = validate(&v, parser.operand[0]);
    cli_dataset_done(&v.d);
    return cli_finish_output(command, code);
}

const cli_command CLI_DATASET_VALIDATE = {
    .name = "dataset validate",
    .operands = "DATASET",
    .summary = "Name everything that is wrong with a dataset",
    .about =
        "DATASET is a folder with manifest.csv, or a manifest. Checks every row, every file and its hash, looks for "
        "pictures that are there twice or nearly so, and for leaks between the parts of a split. The exit status "
        "is 65 when there are errors; warnings alone give 0.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
