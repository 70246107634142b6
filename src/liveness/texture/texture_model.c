/* The texture model's file. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/config.h"
#include "base/hash.h"
#include "liveness/texture/texture.h"

#define MODEL_FORMAT 1
#define NUMBER_MAX 1e6
#define SCALE_MIN 1e-9

static const char *const FEATURE_NAMES[BF_TEXTURE_FEATURES] = {
    "cb-pattern-0",      "cb-pattern-1",         "cb-pattern-2",        "cb-pattern-3",     "cb-pattern-4",
    "cb-pattern-5",      "cb-pattern-6",         "cb-pattern-7",        "cb-pattern-8",     "cb-pattern-9",
    "cr-pattern-0",      "cr-pattern-1",         "cr-pattern-2",        "cr-pattern-3",     "cr-pattern-4",
    "cr-pattern-5",      "cr-pattern-6",         "cr-pattern-7",        "cr-pattern-8",     "cr-pattern-9",
    "y-deviation",       "y-skewness",           "cb-deviation",        "cb-skewness",      "cr-deviation",
    "cr-skewness",       "saturation-deviation", "saturation-skewness", "y-cb-correlation", "y-cr-correlation",
    "cb-cr-correlation",
};

const char *bf_texture_feature_name(int index)
{
    return FEATURE_NAMES[index];
}

static bf_status parse_feature(const bf_yaml *doc, const bf_yaml_node *map, int index, bf_texture_model *model,
                               bf_error *err)
{
    static const char *const keys[] = {"name", "mean", "scale", "weight", NULL};
    char name[BF_NAME_MAX];
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_config_name(doc, map, "name", name, err);
    if (status == BF_OK && strcmp(name, FEATURE_NAMES[index]) != 0)
        status = bf_yaml_fail(doc, map, err, "the feature '%s' is expected here.", FEATURE_NAMES[index]);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "mean", true, -NUMBER_MAX, NUMBER_MAX, &model->mean[index], err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "scale", true, SCALE_MIN, NUMBER_MAX, &model->scale[index], err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "weight", true, -NUMBER_MAX, NUMBER_MAX, &model->weight[index], err);
    return status;
}

static bf_status parse_features(const bf_yaml *doc, const bf_yaml_node *root, bf_texture_model *model, bf_error *err)
{
    const bf_yaml_node *list = bf_yaml_get(root, "features");
    if (!list || list->kind != BF_YAML_LIST || list->child_count != BF_TEXTURE_FEATURES)
        return bf_yaml_fail(doc, list ? list : root, err, "'features' must list exactly %d features.",
                            BF_TEXTURE_FEATURES);
    int index = 0;
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        bf_status status = parse_feature(doc, node, index++, model, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

static bf_status parse_root(const bf_yaml *doc, bf_texture_model *model, char version[BF_NAME_MAX], bf_error *err)
{
    static const char *const keys[] = {"format", "name", "version", "bias", "features", NULL};
    const bf_yaml_node *root = bf_yaml_root(doc);
    char name[BF_NAME_MAX];
    bf_status status = bf_yaml_check_keys(doc, root, keys, err);
    if (status == BF_OK)
        status = bf_config_format(doc, root, MODEL_FORMAT, err);
    if (status == BF_OK)
        status = bf_config_name(doc, root, "name", name, err);
    if (status == BF_OK && strcmp(name, BF_TEXTURE_NAME) != 0)
        status = bf_yaml_fail(doc, bf_yaml_get(root, "name"), err, "a model of %s is expected.", BF_TEXTURE_NAME);
    if (status == BF_OK)
        status = bf_config_name(doc, root, "version", version, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, root, "bias", true, -NUMBER_MAX, NUMBER_MAX, &model->bias, err);
    if (status == BF_OK)
        status = parse_features(doc, root, model, err);
    return status;
}

bf_status bf_texture_model_parse(const void *yaml, size_t size, const char *name, bf_texture_model *ret, bf_error *err)
{
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    bf_texture_model model = {0};
    char version[BF_NAME_MAX], hex[BF_SHA256_HEX_SIZE];
    bf_status status = bf_yaml_parse(yaml, size, name, &doc, err);
    if (status == BF_OK)
        status = parse_root(doc, &model, version, err);
    if (status != BF_OK)
        return status;
    bf_sha256_hex(yaml, size, hex);
    (void)snprintf(model.version, sizeof model.version, "%.40s+%.12s", version, hex);
    *ret = model;
    return BF_OK;
}
