/* An attempt from its upload to its answer. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "capture/file.h"
#include "record/parse.h"
#include "session/attempt.h"
#include "store/time.h"

static void attempt_done(bf_attempt *attempt)
{
    bf_session_done(&attempt->session);
    bf_judgement_done(&attempt->judgement);
    bf_answer_done(&attempt->answer);
    sodium_memzero(&attempt->draft, sizeof attempt->draft);
}

#define REPORT_BYTES_MAX 16384

/* ---- giving the attempt back ---- */

typedef struct give_back {
    bf_attempt *attempt;
    bool worker_lost;
} give_back;

/* The attempt is not used up: the same token may try again. */
static bf_status write_back(bf_db *db, void *context, bf_error *err)
{
    const give_back *back = context;
    bf_attempt *attempt = back->attempt;
    bf_status status =
        bf_db_run(db, "UPDATE session SET claim = NULL, claimed_until_ms = 0 WHERE id = $1 AND claim = $2",
                  BF_VALUES(bf_value_text(attempt->request->session_id), bf_value_text(attempt->claim)), NULL, err);
    if (status == BF_OK)
        status = bf_once_release(db, &attempt->once, err);
    if (status == BF_OK && back->worker_lost)
        status = bf_quarantine_count(db, &attempt->hashes, attempt->call->now_ms, err);
    return status;
}

/* When this fails too, the claim lapses by itself. */
static void release(bf_attempt *attempt, bf_status why)
{
    give_back back = {attempt, why == BF_WORKER_LOST};
    if (back.worker_lost)
        bf_media_hash(&attempt->hashes, attempt->call->image, NULL);
    (void)bf_store_write(attempt->service->parts.store, write_back, &back, NULL);
}

/* ---- judging ---- */

static bf_status read_reference(bf_attempt *attempt, bf_region *ret, bf_error *err)
{
    if (!attempt->session.reference_sha256[0])
        return BF_OK;
    const bf_service_parts *parts = &attempt->service->parts;
    bf_status status =
        bf_vault_read(parts->vault, parts->store, attempt->session.id, "reference", BF_INPUT_BYTES_MAX, ret, err);
    if (status == BF_NOT_FOUND || status == BF_ERASED) /* erased since the claim */
        return bf_fail(err, BF_SESSION_FINISHED, "%s", bf_status_text(BF_SESSION_FINISHED));
    return status;
}

static bf_status context_text(const bf_attempt *attempt, char **ret, bf_error *err)
{
    const bf_session *session = &attempt->session;
    BF_CLEANUP(bf_json_release) json_t *joined = NULL;
    bf_risk_counts counts = {session->attempt - 1, session->uncertain_retries, attempt->failures};
    bf_status status = BF_OK;
    if (session->risk)
        status = bf_json_parse(session->risk, strlen(session->risk), "risk", &joined, err);
    return status == BF_OK ? bf_risk_text(joined, &counts, attempt->seen_as, ret, err) : status;
}

static bf_status judge(bf_attempt *attempt, bf_error *err)
{
    BF_CLEANUP(bf_region_done) bf_region reference = BF_REGION_NONE;
    BF_CLEANUP(bf_free_string) char *context = NULL;
    bf_status status = read_reference(attempt, &reference, err);
    if (status == BF_OK)
        status = context_text(attempt, &context, err);
    if (status != BF_OK)
        return status;
    const bf_session *session = &attempt->session;
    bf_job job = {.request_id = attempt->decision_id,
                  .media = attempt->call->image,
                  .reference = session->reference_sha256[0] ? &reference : NULL,
                  .flow = session->flow,
                  .channel = session->channel[0] ? session->channel : NULL,
                  .context_json = context,
                  .plan_json = session->plan,
                  .kill_switch = attempt->kill_switch};
    return bf_service_judge(attempt->service, &job, &attempt->judgement, err);
}

