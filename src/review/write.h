/* A review of errors as a page for people, as a table, and as a document for programs. */
#ifndef BF_REVIEW_WRITE_H
#define BF_REVIEW_WRITE_H

#include "base/bytes.h"
#include "evaluate/page.h"
#include "review/pictures.h"

#define BF_REVIEW_VERSION 1 /* of the form of errors.json */

/* What the report does not know about itself. */
typedef struct bf_review_facts {
    const char *table;           /* the name of the scores table */
    const char *split;           /* NULL: all rows */
    const char *dataset;         /* the dataset's identity; NULL: none was named */
    const char *program;         /* "bonafide 0.1.0" */
    const char *made_at;         /* NULL: not stated, so that equal input gives equal bytes */
    const bf_pictures *pictures; /* NULL: no faces are shown */
} bf_review_facts;

/* One self-contained page; with pictures it shows faces and says so on top. The caller gives *ret to bf_bytes_done, as
 * for all of these. OUT_OF_MEMORY. */
bf_status bf_review_html(bf_bytes *ret, const bf_review_report *report, const bf_review_facts *facts, bf_error *err);

/* As api/errors_report.schema.json describes. */
bf_status bf_review_json(bf_bytes *ret, const bf_review_report *report, const bf_review_facts *facts, bf_error *err);

/* A row for each error. With `for_review` there are empty columns for the reviewer, and one that names the picture in
 * the package. */
bf_status bf_review_csv(bf_bytes *ret, const bf_review_report *report, const bf_review_facts *facts, bool for_review,
                        bf_error *err);

/* The name of an error's picture in a package: "pictures/0001.webp". */
#define BF_PICTURE_NAME_SIZE 32
void bf_picture_name(size_t slip, char ret[BF_PICTURE_NAME_SIZE]);

/* One error of the page. Internal to review/. */
void bf_review_html_slip(bf_page *page, const bf_review_report *report, const bf_review_facts *facts, size_t index);
void bf_review_html_end(bf_page *page, const bf_review_report *report);

#endif
