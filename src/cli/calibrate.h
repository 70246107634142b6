/* bonafide calibrate, in parts. */
#ifndef BF_CLI_CALIBRATE_H
#define BF_CLI_CALIBRATE_H

#include <jansson.h>

#include "cli/command.h"
#include "cli/table.h"
#include "fit/calibration_report.h"

/* What was asked for, and what is made of it. */
typedef struct cli_calibration {
    const cli_command *command;
    const char *table_path, *output, *split, *release, *title, *out_of_fold, *data;
    const char *wanted[CLI_NAMES_MAX], *beside[CLI_NAMES_MAX];
    size_t wanted_count, beside_count;
    bf_fit_method method;
    int folds, replicates, seed;
    bf_calibrating_options options;
    bool no_date, json;
    bf_fit_table table;
    bool *use;
    bf_calibrated calibrated[BF_FIT_DETECTORS_MAX]; /* by detector of the table; name is NULL where there is none */
    bf_calibration_skipped skipped[BF_FIT_DETECTORS_MAX];
    size_t made, skipped_count;
    size_t todo[BF_FIT_DETECTORS_MAX], todo_count;
    cli_progress progress;
} cli_calibration;

/* Writes all files, or prints calibration.json. */
bf_status cli_calibration_write(cli_calibration *calibration, bf_error *err);

/* What a calibration is bound to: found beside the table, or in the installed release. */
typedef struct cli_origin {
    json_t *meta;     /* scores.meta.json; NULL when there is none */
    const char *data; /* what --data says; may be NULL */
} cli_origin;

/* Reads the document beside the table; it need not be there. `stack` is that of the rows, or "". The caller calls
 * cli_origin_done in any case. INVALID_ARGUMENT: the document is of another table. */
bf_status cli_origin_read(cli_origin *ret, const char *table, const char *stack, const char *data, bf_error *err);
void cli_origin_done(cli_origin *origin);

/* Fills detector, detector_version, model_sha256 and version of a new calibration: those of the table's own document,
 * else of the installed model, else of the installed calibration. The version is one minor number above that of the
 * calibration before, unless `version` is given. INVALID_ARGUMENT: the detector is in none of them. */
bf_status cli_origin_bind(const cli_origin *origin, const char *detector, const char *version, bf_calibration *ret,
                          bf_error *err);

#endif
