#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "base/bytes.h"
#include "infer/net.h"
#include "support/stub_model.h"

static char home[] = "/tmp/bonafide-home-XXXXXX"; /* stands in for the home folder; empty from start to end */

/* The published passive network, described as far as running it needs. */
static bf_manifest passive_manifest(void)
{
    bf_manifest m = {.name = "passive",
                     .task = BF_TASK_LIVENESS,
                     .decoding = BF_DECODING_CLASS_LOGITS,
                     .output_count = 1,
                     .class_count = 3};
    m.input = (bf_tensor_spec){128, 128, 3, BF_ORDER_BGR, BF_LAYOUT_NCHW, 1, {0, 0, 0}, {1, 1, 1}};
    return m;
}

static bf_manifest stub_manifest(void)
{
    bf_manifest m = {.name = "stub",
                     .task = BF_TASK_LIVENESS,
                     .decoding = BF_DECODING_CLASS_LOGITS,
                     .output_count = 1,
                     .class_count = STUB_CLASSES};
    m.input = (bf_tensor_spec){STUB_SIDE, STUB_SIDE, 3, BF_ORDER_RGB, BF_LAYOUT_NCHW, 1, {0}, {1, 1, 1}};
    return m;
}

static bf_net *load_stub(stub_fault fault)
{
    bf_bytes model = stub_model(fault);
    bf_manifest m = stub_manifest();
    bf_error err = {0};
    bf_net *net = NULL;
    if (bf_net_load(&m, model.data, model.size, &net, &err) != BF_OK)
        fail_msg("%s %s", err.message, err.detail);
    bf_bytes_done(&model);
    return net;
}

static bf_bytes read_weights(const char *file)
{
    const char *cache = getenv("BONAFIDE_CACHE_DIR");
    char path[4096];
    bf_bytes bytes = {0};
    (void)snprintf(path, sizeof path, "%s/weights/%s", cache ? cache : ".cache", file);
    if (bf_bytes_read_file(&bytes, path, BF_MODEL_BYTES_MAX, NULL) != BF_OK)
        skip();
    return bytes;
}

static void fill(bf_net_run *run, size_t floats, unsigned seed)
{
    float *input = bf_net_input(run);
    uint32_t state = seed;
    for (size_t i = 0; i < floats; i++) {
        state = state * 1664525u + 1013904223u;
        input[i] = (float)(state >> 24);
    }
}

static void loads_and_runs(void **state)
{
    (void)state;
    bf_bytes weights = read_weights("fr_liveness.onnx");
    bf_manifest m = passive_manifest();
    bf_error err = {0};
    bf_net *net = NULL;
    bf_net_run *run = NULL;
    assert_int_equal(bf_net_load(&m, weights.data, weights.size, &net, &err), BF_OK);
    bf_bytes_done(&weights);
    assert_string_equal(bf_net_manifest(net)->name, "passive");
    assert_int_equal(bf_net_run_new(net, &run, &err), BF_OK);
    fill(run, 3 * 128 * 128, 1);
    assert_int_equal(bf_net_execute(run, &err), BF_OK);
    size_t count = 0;
    const float *logits = bf_net_output(run, 0, &count);
    assert_int_equal(count, 3);
    float first = logits[0];
    fill(run, 3 * 128 * 128, 2);
    assert_int_equal(bf_net_execute(run, &err), BF_OK);
    assert_true(first != bf_net_output(run, 0, &count)[0]);
    bf_net_input(run)[7] = (float)strtod("nan", NULL);
    assert_int_equal(bf_net_execute(run, &err), BF_INFERENCE_FAILED);
    bf_net_run_free(&run);
    bf_net_free(&net);
    assert_null(net);
}

