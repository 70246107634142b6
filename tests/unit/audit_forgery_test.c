/* Logs that somebody worked on with care, kept checkpoints, and exports that were changed as files. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/export.h"
#include "base/error.h"
#include "support/audit_tamper.h"
#include "support/must.h"

#define LINES_MAX 4096

static test_audit_place small, large; /* the second has kept checkpoints */
static bf_bytes small_file, large_file;

static int set_up(void **state)
{
    (void)state;
    test_audit_place_new(&small, false);
    test_audit_place_fill(&small, 23);
    test_audit_place_erase(&small, 11, true);
    test_audit_place_close(&small);
    small_file = test_audit_file(&small);
    test_audit_place_new(&large, false);
    test_audit_place_fill(&large, 530);
    test_audit_place_close(&large);
    large_file = test_audit_file(&large);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_audit_place_done(&small);
    test_audit_place_done(&large);
    bf_bytes_done(&small_file);
    bf_bytes_done(&large_file);
    return 0;
}

static void count(void *context, const bf_finding *finding)
{
    (void)finding;
    ++*(int *)context;
}

static void a_whole_log(void **state)
{
    (void)state;
    bf_verify_summary summary;
    int findings = 0;
    test_audit_tamper(&large, &large_file, "SELECT 1");
    assert_string_equal(test_told, "");
    bf_bytes all = test_audit_place_export(&large);
    /* In pieces of any size, and with the key that it names itself. */
    for (size_t piece = 1; piece < 100000; piece = piece * 7 + 1) {
        bf_verify *verify = NULL;
        const bf_verify_options options = {.report = count, .context = &findings};
        assert_int_equal(bf_verify_new(&options, &verify, NULL), BF_OK);
        for (size_t at = 0; at < all.size; at += piece)
            assert_int_equal(bf_verify_feed(verify, all.data + at, all.size - at < piece ? all.size - at : piece, NULL),
                             BF_OK);
        assert_int_equal(bf_verify_end(verify, &summary, NULL), BF_OK);
        bf_verify_free(&verify);
        assert_int_equal(summary.findings + findings, 0);
        assert_int_equal(summary.size, 532);
        assert_int_equal(summary.leaves, 532);
        assert_int_equal(summary.nodes, 532 - 3); /* 512 + 16 + 4: three subtrees */
        assert_int_equal(summary.decisions, 106);
        assert_int_equal(summary.checkpoints, 2);
        assert_string_equal(summary.origin, "test.example/log");
    }
    bf_bytes_done(&all);
}

/* Kept checkpoints, in the log that has some: of 256 and 512 leaves. */
static void kept_checkpoints(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *told;
    } cases[] = {
        {"DELETE FROM audit_checkpoint WHERE size = 256", "checkpoint of 256 leaves: missing\n"},
        {"DELETE FROM audit_checkpoint WHERE size = 512", "checkpoint of 512 leaves: missing\n"},
        {"UPDATE audit_checkpoint SET at_ms = 1 WHERE size = 256", "checkpoint of 256 leaves: changed: at_ms\n"},
        {"UPDATE audit_checkpoint SET note = 'x' WHERE size = 256", "checkpoint of 256 leaves: changed: note\n"},
        {"UPDATE audit_checkpoint SET note = replace(note, '256', '255') WHERE size = 256",
         "checkpoint of 256 leaves: changed: note\n"},
        {"UPDATE audit_checkpoint SET note = (SELECT note FROM audit_head) WHERE size = 256",
         "checkpoint of 256 leaves: changed: it signs a tree of another size\n"},
        {"UPDATE audit_checkpoint SET size = 255 WHERE size = 256",
         "checkpoint of 255 leaves: changed: it signs a tree of another size\n"
         "checkpoint of 255 leaves: added: the log knows of none\ncheckpoint of 256 leaves: missing\n"},
        {"UPDATE audit_checkpoint SET size = 257 WHERE size = 256",
         "checkpoint of 257 leaves: changed: it signs a tree of another size\n"
         "checkpoint of 256 leaves: missing\ncheckpoint of 257 leaves: added: the log knows of none\n"},
        {"UPDATE audit_checkpoint SET size = 9000 WHERE size = 256",
         "checkpoint of 256 leaves: missing\ncheckpoint of 9000 leaves: added: the log knows of none\n"},
        {"UPDATE audit_checkpoint SET size = -256 WHERE size = 256",
         "checkpoint of 256 leaves: missing\ncheckpoint of -1 leaves: added: the log knows of none\n"},
        {"UPDATE audit_leaf SET data = replace(data, 'note', 'Note') WHERE idx = 256",
         "leaf 256: its text was changed\n"},
        {"DELETE FROM audit_leaf WHERE idx = 512", "leaf 512: missing\n"},
        {"UPDATE audit_node SET hash = (SELECT hash FROM audit_node WHERE level = 8 AND idx = 1)"
         " WHERE level = 8 AND idx = 0",
         "node 8/0, leaves 0 to 255: the hash of their subtree was changed\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_audit_tamper(&large, &large_file, cases[i].sql);
        if (strcmp(test_told, cases[i].told) != 0)
            fail_msg("%s\n--- test_told:\n%s--- expected:\n%s", cases[i].sql, test_told, cases[i].told);
    }
}

