/* The asked steps: who follows them is told from who does something else, at another time, or not as a body moves. */
#include "challenge_test.h"

#define SEEDS 300

static bf_challenge_outcome outcome_of(act *script, const bf_plan *plan, double fps)
{
    take t = {.fps = fps};
    judge(script, plan, &t);
    /* What goes out fits together. */
    bool judged = t.report.outcome == BF_CHALLENGE_FOLLOWED || t.report.outcome == BF_CHALLENGE_NOT_FOLLOWED;
    assert_int_equal(t.evidence.evidence.status, judged ? BF_EVIDENCE_PRESENT : BF_EVIDENCE_NOT_APPLICABLE);
    assert_true(judged == (t.evidence.evidence.why == NULL));
    if (t.report.outcome == BF_CHALLENGE_NOT_FOLLOWED)
        assert_true(t.evidence.evidence.raw <= -3);
    if (t.report.outcome == BF_CHALLENGE_FOLLOWED)
        assert_null(t.report.why);
    else
        assert_non_null(t.report.why);
    return t.report.outcome;
}

typedef struct tally {
    int followed, unclear, not_followed;
} tally;

static void count(tally *t, bf_challenge_outcome outcome)
{
    t->followed += outcome == BF_CHALLENGE_FOLLOWED;
    t->unclear += outcome == BF_CHALLENGE_UNCLEAR;
    t->not_followed += outcome == BF_CHALLENGE_NOT_FOLLOWED;
}

static void report(const char *what, const tally *t)
{
    print_message("%s: followed %d, unclear %d, not followed %d\n", what, t->followed, t->unclear, t->not_followed);
}

static void people_who_follow_are_believed(void **state)
{
    (void)state;
    for (double fps = 8; fps <= 16; fps += 4) {
        tally t = {0};
        for (uint32_t i = 1; i <= SEEDS; i++) {
            bf_plan plan = random_plan(2, 4);
            act script = act_at_rest(i);
            act_follow(&script, &plan, &seed);
            act_blink_naturally(&script, plan.duration_ms, &seed);
            count(&t, outcome_of(&script, &plan, fps));
        }
        report("live", &t);
        /* At 8 frames a second a blink falls between two frames now and then. */
        assert_true(t.followed >= SEEDS * (fps > 9 ? 0.95 : 0.85));
        assert_true(t.not_followed <= SEEDS * 0.02);
    }
}

static void restless_and_slow_people_are_not_accused(void **state)
{
    (void)state;
    tally t = {0};
    for (uint32_t i = 1; i <= SEEDS; i++) {
        bf_plan plan = random_plan(2, 3);
        act script = act_at_rest(i);
        script.sway_deg = 4;
        script.pose_noise_deg = 2;
        script.landmark_noise = 0.01;
        script.inter_eye_px = 50;
        act_follow(&script, &plan, &seed);
        for (int k = 0; k < script.move_count; k++)
            script.move[k].return_ms = between(800, 1600);
        count(&t, outcome_of(&script, &plan, 10));
    }
    report("restless", &t);
    assert_true(t.followed >= SEEDS * 0.85);
    assert_true(t.not_followed <= SEEDS * 0.03);
}

static void glasses_make_blinks_unclear_not_wrong(void **state)
{
    (void)state;
    tally t = {0};
    bf_plan plan = plan_of(BF_STEP_BLINK);
    for (uint32_t i = 1; i <= SEEDS; i++) {
        act script = act_at_rest(i);
        script.poor_eyes = true;
        act_follow(&script, &plan, &seed);
        count(&t, outcome_of(&script, &plan, 15));
    }
    report("glasses", &t);
    assert_true(t.unclear >= SEEDS * 0.97);
}

static void a_blink_that_the_frames_cannot_show_is_unclear(void **state)
{
    (void)state;
    bf_plan plan = plan_of(BF_STEP_BLINK);
    for (double fps = 5; fps <= 11; fps += 2) {
        tally t = {0};
        for (uint32_t i = 1; i <= 100; i++) {
            act script = act_at_rest(i);
            if (i % 2)
                act_add(&script, BF_STEP_BLINK, between(1800, 3000), 50, 20, 1);
            count(&t, outcome_of(&script, &plan, fps));
        }
        assert_int_equal(t.not_followed, 0);
        assert_true(t.unclear >= 50);
    }
    act script = act_at_rest(1);
    assert_int_equal(outcome_of(&script, &plan, 15), BF_CHALLENGE_NOT_FOLLOWED);
}

static void each_step_is_seen(void **state)
{
    (void)state;
    for (int type = 1; type < BF_STEP_TYPE_COUNT; type++) {
        tally t = {0};
        for (uint32_t i = 1; i <= 100; i++) {
            bf_plan plan = plan_of((bf_step_type)type);
            act script = act_at_rest(i);
            act_follow(&script, &plan, &seed);
            count(&t, outcome_of(&script, &plan, 15));
        }
        report(bf_step_type_name((bf_step_type)type), &t);
        assert_true(t.followed >= 97);
        assert_int_equal(t.not_followed, 0);
    }
}

