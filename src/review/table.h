/* The scores table as a review of errors needs it: every row with its texts, scores, evidence and quality. */
#ifndef BF_REVIEW_TABLE_H
#define BF_REVIEW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"
#include "dataset/text.h"
#include "evaluate/scores.h"
#include "image/image.h"

#define BF_REVIEW_DETECTORS_MAX 32
#define BF_REVIEW_MEASURES_MAX 64
#define BF_REVIEW_FLOWS_MAX 16
#define BF_REVIEW_ROWS_MAX 20000000u

/* The columns of texts. */
typedef enum bf_scored_text {
    BF_TEXT_SAMPLE_ID,
    BF_TEXT_LABEL,
    BF_TEXT_STATUS,
    BF_TEXT_SHA256,
    BF_TEXT_SPECIES,
    BF_TEXT_FAMILY,
    BF_TEXT_PERSON,
    BF_TEXT_SESSION,
    BF_TEXT_PLATFORM,
    BF_TEXT_DEVICE,
    BF_TEXT_CHANNEL,
    BF_TEXT_CAPTURE,
    BF_TEXT_LIGHTING,
    BF_TEXT_REVIEW,
    BF_TEXT_SOURCE,
    BF_TEXT_SPLIT,
    BF_TEXT_CODE,
    BF_TEXT_BAND,
    BF_TEXT_DECISION,
    BF_TEXT_REASON,
    BF_TEXT_WEIGHED,
    BF_TEXT_GATE,
    BF_TEXT_FLOW,
    BF_TEXT_STACK,
    BF_TEXTS
} bf_scored_text;

typedef enum bf_detector_state {
    BF_DETECTOR_PRESENT,
    BF_DETECTOR_NOT_APPLICABLE,
    BF_DETECTOR_FAILED,
    BF_DETECTOR_ABSENT
} bf_detector_state;

typedef enum bf_gate_result { BF_GATE_UNKNOWN, BF_GATE_PASSED, BF_GATE_FAILED } bf_gate_result;

/* Of one detector for one row; NaN where absent. */
typedef struct bf_opinion {
    float raw, llr;
    uint8_t state; /* bf_detector_state */
} bf_opinion;

/* Of one quality measure for one row; NaN where absent. */
typedef struct bf_quality_value {
    float value, native;
} bf_quality_value;

typedef struct bf_scored {
    const char *text[BF_TEXTS]; /* never NULL; equal texts have equal pointers */
    double score, llr;          /* NaN unless status is OK; llr also where absent */
    double iod_px, total_ms;    /* NaN where absent */
    bf_rect face;               /* px of the upright picture; NaN where absent */
    bf_opinion *opinion;        /* by detector */
    bf_quality_value *quality;  /* by measure */
    const char **flow;          /* by journey: what it decides */
    bool listed;                /* its error is asked for; others only tell about it */
    bool attack;
    uint8_t status; /* bf_score_status */
    uint8_t review; /* bf_review */
    uint8_t gate;   /* bf_gate_result */
} bf_scored;

typedef struct bf_scored_table {
    bf_scored *row; /* in the order of sample_id */
    size_t count, capacity;
    bf_texts texts;
    const char *detector[BF_REVIEW_DETECTORS_MAX], *measure[BF_REVIEW_MEASURES_MAX], *flow[BF_REVIEW_FLOWS_MAX];
    size_t detectors, measures, flows;
    size_t listed;      /* rows whose errors are asked for */
    size_t excluded;    /* rows left out because their review excludes them */
    bool has[BF_TEXTS]; /* the table has this column */
} bf_scored_table;

typedef struct bf_scored_options {
    const char *split;                                    /* errors of this split only, among all rows; NULL: of all */
    void (*progress)(void *context, uint64_t bytes_read); /* every some thousand rows; may be NULL */
    void *context;
} bf_scored_options;

/* Reads scores.csv ("-": standard input). On success the caller calls bf_scored_done. INVALID_ARGUMENT names file, row
 * and remedy: an unknown word, a number that is none, an id twice, mixed stacks, no row. IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_scored_read(bf_scored_table *ret, const char *path, const bf_scored_options *options, bf_error *err);
void bf_scored_done(bf_scored_table *table);

/* The row of that sample; NULL when there is none. */
const bf_scored *bf_scored_find(const bf_scored_table *table, const char *sample_id);

/* Whether a row has the right outcome at the threshold: a bona fide accepted or an attack not. */
bool bf_scored_right(const bf_scored *row, double threshold);

#endif
