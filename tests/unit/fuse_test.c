#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fuse/fuse.h"

static const char good[] = "format: 1\n"
                           "name: default\n"
                           "version: 1.0.0\n"
                           "live_prior: 0.25\n"
                           "llr: {min: -8, max: 7}\n"
                           "configurations:\n"
                           "  - name: both\n"
                           "    bias: 0.1\n"
                           "    needs:\n"
                           "      net-a: 0.75\n"
                           "      net-b: 0.5\n"
                           "  - name: one\n"
                           "    bias: -0.2\n"
                           "    needs: {net-a: 1.25}\n";

static bf_status parse(const char *text, bf_fusion **ret, bf_error *err)
{
    return bf_fusion_parse(text, strlen(text), "f.yaml", ret, err);
}

static bf_evidence evidence(const char *detector, double llr)
{
    bf_evidence e = {.version = "1", .status = BF_EVIDENCE_PRESENT, .live_llr = llr, .calibrated = true};
    (void)snprintf(e.detector, sizeof e.detector, "%s", detector);
    return e;
}

static int parse_good(void **state)
{
    bf_fusion *fusion = NULL;
    if (parse(good, &fusion, NULL) != BF_OK)
        return -1;
    *state = fusion;
    return 0;
}

static int free_good(void **state)
{
    bf_fusion *fusion = *state;
    bf_fusion_free(&fusion);
    bf_fusion_free(&fusion);
    bf_fusion_free(NULL);
    return 0;
}

static void tells_what_it_uses(void **state)
{
    const char *names[BF_DETECTORS_MAX];
    assert_int_equal(bf_fusion_detectors(*state, names), 2);
    assert_string_equal(names[0], "net-a");
    assert_string_equal(names[1], "net-b");
    assert_true(bf_fusion_uses(*state, "net-b"));
    assert_false(bf_fusion_uses(*state, "net-c"));
    assert_true(bf_fusion_live_prior(*state) == 0.25);
    assert_memory_equal(bf_fusion_id(*state), "default@1.0.0+", 14);
}

/* Golden by hand: 0.1 + 0.75*2 + 0.5*(-1) = 1.1; prior log-odds ln(1/3); 1/(1+exp(-(1.1-1.0986...))) = 0.500347... */
static void fuses_all_when_all_are_there(void **state)
{
    bf_evidence list[] = {evidence("net-b", -1), evidence("other", 9), evidence("net-a", 2)};
    bf_fused fused;
    bf_fusion_apply(*state, list, 3, &fused);
    assert_true(fused.present);
    assert_string_equal(fused.configuration, "both");
    assert_true(fabs(fused.live_llr - 1.1) < 1e-12);
    assert_true(fabs(fused.live_probability - 0.5003469278) < 1e-9);
    assert_true(fused.used[0] && !fused.used[1] && fused.used[2]);
    assert_true(fused.contribution[0] == -0.5 && fused.contribution[1] == 0 && fused.contribution[2] == 1.5);
}

static void absent_evidence_stays_absent(void **state)
{
    bf_evidence list[] = {evidence("net-a", 2), evidence("net-b", -1)};
    bf_fused fused;
    for (int how = 0; how < 4; how++) {
        bf_evidence changed[2];
        memcpy(changed, list, sizeof changed);
        if (how == 0)
            changed[1].status = BF_EVIDENCE_FAILED;
        else if (how == 1)
            changed[1].status = BF_EVIDENCE_NOT_APPLICABLE;
        else if (how == 2)
            changed[1].calibrated = false;
        else
            changed[1].live_llr = NAN;
        bf_fusion_apply(*state, changed, 2, &fused);
        assert_string_equal(fused.configuration, "one");
        assert_true(fabs(fused.live_llr - 2.3) < 1e-12);
        assert_false(fused.used[1]);
        assert_true(fused.contribution[1] == 0);
    }
    bf_fusion_apply(*state, &list[1], 1, &fused);
    assert_false(fused.present);
    assert_true(fused.live_probability == 0 && fused.live_llr == 0);
    assert_string_equal(fused.configuration, "");
    bf_fusion_apply(*state, NULL, 0, &fused);
    assert_false(fused.present);
}

