/* Fitting a fusion: trees as XGBoost predicts by them, files that say what was fitted, and what must not matter. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fit/fusion_model.h"

#define ROWS 240
#define COLUMNS 3
#define PATH "fusion_fit_test.csv"

static double normal(bf_random *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += bf_random_below(random, 1000000) / 1e6;
    return sum;
}

typedef struct sample {
    float x[ROWS * COLUMNS], target[ROWS], weight[ROWS];
} sample;

/* The third column is absent in every fifth row. */
static bf_boost_data draw(sample *s, uint64_t seed)
{
    bf_random random = {seed};
    for (size_t i = 0; i < ROWS; i++) {
        s->target[i] = i % 2 == 0 ? 0 : 1;
        s->weight[i] = i % 3 == 0 ? 2 : 1;
        for (size_t c = 0; c < COLUMNS; c++)
            s->x[i * COLUMNS + c] = (float)(normal(&random) + (i % 2 == 0 ? -0.6 : 0.6));
        if (i % 5 == 0)
            s->x[i * COLUMNS + 2] = NAN;
    }
    return (bf_boost_data){s->x, s->target, s->weight, ROWS, COLUMNS};
}

/* Every fit compares what it hands over with XGBoost's predictions, so that a fit that succeeds agrees. */
static void trees_are_those_of_xgboost(void **state)
{
    (void)state;
    static sample fitted, checked;
    if (bf_boost_available(NULL) != BF_OK)
        skip();
    bf_boost *boost = bf_calloc(1, sizeof *boost), *again = bf_calloc(1, sizeof *again);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        const bf_boost_data data = draw(&fitted, seed), check = draw(&checked, seed + 100);
        assert_int_equal(bf_boost_fit(boost, &data, NULL, 20, NULL), BF_OK);
        assert_int_equal(boost->trees, 20);
        assert_int_equal(bf_boost_fit(again, &data, NULL, 20, NULL), BF_OK);
        assert_memory_equal(boost, again, sizeof *boost);
        assert_int_equal(bf_boost_fit(again, &data, &check, BF_BOOST_ROUNDS_MAX, NULL), BF_OK);
        assert_true(again->trees >= 1 && again->trees <= BF_BOOST_ROUNDS_MAX);
    }
    bf_free(boost);
    bf_free(again);
}

static void trees_rise_in_every_column(void **state)
{
    (void)state;
    static sample s;
    if (bf_boost_available(NULL) != BF_OK)
        skip();
    bf_boost *boost = bf_calloc(1, sizeof *boost);
    const bf_boost_data data = draw(&s, 9);
    assert_int_equal(bf_boost_fit(boost, &data, NULL, BF_BOOST_ROUNDS_MAX, NULL), BF_OK);
    bf_random random = {4};
    for (int i = 0; i < 200; i++) {
        double x[COLUMNS] = {normal(&random), normal(&random), normal(&random)}, last = -INFINITY;
        size_t column = bf_random_below(&random, COLUMNS);
        for (x[column] = -4; x[column] <= 4; x[column] += 0.125) {
            double here = bf_boost_log_odds(boost, x);
            assert_true(here >= last);
            last = here;
        }
    }
    bf_free(boost);
}

/* ---- a table, written and read as users' are ---- */

static void write_table(size_t rows, bool spare)
{
    bf_random random = {77};
    FILE *file = fopen(PATH, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "sample_id,label,attack_type,person_id,source,status,score,llr.net-a,raw.net-a,state.net-a,llr.net-b,"
                  "raw.net-b,state.net-b,llr.own.frame,raw.own.frame,state.own.frame%s\n",
                  spare ? ",llr.spare,raw.spare,state.spare" : "");
    for (size_t i = 0; i < rows; i++) {
        bool live = i % 2 == 0;
        double a = normal(&random) + (live ? 1 : -1), b = normal(&random) + (live ? 1.5 : -1.5);
        double frame = !live && i % 4 == 1 ? -2 : 0.1;
        (void)fprintf(file, "s%zu,%s,%s,p%zu,%s,ok,50,%.4f,%.4f,present,", i, live ? "live" : "spoof",
                      live ? "" : "print", i % 40, i % 3 == 0 ? "x" : "y", a, a);
        if (i % 7 == 3)
            (void)fprintf(file, ",,failed,");
        else
            (void)fprintf(file, "%.4f,%.4f,present,", b, b);
        (void)fprintf(file, "%g,%g,present%s\n", frame, frame, spare ? ",,,absent" : "");
    }
    assert_int_equal(fclose(file), 0);
}

