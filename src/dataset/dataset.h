/* A labelled set of captures: a folder with manifest.csv, one row per sample. docs/reference/dataset.md describes the
 * columns. The manifest is input like any other: everything in it is checked, and every bad row is named. */
#ifndef BF_DATASET_DATASET_H
#define BF_DATASET_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "dataset/problems.h"
#include "dataset/text.h"

#define BF_SAMPLES_MAX 20000000u
#define BF_DATASET_PATH_SIZE 4096
#define BF_DATASET_NAME_BYTES_MAX 200 /* of a sample id and of most other values */
#define BF_DATASET_ID_SIZE 32         /* "dataset@" and 12 digits */

/* The columns that mean something to bonafide. Others are kept as they are. */
typedef enum bf_dataset_column {
    BF_COLUMN_SAMPLE_ID,
    BF_COLUMN_PATH,
    BF_COLUMN_LABEL,
    BF_COLUMN_ATTACK_FAMILY,
    BF_COLUMN_ATTACK_TYPE,
    BF_COLUMN_PERSON_ID,
    BF_COLUMN_SESSION_ID,
    BF_COLUMN_PLATFORM,
    BF_COLUMN_DEVICE_CLASS,
    BF_COLUMN_CHANNEL,
    BF_COLUMN_CAPTURE_TYPE,
    BF_COLUMN_LIGHTING_BUCKET,
    BF_COLUMN_QUALITY_BUCKET,
    BF_COLUMN_REVIEW_STATUS,
    BF_COLUMN_PERSON_GROUP,
    BF_COLUMN_SOURCE,
    BF_COLUMN_LICENCE,
    BF_COLUMN_SHA256,
    BF_COLUMN_CAPTURED_AT,
    BF_COLUMN_REFERENCE, /* path of an ID portrait to compare with */
    BF_COLUMN_SPLIT,
    BF_COLUMN_COUNT
} bf_dataset_column;

const char *bf_dataset_column_name(bf_dataset_column column);

typedef enum bf_label { BF_LABEL_LIVE, BF_LABEL_SPOOF } bf_label;

typedef struct bf_sample {
    uint64_t row;       /* of the manifest */
    bf_label label;     /* value[BF_COLUMN_LABEL] is "live" or "spoof" */
    int64_t captured_s; /* seconds since 1970 UTC; valid when value[BF_COLUMN_CAPTURED_AT] is not empty */
    const char *value[BF_COLUMN_COUNT]; /* never NULL; "" when absent; equal texts have equal pointers */
    const char **other;                 /* values of the other columns */
} bf_sample;

typedef struct bf_dataset {
    char *manifest; /* the manifest's file name */
    char *root;     /* the folder that paths start from */
    bf_texts texts;
    bool has[BF_COLUMN_COUNT]; /* columns that the manifest has */
    const char **other;        /* names of the other columns */
    size_t other_count;
    bf_sample *sample; /* in the manifest's order */
    size_t count, capacity;
} bf_dataset;

/* How a dataset is read. */
typedef struct bf_dataset_options {
    const char *path;  /* a folder with manifest.csv, or a manifest */
    const char *root;  /* folder that paths start from; NULL: the manifest's */
    const char *label; /* label of every sample of a manifest that has no such column; NULL: it must have one */
} bf_dataset_options;

/* Reads the manifest; findings about its rows go to *problems, and rows with errors are left out of the dataset.
 * Files are not looked at. On success the caller calls bf_dataset_done. IO_ERROR, INVALID_ARGUMENT (no table, or a
 * required column is missing), OUT_OF_MEMORY. */
bf_status bf_dataset_read(const bf_dataset_options *options, bf_dataset *ret, bf_problems *problems, bf_error *err);
void bf_dataset_done(bf_dataset *dataset);

/* Findings about the whole that files are not needed for: one class only, persons unknown, ... */
void bf_dataset_review(const bf_dataset *dataset, bf_problems *problems);

/* The path of a sample's file (or of its reference). false when it is too long. */
bool bf_dataset_file(const bf_dataset *dataset, const char *path, char ret[BF_DATASET_PATH_SIZE]);

/* "dataset@" and the first digits of a hash over every value of every sample. The order of rows and columns does not
 * matter. OUT_OF_MEMORY. */
bf_status bf_dataset_id(const bf_dataset *dataset, char ret[BF_DATASET_ID_SIZE], bf_error *err);

/* Whether the sample may enter headline figures: its review status is "confirmed". */
bool bf_sample_confirmed(const bf_sample *sample);

#endif
