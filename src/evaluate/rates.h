/* What became of the presentations of each kind at the working threshold. */
#ifndef BF_EVALUATE_RATES_H
#define BF_EVALUATE_RATES_H

#include "evaluate/interval.h"
#include "evaluate/scores.h"

#define BF_HISTOGRAM_BINS 50 /* of the scores, 2 points each; the last one holds 100 too */

typedef struct bf_kind_figures {
    uint64_t presentations, responses, could_not_judge, errors;
    uint64_t persons; /* with a response */
    bf_rate error;    /* APCER of a species, BPCER of the bona fide: of those with a response */
    bf_rate silent;   /* APNRR and BPNRR: no response, for whichever reason, of all presentations */
    /* Of those with a reference. For a species IAPAR: accepted by liveness and matched. For the bona fide the false
     * rejection rate of both together; no response counts as rejected. */
    bf_rate full_system;
    uint32_t histogram[BF_HISTOGRAM_BINS];
} bf_kind_figures;

/* Fills ret[0] for the bona fide and ret[1 + n] for species n; `persons` is left to the caller. */
void bf_rates_measure(bf_kind_figures *ret, const bf_scores *scores, double threshold);

/* Presentations of each kind with a response whose score reaches the threshold; ret has a place for each kind. */
void bf_rates_accepted(uint64_t *ret, const bf_scores *scores, double threshold);

#endif
