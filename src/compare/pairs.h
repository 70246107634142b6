/* Two tables of scores about the same samples, side by side. */
#ifndef BF_COMPARE_PAIRS_H
#define BF_COMPARE_PAIRS_H

#include "evaluate/scores.h"

/* Rows of one sample have the same place in both tables, in an order that the files' does not change. Kinds, persons
 * and segments are those of A; species and segment names of `b` are those of `a`. */
typedef struct bf_pairs {
    bf_scores a, b;
    size_t only_a, only_b; /* rows that count and have no partner; left out */
    size_t unchecked;      /* pairs of which one has no sha256 */
} bf_pairs;

typedef struct bf_pairs_options {
    const char *name_a, *name_b; /* of the files, for messages */
    bool common;                 /* leave out samples that only one table has, instead of refusing them */
} bf_pairs_options;

/* Joins by sample_id. The tables, which must keep their samples, are taken over (also on failure). INVALID_ARGUMENT
 * names the row and the remedy: a label, species, person, split or sha256 that differs, a sample that only one table
 * has, or no pair left. OUT_OF_MEMORY. On success the caller calls bf_pairs_done. */
bf_status bf_pairs_join(bf_pairs *ret, bf_scores *a, bf_scores *b, const bf_pairs_options *options, bf_error *err);
void bf_pairs_done(bf_pairs *pairs);

/* A copy of the rows with this value in this column, their persons numbered anew; it borrows the names of `pairs`.
 * OUT_OF_MEMORY. The caller calls bf_pairs_part_done. */
bf_status bf_pairs_part(bf_pairs *ret, const bf_pairs *pairs, bf_segment column, uint16_t value, bf_error *err);
void bf_pairs_part_done(bf_pairs *part);

#endif
