/* bonafide fuse: from a table of scores to the rule that turns evidence into one ratio. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/config.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/open.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/term.h"
#include "dataset/csv.h"
#include "dataset/parallel.h"
#include "fit/folds.h"
#include "fit/fusion.h"

#define PATH_BYTES_MAX 4096
#define VERDICTS 6 /* columns of verdicts that the old fusion led to */

enum {
    OUTPUT,
    NAME,
    RELEASE,
    METHOD,
    DETECTOR,
    AGAINST,
    BESIDE,
    KEEP,
    FRESH,
    AS_CALIBRATED,
    OUT_OF_FOLD,
    SPLIT,
    THRESHOLD,
    FOLDS,
    REPLICATES,
    SEED,
    JSON
};

static const cli_option OPTIONS[] = {
    [OUTPUT] = {"output", 'o', "DIR", "where to write fusion/NAME.yaml, fusion.json and fusion.html (.)"},
    [NAME] = {"name", 0, "NAME", "name of the fusion (default)"},
    [RELEASE] = {"release", 0, "VERSION", "version of the fusion (1.0.0)"},
    [METHOD] = {"method", 'm', "METHOD", "minimum, sum, logistic or trees, whichever is best"},
    [DETECTOR] = {"detector", 'd', "NAME", "fuse this detector; repeatable (all with evidence)"},
    [AGAINST] = {"against", 0, "NAME", "a detector that can only lower the score; repeatable"},
    [BESIDE] = {"beside", 'b', "SPECIES", "neither fit on a species nor count it; repeatable"},
    [KEEP] = {"keep", 0, "FILE", "fusion file whose other configurations are kept (the installed default)"},
    [FRESH] = {"fresh", 0, NULL, "keep nothing of another file"},
    [AS_CALIBRATED] = {"as-calibrated", 0, NULL, "calibrations were fitted on other data: do not fit them in folds"},
    [OUT_OF_FOLD] = {"out-of-fold", 0, "FILE", "write the table with scores of held-out persons"},
    [SPLIT] = {"split", 's', "NAME", "fit on the samples of this split (train)"},
    [THRESHOLD] = {"threshold", 't', "SCORE", "score at which error rates are told (80)"},
    [FOLDS] = {"folds", 0, "N", "parts into which persons are dealt (5)"},
    [REPLICATES] = {"replicates", 0, "N", "draws of the intervals by person (2000)"},
    [SEED] = {"seed", 0, "N", "seed of folds and draws (1)"},
    [JSON] = {"json", 0, NULL, "print fusion.json instead of writing files"},
    {NULL, 0, NULL, NULL},
};

typedef struct fuse_request {
    const cli_command *command;
    const char *table, *output, *split, *out_of_fold;
    const char *detector[CLI_NAMES_MAX], *against[CLI_NAMES_MAX], *beside[CLI_NAMES_MAX];
    bool fresh, json;
    int folds, replicates, seed;
    bf_fusion_options options;
    char keep[PATH_BYTES_MAX];
} fuse_request;

static void show_steps(void *context, size_t done, size_t total)
{
    (void)total;
    cli_progress_show(context, done);
}

static bf_status read_table(const fuse_request *r, bf_fit_table *ret, bf_error *err)
{
    cli_progress progress = cli_reading_start(r->table);
    const bf_fit_options options = {.split = r->split, .progress = cli_reading_show, .context = &progress};
    bf_status status = bf_fit_table_read(ret, r->table, &options, err);
    cli_progress_hide(&progress);
    return status;
}

/* The file that is kept by default: the installed one, where there is one. */
static void find_kept(fuse_request *r)
{
    cli_place place;
    if (r->fresh) {
        r->options.keep = NULL;
        return;
    }
    if (r->options.keep || cli_place_find(NULL, NULL, &place, NULL) != BF_OK)
        return;
    int size = snprintf(r->keep, sizeof r->keep, "%s/fusion/default.yaml", place.data);
    struct stat info;
    if (size > 0 && size < (int)sizeof r->keep && stat(r->keep, &info) == 0)
        r->options.keep = r->keep;
}

static void print_method(const bf_fusion_fit *fit, bf_fusing method)
{
    const bf_fusion_candidate *c = &fit->candidate[method];
    if (c->refused[0]) {
        (void)printf("  %-26s not fitted. %s\n", bf_fusing_title(method), c->refused);
        return;
    }
    (void)printf("%s %-26s %7.3f %9.3f %9.3f %8.2f %% %9.2f %%%s\n", method == fit->chosen ? "*" : " ",
                 bf_fusing_title(method), c->held.value[BF_MEASURED_CLLR], c->apparent_cllr,
                 c->held.value[BF_MEASURED_AUC], 100 * c->held.value[BF_MEASURED_EER],
                 100 * c->held.value[BF_MEASURED_BPCER10],
                 c->scarce  ? "  too few persons"
                 : c->worse ? "  worse"
                            : "");
}

