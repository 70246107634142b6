/* Checking one row of a manifest. */
#ifndef BF_DATASET_ROW_H
#define BF_DATASET_ROW_H

#include "dataset/dataset.h"

/* Brings the values of a sample into their one form (label, attack type, review status, sample id, hash, time) and
 * reports what is wrong. Returns false when the row cannot be used. */
bool bf_row_check(bf_dataset *dataset, bf_sample *sample, bf_problems *problems);

/* "live" or "spoof", with *ret_type the attack's type where the text also names it ("spoof/replay"), else NULL. Also
 * reads "bona_fide" and "attack". false for anything else. */
bool bf_label_parse(const char *text, bf_label *ret, const char **ret_type);

const char *bf_label_name(bf_label label);

/* Whether a path stays below the folder it starts from: relative, without "..". */
bool bf_path_inside(const char *path);

#endif
