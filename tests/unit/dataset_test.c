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
#include "dataset/dataset.h"
#include "dataset/instant.h"
#include "dataset/probe.h"
#include "dataset/row.h"
#include "dataset/split.h"
#include "dataset/tally.h"
#include "support/images.h"

static char folder[64], manifest[128];
static bf_dataset dataset;
static bf_problems problems;

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/dataset_test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(manifest, sizeof manifest, "%s/manifest.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[128];
    for (int i = 0; i < 8; i++) {
        (void)snprintf(path, sizeof path, "%s/%d.jpg", folder, i);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/split.csv", folder);
    (void)unlink(path);
    (void)unlink(manifest);
    bf_dataset_done(&dataset);
    bf_problems_done(&problems);
    return rmdir(folder);
}

static bf_status read_text(const char *text, const char *label, bf_error *err)
{
    bf_dataset_done(&dataset);
    bf_problems_done(&problems);
    assert_int_equal(bf_bytes_write_file(manifest, text, strlen(text), NULL), BF_OK);
    const bf_dataset_options options = {.path = folder, .label = label};
    return bf_dataset_read(&options, &dataset, &problems, err);
}

static void read_good(const char *text)
{
    bf_error err = {0};
    if (read_text(text, NULL, &err) != BF_OK)
        fail_msg("%s", err.message);
    if (problems.errors > 0)
        fail_msg("%s", problems.problem[0].text);
}

/* The one finding about `row`. */
static const char *finding(uint64_t row, bool error)
{
    const char *text = NULL;
    for (size_t i = 0; i < problems.count; i++) {
        if (problems.problem[i].row == row && problems.problem[i].error == error) {
            assert_null(text);
            text = problems.problem[i].text;
        }
    }
    return text ? text : "(none)";
}

static void reads_what_a_manifest_says(void **state)
{
    (void)state;
    read_good("path,label,sample_id,attack_type,person_id,review_status,camera,captured_at\n"
              "a.jpg,live,s1,,p1,,rear,2026-03-01\n"
              "b/c.jpg,spoof,s2,print,p1,disputed,front,2026-03-01T01:00:00+01:00\n"
              "d.jpg,bona_fide,s3,,p2,confirmed,,\n"
              "e.jpg,attack/replay,s4,,,uncertain,,\n");
    assert_int_equal(dataset.count, 4);
    const bf_sample *s = dataset.sample;
    assert_string_equal(s[0].value[BF_COLUMN_SAMPLE_ID], "s1");
    assert_string_equal(s[0].value[BF_COLUMN_REVIEW_STATUS], "confirmed");
    assert_true(bf_sample_confirmed(&s[0]) && !bf_sample_confirmed(&s[1]) && !bf_sample_confirmed(&s[3]));
    assert_true(s[0].value[BF_COLUMN_PERSON_ID] == s[1].value[BF_COLUMN_PERSON_ID]);
    assert_string_equal(s[2].value[BF_COLUMN_LABEL], "live");
    assert_string_equal(s[3].value[BF_COLUMN_LABEL], "spoof");
    assert_string_equal(s[3].value[BF_COLUMN_ATTACK_TYPE], "replay");
    assert_int_equal(s[0].captured_s, s[1].captured_s);
    assert_int_equal(dataset.other_count, 1);
    assert_string_equal(dataset.other[0], "camera");
    assert_string_equal(s[1].other[0], "front");
    assert_int_equal(s[3].row, 5);
}

static void names_every_bad_row(void **state)
{
    (void)state;
    bf_error err = {0};
    assert_int_equal(read_text("sample_id,path,label,attack_type,review_status,sha256,captured_at,channel\n"
                               "a,a.jpg,live,,,,,\n"
                               "b,b.jpg,lve,,,,,\n"
                               "c,c.jpg,live,print,,,,\n"
                               "d,d.jpg,spoof,print,confirmd,,,\n"
                               "e,e.jpg,spoof,print,,12ab,,\n"
                               "f,f.jpg,spoof,print,,,yesterday,\n"
                               ",g.jpg,spoof,print,,,,\n"
                               "h,,spoof,print,,,,\n"
                               "i,../i.jpg,spoof,print,,,,\n"
                               "j,/etc/passwd,spoof,print,,,,\n"
                               "a,k.jpg,spoof,print,,,,\n"
                               "l,a.jpg,live,,,,,\n"
                               "m,m.jpg,spoof,,,,,\n"
                               "n,n.jpg,live,,,,,tv\n"
                               "o,\"o\n.jpg\",live,,,,,\n",
                               NULL, &err),
                     BF_OK);
    assert_string_equal(finding(3, true), "label 'lve' is none; did you mean 'live'?");
    assert_string_equal(finding(4, true),
                        "a live sample has an attack; clear attack_type and attack_family, or make the label spoof.");
    assert_string_equal(finding(5, true), "review_status 'confirmd' is none; did you mean 'confirmed'?");
    assert_string_equal(finding(6, true), "sha256 is no hash of 64 digits; correct it, or leave it empty.");
    assert_string_equal(finding(7, true), "captured_at 'yesterday' is no time; write 2026-03-01T12:30:00Z.");
    assert_string_equal(finding(8, true), "sample_id is empty; give every sample a name of its own.");
    assert_string_equal(finding(9, true), "path is empty; name the file.");
    assert_string_equal(finding(10, true), "'../i.jpg' leaves the dataset's folder; write a path below it, or give "
                                           "another folder with --root.");
    assert_non_null(strstr(finding(11, true), "'/etc/passwd' leaves"));
    assert_string_equal(finding(12, true), "sample_id 'a' is also that of row 2; give every sample a name of its own.");
    assert_string_equal(finding(13, false), "the file is also that of row 2; is one of them wrong?");
    assert_string_equal(finding(14, false), "attack_type is empty; its species is told as '(not stated)'.");
    assert_non_null(strstr(finding(15, false), "channel 'tv' is not one that policies know"));
    assert_string_equal(finding(16, true), "path holds a control character; take it out.");
    assert_int_equal(problems.errors, 11);
    assert_int_equal(bf_problems_status(&problems, "m.csv", &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.message, "m.csv, row 3: label 'lve' is none; did you mean 'live'?");
    assert_string_equal(err.hint, "'bonafide dataset validate' names this and 10 more.");
}

static void missing_columns_are_named_with_the_nearest(void **state)
{
    (void)state;
    bf_error err = {0};
    assert_int_equal(read_text("file,lable\na,live\n", NULL, &err), BF_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "has no column 'path'."));
    assert_int_equal(read_text("path,lable\na,live\n", NULL, &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.hint, "Is 'lable' it?");
    assert_int_equal(read_text("path\na\n", NULL, &err), BF_INVALID_ARGUMENT);
    assert_non_null(strstr(err.hint, "--label live"));
    assert_int_equal(read_text("path\na\n", "spoof/mask", &err), BF_OK);
    assert_string_equal(dataset.sample[0].value[BF_COLUMN_ATTACK_TYPE], "mask");
    assert_string_equal(dataset.sample[0].value[BF_COLUMN_SAMPLE_ID], "a");
    assert_int_equal(read_text("path\na\n", "alive", &err), BF_INVALID_ARGUMENT);
    assert_int_equal(read_text("path,label,persn_id\na,live,p\n", NULL, &err), BF_OK);
    assert_string_equal(finding(1, false), "column 'persn_id' means nothing to bonafide; is it 'person_id'?");
}

static void findings_about_the_whole(void **state)
{
    (void)state;
    read_good("path,label\n");
    bf_dataset_review(&dataset, &problems);
    assert_int_equal(problems.errors, 1);
    read_good("path,label,person_id\na,live,p\nb,live,p\n");
    bf_dataset_review(&dataset, &problems);
    assert_int_equal(problems.warnings, 3); /* one class, one person, no hashes */
}

static void the_identity_does_not_depend_on_order(void **state)
{
    (void)state;
    char first[BF_DATASET_ID_SIZE], second[BF_DATASET_ID_SIZE];
    read_good("path,label,person_id,x,y\na,live,p,1,\nb,live,q,2,3\n");
    assert_int_equal(bf_dataset_id(&dataset, first, NULL), BF_OK);
    read_good("y,label,path,x,person_id\n3,live,b,2,q\n,live,a,1,p\n");
    assert_int_equal(bf_dataset_id(&dataset, second, NULL), BF_OK);
    assert_string_equal(first, second);
    read_good("y,label,path,x,person_id\n3,live,b,2,q\n,live,a,1,q\n");
    assert_int_equal(bf_dataset_id(&dataset, second, NULL), BF_OK);
    assert_string_not_equal(first, second);
}

static void times_are_seconds_since_1970(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"1970-01-01", 0},
                {"2000-03-01T00:00:00Z", 951868800},
                {"2024-02-29 12:30", 1709209800},
                {"2026-11-25T21:14:51.25+01:00", 1795637691},
                {"1969-12-31T23:59:59Z", -1}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t seconds = 42;
        assert_true(bf_instant_parse(good[i].text, &seconds));
        assert_int_equal(seconds, good[i].seconds);
    }
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01",
                                      "2025-02-29",
                                      "2026-01-01T",
                                      "2026-01-01T24:00",
                                      "2026-01-01T10:00:00.Z",
                                      "2026-01-01Z",
                                      "2026-01-01T10:00X",
                                      "01/02/2026"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t seconds = 42;
        assert_false(bf_instant_parse(bad[i], &seconds));
        assert_int_equal(seconds, 42);
    }
}

