#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/words.h"
#include "face/crop.h"
#include "pipeline/judge.h"

/* What a reference portrait must offer. ID portraits are small; below this the aligned crop is mostly guesswork. */
#define REFERENCE_INTER_EYE_MIN_PX 20.0f
/* A second face on the reference counts when it has at least this share of the first one's area; ID cards carry ghost
 * portraits that are smaller. */
#define REFERENCE_SECOND_FACE_SHARE 0.25f

void bf_judge_end_stage(const bf_judge *judge, bf_record *record, bf_stage stage, double began_ms)
{
    record->stage_ms[stage] += bf_engine_now(judge->engine) - began_ms;
}

void bf_judge_fail(bf_record *record, const bf_error *err)
{
    if (record->status == BF_OK) {
        record->status = err->status;
        record->error = *err;
    }
}

void bf_judge_fail_status(bf_record *record, bf_status status, const char *hint)
{
    bf_error err = {0};
    bf_fail(&err, status, "%s", bf_status_text(status));
    bf_fail_hint(&err, "%s", hint);
    bf_judge_fail(record, &err);
}

void bf_judge_fill_input(bf_record_input *input, const void *bytes, size_t size)
{
    input->given = true;
    input->bytes = size;
    bf_sha256_hex(bytes, size, input->sha256);
}

void bf_stage_decode(bf_judge *judge, const bf_request *request, bf_record *record)
{
    double began_ms = bf_engine_now(judge->engine);
    bf_error err = {0};
    bf_image_done(&judge->image);
    if (request->media_error) {
        bf_judge_fail(record, request->media_error);
        return;
    }
    bf_judge_fill_input(&record->input, request->media, request->media_size);
    if (bf_decode_still(request->media, request->media_size, &judge->engine->limits, &judge->image,
                        &record->input.media, &err) != BF_OK) {
        bf_judge_fail(record, &err);
    } else {
        record->input.width = judge->image.width;
        record->input.height = judge->image.height;
    }
    bf_judge_end_stage(judge, record, BF_STAGE_DECODE, began_ms);
}

void bf_judge_note_crop(bf_record *record, const bf_manifest *manifest, bf_rect rect, const bf_affine *map)
{
    if (record->crop_count == BF_RECORD_CROPS_MAX)
        return;
    bf_record_crop *crop = &record->crop[record->crop_count++];
    (void)snprintf(crop->model, sizeof crop->model, "%s", manifest->name);
    const bf_point corner[4] = {{rect.x0, rect.y0}, {rect.x1, rect.y0}, {rect.x1, rect.y1}, {rect.x0, rect.y1}};
    for (int i = 0; i < 4; i++)
        crop->corner[i] = map ? bf_affine_apply(*map, corner[i]) : corner[i];
}

void bf_stage_faces(bf_judge *judge, bf_record *record)
{
    if (record->status != BF_OK)
        return;
    bf_error err = {0};
    double began_ms = bf_engine_now(judge->engine);
    bf_status status = bf_faces_find(&judge->face, &judge->image, &record->faces, &err);
    bf_judge_end_stage(judge, record, BF_STAGE_FACES, began_ms);
    if (status != BF_OK) {
        bf_judge_fail(record, &err);
        return;
    }
    if (record->faces.count == 0) {
        bf_judge_fail_status(record, BF_NO_FACE, "Take the photo again with the whole face in the picture.");
        return;
    }
    began_ms = bf_engine_now(judge->engine);
    if (bf_face_measure(&judge->face, &judge->image, &record->faces.face[0], &err) != BF_OK)
        bf_judge_fail(record, &err);
    bf_judge_end_stage(judge, record, BF_STAGE_GEOMETRY, began_ms);
    bf_rect box = record->faces.face[0].box;
    bf_judge_note_crop(record, judge->face.landmarks_manifest,
                       bf_crop_rect(judge->face.landmarks_manifest, &judge->image, box), NULL);
    bf_judge_note_crop(record, judge->face.pose_manifest, bf_crop_rect(judge->face.pose_manifest, &judge->image, box),
                       NULL);
}

bf_status bf_judge_gate(const bf_policy *policy, const bf_record *record)
{
    bf_policy_output gate = {0};
    bool passed = bf_policy_gate(policy, record->request.channel, &record->quality, &gate);
    if (gate.measure_failed[BF_MEASURE_SINGLE_FACE_PRESENT] ||
        record->capture.track.other_ms > BF_SEQUENCE_OTHER_MS_MAX)
        return BF_MULTIPLE_FACES;
    return passed ? BF_OK : BF_INPUT_QUALITY_TOO_LOW;
}

void bf_stage_quality(bf_judge *judge, const bf_policy *policy, bf_record *record)
{
    if (record->status != BF_OK)
        return;
    double began_ms = bf_engine_now(judge->engine);
    const bf_quality_input input = {&judge->image, &record->faces, &record->input.media};
    bf_quality_measure(&input, &record->quality);
    record->measured = true;
    record->outline_count = bf_quality_face_outline(&record->faces.face[0], record->outline);
    bf_status gate = bf_judge_gate(policy, record);
    if (gate == BF_MULTIPLE_FACES)
        bf_judge_fail_status(record, gate,
                             record->capture.sequence ? "Record again with one person in the picture."
                                                      : "Take the photo again with one person in it.");
    else if (gate != BF_OK)
        bf_judge_fail_status(record, gate, "Take the photo again; the guidance says what to change.");
    bf_judge_end_stage(judge, record, BF_STAGE_QUALITY, began_ms);
}

