/* Image quality after ISO/IEC 29794-5: each measure has a native value, a 0..100 value (higher is better) and
 * its own status. The measures only measure; thresholds live in the policy and are applied by quality/gate.h. */
#ifndef BF_QUALITY_QUALITY_H
#define BF_QUALITY_QUALITY_H

#include "bonafide/codes.h"
#include "decode/decode.h"
#include "face/face.h"

typedef enum bf_measure_status {
    BF_MEASURE_NOT_ASSESSED = 0, /* could not be computed: native and value are meaningless */
    BF_MEASURE_ASSESSED = 1
} bf_measure_status;

typedef struct bf_measure {
    bf_measure_status status;
    double native; /* in the measure's own unit, see api/measures.json */
    int value;     /* 0..100, higher is better */
} bf_measure;

/* Indexed by bf_measure_id (generated from api/measures.json into bonafide/codes.h: BF_MEASURE_SHARPNESS ...;
 * BF_MEASURE_COUNT). */
typedef struct bf_quality {
    bf_measure measure[BF_MEASURE_COUNT];
} bf_quality;

/* What the measures look at. Borrowed; nothing is modified. */
typedef struct bf_quality_input {
    const bf_image *rgb;         /* the whole upright image */
    const bf_faces *faces;       /* count >= 1 and face[0].has_geometry */
    const bf_media_facts *facts; /* NULL when the pixels did not come from a file */
} bf_quality_input;

/* Runs every measure. Cost target: under 1 ms at 1280x720 (work on the face region, subsampled where the statistic
 * allows it). Allocation failure leaves the affected measures NOT_ASSESSED. */
void bf_quality_measure(const bf_quality_input *input, bf_quality *ret);

#endif