static void clamps_and_rises_with_each_input(void **state)
{
    double last = -INFINITY;
    bf_fused fused;
    for (double llr = -20; llr <= 20; llr += 0.25) {
        bf_evidence list[] = {evidence("net-a", llr), evidence("net-b", 0.5)};
        bf_fusion_apply(*state, list, 2, &fused);
        assert_true(fused.live_llr >= last && fused.live_llr >= -8 && fused.live_llr <= 7);
        assert_true(fused.live_probability > 0 && fused.live_probability < 1);
        last = fused.live_llr;
    }
    assert_true(last == 7);
}

/* Evidence heard besides what is needed: it lifts and lowers, and its absence changes nothing. */
static void evidence_besides_counts_both_ways(void **state)
{
    (void)state;
    static const char yaml[] = "format: 1\nname: f\nversion: 1.0.0\nlive_prior: 0.5\nllr: {min: -8, max: 8}\n"
                               "configurations:\n"
                               "  - {name: c, bias: 0.5, needs: {net-a: 1}, besides: {flash: 0.5}}\n";
    bf_fusion *fusion = NULL;
    bf_fused fused;
    assert_int_equal(bf_fusion_parse(yaml, sizeof yaml - 1, "f.yaml", &fusion, NULL), BF_OK);
    assert_true(bf_fusion_uses(fusion, "flash"));
    const double llrs[] = {-2, 3};
    for (size_t i = 0; i < 2; i++) {
        bf_evidence list[] = {evidence("net-a", 1), evidence("flash", llrs[i])};
        bf_fusion_apply(fusion, list, 2, &fused);
        assert_true(fabs(fused.live_llr - (1.5 + 0.5 * llrs[i])) < 1e-12);
        assert_true(fused.used[1] && fused.contribution[1] == 0.5 * llrs[i]);
        list[1].status = BF_EVIDENCE_NOT_APPLICABLE;
        bf_fusion_apply(fusion, list, 2, &fused);
        assert_true(fabs(fused.live_llr - 1.5) < 1e-12);
        bf_fusion_apply(fusion, &list[1], 1, &fused);
        assert_false(fused.present);
    }
    bf_fusion_free(&fusion);
}

/* Evidence heard only against: it lowers, never lifts, and its absence changes nothing. */
static void evidence_against_only_lowers(void **state)
{
    (void)state;
    static const char text[] = "format: 1\nname: x\nversion: 1\nlive_prior: 0.5\nllr: {min: -9, max: 9}\n"
                               "configurations:\n"
                               "  - {name: c, bias: 0.5, needs: {net-a: 1}, against: {frame: 0.5, other: 1}}\n";
    bf_fusion *fusion = NULL;
    assert_int_equal(parse(text, &fusion, NULL), BF_OK);
    assert_true(bf_fusion_uses(fusion, "frame"));
    bf_fused fused;
    bf_evidence list[] = {evidence("frame", -3), evidence("net-a", 2)};
    bf_fusion_apply(fusion, list, 2, &fused);
    assert_true(fabs(fused.live_llr - 1.0) < 1e-12);
    assert_true(fused.used[0] && fused.contribution[0] == -1.5);
    list[0].live_llr = 3;
    bf_fusion_apply(fusion, list, 2, &fused);
    assert_true(fused.live_llr == 2.5 && fused.contribution[0] == 0);
    bf_fusion_apply(fusion, &list[1], 1, &fused);
    assert_true(fused.present && fused.live_llr == 2.5);
    bf_fusion_apply(fusion, list, 1, &fused);
    assert_false(fused.present);
    bf_fusion_free(&fusion);
}

