/** @file models.h
 *  Which models an installation has, whether they can be trusted, and how to add one.
 *
 *  A model is described by data_dir/models/NAME/manifest.yaml; its weights are a file in weights_dir. Nothing here
 *  changes an engine that is already loaded. Any thread may call these functions; two imports into one weights_dir at
 *  the same time must be kept apart by the caller.
 */
#ifndef BONAFIDE_MODELS_H
#define BONAFIDE_MODELS_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Whether a model can be used. */
typedef enum bf_model_state {
    BF_MODEL_STATE_OK = 0,         /**< approved, its weights are there and verified */
    BF_MODEL_STATE_MISSING = 1,    /**< its weights are not there, or were never imported */
    BF_MODEL_STATE_TAMPERED = 2,   /**< a weights file has another hash than stated */
    BF_MODEL_STATE_UNAPPROVED = 3, /**< its manifest does not approve it */
    BF_MODEL_STATE_INVALID = 4     /**< its manifest cannot be read, or its weights do not do what it says */
} bf_model_state;

/** "ok", "missing", "tampered", "unapproved" or "invalid"; "unknown" for another number. Static text; any thread. */
BF_API const char *bf_model_state_name(bf_model_state state);

/** Bytes of one text of bf_model_info, with its NUL. */
#define BF_MODEL_TEXT_SIZE 256

/** What is known about one model. All texts are printable ASCII and end with a NUL; those that are not known (because
 *  the manifest cannot be read, or there is no file) are empty. */
typedef struct bf_model_info {
    char name[BF_MODEL_TEXT_SIZE];    /**< folder of the manifest; the name by which it is called */
    char version[BF_MODEL_TEXT_SIZE]; /**< as stated */
    char task[BF_MODEL_TEXT_SIZE]; /**< "face-detection", "landmarks", "pose", "eye-state", "liveness", "embedding" */
    char licence[BF_MODEL_TEXT_SIZE]; /**< of the weights */
    char source[BF_MODEL_TEXT_SIZE];  /**< where the weights come from */
    char file[BF_MODEL_TEXT_SIZE];    /**< published weights file below weights_dir */
    bf_model_state state;             /**< whether it can be used */
    bool optimised;                   /**< the rewritten file is there and is the one that is loaded */
    char sha256[65];                  /**< of the file that is loaded, lower-case hex */
    char why[BF_ERROR_TEXT_SIZE];     /**< one sentence when the state is not ok */
    char hint[BF_ERROR_TEXT_SIZE];    /**< what to do about it; may be empty */
} bf_model_info;

/** An answer of bf_models_list or bf_models_verify; immutable, any thread may read it. */
typedef struct bf_model_list bf_model_list;

/** Reads every manifest below data_dir/models and the hash of its weights. A model that cannot be used is in the list
 *  with its state; it is no failure of the call.
 *  On success the caller owns *ret_list and frees it with bf_model_list_free; it is sorted by name.
 *  Errors: INVALID_ARGUMENT (a NULL), IO_ERROR (data_dir/models cannot be read), CONFIG_INVALID (more models than an
 *  installation may have), OUT_OF_MEMORY; *ret_list is then untouched. */
BF_API bf_status bf_models_list(const char *data_dir, const char *weights_dir, bf_model_list **ret_list, bf_error *err);

/** As bf_models_list, and also loads each model that is ok, holds its inputs and outputs against its manifest, and
 *  runs its golden vectors where it has some; what fails becomes BF_MODEL_STATE_INVALID.
 *  Errors also: MODEL_UNAVAILABLE (the runtime is missing or too old). */
BF_API bf_status bf_models_verify(const char *data_dir, const char *weights_dir, bf_model_list **ret_list,
                                  bf_error *err);

/** Number of models in a list; 0 for NULL. */
BF_API size_t bf_model_list_count(const bf_model_list *list);

/** The `index`-th model, or NULL past the last. It lives as long as the list. */
BF_API const bf_model_info *bf_model_list_at(const bf_model_list *list, size_t index);