static void paths_stay_inside(void **state)
{
    (void)state;
    assert_true(bf_path_inside("a/b.jpg") && bf_path_inside("..a/b..") && bf_path_inside("a/...") &&
                bf_path_inside(""));
    assert_false(bf_path_inside("/a") || bf_path_inside("..") || bf_path_inside("../a") || bf_path_inside("a/../b") ||
                 bf_path_inside("a/.."));
}

static void counts_by_column(void **state)
{
    (void)state;
    read_good("path,label,attack_type,person_id\na,live,,p\nb,spoof,print,p\nc,spoof,print,q\nd,spoof,mask,\n");
    bf_tally tally = {0};
    assert_int_equal(bf_tally_column(&dataset, BF_COLUMN_ATTACK_TYPE, true, &tally, NULL), BF_OK);
    assert_int_equal(tally.count, 2);
    assert_string_equal(tally.row[0].value, "print");
    assert_int_equal(tally.row[0].spoof, 2);
    assert_int_equal(tally.row[0].persons, 2);
    assert_int_equal(tally.row[1].persons, 0);
    bf_tally_done(&tally);
    size_t persons = 0;
    assert_true(bf_tally_distinct(&dataset, BF_COLUMN_PERSON_ID, &persons));
    assert_int_equal(persons, 2);
}

