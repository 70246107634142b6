/* bf_models_import: from a file somebody has to weights that are verified at every load. */
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "bonafide/models.h"
#include "infer/golden.h"
#include "models/store.h"

static bf_status check_hash(const bf_manifest *m, const bf_bytes *weights, const char *file, bf_error *err)
{
    char hash[BF_SHA256_HEX_SIZE];
    bf_sha256_hex(weights->data, weights->size, hash);
    if (m->sha256[0] == 0 || strcmp(hash, m->sha256) == 0)
        return BF_OK;
    bf_fail(err, BF_MODEL_TAMPERED, "The file is not the one that the manifest of the model %s states.", m->name);
    bf_fail_detail(err, "%s has the sha256 %s; expected %s.", file, hash, m->sha256);
    bf_fail_hint(err, "Get the file from the manifest's source, or write a manifest of its own for yours.");
    return BF_MODEL_TAMPERED;
}

bf_status bf_models_import(const char *data_dir, const char *weights_dir, const char *name, const char *file,
                           bf_error *err)
{
    if (!data_dir || !weights_dir || !name || !file)
        return bf_fail(err, BF_INVALID_ARGUMENT, "An import needs a model's name, a file and the two folders.");
    BF_CLEANUP(bf_free_string) char *models_dir = bf_path_join(data_dir, "models");
    BF_CLEANUP(bf_bytes_done) bf_bytes weights = {0};
    BF_CLEANUP(bf_net_free) bf_net *net = NULL;
    if (!models_dir)
        return bf_fail_memory(err);
    bf_manifest manifest;
    bf_status status = bf_model_read_manifest(models_dir, name, &manifest, err);
    if (status == BF_OK)
        status = bf_model_check_approved(&manifest, err);
    if (status == BF_OK)
        status = bf_model_read_file(file, name, &weights, err);
    if (status == BF_OK)
        status = check_hash(&manifest, &weights, file, err);
    if (status == BF_OK)
        status = bf_net_load(&manifest, weights.data, weights.size, &net, err);
    if (status == BF_OK)
        status = bf_golden_check_model(net, models_dir, err);
    return status == BF_OK ? bf_model_store(weights_dir, &manifest, &weights, err) : status;
}
