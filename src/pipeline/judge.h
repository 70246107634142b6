/* One thread's judging: its buffers, and the ordered stages. */
#ifndef BF_PIPELINE_JUDGE_H
#define BF_PIPELINE_JUDGE_H

#include "face/find.h"
#include "match/embedding.h"
#include "pipeline/engine.h"
#include "pipeline/sequence.h"

struct bf_judge {
    const bf_engine *engine;
    bf_net_run *role[BF_ROLE_COUNT];
    bf_net_run *detector[BF_DETECTORS_MAX]; /* NULL for our own */
    void *detector_state[BF_DETECTORS_MAX]; /* of those over sequences; zero between judgements */
    bf_sequence_work sequence;
    bf_face_runs face;
    bf_image image; /* of the judgement under way; wiped at its end */
    bf_image portrait;
    bf_embedding capture_embedding, reference_embedding;
    bf_embedding chosen_embedding[BF_RECORD_CHOSEN_MAX];
};

/* The stages, in order. Each fills its part of the record; what went wrong is in record->status and record->error,
 * and later stages see it there. */
bool bf_judge_is_sequence(const bf_request *request);
void bf_stage_decode(bf_judge *judge, const bf_request *request, bf_record *record);
void bf_stage_faces(bf_judge *judge, bf_record *record);
/* Instead of the two before for a burst or a video. `judge->image` is then its best frame. */
void bf_stage_sequence(bf_judge *judge, const bf_request *request, const bf_policy *policy, bf_record *record);
/* What the capture path gives away, once the media was read. */
void bf_stage_integrity(bf_judge *judge, bf_record *record);
/* Asks the detectors over sequences, once all frames were seen. */
void bf_stage_sequence_end(bf_judge *judge, bf_record *record);
void bf_stage_quality(bf_judge *judge, const bf_policy *policy, bf_record *record);
void bf_stage_liveness(bf_judge *judge, bf_record *record);
/* Part of the one before: whether the chosen frames of a clip show one person. */
void bf_stage_consistency(bf_judge *judge, bf_record *record);
void bf_stage_match(bf_judge *judge, const bf_request *request, const bf_policy *policy, bf_record *record);
void bf_stage_policy(const bf_judge *judge, const bf_policy *policy, bf_record *record);

/* ---- for the stages ---- */

/* Times a stage that has just ended and began at `began_ms`; of a stage with several parts the times add up. */
void bf_judge_end_stage(const bf_judge *judge, bf_record *record, bf_stage stage, double began_ms);

/* Only the first failure is kept: later ones follow from it. */
void bf_judge_fail(bf_record *record, const bf_error *err);
/* The same with the status's own text. */
void bf_judge_fail_status(bf_record *record, bf_status status, const char *hint);

/* Remembers the corners of a crop given as a rectangle or, through `map`, as tensor coordinates. */
void bf_judge_note_crop(bf_record *record, const bf_manifest *manifest, bf_rect rect, const bf_affine *map);

/* Whether a measured capture may be judged: BF_OK, BF_MULTIPLE_FACES (on the photo, or for long in the clip) or
 * BF_INPUT_QUALITY_TOO_LOW. */
bf_status bf_judge_gate(const bf_policy *policy, const bf_record *record);

/* What the record says of the media itself. */
void bf_judge_fill_input(bf_record_input *input, const void *bytes, size_t size);

#endif
