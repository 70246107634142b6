#include "pipeline/load.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/yaml.h"
#include "models/store.h"
#include "pipeline/detectors.h"

typedef struct role_row {
    const char *key;
    bf_task task;
} role_row;

static const role_row ROLES[BF_ROLE_COUNT] = {
    [BF_ROLE_DETECTION] = {"face_detection", BF_TASK_FACE_DETECTION},
    [BF_ROLE_LANDMARKS] = {"landmarks", BF_TASK_LANDMARKS},
    [BF_ROLE_POSE] = {"pose", BF_TASK_POSE},
    [BF_ROLE_EYE_STATE] = {"eye_state", BF_TASK_EYE_STATE},
    [BF_ROLE_EMBEDDING] = {"embedding", BF_TASK_EMBEDDING},
};

static bf_status join_path(char ret[PATH_MAX], bf_error *err, const char *format, ...) BF_PRINTF(3, 4);

static bf_status join_path(char ret[PATH_MAX], bf_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(ret, PATH_MAX, format, args);
    va_end(args);
    if (length < 0 || length >= PATH_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A folder's name is too long.");
    return BF_OK;
}

static void remember_model(bf_engine *engine, const bf_model_files *files)
{
    if (engine->versions.model_count >= BF_MODELS_MAX)
        return;
    bf_record_model *model = &engine->versions.model[engine->versions.model_count++];
    (void)snprintf(model->name, sizeof model->name, "%s", files->manifest.name);
    (void)snprintf(model->version, sizeof model->version, "%s", files->manifest.version);
    memcpy(model->sha256, files->loaded_sha256, sizeof model->sha256);
    model->optimised = files->optimised;
}

/* Reads, verifies and loads one model, which must be for `task`. */
static bf_status load_model(bf_engine *engine, const char *data_dir, const char *weights_dir, const char *name,
                            bf_task task, bf_net **ret, bf_error *err)
{
    char models_dir[PATH_MAX];
    bf_status status = join_path(models_dir, err, "%s/models", data_dir);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_model_files_done) bf_model_files files = {0};
    status = bf_model_read(models_dir, weights_dir, name, &files, err);
    if (status != BF_OK)
        return status;
    if (files.manifest.task != task) {
        bf_fail(err, BF_CONFIG_INVALID, "The model %s is for %s, not for %s.", name, bf_task_name(files.manifest.task),
                bf_task_name(task));
        bf_fail_hint(err, "Name another model in models/stack.yaml or in the fusion file.");
        return BF_CONFIG_INVALID;
    }
    status = bf_net_load(&files.manifest, files.weights.data, files.weights.size, ret, err);
    if (status == BF_OK)
        remember_model(engine, &files);
    return status;
}

bf_status bf_load_stack(bf_engine *engine, const char *data_dir, const char *weights_dir, bf_error *err)
{
    static const char *const known[] = {"format",    "face_detection", "landmarks", "pose",
                                        "eye_state", "embedding",      NULL};
    char path[PATH_MAX];
    bf_status status = join_path(path, err, "%s/models/stack.yaml", data_dir);
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    if (status == BF_OK)
        status = bf_yaml_read_file(path, &doc, err);
    if (status == BF_OK)
        status = bf_yaml_check_keys(doc, bf_yaml_root(doc), known, err);
    int64_t format = 0;
    if (status == BF_OK)
        status = bf_yaml_integer(doc, bf_yaml_root(doc), "format", true, 1, 1, &format, err);
    for (int i = 0; i < BF_ROLE_COUNT && status == BF_OK; i++) {
        const char *name = NULL;
        status = bf_yaml_string(doc, bf_yaml_root(doc), ROLES[i].key, true, &name, err);
        if (status == BF_OK)
            status = load_model(engine, data_dir, weights_dir, name, ROLES[i].task, &engine->role[i], err);
    }
    return status;
}

