/* All figures of one scores table, ready to be written down. */
#ifndef BF_EVALUATE_EVALUATE_H
#define BF_EVALUATE_EVALUATE_H

#include "evaluate/bootstrap.h"
#include "evaluate/curve.h"
#include "evaluate/detectors.h"
#include "evaluate/journey.h"
#include "evaluate/latency.h"
#include "evaluate/rates.h"
#include "evaluate/reliability.h"
#include "evaluate/scores.h"
#include "evaluate/segments.h"

#define BF_THRESHOLD_DEFAULT 80.0 /* between the pass bands of the shipped policies, 75 to 93 */
#define BF_COVERAGES 2            /* by device class and by channel */
#define BF_NEIGHBOURS 10          /* other thresholds whose rates are shown */
#define BF_WARNINGS_MAX 24
#define BF_LEVELS 7

typedef struct bf_evaluation_options {
    double threshold;          /* 0..100: accepted when the score is at or above it */
    size_t replicates;         /* of the bootstrap */
    uint64_t seed;             /* of the bootstrap */
    const char *const *beside; /* species that are shown beside the headline; may be NULL */
    size_t beside_count;
    const char *title;   /* of the report; NULL: none */
    const bf_said *said; /* with a row for each of the table, which outlives the evaluation; NULL: nothing */
} bf_evaluation_options;

/* Rates at another threshold. */
typedef struct bf_neighbour {
    double threshold;
    bf_rate apcer; /* of the worst species there */
    uint16_t worst_kind;
    bf_rate bpcer;
} bf_neighbour;

typedef enum bf_gravity { BF_GRAVITY_NOTE, BF_GRAVITY_CAUTION, BF_GRAVITY_SERIOUS } bf_gravity;

/* A sentence or two about what the figures cannot show. */
typedef struct bf_warning {
    bf_gravity gravity;
    char text[400];
} bf_warning;

typedef enum bf_level_result {
    BF_LEVEL_NOT_MEASURED,
    BF_LEVEL_NO_MARK,     /* the level asks for a figure only, and it was measured */
    BF_LEVEL_BEYOND,      /* the figure does not keep to the level */
    BF_LEVEL_FIGURE_ONLY, /* the figure does, its upper bound does not: too few samples to tell */
    BF_LEVEL_WITHIN       /* the upper bound does too */
} bf_level_result;

/* A level that is commonly cited, and the figure beside it. */
typedef struct bf_level {
    const char *name, *criterion;
    bf_level_result result;
    char measured[200];
} bf_level;

typedef struct bf_evaluation {
    const bf_scores *scores; /* borrowed */
    bf_evaluation_options options;
    bool beside[BF_SPECIES_MAX]; /* by species */
    size_t kinds;
    bf_kind_figures *kind;
    uint16_t worst_kind; /* the species of the headline */
    bf_curve curve;
    bf_curve_figures figures;
    bf_rate bpcer_at[BF_TARGETS], apcer_at; /* those of figures, with intervals; apcer_at of its worst species */
    bf_bootstrap bootstrap;                 /* NaN also where there is no error, or nothing but errors, to draw from */
    bf_neighbour neighbour[BF_NEIGHBOURS];
    bf_reliability reliability;
    bf_segments segments;
    bf_coverage coverage[BF_COVERAGES];
    bf_latency latency[BF_STAGES_MAX];
    bf_detectors detectors;
    bf_journey journey[2]; /* bona fide, attacks */
    bf_level level[BF_LEVELS];
    bf_warning warning[BF_WARNINGS_MAX];
    size_t warnings;
} bf_evaluation;

/* Measures everything. `scores` must outlive *ret, which the caller gives to bf_evaluation_done on success.
 * INVALID_ARGUMENT: a species of `beside` is not in the table, or no bona fide or no attack presentation of the
 * headline has a response. OUT_OF_MEMORY. */
bf_status bf_evaluate(bf_evaluation *ret, const bf_scores *scores, const bf_evaluation_options *options, bf_error *err);
void bf_evaluation_done(bf_evaluation *evaluation);

/* "Bona fide", or the species. */
const char *bf_kind_name(const bf_evaluation *evaluation, size_t kind);
/* Whether a species counts in the headline. */
bool bf_kind_counts(const bf_evaluation *evaluation, size_t kind);

/* Parts of bf_evaluate. */
void bf_evaluate_warn(bf_evaluation *evaluation);
void bf_evaluate_levels(bf_evaluation *evaluation);

#endif
