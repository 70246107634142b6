/* bonafide dataset diff: what differs between two datasets. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/open.h"
#include "cli/term.h"
#include "dataset/diff.h"
#include "record/build.h"
#include "record/parse.h"

#define SHOWN_MAX 40
#define VALUE_SIZE 256
#define VALUE_COLUMNS 40

enum { OPTION_JSON, OPTION_ALL, OPTION_LABEL };

static const cli_option OPTIONS[] = {
    {"json", 0, NULL, "print a JSON document, with every change"},
    {"all", 0, NULL, "print every change, not the first ones only"},
    {"label", 0, "LABEL", "live or spoof, for every row of a manifest without labels"},
    {NULL, 0, NULL, NULL},
};

typedef struct difference {
    const cli_command *command;
    cli_dataset before, after;
    bool json, all;
    size_t removed, added, values;
    bf_build build;
    json_t *list; /* NULL unless JSON is wanted */
} difference;

static void print_change(const bf_change *change)
{
    char id[VALUE_SIZE], before[VALUE_SIZE], after[VALUE_SIZE];
    (void)cli_text_copy(change->sample_id, VALUE_COLUMNS, true, id, sizeof id);
    if (change->kind != BF_CHANGE_VALUE) {
        (void)printf("%c %s\n", change->kind == BF_CHANGE_REMOVED ? '-' : '+', id);
        return;
    }
    (void)cli_text_copy(change->before, VALUE_COLUMNS, false, before, sizeof before);
    (void)cli_text_copy(change->after, VALUE_COLUMNS, false, after, sizeof after);
    (void)printf("~ %s: %.100s '%s' -> '%s'\n", id, change->column, before, after);
}

static void add_change(difference *d, const bf_change *change)
{
    static const char *const kinds[] = {"removed", "added", "changed"};
    json_t *object = json_object();
    bf_build_put(&d->build, object, "change", json_string(kinds[change->kind]));
    bf_build_put(&d->build, object, "sample_id", bf_build_text(change->sample_id));
    if (change->kind == BF_CHANGE_VALUE) {
        bf_build_put(&d->build, object, "column", bf_build_text(change->column));
        bf_build_put(&d->build, object, "before", bf_build_text(change->before));
        bf_build_put(&d->build, object, "after", bf_build_text(change->after));
    }
    bf_build_add(&d->build, d->list, object);
}

static void take(void *data, const bf_change *change)
{
    difference *d = data;
    size_t before = d->removed + d->added + d->values;
    d->removed += change->kind == BF_CHANGE_REMOVED;
    d->added += change->kind == BF_CHANGE_ADDED;
    d->values += change->kind == BF_CHANGE_VALUE;
    if (d->list)
        add_change(d, change);
    else if (d->all || before < SHOWN_MAX)
        print_change(change);
}

static int print_json(difference *d, const char *before, const char *after)
{
    BF_CLEANUP(bf_json_release) json_t *root = json_object();
    bf_build_put(&d->build, root, "before", json_string(before));
    bf_build_put(&d->build, root, "after", json_string(after));
    bf_build_put(&d->build, root, "removed", json_integer((json_int_t)d->removed));
    bf_build_put(&d->build, root, "added", json_integer((json_int_t)d->added));
    bf_build_put(&d->build, root, "values", json_integer((json_int_t)d->values));
    bf_build_put(&d->build, root, "changes", json_incref(d->list));
    char *text = d->build.failed ? NULL : json_dumps(root, JSON_INDENT(2));
    if (!text)
        return cli_fail(d->command, CLI_INTERNAL, "there was not enough memory.");
    (void)puts(text);
    free(text);
    return 0;
}

static int compare(difference *d)
{
    bf_error err = {0};
    char before[BF_DATASET_ID_SIZE], after[BF_DATASET_ID_SIZE];
    BF_CLEANUP(bf_json_release) json_t *list = d->json ? json_array() : NULL;
    d->list = list;
    if ((d->json && !list) || bf_dataset_id(&d->before.dataset, before, &err) != BF_OK ||
        bf_dataset_id(&d->after.dataset, after, &err) != BF_OK ||
        bf_dataset_diff(&d->before.dataset, &d->after.dataset, take, d, &err) != BF_OK)
        return cli_fail(d->command, CLI_INTERNAL, "there was not enough memory.");
    size_t changes = d->removed + d->added + d->values;
    if (d->json) {
        int code = print_json(d, before, after);
        if (code != 0)
            return code;
    } else {
        if (!d->all && changes > SHOWN_MAX)
            (void)printf("and %zu more; --all prints them\n", changes - SHOWN_MAX);
        (void)printf("%s -> %s: samples removed: %zu, added: %zu; values changed: %zu\n", before, after, d->removed,
                     d->added, d->values);
    }
    return changes > 0 ? CLI_CHALLENGE_OR_REVIEW : 0;
}

static int run(const cli_command *command, int argc, char **argv)
{
    difference d = {.command = command, .before.command = command, .after.command = command};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key == OPTION_JSON)
            d.json = true;
        else if (key == OPTION_ALL)
            d.all = true;
        else
            d.before.options.label = d.after.options.label = parser.value;
    }
    if (parser.ended)
        return parser.code;
    int code = cli_dataset_open(&d.before, parser.operand[0]);
    if (code == 0)
        code = cli_dataset_open(&d.after, parser.operand[1]);
    if (code == 0)
        code = compare(&d);
    cli_dataset_done(&d.before);
    cli_dataset_done(&d.after);
    return cli_finish_output(command, code);
}

const cli_command CLI_DATASET_DIFF = {
    .name = "dataset diff",
    .operands = "BEFORE AFTER",
    .summary = "Show what differs between two datasets",
    .about =
        "Both are folders with manifest.csv, or manifests. Samples are matched by sample_id; files are not looked at, "
        "but their hashes are values like others. The exit status is 0 when nothing differs and 11 when "
        "something does.",
    .options = OPTIONS,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
