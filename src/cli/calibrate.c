/* bonafide calibrate: from a table of scores to calibration files. */
#include "cli/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/open.h"
#include "cli/table.h"
#include "dataset/csv.h"
#include "dataset/parallel.h"
#include "fit/calibration_report.h"

enum {
    OUTPUT,
    DETECTOR,
    METHOD,
    BY,
    SPLIT,
    BESIDE,
    FOLDS,
    LLR_MIN,
    LLR_MAX,
    RELEASE,
    TITLE,
    OUT_OF_FOLD,
    DATA,
    REPLICATES,
    SEED,
    NO_DATE,
    JSON
};

static const cli_option OPTIONS[] = {
    [OUTPUT] = {"output", 'o', "DIR", "where to write DETECTOR.yaml, calibration.json and calibration.html (.)"},
    [DETECTOR] = {"detector", 'd', "NAME", "only this detector; repeatable (all with raw values)"},
    [METHOD] = {"method", 'm', "NAME", "platt, bands, isotonic, min-max or z-score (the simplest that does well)"},
    [BY] = {"by", 0, "COLUMN", "with channel: maps of their own for channels, shrunk towards that for all"},
    [SPLIT] = {"split", 's', "NAME", "fit on the samples of this split (train, where there are splits)"},
    [BESIDE] = {"beside", 'b', "SPECIES", "do not fit on this species; repeatable"},
    [FOLDS] = {"folds", 0, "N", "parts of the persons that are held out in turn (5)"},
    [LLR_MIN] = {"llr-min", 0, "LLR", "never claim less than this, below 0"},
    [LLR_MAX] = {"llr-max", 0, "LLR", "never claim more than this, above 0"},
    [RELEASE] = {"release", 0, "VERSION", "version of the files (one above the calibration before)"},
    [TITLE] = {"title", 0, "TEXT", "what the files call the data set (the table and its split)"},
    [OUT_OF_FOLD] = {"out-of-fold", 0, "FILE", "also write the table with ratios that were held out"},
    [DATA] = {"data", 0, "DIR", "folder with models/ and calibration/ of the release"},
    [REPLICATES] = {"replicates", 0, "N", "draws of the intervals by person (2000)"},
    [SEED] = {"seed", 0, "N", "seed of the folds and draws (1)"},
    [NO_DATE] = {"no-date", 0, NULL, "leave the date out, so that equal input gives equal bytes"},
    [JSON] = {"json", 0, NULL, "print calibration.json instead of writing files"},
    {NULL, 0, NULL, NULL},
};

static void request_done(cli_calibration *r)
{
    for (size_t d = 0; d < BF_FIT_DETECTORS_MAX; d++)
        bf_calibrated_done(&r->calibrated[d]);
    bf_fit_table_done(&r->table);
    bf_free(r->use);
}

static bf_status read_table(cli_calibration *r, bf_error *err)
{
    r->progress = cli_reading_start(r->table_path);
    const bf_fit_options options = {.split = r->split, .progress = cli_reading_show, .context = &r->progress};
    bf_status status = bf_fit_table_read(&r->table, r->table_path, &options, err);
    cli_progress_hide(&r->progress);
    return status;
}

/* Leaves the species of --beside out. */
static bf_status choose_rows(cli_calibration *r, bf_error *err)
{
    const bf_scores *scores = &r->table.scores;
    r->use = bf_malloc(scores->count * sizeof *r->use);
    if (!r->use)
        return bf_fail_memory(err);
    memset(r->use, 1, scores->count * sizeof *r->use);
    for (size_t b = 0; b < r->beside_count; b++) {
        size_t kind = 0;
        while (kind < bf_names_count(&scores->species) && strcmp(scores->species.text[kind], r->beside[b]) != 0)
            kind++;
        if (kind == bf_names_count(&scores->species))
            return bf_fail(err, BF_INVALID_ARGUMENT, "The table has no attack species '%.80s'.", r->beside[b]);
        for (size_t i = 0; i < scores->count; i++)
            r->use[i] = r->use[i] && scores->row[i].kind != kind + 1;
    }
    r->options.use = r->use;
    return BF_OK;
}

static bool has_raw(const bf_fit_table *table, size_t detector)
{
    for (size_t i = 0; i < table->scores.count; i++) {
        if (!isnan(table->raw[i * table->detectors + detector]))
            return true;
    }
    return false;
}

