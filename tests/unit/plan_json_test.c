/* Plans of live capture as JSON: written, read back, and refused when hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/plans.h"
#include "support/synthetic_face.h"

static uint32_t seed;

static int reset_seed(void **state)
{
    (void)state;
    seed = 20261125;
    return 0;
}

static void a_plan_survives_writing_and_reading(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        bf_plan_wish wish = wish_active();
        wish.flash = (bf_flash_form)(i % 3);
        wish.relaxed = i % 2 == 1;
        bf_plan plan = plan_drawn(&wish, &seed), again;
        char one[BF_PLAN_TEXT_MAX], other[BF_PLAN_TEXT_MAX];
        size_t size = bf_plan_write(&plan, one);
        assert_int_equal(size, strlen(one));
        assert_int_equal(bf_plan_parse(one, size, &again, NULL), BF_OK);
        bf_plan_write(&again, other);
        assert_string_equal(one, other);
    }
}

static void an_overlong_plan_is_cut_not_overrun(void **state)
{
    (void)state;
    bf_plan plan;
    memset(&plan, 0x7f, sizeof plan);
    plan.flash.form = BF_FLASH_FULL;
    char text[BF_PLAN_TEXT_MAX];
    assert_true(bf_plan_write(&plan, text) < sizeof text);
}

#define HEAD "{\"nonce\":\"" NONCE "\",\"attempt\":1,\"duration_ms\":6000,\"steps\":["
#define HOLD "{\"type\":\"hold_still\",\"from_ms\":0,\"until_ms\":1000}"
#define TURN "{\"type\":\"turn_left\",\"from_ms\":1500,\"until_ms\":3500}"
#define COLOURS "[\"#ff2020\",\"#20ff20\",\"#2020ff\",\"#ffffff\"]"

static void what_a_page_gets_besides_is_ignored(void **state)
{
    (void)state;
    static const char *const good[] = {
        HEAD HOLD "]}",
        HEAD HOLD "," TURN "],\"flash\":null,\"frames\":{\"per_second\":10},\"bytes_max\":1}",
        HEAD HOLD "],\"flash\":{\"form\":\"gentle\",\"colours\":" COLOURS
                  ",\"from_ms\":2000,\"each_ms\":1000,\"x\":1}}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bf_plan plan;
        assert_int_equal(bf_plan_parse(good[i], strlen(good[i]), &plan, NULL), BF_OK);
    }
}

static void what_is_no_plan_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "null",
        "{}",
        HEAD "]}",
        HEAD HOLD "]",
        HEAD HOLD "]}x",
        HEAD TURN "]}",
        HEAD HOLD "," HOLD "]}",
        HEAD HOLD ",{\"type\":\"jump\",\"from_ms\":1500,\"until_ms\":3500}]}",
        HEAD HOLD ",{\"type\":\"turn_left\",\"from_ms\":900,\"until_ms\":3500}]}",
        HEAD HOLD ",{\"type\":\"turn_left\",\"from_ms\":3500,\"until_ms\":3500}]}",
        HEAD HOLD ",{\"type\":\"turn_left\",\"from_ms\":3500,\"until_ms\":6001}]}",
        HEAD HOLD ",{\"type\":\"turn_left\",\"from_ms\":1500.0,\"until_ms\":3500}]}",
        HEAD HOLD ",{\"type\":\"turn_left\",\"from_ms\":-1,\"until_ms\":3500}]}",
        HEAD HOLD ",{\"type\":\"turn_left\",\"from_ms\":99999999999999,\"until_ms\":3500}]}",
        HEAD HOLD ",{\"type\":\"turn_left\",\"from_ms\":1500}]}",
        HEAD HOLD ",7]}",
        HEAD HOLD "," TURN "," TURN "]}",
        "{\"attempt\":1,\"duration_ms\":6000,\"steps\":[" HOLD "]}",
        "{\"nonce\":\"" NONCE "\",\"duration_ms\":6000,\"steps\":[" HOLD "]}",
        "{\"nonce\":\"" NONCE "\",\"attempt\":0,\"duration_ms\":6000,\"steps\":[" HOLD "]}",
        "{\"nonce\":\"" NONCE "\",\"attempt\":1,\"attempt\":1,\"duration_ms\":6000,\"steps\":[" HOLD "]}",
        "{\"nonce\":\"" NONCE "0\",\"attempt\":1,\"duration_ms\":6000,\"steps\":[" HOLD "]}",
        "{\"nonce\":\"" NONCE "\",\"attempt\":1,\"duration_ms\":60001,\"steps\":[" HOLD "]}",
        HEAD HOLD "],\"flash\":7}",
        HEAD HOLD "],\"flash\":{}}",
        HEAD HOLD "],\"flash\":{\"form\":\"none\",\"colours\":" COLOURS ",\"from_ms\":2000,\"each_ms\":1000}}",
        HEAD HOLD "],\"flash\":{\"form\":\"full\",\"colours\":[],\"from_ms\":2000,\"each_ms\":1000}}",
        HEAD HOLD "],\"flash\":{\"form\":\"full\",\"colours\":[\"#ff2020\",\"#20ff20\",\"#2020ff\",\"red\"],"
                  "\"from_ms\":2000,\"each_ms\":1000}}",
        HEAD HOLD "],\"flash\":{\"form\":\"full\",\"colours\":[\"#ff2020\",\"#20ff20\",\"#2020ff\",\"#2020f\\u0000\"],"
                  "\"from_ms\":2000,\"each_ms\":1000}}",
        HEAD HOLD "],\"flash\":{\"form\":\"full\",\"colours\":" COLOURS ",\"from_ms\":2000,\"each_ms\":1001}}",
        HEAD HOLD "],\"flash\":{\"form\":\"full\",\"colours\":" COLOURS ",\"from_ms\":2000,\"each_ms\":2147483647}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bf_plan plan = {.attempt = 77};
        bf_error err = {0};
        if (bf_plan_parse(bad[i], strlen(bad[i]), &plan, &err) != BF_INVALID_ARGUMENT)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(plan.attempt, 77);
        assert_true(err.message[0] != '\0');
    }
}

/* Every plan with one byte changed is read or refused, and what is read is within its limits. */
static void a_changed_byte_makes_no_unbounded_plan(void **state)
{
    (void)state;
    bf_plan_wish wish = wish_active();
    wish.flash = BF_FLASH_FULL;
    bf_plan plan = plan_drawn(&wish, &seed), again;
    char text[BF_PLAN_TEXT_MAX];
    size_t size = bf_plan_write(&plan, text);
    for (int i = 0; i < 20000; i++) {
        size_t at = random_next(&seed) % size;
        char was = text[at];
        text[at] = (char)(random_next(&seed) >> 20);
        if (bf_plan_parse(text, size - (i % 7 == 0), &again, NULL) == BF_OK) {
            assert_true(again.step_count >= 1 && again.step_count <= BF_PLAN_STEPS_MAX);
            assert_true(again.flash.colour_count >= 0 && again.flash.colour_count <= BF_PLAN_COLOURS_MAX);
            assert_true(again.step[again.step_count - 1].until_ms <= again.duration_ms);
        }
        text[at] = was;
    }
}

static void names_and_types_belong_together(void **state)
{
    (void)state;
    for (int type = 0; type < BF_STEP_TYPE_COUNT; type++) {
        bf_step_type again = BF_STEP_TYPE_COUNT;
        assert_true(bf_step_type_from_name(bf_step_type_name((bf_step_type)type), &again));
        assert_int_equal(again, type);
    }
    bf_step_type none = BF_STEP_BLINK;
    assert_false(bf_step_type_from_name("unknown", &none));
    assert_int_equal(none, BF_STEP_BLINK);
    assert_string_equal(bf_step_type_name(BF_STEP_TYPE_COUNT), "unknown");
    assert_string_equal(bf_flash_form_name(BF_FLASH_GENTLE), "gentle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_plan_survives_writing_and_reading, reset_seed),
        cmocka_unit_test_setup(an_overlong_plan_is_cut_not_overrun, reset_seed),
        cmocka_unit_test_setup(what_a_page_gets_besides_is_ignored, reset_seed),
        cmocka_unit_test_setup(what_is_no_plan_is_refused, reset_seed),
        cmocka_unit_test_setup(a_changed_byte_makes_no_unbounded_plan, reset_seed),
        cmocka_unit_test_setup(names_and_types_belong_together, reset_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
