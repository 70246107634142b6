/* What reviewers have said about one sample, as it stands in a manifest's column review_note:
 * "anna: agreed (model), looks live | ben: label wrong". Internal to review/. */
#ifndef BF_REVIEW_REMARK_H
#define BF_REVIEW_REMARK_H

#include <stdbool.h>
#include <stddef.h>

#include "dataset/csv.h"

#define BF_REMARKS_MAX 32
#define BF_REMARKS_TEXT_SIZE (BF_CSV_FIELD_BYTES_MAX + 1)

typedef enum bf_verdict {
    BF_VERDICT_AGREED,      /* the label is right: the error is one */
    BF_VERDICT_LABEL_WRONG, /* it is not: the sample counts for nothing until the label is corrected */
    BF_VERDICT_UNCLEAR
} bf_verdict;

typedef struct bf_remark {
    const char *reviewer, *cause, *text; /* the last two may be "" */
    bf_verdict verdict;
} bf_remark;

/* All of a sample. Zero-initialise, or use again: bf_remarks_read begins anew. */
typedef struct bf_remarks {
    bf_remark said[BF_REMARKS_MAX]; /* by reviewer */
    size_t count;
    const char *status; /* "confirmed", ..., or "disputed" where they differ; set by bf_remarks_write */
    char free_text[BF_REMARKS_TEXT_SIZE]; /* what the column held and no reviewer of ours wrote */
    char parsed[BF_REMARKS_TEXT_SIZE];    /* what `said` points into */
    char written[BF_REMARKS_TEXT_SIZE];
    char reviewers[BF_REMARKS_MAX * 64]; /* "anna; ben" */
} bf_remarks;

/* "agreed", "label wrong" (also "label_wrong"), "unclear". */
bool bf_verdict_parse(const char *text, bf_verdict *ret);
/* Whether the text names a cause or is empty. */
bool bf_remark_cause_known(const char *text);
bool bf_remark_reviewer_valid(const char *text);
/* One line without the sign that separates remarks; false when it does not fit. */
bool bf_remark_tidy(const char *text, char *ret, size_t size);

/* Takes the column's value apart. */
void bf_remarks_read(bf_remarks *remarks, const char *column);
/* Adds what a reviewer says, in place of what the same one said before; borrowed. false when there are too many. */
bool bf_remarks_add(bf_remarks *remarks, const bf_remark *said);
/* Fills status, written and reviewers. false when it does not fit. */
bool bf_remarks_write(bf_remarks *remarks);

#endif
