/* Rewritten networks say what the original said, and are what the rewrites promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "models/store.h"
#include "optimise/graph.h"
#include "optimise/optimise.h"
#include "support/tiny_network.h"

#define SIDE 12
#define ROUNDING 2e-6 /* of the output's range: single precision, a dozen layers */

/* A network with one input [1,channels,side,side] and one output of `dimensions` numbers. */
static bf_manifest tiny_manifest(int channels, int side, int dimensions)
{
    bf_manifest m = {.name = "tiny",
                     .task = BF_TASK_EMBEDDING,
                     .decoding = BF_DECODING_EMBEDDING,
                     .output_count = 1,
                     .dimensions = dimensions};
    m.input = (bf_tensor_spec){.width = side,
                               .height = side,
                               .channels = channels,
                               .scale = 1 / 255.0f,
                               .mean = {0.5f, 0.5f, 0.5f},
                               .std = {0.25f, 0.25f, 0.25f}};
    return m;
}

typedef struct outcome {
    bf_optimise_report report;
    bf_bytes original, optimised;
    double difference;
} outcome;

/* Finishes a network whose flattened output has `dimensions` numbers, rewrites it, and holds the two together. */
static outcome rewrite(tiny_network *net, const char *output, int dimensions)
{
    outcome o = {.original = tiny_network_finish(&net, output)};
    bf_error err = {0};
    bf_manifest m = tiny_manifest(3, SIDE, dimensions);
    if (bf_optimise_model(o.original.data, o.original.size, &o.optimised, &o.report, &err) != BF_OK)
        fail_msg("%s", err.message);
    if (bf_optimise_check(&m, &o.original, &o.optimised, NULL, 0, &o.difference, &err) != BF_OK)
        fail_msg("%s (%s)", err.message, err.detail);
    if (o.difference > ROUNDING)
        fail_msg("differs by %g", o.difference);
    return o;
}

static void outcome_done(outcome *o)
{
    bf_bytes_done(&o->original);
    bf_bytes_done(&o->optimised);
}

static int count_nodes(const bf_bytes *file, const char *op)
{
    Onnx__ModelProto *model = NULL;
    int count = 0;
    assert_int_equal(bf_onnx_parse(file->data, file->size, &model, NULL), BF_OK);
    for (size_t n = 0; n < model->graph->n_node; n++)
        count += bf_node_is(model->graph->node[n], op);
    bf_onnx_free(&model);
    return count;
}

/* Number of convolutions whose count of filters is no multiple of 4. */
static int count_odd_filters(const bf_bytes *file)
{
    bf_graph *g = NULL;
    int count = 0;
    assert_int_equal(bf_graph_open(file->data, file->size, &g, NULL), BF_OK);
    for (int n = 0; n < g->node_count; n++)
        count += bf_node_is(bf_graph_node(g, n), "Conv") && bf_graph_constant(g, n, 1)->dims[0] % 4 != 0;
    bf_graph_free(&g);
    return count;
}

static void activations_and_odd_channels(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    const char *x = tiny_prelu(net, tiny_conv(net, "input", 3, 13, 3, 1), 13, -1.3, 0.7);
    x = tiny_prelu(net, tiny_depthwise(net, x, 13, 3, 2), 13, 0.3, -0.2);
    x = tiny_conv(net, tiny_prelu(net, tiny_conv(net, x, 13, 26, 1, 1), 26, 0, 0.5), 26, 5, 1, 1);
    outcome o = rewrite(net, x, 5 * 6 * 6);
    assert_true(o.report.changed);
    assert_int_equal(o.report.activations, 3);
    assert_int_equal(o.report.padded, 2);
    assert_int_equal(count_nodes(&o.optimised, "PRelu"), 0);
    /* Each activation has become one Relu and one depthwise convolution, their sum fused by the runtime. */
    assert_int_equal(count_nodes(&o.optimised, "Relu"), 3);
    assert_int_equal(count_nodes(&o.optimised, "Conv"), 4 + 3);
    assert_int_equal(count_odd_filters(&o.original), 4);
    assert_int_equal(count_odd_filters(&o.optimised), 1); /* the last, whose channels the caller sees */
    outcome_done(&o);
}

/* Slopes beyond 1, at 1, around 1, and so large that only the form that rounds nothing will do. */
static void activations_with_any_slope(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        int relus;
    } cases[] = {{-3, 3.1, 1}, {0.5, 1, 1}, {0.9, 1.1, 2}, {-1000, 1000, 2}, {1, 1, 1}, {0, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tiny_network *net = tiny_network_new(3, SIDE, 11);
        const char *x = tiny_prelu(net, tiny_conv(net, "input", 3, 9, 3, 1), 9, cases[i].low, cases[i].high);
        outcome o = rewrite(net, tiny_conv(net, x, 9, 4, 3, 2), 4 * 6 * 6);
        assert_int_equal(o.report.activations, 1);
        assert_int_equal(count_nodes(&o.optimised, "PRelu"), 0);
        assert_int_equal(count_nodes(&o.optimised, "Relu"), cases[i].relus);
        outcome_done(&o);
    }
}