static bool second_face_counts(const bf_faces *faces)
{
    if (faces->count < 2)
        return false;
    bf_rect a = faces->face[0].box, b = faces->face[1].box;
    return bf_rect_width(b) * bf_rect_height(b) >= REFERENCE_SECOND_FACE_SHARE * bf_rect_width(a) * bf_rect_height(a);
}

/* Whether the failure is ours rather than the portrait's. */
static bool is_internal(bf_status status)
{
    return strcmp(bf_status_family(status), "internal") == 0 || strcmp(bf_status_family(status), "model") == 0;
}

/* Looks for the one usable face of the reference. BF_OK, or a BF_REFERENCE_* code, or an internal failure in *err. */
static bf_status read_reference(bf_judge *judge, const bf_request *request, bf_record *record, bf_face *ret_face,
                                bf_error *err)
{
    bf_record_input *input = &record->reference;
    bf_judge_fill_input(input, request->reference, request->reference_size);
    bf_image_done(&judge->portrait);
    bf_status status = bf_decode_still(request->reference, request->reference_size, &judge->engine->limits,
                                       &judge->portrait, &input->media, err);
    if (status != BF_OK)
        return is_internal(status) ? status : BF_REFERENCE_UNREADABLE;
    input->width = judge->portrait.width;
    input->height = judge->portrait.height;
    bf_faces faces;
    status = bf_faces_find(&judge->face, &judge->portrait, &faces, err);
    if (status != BF_OK)
        return status;
    if (faces.count == 0)
        return BF_REFERENCE_NO_FACE;
    if (second_face_counts(&faces))
        return BF_REFERENCE_MULTIPLE_FACES;
    status = bf_face_measure(&judge->face, &judge->portrait, &faces.face[0], err);
    if (status != BF_OK)
        return status;
    *ret_face = faces.face[0];
    return ret_face->inter_eye_px >= REFERENCE_INTER_EYE_MIN_PX ? BF_OK : BF_REFERENCE_QUALITY_TOO_LOW;
}

static bf_status compare(bf_judge *judge, const bf_face *reference, bf_record *record, bf_error *err)
{
    bf_net_run *run = judge->role[BF_ROLE_EMBEDDING];
    const bf_manifest *m = bf_net_manifest(judge->engine->role[BF_ROLE_EMBEDDING]);
    const bf_face *capture = &record->faces.face[0];
    bf_affine map = bf_crop_aligned(m, capture);
    bf_judge_note_crop(record, m, (bf_rect){0, 0, (float)m->input.width, (float)m->input.height}, &map);
    bf_status status = bf_embed(run, m, &judge->portrait, reference, &judge->reference_embedding, err);
    if (status == BF_OK)
        status = bf_embed(run, m, &judge->image, capture, &judge->capture_embedding, err);
    if (status != BF_OK)
        return status;
    record->match.similarity = bf_embedding_similarity(&judge->capture_embedding, &judge->reference_embedding);
    record->match.present = true;
    record->match.calibrated = judge->engine->match_calibrated;
    if (record->match.calibrated)
        record->match.same_llr =
            bf_calibration_llr(&judge->engine->match_calibration, record->request.channel, record->match.similarity);
    return BF_OK;
}

static void fill_policy_input(const bf_record *record, bf_policy_input *ret)
{
    *ret = (bf_policy_input){
        .judging = record->status,
        .quality = record->measured ? &record->quality : NULL,
        .evidence = record->evidence,
        .evidence_count = record->evidence_count,
        .liveness_present = record->liveness_present,
        .live_probability = record->live_probability,
        .match_requested = record->reference.given,
        .reference_status = record->match.reference_status,
        .match_present = record->match.present,
        .match_similarity = record->match.similarity,
        .challenge = record->challenge,
        .light = record->light,
        .channel = record->request.channel,
        .signals = &record->signals,
        .risk = record->request.risk,
        .kill_switch = record->request.kill_switch,
    };
}

/* In sequence, nothing is compared when the outcome is settled without it. */
static bool comparison_is_needed(const bf_request *request, const bf_policy *policy, const bf_record *record)
{
    if (record->faces.count == 0 || !record->faces.face[0].has_geometry)
        return false;
    if (request->match_order == BF_MATCH_ALWAYS)
        return true;
    bf_policy_input input;
    bf_policy_output output;
    fill_policy_input(record, &input);
    bf_policy_decide(policy, &input, &output);
    return record->status == BF_OK && output.band != BF_BAND_FAIL;
}

void bf_stage_match(bf_judge *judge, const bf_request *request, const bf_policy *policy, bf_record *record)
{
    if (!request->reference)
        return;
    double began_ms = bf_engine_now(judge->engine);
    bf_error err = {0};
    bf_face face;
    record->reference.given = true;
    bf_status status = read_reference(judge, request, record, &face, &err);
    bf_judge_end_stage(judge, record, BF_STAGE_REFERENCE, began_ms);
    if (strcmp(bf_status_family(status), "reference") == 0) {
        record->match.reference_status = status;
        return;
    }
    began_ms = bf_engine_now(judge->engine);
    if (status == BF_OK && comparison_is_needed(request, policy, record))
        status = compare(judge, &face, record, &err);
    if (status != BF_OK)
        bf_judge_fail(record, &err);
    bf_judge_end_stage(judge, record, BF_STAGE_MATCH, began_ms);
}

void bf_stage_policy(const bf_judge *judge, const bf_policy *policy, bf_record *record)
{
    double began_ms = bf_engine_now(judge->engine);
    bf_policy_input input;
    fill_policy_input(record, &input);
    bf_policy_decide(policy, &input, &record->policy);
    bf_judge_end_stage(judge, record, BF_STAGE_POLICY, began_ms);
}
