/* The audit log over SQLite and over PostgreSQL: what is appended, signed and proven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/log.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "support/store_place.h"

#define OK(call) assert_ok((call), #call, &err)
#define NOON 1700000000000 /* 2023-11-14T22:13:20.000Z */

static void assert_ok(bf_status status, const char *call, const bf_error *err)
{
    if (status != BF_OK)
        fail_msg("%s: %s %s (%s)", call, bf_status_name(status), err->message, err->detail);
}

typedef struct fixture {
    bool postgres;
    test_store_place place;
    bf_store *store;
    bf_log_key key;
} fixture;

static void open_store(fixture *with)
{
    bf_error err = {0};
    bf_store_options options = {.url = with->place.url, .create = true};
    OK(bf_store_open(&options, &with->store, &err));
    bf_store_before_commit(with->store, bf_audit_seal, &with->key);
}

static int set_up(void **state)
{
    fixture *with = *state;
    if (with->postgres && !test_has_postgres())
        return 0;
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {7};
    with->key = (bf_log_key){.origin = "test.example/log", .can_sign = true};
    (void)crypto_sign_seed_keypair(with->key.public_key, with->key.secret_key, seed);
    test_store_place_new(&with->place, with->postgres);
    open_store(with);
    return 0;
}

static int tear_down(void **state)
{
    fixture *with = *state;
    if (with->store) {
        bf_store_free(&with->store);
        test_store_place_done(&with->place);
    }
    return 0;
}

static fixture *fixture_of(void **state)
{
    fixture *with = *state;
    if (!with->store)
        skip();
    return with;
}

/* Some leaves, appended by one write. */
typedef struct appending {
    int count;
    int64_t at_ms;
    const char *actor, *facts; /* NULL: server; a number */
    bf_audit_kind kind;
    int64_t last; /* number of the last leaf */
    bf_status then;
} appending;

static bf_status append(bf_db *db, void *context, bf_error *err)
{
    appending *it = context;
    for (int i = 0; i < it->count; i++) {
        json_t *facts = it->facts ? json_loads(it->facts, JSON_DECODE_ANY, NULL) : json_pack("{si}", "number", i);
        bf_audit_entry entry = {it->kind, it->at_ms + i, it->actor ? it->actor : "server", facts};
        bf_status status = bf_audit_append(db, &entry, &it->last, err);
        json_decref(facts);
        if (status != BF_OK)
            return status;
    }
    return it->then == BF_OK ? BF_OK : bf_fail(err, it->then, "Refused.");
}

static void append_some(fixture *with, int count)
{
    bf_error err = {0};
    appending it = {.count = count, .at_ms = NOON, .kind = BF_AUDIT_SECURITY};
    OK(bf_store_write(with->store, append, &it, &err));
}

/* Everything that can be asked for. */
typedef struct asking {
    const bf_log_key *key;
    int64_t number;
    bf_audit_proof proof;
    bf_proof growth;
    bf_checkpoint now;
    char *note;
} asking;

static bf_status ask_proof(bf_db *db, void *context, bf_error *err)
{
    asking *it = context;
    return bf_audit_prove(db, it->number, &it->proof, err);
}

static bf_status ask_growth(bf_db *db, void *context, bf_error *err)
{
    asking *it = context;
    return bf_audit_prove_growth(db, it->number, &it->growth, &it->now, err);
}

static bf_status ask_checkpoint(bf_db *db, void *context, bf_error *err)
{
    asking *it = context;
    return bf_audit_checkpoint(db, &it->note, err);
}

static bf_status ask_head(bf_db *db, void *context, bf_error *err)
{
    asking *it = context;
    bf_log_key key = *it->key;
    return bf_audit_check_head(db, &key, err);
}

static bf_checkpoint checkpoint_of(fixture *with)
{
    bf_error err = {0};
    asking it = {0};
    bf_checkpoint checkpoint;
    OK(bf_store_read(with->store, ask_checkpoint, &it, &err));
    OK(bf_note_verify(&with->key, it.note, strlen(it.note), &checkpoint, &err));
    bf_free(it.note);
    return checkpoint;
}

static void an_empty_log(void **state)
{
    fixture *with = fixture_of(state);
    bf_error err = {0};
    asking it = {.key = &with->key};
    OK(bf_store_read(with->store, ask_checkpoint, &it, &err));
    assert_string_equal(it.note, "");
    bf_free(it.note);
    OK(bf_store_read(with->store, ask_head, &it, &err));
    assert_int_equal(bf_store_read(with->store, ask_proof, &it, &err), BF_NOT_FOUND);
    OK(bf_store_read(with->store, ask_growth, &it, &err));
    assert_int_equal(it.growth.count, 0);
    assert_int_equal(it.now.size, 0);
    /* A write that appends nothing signs nothing. */
    append_some(with, 0);
    OK(bf_store_read(with->store, ask_checkpoint, &it, &err));
    assert_string_equal(it.note, "");
    bf_free(it.note);
}

