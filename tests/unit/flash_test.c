/* The screen's light on a face: told from light of another time, from light on a sheet, and from no light at all. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "liveness/sequence.h"
#include "support/acted_face.h"
#include "support/plans.h"
#include "support/synthetic_face.h"

#define WIDTH 160
#define HEIGHT 120
#define SEEDS 60

static uint32_t seed;
static uint8_t pixels[HEIGHT][WIDTH][3];
static const bf_image picture = {&pixels[0][0][0], WIDTH, HEIGHT, 3, WIDTH * 3};

/* What is before the camera, and how it is lit. */
typedef struct stage {
    double screen; /* light of a white screen on the face, the room's light being 1 */
    double room;   /* the same on what is behind, per the face's */
    double uneven; /* how differently parts of the face are lit; 0 a plane, 0.4 a spread of 0.1 as of simulated heads */
    double lag_ms;
    double noise;       /* grey levels */
    bool white_balance; /* the camera makes up for much of a colour within a second */
    bool emits;         /* a display: the screen's light is reflected on top, whatever is shown */
    bool covered;       /* forehead, chin and one cheek are not to be seen */
    const bf_plan *lit; /* whose flash it is lit by; NULL: the plan's own */
} stage;

static stage live_stage(void)
{
    return (stage){.screen = 0.3, .room = 0.15, .uneven = 0.4, .lag_ms = 120, .noise = 2};
}

static int reset_seed(void **state)
{
    (void)state;
    seed = 815;
    return 0;
}

static bf_plan random_plan(bf_flash_form form)
{
    bf_plan_wish wish = {.nonce = NONCE, .attempt = 1, .flash = form};
    return plan_drawn(&wish, &seed);
}

static double linear(double value)
{
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

static void screen_at(const bf_flash *flash, double ms, double ret[3])
{
    double since = ms - flash->from_ms;
    for (int c = 0; c < 3; c++)
        ret[c] = 0.5;
    if (since >= 0 && since < (double)flash->each_ms * flash->colour_count) {
        for (int c = 0; c < 3; c++)
            ret[c] = linear(flash->colour[(int)(since / flash->each_ms)][c] / 255.0);
    }
}

/* sRGB of linear light, by a table, for speed. */
static uint8_t encode(double light)
{
    static uint8_t table[4096];
    if (table[4095] == 0) {
        for (int i = 0; i < 4096; i++) {
            double c = i / 4095.0;
            table[i] = (uint8_t)(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * pow(c, 1 / 2.4) - 0.055) + 0.5);
        }
    }
    return table[(int)(fmin(fmax(light, 0), 1) * 4095)];
}

/* Every second pixel across and down is computed and stands for four. */
static void paint(const stage *s, const bf_face *face, const double light[3], const double gain[3])
{
    static const double skin[3] = {0.45, 0.28, 0.2}, wall[3] = {0.3, 0.3, 0.32};
    double cx = (double)(face->box.x0 + face->box.x1) / 2, cy = (double)(face->box.y0 + face->box.y1) / 2;
    double rx = (double)bf_rect_width(face->box) / 2, ry = (double)bf_rect_height(face->box) / 2;
    for (int y = 0; y < HEIGHT; y += 2) {
        for (int x = 0; x < WIDTH; x += 2) {
            double u = (x - cx) / rx, v = (y - cy) / ry;
            bool inside = u * u + v * v < 1.2;
            double reach = inside ? 1 + s->uneven * (0.5 - u * u - 0.6 * v) : s->room;
            for (int c = 0; c < 3; c++) {
                double albedo = inside ? skin[c] : wall[c];
                double value = s->emits ? 0.8 * albedo + 0.1 * s->screen * light[c]
                                        : 0.7 * albedo * (1 + s->screen * reach * light[c]);
                double level = encode(gain[c] * value) + s->noise * (random_unit(&seed) * 3.4 - 1.7);
                uint8_t byte = (uint8_t)fmin(fmax(level + 0.5, 0), 255);
                pixels[y][x][c] = pixels[y][x + 1][c] = pixels[y + 1][x][c] = pixels[y + 1][x + 1][c] = byte;
            }
        }
    }
}

