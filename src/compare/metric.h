/* The figures that two releases can be compared in, and their names: "bpcer", "apcer(print)", "latency_p95(total)". */
#ifndef BF_COMPARE_METRIC_H
#define BF_COMPARE_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BF_METRIC_OF_MAX 96                        /* bytes of a species or stage, with the NUL */
#define BF_METRIC_TEXT_MAX (BF_METRIC_OF_MAX + 32) /* bytes of a metric's name, with the NUL */

/* As `bonafide eval` defines them; Cllr and Brier score weight both classes alike. */
typedef enum bf_metric_kind {
    BF_METRIC_MAX_APCER,
    BF_METRIC_APCER, /* of one species */
    BF_METRIC_BPCER,
    BF_METRIC_BPCER10,
    BF_METRIC_BPCER20,
    BF_METRIC_BPCER100,
    BF_METRIC_APCER_AT, /* highest APCER at BPCER 1 % */
    BF_METRIC_EER,
    BF_METRIC_AUC,
    BF_METRIC_APNRR, /* the highest over the species */
    BF_METRIC_BPNRR,
    BF_METRIC_CLLR,
    BF_METRIC_BRIER,
    BF_METRIC_LATENCY_P50, /* of one stage, as the next two */
    BF_METRIC_LATENCY_P95,
    BF_METRIC_LATENCY_P99,
    BF_METRIC_KINDS
} bf_metric_kind;

typedef enum bf_metric_unit { BF_UNIT_SHARE, BF_UNIT_NUMBER, BF_UNIT_MS } bf_metric_unit;

typedef struct bf_metric {
    bf_metric_kind kind;
    char of[BF_METRIC_OF_MAX]; /* the species or the stage; "" for other metrics */
    uint16_t species;          /* of an APCER: its kind in the tables, once they are known */
} bf_metric;

/* Names of all kinds, without what stands in brackets; ends with NULL. */
extern const char *const BF_METRIC_NAMES[BF_METRIC_KINDS + 1];

/* False when `text` is no metric: then *ret_problem says why, as the end of a sentence. */
bool bf_metric_parse(const char *text, bf_metric *ret, const char **ret_problem);
void bf_metric_text(const bf_metric *metric, char ret[BF_METRIC_TEXT_MAX]);
bool bf_metric_equal(const bf_metric *a, const bf_metric *b);

bf_metric_unit bf_metric_unit_of(bf_metric_kind kind);
bool bf_metric_more_is_better(bf_metric_kind kind);
/* Whether it stands on bona fide presentations, and whether on attacks. */
bool bf_metric_of_bona_fide(bf_metric_kind kind);
bool bf_metric_of_attacks(bf_metric_kind kind);
/* The place in the glossary of the report of `bonafide eval`. */
const char *bf_metric_term(bf_metric_kind kind);

#endif
