/* Tampering with the audit log in a real store, row by row and column by column: each is found, and where it was is
 * said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/verify_state.h"
#include "support/audit_tamper.h"

#define LEAVES 23 /* of the log, without the leaf of the erasure */

static test_audit_place small;
static bf_bytes small_file;

BF_PRINTF(2, 3) static void expect(const char *sql, const char *format, ...)
{
    char expected[1024];
    va_list args;
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, one line above */
    (void)vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    test_audit_tamper(&small, &small_file, sql);
    if (strcmp(test_told, expected) != 0)
        fail_msg("%s\n--- test_told:\n%s--- expected:\n%s", sql, test_told, expected);
}

static int set_up(void **state)
{
    (void)state;
    test_audit_place_new(&small, false);
    test_audit_place_fill(&small, LEAVES);
    test_audit_place_erase(&small, 11, true);
    test_audit_place_close(&small);
    small_file = test_audit_file(&small);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_audit_place_done(&small);
    bf_bytes_done(&small_file);
    return 0;
}

#define SIZE (LEAVES + 1) /* of the small log */

static void a_whole_log(void **state)
{
    (void)state;
    expect("SELECT 1", "%s", "");
}

/* The text with the number for each '#', and the one behind it for each '@'. */
static void fill_in(const char *text, int number, char ret[1024])
{
    size_t used = 0;
    ret[0] = '\0';
    for (const char *c = text; *c; c++)
        used += (size_t)(*c == '#' || *c == '@' ? snprintf(ret + used, 1024 - used, "%d", number + (*c == '@'))
                                                : snprintf(ret + used, 1024 - used, "%c", *c));
}

static void expect_at(const char *sql, int number, const char *expected)
{
    char with_number[1024], expected_number[1024];
    fill_in(sql, number, with_number);
    fill_in(expected, number, expected_number);
    expect(with_number, "%s", expected_number);
}

#define ERASED                                                                                                         \
    "leaf 11: the record of its decision was removed, and no erasure was logged in the leaves that can be trusted\n"
#define OTHER_HASH "(SELECT hash FROM audit_leaf WHERE idx = 3)"

/* Where the leaf of the erasure itself is damaged, what it excused is test_told, too. */
static const char *beside(const char *text, int leaf)
{
    static char both[1024];
    (void)snprintf(both, sizeof both, "%s%s", text, leaf == LEAVES ? ERASED : "");
    return both;
}

static void each_leaf(void **state)
{
    (void)state;
    for (int i = 0; i < SIZE; i++) {
        expect_at("UPDATE audit_leaf SET data = replace(data, 'key:k_', 'key:x_') WHERE idx = #", i,
                  beside("leaf #: its text was changed\n", i));
        expect_at("UPDATE audit_leaf SET data = replace(data, '\"previous\":', '\"Previous\":') WHERE idx = #", i,
                  beside("leaf #: its text was changed\n", i));
        expect_at("UPDATE audit_leaf SET data = '' WHERE idx = #", i, beside("leaf #: its text was changed\n", i));
        expect_at("UPDATE audit_leaf SET at_ms = at_ms + 1 WHERE idx = #", i,
                  "leaf #: its column 'at_ms' was changed\n");
        expect_at("UPDATE audit_leaf SET kind = 'x' || kind WHERE idx = #", i,
                  "leaf #: its column 'kind' was changed\n");
        expect_at("DELETE FROM audit_leaf WHERE idx = #", i, beside("leaf #: missing\n", i));
        expect_at("UPDATE audit_leaf SET idx = 1000 WHERE idx = #", i,
                  beside("leaf #: missing\nleaf 1000: added: it is no part of the log\n", i));
        if (i != 3)
            expect_at("UPDATE audit_leaf SET hash = " OTHER_HASH " WHERE idx = #", i,
                      "leaf #: the hash stored with it was changed\n");
        expect_at("UPDATE audit_leaf SET hash = 'x' WHERE idx = #", i, "leaf #: the hash stored with it was changed\n");
    }
}

static void leaves_exchanged(void **state)
{
    (void)state;
    char expected[512];
    for (int i = 0; i + 1 < SIZE; i++) {
        (void)snprintf(expected, sizeof expected,
                       "leaf %d: it is leaf %d: rows were exchanged or copied\n"
                       "leaf %d: it is leaf %d: rows were exchanged or copied\n%s",
                       i, i + 1, i + 1, i, i + 1 == LEAVES ? ERASED : "");
        expect_at("UPDATE audit_leaf SET idx = -1 WHERE idx = #; UPDATE audit_leaf SET idx = # WHERE idx = # + 1;"
                  "UPDATE audit_leaf SET idx = # + 1 WHERE idx = -1",
                  i, expected);
        if (i != 3)
            expect_at("UPDATE audit_leaf SET data = (SELECT data FROM audit_leaf WHERE idx = 3), hash = " OTHER_HASH
                      " WHERE idx = #",
                      i, "leaf #: it is leaf 3: rows were exchanged or copied\n");
    }
}

