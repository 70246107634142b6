/* Files that are no networks, contradict themselves, or were made to hurt; and memory running out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "optimise/optimise.h"
#include "support/tiny_network.h"

/* A network in which every rewrite has something to do. */
static tiny_network *every_rewrite(const char **ret_output)
{
    tiny_network *net = tiny_network_new(3, 8, 9);
    const char *x = tiny_prelu(net, tiny_batch_norm(net, tiny_conv(net, "input", 3, 13, 3, 1), 13), 13, -1, 0.5);
    x = tiny_shuffle(net, tiny_conv(net, x, 13, 8, 1, 1), 8, 8, 2);
    *ret_output = tiny_conv(net, tiny_depthwise(net, x, 8, 3, 1), 8, 4, 3, 2);
    return net;
}

static bf_bytes every_rewrite_file(void)
{
    const char *output;
    tiny_network *net = every_rewrite(&output);
    return tiny_network_finish(&net, output);
}

static bf_status optimise(const void *data, size_t size, bf_error *err)
{
    bf_bytes out = {0};
    bf_optimise_report report;
    bf_status status = bf_optimise_model(data, size, &out, &report, err);
    assert_true((status == BF_OK) == (out.data != NULL));
    bf_bytes_done(&out);
    return status;
}

/* Rewrites what a changed network became; expects MODEL_INVALID and a message that holds `words`. */
static void refuse(tiny_network *net, const char *output, const char *words)
{
    bf_bytes file = tiny_network_finish(&net, output);
    bf_error err = {0};
    assert_int_equal(optimise(file.data, file.size, &err), BF_MODEL_INVALID);
    if (!strstr(err.message, words))
        fail_msg("expected \"%s\", got \"%s\"", words, err.message);
    bf_bytes_done(&file);
}

static void refuses_what_is_no_network(void **state)
{
    (void)state;
    static uint8_t ones[100];
    memset(ones, 0xff, sizeof ones);
    bf_error err = {0};
    assert_int_equal(optimise("", 0, &err), BF_MODEL_INVALID);
    assert_int_equal(optimise("GIF89a", 6, &err), BF_MODEL_INVALID);
    assert_int_equal(optimise(ones, sizeof ones, &err), BF_MODEL_INVALID);
    assert_int_equal(optimise("\x08\x07", 2, &err), BF_MODEL_INVALID); /* a model, but without a graph */
    assert_non_null(strstr(err.message, "no network with an output"));
}

static void survives_every_cut(void **state)
{
    (void)state;
    bf_bytes file = every_rewrite_file();
    int refused = 0;
    for (size_t size = 0; size < file.size; size++) {
        bf_status status = optimise(file.data, size, NULL);
        assert_true(status == BF_OK || status == BF_MODEL_INVALID);
        refused += status == BF_MODEL_INVALID;
    }
    /* Only a cut between two fields of the outermost message can pass. */
    assert_true(refused >= (int)file.size - 4);
    bf_bytes_done(&file);
}

static void survives_flipped_bits(void **state)
{
    (void)state;
    bf_bytes file = every_rewrite_file();
    uint32_t random = 1;
    for (int round = 0; round < 3000; round++) {
        size_t at[3];
        uint8_t mask[3];
        for (int i = 0; i < 3; i++) {
            random = random * 1664525u + 1013904223u;
            at[i] = (random >> 4) % file.size;
            mask[i] = (uint8_t)(1u << (random >> 29));
            file.data[at[i]] ^= mask[i];
        }
        bf_status status = optimise(file.data, file.size, NULL);
        assert_true(status == BF_OK || status == BF_MODEL_INVALID);
        for (int i = 2; i >= 0; i--)
            file.data[at[i]] ^= mask[i];
    }
    assert_int_equal(optimise(file.data, file.size, NULL), BF_OK);
    bf_bytes_done(&file);
}

/* Attributes that hold graphs that hold nodes that hold attributes, 100000 times: unfolding that would use up the
 * stack. */
