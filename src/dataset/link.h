/* What ties samples together, so that knowing one tells about the other: the same person, session, bytes or picture. */
#ifndef BF_DATASET_LINK_H
#define BF_DATASET_LINK_H

#include "dataset/probe.h"

typedef enum bf_link { BF_LINK_PERSON, BF_LINK_SESSION, BF_LINK_HASH, BF_LINK_NEAR, BF_LINK_COUNT } bf_link;

/* "person", "session", "file", "picture". */
const char *bf_link_name(bf_link link);

/* Takes one tie; first < second, samples of the dataset. */
typedef void bf_link_take(void *data, bf_link link, size_t first, size_t second);

/* Finds ties: by person, session and hash each sample is tied to the first one with the same value, by picture to
 * every one that is nearly equal but not the same bytes. Without `probes` (may be NULL) hashes are those that the
 * manifest states and pictures are not compared. With `part` (may be NULL), samples whose part is empty are passed
 * over. OUT_OF_MEMORY. */
bf_status bf_links_find(const bf_dataset *dataset, const bf_probe *probes, const char *const *part, bf_link_take *take,
                        void *data, bf_error *err);

/* Reports the same or nearly the same picture under another label or person, and files that are there twice. */
bf_status bf_twins_review(const bf_dataset *dataset, const bf_probe *probes, bf_problems *problems, bf_error *err);

/* Reports, as errors, what ties samples of different parts together. part[i] belongs to sample i; "" is in no part. */
bf_status bf_leaks_review(const bf_dataset *dataset, const bf_probe *probes, const char *const *part,
                          bf_problems *problems, bf_error *err);

#endif
