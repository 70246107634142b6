#include "pipeline/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "record/context.h"

#define DEFAULT_FLOW "account_opening"

void bf_judge_free(bf_judge **judge)
{
    if (!judge || !*judge)
        return;
    for (int i = 0; i < BF_ROLE_COUNT; i++)
        bf_net_run_free(&(*judge)->role[i]);
    for (int i = 0; i < BF_DETECTORS_MAX; i++) {
        bf_net_run_free(&(*judge)->detector[i]);
        bf_free((*judge)->detector_state[i]);
    }
    bf_sequence_work_done(&(*judge)->sequence);
    bf_image_done(&(*judge)->image);
    bf_image_done(&(*judge)->portrait);
    explicit_bzero(*judge, sizeof **judge);
    bf_free(*judge);
    *judge = NULL;
}

static bf_face_runs face_runs(const bf_judge *judge)
{
    const bf_engine *e = judge->engine;
    return (bf_face_runs){
        .detection = judge->role[BF_ROLE_DETECTION],
        .landmarks = judge->role[BF_ROLE_LANDMARKS],
        .pose = judge->role[BF_ROLE_POSE],
        .eye_state = judge->role[BF_ROLE_EYE_STATE],
        .detection_manifest = bf_net_manifest(e->role[BF_ROLE_DETECTION]),
        .landmarks_manifest = bf_net_manifest(e->role[BF_ROLE_LANDMARKS]),
        .pose_manifest = bf_net_manifest(e->role[BF_ROLE_POSE]),
        .eye_state_manifest = bf_net_manifest(e->role[BF_ROLE_EYE_STATE]),
    };
}

bf_status bf_judge_new(const bf_engine *engine, bf_judge **ret_judge, bf_error *err)
{
    if (!engine || !ret_judge)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A judge needs an engine.");
    BF_CLEANUP(bf_judge_free) bf_judge *judge = bf_calloc(1, sizeof *judge);
    if (!judge)
        return bf_fail_memory(err);
    judge->engine = engine;
    bf_status status = BF_OK;
    for (int i = 0; i < BF_ROLE_COUNT && status == BF_OK; i++)
        status = bf_net_run_new(engine->role[i], &judge->role[i], err);
    for (int i = 0; i < engine->detector_count && status == BF_OK; i++) {
        const bf_engine_detector *detector = &engine->detector[i];
        if (detector->net)
            status = bf_net_run_new(detector->net, &judge->detector[i], err);
        if (!detector->clip || !detector->clip->see)
            continue;
        judge->detector_state[i] = bf_calloc(1, detector->clip->state_size);
        if (!judge->detector_state[i])
            status = bf_fail_memory(err);
    }
    if (status != BF_OK)
        return status;
    judge->face = face_runs(judge);
    *ret_judge = judge;
    judge = NULL;
    return BF_OK;
}

static bf_status fail_flow(const bf_engine *engine, const char *flow, bf_error *err)
{
    bf_fail(err, BF_INVALID_ARGUMENT, "There is no journey named '%.64s'.", flow);
    char list[BF_ERROR_TEXT_SIZE] = "";
    size_t used = 0;
    for (int i = 0; i < engine->policy_count && used < sizeof list; i++)
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", bf_policy_flow(engine->policy[i]));
    bf_fail_hint(err, "Known journeys: %s.", list);
    return BF_INVALID_ARGUMENT;
}

/* Checks the request and copies what the record repeats of it. */
static bf_status read_request(const bf_engine *engine, const bf_request *request, bf_record *record,
                              const bf_policy **ret_policy, bf_error *err)
{
    if (!request || request->struct_size != sizeof *request || (!request->media && request->media_size > 0))
        return bf_fail(err, BF_INVALID_ARGUMENT, "A request needs struct_size and media.");
    if (request->media_error && request->media_error->status == BF_OK)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A media error needs a status.");
    const char *flow = request->flow ? request->flow : DEFAULT_FLOW;
    *ret_policy = bf_engine_policy(engine, flow);
    if (!*ret_policy)
        return fail_flow(engine, flow, err);
    if (request->channel && !bf_channel_from_name(request->channel, &record->request.channel)) {
        bf_fail(err, BF_INVALID_ARGUMENT, "There is no channel named '%.64s'.", request->channel);
        bf_fail_hint(err, "Known channels: android_app, ios_app, mobile_web, desktop_web, kiosk.");
        return BF_INVALID_ARGUMENT;
    }
    record->request.risk = bf_context_default();
    if (request->context_json) {
        bf_status status = bf_context_parse(request->context_json, strlen(request->context_json), "risk context",
                                            &record->request.risk, err);
        if (status != BF_OK)
            return status;
    }
    if (request->plan_json) {
        bf_status status = bf_plan_parse(request->plan_json, strlen(request->plan_json), &record->request.plan, err);
        if (status != BF_OK)
            return status;
        record->request.planned = true;
        if (bf_plan_is_active(&record->request.plan))
            record->challenge = BF_CHALLENGE_UNCLEAR; /* until it has been seen */
        if (record->request.plan.flash.form != BF_FLASH_NONE)
            record->light = BF_LIGHT_UNANSWERED; /* likewise */
    }
    if (request->request_id && strlen(request->request_id) >= sizeof record->request_id)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The request id is longer than %zu characters.",
                       sizeof record->request_id - 1);
    (void)snprintf(record->request_id, sizeof record->request_id, "%s", request->request_id ? request->request_id : "");
    (void)snprintf(record->request.flow, sizeof record->request.flow, "%s", flow);
    record->request.full_evidence = request->full_evidence;
    record->request.mirror = engine->mirror;
    record->request.match_order = request->match_order;
    record->request.kill_switch = request->kill_switch;
    record->versions = engine->versions;
    (void)snprintf(record->versions.policy, sizeof record->versions.policy, "%s", bf_policy_version(*ret_policy));
    return BF_OK;
}