static void write_picture(int number, const bf_image *image, int quality)
{
    char path[128];
    const test_jpeg_options options = {.quality = quality};
    bf_bytes jpeg = test_jpeg(image, &options);
    (void)snprintf(path, sizeof path, "%s/%d.jpg", folder, number);
    assert_int_equal(bf_bytes_write_file(path, jpeg.data, jpeg.size, NULL), BF_OK);
    bf_bytes_done(&jpeg);
}

/* A smooth picture with structure at every scale that prints look at; `seed` chooses which. */
static bf_image landscape(int width, int height, uint32_t seed)
{
    bf_image image = test_pattern(width, height);
    bf_image grid = test_noise(12, 12, seed);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            float gx = (float)x * 11.0f / (float)width, gy = (float)y * 11.0f / (float)height;
            int ix = (int)gx, iy = (int)gy;
            float fx = gx - (float)ix, fy = gy - (float)iy;
            const uint8_t *a = grid.pixels + (size_t)iy * grid.stride + (size_t)ix * 3, *b = a + grid.stride;
            float above = (1 - fx) * (float)a[0] + fx * (float)a[3];
            float below = (1 - fx) * (float)b[0] + fx * (float)b[3];
            float value = (1 - fy) * above + fy * below;
            memset(image.pixels + (size_t)y * image.stride + (size_t)x * 3, (int)value, 3);
        }
    }
    bf_image_done(&grid);
    return image;
}

/* 0 and 1: one picture, compressed and scaled otherwise. 2: another. 3: the bytes of 2. */
static void write_pictures(void)
{
    bf_image one = landscape(640, 480, 1), small = landscape(320, 240, 1), other = landscape(640, 480, 2);
    write_picture(0, &one, 95);
    write_picture(1, &small, 60);
    write_picture(2, &other, 95);
    write_picture(3, &other, 95);
    bf_image_done(&one);
    bf_image_done(&small);
    bf_image_done(&other);
}

