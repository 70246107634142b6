/* Figures against tables worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "evaluate/evaluate.h"

#define NEAR(value, expected) assert_true(fabs((value) - (expected)) < 1e-9)

static void add(bf_scores *scores, const char *species, uint32_t person, double score)
{
    uint32_t number = 0;
    bf_score_row row = {.score = score, .probability = NAN, .person = person, .decision = BF_DECISION_ABSENT};
    if (species) {
        assert_int_equal(bf_names_add(&scores->species, species, strlen(species), &number, NULL), BF_OK);
        row.kind = (uint16_t)(number + 1);
    }
    if (isnan(score))
        row.status = BF_SCORE_COULD_NOT_JUDGE;
    assert_int_equal(bf_scores_add(scores, &row, NULL, NULL), BF_OK);
    scores->persons = person + 1 > scores->persons ? person + 1 : scores->persons;
}

/* Five bona fide scores of two persons, four prints of a third, two replays of a fourth, with equal scores among
 * them. */
static void fill(bf_scores *scores)
{
    static const struct {
        const char *species;
        uint32_t person;
        double score;
    } rows[] = {{NULL, 0, 90},    {NULL, 0, 80},     {NULL, 0, 70},    {NULL, 1, 95},
                {NULL, 1, 60},    {"print", 2, 10},  {"print", 2, 60}, {"print", 2, 70},
                {"print", 2, 80}, {"replay", 3, 20}, {"replay", 3, 65}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        add(scores, rows[i].species, rows[i].person, rows[i].score);
}

/* A detector that says the very scores has the very figures; one that says the same of everything tells nothing. */
static void test_detectors_alone(void **state)
{
    bf_scores scores = {0};
    bf_curve curve = {0};
    bf_curve_figures f = {0};
    bf_detectors detectors = {0};
    float value[33];
    char name[] = "d";
    bf_said said = {.columns = 3, .value = value, .rows = 11};
    (void)state;
    fill(&scores);
    said.column[0] = said.column[1] = said.column[2] = (bf_said_column){.detector = name};
    said.column[1].llr = said.column[2].llr = true;
    for (size_t i = 0; i < 11; i++) {
        value[3 * i] = (float)scores.row[i].score;
        value[3 * i + 1] = 0;
        value[3 * i + 2] = scores.row[i].kind > 0 ? -1 : i == 0 ? NAN : 1;
    }
    assert_int_equal(bf_curve_build(&curve, &scores, NULL, 80, NULL), BF_OK);
    assert_true(bf_curve_measure(&curve, NULL, true, &f));
    for (size_t i = 1; i < 40; i++) {
        (void)bf_alloc_fail_after(i, 0);
        bf_status status = bf_detectors_measure(&detectors, &scores, &said, NULL, NULL);
        (void)bf_alloc_fail_after(0, 0);
        if (status == BF_OK)
            break;
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    assert_int_equal(detectors.count, 3);
    const bf_detector_figures *same = &detectors.figures[0], *none = &detectors.figures[1],
                              *sure = &detectors.figures[2];
    NEAR(same->auc, f.auc);
    NEAR(same->eer, f.eer);
    assert_true(isnan(same->cllr));
    NEAR(same->threshold, 60); /* no bona fide may lie below */
    NEAR(same->apcer[1].value, 0.75);
    NEAR(same->apcer[2].value, 0.5);
    assert_int_equal(same->worst_kind, 1);
    NEAR(none->auc, 0.5);
    NEAR(none->cllr, 1);
    NEAR(sure->auc, 1);
    NEAR(sure->cllr, log2(1 + exp(-1)));
    assert_int_equal(sure->present.count, 10);
    assert_int_equal(sure->present.total, 11);
    bf_detectors_done(&detectors);
    bf_curve_done(&curve);
    bf_scores_done(&scores);
}

static void test_figures_of_the_curve(void **state)
{
    bf_scores scores = {0};
    bf_curve curve = {0};
    bf_curve_figures f = {0};
    (void)state;
    fill(&scores);
    assert_int_equal(bf_curve_build(&curve, &scores, NULL, 80, NULL), BF_OK);
    assert_true(bf_curve_measure(&curve, NULL, true, &f));
    NEAR(f.bpcer, 0.4);
    NEAR(f.apcer[1], 0.25);
    NEAR(f.apcer[2], 0);
    NEAR(f.max_apcer, 0.25);
    NEAR(f.acer, 0.325);
    NEAR(f.auc, 24.5 / 30);
    NEAR(f.eer, 3.0 / 11);
    for (int i = 0; i < BF_TARGETS; i++) {
        NEAR(f.bpcer_at[i].rate, 0.6);
        NEAR(f.bpcer_at[i].threshold, 90);
    }
    NEAR(f.apcer_at.rate, 0.75);
    NEAR(f.apcer_at.threshold, 60);
    bf_curve_done(&curve);
    bf_scores_done(&scores);
}

/* Weighting a person twice is the same as writing the rows twice; weighting with 0, as leaving them out. */
static void test_weights_count_persons(void **state)
{
    static const uint32_t weight[] = {2, 1, 1, 3}, without[] = {1, 1, 0, 1};
    bf_scores scores = {0}, repeated = {0};
    bf_curve curve = {0}, expected = {0};
    bf_curve_figures a = {0}, b = {0};
    (void)state;
    fill(&scores);
    fill(&repeated);
    for (int i = 0; i < 2; i++) {
        add(&repeated, "replay", 3, 20);
        add(&repeated, "replay", 3, 65);
    }
    add(&repeated, NULL, 0, 90);
    add(&repeated, NULL, 0, 80);
    add(&repeated, NULL, 0, 70);
    assert_int_equal(bf_curve_build(&curve, &scores, NULL, 80, NULL), BF_OK);
    assert_int_equal(bf_curve_build(&expected, &repeated, NULL, 80, NULL), BF_OK);
    assert_true(bf_curve_measure(&curve, weight, true, &a) && bf_curve_measure(&expected, NULL, true, &b));
    NEAR(a.auc, b.auc);
    NEAR(a.eer, b.eer);
    NEAR(a.bpcer, b.bpcer);
    NEAR(a.apcer_at.rate, b.apcer_at.rate);
    assert_true(bf_curve_measure(&curve, without, true, &a));
    assert_true(isnan(a.apcer[1]));
    NEAR(a.max_apcer, 0);
    NEAR(a.auc, (2 + 2 + 2 + 2 + 1) / 10.0);
    bf_curve_done(&curve);
    bf_curve_done(&expected);
    bf_scores_done(&scores);
    bf_scores_done(&repeated);
}

static void test_points_go_from_rejecting_to_accepting_everything(void **state)
{
    bf_scores scores = {0};
    bf_curve curve = {0};
    bf_curve_point points[BF_POINTS_MAX];
    bf_random random = {5};
    (void)state;
    for (uint32_t i = 0; i < 40000; i++)
        add(&scores, i % 2 ? "print" : NULL, i % 50,
            (double)bf_random_below(&random, 1000000) / 1e4 * (i % 2 ? 0.8 : 1));
    assert_int_equal(bf_curve_build(&curve, &scores, NULL, 80, NULL), BF_OK);
    size_t count = bf_curve_points(&curve, 0, points);
    assert_in_range(count, 50, BF_POINTS_MAX);
    assert_true(isinf(points[0].threshold) && points[0].apcer == 0 && points[0].bpcer == 1);
    assert_true(points[count - 1].apcer == 1 && points[count - 1].bpcer == 0);
    for (size_t i = 1; i < count; i++) {
        assert_true(points[i].threshold < points[i - 1].threshold);
        assert_true(points[i].apcer >= points[i - 1].apcer && points[i].bpcer <= points[i - 1].bpcer);
    }
    bf_curve_done(&curve);
    bf_scores_done(&scores);
}

/* Two billion presentations, with scores so fine that the curve has as many steps as it can. */
static void test_points_of_the_largest_tables_are_all_there(void **state)
{
    enum { ENTRIES = 4200, TOTAL = 1000000000 };
    static bf_curve_entry entries[2 * ENTRIES];
    bf_curve_cell cells[] = {{.responses = TOTAL}, {.responses = TOTAL, .kind = 1}};
    bf_curve curve = {.entry = entries, .cell = cells, .entries = 2 * ENTRIES, .cells = 2, .kinds = 2, .persons = 1};
    bf_curve_point points[BF_POINTS_MAX];
    uint32_t before[2] = {0};
    (void)state;
    for (int i = 0; i < ENTRIES; i++) {
        for (uint16_t kind = 0; kind < 2; kind++) {
            /* The attacks follow when nearly all bona fide are accepted, so that both axes are walked in turn. */
            double x = (i - (kind == 0 ? ENTRIES / 4 : 3 * ENTRIES / 4)) * 0.02;
            uint32_t accepted = i == ENTRIES - 1 ? TOTAL : (uint32_t)(TOTAL / (1 + exp(-x)));
            entries[2 * i + kind] = (bf_curve_entry){.score = -i, .count = accepted - before[kind], .kind = kind};
            before[kind] = accepted;
        }
    }
    size_t count = bf_curve_points(&curve, 0, points);
    assert_in_range(count, 450, BF_POINTS_MAX);
    assert_true(points[count - 1].apcer == 1 && points[count - 1].bpcer == 0);
}

static bf_level_result level_of(bf_scores *scores, int level)
{
    const bf_evaluation_options options = {.threshold = 80, .replicates = 100, .seed = 1};
    bf_evaluation evaluation = {0};
    assert_int_equal(bf_evaluate(&evaluation, scores, &options, NULL), BF_OK);
    bf_level_result result = evaluation.level[level].result;
    bf_evaluation_done(&evaluation);
    return result;
}

static void add_attacks(bf_scores *scores, const char *species, int total, int accepted, bf_match_outcome match)
{
    for (int i = 0; i < total; i++) {
        add(scores, species, (uint32_t)(i % 30), i < accepted ? 90 : 10);
        scores->row[scores->count - 1].match = (uint8_t)match;
    }
}

static void test_levels(void **state)
{
    enum { IBETA_1 = 0, IBETA_2 = 1, FIDO = 2, FATE = 5 };
    static const char *const species[] = {"a", "b", "c", "d", "e", "f"};
    bf_scores scores = {0};
    (void)state;
    for (uint32_t i = 0; i < 300; i++)
        add(&scores, NULL, i % 30, 90);
    for (int s = 0; s < 6; s++)
        add_attacks(&scores, species[s], 150, 0, s < 5 ? BF_MATCH_STRONG : BF_MATCH_NOT_REQUESTED);
    assert_int_equal(level_of(&scores, IBETA_1), BF_LEVEL_WITHIN);
    assert_int_equal(level_of(&scores, IBETA_2), BF_LEVEL_FIGURE_ONLY); /* none of 150: up to 2.4 % */
    assert_int_equal(level_of(&scores, FIDO), BF_LEVEL_FIGURE_ONLY);    /* one species was not compared */
    assert_int_equal(level_of(&scores, FATE), BF_LEVEL_NO_MARK);
    for (size_t i = 0; i < scores.count; i++)
        scores.row[i].match = scores.row[i].kind > 0 ? BF_MATCH_STRONG : BF_MATCH_NOT_REQUESTED;
    assert_int_equal(level_of(&scores, FIDO), BF_LEVEL_WITHIN);
    /* 7 of 100 is not under 7 %. */
    add_attacks(&scores, "g", 100, 7, BF_MATCH_STRONG);
    assert_int_equal(level_of(&scores, FIDO), BF_LEVEL_BEYOND);
    assert_int_equal(level_of(&scores, IBETA_1), BF_LEVEL_BEYOND);
    /* A species without any response hides nothing of the others, nor does it count as without errors. */
    add(&scores, "h", 1, NAN);
    assert_int_equal(level_of(&scores, IBETA_1), BF_LEVEL_BEYOND);
    bf_scores_done(&scores);
}

static void test_without_errors_there_is_nothing_to_draw(void **state)
{
    const bf_evaluation_options options = {.threshold = 80, .replicates = 100, .seed = 1};
    bf_scores scores = {0};
    bf_evaluation e = {0};
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        add(&scores, NULL, i, 90);
        add(&scores, "print", i, 10);
    }
    assert_int_equal(bf_evaluate(&e, &scores, &options, NULL), BF_OK);
    const bf_bootstrap *b = &e.bootstrap;
    const bf_span spans[] = {b->apcer[1], b->max_apcer, b->bpcer, b->acer, b->auc, b->eer, b->bpcer_at[2], b->apcer_at};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        assert_true(isnan(spans[i].low) && isnan(spans[i].high));
    bf_evaluation_done(&e);
    add(&scores, NULL, 3, 40);
    assert_int_equal(bf_evaluate(&e, &scores, &options, NULL), BF_OK);
    assert_true(isfinite(e.bootstrap.bpcer.high) && isfinite(e.bootstrap.acer.high) &&
                isnan(e.bootstrap.max_apcer.low));
    bf_evaluation_done(&e);
    bf_scores_done(&scores);
}

static void test_silence_is_counted_apart(void **state)
{
    bf_scores scores = {0};
    bf_kind_figures kinds[3];
    (void)state;
    fill(&scores);
    add(&scores, NULL, 1, NAN);
    add(&scores, "replay", 3, NAN);
    add(&scores, "replay", 3, NAN);
    scores.row[scores.count - 1].status = BF_SCORE_ERROR;
    scores.row[3].match = BF_MATCH_STRONG; /* bona fide, 95 */
    scores.row[4].match = BF_MATCH_STRONG; /* bona fide, 60 */
    scores.row[8].match = BF_MATCH_STRONG; /* print, 80 */
    scores.row[7].match = BF_MATCH_WEAK;   /* print, 70 */
    bf_rates_measure(kinds, &scores, 80);
    assert_int_equal(kinds[0].error.count, 2);
    assert_int_equal(kinds[0].error.total, 5);
    assert_int_equal(kinds[0].silent.count, 1);
    assert_int_equal(kinds[0].silent.total, 6);
    assert_int_equal(kinds[2].presentations, 4);
    assert_int_equal(kinds[2].responses, 2);
    assert_int_equal(kinds[2].could_not_judge, 1);
    assert_int_equal(kinds[2].errors, 1);
    NEAR(kinds[0].full_system.value, 0.5);
    NEAR(kinds[1].full_system.value, 0.5);
    assert_int_equal(kinds[2].full_system.total, 0);
    assert_int_equal(kinds[0].histogram[40], 1);
    bf_scores_done(&scores);
}

static void test_calibration_error(void **state)
{
    static const double probabilities[] = {0.9, 0.6, 0.2, 0.6};
    bf_scores scores = {0};
    bf_reliability r = {0};
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        add(&scores, i < 2 ? NULL : "print", i, 50);
        scores.row[i].probability = probabilities[i];
    }
    assert_int_equal(bf_reliability_measure(&r, &scores, NULL, NULL), BF_OK);
    NEAR(r.as_is.brier, 0.1425);
    NEAR(r.as_is.log_loss, -(log(0.9) + log(0.6) + log(0.8) + log(0.4)) / 4);
    NEAR(r.as_is.ece, 0.125);
    NEAR(r.balanced.brier, r.as_is.brier);
    assert_int_equal(r.bin[6].live.total, 2);
    /* A certain mistake costs much, but not infinitely much. */
    scores.row[0].probability = 0;
    assert_int_equal(bf_reliability_measure(&r, &scores, NULL, NULL), BF_OK);
    assert_true(r.as_is.log_loss > 8 && isfinite(r.as_is.log_loss));
    bf_scores_done(&scores);
}

