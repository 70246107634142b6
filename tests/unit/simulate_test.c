/* Simulated captures are what they say: the library's own networks see the asked poses in them, attacks are made as
 * described, and the same options give the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "simulate/simulate.h"

#define FRAMES_MAX 100

static bf_engine *engine;
static bf_judge *judge;
static sim_still still, other;

static bool sample_path(char *path, size_t size, const char *name)
{
    const char *cache = getenv("BONAFIDE_CACHE_DIR");
    (void)snprintf(path, size, "%s/samples/%s", cache ? cache : ".cache", name);
    FILE *file = fopen(path, "rb");
    return file && fclose(file) == 0;
}

static int open_all(void **state)
{
    (void)state;
    const char *source = getenv("BONAFIDE_SOURCE_DIR"), *cache = getenv("BONAFIDE_CACHE_DIR");
    char weights[1024], path[1024];
    bf_error err = {0};
    (void)snprintf(weights, sizeof weights, "%s/weights", cache ? cache : ".cache");
    bf_engine_options options = {.struct_size = sizeof options, .data_dir = source, .weights_dir = weights};
    if (!source || !sample_path(path, sizeof path, "person-4.jpg") || bf_engine_new(&options, &engine, &err) != BF_OK)
        return 0; /* Without models and samples every test skips. */
    assert_int_equal(bf_judge_new(engine, &judge, &err), BF_OK);
    assert_int_equal(sim_still_read(judge, path, &still, &err), BF_OK);
    assert_true(sample_path(path, sizeof path, "person-3.jpg"));
    assert_int_equal(sim_still_read(judge, path, &other, &err), BF_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    sim_still_done(&still);
    sim_still_done(&other);
    bf_judge_free(&judge);
    bf_engine_free(&engine);
    return 0;
}

/* Steps of 1.5 s, one after the other. */
static bf_plan plan_of(const bf_step_type *types, int count)
{
    bf_plan plan = {.attempt = 1, .step_count = 1 + count, .step = {{BF_STEP_HOLD_STILL, 0, 600}}};
    memset(plan.nonce, 'a', BF_PLAN_NONCE_HEX);
    for (int i = 0; i < count; i++)
        plan.step[1 + i] = (bf_step){types[i], 700 + 1700 * i, 2200 + 1700 * i};
    plan.duration_ms = 2600 + 1700 * (count - 1);
    return plan;
}

static sim_sequence *open_sequence(const sim_options *options)
{
    sim_sequence *sequence = NULL;
    bf_error err = {0};
    if (sim_sequence_new(&still, &other, options, &sequence, &err) != BF_OK)
        fail_msg("%s", err.message);
    return sequence;
}

/* What the networks see in each frame. */
typedef struct seen {
    int count;
    sim_truth truth[FRAMES_MAX];
    bf_face face[FRAMES_MAX];
} seen;

static void look(const sim_options *options, seen *ret)
{
    sim_sequence *sequence = open_sequence(options);
    bf_error err = {0};
    assert_in_range(sim_sequence_count(sequence), 10, FRAMES_MAX);
    ret->count = 0;
    for (int i = 0; i < sim_sequence_count(sequence); i++) {
        const bf_image *image = NULL;
        bf_faces faces = {0};
        assert_int_equal(sim_sequence_frame(sequence, i, &image, &ret->truth[i], &err), BF_OK);
        assert_int_equal(bf_faces_find(&judge->face, image, &faces, &err), BF_OK);
        assert_true(faces.count > 0);
        ret->face[i] = faces.face[0];
        assert_int_equal(bf_face_measure(&judge->face, image, &ret->face[i], &err), BF_OK);
        ret->count++;
    }
    sim_sequence_free(&sequence);
}

