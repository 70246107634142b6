/* Errors and their causes: rules, memory that runs out, small pictures, and what reviewers say. */
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
#include "decode/decode.h"
#include "review/notes.h"
#include "review/package.h"
#include "review/remark.h"
#include "support/images.h"

static char folder[64], table_path[128], manifest[128], back[128], package[128];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/review_test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(table_path, sizeof table_path, "%s/scores.csv", folder);
    (void)snprintf(manifest, sizeof manifest, "%s/manifest.csv", folder);
    (void)snprintf(back, sizeof back, "%s/back.csv", folder);
    (void)snprintf(package, sizeof package, "%s/package.tar", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char picture[128];
    (void)snprintf(picture, sizeof picture, "%s/p.jpg", folder);
    const char *const paths[] = {table_path, manifest, back, package, picture};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        (void)unlink(paths[i]);
    return rmdir(folder);
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(bf_bytes_write_file(path, text, strlen(text), NULL), BF_OK);
}

#define HEADER "sample_id,label,attack_type,status,score,live_llr,raw.a,llr.a,state.a,q.Sharpness,n.Sharpness,stack\n"

/* Thirty of each kind that are judged rightly, and one row more. */
static void write_table(const char *odd)
{
    char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", HEADER);
    for (int i = 0; i < 30; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "l%02d,live,,ok,95,3,1,%.2f,present,80,0.8,s\n"
                                 "s%02d,spoof,print,ok,5,-3,-1,%.2f,present,80,0.8,s\n",
                                 i, 2 + i / 100.0, i, -2 - i / 100.0);
    (void)snprintf(text + used, sizeof text - used, "%s\n", odd);
    write_text(table_path, text);
}

static bf_status review(bf_scored_table *table, bf_review_report *report, bf_error *err)
{
    const bf_scored_options reading = {0};
    const bf_review_options options = {.threshold = 80, .proposed = NAN, .limit = 100, .jobs = 2};
    bool complete = false;
    bf_status status = bf_scored_read(table, table_path, &reading, err);
    if (status == BF_OK)
        status = bf_review_find(report, table, &options, &complete, err);
    return status;
}

/* The first error, which the test cannot go on without. */
static const bf_slip *first(const bf_review_report *report)
{
    if (report->count == 0 || !report->slip)
        abort();
    return report->slip;
}

/* The cause that leads for one row beside those that are judged rightly. */
static bf_cause cause_of(const char *odd)
{
    bf_scored_table table = {0};
    bf_review_report report = {0};
    bf_error err = {0};
    write_table(odd);
    assert_int_equal(review(&table, &report, &err), BF_OK);
    assert_int_equal(report.count, 1);
    bf_cause cause = first(&report)->diagnosis.cause;
    bf_review_done(&report);
    bf_scored_done(&table);
    return cause;
}

static void test_each_cause(void **state)
{
    (void)state;
    assert_int_equal(cause_of("x,live,,error,,,,,failed,,,s"), BF_CAUSE_INFRASTRUCTURE);
    assert_int_equal(cause_of("x,live,,could_not_judge,,,,,absent,,,s"), BF_CAUSE_CAPTURE);
    assert_int_equal(cause_of("x,live,,ok,30,-1,-1,-2,present,10,0.1,s"), BF_CAUSE_CAPTURE);
    assert_int_equal(cause_of("x,spoof,deepfake,ok,90,1,1,2,present,80,0.8,s"), BF_CAUSE_SECURITY);
    assert_int_equal(cause_of("x,live,,ok,79,-1,-1,-2,present,80,0.8,s"), BF_CAUSE_THRESHOLD);
    assert_int_equal(cause_of("x,live,,ok,30,-1,-1,-2,present,80,0.8,s"), BF_CAUSE_MODEL);
    assert_int_equal(cause_of("x,live,,ok,30,,,,absent,80,0.8,s"), BF_CAUSE_UNCLEAR);
}

static void test_evidence_goes_before_hints_and_causes_in_their_order(void **state)
{
    (void)state;
    bf_scored_table table = {0};
    bf_review_report report = {0};
    write_table("x,live,,ok,76,-1,-1,-2,present,10,0.1,s");
    assert_int_equal(review(&table, &report, NULL), BF_OK);
    const bf_diagnosis *d = &first(&report)->diagnosis;
    assert_int_equal(d->count, 3);
    assert_int_equal(d->clue[0].cause, BF_CAUSE_CAPTURE);
    assert_int_equal(d->clue[1].cause, BF_CAUSE_MODEL);
    assert_true(d->clue[1].strong);
    assert_int_equal(d->clue[2].cause, BF_CAUSE_THRESHOLD);
    assert_false(d->clue[2].strong);
    bf_review_done(&report);
    bf_scored_done(&table);
}