/* Text and hash, so that the row fits itself. */
static void leaves_replaced(void **state)
{
    (void)state;
    char sql[1024], text[512], hex[2 * BF_HASH_SIZE + 1];
    for (int i = 0; i < SIZE; i++) {
        (void)snprintf(text, sizeof text, "{\"index\":%d,\"kind\":\"security\",\"at\":\"2023-11-14T22:13:20.000Z\"}",
                       i);
        bf_hash hash = bf_merkle_leaf(text, strlen(text));
        sodium_bin2hex(hex, sizeof hex, hash.byte, BF_HASH_SIZE);
        (void)snprintf(sql, sizeof sql, "UPDATE audit_leaf SET data = '%s', hash = x'%s' WHERE idx = %d", text, hex, i);
        test_audit_tamper(&small, &small_file, sql);
        (void)snprintf(sql, sizeof sql,
                       "leaf %d: it is not the leaf that was logged: its text and its hash were changed\n", i);
        /* The head knows the last one's hash, and so on. */
        assert_non_null(strstr(test_told, sql));
        for (const char *line = test_told; *line; line = strchr(line, '\n') + 1) {
            int at = -1;
            if (strncmp(line, "leaf ", 5) == 0)
                at = (int)strtol(line + 5, NULL, 10);
            if (at != i && !(i == LEAVES && at == 11))
                fail_msg("leaf %d was replaced, and test_told was:\n%s", i, test_told);
        }
    }
}

static void each_node(void **state)
{
    (void)state;
    char sql[256], expected[256];
    for (int level = 1; level <= 4; level++) {
        for (int idx = 0; idx < SIZE >> level; idx++) {
            int from = idx << level, to = ((idx + 1) << level) - 1;
            (void)snprintf(sql, sizeof sql, "UPDATE audit_node SET hash = " OTHER_HASH " WHERE level = %d AND idx = %d",
                           level, idx);
            expect(sql, "node %d/%d, leaves %d to %d: the hash of their subtree was changed\n", level, idx, from, to);
            (void)snprintf(expected, sizeof expected,
                           "node %d/%d, leaves %d to %d: the hash of their subtree is missing\n", level, idx, from, to);
            (void)snprintf(sql, sizeof sql, "DELETE FROM audit_node WHERE level = %d AND idx = %d", level, idx);
            expect(sql, "%s", expected);
            (void)snprintf(sql, sizeof sql, "UPDATE audit_node SET idx = 77 WHERE level = %d AND idx = %d", level, idx);
            expect(sql, "%shash of a subtree that does not exist: %d/77\n", expected, level);
            (void)snprintf(sql, sizeof sql, "UPDATE audit_node SET level = 77 WHERE level = %d AND idx = %d", level,
                           idx);
            expect(sql, "%shash of a subtree that does not exist: 77/%d\n", expected, idx);
        }
    }
}

static void each_decision(void **state)
{
    (void)state;
    static const char *const columns[] = {"client", "request_id", "kind",   "session_id",   "attempt",
                                          "at_ms",  "decision",   "reason", "record_sha256"};
    char sql[256];
    for (int i = 1; i < LEAVES; i += 5) {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            bool number = strcmp(columns[c], "attempt") == 0 || strcmp(columns[c], "at_ms") == 0;
            (void)snprintf(sql, sizeof sql, "UPDATE decision SET %s = %s WHERE audit_index = %d", columns[c],
                           number ? "7" : "'x'", i);
            test_audit_tamper(&small, &small_file, sql);
            (void)snprintf(sql, sizeof sql, "leaf %d: column of its decision was changed: %s of ", i, columns[c]);
            assert_int_equal(strncmp(test_told, sql, strlen(sql)), 0);
            assert_ptr_equal(strchr(test_told, '\n') + 1, test_told + strlen(test_told));
        }
        expect_at("DELETE FROM decision WHERE audit_index = #", i, "leaf #: its decision is missing: r-#\n");
        expect_at("UPDATE decision SET client = 'c', audit_index = # + 1 WHERE audit_index = #", i,
                  "leaf #: its decision is missing: r-#\n"
                  "leaf @: decision that the log does not know: c/r-#\n");
        expect_at("UPDATE decision SET client = 'c', audit_index = 700 WHERE audit_index = #", i,
                  "leaf #: its decision is missing: r-#\ndecision that the log does not know: c/r-#\n");
        expect_at("INSERT INTO decision SELECT 'c', request_id, kind, session_id, attempt, at_ms, decision, reason,"
                  " record, record_sha256, client_report, audit_index, plan FROM decision WHERE audit_index = #",
                  i, "leaf #: decision that the log does not know: c/r-#\n");
    }
}

