/* Figures of two releases on the same presentations, and how sure their difference is. */
#ifndef BF_COMPARE_CONTRAST_H
#define BF_COMPARE_CONTRAST_H

#include "compare/metric.h"
#include "compare/paired.h"
#include "compare/pairs.h"
#include "evaluate/curve.h"

typedef struct bf_contrast {
    double a, b, difference; /* b - a; NaN where either was not measured */
    /* Of the difference. By person: persons are drawn again, each with everything that both releases made of it; NaN
     * also where every draw gives the same difference of figures over all thresholds. By pair: Tango's, where the
     * figure is a rate at a threshold. `interval` holds both of them, and the verdict goes by it. */
    bf_span by_person, by_pair, interval;
    bf_paired paired;                  /* of a rate at a threshold; else without pairs */
    double mcnemar;                    /* p of the pairs; NaN without them */
    bf_paired by_head;                 /* the persons with such pairs: of whom B gets more wrong, or A; likewise */
    double threshold[2];               /* where a rate of A and of B was read; NaN elsewhere */
    uint16_t kind;                     /* the kind that the pairs are of */
    uint64_t bona_fide, attacks_least; /* with what the figure needs in both; of the species with the fewest */
    uint16_t least_kind;               /* that species */
    size_t persons;                    /* that the figure stands on: of its class, or of the class that has fewer */
    size_t drawn, replicates;          /* persons that were drawn from, and how often */
} bf_contrast;

typedef struct bf_contrast_options {
    double threshold[2]; /* of A and of B */
    const bool *beside;  /* by species: those that figures over several species leave out; NULL: none */
    double confidence;
    size_t replicates;
    uint64_t seed;
    int jobs;                                                   /* threads; the results do not depend on how many */
    void (*progress)(void *context, size_t done, size_t total); /* of the draws; may be NULL */
    void *context;
} bf_contrast_options;

/* Measures `count` metrics in the same draws; ret has a place for each. OUT_OF_MEMORY, INTERNAL without threads. */
bf_status bf_contrast_run(bf_contrast *ret, const bf_pairs *pairs, const bf_metric *metrics, size_t count,
                          const bf_contrast_options *options, bf_error *err);

/* The pairs of one kind, answered by both: right or wrong at these thresholds. */
bf_paired bf_paired_errors(const bf_pairs *pairs, uint16_t kind, const double threshold[2]);

#endif
