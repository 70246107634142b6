/* bonafide dataset split: cuts a dataset into parts. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/open.h"
#include "cli/score.h"
#include "record/build.h"
#include "record/parse.h"

#define HELD_OUT_MAX 64
#define DEFAULT_PARTS "train=60,validation=20,test=20"

enum { OPTION_BY, OPTION_PARTS, OPTION_SEED, OPTION_HOLD_OUT, OPTION_OUTPUT, OPTION_NO_PICTURES, OPTION_DATASET };

static const cli_option OPTIONS[] = {
    {"by", 'b', "WHAT", "person (default), device, scenario or time"},
    {"parts", 'p', "LIST", "names and shares (" DEFAULT_PARTS ")"},
    {"seed", 0, "N", "another number deals otherwise (1)"},
    {"hold-out", 0, "TYPE", "by scenario: an attack type for the last part; may be repeated"},
    {"output", 'o', "FILE", "table to write (splits/WHAT-HASH.csv in the dataset's folder)"},
    {"no-pictures", 0, NULL, "do not look for nearly equal pictures"},
    CLI_DATASET_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct splitting {
    cli_dataset d;
    bf_split_plan plan;
    const char *held_out[HELD_OUT_MAX + 1];
    int held_out_count, seed;
    const char *output;
    bool no_pictures;
    char path[BF_DATASET_PATH_SIZE]; /* of the table */
} splitting;

static bool set_option(splitting *s, int key, const char *value)
{
    const cli_command *command = s->d.command;
    bf_error err = {0};
    switch (key) {
    case OPTION_BY:
        if (bf_split_by_parse(value, &s->plan.by))
            return true;
        (void)cli_fail_usage(command, "--by must be person, device, scenario or time, not '%s'.", value);
        return false;
    case OPTION_PARTS:
        if (bf_split_parts(value, &s->plan, &err) == BF_OK)
            return true;
        (void)cli_fail_error(command, &err);
        return false;
    case OPTION_SEED:
        return cli_read_number(command, "seed", value, 0, 2147483647, &s->seed);
    case OPTION_HOLD_OUT:
        if (s->held_out_count == HELD_OUT_MAX) {
            (void)cli_fail_usage(command, "--hold-out may be given %d times.", HELD_OUT_MAX);
            return false;
        }
        s->held_out[s->held_out_count++] = value;
        return true;
    case OPTION_OUTPUT:
        s->output = value;
        return true;
    case OPTION_NO_PICTURES:
        s->no_pictures = true;
        return true;
    default:
        return cli_dataset_option(&s->d, key - OPTION_DATASET, value);
    }
}

/* splits/person-0123456789ab.csv, or what the user said. */
static int choose_path(splitting *s, const bf_split *split)
{
    int length = 0;
    if (s->output) {
        length = snprintf(s->path, sizeof s->path, "%s", s->output);
    } else {
        length = snprintf(s->path, sizeof s->path, "%s/splits", s->d.dataset.root);
        if (length < 0 || (size_t)length >= sizeof s->path)
            return cli_fail(s->d.command, CLI_USAGE, "the dataset's path is too long.");
        if (mkdir(s->path, 0777) != 0 && errno != EEXIST)
            return cli_fail(s->d.command, CLI_INTERNAL, "cannot make the folder %s: %s.", s->path, strerror(errno));
        length = snprintf(s->path, sizeof s->path, "%s/splits/%s-%s.csv", s->d.dataset.root,
                          bf_split_by_name(s->plan.by), strchr(split->id, '@') + 1);
    }
    if (length < 0 || (size_t)length + sizeof ".meta.json" >= sizeof s->path)
        return cli_fail(s->d.command, CLI_USAGE, "the path of the table is too long.");
    return 0;
}

typedef struct part_counts {
    size_t samples, live, spoof;
} part_counts;

static part_counts count_part(const splitting *s, const bf_split *split, const char *name)
{
    part_counts counts = {0};
    for (size_t i = 0; i < s->d.dataset.count; i++) {
        if (strcmp(split->part[i], name) != 0)
            continue;
        counts.samples++;
        counts.live += s->d.dataset.sample[i].label == BF_LABEL_LIVE;
    }
    counts.spoof = counts.samples - counts.live;
    return counts;
}