/* The line through the points, and the mean distance from it. */
static double slope_of(const double *x, const double *y, int count, double *ret_error)
{
    double mx = 0, my = 0, sxx = 0, sxy = 0, error = 0;
    for (int i = 0; i < count; i++) {
        mx += x[i] / count;
        my += y[i] / count;
    }
    for (int i = 0; i < count; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    for (int i = 0; i < count; i++)
        error += fabs(y[i] - my - sxy / sxx * (x[i] - mx)) / count;
    *ret_error = error;
    return sxy / sxx;
}

static void the_networks_see_the_asked_pose(void **state)
{
    (void)state;
    if (!judge)
        skip();
    static seen s;
    const bf_step_type types[4] = {BF_STEP_TURN_LEFT, BF_STEP_LOOK_UP, BF_STEP_TURN_RIGHT, BF_STEP_LOOK_DOWN};
    const bf_plan plan = plan_of(types, 4);
    double x[2][FRAMES_MAX], y[2][FRAMES_MAX];
    for (uint64_t seed = 1; seed <= 2; seed++) {
        look(&(sim_options){.seed = seed, .plan = &plan, .rate_fps = 7}, &s);
        for (int i = 0; i < s.count; i++) {
            x[0][i] = s.truth[i].yaw_deg;
            y[0][i] = (double)s.face[i].yaw_deg;
            x[1][i] = s.truth[i].pitch_deg;
            y[1][i] = (double)s.face[i].pitch_deg;
        }
        for (int axis = 0; axis < 2; axis++) {
            double error = 0, slope = slope_of(x[axis], y[axis], s.count, &error);
            print_message("seed %d, %s: slope %.2f, mean error %.1f degrees\n", (int)seed, axis ? "pitch" : "yaw",
                          slope, error);
            assert_true(slope > 0.6 && slope < 1.4);
            assert_true(error < 5);
        }
    }
}

static double mouth_open(const bf_face *face)
{
    const bf_point *p = face->landmarks;
    return hypot((double)(p[66].x - p[62].x), (double)(p[66].y - p[62].y)) / (double)face->inter_eye_px;
}

static double mouth_width(const bf_face *face)
{
    const bf_point *p = face->landmarks;
    return hypot((double)(p[54].x - p[48].x), (double)(p[54].y - p[48].y)) / (double)face->inter_eye_px;
}

static void the_networks_see_the_asked_expression(void **state)
{
    (void)state;
    if (!judge)
        skip();
    static seen s;
    const bf_step_type types[4] = {BF_STEP_OPEN_MOUTH, BF_STEP_BLINK, BF_STEP_SMILE, BF_STEP_MOVE_CLOSER};
    const bf_plan plan = plan_of(types, 4);
    look(&(sim_options){.seed = 2, .plan = &plan, .rate_fps = 12}, &s);
    double open[2] = {0, 0}, width[2] = {0, 0}, eyes[2] = {0, 0}, closed_frames = 0, size[2] = {1e9, 0};
    int counts[6] = {0};
    for (int i = 0; i < s.count; i++) {
        const sim_truth *t = &s.truth[i];
        int wide = t->mouth > 0.5, smiles = t->smile > 0.6, shut = t->eyes > 0.9;
        if (wide || t->mouth < 0.05)
            open[wide] += mouth_open(&s.face[i]), counts[wide]++;
        if (smiles || (t->smile < 0.1 && t->mouth < 0.05))
            width[smiles] += mouth_width(&s.face[i]), counts[2 + smiles]++;
        if (shut || t->eyes < 0.1) {
            eyes[shut] += (double)(s.face[i].eye_open_probability[0] + s.face[i].eye_open_probability[1]) / 2;
            counts[4 + shut]++;
        }
        closed_frames += shut;
        size[0] = fmin(size[0], (double)s.face[i].inter_eye_px);
        size[1] = fmax(size[1], (double)s.face[i].inter_eye_px);
    }
    assert_true(closed_frames > 0);
    print_message("mouth open %.2f -> %.2f, wide %.2f -> %.2f, eyes %.2f -> %.2f, size x %.2f\n", open[0] / counts[0],
                  open[1] / counts[1], width[0] / counts[2], width[1] / counts[3], eyes[0] / counts[4],
                  eyes[1] / counts[5], size[1] / size[0]);
    assert_true(open[1] / counts[1] > open[0] / counts[0] + 0.15);
    assert_true(width[1] / counts[3] > 1.08 * width[0] / counts[2]);
    assert_true(eyes[0] / counts[4] > 0.8 && eyes[1] / counts[5] < 0.3);
    assert_true(size[1] / size[0] > 1.2);
}

static void the_same_options_give_the_same_bytes(void **state)
{
    (void)state;
    if (!judge)
        skip();
    bf_error err = {0};
    bf_plan plan;
    assert_int_equal(sim_make_plan(2, BF_FLASH_FULL, 9, &plan, &err), BF_OK);
    for (int what = 0; what < SIM_WHAT_COUNT; what++) {
        bf_bytes bytes[2] = {{0}};
        for (int i = 0; i < 2; i++) {
            sim_sequence *sequence = open_sequence(&(sim_options){
                .what = (sim_what)what, .seed = 7, .plan = &plan, .width = 160, .height = 160, .rate_fps = 3});
            assert_int_equal(sim_capture(sequence, &bytes[i], NULL, &err), BF_OK);
            sim_sequence_free(&sequence);
        }
        assert_int_equal(bytes[0].size, bytes[1].size);
        assert_memory_equal(bytes[0].data, bytes[1].data, bytes[0].size);
        bf_capture_file file = {0};
        assert_int_equal(bf_capture_file_parse(bytes[0].data, bytes[0].size, &file, &err), BF_OK);
        assert_string_equal(file.nonce, plan.nonce);
        assert_int_equal(file.shown_count, plan.step_count + plan.flash.colour_count);
        bf_capture_file_done(&file);
        bf_bytes_done(&bytes[0]);
        bf_bytes_done(&bytes[1]);
    }
}

/* Frames that are byte for byte an earlier one. */
static int repeated_frames(sim_what what, uint64_t seed)
{
    bf_error err = {0};
    bf_bytes bytes = {0};
    bf_capture_file file = {0};
    int repeated = 0;
    sim_sequence *sequence =
        open_sequence(&(sim_options){.what = what, .seed = seed, .width = 160, .height = 160, .rate_fps = 5});
    assert_int_equal(sim_capture(sequence, &bytes, NULL, &err), BF_OK);
    assert_int_equal(bf_capture_file_parse(bytes.data, bytes.size, &file, &err), BF_OK);
    for (int i = 1; i < file.frame_count; i++) {
        bool same = false;
        for (int k = 0; k < i && !same; k++)
            same = file.frame[k].size == file.frame[i].size &&
                   memcmp(file.frame[k].bytes, file.frame[i].bytes, file.frame[i].size) == 0;
        repeated += same;
    }
    bf_capture_file_done(&file);
    bf_bytes_done(&bytes);
    sim_sequence_free(&sequence);
    return repeated;
}

static void only_loops_and_frozen_feeds_repeat_frames(void **state)
{
    (void)state;
    if (!judge)
        skip();
    int looped = 0, frozen = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        looped += repeated_frames(SIM_LOOP, seed) > 8;
        frozen += repeated_frames(SIM_FROZEN, seed) > 4;
        assert_int_equal(repeated_frames(SIM_LIVE, seed), 0);
        assert_int_equal(repeated_frames(SIM_UPLOADED, seed), 0);
    }
    /* Three in ten add grain to each frame. */
    assert_in_range(looped, 2, 4);
    assert_in_range(frozen, 2, 4);
}

