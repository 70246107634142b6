#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/crop.h"
#include "liveness/passive/network.h"
#include "match/consistency.h"
#include "pipeline/detectors.h"
#include "pipeline/judge.h"

/* What one detector says of one picture. */
static void detect(bf_judge *judge, int index, const bf_subject *subject, bf_evidence *ret)
{
    const bf_engine_detector *detector = &judge->engine->detector[index];
    if (detector->net) {
        const bf_manifest *m = bf_net_manifest(detector->net);
        bf_passive_detect(judge->detector[index], m, subject, judge->engine->mirror || m->mirror_average, ret);
    } else {
        bf_own_detector_find(detector->name)->run(&judge->engine->own_models, subject, ret);
    }
}

static int by_raw(const void *a, const void *b)
{
    double x = (*(const bf_evidence *const *)a)->raw, y = (*(const bf_evidence *const *)b)->raw;
    return (x > y) - (x < y);
}

/* What a detector says of several pictures of one face: the second lowest counts, of three and fewer the lowest. One
 * frame on which a network errs does no harm, and who shows a real face for a part of the time gains nothing
 * (docs/results/sequences.md). */
static bf_evidence combine(const bf_evidence *all, int count)
{
    const bf_evidence *present[BF_RECORD_CHOSEN_MAX];
    int present_count = 0;
    for (int i = 0; i < count; i++) {
        if (all[i].status == BF_EVIDENCE_PRESENT)
            present[present_count++] = &all[i];
    }
    if (present_count == 0)
        return all[0];
    qsort(present, (size_t)present_count, sizeof(const bf_evidence *), by_raw);
    return *present[present_count > 3 ? 1 : 0];
}

/* The pictures that detectors for stills look at: the photo, or the chosen frames of a clip. */
static int gather_subjects(bf_judge *judge, const bf_record *record, bf_subject *ret)
{
    const bf_picks *picks = &judge->sequence.picks;
    int count = 0;
    ret[count++] = (bf_subject){&judge->image, &record->faces.face[0]};
    for (int i = 0; record->capture.sequence && i < BF_RECORD_CHOSEN_MAX; i++) {
        if (i != judge->sequence.best && bf_picks_is_chosen(picks, i))
            ret[count++] = (bf_subject){&picks->pick[i].rgb, &picks->pick[i].faces.face[0]};
    }
    return count;
}

static void run_still_detector(bf_judge *judge, int index, const bf_subject *subjects, int count, bf_record *record)
{
    const bf_engine_detector *detector = &judge->engine->detector[index];
    bf_evidence of_each[BF_RECORD_CHOSEN_MAX];
    double began_ms = bf_engine_now(judge->engine);
    for (int i = 0; i < count; i++)
        detect(judge, index, &subjects[i], &of_each[i]);
    bf_evidence *evidence = &record->evidence[record->evidence_count++];
    *evidence = combine(of_each, count);
    if (detector->calibrated)
        bf_calibration_apply(&detector->calibration, record->request.channel, evidence);
    evidence->ms = bf_engine_now(judge->engine) - began_ms;
    if (detector->net) {
        const bf_manifest *m = bf_net_manifest(detector->net);
        bf_judge_note_crop(record, m, bf_crop_rect(m, subjects[0].rgb, subjects[0].face->box), NULL);
    }
}

/* What was asked of the person cannot be seen on a photo, so a photo is no answer to it. */
static bool lacks_frames(const bf_record *record)
{
    return record->request.planned && bf_plan_is_active(&record->request.plan) && !record->capture.sequence;
}

static bf_reason called_against(const bf_engine *engine, const char *name)
{
    int i = 0;
    while (strcmp(engine->detector[i].name, name) != 0)
        i++; /* whose evidence it is was asked, so it is there */
    return engine->detector[i].against;
}

static void fuse(bf_judge *judge, bf_record *record)
{
    bf_fused fused;
    bf_fusion_apply(judge->engine->fusion, record->evidence, record->evidence_count, &fused);
    record->liveness_present = fused.present;
    record->fusion_bias = fused.bias;
    record->live_llr = fused.live_llr;
    record->live_probability = fused.live_probability;
    (void)snprintf(record->versions.fusion_configuration, sizeof record->versions.fusion_configuration, "%s",
                   fused.configuration);
    for (int i = 0; i < record->evidence_count; i++) {
        record->evidence[i].fused = fused.used[i];
        record->evidence[i].contribution = fused.contribution[i];
        record->evidence[i].against = called_against(judge->engine, record->evidence[i].detector);
    }
    if (!fused.present)
        bf_judge_fail_status(record, BF_NO_LIVENESS_EVIDENCE, "Take the photo again, closer and in better light.");
}

/* Evidence is fused only when the capture may be judged; evidence taken nevertheless is for people who measure. */
void bf_stage_liveness(bf_judge *judge, bf_record *record)
{
    bool judging = record->status == BF_OK;
    if (!record->measured || (!judging && !record->request.full_evidence))
        return;
    double began_ms = bf_engine_now(judge->engine);
    bf_subject subjects[BF_RECORD_CHOSEN_MAX];
    int count = gather_subjects(judge, record, subjects);
    for (int i = 0; i < judge->engine->detector_count; i++) {
        const bf_engine_detector *detector = &judge->engine->detector[i];
        if (!detector->clip && (detector->fused || record->request.full_evidence))
            run_still_detector(judge, i, subjects, count, record);
    }
    if (record->capture.sequence)
        bf_stage_consistency(judge, record);
    if (judging && lacks_frames(record))
        bf_judge_fail_status(record, BF_NO_LIVENESS_EVIDENCE,
                             "Steps were asked for: send the frames of a capture in which they are done.");
    else if (judging)
        fuse(judge, record);
    bf_judge_end_stage(judge, record, BF_STAGE_LIVENESS, began_ms);
}
