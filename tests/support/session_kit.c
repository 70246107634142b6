#include "support/session_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "store/time.h"
#include "support/must.h"

const bf_principal KIT_BACK_END = {.role = BF_ACCESS_INTEGRATOR, .client = "bank", .key_id = "bankkey"};
const bf_principal KIT_OTHER_BACK_END = {.role = BF_ACCESS_INTEGRATOR, .client = "shop", .key_id = "shopkey"};
const bf_principal KIT_REVIEWER = {.role = BF_ACCESS_REVIEWER, .client = "house", .key_id = "reviewerkey"};
const bf_principal KIT_AUDITOR = {.role = BF_ACCESS_AUDITOR, .client = "house", .key_id = "auditorkey"};
const bf_principal KIT_OPERATOR = {.role = BF_ACCESS_OPERATOR, .client = "house", .key_id = "operatorkey"};

bf_principal kit_person(const char *session_id, int attempt)
{
    bf_principal who = {.role = BF_ACCESS_PERSON, .client = "bank", .attempt = attempt};
    (void)snprintf(who.session_id, sizeof who.session_id, "%s", session_id);
    return who;
}

/* ---- the judge ---- */

static json_t *record_of(const kit *k, const bf_job *job)
{
    const kit_script *script = &k->script;
    char sha256[65];
    bf_sha256_hex(job->media->data, job->media->size, sha256);
    json_t *error = script->code == BF_OK ? json_null()
                                          : json_pack("{ss ss sb sn}", "code", bf_status_name(script->code), "message",
                                                      bf_status_text(script->code), "retryable", 1, "hint");
    json_t *guidance = script->guidance ? json_pack("[s]", script->guidance) : json_array();
    json_t *capture =
        script->challenge
            ? json_pack("{ss ss so}", "challenge", script->challenge, "light", script->lit ? "answered" : "unanswered",
                        "fingerprint", script->fingerprint ? json_loads(script->fingerprint, 0, NULL) : json_null())
            : json_null();
    return json_pack("{sb ss s{ss ss so ss} so s{ss} s{ss sn sn ss?} so sn s{s[]} sn}", "success", !script->not_judged,
                     "request_id", job->request_id, "decision", "decision", script->decision, "reason", script->reason,
                     "guidance", guidance, "policy_version", "kit@1.0.0+000000000000", "error", error, "input",
                     "sha256", sha256, "match", "outcome", script->problem ? "not_judged" : "strong", "similarity",
                     "llr", "problem", script->problem, "capture", capture, "reference", "versions", "calibration",
                     "latency_ms");
}

static void remember_job(kit *k, const bf_job *job)
{
    (void)snprintf(k->request_id, sizeof k->request_id, "%s", job->request_id);
    (void)snprintf(k->flow, sizeof k->flow, "%s", job->flow ? job->flow : "");
    (void)snprintf(k->channel, sizeof k->channel, "%s", job->channel ? job->channel : "");
    (void)snprintf(k->context, sizeof k->context, "%s", job->context_json ? job->context_json : "");
    (void)snprintf(k->plan, sizeof k->plan, "%s", job->plan_json ? job->plan_json : "");
    k->had_reference = job->reference != NULL;
    k->kill_switch = job->kill_switch;
}

static bf_status judge(void *data, const bf_job *job, bf_bytes *ret_record, double *ret_wait_ms, bf_error *err)
{
    kit *k = data;
    if (atomic_fetch_add(&k->judged, 1) == 0 || !k->script.meanwhile)
        remember_job(k, job);
    if (k->script.meanwhile)
        k->script.meanwhile(k->script.meanwhile_context);
    if (k->script.fail != BF_OK) {
        if (err)
            *err = (bf_error){.status = k->script.fail};
        return k->script.fail;
    }
    json_t *record = record_of(k, job);
    test_must(record != NULL, "record");
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    bf_text_put(&text, NULL, record);
    *ret_wait_ms = 1.0;
    return bf_text_take(&text, ret_record, err);
}

/* ---- the service ---- */

static void must_ok(bf_status status, const bf_error *err, const char *what)
{
    if (status != BF_OK)
        (void)fprintf(stderr, "%s: %s %s %s\n", what, bf_status_name(status), err->message, err->detail);
    test_must(status == BF_OK, what);
}