static bf_probe *probe(void)
{
    bf_probe *probes = NULL;
    bool complete = false;
    const bf_probe_options options = {.jobs = 2, .pictures = true};
    assert_int_equal(bf_probe_files(&dataset, &options, &probes, &complete, NULL), BF_OK);
    assert_true(complete);
    return probes;
}

static void files_are_looked_at(void **state)
{
    (void)state;
    write_pictures();
    char text[512];
    bf_probe *probes = NULL;
    (void)snprintf(text, sizeof text,
                   "path,label,person_id,sha256\n0.jpg,live,p,%064d\n1.jpg,live,q,\n2.jpg,live,r,\n3.jpg,spoof/x,r,\n"
                   "4.jpg,live,s,\nmanifest.csv,live,t,\n",
                   7);
    read_good(text);
    probes = probe();
    bf_probe_review(&dataset, probes, &problems);
    assert_non_null(strstr(finding(2, true), "'0.jpg' is not the file that sha256 names"));
    assert_string_equal(finding(6, true), "'4.jpg' cannot be read; is the path right?");
    assert_string_equal(finding(7, false), "'manifest.csv': The content is no picture or video that can be read.");
    assert_int_equal(bf_twins_review(&dataset, probes, &problems, NULL), BF_OK);
    assert_string_equal(finding(3, false), "it has nearly the same picture as row 2 and another person_id.");
    assert_string_equal(finding(5, true), "it has the same bytes as row 4 and another label; correct one of them.");
    assert_true(bf_print_distance(&probes[0].print, &probes[1].print) <= BF_PRINT_NEAR);
    assert_true(bf_print_distance(&probes[0].print, &probes[2].print) > 3 * BF_PRINT_NEAR);
    bf_free(probes);
}

/* Every kind of tie, once: person, session, bytes, picture. */
static void leaks_of_every_kind_are_found(void **state)
{
    (void)state;
    write_pictures();
    read_good("path,label,person_id,session_id,split\n"
              "0.jpg,live,p,,train\n1.jpg,live,q,,test\n2.jpg,live,r,,train\n3.jpg,live,s,,test\n"
              "a,live,t,,train\nb,live,t,,test\nc,live,u,x,train\nd,live,v,x,test\n"
              "e,live,w,,train\nf,live,w,,train\ng,live,w,,\n");
    bf_split split = {0};
    bf_probe *probes = probe();
    assert_int_equal(bf_split_of_manifest(&dataset, &split, NULL), BF_OK);
    assert_int_equal(bf_leaks_review(&dataset, probes, split.part, &problems, NULL), BF_OK);
    assert_string_equal(finding(3, true),
                        "the split leaks: it is in test, and row 2, with the same picture, in train.");
    assert_string_equal(finding(5, true), "the split leaks: it is in test, and row 4, with the same file, in train.");
    assert_string_equal(finding(7, true), "the split leaks: it is in test, and row 6, with the same person, in train.");
    assert_string_equal(finding(9, true),
                        "the split leaks: it is in test, and row 8, with the same session, in train.");
    assert_int_equal(problems.errors, 4);
    bf_split_done(&split);
    bf_free(probes);
}

enum { PRINTS = 600 };

/* Which prints are tied, directly or through others. */
typedef struct ties {
    size_t parent[PRINTS], pairs;
    bool seen[PRINTS][PRINTS];
} ties;

static size_t root_of(const ties *t, size_t at)
{
    while (t->parent[at] != at)
        at = t->parent[at];
    return at;
}

static void tie(void *data, size_t first, size_t second, int distance)
{
    ties *t = data;
    assert_in_range(distance, 0, BF_PRINT_NEAR);
    assert_true(first < second && !t->seen[first][second]);
    t->seen[first][second] = true;
    t->pairs++;
    t->parent[root_of(t, first)] = root_of(t, second);
}