static void run(const bf_plan *plan, const stage *s, double fps, bf_sequence_evidence *ret)
{
    void *memory = bf_calloc(1, bf_flash_detector.state_size);
    assert_non_null(memory);
    bf_clip_facts facts = {.container = BF_CONTAINER_BURST};
    bf_sequence sequence = {plan, NULL, &facts};
    bf_flash_detector.begin(memory, &sequence);
    act script = act_at_rest(seed | 1);
    script.inter_eye_px = 20;
    double gain[3] = {1, 1, 1};
    const bf_flash *flash = s->lit ? &s->lit->flash : &plan->flash;
    int number = 0;
    for (double ms = 0; ms < plan->duration_ms; ms += 1000 / fps, number++) {
        bf_face face;
        act_face(&script, ms, &face);
        for (int i = 0; i < BF_LANDMARKS; i++) {
            face.landmarks[i].x -= 240;
            face.landmarks[i].y -= 150;
        }
        face.box = (bf_rect){60, 30, 100, 85};
        for (int i = 0; i < BF_LANDMARKS && s->covered; i++) {
            if (i == 19 || i == 24 || i == 48 || i == 57)
                face.landmarks[i].x = face.landmarks[i].y = -1000;
        }
        double light[3];
        screen_at(flash, ms - s->lag_ms, light);
        for (int c = 0; c < 3 && s->white_balance; c++)
            gain[c] += 0.1 * ((1 + s->screen * 0.5) / (1 + s->screen * light[c]) - gain[c]);
        if (ms < plan->flash.from_ms - 700)
            continue;
        paint(s, &face, light, gain);
        bf_view view = {.rgb = &picture, .ms = ms, .index = number, .number = number, .face = &face};
        bf_flash_detector.see(memory, &view);
    }
    memset(ret, 0, sizeof *ret);
    bf_flash_detector.end(memory, ret);
    bf_free(memory);
}

static const char *code_of(const bf_sequence_evidence *evidence)
{
    return evidence->finding_count > 0 ? evidence->finding[0].code : "none";
}

typedef struct tally {
    int bona_fide, nothing, against;
} tally;

static tally sweep(const stage *s, bf_flash_form form, double fps, int seeds)
{
    tally t = {0};
    for (int i = 0; i < seeds; i++) {
        bf_plan plan = random_plan(form);
        bf_sequence_evidence evidence;
        run(&plan, s, fps, &evidence);
        bool present = evidence.evidence.status == BF_EVIDENCE_PRESENT;
        assert_true(present == (evidence.evidence.why == NULL));
        t.nothing += !present;
        t.bona_fide += bf_light_outcome_of(&evidence.evidence) == BF_LIGHT_ANSWERED;
        t.against += present && evidence.evidence.raw < 0;
    }
    print_message("bona fide %d, nothing %d, against %d\n", t.bona_fide, t.nothing, t.against);
    return t;
}

static void a_face_answers(void **state)
{
    (void)state;
    stage s = live_stage();
    tally t = sweep(&s, BF_FLASH_FULL, 10, SEEDS);
    assert_true(t.bona_fide >= SEEDS * 0.98 && t.against == 0);
    s.white_balance = true;
    s.lag_ms = 400;
    t = sweep(&s, BF_FLASH_FULL, 10, SEEDS);
    assert_true(t.bona_fide >= SEEDS * 0.95 && t.against == 0);
}

/* How evenly a face is lit cannot be told by two parts of it. */
static void a_covered_face_is_not_taken_for_uneven(void **state)
{
    (void)state;
    stage s = live_stage();
    int nearer = 0;
    for (int covered = 0; covered < 2; covered++) {
        s.covered = covered == 1;
        nearer = 0;
        for (int i = 0; i < SEEDS / 4; i++) {
            bf_plan plan = random_plan(BF_FLASH_FULL);
            bf_sequence_evidence evidence;
            run(&plan, &s, 10, &evidence);
            assert_int_equal(evidence.evidence.status, BF_EVIDENCE_PRESENT);
            nearer += strcmp(code_of(&evidence), "nearer_response") == 0;
        }
        print_message("covered %d: nearer %d\n", covered, nearer);
        assert_true(covered ? nearer == 0 : nearer >= SEEDS / 4 - 1);
    }
}

static void the_gentle_form_is_enough(void **state)
{
    (void)state;
    stage s = live_stage();
    s.screen = 0.5;
    tally t = sweep(&s, BF_FLASH_GENTLE, 10, SEEDS);
    assert_true(t.bona_fide >= SEEDS * 0.95 && t.against == 0);
}

static void light_that_hardly_shows_says_nothing(void **state)
{
    (void)state;
    stage s = live_stage();
    for (double screen = 0; screen < 0.02; screen += 0.005) {
        s.screen = screen;
        tally t = sweep(&s, BF_FLASH_FULL, 10, SEEDS / 4);
        assert_int_equal(t.against, 0);
        assert_true(screen > 0 || t.nothing == SEEDS / 4);
    }
}

static void light_of_another_session_is_stale(void **state)
{
    (void)state;
    int stale = 0, passed = 0;
    for (int i = 0; i < SEEDS; i++) {
        bf_plan plan = random_plan(BF_FLASH_FULL), other = random_plan(BF_FLASH_FULL);
        stage s = live_stage();
        s.lit = &other;
        bf_sequence_evidence evidence;
        run(&plan, &s, 10, &evidence);
        stale += strcmp(code_of(&evidence), "stale_response") == 0;
        passed += evidence.evidence.status == BF_EVIDENCE_PRESENT && evidence.evidence.raw > 0;
    }
    print_message("stale %d, passed %d of %d\n", stale, passed, SEEDS);
    assert_true(stale >= SEEDS * 0.7);
    assert_true(passed <= SEEDS * 0.03);
}