static void print_summary(const bf_fusion_fit *fit)
{
    size_t serious = 0;
    const char *split = fit->table->scores.split;
    (void)printf("%zu bona fide and %zu attack presentations of %zu and %zu persons; %s%s; persons held out in %zu "
                 "folds.\n",
                 fit->fitted[0], fit->fitted[1], fit->persons[0], fit->persons[1],
                 split[0] ? "split " : "the table has no splits", split, fit->folds);
    (void)printf("  %-26s %7s %9s %9s %10s %11s\n", "METHOD", "CLLR", "APPARENT", "AUC", "EER", "BPCER10");
    for (size_t m = 0; m < BF_FUSINGS; m++)
        print_method(fit, (bf_fusing)m);
    for (size_t i = 0; i < fit->warnings; i++)
        serious += fit->warning[i].gravity == BF_GRAVITY_SERIOUS;
    if (fit->warnings > 0)
        (void)printf("%zu warnings, %zu of them serious; the report begins with them.\n", fit->warnings, serious);
}

/* The table with the chosen fusion's scores of held-out persons. Verdicts of the old fusion are taken out. */
static bf_status write_held_out(const fuse_request *r, const bf_fusion_fit *fit, bf_error *err)
{
    static const char *const verdicts[VERDICTS] = {"band",           "decision",      "reason", "evidence_reasons",
                                                   "fusion_version", "policy_version"};
    const bf_scores *scores = &fit->table->scores;
    double prior = log(fit->live_prior / (1 - fit->live_prior));
    double *values = bf_malloc((scores->count * 4 + 1) * sizeof *values);
    if (!values)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        double llr = scores->row[i].status == BF_SCORE_OK ? fit->held_llr[i] : NAN;
        double probability = 1 / (1 + exp(-(llr + prior)));
        values[4 * i] = 100 * probability;
        values[4 * i + 1] = llr;
        values[4 * i + 2] = probability;
        values[4 * i + 3] = NAN;
    }
    bf_fit_column columns[3 + VERDICTS] = {
        {"score", values, 4}, {"live_llr", values + 1, 4}, {"live_probability", values + 2, 4}};
    for (size_t v = 0; v < VERDICTS; v++)
        columns[3 + v] = (bf_fit_column){verdicts[v], values + 3, 4};
    bf_status status =
        bf_fit_table_rewrite(fit->table, r->table, r->out_of_fold, columns, sizeof columns / sizeof *columns, err);
    bf_free(values);
    return status;
}

static bf_status write_file(const char *folder, const char *name, const bf_bytes *bytes, bf_error *err)
{
    bf_status status = cli_write(folder, name, bytes, err);
    if (status == BF_OK)
        (void)printf("%s/%s\n", folder, name);
    return status;
}

static bf_status write_all(const fuse_request *r, const bf_fusion_fit *fit, const bf_bytes *json, bf_error *err)
{
    char name[BF_NAME_MAX + 16];
    BF_CLEANUP(bf_bytes_done) bf_bytes html = {0};
    (void)snprintf(name, sizeof name, "fusion/%s.yaml", r->options.name);
    bf_status status = bf_fusion_html(&html, fit, cli_file_name(r->table), err);
    if (status == BF_OK && r->out_of_fold)
        status = write_held_out(r, fit, err);
    if (status != BF_OK)
        return status;
    print_summary(fit);
    status = write_file(r->output, "fusion.json", json, err);
    if (status == BF_OK)
        status = write_file(r->output, "fusion.html", &html, err);
    if (status == BF_OK && r->out_of_fold)
        (void)printf("%s\n", r->out_of_fold);
    return status == BF_OK ? write_file(r->output, name, &fit->yaml, err) : status;
}

static bf_status fuse(fuse_request *r, bf_error *err)
{
    BF_CLEANUP(bf_fit_table_done) bf_fit_table table = {0};
    BF_CLEANUP(bf_fusion_fit_free) bf_fusion_fit *fit = NULL;
    BF_CLEANUP(bf_bytes_done) bf_bytes json = {0};
    bf_status status = read_table(r, &table, err);
    if (status != BF_OK)
        return status;
    find_kept(r);
    cli_progress progress = cli_progress_start(2 * BF_FUSINGS + 1 + table.detectors);
    r->options.progress = show_steps;
    r->options.context = &progress;
    status = bf_fusion_fit_new(&fit, &table, &r->options, err);
    cli_progress_hide(&progress);
    if (status == BF_OK)
        status = bf_fusion_json(&json, fit, cli_file_name(r->table), err);
    if (status != BF_OK)
        return status;
    if (!r->json)
        return write_all(r, fit, &json, err);
    (void)fwrite(json.data, 1, json.size, stdout);
    return BF_OK;
}

