/* Whether one person is there from the first frame of a clip to the last: the faces of frames spread over it are
 * compared with that of its best frame. A person who is swapped half-way is somebody else. */
#ifndef BF_MATCH_CONSISTENCY_H
#define BF_MATCH_CONSISTENCY_H

#include "liveness/sequence.h"
#include "match/embedding.h"

/* Its name and version for the tables. It has no functions: it needs embeddings, so it is asked by
 * bf_consistency_judge. */
extern const bf_sequence_detector bf_consistency_detector;

/* The face of one frame. */
typedef struct bf_consistency_face {
    const bf_embedding *embedding;
    double ms;
} bf_consistency_face;

/* Compares `count` faces with `faces[best]`. raw = the least cosine. NOT_APPLICABLE
 * with fewer than two. Findings: `another_face` with each cosine under which two photos are hardly of one person. Name
 * and version are the caller's. Pure. */
void bf_consistency_judge(const bf_consistency_face *faces, int count, int best, bf_sequence_evidence *ret);

#endif
