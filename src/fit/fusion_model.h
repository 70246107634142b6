/* Pieces of fitting a fusion; see fusion.h. */
#ifndef BF_FIT_FUSION_MODEL_H
#define BF_FIT_FUSION_MODEL_H

#include "base/yaml.h"
#include "calibrate/calibrate.h"
#include "evaluate/page.h"
#include "fit/boost.h"
#include "fit/folds.h"
#include "fit/fusion.h"

#define BF_LLR_OF_FUSED 6.0 /* clamp of the fused ratio: hundreds of photos of few people cannot support more */
#define BF_LIVE_PRIOR 0.5

/* The evidence that is fused. */
typedef struct bf_fusion_set {
    const bf_fit_table *table;
    const bf_fusion_detector *detector;
    size_t count;
    double *llr;        /* rows x count; NaN: absent */
    bool *fitted;       /* by row: not of a species that is kept out */
    bool as_calibrated; /* folds take the ratios as they stand */
    int jobs;           /* threads */
    uint64_t seed;      /* of what is left out at random */
} bf_fusion_set;

/* One configuration. Detectors are numbers of the set. */
typedef struct bf_fusion_part {
    uint32_t needs; /* a bit for each detector */
    double bias;
    double weight[BF_DETECTORS_MAX]; /* of what it needs, and of what speaks only against */
    bf_boost *boost;                 /* trees: over all detectors */
} bf_fusion_part;

typedef struct bf_fusion_model {
    bf_fusing method;
    uint32_t heard; /* the detectors it was fitted with */
    bf_fusion_part part[BF_FUSION_CONFIGURATIONS_MAX];
    size_t parts;
    size_t trees; /* of its first part */
} bf_fusion_model;

/* What one fit takes. */
typedef struct bf_fusion_task {
    const bf_fusion_set *set;
    bf_fusing method;
    uint32_t heard;    /* detectors to fit with */
    const bool *use;   /* rows to fit on */
    const bool *check; /* trees: those of them by which their number is chosen; NULL: `trees` says it */
    size_t trees;
} bf_fusion_task;

/* Every detector of the set. */
uint32_t bf_fusion_all(const bf_fusion_set *set);
/* Whether some configuration can be made of these detectors. */
bool bf_fusion_can_judge(const bf_fusion_set *set, uint32_t heard);

/* Fits a configuration for all that is heard, for each one of it missing, and for each that may judge alone. Those that
 * the rows cannot tell (too few of a class) are left out. On success the caller calls bf_fusion_model_done.
 * INVALID_ARGUMENT: no configuration could be fitted; otherwise as bf_boost_fit. */
bf_status bf_fusion_model_fit(bf_fusion_model *ret, const bf_fusion_task *task, bf_error *err);
void bf_fusion_model_done(bf_fusion_model *model);

/* A fusion file of which some is kept: its configurations that need a detector which the table has not, and what its
 * configurations hear of such detectors. */
typedef struct bf_fusion_kept {
    bf_yaml *doc; /* NULL: nothing is kept */
    double live_prior, llr_min, llr_max;
} bf_fusion_kept;

bf_status bf_fusion_kept_read(bf_fusion_kept *ret, const char *path, bf_error *err);
void bf_fusion_kept_done(bf_fusion_kept *kept);

/* Writes the fusion file. `dataset` says in a comment what it was fitted on; *ret_kept counts configurations taken
 * over, *ret_dropped those that there was no room for. */
void bf_fusion_write(bf_page *page, const bf_fusion_set *set, const bf_fusion_model *model, const bf_fusion_kept *kept,
                     const char *name, const char *version, const char *dataset, size_t *ret_kept, size_t *ret_dropped);

/* The fused ratio of the rows in `use`, as the product would judge them by this model, without the detectors in
 * `missing`; NaN: not judged. Other places of ret stay. */
bf_status bf_fusion_model_apply(const bf_fusion_set *set, const bf_fusion_model *model, uint32_t missing,
                                const bool *use, double *ret, bf_error *err);

/* Calibrations for each fold (fold x detector) that were fitted on the other folds; empty where ratios stand as they
 * are. Zero before; done after, also on failure. OUT_OF_MEMORY. */
typedef struct bf_fusion_recalibrated {
    bf_calibration *fit;
    bool *fitted; /* the others had too little to fit on */
} bf_fusion_recalibrated;
bf_status bf_fusion_recalibrate(bf_fusion_recalibrated *ret, const bf_fusion_set *set, const bf_folds *folds,
                                bf_error *err);
void bf_fusion_recalibrated_done(bf_fusion_recalibrated *recalibrated);

/* Ratios of rows that the model has not seen: each fold judged by what was fitted on the others, in several cases of
 * detectors that are missing then. ret has a place for each case and row; rows of no fold are NaN. `inner` are
 * folds by person, by which the number of trees is chosen; *ret_trees is their mean (may be NULL). */
typedef struct bf_fusion_cross {
    const bf_fusion_set *set;
    const bf_folds *folds, *inner;
    const bf_fusion_recalibrated *recalibrated; /* for these folds */
    bf_fusing method;
    uint32_t heard;
    const uint32_t *missing; /* by case */
    size_t cases;
} bf_fusion_cross;
bf_status bf_fusion_cross_run(const bf_fusion_cross *cross, double *ret, size_t *ret_trees, bf_error *err);

/* Ratios to be measured, by row; NaN: none. */
typedef struct bf_fusion_run {
    const double *llr;
    bf_fusion_figures *ret;
} bf_fusion_run;

/* Measures runs over the rows that all of them judge, each against the one numbered `reference`, persons drawn again
 * together for all; with BF_NO_REFERENCE nothing is drawn. *ret_rows (may be NULL) counts those rows, *ret_replicates
 * the draws. OUT_OF_MEMORY. */
#define BF_NO_REFERENCE SIZE_MAX
bf_status bf_fusion_measure_runs(const bf_fusion_fit *fit, const bf_fusion_run *run, size_t runs, size_t reference,
                                 size_t *ret_rows, size_t *ret_replicates, bf_error *err);

/* Cllr and AUC of the headline's rows with a ratio. OUT_OF_MEMORY. */
bf_status bf_fusion_measure_plain(const bf_fusion_fit *fit, const double *llr, double *ret_cllr, double *ret_auc,
                                  bf_error *err);

/* Fills fit->beside from the options, and fit->detector from the table and the options. INVALID_ARGUMENT. */
bf_status bf_fusion_find_beside(bf_fusion_fit *fit, bf_error *err);
bf_status bf_fusion_choose_detectors(bf_fusion_fit *fit, bf_error *err);
/* The median of the column ms.DETECTOR; NaN without one. `room` has a place for each row. */
double bf_fusion_time_of(const bf_scores *scores, const char *detector, double *room);

/* What the reader must know. */
void bf_fusion_warn(bf_fusion_fit *fit);

#endif