/* The weakest decides alone, and the rest is heard beside it. */
static void the_least_of_what_is_needed(void **state)
{
    (void)state;
    static const char text[] =
        "format: 1\nname: x\nversion: 1\nlive_prior: 0.5\nllr: {min: -9, max: 9}\n"
        "configurations:\n"
        "  - {name: c, bias: 0.5, rule: minimum, needs: {a: 1, b: 0.5, d: 1}, besides: {e: 1}}\n";
    bf_fusion *fusion = NULL;
    bf_fused fused;
    assert_int_equal(parse(text, &fusion, NULL), BF_OK);
    bf_evidence list[] = {evidence("d", 2), evidence("b", -3), evidence("a", 3), evidence("e", 0.25)};
    bf_fusion_apply(fusion, list, 4, &fused);
    assert_true(fused.live_llr == 0.5 - 1.5 + 0.25 && fused.bias == 0.5);
    assert_true(fused.contribution[0] == 0 && fused.contribution[1] == -1.5 && fused.contribution[2] == 0);
    assert_true(fused.used[0] && fused.used[2] && fused.contribution[3] == 0.25);
    list[1].live_llr = 9;
    bf_fusion_apply(fusion, list, 4, &fused);
    assert_true(fused.contribution[0] == 2 && fused.contribution[1] == 0 && fused.contribution[2] == 0);
    list[2].live_llr = 2; /* two that are equal: the first of the file */
    bf_fusion_apply(fusion, list, 4, &fused);
    assert_true(fused.contribution[0] == 0 && fused.contribution[2] == 2 && fused.live_llr == 2.75);
    bf_fusion_free(&fusion);
}

static const char boosted[] = "format: 1\n"
                              "name: boosted\n"
                              "version: 1\n"
                              "live_prior: 0.5\n"
                              "llr: {min: -9, max: 9}\n"
                              "configurations:\n"
                              "  - name: c\n"
                              "    bias: 0.25\n"
                              "    needs: [a]\n"
                              "    trees:\n"
                              "      - value: 0.5\n"
                              "        detector: a\n"
                              "        split: 1\n"
                              "        below:\n"
                              "          value: -1\n"
                              "          detector: b\n"
                              "          split: -2\n"
                              "          absent: above\n"
                              "          below: {value: -3}\n"
                              "          above: {value: -0.75}\n"
                              "        above: {value: 2}\n"
                              "      - {value: 0.125}\n"
                              "    against: {e: 0.5}\n";

/* Golden by hand: each step's change of value belongs to the detector that was asked. */
static void trees_credit_each_step(void **state)
{
    (void)state;
    static const struct {
        double a, b, e; /* NaN: absent */
        double llr, bias, of_a, of_b;
    } cases[] = {
        {0, -3, NAN, 0.25 + 0.125 - 3, 0.875, -1.5, -2},           {0, -2, NAN, 0.25 + 0.125 - 0.75, 0.875, -1.5, 0.25},
        {0, NAN, NAN, 0.25 + 0.125 - 0.75, 0.875 + 0.25, -1.5, 0}, {1, -3, NAN, 0.25 + 0.125 + 2, 0.875, 1.5, 0},
        {1, NAN, -2, 0.25 + 0.125 + 2 - 1, 0.875, 1.5, 0},         {1, NAN, 2, 0.25 + 0.125 + 2, 0.875, 1.5, 0},
    };
    bf_fusion *fusion = NULL;
    bf_fused fused;
    assert_int_equal(parse(boosted, &fusion, NULL), BF_OK);
    assert_true(bf_fusion_uses(fusion, "a") && bf_fusion_uses(fusion, "b") && bf_fusion_uses(fusion, "e"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bf_evidence list[] = {evidence("e", cases[i].e), evidence("b", cases[i].b), evidence("a", cases[i].a)};
        bf_fusion_apply(fusion, list, 3, &fused);
        assert_true(fused.present && fused.live_llr == cases[i].llr && fused.bias == cases[i].bias);
        assert_true(fused.contribution[2] == cases[i].of_a && fused.contribution[1] == cases[i].of_b);
        assert_true(fused.used[1] == !isnan(cases[i].b));
        double sum = fused.bias + fused.contribution[0] + fused.contribution[1] + fused.contribution[2];
        assert_true(sum == fused.live_llr);
    }
    bf_evidence without = evidence("b", 5);
    bf_fusion_apply(fusion, &without, 1, &fused);
    assert_false(fused.present);
    bf_fusion_free(&fusion);
}

typedef struct hostile_case {
    const char *from, *to, *message;
} hostile_case;

static void assert_refused(const char *text, const char *message)
{
    bf_error err = {0};
    bf_fusion *fusion = NULL;
    assert_int_equal(parse(text, &fusion, &err), BF_CONFIG_INVALID);
    assert_string_equal(err.message, message);
    assert_null(fusion);
}

static void assert_each_refused(const char *whole, const hostile_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[2048];
        const char *at = strstr(whole, cases[i].from);
        assert_non_null(at);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, cases[i].to,
                       at + strlen(cases[i].from));
        assert_refused(text, cases[i].message);
    }
}

