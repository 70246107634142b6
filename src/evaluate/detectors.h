/* How well each detector tells bona fide from attacks by itself. */
#ifndef BF_EVALUATE_DETECTORS_H
#define BF_EVALUATE_DETECTORS_H

#include "evaluate/curve.h"
#include "evaluate/interval.h"
#include "evaluate/said.h"
#include "evaluate/scores.h"

#define BF_ALONE_BPCER 0.05 /* where the APCER of each species is read */

typedef struct bf_detector_figures {
    const bf_said_column *column;
    bf_rate present;                  /* of the presentations with a response; the figures below are over these */
    double auc, eer;                  /* species pooled; all NaN when a class is missing */
    bf_crossing bpcer_at[BF_TARGETS]; /* as of the score */
    double threshold, bpcer;          /* the highest threshold where BPCER is at most BF_ALONE_BPCER, and BPCER there */
    bf_rate *apcer;                   /* by kind, there; place 0 is unused */
    uint16_t worst_kind;              /* the species with the highest of them; 0: none */
    double cllr;                      /* of a log-likelihood ratio, classes alike; NaN of a detector's own output */
    double ms;                        /* mean of the stage of that name; NaN when there is none */
} bf_detector_figures;

typedef struct bf_detectors {
    bf_detector_figures *figures; /* by column of what was said */
    size_t count;
} bf_detectors;

/* `said` has a row for each of the table; `beside` a place for each species. On success the caller calls
 * bf_detectors_done. OUT_OF_MEMORY. */
bf_status bf_detectors_measure(bf_detectors *ret, const bf_scores *scores, const bf_said *said, const bool *beside,
                               bf_error *err);
void bf_detectors_done(bf_detectors *detectors);

#endif