/* Whether the first plan is how the other begins: who carries out that one follows this one too. */
static bool begins_like(const bf_plan *a, const bf_plan *b)
{
    if (a->step_count > b->step_count)
        return false;
    for (int i = 0; i < a->step_count; i++) {
        if (a->step[i].type != b->step[i].type)
            return false;
    }
    return true;
}

static void an_answer_to_another_plan_fails(void **state)
{
    (void)state;
    tally t = {0};
    for (uint32_t i = 1; i <= SEEDS; i++) {
        bf_plan asked = random_plan(2, 4), answered = random_plan(2, 4);
        if (begins_like(&asked, &answered))
            continue;
        act script = act_at_rest(i);
        act_follow(&script, &answered, &seed);
        act_blink_naturally(&script, asked.duration_ms, &seed);
        count(&t, outcome_of(&script, &asked, 12));
    }
    report("another plan", &t);
    assert_int_equal(t.followed, 0);
    assert_true(t.not_followed >= SEEDS * 0.95);
}

static void reordered_steps_fail(void **state)
{
    (void)state;
    tally t = {0};
    for (uint32_t i = 1; i <= SEEDS; i++) {
        bf_plan asked = random_plan(2, 4), answered = asked;
        /* The same steps, the last one first. */
        for (int k = 1; k < asked.step_count; k++)
            answered.step[k].type = asked.step[k == 1 ? asked.step_count - 1 : k - 1].type;
        act script = act_at_rest(i);
        act_follow(&script, &answered, &seed);
        count(&t, outcome_of(&script, &asked, 12));
    }
    report("reordered", &t);
    assert_int_equal(t.followed, 0);
}

/* Plans of one step that is no blink, answered at an offset from the prompt. */
static void answer_at(double low_ms, double high_ms, bf_step_result expected, int least)
{
    int as_expected = 0, followed = 0;
    for (uint32_t i = 1; i <= SEEDS; i++) {
        int type = 1 + (int)(i % (BF_STEP_TYPE_COUNT - 1));
        if (type == BF_STEP_BLINK)
            continue;
        bf_plan plan = plan_of((bf_step_type)type);
        plan.duration_ms = 6000;
        act script = act_at_rest(i);
        act_follow(&script, &plan, &seed);
        script.move[0].onset_ms = plan.step[1].from_ms + between(low_ms, high_ms);
        script.move[0].hold_ms = 700;
        take t = {.fps = 12};
        judge(&script, &plan, &t);
        as_expected += t.report.step[1] == expected;
        followed += t.report.outcome == BF_CHALLENGE_FOLLOWED;
    }
    print_message("%s: %d as expected, %d followed\n", bf_step_result_name(expected), as_expected, followed);
    assert_true(as_expected >= least);
    assert_true(followed <= SEEDS * 0.02);
}

#define NO_BLINK (SEEDS * 0.875)

static void anticipation_is_named(void **state)
{
    (void)state;
    answer_at(-300, -150, BF_STEP_ANSWERED_EARLY, (int)(NO_BLINK * 0.97));
}

static void lateness_is_named(void **state)
{
    (void)state;
    answer_at(2100, 3200, BF_STEP_ANSWERED_LATE, (int)(NO_BLINK * 0.97));
}

static bf_step_type opposite(bf_step_type type)
{
    static const bf_step_type of[BF_STEP_TYPE_COUNT] = {[BF_STEP_TURN_LEFT] = BF_STEP_TURN_RIGHT,
                                                        [BF_STEP_TURN_RIGHT] = BF_STEP_TURN_LEFT,
                                                        [BF_STEP_LOOK_UP] = BF_STEP_LOOK_DOWN,
                                                        [BF_STEP_LOOK_DOWN] = BF_STEP_LOOK_UP};
    return of[type];
}

static void the_wrong_side_is_named(void **state)
{
    (void)state;
    for (int type = BF_STEP_TURN_LEFT; type <= BF_STEP_LOOK_DOWN; type++) {
        bf_plan plan = plan_of((bf_step_type)type), other = plan_of(opposite((bf_step_type)type));
        for (uint32_t i = 1; i <= 60; i++) {
            act script = act_at_rest(i);
            act_follow(&script, &other, &seed);
            take t = {.fps = 10};
            judge(&script, &plan, &t);
            assert_int_equal(t.report.step[1], BF_STEP_WRONG_SIDE);
            assert_int_equal(t.report.outcome, BF_CHALLENGE_NOT_FOLLOWED);
            assert_string_equal(t.report.why, "wrong_side");
        }
    }
}

