/* Reading tables for fitting, dealing persons into folds, and writing the table back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fit/folds.h"
#include "fit/table.h"

#define HEADER                                                                                                         \
    "sample_id,label,attack_type,person_id,source,status,score,split,raw.b,llr.b,state.b,raw.a,quality_passed\n"
/* Three persons bona fide, two of attacks; the last row is of another split. */
#define ROWS                                                                                                           \
    "s1,live,,p1,x,ok,90,train,1.5,0.5,present,7,true\n"                                                               \
    "s2,live,,p2,x,ok,80,train,1.25,0.25,present,,false\n"                                                             \
    "s3,live,,p3,y,ok,70,train,,,not_applicable,3,\n"                                                                  \
    "s4,spoof,print,p4,x,ok,10,train,-2,-1,present,2,true\n"                                                           \
    "s5,spoof,replay,p5,y,ok,20,train,-1,,present,1,true\n"                                                            \
    "s6,spoof,print,p5,y,ok,30,train,-3,-1,present,0,true\n"                                                           \
    "s7,live,,p6,y,ok,30,test,-3,-1,present,0,true\n"

static char folder[] = "/tmp/fit_table_XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/scores.csv", folder);
    (void)snprintf(other, sizeof other, "%s/out.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(other);
    return rmdir(folder);
}

static bf_status read_text(const char *text, const char *split, bf_fit_table *ret, bf_error *err)
{
    const bf_fit_options options = {.split = split};
    assert_int_equal(bf_bytes_write_file(path, text, strlen(text), err), BF_OK);
    return bf_fit_table_read(ret, path, &options, err);
}

static int row_with(const bf_fit_table *table, double score)
{
    for (size_t i = 0; i < table->scores.count; i++) {
        if (table->scores.row[i].score == score)
            return (int)i;
    }
    return -1;
}

static void test_each_value_is_where_it_belongs(void **state)
{
    bf_fit_table t = {0};
    (void)state;
    assert_int_equal(read_text(HEADER ROWS, NULL, &t, NULL), BF_OK);
    assert_string_equal(t.scores.split, "train");
    assert_int_equal(t.scores.count, 6);
    assert_int_equal(t.scores.other_split, 1);
    assert_int_equal(t.classes[0], 3);
    assert_int_equal(t.classes[1], 3);
    assert_int_equal(t.scores.persons, 5);
    assert_int_equal(t.detectors, 2);
    assert_string_equal(t.detector[0], "a");
    assert_int_equal(bf_fit_detector(&t, "b"), 1);
    assert_int_equal(bf_fit_detector(&t, "c"), -1);
    int first = row_with(&t, 90), second = row_with(&t, 80), third = row_with(&t, 70), fifth = row_with(&t, 20);
    assert_true(t.raw[2 * first] == 7 && t.raw[2 * first + 1] == 1.5 && t.llr[2 * first + 1] == 0.5);
    assert_true(isnan(t.llr[2 * first]) && isnan(t.raw[2 * second]) && isnan(t.raw[2 * third + 1]));
    assert_true(t.raw[2 * fifth + 1] == -1 && isnan(t.llr[2 * fifth + 1]));
    assert_int_equal(t.file_row[first], 2);
    assert_int_equal(t.quality_passed[first], 1);
    assert_int_equal(t.quality_passed[second], 0);
    assert_int_equal(t.quality_passed[third], BF_QUALITY_UNKNOWN);
    bf_fit_table_done(&t);
    assert_int_equal(read_text(HEADER "s0,live,,p1,x,ok,9,,1,,present,7,\ns9,spoof,print,p2,x,ok,8,,1,,present,7,\n",
                               NULL, &t, NULL),
                     BF_OK);
    assert_string_equal(t.scores.split, "");
    assert_int_equal(t.scores.count, 2);
    bf_fit_table_done(&t);
}

static void test_the_order_of_rows_makes_no_difference(void **state)
{
    bf_fit_table a = {0}, b = {0};
    char lines[] = ROWS, text[sizeof HEADER ROWS], *line[8];
    size_t count = 0;
    (void)state;
    for (char *at = strtok(lines, "\n"); at; at = strtok(NULL, "\n"))
        line[count++] = at;
    (void)snprintf(text, sizeof text, "%s", HEADER);
    while (count > 0) {
        strncat(text, line[--count], sizeof text - strlen(text) - 1);
        strncat(text, "\n", sizeof text - strlen(text) - 1);
    }
    assert_int_equal(read_text(HEADER ROWS, NULL, &a, NULL), BF_OK);
    assert_int_equal(read_text(text, NULL, &b, NULL), BF_OK);
    assert_int_equal(a.scores.count, b.scores.count);
    assert_memory_equal(a.raw, b.raw, a.scores.count * 2 * sizeof *a.raw);
    for (size_t i = 0; i < a.scores.count; i++) {
        assert_true(a.scores.row[i].score == b.scores.row[i].score);
        assert_int_equal(a.scores.row[i].person, b.scores.row[i].person);
        assert_int_equal(a.scores.row[i].kind, b.scores.row[i].kind);
    }
    bf_fit_table_done(&a);
    bf_fit_table_done(&b);
}

