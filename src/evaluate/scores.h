/* The scores table in memory: what the figures need of each row, and nothing more. */
#ifndef BF_EVALUATE_SCORES_H
#define BF_EVALUATE_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/decision.h"
#include "bonafide/status.h"
#include "dataset/csv.h"
#include "evaluate/names.h"

#define BF_SPECIES_MAX 256
#define BF_STAGES_MAX 32
#define BF_SCORE_TOP 100.0 /* scores are 0..100, higher for bona fide */
#define BF_DECISION_ABSENT 255
#define BF_DECISIONS 5

typedef enum bf_score_status { BF_SCORE_OK, BF_SCORE_COULD_NOT_JUDGE, BF_SCORE_ERROR } bf_score_status;
typedef enum bf_review { BF_REVIEW_CONFIRMED, BF_REVIEW_UNCERTAIN, BF_REVIEW_DISPUTED, BF_REVIEW_EXCLUDED } bf_review;
#define BF_REVIEWS 4

/* The columns by which error rates are shown apart. */
typedef enum bf_segment {
    BF_SEGMENT_PLATFORM,
    BF_SEGMENT_DEVICE_CLASS,
    BF_SEGMENT_CHANNEL,
    BF_SEGMENT_CAPTURE_TYPE,
    BF_SEGMENT_LIGHTING,
    BF_SEGMENT_QUALITY,
    BF_SEGMENT_FACE_SIZE, /* from face_iod_px */
    BF_SEGMENT_PERSON_GROUP,
    BF_SEGMENT_SOURCE,
    BF_SEGMENTS
} bf_segment;

/* The column of the table; "face_iod_px" for the face size. */
const char *bf_segment_column(bf_segment segment);
/* "Device class". */
const char *bf_segment_title(bf_segment segment);

/* One presentation. Names are numbers of the table's bf_names. */
typedef struct bf_score_row {
    double score;       /* 0..100; NaN unless status is OK */
    double probability; /* 0..1, stated for a bona fide presentation; NaN when absent */
    uint32_t person;
    uint16_t kind; /* 0: bona fide; else 1 + number of the species */
    uint16_t segment[BF_SEGMENTS];
    uint8_t status;   /* bf_score_status */
    uint8_t decision; /* bf_decision, or BF_DECISION_ABSENT */
    uint8_t match;    /* bf_match_outcome; BF_MATCH_NOT_REQUESTED when absent */
} bf_score_row;

/* Who a row is about, for joining two tables. Hashes stand for the texts, 0 for an empty one. */
typedef struct bf_score_sample {
    uint64_t id[2];
    uint64_t sha256, person, split;
    uint64_t csv_row; /* as a spreadsheet counts */
    size_t text;      /* where the id begins in bf_scores.sample_text */
} bf_score_sample;

typedef struct bf_scores {
    bf_score_row *row;
    bf_score_sample *sample; /* by row; NULL unless bf_scores_options.keep_samples */
    char *sample_text;
    size_t sample_capacity, sample_text_size, sample_text_capacity;
    float *stage_ms; /* row x stages; NaN when absent */
    size_t count, capacity;
    bf_names species, segment[BF_SEGMENTS];
    bool has_segment[BF_SEGMENTS]; /* some row has a value there */
    char *stage[BF_STAGES_MAX];    /* "detect", ..., in the order of the columns */
    size_t stages;
    size_t persons;
    size_t without_person;        /* rows whose person is unknown; each counts as a person of its own */
    size_t without_species;       /* attacks of no stated species */
    size_t set_aside[BF_REVIEWS]; /* rows that are not confirmed, by review state */
    size_t other_split;           /* rows of another split than the one asked for */
    size_t stacks;                /* different stacks among the rows that count */
    bool has_probability, has_decision, has_match, has_split;
    char stack[129], policy_version[129], fusion_version[129], flow[65]; /* "" when absent, "several" when mixed */
    char split[65];
} bf_scores;

/* Adds a row; stage_ms has scores->stages values. OUT_OF_MEMORY. */
bf_status bf_scores_add(bf_scores *scores, const bf_score_row *row, const float *stage_ms, bf_error *err);

/* Says who the row that was added last is about; `id` is its sample_id. OUT_OF_MEMORY. */
bf_status bf_scores_add_sample(bf_scores *scores, bf_score_sample sample, const char *id, bf_error *err);
/* The sample_id of a row of a table that keeps them. */
const char *bf_scores_sample_id(const bf_scores *scores, size_t row);

/* Renumbers species and segment values by name and persons by `persons`' hashes, so that the order of the rows no
 * longer matters. Must be called once, after the last row. OUT_OF_MEMORY. */
bf_status bf_scores_settle(bf_scores *scores, const bf_ids *persons, bf_error *err);

void bf_scores_done(bf_scores *scores);

/* What reading a table takes. */
typedef struct bf_scores_options {
    const char *split;       /* only rows of this split; NULL: all */
    bool split_if_any;       /* all rows also where no row has a split; some with one and some without are an error */
    bool keep_samples;       /* fill bf_scores.sample */
    bool allow_mixed_stacks; /* rows scored by different versions are one table */
    /* Is shown each row that counts, in the order of the numbers that the rows get, and may refuse it; may be NULL. */
    bf_status (*row)(void *row_context, const bf_csv_reader *csv, const bf_csv_field *field, bf_error *err);
    void *row_context;
    void (*progress)(void *context, uint64_t bytes_read); /* every some thousand rows; may be NULL */
    void *context;
} bf_scores_options;

/* Reads scores.csv ("-": standard input). On success the caller calls bf_scores_done. INVALID_ARGUMENT names file,
 * row and remedy: an unknown label, a number that is none, an id twice, mixed stacks, no row left, or one class
 * only. IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_scores_read(bf_scores *ret, const char *path, const bf_scores_options *options, bf_error *err);

#endif
