/* Judging many files on several threads, with the results in the files' order. */
#ifndef BF_CLI_POOL_H
#define BF_CLI_POOL_H

#include "cli/files.h"
#include "cli/open.h"

#define CLI_JOBS_MAX 64

typedef struct cli_work {
    const bf_engine *engine;
    const cli_files *files;
    bf_request request; /* all but media and request_id, the same for every file */
    int jobs;           /* threads, 1..CLI_JOBS_MAX */
    int fps;            /* of folders of frames without times */
} cli_work;

/* Takes one result; always called by the thread that called cli_judge_all, for index 0, 1, 2, ... The record is freed
 * afterwards. Returns false to stop. */
typedef bool cli_take(void *data, size_t index, const bf_record *record);

/* Judges every file. A file that cannot be read becomes a record that says so. At most a few results per thread are
 * kept, however slow `take` is. OUT_OF_MEMORY, INVALID_ARGUMENT (the request), INTERNAL (no thread). */
bf_status cli_judge_all(const cli_work *work, cli_take *take, void *data, bf_error *err);

#endif
