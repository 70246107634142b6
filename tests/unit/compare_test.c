/* Comparisons against tables worked out by hand, experiments, and how often verdicts are wrong in simulated truth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "compare/report.h"

#define NEAR(value, expected) assert_true(fabs((value) - (expected)) < 1e-9)
#define CLOSE(value, expected) assert_true(fabs((value) - (expected)) < 5e-5)

/* One sample: what both releases made of it. NaN: no response. */
typedef struct sample {
    const char *species;
    uint32_t person;
    double a, b;
} sample;

static void add(bf_scores *scores, const sample *s, double score, size_t number)
{
    uint32_t species = 0;
    char id[32];
    bf_score_row row = {
        .score = score, .probability = score / 100, .person = s->person, .decision = BF_DECISION_ABSENT};
    if (isnan(score))
        row.status = BF_SCORE_COULD_NOT_JUDGE;
    else
        row.decision = score >= 80 ? BF_DECISION_APPROVE : BF_DECISION_REJECT;
    if (s->species) {
        assert_int_equal(bf_names_add(&scores->species, s->species, strlen(s->species), &species, NULL), BF_OK);
        row.kind = (uint16_t)(species + 1);
    }
    assert_int_equal(bf_scores_add(scores, &row, NULL, NULL), BF_OK);
    (void)snprintf(id, sizeof id, "s%zu", number);
    const bf_score_sample who = {.sha256 = number + 1, .person = s->person + 1, .csv_row = number + 2};
    assert_int_equal(bf_scores_add_sample(scores, who, id, NULL), BF_OK);
    scores->persons = s->person + 1 > scores->persons ? s->person + 1 : scores->persons;
}

static void join(bf_pairs *ret, const sample *samples, size_t count)
{
    bf_scores a = {0}, b = {0};
    const bf_pairs_options options = {.name_a = "a.csv", .name_b = "b.csv"};
    for (size_t i = 0; i < count; i++) {
        add(&a, &samples[i], samples[i].a, i);
        add(&b, &samples[i], samples[i].b, i);
    }
    assert_int_equal(bf_pairs_join(ret, &a, &b, &options, NULL), BF_OK);
}

static const sample SAMPLES[] = {
    {NULL, 0, 90, 95},    {NULL, 0, 85, 70},   {NULL, 1, 60, 88},   {NULL, 1, 99, 99},     {NULL, 2, 40, 30},
    {"print", 3, 85, 10}, {"print", 3, 10, 5}, {"print", 4, 20, 1}, {"replay", 4, 30, 90}, {"replay", 5, 30, NAN},
};
#define SAMPLE_COUNT (sizeof SAMPLES / sizeof *SAMPLES)

static bf_comparison_options quick(void)
{
    return (bf_comparison_options){.replicates = 200, .seed = 1, .jobs = 1};
}

static void test_mcnemar_by_hand(void **state)
{
    (void)state;
    NEAR(bf_mcnemar(0, 0), 1);
    NEAR(bf_mcnemar(3, 3), 1);
    NEAR(bf_mcnemar(5, 0), 2.0 / 32);
    NEAR(bf_mcnemar(1, 9), 2.0 * (1 + 10) / 1024);
    NEAR(bf_mcnemar(9, 1), bf_mcnemar(1, 9));
    NEAR(bf_mcnemar(1, 2), 1);
}

static void test_interval_of_pairs(void **state)
{
    (void)state;
    /* No answer differs: the bound is z^2 / (n + z^2), and the other side the same. */
    const double z2 = 1.959963984540054 * 1.959963984540054;
    bf_span none = bf_paired_interval(&(bf_paired){100, 0, 0}, 0.95);
    CLOSE(none.high, z2 / (100 + z2));
    CLOSE(none.low, -none.high);
    bf_span some = bf_paired_interval(&(bf_paired){200, 18, 7}, 0.95),
            turned = bf_paired_interval(&(bf_paired){200, 7, 18}, 0.95);
    NEAR(some.low, -turned.high);
    NEAR(some.high, -turned.low);
    assert_true(some.low < 11.0 / 200 && some.high > 11.0 / 200);
    /* Of many pairs it is the normal interval. */
    bf_span many = bf_paired_interval(&(bf_paired){1000000, 30000, 20000}, 0.95);
    assert_true(fabs(many.high - (0.01 + 1.96 * sqrt((0.05 - 0.0001) / 1e6))) < 2e-5);
    assert_true(isnan(bf_paired_interval(&(bf_paired){0}, 0.95).low));
    bf_span all = bf_paired_interval(&(bf_paired){20, 20, 0}, 0.95);
    NEAR(all.high, 1);
    assert_true(all.low > 0.6);
}