static void early_answers_are_early(void **state)
{
    (void)state;
    if (!judge)
        skip();
    const bf_step_type types[2] = {BF_STEP_TURN_LEFT, BF_STEP_TURN_RIGHT};
    bf_plan plan = plan_of(types, 2);
    for (int early = 0; early < 2; early++) {
        bf_error err = {0};
        double turned_ms = -1;
        sim_sequence *sequence = open_sequence(&(sim_options){
            .what = early ? SIM_EARLY : SIM_LIVE, .seed = 3, .plan = &plan, .width = 160, .height = 160});
        for (int i = 0; i < sim_sequence_count(sequence) && turned_ms < 0; i++) {
            const bf_image *image = NULL;
            sim_truth truth;
            assert_int_equal(sim_sequence_frame(sequence, i, &image, &truth, &err), BF_OK);
            turned_ms = truth.yaw_deg < (double)still.face.yaw_deg - 8 ? truth.ms : -1;
        }
        assert_true(turned_ms >= 0);
        assert_true(early ? turned_ms < plan.step[1].from_ms : turned_ms > plan.step[1].from_ms + 250);
        sim_sequence_free(&sequence);
    }
}

/* How the picture's middle follows the screen's red against its blue, one frame late: correlation of the two. */
static double answer_to_flash(sim_what what, uint64_t seed, const bf_plan *plan)
{
    bf_error err = {0};
    double x[BF_CAPTURE_FRAMES_MAX + 1] = {0}, y[BF_CAPTURE_FRAMES_MAX], mx = 0, my = 0, sxx = 0, sxy = 0, syy = 0;
    int n = 0;
    sim_sequence *sequence = open_sequence(
        &(sim_options){.what = what, .nuisances = SIM_DIM, .seed = seed, .plan = plan, .width = 160, .height = 160});
    for (int i = 0; i < sim_sequence_count(sequence); i++) {
        const bf_image *image = NULL;
        sim_truth truth;
        assert_int_equal(sim_sequence_frame(sequence, i, &image, &truth, &err), BF_OK);
        double red = 1, blue = 1;
        for (int p = 0; p < 40 * 40; p++) {
            const uint8_t *at = image->pixels + (size_t)(60 + p / 40) * image->stride + (size_t)(60 + p % 40) * 3;
            red += at[0];
            blue += at[2];
        }
        y[n++] = red / blue;
        x[n] = (double)(truth.screen[0] - truth.screen[2]);
    }
    sim_sequence_free(&sequence);
    for (int i = 0; i < n; i++)
        mx += x[i] / n, my += y[i] / n;
    for (int i = 0; i < n; i++)
        sxx += (x[i] - mx) * (x[i] - mx), sxy += (x[i] - mx) * (y[i] - my), syy += (y[i] - my) * (y[i] - my);
    return sxy / sqrt(sxx * syy + 1e-12);
}