/* Starts a record for `request`. On success the caller owns *ret. */
static bf_status begin(bf_judge *judge, const bf_request *request, bf_record **ret, const bf_policy **ret_policy,
                       bf_error *err)
{
    if (!judge)
        return bf_fail(err, BF_INVALID_ARGUMENT, "Judging needs a judge.");
    BF_CLEANUP(bf_record_free) bf_record *record = bf_calloc(1, sizeof *record);
    if (!record)
        return bf_fail_memory(err);
    bf_status status = read_request(judge->engine, request, record, ret_policy, err);
    if (status != BF_OK)
        return status;
    *ret = record;
    record = NULL;
    return BF_OK;
}

/* Ends a judgement: decides, and wipes the pictures, also what detectors keep of them. */
static void finish(bf_judge *judge, const bf_policy *policy, double started_ms, bf_record *record)
{
    bf_stage_policy(judge, policy, record);
    bf_image_done(&judge->image);
    bf_image_done(&judge->portrait);
    bf_sequence_work_done(&judge->sequence);
    for (int i = 0; i < BF_DETECTORS_MAX; i++) {
        if (judge->detector_state[i] && record->capture.sequence)
            explicit_bzero(judge->detector_state[i], judge->engine->detector[i].clip->state_size);
    }
    bf_embedding_wipe(&judge->capture_embedding);
    bf_embedding_wipe(&judge->reference_embedding);
    for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++)
        bf_embedding_wipe(&judge->chosen_embedding[i]);
    record->total_ms = bf_engine_now(judge->engine) - started_ms;
}

static void look(bf_judge *judge, const bf_request *request, const bf_policy *policy, bf_record *record)
{
    if (bf_judge_is_sequence(request)) {
        bf_stage_sequence(judge, request, policy, record);
    } else {
        bf_stage_decode(judge, request, record);
        bf_stage_faces(judge, record);
    }
    bf_stage_integrity(judge, record);
}

bf_status bf_judge_capture(bf_judge *judge, const bf_request *request, bf_record **ret_record, bf_error *err)
{
    bf_record *record = NULL;
    const bf_policy *policy = NULL;
    bf_status status = begin(judge, request, &record, &policy, err);
    if (status != BF_OK)
        return status;
    double started_ms = bf_engine_now(judge->engine);
    look(judge, request, policy, record);
    bf_stage_quality(judge, policy, record);
    bf_stage_liveness(judge, record);
    bf_stage_match(judge, request, policy, record);
    finish(judge, policy, started_ms, record);
    *ret_record = record;
    return BF_OK;
}

bf_status bf_judge_match(bf_judge *judge, const bf_request *request, bf_record **ret_record, bf_error *err)
{
    if (request && !request->reference)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A comparison needs two pictures.");
    bf_record *record = NULL;
    const bf_policy *policy = NULL;
    bf_status status = begin(judge, request, &record, &policy, err);
    if (status != BF_OK)
        return status;
    double started_ms = bf_engine_now(judge->engine);
    look(judge, request, policy, record);
    bf_request always = *request;
    always.match_order = BF_MATCH_ALWAYS;
    bf_stage_match(judge, &always, policy, record);
    finish(judge, policy, started_ms, record);
    /* The policy says nothing about a match when liveness was not asked for. */
    if (record->match.present)
        record->policy.match = bf_policy_match_outcome(policy, record->request.channel, record->match.similarity);
    *ret_record = record;
    return BF_OK;
}
