/* Tiny networks for tests, written out as ONNX without any library: what a test expects of them can be computed by
 * hand. And installations (models/NAME/manifest.yaml and weights) to put them in. */
#ifndef BF_TESTS_STUB_MODEL_H
#define BF_TESTS_STUB_MODEL_H

#include <stdbool.h>

#include "base/bytes.h"

#define STUB_SIDE 8    /* px, input [1,3,8,8] */
#define STUB_CLASSES 3 /* output [1,3] */

typedef enum stub_fault {
    STUB_SOUND,
    STUB_NOT_A_NUMBER, /* takes the square root of a negative number */
    STUB_OPEN_SHAPES,  /* sound, but batch and classes are only known when it runs */
    STUB_DOUBLES       /* flattens 64-bit floats */
} stub_fault;

/* logits[k] = sum over c of STUB_WEIGHTS[c][k] * mean of channel c + STUB_BIAS[k]: GlobalAveragePool, Flatten, Gemm. */
extern const float STUB_WEIGHTS[3][STUB_CLASSES];
extern const float STUB_BIAS[STUB_CLASSES];

/* The model's bytes, owned by the caller. */
bf_bytes stub_model(stub_fault fault);

/* An empty installation in a new temporary folder, with models/ and weights/; texts end with a NUL. */
typedef struct stub_place {
    char root[256];
    char models[300];
    char weights[300];
} stub_place;

stub_place stub_place_new(void);
/* Deletes the folder and all in it. */
void stub_place_done(stub_place *place);

/* Writes ROOT/PATH, making its folder. */
void stub_put(const stub_place *place, const char *path, const void *data, size_t size);

/* A liveness manifest for stub_model; `sha256` may be NULL, and `extra` lines (may be "") go below `weights:`. */
void stub_put_manifest(const stub_place *place, const char *name, const char *sha256, const char *extra, bool approved);

/* Manifest with the right hash, and weights/NAME.onnx. */
void stub_install(const stub_place *place, const char *name, stub_fault fault);

#endif
