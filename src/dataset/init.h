/* Making a manifest: from a folder of pictures, or from another manifest. */
#ifndef BF_DATASET_INIT_H
#define BF_DATASET_INIT_H

#include "dataset/probe.h"

/* Adds a sample for a file below the dataset's folder. Label, attack type and person are taken from its path where
 * that is LIVE/[PERSON/]FILE or SPOOF/[TYPE/[PERSON/]]FILE, at any depth, LIVE being live, bona_fide, bonafide,
 * genuine or real and SPOOF being spoof, attack or fake; else the label is empty. The dataset starts zeroed with
 * `root` set. OUT_OF_MEMORY; INVALID_ARGUMENT: a name that no manifest can hold. */
bf_status bf_dataset_add(bf_dataset *dataset, const char *path, bf_error *err);

/* Writes a manifest with every column that bonafide knows, for people to fill in, and the others. `prefix` is put
 * before each path. Empty hashes are filled from `probes` (may be NULL). IO_ERROR. */
bf_status bf_dataset_write(const bf_dataset *dataset, const bf_probe *probes, const char *prefix, const char *path,
                           bf_error *err);

#endif
