/* The detectors that are code of ours rather than a network. */
#ifndef BF_PIPELINE_DETECTORS_H
#define BF_PIPELINE_DETECTORS_H

#include "liveness/sequence.h"
#include "liveness/texture/texture.h"

/* What own detectors have fitted rather than written down. Read-only once loaded; shared. */
typedef struct bf_own_models {
    bf_texture_model texture;
} bf_own_models;

/* Always fills *ret. */
typedef void bf_own_detector_run(const bf_own_models *models, const bf_subject *subject, bf_evidence *ret);

typedef struct bf_own_detector {
    const char *name;
    const char *version; /* NULL: the version of the model it uses, see bf_own_detector_version */
    bf_reason against;   /* an EVIDENCE_ code: what a decision calls its evidence against */
    bf_own_detector_run *run;
} bf_own_detector;

/* Reads the models from DATA_DIR/models/. IO_ERROR, CONFIG_INVALID, OUT_OF_MEMORY; *ret is then untouched. */
bf_status bf_own_models_read(const char *data_dir, bf_own_models *ret, bf_error *err);

/* The version that the detector's evidence carries. */
const char *bf_own_detector_version(const bf_own_detector *detector, const bf_own_models *models);

/* Number of own detectors; `index` of bf_own_detector_at runs from 0 to it. */
int bf_own_detector_count(void);
const bf_own_detector *bf_own_detector_at(int index);

/* The detector of that name, or NULL. */
const bf_own_detector *bf_own_detector_find(const char *name);

/* Those over the frames of a clip. One without functions is asked by the pipeline itself. */
int bf_clip_detector_count(void);
const bf_sequence_detector *bf_clip_detector_at(int index);
const bf_sequence_detector *bf_clip_detector_find(const char *name);

#endif