static bf_status choose_detectors(cli_calibration *r, bf_error *err)
{
    for (size_t i = 0; i < r->wanted_count; i++) {
        int detector = bf_fit_detector(&r->table, r->wanted[i]);
        if (detector < 0 || !has_raw(&r->table, (size_t)detector)) {
            bf_fail(err, BF_INVALID_ARGUMENT, "The table has no raw value of '%.80s'.", r->wanted[i]);
            bf_fail_hint(err, "A detector has columns raw.NAME and state.NAME; `bonafide score` writes those of all.");
            return BF_INVALID_ARGUMENT;
        }
        bool again = false;
        for (size_t t = 0; t < r->todo_count; t++)
            again = again || r->todo[t] == (size_t)detector;
        if (!again)
            r->todo[r->todo_count++] = (size_t)detector;
    }
    for (size_t d = 0; r->wanted_count == 0 && d < r->table.detectors; d++) {
        if (has_raw(&r->table, d))
            r->todo[r->todo_count++] = d;
    }
    if (r->todo_count > 0)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "The table has no raw value of any detector.");
    bf_fail_hint(err, "The columns raw.DETECTOR are those that `bonafide score` writes.");
    return BF_INVALID_ARGUMENT;
}

/* A detector that cannot be calibrated is no failure where all were asked for. */
static bf_status calibrate_one(void *data, void *state, size_t index, bf_error *err)
{
    (void)state;
    cli_calibration *r = data;
    size_t detector = r->todo[index];
    bf_status status = bf_calibrate_detector(&r->calibrated[detector], &r->table, detector, &r->options, err);
    if (status == BF_INVALID_ARGUMENT && r->wanted_count == 0) {
        (void)snprintf(r->skipped[detector].why, sizeof r->skipped[detector].why, "%s", err->message);
        r->skipped[detector].name = r->table.detector[detector];
        return BF_OK;
    }
    return status;
}

static bool show_done(void *data, size_t done)
{
    cli_calibration *r = data;
    cli_progress_show(&r->progress, done);
    return !cli_interrupted();
}

static bf_status calibrate_all(cli_calibration *r, bf_error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t done = 0;
    r->progress = cli_progress_start(r->todo_count);
    const bf_parallel parallel = {.count = r->todo_count,
                                  .jobs = cores < 1                      ? 1
                                          : cores > BF_PARALLEL_JOBS_MAX ? BF_PARALLEL_JOBS_MAX
                                                                         : (int)cores,
                                  .data = r,
                                  .work = calibrate_one,
                                  .progress = show_done};
    bf_status status = bf_parallel_run(&parallel, &done, err);
    cli_progress_hide(&r->progress);
    if (status == BF_OK && done < r->todo_count)
        return bf_fail(err, BF_IO_ERROR, "Interrupted; nothing was written.");
    /* What is there moves together, in the order of the names. */
    for (size_t d = 0; d < r->table.detectors; d++) {
        if (r->calibrated[d].name && r->made++ != d) {
            r->calibrated[r->made - 1] = r->calibrated[d];
            r->calibrated[d] = (bf_calibrated){0};
        }
        if (r->skipped[d].name)
            r->skipped[r->skipped_count++] = r->skipped[d];
    }
    if (status == BF_OK && r->made == 0)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s", r->skipped[0].why);
    return status;
}

static bf_status calibrate(cli_calibration *r, bf_error *err)
{
    r->options.folds = (size_t)r->folds;
    r->options.replicates = (size_t)r->replicates;
    r->options.seed = (uint64_t)r->seed;
    bf_status status = read_table(r, err);
    if (status == BF_OK)
        status = choose_rows(r, err);
    if (status == BF_OK)
        status = choose_detectors(r, err);
    if (status == BF_OK)
        status = calibrate_all(r, err);
    return status == BF_OK ? cli_calibration_write(r, err) : status;
}

static bool read_limit(const cli_calibration *r, const char *name, const char *value, double least, double most,
                       double *ret)
{
    if (bf_csv_number((bf_csv_field){value, strlen(value)}, ret) && *ret >= least && *ret <= most && *ret != 0)
        return true;
    (void)cli_fail_usage(r->command, "--%s must be a number from %g to %g other than 0, not '%s'.", name, least, most,
                         value);
    return false;
}