/* The index against comparing all with all. */
static void near_pairs_are_those_of_a_full_search(void **state)
{
    (void)state;
    static bf_print prints[PRINTS];
    static ties expected, found;
    uint32_t seed = 3;
    for (size_t i = 0; i < PRINTS; i++) {
        expected.parent[i] = found.parent[i] = i;
        prints[i].present = i % 50 != 7;
        for (int w = 0; w < BF_PRINT_WORDS; w++)
            prints[i].word[w] =
                i % 3 == 0 ? ((uint64_t)test_random(&seed) << 32 | test_random(&seed)) : prints[i - 1].word[w];
        for (uint32_t flips = i % 9 == 0 ? 0 : test_random(&seed) % 12; flips > 0; flips--) {
            uint32_t bit = test_random(&seed) % BF_PRINT_BITS;
            prints[i].word[bit / 64] ^= UINT64_C(1) << (bit % 64);
        }
    }
    for (size_t i = 0; i < PRINTS; i++) {
        for (size_t k = 0; k < i; k++) {
            int distance = bf_print_distance(&prints[i], &prints[k]);
            if (prints[i].present && prints[k].present && distance <= BF_PRINT_NEAR)
                tie(&expected, k, i, distance);
        }
    }
    assert_int_equal(bf_print_pairs(prints, PRINTS, BF_PRINT_NEAR, tie, &found, NULL), BF_OK);
    assert_true(expected.pairs > 300 && found.pairs > 300 && found.pairs <= expected.pairs);
    for (size_t i = 0; i < PRINTS; i++) {
        for (size_t k = 0; k < i; k++)
            assert_true((root_of(&expected, i) == root_of(&expected, k)) == (root_of(&found, i) == root_of(&found, k)));
    }
}

static void count_pairs(void *data, size_t first, size_t second, int distance)
{
    size_t *pairs = data;
    (void)first;
    (void)second;
    (void)distance;
    (*pairs)++;
}

/* All with all would take hours. */
static void a_million_equal_pictures_are_no_trouble(void **state)
{
    (void)state;
    const size_t count = 1000000;
    size_t pairs = 0;
    bf_print *prints = bf_calloc(count, sizeof *prints);
    assert_non_null(prints);
    for (size_t i = 0; i < count; i++)
        prints[i].present = true;
    assert_int_equal(bf_print_pairs(prints, count, BF_PRINT_NEAR, count_pairs, &pairs, NULL), BF_OK);
    assert_int_equal(pairs, count - 1);
    bf_free(prints);
}

static void each_failed_allocation_is_an_error(void **state)
{
    (void)state;
    bool done = false;
    for (size_t nth = 1; !done && nth < 200; nth++) {
        bf_alloc_fail_after(0, 0);
        assert_int_equal(bf_bytes_write_file(manifest, "path,label,x\na,live,1\nb,lve,2\n", 30, NULL), BF_OK);
        bf_dataset_done(&dataset);
        bf_problems_done(&problems);
        const bf_dataset_options options = {.path = folder};
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_dataset_read(&options, &dataset, &problems, NULL);
        done = status == BF_OK && !problems.incomplete;
        assert_true(status == BF_OK || status == BF_OUT_OF_MEMORY);
    }
    bf_alloc_fail_after(0, 0);
    assert_true(done);
}

/* However many warnings came before, the first error is kept. */
static void an_error_after_many_warnings_is_named(void **state)
{
    bf_problems many = {0};
    bf_error err = {0};
    (void)state;
    for (uint64_t i = 0; i < BF_PROBLEMS_KEPT_MAX + 5; i++)
        bf_problems_warn(&many, i, "odd.");
    bf_problems_error(&many, 7, "wrong.");
    assert_int_equal(many.count, BF_PROBLEMS_KEPT_MAX + 1);
    assert_int_equal(bf_problems_status(&many, "m.csv", &err), BF_INVALID_ARGUMENT);
    assert_string_equal(err.message, "m.csv, row 7: wrong.");
    bf_problems_done(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_a_manifest_says, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(names_every_bad_row, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(missing_columns_are_named_with_the_nearest, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(findings_about_the_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_identity_does_not_depend_on_order, make_folder, remove_folder),
        cmocka_unit_test(times_are_seconds_since_1970),
        cmocka_unit_test(paths_stay_inside),
        cmocka_unit_test(an_error_after_many_warnings_is_named),
        cmocka_unit_test_setup_teardown(counts_by_column, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(files_are_looked_at, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(leaks_of_every_kind_are_found, make_folder, remove_folder),
        cmocka_unit_test(near_pairs_are_those_of_a_full_search),
        cmocka_unit_test(a_million_equal_pictures_are_no_trouble),
        cmocka_unit_test_setup_teardown(each_failed_allocation_is_an_error, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
