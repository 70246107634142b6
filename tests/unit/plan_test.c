/* How plans of live capture are made: what may be in one, and how often. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/plans.h"

#define PLANS 4000

static uint32_t seed;

static int reset_seed(void **state)
{
    (void)state;
    seed = 20261125;
    return 0;
}

/* |observed - expected| is within five standard deviations of a binomial count. */
static void assert_count(int observed, int trials, double share)
{
    double deviation = sqrt(trials * share * (1 - share));
    if (fabs(observed - trials * share) > 5 * deviation + 1)
        fail_msg("%d of %d instead of a share of %g", observed, trials, share);
}

static int ability(bf_step_type type)
{
    static const int of[BF_STEP_TYPE_COUNT] = {0, 1, 1, 1, 1, 4, 2, 3, 3};
    return of[type];
}

static int asked_count(const bf_plan *plan)
{
    int count = 0;
    for (int i = 0; i < plan->step_count; i++)
        count += plan->step[i].type != BF_STEP_HOLD_STILL;
    return count;
}

static void check_flash(const bf_plan *plan)
{
    const bf_flash *flash = &plan->flash;
    assert_true(flash->colour_count >= BF_PLAN_COLOURS_MIN && flash->colour_count <= BF_PLAN_COLOURS_MAX);
    assert_true(flash->each_ms >= 400 && flash->each_ms <= 700);
    assert_true(flash->from_ms + flash->colour_count * flash->each_ms <= plan->duration_ms - 300);
    for (int i = 1; i < flash->colour_count; i++) {
        assert_true(memcmp(flash->colour[i], flash->colour[i - 1], 3) != 0);
        assert_true(i < 2 || memcmp(flash->colour[i], flash->colour[i - 2], 3) != 0);
    }
    const bf_step *last = &plan->step[plan->step_count - 1];
    assert_int_equal(last->type, BF_STEP_HOLD_STILL);
    assert_true(last->from_ms <= flash->from_ms - 300);
    assert_true(last->until_ms >= flash->from_ms + flash->colour_count * flash->each_ms);
}

/* What holds for each made plan. */
static void check(const bf_plan *plan, const bf_plan_wish *wish)
{
    int factor = wish->relaxed ? 2 : 1;
    assert_string_equal(plan->nonce, wish->nonce);
    assert_int_equal(plan->attempt, wish->attempt);
    assert_true(plan->step_count >= 1 && plan->step_count <= BF_PLAN_STEPS_MAX);
    assert_int_equal(plan->step[0].type, BF_STEP_HOLD_STILL);
    assert_int_equal(plan->step[0].from_ms, 0);
    assert_true(plan->duration_ms <= 12000 * factor);
    for (int i = 0; i < plan->step_count; i++) {
        const bf_step *step = &plan->step[i];
        assert_false(wish->exclude[step->type] && step->type != BF_STEP_HOLD_STILL);
        assert_true(step->from_ms < step->until_ms && step->until_ms <= plan->duration_ms);
        if (i == 0)
            continue;
        int gap_ms = step->from_ms - plan->step[i - 1].until_ms;
        assert_true(gap_ms >= 300 * factor && gap_ms <= 900 * factor);
        if (step->type != BF_STEP_HOLD_STILL)
            assert_int_equal(step->until_ms - step->from_ms, 2000 * factor);
        assert_true(step->type != plan->step[i - 1].type);
    }
    assert_int_equal(plan->flash.form, wish->flash);
    if (wish->flash == BF_FLASH_NONE)
        assert_int_equal(plan->flash.colour_count, 0);
    else
        check_flash(plan);
}

static bool rests_on_one_ability(const bf_plan *plan)
{
    for (int i = 2; i < plan->step_count; i++) {
        if (ability(plan->step[i].type) != ability(plan->step[1].type))
            return false;
    }
    return true;
}

