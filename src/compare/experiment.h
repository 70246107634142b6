/* What a comparison is to show: an experiment file, fixed before the scores are looked at. docs/reference/compare.md
 * describes it; `bonafide compare --init` writes one with comments. */
#ifndef BF_COMPARE_EXPERIMENT_H
#define BF_COMPARE_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "bonafide/status.h"
#include "compare/metric.h"
#include "evaluate/scores.h"

#define BF_EXPERIMENT_METRICS_MAX 32
#define BF_EXPERIMENT_CRITERIA_MAX 64 /* with those of protected segments */
#define BF_EXPERIMENT_BANDS_MAX 8
#define BF_EXPERIMENT_TEXT_MAX 600
#define BF_EXPERIMENT_VALUE_MAX 128
#define BF_EXPERIMENT_BESIDE_MAX 32

typedef enum bf_criterion_rule {
    BF_RULE_NON_INFERIOR, /* B is not worse by more than the margin */
    BF_RULE_SUPERIOR      /* B is better by at least the margin */
} bf_criterion_rule;

typedef struct bf_criterion {
    bf_metric metric;
    bf_criterion_rule rule;
    double margin;    /* in the metric's unit: shares 0..1, numbers, milliseconds; >= 0 */
    bool by_estimate; /* the figures decide alone, without their interval */
    bool in_segment;  /* only the rows with `value` in `column` */
    bf_segment column;
    char value[BF_EXPERIMENT_VALUE_MAX]; /* "*": each value by itself */
    int line;                            /* in the file; 0 for a default */
} bf_criterion;

typedef struct bf_experiment {
    char id[BF_CONFIG_ID_SIZE]; /* "NAME@VERSION+hash", or "defaults" */
    char file[256];             /* for messages; "" for the defaults */
    char objective[BF_EXPERIMENT_TEXT_MAX], hypothesis[BF_EXPERIMENT_TEXT_MAX];
    double threshold[2];                  /* of A and of B */
    double band[BF_EXPERIMENT_BANDS_MAX]; /* thresholds of A whose bands are followed; rising */
    size_t bands;
    char beside[BF_EXPERIMENT_BESIDE_MAX][BF_EXPERIMENT_VALUE_MAX]; /* species kept out of figures over several */
    size_t besides;
    bf_metric metric[BF_EXPERIMENT_METRICS_MAX];
    size_t primary, metrics; /* the first `primary` are the primary ones */
    bf_criterion criterion[BF_EXPERIMENT_CRITERIA_MAX];
    size_t criteria;
    double confidence;                                                     /* of the two-sided intervals */
    uint64_t bona_fide_least, attacks_least, persons_least, segment_least; /* with fewer nothing is decided */
} bf_experiment;

/* Without a file: B is not inferior in highest APCER and in BPCER by more than one percentage point. */
void bf_experiment_default(bf_experiment *ret);

/* Parses one file. `name` stands in messages. CONFIG_INVALID with file and line on any fault, OUT_OF_MEMORY. */
bf_status bf_experiment_parse(const void *yaml, size_t size, const char *name, bf_experiment *ret, bf_error *err);
/* IO_ERROR besides. */
bf_status bf_experiment_read(const char *path, bf_experiment *ret, bf_error *err);

/* What `compare --init` writes; it parses to the defaults and a little more. */
extern const char BF_EXPERIMENT_TEMPLATE[];

/* Whether a criterion is about the rows with this value in this column. */
bool bf_experiment_protects(const bf_experiment *experiment, bf_segment column, const char *value);

/* "bpcer: not worse by more than 1 percentage point", ... */
void bf_criterion_text(const bf_criterion *criterion, char *ret, size_t ret_size);

#endif
