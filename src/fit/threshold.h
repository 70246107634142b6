/* Choosing the bands of a policy from a stated target: what a table of scores can support, and what it cannot. */
#ifndef BF_FIT_THRESHOLD_H
#define BF_FIT_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"
#include "evaluate/bootstrap.h"
#include "evaluate/curve.h"
#include "evaluate/interval.h"
#include "evaluate/scores.h"

#define BF_PASS_LEAST 50.0     /* what policies allow; docs/reference/policy.md */
#define BF_UNCERTAIN_LEAST 1.0 /* the same of the lower band */
#define BF_BAND_WIDTH 1.0      /* the least that is left between the two bands */
#define BF_REJECT_DEFAULT 0.005

/* What is asked for. Rates are shares; NaN where nothing is. */
typedef struct bf_targets {
    double apcer;  /* highest APCER over the species at the pass band */
    double bpcer;  /* BPCER at the pass band */
    double reject; /* BPCER at the lower band: bona fide presentations that fail outright */
    bool point;    /* by the measured rate; else by its upper bound */
} bf_targets;

/* The upper bound of an error rate: one-sided at BF_CONFIDENCE, Clopper-Pearson. NaN when total is 0. */
double bf_rate_bound(uint64_t count, uint64_t total);

/* How many errors in `total` presentations still keep to `target` (0 < target < 1), by the bound or by the point; -1:
 * not even none. By the point a rate counts as measured from 1/target presentations on. */
int64_t bf_errors_allowed(uint64_t total, double target, bool point);

/* The fewest presentations with which none in error keeps to the target: log(1 - BF_CONFIDENCE) / log(1 - target), or
 * 1/target by the point, rounded up. */
uint64_t bf_samples_least(double target, bool point);

/* The fewest presentations whose bound would keep to the target if errors went on at `rate`; 0 when no number would. */
uint64_t bf_samples_at_rate(double rate, double target);

/* Where the curve keeps to the targets. */
typedef struct bf_bands_allowed {
    /* The lowest pass band, on the grid of policies, that keeps to `apcer`; -infinity without that target, +infinity
     * when too few attacks of some species, or one that scored 100, leave none. */
    double pass_least;
    uint16_t bounding; /* the species that sets it; 0: none does */
    /* The highest pass band that keeps to `bpcer`, and the highest lower band that keeps to `reject`; -infinity when
     * none does; +infinity without that target. */
    double pass_most, uncertain_most;
} bf_bands_allowed;

/* Each person counts weight[person] times (NULL: once). The species that are beside the headline do not count. */
bf_bands_allowed bf_bands_find(const bf_curve *curve, const uint32_t *weight, const bf_targets *targets);

typedef enum bf_choice_result {
    BF_CHOICE_MADE,
    BF_CHOICE_TOO_FEW_ATTACKS,   /* of some species, for the APCER */
    BF_CHOICE_TOO_FEW_BONA_FIDE, /* for the BPCER, or for the lower band when that was asked for */
    BF_CHOICE_REJECTS_EVERYBODY, /* only a band above every bona fide presentation keeps to the APCER */
    BF_CHOICE_TARGETS_CONFLICT,  /* no band keeps to both */
    BF_CHOICE_BPCER_UNREACHABLE, /* the bona fide scores are too low for the BPCER, or for the lower band */
} bf_choice_result;

/* The bands, or why there are none. */
typedef struct bf_choice {
    bf_choice_result result;
    double pass, uncertain; /* 0..100; valid when the choice was made */
    uint16_t bounding;      /* the species that sets the pass band; 0: the BPCER, or the least that policies allow */
    bool uncertain_kept;    /* the table does not support the lower band's target: it stays as it was */
    bool uncertain_capped;  /* a band of its own is left between the two */
    bf_bands_allowed allowed;
} bf_choice;

/* `responses` has a place for each kind. `uncertain_today` is kept where `reject` is not supported, unless it was asked
 * for (`reject_needed`). */
bf_choice bf_bands_choose(const bf_curve *curve, const uint64_t *responses, const bf_targets *targets,
                          bool reject_needed, double uncertain_today);

/* How far the choice moves when other persons are drawn. */
typedef struct bf_choice_spread {
    size_t replicates;
    size_t unsupported; /* of these, in which the target could not be met */
    bf_span pass, uncertain;
} bf_choice_spread;

/* Draws persons as bf_bootstrap_run does. OUT_OF_MEMORY. */
bf_status bf_bands_spread(bf_choice_spread *ret, const bf_curve *curve, const bf_targets *targets, size_t replicates,
                          uint64_t seed, bf_error *err);

#endif
