/* Finding models on disk and refusing what should not run: manifests in MODELS_DIR/NAME/manifest.yaml, weights in
 * WEIGHTS_DIR (published and optimised files). */
#ifndef BF_MODELS_STORE_H
#define BF_MODELS_STORE_H

#include "base/bytes.h"
#include "models/manifest.h"

typedef struct bf_model_files {
    bf_manifest manifest;
    bf_bytes weights;   /* verified bytes: the optimised file when it is there and its hash is right, else the published one */
    bool optimised;
    char loaded_sha256[BF_SHA256_HEX_SIZE];
} bf_model_files;

/* Reads NAME's manifest and weights. MODEL_UNAVAILABLE (no file), MODEL_TAMPERED (hash differs), MODEL_UNAPPROVED,
 * CONFIG_INVALID. A wrong hash of the optimised file is MODEL_TAMPERED too, never a silent fallback. */
bf_status bf_model_read(const char *models_dir, const char *weights_dir, const char *name, bf_model_files *ret,
                        bf_error *err);
void bf_model_files_done(bf_model_files *files);

#endif