static void every_step_comes_as_often_as_the_rules_allow(void **state)
{
    (void)state;
    bf_plan_wish wish = wish_active();
    wish.steps_min = wish.steps_max = 2;
    /* 64 pairs less 8 repetitions, 12 of two turns of the head, 2 of two of the mouth: 42. */
    static const int first[BF_STEP_TYPE_COUNT] = {0, 4, 4, 4, 4, 7, 7, 6, 6};
    int in_first[BF_STEP_TYPE_COUNT] = {0}, in_second[BF_STEP_TYPE_COUNT] = {0};
    for (int i = 0; i < PLANS; i++) {
        bf_plan plan = plan_drawn(&wish, &seed);
        check(&plan, &wish);
        assert_int_equal(plan.step_count, 3);
        in_first[plan.step[1].type]++;
        in_second[plan.step[2].type]++;
    }
    for (int type = 1; type < BF_STEP_TYPE_COUNT; type++) {
        assert_count(in_first[type], PLANS, first[type] / 42.0);
        assert_count(in_second[type], PLANS, first[type] / 42.0);
    }
}

static void every_order_of_two_steps_is_equally_likely(void **state)
{
    (void)state;
    bf_plan_wish wish = wish_active();
    wish.steps_min = wish.steps_max = 2;
    int seen[BF_STEP_TYPE_COUNT][BF_STEP_TYPE_COUNT] = {{0}}, kinds = 0;
    for (int i = 0; i < PLANS; i++) {
        bf_plan plan = plan_drawn(&wish, &seed);
        seen[plan.step[1].type][plan.step[2].type]++;
    }
    for (int a = 1; a < BF_STEP_TYPE_COUNT; a++) {
        for (int b = 1; b < BF_STEP_TYPE_COUNT; b++) {
            if (ability((bf_step_type)a) == ability((bf_step_type)b)) {
                assert_int_equal(seen[a][b], 0);
                continue;
            }
            assert_count(seen[a][b], PLANS, 1 / 42.0);
            kinds++;
        }
    }
    assert_int_equal(kinds, 42);
}

static void the_number_of_steps_and_the_gaps_are_spread_evenly(void **state)
{
    (void)state;
    bf_plan_wish wish = wish_active();
    int of_count[5] = {0}, gap_tenth[10] = {0}, gaps = 0;
    for (int i = 0; i < PLANS; i++) {
        bf_plan plan = plan_drawn(&wish, &seed);
        check(&plan, &wish);
        assert_false(rests_on_one_ability(&plan));
        of_count[asked_count(&plan)]++;
        /* Two steps leave the gaps all of their room: 300..900. */
        for (int k = 1; plan.step_count == 3 && k < 3; k++) {
            int gap_ms = plan.step[k].from_ms - plan.step[k - 1].until_ms;
            gap_tenth[(gap_ms - 300) * 10 / 601]++;
            gaps++;
        }
    }
    for (int count = 2; count <= 4; count++)
        assert_count(of_count[count], PLANS, 1 / 3.0);
    for (int i = 0; i < 10; i++)
        assert_count(gap_tenth[i], gaps, 0.1);
}

static void exclusions_are_honoured(void **state)
{
    (void)state;
    for (int mask = 1; mask < 256; mask++) {
        bf_plan_wish wish = wish_active();
        bool able[5] = {false};
        int abilities = 0;
        for (int type = 1; type < BF_STEP_TYPE_COUNT; type++) {
            wish.exclude[type] = (mask >> (type - 1) & 1) == 0;
            if (wish.exclude[type] || able[ability((bf_step_type)type)])
                continue;
            able[ability((bf_step_type)type)] = true;
            abilities++;
        }
        wish.exclude[BF_STEP_HOLD_STILL] = true;
        for (int i = 0; i < 20; i++) {
            bf_plan plan = plan_drawn(&wish, &seed);
            check(&plan, &wish);
            assert_true(bf_plan_is_active(&plan));
            bool forced = abilities < 2;
            assert_true(forced || (asked_count(&plan) >= 2 && !rests_on_one_ability(&plan)));
        }
    }
}