static void light_on_a_sheet_or_a_tint_is_uniform(void **state)
{
    (void)state;
    stage s = live_stage();
    s.room = 1;
    s.uneven = 0;
    tally t = sweep(&s, BF_FLASH_FULL, 10, SEEDS);
    assert_true(t.against >= SEEDS * 0.97 && t.bona_fide == 0);
}

/* Its surroundings are as far as a person's, but it has no nose and no cheeks that turn away. */
static void a_print_that_is_cut_close_gains_nothing(void **state)
{
    (void)state;
    stage s = live_stage();
    s.uneven = 0;
    tally t = sweep(&s, BF_FLASH_FULL, 10, SEEDS);
    assert_true(t.against == 0 && t.bona_fide <= SEEDS * 0.05);
}

/* Glass before a lit display: the same light everywhere, most of it where the display is dark. */
static void a_reflection_is_no_face(void **state)
{
    (void)state;
    stage s = live_stage();
    s.emits = true;
    s.screen = 1;
    tally t = sweep(&s, BF_FLASH_FULL, 10, SEEDS);
    assert_true(t.bona_fide == 0);
}

static void too_few_frames_say_nothing(void **state)
{
    (void)state;
    stage s = live_stage();
    tally t = sweep(&s, BF_FLASH_FULL, 3, SEEDS / 4);
    assert_int_equal(t.against, 0);
    assert_true(t.nothing >= SEEDS / 4 - 3);
}

static void without_a_flash_nothing_is_said(void **state)
{
    (void)state;
    bf_plan plan = random_plan(BF_FLASH_FULL);
    plan.flash = (bf_flash){.form = BF_FLASH_NONE};
    stage s = live_stage();
    bf_sequence_evidence evidence;
    bf_plan lit = random_plan(BF_FLASH_FULL);
    s.lit = &lit;
    run(&plan, &s, 10, &evidence);
    assert_int_equal(evidence.evidence.status, BF_EVIDENCE_NOT_APPLICABLE);
    assert_string_equal(evidence.evidence.why, "no flash was asked for");
}

static void hostile_views_are_survived(void **state)
{
    (void)state;
    for (int run_number = 0; run_number < 100; run_number++) {
        bf_plan plan = random_plan(BF_FLASH_FULL);
        if (run_number % 5 == 0)
            plan.flash.colour_count = 99;
        void *memory = bf_calloc(1, bf_flash_detector.state_size);
        bf_clip_facts facts = {.container = BF_CONTAINER_BURST};
        bf_sequence sequence = {&plan, NULL, &facts};
        bf_flash_detector.begin(memory, &sequence);
        act script = act_at_rest((uint32_t)run_number + 1);
        for (int i = 0; i < 300; i++) {
            bf_face face;
            act_face(&script, i * 20.0, &face);
            uint8_t *bytes = (uint8_t *)&face;
            for (int k = 0; k < run_number % 30; k++)
                bytes[random_next(&seed) % offsetof(bf_face, has_geometry)] = (uint8_t)random_next(&seed);
            bytes = (uint8_t *)face.landmarks;
            for (int k = 0; k < run_number % 30; k++)
                bytes[random_next(&seed) % sizeof face.landmarks] = (uint8_t)random_next(&seed);
            double ms = run_number % 3 ? i * 20.0 : i % 2 ? NAN : INFINITY;
            bf_view view = {.rgb = &picture, .ms = ms, .number = i, .face = i % 7 ? &face : NULL};
            bf_flash_detector.see(memory, &view);
        }
        bf_sequence_evidence evidence = {0};
        bf_flash_detector.end(memory, &evidence);
        assert_true(isfinite(evidence.evidence.raw));
        for (int i = 0; i < evidence.figure_count; i++)
            assert_true(isfinite(evidence.figure[i].value));
        bf_free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_face_answers, reset_seed),
        cmocka_unit_test_setup(a_covered_face_is_not_taken_for_uneven, reset_seed),
        cmocka_unit_test_setup(the_gentle_form_is_enough, reset_seed),
        cmocka_unit_test_setup(light_that_hardly_shows_says_nothing, reset_seed),
        cmocka_unit_test_setup(light_of_another_session_is_stale, reset_seed),
        cmocka_unit_test_setup(light_on_a_sheet_or_a_tint_is_uniform, reset_seed),
        cmocka_unit_test_setup(a_print_that_is_cut_close_gains_nothing, reset_seed),
        cmocka_unit_test_setup(a_reflection_is_no_face, reset_seed),
        cmocka_unit_test_setup(too_few_frames_say_nothing, reset_seed),
        cmocka_unit_test_setup(without_a_flash_nothing_is_said, reset_seed),
        cmocka_unit_test_setup(hostile_views_are_survived, reset_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
