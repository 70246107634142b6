/* Reading calibration/DETECTOR.yaml. */
#include <string.h>

#include "base/attr.h"
#include "base/config.h"
#include "base/error.h"
#include "base/yaml.h"
#include "calibrate/calibrate.h"

#define CALIBRATION_FORMAT 1
#define COEFFICIENT_MAX 1e6
#define COUNT_MAX 1000000000

static bf_status parse_hash(const bf_yaml *doc, const bf_yaml_node *map, char ret[BF_SHA256_HEX_SIZE], bf_error *err)
{
    const char *hex = NULL;
    bf_status status = bf_yaml_string(doc, map, "model_sha256", false, &hex, err);
    if (status != BF_OK || !hex)
        return status;
    if (strlen(hex) != BF_SHA256_HEX_SIZE - 1 || strspn(hex, "0123456789abcdef") != BF_SHA256_HEX_SIZE - 1)
        return bf_yaml_fail(doc, bf_yaml_get(map, "model_sha256"), err, "64 lower-case hex digits are expected.");
    memcpy(ret, hex, BF_SHA256_HEX_SIZE);
    return BF_OK;
}

static bf_status parse_fitted_on(const bf_yaml *doc, const bf_yaml_node *root, bf_calibration *c, bf_error *err)
{
    static const char *const keys[] = {"detector_version", "model_sha256", "dataset", "live", "attack", NULL};
    const bf_yaml_node *map = bf_yaml_get(root, "fitted_on");
    if (!map)
        return bf_yaml_fail(doc, root, err, "the key 'fitted_on' is missing.");
    const char *dataset = NULL;
    int64_t count = 0;
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_config_name(doc, map, "detector_version", c->detector_version, err);
    if (status == BF_OK)
        status = parse_hash(doc, map, c->model_sha256, err);
    if (status == BF_OK)
        status = bf_yaml_string(doc, map, "dataset", false, &dataset, err);
    if (status == BF_OK)
        status = bf_yaml_integer(doc, map, "live", false, 1, COUNT_MAX, &count, err);
    if (status == BF_OK)
        status = bf_yaml_integer(doc, map, "attack", false, 1, COUNT_MAX, &count, err);
    return status;
}

static bf_status parse_platt(const bf_yaml *doc, const bf_yaml_node *map, bf_calibration_map *ret, bf_error *err)
{
    static const char *const keys[] = {"slope", "intercept", "prior_log_odds", NULL};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "slope", true, 0, COEFFICIENT_MAX, &ret->slope, err);
    if (status == BF_OK && ret->slope <= 0)
        status = bf_yaml_fail(doc, bf_yaml_get(map, "slope"), err, "the slope must be above 0.");
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "intercept", true, -COEFFICIENT_MAX, COEFFICIENT_MAX, &ret->intercept, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "prior_log_odds", true, -BF_LLR_LIMIT_MAX, BF_LLR_LIMIT_MAX,
                                &ret->prior_log_odds, err);
    return status;
}

static bf_status parse_knot(const bf_yaml *doc, const bf_yaml_node *map, bf_calibration_map *ret, bf_error *err)
{
    static const char *const keys[] = {"raw", "llr", NULL};
    bf_knot *knot = &ret->knot[ret->knots];
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "raw", true, -BF_KNOT_RAW_MAX, BF_KNOT_RAW_MAX, &knot->raw, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "llr", true, -BF_LLR_LIMIT_MAX, BF_LLR_LIMIT_MAX, &knot->llr, err);
    if (status == BF_OK && ret->knots > 0 && knot->raw <= knot[-1].raw)
        status = bf_yaml_fail(doc, map, err, "raw must rise from knot to knot.");
    if (status == BF_OK && ret->knots > 0 && knot->llr < knot[-1].llr)
        status = bf_yaml_fail(doc, map, err, "llr must never fall from knot to knot.");
    ret->knots++;
    return status;
}

static bf_status parse_knots(const bf_yaml *doc, const bf_yaml_node *list, bf_calibration_map *ret, bf_error *err)
{
    if (list->kind != BF_YAML_LIST || list->child_count < BF_KNOTS_MIN || list->child_count > BF_KNOTS_MAX)
        return bf_yaml_fail(doc, list, err, "a list of %d to %d knots {raw, llr} is expected.", BF_KNOTS_MIN,
                            BF_KNOTS_MAX);
    bf_status status = BF_OK;
    for (const bf_yaml_node *node = list->child; status == BF_OK && node; node = node->next)
        status = parse_knot(doc, node, ret, err);
    return status;
}