static void test_bad_tables_are_refused(void **state)
{
    static const struct {
        const char *text, *split, *message;
    } cases[] = {
        {HEADER ROWS, "test", "a split called 'test'"},
        {HEADER ROWS, "Test", "a split called 'Test'"},
        {HEADER ROWS, "dev", "no row that counts in the split dev"},
        {HEADER ROWS "s8,live,,p1,x,ok,90,,1,,present,7,\n", NULL, "row 9: This row has no split"},
        {HEADER ROWS "s8,liveish,,p1,x,ok,90,train,1,,present,7,\n", NULL, "row 9: label is 'liveish'"},
        {HEADER ROWS "s1,live,,p1,x,ok,90,train,1,,present,7,\n", NULL, "row 9: The sample_id 's1'"},
        {HEADER ROWS "s8,live,,p1,x,ok,90,train,nan,,present,7,\n", NULL, "row 9: raw.b is 'nan'"},
        {HEADER ROWS "s8,live,,p1,x,ok,90,train,1,,present,1e13,\n", NULL, "row 9: raw.a is '1e13'"},
        {HEADER ROWS "s8,live,,p1,x,ok,90,train,,,present,7,\n", NULL, "row 9: state.b is present, but raw.b"},
        {HEADER ROWS "s8,live,,p1,x,ok,90,train,1,,there,7,\n", NULL, "row 9: state.b is 'there'"},
        {HEADER ROWS "s8,live,,p1,x,ok,90,train,1,,present,7,yes\n", NULL, "row 9: quality_passed is 'yes'"},
        {HEADER "s1,live,,p1,x,ok,90,train,1,,present,7,\n", NULL, "has bona fide presentations only"},
        {HEADER "s1,live,,p1,x,ok,9,,1,,present,7,\ns2,spoof,,p1,x,ok,9,,1,,present,7,\n", NULL, "of one person only"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_fit_table t = {0};
        bf_error err = {0};
        assert_int_equal(read_text(cases[i].text, cases[i].split, &t, &err), BF_INVALID_ARGUMENT);
        if (!strstr(err.message, cases[i].message))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].message);
        assert_null(t.raw);
    }
}

static void test_weights_are_even(void **state)
{
    bf_fit_table t = {0};
    double weight[6], sum[2] = {0};
    bool use[6];
    (void)state;
    assert_int_equal(read_text(HEADER ROWS, NULL, &t, NULL), BF_OK);
    assert_int_equal(bf_fit_weights(&t, NULL, weight, NULL), BF_OK);
    for (size_t i = 0; i < 6; i++)
        sum[t.scores.row[i].kind > 0] += weight[i];
    assert_true(fabs(sum[0] - 3) < 1e-12 && fabs(sum[1] - 3) < 1e-12);
    /* Source x has two of the three bona fide rows, y one: sqrt(2) to 1. */
    assert_true(fabs(weight[row_with(&t, 90)] * 2 / weight[row_with(&t, 70)] - sqrt(2)) < 1e-12);
    for (size_t i = 0; i < 6; i++)
        use[i] = t.scores.row[i].kind == 0;
    assert_int_equal(bf_fit_weights(&t, use, weight, NULL), BF_OK);
    for (size_t i = 0; i < 6; i++)
        assert_true(weight[i] == 0);
    bf_fit_table_done(&t);
}

static void test_the_table_is_written_back(void **state)
{
    bf_fit_table t = {0};
    bf_bytes bytes = {0};
    double value[6];
    (void)state;
    assert_int_equal(read_text(HEADER ROWS, NULL, &t, NULL), BF_OK);
    for (size_t i = 0; i < 6; i++)
        value[i] = t.scores.row[i].score == 70 ? NAN : t.scores.row[i].score / 8;
    const bf_fit_column columns[] = {{"llr.b", value, 1}, {"new", value, 1}};
    assert_int_equal(bf_fit_table_rewrite(&t, path, other, columns, 2, NULL), BF_OK);
    assert_int_equal(bf_bytes_read_file(&bytes, other, 1 << 20, NULL), BF_OK);
    const char *text = (const char *)bytes.data;
    assert_non_null(strstr(text, ",quality_passed,new\ns1,live,,p1,x,ok,90,train,1.5,11.25,present,7,true,11.25\n"));
    assert_non_null(strstr(text, "s3,live,,p3,y,ok,70,train,,,not_applicable,3,,\n"));
    assert_null(strstr(text, "s7"));
    bf_bytes_done(&bytes);
    bf_fit_table_done(&t);
}

/* `persons` persons with three rows each, of which every third is a person of attacks; sources by person. */
static void make_table(bf_fit_table *ret, int persons)
{
    static char text[200000];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", HEADER);
    for (int i = 0; i < 3 * persons; i++) {
        int person = i / 3, attack = person % 3 == 0;
        used += (size_t)snprintf(text + used, sizeof text - used, "s%d,%s,%s,p%d,%s,ok,50,,1,,present,2,\n", i,
                                 attack ? "spoof" : "live", attack ? (person % 2 ? "print" : "replay") : "", person,
                                 person % 4 == 0 ? "x" : "y");
    }
    assert_int_equal(read_text(text, NULL, ret, NULL), BF_OK);
}