static bool take_method(cli_calibration *r, const char *value)
{
    if (bf_fit_method_from_name(value, &r->method)) {
        r->options.method = &r->method;
        return true;
    }
    (void)cli_fail_usage(r->command, "--method must be platt, bands, isotonic, min-max or z-score, not '%s'.", value);
    return false;
}

static bool take_by(cli_calibration *r, const char *value)
{
    r->options.by_channel = strcmp(value, "channel") == 0;
    if (!r->options.by_channel)
        (void)cli_fail_usage(r->command, "--by must be channel, the only column that calibration files know, not '%s'.",
                             value);
    return r->options.by_channel;
}

static bool take_release(cli_calibration *r, const char *value)
{
    r->release = value;
    if (!bf_config_is_name(value))
        (void)cli_fail_usage(r->command, "--release must be of letters, digits and ._-+, not '%s'.", value);
    return bf_config_is_name(value);
}

/* The options with a value that is a number. */
static bool take_number(cli_calibration *r, int option, const char *value)
{
    switch (option) {
    case FOLDS:
        return cli_read_number(r->command, "folds", value, 2, BF_FOLDS_MAX, &r->folds);
    case LLR_MIN:
        return read_limit(r, "llr-min", value, -BF_LLR_LIMIT_MAX, 0, &r->options.llr_min);
    case LLR_MAX:
        return read_limit(r, "llr-max", value, 0, BF_LLR_LIMIT_MAX, &r->options.llr_max);
    case REPLICATES:
        return cli_read_replicates(r->command, value, &r->replicates);
    default:
        return cli_read_seed(r->command, value, &r->seed);
    }
}

/* Takes one option over; false when it is wrong, which was said. */
static bool take_option(cli_calibration *r, int option, const char *value)
{
    switch (option) {
    case OUTPUT:
        r->output = value;
        return true;
    case DETECTOR:
        return cli_add_name(r->command, "detector", value, r->wanted, &r->wanted_count);
    case METHOD:
        return take_method(r, value);
    case BY:
        return take_by(r, value);
    case SPLIT:
        r->split = value;
        return true;
    case BESIDE:
        return cli_add_name(r->command, "beside", value, r->beside, &r->beside_count);
    case RELEASE:
        return take_release(r, value);
    case TITLE:
        r->title = value;
        return true;
    case OUT_OF_FOLD:
        r->out_of_fold = value;
        return true;
    case DATA:
        r->data = value;
        return true;
    case NO_DATE:
        r->no_date = true;
        return true;
    case JSON:
        r->json = true;
        return true;
    default:
        return take_number(r, option, value);
    }
}

static int run_request(cli_calibration *r, int argc, char **argv)
{
    bf_error err = {0};
    cli_parser parser = cli_parser_start(r->command, argc, argv);
    for (int option; (option = cli_parser_next(&parser)) >= 0;) {
        if (!take_option(r, option, parser.value))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    r->table_path = parser.operand[0];
    if (r->out_of_fold && strcmp(r->table_path, "-") == 0)
        return cli_fail_usage(r->command, "--out-of-fold needs a table that can be read twice, not standard input.");
    if (r->out_of_fold && r->json)
        return cli_fail_usage(r->command, "--json writes no files, so there is none for --out-of-fold.");
    cli_interrupt_catch();
    if (calibrate(r, &err) == BF_OK)
        return cli_finish_output(r->command, 0);
    return cli_fail_table(r->command, &err);
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_calibration *r = bf_calloc(1, sizeof *r);
    if (!r)
        return cli_fail(command, CLI_INTERNAL, "out of memory.");
    r->command = command;
    r->output = ".";
    r->folds = BF_FOLDS;
    r->replicates = BF_REPLICATES;
    r->seed = CLI_SEED_DEFAULT;
    r->options.llr_min = -BF_LLR_LIMIT_MAX;
    r->options.llr_max = BF_LLR_LIMIT_MAX;
    int code = run_request(r, argc, argv);
    request_done(r);
    bf_free(r);
    return code;
}

const cli_command CLI_CALIBRATE = {
    .name = "calibrate",
    .operands = "SCORES",
    .summary = "Fit calibrations to a table of scores",
    .about = "Reads the scores.csv that `bonafide score` writes, fits what turns each detector's raw value into a "
             "log-likelihood ratio, and writes DETECTOR.yaml for the folder calibration/ with a report on how well it "
             "does for persons that it has not seen. Nothing is fitted on a split called test. The exit status is 65 "
             "when the table cannot be used.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
