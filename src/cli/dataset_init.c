/* bonafide dataset init: makes a manifest. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/files.h"
#include "cli/open.h"
#include "dataset/init.h"
#include "dataset/row.h"

enum { OPTION_FROM, OPTION_FORCE, OPTION_DATASET };

static const cli_option OPTIONS[] = {
    {"from", 0, "FILE", "a manifest to take over, instead of looking for pictures"},
    {"force", 0, NULL, "replace a manifest that is there"},
    CLI_DATASET_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct initialisation {
    cli_dataset d;
    const char *folder, *from;
    bool force;
    char manifest[BF_DATASET_PATH_SIZE];
    char prefix[BF_DATASET_PATH_SIZE]; /* what paths of another manifest begin with, seen from the folder */
} initialisation;

static int check_place(initialisation *i)
{
    struct stat info;
    if (stat(i->folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return cli_fail(i->d.command, CLI_UNREADABLE, "'%s' is no folder.", i->folder);
    int length = snprintf(i->manifest, sizeof i->manifest, "%s/manifest.csv", i->folder);
    if (length < 0 || (size_t)length >= sizeof i->manifest)
        return cli_fail_usage(i->d.command, "the folder's path is too long.");
    if (!i->force && lstat(i->manifest, &info) == 0)
        return cli_fail(i->d.command, CLI_UNREADABLE, "%s is there already; --force replaces it.", i->manifest);
    return 0;
}

/* Names of files seen from the folder, whatever way it was named. */
static const char *below(const char *folder, const char *path)
{
    size_t size = strlen(folder);
    const char *rest = strncmp(folder, path, size) == 0 ? path + size : path;
    while (*rest == '/')
        rest++;
    return rest;
}

static int find_pictures(initialisation *i)
{
    bf_error err = {0};
    cli_files files = {0};
    bf_dataset *dataset = &i->d.dataset;
    dataset->root = bf_strdup(i->folder);
    dataset->manifest = bf_strdup(i->manifest);
    bf_status status =
        dataset->root && dataset->manifest ? cli_files_add(&files, i->folder, &err) : bf_fail_memory(&err);
    for (size_t k = 0; k < files.count && status == BF_OK; k++)
        status = bf_dataset_add(dataset, below(i->folder, files.path[k]), &err);
    cli_files_done(&files);
    return status == BF_OK ? 0 : cli_fail_data(i->d.command, &err);
}

/* Gives every sample without a label the one that the user said. */
static int set_labels(initialisation *i)
{
    bf_label label = BF_LABEL_LIVE;
    const char *type = NULL, *said = i->d.options.label;
    if (!said)
        return 0;
    if (!bf_label_parse(said, &label, &type))
        return cli_fail_usage(i->d.command, "--label must be live or spoof, not '%s'.", said);
    for (size_t k = 0; k < i->d.dataset.count; k++) {
        bf_sample *sample = &i->d.dataset.sample[k];
        if (sample->value[BF_COLUMN_LABEL][0])
            continue;
        sample->label = label;
        sample->value[BF_COLUMN_LABEL] = bf_label_name(label);
        if (type)
            sample->value[BF_COLUMN_ATTACK_TYPE] = type;
    }
    return 0;
}

/* The other manifest's pictures must be below the folder; says what their paths begin with, seen from there. */
static int find_prefix(initialisation *i)
{
    BF_CLEANUP(bf_free_string) char *folder = realpath(i->folder, NULL);
    BF_CLEANUP(bf_free_string) char *root = realpath(i->d.dataset.root, NULL);
    if (!folder || !root)
        return cli_fail(i->d.command, CLI_UNREADABLE, "cannot find %s: %s.", folder ? i->d.dataset.root : i->folder,
                        strerror(errno));
    size_t size = strlen(folder);
    bool inside = strncmp(folder, root, size) == 0 && (root[size] == '/' || root[size] == '\0' || size == 1);
    if (!inside)
        return cli_fail(i->d.command, CLI_UNREADABLE,
                        "the pictures of %s are not below %s; copy them there, or use that manifest where it is.",
                        i->from, i->folder);
    const char *rest = below(folder, root);
    (void)snprintf(i->prefix, sizeof i->prefix, "%.2000s%s", rest, rest[0] ? "/" : "");
    return 0;
}

static void report(const initialisation *i)
{
    size_t live = 0, spoof = 0;
    for (size_t k = 0; k < i->d.dataset.count; k++) {
        const char *label = i->d.dataset.sample[k].value[BF_COLUMN_LABEL];
        live += strcmp(label, "live") == 0;
        spoof += strcmp(label, "spoof") == 0;
    }
    size_t without = i->d.dataset.count - live - spoof;
    (void)printf("%s: %zu samples, %zu live and %zu spoof\n", i->manifest, i->d.dataset.count, live, spoof);
    if (without > 0)
        (void)printf("Fill in the label of the other %zu, or put their files into folders called live and spoof.\n",
                     without);
    (void)printf("Next: fill in what is known, then 'bonafide dataset validate %s'\n", i->folder);
}

static int initialise(initialisation *i)
{
    bf_error err = {0};
    int code = check_place(i);
    if (code == 0 && i->from)
        code = cli_dataset_open(&i->d, i->from);
    else if (code == 0)
        code = find_pictures(i);
    if (code == 0)
        code = i->from ? find_prefix(i) : set_labels(i);
    if (code == 0)
        code = cli_dataset_probe(&i->d, false, 0, 1);
    if (code == 0)
        code = cli_dataset_check(&i->d);
    if (code != 0)
        return code;
    if (bf_dataset_write(&i->d.dataset, i->d.probes, i->prefix, i->manifest, &err) != BF_OK)
        return cli_fail_error(i->d.command, &err);
    report(i);
    return 0;
}

static int run(const cli_command *command, int argc, char **argv)
{
    initialisation i = {.d.command = command};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key == OPTION_FROM)
            i.from = parser.value;
        else if (key == OPTION_FORCE)
            i.force = true;
        else if (!cli_dataset_option(&i.d, key - OPTION_DATASET, parser.value))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    if (i.d.options.root && !i.from)
        return cli_fail_usage(command, "--root belongs to --from.");
    i.folder = parser.operand[0];
    int code = initialise(&i);
    cli_dataset_done(&i.d);
    return cli_finish_output(command, code);
}

const cli_command CLI_DATASET_INIT = {
    .name = "dataset init",
    .operands = "FOLDER",
    .summary = "Make a manifest for a folder of pictures",
    .about =
        "Writes FOLDER/manifest.csv with a row and a hash for each picture. Below folders called live and spoof, the "
        "label is taken from there, and from live/PERSON and spoof/TYPE/PERSON the rest. With --from, another "
        "manifest's rows are checked and taken over.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
