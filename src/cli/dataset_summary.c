/* bonafide dataset summary: what a dataset holds. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/open.h"
#include "cli/term.h"
#include "dataset/tally.h"
#include "record/build.h"
#include "record/parse.h"

#define ROWS_SHOWN_MAX 20
#define VALUE_COLUMNS 28
#define VALUE_SIZE 512

enum { OPTION_JSON, OPTION_DATASET };

static const cli_option OPTIONS[] = {
    {"json", 0, NULL, "print a JSON document, with every value"},
    CLI_DATASET_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

/* Segments that error rates are asked for, in the order of the report. */
static const struct {
    bf_dataset_column column;
    bool spoof_only;
} SEGMENTS[] = {
    {BF_COLUMN_ATTACK_TYPE, true},      {BF_COLUMN_ATTACK_FAMILY, true},   {BF_COLUMN_PLATFORM, false},
    {BF_COLUMN_DEVICE_CLASS, false},    {BF_COLUMN_CHANNEL, false},        {BF_COLUMN_CAPTURE_TYPE, false},
    {BF_COLUMN_LIGHTING_BUCKET, false}, {BF_COLUMN_QUALITY_BUCKET, false}, {BF_COLUMN_PERSON_GROUP, false},
    {BF_COLUMN_SOURCE, false},          {BF_COLUMN_REVIEW_STATUS, false},  {BF_COLUMN_LICENCE, false},
    {BF_COLUMN_SPLIT, false},
};
#define SEGMENT_COUNT (sizeof SEGMENTS / sizeof *SEGMENTS)

typedef struct summary {
    cli_dataset d;
    char id[BF_DATASET_ID_SIZE];
    size_t live, confirmed, persons, sessions;
    bf_tally tally[SEGMENT_COUNT];
} summary;

static bf_status count(summary *s, bf_error *err)
{
    const bf_dataset *dataset = &s->d.dataset;
    bf_status status = bf_dataset_id(dataset, s->id, err);
    if (status == BF_OK && (!bf_tally_distinct(dataset, BF_COLUMN_PERSON_ID, &s->persons) ||
                            !bf_tally_distinct(dataset, BF_COLUMN_SESSION_ID, &s->sessions)))
        status = bf_fail_memory(err);
    for (size_t i = 0; i < dataset->count; i++) {
        s->live += dataset->sample[i].label == BF_LABEL_LIVE;
        s->confirmed += bf_sample_confirmed(&dataset->sample[i]);
    }
    for (size_t i = 0; i < SEGMENT_COUNT && status == BF_OK; i++)
        status = bf_tally_column(dataset, SEGMENTS[i].column, SEGMENTS[i].spoof_only, &s->tally[i], err);
    return status;
}

static void print_tally(const bf_tally *tally, const char *name)
{
    (void)printf("\n%-*s %9s %9s %9s\n", VALUE_COLUMNS, name, "live", "spoof", "persons");
    for (size_t i = 0; i < tally->count && i < ROWS_SHOWN_MAX; i++) {
        char value[VALUE_SIZE];
        const bf_tally_row *row = &tally->row[i];
        int width = cli_text_copy(row->value[0] ? row->value : "(none)", VALUE_COLUMNS - 2, false, value, sizeof value);
        (void)printf("  %s%*s %9zu %9zu %9zu\n", value, VALUE_COLUMNS - 2 - width, "", row->live, row->spoof,
                     row->persons);
    }
    if (tally->count > ROWS_SHOWN_MAX)
        (void)printf("  and %zu more; --json has all\n", tally->count - ROWS_SHOWN_MAX);
}

