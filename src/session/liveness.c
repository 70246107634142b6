/* One request, one decision: liveness and match without a session. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "session/internal.h"
#include "store/time.h"

typedef struct single {
    bf_service *service;
    const bf_call *call;
    bool match;
    bf_once once;
    double started_ms;
    char actor[BF_ACTOR_SIZE];
    bf_media_hashes hashes;
    char *context, *device; /* JSON texts */

    bool repeated, quarantined, kill_switch, needs_hashes;
    int losses;

    bf_judgement judgement;
    int64_t decided_ms;
    bf_answer answer;
} single;

static void single_done(single *one)
{
    bf_free_string(&one->context);
    bf_free_string(&one->device);
    bf_judgement_done(&one->judgement);
    bf_answer_done(&one->answer);
}

static const char *text_of(const single *one, const char *key)
{
    return json_string_value(json_object_get(one->call->body, key));
}

/* ---- before judging ---- */

/* In a read transaction when there is no idempotency key to claim: most requests cost one commit only. */
static bf_status look(bf_db *db, void *context, bf_error *err)
{
    single *one = context;
    one->quarantined = one->needs_hashes = false;
    bf_status status = bf_decision_check_free(db, one->call->who->client, one->call->request_id, err);
    if (status == BF_OK)
        status = bf_quarantine_look(db, &one->hashes, &one->losses, err);
    if (status == BF_OK)
        status = bf_kill_switch_read(db, &one->kill_switch, err);
    one->needs_hashes = status == BF_OK && one->losses == BF_LOSSES_UNKNOWN;
    one->quarantined = status == BF_OK && one->losses >= BF_QUARANTINE_LOSSES;
    return status;
}

static bf_status write_first(bf_db *db, void *context, bf_error *err)
{
    single *one = context;
    bf_answer_done(&one->answer);
    bf_status status = bf_once_begin(one->service, db, &one->once, &one->repeated, &one->answer, err);
    if (status != BF_OK || one->repeated)
        return status;
    status = look(db, one, err);
    if (status == BF_OK && one->quarantined)
        status = bf_security_leaf(db, one->call, "quarantined_input", NULL, 0, one->hashes.media, err);
    if (status == BF_OK && (one->quarantined || one->needs_hashes))
        status = bf_once_release(db, &one->once, err);
    return status;
}

static bf_status look_first(single *one, bf_error *err)
{
    bf_store *store = one->service->parts.store;
    if (one->once.key.name)
        return bf_store_write(store, write_first, one, err);
    bf_status status = bf_store_read(store, look, one, err);
    return status == BF_OK && one->quarantined ? bf_store_write(store, write_first, one, err) : status;
}

static bf_status begin(single *one, bf_error *err)
{
    bf_status status = look_first(one, err);
    if (status == BF_OK && one->needs_hashes) {
        bf_media_hash(&one->hashes, one->call->image, one->call->reference);
        status = look_first(one, err);
    }
    if (status != BF_OK || !one->quarantined || one->repeated)
        return status;
    bf_service_signal(one->service, BF_SECURITY_QUARANTINED);
    bf_fail(err, BF_INPUT_QUARANTINED, "%s", bf_status_text(BF_INPUT_QUARANTINED));
    bf_fail_hint(err, "Send another picture.");
    return BF_INPUT_QUARANTINED;
}

static bf_status read_context(single *one, bf_error *err)
{
    const json_t *risk = json_object_get(one->call->body, "risk_context");
    json_t *device = json_object_get(one->call->body, "device_context");
    json_t *joined = NULL;
    bf_status status = BF_OK;
    if (risk || device)
        status = bf_risk_join(risk, device, &joined, err);
    if (status == BF_OK)
        status = bf_risk_text(joined, NULL, NULL, &one->context, err);
    json_decref(joined);
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    if (status == BF_OK && device) {
        bf_text_put(&text, NULL, json_incref(device));
        status = bf_text_take_string(&text, &one->device, err);
    }
    return status;
}

/* ---- giving up ---- */

typedef struct give_up {
    const single *one;
    bool worker_lost;
} give_up;

static bf_status write_give_up(bf_db *db, void *context, bf_error *err)
{
    const give_up *giving = context;
    bf_status status = bf_once_release(db, &giving->one->once, err);
    if (status == BF_OK && giving->worker_lost)
        status = bf_quarantine_count(db, &giving->one->hashes, giving->one->call->now_ms, err);
    return status;
}

