#include "models/store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/yaml.h"

char *bf_path_join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = bf_malloc(size);
    if (path)
        (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

char *bf_model_path(const char *weights_dir, const bf_manifest *manifest, bool optimised)
{
    if (!optimised)
        return bf_path_join(weights_dir, manifest->file);
    const char *dot = strrchr(manifest->file, '.');
    int stem = (int)(dot ? (size_t)(dot - manifest->file) : strlen(manifest->file));
    char file[BF_NAME_MAX + sizeof ".opt.onnx"];
    (void)snprintf(file, sizeof file, "%.*s.opt.onnx", stem, manifest->file);
    return bf_path_join(weights_dir, file);
}

static char *local_record_path(const char *weights_dir, const bf_manifest *manifest)
{
    char file[BF_NAME_MAX + sizeof ".local.yaml"];
    (void)snprintf(file, sizeof file, "%s.local.yaml", manifest->name);
    return bf_path_join(weights_dir, file);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A name is one folder below MODELS_DIR, whoever gives it. */
bool bf_model_name_is_valid(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);
    return length > 0 && length < BF_NAME_MAX && name[0] != '.' && strspn(name, allowed) == length;
}

static char *manifest_path(const char *models_dir, const char *name)
{
    char file[BF_NAME_MAX + sizeof "/manifest.yaml"];
    (void)snprintf(file, sizeof file, "%s/manifest.yaml", name);
    return bf_path_join(models_dir, file);
}

bf_status bf_model_check_approved(const bf_manifest *manifest, bf_error *err)
{
    if (manifest->approved)
        return BF_OK;
    bf_fail(err, BF_MODEL_UNAPPROVED, "The model %s is not approved for use.", manifest->name);
    bf_fail_hint(err, "Set `approved: true` in its manifest once it has been examined.");
    return BF_MODEL_UNAPPROVED;
}

bf_status bf_model_read_manifest(const char *models_dir, const char *name, bf_manifest *ret, bf_error *err)
{
    if (!bf_model_name_is_valid(name))
        return bf_fail(err, BF_MODEL_UNAVAILABLE, "'%.64s' cannot be the name of a model.", name);
    BF_CLEANUP(bf_free_string) char *path = manifest_path(models_dir, name);
    if (!path)
        return bf_fail_memory(err);
    if (!exists(path)) {
        bf_fail(err, BF_MODEL_UNAVAILABLE, "There is no model '%s'.", name);
        bf_fail_detail(err, "%s does not exist.", path);
        bf_fail_hint(err, "Write its manifest, or choose a model from `bonafide models list`.");
        return BF_MODEL_UNAVAILABLE;
    }
    BF_CLEANUP(bf_bytes_done) bf_bytes text = {0};
    bf_status status = bf_bytes_read_file(&text, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_OUT_OF_MEMORY)
        return status;
    if (status != BF_OK)
        return bf_fail(err, BF_CONFIG_INVALID, "The manifest %s cannot be read, or is too large.", path);
    bf_manifest manifest;
    status = bf_manifest_parse(text.data, text.size, path, &manifest, err);
    if (status != BF_OK)
        return status;
    if (strcmp(manifest.name, name) != 0)
        return bf_fail(err, BF_CONFIG_INVALID, "%s: the manifest is named '%s', its folder '%s'.", path, manifest.name,
                       name);
    *ret = manifest;
    return BF_OK;
}

bf_status bf_model_read_file(const char *path, const char *model, bf_bytes *ret, bf_error *err)
{
    bf_error cause = {0};
    bf_status status = bf_bytes_read_file(ret, path, BF_MODEL_BYTES_MAX, &cause);
    if (status == BF_OK)
        return BF_OK;
    if (status == BF_OUT_OF_MEMORY)
        return bf_fail_memory(err);
    if (status == BF_IMAGE_TOO_LARGE)
        return bf_fail(err, BF_MODEL_INVALID, "The weights of the model %s are larger than %u bytes.", model,
                       BF_MODEL_BYTES_MAX);
    bf_fail(err, BF_MODEL_UNAVAILABLE, "The weights of the model %s cannot be read.", model);
    bf_fail_detail(err, "%s", cause.message);
    return BF_MODEL_UNAVAILABLE;
}

static bf_status fail_missing(const bf_manifest *m, const char *path, bf_error *err)
{
    bf_fail(err, BF_MODEL_UNAVAILABLE, "The weights of the model %s are not there.", m->name);
    bf_fail_detail(err, "%s does not exist, or was never imported.", path);
    bf_fail_hint(err, "Run `bonafide models import FILE --as %s`%s.", m->name,
                 m->sha256[0] ? ", or the set-up that fetches the shipped models" : "");
    return BF_MODEL_UNAVAILABLE;
}

/* What the import of golden-checked weights wrote down, and their rewriting after it; "" for what did not happen. */
typedef struct local_record {
    char sha256[BF_SHA256_HEX_SIZE], optimised_sha256[BF_SHA256_HEX_SIZE];
} local_record;

static bf_status read_local_hash(const bf_yaml *doc, const char *key, bool required, char ret[BF_SHA256_HEX_SIZE],
                                 bf_error *err)
{
    const char *hash = NULL;
    bf_status status = bf_yaml_string(doc, bf_yaml_root(doc), key, required, &hash, err);
    if (status != BF_OK || !hash)
        return status;
    if (strlen(hash) != BF_SHA256_HEX_SIZE - 1)
        return bf_yaml_fail(doc, bf_yaml_get(bf_yaml_root(doc), key), err, "64 lower-case hex digits are expected.");
    memcpy(ret, hash, BF_SHA256_HEX_SIZE);
    return BF_OK;
}

static bf_status read_local_record(const char *weights_dir, const bf_manifest *m, local_record *ret, bf_error *err)
{
    static const char *const keys[] = {"model", "sha256", "optimised_sha256", NULL};
    local_record record = {0};
    BF_CLEANUP(bf_free_string) char *path = local_record_path(weights_dir, m);
    if (!path)
        return bf_fail_memory(err);
    *ret = record;
    if (!exists(path))
        return BF_OK;
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    const char *model = NULL;
    bf_status status = bf_yaml_read_file(path, &doc, err);
    if (status == BF_OK)
        status = bf_yaml_check_keys(doc, bf_yaml_root(doc), keys, err);
    if (status == BF_OK)
        status = bf_yaml_string(doc, bf_yaml_root(doc), "model", true, &model, err);
    if (status == BF_OK)
        status = read_local_hash(doc, "sha256", true, record.sha256, err);
    if (status == BF_OK)
        status = read_local_hash(doc, "optimised_sha256", false, record.optimised_sha256, err);
    if (status != BF_OK)
        return status;
    if (strcmp(model, m->name) != 0)
        return bf_yaml_fail(doc, bf_yaml_root(doc), err, "this is not the import record of %s.", m->name);
    *ret = record;
    return BF_OK;
}

/* The hashes that a model's files must have: the manifest's, and where it states none, the import's. */
static bf_status read_hashes(const char *weights_dir, const bf_manifest *m, local_record *ret, bf_error *err)
{
    if (m->sha256[0] == 0)
        return read_local_record(weights_dir, m, ret, err);
    memcpy(ret->sha256, m->sha256, sizeof ret->sha256);
    memcpy(ret->optimised_sha256, m->optimised_sha256, sizeof ret->optimised_sha256);
    return BF_OK;
}

static bf_status read_verified(const char *path, const char *wanted_sha256, bf_model_files *files, bf_error *err)
{
    bf_status status = bf_model_read_file(path, files->manifest.name, &files->weights, err);
    if (status != BF_OK)
        return status;
    bf_sha256_hex(files->weights.data, files->weights.size, files->loaded_sha256);
    if (strcmp(files->loaded_sha256, wanted_sha256) == 0)
        return BF_OK;
    bf_fail(err, BF_MODEL_TAMPERED, "The weights of the model %s are not the ones its manifest describes.",
            files->manifest.name);
    bf_fail_detail(err, "%s has the sha256 %s; expected %s.", path, files->loaded_sha256, wanted_sha256);
    bf_fail_hint(err, files->optimised ? "Find out who changed the file, then run `bonafide models optimise`."
                                       : "Find out who changed the file, then delete it and fetch or import it again.");
    return BF_MODEL_TAMPERED;
}

/* Reads the optimised file when it is wanted and there, else the published one. */
static bf_status read_weights(const char *weights_dir, const bf_manifest *manifest, bool optimised_too,
                              bf_model_files *ret, bf_error *err)
{
    BF_CLEANUP(bf_model_files_done) bf_model_files files = {.manifest = *manifest};
    BF_CLEANUP(bf_free_string) char *optimised = bf_model_path(weights_dir, manifest, true);
    BF_CLEANUP(bf_free_string) char *published = bf_model_path(weights_dir, manifest, false);
    if (!optimised || !published)
        return bf_fail_memory(err);
    local_record wanted = {0};
    bf_status status = read_hashes(weights_dir, manifest, &wanted, err);
    if (status != BF_OK)
        return status;
    files.optimised = optimised_too && wanted.optimised_sha256[0] != 0 && exists(optimised);
    if (files.optimised)
        status = read_verified(optimised, wanted.optimised_sha256, &files, err);
    else if (wanted.sha256[0] == 0 || !exists(published))
        return fail_missing(manifest, published, err);
    else
        status = read_verified(published, wanted.sha256, &files, err);
    if (status != BF_OK)
        return status;
    *ret = files;
    files.weights = (bf_bytes){0};
    return BF_OK;
}

bf_status bf_model_read_weights(const char *weights_dir, const bf_manifest *manifest, bf_model_files *ret,
                                bf_error *err)
{
    return read_weights(weights_dir, manifest, true, ret, err);
}

bf_status bf_model_read_published(const char *weights_dir, const bf_manifest *manifest, bf_model_files *ret,
                                  bf_error *err)
{
    return read_weights(weights_dir, manifest, false, ret, err);
}

bf_status bf_model_read(const char *models_dir, const char *weights_dir, const char *name, bf_model_files *ret,
                        bf_error *err)
{
    bf_manifest manifest;
    bf_status status = bf_model_read_manifest(models_dir, name, &manifest, err);
    if (status == BF_OK)
        status = bf_model_check_approved(&manifest, err);
    return status == BF_OK ? bf_model_read_weights(weights_dir, &manifest, ret, err) : status;
}

void bf_model_files_done(bf_model_files *files)
{
    bf_bytes_done(&files->weights);
    *files = (bf_model_files){0};
}

/* Writes NAME.local.yaml. `optimised_sha256` may be NULL. */
static bf_status write_local_record(const char *weights_dir, const bf_manifest *manifest, const char *sha256,
                                    const char *optimised_sha256, bf_error *err)
{
    BF_CLEANUP(bf_free_string) char *path = local_record_path(weights_dir, manifest);
    if (!path)
        return bf_fail_memory(err);
    char text[512];
    int length = snprintf(text, sizeof text,
                          "# Written by `bonafide models import` after the golden vectors were met.\n"
                          "model: %s\nsha256: %s\n%s%s%s",
                          manifest->name, sha256, optimised_sha256 ? "optimised_sha256: " : "",
                          optimised_sha256 ? optimised_sha256 : "", optimised_sha256 ? "\n" : "");
    return bf_bytes_write_file(path, text, (size_t)length, err);
}

bf_status bf_model_store(const char *weights_dir, const bf_manifest *manifest, const bf_bytes *weights, bf_error *err)
{
    BF_CLEANUP(bf_free_string) char *published = bf_model_path(weights_dir, manifest, false);
    if (!published)
        return bf_fail_memory(err);
    bf_status status = bf_bytes_write_file(published, weights->data, weights->size, err);
    if (status != BF_OK || manifest->sha256[0] != 0)
        return status;
    char hash[BF_SHA256_HEX_SIZE];
    bf_sha256_hex(weights->data, weights->size, hash);
    return write_local_record(weights_dir, manifest, hash, NULL, err);
}

bf_status bf_model_store_optimised(const char *weights_dir, const bf_manifest *manifest, const bf_bytes *weights,
                                   bf_error *err)
{
    BF_CLEANUP(bf_free_string) char *optimised = bf_model_path(weights_dir, manifest, true);
    local_record record = {0};
    if (!optimised)
        return bf_fail_memory(err);
    bf_status status = bf_bytes_write_file(optimised, weights->data, weights->size, err);
    if (status != BF_OK || manifest->sha256[0] != 0)
        return status;
    status = read_local_record(weights_dir, manifest, &record, err);
    bf_sha256_hex(weights->data, weights->size, record.optimised_sha256);
    return status == BF_OK ? write_local_record(weights_dir, manifest, record.sha256, record.optimised_sha256, err)
                           : status;
}
