/* Splits as tables. Internal to dataset/; what others need is in split.h. */
#ifndef BF_DATASET_SPLIT_FILE_H
#define BF_DATASET_SPLIT_FILE_H

#include "dataset/split.h"

/* Fills split->id: `name`, '@' and the first digits of a hash over every sample id and its part. */
bf_status bf_split_identify(const bf_dataset *dataset, const char *name, bf_split *split, bf_error *err);

#endif