/* Writes the capture into the vault where the session's retention will keep it. */
static bf_status draft_media(bf_attempt *attempt, bf_error *err)
{
    const bf_session *session = &attempt->session;
    bool review = attempt->outcome.over && strcmp(attempt->outcome.decision, "review") == 0;
    if (strcmp(session->retain, "none") == 0 || (strcmp(session->retain, "review") == 0 && !review))
        return BF_OK;
    char name[32];
    (void)snprintf(name, sizeof name, "attempt-%d", session->attempt);
    const bf_region *image = attempt->call->image;
    bf_status status = bf_vault_write(attempt->service->parts.vault, attempt->service->parts.store, session->id, name,
                                      image->data, image->size, &attempt->draft, err);
    attempt->has_draft = status == BF_OK;
    return status;
}

/* Whether there is anything that this person could be asked to do. */
static bool can_be_asked(const bf_attempt *attempt)
{
    const bf_session *session = &attempt->session;
    bf_session next = {.attempt = session->attempt + 1, .active = true, .wish = session->wish, .risk = session->risk};
    (void)snprintf(next.flow, sizeof next.flow, "%s", session->flow);
    (void)snprintf(next.mode, sizeof next.mode, "%s", session->mode);
    (void)snprintf(next.channel, sizeof next.channel, "%s", session->channel);
    bf_status status = bf_session_make_plan(attempt->service, &next, NULL);
    next.wish = next.risk = NULL;
    bf_session_done(&next);
    return status != BF_INVALID_ARGUMENT;
}

/* What becomes of the session. */
static void weigh(bf_attempt *attempt)
{
    const bf_session *session = &attempt->session;
    const bf_judgement *judgement = &attempt->judgement;
    bf_decided decided = {judgement->decision, judgement->reason, judgement->judged,
                          bf_session_plan_is_answered(session, judgement)};
    attempt->decided_ms = bf_call_time(attempt->call, attempt->started_ms);
    attempt->outcome =
        bf_session_outcome(session, &decided, attempt->service->settings.attempts_max, attempt->decided_ms);
    if (attempt->outcome.challenge && !can_be_asked(attempt))
        attempt->outcome = bf_session_outcome_unasked();
}

/* Judges as much as is known, and decides unless `judge_again` says that more is known since. */
static bf_status judge_once(bf_attempt *attempt, bf_error *err)
{
    bf_judgement_done(&attempt->judgement);
    bf_status status = judge(attempt, err);
    if (status != BF_OK)
        return status;
    weigh(attempt);
    status = draft_media(attempt, err);
    if (status != BF_OK)
        return status;
    status = bf_store_write(attempt->service->parts.store, bf_attempt_finish, attempt, err);
    /* After STORE_UNAVAILABLE nobody knows whether the store names the file; if not, it is swept later. */
    bool unused = attempt->judge_again || (status != BF_OK && status != BF_STORE_UNAVAILABLE);
    if (attempt->has_draft && unused)
        bf_vault_drop(attempt->service->parts.vault, &attempt->draft);
    attempt->has_draft = attempt->has_draft && !unused;
    return status;
}

/* Whether the capture was seen before is found in the transaction that decides, where no other attempt can come
 * between. It is rare, so the judgement does not wait for it but is made anew, and its record says what it was made
 * with. */
static bf_status judge_and_decide(bf_attempt *attempt, bf_error *err)
{
    bf_status status = bf_seen_take(attempt->service, &attempt->session, attempt->call->image, &attempt->seen, err);
    if (status == BF_OK)
        status = judge_once(attempt, err);
    if (status != BF_OK || !attempt->judge_again)
        return status;
    attempt->told = true;
    return judge_once(attempt, err);
}

/* ---- the whole ---- */

static void tell(const bf_attempt *attempt)
{
    bf_metrics_decision(attempt->service->parts.metrics, attempt->judgement.parsed,
                        attempt->judgement.queue_ms / 1000.0);
    if (attempt->outcome.over)
        bf_session_tell_end(attempt->service, &attempt->session);
}

static void tell_refused(const bf_attempt *attempt)
{
    if (attempt->foreign)
        bf_service_signal(attempt->service, BF_SECURITY_FOREIGN_SESSION);
    if (attempt->refused.replayed)
        bf_service_signal(attempt->service, BF_SECURITY_REPLAYED_ATTEMPT);
    if (attempt->refused.stale)
        bf_service_signal(attempt->service, BF_SECURITY_STALE_TOKEN);
    if (attempt->refused.status == BF_INPUT_QUARANTINED)
        bf_service_signal(attempt->service, BF_SECURITY_QUARANTINED);
    if (attempt->ended)
        bf_session_tell_end(attempt->service, &attempt->session);
}

