#include "infer/golden.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/yaml.h"
#include "models/store.h"

#define VECTORS_MAX 16
#define VALUES_MAX 4096 /* golden values of one output */
#define INPUT_MAX 1e6   /* of low and high */

typedef struct checker {
    const bf_yaml *doc;
    bf_net_run *run;
    const bf_manifest *manifest;
    double tolerance;
    bf_error *err;
} checker;

static double pattern_at(const bf_golden_pattern *p, const bf_tensor_spec *spec, int c, int y, int x, uint32_t *state)
{
    switch (p->kind) {
    case BF_GOLDEN_NOISE:
        *state = *state * 1664525u + 1013904223u;
        return (double)(*state >> 8) / 16777216.0;
    case BF_GOLDEN_CHECKS:
        return (x / p->cell + y / p->cell + c) % 2;
    case BF_GOLDEN_RAMP:
        break;
    }
    return c % 2 ? (double)y / (spec->height - 1) : (double)x / (spec->width - 1);
}

void bf_golden_fill(const bf_golden_pattern *pattern, const bf_tensor_spec *spec, float *ret)
{
    uint32_t state = pattern->seed;
    size_t width = (size_t)spec->width, height = (size_t)spec->height, channels = (size_t)spec->channels;
    for (size_t c = 0; c < channels; c++) {
        for (size_t y = 0; y < height; y++) {
            for (size_t x = 0; x < width; x++) {
                double u = pattern_at(pattern, spec, (int)c, (int)y, (int)x, &state);
                size_t at =
                    spec->layout == BF_LAYOUT_NHWC ? (y * width + x) * channels + c : (c * height + y) * width + x;
                ret[at] = (float)(pattern->low + (pattern->high - pattern->low) * u);
            }
        }
    }
}

static bf_status read_pattern(const checker *k, const bf_yaml_node *map, bf_golden_pattern *ret)
{
    static const char *const keys[] = {"pattern", "seed", "cell", "low", "high", "outputs", NULL};
    static const char *const kinds[] = {"noise", "ramp", "checks", NULL};
    int kind = 0;
    int64_t seed = 0, cell = 1;
    bf_status status = bf_yaml_check_keys(k->doc, map, keys, k->err);
    if (status == BF_OK)
        status = bf_yaml_choice(k->doc, map, "pattern", true, kinds, &kind, k->err);
    if (status == BF_OK)
        status = bf_yaml_integer(k->doc, map, "seed", kind == BF_GOLDEN_NOISE, 0, UINT32_MAX, &seed, k->err);
    if (status == BF_OK)
        status = bf_yaml_integer(k->doc, map, "cell", kind == BF_GOLDEN_CHECKS, 1, BF_TENSOR_SIDE_MAX, &cell, k->err);
    if (status == BF_OK)
        status = bf_yaml_number(k->doc, map, "low", true, -INPUT_MAX, INPUT_MAX, &ret->low, k->err);
    if (status == BF_OK)
        status = bf_yaml_number(k->doc, map, "high", true, -INPUT_MAX, INPUT_MAX, &ret->high, k->err);
    if (status != BF_OK)
        return status;
    ret->kind = (bf_golden_kind)kind;
    ret->seed = (uint32_t)seed;
    ret->cell = (int)cell;
    return BF_OK;
}

static bf_status compare(const checker *k, const bf_yaml_node *list, int output, int vector)
{
    size_t count = 0, i = 0;
    const float *got = bf_net_output(k->run, output, &count);
    if (list->kind != BF_YAML_LIST || list->child_count != count || count > VALUES_MAX)
        return bf_yaml_fail(k->doc, list, k->err, "output %d of the model has %zu values; the golden vector has %zu.",
                            output, count, list->child_count);
    double scale = 0, worst = 0, want_worst = 0, got_worst = 0;
    for (const bf_yaml_node *node = list->child; node; node = node->next, i++) {
        double want = 0;
        bf_status status = bf_yaml_node_number(k->doc, node, -1e30, 1e30, &want, k->err);
        if (status != BF_OK)
            return status;
        scale = fmax(scale, fabs(want));
        if (fabs((double)got[i] - want) > worst) {
            worst = fabs((double)got[i] - want);
            want_worst = want;
            got_worst = (double)got[i];
        }
    }
    if (worst <= k->tolerance * scale)
        return BF_OK;
    bf_fail(k->err, BF_MODEL_INVALID,
            "The weights are not those of the model %s: golden vector %d gives %.6g where %.6g is expected.",
            k->manifest->name, vector + 1, got_worst, want_worst);
    bf_fail_hint(k->err, "Get the file that the manifest's source speaks of; an export to ONNX must not be quantised.");
    return BF_MODEL_INVALID;
}

