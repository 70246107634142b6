/* The asked steps at their edges: hidden faces, pages that lag, captures of other sessions, hostile frames. */
#include "challenge_test.h"

static void a_hidden_face_is_unclear(void **state)
{
    (void)state;
    bf_plan plan = plan_of(BF_STEP_TURN_LEFT);
    act script = act_at_rest(3);
    take t = {.fps = 12, .from_ms = 1400, .until_ms = 4000};
    judge(&script, &plan, &t);
    assert_int_equal(t.report.outcome, BF_CHALLENGE_UNCLEAR);
    assert_int_equal(t.report.step[1], BF_STEP_NOT_VISIBLE);
    t = (take){.fps = 12, .from_ms = 0, .until_ms = 5000};
    judge(&script, &plan, &t);
    assert_int_equal(t.report.outcome, BF_CHALLENGE_UNCLEAR);
    assert_string_equal(t.report.why, "no_face_at_rest");
    assert_int_equal(t.evidence.evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
}

static bool has_finding(const bf_sequence_evidence *evidence, const char *code)
{
    for (int i = 0; i < evidence->finding_count; i++) {
        if (strcmp(evidence->finding[i].code, code) == 0)
            return true;
    }
    return false;
}

/* The page says that it showed the steps `lag_ms` late; the person follows what the page showed. */
static take with_lag(double lag_ms, const char *what)
{
    bf_plan plan = plan_of(BF_STEP_TURN_LEFT);
    bf_capture_file file = {.nonce = NONCE, .shown_count = 3};
    file.shown[0] = (bf_capture_shown){"hold_still", 5};
    file.shown[1] = (bf_capture_shown){"#ff0000", 9};
    file.shown[2].ms = plan.step[1].from_ms + lag_ms;
    (void)snprintf(file.shown[2].what, sizeof file.shown[2].what, "%s", what);
    act script = act_at_rest(5);
    act_add(&script, BF_STEP_TURN_LEFT, plan.step[1].from_ms + 300 + lag_ms, 400, 300, 30);
    take t = {.fps = 12, .file = &file};
    judge(&script, &plan, &t);
    return t;
}

static void a_page_may_be_a_little_late_but_cannot_move_the_plan(void **state)
{
    (void)state;
    take t = with_lag(300, "turn_left");
    assert_int_equal(t.report.outcome, BF_CHALLENGE_FOLLOWED);
    assert_false(has_finding(&t.evidence, "shown_out_of_time"));
    /* By the plan, this is before the prompt. */
    t = with_lag(-500, "turn_left");
    assert_int_equal(t.report.step[1], BF_STEP_ANSWERED_EARLY);
    assert_true(has_finding(&t.evidence, "shown_out_of_time"));
    t = with_lag(2000, "turn_left");
    assert_int_equal(t.report.outcome, BF_CHALLENGE_FOLLOWED);
    t = with_lag(2600, "turn_left");
    assert_int_equal(t.report.outcome, BF_CHALLENGE_NOT_FOLLOWED);
    t = with_lag(0, "turn_right");
    assert_true(has_finding(&t.evidence, "shown_otherwise"));
}

static void a_capture_for_another_nonce_is_refused(void **state)
{
    (void)state;
    bf_plan plan = plan_of(BF_STEP_TURN_LEFT);
    bf_capture_file file = {.nonce = NONCE};
    file.nonce[3] = 'f';
    act script = act_at_rest(5);
    act_follow(&script, &plan, &seed);
    take t = {.fps = 12, .file = &file};
    judge(&script, &plan, &t);
    assert_int_equal(t.report.outcome, BF_CHALLENGE_NOT_FOLLOWED);
    assert_string_equal(t.report.why, "other_plan");
    assert_true(has_finding(&t.evidence, "other_plan"));
    assert_true(t.evidence.evidence.raw <= -3);
}

static void without_a_plan_nothing_was_asked(void **state)
{
    (void)state;
    bf_plan passive = plan_of(BF_STEP_TURN_LEFT);
    passive.step_count = 1;
    act script = act_at_rest(1);
    take t = {.fps = 10};
    judge(&script, &passive, &t);
    assert_int_equal(t.report.outcome, BF_CHALLENGE_NOT_ASKED);
    assert_int_equal(t.evidence.evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
    void *memory = bf_calloc(1, bf_challenge_detector.state_size);
    bf_sequence none = {NULL, NULL, NULL};
    bf_challenge_detector.begin(memory, &none);
    bf_challenge_detector.end(memory, &t.evidence);
    bf_challenge_read(memory, &t.report);
    assert_int_equal(t.report.outcome, BF_CHALLENGE_NOT_ASKED);
    bf_free(memory);
}

/* Any bits as a face, at any times. */
static void hostile_views_are_survived(void **state)
{
    (void)state;
    static const double odd_ms[] = {0, -5, NAN, INFINITY, 1e300, 1500, 1500, 3000};
    for (int run = 0; run < 200; run++) {
        bf_plan plan = random_plan(2, 4);
        void *memory = bf_calloc(1, bf_challenge_detector.state_size);
        bf_clip_facts facts = {.container = BF_CONTAINER_BURST};
        bf_sequence sequence = {&plan, NULL, &facts};
        bf_challenge_detector.begin(memory, &sequence);
        act script = act_at_rest((uint32_t)run + 1);
        for (int i = 0; i < 300; i++) {
            bf_face face;
            act_face(&script, i * 40.0, &face);
            uint8_t *bytes = (uint8_t *)&face.landmarks;
            for (int k = 0; k < run % 20; k++)
                bytes[random_next(&seed) % (sizeof face.landmarks + 5 * sizeof(float))] = (uint8_t)random_next(&seed);
            double ms = run % 3 ? i * 40.0 : odd_ms[random_next(&seed) % 8];
            bf_view view = {.ms = ms, .number = i, .face = i % 7 ? &face : NULL};
            bf_challenge_detector.see(memory, &view);
        }
        bf_sequence_evidence evidence = {0};
        bf_challenge_detector.end(memory, &evidence);
        assert_true(isfinite(evidence.evidence.raw));
        assert_true(evidence.finding_count <= BF_FINDINGS_MAX && evidence.figure_count <= BF_FIGURES_MAX);
        bf_free(memory);
    }
}

static void the_same_views_give_the_same(void **state)
{
    (void)state;
    bf_plan plan = random_plan(3, 3);
    take takes[2];
    for (int i = 0; i < 2; i++) {
        seed = 99;
        act script = act_at_rest(7);
        act_follow(&script, &plan, &seed);
        takes[i] = (take){.fps = 12};
        judge(&script, &plan, &takes[i]);
    }
    assert_true(takes[0].evidence.evidence.raw == takes[1].evidence.evidence.raw);
    assert_memory_equal(&takes[0].evidence.figure, &takes[1].evidence.figure, sizeof takes[0].evidence.figure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_hidden_face_is_unclear, reset_seed),
        cmocka_unit_test_setup(a_page_may_be_a_little_late_but_cannot_move_the_plan, reset_seed),
        cmocka_unit_test_setup(a_capture_for_another_nonce_is_refused, reset_seed),
        cmocka_unit_test_setup(without_a_plan_nothing_was_asked, reset_seed),
        cmocka_unit_test_setup(hostile_views_are_survived, reset_seed),
        cmocka_unit_test_setup(the_same_views_give_the_same, reset_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
