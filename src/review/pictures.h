/* The pictures behind a table: which sample each row is of, prints to compare, and small copies to look at. */
#ifndef BF_REVIEW_PICTURES_H
#define BF_REVIEW_PICTURES_H

#include "base/bytes.h"
#include "dataset/probe.h"
#include "review/review.h"

#define BF_PICTURE_SIDE 320  /* px, of the error itself */
#define BF_PICTURE_SMALL 112 /* px, of what it is compared with */
#define BF_PICTURE_FACE 160  /* px, of the face with what is around it */

/* WebP files with nothing in them but the pixels; empty when the picture is not shown. `small` shows the face, too,
 * and the whole picture where the table does not say where it is. `face` is empty then, and where it shows no less. */
typedef struct bf_small_picture {
    bf_bytes large, face, small;
} bf_small_picture;

typedef struct bf_pictures {
    size_t count;             /* of the table's rows */
    const bf_sample **sample; /* by row; NULL: the dataset does not have it */
    bf_print *print;          /* by row */
    bf_small_picture *copy;   /* by row */
    size_t missing;           /* rows whose sample the dataset does not have */
    size_t changed;           /* rows whose file is not the one that was scored; they are not shown or compared */
    size_t unreadable;        /* pictures that were wanted and could not be decoded */
} bf_pictures;

/* Finds the sample of each row. `probes` may be NULL: then there are no prints, and changed files are not noticed. On
 * success the caller calls bf_pictures_done. OUT_OF_MEMORY. */
bf_status bf_pictures_link(bf_pictures *ret, const bf_scored_table *table, const bf_dataset *dataset,
                           const bf_probe *probes, bf_error *err);
void bf_pictures_done(bf_pictures *pictures);

/* Makes the small copies that the report shows. Progress as in bf_review_options, in `report->options`.
 * *ret_complete is false when it ended the work. OUT_OF_MEMORY, INTERNAL. */
bf_status bf_pictures_make(bf_pictures *pictures, const bf_dataset *dataset, const bf_review_report *report,
                           bool *ret_complete, bf_error *err);

/* Encodes a copy of at most `side_max` px: WebP without metadata. OUT_OF_MEMORY. */
bf_status bf_small_picture_make(const bf_image *image, int side_max, bf_bytes *ret, bf_error *err);

#endif