/* The one of `platt` and `knots` that stands in `map`. */
static bf_status parse_map(const bf_yaml *doc, const bf_yaml_node *map, bf_calibration_map *ret, bf_error *err)
{
    const bf_yaml_node *platt = bf_yaml_get(map, "platt"), *knots = bf_yaml_get(map, "knots");
    if (platt && knots)
        return bf_yaml_fail(doc, knots, err, "'platt' and 'knots' exclude each other.");
    if (!platt && !knots)
        return bf_yaml_fail(doc, map, err, "the key 'platt' or 'knots' is missing.");
    return platt ? parse_platt(doc, platt, ret, err) : parse_knots(doc, knots, ret, err);
}

static bf_status parse_channels(const bf_yaml *doc, const bf_yaml_node *root, bf_calibration *c, bf_error *err)
{
    static const char *const keys[] = {"platt", "knots", NULL};
    const bf_yaml_node *channels = bf_yaml_get(root, "by_channel");
    if (!channels)
        return BF_OK;
    bf_status status = bf_yaml_check_keys(doc, channels, BF_CHANNEL_WORDS + 1, err);
    for (const bf_yaml_node *node = channels->child; status == BF_OK && node; node = node->next) {
        bf_channel channel = BF_CHANNEL_UNSPECIFIED;
        (void)bf_channel_from_name(node->key, &channel);
        c->has_channel[channel] = true;
        status = bf_yaml_check_keys(doc, node, keys, err);
        if (status == BF_OK)
            status = parse_map(doc, node, &c->by_channel[channel], err);
    }
    return status;
}

bf_status bf_calibration_llr_range(const bf_yaml *doc, const bf_yaml_node *root, double *ret_min, double *ret_max,
                                   bf_error *err)
{
    static const char *const keys[] = {"min", "max", NULL};
    const bf_yaml_node *map = bf_yaml_get(root, "llr");
    if (!map)
        return bf_yaml_fail(doc, root, err, "the key 'llr' is missing.");
    double min = 0, max = 0;
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "min", true, -BF_LLR_LIMIT_MAX, 0, &min, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "max", true, 0, BF_LLR_LIMIT_MAX, &max, err);
    if (status == BF_OK && (min >= 0 || max <= 0))
        status = bf_yaml_fail(doc, map, err, "'min' must be below 0 and 'max' above 0.");
    if (status != BF_OK)
        return status;
    *ret_min = min;
    *ret_max = max;
    return BF_OK;
}

static bf_status parse_root(const bf_yaml *doc, bf_calibration *c, bf_error *err)
{
    static const char *const keys[] = {"format", "detector", "version",    "fitted_on", "method",
                                       "platt",  "knots",    "by_channel", "llr",       NULL};
    static const char *const methods[] = {"platt", "isotonic", "bands", "min-max", "z-score", NULL};
    int method = 0;
    const bf_yaml_node *root = bf_yaml_root(doc);
    bf_status status = bf_yaml_check_keys(doc, root, keys, err);
    if (status == BF_OK)
        status = bf_config_format(doc, root, CALIBRATION_FORMAT, err);
    if (status == BF_OK)
        status = bf_config_name(doc, root, "detector", c->detector, err);
    if (status == BF_OK)
        status = bf_config_name(doc, root, "version", c->version, err);
    if (status == BF_OK)
        status = parse_fitted_on(doc, root, c, err);
    if (status == BF_OK)
        status = bf_yaml_choice(doc, root, "method", false, methods, &method, err);
    if (status == BF_OK)
        status = parse_map(doc, root, &c->map, err);
    if (status == BF_OK)
        status = parse_channels(doc, root, c, err);
    if (status == BF_OK)
        status = bf_calibration_llr_range(doc, root, &c->llr_min, &c->llr_max, err);
    return status;
}

bf_status bf_calibration_parse(const void *yaml, size_t size, const char *name, bf_calibration *ret, bf_error *err)
{
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    bf_calibration c = {0};
    bf_status status = bf_yaml_parse(yaml, size, name, &doc, err);
    if (status == BF_OK)
        status = parse_root(doc, &c, err);
    if (status != BF_OK)
        return status;
    bf_config_id(c.detector, c.version, yaml, size, c.id);
    *ret = c;
    return BF_OK;
}