static void test_figures_by_hand(void **state)
{
    bf_pairs pairs = {0};
    bf_comparison c = {0};
    bf_experiment experiment;
    const bf_comparison_options options = quick();
    (void)state;
    join(&pairs, SAMPLES, SAMPLE_COUNT);
    bf_experiment_default(&experiment);
    assert_int_equal(bf_compare(&c, &pairs, &experiment, &options, NULL), BF_OK);
    NEAR(c.kind[0].a, 0.4);
    NEAR(c.kind[0].b, 0.4);
    assert_int_equal(c.kind[0].paired.pairs, 5);
    assert_int_equal(c.kind[0].paired.worse, 1);
    assert_int_equal(c.kind[0].paired.better, 1);
    NEAR(c.kind[1].a, 1.0 / 3);
    NEAR(c.kind[1].b, 0);
    assert_int_equal(c.kind[1].paired.better, 1);
    NEAR(c.kind[2].a, 0);
    NEAR(c.kind[2].b, 1); /* of one with a response */
    assert_int_equal(c.kind[2].paired.pairs, 1);
    NEAR(c.metric[0].a, 1.0 / 3);
    NEAR(c.metric[0].b, 1);
    assert_int_equal(c.metric[0].kind, 2);
    NEAR(c.metric[5].difference, 0.5); /* APNRR, of the replays */
    assert_int_equal(c.verdict, BF_OUTCOME_INCONCLUSIVE);
    /* Scores of the bona fide went 5, -15, 28, 0 and -10 up. */
    assert_int_equal(c.shift[0].pairs, 5);
    assert_int_equal(c.shift[0].same, 1);
    NEAR(c.shift[0].mean, 1.6);
    NEAR(c.shift[0].quantile[0], -15);
    NEAR(c.shift[0].quantile[3], 0);
    NEAR(c.shift[0].quantile[6], 28);
    NEAR(c.shift[0].ks, 0.2);
    NEAR(c.shift[1].ks, 2.0 / 3);
    bf_comparison_done(&c);
    bf_pairs_done(&pairs);
}

static void test_what_moves_by_hand(void **state)
{
    bf_pairs pairs = {0};
    bf_comparison c = {0};
    bf_experiment experiment;
    const bf_comparison_options options = quick();
    (void)state;
    join(&pairs, SAMPLES, SAMPLE_COUNT);
    bf_experiment_default(&experiment);
    assert_int_equal(bf_compare(&c, &pairs, &experiment, &options, NULL), BF_OK);
    /* A at 80 rejects two of five; B does so from 88 on, and accepts the replay there. */
    const bf_band_migration *band = &c.band[1];
    NEAR(band->threshold, 80);
    NEAR(band->a.bpcer, 0.4);
    NEAR(band->a.apcer, 1.0 / 3);
    NEAR(band->same.point.threshold, 80);
    NEAR(band->same.point.bpcer, 0.4);
    NEAR(band->same.point.apcer, 1);
    assert_int_equal(band->same.bona_fide.up, 1);
    assert_int_equal(band->same.bona_fide.down, 1);
    assert_int_equal(band->same.bona_fide.stay_above, 2);
    assert_int_equal(band->same.attacks.up, 1);
    assert_int_equal(band->same.attacks.down, 1);
    NEAR(band->same_bpcer.point.threshold, 88);
    NEAR(band->same_apcer.point.threshold, 95);
    NEAR(band->same_apcer.point.bpcer, 0.6);
    assert_int_equal(c.decision[0][BF_DECISION_APPROVE][BF_DECISION_REJECT], 1);
    assert_int_equal(c.decision[0][BF_DECISION_REJECT][BF_DECISION_APPROVE], 1);
    assert_int_equal(c.decision[1][BF_DECISION_REJECT][BF_DECISIONS], 1);
    static const char *const expected[] = {"s8", "s1", "s9", "s5", "s2"};
    assert_int_equal(c.flips, 5);
    for (size_t i = 0; i < c.flips; i++)
        assert_string_equal(bf_scores_sample_id(&pairs.a, c.flip[i].row), expected[i]);
    bf_comparison_done(&c);
    bf_pairs_done(&pairs);
}