static void one_step_alone_is_asked_once(void **state)
{
    (void)state;
    bf_plan_wish wish = wish_active();
    for (int type = 1; type < BF_STEP_TYPE_COUNT; type++)
        wish.exclude[type] = type != BF_STEP_BLINK;
    bf_plan plan = plan_drawn(&wish, &seed);
    check(&plan, &wish);
    assert_int_equal(asked_count(&plan), 1);
}

static void without_any_step_there_is_the_flash_or_nothing(void **state)
{
    (void)state;
    bf_plan_wish wish = wish_active();
    memset(wish.exclude, true, sizeof wish.exclude);
    static const uint8_t bytes[BF_PLAN_RANDOM_SIZE];
    bf_plan plan = {.attempt = 77};
    assert_int_equal(bf_plan_make(&wish, bytes, &plan, NULL), BF_INVALID_ARGUMENT);
    assert_int_equal(plan.attempt, 77);
    wish.flash = BF_FLASH_GENTLE;
    plan = plan_drawn(&wish, &seed);
    check(&plan, &wish);
    assert_false(bf_plan_is_active(&plan));
    wish.flash = BF_FLASH_NONE;
    wish.steps_min = wish.steps_max = 0;
    plan = plan_drawn(&wish, &seed);
    check(&plan, &wish);
    assert_int_equal(plan.step_count, 1);
    assert_int_equal(plan.duration_ms, 3000);
}

static void each_form_fits_into_the_time(void **state)
{
    (void)state;
    for (int steps = 0; steps <= 4; steps++) {
        for (int form = BF_FLASH_NONE; form <= BF_FLASH_GENTLE; form++) {
            for (int relaxed = 0; relaxed < 2; relaxed++) {
                bf_plan_wish wish = {.nonce = NONCE, .attempt = 2, .steps_min = steps, .steps_max = steps};
                wish.flash = (bf_flash_form)form;
                wish.relaxed = relaxed == 1;
                for (int i = 0; i < 200; i++) {
                    bf_plan plan = plan_drawn(&wish, &seed);
                    check(&plan, &wish);
                    int most = form == BF_FLASH_NONE ? 4 : 3;
                    assert_int_equal(asked_count(&plan), steps < most ? steps : most);
                }
            }
        }
    }
}

static void every_colour_comes_equally_often(void **state)
{
    (void)state;
    for (int form = BF_FLASH_FULL; form <= BF_FLASH_GENTLE; form++) {
        bf_plan_wish wish = {.nonce = NONCE, .attempt = 1, .flash = (bf_flash_form)form};
        uint8_t known[16][3];
        int seen[16][BF_PLAN_COLOURS_MAX] = {{0}}, of_length[BF_PLAN_COLOURS_MAX + 1] = {0}, kinds = 0;
        for (int i = 0; i < PLANS; i++) {
            bf_plan plan = plan_drawn(&wish, &seed);
            of_length[plan.flash.colour_count]++;
            for (int c = 0; c < plan.flash.colour_count; c++) {
                int k = 0;
                while (k < kinds && memcmp(known[k], plan.flash.colour[c], 3) != 0)
                    k++;
                if (k == kinds)
                    memcpy(known[kinds++], plan.flash.colour[c], 3);
                seen[k][c]++;
            }
        }
        assert_int_equal(kinds, form == BF_FLASH_FULL ? 8 : 6);
        for (int c = 0; c < BF_PLAN_COLOURS_MIN; c++) {
            for (int k = 0; k < kinds; k++)
                assert_count(seen[k][c], PLANS, 1.0 / kinds);
        }
        const int longest = BF_PLAN_COLOURS_MAX;
        for (int length = BF_PLAN_COLOURS_MIN; length <= longest; length++)
            assert_count(of_length[length], PLANS, 1.0 / (longest - BF_PLAN_COLOURS_MIN + 1));
    }
}

