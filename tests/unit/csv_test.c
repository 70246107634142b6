#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "dataset/csv.h"

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/csv_test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/t.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder); /* fails when a test left something behind */
}

static void write_table(const void *text, size_t size)
{
    assert_int_equal(bf_bytes_write_file(path, text, size, NULL), BF_OK);
}

/* Reads everything as "a|b\n" for each row, header first; on failure the message. */
static const char *read_all(const void *text, size_t size)
{
    static char all[4096];
    bf_error err = {0};
    bf_csv_reader *reader = NULL;
    const bf_csv_field *row = NULL;
    size_t used = 0;
    write_table(text, size);
    bf_status status = bf_csv_open(path, &reader, &err);
    for (size_t i = 0; status == BF_OK && i < bf_csv_column_count(reader); i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? "|" : "", bf_csv_column(reader, i));
    while (status == BF_OK && (status = bf_csv_next(reader, &row, &err)) == BF_OK && row) {
        for (size_t i = 0; i < bf_csv_column_count(reader); i++) {
            assert_int_equal(strlen(row[i].text), row[i].size);
            used += (size_t)snprintf(all + used, sizeof all - used, "%c%s", i > 0 ? '|' : '\n', row[i].text);
        }
    }
    if (status == BF_OK)
        assert_int_equal(bf_csv_offset(reader), size);
    bf_csv_free(&reader);
    if (status == BF_OK)
        return all;
    assert_int_equal(err.status, BF_INVALID_ARGUMENT);
    const char *name = strstr(err.message, "t.csv");
    assert_non_null(name);
    (void)snprintf(all, sizeof all, "%s", name);
    return all;
}

#define READS(text, expected) assert_string_equal(read_all(text, sizeof(text) - 1), expected)

static void reads_what_rfc_4180_allows(void **state)
{
    (void)state;
    READS("a,b\n1,2\n", "a|b\n1|2");
    READS("a,b\r\n1,2\r\n", "a|b\n1|2");
    READS("a,b\n1,2", "a|b\n1|2");
    READS("a,b\n1,\n,2\n,", "a|b\n1|\n|2\n|");
    READS("\xef\xbb\xbf"
          "a,b\n1,2\n",
          "a|b\n1|2");
    READS("\"a\",\"b\"\n\"1\",\"2\"", "a|b\n1|2");
    READS("a,b\n\"x,y\",\"say \"\"no\"\"\"\n", "a|b\nx,y|say \"no\"");
    READS("a,b\n\"two\nlines\",\"two\r\nlines\"\n", "a|b\ntwo\nlines|two\r\nlines");
    READS("a,b\n\"\",\"\"\"\"\n", "a|b\n|\"");
    READS("a\n\"\"\n", "a\n");
    READS("a\n\n\r\nx\n\n", "a\nx");
    READS("a,b\n J\xc3\xbcrgen , \xe2\x82\xac \n", "a|b\n J\xc3\xbcrgen | \xe2\x82\xac ");
}

static void names_what_is_wrong_with_the_row(void **state)
{
    (void)state;
    READS("", "t.csv is empty.");
    READS("\n\n", "t.csv is empty.");
    READS("a,b\n1,2\n1\n", "t.csv, row 3: there are 1 values for 2 columns.");
    READS("a,b\n\n1,2,3\n", "t.csv, row 3: there are 3 values for 2 columns.");
    READS("a,\n", "t.csv, row 1: column 2 has no name.");
    READS("a,b,a\n", "t.csv, row 1: two columns are called 'a'.");
    READS("a;b\n1;2\n", "t.csv, row 1: the columns are not separated by commas.");
    READS("a,b\n1,\"2\n3,4\n", "t.csv, row 2: a quote is never closed.");
    READS("a,b\n1,2\"3\n", "t.csv, row 2: a quote stands where none may; write a value with quotes in it as "
                           "\"a \"\"word\"\"\".");
    READS("a,b\n1,\"2\"3\n", "t.csv, row 2: a quote stands where none may; write a value with quotes in it as "
                             "\"a \"\"word\"\"\".");
    READS("a,b\r1,2\r", "t.csv, row 1: a carriage return stands alone; end lines with LF or CR LF.");
    READS("a,b\n1,\0\n", "t.csv, row 2: there is a NUL byte; save the table as UTF-8 text.");
    READS("a,b\n1,\"\0\"\n", "t.csv, row 2: there is a NUL byte; save the table as UTF-8 text.");
    READS("a,b\n1,2\nJ\xfcrgen,2\n", "t.csv, row 3: value 1 is not UTF-8; save the table as UTF-8.");
}