/* Everything is written anew, from leaf `from` on: a log that agrees with itself in everything but its signatures. */
static void forge(test_audit_place *ret, int from, int count)
{
    test_audit_place_new(ret, false);
    (void)crypto_sign_keypair(ret->key.public_key, ret->key.secret_key);
    ret->forged_from = from;
    test_audit_place_fill(ret, count);
}

/* Lines of an export. */
typedef struct lines {
    char *text;
    char *line[LINES_MAX];
    int count;
} lines;

static void split(const bf_bytes *all, lines *ret)
{
    ret->text = (char *)all->data;
    ret->count = 0;
    for (char *at = ret->text, *end; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        assert_true(ret->count < LINES_MAX);
        ret->line[ret->count++] = at;
    }
}

static bf_bytes join(const lines *from)
{
    bf_bytes all = {0};
    for (int i = 0; i < from->count; i++)
        all.size += (from->line[i] ? strlen(from->line[i]) : 0) + 1;
    all.data = bf_malloc(all.size + 1);
    test_must(all.data != NULL, "memory of an export");
    size_t at = 0;
    for (int i = 0; i < from->count; i++)
        at += (size_t)snprintf((char *)all.data + at, all.size + 1 - at, "%s\n", from->line[i]);
    return all;
}

/* Puts the rows of signatures (and the first row) of one export into another. */
static void take_signatures(lines *into, const lines *from)
{
    int next = 0;
    for (int i = 0; i < into->count; i++) {
        bool is_kept = strncmp(into->line[i], "{\"row\":\"checkpoint\"", 19) == 0;
        if (!is_kept && strncmp(into->line[i], "{\"row\":\"export\"", 15) != 0)
            continue;
        while (strncmp(from->line[next], into->line[i], 14) != 0)
            next++;
        into->line[i] = from->line[next++];
    }
}

static void a_log_written_anew(void **state)
{
    (void)state;
    test_audit_place other;
    bf_verify_summary summary;
    lines forged = {0}, true_lines = {0};
    forge(&other, 300, 530);
    bf_bytes forged_bytes = test_audit_place_export(&other);
    test_audit_tamper(&large, &large_file, "SELECT 1");
    bf_bytes true_bytes = test_audit_place_export(&large);
    /* With its own key it is in order, and it is of another key. */
    assert_int_equal(test_audit_verify(&forged_bytes, NULL, NULL, &summary), BF_OK);
    assert_string_equal(test_told, "");
    assert_int_equal(test_audit_verify(&forged_bytes, &large.key, NULL, &summary), BF_OK);
    assert_string_equal(test_told, "another log or key: test.example/log\n"
                                   "checkpoint of 256 leaves: changed: note\n"
                                   "checkpoint of 512 leaves: changed: note\n"
                                   "head: its column 'note' was changed\n");
    /* With the true checkpoints put in: the first that covers a leaf which was changed says so. */
    split(&forged_bytes, &forged);
    split(&true_bytes, &true_lines);
    take_signatures(&forged, &true_lines);
    bf_bytes mixed = join(&forged);
    assert_int_equal(test_audit_verify(&mixed, &large.key, NULL, &summary), BF_OK);
    assert_non_null(strstr(test_told, "checkpoint of 256 leaves: changed: note\n")); /* its leaf is the forger's */
    assert_non_null(strstr(test_told, "leaves 256 to 511: these are not the leaves that were signed\n"));
    assert_null(strstr(test_told, "leaves 0 to"));
    bf_bytes_done(&mixed);
    bf_bytes_done(&forged_bytes);
    bf_bytes_done(&true_bytes);
    test_audit_place_done(&other);
}

/* A checkpoint that was kept outside: of a log that was cut to a true older state, and of one that was rewritten with
 * the log's own key. */
