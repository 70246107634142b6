/* Context evidence: is the face inside a held-up rectangle (edge of a paper, bezel of a phone, frame of a monitor)?
 *
 * A grid of luma cells, 24 to a face width, is laid over the face and two face widths around it. On each side of the
 * face the straightest edge is sought that runs along the whole face: the share of its cells where the brightness
 * steps in one and the same direction. Left, right, top and bottom must share one rotation of at most 19 degrees, as
 * the sides of a rectangle do. Doors and windows behind a living person give one or two such sides; a body below the
 * chin and a head before the wall interrupt the others. Evidence of an attack only: its absence says little, because
 * an attacker can come so close that no border is in the picture. */
#ifndef BF_LIVENESS_CONTEXT_CONTEXT_H
#define BF_LIVENESS_CONTEXT_CONTEXT_H

#include "liveness/detector.h"

#define BF_CONTEXT_NAME "passive.context"
#define BF_CONTEXT_VERSION "1.0.0"

/* What was measured, for the reader of a picture and for tests. Coverage is 0..1: the share of the side's cells that
 * lie on one straight edge of constant sign; a side that would lie outside the picture is 0. */
typedef struct bf_context_features {
    float left, right, top, bottom; /* coverage at the common rotation */
    float rotation_deg;             /* of the best rectangle; positive turns clockwise in the picture */
    int visible_sides;              /* sides of which enough lies inside the picture */
} bf_context_features;

/* False when the face is too small or too little of its surroundings is in the picture (`*ret_why` says which). */
bool bf_context_measure(const bf_subject *subject, bf_context_features *ret, const char **ret_why);

/* raw = minus the rectangle evidence beyond what rooms give: 0 (at most one or two straight sides) down to -1.6 (a
 * complete frame). The strongest side is not counted, because one straight edge is found in most rooms. Always fills
 * *ret.
 * Uses about 60 KiB of stack and no heap. Pure; any thread. */
void bf_context_detect(const bf_subject *subject, bf_evidence *ret);

#endif
