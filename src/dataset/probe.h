/* Looking at a dataset's files: hashes, and prints of the pictures. */
#ifndef BF_DATASET_PROBE_H
#define BF_DATASET_PROBE_H

#include "dataset/dataset.h"
#include "dataset/print.h"

/* What was found under a sample's path. */
typedef struct bf_probe {
    bf_status status; /* BF_OK, or why the file cannot be read (IO_ERROR, IMAGE_TOO_LARGE, EMPTY_INPUT) */
    char sha256[BF_SHA256_HEX_SIZE];    /* of its bytes; "" when it could not be read */
    char reference[BF_SHA256_HEX_SIZE]; /* of the reference portrait's bytes; "" when there is none */
    bf_status reference_status;
    bf_status picture; /* whether it decodes as a still; BF_OK when that was not asked for */
    bf_print print;    /* present when it was asked for and the picture decodes */
} bf_probe;

typedef struct bf_probe_options {
    int jobs;
    bool pictures;                             /* also decode them and make their prints */
    size_t first, step;                        /* only samples first, first + step, ...; step 0 counts as 1 */
    bool (*progress)(void *data, size_t done); /* may be NULL; false ends the work */
    void *progress_data;
} bf_probe_options;

/* Looks at every sample's file; probe[i] belongs to sample i, and those that were not asked for are zero. The caller
 * frees *ret with bf_free. *ret_complete is false when `progress` ended it. OUT_OF_MEMORY, INTERNAL. */
bf_status bf_probe_files(const bf_dataset *dataset, const bf_probe_options *options, bf_probe **ret, bool *ret_complete,
                         bf_error *err);

/* Reports what is wrong with the files: missing, not the bytes that the manifest states, no picture. Samples whose
 * probe is zero (see above) are passed over. */
void bf_probe_review(const bf_dataset *dataset, const bf_probe *probes, bf_problems *problems);

#endif