static bf_status check_vector(const checker *k, const bf_yaml_node *map, int vector)
{
    bf_golden_pattern pattern = {0};
    bf_status status = read_pattern(k, map, &pattern);
    if (status != BF_OK)
        return status;
    const bf_yaml_node *outputs = bf_yaml_get(map, "outputs");
    if (!outputs || outputs->kind != BF_YAML_LIST || outputs->child_count != (size_t)k->manifest->output_count)
        return bf_yaml_fail(k->doc, outputs ? outputs : map, k->err, "'outputs' must be a list of %d lists of numbers.",
                            k->manifest->output_count);
    bf_golden_fill(&pattern, &k->manifest->input, bf_net_input(k->run));
    status = bf_net_execute(k->run, k->err);
    int output = 0;
    for (const bf_yaml_node *list = outputs->child; list && status == BF_OK; list = list->next, output++)
        status = compare(k, list, output, vector);
    return status;
}

static bf_status check_document(checker *k)
{
    static const char *const keys[] = {"model", "tolerance", "vectors", NULL};
    const bf_yaml_node *root = bf_yaml_root(k->doc);
    const char *model = NULL;
    bf_status status = bf_yaml_check_keys(k->doc, root, keys, k->err);
    if (status == BF_OK)
        status = bf_yaml_string(k->doc, root, "model", true, &model, k->err);
    if (status == BF_OK)
        status = bf_yaml_number(k->doc, root, "tolerance", true, 1e-7, 0.1, &k->tolerance, k->err);
    if (status != BF_OK)
        return status;
    if (strcmp(model, k->manifest->name) != 0)
        return bf_yaml_fail(k->doc, bf_yaml_get(root, "model"), k->err, "these are the vectors of '%.64s', not '%s'.",
                            model, k->manifest->name);
    const bf_yaml_node *vectors = bf_yaml_get(root, "vectors");
    if (!vectors || vectors->kind != BF_YAML_LIST || vectors->child_count == 0 || vectors->child_count > VECTORS_MAX)
        return bf_yaml_fail(k->doc, vectors ? vectors : root, k->err, "'vectors' must be a list of 1 to %d vectors.",
                            VECTORS_MAX);
    int number = 0;
    for (const bf_yaml_node *map = vectors->child; map && status == BF_OK; map = map->next)
        status = check_vector(k, map, number++);
    return status;
}

bf_status bf_golden_check(const bf_net *net, const void *yaml, size_t size, const char *name, bf_error *err)
{
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    BF_CLEANUP(bf_net_run_free) bf_net_run *run = NULL;
    bf_status status = bf_yaml_parse(yaml, size, name, &doc, err);
    if (status == BF_OK)
        status = bf_net_run_new(net, &run, err);
    if (status != BF_OK)
        return status;
    checker k = {.doc = doc, .run = run, .manifest = bf_net_manifest(net), .err = err};
    return check_document(&k);
}

bf_status bf_golden_check_model(const bf_net *net, const char *models_dir, bf_error *err)
{
    const bf_manifest *m = bf_net_manifest(net);
    if (m->golden[0] == 0)
        return BF_OK;
    char file[2 * BF_NAME_MAX];
    (void)snprintf(file, sizeof file, "%s/%s", m->name, m->golden);
    BF_CLEANUP(bf_free_string) char *path = bf_path_join(models_dir, file);
    if (!path)
        return bf_fail_memory(err);
    BF_CLEANUP(bf_bytes_done) bf_bytes text = {0};
    bf_status status = bf_bytes_read_file(&text, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_OUT_OF_MEMORY)
        return status;
    if (status != BF_OK)
        return bf_fail(err, BF_CONFIG_INVALID, "The golden vectors %s cannot be read, or are too large.", path);
    return bf_golden_check(net, text.data, text.size, path, err);
}