static void read_table(bf_fit_table *ret)
{
    bf_error err = {0};
    const bf_fit_options options = {0};
    if (bf_fit_table_read(ret, PATH, &options, &err) != BF_OK)
        fail_msg("%s", err.message);
    (void)unlink(PATH);
}

static bf_fusion_options options_of(int method)
{
    return (bf_fusion_options){.name = "test",
                               .version = "1",
                               .method = method,
                               .threshold = 80,
                               .folds = 4,
                               .replicates = 20,
                               .jobs = 2,
                               .seed = 1};
}

static bf_fusion_fit *fit_table(const bf_fit_table *table, int method)
{
    bf_error err = {0};
    bf_fusion_fit *fit = NULL;
    const bf_fusion_options options = options_of(method);
    if (bf_fusion_fit_new(&fit, table, &options, &err) != BF_OK)
        fail_msg("%s %s", err.message, err.detail);
    return fit;
}

/* The file that is written rises in every ratio, its contributions add up, and what is absent is absent. */
static void check_file(const bf_fusion_fit *fit)
{
    bf_fusion *fusion = NULL;
    bf_random random = {3};
    assert_int_equal(bf_fusion_parse(fit->yaml.data, fit->yaml.size, "f", &fusion, NULL), BF_OK);
    bf_evidence evidence[COLUMNS] = {{.detector = "net-a"}, {.detector = "net-b"}, {.detector = "own.frame"}};
    for (int i = 0; i < 300; i++) {
        for (size_t d = 0; d < COLUMNS; d++) {
            evidence[d].status = bf_random_below(&random, 4) > 0 ? BF_EVIDENCE_PRESENT : BF_EVIDENCE_FAILED;
            evidence[d].calibrated = true;
            evidence[d].live_llr = 2 * normal(&random);
        }
        size_t one = bf_random_below(&random, COLUMNS);
        double last = -INFINITY;
        for (evidence[one].live_llr = -5; evidence[one].live_llr <= 5; evidence[one].live_llr += 0.5) {
            bf_fused fused;
            bf_fusion_apply(fusion, evidence, COLUMNS, &fused);
            bool can = evidence[0].status == BF_EVIDENCE_PRESENT || evidence[1].status == BF_EVIDENCE_PRESENT;
            assert_int_equal(fused.present, can);
            double sum = fused.bias + fused.contribution[0] + fused.contribution[1] + fused.contribution[2];
            assert_true(fabs(fmin(fmax(sum, -BF_LLR_OF_FUSED), BF_LLR_OF_FUSED) - fused.live_llr) < 1e-12);
            assert_true(fused.live_llr >= last);
            last = fused.live_llr;
        }
    }
    /* What speaks only against never lifts above its silence. */
    for (int i = 0; i < 300; i++) {
        bf_fused said, silent;
        for (size_t d = 0; d < COLUMNS; d++) {
            evidence[d].status = BF_EVIDENCE_PRESENT;
            evidence[d].live_llr = 2 * normal(&random);
        }
        bf_fusion_apply(fusion, evidence, COLUMNS, &said);
        bf_fusion_apply(fusion, evidence, COLUMNS - 1, &silent);
        assert_true(said.live_llr <= silent.live_llr);
        assert_true(evidence[2].live_llr < 0 || said.live_llr == silent.live_llr);
    }
    bf_fusion_free(&fusion);
}

