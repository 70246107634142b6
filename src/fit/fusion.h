/* Fitting a fusion: which rule turns the evidence of several detectors into one log-likelihood ratio, how good it is on
 * persons that it has not seen, what each detector adds, and the file that the product reads. */
#ifndef BF_FIT_FUSION_H
#define BF_FIT_FUSION_H

#include "base/bytes.h"
#include "evaluate/bootstrap.h"
#include "evaluate/evaluate.h"
#include "fit/table.h"
#include "fuse/fuse.h"

/* The methods, simplest first. */
typedef enum bf_fusing {
    BF_FUSING_MINIMUM, /* the weakest evidence decides */
    BF_FUSING_SUM,     /* one weight for all */
    BF_FUSING_LOGISTIC,
    BF_FUSING_TREES,
    BF_FUSINGS
} bf_fusing;

/* "minimum", "sum", "logistic", "trees"; static text. */
const char *bf_fusing_name(bf_fusing method);
/* "Logistic regression", for people. */
const char *bf_fusing_title(bf_fusing method);

#define BF_FUSION_NEEDED_MAX 7  /* detectors that a configuration needs: each can be missed by another one */
#define BF_PARAMETER_PERSONS 10 /* persons for each parameter, of either class: fewer are warned about, */
#define BF_PARAMETER_LEAST 2    /* and with fewer than so many a method is not chosen */

typedef struct bf_fusion_options {
    const char *name, *version;   /* of the file */
    const char *const *detectors; /* which to fuse; count 0: all that the table has calibrated evidence of */
    size_t detector_count;
    const char *const *against; /* which can only lower the score, beside those whose values are never above 0.25 */
    size_t against_count;
    const char *const *beside; /* species that are neither fitted on nor in the headline */
    size_t beside_count;
    int method;         /* a bf_fusing; -1: the simplest that is not significantly worse than the best */
    const char *keep;   /* path of the fusion file whose other configurations and evidence are kept; NULL: none */
    bool as_calibrated; /* calibrations were fitted on other data; else each fold fits Platt calibrations of its own */
    double threshold;   /* score at which error rates are told, 0..100 */
    size_t folds, replicates;
    uint64_t seed;
    int jobs;                                                   /* threads */
    void (*progress)(void *context, size_t done, size_t total); /* may be NULL */
    void *context;
} bf_fusion_options;

/* What is compared between two ways of fusing. */
typedef enum bf_fusion_measure {
    BF_MEASURED_CLLR,
    BF_MEASURED_AUC,
    BF_MEASURED_EER,
    BF_MEASURED_BPCER10,
    BF_MEASURED_BPCER20,
    BF_MEASURED_BPCER100,
    BF_MEASURED
} bf_fusion_measure;

/* Of one set of held-out ratios, over the rows that everything it is compared with judges, too. */
typedef struct bf_fusion_figures {
    size_t judged;             /* rows that it gives a ratio for at all */
    double value[BF_MEASURED]; /* NaN when it cannot be measured */
    bf_span span[BF_MEASURED]; /* 95 %, persons drawn again */
    double more[BF_MEASURED];  /* less what it is compared with */
    bf_span more_span[BF_MEASURED];
    bf_rate error[BF_KINDS_MAX]; /* BPCER, then APCER of each species, at the threshold */
    uint16_t worst_kind;         /* of the headline */
} bf_fusion_figures;

typedef struct bf_fusion_candidate {
    char refused[300];      /* why it was not fitted; "" when it was */
    bool scarce;            /* too few persons for its parameters: measured, but only chosen when asked for */
    size_t parameters;      /* that it takes from the table, about */
    size_t trees;           /* of the method of that name */
    bf_fusion_figures held; /* persons held out, compared with the best method */
    double apparent_cllr, apparent_auc; /* on the rows that it was fitted on */
    double source_cllr, source_auc;     /* sources held out; NaN when that cannot be done */
    bool worse;                         /* than the best, by more than chance */
} bf_fusion_candidate;

typedef struct bf_fusion_detector {
    char name[BF_NAME_MAX];
    bool against;              /* can only lower */
    bool alone;                /* may judge when nothing else is there */
    size_t rows[2];            /* bona fide and attacks that it has evidence of */
    double ms;                 /* median of its time; NaN: unknown */
    bf_fusion_figures single;  /* its own ratio, as it stands in the table */
    bool can_do_without;       /* something can judge when it is left out; else the next two mean nothing */
    bf_fusion_figures without; /* everything fitted without it, compared with everything fitted with it */
    bf_fusion_figures missing; /* everything fitted with it, and then it fails */
} bf_fusion_detector;

/* A fitted fusion with what was found on the way. Large: on the heap. */
typedef struct bf_fusion_fit {
    const bf_fit_table *table; /* borrowed, and what the options point to */
    bf_fusion_options options;
    bool beside[BF_SPECIES_MAX];
    size_t persons[2]; /* with bona fide presentations, with attacks that are fitted on */
    size_t fitted[2];  /* rows that are fitted on */
    size_t folds, replicates;
    size_t sources;  /* that were held out; 0: none could be */
    size_t compared; /* rows that all methods judge */
    bf_fusion_candidate candidate[BF_FUSINGS];
    bf_fusing best, chosen;
    bf_fusion_detector detector[BF_DETECTORS_MAX];
    size_t detectors;
    double *held_llr; /* by row, of the chosen method; NaN: not judged */
    double live_prior;
    bf_bytes yaml; /* the file */
    size_t kept;   /* configurations taken over from the file that is kept */
    bf_warning warning[BF_WARNINGS_MAX];
    size_t warnings;
} bf_fusion_fit;

/* Fits and measures. On success the caller calls bf_fusion_fit_free. INVALID_ARGUMENT says what is wrong with the table
 * or the options, CONFIG_INVALID with the file that is to be kept; MODEL_UNAVAILABLE: trees were asked for and XGBoost
 * is missing; OUT_OF_MEMORY. */
bf_status bf_fusion_fit_new(bf_fusion_fit **ret, const bf_fit_table *table, const bf_fusion_options *options,
                            bf_error *err);
void bf_fusion_fit_free(bf_fusion_fit **fit);

/* "Bona fide", or the species. */
const char *bf_fusion_kind_name(const bf_fusion_fit *fit, size_t kind);

/* fusion.json and fusion.html. `table` names the scores table. The caller gives *ret to bf_bytes_done.
 * OUT_OF_MEMORY. */
bf_status bf_fusion_json(bf_bytes *ret, const bf_fusion_fit *fit, const char *table, bf_error *err);
bf_status bf_fusion_html(bf_bytes *ret, const bf_fusion_fit *fit, const char *table, bf_error *err);

#endif