static void test_retries(void **state)
{
    static const uint8_t decisions[] = {BF_DECISION_APPROVE, BF_DECISION_RETRY, BF_DECISION_RETRY, BF_DECISION_REJECT};
    static const uint32_t persons[] = {0, 0, 1, 2};
    bf_scores scores = {0};
    bf_journey j = {0};
    (void)state;
    for (int i = 0; i < 4; i++) {
        add(&scores, NULL, persons[i], 50);
        scores.row[i].decision = decisions[i];
    }
    assert_int_equal(bf_journey_measure(&j, &scores, false, NULL, NULL), BF_OK);
    NEAR(j.after[0].approved, 0.5 / 3);
    NEAR(j.after[0].waiting, 1.5 / 3);
    NEAR(j.after[0].rejected, 1.0 / 3);
    NEAR(j.after[1].approved, 0.75 / 3);
    NEAR(j.after[1].waiting, 1.25 / 3);
    NEAR(j.after[4].approved, (1 - pow(0.5, 5)) / 3);
    assert_int_equal(j.decision[BF_DECISION_RETRY].count, 2);
    assert_int_equal(j.persons, 3);
    bf_scores_done(&scores);
}

static void test_draws_are_even(void **state)
{
    bf_random random = {1};
    uint32_t seen[7] = {0};
    (void)state;
    /* The first numbers of the published generator for seed 0. */
    bf_random zero = {0};
    assert_true(bf_random_next(&zero) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(bf_random_next(&zero) == UINT64_C(0x6e789e6aa1b965f4));
    for (int i = 0; i < 70000; i++)
        seen[bf_random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9600, 10400);
}

/* 60 persons with a rejection rate of their own each: the interval must hold the mean of all such persons in about
 * 95 of 100 tables. An interval over photos would hold it far less often. */
static void test_the_bootstrap_covers(void **state)
{
    enum { TABLES = 300, PERSONS = 60, PHOTOS = 10 };
    bf_random random = {42};
    int held = 0, held_by_photos = 0;
    (void)state;
    for (int t = 0; t < TABLES; t++) {
        bf_scores scores = {0};
        bf_curve curve = {0};
        bf_bootstrap b = {0};
        bf_curve_figures f = {0};
        for (uint32_t p = 0; p < PERSONS; p++) {
            uint32_t percent = bf_random_below(&random, 2) ? 5 : 45; /* 25 % in the mean */
            for (int i = 0; i < PHOTOS; i++)
                add(&scores, NULL, p, bf_random_below(&random, 100) < percent ? 10 : 90);
            add(&scores, "print", p, 20);
        }
        assert_int_equal(bf_curve_build(&curve, &scores, NULL, 80, NULL), BF_OK);
        assert_int_equal(bf_bootstrap_run(&b, &curve, 400, (uint64_t)t, NULL), BF_OK);
        assert_true(bf_curve_measure(&curve, NULL, false, &f));
        bf_rate photos = bf_rate_of((uint64_t)llround(f.bpcer * PERSONS * PHOTOS), PERSONS * PHOTOS);
        held += b.bpcer.low <= 0.25 && 0.25 <= b.bpcer.high;
        held_by_photos += photos.low <= 0.25 && 0.25 <= photos.high;
        bf_curve_done(&curve);
        bf_scores_done(&scores);
    }
    assert_in_range(held, TABLES * 90 / 100, TABLES * 98 / 100);
    assert_true(held_by_photos < TABLES * 87 / 100);
}

static void test_one_person_has_no_interval_by_person(void **state)
{
    bf_scores scores = {0};
    bf_curve curve = {0};
    bf_bootstrap b = {0};
    (void)state;
    add(&scores, NULL, 0, 90);
    add(&scores, "print", 0, 10);
    assert_int_equal(bf_curve_build(&curve, &scores, NULL, 80, NULL), BF_OK);
    assert_int_equal(bf_bootstrap_run(&b, &curve, 100, 1, NULL), BF_OK);
    assert_int_equal(b.replicates, 0);
    assert_true(isnan(b.bpcer.low) && isnan(b.apcer[1].high) && isnan(b.eer.low));
    bf_curve_done(&curve);
    bf_scores_done(&scores);
}

/* Whichever allocation fails, the status says so and nothing leaks. */
static void test_too_little_memory(void **state)
{
    bf_scores scores = {0};
    bf_evaluation evaluation = {0};
    const bf_evaluation_options options = {.threshold = 80, .replicates = 100, .seed = 1};
    (void)state;
    fill(&scores);
    for (size_t nth = 1;; nth++) {
        (void)bf_alloc_fail_after(nth, 0);
        bf_status status = bf_evaluate(&evaluation, &scores, &options, NULL);
        (void)bf_alloc_fail_after(0, 0);
        if (status == BF_OK)
            break;
        assert_int_equal(status, BF_OUT_OF_MEMORY);
        assert_true(nth < 200);
    }
    NEAR(evaluation.figures.auc, 24.5 / 30);
    assert_int_equal(evaluation.worst_kind, 1);
    bf_evaluation_done(&evaluation);
    bf_scores_done(&scores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_of_the_curve),
        cmocka_unit_test(test_detectors_alone),
        cmocka_unit_test(test_weights_count_persons),
        cmocka_unit_test(test_points_go_from_rejecting_to_accepting_everything),
        cmocka_unit_test(test_points_of_the_largest_tables_are_all_there),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_without_errors_there_is_nothing_to_draw),
        cmocka_unit_test(test_silence_is_counted_apart),
        cmocka_unit_test(test_calibration_error),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_draws_are_even),
        cmocka_unit_test(test_the_bootstrap_covers),
        cmocka_unit_test(test_one_person_has_no_interval_by_person),
        cmocka_unit_test(test_too_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