static void hostile_trees_name_the_line(void **state)
{
    (void)state;
    static const hostile_case cases[] = {
        {"above: {value: 2}", "above: {value: -0.8}",
         "f.yaml:11: a leaf below this split is greater than one above it."},
        {"below: {value: -3}", "below: {value: -0.5}",
         "f.yaml:15: a leaf below this split is greater than one above it."},
        {"          absent: above\n", "", "f.yaml:15: the key 'absent' is missing."},
        {"absent: above", "absent: left", "f.yaml:18: unknown value of 'absent': 'left'."},
        {"        split: 1\n", "        split: 1\n        absent: below\n",
         "f.yaml:14: what is needed is never absent."},
        {"split: 1", "split: .nan", "f.yaml:13: 'split': a number is expected."},
        {"split: 1", "split: 21", "f.yaml:13: split is outside -20 to 20."},
        {"        above: {value: 2}\n", "", "f.yaml:11: the key 'above' is missing."},
        {"above: {value: 2}", "above: 2", "f.yaml:21: a map of keys and values is expected here."},
        {"above: {value: 2}", "above: {valu: 2}", "f.yaml:21: unknown key 'valu'; did you mean 'value'?"},
        {"above: {value: 2}", "above: {value: 2, split: 1}", "f.yaml:21: the key 'detector' is missing."},
        {"detector: a", "detector: a b", "f.yaml:12: 'a b' is no name: 1 to 63 letters, digits and ._-+ are expected."},
        {"needs: [a]", "needs: {a: 1}", "f.yaml:9: beside 'trees', 'needs' must list at least one detector."},
        {"needs: [a]", "needs: []", "f.yaml:9: beside 'trees', 'needs' must list at least one detector."},
        {"needs: [a]", "needs: [a, a]", "f.yaml:9: a stands here already."},
        {"needs: [a]", "needs: [[a]]", "f.yaml:9: the name of a detector is expected."},
        {"    needs: [a]\n", "    rule: sum\n    needs: [a]\n", "f.yaml:12: 'rule' and 'trees' exclude each other."},
        {"against: {e: 0.5}", "against: {b: 0.5}", "f.yaml:23: b stands here already."},
    };
    assert_each_refused(boosted, cases, sizeof cases / sizeof *cases);
    assert_refused("format: 1\nname: x\nversion: 1\nlive_prior: 0.5\nllr: {min: -1, max: 1}\nconfigurations:\n"
                   "  - {name: c, bias: 0, needs: [a], trees: []}\n",
                   "f.yaml:7: 'trees' must list at least one tree.");
}

/* One split more than may follow one another, and one tree more than may stand there. */
static void too_many_trees_are_refused(void **state)
{
    (void)state;
    static const char head[] = "format: 1\nname: x\nversion: 1\nlive_prior: 0.5\nllr: {min: -1, max: 1}\n"
                               "configurations:\n  - name: c\n    bias: 0\n    needs: [a]\n    trees:\n";
    char text[8192];
    int at = snprintf(text, sizeof text, "%s      - ", head);
    for (int i = 0; i <= BF_FUSION_DEPTH_MAX; i++)
        at += snprintf(text + at, sizeof text - (size_t)at,
                       "{value: 0, detector: a, split: 0, below: {value: 0}, above: ");
    at += snprintf(text + at, sizeof text - (size_t)at, "{value: 0}");
    for (int i = 0; i <= BF_FUSION_DEPTH_MAX; i++)
        text[at++] = '}';
    (void)snprintf(text + at, sizeof text - (size_t)at, "\n");
    assert_refused(text, "f.yaml:11: a tree may have 4 splits on one way at most.");
    at = snprintf(text, sizeof text, "%s", head);
    for (int i = 0; i <= BF_FUSION_TREES_MAX; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "      - {value: 0}\n");
    assert_refused(text, "f.yaml:11: at most 64 trees are allowed.");
}

