/* What the commands about datasets have in common. */
#ifndef BF_CLI_DATASET_H
#define BF_CLI_DATASET_H

#include "cli/command.h"
#include "cli/progress.h"
#include "dataset/probe.h"
#include "dataset/split.h"

/* Rows for a command's table of options, in this order. */
#define CLI_DATASET_OPTION_ROWS                                                                                        \
    {"root", 0, "DIR", "folder that the manifest's paths start from (its own)"},                                       \
        {"label", 0, "LABEL", "live or spoof, for every row of a manifest without labels"},                            \
    {                                                                                                                  \
        "jobs", 'j', "N", "threads (one for each processor)"                                                           \
    }
enum { CLI_DATASET_ROOT, CLI_DATASET_LABEL, CLI_DATASET_JOBS, CLI_DATASET_ROWS };

/* One run over one dataset. */
typedef struct cli_dataset {
    const cli_command *command;
    bf_dataset_options options;
    int jobs;
    bf_dataset dataset;
    bf_problems problems;
    bf_probe *probes; /* NULL until the files were looked at */
    cli_progress progress;
} cli_dataset;

/* Takes over one of the rows above; false when the value is wrong, which it has then said. */
bool cli_dataset_option(cli_dataset *d, int row, const char *value);

/* Each returns 0, or the exit code after saying what is wrong. Reads the manifest; rows with errors are in
 * d->problems. */
int cli_dataset_read(cli_dataset *d, const char *path);
/* The same, but errors in rows end it. */
int cli_dataset_open(cli_dataset *d, const char *path);
/* Looks at the files; with `pictures` decodes them too. Errors are in d->problems. */
int cli_dataset_probe(cli_dataset *d, bool pictures, size_t first, size_t step);
/* Ends when d->problems holds an error. */
int cli_dataset_check(const cli_dataset *d);
void cli_dataset_done(cli_dataset *d);

/* Says what a function about data has reported: bad content is CLI_UNREADABLE. Returns the exit code. */
int cli_fail_data(const cli_command *command, const bf_error *err);

/* Threads to use: as many as were asked for, or with 0 one for each processor. */
int cli_jobs(int asked);

#endif
