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
#include "dataset/split.h"
#include "support/images.h"

#define SAMPLES 1200

static char folder[64], manifest[128], table[128];
static bf_dataset dataset;
static bf_problems problems;

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/split_test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(manifest, sizeof manifest, "%s/manifest.csv", folder);
    (void)snprintf(table, sizeof table, "%s/split.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(table);
    (void)unlink(manifest);
    bf_dataset_done(&dataset);
    bf_problems_done(&problems);
    return rmdir(folder);
}

static void read_text(const char *text)
{
    bf_dataset_done(&dataset);
    bf_problems_done(&problems);
    assert_int_equal(bf_bytes_write_file(manifest, text, strlen(text), NULL), BF_OK);
    const bf_dataset_options options = {.path = folder};
    assert_int_equal(bf_dataset_read(&options, &dataset, &problems, NULL), BF_OK);
    assert_int_equal(problems.errors, 0);
}

/* 120 persons with 10 samples each, on one of 6 devices each, live or one of 4 attack types, over 200 days. Rows come
 * in steps of `step`, which is prime to their number. */
static void make_dataset(size_t step)
{
    static char text[SAMPLES * 160];
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "sample_id,path,label,attack_type,person_id,platform,device_class,captured_at\n");
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t n = i * step % SAMPLES, person = n / 10, kind = n % 10;
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "s%zu,%zu.jpg,%s,%s,p%zu,%s,%s,2026-%02zu-%02zu\n", n, n,
                             kind < 5 ? "live" : "spoof",
                             kind < 5 ? "" : (const char *[]){"print", "replay", "mask", "print", "cutout"}[kind - 5],
                             person, person % 2 ? "android" : "ios", (const char *[]){"low", "mid", "high"}[person % 3],
                             1 + n / 200, 1 + person % 28);
    }
    read_text(text);
}

static bf_split_plan plan_of(bf_split_by by, uint64_t seed, const char *parts)
{
    bf_split_plan plan = {.by = by, .seed = seed};
    assert_int_equal(bf_split_parts(parts, &plan, NULL), BF_OK);
    return plan;
}

static bf_split make(bf_split_by by, uint64_t seed)
{
    bf_split split = {0};
    bf_error err = {0};
    bf_split_plan plan = plan_of(by, seed, "train=60,validation=20,test=20");
    if (bf_split_make(&dataset, NULL, &plan, &split, &err) != BF_OK)
        fail_msg("%s", err.message);
    return split;
}

static size_t count(const bf_split *split, const char *part, const char *type)
{
    size_t found = 0;
    for (size_t i = 0; i < dataset.count; i++)
        found += strcmp(split->part[i], part) == 0 &&
                 (!type || strcmp(dataset.sample[i].value[BF_COLUMN_ATTACK_TYPE], type) == 0);
    return found;
}

static const char *part_of(const bf_split *split, const char *id)
{
    for (size_t i = 0; i < dataset.count; i++) {
        if (strcmp(dataset.sample[i].value[BF_COLUMN_SAMPLE_ID], id) == 0)
            return split->part[i];
    }
    return "(none)";
}

static void no_split_leaks(void **state)
{
    (void)state;
    make_dataset(1);
    for (int by = BF_SPLIT_PERSON; by <= BF_SPLIT_TIME; by++) {
        for (uint64_t seed = 0; seed < 5; seed++) {
            bf_split split = make((bf_split_by)by, seed);
            assert_int_equal(bf_leaks_review(&dataset, NULL, split.part, &problems, NULL), BF_OK);
            assert_int_equal(problems.errors, 0);
            assert_int_equal(split.groups, 120);
            assert_memory_equal(split.id, bf_split_by_name((bf_split_by)by), strlen(bf_split_by_name((bf_split_by)by)));
            bf_split_done(&split);
        }
    }
}

static void every_part_gets_its_share_of_everything(void **state)
{
    (void)state;
    make_dataset(1);
    bf_split split = make(BF_SPLIT_PERSON, 9);
    assert_int_equal(split.left_out, 0);
    assert_in_range(count(&split, "train", NULL), 700, 740);
    assert_in_range(count(&split, "test", NULL), 220, 260);
    assert_in_range(count(&split, "test", "mask"), 22, 26);
    assert_in_range(count(&split, "validation", "print"), 44, 52);
    bf_split_done(&split);
}