/* The caller, a sum, and a pool read activations: nothing can go into their weights. */
static void activations_read_by_others(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    const char *a = tiny_prelu(net, tiny_conv(net, "input", 3, 8, 3, 2), 8, -1, 0.5);
    const char *b = tiny_prelu(net, tiny_depthwise(net, a, 8, 3, 1), 8, 0.5, -1);
    const char *sum = tiny_node(net, "Add", a, b, NULL, 0);
    outcome o = rewrite(net, tiny_prelu(net, sum, 8, 2, -2), 8 * 6 * 6);
    assert_int_equal(o.report.activations, 3);
    assert_int_equal(count_nodes(&o.optimised, "PRelu"), 0);
    outcome_done(&o);
    net = tiny_network_new(3, SIDE, 9);
    a = tiny_prelu(net, tiny_prelu(net, tiny_conv(net, "input", 3, 8, 3, 2), 8, -1, 0.5), 8, 0.25, 0.75);
    o = rewrite(net, tiny_node(net, "GlobalMaxPool", a, NULL, NULL, 0), 8);
    assert_int_equal(o.report.activations, 2);
    outcome_done(&o);
}

static void residual_sums(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    const char *x = tiny_conv(net, "input", 3, 13, 3, 1);
    for (int i = 0; i < 3; i++) {
        const char *inner = tiny_prelu(net, tiny_conv(net, x, 13, 7, 1, 1), 7, -0.5, 0.5);
        inner = tiny_node(net, "Relu", tiny_depthwise(net, inner, 7, 3, 1), NULL, NULL, 0);
        x = tiny_node(net, "Add", x, tiny_conv(net, inner, 7, 13, 1, 1), NULL, 0);
    }
    outcome o = rewrite(net, tiny_conv(net, x, 13, 8, 3, 2), 8 * 6 * 6);
    assert_int_equal(o.report.padded, 1 + 3);
    assert_int_equal(count_odd_filters(&o.optimised), 0);
    outcome_done(&o);
}

/* Squeeze and excite: what a pool says about each channel multiplies that channel, also where it is padded. */
static void channel_attention(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    const char *x = tiny_conv(net, "input", 3, 13, 3, 1);
    const char *squeezed = tiny_node(net, "GlobalAveragePool", x, NULL, NULL, 0);
    squeezed = tiny_node(net, "Relu", tiny_conv(net, squeezed, 13, 6, 1, 1), NULL, NULL, 0);
    squeezed = tiny_node(net, "Sigmoid", tiny_conv(net, squeezed, 6, 13, 1, 1), NULL, NULL, 0);
    x = tiny_node(net, "Add", x, tiny_node(net, "Mul", x, squeezed, NULL, 0), NULL, 0);
    outcome o = rewrite(net, tiny_conv(net, x, 13, 4, 3, 2), 4 * 6 * 6);
    assert_int_equal(o.report.padded, 2);
    assert_int_equal(count_odd_filters(&o.optimised), 0);
    outcome_done(&o);
}

static void normalisation_and_idle_nodes(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    const char *x = tiny_batch_norm(net, tiny_conv(net, "input", 3, 13, 3, 1), 13);
    x = tiny_node(net, "Identity", tiny_node(net, "Relu", x, NULL, NULL, 0), NULL, NULL, 0);
    x = tiny_node(net, "Dropout", tiny_batch_norm(net, tiny_depthwise(net, x, 13, 3, 1), 13), NULL, NULL, 0);
    x = tiny_batch_norm(net, tiny_node(net, "Relu", x, NULL, NULL, 0), 13); /* not behind a convolution: stays */
    outcome o = rewrite(net, tiny_conv(net, x, 13, 4, 1, 1), 4 * SIDE * SIDE);
    assert_int_equal(o.report.folded, 4);
    assert_int_equal(o.report.padded, 1);
    assert_int_equal(count_nodes(&o.optimised, "BatchNormalization"), 1);
    assert_int_equal(count_nodes(&o.optimised, "Identity") + count_nodes(&o.optimised, "Dropout"), 0);
    outcome_done(&o);
}