static void open_service(kit *k, const bf_service_settings *settings)
{
    static const char *const flows[] = {"account_opening"};
    bf_error err = {0};
    bf_store_options options = {.url = k->place.url, .create = true};
    char path[TEST_URL_SIZE + 16];
    must_ok(bf_store_open(&options, &k->store, &err), &err, "store");
    bf_store_before_commit(k->store, bf_audit_seal, &k->log_key);
    (void)snprintf(path, sizeof path, "%s/vault", k->dir);
    must_ok(bf_vault_open(path, &k->master, &k->vault, &err), &err, "vault");
    must_ok(bf_limiter_new(k->store, &k->limiter, &err), &err, "limiter");
    must_ok(bf_metrics_new(flows, 1, &k->metrics, &err), &err, "metrics");
    bf_service_parts parts = {.store = k->store,
                              .vault = k->vault,
                              .limiter = k->limiter,
                              .metrics = k->metrics,
                              .master = &k->master,
                              .log_key = &k->log_key,
                              .data_dir = getenv("BONAFIDE_SOURCE_DIR")};
    must_ok(bf_service_new(&parts, settings, &k->service, &err), &err, "service");
    k->service->judge = judge;
    k->service->judge_data = k;
    k->script = (kit_script){.decision = "approve", .reason = "LIVE"};
    k->now_ms = bf_time_now_ms();
}

static bf_status judge_by_pool(void *pool, const bf_job *job, bf_bytes *ret_record, double *ret_wait_ms, bf_error *err)
{
    return bf_pool_judge(pool, job, ret_record, ret_wait_ms, err);
}

void kit_use_pool(kit *k, bf_pool *pool)
{
    k->service->judge = judge_by_pool;
    k->service->judge_data = pool;
}

void kit_open(kit *k, const bf_service_settings *settings, bool postgres)
{
    bf_error err = {0};
    char path[TEST_URL_SIZE + 16];
    const char *parent = getenv("TMPDIR");
    memset(k, 0, sizeof *k);
    test_store_place_new(&k->place, postgres);
    (void)snprintf(k->dir, sizeof k->dir, "%s/bonafide-session-XXXXXX", parent ? parent : "/tmp");
    test_must(mkdtemp(k->dir) != NULL, "folder");
    (void)snprintf(path, sizeof path, "%s/master.key", k->dir);
    must_ok(bf_master_read(path, true, &k->master, &err), &err, "master key");
    (void)snprintf(path, sizeof path, "%s/log.key", k->dir);
    must_ok(bf_log_key_read(path, "test.example/log", true, &k->log_key, &err), &err, "log key");
    open_service(k, settings);
}

