/* The parts of a manifest's parser. Included by src/models only. */
#ifndef BF_MODELS_MANIFEST_READ_H
#define BF_MODELS_MANIFEST_READ_H

#include "base/yaml.h"
#include "models/manifest.h"

/* A document being read, and where to say what is wrong with it. */
typedef struct bf_manifest_reader {
    const bf_yaml *doc;
    bf_error *err;
} bf_manifest_reader;

/* map[key] as printable ASCII text of 1 to size - 1 characters into `ret`; `ret` is left untouched when an optional
 * key is absent. */
bf_status bf_manifest_text(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, bool required,
                           char *ret, size_t size);

/* map[key] as a required number. */
bf_status bf_manifest_float(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, double min,
                            double max, float *ret);
bf_status bf_manifest_int(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, int min, int max,
                          int *ret);

/* map[key] as an optional list of exactly `count` numbers. */
bf_status bf_manifest_floats(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, size_t count,
                             double min, double max, float *ret);

/* An error on the first of the NULL-terminated `keys` that stands in `map`: "'KEY' WHY". */
bf_status bf_manifest_forbid(const bf_manifest_reader *r, const bf_yaml_node *map, const char *const keys[],
                             const char *why);

/* The sections `input`, `crop` and `output`; the task has been read. */
bf_status bf_manifest_read_input(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m);
bf_status bf_manifest_read_crop(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m);
bf_status bf_manifest_read_output(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m);

#endif
