/* What a reviewer is given: a folder or a tar file with the page, a table to fill in, and the pictures. All of it holds
 * biometric data: every file is readable by its owner only. */
#ifndef BF_REVIEW_PACKAGE_H
#define BF_REVIEW_PACKAGE_H

#include "review/write.h"

/* Writes reviews.csv, errors.html, errors.json, README.txt and pictures/. A path that ends in ".tar" becomes one file,
 * another a folder, which must not hold a package yet. With facts->pictures NULL there are no pictures. IO_ERROR,
 * INVALID_ARGUMENT, OUT_OF_MEMORY; a tar file is then not there, a folder may be incomplete: reviews.csv is written
 * last. */
bf_status bf_package_write(const char *path, const bf_review_report *report, const bf_review_facts *facts,
                           bf_error *err);

#endif
