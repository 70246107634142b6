/* Opening a session. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "session/internal.h"

typedef struct creation {
    const bf_service *service;
    const bf_call *call;
    bf_once once;
    bf_session session;
    bf_vault_draft draft;
    bool has_draft, repeated;
    bf_answer answer, first; /* `first`: of the request that this one repeats */
} creation;

static void creation_done(creation *new)
{
    bf_session_done(&new->session);
    bf_answer_done(&new->answer);
    bf_answer_done(&new->first);
    sodium_memzero(&new->draft, sizeof new->draft);
}

static const char *text_of(const json_t *body, const char *key, const char *standard)
{
    const char *text = json_string_value(json_object_get(body, key));
    return text ? text : standard;
}

/* ---- what was asked for ---- */

static bf_status fail_mode(bf_error *err)
{
    bf_fail(err, BF_MODE_NOT_SUPPORTED,
            "With what capture.exclude and capture.flash leave out, nothing is left to ask.");
    bf_fail_hint(err, "Leave out less, or use mode passive and let a person decide.");
    return BF_MODE_NOT_SUPPORTED;
}

static bf_status read_capture(const bf_service *service, const bf_call *call, bf_session *session, bf_error *err)
{
    const char *mode = text_of(call->body, "mode", "passive");
    const json_t *capture = json_object_get(call->body, "capture");
    bf_capture_wish wish;
    bf_status status = bf_wish_read(capture, &wish, err);
    if (status == BF_OK && capture)
        status = bf_wish_keep(&wish, session, err);
    if (status != BF_OK)
        return status;
    (void)snprintf(session->mode, sizeof session->mode, "%s", mode);
    status = bf_session_make_plan(service, session, err);
    return status == BF_INVALID_ARGUMENT ? fail_mode(err) : status;
}

static bf_status read_retention(const bf_call *call, bf_session *session, bf_error *err)
{
    const char *retain = text_of(call->body, "retain", "none");
    const json_t *days = json_object_get(call->body, "retain_days");
    bool by_days = strcmp(retain, "days") == 0;
    if (by_days && !json_is_integer(days))
        return bf_fail(err, BF_INVALID_REQUEST, "retain_days: needed with retain days.");
    if (!by_days && days)
        return bf_fail(err, BF_INVALID_REQUEST, "retain_days: means something with retain days only.");
    if (by_days)
        (void)snprintf(session->retain, sizeof session->retain, "days:%d", (int)json_integer_value(days));
    else
        (void)snprintf(session->retain, sizeof session->retain, "%s", retain);
    return BF_OK;
}

static bf_status read_flow(const bf_service *service, const bf_call *call, bf_session *session, bf_error *err)
{
    const char *flow = text_of(call->body, "flow_type", "");
    if (!bf_service_has_flow(service, flow))
        return bf_fail(err, BF_INVALID_REQUEST, "flow_type: there is no journey named '%.40s'.", flow);
    (void)snprintf(session->flow, sizeof session->flow, "%s", flow);
    (void)snprintf(session->channel, sizeof session->channel, "%s", text_of(call->body, "channel", ""));
    return BF_OK;
}

static bf_status copy_text(const char *text, char **ret, bf_error *err)
{
    *ret = text ? bf_strdup(text) : NULL;
    return text && !*ret ? bf_fail_memory(err) : BF_OK;
}

/* Takes ownership of `value`. */
static bf_status value_text(json_t *value, char **ret, bf_error *err)
{
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_text_put(&text, NULL, value);
    return bf_text_take_string(&text, ret, err);
}

static bf_status read_risk(const bf_call *call, bf_session *session, bf_error *err)
{
    const json_t *risk = json_object_get(call->body, "risk_context");
    const json_t *device = json_object_get(call->body, "device_context");
    if (json_object_get(risk, "retry_count") || json_object_get(risk, "uncertain_count"))
        return bf_fail(err, BF_INVALID_REQUEST, "risk_context.%s: the server counts the attempts of a session itself.",
                       json_object_get(risk, "retry_count") ? "retry_count" : "uncertain_count");
    if (!risk && !device)
        return BF_OK;
    json_t *joined = NULL;
    bf_status status = bf_risk_join(risk, device, &joined, err);
    return status == BF_OK ? value_text(joined, &session->risk, err) : status;
}

static bf_status read_person(const bf_service *service, const bf_call *call, bf_session *session, bf_error *err)
{
    json_t *consent = json_object_get(call->body, "consent");
    const char *url = text_of(json_object_get(call->body, "webhook"), "url", NULL);
    bf_status status = BF_OK;
    if (url)
        status = bf_webhook_check_url(url, service->settings.allow_http_webhooks, err);
    if (status == BF_OK)
        status = copy_text(url, &session->webhook, err);
    if (status == BF_OK)
        status = copy_text(text_of(call->body, "subject", NULL), &session->subject, err);
    if (status == BF_OK && consent)
        status = value_text(json_incref(consent), &session->consent, err);
    return status == BF_OK ? read_risk(call, session, err) : status;
}