static void test_folds_hold_persons_apart(void **state)
{
    bf_fit_table t = {0};
    bf_folds folds = {0}, again = {0}, others = {0};
    size_t held[BF_FOLDS_MAX][2] = {0};
    (void)state;
    make_table(&t, 60);
    assert_int_equal(bf_folds_by_person(&folds, &t, 5, 1, NULL), BF_OK);
    assert_int_equal(bf_folds_by_person(&again, &t, 5, 1, NULL), BF_OK);
    assert_int_equal(bf_folds_by_person(&others, &t, 5, 2, NULL), BF_OK);
    assert_int_equal(folds.count, 5);
    assert_memory_equal(folds.fold, again.fold, t.scores.count * sizeof *folds.fold);
    assert_memory_not_equal(folds.fold, others.fold, t.scores.count * sizeof *folds.fold);
    for (size_t i = 0; i < t.scores.count; i++) {
        held[folds.fold[i]][t.scores.row[i].kind > 0]++;
        for (size_t j = 0; j < i; j++)
            assert_true(t.scores.row[i].person != t.scores.row[j].person || folds.fold[i] == folds.fold[j]);
    }
    for (size_t f = 0; f < 5; f++) {
        assert_int_equal(held[f][0], 24); /* 40 persons of three rows */
        assert_int_equal(held[f][1], 12);
    }
    bf_folds_done(&folds);
    bf_folds_done(&again);
    bf_folds_done(&others);
    bf_fit_table_done(&t);
}

/* With few persons there are fewer folds, and each leaves both classes to fit on. */
static void test_folds_of_few_persons(void **state)
{
    bf_folds folds = {0};
    bf_error err = {0};
    (void)state;
    for (int persons = 4; persons < 12; persons++) {
        bf_fit_table t = {0};
        make_table(&t, persons);
        assert_int_equal(bf_folds_by_person(&folds, &t, 20, 7, NULL), BF_OK);
        assert_in_range(folds.count, 2, 4);
        for (size_t f = 0; f < folds.count; f++) {
            size_t rest[2] = {0};
            for (size_t i = 0; i < t.scores.count; i++)
                rest[t.scores.row[i].kind > 0] += folds.fold[i] != f;
            assert_true(rest[0] > 0 && rest[1] > 0 && rest[0] + rest[1] < t.scores.count);
        }
        bf_folds_done(&folds);
        bf_fit_table_done(&t);
    }
    bf_fit_table t = {0};
    make_table(&t, 3);
    assert_int_equal(bf_folds_by_person(&folds, &t, 5, 7, &err), BF_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "one person has attack"));
    bf_fit_table_done(&t);
}

static void test_sources_are_held_out(void **state)
{
    bf_fit_table t = {0};
    bf_folds folds = {0};
    (void)state;
    make_table(&t, 12);
    assert_int_equal(bf_folds_by_source(&folds, &t, NULL), BF_OK);
    assert_int_equal(folds.count, 2);
    bf_folds_done(&folds);
    bf_fit_table_done(&t);
    assert_int_equal(
        read_text("sample_id,label,person_id,status,score\na,live,p,ok,1\nb,spoof,q,ok,1\n", NULL, &t, NULL), BF_OK);
    assert_int_equal(bf_folds_by_source(&folds, &t, NULL), BF_INVALID_ARGUMENT);
    bf_fit_table_done(&t);
}

static void test_each_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        bf_fit_table t = {0};
        bf_folds folds = {0};
        bf_error err = {0};
        const bf_fit_options options = {0};
        assert_int_equal(bf_bytes_write_file(path, HEADER ROWS, strlen(HEADER ROWS), NULL), BF_OK);
        (void)bf_alloc_fail_after(nth, 1);
        bf_status status = bf_fit_table_read(&t, path, &options, &err);
        if (status == BF_OK)
            status = bf_folds_by_person(&folds, &t, 2, 1, &err);
        if (status == BF_OK)
            status = bf_fit_table_rewrite(&t, path, other, NULL, 0, &err);
        (void)bf_alloc_fail_after(0, 0);
        bf_folds_done(&folds);
        bf_fit_table_done(&t);
        if (status == BF_OK)
            return;
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_value_is_where_it_belongs),
        cmocka_unit_test(test_the_order_of_rows_makes_no_difference),
        cmocka_unit_test(test_bad_tables_are_refused),
        cmocka_unit_test(test_weights_are_even),
        cmocka_unit_test(test_the_table_is_written_back),
        cmocka_unit_test(test_folds_hold_persons_apart),
        cmocka_unit_test(test_folds_of_few_persons),
        cmocka_unit_test(test_sources_are_held_out),
        cmocka_unit_test(test_each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