static bf_contrast measured(double a, double b, double low, double high)
{
    return (bf_contrast){.a = a,
                         .b = b,
                         .difference = b - a,
                         .interval = {low, high},
                         .bona_fide = 1000,
                         .attacks_least = 1000,
                         .persons = 100};
}

static bf_outcome judge(bf_metric_kind kind, bf_criterion_rule rule, double margin, const bf_contrast *contrast)
{
    char reason[320];
    bf_experiment e;
    const bf_criterion criterion = {.metric = {.kind = kind}, .rule = rule, .margin = margin};
    bf_experiment_default(&e);
    return bf_judge_criterion(&criterion, contrast, &e, "print", reason, sizeof reason);
}

static void test_verdicts(void **state)
{
    const bf_contrast better = measured(0.1, 0.05, -0.08, -0.02), same = measured(0.1, 0.1, -0.03, 0.03);
    const bf_contrast worse = measured(0.1, 0.2, 0.05, 0.15), unknown = measured(NAN, 0.1, NAN, NAN);
    (void)state;
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.03, &same), BF_OUTCOME_PASS);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.02, &same), BF_OUTCOME_INCONCLUSIVE);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.05, &worse), BF_OUTCOME_INCONCLUSIVE);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.04, &worse), BF_OUTCOME_FAIL);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_SUPERIOR, 0.02, &better), BF_OUTCOME_PASS);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_SUPERIOR, 0.03, &better), BF_OUTCOME_INCONCLUSIVE);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_SUPERIOR, 0.09, &better), BF_OUTCOME_FAIL);
    assert_int_equal(judge(BF_METRIC_AUC, BF_RULE_NON_INFERIOR, 0, &worse), BF_OUTCOME_PASS);
    assert_int_equal(judge(BF_METRIC_AUC, BF_RULE_NON_INFERIOR, 0.01, &better), BF_OUTCOME_FAIL);
    assert_int_equal(judge(BF_METRIC_AUC, BF_RULE_SUPERIOR, 0.05, &worse), BF_OUTCOME_PASS);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.5, &unknown), BF_OUTCOME_INCONCLUSIVE);
    bf_contrast few = same;
    few.persons = 19;
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.5, &few), BF_OUTCOME_INCONCLUSIVE);
    /* Plain harm fails also where there is too little for a pass; what is within the margin or chance does not. */
    few = worse;
    few.persons = 12;
    few.by_head = (bf_paired){.pairs = 12, .worse = 6};
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.01, &few), BF_OUTCOME_FAIL);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.1, &few), BF_OUTCOME_INCONCLUSIVE);
    few.by_head.better = 1; /* p = 0.125 */
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.01, &few), BF_OUTCOME_INCONCLUSIVE);
    few.by_head = (bf_paired){.pairs = 3, .worse = 3};
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.01, &few), BF_OUTCOME_FAIL);
    few.by_head = (bf_paired){.pairs = 12, .better = 12};
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.01, &few), BF_OUTCOME_INCONCLUSIVE);
    few = better; /* not better enough is no harm */
    few.persons = 12;
    few.by_head = (bf_paired){.pairs = 12, .worse = 12};
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_SUPERIOR, 0.09, &few), BF_OUTCOME_INCONCLUSIVE);
    few = same;
    few.attacks_least = 29;
    assert_int_equal(judge(BF_METRIC_MAX_APCER, BF_RULE_NON_INFERIOR, 0.5, &few), BF_OUTCOME_INCONCLUSIVE);
    assert_int_equal(judge(BF_METRIC_BPCER, BF_RULE_NON_INFERIOR, 0.5, &few), BF_OUTCOME_PASS);
    few = same;
    few.interval = (bf_span){NAN, NAN};
    assert_int_equal(judge(BF_METRIC_EER, BF_RULE_NON_INFERIOR, 0.5, &few), BF_OUTCOME_INCONCLUSIVE);
}