static void enforces_its_limits(void **state)
{
    (void)state;
    static char text[(BF_CSV_ROW_BYTES_MAX + 1024) * 2];
    const size_t size = sizeof text;
    text[0] = 'a';
    text[1] = '\n';
    memset(text + 2, 'x', size - 2);
    assert_string_equal(read_all(text, size), "t.csv, row 2: the row is too long, or a quote is never closed.");
    text[2] = '"';
    assert_string_equal(read_all(text, size), "t.csv, row 2: the row is too long, or a quote is never closed.");
    assert_string_equal(read_all(text + 3, BF_CSV_FIELD_BYTES_MAX + 1),
                        "t.csv, row 1: value 1 has more than 65536 bytes.");
    memset(text, ',', BF_CSV_COLUMNS_MAX);
    assert_string_equal(read_all(text, BF_CSV_COLUMNS_MAX), "t.csv, row 1: there are too many columns.");
    memset(text, 'x', BF_CSV_NAME_BYTES_MAX + 1);
    assert_string_equal(read_all(text, BF_CSV_NAME_BYTES_MAX + 1),
                        "t.csv, row 1: the name of column 1 is longer than 128 bytes.");
}

static void missing_files_are_io_errors(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_csv_reader *reader = NULL;
    assert_int_equal(bf_csv_open("/nowhere/t.csv", &reader, &err), BF_IO_ERROR);
    assert_string_equal(err.message, "Cannot open /nowhere/t.csv: No such file or directory.");
    assert_int_equal(bf_csv_open(folder, &reader, &err), BF_IO_ERROR);
    assert_null(reader);
}

/* Rows of changing length over several buffers, so that each kind of end meets the end of a buffer. */
static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "a,b", "\"", "x\r\ny", "\n", " \xc3\xbc ", "\"\"x,", "plain", "\r"};
    const size_t rows = 60000, kinds = sizeof texts / sizeof *texts;
    bf_csv_writer *writer = NULL;
    assert_int_equal(bf_csv_create(path, &writer, NULL), BF_OK);
    for (int i = 0; i < 4; i++)
        bf_csv_put(writer, (const char *const[]){"first", "number", "raw", "last"}[i]);
    bf_csv_end_row(writer);
    for (size_t i = 0; i < rows; i++) {
        bf_csv_put(writer, texts[i % kinds]);
        char number[32];
        (void)snprintf(number, sizeof number, "%.17g", (double)i / 7);
        bf_csv_put(writer, number);
        bf_csv_put_raw(writer, "1", 1);
        bf_csv_put(writer, texts[i / kinds % kinds]);
        bf_csv_end_row(writer);
    }
    assert_int_equal(bf_csv_commit(writer, NULL), BF_OK);
    bf_csv_writer_free(&writer);
    bf_csv_reader *reader = NULL;
    const bf_csv_field *row = NULL;
    assert_int_equal(bf_csv_open(path, &reader, NULL), BF_OK);
    for (size_t i = 0; i < rows; i++) {
        double number = 0;
        assert_int_equal(bf_csv_next(reader, &row, NULL), BF_OK);
        assert_string_equal(row[0].text, texts[i % kinds]);
        assert_string_equal(row[3].text, texts[i / kinds % kinds]);
        assert_true(bf_csv_number(row[1], &number) && number == (double)i / 7);
        assert_int_equal(bf_csv_row(reader), i + 2);
    }
    assert_int_equal(bf_csv_next(reader, &row, NULL), BF_OK);
    assert_null(row);
    bf_csv_free(&reader);
}

/* An empty value alone in its row must not become an empty line. */
static void one_column_of_empty_values_survives(void **state)
{
    (void)state;
    bf_csv_writer *writer = NULL;
    assert_int_equal(bf_csv_create(path, &writer, NULL), BF_OK);
    bf_csv_put(writer, "a");
    bf_csv_end_row(writer);
    bf_csv_put(writer, NULL);
    bf_csv_end_row(writer);
    assert_int_equal(bf_csv_commit(writer, NULL), BF_OK);
    bf_csv_writer_free(&writer);
    bf_csv_reader *reader = NULL;
    const bf_csv_field *row = NULL;
    assert_int_equal(bf_csv_open(path, &reader, NULL), BF_OK);
    assert_int_equal(bf_csv_next(reader, &row, NULL), BF_OK);
    assert_non_null(row);
    bf_csv_free(&reader);
}

