#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/open.h"
#include "cli/term.h"

#define LONG_WORK_MS 1000.0
#define REDRAW_MS 100.0
#define BAR_WIDTH 30

cli_progress cli_progress_start(size_t total)
{
    return (cli_progress){.possible = total > 1 && isatty(STDERR_FILENO) && cli_term_width(stderr) > BAR_WIDTH + 30,
                          .total = total,
                          .started_ms = cli_now_ms()};
}

void cli_progress_hide(cli_progress *progress)
{
    if (!progress->shown)
        return;
    (void)fputs("\r\033[K", stderr);
    (void)fflush(stderr);
    progress->shown = false;
}

void cli_progress_show(cli_progress *progress, size_t done)
{
    double now = cli_now_ms();
    if (!progress->possible || now - progress->started_ms < LONG_WORK_MS || done >= progress->total ||
        (progress->shown && now - progress->drawn_ms < REDRAW_MS))
        return;
    int filled = (int)(done * BAR_WIDTH / progress->total);
    double left_s = done > 0 ? (now - progress->started_ms) * (double)(progress->total - done) / (double)done / 1e3 : 0;
    (void)fprintf(stderr, "\r[%.*s%*s] %zu/%zu, %.0f s left\033[K", filled, "##############################",
                  BAR_WIDTH - filled, "", done, progress->total, left_s);
    (void)fflush(stderr);
    progress->shown = true;
    progress->drawn_ms = now;
}