static void records_of_decisions(void **state)
{
    (void)state;
    for (int i = 1; i < LEAVES; i += 5) {
        bool erased = i == 11;
        char name[32];
        (void)snprintf(name, sizeof name, "client-%d/r-%d", i % 3, i);
        char sql[256];
        (void)snprintf(sql, sizeof sql, "UPDATE decision SET record = '{}' WHERE audit_index = %d", i);
        expect(sql, "leaf %d: the record of its decision was changed: %s\n", i, name);
        (void)snprintf(sql, sizeof sql, "UPDATE decision SET client_report = '{}' WHERE audit_index = %d", i);
        expect(sql, "leaf %d: column of its decision was changed: client_report of %s\n", i, name);
        const char *const gone =
            erased ? "" : "leaf #: the record of its decision was removed, and no erasure was logged\n";
        expect_at("UPDATE decision SET record = NULL WHERE audit_index = #", i, gone);
        expect_at("UPDATE decision SET client_report = NULL WHERE audit_index = #", i, gone);
        /* A plan that asks for less, one put where none was, and one taken away. */
        (void)snprintf(sql, sizeof sql, "UPDATE decision SET plan = '{\"attempt\":77}' WHERE audit_index = %d", i);
        expect(sql, "leaf %d: column of its decision was changed: plan of %s\n", i, name);
        bool alone = i % 10 == 6;
        expect_at("UPDATE decision SET plan = NULL WHERE audit_index = #", i, alone ? "" : gone);
    }
}

static void the_head(void **state)
{
    (void)state;
    for (int i = 1; i <= SIZE; i++) {
        expect_at("UPDATE audit_head SET size = size - #", i, "head: its column 'size' was changed\n");
        expect_at("UPDATE audit_head SET size = size + #", i, "head: its column 'size' was changed\n");
    }
    expect("UPDATE audit_head SET edge = last", "head: its column 'edge' was changed\n");
    expect("UPDATE audit_head SET edge = 'x'", "head: its column 'edge' was changed\n");
    expect("UPDATE audit_head SET last = " OTHER_HASH, "head: its column 'last' was changed\n");
    expect("UPDATE audit_head SET last = edge", "head: its column 'last' was changed\n");
    expect("UPDATE audit_head SET signed_size = 3", "head: its column 'signed_size' was changed\n");
    expect("UPDATE audit_head SET at_ms = at_ms + 1", "head: its column 'at_ms' was changed\n");
    expect("UPDATE audit_head SET note = replace(note, '24', '23')", "head: its column 'note' was changed\n");
    expect("UPDATE audit_head SET note = ''", "head: its column 'note' was changed\n");
    expect("DELETE FROM audit_head", "head: missing\n");
}

static void tails(void **state)
{
    (void)state;
    expect("INSERT INTO audit_leaf SELECT 24, at_ms, kind, data, hash FROM audit_leaf WHERE idx = 3",
           "leaf 24: it is leaf 3: rows were exchanged or copied\nleaf 24: no signature covers them\n");
    expect("DELETE FROM audit_leaf WHERE idx >= 20", "leaves 20 to 21: missing\nleaves 22 to 23: missing\n" ERASED);
    expect("DELETE FROM audit_leaf WHERE idx BETWEEN 4 AND 5", "leaves 4 to 5: missing\n");
    test_audit_tamper(&small, &small_file, "DELETE FROM audit_leaf");
    assert_non_null(strstr(test_told, "leaves 0 to 1: missing\n"));
    assert_null(strstr(test_told, "out of order"));
}

static void records_that_wait_for_their_erasure(void **state)
{
    (void)state;
    const int many = BF_VERIFY_ERASED_MAX / 8 * 5;
    bf_erased erased = {0};
    char id[16];
    /* More come and go than may wait at once. */
    for (int i = 0; i < 2 * BF_VERIFY_ERASED_MAX; i++) {
        (void)snprintf(id, sizeof id, "s-%d", i);
        assert_true(bf_erased_add(&erased, "session", id, i));
        (void)snprintf(id, sizeof id, "s-%d", i - many);
        bf_erased_found(&erased, "session", id);
    }
    assert_int_equal(erased.unchecked, 0);
    assert_int_equal(erased.waiting, many);
    for (int i = many; i <= BF_VERIFY_ERASED_MAX; i++) {
        (void)snprintf(id, sizeof id, "t-%d", i);
        assert_true(bf_erased_add(&erased, "session", id, i));
    }
    assert_int_equal(erased.unchecked, 1);
    assert_int_equal(erased.waiting, BF_VERIFY_ERASED_MAX);
    bf_free(erased.entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log),
        cmocka_unit_test(each_leaf),
        cmocka_unit_test(leaves_exchanged),
        cmocka_unit_test(leaves_replaced),
        cmocka_unit_test(each_node),
        cmocka_unit_test(each_decision),
        cmocka_unit_test(records_of_decisions),
        cmocka_unit_test(the_head),
        cmocka_unit_test(tails),
        cmocka_unit_test(records_that_wait_for_their_erasure),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, set_up, tear_down);
}