static void both_sides_are_not_what_was_asked(void **state)
{
    (void)state;
    for (int type = BF_STEP_TURN_LEFT; type <= BF_STEP_LOOK_DOWN; type++) {
        bf_plan plan = plan_of((bf_step_type)type);
        for (uint32_t i = 1; i <= 60; i++) {
            bf_step_type first = i % 2 ? (bf_step_type)type : opposite((bf_step_type)type);
            act script = act_at_rest(i);
            act_add(&script, first, 1800, 350, 50, 30);
            act_add(&script, opposite(first), 2600, 350, 50, 30);
            assert_int_equal(outcome_of(&script, &plan, 12), BF_CHALLENGE_NOT_FOLLOWED);
        }
    }
}

static void a_leap_between_two_frames_is_no_movement(void **state)
{
    (void)state;
    static const bf_step_type types[] = {BF_STEP_TURN_LEFT, BF_STEP_TURN_RIGHT, BF_STEP_LOOK_UP, BF_STEP_LOOK_DOWN,
                                         BF_STEP_MOVE_CLOSER};
    int named = 0;
    for (uint32_t i = 1; i <= 100; i++) {
        bf_plan plan = plan_of(types[i % 5]);
        act script = act_at_rest(i);
        act_follow(&script, &plan, &seed);
        script.move[0].amount = types[i % 5] == BF_STEP_MOVE_CLOSER ? 0.4 : 30;
        script.move[0].rise_ms = 5;
        script.move[0].hold_ms = 1000;
        take t = {.fps = 12};
        judge(&script, &plan, &t);
        named += t.report.step[1] == BF_STEP_IMPOSSIBLE_SPEED;
    }
    print_message("leaps: %d of 100\n", named);
    assert_true(named >= 90);
}

static void holding_still_answers_nothing(void **state)
{
    (void)state;
    tally t = {0};
    for (uint32_t i = 1; i <= SEEDS; i++) {
        bf_plan plan = random_plan(2, 4);
        act script = act_at_rest(i);
        act_blink_naturally(&script, plan.duration_ms, &seed);
        count(&t, outcome_of(&script, &plan, 12));
    }
    report("still", &t);
    assert_int_equal(t.followed, 0);
    assert_true(t.not_followed >= SEEDS * 0.95);
}

static void moving_at_random_answers_nothing(void **state)
{
    (void)state;
    tally t = {0};
    for (uint32_t i = 1; i <= SEEDS; i++) {
        bf_plan plan = random_plan(2, 4);
        act script = act_at_rest(i);
        for (double ms = 300; ms < plan.duration_ms; ms += between(700, 1500)) {
            bf_step_type type = (bf_step_type)(1 + random_next(&seed) % (BF_STEP_TYPE_COUNT - 1));
            bool head = type <= BF_STEP_LOOK_DOWN;
            act_add(&script, type, ms, 300, 100, head ? between(20, 35) : type == BF_STEP_MOVE_CLOSER ? 0.3 : 1);
        }
        count(&t, outcome_of(&script, &plan, 12));
    }
    report("random", &t);
    assert_true(t.followed <= SEEDS * 0.01);
    assert_true(t.not_followed >= SEEDS * 0.95);
}

/* Left, right, up, down, again and again, with eyes and mouth: something for every plan. */
static void doing_everything_is_not_following(void **state)
{
    (void)state;
    tally t = {0};
    for (uint32_t i = 1; i <= SEEDS; i++) {
        bf_plan plan = random_plan(2, 4);
        act script = act_at_rest(i);
        for (int k = 1; k < plan.step_count; k++) {
            for (int type = 1; type < BF_STEP_TYPE_COUNT; type++)
                act_add(&script, (bf_step_type)type, plan.step[k].from_ms + 150 + 200 * type, 180, 20,
                        type <= BF_STEP_LOOK_DOWN     ? 30
                        : type == BF_STEP_MOVE_CLOSER ? 0.3
                                                      : 1);
        }
        count(&t, outcome_of(&script, &plan, 12));
    }
    report("everything", &t);
    assert_int_equal(t.followed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(people_who_follow_are_believed, reset_seed),
        cmocka_unit_test_setup(restless_and_slow_people_are_not_accused, reset_seed),
        cmocka_unit_test_setup(glasses_make_blinks_unclear_not_wrong, reset_seed),
        cmocka_unit_test_setup(a_blink_that_the_frames_cannot_show_is_unclear, reset_seed),
        cmocka_unit_test_setup(each_step_is_seen, reset_seed),
        cmocka_unit_test_setup(an_answer_to_another_plan_fails, reset_seed),
        cmocka_unit_test_setup(reordered_steps_fail, reset_seed),
        cmocka_unit_test_setup(anticipation_is_named, reset_seed),
        cmocka_unit_test_setup(lateness_is_named, reset_seed),
        cmocka_unit_test_setup(the_wrong_side_is_named, reset_seed),
        cmocka_unit_test_setup(both_sides_are_not_what_was_asked, reset_seed),
        cmocka_unit_test_setup(a_leap_between_two_frames_is_no_movement, reset_seed),
        cmocka_unit_test_setup(holding_still_answers_nothing, reset_seed),
        cmocka_unit_test_setup(moving_at_random_answers_nothing, reset_seed),
        cmocka_unit_test_setup(doing_everything_is_not_following, reset_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
