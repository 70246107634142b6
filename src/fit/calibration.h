/* Calibrations from a table of scores: fitted by several methods, judged on persons that the fit has not seen. */
#ifndef BF_FIT_CALIBRATION_H
#define BF_FIT_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "calibrate/calibrate.h"
#include "evaluate/bootstrap.h"
#include "evaluate/reliability.h"
#include "fit/folds.h"
#include "fit/maps.h"
#include "fit/table.h"

#define BF_FIT_ROWS_LEAST 10 /* presentations of a class with fewer are not fitted on */
/* A channel of so many persons of each class counts half, all channels together the other half. */
#define BF_FIT_SHRINK_PERSONS 20.0
#define BF_FIT_WARNINGS_MAX 10

typedef struct bf_calibrating_options {
    const bf_fit_method *method; /* NULL: the simplest that is not significantly worse than the best */
    bool by_channel;             /* maps of their own for channels */
    double llr_min, llr_max;     /* ceilings of what may be claimed; -BF_LLR_LIMIT_MAX and BF_LLR_LIMIT_MAX: none */
    const bool *use;             /* by row: whether it is fitted on and measured */
    size_t folds, replicates;
    uint64_t seed;
} bf_calibrating_options;

/* Fits one detector to the rows of `use`, whatever options->use says. Fills map, by_channel, has_channel, llr_min and
 * llr_max of *ret; `ret_share` (by bf_channel; may be NULL) gets how much a channel's own fit counts, 0 without one.
 *
 * None of n presentations gives a share of about 1 / (n + 2): so no ratio is beyond log(n + 2), with the attacks for
 * llr_max, and the bona fide presentations for llr_min. INVALID_ARGUMENT, OUT_OF_MEMORY. */
bf_status bf_calibration_fit(bf_calibration *ret, const bf_fit_table *table, size_t detector, bf_fit_method method,
                             const bf_calibrating_options *options, const bool *use, double *ret_share, bf_error *err);

/* The ratio of each row with a raw value, from a fit to all folds but its own; NaN for the others, and where a fold
 * leaves too little to fit on. OUT_OF_MEMORY. */
bf_status bf_calibration_held_out(double *ret, const bf_fit_table *table, size_t detector, bf_fit_method method,
                                  const bf_calibrating_options *options, const bf_folds *folds, bf_error *err);

/* A figure and its interval by person. */
typedef struct bf_difference {
    double value;
    bf_span span;
} bf_difference;

/* What one method gave, on persons that its fit had not seen. Classes weigh alike. */
typedef struct bf_fit_trial {
    bool by_channel;
    double *llr;                    /* by row */
    bf_reliability held_out;        /* `balanced` at even odds; bins at the odds of the rows */
    bf_calibration_error by_source; /* sources held out in turn; NaN when none can be */
    bf_difference over_best;        /* log loss less that of the best candidate */
    bool worse;                     /* significantly */
} bf_fit_trial;

typedef struct bf_channel_fit {
    uint64_t rows[2]; /* bona fide, attacks */
    double share;     /* of its own fit; 0: the map for all is used */
} bf_channel_fit;

typedef struct bf_calibrated {
    size_t detector;
    const char *name;
    uint64_t rows[2], persons[2]; /* that were fitted on: bona fide, attacks */
    bf_fit_trial trial[BF_FIT_METHODS];
    bf_fit_trial channels; /* the chosen method, by channel, when that was asked for */
    bf_fit_method chosen;
    bf_calibration fit; /* of all rows; detector, version and what it is bound to are the caller's to fill */
    bf_channel_fit channel[BF_CHANNEL_COUNT];
    bool has_before;   /* the table has ratios of an earlier calibration */
    bool only_against; /* and these never speak for bona fide by much: so it stays, unless llr_max was given */
    bf_reliability before;
    bf_difference log_loss, brier; /* after less before, by person */
    double quantile[2][5];         /* of raw, bona fide and attacks: 5, 25, 50, 75, 95 % */
    char warning[BF_FIT_WARNINGS_MAX][300];
    size_t warnings;
} bf_calibrated;

/* Tries every method on one detector, chooses, and fits to all rows. On success the caller calls bf_calibrated_done.
 * INVALID_ARGUMENT: too few rows or persons of a class have a raw value; OUT_OF_MEMORY. */
bf_status bf_calibrate_detector(bf_calibrated *ret, const bf_fit_table *table, size_t detector,
                                const bf_calibrating_options *options, bf_error *err);
void bf_calibrated_done(bf_calibrated *calibrated);

/* What was held out and chosen: the trial whose figures describe the file. */
const bf_fit_trial *bf_calibrated_after(const bf_calibrated *calibrated);

/* Part of bf_calibrate_detector: what the figures cannot show, as sentences. */
void bf_calibrated_warn(bf_calibrated *calibrated, const bf_calibrating_options *options);

/* calibration/DETECTOR.yaml. `dataset` is for people. The text is read back before it is handed out. The caller gives
 * *ret to bf_bytes_done. */
bf_status bf_calibration_write(bf_bytes *ret, const bf_calibrated *calibrated, const char *dataset, bf_error *err);

#endif