static void hostile_files_name_the_line(void **state)
{
    (void)state;
    static const hostile_case cases[] = {
        {"format: 1", "format: 9", "f.yaml:1: format 9 is not known; this program reads 1."},
        {"live_prior: 0.25", "live_prior: 0", "f.yaml:4: live_prior is outside 0.001 to 0.999."},
        {"live_prior: 0.25", "live_prior: 1", "f.yaml:4: live_prior is outside 0.001 to 0.999."},
        {"live_prior", "live_pior", "f.yaml:4: unknown key 'live_pior'; did you mean 'live_prior'?"},
        {"net-a: 0.75", "net-a: 5", "f.yaml:10: net-a is outside 0 to 4."},
        {"net-a: 0.75", "net-a: 0", "f.yaml:10: the weight of net-a must be above 0."},
        {"net-a: 0.75", "net-a: x", "f.yaml:10: 'net-a': a number is expected."},
        {"net-a: 0.75", "\"a b\": 1", "f.yaml:10: 'a b' is no name: 1 to 63 letters, digits and ._-+ are expected."},
        {"{net-a: 1.25}", "{}", "f.yaml:14: 'needs' must name at least one detector and its weight."},
        {"{net-a: 1.25}", "{net-b: 1, net-a: 1}",
         "f.yaml:12: 'one' can never be used: 'both' stands before it and needs no more."},
        {"name: one", "name: both", "f.yaml:12: the configuration 'both' stands twice."},
        {"{net-a: 1.25}", "{net-a: 1}\n    against: {net-a: 1}", "f.yaml:15: net-a stands here already."},
        {"{net-a: 1.25}", "{net-a: 1}\n    against: {}",
         "f.yaml:15: 'against' must name at least one detector and its weight."},
        {"{net-a: 1.25}", "{net-a: 1}\n    against: {b: -1}", "f.yaml:15: b is outside 0 to 4."},
        {"bias: -0.2", "bias: -21", "f.yaml:13: bias is outside -20 to 20."},
        {"    bias: -0.2\n", "", "f.yaml:12: the key 'bias' is missing."},
        {"  - name: one\n    bias: -0.2\n    needs: {net-a: 1.25}\n", "  - 7\n",
         "f.yaml:12: a map of keys and values is expected here."},
    };
    assert_each_refused(good, cases, sizeof cases / sizeof *cases);
}

static void too_many_are_refused(void **state)
{
    (void)state;
    char text[4096];
    int at = snprintf(text, sizeof text,
                      "format: 1\nname: x\nversion: 1\nlive_prior: 0.5\nllr: {min: -1, max: 1}\n"
                      "configurations:\n");
    int head = at;
    for (int i = 0; i <= BF_FUSION_CONFIGURATIONS_MAX; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " - {name: c%d, bias: 0, needs: {d%d: 1}}\n", i, i);
    bf_error err = {0};
    bf_fusion *fusion = NULL;
    assert_int_equal(parse(text, &fusion, &err), BF_CONFIG_INVALID);
    assert_string_equal(err.message, "f.yaml:7: at most 8 configurations are allowed.");
    at = head + snprintf(text + head, sizeof text - (size_t)head, " - name: c\n   bias: 0\n   needs:\n");
    for (int i = 0; i <= BF_DETECTORS_MAX; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "     d%d: 1\n", i);
    assert_int_equal(parse(text, &fusion, &err), BF_CONFIG_INVALID);
    assert_string_equal(err.message, "f.yaml:10: at most 16 detectors can be fused.");
    assert_null(fusion);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 300; nth++) {
        bf_alloc_fail_after(nth, 0);
        bf_fusion *fusion = NULL;
        bf_status status = parse(boosted, &fusion, NULL);
        size_t made = bf_alloc_fail_after(0, 0);
        bf_fusion_free(&fusion);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
    fail_msg("the parser never stopped allocating");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_it_uses, parse_good, free_good),
        cmocka_unit_test_setup_teardown(fuses_all_when_all_are_there, parse_good, free_good),
        cmocka_unit_test_setup_teardown(absent_evidence_stays_absent, parse_good, free_good),
        cmocka_unit_test_setup_teardown(clamps_and_rises_with_each_input, parse_good, free_good),
        cmocka_unit_test(evidence_against_only_lowers),
        cmocka_unit_test(evidence_besides_counts_both_ways),
        cmocka_unit_test(the_least_of_what_is_needed),
        cmocka_unit_test(trees_credit_each_step),
        cmocka_unit_test(hostile_trees_name_the_line),
        cmocka_unit_test(too_many_trees_are_refused),
        cmocka_unit_test(hostile_files_name_the_line),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