static void refuses_what_the_manifest_does_not_say(void **state)
{
    (void)state;
    bf_bytes weights = read_weights("fr_liveness.onnx");
    bf_error err = {0};
    bf_net *net = NULL;
    bf_manifest m = passive_manifest();
    m.input.width = m.input.height = 80;
    assert_int_equal(bf_net_load(&m, weights.data, weights.size, &net, &err), BF_MODEL_INVALID);
    assert_non_null(strstr(err.message, "has the shape [1,3,128,128]; its manifest says [1,3,80,80]"));
    m = passive_manifest();
    m.class_count = 2;
    assert_int_equal(bf_net_load(&m, weights.data, weights.size, &net, &err), BF_MODEL_INVALID);
    m = passive_manifest();
    (void)snprintf(m.outputs[0], sizeof m.outputs[0], "nothing");
    assert_int_equal(bf_net_load(&m, weights.data, weights.size, &net, &err), BF_MODEL_INVALID);
    assert_non_null(strstr(err.message, "no output 'nothing'"));
    m = passive_manifest();
    assert_int_equal(bf_net_load(&m, weights.data, weights.size / 2, &net, &err), BF_MODEL_INVALID);
    assert_int_equal(bf_net_load(&m, "garbage", 7, &net, &err), BF_MODEL_INVALID);
    assert_int_equal(bf_net_load(&m, "", 0, &net, &err), BF_MODEL_INVALID);
    assert_null(net);
    bf_bytes_done(&weights);
}

/* Channels of constant value, whose means are known without running anything. */
static void expect_logits(stub_fault fault)
{
    static const float levels[3] = {1.5f, -2.0f, 4.0f};
    bf_net *net = load_stub(fault);
    bf_net_run *run = NULL;
    assert_int_equal(bf_net_run_new(net, &run, NULL), BF_OK);
    for (size_t i = 0; i < 3 * STUB_SIDE * STUB_SIDE; i++)
        bf_net_input(run)[i] = levels[i / (STUB_SIDE * STUB_SIDE)];
    for (int again = 0; again < 2; again++) {
        size_t count = 0;
        assert_int_equal(bf_net_execute(run, NULL), BF_OK);
        const float *logits = bf_net_output(run, 0, &count);
        assert_int_equal(count, STUB_CLASSES);
        for (int k = 0; k < STUB_CLASSES; k++) {
            float wanted = STUB_BIAS[k];
            for (int c = 0; c < 3; c++)
                wanted += STUB_WEIGHTS[c][k] * levels[c];
            assert_float_equal(logits[k], wanted, 1e-5f);
        }
    }
    bf_net_run_free(&run);
    bf_net_free(&net);
}

static void gives_the_numbers_of_a_known_network(void **state)
{
    (void)state;
    expect_logits(STUB_SOUND);
    expect_logits(STUB_OPEN_SHAPES);
}

static void reports_results_that_are_no_numbers(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_net *net = load_stub(STUB_NOT_A_NUMBER);
    bf_net_run *run = NULL;
    assert_int_equal(bf_net_run_new(net, &run, NULL), BF_OK);
    assert_int_equal(bf_net_execute(run, &err), BF_INFERENCE_FAILED);
    assert_string_equal(err.message, "The model stub gave a result that is not a number.");
    bf_net_run_free(&run);
    bf_net_free(&net);
}

typedef struct misfit {
    stub_fault fault;
    const char *input, *output;
    int width, classes;
    const char *message;
} misfit;

static void says_what_was_expected_and_what_was_found(void **state)
{
    (void)state;
    static const misfit misfits[] = {
        {STUB_SOUND, "", "", 16, 3,
         "The input 'picture' of the model stub has the shape [1,3,8,8]; its manifest says [1,3,8,16]."},
        {STUB_SOUND, "", "", 8, 4,
         "The output 'logits' of the model stub has the shape [1,3]; its manifest says [1,4]."},
        {STUB_OPEN_SHAPES, "", "", 8, 4,
         "The output 'logits' of the model stub has the shape [?,3]; its manifest says [1,4]."},
        {STUB_SOUND, "image", "", 8, 3, "The model stub has no input 'image'."},
        {STUB_SOUND, "picture", "scores", 8, 3, "The model stub has no output 'scores'."},
        {STUB_DOUBLES, "", "", 8, 3, "The input 'picture' of the model stub does not hold 32-bit floats."},
    };
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        bf_bytes model = stub_model(misfits[i].fault);
        bf_manifest m = stub_manifest();
        bf_error err = {0};
        bf_net *net = NULL;
        m.input.width = misfits[i].width;
        m.class_count = misfits[i].classes;
        (void)snprintf(m.input_name, sizeof m.input_name, "%s", misfits[i].input);
        (void)snprintf(m.outputs[0], sizeof m.outputs[0], "%s", misfits[i].output);
        assert_int_equal(bf_net_load(&m, model.data, model.size, &net, &err), BF_MODEL_INVALID);
        assert_string_equal(err.message, misfits[i].message);
        assert_null(net);
        bf_bytes_done(&model);
    }
}