static void seed_and_content_alone_decide(void **state)
{
    (void)state;
    make_dataset(1);
    bf_split first = make(BF_SPLIT_PERSON, 4), other = make(BF_SPLIT_PERSON, 5);
    assert_string_not_equal(first.id, other.id);
    char id[BF_SPLIT_ID_SIZE];
    memcpy(id, first.id, sizeof id);
    bf_split_done(&first);
    bf_split_done(&other);
    make_dataset(7);
    bf_split permuted = make(BF_SPLIT_PERSON, 4);
    assert_string_equal(permuted.id, id);
    bf_split_done(&permuted);
}

static void devices_are_apart(void **state)
{
    (void)state;
    make_dataset(1);
    bf_split split = make(BF_SPLIT_DEVICE, 2);
    for (size_t i = 0; i < dataset.count; i++) {
        for (size_t k = 0; k < i; k += 7) {
            const bf_sample *a = &dataset.sample[i], *b = &dataset.sample[k];
            if (split.part[i][0] && split.part[k][0] && split.part[i] != split.part[k])
                assert_true(a->value[BF_COLUMN_PLATFORM] != b->value[BF_COLUMN_PLATFORM] ||
                            a->value[BF_COLUMN_DEVICE_CLASS] != b->value[BF_COLUMN_DEVICE_CLASS]);
        }
    }
    bf_split_done(&split);
}

