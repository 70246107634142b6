#include "match/consistency.h"

#include <math.h>

/* Under this, two pictures of the development corpus are of different people nearly always (calibration/match-fr). */
#define SAME_MIN 0.30

const bf_sequence_detector bf_consistency_detector = {
    .name = "sequence.consistency", .version = "1.0.0", .against = BF_REASON_EVIDENCE_OTHER_FACE};

void bf_consistency_judge(const bf_consistency_face *faces, int count, int best, bf_sequence_evidence *ret)
{
    *ret = (bf_sequence_evidence){.evidence = {.why = "there are fewer than two frames with a usable face"}};
    bf_figure_add(ret, "faces", count);
    if (count < 2)
        return;
    double least = 1, sum = 0;
    for (int i = 0; i < count; i++) {
        if (i == best)
            continue;
        double similarity = bf_embedding_similarity(faces[i].embedding, faces[best].embedding);
        least = fmin(least, similarity);
        sum += similarity;
        if (similarity < SAME_MIN)
            bf_finding_add(ret, "another_face", faces[i].ms, similarity);
    }
    bf_figure_add(ret, "least_similarity", least);
    bf_figure_add(ret, "mean_similarity", sum / (count - 1));
    ret->evidence.status = BF_EVIDENCE_PRESENT;
    ret->evidence.raw = least;
    ret->evidence.why = NULL;
}