void kit_open_replica(kit *k, const kit *first, const bf_service_settings *settings)
{
    memset(k, 0, sizeof *k);
    k->replica = true;
    k->master = first->master;
    k->log_key = first->log_key;
    k->place = first->place;
    (void)snprintf(k->dir, sizeof k->dir, "%s", first->dir);
    open_service(k, settings);
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

void kit_close(kit *k)
{
    bf_service_free(&k->service);
    bf_metrics_free(&k->metrics);
    bf_limiter_free(&k->limiter);
    bf_vault_close(&k->vault);
    bf_store_free(&k->store);
    if (k->replica)
        return;
    test_store_place_done(&k->place);
    (void)nftw(k->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- calls ---- */

/* Puts the picture into the region; NULL when there is none. */
static bf_region *fill(bf_region *region, const char *text, const bf_bytes *bytes)
{
    if (!text && !bytes->data)
        return NULL;
    const void *data = bytes->data ? (const void *)bytes->data : text;
    size_t size = bytes->data ? bytes->size : strlen(text);
    test_must(bf_region_append(region, data, size, BF_INPUT_BYTES_MAX, NULL) == BF_OK, "region");
    return region;
}

bf_status kit_call(kit *k, bf_operation *operation, const kit_request *request, bf_answer *ret_answer,
                   json_t **ret_body, bf_error *err)
{
    bf_region image = BF_REGION_NONE, reference = BF_REGION_NONE;
    char made_id[32];
    json_t *body = request->body ? json_loads(request->body, JSON_REJECT_DUPLICATES, NULL) : NULL;
    test_must(!request->body || body, "body");
    (void)snprintf(made_id, sizeof made_id, "r-%d", atomic_fetch_add(&k->requests, 1));
    bf_call call = {.who = request->who,
                    .request_id = request->request_id ? request->request_id : made_id,
                    .idempotency_key = request->idempotency_key,
                    .now_ms = k->now_ms,
                    .id = request->id,
                    .body = body,
                    .image = fill(&image, request->image, &request->image_bytes),
                    .reference = fill(&reference, request->reference, &request->reference_bytes)};
    memset(call.request_hash, request->image ? request->image[0] : 'x', sizeof call.request_hash);
    bf_answer answer = {0};
    bf_status status = operation(k->service, &call, &answer, err);
    if (ret_body)
        *ret_body = status == BF_OK ? json_loadb((char *)answer.body.data, answer.body.size, 0, NULL) : NULL;
    test_must(!ret_body || status != BF_OK || *ret_body, "an answer that is JSON");
    if (ret_answer)
        *ret_answer = answer;
    else
        bf_answer_done(&answer);
    json_decref(body);
    bf_region_done(&image);
    bf_region_done(&reference);
    return status;
}

void kit_create(kit *k, const char *more, char ret_id[BF_SESSION_ID_SIZE])
{
    char body[1024];
    json_t *answer = NULL;
    bf_error err = {0};
    (void)snprintf(body, sizeof body, "{\"flow_type\":\"account_opening\"%s%s}", more[0] ? "," : "", more);
    kit_request request = {.who = &KIT_BACK_END, .body = body};
    must_ok(kit_call(k, bf_service_session_create, &request, NULL, &answer, &err), &err, "create");
    const char *id = json_string_value(json_object_get(json_object_get(answer, "session"), "id"));
    test_must(id != NULL, "a session's id");
    (void)snprintf(ret_id, BF_SESSION_ID_SIZE, "%s", id);
    json_decref(answer);
}

bf_status kit_attempt(kit *k, const char *id, int token_attempt, char ret_answer[16])
{
    json_t *body = NULL;
    bf_principal who = kit_person(id, token_attempt);
    kit_request request = {.who = &who, .id = id, .image = "a picture", .body = "{}"};
    bf_status status = kit_call(k, bf_service_session_attempt, &request, NULL, &body, NULL);
    const char *word = json_string_value(json_object_get(body, "answer"));
    if (ret_answer)
        (void)snprintf(ret_answer, 16, "%s", word ? word : "");
    json_decref(body);
    return status;
}

/* ---- looking into the store ---- */

typedef struct sql_task {
    const char *sql, *value;
    int64_t number;
    bool has_number;
    const char *id;
    bf_session session;
} sql_task;

static bf_status run_load(bf_db *db, void *context, bf_error *err)
{
    sql_task *task = context;
    bf_session_done(&task->session);
    return bf_session_load(db, task->id, &task->session, err);
}

void kit_load(kit *k, const char *id, bf_session *ret)
{
    bf_error err = {0};
    sql_task task = {.id = id};
    must_ok(bf_store_read(k->store, run_load, &task, &err), &err, "load");
    *ret = task.session;
}

static bf_status run_sql(bf_db *db, void *context, bf_error *err)
{
    const sql_task *task = context;
    if (task->has_number)
        return bf_db_run(db, task->sql, BF_VALUES(bf_value_integer(task->number), bf_value_text(task->value)), NULL,
                         err);
    bf_value value = bf_value_text(task->value);
    return bf_db_run(db, task->sql, &value, task->value ? 1 : 0, NULL, err);
}

void kit_sql_number(kit *k, const char *sql, const char *value, int64_t number)
{
    bf_error err = {0};
    sql_task task = {.sql = sql, .value = value, .number = number, .has_number = true};
    must_ok(bf_store_write(k->store, run_sql, &task, &err), &err, sql);
}

void kit_sql(kit *k, const char *sql, const char *value)
{
    bf_error err = {0};
    sql_task task = {.sql = sql, .value = value};
    must_ok(bf_store_write(k->store, run_sql, &task, &err), &err, sql);
}

static bf_status run_count(bf_db *db, void *context, bf_error *err)
{
    sql_task *task = context;
    bf_value value = bf_value_text(task->value);
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, task->sql, &value, task->value ? 1 : 0, &rows, err);
    if (status == BF_OK && bf_rows_next(rows))
        task->number = bf_rows_integer(rows, 0);
    bf_rows_free(&rows);
    return status;
}

int64_t kit_count(kit *k, const char *sql, const char *value)
{
    bf_error err = {0};
    sql_task task = {.sql = sql, .value = value};
    must_ok(bf_store_read(k->store, run_count, &task, &err), &err, sql);
    return task.number;
}

int64_t kit_leaves(kit *k, const char *kind, const char *part)
{
    char pattern[256];
    (void)snprintf(pattern, sizeof pattern, "%%\"%s\"%%%s%%", kind, part);
    return kit_count(k, "SELECT COUNT(*) FROM audit_leaf WHERE data LIKE $1", pattern);
}

static bool over_postgres;

static int set_up(void **state)
{
    static kit k;
    kit_open(&k, &(bf_service_settings){0}, over_postgres);
    *state = &k;
    return 0;
}

static int tear_down(void **state)
{
    kit_close(*state);
    return 0;
}

int kit_run_over_both(const char *name, const struct CMUnitTest *tests, size_t count)
{
    char title[96];
    int failed = 0;
    for (int i = 0; i < (test_has_postgres() ? 2 : 1); i++) {
        over_postgres = i == 1;
        (void)snprintf(title, sizeof title, "%s over %s", name, over_postgres ? "postgresql" : "sqlite");
        failed += _cmocka_run_group_tests(title, tests, count, set_up, tear_down);
    }
    return failed;
}