static void release(single *one, bf_status why)
{
    give_up giving = {one, why == BF_WORKER_LOST};
    if (giving.worker_lost)
        bf_media_hash(&one->hashes, one->call->image, one->call->reference);
    if (one->once.key.name || giving.worker_lost)
        (void)bf_store_write(one->service->parts.store, write_give_up, &giving, NULL);
}

/* ---- the decision ---- */

static bf_status make_answer(single *one, bf_error *err)
{
    bf_answer_done(&one->answer);
    if (!one->match)
        return bf_record_answer(&one->judgement, &one->answer, err);
    return bf_match_answer(one->call, &one->judgement, &one->answer, err);
}

static bf_status write_decision(bf_db *db, void *context, bf_error *err)
{
    single *one = context;
    bf_decision_row row = {.client = one->call->who->client,
                           .request_id = one->call->request_id,
                           .kind = one->match ? "match" : "liveness",
                           .at_ms = one->decided_ms,
                           .actor = one->actor,
                           .client_report = one->device,
                           .judgement = &one->judgement};
    bf_status status = bf_decision_store(db, &row, err);
    if (status == BF_OK && one->losses > 0)
        status = bf_quarantine_forgive(db, &one->hashes, err);
    if (status != BF_OK)
        return status;
    char owner[BF_DECISION_OWNER_SIZE];
    bf_decision_owner(row.client, row.request_id, owner);
    return bf_once_finish(one->service, db, &one->once, &one->answer, owner, err);
}

static bf_status judge_and_decide(single *one, bf_error *err)
{
    const bf_call *call = one->call;
    bf_job job = {.request_id = call->request_id,
                  .media = call->image,
                  .reference = call->reference,
                  .match_only = one->match,
                  .flow = text_of(one, "flow_type"),
                  .channel = text_of(one, "channel"),
                  .context_json = one->context,
                  .kill_switch = one->kill_switch};
    bf_status status = bf_service_judge(one->service, &job, &one->judgement, err);
    one->decided_ms = bf_call_time(call, one->started_ms);
    if (status == BF_OK)
        status = make_answer(one, err);
    return status == BF_OK ? bf_store_write(one->service->parts.store, write_decision, one, err) : status;
}

static bf_status check_request(const bf_service *service, const bf_call *call, bool match, bf_error *err)
{
    if (!call->image || (match && !call->reference))
        return bf_fail(err, BF_INVALID_REQUEST, "%s is missing.", call->image ? "reference" : "image");
    const char *flow = json_string_value(json_object_get(call->body, "flow_type"));
    if (flow && !bf_service_has_flow(service, flow))
        return bf_fail(err, BF_INVALID_REQUEST, "flow_type: there is no journey named '%.40s'.", flow);
    return BF_OK;
}

static bf_status decide_single(bf_service *service, const bf_call *call, bool match, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(single_done) single one = {.service = service, .call = call, .match = match};
    one.started_ms = bf_time_steady_ms();
    bf_call_actor(call, one.actor);
    bf_once_init(&one.once, call, bf_service_claim_ms(service));
    bf_status status = check_request(service, call, match, err);
    if (status == BF_OK)
        status = read_context(&one, err);
    if (status != BF_OK)
        return status;
    status = begin(&one, err);
    if (status != BF_OK)
        return status;
    if (!one.repeated) {
        status = judge_and_decide(&one, err);
        if (status != BF_OK) {
            release(&one, status);
            return status;
        }
        bf_metrics_decision(service->parts.metrics, one.judgement.parsed, one.judgement.queue_ms / 1000.0);
    }
    *ret = one.answer;
    one.answer = (bf_answer){0};
    return BF_OK;
}

bf_status bf_service_match(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    return decide_single(service, call, true, ret, err);
}

/* The back end sends the next attempt of a session: what the session says cannot be said again. */
static bf_status attempt_by_back_end(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    static const char *const said[] = {"flow_type", "channel", "risk_context", "device_context", "reference"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (json_object_get(call->body, said[i]) || (strcmp(said[i], "reference") == 0 && call->reference))
            return bf_fail(err, BF_INVALID_REQUEST, "%s: with session_id it is the session's.", said[i]);
    }
    if (!call->image)
        return bf_fail(err, BF_INVALID_REQUEST, "image is missing.");
    const char *id = json_string_value(json_object_get(call->body, "session_id"));
    bf_attempt_request request = {.session_id = id, .request_id = call->request_id};
    return bf_session_attempt(service, call, &request, ret, err);
}

bf_status bf_service_liveness(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    if (json_object_get(call->body, "session_id"))
        return attempt_by_back_end(service, call, ret, err);
    return decide_single(service, call, false, ret, err);
}
