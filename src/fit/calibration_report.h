/* What calibrations are worth, as calibration.json for programs and calibration.html for people. */
#ifndef BF_FIT_CALIBRATION_REPORT_H
#define BF_FIT_CALIBRATION_REPORT_H

#include "evaluate/report.h"
#include "fit/calibration.h"

#define BF_CALIBRATION_REPORT_VERSION 1 /* of the form of calibration.json */

/* A detector that could not be calibrated. */
typedef struct bf_calibration_skipped {
    const char *name;
    char why[BF_ERROR_TEXT_SIZE];
} bf_calibration_skipped;

typedef struct bf_calibration_report {
    const bf_fit_table *table;
    const bf_calibrating_options *options;
    const char *const *beside; /* species that were left out */
    size_t beside_count;
    const bf_calibrated *detector;
    size_t detectors;
    const bf_calibration_skipped *skipped;
    size_t skipped_count;
} bf_calibration_report;

/* As api/calibration_report.schema.json describes. The caller gives *ret to bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_calibration_report_json(bf_bytes *ret, const bf_calibration_report *report, const bf_report_facts *facts,
                                     bf_error *err);

/* One self-contained page, as bf_report_html. */
bf_status bf_calibration_report_html(bf_bytes *ret, const bf_calibration_report *report, const bf_report_facts *facts,
                                     bf_error *err);

#endif