static void test_distances_are_in_standard_deviations(void **state)
{
    (void)state;
    bf_scored_table table = {0};
    bf_review_report report = {0};
    write_table("x,live,,ok,30,-1,-1,-2.05,present,80,0.8,s");
    assert_int_equal(review(&table, &report, NULL), BF_OK);
    const bf_near *near = first(&report)->around.evidence;
    assert_string_equal(near[1].row->text[BF_TEXT_SAMPLE_ID], "s05");
    assert_true(near[1].distance < 1e-6);
    assert_string_equal(near[0].row->text[BF_TEXT_SAMPLE_ID], "l00");
    assert_float_equal((float)near[0].distance, (float)(4.05 / report.background.deviation[0]), 1e-4);
    assert_int_equal(first(&report)->around.nearest_agree, 0);
    bf_review_done(&report);
    bf_scored_done(&table);
}

static void test_a_small_picture_keeps_its_shape_and_nothing_else(void **state)
{
    (void)state;
    const bf_bytes exif = test_exif(&(test_exif_options){.make = "Secret", .gps = true});
    bf_image pattern = test_pattern(900, 600), decoded = {0}, small = {0};
    bf_bytes jpeg = test_jpeg(&pattern, &(test_jpeg_options){.exif = &exif}), webp = {0};
    bf_media_facts facts = {0};
    assert_int_equal(bf_decode_still(jpeg.data, jpeg.size, NULL, &decoded, &facts, NULL), BF_OK);
    assert_true(facts.exif_present);
    assert_int_equal(bf_small_picture_make(&decoded, 320, &webp, NULL), BF_OK);
    assert_int_equal(bf_decode_still(webp.data, webp.size, NULL, &small, &facts, NULL), BF_OK);
    assert_int_equal(facts.container, BF_CONTAINER_WEBP);
    assert_false(facts.exif_present);
    assert_null(memmem(webp.data, webp.size, "Secret", 6));
    assert_int_equal(small.width, 320);
    assert_in_range(small.height, 213, 214);
    bf_image_done(&pattern);
    bf_image_done(&decoded);
    bf_image_done(&small);
    bf_bytes_done(&jpeg);
    bf_bytes_done(&webp);
    bf_bytes freed = exif;
    bf_bytes_done(&freed);
}

/* Everything from the table to the package, with a dataset. */
static bf_status do_all(bf_error *err)
{
    bf_scored_table table = {0};
    bf_review_report report = {0};
    bf_dataset dataset = {0};
    bf_problems problems = {0};
    bf_pictures pictures = {0};
    bool complete = false;
    const bf_dataset_options options = {.path = folder};
    bf_status status = review(&table, &report, err);
    if (status == BF_OK)
        status = bf_dataset_read(&options, &dataset, &problems, err);
    if (status == BF_OK)
        status = bf_pictures_link(&pictures, &table, &dataset, NULL, err);
    if (status == BF_OK)
        status = bf_pictures_make(&pictures, &dataset, &report, &complete, err);
    const bf_review_facts facts = {.table = "scores.csv", .program = "bonafide", .pictures = &pictures};
    if (status == BF_OK)
        status = bf_package_write(package, &report, &facts, err);
    bf_pictures_done(&pictures);
    bf_problems_done(&problems);
    bf_dataset_done(&dataset);
    bf_review_done(&report);
    bf_scored_done(&table);
    return status;
}