static void held_out_attacks_are_only_in_the_last_part(void **state)
{
    (void)state;
    make_dataset(1);
    static const char *const held_out[] = {"mask", NULL};
    bf_split_plan plan = plan_of(BF_SPLIT_SCENARIO, 1, "train=50,test=50");
    plan.held_out = held_out;
    bf_split split = {0};
    assert_int_equal(bf_split_make(&dataset, NULL, &plan, &split, NULL), BF_OK);
    assert_int_equal(count(&split, "train", "mask"), 0);
    assert_int_equal(count(&split, "test", "print") + count(&split, "test", "replay"), 0);
    /* Every person has all attacks here: half of them are left out, the live samples are not. */
    assert_in_range(count(&split, "test", "mask"), 55, 65);
    assert_in_range(count(&split, "train", "print"), 110, 130);
    assert_int_equal(count(&split, "test", "") + count(&split, "train", ""), 600);
    bf_split_done(&split);
    static const char *const unknown[] = {"doll", NULL};
    bf_error err = {0};
    plan.held_out = unknown;
    assert_int_equal(bf_split_make(&dataset, NULL, &plan, &split, &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.message, "No sample has the attack type 'doll'.");
}

static void later_parts_are_later(void **state)
{
    (void)state;
    make_dataset(1);
    bf_split split = make(BF_SPLIT_TIME, 1);
    int64_t last_train = INT64_MIN, first_test = INT64_MAX;
    for (size_t i = 0; i < dataset.count; i++) {
        int64_t at = dataset.sample[i].captured_s;
        if (strcmp(split.part[i], "train") == 0 && at > last_train)
            last_train = at;
        if (strcmp(split.part[i], "test") == 0 && at < first_test)
            first_test = at;
    }
    assert_true(last_train < first_test);
    bf_split_done(&split);
}

static void tied_samples_stay_together(void **state)
{
    (void)state;
    /* a-b by person, b-c by session, c-d by bytes: one group; e and f are free. */
    read_text("sample_id,path,label,person_id,session_id,sha256\n"
              "a,a,live,p,,\nb,b,live,p,s,\n"
              "c,c,live,,s,00000000000000000000000000000000000000000000000000000000000000aa\n"
              "d,d,live,,,00000000000000000000000000000000000000000000000000000000000000aa\n"
              "e,e,live,q,,\nf,f,live,r,,\n");
    bf_split_plan plan = plan_of(BF_SPLIT_PERSON, 1, "x=1,y=1");
    bf_split split = {0};
    assert_int_equal(bf_split_make(&dataset, NULL, &plan, &split, NULL), BF_OK);
    assert_int_equal(split.groups, 3);
    const char *part = part_of(&split, "a");
    assert_string_equal(part_of(&split, "b"), part);
    assert_string_equal(part_of(&split, "c"), part);
    assert_string_equal(part_of(&split, "d"), part);
    bf_split_done(&split);
}

static void what_cannot_be_cut_is_refused(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_split split = {0};
    read_text("path,label,person_id\na,live,p\nb,live,p\n");
    bf_split_plan plan = plan_of(BF_SPLIT_PERSON, 1, "x=1,y=1");
    assert_int_equal(bf_split_make(&dataset, NULL, &plan, &split, &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.message, "Nothing is left for the part 'y': there are 2 samples in 1 groups.");
    plan.by = BF_SPLIT_DEVICE;
    assert_int_equal(bf_split_make(&dataset, NULL, &plan, &split, &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.message, "There are 0 devices for 2 parts.");
    plan.by = BF_SPLIT_SCENARIO;
    assert_int_equal(bf_split_make(&dataset, NULL, &plan, &split, &err), BF_INVALID_ARGUMENT);
    plan.by = BF_SPLIT_TIME;
    assert_int_equal(bf_split_make(&dataset, NULL, &plan, &split, &err), BF_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "row 2: captured_at is empty"));
    static const char *const bad[] = {"",        "a",       "a=1",      "a=1,a=2", "a=0,b=1",
                                      "A=1,b=1", "a=1,b=x", "a=-1,b=2", "a=1 b=2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(bf_split_parts(bad[i], &plan, &err), BF_INVALID_ARGUMENT);
}

static void a_written_split_is_read_again(void **state)
{
    (void)state;
    make_dataset(1);
    bf_split split = make(BF_SPLIT_DEVICE, 3), again = {0};
    assert_int_equal(bf_split_write(table, &dataset, &split, NULL), BF_OK);
    make_dataset(11);
    assert_int_equal(bf_split_read(table, &dataset, &again, &problems, NULL), BF_OK);
    assert_int_equal(problems.errors + problems.warnings, 0);
    assert_string_equal(strchr(again.id, '@'), strchr(split.id, '@'));
    bf_split_done(&split);
    bf_split_done(&again);
}

static void a_split_of_another_dataset_is_named(void **state)
{
    (void)state;
    read_text("sample_id,path,label\na,a,live\nb,b,live\n");
    bf_split split = {0};
    bf_error err = {0};
    static const char stale[] = "sample_id,split\na,train\nz,test\n";
    assert_int_equal(bf_bytes_write_file(table, stale, sizeof stale - 1, NULL), BF_OK);
    assert_int_equal(bf_split_read(table, &dataset, &split, &problems, &err), BF_OK);
    assert_int_equal(problems.errors, 1);
    assert_non_null(strstr(problems.problem[0].text, "row 3: the dataset has no sample 'z'; make a new split."));
    assert_int_equal(problems.warnings, 1);
    bf_split_done(&split);
    static const char twice[] = "sample_id,split\na,train\na,test\n";
    assert_int_equal(bf_bytes_write_file(table, twice, sizeof twice - 1, NULL), BF_OK);
    assert_int_equal(bf_split_read(table, &dataset, &split, &problems, &err), BF_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "row 3: sample 'a' was named before."));
    static const char other[] = "id,split\na,train\n";
    assert_int_equal(bf_bytes_write_file(table, other, sizeof other - 1, NULL), BF_OK);
    assert_int_equal(bf_split_read(table, &dataset, &split, &problems, &err), BF_INVALID_ARGUMENT);
}

static void each_failed_allocation_is_an_error(void **state)
{
    (void)state;
    read_text("path,label,person_id\na,live,p\nb,live,q\nc,spoof/x,r\n");
    bf_split_plan plan = plan_of(BF_SPLIT_PERSON, 1, "x=1,y=1");
    bool done = false;
    for (size_t nth = 1; !done && nth < 200; nth++) {
        bf_split split = {0};
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_split_make(&dataset, NULL, &plan, &split, NULL);
        done = status == BF_OK;
        assert_true(done || status == BF_OUT_OF_MEMORY);
        bf_split_done(&split);
    }
    bf_alloc_fail_after(0, 0);
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_split_leaks, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(every_part_gets_its_share_of_everything, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(seed_and_content_alone_decide, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(devices_are_apart, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(held_out_attacks_are_only_in_the_last_part, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(later_parts_are_later, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(tied_samples_stay_together, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_cut_is_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_written_split_is_read_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_split_of_another_dataset_is_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(each_failed_allocation_is_an_error, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