static void leaves_read_as_documented(void **state)
{
    fixture *with = fixture_of(state);
    bf_error err = {0};
    asking it = {0};
    char hex[2 * BF_HASH_SIZE + 1], expected[512];
    appending first = {.count = 1, .at_ms = NOON, .kind = BF_AUDIT_KILL_SWITCH, .actor = "uid:0", .facts = "{}"};
    OK(bf_store_write(with->store, append, &first, &err));
    OK(bf_store_read(with->store, ask_proof, &it, &err));
    assert_string_equal(it.proof.leaf, "{\"index\":0,\"previous\":null,\"at\":\"2023-11-14T22:13:20.000Z\","
                                       "\"kind\":\"kill_switch\",\"actor\":\"uid:0\"}");
    sodium_bin2hex(hex, sizeof hex, it.proof.leaf_hash.byte, BF_HASH_SIZE);
    bf_audit_proof_done(&it.proof);
    /* The clock was set back: the leaf's time stays. What is not ASCII is escaped. */
    appending second = {.count = 1, .at_ms = NOON - 5000, .actor = "key:k_1", .facts = "{\"text\": \"\\\"\xc3\xa9\"}"};
    OK(bf_store_write(with->store, append, &second, &err));
    assert_int_equal(second.last, 1);
    it.number = 1;
    OK(bf_store_read(with->store, ask_proof, &it, &err));
    (void)snprintf(expected, sizeof expected,
                   "{\"index\":1,\"previous\":\"%s\",\"at\":\"2023-11-14T22:13:20.000Z\",\"kind\":\"decision\","
                   "\"actor\":\"key:k_1\",\"text\":\"\\\"\\u00E9\"}",
                   hex);
    assert_string_equal(it.proof.leaf, expected);
    json_t *json = bf_audit_proof_json(&it.proof);
    assert_int_equal(json_object_size(json), 7);
    assert_string_equal(json_string_value(json_object_get(json, "leaf")), expected);
    assert_int_equal(json_integer_value(json_object_get(json, "tree_size")), 2);
    assert_int_equal(json_array_size(json_object_get(json, "hashes")), 1);
    json_decref(json);
    bf_audit_proof_done(&it.proof);
}

