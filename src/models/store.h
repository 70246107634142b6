/* Finding models on disk and refusing what should not run: manifests in MODELS_DIR/NAME/manifest.yaml, weights in
 * WEIGHTS_DIR: the published file under the name the manifest gives, the optimised one beside it with ".opt.onnx" for
 * its last suffix, and for a model that is checked by golden vectors NAME.local.yaml: the hashes its import wrote. */
#ifndef BF_MODELS_STORE_H
#define BF_MODELS_STORE_H

#include "base/bytes.h"
#include "models/manifest.h"

typedef struct bf_model_files {
    bf_manifest manifest;
    bf_bytes weights; /* verified bytes: the optimised file when it is there with the right hash, else the published */
    bool optimised;
    char loaded_sha256[BF_SHA256_HEX_SIZE];
} bf_model_files;

/* Reads NAME's manifest and weights. MODEL_UNAVAILABLE (no such model, no file, not imported yet), MODEL_TAMPERED (hash
 * differs), MODEL_UNAPPROVED, CONFIG_INVALID. A wrong hash of the optimised file is MODEL_TAMPERED too, never a silent
 * fallback. On success the caller frees with bf_model_files_done; on failure *ret is untouched. Any thread. */
bf_status bf_model_read(const char *models_dir, const char *weights_dir, const char *name, bf_model_files *ret,
                        bf_error *err);
void bf_model_files_done(bf_model_files *files);

/* The manifest alone; approved or not. MODEL_UNAVAILABLE when there is none, CONFIG_INVALID. */
bf_status bf_model_read_manifest(const char *models_dir, const char *name, bf_manifest *ret, bf_error *err);

/* Whether `name` can be a model's: letters, digits, ".", "_" and "-", no dot in front, shorter than BF_NAME_MAX. */
bool bf_model_name_is_valid(const char *name);

/* MODEL_UNAPPROVED unless the manifest approves the model. */
bf_status bf_model_check_approved(const bf_manifest *manifest, bf_error *err);

/* The weights of a manifest that was read; fills all of *ret but does not ask whether the model is approved. Errors as
 * bf_model_read. */
bf_status bf_model_read_weights(const char *weights_dir, const bf_manifest *manifest, bf_model_files *ret,
                                bf_error *err);

/* The same, but always the published file. */
bf_status bf_model_read_published(const char *weights_dir, const bf_manifest *manifest, bf_model_files *ret,
                                  bf_error *err);

/* Any weights file, read whole. MODEL_UNAVAILABLE when it cannot be read, MODEL_INVALID when it is too large. */
bf_status bf_model_read_file(const char *path, const char *model, bf_bytes *ret, bf_error *err);

/* Puts verified weights into WEIGHTS_DIR under the manifest's file name (atomically), and, when the manifest states no
 * hash, their hash into NAME.local.yaml, against which they are verified from then on. IO_ERROR. */
bf_status bf_model_store(const char *weights_dir, const bf_manifest *manifest, const bf_bytes *weights, bf_error *err);

/* Puts the rewritten file of a stored model beside it (atomically), and, when the manifest states no hash, its hash
 * into NAME.local.yaml. IO_ERROR. */
bf_status bf_model_store_optimised(const char *weights_dir, const bf_manifest *manifest, const bf_bytes *weights,
                                   bf_error *err);

/* Path of the published or optimised weights file, to be freed by the caller; NULL when memory is short. */
char *bf_model_path(const char *weights_dir, const bf_manifest *manifest, bool optimised);

/* Joins folder, "/" and name, to be freed by the caller; NULL when memory is short. */
char *bf_path_join(const char *folder, const char *name);

#endif
