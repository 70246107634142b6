/* bf_models_optimise: the one place that decides whether a rewritten network may be used. */
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "bonafide/models.h"
#include "infer/golden.h"
#include "models/store.h"
#include "optimise/optimise.h"

/* Whether the rewritten file is there and is the right one, so that nothing is left to do. One that is not right is
 * made anew. OUT_OF_MEMORY. */
static bf_status find_present(const char *weights_dir, const bf_manifest *manifest, bf_model_optimisation *o,
                              bf_error *err)
{
    BF_CLEANUP(bf_model_files_done) bf_model_files files = {0};
    bf_status status = bf_model_read_weights(weights_dir, manifest, &files, NULL);
    if (status == BF_OUT_OF_MEMORY)
        return bf_fail_memory(err);
    if (status == BF_OK && files.optimised) {
        o->state = BF_OPTIMISE_PRESENT;
        memcpy(o->sha256, files.loaded_sha256, sizeof o->sha256);
    }
    return BF_OK;
}

static bf_status check_golden(const char *models_dir, const bf_manifest *manifest, const bf_bytes *optimised,
                              bf_error *err)
{
    BF_CLEANUP(bf_net_free) bf_net *net = NULL;
    if (manifest->golden[0] == 0)
        return BF_OK;
    bf_status status = bf_net_load(manifest, optimised->data, optimised->size, &net, err);
    return status == BF_OK ? bf_golden_check_model(net, models_dir, err) : status;
}

static bf_status check_hash(const bf_manifest *manifest, const char *sha256, bf_error *err)
{
    if (manifest->optimised_sha256[0] == 0 || strcmp(manifest->optimised_sha256, sha256) == 0)
        return BF_OK;
    bf_fail(err, BF_CONFIG_INVALID, "The manifest of the model %s states another rewritten network than is made here.",
            manifest->name);
    bf_fail_detail(err,
                   "optimised_sha256 is %s; the rewritten network, which computes the same as the published one, "
                   "has %s.",
                   manifest->optimised_sha256, sha256[0] ? sha256 : "no change to it");
    bf_fail_hint(err, "Use the manifests that came with this version, or state the new hash.");
    return BF_CONFIG_INVALID;
}

static void describe(const bf_optimise_report *report, bf_model_optimisation *o)
{
    o->nodes_before = report->nodes_before;
    o->nodes_after = report->nodes_after;
    o->folded = report->folded;
    o->shuffles = report->shuffles;
    o->padded = report->padded;
    o->activations = report->activations;
}

/* Makes, checks and stores the rewritten file. */
static bf_status rewrite(const char *models_dir, const char *weights_dir, const bf_manifest *manifest,
                         bf_model_optimisation *o, bf_error *err)
{
    BF_CLEANUP(bf_model_files_done) bf_model_files files = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes optimised = {0};
    bf_optimise_report report = {0};
    bf_status status = bf_model_read_published(weights_dir, manifest, &files, err);
    if (status == BF_OK)
        status = bf_optimise_model(files.weights.data, files.weights.size, &optimised, &report, err);
    if (status != BF_OK)
        return status;
    describe(&report, o);
    if (!report.changed)
        return check_hash(manifest, o->sha256, err);
    bf_sha256_hex(optimised.data, optimised.size, o->sha256);
    status = bf_optimise_check(manifest, &files.weights, &optimised, NULL, 0, &o->difference, err);
    if (status == BF_OK)
        status = check_golden(models_dir, manifest, &optimised, err);
    if (status == BF_OK)
        status = check_hash(manifest, o->sha256, err);
    /* A pinned published file with an unpinned rewritten one: its hash has nowhere to come from but the weights
     * folder itself, which would let whoever can write there choose the network. */
    bool pinned = manifest->sha256[0] == 0 || manifest->optimised_sha256[0] != 0;
    o->state = pinned ? BF_OPTIMISE_WRITTEN : BF_OPTIMISE_UNPINNED;
    return status == BF_OK && pinned ? bf_model_store_optimised(weights_dir, manifest, &optimised, err) : status;
}

bf_status bf_models_optimise(const char *data_dir, const char *weights_dir, const char *name,
                             bf_model_optimisation *ret_optimisation, bf_error *err)
{
    if (!data_dir || !weights_dir || !name || !ret_optimisation)
        return bf_fail(err, BF_INVALID_ARGUMENT,
                       "Rewriting needs a model's name, the two folders and a place for the "
                       "outcome.");
    BF_CLEANUP(bf_free_string) char *models_dir = bf_path_join(data_dir, "models");
    if (!models_dir)
        return bf_fail_memory(err);
    bf_manifest manifest;
    bf_model_optimisation o = {.state = BF_OPTIMISE_UNCHANGED};
    bf_status status = bf_model_read_manifest(models_dir, name, &manifest, err);
    if (status == BF_OK)
        status = bf_model_check_approved(&manifest, err);
    if (status == BF_OK)
        status = find_present(weights_dir, &manifest, &o, err);
    if (status == BF_OK && o.state != BF_OPTIMISE_PRESENT)
        status = rewrite(models_dir, weights_dir, &manifest, &o, err);
    if (status == BF_OK)
        *ret_optimisation = o;
    return status;
}
