/* The errors of a scored dataset: which they are, what surrounds each, and what probably caused it. */
#ifndef BF_REVIEW_REVIEW_H
#define BF_REVIEW_REVIEW_H

#include "base/attr.h"
#include "dataset/print.h"
#include "review/table.h"

#define BF_REVIEW_LIMIT_DEFAULT 100 /* errors shown of each kind */
#define BF_REVIEW_LIMIT_MAX 200     /* a page of pictures must stay one that a browser opens */
#define BF_NEAREST 5                /* presentations asked whether they agree with a label */
#define BF_PICTURE_FAR 80           /* bits: pictures that differ in more have nothing in common */
#define BF_CLUES_MAX 16
#define BF_CLUE_SIZE 400

/* What went wrong. In the order of the report: what costs most comes first. */
typedef enum bf_slip_kind {
    BF_SLIP_FALSE_ACCEPT,    /* an attack whose score reaches the threshold */
    BF_SLIP_APPROVED_ATTACK, /* an attack that only the policy approved */
    BF_SLIP_FALSE_REJECT,    /* a bona fide whose score does not reach the threshold */
    BF_SLIP_REJECTED_LIVE,   /* a bona fide that only the policy rejected */
    BF_SLIP_NO_RESPONSE,     /* a bona fide without a score */
    BF_SLIP_KINDS
} bf_slip_kind;

/* Root causes, in the order in which the stronger of two equal clues leads: first what makes the observation itself
 * doubtful, last what remains. */
typedef enum bf_cause {
    BF_CAUSE_INFRASTRUCTURE,
    BF_CAUSE_DATA,
    BF_CAUSE_CAPTURE,
    BF_CAUSE_SECURITY,
    BF_CAUSE_THRESHOLD,
    BF_CAUSE_MODEL,
    BF_CAUSE_UNCLEAR,
    BF_CAUSES
} bf_cause;

/* "false_accept", "capture_ux": for programs; "False accepts", "Capture UX": for people. */
const char *bf_slip_word(bf_slip_kind kind);
const char *bf_slip_title(bf_slip_kind kind);
const char *bf_cause_word(bf_cause cause);
const char *bf_cause_title(bf_cause cause);
/* What usually helps against it. */
const char *bf_cause_remedy(bf_cause cause);
/* Whether the error is about an attack. */
bool bf_slip_of_attack(bf_slip_kind kind);

/* One piece of evidence for a cause. */
typedef struct bf_clue {
    bf_cause cause;
    bool strong; /* else a hint */
    char text[BF_CLUE_SIZE];
} bf_clue;

/* What speaks for which cause; the first clue leads. */
typedef struct bf_diagnosis {
    bf_cause cause; /* of the first clue; UNCLEAR without any */
    bf_clue clue[BF_CLUES_MAX];
    size_t count;
} bf_diagnosis;

typedef struct bf_near {
    const bf_scored *row; /* NULL: none */
    double distance;      /* standard deviations of the evidence, or bits of the picture's print */
} bf_near;

/* What the rest of the table says about one error. Place 0 is about bona fide, 1 about attacks. */
typedef struct bf_surroundings {
    bf_near evidence[2];           /* the closest that were judged rightly, by what the detectors said */
    bf_near picture[2];            /* the closest that were judged rightly, by the picture */
    bf_near twin;                  /* the closest picture of the other label, within BF_PRINT_NEAR */
    const bf_scored *copy;         /* the same file with the other label */
    size_t nearest, nearest_agree; /* of the BF_NEAREST closest by evidence, how many have the same label */
    size_t session;                /* presentations of the same session, this one among them; 0: not known */
    size_t device;                 /* presentations of the same device class; 0: not known */
    /* About the species of an attack. */
    size_t species, species_accepted, species_trained, species_silent;       /* silent: no response */
    size_t spoke[BF_REVIEW_DETECTORS_MAX], against[BF_REVIEW_DETECTORS_MAX]; /* of them, by detector */
} bf_surroundings;

/* What the table as a whole says. */
typedef struct bf_background {
    /* The detectors that gave evidence somewhere, and what each said of each row (row x used): its llr over its
     * standard deviation in the table; NaN where it gave none. */
    size_t used, detector[BF_REVIEW_DETECTORS_MAX];
    float deviation[BF_REVIEW_DETECTORS_MAX]; /* by place in `detector` */
    float *evidence;
    float low[BF_REVIEW_MEASURES_MAX], median[BF_REVIEW_MEASURES_MAX]; /* 5 % and 50 % of the accepted bona fide */
    size_t accepted_live;
    double ms_median; /* NaN: never timed */
    size_t timed;
    bool has_train; /* some row is of the split "train" */
} bf_background;

typedef struct bf_slip {
    bf_slip_kind kind;
    bool policy; /* the policy approved the attack, or rejected the bona fide */
    const bf_scored *row;
    bf_surroundings around;
    bf_diagnosis diagnosis;
} bf_slip;

typedef struct bf_review_options {
    double threshold;      /* 0..100: accepted when the score is at or above it */
    double proposed;       /* another threshold that is thought of; NaN: none */
    size_t limit;          /* errors of each kind, 1..BF_REVIEW_LIMIT_MAX */
    const bf_print *print; /* of each row of the table; NULL: pictures are not compared */
    int jobs;
    bool (*progress)(void *data, size_t done, size_t total); /* may be NULL; false ends the work */
    void *progress_data;
} bf_review_options;

typedef struct bf_review_report {
    const bf_scored_table *table; /* borrowed */
    bf_review_options options;
    bf_background background;
    bf_slip *slip; /* by kind, then the furthest from the threshold first */
    size_t count;
    size_t found[BF_SLIP_KINDS], shown[BF_SLIP_KINDS];
    size_t presentations[2];                        /* bona fide and attacks that were asked for */
    size_t cause[BF_CAUSES][BF_SLIP_KINDS];         /* of those shown, by their leading cause */
    size_t weighed[BF_REASON_COUNT][BF_SLIP_KINDS]; /* of those shown, in how many this evidence weighed against */
} bf_review_report;

/* Finds the errors. `table` must outlive *ret, which the caller gives to bf_review_done on success. *ret_complete is
 * false when `progress` ended it. OUT_OF_MEMORY, INTERNAL. */
bf_status bf_review_find(bf_review_report *ret, const bf_scored_table *table, const bf_review_options *options,
                         bool *ret_complete, bf_error *err);
void bf_review_done(bf_review_report *report);

/* The next reason of evidence in a row's text, which *at walks through; false at its end. Skips other words. */
bool bf_weighed_next(const char **at, bf_reason *ret);

/* Parts of bf_review_find. The background is released by bf_review_done. */
bf_status bf_background_measure(bf_background *ret, const bf_scored_table *table, double threshold, bf_error *err);
void bf_surroundings_look(bf_surroundings *ret, const bf_review_report *report, const bf_scored *row);
void bf_diagnose(bf_slip *slip, const bf_review_report *report);
void bf_diagnosis_add(bf_diagnosis *diagnosis, bf_cause cause, bool strong, const char *format, ...) BF_PRINTF(4, 5);
/* Whether the code of a non-response is about what the picture shows, not about a file that cannot be used. */
bool bf_code_of_picture(const char *code);
void bf_diagnose_capture(bf_slip *slip, const bf_review_report *report);

#endif