/* Reads calibration/NAME.yaml and checks that it was fitted on this version and these weights. */
static bf_status read_calibration(const char *data_dir, const char *name, const char *version, const char *sha256,
                                  bf_calibration *ret, bf_error *err)
{
    char path[PATH_MAX];
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    bf_status status = join_path(path, err, "%s/calibration/%s.yaml", data_dir, name);
    if (status == BF_OK)
        status = bf_bytes_read_file(&bytes, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_calibration_parse(bytes.data, bytes.size, path, ret, err);
    if (status == BF_OK)
        status = bf_calibration_check(ret, name, version, sha256, err);
    return status;
}

static bf_status add_detector(bf_engine *engine, const char *data_dir, const char *name, bf_net *net, bool fused,
                              bf_error *err)
{
    bf_engine_detector *detector = &engine->detector[engine->detector_count++];
    (void)snprintf(detector->name, sizeof detector->name, "%s", name);
    detector->net = net;
    detector->clip = bf_clip_detector_find(name);
    detector->fused = fused;
    const bf_own_detector *own = bf_own_detector_find(name);
    const char *version = detector->clip ? detector->clip->version
                          : net          ? bf_net_manifest(net)->version
                                         : bf_own_detector_version(own, &engine->own_models);
    detector->against = detector->clip ? detector->clip->against : net ? bf_net_manifest(net)->against : own->against;
    (void)snprintf(detector->version, sizeof detector->version, "%s", version);
    const char *sha256 = net ? bf_net_manifest(net)->sha256 : "";
    bf_status status = read_calibration(data_dir, name, version, sha256, &detector->calibration, err);
    if (status == BF_IO_ERROR && !fused)
        return BF_OK;
    detector->calibrated = status == BF_OK;
    return status;
}

static bf_status add_unfused(bf_engine *engine, const char *data_dir, const char *name, bf_error *err)
{
    if (bf_fusion_uses(engine->fusion, name) || engine->detector_count == BF_DETECTORS_MAX)
        return BF_OK;
    return add_detector(engine, data_dir, name, NULL, false, err);
}

/* A network that is not installed is no error yet: whether one can do without it is decided at the end. */
static bf_status load_fused_detector(bf_engine *engine, const char *data_dir, const char *weights_dir, const char *name,
                                     bf_error *err)
{
    bf_net *net = NULL;
    if (!bf_own_detector_find(name) && !bf_clip_detector_find(name)) {
        bf_status status = load_model(engine, data_dir, weights_dir, name, BF_TASK_LIVENESS, &net, err);
        if (status == BF_MODEL_UNAVAILABLE)
            return BF_OK;
        if (status != BF_OK)
            return status;
    }
    return add_detector(engine, data_dir, name, net, true, err);
}

/* Some configuration must be usable with what was loaded, or nothing could ever be judged. */
static bf_status check_usable(const bf_engine *engine, bf_error *err)
{
    bf_evidence evidence[BF_DETECTORS_MAX] = {0};
    for (int i = 0; i < engine->detector_count; i++) {
        (void)snprintf(evidence[i].detector, sizeof evidence[i].detector, "%s", engine->detector[i].name);
        evidence[i].status = BF_EVIDENCE_PRESENT;
        evidence[i].calibrated = true;
    }
    bf_fused fused;
    bf_fusion_apply(engine->fusion, evidence, engine->detector_count, &fused);
    if (fused.present)
        return BF_OK;
    bf_fail(err, BF_MODEL_UNAVAILABLE, "No configuration of the fusion %s has all the models it needs.",
            bf_fusion_id(engine->fusion));
    bf_fail_hint(err, "Run 'make run' to fetch the models, or 'bonafide models list' to see what is missing.");
    return BF_MODEL_UNAVAILABLE;
}

bf_status bf_load_evidence(bf_engine *engine, const char *data_dir, const char *weights_dir, const char *fusion,
                           bf_error *err)
{
    char path[PATH_MAX];
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    bf_status status = join_path(path, err, "%s/fusion/%s.yaml", data_dir, fusion);
    if (status == BF_OK)
        status = bf_bytes_read_file(&bytes, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_fusion_parse(bytes.data, bytes.size, path, &engine->fusion, err);
    if (status == BF_OK)
        status = bf_own_models_read(data_dir, &engine->own_models, err);
    if (status != BF_OK)
        return status;
    const char *names[BF_DETECTORS_MAX];
    int count = bf_fusion_detectors(engine->fusion, names);
    for (int i = 0; i < count && status == BF_OK; i++)
        status = load_fused_detector(engine, data_dir, weights_dir, names[i], err);
    for (int i = 0; i < bf_own_detector_count() && status == BF_OK; i++)
        status = add_unfused(engine, data_dir, bf_own_detector_at(i)->name, err);
    for (int i = 0; i < bf_clip_detector_count() && status == BF_OK; i++)
        status = add_unfused(engine, data_dir, bf_clip_detector_at(i)->name, err);
    if (status != BF_OK)
        return status;
    const bf_manifest *embedding = bf_net_manifest(engine->role[BF_ROLE_EMBEDDING]);
    status = read_calibration(data_dir, embedding->name, embedding->version, embedding->sha256,
                              &engine->match_calibration, err);
    engine->match_calibrated = status == BF_OK;
    return status == BF_OK ? check_usable(engine, err) : status;
}
