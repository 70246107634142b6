/* One-to-one comparison of faces by embeddings. Knows nothing about liveness. */
#ifndef BF_MATCH_EMBEDDING_H
#define BF_MATCH_EMBEDDING_H

#include "face/face.h"
#include "infer/net.h"

#define BF_EMBEDDING_MAX 2048 /* numbers in one embedding */

/* An L2-normalised embedding. Biometric data: wipe it with bf_embedding_wipe. */
typedef struct bf_embedding {
    float value[BF_EMBEDDING_MAX];
    int count;
} bf_embedding;

/* Aligns the face (it needs geometry) and runs the network. INFERENCE_FAILED when the run fails or the embedding has
 * no length; MODEL_INVALID when it is too long. `run` belongs to this thread. */
bf_status bf_embed(bf_net_run *run, const bf_manifest *manifest, const bf_image *image, const bf_face *face,
                   bf_embedding *ret, bf_error *err);

/* Cosine of the angle between two embeddings, -1..1; 0 when their lengths differ. */
double bf_embedding_similarity(const bf_embedding *a, const bf_embedding *b);

void bf_embedding_wipe(bf_embedding *embedding);

#endif
