#include "support/audit_place.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "audit/export.h"
#include "base/hash.h"
#include "support/must.h"

#define NOON 1700000000000 /* 2023-11-14T22:13:20.000Z */

void test_audit_place_open(test_audit_place *place)
{
    bf_error err = {0};
    bf_store_options options = {.url = place->place.url, .create = true};
    test_must(bf_store_open(&options, &place->store, &err) == BF_OK, err.message);
    bf_store_before_commit(place->store, bf_audit_seal, &place->key);
}

void test_audit_place_close(test_audit_place *place)
{
    bf_store_free(&place->store);
}

void test_audit_place_new(test_audit_place *ret, bool postgres)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {7};
    *ret = (test_audit_place){.key = {.origin = "test.example/log", .can_sign = true}};
    (void)crypto_sign_seed_keypair(ret->key.public_key, ret->key.secret_key, seed);
    test_store_place_new(&ret->place, postgres);
    test_audit_place_open(ret);
}

void test_audit_place_done(test_audit_place *place)
{
    bf_store_free(&place->store);
    test_store_place_done(&place->place);
}

typedef struct filling {
    int count; /* leaves so far; the next one's number unless a checkpoint was kept */
    int64_t leaf;
    bool forged;
} filling;

/* Every other decision has no session. */
static bool is_alone(int64_t number)
{
    return number % 10 == 6;
}

static bf_status add_decision(bf_db *db, int number, bf_error *err)
{
    char session[32], request[32], client[32], record[128], sha256[BF_SHA256_HEX_SIZE], report[64];
    char plan[64], report_sha256[BF_SHA256_HEX_SIZE], plan_sha256[BF_SHA256_HEX_SIZE];
    int64_t index = 0, at = NOON + number;
    bool alone = is_alone(number);
    (void)snprintf(client, sizeof client, "client-%d", number % 3);
    (void)snprintf(session, sizeof session, "s-%d", number);
    (void)snprintf(request, sizeof request, "r-%d", number);
    (void)snprintf(record, sizeof record,
                   "{\"status\":\"ok\",\"number\":%d,\"text\":\"Gr\xc3\xbc\xc3\x9f"
                   "e\"}",
                   number);
    (void)snprintf(report, sizeof report, "{\"number\":%d}", number);
    bf_sha256_hex(record, strlen(record), sha256);
    bf_sha256_hex(report, strlen(report), report_sha256);
    (void)snprintf(plan, sizeof plan, "{\"attempt\":%d}", number);
    bf_sha256_hex(plan, strlen(plan), plan_sha256);
    json_t *facts = json_pack("{ss ss ss ss? si sI ss ss ss ss ss?}", "client", client, "request_id", request,
                              "judgement", "liveness", "session", alone ? NULL : session, "attempt", 1, "decided_ms",
                              (json_int_t)at, "decision", "approve", "reason", "LIVE", "record_sha256", sha256,
                              "report_sha256", report_sha256, "plan_sha256", alone ? NULL : plan_sha256);
    test_must(facts != NULL, "facts of a decision");
    bf_audit_entry entry = {BF_AUDIT_DECISION, at, "key:k_1", facts};
    bf_status status = bf_audit_append(db, &entry, &index, err);
    json_decref(facts);
    if (status != BF_OK)
        return status;
    return bf_db_run(
        db,
        "INSERT INTO decision(client, request_id, kind, session_id, attempt, at_ms, decision, reason, record,"
        " record_sha256, client_report, audit_index, plan) VALUES($1, $2, 'liveness', $3, 1, $4, 'approve', 'LIVE', $5,"
        " $6, $7, $8, $9)",
        BF_VALUES(bf_value_text(client), bf_value_text(request), bf_value_text(alone ? NULL : session),
                  bf_value_integer(at), bf_value_text(record), bf_value_text(sha256), bf_value_text(report),
                  bf_value_integer(index), bf_value_text(alone ? NULL : plan)),
        NULL, err);
}

static bf_status add_leaf(bf_db *db, void *context, bf_error *err)
{
    const filling *it = context;
    if (it->count % 5 == 1)
        return add_decision(db, it->count, err);
    json_t *facts = json_pack("{ss si}", "signal", it->forged ? "stale" : "replayed", "number", it->count);
    bf_audit_entry entry = {BF_AUDIT_SECURITY, NOON + it->count, "key:k_1", facts};
    bf_status status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

void test_audit_place_fill(test_audit_place *place, int count)
{
    bf_error err = {0};
    for (int i = 0; i < count; i++) {
        filling it = {.count = place->number_from + i, .forged = place->forged_from && i >= place->forged_from};
        test_must(bf_store_write(place->store, add_leaf, &it, &err) == BF_OK, err.message);
    }
    place->number_from += place->number_from ? count : 0;
}

static bf_status erase(bf_db *db, void *context, bf_error *err)
{
    const filling *it = context;
    char session[32], client[32], request[32];
    (void)snprintf(session, sizeof session, "s-%lld", (long long)it->leaf);
    (void)snprintf(client, sizeof client, "client-%lld", (long long)it->leaf % 3);
    (void)snprintf(request, sizeof request, "r-%lld", (long long)it->leaf);
    bf_status status =
        bf_db_run(db, "UPDATE decision SET record = NULL, client_report = NULL, plan = NULL WHERE audit_index = $1",
                  BF_VALUES(bf_value_integer(it->leaf)), NULL, err);
    if (status != BF_OK || !it->count)
        return status;
    json_t *facts = is_alone(it->leaf) ? json_pack("{ss ss}", "client", client, "request_id", request)
                                       : json_pack("{ss}", "session", session);
    bf_audit_entry entry = {BF_AUDIT_ERASED, NOON, "key:k_2", facts};
    status = bf_audit_append(db, &entry, NULL, err);
    json_decref(facts);
    return status;
}

void test_audit_place_erase(test_audit_place *place, int64_t leaf, bool logged)
{
    bf_error err = {0};
    filling it = {.count = logged, .leaf = leaf};
    test_must(bf_store_write(place->store, erase, &it, &err) == BF_OK, err.message);
}

static bf_status take(void *context, const void *lines, size_t size, bf_error *err)
{
    bf_bytes *all = context;
    (void)err;
    uint8_t *data = bf_realloc(all->data, all->size + size + 1);
    test_must(data != NULL, "memory of an export");
    if (!data)
        return BF_OUT_OF_MEMORY;
    memcpy(data + all->size, lines, size);
    data[all->size + size] = '\0';
    all->data = data;
    all->size += size;
    return BF_OK;
}

bf_bytes test_audit_place_export(test_audit_place *place)
{
    bf_bytes all = {0};
    bf_error err = {0};
    test_must(bf_audit_export(place->store, &place->key, take, &all, &err) == BF_OK, err.message);
    return all;
}
