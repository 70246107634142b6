/* Error rates over all thresholds. A presentation is accepted when its score is at or above the threshold; equal scores
 * are accepted together. Only presentations with a response are on the curve. */
#ifndef BF_EVALUATE_CURVE_H
#define BF_EVALUATE_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"
#include "evaluate/scores.h"

#define BF_KINDS_MAX (1 + BF_SPECIES_MAX) /* bona fide, then the species */
#define BF_TARGETS 3                      /* BPCER10, BPCER20, BPCER100 */

/* The max-APCER that each of them is read at. */
extern const double BF_TARGET_APCER[BF_TARGETS];
#define BF_TARGET_BPCER 0.01 /* where the APCER is read for the "convenience" figure */

/* Presentations of one score, kind and person. */
typedef struct bf_curve_entry {
    double score;
    uint32_t person, count;
    uint16_t kind;
} bf_curve_entry;

/* Presentations of one person and kind, and how many of them have a response and reach the working threshold. */
typedef struct bf_curve_cell {
    uint32_t person, responses, accepted;
    uint16_t kind;
} bf_curve_cell;

typedef struct bf_curve {
    bf_curve_entry *entry; /* by falling score */
    bf_curve_cell *cell;   /* by person, then kind */
    size_t entries, cells, kinds, persons;
    bool beside[BF_KINDS_MAX]; /* species that are shown beside the headline, and are not on the curve */
} bf_curve;

/* Sorts the responses of the table. `beside` has a place for each species. On success the caller calls bf_curve_done.
 * OUT_OF_MEMORY. */
bf_status bf_curve_build(bf_curve *ret, const bf_scores *scores, const bool *beside, double threshold, bf_error *err);
void bf_curve_done(bf_curve *curve);

/* Where the curve meets a target. The threshold is +infinity where only rejecting everything meets it. */
typedef struct bf_crossing {
    double rate, threshold;
} bf_crossing;

typedef struct bf_curve_figures {
    double apcer[BF_KINDS_MAX]; /* by kind, at the working threshold; place 0 is unused; NaN: no response */
    double max_apcer, bpcer, acer;
    double auc; /* P(score of a bona fide > score of an attack), ties count half; attacks pooled */
    double eer; /* attacks pooled, between two thresholds by a straight line */
    bf_crossing bpcer_at[BF_TARGETS]; /* at the lowest threshold whose max APCER is at most the target */
    bf_crossing apcer_at;             /* max APCER at the highest threshold whose BPCER is at most BF_TARGET_BPCER */
} bf_curve_figures;

/* Measures with each person counted weight[person] times (NULL: once). Without `whole`, only what needs no curve:
 * the rates at the working threshold. False when bona fide or attack presentations are missing; then only the rates of
 * the other class are written, and those of the missing one are NaN. */
bool bf_curve_measure(const bf_curve *curve, const uint32_t *weight, bool whole, bf_curve_figures *ret);

/* One point of a curve for plotting. */
typedef struct bf_curve_point {
    double threshold, apcer, bpcer;
} bf_curve_point;

#define BF_POINTS_MAX 640 /* rates over 100 million rows take up to 272 steps on each axis */

/* The points of one species' curve, by falling threshold, so close that no gap shows on a plot with normal-deviate
 * axes. Kind 0 stands for the maximum over the species of the headline. Returns how many. */
size_t bf_curve_points(const bf_curve *curve, uint16_t kind, bf_curve_point ret[BF_POINTS_MAX]);

/* The rates, kind 0 as above, at the highest threshold where BPCER is at most `bpcer`, and at the lowest one where the
 * highest APCER is at most `apcer`: +infinity where only rejecting everything will do. Both rates are NaN when bona
 * fide or attacks are missing. */
bf_curve_point bf_curve_at_bpcer(const bf_curve *curve, double bpcer);
bf_curve_point bf_curve_at_apcer(const bf_curve *curve, double apcer);
/* The rates at any threshold. */
bf_curve_point bf_curve_at(const bf_curve *curve, double threshold);

#endif