static void what_is_not_committed_leaves_nothing(void **state)
{
    (void)state;
    bf_csv_writer *writer = NULL;
    write_table("a\n1\n", 4);
    assert_int_equal(bf_csv_create(path, &writer, NULL), BF_OK);
    bf_csv_put(writer, "b");
    bf_csv_end_row(writer);
    bf_csv_writer_free(&writer);
    READS("a\n1\n", "a\n1"); /* and remove_folder finds nothing else */
    bf_error err = {0};
    assert_int_equal(bf_csv_create("/nowhere/t.csv", &writer, &err), BF_IO_ERROR);
    assert_null(writer);
}

static void a_full_disk_is_reported(void **state)
{
    (void)state;
    char big[4096];
    memset(big, 'x', sizeof big);
    struct stat info;
    if (stat("/dev/full", &info) != 0)
        skip();
    bf_csv_writer *writer = NULL;
    assert_int_equal(bf_csv_create(path, &writer, NULL), BF_OK);
    /* The writer's own descriptor is the newest one. */
    int newest = dup(STDERR_FILENO) - 1;
    assert_int_equal(close(newest + 1), 0);
    FILE *full = fopen("/dev/full", "we");
    assert_non_null(full);
    assert_int_equal(dup2(fileno(full), newest), newest);
    (void)fclose(full);
    for (int i = 0; i < 200; i++)
        bf_csv_put_raw(writer, big, sizeof big);
    bf_error err = {0};
    assert_int_equal(bf_csv_commit(writer, &err), BF_IO_ERROR);
    assert_non_null(strstr(err.message, "No space left on device"));
    bf_csv_writer_free(&writer);
}

static bool number(const char *text, double *ret)
{
    return bf_csv_number((bf_csv_field){text, strlen(text)}, ret);
}

static void numbers_are_the_nearest_doubles(void **state)
{
    (void)state;
    static const char *const good[] = {"0",
                                       "-0",
                                       "1",
                                       "+1",
                                       "12.5",
                                       ".5",
                                       "5.",
                                       "0.1",
                                       "-3.25e-7",
                                       "1E3",
                                       "1e-320",
                                       "123456789012345.678",
                                       "0.000000000000001",
                                       "1e22",
                                       "1e308"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value = NAN;
        assert_true(number(good[i], &value));
        assert_true(value == strtod(good[i], NULL));
    }
    /* The fast way and strtod agree on every form that the writer gives. */
    for (unsigned i = 0; i < 200000; i++) {
        char text[48];
        double value = NAN, exact = (double)(i * 2654435761u) / 4294967296.0 * (i % 3 ? 1 : -100);
        (void)snprintf(text, sizeof text, "%.*g", (int)(1 + i % 17), exact);
        assert_true(number(text, &value) && value == strtod(text, NULL));
    }
    static const char *const bad[] = {"",     "-",   ".",  "nan", "inf", "1e",    "1e999",
                                      "0x10", "1,5", " 1", "1 ",  "--1", "1.2.3", "e5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double value = 42;
        assert_false(number(bad[i], &value));
        assert_true(value == 42);
    }
}

static void each_failed_allocation_is_an_error(void **state)
{
    (void)state;
    write_table("a,b\n1,2\n", 8);
    bool done = false;
    for (size_t nth = 1; !done && nth < 100; nth++) {
        bf_csv_reader *reader = NULL;
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_csv_open(path, &reader, NULL);
        done = status == BF_OK;
        assert_true(done || status == BF_OUT_OF_MEMORY);
        assert_true(done == (reader != NULL));
        bf_csv_free(&reader);
    }
    for (size_t nth = 1; nth <= 3; nth++) {
        bf_csv_writer *writer = NULL;
        bf_alloc_fail_after(nth, 0);
        assert_int_equal(bf_csv_create(path, &writer, NULL), BF_OUT_OF_MEMORY);
        assert_null(writer);
    }
    bf_alloc_fail_after(0, 0);
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_rfc_4180_allows, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(names_what_is_wrong_with_the_row, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(enforces_its_limits, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(missing_files_are_io_errors, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(one_column_of_empty_values_survives, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_not_committed_leaves_nothing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_full_disk_is_reported, make_folder, remove_folder),
        cmocka_unit_test(numbers_are_the_nearest_doubles),
        cmocka_unit_test_setup_teardown(each_failed_allocation_is_an_error, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
