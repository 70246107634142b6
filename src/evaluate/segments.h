/* Error rates apart for each value of each column, worst first; and which combinations were never tried. */
#ifndef BF_EVALUATE_SEGMENTS_H
#define BF_EVALUATE_SEGMENTS_H

#include "evaluate/interval.h"
#include "evaluate/scores.h"

#define BF_FEW_SAMPLES 30 /* a cell with fewer presentations is flagged */

typedef struct bf_segment_cell {
    bf_segment column;
    const char *value; /* lives as long as the table; "" when the row states none */
    bf_rate bpcer, bpnrr;
    bf_rate apcer;       /* of the species with the highest one in this cell */
    uint16_t worst_kind; /* that species; 0 when the cell has no attack */
    bf_rate apnrr;       /* over all species of the headline */
    bool small;          /* the rates shown stand on fewer than BF_FEW_SAMPLES presentations */
    double surely;       /* the lower bound of the worse of the two rates: what the order goes by */
} bf_segment_cell;

typedef struct bf_segments {
    bf_segment_cell *cell; /* column by column; in each, worst first */
    size_t count;
} bf_segments;

/* Columns in which no row states a value are left out. On success the caller calls bf_segments_done. OUT_OF_MEMORY. */
bf_status bf_segments_measure(bf_segments *ret, const bf_scores *scores, const bool *beside, double threshold,
                              bf_error *err);
void bf_segments_done(bf_segments *segments);

/* How many presentations there are of each kind and each value of a column. */
typedef struct bf_coverage {
    bf_segment column;
    size_t kinds, values;
    uint64_t *count;  /* kind x value */
    size_t none, few; /* cells without any, and with 1 to BF_FEW_SAMPLES - 1 */
} bf_coverage;

/* On success the caller calls bf_coverage_done. OUT_OF_MEMORY. */
bf_status bf_coverage_measure(bf_coverage *ret, const bf_scores *scores, bf_segment column, bf_error *err);
void bf_coverage_done(bf_coverage *coverage);

#endif
