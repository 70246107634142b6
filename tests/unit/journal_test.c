#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "dataset/journal.h"

#define HEADER "status,score"

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/journal_test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/j.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static bf_journal *open_journal(void)
{
    bf_journal *journal = NULL;
    bf_error err = {0};
    if (bf_journal_open(path, HEADER, &journal, &err) != BF_OK)
        fail_msg("%s", err.message);
    return journal;
}

/* The key of sample `number`; valid until the next call. */
static bf_journal_key key_of(int number)
{
    static char hash[65];
    (void)snprintf(hash, sizeof hash, "%064d", number);
    return (bf_journal_key){hash, "", number % 2 ? "kiosk" : ""};
}

static void add(bf_journal *journal, int number)
{
    char text[64];
    int size = snprintf(text, sizeof text, "ok,%d.5", number);
    bf_journal_key key = key_of(number);
    assert_int_equal(bf_journal_add(journal, &key, text, (size_t)size, NULL), BF_OK);
}

static const char *get(bf_journal *journal, int number)
{
    static char text[64];
    size_t used = 0;
    bf_journal_key key = key_of(number);
    if (!bf_journal_has(journal, &key))
        return "(none)";
    assert_int_equal(bf_journal_get(journal, &key, text, sizeof text - 1, &used, NULL), BF_OK);
    text[used] = '\0';
    return text;
}

static void what_was_added_is_there_again(void **state)
{
    (void)state;
    bf_journal *journal = open_journal();
    assert_string_equal(get(journal, 1), "(none)");
    for (int i = 0; i < 3000; i++)
        add(journal, i);
    assert_string_equal(get(journal, 2999), "ok,2999.5");
    bf_journal_free(&journal);
    journal = open_journal();
    for (int i = 0; i < 3000; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "ok,%d.5", i);
        assert_string_equal(get(journal, i), expected);
    }
    bf_journal_key other = {key_of(2).sha256, "", "kiosk"};
    assert_false(bf_journal_has(journal, &other));
    bf_journal_free(&journal);
}

/* The journal cut at every byte of its last two rows: what is whole is kept, and the next judgement is found again. */
static void a_crash_at_any_byte_loses_one_row_at_most(void **state)
{
    (void)state;
    bf_journal *journal = open_journal();
    for (int i = 0; i < 3; i++)
        add(journal, i);
    bf_journal_free(&journal);
    bf_bytes whole = {0};
    assert_int_equal(bf_bytes_read_file(&whole, path, 1 << 20, NULL), BF_OK);
    for (size_t size = whole.size - 150; size <= whole.size; size++) {
        assert_int_equal(bf_bytes_write_file(path, whole.data, size, NULL), BF_OK);
        journal = open_journal();
        assert_string_equal(get(journal, 0), "ok,0.5");
        const char *last = get(journal, 2);
        assert_string_equal(last, size == whole.size ? "ok,2.5" : "(none)");
        add(journal, 7);
        bf_journal_free(&journal);
        journal = open_journal();
        assert_string_equal(get(journal, 7), "ok,7.5");
        assert_string_equal(get(journal, 0), "ok,0.5");
        bf_journal_free(&journal);
    }
    bf_bytes_done(&whole);
}

/* After a power failure a file may end in zeros. */
static void garbage_at_the_end_is_dropped(void **state)
{
    (void)state;
    bf_journal *journal = open_journal();
    add(journal, 1);
    bf_journal_free(&journal);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    static const char zeros[100];
    assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
    (void)close(fd);
    journal = open_journal();
    assert_string_equal(get(journal, 1), "ok,1.5");
    add(journal, 2);
    bf_journal_free(&journal);
    journal = open_journal();
    assert_string_equal(get(journal, 2), "ok,2.5");
    bf_journal_free(&journal);
}

static void other_columns_start_anew(void **state)
{
    (void)state;
    bf_journal *journal = open_journal();
    add(journal, 1);
    bf_journal_free(&journal);
    assert_int_equal(bf_journal_open(path, "status,score,more", &journal, NULL), BF_OK);
    assert_string_equal(get(journal, 1), "(none)");
    bf_journal_free(&journal);
    assert_int_equal(bf_bytes_write_file(path, "", 0, NULL), BF_OK);
    journal = open_journal();
    add(journal, 1);
    assert_string_equal(get(journal, 1), "ok,1.5");
    bf_journal_free(&journal);
}

/* Two processes that add at once: every row of both is whole. */
static void processes_share_a_journal(void **state)
{
    (void)state;
    bf_journal *journal = open_journal();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bf_journal *own = NULL;
        if (bf_journal_open(path, HEADER, &own, NULL) != BF_OK)
            _exit(1);
        for (int i = 0; i < 500; i++)
            add(own, 10000 + i);
        _exit(0);
    }
    for (int i = 0; i < 500; i++)
        add(journal, i);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 500; i++)
        assert_string_not_equal(get(journal, i), "(none)");
    bf_journal_free(&journal);
    journal = open_journal();
    for (int i = 0; i < 500; i++) {
        assert_string_not_equal(get(journal, i), "(none)");
        assert_string_not_equal(get(journal, 10000 + i), "(none)");
    }
    bf_journal_free(&journal);
}

static void an_unwritable_place_is_an_error(void **state)
{
    (void)state;
    bf_journal *journal = NULL;
    assert_int_equal(bf_journal_open("/nowhere/j.csv", HEADER, &journal, NULL), BF_IO_ERROR);
    assert_null(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_added_is_there_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_crash_at_any_byte_loses_one_row_at_most, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(garbage_at_the_end_is_dropped, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(other_columns_start_anew, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(processes_share_a_journal, make_folder, remove_folder),
        cmocka_unit_test(an_unwritable_place_is_an_error),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