static void test_memory_that_runs_out_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    char path[128];
    bf_image image = test_pattern(64, 48);
    bf_bytes jpeg = test_jpeg(&image, &(test_jpeg_options){0});
    (void)snprintf(path, sizeof path, "%s/p.jpg", folder);
    write_table("x,live,,ok,30,-1,-1,-2,present,80,0.8,s");
    write_text(manifest, "sample_id,path,label\nx,p.jpg,live\n");
    assert_int_equal(bf_bytes_write_file(path, jpeg.data, jpeg.size, NULL), BF_OK);
    bf_image_done(&image);
    bf_bytes_done(&jpeg);
    (void)bf_alloc_fail_after(0, 0);
    assert_int_equal(do_all(NULL), BF_OK);
    size_t count = bf_alloc_fail_after(0, 0);
    struct stat info;
    assert_int_equal(stat(package, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size % 512, 0);
    for (size_t n = 1; n <= count; n++) {
        bf_error err = {0};
        (void)unlink(package);
        (void)bf_alloc_fail_after(n, 0);
        bf_status status = do_all(&err);
        (void)bf_alloc_fail_after(0, 0);
        if (status == BF_OK) /* a picture that cannot be decoded is passed over, and threads may need one less */
            continue;
        assert_int_equal(status, BF_OUT_OF_MEMORY);
        assert_int_not_equal(stat(package, &info), 0);
    }
}

static void test_import_without_memory_leaves_the_manifest(void **state)
{
    (void)state;
    const char *const old = "sample_id,path,label\nx,p.jpg,live\n";
    write_text(back, "sample_id,verdict,reviewer\nx,agreed,anna\n");
    for (size_t n = 1;; n++) {
        bf_notes_counts counts = {0};
        bf_bytes now = {0};
        write_text(manifest, old);
        (void)bf_alloc_fail_after(n, 0);
        bf_status status = bf_notes_import(back, manifest, "2026-01-01T00:00:00Z", &counts, NULL);
        (void)bf_alloc_fail_after(0, 0);
        assert_int_equal(bf_bytes_read_file(&now, manifest, 4096, NULL), BF_OK);
        bool same = strcmp((const char *)now.data, old) == 0;
        bf_bytes_done(&now);
        assert_true(status == BF_OK ? !same : same && status == BF_OUT_OF_MEMORY);
        if (status == BF_OK)
            break;
    }
}

/* What the column holds after one more remark. */
static const char *remark(bf_remarks *remarks, const char *column, const char *reviewer, bf_verdict verdict,
                          const char *text)
{
    const bf_remark said = {.reviewer = reviewer, .cause = "", .text = text, .verdict = verdict};
    bf_remarks_read(remarks, column);
    assert_true(bf_remarks_add(remarks, &said));
    assert_true(bf_remarks_write(remarks));
    return remarks->written;
}

static void test_remarks(void **state)
{
    (void)state;
    bf_remarks *r = calloc(1, sizeof *r);
    assert_non_null(r);
    assert_string_equal(remark(r, "", "ben", BF_VERDICT_AGREED, ""), "ben: agreed");
    assert_string_equal(r->status, "confirmed");
    assert_string_equal(remark(r, "ben: agreed", "anna", BF_VERDICT_UNCLEAR, "dark"),
                        "anna: unclear, dark | ben: agreed");
    assert_string_equal(r->status, "disputed");
    assert_string_equal(r->reviewers, "anna; ben");
    assert_string_equal(remark(r, "anna: unclear, dark | ben: agreed (model)", "anna", BF_VERDICT_AGREED, ""),
                        "anna: agreed | ben: agreed (model)");
    assert_string_equal(remark(r, "free: text | ben: agreed", "ben", BF_VERDICT_LABEL_WRONG, ""),
                        "free: text | ben: label wrong");
    assert_string_equal(r->status, "excluded");
    static const char *const foreign[] = {"ben: agreed but", "ben: agreed (fate)", ": agreed",
                                          "ben:agreed",      "a:b: agreed",        "ben: agreed (model"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        bf_remarks_read(r, foreign[i]);
        assert_int_equal(r->count, 0);
        assert_string_equal(r->free_text, foreign[i]);
    }
    free(r);
}

static void test_a_note_is_one_line(void **state)
{
    (void)state;
    char text[16];
    assert_true(bf_remark_tidy("  a\r\n b | c  ", text, sizeof text));
    assert_string_equal(text, "a b / c");
    assert_false(bf_remark_tidy("0123456789abcdef", text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cause),
        cmocka_unit_test(test_evidence_goes_before_hints_and_causes_in_their_order),
        cmocka_unit_test(test_distances_are_in_standard_deviations),
        cmocka_unit_test(test_a_small_picture_keeps_its_shape_and_nothing_else),
        cmocka_unit_test(test_memory_that_runs_out_is_an_error_and_leaves_nothing),
        cmocka_unit_test(test_import_without_memory_leaves_the_manifest),
        cmocka_unit_test(test_remarks),
        cmocka_unit_test(test_a_note_is_one_line),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