static void refuses_deep_nesting(void **state)
{
    (void)state;
    enum { DEPTH = 100000, ROOM = 16 * DEPTH };
    static uint8_t data[ROOM];
    static const uint8_t tags[3] = {0x0a /* graph: node */, 0x2a /* node: attribute */, 0x32 /* attribute: graph */};
    size_t at = ROOM;
    for (int i = 0; i < DEPTH; i++) {
        size_t length = ROOM - at;
        uint8_t varint[5];
        int bytes = 0;
        do {
            varint[bytes++] = (uint8_t)((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
            length >>= 7;
        } while (length > 0);
        at -= (size_t)bytes;
        memcpy(data + at, varint, (size_t)bytes);
        data[--at] = i + 1 == DEPTH ? 0x3a /* model: graph */ : tags[(DEPTH + 1 - i) % 3];
    }
    bf_error err = {0};
    assert_int_equal(optimise(data + at, ROOM - at, &err), BF_MODEL_INVALID);
    assert_non_null(strstr(err.message, "nested too deeply"));
}

/* Two bytes a node in the file, more than a hundred in memory: far more than the file explains. */
static void refuses_more_nodes_than_a_network_has(void **state)
{
    (void)state;
    enum { NODES = 8 << 20, HEAD = 5 };
    bf_bytes file = {.data = calloc(NODES, 2), .size = (size_t)NODES * 2};
    assert_non_null(file.data);
    size_t length = file.size - HEAD;
    file.data[0] = 0x3a;
    for (int i = 1; i < HEAD; i++, length >>= 7)
        file.data[i] = (uint8_t)((length & 0x7f) | (i + 1 < HEAD ? 0x80 : 0));
    for (size_t i = HEAD; i + 1 < file.size; i += 2)
        file.data[i] = 0x0a;
    file.size -= (file.size - HEAD) % 2;
    file.data[1] = (uint8_t)(((file.size - HEAD) & 0x7f) | 0x80);
    bf_error err = {0};
    assert_int_equal(optimise(file.data, file.size, &err), BF_MODEL_INVALID);
    file.size = HEAD + 2 * (BF_ONNX_NODES_MAX + 1);
    length = file.size - HEAD;
    for (int i = 1; i < HEAD; i++, length >>= 7)
        file.data[i] = (uint8_t)((length & 0x7f) | (i + 1 < HEAD ? 0x80 : 0));
    assert_int_equal(optimise(file.data, file.size, &err), BF_MODEL_INVALID);
    bf_bytes_done(&file);
}

static void refuses_contradictions(void **state)
{
    (void)state;
    const char *output;
    tiny_network *net = every_rewrite(&output);
    Onnx__GraphProto *graph = tiny_model(net)->graph;
    graph->node[2]->output[0] = graph->node[1]->output[0];
    refuse(net, output, "is made twice");
    net = every_rewrite(&output);
    graph = tiny_model(net)->graph;
    graph->node[0]->input[0] = graph->node[3]->output[0];
    refuse(net, output, "form a circle");
    net = every_rewrite(&output);
    tiny_model(net)->graph->initializer[0]->name[0] = 'w';
    refuse(net, output, "Nothing makes the value");
    net = every_rewrite(&output);
    tiny_model(net)->graph->initializer[0]->name[0] = 0;
    refuse(net, output, "without a name");
    net = every_rewrite(&output);
    graph = tiny_model(net)->graph;
    graph->initializer[0]->has_data_location = true;
    graph->initializer[0]->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    refuse(net, output, "weights in another file");
}

/* Constants whose size, shape or type is not what their node needs: nothing is rewritten there, nothing is read
 * past. */
static void leaves_odd_constants_alone(void **state)
{
    (void)state;
    for (int fault = 0; fault < 6; fault++)
        for (size_t which = 0; which < 12; which++) {
            const char *output;
            tiny_network *net = every_rewrite(&output);
            Onnx__TensorProto *t = tiny_model(net)->graph->initializer[which];
            switch (fault) {
            case 0:
                t->raw_data.len -= 1;
                break;
            case 1:
                t->dims[0] = INT64_MAX;
                break;
            case 2:
                t->dims[0] = -1;
                break;
            case 3:
                t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
                break;
            case 4:
                t->n_dims = 0;
                break;
            default:
                t->dims[0] = 0;
                t->raw_data.len = 0;
            }
            bf_bytes file = tiny_network_finish(&net, output);
            bf_status status = optimise(file.data, file.size, NULL);
            assert_true(status == BF_OK || status == BF_MODEL_INVALID);
            bf_bytes_done(&file);
        }
}

/* Networks whose readers cannot all be seen, or whose operators may mean something else, come back as they were. */
static void leaves_the_not_understood_as_it_is(void **state)
{
    (void)state;
    for (int fault = 0; fault < 5; fault++) {
        const char *output;
        tiny_network *net = every_rewrite(&output);
        Onnx__ModelProto *model = tiny_model(net);
        if (fault == 0) {
            model->opset_import[0]->version = 6;
        } else if (fault == 1) {
            model->opset_import[0]->version = 99;
        } else if (fault == 2) {
            model->n_opset_import = 0;
        } else if (fault == 3) {
            Onnx__FunctionProto *function = tiny_memory(net, sizeof *function);
            onnx__function_proto__init(function);
            model->functions = tiny_memory(net, sizeof(*model->functions));
            model->functions[model->n_functions++] = function;
        } else {
            Onnx__GraphProto *inner = tiny_memory(net, sizeof *inner);
            onnx__graph_proto__init(inner);
            model->graph->node[0]->attribute[0]->g = inner;
        }
        bf_bytes file = tiny_network_finish(&net, output), out = {0};
        bf_optimise_report report;
        assert_int_equal(bf_optimise_model(file.data, file.size, &out, &report, NULL), BF_OK);
        assert_false(report.changed);
        assert_int_equal(out.size, file.size);
        assert_memory_equal(out.data, file.data, file.size);
        bf_bytes_done(&file);
        bf_bytes_done(&out);
    }
}

/* A constant that the caller may replace at run time is none. */
static void leaves_replaceable_constants_alone(void **state)
{
    (void)state;
    tiny_network *net = tiny_network_new(3, 8, 9);
    const char *x = tiny_conv(net, tiny_conv(net, "input", 3, 13, 3, 1), 13, 4, 3, 2);
    Onnx__GraphProto *graph = tiny_model(net)->graph;
    Onnx__ValueInfoProto **inputs = tiny_memory(net, 2 * sizeof(*inputs));
    inputs[0] = graph->input[0];
    inputs[1] = tiny_memory(net, sizeof **inputs);
    onnx__value_info_proto__init(inputs[1]);
    inputs[1]->name = graph->initializer[0]->name;
    graph->input = inputs;
    graph->n_input = 2;
    bf_bytes file = tiny_network_finish(&net, x), out = {0};
    bf_optimise_report report;
    assert_int_equal(bf_optimise_model(file.data, file.size, &out, &report, NULL), BF_OK);
    assert_false(report.changed);
    bf_bytes_done(&file);
    bf_bytes_done(&out);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    bf_bytes file = every_rewrite_file();
    for (int sticky = 0; sticky < 2; sticky++)
        for (size_t nth = 1;; nth++) {
            bf_bytes out = {0};
            bf_optimise_report report;
            bf_error err = {0};
            bf_alloc_fail_after(nth, sticky);
            bf_status status = bf_optimise_model(file.data, file.size, &out, &report, &err);
            size_t made = bf_alloc_fail_after(0, 0);
            if (made < nth) {
                assert_int_equal(status, BF_OK);
                assert_int_equal(report.folded, 1);
                assert_int_equal(report.shuffles, 1);
                assert_int_equal(report.padded, 1);
                assert_int_equal(report.activations, 1);
                bf_bytes_done(&out);
                break;
            }
            assert_int_equal(status, BF_OUT_OF_MEMORY);
            assert_null(out.data);
            assert_true(nth < 20000);
        }
    bf_bytes_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_network),
        cmocka_unit_test(survives_every_cut),
        cmocka_unit_test(survives_flipped_bits),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(refuses_more_nodes_than_a_network_has),
        cmocka_unit_test(refuses_contradictions),
        cmocka_unit_test(leaves_odd_constants_alone),
        cmocka_unit_test(leaves_the_not_understood_as_it_is),
        cmocka_unit_test(leaves_replaceable_constants_alone),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