#define RUNS 20
#define THREADS 2

typedef struct job {
    const bf_net *net;
    float logits[RUNS][3];
    bf_status status;
} job;

static void *run_job(void *argument)
{
    job *j = argument;
    bf_net_run *run = NULL;
    j->status = bf_net_run_new(j->net, &run, NULL);
    for (unsigned i = 0; i < RUNS && j->status == BF_OK; i++) {
        size_t count = 0;
        fill(run, 3 * 128 * 128, i);
        j->status = bf_net_execute(run, NULL);
        memcpy(j->logits[i], bf_net_output(run, 0, &count), sizeof j->logits[i]);
    }
    bf_net_run_free(&run);
    return NULL;
}

static void threads_share_a_net_and_agree_bit_for_bit(void **state)
{
    (void)state;
    bf_bytes weights = read_weights("fr_liveness.onnx");
    bf_manifest m = passive_manifest();
    bf_error err = {0};
    bf_net *net = NULL;
    assert_int_equal(bf_net_load(&m, weights.data, weights.size, &net, &err), BF_OK);
    bf_bytes_done(&weights);
    static job alone;
    alone.net = net;
    run_job(&alone);
    assert_int_equal(alone.status, BF_OK);
    static job jobs[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i].net = net;
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].status, BF_OK);
        assert_memory_equal(jobs[i].logits, alone.logits, sizeof alone.logits);
    }
    bf_net_free(&net);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    bf_bytes weights = stub_model(STUB_OPEN_SHAPES);
    bf_manifest m = stub_manifest();
    for (size_t nth = 1; nth < 50; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_error err = {0};
        bf_net *net = NULL;
        bf_net_run *run = NULL;
        bf_status status = bf_net_load(&m, weights.data, weights.size, &net, &err);
        if (status == BF_OK)
            status = bf_net_run_new(net, &run, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        bf_net_run_free(&run);
        bf_net_free(&net);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            bf_bytes_done(&weights);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    fail_msg("loading never stopped allocating");
}

/* The runtime's builds since 1.29 would open a database in the home folder and start an uploading thread. */
static void the_runtime_tells_nobody(void **state)
{
    (void)state;
    bf_bytes weights = stub_model(STUB_OPEN_SHAPES);
    bf_manifest m = stub_manifest();
    bf_net *net = NULL;
    assert_int_equal(bf_net_load(&m, weights.data, weights.size, &net, NULL), BF_OK);
    bf_net_free(&net);
    bf_bytes_done(&weights);
    assert_string_equal(getenv("ORT_DISABLE_TELEMETRY"), "1");
    assert_int_equal(rmdir(home), 0); /* fails unless empty */
}

int main(void)
{
    if (!mkdtemp(home) || setenv("HOME", home, 1) != 0 || setenv("XDG_CACHE_HOME", home, 1) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_runtime_tells_nobody),
        cmocka_unit_test(gives_the_numbers_of_a_known_network),
        cmocka_unit_test(reports_results_that_are_no_numbers),
        cmocka_unit_test(says_what_was_expected_and_what_was_found),
        cmocka_unit_test(loads_and_runs),
        cmocka_unit_test(refuses_what_the_manifest_does_not_say),
        cmocka_unit_test(threads_share_a_net_and_agree_bit_for_bit),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