/** Frees a list and sets the pointer to NULL; accepts NULL and a pointer to NULL. */
BF_API void bf_model_list_free(bf_model_list **list);

/** Puts the weights in `file` into weights_dir as the model `name`, whose manifest must be there. The file must have
 *  the hash that the manifest states, or, where it states none, meet the manifest's golden vectors: then its own hash
 *  is written down in weights_dir/NAME.local.yaml, and only that file is loaded from then on.
 *  Nothing is written unless every check passed; each file is replaced as a whole.
 *  Errors: INVALID_ARGUMENT (a NULL), MODEL_UNAVAILABLE (no such model, the file cannot be read, no runtime),
 *  MODEL_UNAPPROVED, MODEL_TAMPERED (another hash), MODEL_INVALID (no network, other inputs or outputs, other golden
 *  outputs), INFERENCE_FAILED, CONFIG_INVALID, IO_ERROR (weights_dir cannot be written), OUT_OF_MEMORY. */
BF_API bf_status bf_models_import(const char *data_dir, const char *weights_dir, const char *name, const char *file,
                                  bf_error *err);

/** What bf_models_optimise found or did. */
typedef enum bf_optimise_state {
    BF_OPTIMISE_UNCHANGED = 0, /**< there is nothing to rewrite in this network; the published file is loaded */
    BF_OPTIMISE_PRESENT = 1,   /**< the rewritten file was there already, with the right hash */
    BF_OPTIMISE_WRITTEN = 2,   /**< it was made, checked against the published file, and written */
    BF_OPTIMISE_UNPINNED = 3   /**< it was made and checked, but not written: it would not be loaded, because the
                                    manifest states no optimised_sha256. Add the one given here. */
} bf_optimise_state;

/** How a network was rewritten. Counts are 0 and the difference is 0 when this call did not rewrite it. */
typedef struct bf_model_optimisation {
    bf_optimise_state state; /**< what was found or done */
    char sha256[65];         /**< of the rewritten file, lower-case hex; empty when there is none */
    int nodes_before;        /**< nodes of the published graph that its outputs need */
    int nodes_after;         /**< nodes of the rewritten graph */
    int folded;              /**< idle nodes removed and normalisations merged into convolutions */
    int shuffles;            /**< channel shuffles that became a numbering of channels */
    int padded;              /**< groups of values whose channels were padded to a multiple of 8 */
    int activations;         /**< PRelu nodes written in terms of Relu and convolutions */
    double difference;       /**< largest difference of an output, relative to its range, in the check: at most 1e-4 */
} bf_model_optimisation;

/** Rewrites the graph of the model `name` for speed, once, without changing what it computes (up to the rounding of
 *  single precision): reads the verified published file, rewrites it, compares both on seeded random inputs and on the
 *  model's golden vectors, and writes the result beside it with ".opt.onnx" for its last suffix. The result is the
 *  same on every machine: its hash must be the manifest's optimised_sha256, or, for a model without pinned hash, goes
 *  into weights_dir/NAME.local.yaml. A rewritten file that is there with another hash is replaced.
 *  On success *ret_optimisation is filled; on failure it is untouched and nothing is written.
 *  Errors: INVALID_ARGUMENT (a NULL), MODEL_UNAVAILABLE (no such model, weights or runtime), MODEL_UNAPPROVED,
 *  MODEL_TAMPERED (the published file has another hash), MODEL_INVALID (it is no network, or the rewritten one
 *  differs), CONFIG_INVALID (manifest; also when the rewritten file has another hash than it states),
 *  INFERENCE_FAILED, IO_ERROR, OUT_OF_MEMORY. Any thread; two calls for one weights_dir at the same time must be kept
 *  apart by the caller. */
BF_API bf_status bf_models_optimise(const char *data_dir, const char *weights_dir, const char *name,
                                    bf_model_optimisation *ret_optimisation, bf_error *err);

#ifdef __cplusplus
}
#endif
#endif
