#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/config.h"
#include "base/error.h"
#include "cli/calibrate.h"
#include "cli/place.h"
#include "cli/score.h"
#include "models/manifest.h"
#include "record/parse.h"

#define FIRST_VERSION "1.0.0"

/* What a table is not of must not bind its calibrations. */
static bf_status check_stack(const json_t *meta, const char *path, const char *stack, bf_error *err)
{
    const char *told = json_string_value(json_object_get(meta, "stack"));
    if (!told || !stack[0] || strcmp(told, stack) == 0)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "%.200s is of stack '%.16s', the table of '%.16s'.", path, told, stack);
    bf_fail_hint(err, "Keep each table with the document that was written with it, or remove the document.");
    return BF_INVALID_ARGUMENT;
}

bf_status cli_origin_read(cli_origin *ret, const char *table, const char *stack, const char *data, bf_error *err)
{
    char path[BF_DATASET_PATH_SIZE];
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    *ret = (cli_origin){.data = data};
    if (strcmp(table, "-") == 0 || !cli_meta_path(table, path) ||
        bf_bytes_read_file(&bytes, path, BF_JSON_BYTES_MAX, NULL) != BF_OK)
        return BF_OK;
    bf_status status = bf_json_parse(bytes.data, bytes.size, path, &ret->meta, err);
    return status == BF_OK ? check_stack(ret->meta, path, stack, err) : status;
}

void cli_origin_done(cli_origin *origin)
{
    json_decref(origin->meta);
    *origin = (cli_origin){0};
}

static void take(char *ret, size_t size, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    (void)snprintf(ret, size, "%s", text ? text : "");
}

/* From the table's own document; false when it does not know the detector. */
static bool from_meta(const cli_origin *origin, const char *detector, bf_calibration *ret)
{
    const json_t *evidence = json_object_get(json_object_get(origin->meta, "evidence"), detector);
    if (!evidence)
        return false;
    take(ret->detector_version, sizeof ret->detector_version, evidence, "version");
    take(ret->model_sha256, sizeof ret->model_sha256, evidence, "model_sha256");
    take(ret->version, sizeof ret->version, evidence, "calibration");
    return ret->detector_version[0] != '\0';
}

static bool read_installed(const char *data, const char *folder, const char *detector, const char *suffix,
                           char path[CLI_PATH_SIZE], bf_bytes *ret)
{
    int size = snprintf(path, CLI_PATH_SIZE, "%s/%s/%s%s", data, folder, detector, suffix);
    return size > 0 && size < CLI_PATH_SIZE && bf_bytes_read_file(ret, path, BF_YAML_BYTES_MAX, NULL) == BF_OK;
}

/* From the installed release. Where it has both, the model says what it is and the calibration how it is called. */
static bool from_installed(const cli_place *place, const char *detector, bf_calibration *ret)
{
    char path[CLI_PATH_SIZE];
    BF_CLEANUP(bf_bytes_done) bf_bytes manifest = {0}, calibration = {0};
    bf_manifest model;
    bf_calibration before;
    bool has_before = read_installed(place->data, "calibration", detector, ".yaml", path, &calibration) &&
                      bf_calibration_parse(calibration.data, calibration.size, path, &before, NULL) == BF_OK;
    bool has_model = read_installed(place->data, "models", detector, "/manifest.yaml", path, &manifest) &&
                     bf_manifest_parse(manifest.data, manifest.size, path, &model, NULL) == BF_OK;
    if (has_before) {
        memcpy(ret->version, before.version, sizeof ret->version);
        memcpy(ret->detector_version, before.detector_version, sizeof ret->detector_version);
        memcpy(ret->model_sha256, before.model_sha256, sizeof ret->model_sha256);
    }
    if (has_model) {
        (void)snprintf(ret->detector_version, sizeof ret->detector_version, "%s", model.version);
        (void)snprintf(ret->model_sha256, sizeof ret->model_sha256, "%s", model.sha256);
    }
    return has_before || has_model;
}

/* "1.2.3" becomes "1.3.0"; what has another form gets ".1". */
static void bump(char version[BF_NAME_MAX])
{
    char old[BF_NAME_MAX], *end = NULL, *rest = NULL;
    memcpy(old, version, sizeof old);
    unsigned long major = strtoul(old, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, &rest, 10) : 0;
    if (old[0] == '\0')
        (void)snprintf(version, BF_NAME_MAX, "%s", FIRST_VERSION);
    else if (rest && rest > end + 1 && *rest == '.' && major < 100000 && minor < 100000)
        (void)snprintf(version, BF_NAME_MAX, "%lu.%lu.0", major, minor + 1);
    else
        (void)snprintf(version, BF_NAME_MAX, "%.*s.1", BF_NAME_MAX - 3, old);
}

bf_status cli_origin_bind(const cli_origin *origin, const char *detector, const char *version, bf_calibration *ret,
                          bf_error *err)
{
    cli_place place;
    if (!bf_config_is_name(detector))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The column raw.%.80s: '%.80s' is no name of a detector.", detector,
                       detector);
    bool found = from_meta(origin, detector, ret);
    if (!found && cli_place_find(origin->data, NULL, &place, NULL) == BF_OK)
        found = from_installed(&place, detector, ret);
    if (!found) {
        bf_fail(err, BF_INVALID_ARGUMENT, "It is not known which version of %s the table is of.", detector);
        bf_fail_hint(err,
                     "Keep the .meta.json that `bonafide score` writes beside the table, or name the folder of the "
                     "release with --data.");
        return BF_INVALID_ARGUMENT;
    }
    (void)snprintf(ret->detector, sizeof ret->detector, "%s", detector);
    bump(ret->version);
    if (version)
        (void)snprintf(ret->version, sizeof ret->version, "%s", version);
    return BF_OK;
}
