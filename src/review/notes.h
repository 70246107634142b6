/* Taking over what reviewers wrote into a dataset's manifest. */
#ifndef BF_REVIEW_NOTES_H
#define BF_REVIEW_NOTES_H

#include <stddef.h>

#include "bonafide/status.h"

#define BF_NOTES_MAX 1000000
#define BF_NOTE_BYTES_MAX 1000   /* of one note */
#define BF_REVIEWER_BYTES_MAX 60 /* of a reviewer's name */

typedef struct bf_notes_counts {
    size_t reviews; /* rows of the table with a verdict */
    size_t without; /* rows without one, which are passed over */
    size_t changed; /* samples whose review is now another; the others were taken over before */
    size_t confirmed, uncertain, excluded, disputed; /* reviewed samples by what is now known of them */
} bf_notes_counts;

/* Reads `reviews` (columns sample_id, verdict, reviewer, and perhaps cause and note) and brings the columns
 * review_status, review_note, reviewer and reviewed_at of the dataset's manifest up to date; every other value and
 * column stays as it is. The same reviews a second time change nothing. `now` is the time to state, ISO 8601. The
 * manifest is replaced as a whole or not touched. INVALID_ARGUMENT names file, row and remedy: an unknown sample,
 * verdict or cause, no reviewer, one reviewer with two verdicts. IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_notes_import(const char *reviews, const char *manifest, const char *now, bf_notes_counts *ret,
                          bf_error *err);

#endif