static double linear(uint8_t value)
{
    double c = value / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* WCAG 2.3.1: a flash is a pair of changes of relative luminance by 0.1 or more, or any to and from saturated red. */
static void the_gentle_form_flashes_nowhere(void **state)
{
    (void)state;
    bf_plan_wish wish = {.nonce = NONCE, .attempt = 1, .flash = BF_FLASH_GENTLE};
    double darkest = 1, brightest = 0;
    for (int i = 0; i < 300; i++) {
        bf_plan plan = plan_drawn(&wish, &seed);
        assert_true(plan.flash.each_ms >= 334);
        for (int c = 0; c < plan.flash.colour_count; c++) {
            const uint8_t *rgb = plan.flash.colour[c];
            double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
            assert_true(r / (r + g + b) < 0.8);
            double luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            darkest = fmin(darkest, luminance);
            brightest = fmax(brightest, luminance);
        }
    }
    assert_true(brightest - darkest < 0.02);
}

static void the_same_random_bytes_make_the_same_plan(void **state)
{
    (void)state;
    bf_plan_wish wish = wish_active();
    wish.flash = BF_FLASH_FULL;
    uint8_t bytes[BF_PLAN_RANDOM_SIZE] = {1, 2, 3};
    bf_plan a, b;
    char one[BF_PLAN_TEXT_MAX], other[BF_PLAN_TEXT_MAX];
    assert_int_equal(bf_plan_make(&wish, bytes, &a, NULL), BF_OK);
    assert_int_equal(bf_plan_make(&wish, bytes, &b, NULL), BF_OK);
    bf_plan_write(&a, one);
    bf_plan_write(&b, other);
    assert_string_equal(one, other);
    /* Each of the 64 bytes counts. */
    for (int i = 0; i < BF_PLAN_RANDOM_SIZE; i++) {
        bytes[i] ^= 0x40;
        assert_int_equal(bf_plan_make(&wish, bytes, &b, NULL), BF_OK);
        bytes[i] ^= 0x40;
        bf_plan_write(&b, other);
        assert_string_not_equal(one, other);
    }
}

static void wishes_outside_the_limits_are_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[BF_PLAN_RANDOM_SIZE];
    bf_plan plan;
    for (int i = 0; i < 7; i++) {
        bf_plan_wish wish = wish_active();
        if (i == 0)
            wish.steps_max = 5;
        if (i == 1)
            wish.steps_min = -1;
        if (i == 2)
            wish.steps_max = 1;
        if (i == 3)
            wish.nonce[63] = '\0';
        if (i == 4)
            wish.nonce[0] = 'G';
        if (i == 5)
            wish.attempt = 0;
        if (i == 6)
            wish.flash = (bf_flash_form)9;
        assert_int_equal(bf_plan_make(&wish, bytes, &plan, NULL), BF_INVALID_ARGUMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_step_comes_as_often_as_the_rules_allow, reset_seed),
        cmocka_unit_test_setup(every_order_of_two_steps_is_equally_likely, reset_seed),
        cmocka_unit_test_setup(the_number_of_steps_and_the_gaps_are_spread_evenly, reset_seed),
        cmocka_unit_test_setup(exclusions_are_honoured, reset_seed),
        cmocka_unit_test_setup(one_step_alone_is_asked_once, reset_seed),
        cmocka_unit_test_setup(without_any_step_there_is_the_flash_or_nothing, reset_seed),
        cmocka_unit_test_setup(each_form_fits_into_the_time, reset_seed),
        cmocka_unit_test_setup(every_colour_comes_equally_often, reset_seed),
        cmocka_unit_test_setup(the_gentle_form_flashes_nowhere, reset_seed),
        cmocka_unit_test_setup(the_same_random_bytes_make_the_same_plan, reset_seed),
        cmocka_unit_test_setup(wishes_outside_the_limits_are_refused, reset_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
