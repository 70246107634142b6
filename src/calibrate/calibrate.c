#include "calibrate/calibrate.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/config.h"
#include "base/error.h"
#include "base/yaml.h"

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

static bf_status parse_platt(const bf_yaml *doc, const bf_yaml_node *root, bf_calibration *c, bf_error *err)
{
    static const char *const keys[] = {"slope", "intercept", "prior_log_odds", NULL};
    const bf_yaml_node *map = bf_yaml_get(root, "platt");
    if (!map)
        return bf_yaml_fail(doc, root, err, "the key 'platt' is missing.");
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "slope", true, 0, COEFFICIENT_MAX, &c->slope, err);
    if (status == BF_OK && c->slope <= 0)
        status = bf_yaml_fail(doc, bf_yaml_get(map, "slope"), err, "the slope must be above 0.");
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "intercept", true, -COEFFICIENT_MAX, COEFFICIENT_MAX, &c->intercept, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "prior_log_odds", true, -BF_LLR_LIMIT_MAX, BF_LLR_LIMIT_MAX,
                                &c->prior_log_odds, err);
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
    static const char *const keys[] = {"format", "detector", "version", "fitted_on", "platt", "llr", NULL};
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
        status = parse_platt(doc, root, c, err);
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

bf_status bf_calibration_check(const bf_calibration *c, const char *detector, const char *detector_version,
                               const char *model_sha256, bf_error *err)
{
    if (strcmp(c->detector, detector) != 0)
        return bf_fail(err, BF_CONFIG_INVALID, "The calibration of %s cannot be used for %s.", c->detector, detector);
    const char *what = NULL;
    if (strcmp(c->detector_version, detector_version) != 0)
        what = "version";
    else if (c->model_sha256[0] && (!model_sha256 || strcmp(c->model_sha256, model_sha256) != 0))
        what = "weights";
    if (!what)
        return BF_OK;
    bf_fail(err, BF_CONFIG_INVALID, "The calibration of %s was fitted on another %s of it.", detector, what);
    bf_fail_detail(err, "%s is for version %s, weights %.12s; found version %s, weights %.12s.", c->id,
                   c->detector_version, c->model_sha256[0] ? c->model_sha256 : "any", detector_version,
                   model_sha256 && model_sha256[0] ? model_sha256 : "none");
    bf_fail_hint(err, "Fit a new calibration with tools/fit_evidence.py.");
    return BF_CONFIG_INVALID;
}

double bf_calibration_llr(const bf_calibration *c, double raw)
{
    double llr = c->slope * raw + c->intercept - c->prior_log_odds;
    if (isnan(llr) || llr < c->llr_min)
        return c->llr_min;
    return llr > c->llr_max ? c->llr_max : llr;
}

void bf_calibration_apply(const bf_calibration *c, bf_evidence *evidence)
{
    evidence->calibrated = evidence->status == BF_EVIDENCE_PRESENT && strcmp(evidence->detector, c->detector) == 0 &&
                           strcmp(evidence->version, c->detector_version) == 0;
    evidence->live_llr = evidence->calibrated ? bf_calibration_llr(c, evidence->raw) : 0;
}
