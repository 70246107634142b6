/* Reading YAML configuration strictly: a small tree with line numbers over libyaml. Unknown keys are errors
 * that name the nearest known one; anchors, aliases, tags and several documents are refused. Limits:
 * BF_YAML_BYTES_MAX, BF_YAML_NODES_MAX, BF_YAML_DEPTH_MAX in base/limits.h. */
#ifndef BF_BASE_YAML_H
#define BF_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

typedef enum bf_yaml_kind { BF_YAML_SCALAR, BF_YAML_LIST, BF_YAML_MAP } bf_yaml_kind;

typedef struct bf_yaml_node bf_yaml_node;
struct bf_yaml_node {
    bf_yaml_kind kind;
    int line;            /* 1-based line where the node begins */
    int key_line;        /* line of the key, when the node is a value of a map */
    const char *key;     /* key, when the node is a value of a map; else NULL */
    const char *scalar;  /* text of a scalar; NULL otherwise */
    bool quoted;         /* the scalar was quoted (so "true" is text) */
    bf_yaml_node *child; /* first child of a list or map */
    bf_yaml_node *next;  /* next sibling */
    size_t child_count;
};

/* A parsed document; owns every node and string. */
typedef struct bf_yaml bf_yaml;

/* Parses `size` bytes. `name` (file name) stands in every later error message; it is copied. On success the
 * caller frees *ret_doc with bf_yaml_free. Fails with BF_CONFIG_INVALID ("policies/x.yaml:12: ...") or
 * BF_OUT_OF_MEMORY. Duplicate keys are refused. */
bf_status bf_yaml_parse(const void *data, size_t size, const char *name, bf_yaml **ret_doc, bf_error *err);
bf_status bf_yaml_read_file(const char *path, bf_yaml **ret_doc, bf_error *err);
void bf_yaml_free(bf_yaml **doc);
const bf_yaml_node *bf_yaml_root(const bf_yaml *doc);
const char *bf_yaml_name(const bf_yaml *doc);

/* "NAME:LINE: message" as BF_CONFIG_INVALID. */
bf_status bf_yaml_fail(const bf_yaml *doc, const bf_yaml_node *node, bf_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Checks that `map` is a map whose keys are all in the NULL-terminated list; else names the nearest known. */
bf_status bf_yaml_check_keys(const bf_yaml *doc, const bf_yaml_node *map, const char *const known[], bf_error *err);

/* The value under `key`, or NULL. */
const bf_yaml_node *bf_yaml_get(const bf_yaml_node *map, const char *key);

/* Typed getters of map[key]. `required`: a missing key is an error; otherwise *ret is left untouched (so set
 * the default before). Out-of-range numbers, NaN and wrong kinds are errors with the line. Strings point into
 * the document. */
bf_status bf_yaml_string(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, const char **ret,
                         bf_error *err);
bf_status bf_yaml_number(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, double min,
                         double max, double *ret, bf_error *err);
bf_status bf_yaml_integer(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, int64_t min,
                          int64_t max, int64_t *ret, bf_error *err);
bf_status bf_yaml_bool(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, bool *ret,
                       bf_error *err);
/* One of the NULL-terminated `names`; *ret gets its index. */
bf_status bf_yaml_choice(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required,
                         const char *const names[], int *ret, bf_error *err);
/* Scalar node itself -> number. */
bf_status bf_yaml_node_number(const bf_yaml *doc, const bf_yaml_node *node, double min, double max, double *ret,
                              bf_error *err);

/* The nearest of `known` to `word` by edit distance (at most 3 edits), or NULL. */
const char *bf_nearest_word(const char *word, const char *const known[]);

#endif