static int take_name(const fuse_request *r, const char *option, const char *value, const char **ret)
{
    *ret = value;
    return bf_config_is_name(value)
               ? 0
               : cli_fail_usage(r->command, "--%s must be 1 to %d letters, digits and ._-+, not '%s'.", option,
                                BF_NAME_MAX - 1, value);
}

static int take_method(fuse_request *r, const char *value)
{
    for (int m = 0; m < BF_FUSINGS; m++) {
        if (strcmp(value, bf_fusing_name((bf_fusing)m)) == 0) {
            r->options.method = m;
            return 0;
        }
    }
    return cli_fail_usage(r->command, "--method must be minimum, sum, logistic or trees, not '%s'.", value);
}

static int take_number(fuse_request *r, int option, const char *value)
{
    if (option == FOLDS)
        return cli_read_number(r->command, "folds", value, 2, BF_FOLDS_MAX, &r->folds) ? 0 : CLI_USAGE;
    if (option == SEED)
        return cli_read_seed(r->command, value, &r->seed) ? 0 : CLI_USAGE;
    return cli_read_replicates(r->command, value, &r->replicates) ? 0 : CLI_USAGE;
}

/* Takes one option over; returns the exit code, 0 to go on. */
static int take_option(fuse_request *r, int option, char *value)
{
    bf_fusion_options *o = &r->options;
    switch (option) {
    case OUTPUT:
        r->output = value;
        return 0;
    case NAME:
        return take_name(r, "name", value, &o->name);
    case RELEASE:
        return take_name(r, "release", value, &o->version);
    case METHOD:
        return take_method(r, value);
    case DETECTOR:
        return cli_add_name(r->command, "detector", value, r->detector, &o->detector_count) ? 0 : CLI_USAGE;
    case AGAINST:
        return cli_add_name(r->command, "against", value, r->against, &o->against_count) ? 0 : CLI_USAGE;
    case BESIDE:
        return cli_add_name(r->command, "beside", value, r->beside, &o->beside_count) ? 0 : CLI_USAGE;
    case KEEP:
        o->keep = value;
        return 0;
    case OUT_OF_FOLD:
        r->out_of_fold = value;
        return 0;
    case SPLIT:
        r->split = value;
        return 0;
    case THRESHOLD:
        return cli_read_score(r->command, "threshold", value, &o->threshold) ? 0 : CLI_USAGE;
    case FRESH:
        r->fresh = true;
        return 0;
    case AS_CALIBRATED:
        o->as_calibrated = true;
        return 0;
    case JSON:
        r->json = true;
        return 0;
    default:
        return take_number(r, option, value);
    }
}

static int run(const cli_command *command, int argc, char **argv)
{
    bf_error err = {0};
    fuse_request request = {
        .command = command, .output = ".", .folds = BF_FOLDS, .replicates = BF_REPLICATES, .seed = CLI_SEED_DEFAULT};
    bf_fusion_options *o = &request.options;
    *o = (bf_fusion_options){.name = "default", .version = "1.0.0", .method = -1, .threshold = BF_THRESHOLD_DEFAULT};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option; (option = cli_parser_next(&parser)) >= 0;) {
        int code = take_option(&request, option, parser.value);
        if (code != 0)
            return code;
    }
    if (parser.ended)
        return parser.code;
    o->detectors = request.detector;
    o->against = request.against;
    o->beside = request.beside;
    o->folds = (size_t)request.folds;
    o->replicates = (size_t)request.replicates;
    o->seed = (uint64_t)request.seed;
    o->jobs = cli_jobs(0);
    request.table = parser.operand[0];
    if (request.out_of_fold && request.json)
        return cli_fail_usage(command, "--out-of-fold writes a file, --json writes none: one or the other.");
    if (fuse(&request, &err) == BF_OK)
        return cli_finish_output(command, 0);
    return cli_fail_table(command, &err);
}

const cli_command CLI_FUSE = {
    .name = "fuse",
    .operands = "SCORES",
    .summary = "Fit how the evidence of several detectors is fused",
    .about = "Reads the scores.csv that `bonafide score` writes, fits a rule, a weighted sum, logistic regression and "
             "boosted trees, compares them on persons that they have not seen, and writes the simplest that is not "
             "significantly worse than the best as a fusion file, with a report of what each detector adds and of what "
             "happens when it fails. The exit status is 65 when the table cannot be used.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