static void the_screen_lights_who_is_there(void **state)
{
    (void)state;
    if (!judge)
        skip();
    for (uint64_t seed = 1; seed <= 3; seed++) {
        bf_plan plan = {.attempt = 1, .step_count = 1, .step = {{BF_STEP_HOLD_STILL, 0, 3000}}, .duration_ms = 3000};
        memset(plan.nonce, 'a', BF_PLAN_NONCE_HEX);
        plan.flash =
            (bf_flash){BF_FLASH_FULL, {{255, 32, 32}, {32, 32, 255}, {255, 32, 32}, {32, 32, 255}}, 4, 600, 500};
        double live = answer_to_flash(SIM_LIVE, seed, &plan), unlit = answer_to_flash(SIM_PUPPET_UNLIT, seed, &plan);
        print_message("seed %d: follows the screen with %.2f, injected with %.2f\n", (int)seed, live, unlit);
        assert_true(live > 0.7);
        assert_true(fabs(unlit) < 0.6);
    }
}

static void names_lead_back(void **state)
{
    (void)state;
    for (int i = 0; i < SIM_WHAT_COUNT; i++) {
        sim_what what = SIM_WHAT_COUNT;
        assert_true(sim_what_from_name(sim_what_name((sim_what)i), &what));
        assert_int_equal(what, i);
    }
    sim_what what = SIM_LIVE;
    assert_false(sim_what_from_name("", &what));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_back),
        cmocka_unit_test(the_networks_see_the_asked_pose),
        cmocka_unit_test(the_networks_see_the_asked_expression),
        cmocka_unit_test(the_same_options_give_the_same_bytes),
        cmocka_unit_test(only_loops_and_frozen_feeds_repeat_frames),
        cmocka_unit_test(early_answers_are_early),
        cmocka_unit_test(the_screen_lights_who_is_there),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