static void entries_that_no_leaf_can_hold(void **state)
{
    fixture *with = fixture_of(state);
    static char long_actor[BF_AUDIT_ACTOR_SIZE + 1], long_facts[BF_LEAF_BYTES_MAX + 20];
    memset(long_actor, 'a', sizeof long_actor - 1);
    (void)snprintf(long_facts, sizeof long_facts, "{\"a\":\"%0*d\"}", BF_LEAF_BYTES_MAX - 200, 1);
    appending good = {.count = 1, .actor = "a", .facts = long_facts};
    bf_error err = {0};
    OK(bf_store_write(with->store, append, &good, &err));
    (void)snprintf(long_facts, sizeof long_facts, "{\"a\":\"%0*d\"}", BF_LEAF_BYTES_MAX, 1);
    const appending bad[] = {
        {.actor = ""},
        {.actor = "two words"},
        {.actor = "a\"b"},
        {.actor = "a\\b"},
        {.actor = "\x7f"},
        {.actor = long_actor},
        {.facts = "[]"},
        {.facts = "null"},
        {.facts = "{\"index\": 1}"},
        {.facts = "{\"previous\": 1}"},
        {.facts = "{\"at\": 1}"},
        {.facts = "{\"kind\": 1}"},
        {.facts = "{\"actor\": 1}"},
        {.facts = long_facts},
        {.kind = BF_AUDIT_KIND_COUNT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        appending it = bad[i];
        it.count = 1;
        assert_int_equal(bf_store_write(with->store, append, &it, &err), BF_INTERNAL);
    }
    assert_int_equal(checkpoint_of(with).size, 1);
}

static void what_fails_leaves_no_leaf(void **state)
{
    fixture *with = fixture_of(state);
    bf_error err = {0};
    append_some(with, 3);
    bf_checkpoint before = checkpoint_of(with);
    appending it = {.count = 5, .then = BF_FORBIDDEN};
    assert_int_equal(bf_store_write(with->store, append, &it, &err), BF_FORBIDDEN);
    bf_checkpoint after = checkpoint_of(with);
    assert_memory_equal(&before, &after, sizeof before);
    append_some(with, 1);
    assert_int_equal(checkpoint_of(with).size, 4);
}

/* Every proof of a log that grew in steps of all sizes, past several kept checkpoints. */
static void every_proof_holds(void **state)
{
    fixture *with = fixture_of(state);
    bf_error err = {0};
    bf_checkpoint kept[64];
    int steps = 0;
    for (int count = 1; steps == 0 || kept[steps - 1].size < 600; count = count * 2 % 97 + 1) {
        assert_true(steps < 64);
        append_some(with, count);
        kept[steps++] = checkpoint_of(with);
    }
    bf_checkpoint now = kept[steps - 1];
    for (int64_t i = 0; i < now.size; i++) {
        asking it = {.number = i};
        OK(bf_store_read(with->store, ask_proof, &it, &err));
        assert_int_equal(it.proof.size, now.size);
        bf_hash leaf = bf_merkle_leaf(it.proof.leaf, strlen(it.proof.leaf));
        assert_true(bf_merkle_inclusion_holds(&leaf, i, now.size, &it.proof.path, &now.root));
        bf_audit_proof_done(&it.proof);
    }
    for (int i = 0; i < steps; i++) {
        asking it = {.number = kept[i].size};
        OK(bf_store_read(with->store, ask_growth, &it, &err));
        assert_true(bf_merkle_consistency_holds(kept[i].size, &kept[i].root, it.now.size, &it.now.root, &it.growth));
    }
    asking it = {.number = now.size + 1, .key = &with->key};
    assert_int_equal(bf_store_read(with->store, ask_growth, &it, &err), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_store_read(with->store, ask_proof, &it, &err), BF_NOT_FOUND);
    it.number = -1;
    assert_int_equal(bf_store_read(with->store, ask_growth, &it, &err), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_store_read(with->store, ask_proof, &it, &err), BF_NOT_FOUND);
    OK(bf_store_read(with->store, ask_head, &it, &err));
}

/* Reads the kept checkpoints. */
static bf_status read_kept(bf_db *db, void *context, bf_error *err)
{
    fixture *with = context;
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(
        db, "SELECT c.size, c.note, l.data FROM audit_checkpoint c JOIN audit_leaf l ON l.idx = c.size ORDER BY c.size",
        BF_NO_VALUES, &rows, err);
    if (status != BF_OK)
        return status;
    assert_int_equal(bf_rows_count(rows), 3);
    for (int64_t block = 1; bf_rows_next(rows); block++) {
        bf_checkpoint checkpoint;
        char hex[BF_SHA256_HEX_SIZE], facts[128];
        const char *note = bf_rows_text(rows, 1);
        assert_int_equal(bf_note_verify(&with->key, note, strlen(note), &checkpoint, err), BF_OK);
        assert_int_equal(checkpoint.size, bf_rows_integer(rows, 0));
        assert_int_equal(checkpoint.size / BF_CHECKPOINT_EVERY, block);
        bf_sha256_hex(note, strlen(note), hex);
        (void)snprintf(facts, sizeof facts,
                       "\"kind\":\"checkpoint\",\"actor\":\"server\",\"size\":%d,\"note_sha256\":\"",
                       (int)checkpoint.size);
        assert_non_null(strstr(bf_rows_text(rows, 2), facts));
        assert_non_null(strstr(bf_rows_text(rows, 2), hex));
    }
    return BF_OK;
}

static void checkpoints_are_kept_and_logged(void **state)
{
    fixture *with = fixture_of(state);
    bf_error err = {0};
    for (int i = 0; i < 20; i++)
        append_some(with, 40);
    assert_int_equal(checkpoint_of(with).size, 803);
    OK(bf_store_read(with->store, read_kept, with, &err));
}

static void a_log_is_not_continued_with_another_key(void **state)
{
    fixture *with = fixture_of(state);
    bf_error err = {0};
    append_some(with, 3);
    bf_log_key other = with->key;
    (void)crypto_sign_keypair(other.public_key, other.secret_key);
    asking it = {.key = &other};
    assert_int_equal(bf_store_read(with->store, ask_head, &it, &err), BF_AUDIT_TAMPERED);
    it.key = &with->key;
    OK(bf_store_read(with->store, ask_head, &it, &err));
    /* A key that only verifies cannot sign, and what cannot be signed is not committed. */
    with->key.can_sign = false;
    appending more = {.count = 1};
    assert_int_not_equal(bf_store_write(with->store, append, &more, &err), BF_OK);
    with->key.can_sign = true;
    assert_int_equal(checkpoint_of(with).size, 3);
}

static void damage_is_found_by_who_asks(void **state)
{
    fixture *with = fixture_of(state);
    static const struct {
        const char *damage;
        bool head, proof, growth, appending;
    } cases[] = {
        {"UPDATE audit_leaf SET data = '{}' WHERE idx = 2", false, true, false, false},
        {"UPDATE audit_leaf SET hash = (SELECT hash FROM audit_leaf WHERE idx = 0) WHERE idx = 3", false, true, false,
         false},
        {"UPDATE audit_leaf SET hash = (SELECT hash FROM audit_leaf WHERE idx = 0) WHERE idx = 4", false, false, true,
         false},
        {"DELETE FROM audit_leaf WHERE idx = 2", false, true, false, false},
        {"DELETE FROM audit_node WHERE level = 1 AND idx = 2", false, true, false, false},
        {"UPDATE audit_head SET note = ''", true, false, false, false},
        {"UPDATE audit_head SET note = 'x'", true, true, true, false},
        {"UPDATE audit_head SET size = 8", true, false, false, true},
        {"UPDATE audit_head SET size = -1", true, false, false, true},
        {"UPDATE audit_head SET signed_size = 6", true, false, false, false},
        {"UPDATE audit_head SET edge = last", true, false, false, true},
        {"UPDATE audit_head SET last = edge", true, false, false, true},
        {"DELETE FROM audit_head", true, true, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_error err = {0};
        append_some(with, 7);
        bf_store_free(&with->store);
        test_store_place_run(&with->place, cases[i].damage);
        open_store(with);
        asking it = {.number = 2, .key = &with->key};
        assert_int_equal(bf_store_read(with->store, ask_head, &it, &err), cases[i].head ? BF_AUDIT_TAMPERED : BF_OK);
        bf_status status = bf_store_read(with->store, ask_proof, &it, &err);
        if (status == BF_OK)
            bf_audit_proof_done(&it.proof);
        assert_int_equal(status == BF_AUDIT_TAMPERED, cases[i].proof);
        it.number = 5;
        assert_int_equal(bf_store_read(with->store, ask_growth, &it, &err) == BF_AUDIT_TAMPERED, cases[i].growth);
        appending more = {.count = 1};
        if (cases[i].appending) {
            status = bf_store_write(with->store, append, &more, &err);
            /* PostgreSQL locks the head before anything else, and misses it first. */
            assert_true(status == BF_AUDIT_TAMPERED || status == BF_STORE_UNAVAILABLE);
        }
        tear_down(state);
        set_up(state);
    }
}

static void memory_runs_out(void **state)
{
    fixture *with = fixture_of(state);
    bf_error err = {0};
    append_some(with, 7);
    asking it = {.number = 3};
    bf_store_fn *const asked[] = {ask_proof, ask_growth, ask_checkpoint};
    for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
        bf_status status = BF_OUT_OF_MEMORY;
        for (size_t nth = 1; status != BF_OK; nth++) {
            assert_true(nth < 500);
            bf_alloc_fail_after(nth, 0);
            status = bf_store_read(with->store, asked[k], &it, &err);
            bf_alloc_fail_after(0, 0);
            if (status != BF_OK)
                assert_true(status == BF_OUT_OF_MEMORY || status == BF_STORE_UNAVAILABLE);
        }
    }
    bf_audit_proof_done(&it.proof);
    bf_free(it.note);
    bf_status status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth++) {
        appending more = {.count = 1};
        assert_true(nth < 500);
        bf_alloc_fail_after(nth, 0);
        status = bf_store_write(with->store, append, &more, &err);
        bf_alloc_fail_after(0, 0);
    }
    asking whole = {.key = &with->key};
    OK(bf_store_read(with->store, ask_head, &whole, &err));
}