static void test_names_of_metrics(void **state)
{
    static const char *const good[] = {"max_apcer", "bpcer", "apcer(print (A4))", "latency_p95(total)", "bpcer100"};
    static const char *const bad[] = {"", "apcer", "apcer()", "apcer(print", "bpcer(x)", "latency_p50", "BPCER", "(x)"};
    bf_metric metric;
    const char *problem;
    char text[BF_METRIC_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(bf_metric_parse(good[i], &metric, &problem));
        bf_metric_text(&metric, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(bf_metric_parse(bad[i], &metric, &problem));
}

static void test_the_template_is_the_defaults(void **state)
{
    bf_experiment parsed, defaults;
    bf_error err = {0};
    (void)state;
    bf_experiment_default(&defaults);
    assert_int_equal(
        bf_experiment_parse(BF_EXPERIMENT_TEMPLATE, strlen(BF_EXPERIMENT_TEMPLATE), "t.yaml", &parsed, &err), BF_OK);
    assert_int_equal(parsed.metrics, defaults.metrics);
    assert_int_equal(parsed.primary, defaults.primary);
    for (size_t m = 0; m < parsed.metrics; m++)
        assert_true(bf_metric_equal(&parsed.metric[m], &defaults.metric[m]));
    assert_int_equal(parsed.criteria, defaults.criteria);
    for (size_t i = 0; i < parsed.criteria; i++)
        NEAR(parsed.criterion[i].margin, defaults.criterion[i].margin);
    assert_int_equal(parsed.bands, 2);
    assert_int_equal(parsed.persons_least, defaults.persons_least);
    NEAR(parsed.confidence, defaults.confidence);
}

/* Of persons that differ: half are never rejected by A, the others every fifth time. B rejects besides, by chance, as
 * many as `more` of those that it would have accepted. */
static bf_outcome simulate(bf_random *random, size_t persons, double more, bf_criterion_rule rule, double margin)
{
    enum { EACH = 6 };
    static sample samples[1000];
    size_t count = 0;
    for (uint32_t p = 0; p < persons; p++) {
        double rejects = p % 2 ? 0.2 : 0;
        for (int i = 0; i < EACH; i++) {
            double chance[3];
            for (int k = 0; k < 3; k++)
                chance[k] = (double)bf_random_below(random, 1u << 30) / (1u << 30);
            bool b = chance[1] < rejects || chance[2] < more;
            samples[count++] = (sample){NULL, p, chance[0] < rejects ? 20 : 90, b ? 20 : 90};
        }
        samples[count++] = (sample){"print", p, 10, 10};
    }
    bf_pairs pairs = {0};
    bf_contrast contrast;
    const bf_metric metric = {.kind = BF_METRIC_BPCER};
    const bf_contrast_options options = {
        .threshold = {80, 80}, .confidence = 0.95, .replicates = 400, .seed = bf_random_next(random), .jobs = 1};
    join(&pairs, samples, count);
    assert_int_equal(bf_contrast_run(&contrast, &pairs, &metric, 1, &options, NULL), BF_OK);
    bf_pairs_done(&pairs);
    return judge(BF_METRIC_BPCER, rule, margin, &contrast);
}

typedef struct tally {
    int pass, fail, open;
} tally;

static tally simulate_often(int times, size_t persons, double more, bf_criterion_rule rule, double margin)
{
    bf_random random = {11};
    tally t = {0};
    for (int i = 0; i < times; i++) {
        bf_outcome outcome = simulate(&random, persons, more, rule, margin);
        t.pass += outcome == BF_OUTCOME_PASS;
        t.fail += outcome == BF_OUTCOME_FAIL;
        t.open += outcome == BF_OUTCOME_INCONCLUSIVE;
    }
    return t;
}

/* A bound at 95 % two-sided is wrong in 2.5 of 100 tables; 22 of 400 is four standard deviations more. */
static void test_verdicts_are_seldom_wrong(void **state)
{
    enum { TIMES = 400, WRONG_MOST = 22 };
    (void)state;
    /* Equal in truth: seldom called better, seldom called worse. */
    tally equal = simulate_often(TIMES, 60, 0, BF_RULE_SUPERIOR, 0);
    assert_in_range(equal.pass, 0, WRONG_MOST);
    equal = simulate_often(TIMES, 60, 0, BF_RULE_NON_INFERIOR, 0);
    assert_in_range(equal.fail, 0, WRONG_MOST);
    /* Worse by the very margin: seldom called not inferior. BPCER is 10 %, so 5 % of the rest are 4.5 points. */
    tally edge = simulate_often(TIMES, 60, 0.05, BF_RULE_NON_INFERIOR, 0.045);
    assert_in_range(edge.pass, 0, WRONG_MOST);
    assert_in_range(edge.fail, 0, WRONG_MOST);
}

static void test_what_is_there_is_found(void **state)
{
    (void)state;
    tally equal = simulate_often(60, 120, 0, BF_RULE_NON_INFERIOR, 0.08);
    assert_in_range(equal.pass, 55, 60);
    tally worse = simulate_often(60, 120, 0.3, BF_RULE_NON_INFERIOR, 0.02);
    assert_in_range(worse.fail, 58, 60);
    tally few = simulate_often(60, 24, 0, BF_RULE_NON_INFERIOR, 0.01);
    assert_in_range(few.open, 50, 60);
}

/* Joins, compares and writes with memory for `nth` - 1 allocations; frees whatever came of it. */
static bf_status make_everything(size_t nth)
{
    bf_pairs pairs = {0};
    bf_comparison c = {0};
    bf_experiment experiment;
    bf_bytes json = {0}, html = {0};
    bf_scores a = {0}, b = {0};
    const bf_pairs_options joining = {.name_a = "a.csv", .name_b = "b.csv"};
    const bf_compare_facts facts = {.table = {"a.csv", "b.csv"}, .program = "bonafide"};
    const bf_comparison_options options = {.replicates = 2, .seed = 1, .jobs = 1};
    bf_experiment_default(&experiment);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        add(&a, &SAMPLES[i], SAMPLES[i].a, i);
        add(&b, &SAMPLES[i], SAMPLES[i].b, i);
    }
    (void)bf_alloc_fail_after(nth, 0);
    bf_status status = bf_pairs_join(&pairs, &a, &b, &joining, NULL);
    if (status == BF_OK)
        status = bf_compare(&c, &pairs, &experiment, &options, NULL);
    if (status == BF_OK)
        status = bf_compare_json(&json, &c, &facts, NULL);
    if (status == BF_OK)
        status = bf_compare_html(&html, &c, &facts, NULL);
    (void)bf_alloc_fail_after(0, 0);
    bf_bytes_done(&json);
    bf_bytes_done(&html);
    bf_comparison_done(&c);
    bf_pairs_done(&pairs);
    return status;
}

static void test_too_little_memory(void **state)
{
    size_t nth = 1;
    (void)state;
    while (make_everything(nth) == BF_OUT_OF_MEMORY)
        nth++;
    assert_int_equal(make_everything(nth), BF_OK);
    assert_true(nth > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mcnemar_by_hand),
        cmocka_unit_test(test_interval_of_pairs),
        cmocka_unit_test(test_figures_by_hand),
        cmocka_unit_test(test_what_moves_by_hand),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_names_of_metrics),
        cmocka_unit_test(test_the_template_is_the_defaults),
        cmocka_unit_test(test_verdicts_are_seldom_wrong),
        cmocka_unit_test(test_what_is_there_is_found),
        cmocka_unit_test(test_too_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