static void print_text(const summary *s)
{
    const bf_dataset *dataset = &s->d.dataset;
    (void)printf("%s: %zu samples, %zu live and %zu spoof, %zu of them confirmed; %zu persons, %zu sessions\n", s->id,
                 dataset->count, s->live, dataset->count - s->live, s->confirmed, s->persons, s->sessions);
    for (size_t i = 0; i < SEGMENT_COUNT; i++) {
        if (dataset->has[SEGMENTS[i].column] || SEGMENTS[i].column == BF_COLUMN_ATTACK_TYPE)
            print_tally(&s->tally[i], bf_dataset_column_name(SEGMENTS[i].column));
    }
    if (dataset->other_count == 0)
        return;
    (void)printf("\nColumns that mean nothing to bonafide and are kept:");
    for (size_t i = 0; i < dataset->other_count; i++) {
        char name[VALUE_SIZE];
        (void)cli_text_copy(dataset->other[i], VALUE_COLUMNS, false, name, sizeof name);
        (void)printf("%s %s", i > 0 ? "," : "", name);
    }
    (void)putchar('\n');
}

static json_t *build_tally(bf_build *build, const bf_tally *tally)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < tally->count; i++) {
        json_t *row = json_object();
        bf_build_put(build, row, "value", bf_build_text(tally->row[i].value));
        bf_build_put(build, row, "live", json_integer((json_int_t)tally->row[i].live));
        bf_build_put(build, row, "spoof", json_integer((json_int_t)tally->row[i].spoof));
        bf_build_put(build, row, "persons", json_integer((json_int_t)tally->row[i].persons));
        bf_build_add(build, rows, row);
    }
    return rows;
}

static int print_json(const summary *s)
{
    const bf_dataset *dataset = &s->d.dataset;
    bf_build build = {0};
    BF_CLEANUP(bf_json_release) json_t *root = json_object();
    json_t *segments = json_object(), *other = json_array();
    for (size_t i = 0; i < SEGMENT_COUNT; i++)
        bf_build_put(&build, segments, bf_dataset_column_name(SEGMENTS[i].column), build_tally(&build, &s->tally[i]));
    for (size_t i = 0; i < dataset->other_count; i++)
        bf_build_add(&build, other, bf_build_text(dataset->other[i]));
    bf_build_put(&build, root, "dataset", json_string(s->id));
    bf_build_put(&build, root, "samples", json_integer((json_int_t)dataset->count));
    bf_build_put(&build, root, "live", json_integer((json_int_t)s->live));
    bf_build_put(&build, root, "spoof", json_integer((json_int_t)(dataset->count - s->live)));
    bf_build_put(&build, root, "confirmed", json_integer((json_int_t)s->confirmed));
    bf_build_put(&build, root, "persons", json_integer((json_int_t)s->persons));
    bf_build_put(&build, root, "sessions", json_integer((json_int_t)s->sessions));
    bf_build_put(&build, root, "segments", segments);
    bf_build_put(&build, root, "other_columns", other);
    char *text = build.failed ? NULL : json_dumps(root, JSON_INDENT(2));
    if (!text)
        return cli_fail(s->d.command, CLI_INTERNAL, "there was not enough memory.");
    (void)puts(text);
    free(text);
    return 0;
}

static int run(const cli_command *command, int argc, char **argv)
{
    summary s = {.d.command = command};
    bool json = false;
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key == OPTION_JSON)
            json = true;
        else if (!cli_dataset_option(&s.d, key - OPTION_DATASET, parser.value))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    bf_error err = {0};
    int code = cli_dataset_open(&s.d, parser.operand[0]);
    if (code == 0 && count(&s, &err) != BF_OK)
        code = cli_fail_data(command, &err);
    if (code == 0 && json)
        code = print_json(&s);
    else if (code == 0)
        print_text(&s);
    for (size_t i = 0; i < SEGMENT_COUNT; i++)
        bf_tally_done(&s.tally[i]);
    cli_dataset_done(&s.d);
    return cli_finish_output(command, code);
}

const cli_command CLI_DATASET_SUMMARY = {
    .name = "dataset summary",
    .operands = "DATASET",
    .summary = "Count what a dataset holds",
    .about = "Samples and persons by label, attack type, platform and every other segment. Files are not looked at.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