#define CASE(function)                                                                                                 \
    {                                                                                                                  \
        .name = #function, .test_func = (function), .setup_func = set_up, .teardown_func = tear_down                   \
    }

static const struct CMUnitTest CASES[] = {
    CASE(an_empty_log),
    CASE(leaves_read_as_documented),
    CASE(entries_that_no_leaf_can_hold),
    CASE(what_fails_leaves_no_leaf),
    CASE(every_proof_holds),
    CASE(checkpoints_are_kept_and_logged),
    CASE(a_log_is_not_continued_with_another_key),
    CASE(damage_is_found_by_who_asks),
    CASE(memory_runs_out),
};
#define CASE_COUNT (sizeof CASES / sizeof CASES[0])

static int run_over(fixture *with, const char *name)
{
    static char names[CASE_COUNT][128];
    struct CMUnitTest cases[CASE_COUNT];
    for (size_t i = 0; i < CASE_COUNT; i++) {
        cases[i] = CASES[i];
        (void)snprintf(names[i], sizeof names[i], "%s: %s", name, CASES[i].name);
        cases[i].name = names[i];
        cases[i].initial_state = with;
    }
    return cmocka_run_group_tests_name(name, cases, NULL, NULL);
}

int main(void)
{
    static fixture sqlite, postgres = {.postgres = true};
    if (sodium_init() < 0)
        return 1;
    int failed = run_over(&sqlite, "sqlite");
    return failed + run_over(&postgres, "postgresql");
}
