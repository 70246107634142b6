/* Logistic regression: against odds worked by hand, and against the conditions that the optimum must meet. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "evaluate/bootstrap.h"
#include "fit/logistic.h"

#define ROWS 200
#define COLUMNS 3

/* At x = 0 one of four is bona fide, at x = 1 three of four. */
static const double STEPS[] = {0, 0, 0, 0, 1, 1, 1, 1};
static const double STEP_TARGETS[] = {1, 0, 0, 0, 1, 1, 1, 0};

static void odds_of_two_groups(void **state)
{
    (void)state;
    const bf_logistic_data data = {.x = STEPS, .target = STEP_TARGETS, .rows = 8, .columns = 1};
    const bf_logistic_options options = bf_logistic_ridge(0);
    bf_logistic model;
    assert_int_equal(bf_logistic_fit(&model, &data, &options, NULL), BF_OK);
    assert_true(fabs(model.intercept + log(3)) < 1e-5 && fabs(model.coefficient[0] - 2 * log(3)) < 1e-5);
    assert_true(fabs(model.spread[0] - 0.5) < 1e-6);
    const double one = 1;
    assert_true(fabs(bf_logistic_log_odds(&model, &one, 1) - log(3)) < 1e-5);
}

static void a_weight_counts_as_rows(void **state)
{
    (void)state;
    static const double x[] = {0, 0, 1, 1}, target[] = {1, 0, 1, 0}, weight[] = {1, 3, 3, 1};
    const bf_logistic_data few = {.x = x, .target = target, .weight = weight, .rows = 4, .columns = 1};
    const bf_logistic_data many = {.x = STEPS, .target = STEP_TARGETS, .rows = 8, .columns = 1};
    const bf_logistic_options options = bf_logistic_ridge(2);
    bf_logistic a, b;
    assert_int_equal(bf_logistic_fit(&a, &few, &options, NULL), BF_OK);
    assert_int_equal(bf_logistic_fit(&b, &many, &options, NULL), BF_OK);
    assert_true(fabs(a.coefficient[0] - b.coefficient[0]) < 1e-12 && fabs(a.intercept - b.intercept) < 1e-12);
    assert_true(a.coefficient[0] < 2 * log(3) && a.coefficient[0] > 0);
}

static void targets_between(void **state)
{
    (void)state;
    static const double x[] = {0, 1}, target[] = {0.25, 0.75};
    const bf_logistic_data data = {.x = x, .target = target, .rows = 2, .columns = 1};
    const bf_logistic_options options = bf_logistic_ridge(0);
    bf_logistic model;
    assert_int_equal(bf_logistic_fit(&model, &data, &options, NULL), BF_OK);
    assert_true(fabs(model.coefficient[0] - 2 * log(3)) < 1e-5);
}

typedef struct sample {
    double x[ROWS * COLUMNS], target[ROWS], weight[ROWS];
} sample;

static double uniform(bf_random *random)
{
    return bf_random_below(random, 1000000) / 1e6 - 0.5;
}

/* The second column speaks the wrong way round; the third has another unit. */
static bf_logistic_data draw(sample *s, uint64_t seed)
{
    bf_random random = {seed};
    for (size_t i = 0; i < ROWS; i++) {
        s->target[i] = i % 2 == 0 ? 0 : 1;
        s->weight[i] = 1 + uniform(&random);
        s->x[i * COLUMNS] = uniform(&random) + 0.3 * s->target[i];
        s->x[i * COLUMNS + 1] = uniform(&random) - 0.4 * s->target[i];
        s->x[i * COLUMNS + 2] = 1000 * (uniform(&random) + 0.2 * s->target[i]);
    }
    return (bf_logistic_data){.x = s->x, .target = s->target, .weight = s->weight, .rows = ROWS, .columns = COLUMNS};
}

/* The derivative of the penalised likelihood by the intercept (place COLUMNS) or a standardised coefficient. */
static double slope_at(const bf_logistic_data *data, const bf_logistic *model, double ridge, size_t column)
{
    double sum = 0;
    for (size_t i = 0; i < data->rows; i++) {
        double p = 1 / (1 + exp(-bf_logistic_log_odds(model, data->x + i * COLUMNS, COLUMNS)));
        double x = column < COLUMNS ? data->x[i * COLUMNS + column] : 1;
        sum += data->weight[i] * (data->target[i] - p) * x;
    }
    return column < COLUMNS ? sum / model->spread[column] - ridge * model->coefficient[column] * model->spread[column]
                            : sum;
}