static void start(bf_attempt *attempt)
{
    uint8_t random[(BF_CLAIM_SIZE - 1) / 2];
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(attempt->claim, sizeof attempt->claim, random, sizeof random);
    attempt->started_ms = bf_time_steady_ms();
    bf_call_actor(attempt->call, attempt->actor);
    bf_once_init(&attempt->once, attempt->call, bf_service_claim_ms(attempt->service));
}

static bf_status claim(bf_attempt *attempt, bf_error *err)
{
    bf_status status = bf_store_write(attempt->service->parts.store, bf_attempt_claim, attempt, err);
    if (status != BF_OK || !attempt->needs_hashes)
        return status;
    bf_media_hash(&attempt->hashes, attempt->call->image, NULL);
    return bf_store_write(attempt->service->parts.store, bf_attempt_claim, attempt, err);
}

/* A person does not choose the id of a decision: it is looked up by the back end later, among its own. */
static void name_decision(bf_attempt *attempt)
{
    const bf_session *session = &attempt->session;
    if (attempt->request->request_id)
        (void)snprintf(attempt->decision_id, sizeof attempt->decision_id, "%s", attempt->request->request_id);
    else
        (void)snprintf(attempt->decision_id, sizeof attempt->decision_id, "%s.%d", session->id, session->attempt);
}

bf_status bf_session_attempt(bf_service *service, const bf_call *call, const bf_attempt_request *request,
                             bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(attempt_done) bf_attempt attempt = {.service = service, .call = call, .request = request};
    start(&attempt);
    bf_status status = claim(&attempt, err);
    if (status == BF_OK && !attempt.repeated && attempt.refused.status != BF_OK)
        status = bf_attempt_fail_refused(&attempt, err);
    if (status != BF_OK) {
        tell_refused(&attempt);
        return status;
    }
    if (!attempt.repeated) {
        name_decision(&attempt);
        status = judge_and_decide(&attempt, err);
        if (status != BF_OK) {
            release(&attempt, status);
            return status;
        }
        tell(&attempt);
    }
    *ret = attempt.answer;
    attempt.answer = (bf_answer){0};
    return BF_OK;
}

/* The report that a capture file carries. What is no whole capture file has none: its judgement will say so. One that
 * is longer than anybody needs is left out; the capture still has it. */
static bf_status report_of_file(const bf_region *image, char **ret, bf_error *err)
{
    bf_capture_file file = {.frame_count = 0};
    if (!bf_capture_file_is(image->data, image->size))
        return BF_OK;
    bf_status status = bf_capture_file_parse(image->data, image->size, &file, NULL);
    if (status != BF_OK)
        return status == BF_OUT_OF_MEMORY ? bf_fail_memory(err) : BF_OK;
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    if (file.client)
        bf_text_put(&text, NULL, json_incref(file.client));
    if (file.client && text.size <= REPORT_BYTES_MAX)
        status = bf_text_take_string(&text, ret, err);
    bf_capture_file_done(&file);
    return status;
}

static bf_status report_text(const json_t *body, char **ret, bf_error *err)
{
    json_t *client = json_object_get(body, "client");
    if (!json_is_object(client))
        return BF_OK;
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_text_put(&text, NULL, json_incref(client));
    return bf_text_take_string(&text, ret, err);
}

bf_status bf_service_session_attempt(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    if (call->who->role != BF_ACCESS_PERSON || strcmp(call->who->session_id, call->id) != 0) {
        bf_service_signal(service, BF_SECURITY_FOREIGN_SESSION);
        return bf_fail(err, BF_NOT_FOUND, "There is no such session.");
    }
    if (!call->image)
        return bf_fail(err, BF_INVALID_REQUEST, "image is missing.");
    BF_CLEANUP(bf_free_string) char *report = NULL;
    bf_status status = report_text(call->body, &report, err);
    if (status == BF_OK && !report)
        status = report_of_file(call->image, &report, err);
    if (status != BF_OK)
        return status;
    bf_attempt_request request = {call->id, call->who->attempt, NULL, report};
    return bf_session_attempt(service, call, &request, ret, err);
}
