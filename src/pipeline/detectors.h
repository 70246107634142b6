/* The detectors that are code of ours rather than a network. */
#ifndef BF_PIPELINE_DETECTORS_H
#define BF_PIPELINE_DETECTORS_H

#include "liveness/detector.h"

/* Always fills *ret. */
typedef void bf_own_detector_run(const bf_subject *subject, bf_evidence *ret);

typedef struct bf_own_detector {
    const char *name;
    const char *version;
    bf_own_detector_run *run;
} bf_own_detector;

/* Number of own detectors; `index` of bf_own_detector_at runs from 0 to it. */
int bf_own_detector_count(void);
const bf_own_detector *bf_own_detector_at(int index);

/* The detector of that name, or NULL. */
const bf_own_detector *bf_own_detector_find(const char *name);

#endif
