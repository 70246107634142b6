/* A progress bar on standard error, while long work runs on a terminal. */
#ifndef BF_CLI_PROGRESS_H
#define BF_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_progress {
    bool possible; /* standard error is a terminal and there is more than one piece of work */
    bool shown;
    size_t total;
    double started_ms, drawn_ms;
} cli_progress;

cli_progress cli_progress_start(size_t total);
/* Removes the bar, so that other text can be written. */
void cli_progress_hide(cli_progress *progress);
/* Draws the bar when the work has taken a while and the last drawing is some time ago. */
void cli_progress_show(cli_progress *progress, size_t done);

#endif
