#include "cli/dataset.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "cli/interrupt.h"
#include "dataset/parallel.h"

bool cli_dataset_option(cli_dataset *d, int row, const char *value)
{
    switch (row) {
    case CLI_DATASET_ROOT:
        d->options.root = value;
        break;
    case CLI_DATASET_LABEL:
        d->options.label = value;
        break;
    case CLI_DATASET_JOBS:
        return cli_read_number(d->command, "jobs", value, 1, BF_PARALLEL_JOBS_MAX, &d->jobs);
    default:
        break;
    }
    return true;
}

int cli_jobs(int asked)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int jobs = asked > 0 ? asked : processors > 0 ? (int)processors : 1;
    return jobs < BF_PARALLEL_JOBS_MAX ? jobs : BF_PARALLEL_JOBS_MAX;
}

int cli_fail_data(const cli_command *command, const bf_error *err)
{
    int code = cli_fail_error(command, err);
    bool content = err->status == BF_INVALID_ARGUMENT || err->status == BF_IO_ERROR;
    return content ? CLI_UNREADABLE : code;
}

int cli_dataset_read(cli_dataset *d, const char *path)
{
    bf_error err = {0};
    d->options.path = path;
    if (bf_dataset_read(&d->options, &d->dataset, &d->problems, &err) == BF_OK)
        return 0;
    return cli_fail_data(d->command, &err);
}

int cli_dataset_check(const cli_dataset *d)
{
    bf_error err = {0};
    if (bf_problems_status(&d->problems, d->dataset.manifest, &err) == BF_OK)
        return 0;
    return cli_fail_data(d->command, &err);
}

int cli_dataset_open(cli_dataset *d, const char *path)
{
    int code = cli_dataset_read(d, path);
    if (code == 0)
        bf_dataset_review(&d->dataset, &d->problems);
    return code == 0 ? cli_dataset_check(d) : code;
}

static bool show(void *data, size_t done)
{
    cli_dataset *d = data;
    cli_progress_show(&d->progress, done);
    return !cli_interrupted();
}

int cli_dataset_probe(cli_dataset *d, bool pictures, size_t first, size_t step)
{
    bf_error err = {0};
    bool complete = true;
    const bf_probe_options options = {
        .jobs = cli_jobs(d->jobs),
        .pictures = pictures,
        .first = first,
        .step = step,
        .progress = show,
        .progress_data = d,
    };
    d->progress = cli_progress_start(d->dataset.count / (step ? step : 1));
    cli_interrupt_catch();
    bf_status status = bf_probe_files(&d->dataset, &options, &d->probes, &complete, &err);
    cli_progress_hide(&d->progress);
    if (status != BF_OK)
        return cli_fail_data(d->command, &err);
    if (!complete)
        return cli_fail(d->command, CLI_INTERNAL, "interrupted while looking at the files.");
    bf_probe_review(&d->dataset, d->probes, &d->problems);
    return 0;
}

void cli_dataset_done(cli_dataset *d)
{
    bf_free(d->probes);
    bf_problems_done(&d->problems);
    bf_dataset_done(&d->dataset);
}
