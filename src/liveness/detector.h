/* What every liveness detector takes and returns. */
#ifndef BF_LIVENESS_DETECTOR_H
#define BF_LIVENESS_DETECTOR_H

#include "base/limits.h"
#include "bonafide/codes.h"
#include "face/face.h"
#include "image/image.h"

typedef enum bf_evidence_status {
    BF_EVIDENCE_NOT_APPLICABLE = 0, /* nothing to judge by (face too small, picture too soft, ...): absent, not zero */
    BF_EVIDENCE_PRESENT = 1,
    BF_EVIDENCE_FAILED = 2 /* could not run (model absent, no memory): absent, and an operator should know */
} bf_evidence_status;

typedef struct bf_evidence {
    char detector[BF_NAME_MAX];
    char version[BF_NAME_MAX];
    bf_evidence_status status;
    double raw;          /* detector's own scale; larger means more bona fide, whatever the detector */
    double live_llr;     /* calibrated natural-log likelihood ratio, bona fide over attack; filled by calibrate/ */
    bool calibrated;     /* live_llr is valid */
    double contribution; /* what it added to the fused ratio; filled by fuse/ */
    bool fused;          /* contribution is valid */
    bf_reason against;   /* what a decision calls it when it weighs against the person; valid when fused */
    double ms;           /* wall time, 0 when no clock was given */
    const char *why;     /* static text for NOT_APPLICABLE and FAILED; NULL otherwise */
} bf_evidence;

/* What a detector may look at. Borrowed. */
typedef struct bf_subject {
    const bf_image *rgb; /* whole upright image, original pixels */
    const bf_face *face; /* primary face, with geometry */
} bf_subject;

#endif