static void nothing_is_left_to_climb(void **state)
{
    (void)state;
    static sample s;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const bf_logistic_data data = draw(&s, seed);
        bf_logistic_options options = bf_logistic_ridge(3);
        bf_logistic free_model, bound_model;
        assert_int_equal(bf_logistic_fit(&free_model, &data, &options, NULL), BF_OK);
        assert_true(free_model.coefficient[1] < 0);
        /* The penalty holds around the mean, so the intercept's condition is only that of standardised columns. */
        assert_true(fabs(slope_at(&data, &free_model, 3, COLUMNS)) < 1e-4);
        options.lower[0] = options.lower[1] = options.lower[2] = 0.001;
        assert_int_equal(bf_logistic_fit(&bound_model, &data, &options, NULL), BF_OK);
        assert_true(bound_model.coefficient[1] == 0.001);
        assert_true(slope_at(&data, &bound_model, 3, 1) < 0);
        assert_true(bound_model.coefficient[0] >= 0.001 && bound_model.coefficient[2] >= 0.001);
    }
}

static void units_do_not_matter(void **state)
{
    (void)state;
    static sample s;
    const bf_logistic_data data = draw(&s, 5);
    const bf_logistic_options options = bf_logistic_ridge(3);
    bf_logistic a, b;
    assert_int_equal(bf_logistic_fit(&a, &data, &options, NULL), BF_OK);
    for (size_t i = 0; i < ROWS; i++)
        s.x[i * COLUMNS] = 7 * s.x[i * COLUMNS] + 100;
    assert_int_equal(bf_logistic_fit(&b, &data, &options, NULL), BF_OK);
    assert_true(fabs(a.coefficient[0] - 7 * b.coefficient[0]) < 1e-6);
    assert_true(fabs(a.intercept - b.intercept - 100 * b.coefficient[0]) < 1e-4);
}

static void separable_data_stay_finite(void **state)
{
    (void)state;
    static const double x[] = {-1e6, -1e6, 1e6, 1e6}, target[] = {0, 0, 1, 1};
    const bf_logistic_data data = {.x = x, .target = target, .rows = 4, .columns = 1};
    const bf_logistic_options weak = bf_logistic_ridge(0), strong = bf_logistic_ridge(1);
    bf_logistic model;
    assert_int_equal(bf_logistic_fit(&model, &data, &weak, NULL), BF_OK);
    assert_true(isfinite(model.coefficient[0]) && model.coefficient[0] > 0);
    assert_int_equal(bf_logistic_fit(&model, &data, &strong, NULL), BF_OK);
    assert_true(model.coefficient[0] * 1e6 > 0.5 && model.coefficient[0] * 1e6 < 3);
}

static void a_constant_column_gets_nothing(void **state)
{
    (void)state;
    static const double x[] = {5, 0, 5, 0, 5, 1, 5, 1}, target[] = {0, 1, 1, 0};
    const bf_logistic_data data = {.x = x, .target = target, .rows = 4, .columns = 2};
    const bf_logistic_options options = bf_logistic_ridge(1);
    bf_logistic model;
    assert_int_equal(bf_logistic_fit(&model, &data, &options, NULL), BF_OK);
    assert_true(fabs(model.coefficient[0]) < 1e-6 && isfinite(model.intercept));
}

static void what_cannot_be_fitted(void **state)
{
    (void)state;
    static const double x[] = {0, 1}, same[] = {1, 1}, both[] = {0, 1}, none[] = {0, 0};
    const bf_logistic_options options = bf_logistic_ridge(1);
    const bf_logistic_data wrong[] = {
        {.x = x, .target = same, .rows = 2, .columns = 1},
        {.x = x, .target = none, .rows = 2, .columns = 1},
        {.x = x, .target = both, .weight = none, .rows = 2, .columns = 1},
        {.x = x, .target = both, .rows = 0, .columns = 1},
        {.x = x, .target = both, .rows = 2, .columns = 0},
        {.x = x, .target = both, .rows = 2, .columns = BF_LOGISTIC_COLUMNS_MAX + 1},
    };
    bf_logistic model = {.intercept = 42};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(bf_logistic_fit(&model, &wrong[i], &options, NULL), BF_INVALID_ARGUMENT);
    const bf_logistic_data data = {.x = x, .target = both, .rows = 2, .columns = 1};
    bf_alloc_fail_after(1, 0);
    assert_int_equal(bf_logistic_fit(&model, &data, &options, NULL), BF_OUT_OF_MEMORY);
    bf_alloc_fail_after(0, 0);
    assert_true(model.intercept == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odds_of_two_groups),
        cmocka_unit_test(a_weight_counts_as_rows),
        cmocka_unit_test(targets_between),
        cmocka_unit_test(nothing_is_left_to_climb),
        cmocka_unit_test(units_do_not_matter),
        cmocka_unit_test(separable_data_stay_finite),
        cmocka_unit_test(a_constant_column_gets_nothing),
        cmocka_unit_test(what_cannot_be_fitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