static void against_a_kept_checkpoint(void **state)
{
    (void)state;
    test_audit_place other;
    bf_verify_summary summary;
    char note[BF_NOTE_SIZE];
    bf_checkpoint checkpoint = {.size = 40};
    test_audit_place_new(&other, false);
    test_audit_place_fill(&other, 30);
    bf_bytes all = test_audit_place_export(&other);
    bf_note_sign(&other.key, &checkpoint, note);
    assert_int_equal(test_audit_verify(&all, &other.key, note, &summary), BF_OK);
    assert_string_equal(test_told, "leaves 30 to 39: cut off: a signed checkpoint knows them\n");
    checkpoint.size = 20;
    bf_note_sign(&other.key, &checkpoint, note);
    assert_int_equal(test_audit_verify(&all, &other.key, note, &summary), BF_OK);
    assert_string_equal(test_told, "leaves 0 to 19: these are not the leaves of the checkpoint that was kept\n");
    bf_note_sign(&small.key, &checkpoint, note);
    note[0] = 'T';
    assert_int_equal(test_audit_verify(&all, &other.key, note, &summary), BF_OK);
    assert_string_equal(test_told, "another log or key: the checkpoint that was kept is not signed by it\n");
    assert_int_equal(test_audit_verify(&all, &other.key, "x", &summary), BF_INVALID_ARGUMENT);
    bf_bytes_done(&all);
    test_audit_place_done(&other);
}

/* Where the second line begins. */
static size_t first_line(const bf_bytes *all)
{
    const uint8_t *newline = memchr(all->data, '\n', all->size);
    return newline ? (size_t)(newline - all->data) + 1 : all->size;
}

/* A row that stands behind its leaf; several of them do in any order. */
static bool is_beside(const char *line)
{
    return strncmp(line, "{\"row\":\"node\"", 13) == 0 || strncmp(line, "{\"row\":\"decision\"", 17) == 0;
}

/* Every line of an export removed, doubled and exchanged with the next, every third byte changed: nothing
 * of it passes. */
static void no_line_can_be_changed(void **state)
{
    (void)state;
    bf_verify_summary summary;
    test_audit_tamper(&small, &small_file, "SELECT 1");
    bf_bytes all = test_audit_place_export(&small);
    lines whole = {0}, wrong;
    split(&all, &whole);
    for (int i = 0; i < whole.count; i++) {
        for (int how = 0; how < 3; how++) {
            wrong = whole;
            if (how == 0) {
                memmove(&wrong.line[i], &wrong.line[i + 1], sizeof *wrong.line * (size_t)(wrong.count-- - i - 1));
            } else if (how == 1) {
                memmove(&wrong.line[i + 1], &wrong.line[i], sizeof *wrong.line * (size_t)(wrong.count++ - i));
            } else if (i + 1 < whole.count && !(is_beside(whole.line[i]) && is_beside(whole.line[i + 1]))) {
                wrong.line[i] = whole.line[i + 1];
                wrong.line[i + 1] = whole.line[i];
            } else {
                continue;
            }
            bf_bytes bytes = join(&wrong);
            if (test_audit_verify(&bytes, &small.key, NULL, &summary) == BF_OK && test_told[0] == '\0')
                fail_msg("line %d, way %d: %s", i, how, whole.line[i]);
            bf_bytes_done(&bytes);
        }
    }
    bf_bytes good = join(&whole);
    /* From behind the first line's time, which nothing covers. */
    for (size_t at = first_line(&good); at < good.size; at += 3) {
        uint8_t was = good.data[at];
        good.data[at] = was == '1' ? '2' : was == 'a' ? 'b' : '1';
        if (was != '\n' && test_audit_verify(&good, &small.key, NULL, &summary) == BF_OK && test_told[0] == '\0')
            fail_msg("byte %zu: %.60s", at, (const char *)good.data + at - 30);
        good.data[at] = was;
    }
    bf_bytes_done(&good);
    bf_bytes_done(&all);
}

static void memory_runs_out(void **state)
{
    (void)state;
    bf_verify_summary summary;
    test_audit_place_close(&small);
    test_audit_restore(&small, &small_file);
    test_audit_place_open(&small);
    test_audit_place_erase(&small, 6, true);
    bf_bytes all = test_audit_place_export(&small);
    bf_status status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth++) {
        assert_true(nth < 100);
        bf_alloc_fail_after(nth, 0);
        status = test_audit_verify(&all, &small.key, "x", &summary);
        bf_alloc_fail_after(0, 0);
        if (status == BF_INVALID_ARGUMENT)
            break;
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth++) {
        assert_true(nth < 100);
        bf_alloc_fail_after(nth, 0);
        status = test_audit_verify(&all, &small.key, NULL, &summary);
        bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OUT_OF_MEMORY || status == BF_OK);
    }
    assert_string_equal(test_told, "");
    bf_bytes_done(&all);
}

