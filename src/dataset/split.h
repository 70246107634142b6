/* Cutting a dataset into parts that know nothing of one another, such as train, validation and test. */
#ifndef BF_DATASET_SPLIT_H
#define BF_DATASET_SPLIT_H

#include "dataset/link.h"

#define BF_PARTS_MAX 8
#define BF_PART_NAME_SIZE 32
#define BF_SPLIT_ID_SIZE 40 /* "scenario@" and 12 digits */

typedef enum bf_split_by {
    BF_SPLIT_PERSON,   /* parts have no person in common */
    BF_SPLIT_DEVICE,   /* nor a device */
    BF_SPLIT_SCENARIO, /* nor an attack type */
    BF_SPLIT_TIME      /* and what is in a later part was captured later */
} bf_split_by;

/* "person", "device", "scenario", "time"; false when `name` is none of them. */
const char *bf_split_by_name(bf_split_by by);
bool bf_split_by_parse(const char *name, bf_split_by *ret);

typedef struct bf_split_plan {
    bf_split_by by;
    uint64_t seed;
    int part_count;
    char name[BF_PARTS_MAX][BF_PART_NAME_SIZE];
    double share[BF_PARTS_MAX]; /* add up to 1 */
    const char *const
        *held_out; /* by scenario: attack types that belong into the last part; NULL-terminated, or NULL to
                                  * let the seed choose */
} bf_split_plan;

/* Reads "train=60,validation=20,test=20". INVALID_ARGUMENT. */
bf_status bf_split_parts(const char *text, bf_split_plan *plan, bf_error *err);

typedef struct bf_split {
    const char **part; /* of each sample; "" when it is in none */
    char id[BF_SPLIT_ID_SIZE];
    size_t left_out; /* samples in no part, because their ties pull them into two */
    size_t groups;   /* tied samples are one group, which stays together */
} bf_split;

/* Makes a split. Samples that are tied (dataset/link.h) stay together; groups are dealt out by the seed so that each
 * part gets its share of every label and attack type. Neither the order of rows nor anything but seed, plan and
 * samples matters. `probes` may be NULL. The caller frees with bf_split_done. INVALID_ARGUMENT: the dataset cannot be
 * cut like that (with why), OUT_OF_MEMORY. */
bf_status bf_split_make(bf_dataset *dataset, const bf_probe *probes, const bf_split_plan *plan, bf_split *ret,
                        bf_error *err);
void bf_split_done(bf_split *split);

/* Reads a table of sample_id and split, as bf_split_write writes it; samples that it does not name are in no part.
 * Sample ids that the dataset does not have are reported, and so are samples that are in no part. */
bf_status bf_split_read(const char *path, bf_dataset *dataset, bf_split *ret, bf_problems *problems, bf_error *err);

/* The split that the manifest's own column states. */
bf_status bf_split_of_manifest(bf_dataset *dataset, bf_split *ret, bf_error *err);

/* Writes sample_id and split, in order of sample_id. IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_split_write(const char *path, const bf_dataset *dataset, const bf_split *split, bf_error *err);

#endif
