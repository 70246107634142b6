/* Image quality after ISO/IEC 29794-5: each measure has a native value, a 0..100 value (higher is better) and
 * its own status. The measures only measure; thresholds live in the policy and are applied there. How each value is
 * computed is in docs/reference/quality.md. */
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

/* Runs every measure. Total: any input, also a face off the picture or landmarks that are NaN, leaves each measure
 * either assessed with finite numbers or NOT_ASSESSED with zeros. Deterministic, allocates nothing (about 200 KiB of
 * stack), any thread. The number of pixels looked at is bounded whatever the resolution. */
void bf_quality_measure(const bf_quality_input *input, bf_quality *ret);

#define BF_FACE_OUTLINE_MAX 64

/* Corners of the face's mask in order around it, px: what the luma and colour measures take for the face. Returns how
 * many (3..BF_FACE_OUTLINE_MAX), or 0 when the landmarks cannot be used. */
int bf_quality_face_outline(const bf_face *face, bf_point ret[BF_FACE_OUTLINE_MAX]);

#endif
