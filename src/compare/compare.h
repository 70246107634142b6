/* Two releases on the same samples: what changed, how sure that is, and whether the candidate may follow. */
#ifndef BF_COMPARE_COMPARE_H
#define BF_COMPARE_COMPARE_H

#include "compare/contrast.h"
#include "compare/experiment.h"
#include "compare/pairs.h"
#include "evaluate/interval.h"
#include "evaluate/latency.h"

#define BF_JUDGED_MAX 512 /* criteria, each protected value counted apart */
#define BF_NOTES_MAX 16
#define BF_DECISIONS_AND_NONE (BF_DECISIONS + 1) /* the last place: no decision */
#define BF_SHIFT_QUANTILES 7

typedef enum bf_outcome { BF_OUTCOME_PASS, BF_OUTCOME_FAIL, BF_OUTCOME_INCONCLUSIVE } bf_outcome;

/* A criterion, what was measured, and what follows. */
typedef struct bf_judged {
    bf_criterion criterion; /* of a protected column with each value: with this value */
    bf_contrast contrast;
    bf_outcome outcome;
    char reason[320]; /* one or two sentences */
} bf_judged;

/* One value of one column. */
typedef struct bf_compared_segment {
    bf_segment column;
    const char *value;                    /* lives as long as the pairs; "" when the rows state none */
    bf_rate apcer[2], bpcer[2];           /* of A and B; APCER of the species that B does worst on here */
    uint16_t worst_kind;                  /* that species; 0: no attack */
    bf_paired attacks, bona_fide;         /* pairs of that species, and of the bona fide */
    bf_span attacks_span, bona_fide_span; /* Tango's, of the differences */
    bool is_protected, small;
    double surely; /* the lower bound of the worse of the two differences: what the order goes by */
} bf_compared_segment;

/* How the scores of one kind moved, of the samples that both judged. */
typedef struct bf_shift {
    uint64_t pairs, same;                /* of them with the very same score */
    double mean;                         /* of B's score minus A's; all NaN without pairs */
    double quantile[BF_SHIFT_QUANTILES]; /* of that difference: least, 5, 25, 50, 75, 95 %, most */
    double ks; /* greatest distance between the two distributions of scores (Kolmogorov and Smirnov) */
} bf_shift;

/* Samples that both judged, of one class, by a threshold of A and one of B. */
typedef struct bf_moves {
    uint64_t stay_above, stay_below, up, down; /* up: below in A, at or above in B */
} bf_moves;

/* What stands for a threshold of A in B. */
typedef struct bf_band_choice {
    bf_curve_point point; /* of B; threshold +infinity: only by rejecting everything */
    bf_moves bona_fide, attacks;
} bf_band_choice;

typedef struct bf_band_migration {
    double threshold; /* of A */
    bf_curve_point a;
    bf_band_choice same, same_bpcer, same_apcer; /* the same number; as many rejected bona fide; as high a max APCER */
} bf_band_migration;

/* Outcomes of one sample; `none`: no response. */
typedef enum bf_answer { BF_ANSWER_ACCEPTED, BF_ANSWER_REJECTED, BF_ANSWER_NONE } bf_answer;

/* A sample whose answer is another one. */
typedef struct bf_flip {
    uint32_t row;            /* of the pairs */
    uint8_t answer[2], rank; /* 0: an attack that is now accepted, ... */
    double change;           /* of the score; NaN when one has none */
} bf_flip;

typedef struct bf_stage_change {
    const char *stage;
    bf_latency latency[2]; /* of A and B; NaN where a table has no such stage */
} bf_stage_change;

typedef struct bf_comparison {
    const bf_pairs *pairs; /* borrowed */
    bf_experiment experiment;
    bool beside[BF_SPECIES_MAX]; /* by species: not in figures over several */
    bf_contrast_options drawing; /* how persons were drawn; its `beside` is NULL but while they are */
    bf_outcome verdict;
    bf_judged *judged; /* failed ones first, then the undecided; each as in the experiment */
    size_t judged_count;
    bf_contrast metric[BF_EXPERIMENT_METRICS_MAX]; /* as in the experiment */
    bf_contrast kind[BF_KINDS_MAX];                /* BPCER, and APCER of each species */
    size_t kinds;
    bf_compared_segment *segment; /* protected ones first, then worst first */
    size_t segments;
    bf_shift shift[BF_KINDS_MAX];
    bf_band_migration band[BF_EXPERIMENT_BANDS_MAX];
    uint64_t decision[2][BF_DECISIONS_AND_NONE][BF_DECISIONS_AND_NONE]; /* bona fide, attacks; A's by B's */
    bf_flip *flip;                                                      /* worst first */
    size_t flips;
    bf_stage_change stage[2 * BF_STAGES_MAX];
    size_t stages;
    char note[BF_NOTES_MAX][320]; /* what the figures do not show */
    size_t notes;
} bf_comparison;

typedef struct bf_comparison_options {
    size_t replicates;
    uint64_t seed;
    int jobs;                                                   /* threads; the results do not depend on how many */
    void (*progress)(void *context, size_t done, size_t total); /* of the draws of a part; may be NULL */
    void *context;
} bf_comparison_options;

/* Compares. `pairs` must outlive *ret, which the caller gives to bf_comparison_done on success. INVALID_ARGUMENT: the
 * experiment names a species, stage or segment that the tables do not have, or one class has no response. */
bf_status bf_compare(bf_comparison *ret, const bf_pairs *pairs, const bf_experiment *experiment,
                     const bf_comparison_options *options, bf_error *err);
void bf_comparison_done(bf_comparison *comparison);

/* "Bona fide", or the species. */
const char *bf_compared_kind(const bf_comparison *comparison, size_t kind);
/* Whether a kind is in figures over several species. */
bool bf_compared_counts(const bf_comparison *comparison, size_t kind);
const char *bf_outcome_word(bf_outcome outcome);
const char *bf_answer_word(bf_answer answer);
/* "attack now accepted", ... */
const char *bf_flip_phrase(uint8_t rank);
#define BF_FLIP_RANKS 6

/* Parts of bf_compare. */
bf_outcome bf_judge_criterion(const bf_criterion *criterion, const bf_contrast *contrast,
                              const bf_experiment *experiment, const char *least_name, char *ret_reason,
                              size_t ret_reason_size);
bf_status bf_compare_segments(bf_comparison *comparison, bf_error *err);
bf_status bf_compare_shifts(bf_comparison *comparison, bf_error *err);
bf_status bf_compare_bands(bf_comparison *comparison, bf_error *err);
void bf_compare_decisions(bf_comparison *comparison);
bf_status bf_compare_flips(bf_comparison *comparison, bf_error *err);
bf_status bf_compare_latency(bf_comparison *comparison, bf_error *err);
void bf_compare_notes(bf_comparison *comparison);

/* Writes the samples whose answer changed, worst first. IO_ERROR. */
bf_status bf_flips_write(const bf_comparison *comparison, const char *path, bf_error *err);

#endif
