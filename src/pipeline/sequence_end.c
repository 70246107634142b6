/* What is said of a clip once all of its frames were seen. */
#include <math.h>
#include <stdio.h>

#include "liveness/challenge/challenge.h"
#include "liveness/stream/stream.h"
#include "match/consistency.h"
#include "pipeline/detectors.h"
#include "pipeline/judge.h"

/* Further away, an embedding says less about who it is. */
#define COMPARED_TURN_MAX_DEG 30.0f
#define COMPARED_INTER_EYE_MIN_PX 24.0f

/* Calibrates, and gives the evidence and its details their places in the record. */
static void add(const bf_engine_detector *detector, bf_sequence_evidence *of, double ms, bf_record *record)
{
    (void)snprintf(of->evidence.detector, sizeof of->evidence.detector, "%s", detector->name);
    (void)snprintf(of->evidence.version, sizeof of->evidence.version, "%s", detector->clip->version);
    if (detector->calibrated)
        bf_calibration_apply(&detector->calibration, record->request.channel, &of->evidence);
    of->evidence.ms = ms;
    record->evidence[record->evidence_count++] = of->evidence;
    if (record->capture.detail_count < BF_RECORD_SEQUENCE_MAX)
        record->capture.detail[record->capture.detail_count++] = *of;
}

/* Of a plan that did ask for something. */
static bf_challenge_outcome outcome_of(const void *state)
{
    bf_challenge_report report;
    bf_challenge_read(state, &report);
    return report.outcome == BF_CHALLENGE_NOT_ASKED ? BF_CHALLENGE_UNCLEAR : report.outcome;
}

void bf_stage_integrity(bf_judge *judge, bf_record *record)
{
    const bf_sequence_work *work = &judge->sequence;
    const bf_record_capture *capture = &record->capture;
    if (!record->input.given || (capture->sequence && !work->frames))
        return;
    const bf_integrity_input input = {
        .plan = record->request.planned ? &record->request.plan : NULL,
        .file = capture->sequence ? bf_frames_file(work->frames) : NULL,
        .facts = capture->sequence ? bf_frames_facts(work->frames) : NULL,
        .media = !capture->sequence ? &record->input.media
                 : work->has_first  ? &work->first
                                    : NULL,
    };
    bf_integrity_look(&input, &record->signals);
}

void bf_stage_sequence_end(bf_judge *judge, bf_record *record)
{
    for (int i = 0; i < judge->engine->detector_count; i++) {
        const bf_engine_detector *detector = &judge->engine->detector[i];
        if (!judge->detector_state[i])
            continue;
        bf_sequence_evidence of = {0};
        double began_ms = bf_engine_now(judge->engine);
        detector->clip->end(judge->detector_state[i], &of);
        add(detector, &of, bf_engine_now(judge->engine) - began_ms, record);
        if (detector->clip == &bf_challenge_detector && record->challenge != BF_CHALLENGE_NOT_ASKED)
            record->challenge = outcome_of(judge->detector_state[i]);
        if (detector->clip == &bf_flash_detector && record->light != BF_LIGHT_NOT_ASKED)
            record->light = bf_light_outcome_of(&of.evidence);
        if (detector->clip == &bf_stream_detector)
            bf_stream_fingerprint(judge->detector_state[i], &record->capture.fingerprint);
        bf_judge_end_stage(judge, record, BF_STAGE_SEQUENCE, began_ms);
    }
}

static bool can_be_compared(const bf_face *face)
{
    return fabsf(face->yaw_deg) <= COMPARED_TURN_MAX_DEG && fabsf(face->pitch_deg) <= COMPARED_TURN_MAX_DEG &&
           face->inter_eye_px >= COMPARED_INTER_EYE_MIN_PX;
}

/* Embeds the faces that were kept of all parts of the clip, also those that nothing else is judged by. */
static bf_status embed_all(bf_judge *judge, const bf_record *record, bf_consistency_face *ret_faces, int *ret_count,
                           int *ret_best, bf_error *err)
{
    const bf_manifest *m = bf_net_manifest(judge->engine->role[BF_ROLE_EMBEDDING]);
    const bf_sequence_work *work = &judge->sequence;
    for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++) {
        const bf_pick *pick = &work->picks.pick[i];
        bool best = i == work->best;
        if (!pick->used || (!best && !can_be_compared(&pick->faces.face[0])))
            continue;
        if (best)
            *ret_best = *ret_count;
        bf_embedding *embedding = &judge->chosen_embedding[*ret_count];
        bf_status status = bf_embed(judge->role[BF_ROLE_EMBEDDING], m, best ? &judge->image : &pick->rgb,
                                    best ? &record->faces.face[0] : &pick->faces.face[0], embedding, err);
        if (status != BF_OK)
            return status;
        ret_faces[(*ret_count)++] = (bf_consistency_face){embedding, pick->ms};
    }
    return BF_OK;
}

void bf_stage_consistency(bf_judge *judge, bf_record *record)
{
    for (int i = 0; i < judge->engine->detector_count; i++) {
        const bf_engine_detector *detector = &judge->engine->detector[i];
        if (!detector->clip || detector->clip->see)
            continue;
        bf_consistency_face faces[BF_RECORD_CHOSEN_MAX];
        bf_sequence_evidence of = {0};
        bf_error err = {0};
        int count = 0, best = 0;
        double began_ms = bf_engine_now(judge->engine);
        if (embed_all(judge, record, faces, &count, &best, &err) == BF_OK) {
            bf_consistency_judge(faces, count, best, &of);
        } else {
            of.evidence = (bf_evidence){.status = BF_EVIDENCE_FAILED, .why = "the faces could not be compared"};
            bf_judge_fail(record, &err);
        }
        add(detector, &of, bf_engine_now(judge->engine) - began_ms, record);
    }
}
