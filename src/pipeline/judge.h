/* One thread's judging: its buffers, and the ordered stages. */
#ifndef BF_PIPELINE_JUDGE_H
#define BF_PIPELINE_JUDGE_H

#include "face/find.h"
#include "match/embedding.h"
#include "pipeline/engine.h"

struct bf_judge {
    const bf_engine *engine;
    bf_net_run *role[BF_ROLE_COUNT];
    bf_net_run *detector[BF_DETECTORS_MAX]; /* NULL for our own */
    bf_face_runs face;
    bf_image image; /* of the judgement under way; wiped at its end */
    bf_image portrait;
    bf_embedding capture_embedding, reference_embedding;
};

/* The stages, in order. Each fills its part of the record; what went wrong is in record->status and record->error,
 * and later stages see it there. */
void bf_stage_decode(bf_judge *judge, const bf_request *request, bf_record *record);
void bf_stage_faces(bf_judge *judge, bf_record *record);
void bf_stage_quality(bf_judge *judge, const bf_policy *policy, bf_record *record);
void bf_stage_liveness(bf_judge *judge, bf_record *record);
void bf_stage_match(bf_judge *judge, const bf_request *request, const bf_policy *policy, bf_record *record);
void bf_stage_policy(const bf_judge *judge, const bf_policy *policy, bf_record *record);

#endif