static void every_method_writes_a_sound_file(void **state)
{
    (void)state;
    bf_fit_table table = {0};
    write_table(ROWS, false);
    read_table(&table);
    for (int m = 0; m < BF_FUSINGS; m++) {
        if (m == BF_FUSING_TREES && bf_boost_available(NULL) != BF_OK)
            continue;
        bf_fusion_fit *fit = fit_table(&table, m);
        assert_int_equal(fit->chosen, m);
        assert_int_equal(fit->detectors, COLUMNS);
        assert_true(fit->detector[2].against && !fit->detector[2].alone && fit->detector[0].alone);
        assert_true(fit->candidate[m].held.value[BF_MEASURED_AUC] > 0.9);
        assert_int_equal(fit->candidate[m].held.judged, ROWS);
        check_file(fit);
        bf_fusion_fit_free(&fit);
        assert_null(fit);
    }
    bf_fit_table_done(&table);
}

static void an_absent_detector_changes_nothing(void **state)
{
    (void)state;
    bf_fit_table table = {0}, with_spare = {0};
    bf_bytes a = {0}, b = {0};
    write_table(ROWS, false);
    read_table(&table);
    write_table(ROWS, true);
    read_table(&with_spare);
    bf_fusion_fit *one = fit_table(&table, -1), *other = fit_table(&with_spare, -1);
    assert_int_equal(one->yaml.size, other->yaml.size);
    assert_memory_equal(one->yaml.data, other->yaml.data, one->yaml.size);
    assert_int_equal(bf_fusion_json(&a, one, "t", NULL), BF_OK);
    assert_int_equal(bf_fusion_json(&b, other, "t", NULL), BF_OK);
    assert_string_equal((char *)a.data, (char *)b.data);
    bf_bytes_done(&a);
    bf_bytes_done(&b);
    bf_fusion_fit_free(&one);
    bf_fusion_fit_free(&other);
    bf_fit_table_done(&table);
    bf_fit_table_done(&with_spare);
}

/* Cllr by hand: ratios of ln 3 and -ln 3 cost log2(4/3) when they are right and log2(4) when they are wrong. */
static void cllr_is_what_it_is_by_hand(void **state)
{
    (void)state;
    bf_fit_table table = {0};
    bf_fusion_fit *fit = bf_calloc(1, sizeof *fit);
    double llr[8], cllr, auc;
    write_table(8, false);
    read_table(&table);
    fit->table = &table;
    fit->live_prior = 0.5;
    fit->options = options_of(-1);
    size_t lives = 0, attacks = 0;
    for (size_t i = 0; i < 8; i++) { /* one of four of each class is wrong */
        bool live = table.scores.row[i].kind == 0, wrong = (live ? lives++ : attacks++) == 0;
        llr[i] = live != wrong ? log(3) : -log(3);
    }
    assert_int_equal(bf_fusion_measure_plain(fit, llr, &cllr, &auc, NULL), BF_OK);
    assert_true(fabs(cllr - (3 * log2(4.0 / 3) + 2) / 4) < 1e-12);
    assert_true(fabs(auc - (9 + 0.5 * 6) / 16) < 1e-12);
    for (size_t i = 0; i < 8; i++)
        llr[i] = 0;
    assert_int_equal(bf_fusion_measure_plain(fit, llr, &cllr, &auc, NULL), BF_OK);
    assert_true(cllr == 1 && auc == 0.5);
    bf_free(fit);
    bf_fit_table_done(&table);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    bf_fit_table table = {0};
    bf_fusion_options options = options_of(BF_FUSING_SUM);
    options.jobs = 1; /* allocations are counted without a lock */
    write_table(40, false);
    read_table(&table);
    for (size_t nth = 1; nth < 100000; nth += 1 + nth / 8) {
        bf_fusion_fit *fit = NULL;
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_fusion_fit_new(&fit, &table, &options, NULL);
        size_t made = bf_alloc_fail_after(0, 0);
        bf_fusion_fit_free(&fit);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            bf_fit_table_done(&table);
            return;
        }
        /* Sources that cannot be held out are done without, whatever the reason. */
        assert_true(status == BF_OUT_OF_MEMORY || status == BF_OK);
    }
    fail_msg("fitting never stopped allocating");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_those_of_xgboost),       cmocka_unit_test(trees_rise_in_every_column),
        cmocka_unit_test(every_method_writes_a_sound_file), cmocka_unit_test(an_absent_detector_changes_nothing),
        cmocka_unit_test(cllr_is_what_it_is_by_hand),       cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