static bf_status read_request(creation *new, bf_error *err)
{
    const bf_service *service = new->service;
    const bf_call *call = new->call;
    bf_session *session = &new->session;
    bf_session_new_id(session->id);
    (void)snprintf(session->client, sizeof session->client, "%s", call->who->client);
    (void)snprintf(session->key_id, sizeof session->key_id, "%s", call->who->key_id);
    session->state = BF_SESSION_CREATED;
    session->attempt = 1;
    session->created_ms = call->now_ms;
    session->ends_ms = call->now_ms + 1000LL * service->settings.session_s;
    int64_t token_ends_ms = call->now_ms + 1000LL * service->settings.token_s;
    session->expires_ms = token_ends_ms < session->ends_ms ? token_ends_ms : session->ends_ms;
    bf_status status = read_flow(service, call, session, err);
    if (status == BF_OK)
        status = read_retention(call, session, err);
    if (status == BF_OK)
        status = read_person(service, call, session, err);
    return status == BF_OK ? read_capture(service, call, session, err) : status;
}

/* ---- the limit per person ---- */

/* The bucket's name does not give the person's away. */
static void bucket_name(const bf_service *service, const bf_session *session, char ret[80])
{
    uint8_t hash[16];
    char hex[2 * sizeof hash + 1];
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, service->subject_key, sizeof service->subject_key, sizeof hash);
    (void)crypto_generichash_update(&state, (const uint8_t *)session->client, strlen(session->client) + 1);
    (void)crypto_generichash_update(&state, (const uint8_t *)session->subject, strlen(session->subject));
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    (void)sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    (void)snprintf(ret, 80, "subject:%s", hex);
}

static bf_status limit_subject(const creation *new, int *ret_retry_after_s, bf_error *err)
{
    const bf_service *service = new->service;
    if (!new->session.subject || service->settings.per_subject.per_second <= 0)
        return BF_OK;
    char name[80];
    bucket_name(service, &new->session, name);
    bf_status status = bf_limiter_take(service->parts.limiter, name, service->settings.per_subject, new->call->now_ms,
                                       ret_retry_after_s, err);
    if (status == BF_RATE_LIMITED)
        bf_service_signal(service, BF_SECURITY_RATE_LIMITED);
    return status;
}

/* ---- writing it ---- */

static bf_status draft_reference(creation *new, bf_error *err)
{
    const bf_region *reference = new->call->reference;
    if (!reference)
        return BF_OK;
    const bf_service_parts *parts = &new->service->parts;
    bf_status status = bf_vault_write(parts->vault, parts->store, new->session.id, "reference", reference->data,
                                      reference->size, &new->draft, err);
    if (status != BF_OK)
        return status;
    new->has_draft = true;
    (void)snprintf(new->session.reference_sha256, sizeof new->session.reference_sha256, "%s", new->draft.sha256);
    return BF_OK;
}

static bf_status make_answer(creation *new, bf_error *err)
{
    char token[BF_TOKEN_SIZE];
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_session_token(new->service, &new->session, token);
    bf_answer_begin(&text, new->call);
    bf_session_write(new->service, &new->session, &text, "session");
    bf_text_put(&text, "client_token", json_string(token));
    bf_text_put(&text, "token_expires_at", bf_json_time(new->session.expires_ms));
    bf_session_write_plan(&new->session, &text, "plan");
    sodium_memzero(token, sizeof token);
    return bf_answer_end(&text, 201, &new->answer, err);
}

static bf_status append_leaf(bf_db *db, const creation *new, bf_error *err)
{
    const bf_session *session = &new->session;
    json_t *facts = json_pack("{ss ss ss ss ss sb sb}", "session", session->id, "client", session->client, "flow",
                              session->flow, "channel", session->channel, "mode", session->mode, "has_reference",
                              session->reference_sha256[0] != 0, "active", (int)session->active);
    return bf_call_leaf(db, new->call, BF_AUDIT_SESSION_CREATED, facts, err);
}

static bf_status write_session(bf_db *db, void *context, bf_error *err)
{
    creation *new = context;
    const bf_session *session = &new->session;
    bf_answer_done(&new->first);
    bf_status status = bf_once_begin(new->service, db, &new->once, &new->repeated, &new->first, err);
    if (status != BF_OK || new->repeated)
        return status;
    status = bf_session_insert(db, session, err);
    if (status == BF_OK && new->has_draft) {
        int64_t until_ms = bf_session_keep_until(new->service, session, session->ends_ms);
        status = bf_vault_keep(db, &new->draft, session->created_ms, until_ms, err);
    }
    if (status == BF_OK)
        status = append_leaf(db, new, err);
    return status == BF_OK ? bf_once_finish(new->service, db, &new->once, &new->answer, session->id, err) : status;
}

bf_status bf_service_session_create(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(creation_done) creation new = {.service = service, .call = call};
    bf_once_init(&new.once, call, bf_service_claim_ms(service));
    bf_status status = read_request(&new, err);
    if (status == BF_OK)
        status = limit_subject(&new, &ret->retry_after_s, err);
    if (status == BF_OK)
        status = draft_reference(&new, err);
    if (status == BF_OK)
        status = make_answer(&new, err);
    if (status == BF_OK)
        status = bf_store_write(service->parts.store, write_session, &new, err);
    /* After STORE_UNAVAILABLE nobody knows whether the store names the file; if not, it is swept later. */
    if (new.has_draft && (new.repeated || (status != BF_OK && status != BF_STORE_UNAVAILABLE)))
        bf_vault_drop(service->parts.vault, &new.draft);
    if (status != BF_OK)
        return status;
    bf_answer *answer = new.repeated ? &new.first : &new.answer;
    *ret = *answer;
    *answer = (bf_answer){0};
    return BF_OK;
}