/* Factors, offsets and bounds in constants of every shape that broadcasts over channels. */
static void constants_per_channel(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 11);
    const char *x = tiny_conv(net, "input", 3, 13, 3, 1);
    x = tiny_node(net, "Mul", tiny_floats(net, (int64_t[]){1, 13, 1, 1}, 4, -1, 2), x, NULL, 0);
    x = tiny_node(net, "Add", x, tiny_floats(net, (int64_t[]){13, 1, 1}, 3, 1, -1), NULL, 0);
    x = tiny_node(net, "Sub", x, tiny_floats(net, (int64_t[]){1}, 1, 0.25, 0), NULL, 0);
    x = tiny_node(net, "Clip", x, tiny_floats(net, NULL, 0, -0.5, 0), NULL, 0);
    outcome o = rewrite(net, tiny_conv(net, x, 13, 4, 1, 1), 4 * SIDE * SIDE);
    assert_int_equal(o.report.padded, 1);
    outcome_done(&o);
}

/* Whatever shows the order of channels to the outside, or is not understood, keeps them as they are. */
static void leaves_alone_what_it_cannot_be_sure_of(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    const char *a = tiny_conv(net, "input", 3, 13, 3, 2), *b = tiny_conv(net, "input", 3, 7, 3, 2);
    outcome o = rewrite(net, tiny_conv(net, tiny_concat(net, a, b), 20, 4, 1, 1), 4 * 6 * 6);
    assert_false(o.report.changed);
    assert_int_equal(o.optimised.size, o.original.size);
    assert_memory_equal(o.optimised.data, o.original.data, o.original.size);
    outcome_done(&o);
    net = tiny_network_new(3, SIDE, 9);
    a = tiny_conv(net, "input", 3, 13, 3, 2); /* one reader is a softmax over channels */
    b = tiny_node(net, "Add", tiny_node(net, "Softmax", a, NULL, "axis", 1), a, NULL, 0);
    o = rewrite(net, tiny_conv(net, b, 13, 4, 1, 1), 4 * 6 * 6);
    assert_int_equal(o.report.padded, 0);
    outcome_done(&o);
    net = tiny_network_new(3, SIDE, 9);
    a = tiny_conv(net, "input", 3, 13, 3, 1); /* a constant with a number for each place */
    a = tiny_node(net, "Add", a, tiny_floats(net, (int64_t[]){13, SIDE, SIDE}, 3, 0, 1), NULL, 0);
    o = rewrite(net, tiny_conv(net, a, 13, 4, 1, 1), 4 * SIDE * SIDE);
    assert_int_equal(o.report.padded, 0);
    outcome_done(&o);
}

/* One unit of a ShuffleNet: half of the channels pass, half are worked on. */
static const char *shuffle_unit(tiny_network *net, const char *x, int channels)
{
    const char *low, *high;
    int half = channels / 2;
    tiny_halves(net, x, channels, &low, &high);
    high = tiny_node(net, "Relu", tiny_conv(net, high, half, half, 1, 1), NULL, NULL, 0);
    high = tiny_conv(net, tiny_depthwise(net, high, half, 3, 1), half, half, 1, 1);
    high = tiny_concat(net, low, tiny_node(net, "Relu", high, NULL, NULL, 0));
    return tiny_shuffle(net, high, channels, SIDE, 2);
}

static void channel_shuffles(void **state)
{
    (void)state;
    static const int opsets[] = {9, 13};
    for (int i = 0; i < 2; i++) {
        tiny_network *net = tiny_network_new(3, SIDE, opsets[i]);
        const char *a = tiny_conv(net, "input", 3, 10, 3, 1), *b = tiny_conv(net, "input", 3, 10, 1, 1);
        const char *x = tiny_shuffle(net, tiny_concat(net, a, b), 20, SIDE, 2);
        for (int unit = 0; unit < 4; unit++)
            x = shuffle_unit(net, x, 20);
        /* Two readers at the end, one of them behind a depthwise convolution. */
        a = tiny_conv(net, tiny_depthwise(net, x, 20, 3, 2), 20, 8, 1, 1);
        b = tiny_conv(net, x, 20, 8, 3, 2);
        outcome o = rewrite(net, tiny_node(net, "Add", a, b, NULL, 0), 8 * 6 * 6);
        assert_int_equal(o.report.shuffles, 5);
        assert_int_equal(count_nodes(&o.optimised, "Transpose") + count_nodes(&o.optimised, "Reshape"), 0);
        outcome_done(&o);
    }
}

/* The caller sees the shuffled order; a channel goes twice to the same reader; a sum ties two routes together. */
static void leaves_some_shuffles_alone(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    outcome o = rewrite(net, tiny_shuffle(net, tiny_conv(net, "input", 3, 8, 3, 1), 8, SIDE, 2), 8 * SIDE * SIDE);
    assert_int_equal(o.report.shuffles, 0);
    outcome_done(&o);
    net = tiny_network_new(3, SIDE, 9);
    const char *x = tiny_conv(net, "input", 3, 8, 3, 1);
    x = tiny_shuffle(net, tiny_concat(net, x, x), 16, SIDE, 4);
    o = rewrite(net, tiny_conv(net, x, 16, 8, 3, 2), 8 * 6 * 6);
    assert_int_equal(o.report.shuffles, 0);
    outcome_done(&o);
    net = tiny_network_new(3, SIDE, 9);
    x = tiny_conv(net, "input", 3, 8, 3, 1);
    x = tiny_node(net, "Add", x, tiny_shuffle(net, x, 8, SIDE, 2), NULL, 0);
    o = rewrite(net, tiny_conv(net, x, 8, 8, 3, 2), 8 * 6 * 6);
    assert_int_equal(o.report.shuffles, 0);
    outcome_done(&o);
}