static json_t *build_parts(bf_build *build, const splitting *s, const bf_split *split)
{
    json_t *parts = json_array();
    for (int i = 0; i < s->plan.part_count; i++) {
        part_counts counts = count_part(s, split, s->plan.name[i]);
        json_t *part = json_object();
        bf_build_put(build, part, "name", json_string(s->plan.name[i]));
        bf_build_put(build, part, "share", bf_build_decimals(s->plan.share[i], 6));
        bf_build_put(build, part, "samples", json_integer((json_int_t)counts.samples));
        bf_build_put(build, part, "live", json_integer((json_int_t)counts.live));
        bf_build_put(build, part, "spoof", json_integer((json_int_t)counts.spoof));
        bf_build_add(build, parts, part);
    }
    return parts;
}

/* What the table was made from, beside it: enough to make it again. */
static bf_status write_meta(const splitting *s, const bf_split *split, bf_error *err)
{
    char id[BF_DATASET_ID_SIZE];
    bf_build build = {0};
    bf_status status = bf_dataset_id(&s->d.dataset, id, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_json_release) json_t *root = json_object();
    json_t *held_out = json_array();
    for (int i = 0; i < s->held_out_count; i++)
        bf_build_add(&build, held_out, bf_build_text(s->held_out[i]));
    bf_build_put(&build, root, "format", json_integer(1));
    bf_build_put(&build, root, "split", json_string(split->id));
    bf_build_put(&build, root, "dataset", json_string(id));
    bf_build_put(&build, root, "by", json_string(bf_split_by_name(s->plan.by)));
    bf_build_put(&build, root, "seed", json_integer(s->seed));
    bf_build_put(&build, root, "hold_out", held_out);
    bf_build_put(&build, root, "pictures_compared", json_boolean(!s->no_pictures));
    bf_build_put(&build, root, "groups", json_integer((json_int_t)split->groups));
    bf_build_put(&build, root, "left_out", json_integer((json_int_t)split->left_out));
    bf_build_put(&build, root, "parts", build_parts(&build, s, split));
    return build.failed ? bf_fail_memory(err) : cli_meta_write(root, s->path, err);
}

static void print_split(const splitting *s, const bf_split *split)
{
    (void)printf("%s: %zu samples in %zu groups\n", split->id, s->d.dataset.count, split->groups);
    for (int i = 0; i < s->plan.part_count; i++) {
        part_counts counts = count_part(s, split, s->plan.name[i]);
        (void)printf("  %-12s %6zu samples, %zu live and %zu spoof\n", s->plan.name[i], counts.samples, counts.live,
                     counts.spoof);
    }
    if (split->left_out > 0)
        (void)printf("  %-12s %6zu samples, which would tie two parts together\n", "(left out)", split->left_out);
    (void)printf("Written to %s\n", s->path);
}

static int split_dataset(splitting *s, const char *path)
{
    BF_CLEANUP(bf_split_done) bf_split split = {0};
    bf_error err = {0};
    int code = cli_dataset_open(&s->d, path);
    if (code == 0 && !s->no_pictures)
        code = cli_dataset_probe(&s->d, true, 0, 1);
    if (code == 0)
        code = cli_dataset_check(&s->d);
    if (code != 0)
        return code;
    if (bf_split_make(&s->d.dataset, s->d.probes, &s->plan, &split, &err) != BF_OK)
        return cli_fail_data(s->d.command, &err);
    code = choose_path(s, &split);
    if (code != 0)
        return code;
    if (bf_split_write(s->path, &s->d.dataset, &split, &err) != BF_OK || write_meta(s, &split, &err) != BF_OK)
        return cli_fail_error(s->d.command, &err);
    print_split(s, &split);
    return 0;
}

static int run(const cli_command *command, int argc, char **argv)
{
    splitting s = {.d.command = command, .seed = 1};
    (void)bf_split_parts(DEFAULT_PARTS, &s.plan, NULL);
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (!set_option(&s, key, parser.value))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    if (s.held_out_count > 0 && s.plan.by != BF_SPLIT_SCENARIO)
        return cli_fail_usage(command, "--hold-out belongs to --by scenario.");
    s.plan.seed = (uint64_t)s.seed;
    s.plan.held_out = s.held_out_count > 0 ? s.held_out : NULL;
    int code = split_dataset(&s, parser.operand[0]);
    cli_dataset_done(&s.d);
    return cli_finish_output(command, code);
}

const cli_command CLI_DATASET_SPLIT = {
    .name = "dataset split",
    .operands = "DATASET",
    .summary = "Cut a dataset into parts such as train and test",
    .about = "Samples of one person, session, file or picture stay together. By device, scenario or time, samples that "
             "this would tie to another part are left out. The same seed and dataset always give the same split, and "
             "its name holds a hash of its content.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