static bf_status take_nothing(void *context, const void *lines_read, size_t size, bf_error *err)
{
    (void)context;
    (void)lines_read;
    (void)size;
    (void)err;
    return BF_OK;
}

static bf_status refuse(void *context, const void *lines_read, size_t size, bf_error *err)
{
    (void)context;
    (void)lines_read;
    (void)size;
    return bf_fail(err, BF_IO_ERROR, "The disk is full.");
}

static void exports_that_fail(void **state)
{
    (void)state;
    bf_error err = {0};
    test_audit_restore(&large, &large_file);
    test_audit_place_open(&large);
    assert_int_equal(bf_audit_export(large.store, &large.key, refuse, NULL, &err), BF_IO_ERROR);
    assert_string_equal(err.message, "The disk is full.");
    bf_status status = BF_OUT_OF_MEMORY;
    for (size_t nth = 1; status != BF_OK; nth += nth < 300 ? 1 : 97) {
        assert_true(nth < 100000);
        bf_alloc_fail_after(nth, 0);
        status = bf_audit_export(large.store, &large.key, take_nothing, NULL, &err);
        bf_alloc_fail_after(0, 0);
        assert_true(status == BF_OK || status == BF_OUT_OF_MEMORY || status == BF_STORE_UNAVAILABLE);
    }
}

/* Appends and erases meanwhile. */
static void *go_on(void *context)
{
    test_audit_place *place = context;
    for (int i = 1; i < 200; i += 5) {
        test_audit_place_erase(place, i, true);
        test_audit_place_fill(place, 7);
    }
    return NULL;
}

static void the_server_goes_on(void **state)
{
    (void)state;
    test_audit_place place;
    bf_verify_summary summary = {0};
    pthread_t thread;
    int64_t sizes = 0;
    test_audit_place_new(&place, false);
    test_audit_place_fill(&place, 200);
    /* What is appended later has other requests' names. */
    place.number_from = 1000;
    assert_int_equal(pthread_create(&thread, NULL, go_on, &place), 0);
    for (int i = 0; i < 200 && summary.erased < 40; i++) {
        int64_t before = summary.size;
        bf_bytes all = test_audit_place_export(&place);
        assert_int_equal(test_audit_verify(&all, &place.key, NULL, &summary), BF_OK);
        assert_string_equal(test_told, "");
        sizes += summary.size != before;
        bf_bytes_done(&all);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(summary.erased, 40);
    assert_in_range(sizes, 2, 200);
    test_audit_place_done(&place);
}

/* The same rows come out of the other database. */
static void over_postgresql(void **state)
{
    (void)state;
    test_audit_place place;
    bf_verify_summary summary;
    if (!test_has_postgres())
        skip();
    test_audit_place_new(&place, true);
    test_audit_place_fill(&place, 270);
    test_audit_place_erase(&place, 11, true);
    bf_bytes all = test_audit_place_export(&place);
    assert_int_equal(test_audit_verify(&all, &place.key, NULL, &summary), BF_OK);
    assert_string_equal(test_told, "");
    assert_int_equal(summary.size, 272);
    bf_bytes_done(&all);
    test_store_place_run(&place.place, "UPDATE audit_leaf SET kind = 'x' WHERE idx = 7;"
                                       "UPDATE decision SET record = NULL WHERE audit_index = 21;"
                                       "UPDATE audit_node SET idx = 4000 WHERE level = 2 AND idx = 9;"
                                       "DELETE FROM audit_leaf WHERE idx = 100");
    all = test_audit_place_export(&place);
    assert_int_equal(test_audit_verify(&all, &place.key, NULL, &summary), BF_OK);
    assert_string_equal(test_told, "leaf 7: its column 'kind' was changed\n"
                                   "node 2/9, leaves 36 to 39: the hash of their subtree is missing\n"
                                   "leaf 100: missing\n"
                                   "hash of a subtree that does not exist: 2/4000\n"
                                   "leaf 21: the record of its decision was removed, and no erasure was logged in the "
                                   "leaves that can be trusted\n");
    bf_bytes_done(&all);
    test_audit_place_done(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log),
        cmocka_unit_test(kept_checkpoints),
        cmocka_unit_test(a_log_written_anew),
        cmocka_unit_test(against_a_kept_checkpoint),
        cmocka_unit_test(no_line_can_be_changed),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(exports_that_fail),
        cmocka_unit_test(the_server_goes_on),
        cmocka_unit_test(over_postgresql),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, set_up, tear_down);
}