static void the_same_bytes_each_time_and_nothing_left_to_do(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, SIDE, 9);
    const char *x = tiny_prelu(net, tiny_conv(net, "input", 3, 13, 3, 1), 13, -1, 0.5);
    outcome o = rewrite(net, tiny_conv(net, x, 13, 4, 3, 2), 4 * 6 * 6);
    bf_bytes again = {0};
    bf_optimise_report report;
    assert_int_equal(bf_optimise_model(o.original.data, o.original.size, &again, &report, NULL), BF_OK);
    assert_int_equal(again.size, o.optimised.size);
    assert_memory_equal(again.data, o.optimised.data, again.size);
    bf_bytes_done(&again);
    assert_int_equal(bf_optimise_model(o.optimised.data, o.optimised.size, &again, &report, NULL), BF_OK);
    assert_false(report.changed);
    bf_bytes_done(&again);
    outcome_done(&o);
}

/* Two networks that differ in one weight out of hundreds, by a fifth of the largest. */
static void the_check_refuses_another_network(void **state)
{
    (void)state;
    bf_bytes files[2];
    for (int i = 0; i < 2; i++) {
        tiny_network *net = tiny_network_new(3, SIDE, 9);
        const char *x = tiny_conv(net, tiny_conv(net, "input", 3, 8, 3, 1), 8, 4, 3, 2);
        float *weight = (void *)tiny_model(net)->graph->initializer[0]->raw_data.data;
        weight[5] += i == 0 ? 0 : 0.02f;
        files[i] = tiny_network_finish(&net, x);
    }
    bf_manifest m = tiny_manifest(3, SIDE, 4 * 6 * 6);
    bf_error err = {0};
    double difference = 0;
    assert_int_equal(bf_optimise_check(&m, &files[0], &files[1], NULL, 0, &difference, &err), BF_MODEL_INVALID);
    assert_true(difference > BF_OPTIMISE_DIFFERENCE_MAX && difference < 0.1);
    assert_non_null(strstr(err.message, "does not compute what the published one does"));
    assert_int_equal(bf_optimise_check(&m, &files[0], &files[0], NULL, 0, &difference, &err), BF_OK);
    assert_true(difference == 0);
    bf_bytes_done(&files[0]);
    bf_bytes_done(&files[1]);
}

/* A difference that only a certain input shows is found when that input is given. */
static void the_check_takes_real_inputs(void **state)
{
    (void)state;
    bf_bytes files[2];
    for (int i = 0; i < 2; i++) {
        tiny_network *net = tiny_network_new(3, SIDE, 11);
        /* The inputs of the check lie within -2..2; only one beyond 50 is cut off. */
        const char *x = i == 0 ? "input" : tiny_node(net, "Min", "input", tiny_floats(net, NULL, 0, 50, 0), NULL, 0);
        files[i] = tiny_network_finish(&net, tiny_conv(net, x, 3, 4, 3, 2));
    }
    bf_manifest m = tiny_manifest(3, SIDE, 4 * 6 * 6);
    static float floats[3 * SIDE * SIDE];
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        floats[i] = 60;
    bf_optimise_sample sample = {floats};
    double difference = 0;
    assert_int_equal(bf_optimise_check(&m, &files[0], &files[1], NULL, 0, &difference, NULL), BF_OK);
    assert_int_equal(bf_optimise_check(&m, &files[0], &files[1], &sample, 1, &difference, NULL), BF_MODEL_INVALID);
    bf_bytes_done(&files[0]);
    bf_bytes_done(&files[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_and_odd_channels),
        cmocka_unit_test(activations_with_any_slope),
        cmocka_unit_test(activations_read_by_others),
        cmocka_unit_test(residual_sums),
        cmocka_unit_test(channel_attention),
        cmocka_unit_test(normalisation_and_idle_nodes),
        cmocka_unit_test(constants_per_channel),
        cmocka_unit_test(leaves_alone_what_it_cannot_be_sure_of),
        cmocka_unit_test(channel_shuffles),
        cmocka_unit_test(leaves_some_shuffles_alone),
        cmocka_unit_test(the_same_bytes_each_time_and_nothing_left_to_do),
        cmocka_unit_test(the_check_refuses_another_network),
        cmocka_unit_test(the_check_takes_real_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
